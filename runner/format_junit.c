/* format_junit: JUnit XML as CI servers read it: a testsuite for each implementation and theme, a testcase for each run. What deviates, or
 * changed, is a failure; what tells nothing of the library (broken, inconclusive) an error; what it does not have, and what is known,
 * skipped. */
#include <stdlib.h>
#include <string.h>

#include "runner/format.h"
#include "runner/markup.h"

static const struct { const char *element, *type; } rows[STANDING_COUNT] = {
	[STANDING_GOOD] = { NULL, NULL }, [STANDING_SKIPPED] = { "skipped", NULL }, [STANDING_KNOWN] = { "skipped", NULL },
	[STANDING_CHANGED] = { "failure", "changed" }, [STANDING_DEVIATES] = { "failure", "fail" }, [STANDING_ERROR] = { "error", NULL },
};

static void begin(struct formatting *g, struct buf *out)
{
	(void)g;
	buf_printf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"closedrill\">\n");
}

static size_t count(const struct totals *t, const char *element)
{
	size_t n = 0;

	for (int st = 0; st < STANDING_COUNT; st++)
		if (rows[st].element && strcmp(rows[st].element, element) == 0)
			n += t->standings[st];
	return n;
}

static void put_suite(struct test_suite *s, struct buf *out)
{
	if (!s->name)
		return;
	buf_printf(out, "<testsuite");
	markup_attribute(out, "name", s->name);
	buf_printf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"%.6f\">\n", s->totals.runs,
	           count(&s->totals, "failure"),
	           count(&s->totals, "error"), count(&s->totals, "skipped"), s->seconds);
	buf_add_bytes(out, buf_bytes(&s->cases));
	buf_printf(out, "</testsuite>\n");
	s->cases.n = 0;
	s->totals = (struct totals){ 0 };
	s->seconds = 0;
	free(s->name);
	s->name = NULL;
}

/* "openssl.truncation": consumers make a tree of the dots. */
static char *suite_name(const json_t *run)
{
	struct buf b = { 0 };
	const char *name = run_text(run, "case");

	buf_printf(&b, "%s.%.*s", run_text(run, "implementation"), (int)strcspn(name, "/"), name);
	return buf_str(&b), (char *)b.p;
}

/* Of the suite: testcases have no properties in the schemas of Surefire and older Jenkins. */
static void put_properties(struct buf *out, const json_t *run)
{
	const char *name = run_text(run, "case");
	char theme[96];
	const struct { const char *name, *value; } properties[] = {
		{ "implementation", run_text(run, "implementation") }, { "library", run_text(run, "library") }, { "theme", theme },
		{ "closedrill", CLOSEDRILL_VERSION },
	};

	snprintf(theme, sizeof(theme), "%.*s", (int)strcspn(name, "/"), name);
	buf_printf(out, "<properties>\n");
	for (size_t i = 0; i < countof(properties); i++) {
		buf_printf(out, "<property");
		markup_attribute(out, "name", properties[i].name);
		markup_attribute(out, "value", properties[i].value);
		buf_printf(out, "/>\n");
	}
	buf_printf(out, "</properties>\n");
}

static bool weighs(const json_t *finding, const char *weight)
{
	return strcmp(run_text(finding, "weight"), weight) == 0;
}

/* One line: what CI servers show first. */
static void message_of(struct buf *out, const json_t *run)
{
	json_t *finding;
	size_t i;

	if (run_standing(run) == STANDING_KNOWN)
		buf_printf(out, "known: ");
	if (run_standing(run) == STANDING_CHANGED)
		buf_printf(out, "changed; %s%s", run_text(run, "verdict"), json_array_size(json_object_get(run, "findings")) ? "; " : "");
	json_array_foreach(json_object_get(run, "findings"), i, finding) {
		if (!weighs(finding, run_text(run, "verdict")))
			continue;
		if (run_text(finding, "requirement")[0])
			buf_printf(out, "[%s] %s ", run_text(finding, "requirement"), run_text(finding, "says"));
		buf_printf(out, "allowed: %s; observed: %s", run_text(finding, "allowed"), run_text(finding, "observed"));
		break;
	}
	buf_printf(out, "%s", run_text(run, "reason"));
}

