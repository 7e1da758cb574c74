/* site_rules: the pages of the requirements: what each asks, on what ground, which cases test it, and who does not keep it. */
#include "runner/site_page.h"

#include <stdlib.h>
#include <string.h>

static bool tests(const struct script *sc, const struct requirement *r)
{
	for (size_t i = 0; sc && i < sc->nsteps; i++)
		for (size_t k = 0; k < sc->steps[i].nchecks; k++)
			if (sc->steps[i].checks[k].req == r)
				return true;
	return false;
}

bool case_tests(const struct survey *s, size_t kase, uint32_t rule)
{
	return s->rules[rule].req && tests(s->cases[kase].script, s->rules[rule].req);
}

static void put_version(struct page *p, const struct requirement *r, int v)
{
	put_raw(p, "<tr>");
	buf_printf(&p->b, "<th scope=\"row\">TLS %s</th>", v == IN_TLS12 ? "1.2" : "1.3");
	put_element(p, "td", level_word(r->level[v]));
	put_element(p, "td", r->clause[v]);
	put_raw(p, "<td>");
	put_text(p, r->disputed[v]);
	put_raw(p, "</td></tr>\n");
}

static void put_ground(struct page *p, const struct requirement *r)
{
	if (!r) {
		put_raw(p, "<p>This requirement is not among those that lie beside the program that wrote the report.</p>\n");
		return;
	}
	put_raw(p, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Clauses\"><table><thead><tr>"
	           "<th scope=\"col\">version</th><th scope=\"col\">level</th><th scope=\"col\">clause</th><th scope=\"col\">disputed</th>"
	           "</tr></thead><tbody>\n");
	put_version(p, r, IN_TLS12);
	put_version(p, r, IN_TLS13);
	put_raw(p, "</tbody></table></div>\n");
	if (r->always)
		put_raw(p, "<p>An invariant: every run is held against it.</p>\n");
}

static void put_breach(struct page *p, const struct site *site, const struct breach *d)
{
	const struct survey *s = site->survey;
	const struct survey_run *r = &s->runs[d->run];
	const struct survey_finding *fd = &s->findings[d->finding];
	struct buf b = { 0 };

	put_raw(p, "<tr><td>");
	put_finding_badge(p, s, d->run, d->finding);
	put_raw(p, fd->noted ? " (noted)" : "");
	put_raw(p, "</td>");
	put_element(p, "td", implementation_title(s, r->implementation, &b));
	put_raw(p, "<td><a");
	put_cell_href(p, s, r->kase, r->implementation, NULL);
	put_raw(p, ">");
	put_text(p, s->cases[r->kase].name);
	put_raw(p, "</a></td>");
	put_element(p, "td class=\"number\"", (b.n = 0, buf_printf(&b, "%zu", d->n), buf_str(&b)));
	put_raw(p, "<td>");
	put_element(p, "code", fd->observed);
	put_raw(p, "</td></tr>\n");
	buf_free(&b);
}

static void put_breaches(struct page *p, const struct site *site, uint32_t rule)
{
	const struct survey *s = site->survey;
	size_t n = 0;

	put_raw(p, "<h2>Who does not keep it</h2>\n");
	for (size_t i = 0; i < s->nbreaches; i++) {
		if (s->breaches[i].rule != rule)
			continue;
		if (!n++)
			put_raw(p, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Deviations\"><table><thead><tr>"
			           "<th scope=\"col\">verdict</th><th scope=\"col\">implementation</th>"
			           "<th scope=\"col\">case</th><th scope=\"col\">runs</th><th scope=\"col\">observed</th></tr></thead>"
			           "<tbody>\n");
		put_breach(p, site, &s->breaches[i]);
	}
	put_raw(p, n ? "</tbody></table></div>\n" : "<p>No run of this session broke it.</p>\n");
}

static void put_cases(struct page *p, const struct survey *s, uint32_t rule)
{
	struct buf b = { 0 };
	size_t n = 0;

	put_raw(p, "<h2>Cases that test it</h2>\n");
	for (size_t i = 0; i < s->ncases; i++) {
		if (!case_tests(s, i, rule))
			continue;
		put_raw(p, n++ ? "<li><a" : "<ul>\n<li><a");
		b.n = 0;
		buf_printf(&b, "case-%zu", i);
		put_href(p, "report/agreement.html", buf_str(&b));
		put_raw(p, ">");
		put_text(p, s->cases[i].name);
		put_raw(p, "</a> ");
		put_text(p, case_title(s, i, &b));
		put_raw(p, "</li>\n");
	}
	put_raw(p, n ? "</ul>\n" : "<p>No case of this session names it.</p>\n");
	buf_free(&b);
}

static bool put_page(const struct site *site, uint32_t rule, struct fault *f)
{
	const struct survey_rule *r = &site->survey->rules[rule];
	struct buf path = { 0 };
	struct page p;
	bool ok;

	page_begin(&p, "../../", r->name, SECTION_NONE);
	put_element(&p, "h1", r->name);
	put_element(&p, "p class=\"says\"", r->says);
	put_ground(&p, r->req);
	put_breaches(&p, site, rule);
	put_cases(&p, site->survey, rule);
	rule_path(&path, site->survey, rule);
	ok = page_write(&p, site, buf_str(&path), f);
	buf_free(&path);
	return ok;
}

/* Implementations that break each rule, none counted twice. */
static size_t *breakers(const struct survey *s)
{
	size_t *n = calloc(s->nrules + 1, sizeof(*n));

	for (size_t i = 0; n && i < s->nproblems; i++) {
		uint32_t rule = s->breaches[s->problems[i].breach].rule;

		n[rule == NO_RULE ? s->nrules : rule]++;
	}
	return n;
}

static bool put_list(const struct site *site, struct fault *f)
{
	const struct survey *s = site->survey;
	size_t *broken_by = breakers(s);
	struct page p;

	page_begin(&p, "../", "Requirements", SECTION_REQUIREMENTS);
	put_raw(&p, "<h1>Requirements</h1>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Requirements\"><table><thead>"
	            "<tr><th scope=\"col\">requirement</th><th scope=\"col\">level</th>"
	            "<th scope=\"col\">not kept by</th><th scope=\"col\">says</th></tr></thead><tbody>\n");
	for (uint32_t i = 0; i < s->nrules; i++) {
		put_raw(&p, "<tr><th scope=\"row\">");
		put_rule_link(&p, s, i);
		put_raw(&p, "</th>");
		put_element(&p, "td", s->rules[i].req ? level_word(s->rules[i].req->level[IN_TLS13]) : "");
		buf_printf(&p.b, broken_by && broken_by[i] ? "<td class=\"number\"><b>%zu</b></td>" : "<td class=\"number\">%zu</td>",
		           broken_by ? broken_by[i] : 0);
		put_element(&p, "td", s->rules[i].says);
		put_raw(&p, "</tr>\n");
	}
	put_raw(&p, "</tbody></table></div>\n");
	free(broken_by);
	return page_write(&p, site, "report/requirements.html", f);
}

bool site_requirements(const struct site *site, struct fault *f)
{
	for (uint32_t i = 0; i < site->survey->nrules; i++)
		if (!put_page(site, i, f))
			return false;
	return put_list(site, f);
}
