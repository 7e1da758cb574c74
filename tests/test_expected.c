/* expected: what is known of one case, as values and as text; and the words of a set of variants. */
#include <stdio.h>

#include "runner/expected.h"
#include "tests/check_rows.h"

static const char plain_case[] = "title t\nhandshake\niut read\n";
static const char narrow_case[] = "title t\ntls 1.3\nio blocking memory\nhandshake\niut read\n";
static const char with_case[] = "title t\nwith k in 1 -1 \"a b\" 5\nhandshake\niut write $k\n";

static void read_case(struct script *s, const char *text)
{
	struct fault f = { 0 };

	ck_assert_msg(script_parse(s, "cases/theme/name.case", text, strlen(text), 0, NULL, &f), "%d:%d: %s", f.line, f.col, f.msg);
}

/* Reads it with nothing behind it that a reader could stray into. */
static bool parse(struct expected *x, const char *text, size_t n, const struct script *s, struct fault *f)
{
	struct bytes copy = exact((struct bytes){ (const uint8_t *)text, n });
	bool ok = expected_parse(x, "expected/x-1.0/theme/name.trace", (const char *)copy.p, n, s, f);

	free((void *)copy.p);
	return ok;
}

/* --- text and back --- */

#define T "iut   read -> closed as r=0\n"
#define U "iut   read -> truncated as r=-1 code\n"

static const struct { const char *name, *case_text, *text, *prints; } rows[] = {
	{ "no block", plain_case, "case theme/name\n\nend\n", NULL },
	{ "all variants", plain_case, "case theme/name\n\nvariants client|server 1.2|1.3 blocking|nonblocking|memory\n" T "\nend\n", NULL },
	{ "two blocks", plain_case, "case theme/name\n\nvariants client 1.2|1.3 memory\n" T "\nvariants server 1.3 memory\n" U "\nend\n", NULL },
	{ "more than one product", plain_case, "case theme/name\n\nvariants client 1.2 blocking|memory\nvariants server 1.3 memory\n" T "\nend\n", NULL },
	{ "order", plain_case, "case theme/name\nvariants server 1.3 memory\n" U "variants server 1.2 blocking\nvariants client 1.2 memory|blocking\n" T "end",
	  "case theme/name\n\nvariants client|server 1.2 blocking\nvariants client 1.2 memory\n" T "\nvariants server 1.3 memory\n" U "\nend\n" },
	{ "products that overlap", plain_case, "case theme/name\nvariants client 1.2|1.3 blocking\nvariants client 1.3 memory|nonblocking\n" T "end",
	  "case theme/name\n\nvariants client 1.2|1.3 blocking\nvariants client 1.3 nonblocking|memory\n" T "\nend\n" },
	{ "with", with_case, "case theme/name\n\nvariants client|server 1.2 memory k=1|-1|5\n" T "\nvariants client 1.2 memory k=\"a b\"\n" U "\nend\n", NULL },
	{ "with a text first", with_case, "case theme/name\nvariants client 1.2 memory k=\"a b\"|-1\n" T "end\n",
	  "case theme/name\n\nvariants client 1.2 memory k=-1|\"a b\"\n" T "\nend\n" },
	{ "unsupported", plain_case, "case theme/name\n\nvariants client 1.2 memory\nunsupported\n\nend\n", NULL },
	{ "deviations", plain_case, "case theme/name\n\nvariants client 1.2 memory\ndeviation a-rule \"\"\ndeviation b-rule \"why # \\\"so\\\" \\x1b\\n\" "
	  "https://x.y/z?a=(1)|2&b#c-3\ninconclusive \"nothing came\"\n" T "\nend\n", NULL },
	{ "deviations, sorted", plain_case, "case theme/name\nvariants client 1.2 memory\ninconclusive \"\"   # none\ndeviation b \"2\"\ndeviation a \"1\"\n" T "end\n",
	  "case theme/name\n\nvariants client 1.2 memory\ndeviation a \"1\"\ndeviation b \"2\"\ninconclusive \"\"\n" T "\nend\n" },
	{ "comments and texts for people", plain_case, "# x\ncase theme/name # y\n\n  # z\nvariants client 1.2 memory\n\niut read -> error as r=0 \"no, no\" 7\nend\n",
	  "case theme/name\n\nvariants client 1.2 memory\niut   read -> error as r=0 7\n\nend\n" },
	{ "varies", plain_case, "case theme/name\n\nvariants client 1.2 memory\nvaries \"by chance\"\n" T "or\n" U "\nvariants server 1.2 memory\n" U "\nend\n", NULL },
	{ "varies, sorted by what is compared", plain_case, "case theme/name\nvariants client 1.2 memory\nvaries \"x\" https://x\n" U "or\nunsupported\nor\ndeviation b \"2\"\n" T
	  "or\ndeviation a \"3\"\n" T "end\n",
	  "case theme/name\n\nvariants client 1.2 memory\nvaries \"x\" https://x\ndeviation a \"3\"\n" T "or\ndeviation b \"2\"\n" T "or\n" U "or\nunsupported\n\nend\n" },
	{ "each line of a trace", plain_case, "case theme/name\n\nvariants client 1.2 memory\nhandshake -> ok\npeer  fin\nfd    iut linger 0\npath  cut\n"
	  "wire  peer -> fin\ntcp   iut -> close-wait\niut   close -> ok\n\nend\n", NULL },
};

