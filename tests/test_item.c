/* Items: text and back, what fits what, and every way in which the text can be wrong. */
#include <string.h>

#include "runner/item.h"
#include "tests/check_rows.h"

enum { WORDS_MAX = 16 };

/* Splits at single spaces. */
static size_t split(const char *text, struct bytes *words)
{
	size_t n = 0;

	while (*text && n < WORDS_MAX) {
		size_t len = strcspn(text, " ");

		words[n++] = (struct bytes){ (const uint8_t *)text, len };
		text += len + (text[len] == ' ');
	}
	return n;
}

static int parse(const char *text, bool pattern, struct item *it, size_t *bad)
{
	struct bytes words[WORDS_MAX];
	size_t n = split(text, words);

	*bad = 99;
	return item_parse(words, n, pattern, it, bad);
}

static bool same(const struct item *a, const struct item *b)
{
	return a->kind == b->kind && a->keys == b->keys && a->code == b->code && a->level == b->level && a->len == b->len &&
	       a->malformed == b->malformed;
}

/* kind, keys, code, level, len, malformed */
static const struct {
	const char *text;
	bool pattern;
	struct item it;
} rows[] = {
	{ "data 5",                            false, { ITEM_DATA, KEYS_USUAL, 0, 0, 5, false } },
	{ "data 0",                            false, { ITEM_DATA, KEYS_USUAL, 0, 0, 0, false } },
	{ "data 5 keys old",                   false, { ITEM_DATA, KEYS_OLD, 0, 0, 5, false } },
	{ "data",                              true,  { ITEM_DATA, KEYS_USUAL, 0, 0, ITEM_ANY, false } },
	{ "close_notify keys early",           false, { ITEM_ALERT, KEYS_EARLY, 0, 1, 0, false } },
	{ "data keys next",                    true,  { ITEM_DATA, KEYS_NEXT, 0, 0, ITEM_ANY, false } },
	{ "close_notify",                      false, { ITEM_ALERT, KEYS_USUAL, 0, 1, 0, false } },
	{ "close_notify",                      true,  { ITEM_ALERT, KEYS_USUAL, 0, 1, 0, false } },
	{ "close_notify level fatal",          false, { ITEM_ALERT, KEYS_USUAL, 0, 2, 0, false } },
	{ "close_notify level 0",              false, { ITEM_ALERT, KEYS_USUAL, 0, 0, 0, false } },
	{ "close_notify level fatal keys none", false, { ITEM_ALERT, KEYS_NONE, 0, 2, 0, false } },
	{ "close_notify keys handshake",       false, { ITEM_ALERT, KEYS_HANDSHAKE, 0, 1, 0, false } },
	{ "alert handshake_failure",           false, { ITEM_ALERT, KEYS_USUAL, 40, 2, 0, false } },
	{ "alert handshake_failure level warning", false, { ITEM_ALERT, KEYS_USUAL, 40, 1, 0, false } },
	{ "alert 200",                         false, { ITEM_ALERT, KEYS_USUAL, 200, 2, 0, false } },
	{ "alert 200 level 255",               false, { ITEM_ALERT, KEYS_USUAL, 200, 255, 0, false } },
	{ "alert",                             true,  { ITEM_ALERT, KEYS_USUAL, ITEM_ANY, ITEM_ANY, 0, false } },
	{ "alert level fatal",                 true,  { ITEM_ALERT, KEYS_USUAL, ITEM_ANY, 2, 0, false } },
	{ "alert user_canceled",               true,  { ITEM_ALERT, KEYS_USUAL, 90, ITEM_ANY, 0, false } },
	{ "alert user_canceled level fatal",   false, { ITEM_ALERT, KEYS_USUAL, 90, 2, 0, false } },
	{ "alert user_canceled level fatal",   true,  { ITEM_ALERT, KEYS_USUAL, 90, 2, 0, false } },
	{ "alert user_canceled level warning", false, { ITEM_ALERT, KEYS_USUAL, 90, 1, 0, false } },
	{ "alert malformed 3",                 false, { ITEM_ALERT, KEYS_USUAL, ITEM_ANY, ITEM_ANY, 3, true } },
	{ "alert malformed",                   true,  { ITEM_ALERT, KEYS_USUAL, ITEM_ANY, ITEM_ANY, ITEM_ANY, true } },
	{ "key_update",                        false, { ITEM_KEY_UPDATE, KEYS_USUAL, 0, 0, 0, false } },
	{ "key_update",                        true,  { ITEM_KEY_UPDATE, KEYS_USUAL, 0, 0, 0, false } },
	{ "key_update requested",              false, { ITEM_KEY_UPDATE, KEYS_USUAL, 1, 0, 0, false } },
	{ "ticket",                            false, { ITEM_TICKET, KEYS_USUAL, 0, 0, 0, false } },
	{ "handshake finished",                false, { ITEM_HANDSHAKE, KEYS_USUAL, 20, 0, 0, false } },
	{ "handshake 99",                      false, { ITEM_HANDSHAKE, KEYS_USUAL, 99, 0, 0, false } },
	{ "handshake 24",                      false, { ITEM_HANDSHAKE, KEYS_USUAL, 24, 0, 0, false } },
	{ "handshake",                         true,  { ITEM_HANDSHAKE, KEYS_USUAL, ITEM_ANY, 0, 0, false } },
	{ "change_cipher_spec",                false, { ITEM_CCS, KEYS_USUAL, 0, 0, 0, false } },
	{ "raw 7",                             false, { ITEM_RAW, KEYS_USUAL, 0, 0, 7, false } },
	{ "raw",                               true,  { ITEM_RAW, KEYS_USUAL, 0, 0, ITEM_ANY, false } },
	{ "unopened",                          false, { ITEM_UNOPENED, KEYS_USUAL, 0, 0, 0, false } },
	{ "partial",                           false, { ITEM_PARTIAL, KEYS_USUAL, 0, 0, 0, false } },
	{ "fin",                               false, { ITEM_FIN, KEYS_USUAL, 0, 0, 0, false } },
	{ "rst",                               false, { ITEM_RST, KEYS_USUAL, 0, 0, 0, false } },
};

