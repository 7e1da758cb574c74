/* The model of the report: cells that sum up their variants, deviations by seriousness, and who behaves alike. */
#include "runner/agreement.h"
#include "runner/results.h"
#include "runner/survey.h"

#include <stdio.h>

#include "tests/check_rows.h"

static const char requirements[] =
	"requirement first-rule\n  level MUST\n  clause RFC 8446 6.1\n  says One.\n\n"
	"requirement second-rule\n  level MUST\n  clause RFC 8446 6.2\n  says Two.\n";

static struct catalogue catalogue;

static void start(struct survey *s)
{
	struct fault f = { 0 };

	if (!catalogue.reqs.n)
		ck_assert_msg(requirements_parse(&catalogue.reqs, "requirements", requirements, strlen(requirements), &f), "%s", f.msg);
	survey_start(s, &catalogue);
}

/* A run as results.json has it: `more` are members of its own. */
static bool add(struct survey *s, const char *who, const char *kase, const char *variant, const char *verdict, const char *more, struct fault *f)
{
	char role[8], tls[4], io[12];
	struct buf b = { 0 };
	json_t *run;
	bool ok;

	ck_assert_int_eq(sscanf(variant, "%7s %3s %11s", role, tls, io), 3);
	buf_printf(&b, "{\"implementation\": \"%s\", \"library\": \"%s 1.0\", \"case\": \"%s\", \"role\": \"%s\", \"tls\": \"%s\", \"io\": \"%s\", \"verdict\": \"%s\"%s%s}",
	           who, who, kase, role, tls, io, verdict, more[0] ? ", " : "", more);
	run = json_loadb((const char *)b.p, b.n, 0, NULL);
	ck_assert_msg(run != NULL, "%s", buf_str(&b));
	ok = survey_add(s, run, f);
	json_decref(run);
	buf_free(&b);
	return ok;
}

static void added(struct survey *s, const char *who, const char *kase, const char *variant, const char *verdict, const char *more)
{
	struct fault f = { 0 };

	ck_assert_msg(add(s, who, kase, variant, verdict, more, &f), "%s", f.msg);
}

/* --- cells --- */

static const struct { const char *name, *verdicts[3]; enum verdict worst; } worst_rows[] = {
	{ "all pass", { "pass", "pass", "pass" }, VERDICT_PASS },
	{ "one warns", { "pass", "warn", "pass" }, VERDICT_WARN },
	{ "inconclusive is worse than warn", { "inconclusive", "warn", "pass" }, VERDICT_INCONCLUSIVE },
	{ "fail is worse than inconclusive", { "inconclusive", "fail", "pass" }, VERDICT_FAIL },
	{ "broken is shown above all", { "fail", "broken", "pass" }, VERDICT_BROKEN },
	{ "what passed counts beside what is unsupported", { "unsupported", "pass", "unsupported" }, VERDICT_PASS },
	{ "nothing but unsupported", { "unsupported", "unsupported", "unsupported" }, VERDICT_UNSUPPORTED },
};

START_TEST(worst_row)
{
	struct survey s;

	start(&s);
	for (int i = 0; i < 3; i++)
		added(&s, "a", "t/c", i == 0 ? "client 1.2 memory" : i == 1 ? "client 1.3 memory" : "server 1.3 blocking", worst_rows[_i].verdicts[i], "");
	survey_done(&s);
	ck_assert_msg(survey_cell(&s, 0, 0)->worst == worst_rows[_i].worst, "%s", worst_rows[_i].name);
	ck_assert_uint_eq(survey_cell(&s, 0, 0)->n, 3);
	ck_assert_str_eq(verdict_word(survey_cell(&s, 0, 0)->by[0][IN_TLS13]), worst_rows[_i].verdicts[1]);
	ck_assert(survey_cell(&s, 0, 0)->ran[1][IN_TLS13] && !survey_cell(&s, 0, 0)->ran[1][IN_TLS12]);
	ck_assert_uint_eq(s.implementations[0].verdicts[worst_rows[_i].worst], 1);
	survey_free(&s);
	survey_free(&s);
}
END_TEST