static void must_print(const struct expected *x, const char *name, const char *want)
{
	struct buf out = { 0 };

	expected_print(&out, x);
	ck_assert_msg(bytes_is(buf_bytes(&out), want), "%s:\n%s\n-- and not --\n%s", name, buf_str(&out), want);
	buf_free(&out);
}

START_TEST(text_and_back)
{
	const char *want = rows[_i].prints ? rows[_i].prints : rows[_i].text;
	struct fault f = { 0 };
	struct expected x;
	struct script s;

	read_case(&s, rows[_i].case_text);
	ck_assert_msg(parse(&x, rows[_i].text, strlen(rows[_i].text), &s, &f), "%s: %d:%d: %s", rows[_i].name, f.line, f.col, f.msg);
	must_print(&x, rows[_i].name, want);
	expected_free(&x);
	expected_free(&x);
	ck_assert_msg(parse(&x, want, strlen(want), &s, &f), "%s again: %d:%d: %s", rows[_i].name, f.line, f.col, f.msg);
	must_print(&x, rows[_i].name, want);
	expected_free(&x);
	/* Also without the case at hand, up to the order of `with` values, which only the case knows. */
	ck_assert_msg(parse(&x, want, strlen(want), NULL, &f), "%s alone: %d:%d: %s", rows[_i].name, f.line, f.col, f.msg);
	if (rows[_i].case_text != with_case)
		must_print(&x, rows[_i].name, want);
	expected_free(&x);
	script_free(&s);
}
END_TEST

/* --- faults --- */

#define HEAD "case theme/name\nvariants client 1.2 memory\n"

