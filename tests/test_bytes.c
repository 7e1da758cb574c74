/* bytes, and fault, which is as low as they are. */
#include "peer/bytes.h"
#include "peer/fault.h"

#include <errno.h>
#include <stdio.h>

#include "tests/check_rows.h"

static bool read_u8(struct bytes *in, uint32_t *v)
{
	uint8_t x = 0;
	bool ok = bytes_u8(in, &x);

	*v = x;
	return ok;
}

static bool read_u16(struct bytes *in, uint32_t *v)
{
	uint16_t x = 0;
	bool ok = bytes_u16(in, &x);

	*v = x;
	return ok;
}

static bool read_three(struct bytes *in, uint32_t *v)
{
	struct bytes x;

	if (!bytes_take(in, 3, &x))
		return false;
	*v = (uint32_t)x.p[0] << 16 | be16(x.p + 1);
	return true;
}

static const struct {
	const char *name, *hex;
	bool (*read)(struct bytes *, uint32_t *);
	uint32_t want;
} readers[] = {
	{ "u8",              "fe",       read_u8,    0xfe },
	{ "u8, zero",        "00",       read_u8,    0 },
	{ "u16",             "fedc",     read_u16,   0xfedc },
	{ "u16, small",      "0001",     read_u16,   1 },
	{ "u24",             "fedcba",   bytes_u24,  0xfedcba },
	{ "u24, small",      "000001",   bytes_u24,  1 },
	{ "take three",      "fedcba",   read_three, 0xfedcba },
};

START_TEST(reader_whole_and_one_more)
{
	struct buf b = { 0 };
	struct bytes whole = unhex(readers[_i].hex, &b), in;
	uint32_t v;

	in = whole;
	ck_assert_msg(readers[_i].read(&in, &v), "%s", readers[_i].name);
	ck_assert_msg(v == readers[_i].want, "%s: %x", readers[_i].name, v);
	ck_assert_msg(in.n == 0, "%s: %zu left", readers[_i].name, in.n);

	buf_u8(&b, 0x77);
	in = buf_bytes(&b);
	ck_assert_msg(readers[_i].read(&in, &v), "%s", readers[_i].name);
	ck_assert_msg(v == readers[_i].want, "%s, one more: %x", readers[_i].name, v);
	ck_assert_msg(in.n == 1 && in.p[0] == 0x77, "%s, one more: %zu left", readers[_i].name, in.n);
	buf_free(&b);
}
END_TEST

START_TEST(reader_prefixes)
{
	struct buf b = { 0 };
	struct bytes whole = unhex(readers[_i].hex, &b);
	uint32_t v;

	for (size_t n = 0; n < whole.n; n++) {
		struct bytes part = exact((struct bytes){ whole.p, n }), in = part;

		ck_assert_msg(!readers[_i].read(&in, &v), "%s: read from %zu bytes", readers[_i].name, n);
		ck_assert_msg(in.p == part.p && in.n == n, "%s: moved at %zu bytes", readers[_i].name, n);
		free((void *)part.p);
	}
	buf_free(&b);
}
END_TEST

START_TEST(take_nothing)
{
	struct bytes none = { 0 }, out = bytes_of("x");

	ck_assert(bytes_take(&none, 0, &out) && out.n == 0 && none.n == 0);
	ck_assert(!bytes_take(&none, SIZE_MAX, &out));
}
END_TEST

START_TEST(big_endian)
{
	const uint8_t p[] = { 0xfe, 0xdc, 0xba, 0x98 };

	ck_assert_uint_eq(be16(p), 0xfedc);
	ck_assert_uint_eq(be32(p), 0xfedcba98);
}
END_TEST

START_TEST(equal)
{
	struct bytes none = { 0 };

	ck_assert(bytes_is(bytes_of("fin"), "fin"));
	ck_assert(!bytes_is(bytes_of("fin"), "fi"));
	ck_assert(!bytes_is(bytes_of("fi"), "fin"));
	ck_assert(!bytes_is(bytes_of("fin"), "fim"));
	ck_assert(bytes_is(none, "") && bytes_equal(none, bytes_of("")) && !bytes_is(none, "x"));
}
END_TEST

