/* site_index: the first page: what is most serious, and the matrix. */
#include "runner/site_page.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { PROBLEMS_SHOWN = 12, CHANGES_SHOWN = 12, MANY = 12 };         /* MANY: implementations; then a row has room for one line */

/* --- the summary ----------------------------------------------------------------------------------------------------- */

static void put_totals(struct page *p, const struct site *site)
{
	static const enum verdict order[] = { VERDICT_BROKEN, VERDICT_FAIL, VERDICT_INCONCLUSIVE, VERDICT_WARN, VERDICT_PASS,
	                                      VERDICT_UNSUPPORTED };
	const struct survey *s = site->survey;

	put_raw(p, "<p>");
	put_count(p, s->nruns, "run of ", "runs of ");
	put_count(p, s->nimplementations, "implementation", "implementations");
	put_raw(p, " in ");
	put_count(p, s->ncases, "case", "cases");
	if (s->about_host)
		buf_printf(&p->b, " (%zu of the runs are about this host's TCP)", s->about_host);
	put_raw(p, ".</p>\n<ul class=\"totals\">");
	for (size_t i = 0; i < countof(order); i++)
		if (s->verdicts[order[i]]) {
			put_raw(p, "<li>");
			put_badge(p, order[i], false);
			buf_printf(&p->b, " %zu</li>", s->verdicts[order[i]]);
		}
	if (s->changed)
		buf_printf(&p->b, "<li><span class=\"badge changed\"><b>*</b> changed</span> %zu</li>", s->changed);
	put_raw(p, "</ul>\n");
	if (site->partial)
		put_raw(p, "<p class=\"alarm\"><strong>The session is not complete:</strong> it ended before all runs were done.</p>\n");
	if (s->verdicts[VERDICT_BROKEN])
		put_raw(p, "<p class=\"alarm\"><strong>Some runs are broken:</strong> closedrill or the machine failed, and they say "
		           "nothing about the library. The matrix shows them as B.</p>\n");
}

static void put_problem(struct page *p, const struct site *site, const struct problem *pr, bool open)
{
	const struct survey *s = site->survey;
	const struct breach *d = &s->breaches[pr->breach];
	const struct survey_run *r = &s->runs[d->run];
	struct buf b = { 0 };

	put_raw(p, open ? "<li><details open><summary>" : "<li><details><summary>");
	put_finding_badge(p, s, d->run, d->finding);
	put_raw(p, " <strong>");
	put_text(p, implementation_title(s, r->implementation, &b));
	put_raw(p, "</strong> ");
	put_text(p, d->rule == NO_RULE ? "A precondition did not hold." : s->rules[d->rule].says);
	put_raw(p, " <span class=\"minor\">");
	put_count(p, pr->ncases, "case, ", "cases, ");
	put_count(p, pr->nruns, "run", "runs");
	if (pr->nknown && pr->nknown < pr->ncases)
		buf_printf(&p->b, "; known in %zu of the cases", pr->nknown);
	put_raw(p, "</span></summary>\n<p>For example <a");
	put_cell_href(p, s, r->kase, r->implementation, NULL);
	put_raw(p, ">");
	put_text(p, case_title(s, r->kase, &b));
	put_raw(p, "</a>, <code>");
	put_text(p, s->cases[r->kase].name);
	b.n = 0;
	variants_text(&b, s, &d->run, 1);
	put_raw(p, "</code>, ");
	put_text(p, buf_str(&b));
	put_raw(p, ":</p>\n");
	put_finding(p, site, d->run, d->finding);
	put_raw(p, "</details></li>\n");
	buf_free(&b);
}

/* Problems that are known stand behind all others. */
static bool is_known(const struct survey *s, size_t problem)
{
	return s->findings[s->breaches[s->problems[problem].breach].finding].known;
}

static void put_problems(struct page *p, const struct site *site)
{
	const struct survey *s = site->survey;

	put_raw(p, "<section>\n<h2>Most serious first</h2>\n");
	if (!s->nproblems)
		put_raw(p, "<p>No run of this session deviates.</p>\n");
	for (size_t i = 0; i < s->nproblems && i < PROBLEMS_SHOWN; i++) {
		bool known = is_known(s, i), begins = !i || known != is_known(s, i - 1);

		if (begins && known)
			put_raw(p, i ? "</ol>\n<p>Known already: the expected traces hold these.</p>\n" :
			               "<p>No deviation is new: the expected traces hold all of these.</p>\n");
		if (begins)
			buf_printf(&p->b, "<ol class=\"problems\" start=\"%zu\">\n", i + 1);
		put_problem(p, site, &s->problems[i], i == 0);
	}
	if (s->nproblems)
		put_raw(p, "</ol>\n");
	if (s->nproblems > PROBLEMS_SHOWN)
		buf_printf(&p->b, "<p>%zu more: <a href=\"report/requirements.html\">by requirement</a>, or in the matrix below.</p>\n",
		           s->nproblems - PROBLEMS_SHOWN);
	put_raw(p, "</section>\n");
}

