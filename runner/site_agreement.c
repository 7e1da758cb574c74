/* site_agreement: who behaves alike in each case, and where one stands alone. */
#include "runner/site_page.h"

#include <stdlib.h>
#include <string.h>

#include "runner/markup.h"

/* --- one case -------------------------------------------------------------------------------------------------------- */

static void put_members(struct page *p, const struct survey *s, const struct agreement *a, size_t kase, size_t group)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < s->nimplementations; i++) {
		const struct survey_cell *c = survey_cell(s, kase, i);

		if (a->group[i] != group || !c->n)
			continue;
		buf_printf(&p->b, "<a class=\"who v-%c\"", verdict_letter(c->worst));
		put_cell_href(p, s, kase, i, NULL);
		buf_printf(&p->b, "><b>%c</b> ", verdict_letter(c->worst));
		put_text(p, implementation_title(s, i, &b));
		put_raw(p, "</a> ");
	}
	buf_free(&b);
}

static struct bytes line_of(const char **text)
{
	struct bytes line = { (const uint8_t *)*text, strcspn(*text, "\n") };

	*text += line.n + ((*text)[line.n] == '\n');
	return line;
}

/* The first lines in which two texts differ. */
static void put_first_difference(struct page *p, const char *one, const char *other)
{
	struct bytes x = { 0 }, y = { 0 };

	while (*one && *other) {
		x = line_of(&one);
		y = line_of(&other);
		if (!bytes_equal(x, y))
			break;
		x = y = (struct bytes){ 0 };
	}
	x = x.p ? x : line_of(&one);
	y = y.p ? y : line_of(&other);
	put_raw(p, "<code>");
	markup_text(&p->b, x.n ? x : bytes_of("(nothing)"));
	put_raw(p, "</code>, where the first group has <code>");
	markup_text(&p->b, y.n ? y : bytes_of("(nothing)"));
	put_raw(p, "</code>");
}

static size_t first_of(const struct survey *s, const struct agreement *a, size_t group)
{
	size_t i = 0;

	while (i < s->nimplementations && a->group[i] != group)
		i++;
	return i;
}

/* Where a group parts from the largest: some member of that has run a variant of ours otherwise. */
static void put_difference(struct page *p, const struct survey *s, const struct agreement *a, size_t kase, size_t group)
{
	size_t who = first_of(s, a, group), run, other, one;
	struct buf b = { 0 };

	for (size_t i = 0; i < s->nimplementations; i++) {
		if (a->group[i] != 0 || !agreement_differs(s, a, kase, who, i, &run, &other))
			continue;
		one = run;
		variants_text(&b, s, &one, 1);
		put_raw(p, "<br><span class=\"minor\">");
		put_text(p, buf_str(&b));
		put_raw(p, ":</span> ");
		put_first_difference(p, a->traces ? s->runs[run].behaviour : s->runs[run].observed,
		                     a->traces ? s->runs[other].behaviour : s->runs[other].observed);
		break;
	}
	buf_free(&b);
}

static void put_case(struct page *p, const struct site *site, size_t kase)
{
	const struct survey *s = site->survey;
	const struct agreement *a = &site->agreements[kase];
	struct buf b = { 0 };

	buf_printf(&p->b, "<section id=\"case-%zu\" class=\"agree\" data-groups=\"%zu\" data-alone=\"%d\"><h3><code>", kase, a->ngroups,
	           agreement_alone(s, a) < s->nimplementations);
	put_text(p, s->cases[kase].name);
	put_raw(p, "</code> ");
	put_text(p, case_title(s, kase, &b));
	put_raw(p, !a->traces && a->ngroups ? " <span class=\"minor\">by findings</span></h3>\n<ul>" : "</h3>\n<ul>");
	for (size_t g = 0; g < a->ngroups; g++) {
		put_raw(p, "<li>");
		put_members(p, s, a, kase, g);
		if (g)
			put_difference(p, s, a, kase, g);
		put_raw(p, "</li>\n");
	}
	put_raw(p, "</ul></section>\n");
	buf_free(&b);
}

/* --- who stands alone ------------------------------------------------------------------------------------------------ */

static void put_alone_cases(struct page *p, const struct site *site, size_t who)
{
	const struct survey *s = site->survey;
	size_t n = 0;

	for (size_t k = 0; k < s->ncases; k++) {
		if (agreement_alone(s, &site->agreements[k]) != who)
			continue;
		buf_printf(&p->b, "%s<a href=\"#case-%zu\">", n++ ? ", " : "", k);
		put_text(p, s->cases[k].name);
		put_raw(p, "</a>");
	}
}

static void put_alone(struct page *p, const struct site *site)
{
	const struct survey *s = site->survey;
	size_t *n = calloc(s->nimplementations + 1, sizeof(*n));
	struct buf b = { 0 };

	put_raw(p, "<h2>Where one stands alone</h2>\n<p>All others that ran the case, at least two, behave alike.</p>\n<dl "
	           "class=\"alone\">\n");
	for (size_t k = 0; n && k < s->ncases; k++)
		n[agreement_alone(s, &site->agreements[k])]++;
	for (size_t i = 0; n && i < s->nimplementations; i++) {
		if (!n[i])
			continue;
		put_element(p, "dt", implementation_title(s, i, &b));
		put_raw(p, "<dd>");
		put_count(p, n[i], "case: ", "cases: ");
		put_alone_cases(p, site, i);
		put_raw(p, "</dd>\n");
	}
	put_raw(p, n && n[s->nimplementations] == s->ncases ? "<dt>None</dt><dd>In no case of this session.</dd></dl>\n" : "</dl>\n");
	free(n);
	buf_free(&b);
}

static void put_sums(struct page *p, const struct site *site)
{
	size_t alike = 0, apart = 0;

	for (size_t k = 0; k < site->survey->ncases; k++) {
		alike += site->agreements[k].ngroups == 1 && site->agreements[k].size[0] > 1;
		apart += site->agreements[k].ngroups > 1;
	}
	put_raw(p, "<p>Two implementations behave alike in a case when their traces are the same in every variant that both ran; what "
	           "libraries call their returns, and the handshake, are left out. Where not all traces of a case were kept "
	           "(<q>by findings</q>) they are compared "
	           "by their "
	           "findings, which tell less apart. In ");
	put_count(p, alike, "case", "cases");
	buf_printf(&p->b, " all that ran it behave alike, in %zu they do not.</p>\n", apart);
}

bool site_agreement(const struct site *site, struct fault *f)
{
	const struct survey *s = site->survey;
	struct page p;

	page_begin(&p, "../", "Agreement", SECTION_AGREEMENT);
	put_raw(&p, "<h1>Agreement</h1>\n");
	put_sums(&p, site);
	put_alone(&p, site);
	put_raw(&p, "<h2>Case by case</h2>\n<p id=\"agree-filter\" hidden><label>"
	            "<input type=\"checkbox\" id=\"only-apart\"> only where they differ</label> "
	            "<label><input type=\"checkbox\" id=\"only-alone\"> only where one stands alone</label> <output aria-live=\"polite\">"
	            "</output></p>\n");
	for (size_t k = 0; k < s->ncases; k++)
		put_case(&p, site, k);
	return page_write(&p, site, "report/agreement.html", f);
}