START_TEST(buf_grows)
{
	struct buf b = { 0 };

	for (unsigned i = 0; i < 5000; i++)
		buf_u16(&b, i);
	ck_assert_uint_eq(b.n, 10000);
	for (size_t i = 0; i < 5000; i++)
		ck_assert_uint_eq(be16(b.p + 2 * i), i);

	buf_drop(&b, 9998);
	same_bytes("the last one", buf_bytes(&b), (struct bytes){ (const uint8_t *)"\x13\x87", 2 });
	buf_drop(&b, 0);
	buf_drop(&b, 2);
	ck_assert_uint_eq(b.n, 0);
	buf_free(&b);
	buf_free(&b);
	ck_assert_ptr_null(b.p);
}
END_TEST

START_TEST(buf_text)
{
	struct buf b = { 0 };

	buf_drop(&b, 0);
	buf_add(&b, NULL, 0);
	ck_assert_uint_eq(buf_from(&b, 0).n, 0);
	ck_assert_str_eq(buf_str(&b), "");
	buf_printf(&b, "data %d", 12);
	buf_printf(&b, "%s", "");
	ck_assert_uint_eq(b.n, 7);
	ck_assert_str_eq(buf_str(&b), "data 12");
	ck_assert(bytes_is(buf_from(&b, 5), "12"));
	ck_assert_uint_eq(buf_from(&b, 7).n, 0);
	buf_printf(&b, "%300d", 7);
	ck_assert_uint_eq(b.n, 307);
	ck_assert_int_eq(b.p[306], '7');
	buf_free(&b);
}
END_TEST

static const struct {
	const char *name, *quoted, *hex;        /* hex NULL: it is no quoted text */
	size_t left;
} quotes[] = {
	{ "empty",                    "\"\"",                "",               0 },
	{ "plain",                    "\"abc\"",             "616263",         0 },
	{ "all escapes",              "\"\\n\\r\\t\\\\\\\"\"", "0a 0d 09 5c 22", 0 },
	{ "hex, both cases",          "\"\\x00\\xfF\"",      "00 ff",          0 },
	{ "hex, then a digit",        "\"\\x000\"",          "00 30",          0 },
	{ "a comment sign",           "\"#\"",               "23",             0 },
	{ "UTF-8 as it is",           "\"\xc3\xa9\"",        "c3 a9",          0 },
	{ "one byte more",            "\"abc\" ",            "616263",         1 },
	{ "a second text",            "\"a\"\"b\"",          "61",             3 },
	{ "no opening quote",         "abc\"",               NULL,             0 },
	{ "a space first",            " \"abc\"",            NULL,             0 },
	{ "unknown escape",           "\"\\q\"",             NULL,             0 },
	{ "hex with one digit",       "\"\\x0\"",            NULL,             0 },
	{ "hex with no digit",        "\"\\xzz\"",           NULL,             0 },
	{ "hex with a sign",          "\"\\x+1\"",           NULL,             0 },
	{ "the end escaped",          "\"abc\\\"",           NULL,             0 },
	{ "ends on the next line",    "\"abc\n\"",           NULL,             0 },
};

START_TEST(unquote_row)
{
	struct buf want = { 0 }, out = { 0 };
	struct bytes text = exact(bytes_of(quotes[_i].quoted)), in = text;
	bool ok;

	buf_u8(&out, '!');
	ok = bytes_unquote(&in, &out);
	ck_assert_msg(ok == (quotes[_i].hex != NULL), "%s", quotes[_i].name);
	ck_assert_msg(in.n == (ok ? quotes[_i].left : text.n), "%s: %zu left", quotes[_i].name, in.n);
	buf_u8(&want, '!');
	unhex(ok ? quotes[_i].hex : "", &want);
	same_bytes(quotes[_i].name, buf_bytes(&out), buf_bytes(&want));
	free((void *)text.p);
	buf_free(&want);
	buf_free(&out);
}
END_TEST

START_TEST(unquote_prefixes)
{
	struct bytes text = bytes_of(quotes[_i].quoted);
	struct buf out = { 0 };

	for (size_t n = 0; quotes[_i].hex && n < text.n - quotes[_i].left; n++) {
		struct bytes part = exact((struct bytes){ text.p, n }), in = part;

		ck_assert_msg(!bytes_unquote(&in, &out), "%s: read from %zu bytes", quotes[_i].name, n);
		ck_assert_msg(in.p == part.p && in.n == n && out.n == 0, "%s: moved at %zu bytes", quotes[_i].name, n);
		free((void *)part.p);
	}
	buf_free(&out);
}
END_TEST

