/* Plain text and markup: what others wrote, as a terminal and as a parser of XML may see it. */
#include "peer/plain.h"
#include "runner/markup.h"

#include "tests/check_rows.h"

static const struct { const char *name, *text; size_t n; const char *shown; } rows[] = {
#define ROW(name, text, shown) { name, text, sizeof(text) - 1, shown }
	ROW("nothing", "", ""),
	ROW("plain words", "wire iut -> close_notify", "wire iut -> close_notify"),
	ROW("a tab stays", "a\tb", "a\tb"),
	ROW("a backslash stays", "\\x1b", "\\x1b"),
	ROW("clear the screen", "\033[2J\033[H", "\\x1b[2J\\x1b[H"),
	ROW("the title of the window", "\033]0;mine\a", "\\x1b]0;mine\\x07"),
	ROW("a line of its own", "ok\nfail\r", "ok\\x0afail\\x0d"),
	ROW("NUL and DEL", "a\0b\177", "a\\x00b\\x7f"),
	ROW("letters of others", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x92", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x92"),
	ROW("CSI as one character of C1", "\xc2\x9b" "2J", "\\xc2\\x9b2J"),
	ROW("the first behind C1", "\xc2\xa0", "\xc2\xa0"),
	ROW("CSI as one byte", "\x9b" "2J", "\\x9b2J"),
	ROW("right to left", "a\xe2\x80\xae" "b", "a\\xe2\\x80\\xaeb"),
	ROW("line separator", "\xe2\x80\xa8", "\\xe2\\x80\\xa8"),
	ROW("a space of no width", "\xe2\x80\x8b", "\\xe2\\x80\\x8b"),
	ROW("overlong", "\xc0\xaf\xe0\x80\xaf", "\\xc0\\xaf\\xe0\\x80\\xaf"),
	ROW("a surrogate", "\xed\xa0\x80", "\\xed\\xa0\\x80"),
	ROW("the last before the surrogates", "\xed\x9f\xbf", "\xed\x9f\xbf"),
	ROW("U+FFFE", "\xef\xbf\xbe", "\\xef\\xbf\\xbe"),
	ROW("U+FFFD", "\xef\xbf\xbd", "\xef\xbf\xbd"),
	ROW("the last there is", "\xf4\x8f\xbf\xbd", "\xf4\x8f\xbf\xbd"),
	ROW("behind the last there is", "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"),
	ROW("five bytes", "\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80"),
	ROW("a second byte that is none", "\xc3(", "\\xc3("),
	ROW("a third byte that is none", "\xe2\x82(", "\\xe2\\x82("),
};

START_TEST(as_plain)
{
	struct bytes text = exact((struct bytes){ (const uint8_t *)rows[_i].text, rows[_i].n });
	struct buf b = { 0 };

	plain_text(&b, text);
	same_bytes(rows[_i].name, buf_bytes(&b), bytes_of(rows[_i].shown));
	buf_free(&b);
	free((void *)text.p);
}
END_TEST

/* Every prefix of a long character: nothing is read behind the end, and what is cut is shown byte for byte. */
START_TEST(every_prefix)
{
	static const uint8_t whole[] = { 0xf0, 0x9f, 0x94, 0x92 };

	for (size_t n = 1; n <= sizeof(whole); n++) {
		struct bytes text = exact((struct bytes){ whole, n });

		ck_assert_uint_eq(plain_length(text), n == sizeof(whole) ? n : 0);
		free((void *)text.p);
	}
	ck_assert_uint_eq(plain_length((struct bytes){ NULL, 0 }), 0);
}
END_TEST

static const struct { const char *name, *text, *element, *attribute; } markups[] = {
	{ "nothing", "", "", "" },
	{ "an element", "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;", "&lt;script&gt;alert(1)&lt;/script&gt;" },
	{ "the end of an attribute", "\" onload=\"x'", "&quot; onload=&quot;x&#39;", "&quot; onload=&quot;x&#39;" },
	{ "an entity", "&lt;", "&amp;lt;", "&amp;lt;" },
	{ "the end of CDATA", "]]>", "]]&gt;", "]]&gt;" },
	{ "lines", "a\n\tb", "a\n\tb", "a&#10;&#9;b" },
	{ "a return, which a parser would turn into a newline", "a\r\n", "a\\x0d\n", "a\\x0d&#10;" },
	{ "what XML forbids", "\033[2J\001\xef\xbf\xbf", "\\x1b[2J\\x01\\xef\\xbf\\xbf", "\\x1b[2J\\x01\\xef\\xbf\\xbf" },
	{ "no UTF-8", "\xff\xc3", "\\xff\\xc3", "\\xff\\xc3" },
	{ "letters of others", "\xe2\x82\xac", "\xe2\x82\xac", "\xe2\x82\xac" },
};

START_TEST(as_markup)
{
	struct buf b = { 0 }, want = { 0 };

	markup_text(&b, bytes_of(markups[_i].text));
	same_bytes(markups[_i].name, buf_bytes(&b), bytes_of(markups[_i].element));
	b.n = 0;
	buf_printf(&want, " k=\"%s\"", markups[_i].attribute);
	markup_attribute(&b, "k", markups[_i].text);
	same_bytes(markups[_i].name, buf_bytes(&b), buf_bytes(&want));
	buf_free(&b);
	buf_free(&want);
}
END_TEST

ROWS_MAIN("plain", { as_plain, countof(rows) }, { every_prefix, 1 }, { as_markup, countof(markups) })
