/* Answers: the lines of adapters, whole, cut short and wrong; their text; and which words a native return has. */
#include "runner/answer.h"

#include "tests/check_rows.h"

static bool parse(struct bytes line, struct answer *a, const char **why)
{
	struct bytes copy = exact(line);
	bool ok = answer_parse(copy, a, why);

	free((void *)copy.p);
	return ok;
}

#define LETTERS16 "abcdefghijklmnop"
#define LETTERS64 LETTERS16 LETTERS16 LETTERS16 LETTERS16

static const struct { const char *line, *prints, *native; } rows[] = {
	{ "ok",                                        "ok",                        "" },
	{ "ok SSL_connect=1",                          "ok",                        "SSL_connect=1" },
	{ "ok   SSL_connect=1 two",                    "ok",                        "SSL_connect=1 two" },
	{ "resumed SSL_connect=1",                     "resumed",                   "SSL_connect=1" },
	{ "data \"\"",                                 "data \"\"",                 "" },
	{ "data \"hello\" SSL_read=5",                 "data \"hello\"",            "SSL_read=5" },
	{ "data \"a b\\n\\x00\\\"\" SSL_read=6",       "data \"a b\\n\\x00\\\"\"",  "SSL_read=6" },
	{ "data \"" LETTERS64 "\" n",                  "data \"" LETTERS64 "\"",    "n" },
	{ "data \"" LETTERS64 "q\" n",                 "data 65",                   "n" },
	{ "closed SSL_read=0 SSL_ERROR_ZERO_RETURN",   "closed",                    "SSL_read=0 SSL_ERROR_ZERO_RETURN" },
	{ "truncated SSL_read=-1 \"unexpected eof\"",  "truncated",                 "SSL_read=-1 \"unexpected eof\"" },
	{ "reset read=-1 ECONNRESET",                  "reset",                     "read=-1 ECONNRESET" },
	{ "pipe",                                      "pipe",                      "" },
	{ "alert handshake_failure r=-1",              "alert handshake_failure",   "r=-1" },
	{ "alert 40",                                  "alert handshake_failure",   "" },
	{ "alert 0",                                   "alert close_notify",        "" },
	{ "alert 200 x",                               "alert 200",                 "x" },
	{ "sent SSL_shutdown=0",                       "sent",                      "SSL_shutdown=0" },
	{ "complete SSL_shutdown=1 SENT|RECEIVED",     "complete",                  "SSL_shutdown=1 SENT|RECEIVED" },
	{ "refused",                                   "refused",                   "" },
	{ "error \"out of memory\"",                   "error",                     "\"out of memory\"" },
	{ "unsupported",                               "unsupported",               "" },
};

START_TEST(whole_row)
{
	struct buf out = { 0 };
	struct answer a;
	const char *why;

	ck_assert_msg(parse(bytes_of(rows[_i].line), &a, &why), "%s: %s", rows[_i].line, why);
	answer_print(&out, &a);
	ck_assert_str_eq(buf_str(&out), rows[_i].prints);
	ck_assert_str_eq(buf_str(&a.native), rows[_i].native);
	ck_assert(a.sum == ITEM_ANY && !a.only_len);
	ck_assert_int_eq(a.len, (int64_t)a.text.n);
	answer_free(&a);
	answer_free(&a);
	buf_free(&out);
}
END_TEST

/* Whatever an adapter says in half a line, it is an answer or tells why it is none. */
START_TEST(every_prefix)
{
	struct bytes line = bytes_of(rows[_i].line);
	struct answer a;
	const char *why;

	for (size_t n = 0; n < line.n; n++) {
		why = NULL;
		ck_assert_msg(parse((struct bytes){ line.p, n }, &a, &why) || why, "%s: %zu bytes", rows[_i].line, n);
		answer_free(&a);
	}
}
END_TEST

/* What an adapter must not say: the runner's own observations, and words that only cases and traces have. */
static const struct { const char *line, *why; } wrong[] = {
	{ "",                          "no outcome" },
	{ " ok",                       "no outcome" },
	{ "OK",                        "no outcome" },
	{ "okay",                      "no outcome" },
	{ "ok\tx",                     "no outcome" },
	{ "blocked",                   "no outcome" },
	{ "spins",                     "no outcome" },
	{ "crash SIGSEGV",             "no outcome" },
	{ "fails",                     "no outcome" },
	{ "full",                      "no outcome" },
	{ "data",                      "whole text" },
	{ "data ",                     "whole text" },
	{ "data 5",                    "whole text" },
	{ "data hello",                "whole text" },
	{ "data \"hello",              "whole text" },
	{ "data \"hello\\\"",          "whole text" },
	{ "data \"\\x0\"",             "whole text" },
	{ "data \"\\q\"",              "whole text" },
	{ "alert",                     "name or number" },
	{ "alert handshake_failre",    "name or number" },
	{ "alert 256",                 "name or number" },
	{ "alert -1",                  "name or number" },
	{ "alert  ",                   "name or number" },
};