START_TEST(quote_every_byte)
{
	struct buf all = { 0 }, quoted = { 0 }, back = { 0 };
	struct bytes in;

	for (unsigned c = 0; c < 256; c++)
		buf_u8(&all, c);
	buf_quote(&quoted, buf_bytes(&all));
	for (size_t i = 0; i < quoted.n; i++)
		ck_assert(quoted.p[i] >= ' ' && quoted.p[i] <= '~');
	in = buf_bytes(&quoted);
	ck_assert(bytes_unquote(&in, &back) && in.n == 0);
	same_bytes("all bytes", buf_bytes(&back), buf_bytes(&all));

	quoted.n = 0;
	buf_quote(&quoted, bytes_of("a\"\\\n\r\t\x01\x7f~"));
	ck_assert_str_eq(buf_str(&quoted), "\"a\\\"\\\\\\n\\r\\t\\x01\\x7f~\"");
	buf_free(&all);
	buf_free(&quoted);
	buf_free(&back);
}
END_TEST

static const struct {
	const char *name, *hex, *want;          /* want NULL: refused */
} hexes[] = {
	{ "nothing",              "",           "" },
	{ "a pair",               "61",         "a" },
	{ "both cases",           "4a4A",       "JJ" },
	{ "spaces between",       "61 62  63",  "abc" },
	{ "spaces around",        " 61 ",       "a" },
	{ "half a pair",          "6",          NULL },
	{ "one digit more",       "61 6",       NULL },
	{ "space inside a pair",  "6 1",        NULL },
	{ "not a digit",          "6g",         NULL },
	{ "a prefix from C",      "0x61",       NULL },
	{ "a sign",               "-1",         NULL },
};

START_TEST(unhex_row)
{
	struct bytes hex = exact(bytes_of(hexes[_i].hex));
	struct buf out = { 0 };
	bool ok;

	buf_u8(&out, '!');
	ok = bytes_unhex(hex, &out);
	ck_assert_msg(ok == (hexes[_i].want != NULL), "%s", hexes[_i].name);
	ck_assert_msg(strcmp(buf_str(&out) + 1, ok ? hexes[_i].want : "") == 0, "%s: %s", hexes[_i].name, buf_str(&out));
	free((void *)hex.p);
	buf_free(&out);
}
END_TEST

START_TEST(pattern)
{
	struct buf b = { 0 };

	buf_pattern(&b, 0);
	ck_assert_uint_eq(b.n, 0);
	buf_pattern(&b, 25);
	ck_assert_str_eq(buf_str(&b), "abcdefghijklmnopqrstuvwab");
	buf_free(&b);
}
END_TEST

static const struct {
	const char *name;
	struct where at;
	const char *want;
} faults[] = {
	{ "a word", { "a.case", "peer fni now\nnext line", 7, 6, 3 },
	  "a.case:7:6: bad 5\n  peer fni now\n       ^~~\n" },
	{ "the first column, one wide", { "a.case", "x", 1, 1, 1 },
	  "a.case:1:1: bad 5\n  x\n  ^\n" },
	{ "tabs stay tabs", { "a.case", "\tpeer\tfni", 2, 7, 3 },
	  "a.case:2:7: bad 5\n  \tpeer\tfni\n  \t    \t^~~\n" },
	{ "behind the last word", { "a.case", "peer\nx", 2, 5, 1 },
	  "a.case:2:5: bad 5\n  peer\n      ^\n" },
	{ "wider than the line", { "a.case", "peer fin", 2, 6, 40 },
	  "a.case:2:6: bad 5\n  peer fin\n       ^~~\n" },
	{ "UTF-8 in front and under", { "a.case", "\xc3\xa9 \xc3\xa9\xc3\xa9", 2, 4, 4 },
	  "a.case:2:4: bad 5\n  \xc3\xa9 \xc3\xa9\xc3\xa9\n    ^~\n" },
	{ "control characters in front and under", { "a.case", "\033 \033b c", 2, 3, 2 },
	  "a.case:2:3: bad 5\n  \\x1b \\x1bb c\n       ^~~~~\n" },
	{ "a file's name that clears the screen", { "\033[2J", "x", 1, 1, 1 },
	  "\\x1b[2J:1:1: bad 5\n  x\n  ^\n" },
	{ "an empty line", { "a.case", "", 3, 1, 1 }, "a.case:3:1: bad 5\n" },
	{ "no source", { "a.case", NULL, 3, 1, 1 }, "a.case:3:1: bad 5\n" },
	{ "no place", { 0 }, "bad 5\n" },
};