static const struct { const char *case_text, *text; int line, col; const char *says; } wrong[] = {
	{ plain_case,  "",                                              1, 1,  "not complete" },
	{ plain_case,  "variants client 1.2 memory\n",                  1, 1,  "`case THEME/CASE`" },
	{ plain_case,  "case\n",                                        1, 5,  "missing here: THEME/CASE" },
	{ plain_case,  "case theme/other\nend\n",                       1, 6,  "another case; expected here: theme/name" },
	{ plain_case,  "case theme/name now\nend\n",                    1, 17, "too much" },
	{ plain_case,  "case theme/name\ncase theme/name\nend\n",       2, 1,  "one case" },
	{ plain_case,  "case theme/name\n",                             1, 16, "without `end`" },
	{ plain_case,  HEAD T,                                          3, 28, "without `end`" },
	{ plain_case,  HEAD T "end\n" T,                                5, 1,  "behind `end`" },
	{ plain_case,  HEAD "end\n",                                    3, 1,  "the trace of the variants above" },
	{ plain_case,  HEAD "deviation x \"\"\nvariants client 1.3 memory\n" T "end\n", 4, 1, "the trace of the variants above" },
	{ plain_case,  "case theme/name\n" T "end\n",                   2, 1,  "expected here: `variants`" },
	{ plain_case,  "case theme/name\nvariant client 1.2 memory\n",  2, 1,  "did you mean `variants`" },
	{ plain_case,  "case theme/name\nvariants\n",                   2, 9,  "missing here: role" },
	{ plain_case,  "case theme/name\nvariants clint 1.2 memory\n",  2, 10, "did you mean `client`" },
	{ plain_case,  "case theme/name\nvariants client 1.4 memory\n", 2, 17, "`1.4` is no version of TLS" },
	{ plain_case,  "case theme/name\nvariants client|1.2 memory\n", 2, 17, "`1.2` is no role" },
	{ plain_case,  "case theme/name\nvariants client| 1.2 memory\n", 2, 18, "`1.2` is no role" },
	{ plain_case,  "case theme/name\nvariants client 1.2 async\n",  2, 21, "no I/O mode" },
	{ plain_case,  "case theme/name\nvariants client 1.2 memory k=1\n", 2, 28, "no `with`" },
	{ narrow_case, "case theme/name\nvariants client 1.2 memory\n", 2, 17, "does not run with `1.2`" },
	{ narrow_case, "case theme/name\nvariants client 1.3 memory|nonblocking\n", 2, 28, "does not run with `nonblocking`" },
	{ with_case,   HEAD T "end\n",                                  2, 27, "expected here: k=VALUE" },
	{ with_case,   "case theme/name\nvariants client 1.2 memory j=1\n", 2, 28, "expected here: k=VALUE" },
	{ with_case,   "case theme/name\nvariants client 1.2 memory k=2\n", 2, 28, "no value of the case's `with`" },
	{ with_case,   "case theme/name\nvariants client 1.2 memory k=\n", 2, 30, "missing here: a value" },
	{ with_case,   "case theme/name\nvariants client 1.2 memory k=1|\n", 2, 32, "another value" },
	{ with_case,   "case theme/name\nvariants client 1.2 memory k=1 5\n", 2, 32, "another value" },
	{ with_case,   "case theme/name\nvariants client 1.2 memory k=1|1\n", 2, 1, "named before" },
	{ plain_case,  HEAD T "variants client 1.2|1.3 memory\n" U "end\n", 4, 1, "named before" },
	{ plain_case,  HEAD "deviation\n",                              3, 10, "missing here: the requirement" },
	{ plain_case,  HEAD "deviation \"x\"\n",                        3, 11, "missing here: the requirement" },
	{ plain_case,  HEAD "deviation x\n",                            3, 12, "expected here: the reason" },
	{ plain_case,  HEAD "deviation x why\n",                        3, 13, "expected here: the reason" },
	{ plain_case,  HEAD "deviation x \"why\n",                      3, 13, "no end" },
	{ plain_case,  HEAD "deviation x \"\\q\"\n",                    3, 13, "expected here: the reason" },
	{ plain_case,  HEAD "deviation x \"a\\x00b\"\n",                3, 13, "expected here: the reason" },
	{ plain_case,  HEAD "deviation x \"\" file:///etc\n",           3, 16, "a link" },
	{ plain_case,  HEAD "deviation x \"\" javascript:alert(1)\n",   3, 16, "a link" },
	{ plain_case,  HEAD "deviation x \"\" https://x y\n",           3, 16, "a link" },
	{ plain_case,  HEAD "deviation x \"\" https://x\x1b[31m\n",     3, 16, "a link" },
	{ plain_case,  HEAD "deviation x \"\" https://\n",              3, 16, "a link" },
	{ plain_case,  HEAD "deviation x \"\"\ndeviation x \"\"\n",     4, 1,  "named before" },
	{ plain_case,  HEAD T "deviation x \"\"\n",                     4, 1,  "between `variants` and the trace" },
	{ plain_case,  HEAD "unsupported\n" T,                          4, 1,  "no trace" },
	{ plain_case,  HEAD T "unsupported\n",                          4, 1,  "between `variants` and the trace" },
	{ plain_case,  HEAD "varies\n",                                 3, 7,  "expected here: the reason" },
	{ plain_case,  HEAD "varies \"\"\n" T "or\n" U "end\n",         3, 8,  "why runs" },
	{ plain_case,  HEAD "varies \"x\" y\n" T "or\n" U "end\n",      3, 12, "a link" },
	{ plain_case,  HEAD "varies \"x\"\nvaries \"x\"\n",            4, 1,  "right below `variants`, once" },
	{ plain_case,  HEAD "deviation x \"\"\nvaries \"x\"\n",        4, 1,  "right below `variants`, once" },
	{ plain_case,  HEAD T "varies \"x\"\n",                        4, 1,  "between `variants` and the trace" },
	{ plain_case,  HEAD "varies \"x\"\n" T "or\nvaries \"x\"\n",  6, 1,  "right below `variants`, once" },
	{ plain_case,  HEAD "varies \"x\"\n" T "end\n",                5, 1,  "another account" },
	{ plain_case,  HEAD "varies \"x\"\n" T "variants server 1.2 memory\n" T "end\n", 5, 1, "another account" },
	{ plain_case,  HEAD "varies \"x\"\n" T "or\nend\n",            6, 1,  "the trace of the variants above" },
	{ plain_case,  HEAD "varies \"x\"\nor\n" T "end\n",            4, 1,  "the trace of the variants above" },
	{ plain_case,  HEAD "varies \"x\"\n" T "or\n" T "end\n",       7, 1,  "the same as another account" },
	{ plain_case,  HEAD "varies \"x\"\n" T "or\ndeviation x \"\"\n", 6, 15, "without `end`" },
	{ plain_case,  HEAD "varies \"x\"\n" T "or now\n" U "end\n",   5, 4,  "too much" },
	{ plain_case,  HEAD T "or\n" U "end\n",                        4, 1,  "`or` has to stand between" },
	{ plain_case,  "case theme/name\nor\n",                         2, 1,  "`or` has to stand between" },
	{ plain_case,  "case theme/name\nvaries \"x\"\n",               2, 1,  "between `variants` and the trace" },
	{ plain_case,  HEAD "iut   read -> clozed\n",                   3, 15, "did you mean `closed`" },
	{ plain_case,  HEAD "per   fin\n",                              3, 1,  "did you mean `peer`" },
	{ plain_case,  HEAD "peer  \x01\n",                             3, 7,  "0x01" },
};

