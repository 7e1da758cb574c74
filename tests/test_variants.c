/* Sets of variants in few words, the names of files, and numbers of variants. */
#include "runner/variant_list.h"
#include "runner/variants.h"

#include "tests/check_rows.h"

static const struct { const char *name; const char *in[2]; const char *says; } sets[] = {
	{ "none",           { "000000000000" },                 "" },
	{ "all",            { "111111111111" },                 "- client|server 1.2|1.3 blocking|nonblocking|memory\n" },
	{ "one",            { "000000000001" },                 "- server 1.3 memory\n" },
	{ "all but one",    { "111111111110" },                 "- client|server 1.2|1.3 blocking|nonblocking\n- client|server 1.2 memory\n- client 1.3 memory\n" },
	{ "a diagonal",     { "100010000000" },                 "- client 1.2 blocking\n- client 1.3 nonblocking\n" },
	{ "two values",     { "111000000000", "111000000000" }, "- client 1.2 blocking|nonblocking|memory k=a|b\n" },
	{ "not the second", { "111000111000", "111000000000" }, "- client|server 1.2 blocking|nonblocking|memory k=a\n- client 1.2 blocking|nonblocking|memory k=b\n" },
	{ "second alone",   { "000000000000", "000001000000" }, "- client 1.3 memory k=b\n" },
};

START_TEST(variants_row)
{
	char a[] = "a", b[] = "b", *with[] = { a, b };
	size_t nwith = sets[_i].in[1] ? 2 : 1;
	bool in[2 * VARIANTS];
	struct buf out = { 0 };

	for (size_t i = 0; i < nwith * VARIANTS; i++)
		in[i] = sets[_i].in[i / VARIANTS][i % VARIANTS] == '1';
	variants_print(&out, "-", in, nwith > 1 ? "k" : NULL, with, nwith);
	ck_assert_msg(bytes_is(buf_bytes(&out), sets[_i].says), "%s:\n%s", sets[_i].name, buf_str(&out));
	buf_free(&out);
}
END_TEST

START_TEST(numbers)
{
	for (size_t i = 0; i < VARIANTS; i++)
		ck_assert_uint_eq(variant_number(variant_of_number(i)), i);
	for (size_t i = 0; i < VARIANTS; i++) {
		unsigned v = variant_of_number(i);

		ck_assert_uint_eq(variant_of_words(variant_role(v), variant_tls(v), variant_io(v)), v);
	}
	ck_assert_uint_eq(variant_of_words("client", "1.3", "nonblocking"), FOR_CLIENT | FOR_TLS13 | FOR_NONBLOCKING);
	ck_assert_uint_eq(variant_of_words("client", "1.4", "nonblocking"), 0);
	ck_assert_uint_eq(variant_number(FOR_CLIENT | FOR_TLS12 | FOR_BLOCKING), 0);
	ck_assert_uint_eq(variant_number(FOR_SERVER | FOR_TLS13 | FOR_MEMORY), VARIANTS - 1);
}
END_TEST

static const struct { const char *name; unsigned variant; const char *with_name, *with, *stem; } stem_rows[] = {
	{ "plain", FOR_CLIENT | FOR_TLS12 | FOR_MEMORY, "", "", "client-1.2-memory" },
	{ "other ends", FOR_SERVER | FOR_TLS13 | FOR_BLOCKING, "", "", "server-1.3-blocking" },
	{ "with a value", FOR_CLIENT | FOR_TLS13 | FOR_NONBLOCKING, "K", "-1", "client-1.3-nonblocking-K=-1" },
	{ "with what leads elsewhere", FOR_CLIENT | FOR_TLS13 | FOR_NONBLOCKING, "K/", "/../100%", "client-1.3-nonblocking-K%2f=%2f..%2f100%25" },
	{ "with quotes", FOR_CLIENT | FOR_TLS13 | FOR_NONBLOCKING, "K", "\"a b\"", "client-1.3-nonblocking-K=\"a b\"" },
};

