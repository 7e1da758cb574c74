/* Patterns: what left, held against the words of a `wire` line. */
#include "runner/pattern.h"

#include <stdio.h>

#include "tests/check_rows.h"

enum { ITEMS_MAX = 40, WORDS_MAX = 120 };

/* The pattern as the case language gives it: of the `wire` line of a small case. */
static const struct node *pattern_of(struct script *s, const char *words)
{
	static struct requirements none;
	struct fault f = { 0 };
	struct buf text = { 0 };

	buf_printf(&text, "title t\nhandshake\niut close\nwire iut -> %s\n", words);
	ck_assert_msg(script_parse(s, "cases/theme/name.case", buf_str(&text), text.n, 0, &none, &f), "%s: %d:%d: %s", words, f.line, f.col, f.msg);
	buf_free(&text);
	ck_assert_uint_eq(s->nsteps, 3);
	ck_assert_uint_eq(s->steps[2].nchecks, 1);
	return s->steps[2].checks[0].pattern;
}

static size_t items_of(const char *text, struct item *items)
{
	struct bytes words[WORDS_MAX];
	size_t nwords = 0, n = 0, bad;

	while (*text) {
		size_t len = strcspn(text, " ");

		ck_assert(nwords < WORDS_MAX);
		words[nwords++] = (struct bytes){ (const uint8_t *)text, len };
		text += len + (text[len] == ' ');
	}
	for (size_t at = 0; at < nwords; n++) {
		int used = n < ITEMS_MAX ? item_parse(words + at, nwords - at, false, &items[n], &bad) : 0;

		ck_assert_msg(used > 0, "no item: %s", (const char *)words[at].p);
		at += (size_t)used;
	}
	return n;
}

#define HELLO "handshake server_hello handshake finished "