START_TEST(wrong_row)
{
	struct fault f = { 0 };
	struct expected x;
	struct script s;

	read_case(&s, wrong[_i].case_text);
	ck_assert_msg(!parse(&x, wrong[_i].text, strlen(wrong[_i].text), &s, &f), "%s", wrong[_i].text);
	ck_assert_msg(strstr(f.msg, wrong[_i].says), "%s\n%s", wrong[_i].text, f.msg);
	ck_assert_msg(f.line == wrong[_i].line && f.col == wrong[_i].col, "%s\n%d:%d: %s", wrong[_i].text, f.line, f.col, f.msg);
	ck_assert_ptr_null(x.name);
	expected_free(&x);
	script_free(&s);
}
END_TEST

static const char whole[] =
	"case theme/name\n\nvariants client|server 1.2 memory k=1|-1|5\nvariants client 1.3 blocking k=\"a b\"\n"
	"deviation a-rule \"why \\\"so\\\"\" https://x.y/z#1\ninconclusive \"\"\n" T "wire  iut -> alert malformed 3 fin\n"
	"\nvariants client 1.2 memory k=\"a b\"\nunsupported\n"
	"\nvariants server 1.3 memory k=1\nvaries \"by chance\" https://x.y/z\ndeviation a-rule \"\"\n" T "or\n" U "\nend\n";

START_TEST(every_prefix)
{
	size_t all = sizeof(whole) - 1;
	struct fault f = { 0 };
	struct expected x;
	struct script s;

	read_case(&s, with_case);
	/* Only the last newline may be missing. */
	for (size_t n = 0; n <= all; n++) {
		bool ok = parse(&x, whole, n, &s, &f);

		ck_assert_msg(ok == (n >= all - 1), "%zu of %zu bytes", n, all);
		ck_assert_msg(ok || (f.line > 0 && f.col > 0), "%zu bytes: %s", n, f.msg);
		expected_free(&x);
	}
	script_free(&s);
}
END_TEST