/* Cases come in any order, implementations as they first appear; runs of a cell keep theirs. */
START_TEST(order_of_cells)
{
	struct survey s;

	start(&s);
	added(&s, "zeta", "t/late", "client 1.2 memory", "pass", "");
	added(&s, "zeta", "a/early", "client 1.2 memory", "pass", "");
	added(&s, "alpha", "a/early", "server 1.2 memory", "warn", "\"expected\": \"changed\"");
	added(&s, "alpha", "a/early", "client 1.3 memory", "fail", "\"expected\": \"same\"");
	survey_done(&s);
	ck_assert_uint_eq(s.ncases, 2);
	ck_assert_str_eq(s.cases[0].name, "a/early");
	ck_assert_str_eq(s.implementations[0].name, "zeta");
	ck_assert_uint_eq(survey_cell(&s, 1, 1)->n, 0);
	ck_assert_uint_eq(survey_cell(&s, 0, 1)->n, 2);
	ck_assert(s.runs[survey_cell(&s, 0, 1)->first].verdict == VERDICT_WARN);
	ck_assert(survey_cell(&s, 0, 1)->changed && !survey_cell(&s, 0, 0)->changed);
	ck_assert_uint_eq(s.changed, 1);
	survey_free(&s);
}
END_TEST

/* Two versions of one library in one file are two columns; a run that does not know its library goes to the one that is there. */
START_TEST(two_libraries)
{
	struct survey s;

	start(&s);
	added(&s, "x", "t/c", "client 1.2 memory", "pass", "");
	added(&s, "x", "t/c", "client 1.3 memory", "pass", "\"reason\": \"none\"");
	s.implementations[0].library = intern_text(&s.texts, "x 0.9");
	added(&s, "x", "t/c", "client 1.2 memory", "fail", "");
	survey_done(&s);
	ck_assert_uint_eq(s.nimplementations, 2);
	ck_assert_uint_eq(survey_cell(&s, 0, 0)->n, 2);
	ck_assert_uint_eq(survey_cell(&s, 0, 1)->n, 1);
	survey_free(&s);
}
END_TEST

/* --- runs that are none --- */

static const struct { const char *name, *json, *says; } wrong_rows[] = {
	{ "empty", "{}", "without \"implementation\"" },
	{ "no case", "{\"implementation\": \"a\"}", "without \"case\"" },
	{ "a number for a name", "{\"implementation\": 1}", "without \"implementation\"" },
	{ "a verdict of no kind", "{\"implementation\":\"a\",\"case\":\"t/c\",\"role\":\"client\",\"tls\":\"1.2\",\"io\":\"memory\",\"verdict\":\"fine\"}", "fine" },
	{ "a role of no kind", "{\"implementation\":\"a\",\"case\":\"t/c\",\"role\":\"peer\",\"tls\":\"1.2\",\"io\":\"memory\",\"verdict\":\"pass\"}", "role" },
	{ "a version for a role", "{\"implementation\":\"a\",\"case\":\"t/c\",\"role\":\"1.2\",\"tls\":\"1.2\",\"io\":\"memory\",\"verdict\":\"pass\"}", "role" },
	{ "a case that leads out", "{\"implementation\":\"a\",\"case\":\"../c\",\"role\":\"client\",\"tls\":\"1.2\",\"io\":\"memory\",\"verdict\":\"pass\"}", "name" },
	{ "a case without theme", "{\"implementation\":\"a\",\"case\":\"c\",\"role\":\"client\",\"tls\":\"1.2\",\"io\":\"memory\",\"verdict\":\"pass\"}", "name" },
	{ "a case below a case", "{\"implementation\":\"a\",\"case\":\"t/c/d\",\"role\":\"client\",\"tls\":\"1.2\",\"io\":\"memory\",\"verdict\":\"pass\"}", "name" },
	{ "an implementation that leads out", "{\"implementation\":\"..\",\"case\":\"t/c\",\"role\":\"client\",\"tls\":\"1.2\",\"io\":\"memory\",\"verdict\":\"pass\"}", "name" },
	{ "an implementation that is a path", "{\"implementation\":\"/etc\",\"case\":\"t/c\",\"role\":\"client\",\"tls\":\"1.2\",\"io\":\"memory\",\"verdict\":\"pass\"}", "name" },
};

START_TEST(wrong_row)
{
	json_t *run = json_loads(wrong_rows[_i].json, 0, NULL);
	struct fault f = { 0 };
	struct survey s;

	ck_assert_ptr_nonnull(run);
	start(&s);
	ck_assert_msg(!survey_add(&s, run, &f), "%s", wrong_rows[_i].name);
	ck_assert_msg(strstr(f.msg, wrong_rows[_i].says) != NULL, "%s: %s", wrong_rows[_i].name, f.msg);
	json_decref(run);
	survey_free(&s);
}
END_TEST

/* --- seriousness --- */

#define FINDING(rule, level, disputed, promised, weight, observed, known) \
	"\"findings\": [{\"requirement\": \"" rule "\", \"level\": \"" level "\", \"disputed\": " disputed ", \"promised\": " promised \
	", \"weight\": \"" weight "\", \"observed\": \"" observed "\", \"known\": " known ", \"line\": 3}]"

