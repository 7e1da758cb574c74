/* survey: all runs of a session as what people look at. */
#include "runner/survey.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "runner/results.h"
#include "runner/run_json.h"

static const char *text(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static bool flag(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

static void *more(void *rows, size_t n, size_t size)
{
	rows = reallocarray(rows, n, size);
	assert(rows);
	return rows;
}

/* Room for one more at the end of rows that come by the hundred thousand. */
static void *one_more(void *rows, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return rows;
	*cap = *cap ? *cap * 2 : 256;
	return more(rows, *cap, size);
}

/* --- verdicts and changes -------------------------------------------------------------------------------------------- */

enum verdict verdict_worse(enum verdict a, enum verdict b)
{
	static const int weight[VERDICT_COUNT] = {
		[VERDICT_UNSUPPORTED] = 0, [VERDICT_PASS] = 1, [VERDICT_WARN] = 2, [VERDICT_INCONCLUSIVE] = 3, [VERDICT_FAIL] = 4,
		[VERDICT_BROKEN] = 5
	};

	return weight[a] >= weight[b] ? a : b;
}

static bool verdict_find(const char *word, enum verdict *v)
{
	for (int i = 0; word && i < VERDICT_COUNT; i++)
		if (strcmp(word, verdict_word((enum verdict)i)) == 0)
			return *v = (enum verdict)i, true;
	return false;
}

static const char *const change_words[CHANGE_COUNT] = { "", "same", "changed", "new", "other" };

static enum survey_change change_find(const char *word)
{
	for (int i = 1; word && i < CHANGE_COUNT; i++)
		if (strcmp(word, change_words[i]) == 0)
			return (enum survey_change)i;
	return CHANGE_NONE;
}

/* --- one run --------------------------------------------------------------------------------------------------------- */

static void add_rule(struct survey *s, const char *name, const struct requirement *req, const char *says)
{
	s->rules = more(s->rules, s->nrules + 1, sizeof(*s->rules));
	s->rules[s->nrules++] = (struct survey_rule){ intern_text(&s->texts, name), req, intern_text(&s->texts, says) };
}

void survey_start(struct survey *s, const struct catalogue *c)
{
	*s = (struct survey){ .catalogue = c };
	for (size_t i = 0; i < c->reqs.n; i++)
		add_rule(s, c->reqs.rows[i].name, &c->reqs.rows[i], c->reqs.rows[i].says);
}

static uint32_t rule_of(struct survey *s, const json_t *finding)
{
	const char *name = intern_text(&s->texts, text(finding, "requirement"));

	for (size_t i = 0; name && i < s->nrules; i++)
		if (s->rules[i].name == name)
			return (uint32_t)i;
	if (!name)
		return NO_RULE;
	add_rule(s, name, NULL, text(finding, "says"));
	return (uint32_t)(s->nrules - 1);
}

/* One column for each library of a name: results of two versions can stand in one file. */
static uint32_t implementation_of(struct survey *s, const json_t *run)
{
	const char *name = intern_text(&s->texts, text(run, "implementation")), *library = intern_text(&s->texts, text(run, "library"));
	struct survey_implementation *im;

	for (size_t i = s->nimplementations; i-- > 0;) {
		im = &s->implementations[i];
		if (im->name != name || (library && im->library && im->library != library))
			continue;
		im->library = im->library ? im->library : library;
		return (uint32_t)i;
	}
	s->implementations = more(s->implementations, s->nimplementations + 1, sizeof(*s->implementations));
	im = &s->implementations[s->nimplementations];
	*im = (struct survey_implementation){ .name = name, .library = library, .command = intern_text(&s->texts, text(run, "command")),
	                                      .root = intern_text(&s->texts, text(run, "root")) };
	return (uint32_t)s->nimplementations++;
}

static const struct script *script_of(const struct catalogue *c, const char *name)
{
	for (size_t i = 0; i < c->nscripts; i++)
		if (strcmp(c->scripts[i].name, name) == 0)
			return &c->scripts[i];
	return NULL;
}

static uint32_t case_of(struct survey *s, const json_t *run)
{
	const char *name = intern_text(&s->texts, text(run, "case")), *about = text(run, "about");

	if (s->last_case < s->ncases && s->cases[s->last_case].name == name)
		return s->last_case;
	for (size_t i = 0; i < s->ncases; i++)
		if (s->cases[i].name == name)
			return s->last_case = (uint32_t)i;
	s->cases = more(s->cases, s->ncases + 1, sizeof(*s->cases));
	s->cases[s->ncases] = (struct survey_case){ name, script_of(s->catalogue, name), about && strcmp(about, "host") == 0 };
	return s->last_case = (uint32_t)s->ncases++;
}

/* A word that can be the name of a folder and of nothing above it. */
static bool folder_ok(const char *name, size_t len)
{
	return len && !memchr(name, '/', len) && !(len <= 2 && strspn(name, ".") >= len);
}

static bool names_ok(const json_t *run)
{
	const char *name = text(run, "case"), *slash = strchr(name, '/'), *implementation = text(run, "implementation");

	return slash && folder_ok(name, (size_t)(slash - name)) && folder_ok(slash + 1, strlen(slash + 1)) &&
		folder_ok(implementation, strlen(implementation));
}

static bool run_ok(const json_t *run, struct survey_run *r, struct fault *f)
{
	static const char *const needed[] = { "implementation", "case", "role", "tls", "io", "verdict" };
	const char *verdict = text(run, "verdict");

	for (size_t i = 0; i < countof(needed); i++)
		if (!text(run, needed[i]))
			return results_wrong_run(f, "a run without \"%s\"", needed[i]);
	if (!verdict_find(verdict, &r->verdict))
		return results_wrong_run(f, "no verdict: \"%.40s\"", verdict);
	r->variant = run_bits(run);
	if (!r->variant)
		return results_wrong_run(f, "role, tls or io of this run are none that there are");
	if (!names_ok(run))
		return results_wrong_run(f, "the implementation or the case of this run has no name that a folder can have");
	return true;
}

static void add_finding(struct survey *s, const json_t *finding)
{
	struct survey_finding *fd;
	uint32_t rule = rule_of(s, finding);
	const char *weight = text(finding, "weight");

	s->findings = one_more(s->findings, s->nfindings, &s->findings_cap, sizeof(*s->findings));
	fd = &s->findings[s->nfindings++];
	*fd = (struct survey_finding){
		.level = intern_text(&s->texts, text(finding, "level")), .clause = intern_text(&s->texts, text(finding, "clause")),
		.allowed = intern_text(&s->texts, text(finding, "allowed")), .observed = intern_text(&s->texts, text(finding, "observed")),
		.native = intern_text(&s->texts, text(finding, "native")), .rule = rule,
		.line = (int)json_integer_value(json_object_get(finding, "line")),
		.disputed = flag(finding, "disputed"), .promised = flag(finding, "promised"), .known = flag(finding, "known"),
		.reason = intern_text(&s->texts, text(finding, "known_reason")),
		.link = intern_text(&s->texts, text(finding, "known_link")),
		.noted = weight && strcmp(weight, "noted") == 0,
	};
	if (!verdict_find(weight, &fd->weight))
		fd->weight = VERDICT_PASS;
}

static void put_part(struct buf *b, const char *part)
{
	buf_printf(b, "%s\n", part ? part : "");
}

static void sum_up(struct survey *s, struct survey_run *r)
{
	struct buf outcome = { 0 }, observed = { 0 };

	put_part(&outcome, verdict_word(r->verdict));
	put_part(&outcome, r->reason);
	for (size_t i = r->finding; i < (size_t)r->finding + r->nfindings; i++) {
		const struct survey_finding *fd = &s->findings[i];

		buf_printf(&outcome, "%u %d %d %d\n", fd->rule, fd->line, fd->weight, fd->known);
		put_part(&outcome, fd->reason);
		put_part(&outcome, fd->allowed);
		put_part(&outcome, fd->observed);
		buf_printf(&observed, "line %d: ", fd->line);
		put_part(&observed, fd->observed);
	}
	r->outcome = intern_bytes(&s->texts, buf_bytes(&outcome));
	r->observed = intern_bytes(&s->texts, buf_bytes(&observed));
	buf_free(&outcome);
	buf_free(&observed);
}

bool survey_add(struct survey *s, const json_t *run, struct fault *f)
{
	struct survey_run r = { .finding = (uint32_t)s->nfindings };
	json_t *finding;
	size_t i;

	if (!run_ok(run, &r, f))
		return false;
	json_array_foreach(json_object_get(run, "findings"), i, finding)
		add_finding(s, finding);
	r.nfindings = (uint32_t)(s->nfindings - r.finding);
	r.implementation = implementation_of(s, run);
	r.kase = case_of(s, run);
	r.change = change_find(text(run, "expected"));
	r.expected_of = intern_text(&s->texts, text(run, "expected_of"));
	r.diff = intern_text(&s->texts, text(run, "diff"));
	r.reason = intern_text(&s->texts, text(run, "reason"));
	r.with = intern_text(&s->texts, text(run, "with"));
	r.with_name = intern_text(&s->texts, text(run, "with_name"));
	sum_up(s, &r);
	s->runs = one_more(s->runs, s->nruns, &s->runs_cap, sizeof(*s->runs));
	s->runs[s->nruns++] = r;
	s->verdicts[r.verdict]++;
	s->changed += r.change == CHANGE_CHANGED;
	s->about_host += s->cases[r.kase].about_host;
	return true;
}

/* --- cells ----------------------------------------------------------------------------------------------------------- */

struct place { const char *name; uint32_t was; };

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct place *)a)->name, ((const struct place *)b)->name);
}

