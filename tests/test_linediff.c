/* linediff: two texts line by line. */
#include <stdio.h>

#include "runner/linediff.h"
#include "tests/check_rows.h"

static const struct { const char *name, *before, *after, *diff; } rows[] = {
	{ "both empty",          "",               "",               "" },
	{ "the same",            "a\nb\n",         "a\nb\n",         " a\n b\n" },
	{ "all new",             "",               "a\nb\n",         "+a\n+b\n" },
	{ "all gone",            "a\nb\n",         "",               "-a\n-b\n" },
	{ "first line",          "a\nb\n",         "x\nb\n",         "-a\n+x\n b\n" },
	{ "last line",           "a\nb\n",         "a\nx\n",         " a\n-b\n+x\n" },
	{ "in the middle",       "a\nb\nc\n",      "a\nx\ny\nc\n",   " a\n-b\n+x\n+y\n c\n" },
	{ "one moved down",      "a\nm\nb\n",      "a\nb\nm\n",      " a\n-m\n b\n+m\n" },
	{ "one more of many",    "a\na\n",         "a\na\na\n",      " a\n a\n+a\n" },
	{ "kept between",        "1\nk\n2\n",      "3\nk\n4\n",      "-1\n+3\n k\n-2\n+4\n" },
	{ "the longest is kept", "a\nb\nc\nd\n",   "c\na\nb\nd\n",   "+c\n a\n b\n-c\n d\n" },
	{ "no newline at the end", "a\nb",         "a\nc",           " a\n-b\n+c\n" },
	{ "empty lines",         "\n\n",           "\n",             " \n-\n" },
};

static void must_be(struct buf *got, const char *name, const char *want)
{
	ck_assert_msg(bytes_is(buf_bytes(got), want), "%s:\n%s\n-- and not --\n%s", name, buf_str(got), want);
	buf_free(got);
}

START_TEST(diff_row)
{
	struct buf out = { 0 };

	linediff(&out, bytes_of(rows[_i].before), bytes_of(rows[_i].after));
	must_be(&out, rows[_i].name, rows[_i].diff);
}
END_TEST

static struct buf side(struct bytes diff, char mark)
{
	struct buf out = { 0 };

	for (size_t i = 0; i < diff.n;) {
		size_t n = (size_t)((const uint8_t *)memchr(diff.p + i, '\n', diff.n - i) - (diff.p + i)) + 1;

		if (diff.p[i] == ' ' || diff.p[i] == mark)
			buf_add(&out, diff.p + i + 1, n - 1);
		i += n;
	}
	return out;
}

/* Whatever the texts: without the lines of one side, the diff is the other text; also past the size where lines are looked for. */
START_TEST(both_sides)
{
	static const size_t sizes[] = { 1, 2, 7, 60, 5000 };
	size_t n = sizes[_i];
	struct buf a = { 0 }, b = { 0 }, out = { 0 }, one, two;

	for (size_t i = 0; i < n; i++) {
		buf_printf(&a, "%zu\n", i * 7919 % 13);
		buf_printf(&b, "%zu\n", i * 6007 % 11 + 2);
	}
	linediff(&out, buf_bytes(&a), buf_bytes(&b));
	one = side(buf_bytes(&out), '-');
	two = side(buf_bytes(&out), '+');
	ck_assert(bytes_equal(buf_bytes(&one), buf_bytes(&a)));
	ck_assert(bytes_equal(buf_bytes(&two), buf_bytes(&b)));
	buf_free(&a);
	buf_free(&b);
	buf_free(&out);
	buf_free(&one);
	buf_free(&two);
}
END_TEST

static const struct { const char *diff; size_t context; const char *shows; } shorts[] = {
	{ "",                                    1, "" },
	{ " a\n b\n",                            1, " ...\n" },
	{ " a\n b\n-c\n d\n e\n",                1, " ...\n b\n-c\n d\n ...\n" },
	{ " a\n b\n-c\n d\n e\n",                2, " a\n b\n-c\n d\n e\n" },
	{ "-a\n b\n c\n d\n+e\n",                0, "-a\n ...\n+e\n" },
	{ "-a\n b\n c\n d\n+e\n",                1, "-a\n b\n ...\n d\n+e\n" },
	{ "+a\n",                                5, "+a\n" },
};

START_TEST(short_row)
{
	struct buf out = { 0 };

	linediff_short(&out, bytes_of(shorts[_i].diff), shorts[_i].context);
	must_be(&out, "short", shorts[_i].shows);
}
END_TEST

ROWS_MAIN("linediff", { diff_row, countof(rows) }, { both_sides, 5 }, { short_row, countof(shorts) })
