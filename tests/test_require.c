/* The file of requirements: whole, every prefix, and every error with its place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/require.h"
#include "tests/check_rows.h"

static const char good[] =
	"# What is asked of a close.\n"
	"\n"
	"requirement truncation-visible\n"
	"  level     MUST\n"
	"  clause    RFC 8446 6.1; RFC 9846 6.1\n"
	"  clause@1.2 RFC 5246 7.2.1\n"
	"  says      An end without close_notify is told apart.   # here too\n"
	"  disputed@1.2 readers of the clause differ\n"
	"\n"
	"requirement notify-once\r\n"
	"\tlevel@1.3 SHOULD\r\n"
	"\tlevel MAY\r\n"
	"\tclause x\r\n"
	"\tsays it's said \"once\r\n"
	"\tdisputed why\r\n"
	"\talways\r\n"
	"\tbehind end\r\n"
	"requirement last\n"
	"level@1.2 PROMISE\n"
	"level@1.3 MUST\n"
	"clause@1.2 a\n"
	"clause@1.3 b\n"
	"says no newline at the end";

START_TEST(whole)
{
	struct requirements r;
	struct fault f = { 0 };
	const struct requirement *q;

	ck_assert_msg(requirements_parse(&r, "req", good, strlen(good), &f), "%d: %s", f.line, f.msg);
	ck_assert_uint_eq(r.n, 3);
	q = requirement_find(&r, bytes_of("truncation-visible"));
	ck_assert_ptr_nonnull(q);
	ck_assert_int_eq(q->level[IN_TLS12], LEVEL_MUST);
	ck_assert_int_eq(q->level[IN_TLS13], LEVEL_MUST);
	ck_assert_str_eq(q->clause[IN_TLS12], "RFC 5246 7.2.1");
	ck_assert_str_eq(q->clause[IN_TLS13], "RFC 8446 6.1; RFC 9846 6.1");
	ck_assert_str_eq(q->says, "An end without close_notify is told apart.");
	ck_assert_str_eq(q->disputed[IN_TLS12], "readers of the clause differ");
	ck_assert_ptr_null(q->disputed[IN_TLS13]);
	ck_assert(!q->always);
	ck_assert_int_eq(q->behind, BEHIND_ANYTHING);
	ck_assert_int_eq(q->line, 3);

	q = requirement_find(&r, bytes_of("notify-once"));
	ck_assert_ptr_nonnull(q);
	ck_assert_int_eq(q->level[IN_TLS12], LEVEL_MAY);        /* the plain line yields, though it comes later */
	ck_assert_int_eq(q->level[IN_TLS13], LEVEL_SHOULD);
	ck_assert_str_eq(q->disputed[IN_TLS13], "why");
	ck_assert_str_eq(q->says, "it's said \"once");
	ck_assert(q->always);
	ck_assert_int_eq(q->behind, BEHIND_END);

	q = requirement_find(&r, bytes_of("last"));
	ck_assert_ptr_nonnull(q);
	ck_assert_int_eq(q->level[IN_TLS12], LEVEL_PROMISE);
	ck_assert_str_eq(q->clause[IN_TLS13], "b");

	ck_assert_ptr_null(requirement_find(&r, bytes_of("trunc")));
	ck_assert_str_eq(requirement_nearest(&r, bytes_of("truncation-visable")), "truncation-visible");
	ck_assert_ptr_null(requirement_nearest(&r, bytes_of("quite-another")));
	requirements_free(&r);
	requirements_free(&r);          /* safe twice */
	ck_assert_uint_eq(r.n, 0);
}
END_TEST

START_TEST(every_prefix)
{
	for (size_t n = 0; n <= strlen(good); n++) {
		char *copy = malloc(n + 1);     /* of its own, so that reading past it is seen */
		struct requirements r;
		struct fault f = { 0 };

		memcpy(copy, good, n);
		if (requirements_parse(&r, "req", copy, n, &f))
			requirements_free(&r);
		else
			ck_assert_msg(f.line > 0 && f.col > 0 && f.width > 0 && *f.msg && r.n == 0, "%zu bytes", n);
		free(copy);
	}
}
END_TEST

#define FULL "requirement a\nlevel MUST\nclause c\nsays s\n"