START_TEST(text_and_back)
{
	struct buf out = { 0 };
	struct item it;
	size_t bad;

	ck_assert_msg(parse(rows[_i].text, rows[_i].pattern, &it, &bad) > 0, "%s: does not parse, word %zu", rows[_i].text, bad);
	ck_assert_msg(same(&it, &rows[_i].it), "%s: parses to something else", rows[_i].text);
	item_print(&out, &rows[_i].it);
	ck_assert_msg(strcmp(buf_str(&out), rows[_i].text) == 0, "%s: prints as %s", rows[_i].text, buf_str(&out));
	buf_free(&out);
}
END_TEST

/* Everything that the capture can hold comes back from its text. */
START_TEST(all_come_back)
{
	for (int kind = ITEM_DATA; kind <= ITEM_RST; kind++) {
		for (int code = 0; code < 256; code++) {
			bool coded = kind == ITEM_ALERT || kind == ITEM_HANDSHAKE || (kind == ITEM_KEY_UPDATE && code < 2);
			bool keyed = kind < ITEM_RAW;
			struct item it = { .kind = (enum item_kind)kind, .code = coded ? code : 0 }, back;
			struct buf out = { 0 };
			size_t bad;

			it.level = kind == ITEM_ALERT ? code % 4 : 0;
			it.keys = keyed ? (enum item_keys)(code % 5) : KEYS_USUAL;
			it.len = kind == ITEM_DATA || kind == ITEM_RAW ? code * 1000 : 0;
			item_print(&out, &it);
			ck_assert_msg(parse(buf_str(&out), false, &back, &bad) > 0 && same(&it, &back), "%s", buf_str(&out));
			buf_free(&out);
		}
	}
}
END_TEST

/* Other texts of the same thing, and how many words belong to it. */
static const struct {
	const char *text;
	bool pattern;
	int used;
	const char *prints;
} uses[] = {
	{ "close_notify fin",                  true,  1, "close_notify" },
	{ "alert close_notify",                true,  1, "alert" },
	{ "alert fin",                         true,  1, "alert" },
	{ "alert 40 fin",                      true,  2, "alert handshake_failure" },
	{ "alert handshake_failure level 2",   true,  4, "alert handshake_failure" },
	{ "alert user_canceled",               false, 2, "alert user_canceled level fatal" },
	{ "data data 5",                       true,  1, "data" },
	{ "data 5 data 5",                     false, 2, "data 5" },
	{ "handshake key_update",              true,  1, "handshake" },
	{ "key_update requested fin",          false, 2, "key_update requested" },
	{ "close_notify keys none level fatal rst", false, 5, "close_notify level fatal keys none" },
	{ "ticket keys old close_notify",      false, 3, "ticket keys old" },
	{ "fin keys",                          true,  0, NULL },
	{ "nothing",                           true,  0, NULL },
	{ "close_notif",                       true,  0, NULL },
	{ "",                                  true,  0, NULL },
};

START_TEST(words_used)
{
	struct buf out = { 0 };
	struct item it;
	size_t bad;
	int used = parse(uses[_i].text, uses[_i].pattern, &it, &bad);

	if (!uses[_i].prints) {
		ck_assert_msg(used <= 0, "%s", uses[_i].text);
		return;
	}
	ck_assert_msg(used == uses[_i].used, "%s: %d words", uses[_i].text, used);
	item_print(&out, &it);
	ck_assert_msg(strcmp(buf_str(&out), uses[_i].prints) == 0, "%s: prints as %s", uses[_i].text, buf_str(&out));
	buf_free(&out);
}
END_TEST