/* --- what changed ---------------------------------------------------------------------------------------------------- */

static size_t changed_cells(const struct survey *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->nimplementations; i++)
		n += s->implementations[i].changed;
	return n;
}

static void put_changed_cell(struct page *p, const struct survey *s, size_t kase, size_t implementation)
{
	struct buf b = { 0 };

	put_raw(p, "<li>");
	put_badge(p, survey_cell(s, kase, implementation)->worst, true);
	put_raw(p, " <strong>");
	put_text(p, implementation_title(s, implementation, &b));
	put_raw(p, "</strong> <a");
	put_cell_href(p, s, kase, implementation, NULL);
	put_raw(p, ">");
	put_text(p, case_title(s, kase, &b));
	put_raw(p, "</a>, <code>");
	put_text(p, s->cases[kase].name);
	put_raw(p, "</code></li>\n");
	buf_free(&b);
}

/* For better or worse: a deviation that is gone stands in no list of deviations. */
static void put_changes(struct page *p, const struct survey *s)
{
	size_t n = changed_cells(s), shown = 0;

	if (!n)
		return;
	put_raw(p, "<section>\n<h2>Not as expected</h2>\n<p>");
	put_count(p, s->changed, "run is", "runs are");
	put_raw(p, " not as the expected traces say. The page of each shows what moved.</p>\n<ul class=\"changes\">\n");
	for (size_t k = 0; k < s->ncases; k++)
		for (size_t i = 0; i < s->nimplementations; i++)
			if (survey_cell(s, k, i)->changed && shown++ < CHANGES_SHOWN)
				put_changed_cell(p, s, k, i);
	put_raw(p, "</ul>\n");
	if (n > CHANGES_SHOWN)
		buf_printf(&p->b, "<p>%zu more in the matrix below, with a star.</p>\n", n - CHANGES_SHOWN);
	put_raw(p, "</section>\n");
}

/* --- the filter: JavaScript makes it visible ------------------------------------------------------------------------- */

static void put_option(struct page *p, size_t value, const char *text)
{
	buf_printf(&p->b, "<option value=\"%zu\">", value);
	put_text(p, text);
	put_raw(p, "</option>");
}

static void put_implementation_options(struct page *p, const struct survey *s)
{
	struct buf b = { 0 };

	put_raw(p, "<label>implementation <select name=\"implementation\"><option value=\"\">all</option>");
	for (size_t i = 0; i < s->nimplementations; i++)
		put_option(p, i, implementation_title(s, i, &b));
	put_raw(p, "</select></label>\n");
	buf_free(&b);
}

static size_t theme_len(const struct survey *s, size_t kase)
{
	return strcspn(s->cases[kase].name, "/");
}

static bool theme_begins(const struct survey *s, size_t kase)
{
	size_t len = theme_len(s, kase);

	return !kase || len != theme_len(s, kase - 1) || strncmp(s->cases[kase].name, s->cases[kase - 1].name, len) != 0;
}

static void put_theme(struct page *p, const struct survey *s, size_t kase)
{
	struct buf b = { 0 };

	buf_printf(&b, "%.*s", (int)theme_len(s, kase), s->cases[kase].name);
	put_text(p, buf_str(&b));
	buf_free(&b);
}

static void put_theme_options(struct page *p, const struct survey *s)
{
	put_raw(p, "<label>theme <select name=\"theme\"><option value=\"\">all</option>");
	for (size_t i = 0; i < s->ncases; i++)
		if (theme_begins(s, i)) {
			buf_printf(&p->b, "<option value=\"%zu\">", i);
			put_theme(p, s, i);
			put_raw(p, "</option>");
		}
	put_raw(p, "</select></label>\n");
}

static int by_rule_name(const void *x, const void *y, void *survey)
{
	const struct survey *s = survey;

	return strcmp(s->rules[*(const uint32_t *)x].name, s->rules[*(const uint32_t *)y].name);
}