START_TEST(every_byte_changed)
{
	char text[sizeof(whole) + 1];
	struct fault f = { 0 };
	struct expected x;
	struct script s;

	read_case(&s, with_case);
	for (size_t i = 0; i < 8 * (sizeof(whole) - 1); i++) {
		memcpy(text, whole, sizeof(whole));
		text[i / 8] = "\0\n \"|=#\xff"[i % 8];
		ck_assert_msg(parse(&x, text, sizeof(whole) - 1, i % 2 ? &s : NULL, &f) || (f.line > 0 && f.col > 0), "byte %zu: %s", i / 8, f.msg);
		expected_free(&x);
	}
	memcpy(text, whole, sizeof(whole));
	strcpy(text + sizeof(whole) - 1, "x");
	ck_assert(!parse(&x, text, sizeof(whole), &s, &f));
	script_free(&s);
}
END_TEST

/* --- values --- */

START_TEST(found_by_variant)
{
	struct fault f = { 0 };
	struct expected x;
	struct script s;
	const struct block *b;

	read_case(&s, with_case);
	ck_assert_msg(parse(&x, whole, sizeof(whole) - 1, &s, &f), "%s", f.msg);
	b = expected_find(&x, FOR_SERVER | FOR_TLS12 | FOR_MEMORY, bytes_of("-1"));
	ck_assert_ptr_nonnull(b);
	ck_assert_uint_eq(b->accounts[0].deviations.n, 2);
	ck_assert_str_eq(deviations_find(&b->accounts[0].deviations, "a-rule")->reason, "why \"so\"");
	ck_assert_str_eq(deviations_find(&b->accounts[0].deviations, "a-rule")->link, "https://x.y/z#1");
	ck_assert_ptr_null(deviations_find(&b->accounts[0].deviations, NULL)->link);
	ck_assert_ptr_null(deviations_find(&b->accounts[0].deviations, "b-rule"));
	ck_assert_ptr_eq(expected_find(&x, FOR_CLIENT | FOR_TLS13 | FOR_BLOCKING, bytes_of("\"a b\"")), b);
	ck_assert_ptr_null(expected_find(&x, FOR_CLIENT | FOR_TLS13 | FOR_MEMORY, bytes_of("\"a b\"")));
	ck_assert_ptr_null(expected_find(&x, FOR_CLIENT | FOR_TLS12 | FOR_MEMORY, bytes_of("6")));
	ck_assert_ptr_null(expected_find(&x, FOR_CLIENT | FOR_TLS12 | FOR_MEMORY, bytes_of("")));
	b = expected_find(&x, FOR_CLIENT | FOR_TLS12 | FOR_MEMORY, bytes_of("\"a b\""));
	ck_assert(bytes_is(buf_bytes(&b->accounts[0].trace), "unsupported\n"));
	expected_free(&x);
	script_free(&s);
}
END_TEST

/* Runs with the same account and the same reasons are one block, whatever the order of their coming. */
START_TEST(added_one_by_one)
{
	static const char bare[] = "deviation a-rule \"\"\n" T, told[] = "deviation a-rule \"why\" https://x\n" T;
	struct expected x;
	struct script s;

	read_case(&s, plain_case);
	expected_start(&x, &s);
	expected_add(&x, FOR_SERVER | FOR_TLS12 | FOR_MEMORY, bytes_of(""), bytes_of(bare));
	expected_add(&x, FOR_CLIENT | FOR_TLS13 | FOR_BLOCKING, bytes_of(""), bytes_of("unsupported\n"));
	expected_add(&x, FOR_CLIENT | FOR_TLS12 | FOR_MEMORY, bytes_of(""), bytes_of(bare));
	expected_add(&x, FOR_CLIENT | FOR_TLS12 | FOR_BLOCKING, bytes_of(""), bytes_of(told));
	must_print(&x, "added", "case theme/name\n\nvariants client 1.2 blocking\ndeviation a-rule \"why\" https://x\n" T "\nvariants client|server 1.2 memory\n"
	           "deviation a-rule \"\"\n" T "\nvariants client 1.3 blocking\nunsupported\n\nend\n");
	ck_assert_uint_eq(x.n, 3);
	expected_free(&x);
	script_free(&s);
}
END_TEST