START_TEST(stem_row)
{
	struct buf b = { 0 };

	variant_stem(&b, stem_rows[_i].variant, bytes_of(stem_rows[_i].with_name), bytes_of(stem_rows[_i].with));
	ck_assert_msg(strcmp(buf_str(&b), stem_rows[_i].stem) == 0, "%s: %s", stem_rows[_i].name, buf_str(&b));
	buf_free(&b);
}
END_TEST

/* --- lists of runs --- */

enum { RUNS_MAX = 13 };

static const struct {
	const char *name;
	struct { unsigned number; const char *with_name, *with; } runs[RUNS_MAX]; size_t n;
	const char *text, *print;
} lists[] = {
	{ "none", { { 0 } }, 0, "", "" },
	{ "one", { { 0, "", "" } }, 1, "client 1.2 blocking", "client 1.2 blocking" },
	{ "a product", { { 0, "", "" }, { 2, "", "" }, { 3, "", "" }, { 5, "", "" } }, 4, "client 1.2|1.3 blocking|memory",
	  "client 1.2|1.3 blocking|memory  (4 runs)" },
	{ "in another order", { { 5, "", "" }, { 3, "", "" }, { 2, "", "" }, { 0, "", "" } }, 4, "client 1.2|1.3 blocking|memory",
	  "client 1.2|1.3 blocking|memory  (4 runs)" },
	{ "no product", { { 0, "", "" }, { 1, "", "" }, { 2, "", "" }, { 3, "", "" } }, 4, "client 1.2 blocking|nonblocking|memory, client 1.3 blocking",
	  "client 1.2 blocking|nonblocking|memory, client 1.3 blocking  (4 runs)" },
	{ "values", { { 0, "K", "1" }, { 0, "K", "\"a b\"" } }, 2, "client 1.2 blocking K=1|\"a b\"", "client 1.2 blocking K=1|\"a b\"  (2 runs)" },
	{ "values, no product", { { 0, "K", "1" }, { 0, "K", "2" }, { 1, "K", "2" } }, 3, "client 1.2 blocking K=1|2, client 1.2 nonblocking K=2",
	  "client 1.2 blocking K=1|2, client 1.2 nonblocking K=2  (3 runs)" },
	{ "twice the same", { { 0, NULL, NULL }, { 0, NULL, NULL } }, 2, "client 1.2 blocking", "client 1.2 blocking  (2 runs)" },
	{ "more than a line", { { 0, "", "" }, { 4, "", "" }, { 8, "", "" }, { 9, "", "" } }, 4,
	  "client 1.2 blocking, client 1.3 nonblocking, server 1.2 memory, server 1.3 blocking",
	  "client 1.2 blocking, client 1.3 nonblocking, server 1.2 memory, server 1.3 blocking  (4 runs)" },
	{ "more than a line, with values", { { 0, "number", "1" }, { 4, "number", "2" }, { 8, "number", "3" }, { 9, "number", "4" } }, 4,
	  "client 1.2 blocking number=1, client 1.3 nonblocking number=2, server 1.2 memory number=3, server 1.3 blocking number=4",
	  "client 1.2 blocking number=1, client 1.3 nonblocking number=2, server 1.2 memory number=3,\n  server 1.3 blocking number=4  (4 runs)" },
};

START_TEST(list_row)
{
	struct variant_list v = { 0 };
	struct buf out = { 0 };

	for (size_t i = 0; i < lists[_i].n; i++)
		variant_list_add(&v, variant_of_number(lists[_i].runs[i].number), lists[_i].runs[i].with_name, lists[_i].runs[i].with);
	variant_list_text(&out, &v);
	ck_assert_msg(bytes_is(buf_bytes(&out), lists[_i].text), "%s: %s", lists[_i].name, buf_str(&out));
	out.n = 0;
	variant_list_print(&out, &v, "  ");
	ck_assert_msg(bytes_is(buf_bytes(&out), lists[_i].print), "%s:\n%s", lists[_i].name, buf_str(&out));
	buf_free(&out);
	variant_list_free(&v);
	variant_list_free(&v);
}
END_TEST

ROWS_MAIN("variants", { variants_row, countof(sets) }, { numbers, 1 }, { stem_row, countof(stem_rows) }, { list_row, countof(lists) })