static void put_rule_options(struct page *p, const struct survey *s)
{
	uint32_t *order = calloc(s->nrules + 1, sizeof(*order));

	put_raw(p, "<label>requirement <select name=\"requirement\"><option value=\"\">all</option>");
	for (uint32_t i = 0; order && i < s->nrules; i++)
		order[i] = i;
	if (order && s->nrules)
		qsort_r(order, s->nrules, sizeof(*order), by_rule_name, (void *)s);
	for (size_t i = 0; order && i < s->nrules; i++)
		put_option(p, order[i], s->rules[order[i]].name);
	put_raw(p, "</select></label>\n");
	free(order);
}

static void put_filter(struct page *p, const struct survey *s)
{
	put_raw(p, "<form id=\"filter\" hidden aria-label=\"Filter the matrix\">\n");
	put_raw(p, "<label>verdict <select name=\"verdict\"><option value=\"\">all</option><option value=\"F\">fail</option>"
	           "<option value=\"W\">warn</option>"
	           "<option value=\"I\">inconclusive</option><option value=\"B\">broken</option><option value=\"P\">pass</option>"
	           "<option value=\"U\">unsupported</option>"
	           "<option value=\"*\">changed</option><option value=\"k\">known</option></select></label>\n");
	put_theme_options(p, s);
	put_rule_options(p, s);
	put_raw(p, "<label>role <select name=\"role\"><option value=\"\">both</option><option value=\"0\">client</option>"
	           "<option value=\"1\">server</option></select></label>\n");
	put_raw(p, "<label>TLS <select name=\"tls\"><option value=\"\">both</option><option value=\"0\">1.2</option>"
	           "<option value=\"1\">1.3</option></select></label>\n");
	put_implementation_options(p, s);
	put_raw(p, "<button type=\"reset\">all</button> <output aria-live=\"polite\"></output>\n</form>\n");
}

/* --- the matrix ------------------------------------------------------------------------------------------------------ */

/* The verdicts of client 1.2, client 1.3, server 1.2, server 1.3, '.' where nothing ran; one letter if all four are the same. */
static void put_parts(struct page *p, const struct survey_cell *c)
{
	char parts[] = "....";
	bool same = true;

	for (int i = 0; i < 4; i++)
		if (c->ran[i / 2][i % 2])
			parts[i] = verdict_letter(c->by[i / 2][i % 2]);
	for (int i = 1; i < 4; i++)
		same &= parts[i] == parts[0];
	if (!same)
		buf_printf(&p->b, " data-v=%s", parts);
}

struct breaks { uint32_t *rules; size_t n; };   /* of one cell */

/* The rules that each cell breaks, by the cell's number. */
static struct breaks *breaks_of(const struct survey *s)
{
	struct breaks *all = calloc(s->ncases * s->nimplementations + 1, sizeof(*all));

	for (size_t i = 0; all && i < s->nbreaches; i++) {
		const struct breach *d = &s->breaches[i];
		const struct survey_run *r = &s->runs[d->run];
		struct breaks *b = &all[r->kase * s->nimplementations + r->implementation];
		uint32_t *rules;

		if (d->rule == NO_RULE || s->findings[d->finding].noted || !(rules = reallocarray(b->rules, b->n + 1, sizeof(*rules))))
			continue;
		b->rules = rules;
		b->rules[b->n++] = d->rule;
	}
	return all;
}

static void put_cell(struct page *p, const struct survey *s, size_t kase, size_t implementation, const struct breaks *b)
{
	const struct survey_cell *c = survey_cell(s, kase, implementation);

	if (!c->n) {
		put_raw(p, "<td>");
		return;
	}
	buf_printf(&p->b, "<td class=%c%s", verdict_letter(c->worst), c->changed ? " data-c" : c->known ? " data-k" : "");
	put_parts(p, c);
	for (size_t i = 0; i < b->n; i++)
		buf_printf(&p->b, i ? " %u" : " data-r=\"%u", b->rules[i]);
	put_raw(p, b->n ? "\"><a" : "><a");
	put_cell_href(p, s, kase, implementation, NULL);
	buf_printf(&p->b, ">%c%s</a>", c->known ? tolower(verdict_letter(c->worst)) : verdict_letter(c->worst), c->changed ? "*" : "");
}

/* The rules that the case tests. */
static void put_tested(struct page *p, const struct survey *s, size_t kase)
{
	bool any = false;

	for (uint32_t i = 0; i < s->nrules; i++)
		if (case_tests(s, kase, i)) {
			buf_printf(&p->b, any ? " %u" : " data-q=\"%u", i);
			any = true;
		}
	put_raw(p, any ? "\"" : "");
}