#define PLAIN FINDING("first-rule", "MUST", "false", "false", "fail", "wire iut -> fin", "false")

/* The more serious first. */
static const struct { const char *name, *first, *second; } serious_rows[] = {
	{ "fail before warn", PLAIN, FINDING("second-rule", "SHOULD", "false", "false", "warn", "iut read -> crash", "false") },
	{ "a MUST before a disputed one", FINDING("second-rule", "MUST", "false", "false", "fail", "wire iut -> fin", "false"),
	  FINDING("first-rule", "MUST", "true", "false", "fail", "wire iut -> fin", "false") },
	{ "a promise lifts a disputed MUST", FINDING("second-rule", "MUST", "true", "true", "fail", "iut read -> closed", "false"), PLAIN },
	{ "a promise alone comes behind", PLAIN, FINDING("second-rule", "SHOULD", "false", "true", "fail", "iut read -> closed", "false") },
	{ "a false end before packets", FINDING("second-rule", "MUST", "false", "false", "fail", "iut read -> closed", "false"), PLAIN },
	{ "a false end before a call that hangs", FINDING("second-rule", "MUST", "false", "false", "fail", "iut read -> closed", "false"),
	  FINDING("first-rule", "MUST", "false", "false", "fail", "iut read -> blocked", "false") },
	{ "a crash before a false end", FINDING("second-rule", "MUST", "false", "false", "fail", "iut read -> crash", "false"),
	  FINDING("first-rule", "MUST", "false", "false", "fail", "iut read -> closed", "false") },
	{ "what is new before all that is known", "\"expected\": \"changed\", " FINDING("second-rule", "SHOULD", "false", "false", "warn", "wire iut -> fin", "false"), PLAIN },
	{ "what is known is not new", PLAIN, "\"expected\": \"changed\", " FINDING("second-rule", "SHOULD", "false", "false", "warn", "wire iut -> fin", "true") },
	{ "in a case that nothing was expected of, all is new", "\"expected\": \"new\", " FINDING("second-rule", "SHOULD", "false", "false", "warn", "wire iut -> fin", "false"), PLAIN },
	{ "what is known comes last", FINDING("second-rule", "SHOULD", "false", "false", "warn", "wire iut -> fin", "false"),
	  "\"expected\": \"same\", " FINDING("first-rule", "MUST", "false", "false", "fail", "iut read -> crash", "true") },
	{ "the library before the host", FINDING("second-rule", "SHOULD", "false", "false", "warn", "wire iut -> fin", "false"), "\"about\": \"host\", " PLAIN },
	{ "of equals, the rule that stands first", PLAIN, FINDING("second-rule", "MUST", "false", "false", "fail", "wire iut -> fin", "false") },
};

static void check_order(int row, bool swapped)
{
	struct survey s;

	start(&s);
	added(&s, "a", swapped ? "t/b" : "t/a", "client 1.2 memory", "fail", serious_rows[row].first);
	added(&s, "a", swapped ? "t/a" : "t/b", "client 1.2 memory", "fail", serious_rows[row].second);
	survey_done(&s);
	ck_assert_uint_eq(s.nproblems, 2);
	ck_assert_msg(strcmp(s.cases[s.runs[s.breaches[s.problems[0].breach].run].kase].name, swapped ? "t/b" : "t/a") == 0, "%s", serious_rows[row].name);
	survey_free(&s);
}

START_TEST(serious_row)
{
	check_order(_i, false);
	check_order(_i, true);
}
END_TEST

#define KNOWN FINDING("first-rule", "MUST", "false", "false", "fail", "wire iut -> fin", "true")
#define NOTED FINDING("second-rule", "MAY", "false", "false", "noted", "wire iut -> fin", "false")

static const struct { const char *name, *first, *second; bool known; } known_rows[] = {
	{ "one", "\"expected\": \"same\", " KNOWN, "\"expected\": \"same\"", true },
	{ "beside what is noted", "\"expected\": \"same\", " KNOWN, "\"expected\": \"same\", " NOTED, true },
	{ "in another version's", "\"expected\": \"other\", " KNOWN, "\"expected\": \"other\"", true },
	{ "beside what is not", "\"expected\": \"same\", " KNOWN, PLAIN, false },
	{ "beside a change", "\"expected\": \"same\", " KNOWN, "\"expected\": \"changed\"", false },
	{ "nothing deviates", "\"expected\": \"same\"", "\"expected\": \"same\"", false },
	{ "only noted", "\"expected\": \"same\", " NOTED, "\"expected\": \"same\"", false },
	{ "nothing was expected", PLAIN, "", false },
};