static void sort_cases(struct survey *s)
{
	struct place *order = more(NULL, s->ncases + 1, sizeof(*order));
	uint32_t *now = more(NULL, s->ncases + 1, sizeof(*now));
	struct survey_case *sorted = more(NULL, s->ncases + 1, sizeof(*sorted));

	for (size_t i = 0; i < s->ncases; i++)
		order[i] = (struct place){ s->cases[i].name, (uint32_t)i };
	qsort(order, s->ncases, sizeof(*order), by_name);
	for (size_t i = 0; i < s->ncases; i++) {
		now[order[i].was] = (uint32_t)i;
		sorted[i] = s->cases[order[i].was];
	}
	for (size_t i = 0; i < s->nruns; i++)
		s->runs[i].kase = now[s->runs[i].kase];
	free(s->cases);
	s->cases = sorted;
	free(order);
	free(now);
}

static struct survey_cell *cell_of(struct survey *s, const struct survey_run *r)
{
	return &s->cells[r->kase * s->nimplementations + r->implementation];
}

/* By counting, so that the runs of a cell stay in the order of their coming. */
static void sort_runs(struct survey *s)
{
	struct survey_run *sorted = more(NULL, s->nruns + 1, sizeof(*sorted));
	size_t at = 0;

	for (size_t i = 0; i < s->nruns; i++)
		cell_of(s, &s->runs[i])->n++;
	for (size_t i = 0; i < s->ncases * s->nimplementations; i++) {
		s->cells[i].first = at;
		at += s->cells[i].n;
		s->cells[i].n = 0;
	}
	for (size_t i = 0; i < s->nruns; i++) {
		struct survey_cell *c = cell_of(s, &s->runs[i]);

		sorted[c->first + c->n++] = s->runs[i];
	}
	free(s->runs);
	s->runs = sorted;
}