/* left: what is held against the pattern; NULL when that is all. */
static const struct { const char *pattern, *seen; bool fits; const char *left; } rows[] = {
	/* nothing, and one word */
	{ "nothing",                         "",                                        true,  "nothing" },
	{ "nothing",                         "fin",                                     false, NULL },
	{ "nothing",                         HELLO "change_cipher_spec ticket ticket",  true,  "nothing" },
	{ "fin",                             "fin",                                     true,  NULL },
	{ "fin",                             "",                                        false, "nothing" },
	{ "fin",                             "rst",                                     false, NULL },
	{ "fin",                             "fin fin",                                 false, NULL },
	{ "close_notify",                    "close_notify",                            true,  NULL },
	{ "close_notify",                    "close_notify level fatal",                false, NULL },
	{ "close_notify",                    "close_notify keys none",                  false, NULL },
	{ "close_notify keys none",          "close_notify keys none",                  true,  NULL },
	{ "alert",                           "close_notify",                            false, NULL },
	{ "alert",                           "alert decode_error",                      true,  NULL },
	{ "alert",                           "alert decode_error alert decode_error",   false, NULL },
	{ "alert decode_error",              "alert decrypt_error",                     false, NULL },
	{ "partial",                         "partial",                                 true,  NULL },
	{ "unopened",                        "data 5",                                  false, NULL },

	/* sequences */
	{ "close_notify fin",                "close_notify fin",                        true,  NULL },
	{ "close_notify fin",                "fin close_notify",                        false, NULL },
	{ "close_notify fin",                "close_notify",                            false, NULL },
	{ "close_notify fin",                "close_notify fin rst",                    false, NULL },
	{ "close_notify fin",                "data 1 close_notify fin",                 false, NULL },

	/* choices */
	{ "fin | rst",                       "fin",                                     true,  NULL },
	{ "fin | rst",                       "rst",                                     true,  NULL },
	{ "fin | rst",                       "fin rst",                                 true,  NULL },
	{ "fin | rst",                       "",                                        false, "nothing" },
	{ "close_notify (fin | rst)",        "close_notify rst",                        true,  NULL },
	{ "close_notify (fin | rst)",        "close_notify",                            false, NULL },
	{ "close_notify (fin | rst)",        "close_notify fin rst",                    true,  NULL },
	{ "close_notify (fin | rst)",        "close_notify rst fin",                    false, NULL },
	{ "close_notify fin",                "close_notify fin rst",                    false, NULL },
	{ "close_notify fin rst?",           "close_notify fin rst",                    true,  NULL },
	{ "close_notify fin | rst",          "rst",                                     true,  NULL },
	{ "close_notify fin | rst",          "close_notify rst",                        false, NULL },
	{ "(fin | fin rst) rst",             "fin rst",                                 true,  NULL },
	{ "(fin | fin rst) rst",             "fin rst rst",                             true,  NULL },

	/* options and groups */
	{ "close_notify? fin",               "fin",                                     true,  NULL },
	{ "close_notify? fin",               "close_notify fin",                        true,  NULL },
	{ "close_notify? fin",               "close_notify close_notify fin",           false, NULL },
	{ "(close_notify | alert)? (fin | rst)", "rst",                                 true,  NULL },
	{ "(close_notify | alert)? (fin | rst)", "alert decode_error fin",              true,  NULL },
	{ "(close_notify | alert)? (fin | rst)", "close_notify alert decode_error fin", false, NULL },
	{ "(close_notify fin)?",             "",                                        true,  "nothing" },
	{ "(close_notify fin)?",             "close_notify fin",                        true,  NULL },
	{ "(close_notify fin)?",             "close_notify",                            false, NULL },
	{ "data? data? data?",               "data 1",                                  true,  NULL },
	{ "fin? fin? rst",                   "fin fin rst",                             true,  NULL },
	{ "((close_notify | alert) fin? | data 5)? rst?", "",                           true,  "nothing" },
	{ "((close_notify | alert) fin? | data 5)? rst?", "alert decode_error rst",     true,  NULL },
	{ "((close_notify | alert) fin? | data 5)? rst?", "close_notify fin rst",       true,  NULL },
	{ "((close_notify | alert) fin? | data 5)? rst?", "data 5 rst",                 true,  NULL },
	{ "((close_notify | alert) fin? | data 5)? rst?", "data 5 fin",                 false, NULL },

	/* data, in as many records as the sender likes */
	{ "data 5",                          "data 5",                                  true,  NULL },
	{ "data 5",                          "data 2 data 3",                           true,  "data 5" },
	{ "data 5",                          "data 1 data 1 data 1 data 1 data 1",      true,  "data 5" },
	{ "data 5",                          "data 0 data 5 data 0",                    true,  "data 5" },
	{ "data 5",                          "data 4",                                  false, NULL },
	{ "data 5",                          "data 4 data 2",                           false, "data 6" },
	{ "data 5",                          "data 2 close_notify data 3",              false, NULL },
	{ "data 5",                          "",                                        false, "nothing" },
	{ "data 0",                          "data 0",                                  true,  NULL },
	{ "data 0",                          "",                                        false, "nothing" },
	{ "data",                            "data 0",                                  true,  NULL },
	{ "data",                            "data 1 data 2",                           true,  "data 3" },
	{ "data",                            "",                                        false, "nothing" },
	{ "data 5 close_notify fin",         "data 3 data 2 close_notify fin",          true,  "data 5 close_notify fin" },
	{ "data 5 data 5",                   "data 3 data 7",                           false, "data 10" },
	{ "data 5 data 5",                   "data 3 data 2 data 5",                    true,  "data 10" },
	{ "data data 5",                     "data 1 data 4 data 1",                    true,  "data 6" },
	{ "data? data 5",                    "data 5",                                  true,  NULL },
	{ "data 2? data 5",                  "data 2 data 5",                           true,  "data 7" },
	{ "data keys old",                   "data 1 keys old data 2 keys old",         true,  "data 3 keys old" },
	{ "data keys old",                   "data 1 keys old data 2",                  false, NULL },
	{ "raw 7",                           "raw 3 raw 4",                             true,  "raw 7" },
	{ "raw",                             "raw 3 data 4",                            false, NULL },

	/* what is passed over unless it is named */
	{ "close_notify",                    HELLO "close_notify",                      true,  "close_notify" },
	{ "close_notify",                    "change_cipher_spec ticket close_notify",  true,  "close_notify" },
	{ "data 5",                          "data 2 ticket data 3",                    true,  "data 5" },
	{ "ticket? close_notify",            "close_notify",                            true,  NULL },
	{ "ticket? close_notify",            "ticket close_notify",                     true,  NULL },
	{ "ticket? close_notify",            "ticket ticket close_notify",              false, NULL },
	{ "ticket? close_notify",            HELLO "ticket close_notify",               true,  "ticket close_notify" },
	{ "change_cipher_spec close_notify", "close_notify",                            false, NULL },
	{ "change_cipher_spec close_notify", HELLO "change_cipher_spec close_notify",   true,  "change_cipher_spec close_notify" },
	{ "handshake finished close_notify", "handshake finished close_notify",         true,  NULL },
	{ "handshake finished close_notify", HELLO "close_notify",                      false, NULL },
	{ "handshake handshake close_notify", HELLO "close_notify",                     true,  NULL },
	{ "(handshake finished)? close_notify", "ticket close_notify",                  true,  "close_notify" },
	{ "key_update close_notify",         "key_update close_notify",                 true,  NULL },
	{ "close_notify",                    "key_update close_notify",                 false, NULL },

	/* user_canceled is, right before close_notify */
	{ "close_notify fin",                "alert user_canceled level warning close_notify fin", true,  "close_notify fin" },
	{ "close_notify fin",                "alert user_canceled level fatal close_notify fin",   true,  "close_notify fin" },
	{ "close_notify fin",                "alert user_canceled level warning fin",              false, NULL },
	{ "alert? fin",                      "alert user_canceled level warning fin",              true,  NULL },
	{ "close_notify",                    "alert user_canceled level warning data 1 close_notify", false, NULL },
	{ "close_notify",                    "alert user_canceled level warning alert user_canceled level warning close_notify", false,
	                                     "alert user_canceled level warning close_notify" },
	{ "alert user_canceled close_notify", "alert user_canceled level fatal close_notify",      true,  NULL },
	{ "alert user_canceled close_notify", "close_notify",                                      false, NULL },
	{ "alert close_notify",              "alert user_canceled level warning close_notify",     false, "close_notify" },
	{ "nothing",                         "alert user_canceled level warning close_notify",     false, "close_notify" },
};