static void print_is(const char *name, const struct fault *f, const char *want)
{
	char *text = NULL;
	size_t n;
	FILE *to = open_memstream(&text, &n);

	ck_assert_ptr_nonnull(to);
	fault_print(to, f);
	fclose(to);
	ck_assert_msg(strcmp(text, want) == 0, "%s:\n%s", name, text);
	free(text);
}

START_TEST(fault_row)
{
	struct fault f;

	ck_assert(!fault_set(&f, &faults[_i].at, "bad %d", 5));
	print_is(faults[_i].name, &f, faults[_i].want);
}
END_TEST

START_TEST(fault_long)
{
	char line[1000], want[400];
	struct fault f;

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	fault_set(&f, &(struct where){ "f", line, 1, 500, 9 }, "%s", line);
	ck_assert_uint_eq(strlen(f.source), sizeof(f.source) - 1);
	ck_assert_uint_eq(strlen(f.msg), sizeof(f.msg) - 1);
	fault_set(&f, &(struct where){ "f", line, 1, 500, 9 }, "bad");
	snprintf(want, sizeof(want), "f:1:500: bad\n  %.159s\n", line);
	print_is("a caret behind what was copied", &f, want);
}
END_TEST

START_TEST(fault_of_the_machine)
{
	struct fault f;

	errno = ENOENT;
	ck_assert(!fault_machine(&f, "open %s:", "x"));
	print_is("with errno", &f, "open x: No such file or directory\n");
	errno = ENOENT;
	fault_machine(&f, "no such adapter");
	print_is("without", &f, "no such adapter\n");
	fault_machine(&f, "%s", "");
	print_is("empty", &f, "\n");
}
END_TEST

static const char *const words[] = { "alert", "close_notify", "close", "fin", "rst", "write", "stop-reading", "n" };

static const struct { const char *word, *want; } nearest[] = {
	{ "clsoe", "close" },
	{ "close_notfy", "close_notify" },
	{ "closenotify", "close_notify" },
	{ "allert", "alert" },
	{ "fn", "fin" },
	{ "finn", "fin" },
	{ "wrte", "write" },
	{ "start", NULL },
	{ "handshake", NULL },
	{ "x", NULL },
	{ "", NULL },
	{ "a_word_of_more_than_sixty_four_letters_which_can_be_near_to_none_of_them", NULL },
};

START_TEST(nearest_row)
{
	const char *got = fault_nearest(nearest[_i].word, words, countof(words)), *want = nearest[_i].want;

	ck_assert_msg(got == want || (got && want && strcmp(got, want) == 0), "%s: %s", nearest[_i].word, got ? got : "none");
}
END_TEST

static const struct { const char *name; struct bytes text; const char *want; } dups[] = {
	{ "a part of a text", { (const uint8_t *)"hello, world", 5 }, "hello" },
	{ "up to the NUL", { (const uint8_t *)"ab\0cd", 5 }, "ab" },
	{ "empty", { (const uint8_t *)"ab", 0 }, "" },
	{ "none", { NULL, 0 }, "" },
};

START_TEST(dup_row)
{
	struct bytes x = dups[_i].text.p ? exact(dups[_i].text) : dups[_i].text;
	char *s = bytes_dup(x), *again = text_dup(s);

	free((void *)x.p);
	ck_assert_msg(strcmp(s, dups[_i].want) == 0 && strcmp(again, s) == 0 && again != s, "%s: \"%s\"", dups[_i].name, s);
	free(s);
	free(again);
}
END_TEST

ROWS_MAIN("bytes",
	{ reader_whole_and_one_more, countof(readers) }, { reader_prefixes, countof(readers) },
	{ take_nothing, 1 }, { big_endian, 1 }, { equal, 1 }, { dup_row, countof(dups) }, { buf_grows, 1 }, { buf_text, 1 },
	{ unquote_row, countof(quotes) }, { unquote_prefixes, countof(quotes) }, { quote_every_byte, 1 },
	{ unhex_row, countof(hexes) }, { pattern, 1 },
	{ fault_row, countof(faults) }, { fault_long, 1 }, { fault_of_the_machine, 1 }, { nearest_row, countof(nearest) })