static const struct {
	const char *text;
	bool pattern;
	size_t bad;
} wrong[] = {
	{ "data",                      false, 0 },     /* only a pattern may leave it open */
	{ "raw",                       false, 0 },
	{ "alert",                     false, 0 },
	{ "handshake",                 false, 0 },
	{ "alert malformed",           false, 1 },
	{ "alert fin",                 false, 1 },
	{ "data five",                 true,  1 },
	{ "data -5",                   true,  1 },
	{ "data 1234567890123456",     true,  1 },
	{ "alert handshake_failre",    true,  1 },
	{ "alert 256",                 true,  1 },
	{ "handshake finnished",       true,  1 },
	{ "close_notify level",        true,  1 },
	{ "close_notify level high",   true,  2 },
	{ "close_notify level 256",    true,  2 },
	{ "close_notify level 1 level 2", true, 3 },
	{ "close_notify keys",         true,  1 },
	{ "close_notify keys none keys old", true, 3 },
	{ "close_notify keys new",     true,  2 },
	{ "data 5 level fatal",        true,  2 },
	{ "alert malformed level 1",   true,  2 },
	{ "raw 5 keys none",           true,  2 },
	{ "fin keys none",             true,  1 },
};

START_TEST(wrong_words)
{
	struct item it;
	size_t bad;

	ck_assert_msg(parse(wrong[_i].text, wrong[_i].pattern, &it, &bad) == -1, "%s: parses", wrong[_i].text);
	ck_assert_msg(bad == wrong[_i].bad, "%s: word %zu", wrong[_i].text, bad);
}
END_TEST

static const struct {
	const char *pattern, *seen;
	bool fits;
} fits[] = {
	{ "close_notify",              "close_notify",                          true },
	{ "close_notify",              "close_notify level fatal",              false },
	{ "close_notify level fatal",  "close_notify level fatal",              true },
	{ "close_notify",              "close_notify keys none",                false },
	{ "close_notify keys none",    "close_notify keys none",                true },
	{ "close_notify keys none",    "close_notify",                          false },
	{ "close_notify",              "alert unexpected_message",              false },
	{ "alert",                     "alert unexpected_message",              true },
	{ "alert",                     "alert unexpected_message level warning", false },
	{ "alert level warning",       "alert unexpected_message level warning", true },
	{ "alert",                     "close_notify",                          false },
	{ "alert",                     "close_notify level fatal",              false },
	{ "alert",                     "alert user_canceled level warning",     true },
	{ "alert",                     "alert user_canceled level fatal",       true },
	{ "alert user_canceled",       "alert user_canceled level warning",     true },
	{ "alert user_canceled",       "alert user_canceled level fatal",       true },
	{ "alert user_canceled level fatal", "alert user_canceled level warning", false },
	{ "alert decode_error",        "alert decode_error",                    true },
	{ "alert decode_error",        "alert decrypt_error",                   false },
	{ "alert",                     "alert malformed 0",                     false },
	{ "close_notify",              "alert malformed 3",                     false },
	{ "alert malformed",           "alert malformed 3",                     true },
	{ "alert malformed 2",         "alert malformed 3",                     false },
	{ "alert malformed",           "alert decode_error",                    false },
	{ "data 5",                    "data 3",                                true },    /* lengths are the caller's */
	{ "data",                      "raw 3",                                 false },
	{ "key_update",                "key_update requested",                  false },
	{ "key_update requested",      "key_update",                            false },
	{ "handshake",                 "handshake finished",                    true },
	{ "handshake finished",        "handshake finished",                    true },
	{ "handshake finished",        "handshake certificate",                 false },
	{ "fin",                       "fin",                                   true },
	{ "fin",                       "rst",                                   false },
};

START_TEST(fit)
{
	struct item pattern, seen;
	size_t bad;

	ck_assert_msg(parse(fits[_i].pattern, true, &pattern, &bad) > 0, "%s", fits[_i].pattern);
	ck_assert_msg(parse(fits[_i].seen, false, &seen, &bad) > 0, "%s", fits[_i].seen);
	ck_assert_msg(item_fits(&pattern, &seen) == fits[_i].fits, "%s, and %s is seen", fits[_i].pattern, fits[_i].seen);
}
END_TEST

/* Every word that is offered begins an item. */
START_TEST(words_offered)
{
	size_t n, bad;
	const char *const *words = item_words(&n);
	struct item it;

	ck_assert_uint_eq(n, 12);
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(parse(words[i], true, &it, &bad) == 1, "%s", words[i]);
}
END_TEST

ROWS_MAIN("item", { text_and_back, countof(rows) }, { all_come_back, 1 }, { words_used, countof(uses) },
          { wrong_words, countof(wrong) }, { fit, countof(fits) }, { words_offered, 1 })