START_TEST(fits_row)
{
	const char *left = rows[_i].left ? rows[_i].left : rows[_i].seen;
	struct item items[ITEMS_MAX];
	struct buf out = { 0 };
	struct script s;
	const struct node *pattern = pattern_of(&s, rows[_i].pattern);
	size_t n = pattern_filter(pattern, items, items_of(rows[_i].seen, items));

	ck_assert_msg(pattern_fits(pattern, items, n) == rows[_i].fits, "%s, and %s left", rows[_i].pattern, rows[_i].seen);
	items_print(&out, items, n);
	ck_assert_msg(strcmp(buf_str(&out), left) == 0, "%s: %s is held against %s", rows[_i].seen, buf_str(&out), rows[_i].pattern);
	buf_free(&out);
	script_free(&s);
}
END_TEST

static const struct { const char *seen, *before, *printed; } prints[] = {
	{ "",                                  "",       "nothing" },
	{ "",                                  "iut: ",  "iut: nothing" },
	{ "fin",                               "",       "fin" },
	{ "fin",                               "iut:",   "iut: fin" },
	{ "fin",                               "iut: ",  "iut: fin" },
	{ "data 1 data 2 data 3 fin",          "",       "data 6 fin" },
	{ "data 1 data 2 keys old data 3",     "",       "data 1 data 2 keys old data 3" },
	{ "data 1 close_notify data 3",        "",       "data 1 close_notify data 3" },
	{ "raw 1 raw 2 data 3 data 0",         "",       "raw 3 data 3" },
	{ "ticket ticket key_update",          "",       "ticket ticket key_update" },
};

START_TEST(print_row)
{
	struct item items[ITEMS_MAX];
	struct buf out = { 0 };

	buf_printf(&out, "%s", prints[_i].before);
	items_print(&out, items, items_of(prints[_i].seen, items));
	ck_assert_str_eq(buf_str(&out), prints[_i].printed);
	buf_free(&out);
}
END_TEST

/* Many ways to share the records among the words: none is tried twice, so this is quick. */
START_TEST(no_backtracking)
{
	struct item items[2000];
	struct script s;
	const struct node *pattern = pattern_of(&s, "data? data? data? data? data? data? data? data? data? data? data? data? close_notify");

	for (size_t i = 0; i < countof(items); i++)
		items[i] = (struct item){ .kind = ITEM_DATA, .len = 1 };
	ck_assert(!pattern_fits(pattern, items, countof(items)));
	items[countof(items) - 1] = (struct item){ .kind = ITEM_ALERT, .level = 1 };
	ck_assert(pattern_fits(pattern, items, countof(items)));
	script_free(&s);
}
END_TEST

ROWS_MAIN("pattern", { fits_row, countof(rows) }, { print_row, countof(prints) }, { no_backtracking, 1 })