/* All that weighs something in these runs is known, and there is something. */
static bool all_known(const struct survey *s, const struct survey_cell *c)
{
	bool any = false;

	for (size_t k = c->first; k < c->first + c->n; k++)
		for (size_t i = s->runs[k].finding; i < (size_t)s->runs[k].finding + s->runs[k].nfindings; i++) {
			if (!s->findings[i].noted && !s->findings[i].known)
				return false;
			any |= !s->findings[i].noted;
		}
	return any && !c->changed && c->worst != VERDICT_BROKEN;
}

static void sum_up_run(struct survey_cell *c, const struct survey_run *r)
{
	int role = r->variant & FOR_SERVER ? 1 : 0, tls = r->variant & FOR_TLS13 ? IN_TLS13 : IN_TLS12;

	c->worst = verdict_worse(c->worst, r->verdict);
	c->by[role][tls] = c->ran[role][tls] ? verdict_worse(c->by[role][tls], r->verdict) : r->verdict;
	c->ran[role][tls] = true;
	c->changed |= r->change == CHANGE_CHANGED;
}

static void sum_up_cells(struct survey *s)
{
	for (size_t i = 0; i < s->ncases * s->nimplementations; i++) {
		struct survey_cell *c = &s->cells[i];
		struct survey_implementation *im = &s->implementations[i % s->nimplementations];

		c->worst = VERDICT_UNSUPPORTED;
		for (size_t k = 0; k < c->n; k++)
			sum_up_run(c, &s->runs[c->first + k]);
		if (!c->n)
			continue;
		c->known = all_known(s, c);
		im->cells++;
		im->verdicts[c->worst]++;
		im->changed += c->changed;
	}
}

