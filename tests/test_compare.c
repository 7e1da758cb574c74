/* A run beside what is expected of it: is it the same, changed or new, and what the difference is. */
#include "runner/compare.h"

#include "tests/build_evidence.h"

static const char rules[] =
	"requirement must\nlevel MUST\nclause RFC 1\nsays It is so.\n"
	"requirement should\nlevel SHOULD\nclause RFC 1\nsays It should be so.\n"
	"requirement may\nlevel MAY\nclause RFC 1\nsays It may be so.\n";

static const char text[] =
	"handshake\n"
	"iut read  -> closed     [must]\n"
	"iut write \"x\" -> refused [may]\n"
	"iut close -> ok         [should]\n";

#define HEAD "case theme/name\n\n"
#define TRACE "handshake -> ok\niut   read -> truncated as r=0\niut   write \"x\" -> ok\niut   close -> ok\n\nend\n"

static const struct {
	const char *name, *of;                  /* of: NULL: no traces at all, then there is no file either */
	bool own;
	const char *file;                       /* NULL: none for this case */
	const char *seen;                       /* NULL: a run that the plan knows to be unsupported */
	enum verdict verdict;                   /* BROKEN: the run's; otherwise what the judge says */
	const char *how;
	const char *known;                      /* the reason that stands at the deviation; NULL: it is not known */
	const char *diff;                       /* a line of it; NULL: it is empty */
} rows[] = {
	{ "nothing is expected", NULL, false, NULL, "ok; truncated as r=0; ok; ok", VERDICT_FAIL, NULL, NULL, NULL },
	{ "the same", "lib-1.0", true, HEAD "variants client 1.3 blocking\ndeviation must \"so it is\"\n" TRACE,
	  "ok; truncated as r=0; ok; ok", VERDICT_FAIL, "same", "so it is", NULL },
	{ "texts in quotes are for people", "lib-1.0", true, HEAD "variants client 1.3 blocking\ndeviation must \"so it is\"\n" TRACE,
	  "ok; truncated as r=0 \"the end\"; ok; ok", VERDICT_FAIL, "same", "so it is", NULL },
	{ "a deviation more", "lib-1.0", true, HEAD "variants client 1.3 blocking\n" TRACE,
	  "ok; truncated as r=0; ok; ok", VERDICT_FAIL, "changed", NULL, "+deviation must\n" },
	{ "a deviation less", "lib-1.0", true, HEAD "variants client 1.3 blocking\ndeviation must \"\"\ndeviation should \"\"\n" TRACE,
	  "ok; truncated as r=0; ok; ok", VERDICT_FAIL, "changed", "", "-deviation should\n" },
	{ "another answer", "lib-1.0", true, HEAD "variants client 1.3 blocking\ndeviation must \"\"\n" TRACE,
	  "ok; truncated as r=1; ok; ok", VERDICT_FAIL, "changed", "", "+iut   read -> truncated as r=1\n" },
	{ "a missed MAY is no deviation", "lib-1.0", true, HEAD "variants client 1.3 blocking\nhandshake -> ok\niut   read -> closed\n"
	  "iut   write \"x\" -> ok\niut   close -> ok\n\nend\n", "ok; closed; ok; ok", VERDICT_PASS, "same", NULL, NULL },
	{ "another variant stands there", "lib-1.0", true, HEAD "variants server 1.3 blocking\ndeviation must \"\"\n" TRACE,
	  "ok; truncated as r=0; ok; ok", VERDICT_FAIL, "new", NULL, NULL },
	{ "no file of the case", "lib-1.0", true, NULL, "ok; truncated as r=0; ok; ok", VERDICT_FAIL, "new", NULL, NULL },
	{ "another version, the same", "lib-0.9", false, HEAD "variants client 1.3 blocking\ndeviation must \"old\"\n" TRACE,
	  "ok; truncated as r=0; ok; ok", VERDICT_FAIL, "other", NULL, NULL },
	{ "another version, another answer", "lib-0.9", false, HEAD "variants client 1.3 blocking\ndeviation must \"old\"\n" TRACE,
	  "ok; truncated as r=2; ok; ok", VERDICT_FAIL, "other", NULL, "-iut   read -> truncated as r=0\n" },
	{ "a broken run says nothing", "lib-1.0", true, HEAD "variants client 1.3 blocking\ndeviation must \"\"\n" TRACE,
	  "ok; truncated as r=0; ok; ok", VERDICT_BROKEN, NULL, NULL, NULL },
	{ "unsupported, as expected", "lib-1.0", true, HEAD "variants client 1.3 blocking\nunsupported\n\nend\n", NULL, VERDICT_UNSUPPORTED,
	  "same", NULL, NULL },
	{ "unsupported, and was not", "lib-1.0", true, HEAD "variants client 1.3 blocking\ndeviation must \"\"\n" TRACE, NULL,
	  VERDICT_UNSUPPORTED, "changed", NULL, "+unsupported\n" },
};