START_TEST(wrong_row)
{
	struct answer a;
	const char *why = "";

	ck_assert_msg(!parse(bytes_of(wrong[_i].line), &a, &why), "%s: is an answer", wrong[_i].line);
	ck_assert_msg(strstr(why, wrong[_i].why) != NULL, "%s: %s", wrong[_i].line, why);
	answer_free(&a);
}
END_TEST

/* What no adapter says, and the reports and traces show. */
static const struct { enum outcome o; int64_t sum, len; bool only_len; int alert; const char *text, *want; } shown[] = {
	{ OUTCOME_BLOCKED,   ITEM_ANY, 0,    false, ITEM_ANY, "",                   "blocked" },
	{ OUTCOME_SPINS,     ITEM_ANY, 0,    false, ITEM_ANY, "",                   "spins" },
	{ OUTCOME_FULL,      ITEM_ANY, 0,    false, ITEM_ANY, "",                   "full" },
	{ OUTCOME_CRASH,     ITEM_ANY, 0,    false, ITEM_ANY, "SIGSEGV",            "crash SIGSEGV" },
	{ OUTCOME_CRASH,     7,        0,    false, ITEM_ANY, "its stdout closed",  "data 7 crash its stdout closed" },
	{ OUTCOME_CLOSED,    0,        0,    false, ITEM_ANY, "",                   "closed" },
	{ OUTCOME_CLOSED,    1275,     0,    false, ITEM_ANY, "",                   "data 1275 closed" },
	{ OUTCOME_ALERT,     3,        0,    false, 20,       "",                   "data 3 alert bad_record_mac" },
	{ OUTCOME_ALERT,     ITEM_ANY, 0,    false, 255,      "",                   "alert 255" },
	{ OUTCOME_DATA,      ITEM_ANY, 5,    true,  ITEM_ANY, "",                   "data 5" },
	{ OUTCOME_DATA,      ITEM_ANY, 5000000000, true, ITEM_ANY, "",              "data 5000000000" },
	{ OUTCOME_DATA,      ITEM_ANY, 5,    false, ITEM_ANY, "hello",              "data \"hello\"" },
};

START_TEST(shown_row)
{
	struct answer a = answer_of(shown[_i].o);
	struct buf out = { 0 };

	a.sum = shown[_i].sum;
	a.len = shown[_i].len;
	a.only_len = shown[_i].only_len;
	a.alert = shown[_i].alert;
	buf_printf(&a.text, "%s", shown[_i].text);
	buf_printf(&a.native, "not shown");
	answer_print(&out, &a);
	ck_assert_str_eq(buf_str(&out), shown[_i].want);
	answer_free(&a);
	buf_free(&out);
}
END_TEST

static const struct { const char *native, *asked; bool has; } natives[] = {
	{ "SSL_shutdown=0",                           "SSL_shutdown=0",          true },
	{ "SSL_shutdown=0",                           "SSL_shutdown=1",          false },
	{ "SSL_shutdown=0",                           "SSL_shutdown=",           false },
	{ "SSL_shutdown=10",                          "SSL_shutdown=1",          false },
	{ "SSL_shutdown=0 SENT",                      "SENT",                    true },
	{ "SSL_shutdown=0 SENT",                      "SENT SSL_shutdown=0",     true },
	{ "SSL_shutdown=0 SENT|RECEIVED",             "SENT",                    false },
	{ "SSL_shutdown=0 SENT|RECEIVED",             "SSL_shutdown=0 SENT|RECEIVED", true },
	{ "SSL_shutdown=0",                           "SSL_shutdown=0 SENT",     false },
	{ "",                                         "SENT",                    false },
	{ "SENT",                                     "",                        true },
	{ "r=-1 \"SENT\"",                            "SENT",                    false },
	{ "r=-1 \"no word SENT here\"",               "SENT",                    false },
	{ "r=-1 \"no word SENT here\" SENT",          "SENT",                    true },
	{ "\"first\" r=-1",                           "r=-1",                    true },
	{ "r=-1 why=\"no word SENT here\" last",      "SENT",                    false },
	{ "r=-1 why=\"no word SENT here\" last",      "r=-1 why= last",          true },
	{ "r=-1 \"an \\\" inside SENT\" last",        "SENT",                    false },
	{ "r=-1 \"an \\\" inside SENT\" last",        "last",                    true },
	{ "r=-1 \"without end",                       "end",                     true },
	{ "r=-1   SENT  ",                            "SENT",                    true },
};

START_TEST(native_row)
{
	struct answer a = answer_of(OUTCOME_OK);

	buf_printf(&a.native, "%s", natives[_i].native);
	ck_assert_msg(answer_native_has(&a, bytes_of(natives[_i].asked)) == natives[_i].has, "`%s` in `%s`", natives[_i].asked, natives[_i].native);
	answer_free(&a);
}
END_TEST

ROWS_MAIN("answer", { whole_row, countof(rows) }, { every_prefix, countof(rows) }, { wrong_row, countof(wrong) },
          { shown_row, countof(shown) }, { native_row, countof(natives) })