static void put_row(struct page *p, const struct survey *s, size_t kase, const struct breaks *b)
{
	struct buf title = { 0 };
	const char *name = s->cases[kase].name + theme_len(s, kase) + 1;

	put_raw(p, "<tr");
	put_tested(p, s, kase);
	buf_printf(&p->b, "><th scope=\"row\"><a href=\"report/agreement.html#case-%zu\">", kase);
	put_text(p, name);
	put_raw(p, "</a> <span>");
	put_text(p, case_title(s, kase, &title));
	put_raw(p, s->cases[kase].about_host ? " (about the host)</span></th>" : "</span></th>");
	for (size_t i = 0; i < s->nimplementations; i++)
		put_cell(p, s, kase, i, b ? &b[kase * s->nimplementations + i] : &(struct breaks){ 0 });
	put_raw(p, "</tr>\n");
	buf_free(&title);
}

static void put_heads(struct page *p, const struct survey *s)
{
	struct buf b = { 0 };

	put_raw(p, "<thead><tr><th scope=\"col\">case</th>");
	for (size_t i = 0; i < s->nimplementations; i++) {
		const char *library = s->implementations[i].library;

		put_raw(p, "<th scope=\"col\" title=\"");
		put_text(p, library ? library : "");
		put_raw(p, "\"><span>");
		put_text(p, implementation_title(s, i, &b));
		put_raw(p, "</span></th>");
	}
	put_raw(p, "</tr></thead>\n");
	buf_free(&b);
}

static void put_matrix(struct page *p, const struct survey *s)
{
	struct breaks *breaks = breaks_of(s);

	put_raw(p, "<div class=\"scroll matrix\" tabindex=\"0\" role=\"region\" aria-label=\"Matrix of cases and implementations\">\n");
	put_raw(p, s->nimplementations > MANY ? "<table id=\"cells\" class=\"many\">\n" : "<table id=\"cells\">\n");
	put_heads(p, s);
	for (size_t k = 0; k < s->ncases; k++) {
		if (theme_begins(s, k)) {
			buf_printf(&p->b, "%s<tbody data-theme=%zu><tr class=\"theme\"><th scope=\"rowgroup\" colspan=\"%zu\">",
			           k ? "</tbody>\n" : "", k, s->nimplementations + 1);
			put_theme(p, s, k);
			put_raw(p, "</th></tr>\n");
		}
		put_row(p, s, k, breaks);
	}
	put_raw(p, s->ncases ? "</tbody>\n</table></div>\n" : "</table></div>\n");
	for (size_t i = 0; breaks && i < s->ncases * s->nimplementations; i++)
		free(breaks[i].rules);
	free(breaks);
}

static void put_legend(struct page *p)
{
	static const struct { enum verdict v; const char *means; } rows[] = {
		{ VERDICT_FAIL, "a MUST was broken, or what the manual promises" },
		{ VERDICT_WARN, "a SHOULD was missed, or a disputed rule" },
		{ VERDICT_INCONCLUSIVE, "the case's subject was never reached" }, { VERDICT_PASS, "all checks held" },
		{ VERDICT_UNSUPPORTED, "the library has no such call or option" },
		{ VERDICT_BROKEN, "closedrill or the machine failed: says nothing about the library" }
	};

	put_raw(p, "<ul class=\"legend\">");
	for (size_t i = 0; i < countof(rows); i++) {
		put_raw(p, "<li>");
		put_badge(p, rows[i].v, false);
		put_raw(p, " ");
		put_text(p, rows[i].means);
		put_raw(p, "</li>\n");
	}
	put_raw(p, "<li><span class=\"badge changed\"><b>*</b> changed</span> a run is not as its expected trace</li>\n"
	           "<li><span class=\"badge known\"><b>f w i</b> known</span> as the expected trace says, and nothing else</li></ul>\n"
	           "<p class=\"minor\">A cell shows the worst of its variants (role, TLS version, I/O mode, and the values of the "
	           "case).</p>\n");
}

bool site_index(const struct site *site, struct fault *f)
{
	struct page p;

	page_begin(&p, "", "Report", SECTION_SUMMARY);
	put_raw(&p, "<h1>How connections end</h1>\n");
	put_totals(&p, site);
	put_problems(&p, site);
	put_changes(&p, site->survey);
	put_raw(&p, "<section>\n<h2 id=\"matrix\">Matrix</h2>\n");
	put_legend(&p);
	put_filter(&p, site->survey);
	put_matrix(&p, site->survey);
	put_raw(&p, "</section>\n");
	return page_write(&p, site, "index.html", f);
}