static void expect(struct expectations *x, struct expected *cases, const struct script *s, int row)
{
	const char *file = rows[row].file;
	struct fault f = { 0 };

	*x = (struct expectations){ .own = rows[row].own, .cases = cases, .n = 1 };
	snprintf(x->of, sizeof(x->of), "%s", rows[row].of ? rows[row].of : "");
	*cases = (struct expected){ 0 };
	ck_assert_msg(!file || expected_parse(cases, "t", file, strlen(file), s, &f), "%s: %d: %s", rows[row].name, f.line, f.msg);
}

static void judged(struct judgement *j, const struct built *b, int row)
{
	*j = (struct judgement){ .verdict = rows[row].verdict };
	if (!rows[row].seen || rows[row].verdict == VERDICT_BROKEN)
		return;
	judge(&b->e, &b->reqs, (struct promises){ 0 }, j);
	ck_assert_msg(j->verdict == rows[row].verdict, "%s: %s", rows[row].name, verdict_word(j->verdict));
}

static const char *known_reason(const struct comparison *c, const struct judgement *j)
{
	for (size_t i = 0; i < j->n; i++) {
		const struct deviation *d = comparison_known(c, &j->findings[i]);

		ck_assert(!d || finding_is_deviation(&j->findings[i]));
		if (d)
			return d->reason;
	}
	return NULL;
}

START_TEST(compare_row)
{
	struct built b;
	struct catalogue s = { .scripts = &b.script, .nscripts = 1, .with = (size_t[]){ 0 } };
	struct expected cases;
	struct expectations x;
	struct comparison c;
	struct judgement j;
	const char *how, *known;

	build(&b, rules, "c3b", text, rows[_i].seen ? rows[_i].seen : "ok; closed; ok; ok");
	expect(&x, &cases, &b.script, _i);
	judged(&j, &b, _i);
	compare_run(&c, &x, &s, 0, b.e.variant, rows[_i].seen ? &b.e : NULL, &j);
	how = compared_word(c.how);
	ck_assert_msg(rows[_i].how ? how && strcmp(how, rows[_i].how) == 0 : !how, "%s: %s", rows[_i].name, how ? how : "none");
	ck_assert_msg(c.of == (rows[_i].of && j.verdict != VERDICT_BROKEN ? x.of : NULL), "%s", rows[_i].name);
	known = known_reason(&c, &j);
	ck_assert_msg(rows[_i].known ? known && strcmp(known, rows[_i].known) == 0 : !known, "%s: %s", rows[_i].name, known ? known : "none");
	ck_assert_msg(rows[_i].diff ? strstr(buf_str(&c.diff), rows[_i].diff) != NULL : c.diff.n == 0, "%s:\n%s", rows[_i].name, buf_str(&c.diff));
	ck_assert_msg((c.body.n == 0) == (j.verdict == VERDICT_BROKEN), "%s", rows[_i].name);
	comparison_free(&c);
	comparison_free(&c);
	judgement_free(&j);
	expected_free(&cases);
	built_free(&b);
}
END_TEST

/* What is recorded of a run is what it is compared with. */
START_TEST(body_is_expected)
{
	struct built b;
	struct catalogue s = { .scripts = &b.script, .nscripts = 1, .with = (size_t[]){ 0 } };
	struct expectations none = { 0 }, x = { .of = "lib-1.0", .own = true, .n = 1 };
	struct expected cases;
	struct comparison c, again;
	struct judgement j;

	build(&b, rules, "s2n", text, "ok; truncated as r=0; ok; refused");
	judge(&b.e, &b.reqs, (struct promises){ 0 }, &j);
	compare_run(&c, &none, &s, 0, b.e.variant, &b.e, &j);
	expected_start(&cases, &b.script);
	expected_add(&cases, b.e.variant, bytes_of(""), buf_bytes(&c.body));
	x.cases = &cases;
	compare_run(&again, &x, &s, 0, b.e.variant, &b.e, &j);
	ck_assert_int_eq(again.how, COMPARED_SAME);
	same_bytes("body", buf_bytes(&again.body), buf_bytes(&c.body));
	comparison_free(&c);
	comparison_free(&again);
	judgement_free(&j);
	expected_free(&cases);
	built_free(&b);
}
END_TEST

ROWS_MAIN("compare", { compare_row, countof(rows) }, { body_is_expected, 1 })