/* All of what varies comes as one body, and is one block again, in the order of the file. */
START_TEST(added_as_a_block)
{
	static const char varies[] = "varies \"by chance\"\n" U "or\ndeviation a-rule \"why\"\n" T;
	struct expected x;
	struct script s;

	read_case(&s, plain_case);
	expected_start(&x, &s);
	expected_add(&x, FOR_CLIENT | FOR_TLS12 | FOR_MEMORY, bytes_of(""), bytes_of(varies));
	expected_add(&x, FOR_CLIENT | FOR_TLS13 | FOR_MEMORY, bytes_of(""), bytes_of(U));
	expected_add(&x, FOR_SERVER | FOR_TLS12 | FOR_MEMORY, bytes_of(""), bytes_of("varies \"by chance\"\ndeviation a-rule \"why\"\n" T "or\n" U));
	must_print(&x, "added", "case theme/name\n\nvariants client|server 1.2 memory\nvaries \"by chance\"\ndeviation a-rule \"why\"\n" T "or\n" U
	           "\nvariants client 1.3 memory\n" U "\nend\n");
	expected_free(&x);
	script_free(&s);
}
END_TEST

/* --- blocks --- */

static const struct { const char *name, *bare; size_t nearest; bool same; } near[] = {
	{ "the first",                    "deviation a-rule\n" T,                     0, true },
	{ "the second",                   U,                                         1, true },
	{ "the first, but the deviation", T,                                         0, false },
	{ "the second and a deviation",   "deviation a-rule\ndeviation b-rule\n" U,  1, false },
	{ "neither",                      "unsupported\n",                           1, false },
};

START_TEST(nearest_row)
{
	struct block b = { 0 }, copy;
	struct account first = account_of(bytes_of("deviation a-rule \"why\"\n" T)), second = account_of(bytes_of(U));
	struct account again = account_of(bytes_of("deviation a-rule \"other\" https://x\n" T));
	struct buf text = { 0 }, copied = { 0 };
	const struct account *a;
	bool same;

	ck_assert_ptr_null(block_nearest(&b, bytes_of(near[_i].bare), &same));
	ck_assert(!block_has(&b, &second));
	ck_assert(block_add(&b, &second) && block_add(&b, &first) && block_has(&b, &again));
	ck_assert(!block_add(&b, &again));      /* reasons are not compared */
	ck_assert_uint_eq(b.n, 2);
	a = block_nearest(&b, bytes_of(near[_i].bare), &same);
	ck_assert_msg(a == &b.accounts[near[_i].nearest] && same == near[_i].same, "%s", near[_i].name);
	ck_assert(block_breaks(&b, "a-rule") && !block_breaks(&b, NULL) && !block_breaks(&b, "b-rule"));
	block_print(&text, &b);
	ck_assert_str_eq(buf_str(&text), "deviation a-rule \"why\"\n" T "or\n" U);
	block_copy(&copy, &b);
	block_free(&b);
	block_free(&b);
	block_print(&copied, &copy);
	ck_assert(bytes_equal(buf_bytes(&text), buf_bytes(&copied)));
	block_free(&copy);
	buf_free(&text);
	buf_free(&copied);
}
END_TEST

/* Up to a thousand, and no more. */
START_TEST(many_values)
{
	struct buf text = { 0 };
	struct expected x;
	struct fault f = { 0 };

	for (int n = 1000; n <= 1001; n++) {
		text.n = 0;
		buf_printf(&text, "case t/c\n\nvariants client 1.2 memory K=");
		for (int i = 0; i < n; i++)
			buf_printf(&text, "%s%d", i ? "|" : "", i);
		buf_printf(&text, "\n" T "\nend\n");
		ck_assert(parse(&x, buf_str(&text), text.n, NULL, &f) == (n == 1000));
		expected_free(&x);
	}
	ck_assert_str_eq(f.msg, "more values than a case can have");
	buf_free(&text);
}
END_TEST

/* --- variants --- */

ROWS_MAIN("expected", { text_and_back, countof(rows) }, { wrong_row, countof(wrong) }, { every_prefix, 1 }, { every_byte_changed, 1 },
          { found_by_variant, 1 }, { added_one_by_one, 1 }, { added_as_a_block, 1 }, { many_values, 1 },
          { nearest_row, countof(near) })