START_TEST(known_row)
{
	struct survey s;

	start(&s);
	added(&s, "a", "t/a", "client 1.2 memory", "fail", known_rows[_i].first);
	added(&s, "a", "t/a", "client 1.3 memory", "fail", known_rows[_i].second);
	survey_done(&s);
	ck_assert_msg(survey_cell(&s, 0, 0)->known == known_rows[_i].known, "%s", known_rows[_i].name);
	survey_free(&s);
}
END_TEST

START_TEST(problems_gather)
{
	struct survey s;

	start(&s);
	added(&s, "a", "t/a", "client 1.2 memory", "fail", PLAIN);
	added(&s, "a", "t/a", "client 1.3 memory", "fail", PLAIN);
	added(&s, "a", "t/b", "client 1.3 memory", "fail", KNOWN);
	added(&s, "b", "t/b", "client 1.3 memory", "fail", PLAIN);
	added(&s, "b", "t/c", "client 1.3 memory", "pass", FINDING("second-rule", "MAY", "false", "false", "noted", "wire iut -> fin", "false"));
	survey_done(&s);
	ck_assert_uint_eq(s.nbreaches, 4);
	ck_assert_uint_eq(s.nproblems, 2);
	ck_assert_uint_eq(s.problems[0].ncases, 2);
	ck_assert_uint_eq(s.problems[0].nruns, 3);
	ck_assert_uint_eq(s.problems[0].nknown, 1);
	ck_assert_uint_eq(s.problems[1].nknown, 0);
	ck_assert_uint_eq(s.problems[1].ncases, 1);
	survey_free(&s);
}
END_TEST

/* A rule that is none of ours, from another catalogue, is told as it stands in the file. */
START_TEST(foreign_rule)
{
	struct survey s;

	start(&s);
	added(&s, "a", "t/a", "client 1.2 memory", "inconclusive", "\"findings\": [{\"requirement\": null, \"weight\": \"inconclusive\", \"line\": 1}]");
	added(&s, "a", "t/b", "client 1.2 memory", "fail", "\"findings\": [{\"requirement\": \"odd\", \"says\": \"Odd.\", \"weight\": \"fail\", \"line\": 1}]");
	survey_done(&s);
	ck_assert_uint_eq(s.nrules, 3);
	ck_assert_str_eq(s.rules[2].says, "Odd.");
	ck_assert_ptr_null(s.rules[2].req);
	ck_assert_uint_eq(s.breaches[1].rule, NO_RULE);
	survey_free(&s);
}
END_TEST

/* --- what was seen --- */

static const struct { const char *name, *a, *b; bool alike; } behaviour_rows[] = {
	{ "native returns are no behaviour", "iut   read -> closed as SSL_read=0\n", "iut   read -> closed as gnutls_record_recv=0\n", true },
	{ "outcomes are", "iut   read -> closed as X\n", "iut   read -> error as X\n", false },
	{ "as in quotes is data", "iut   read -> data \"x as y\" as X\n", "iut   read -> data \"x as z\" as X\n", false },
	{ "a quote in quotes", "iut   read -> data \"a\\\" as b\" as X\n", "iut   read -> data \"a\\\" as c\" as X\n", false },
	{ "the handshake's records are none", "handshake -> ok as A\nwire  iut -> ticket ticket\npeer  fin\n", "handshake -> ok\npeer  fin\n", true },
	{ "later records are", "handshake -> ok\npeer  fin\nwire  iut -> fin\n", "handshake -> ok\npeer  fin\n", false },
	{ "comments are none", "# a\n\niut   close -> ok\n", "iut   close -> ok\n", true },
	{ "no newline at the end", "iut   close -> ok", "iut   close -> ok\n", true },
	{ "nothing", "", "# only a comment\n", true },
};

START_TEST(behaviour_row)
{
	struct bytes a = exact(bytes_of(behaviour_rows[_i].a)), b = exact(bytes_of(behaviour_rows[_i].b));
	struct survey s;

	start(&s);
	added(&s, "a", "t/a", "client 1.2 memory", "pass", "");
	added(&s, "b", "t/a", "client 1.2 memory", "pass", "");
	survey_done(&s);
	survey_behaves(&s, 0, a);
	survey_behaves(&s, 1, b);
	ck_assert_msg((s.runs[0].behaviour == s.runs[1].behaviour) == behaviour_rows[_i].alike, "%s", behaviour_rows[_i].name);
	free((void *)a.p);
	free((void *)b.p);
	survey_free(&s);
}
END_TEST

/* --- agreement --- */