const struct survey_cell *survey_cell(const struct survey *s, size_t kase, size_t implementation)
{
	return &s->cells[kase * s->nimplementations + implementation];
}

/* --- breaches ------------------------------------------------------------------------------------------------------ */

/* How it hurts whoever uses the library: a process that died, then an end or data that were told and are not so, then a call that fails
 * or waits where it should not, and last what only the wire shows. */
static int harm(const struct survey_finding *fd)
{
	static const struct { const char *outcome; int harm; } rows[] = { { "-> crash", 0 }, { "-> closed", 1 }, { "-> complete", 1 },
	                                                                  { "-> data", 1 } };

	for (size_t i = 0; fd->observed && i < countof(rows); i++)
		if (strstr(fd->observed, rows[i].outcome))
			return rows[i].harm;
	return fd->observed && strncmp(fd->observed, "iut ", 4) == 0 ? 2 : 3;
}

/* The smaller, the more serious: weight first, then what stands behind it, then what comes of it. */
int survey_rank(const struct survey_finding *fd)
{
	static const int weights[VERDICT_COUNT] = { [VERDICT_FAIL] = 0, [VERDICT_INCONCLUSIVE] = 1, [VERDICT_WARN] = 2,
	                                            [VERDICT_PASS] = 3 };
	bool must = fd->level && strcmp(fd->level, level_word(LEVEL_MUST)) == 0;
	int behind = must && (!fd->disputed || fd->promised) ? 0 : fd->promised ? 1 : must ? 2 : 3;

	return (weights[fd->weight] * 4 + behind) * 4 + harm(fd);
}

bool survey_fresh(const struct survey *s, size_t run, size_t finding)
{
	return !s->findings[finding].known && (s->runs[run].change == CHANGE_CHANGED || s->runs[run].change == CHANGE_NEW);
}

static void add_breach(struct survey *s, size_t from, size_t run, size_t finding)
{
	const struct survey_finding *fd = &s->findings[finding];
	bool fresh = survey_fresh(s, run, finding);
	struct breach *d;

	for (size_t i = from; i < s->nbreaches; i++) {
		d = &s->breaches[i];
		if (d->rule != fd->rule)
			continue;
		d->n++;
		if (fresh != d->fresh ? fresh : survey_rank(fd) < survey_rank(&s->findings[d->finding])) {
			d->run = run;
			d->finding = finding;
			d->fresh = fresh;
		}
		return;
	}
	s->breaches = more(s->breaches, s->nbreaches + 1, sizeof(*s->breaches));
	s->breaches[s->nbreaches++] = (struct breach){ run, finding, fd->rule, 1, fresh };
}

