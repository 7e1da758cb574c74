/* Shards: how runs are dealt, that dealing can be undone, and what names a shard. */
#include "runner/shard.h"

#include <stdlib.h>

#include "tests/check_rows.h"

enum { TOTAL_MAX = 17, RUNS = 200 };

/* Every run goes to exactly one shard, and its place among that shard's leads back to it: however many shards and runs. */
START_TEST(dealt)
{
	size_t total = (size_t)_i + 1;

	for (size_t runs = 0; runs < RUNS; runs++) {
		size_t n_all = 0;

		for (size_t k = 1; k <= total; k++) {
			struct shard s = { k, total, runs };
			size_t n = 0;

			for (size_t run = 0; run < runs; run++)
				if (shard_takes(&s, run))
					ck_assert_uint_eq(shard_place(&s, n++), run);
			ck_assert_msg(n == runs / total || n == runs / total + 1, "%zu of %zu runs for %zu of %zu", n, runs, k, total);
			n_all += n;
		}
		ck_assert_uint_eq(n_all, runs);
	}
}
END_TEST

/* Cases have 12 variants, one behind the other: a shard of any number gets each of them about as often as the others. */
START_TEST(variants_are_spread)
{
	enum { VARIANTS = 12, CASES = 240 };
	size_t total = (size_t)_i + 1;

	for (size_t k = 1; k <= total; k++) {
		struct shard s = { k, total, 0 };
		size_t seen[VARIANTS] = { 0 }, least = CASES, most = 0;

		for (size_t run = 0; run < VARIANTS * CASES; run++)
			seen[run % VARIANTS] += shard_takes(&s, run);
		for (size_t v = 0; v < VARIANTS; v++) {
			least = seen[v] < least ? seen[v] : least;
			most = seen[v] > most ? seen[v] : most;
		}
		ck_assert_msg(most - least <= 12, "shard %zu of %zu: from %zu to %zu", k, total, least, most);
	}
}
END_TEST

START_TEST(no_shards)
{
	struct shard none = { 0 };

	for (size_t run = 0; run < 100; run++) {
		ck_assert(shard_takes(&none, run));
		ck_assert_uint_eq(shard_place(&none, run), run);
	}
}
END_TEST

static const struct { const char *text; bool ok; size_t index, total; } texts[] = {
	{ "1/1", true, 1, 1 }, { "2/5", true, 2, 5 }, { "5/5", true, 5, 5 }, { "10000/10000", true, 10000, 10000 },
	{ "6/5", false, 0, 0 }, { "0/5", false, 0, 0 }, { "1/0", false, 0, 0 }, { "1/10001", false, 0, 0 }, { "-1/5", false, 0, 0 },
	{ "", false, 0, 0 }, { "1", false, 0, 0 }, { "1/", false, 0, 0 }, { "/1", false, 0, 0 }, { "1/2 ", false, 0, 0 }, { "1/2/3", false, 0, 0 },
};

START_TEST(text_row)
{
	struct shard s;

	ck_assert_msg(shard_parse(texts[_i].text, &s) == texts[_i].ok, "%s", texts[_i].text);
	if (texts[_i].ok)
		ck_assert_msg(s.index == texts[_i].index && s.total == texts[_i].total, "%s: %zu/%zu", texts[_i].text, s.index, s.total);
}
END_TEST

START_TEST(environment)
{
	struct shard s;
	struct fault f;

	unsetenv("TEST_TOTAL_SHARDS");
	unsetenv("TEST_SHARD_INDEX");
	unsetenv("TEST_SHARD_STATUS_FILE");
	ck_assert(shard_of_environment(&s, &f));
	ck_assert_uint_eq(s.total, 0);
	setenv("TEST_TOTAL_SHARDS", "4", 1);
	ck_assert(!shard_of_environment(&s, &f));
	setenv("TEST_SHARD_INDEX", "3", 1);
	ck_assert_msg(shard_of_environment(&s, &f), "%s", f.msg);
	ck_assert(s.index == 4 && s.total == 4);
	setenv("TEST_SHARD_INDEX", "4", 1);
	ck_assert(!shard_of_environment(&s, &f));
}
END_TEST

ROWS_MAIN("shard", { dealt, TOTAL_MAX }, { variants_are_spread, TOTAL_MAX }, { no_shards, 1 }, { text_row, countof(texts) }, { environment, 1 })