static const struct {
	const char *name, *text;
	int line, col, width;
	const char *msg;
} rows[] = {
	{ "unknown line",        FULL "sais x\n", 5, 1, 4, "`sais` is no line of a requirement; did you mean `says`?" },
	{ "unknown version line", FULL "levl@1.2 MUST\n", 5, 1, 8, "`levl` is no line that a version can stand behind; did you mean `level`?" },
	{ "says by version",     FULL "  says@1.2 x\n", 5, 3, 8, "`says` is no line that a version" },
	{ "unknown level",       "requirement a\n  level     MUS\n", 2, 13, 3, "`MUS` is no level; did you mean `MUST`?" },
	{ "no level at all",     "requirement a\n  level\n", 2, 3, 5, "something has to stand behind `level`" },
	{ "unknown version",     "requirement a\n  level@1.4 MUST\n", 2, 9, 3, "`1.4` is no version; did you mean `1." },
	{ "no version",          "requirement a\n  level@ MUST\n", 2, 3, 6, "`level@` is no line of a requirement; did you mean `level`?" },
	{ "nothing before it",   "  level MUST\n", 1, 3, 5, "`requirement NAME` has to come first" },
	{ "no name",             "requirement\n", 1, 1, 11, "something has to stand behind `requirement`" },
	{ "a name of two",       "requirement a b\n", 1, 13, 3, "small letters, digits and `-`" },
	{ "a capital",           "requirement Ab\n", 1, 13, 2, "small letters, digits and `-`" },
	{ "name twice",          FULL "\nrequirement a\n", 6, 13, 1, "`a` is already in line 1" },
	{ "level missing",       "requirement ab\nclause c\nsays s\n", 1, 13, 2, "`ab` has no level for TLS 1.2" },
	{ "level in one",        "requirement ab\nlevel@1.2 MUST\nclause c\nsays s\n", 1, 13, 2, "`ab` has no level for TLS 1.3" },
	{ "clause missing",      "requirement ab\nlevel MUST\nsays s\nrequirement c\n", 1, 13, 2, "`ab` has no clause for TLS 1.2" },
	{ "clause in one",       "requirement ab\nlevel MUST\nclause@1.2 c\nsays s\n", 1, 13, 2, "`ab` has no clause for TLS 1.3" },
	{ "says missing",        "requirement ab\nlevel MUST\nclause c\n", 1, 13, 2, "`ab` says nothing" },
	{ "says twice",          FULL "says more\n", 5, 1, 4, "`says` a second time" },
	{ "level twice",         FULL "level MAY\n", 5, 1, 5, "`level` a second time" },
	{ "clause twice",        FULL "clause@1.3 x\nclause@1.3 y\n", 6, 1, 10, "`clause` a second time" },
	{ "behind two-readings", FULL "two-readings 1.2\n", 5, 14, 3, "nothing may stand behind `two-readings`" },
	{ "behind always",       FULL "always true\n", 5, 8, 4, "nothing may stand behind `always`" },
	{ "behind what",         FULL "behind errors\n", 5, 8, 6, "`errors` is no thing that a rule can stand behind; did you mean `error`?" },
	{ "behind nothing",      FULL "behind\n", 5, 1, 6, "something has to stand behind `behind`" },
	{ "behind by version",   FULL "behind@1.2 end\n", 5, 1, 10, "`behind` is no line that a version" },
	{ "no text",             FULL "\x01\n", 5, 1, 1, "a byte 0x01 that is no text" },
};

START_TEST(errors)
{
	struct requirements r;
	struct fault f = { 0 };

	ck_assert_msg(!requirements_parse(&r, "req", rows[_i].text, strlen(rows[_i].text), &f), "%s: parses", rows[_i].name);
	ck_assert_msg(strstr(f.msg, rows[_i].msg), "%s: says %s", rows[_i].name, f.msg);
	ck_assert_msg(f.line == rows[_i].line && f.col == rows[_i].col && f.width == rows[_i].width,
	              "%s: at %d:%d, %d wide", rows[_i].name, f.line, f.col, f.width);
	ck_assert_str_eq(f.file, "req");
	ck_assert_uint_eq(r.n, 0);
}
END_TEST

/* Nothing of a value may be lost behind it. */
START_TEST(nul)
{
	static const char text[] = "requirement a\nlevel MUST\nclause \0c\nsays s\n";
	struct requirements r;
	struct fault f = { 0 };

	ck_assert(!requirements_parse(&r, "req", text, sizeof(text) - 1, &f));
	ck_assert_str_eq(f.msg, "a byte 0x00 that is no text");
	ck_assert_int_eq(f.line, 3);
	ck_assert_int_eq(f.col, 8);
}
END_TEST

START_TEST(files)
{
	char path[] = "/tmp/test_require.XXXXXX";
	struct requirements r;
	struct fault f = { 0 };
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, good, strlen(good)), (ssize_t)strlen(good));
	close(fd);
	ck_assert_msg(requirements_load(&r, path, &f), "%s", f.msg);
	ck_assert_uint_eq(r.n, 3);
	requirements_free(&r);
	unlink(path);

	ck_assert(!requirements_load(&r, "/nowhere/at/all", &f));
	ck_assert_int_eq(f.line, 0);
	ck_assert_msg(strstr(f.msg, "/nowhere/at/all: No such file"), "%s", f.msg);
	ck_assert(!requirements_load(&r, "/", &f));
	ck_assert_int_eq(f.line, 0);
}
END_TEST

START_TEST(level_names)
{
	ck_assert_str_eq(level_word(LEVEL_MUST), "MUST");
	ck_assert_str_eq(level_word(LEVEL_PROMISE), "PROMISE");
	ck_assert_str_eq(level_word(LEVEL_SHOULD), "SHOULD");
	ck_assert_str_eq(level_word(LEVEL_MAY), "MAY");
}
END_TEST

ROWS_MAIN("require", { whole, 1 }, { every_prefix, 1 }, { errors, countof(rows) }, { nul, 1 }, { files, 1 }, { level_names, 1 })