static void find_breaches(struct survey *s)
{
	for (size_t i = 0; i < s->ncases * s->nimplementations; i++) {
		size_t from = s->nbreaches;

		for (size_t k = s->cells[i].first; k < s->cells[i].first + s->cells[i].n; k++)
			for (size_t m = s->runs[k].finding; m < (size_t)s->runs[k].finding + s->runs[k].nfindings; m++)
				add_breach(s, from, k, m);
	}
}

/* What is new comes first, what is known last; then what is the library's and not the host's, then by rank. */
static int serious_first(const struct survey *s, const struct breach *a, const struct breach *b)
{
	int fresh = b->fresh - a->fresh, known = s->findings[a->finding].known - s->findings[b->finding].known;
	int host = s->cases[s->runs[a->run].kase].about_host - s->cases[s->runs[b->run].kase].about_host;

	if (fresh || known)
		return fresh ? fresh : known;
	return host ? host : survey_rank(&s->findings[a->finding]) - survey_rank(&s->findings[b->finding]);
}

static int by_number(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int by_seriousness(const void *x, const void *y, void *survey)
{
	const struct breach *a = x, *b = y;
	int order = serious_first(survey, a, b);

	return order ? order : a->n != b->n ? by_number(b->n, a->n) : by_number(a->run, b->run);
}

/* Of equals: what shows in more cases, and then what the order of the rules says. */
static int problems_first(const void *x, const void *y, void *survey)
{
	const struct survey *s = survey;
	const struct problem *a = x, *b = y;
	const struct breach *da = &s->breaches[a->breach], *db = &s->breaches[b->breach];
	int order = serious_first(s, da, db);

	if (order)
		return order;
	if (a->ncases != b->ncases)
		return by_number(b->ncases, a->ncases);
	return da->rule != db->rule ? by_number(da->rule, db->rule) : by_number(a->breach, b->breach);
}

/* The breaches come by seriousness, so the first of a problem is its most serious. */
static void find_problems(struct survey *s)
{
	size_t columns = s->nrules + 1, *known = calloc((s->nimplementations + 1) * columns, sizeof(*known));

	assert(known);
	for (size_t i = 0; i < s->nbreaches; i++) {
		const struct breach *d = &s->breaches[i];
		size_t *at = &known[s->runs[d->run].implementation * columns + (d->rule == NO_RULE ? s->nrules : d->rule)];

		if (s->findings[d->finding].noted)
			continue;
		if (!*at) {
			s->problems = more(s->problems, s->nproblems + 1, sizeof(*s->problems));
			s->problems[s->nproblems] = (struct problem){ .breach = i };
			*at = ++s->nproblems;
		}
		s->problems[*at - 1].ncases++;
		s->problems[*at - 1].nknown += s->findings[d->finding].known;
		s->problems[*at - 1].nruns += d->n;
	}
	free(known);
	if (s->nproblems)
		qsort_r(s->problems, s->nproblems, sizeof(*s->problems), problems_first, s);
}

void survey_done(struct survey *s)
{
	sort_cases(s);
	s->cells = calloc(s->ncases * s->nimplementations + 1, sizeof(*s->cells));
	assert(s->cells);
	sort_runs(s);
	sum_up_cells(s);
	find_breaches(s);
	if (s->nbreaches)
		qsort_r(s->breaches, s->nbreaches, sizeof(*s->breaches), by_seriousness, s);
	find_problems(s);
}

void survey_free(struct survey *s)
{
	intern_free(&s->texts);
	free(s->implementations);
	free(s->cases);
	free(s->rules);
	free(s->findings);
	free(s->runs);
	free(s->cells);
	free(s->breaches);
	free(s->problems);
	*s = (struct survey){ 0 };
}