static void text_of(struct buf *out, const json_t *run)
{
	json_t *finding;
	size_t i;

	json_array_foreach(json_object_get(run, "findings"), i, finding)
		format_finding(out, finding);
	if (run_text(run, "why")[0])
		buf_printf(out, "why       %s\n", run_text(run, "why"));
	buf_printf(out, "%s%sagain     ", run_text(run, "diff"), run_text(run, "diff")[0] ? "\n" : "");
	run_again(out, run);
	buf_printf(out, "\n");
}

static void put_outcome(struct buf *out, const json_t *run, enum standing st)
{
	struct buf message = { 0 }, text = { 0 };

	message_of(&message, run);
	buf_printf(out, "<%s", rows[st].element);
	markup_attribute(out, "message", buf_str(&message));
	if (strcmp(rows[st].element, "skipped") == 0) {
		buf_printf(out, "/>\n");
	} else {
		text_of(&text, run);
		markup_attribute(out, "type", rows[st].type ? rows[st].type : run_text(run, "verdict"));
		buf_printf(out, ">");
		markup_text(out, buf_bytes(&text));
		buf_printf(out, "</%s>\n", rows[st].element);
	}
	buf_free(&message);
	buf_free(&text);
}

/* The trace of the run; of a run that is well the findings that weigh less, if it has some. */
static void put_output(const struct formatting *g, struct buf *out, const json_t *run, enum standing st)
{
	struct buf text = { 0 };

	if (st == STANDING_GOOD && json_array_size(json_object_get(run, "findings")))
		text_of(&text, run);
	format_trace(g, run, &text);
	if (text.n) {
		buf_printf(out, "<system-out>");
		markup_text(out, buf_bytes(&text));
		buf_printf(out, "</system-out>\n");
	}
	buf_free(&text);
}

/* "openssl.truncation.fin-in-place": the suite and the case. */
static void put_class(struct buf *out, const struct test_suite *s, const json_t *run)
{
	const char *slash = strchr(run_text(run, "case"), '/');
	struct buf name = { 0 };

	buf_printf(&name, "%s.%s", s->name, slash ? slash + 1 : run_text(run, "case"));
	markup_attribute(out, "classname", buf_str(&name));
	name.n = 0;
	run_variant(&name, run);
	markup_attribute(out, "name", buf_str(&name));
	buf_free(&name);
}

static void enter_suite(struct test_suite *s, const json_t *run, struct buf *out)
{
	char *name = suite_name(run);

	if (s->name && strcmp(s->name, name) == 0) {
		free(name);
		return;
	}
	put_suite(s, out);
	s->name = name;
	put_properties(&s->cases, run);
}

static void put_run(struct formatting *g, const json_t *run, const char *text, size_t len, struct buf *out)
{
	struct test_suite *s = &g->suite;
	enum standing st = run_standing(run);
	double seconds = json_number_value(json_object_get(run, "ms")) / 1000;

	(void)text;
	(void)len;
	enter_suite(s, run, out);
	totals_add(&s->totals, run);
	s->seconds += seconds;
	buf_printf(&s->cases, "<testcase");
	put_class(&s->cases, s, run);
	buf_printf(&s->cases, " time=\"%.6f\">\n", seconds);
	if (rows[st].element)
		put_outcome(&s->cases, run, st);
	put_output(g, &s->cases, run, st);
	buf_printf(&s->cases, "</testcase>\n");
}

/* A session that is not complete is an error of its own: whoever counts tests would not see that some are missing. */
static void end(struct formatting *g, const struct format_last *last, struct buf *out)
{
	put_suite(&g->suite, out);
	if (last->partial)
		buf_printf(out, "<testsuite name=\"closedrill\" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\" time=\"0\">\n"
		           "<testcase classname=\"closedrill\" name=\"the session is complete\" time=\"0\">\n"
		           "<error message=\"%zu of %zu runs were done\" type=\"broken\"/>\n</testcase>\n</testsuite>\n", g->runs,
		           g->about.planned);
	buf_printf(out, "</testsuites>\n");
}

const struct format format_junit = { "junit", "JUnit XML: a testsuite for each implementation and theme", begin, put_run, end };