/* Four implementations, two variants; what each did there: a letter; '-' unsupported, '!' broken, ' ' not run. Groups by number, '.' none. */
static const struct { const char *name, *did[4], *groups; int alone; } agreement_rows[] = {
	{ "all alike", { "xy", "xy", "xy", "xy" }, "0000", -1 },
	{ "one stands alone", { "xy", "xy", "xz", "xy" }, "0010", 2 },
	{ "the first stands alone", { "zz", "xy", "xy", "xy" }, "1000", 0 },
	{ "two and two", { "xy", "zz", "xy", "zz" }, "0101", -1 },
	{ "each otherwise", { "aa", "bb", "cc", "dd" }, "0123", -1 },
	{ "what did not run does not part", { "xy", "x-", "-y", "xy" }, "0000", -1 },
	{ "nothing in common is no agreement", { "x-", "-y", "  ", "  " }, "01..", -1 },
	{ "broken says nothing", { "xy", "!!", "xy", "xy" }, "0.00", -1 },
	{ "one that agrees with two that do not agree", { "xy", "zy", "-y", "  " }, "010.", 1 },
	{ "one alone against one is a difference", { "xy", "zz", "--", "  " }, "01..", -1 },
	{ "nobody ran", { "--", "--", "--", "--" }, "....", -1 },
};

static void add_did(struct survey *s, size_t who, size_t variant, char did, bool traces)
{
	static const char *const names[] = { "a", "b", "c", "d" }, *const variants[] = { "client 1.2 memory", "server 1.3 blocking" };
	char more[120];

	if (did == ' ')
		return;
	snprintf(more, sizeof(more), "\"findings\": [{\"requirement\": \"first-rule\", \"weight\": \"warn\", \"line\": 2, \"observed\": \"%c\"}]", traces ? '?' : did);
	added(s, names[who], "t/a", variants[variant], did == '-' ? "unsupported" : did == '!' ? "broken" : "warn", more);
}

static void check_agreement(int row, bool traces)
{
	struct agreement a;
	struct survey s;

	start(&s);
	for (size_t i = 0; i < 8; i++)
		add_did(&s, i / 2, i % 2, agreement_rows[row].did[i / 2][i % 2], traces);
	survey_done(&s);
	for (size_t i = 0; traces && i < s.nruns; i++) {
		char line[] = { agreement_rows[row].did[s.runs[i].implementation][s.runs[i].variant & FOR_SERVER ? 1 : 0], '\n', '\0' };

		survey_behaves(&s, i, bytes_of(line));
	}
	agreement_of(&s, 0, &a);
	ck_assert(a.traces == traces || !a.ngroups);
	for (size_t i = 0; i < s.nimplementations; i++) {
		char want = agreement_rows[row].groups[i];

		ck_assert_msg(want == '.' ? a.group[i] == a.ngroups : a.group[i] == (size_t)(want - '0'), "%s: %zu is in group %zu of %zu",
		              agreement_rows[row].name, i, a.group[i], a.ngroups);
	}
	ck_assert_msg(agreement_alone(&s, &a) == (agreement_rows[row].alone < 0 ? s.nimplementations : (size_t)agreement_rows[row].alone), "%s", agreement_rows[row].name);
	agreement_free(&a);
	agreement_free(&a);
	survey_free(&s);
}

START_TEST(agreement_row)
{
	check_agreement(_i, false);
	check_agreement(_i, true);
}
END_TEST

START_TEST(difference)
{
	struct agreement a;
	struct survey s;
	size_t one, other;

	start(&s);
	for (size_t i = 0; i < 8; i++)
		add_did(&s, i / 2, i % 2, agreement_rows[1].did[i / 2][i % 2], false);
	survey_done(&s);
	agreement_of(&s, 0, &a);
	ck_assert(!agreement_differs(&s, &a, 0, 0, 1, &one, &other));
	ck_assert(agreement_differs(&s, &a, 0, 2, 0, &one, &other));
	ck_assert_uint_eq(s.runs[one].implementation, 2);
	ck_assert_uint_eq(s.runs[other].implementation, 0);
	ck_assert(s.runs[one].variant == s.runs[other].variant && (s.runs[one].variant & FOR_SERVER));
	agreement_free(&a);
	survey_free(&s);
}
END_TEST

ROWS_MAIN("survey", { worst_row, countof(worst_rows) }, { order_of_cells, 1 }, { two_libraries, 1 }, { wrong_row, countof(wrong_rows) },
          { serious_row, countof(serious_rows) }, { known_row, countof(known_rows) }, { problems_gather, 1 }, { foreign_rule, 1 }, { behaviour_row, countof(behaviour_rows) },
          { agreement_row, countof(agreement_rows) }, { difference, 1 })
