/* site_cell: the page of one case of one implementation: how it ended and in which variants, with the findings of each, the trace beside
 * the expected one, and the case itself. */
#include "runner/site_page.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/kept.h"
#include "runner/markup.h"
#include "runner/variants.h"

/* What the functions of one page share. */
struct cell {
	const struct site *site;
	const struct survey *s;
	size_t kase, implementation;
	const struct survey_cell *c;
	struct buf *traces;                     /* of each run of the cell; empty: none was kept */
	size_t *list;                           /* room for all runs of the cell */
	bool *done;
	struct page p;
};

static struct bytes next_line(struct bytes *text)
{
	const uint8_t *end = memchr(text->p, '\n', text->n);
	struct bytes line = { text->p, end ? (size_t)(end - text->p) : text->n };

	bytes_take(text, line.n + (end != NULL), &(struct bytes){ 0 });
	return line;
}

/* --- traces ---------------------------------------------------------------------------------------------------------- */

/* Is this line of a trace what the finding observed? The trace aligns its first word, and has the native return behind it. */
static bool is_observed(struct bytes line, const char *observed)
{
	size_t i = 0;

	for (; *observed; observed++) {
		if (i >= line.n || line.p[i] != (uint8_t)*observed)
			return false;
		i++;
		while (*observed == ' ' && i < line.n && line.p[i] == ' ')
			i++;
	}
	return i == line.n || (line.n - i >= 4 && memcmp(line.p + i, " as ", 4) == 0);
}

static bool is_bad(const struct survey *s, const struct survey_run *r, struct bytes line)
{
	for (size_t i = r->finding; i < (size_t)r->finding + r->nfindings; i++)
		if (s->findings[i].observed && s->findings[i].observed[0] && is_observed(line, s->findings[i].observed))
			return true;
	return false;
}

static void put_trace(struct cell *x, const struct survey_run *r, struct bytes trace)
{
	put_raw(&x->p, "<pre class=\"trace\" tabindex=\"0\">");
	while (trace.n) {
		struct bytes line = next_line(&trace);
		bool bad = is_bad(x->s, r, line);

		put_raw(&x->p, bad ? "<mark>" : "");
		markup_text(&x->p.b, line);
		put_raw(&x->p, bad ? "</mark>\n" : "\n");
	}
	put_raw(&x->p, "</pre>\n");
}

static void put_side(struct page *p, struct bytes line, const char *element, const char *gone)
{
	if (!line.p) {
		put_raw(p, "<td class=\"gap\"></td>");
		return;
	}
	buf_printf(&p->b, "<td><%s>", element);
	markup_text(&p->b, line);
	buf_printf(&p->b, "</%s></td>", gone);
}

static void put_row(struct page *p, struct bytes expected, struct bytes observed, bool same)
{
	put_raw(p, same ? "<tr>" : "<tr class=\"moved\">");
	put_side(p, expected, same ? "code" : "del", same ? "code" : "del");
	put_side(p, observed, same ? "code" : "ins", same ? "code" : "ins");
	put_raw(p, "</tr>\n");
}

static struct bytes behind_mark(struct bytes line)
{
	return (struct bytes){ line.p + 1, line.n - 1 };
}

/* What is gone stands beside what came in its place. */
static void put_moved(struct page *p, struct bytes *diff)
{
	struct bytes ahead = *diff, gone, came;

	while (ahead.n && ahead.p[0] == '-')
		next_line(&ahead);
	gone = (struct bytes){ diff->p, (size_t)(ahead.p - diff->p) };
	*diff = ahead;
	while (gone.n || (diff->n && diff->p[0] == '+')) {
		struct bytes left = gone.n ? behind_mark(next_line(&gone)) : (struct bytes){ 0 };

		came = diff->n && diff->p[0] == '+' ? behind_mark(next_line(diff)) : (struct bytes){ 0 };
		put_row(p, left, came, false);
	}
}

static void put_diff(struct page *p, const char *text)
{
	struct bytes diff = bytes_of(text);

	put_raw(p, "<div class=\"scroll wide\" tabindex=\"0\" role=\"region\" aria-label=\"Differences\"><table class=\"diff\"><thead><tr>"
	           "<th scope=\"col\">expected</th>"
	           "<th scope=\"col\">observed</th></tr></thead><tbody>\n");
	while (diff.n) {
		if (diff.p[0] == '-' || diff.p[0] == '+') {
			put_moved(p, &diff);
			continue;
		}
		struct bytes line = next_line(&diff);

		line = line.n ? behind_mark(line) : line;
		put_row(p, line, line, true);
	}
	put_raw(p, "</tbody></table></div>\n");
}

/* The runs of list[from..n) that have the same trace and the same difference as list[from], moved together; their end. */
static size_t same_trace(struct cell *x, size_t from, size_t n)
{
	const struct survey_run *r = &x->s->runs[x->list[from]];
	struct bytes trace = buf_bytes(&x->traces[x->list[from] - x->c->first]);
	size_t end = from + 1;

	for (size_t i = end; i < n; i++) {
		size_t run = x->list[i];

		if (x->s->runs[run].diff != r->diff || !bytes_equal(buf_bytes(&x->traces[run - x->c->first]), trace))
			continue;
		x->list[i] = x->list[end];
		x->list[end++] = run;
	}
	return end;
}

static struct kept put_downloads(struct cell *x, size_t from, size_t end, struct buf *ladder)
{
	struct buf folder = { 0 }, full = { 0 }, stem = { 0 };
	struct kept any = { 0 };

	evidence_folder(&folder, x->s, x->kase, x->implementation);
	buf_printf(&full, "%s/%s", x->site->dir, buf_str(&folder));
	/* Most cells pass, and have no files: one look for all runs. */
	if (access(buf_str(&full), X_OK) != 0)
		end = from;
	for (size_t i = from; i < end; i++) {
		const struct survey_run *r = &x->s->runs[x->list[i]];
		struct kept k;

		stem.n = 0;
		variant_stem(&stem, r->variant, bytes_of(r->with_name ? r->with_name : ""), bytes_of(r->with ? r->with : ""));
		k = kept_find(buf_str(&full), buf_str(&stem));
		if (k.capture) {
			put_raw(&x->p, any.capture ? ", <a" : "<p class=\"minor\">Captures: <a");
			buf_printf(&full, "/%s.pcapng", buf_str(&stem));
			put_href(&x->p, buf_str(&full) + strlen(x->site->dir) + 1, NULL);
			full.n -= stem.n + strlen("/.pcapng");
			put_raw(&x->p, " download>");
			put_text(&x->p, buf_str(&stem));
			put_raw(&x->p, "</a>");
		}
		any.capture |= k.capture;
		if (k.ladder && !any.ladder) {
			buf_printf(ladder, "%s/%s.svg", buf_str(&folder), buf_str(&stem));
			any.ladder = true;
		}
	}
	put_raw(&x->p, any.capture ? "</p>\n" : "");
	buf_free(&folder);
	buf_free(&full);
	buf_free(&stem);
	return any;
}

static void put_ladder(struct page *p, const char *path)
{
	put_raw(p, "<figure class=\"ladder\"><a");
	put_href(p, path, NULL);
	put_raw(p, "><img loading=\"lazy\" alt=\"The run as a sequence diagram; the trace beside it says the same as text\"");
	put_path(p, "src", path, NULL);
	put_raw(p, "></a></figure>\n");
}

static const char *compared(const struct survey_run *r)
{
	static const char *const words[CHANGE_COUNT] = {
		"", "as expected", "not as expected", "new: no trace is expected here yet",
		"compared with another version, as information"
	};

	return words[r->change];
}

static void put_traces(struct cell *x, size_t from, size_t end, bool open)
{
	const struct survey_run *r = &x->s->runs[x->list[from]];
	const struct buf *trace = &x->traces[x->list[from] - x->c->first];
	struct buf b = { 0 };

	variants_text(&b, x->s, x->list + from, end - from);
	put_raw(&x->p, open ? "<details open><summary>Trace of <code>" : "<details><summary>Trace of <code>");
	put_text(&x->p, buf_str(&b));
	put_raw(&x->p, "</code> <span class=\"minor\">");
	put_text(&x->p, compared(r));
	if (r->expected_of) {
		put_raw(&x->p, ", ");
		put_text(&x->p, r->expected_of);
	}
	put_raw(&x->p, "</span></summary>\n");
	if (r->diff)
		put_diff(&x->p, r->diff);
	else if (trace->n)
		put_trace(x, r, buf_bytes(trace));
	else
		put_raw(&x->p, "<p>No trace was kept of these runs: the command for one of them, with <code>--keep all</code>, shows "
		               "it.</p>\n");
	b.n = 0;
	if (put_downloads(x, from, end, &b).ladder)
		put_ladder(&x->p, buf_str(&b));
	put_raw(&x->p, "</details>\n");
	buf_free(&b);
}

/* --- outcomes -------------------------------------------------------------------------------------------------------- */

/* Fills the list with the runs that ended as the first one that is not done, and marks them. */
static size_t take_outcome(struct cell *x, size_t first)
{
	const struct survey_run *r = &x->s->runs[first];
	size_t n = 0;

	for (size_t i = first; i < x->c->first + x->c->n; i++) {
		const struct survey_run *q = &x->s->runs[i];

		if (x->done[i - x->c->first] || q->outcome != r->outcome || q->change != r->change)
			continue;
		x->done[i - x->c->first] = true;
		x->list[n++] = i;
	}
	return n;
}

static void put_again(struct cell *x, size_t run)
{
	struct buf b = { 0 };

	again_command(&b, x->s, run);
	put_raw(&x->p, "<h3>To run only this again</h3>\n<pre class=\"command\" tabindex=\"0\"><code>");
	put_text(&x->p, buf_str(&b));
	put_raw(&x->p, "</code></pre>\n");
	buf_free(&b);
}

static void put_one_finding(struct cell *x, size_t run, size_t finding)
{
	const struct survey_finding *fd = &x->s->findings[finding];

	put_raw(&x->p, "<h3>");
	put_finding_badge(&x->p, x->s, run, finding);
	put_raw(&x->p, fd->noted ? " noted: a MAY that was not taken, " : " ");
	put_text(&x->p, fd->rule == NO_RULE ? "a precondition" : x->s->rules[fd->rule].name);
	buf_printf(&x->p.b, ", line %d</h3>\n", fd->line);
	put_finding(&x->p, x->site, run, finding);
}

static int most_serious_first(const void *a, const void *b, void *survey)
{
	const struct survey *s = survey;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int order = survey_rank(&s->findings[x]) - survey_rank(&s->findings[y]);

	return order ? order : (x > y) - (x < y);
}

static void put_findings(struct cell *x, size_t run)
{
	const struct survey_run *r = &x->s->runs[run];
	size_t *order = calloc(r->nfindings + 1, sizeof(*order));

	assert(order);
	for (size_t i = 0; i < r->nfindings; i++)
		order[i] = r->finding + i;
	if (r->nfindings)
		qsort_r(order, r->nfindings, sizeof(*order), most_serious_first, (void *)x->s);
	for (size_t i = 0; i < r->nfindings; i++)
		put_one_finding(x, run, order[i]);
	free(order);
	if (r->reason) {
		put_raw(&x->p, "<p class=\"reason\">");
		put_text(&x->p, r->reason);
		put_raw(&x->p, "</p>\n");
	}
	if (!r->nfindings)
		put_again(x, run);
}

static void put_outcome(struct cell *x, size_t first)
{
	size_t n = take_outcome(x, first);
	const struct survey_run *r = &x->s->runs[first];
	struct buf b = { 0 };

	variants_text(&b, x->s, x->list, n);
	put_raw(&x->p, "<section class=\"outcome\">\n<h2>");
	put_badge(&x->p, r->verdict, r->change == CHANGE_CHANGED);
	put_raw(&x->p, " in ");
	put_count(&x->p, n, "run", "runs");
	put_raw(&x->p, "</h2>\n<p><code>");
	put_text(&x->p, buf_str(&b));
	put_raw(&x->p, "</code></p>\n");
	put_findings(x, first);
	for (size_t from = 0, end; from < n && r->verdict != VERDICT_UNSUPPORTED; from = end) {
		end = same_trace(x, from, n);
		put_traces(x, from, end, from == 0 && (r->nfindings || r->diff));
	}
	put_raw(&x->p, "</section>\n");
	buf_free(&b);
}

/* The worst first; of equals in the order of their coming. */
static void put_outcomes(struct cell *x)
{
	for (;;) {
		const struct survey_run *worst = NULL;

		for (size_t i = x->c->first; i < x->c->first + x->c->n; i++) {
			const struct survey_run *r = &x->s->runs[i];

			if (!x->done[i - x->c->first] &&
			    (!worst || (worst->verdict != r->verdict && verdict_worse(worst->verdict, r->verdict) != worst->verdict)))
				worst = r;
		}
		if (!worst)
			return;
		put_outcome(x, (size_t)(worst - x->s->runs));
	}
}

/* --- the case -------------------------------------------------------------------------------------------------------- */

static bool line_failed(const struct cell *x, int line)
{
	for (size_t k = x->c->first; k < x->c->first + x->c->n; k++)
		for (size_t i = x->s->runs[k].finding; i < (size_t)x->s->runs[k].finding + x->s->runs[k].nfindings; i++)
			if (x->s->findings[i].line == line && !x->s->findings[i].noted)
				return true;
	return false;
}

static void put_prose(struct page *p, struct bytes prose)
{
	while (prose.n) {
		const uint8_t *end = memmem(prose.p, prose.n, "\n\n", 2);
		size_t len = end ? (size_t)(end - prose.p) : prose.n;

		put_raw(p, "<p>");
		markup_text(&p->b, (struct bytes){ prose.p, len });
		put_raw(p, "</p>\n");
		bytes_take(&prose, end ? len + 2 : len, &(struct bytes){ 0 });
	}
}

/* With the numbers that its lines have in the file; the prose on top has been shown. */
static void put_script(struct cell *x, const struct script *sc)
{
	struct bytes text = bytes_of(sc->text);
	bool begun = false;

	put_raw(&x->p, "<ol class=\"script\" tabindex=\"0\">\n");
	for (int number = 1; text.n; number++) {
		struct bytes line = next_line(&text);
		bool bad = line_failed(x, number);

		begun |= line.n && line.p[0] != '#';
		if (!begun)
			continue;
		buf_printf(&x->p.b, "<li id=\"line-%d\" value=\"%d\"%s><code>", number, number, bad ? " class=\"bad\"" : "");
		markup_text(&x->p.b, line);
		put_raw(&x->p, bad ? "</code> <strong>not kept</strong></li>\n" : "</code></li>\n");
	}
	put_raw(&x->p, "</ol>\n");
}

static void put_case(struct cell *x)
{
	const struct script *sc = x->s->cases[x->kase].script;

	put_raw(&x->p, "<section>\n<h2>The case</h2>\n");
	if (sc) {
		put_prose(&x->p, sc->prose);
		put_script(x, sc);
	} else {
		put_raw(&x->p, "<p>This case is not among those that lie beside the program that wrote the report.</p>\n");
	}
	put_raw(&x->p, "</section>\n");
}

static void put_top(struct cell *x)
{
	const struct survey_implementation *im = &x->s->implementations[x->implementation];
	struct buf title = { 0 }, name = { 0 };

	implementation_title(x->s, x->implementation, &name);
	buf_printf(&name, ": %s", case_title(x->s, x->kase, &title));
	page_begin(&x->p, "../../../../", buf_str(&name), SECTION_NONE);
	put_element(&x->p, "h1", buf_str(&name));
	put_raw(&x->p, "<p>");
	put_badge(&x->p, x->c->worst, x->c->changed);
	put_raw(&x->p, x->c->known ? " <span class=\"badge known\">known</span>" : "");
	put_raw(&x->p, " <code>");
	put_text(&x->p, x->s->cases[x->kase].name);
	put_raw(&x->p, "</code>, ");
	put_count(&x->p, x->c->n, "run", "runs");
	put_raw(&x->p, im->library ? " of " : "");
	put_text(&x->p, im->library);
	put_raw(&x->p, x->s->cases[x->kase].about_host ? "; about this host's TCP under the library" : "");
	put_raw(&x->p, ". <a");
	title.n = 0;
	buf_printf(&title, "case-%zu", x->kase);
	put_href(&x->p, "report/agreement.html", buf_str(&title));
	put_raw(&x->p, ">What others do here</a></p>\n");
	buf_free(&title);
	buf_free(&name);
}

bool site_cell(const struct site *site, size_t kase, size_t implementation, struct buf traces[], struct fault *f)
{
	const struct survey_cell *c = survey_cell(site->survey, kase, implementation);
	struct cell x = { .site = site, .s = site->survey, .kase = kase, .implementation = implementation, .c = c, .traces = traces,
	                  .list = calloc(c->n + 1, sizeof(size_t)), .done = calloc(c->n + 1, sizeof(bool)) };
	struct buf path = { 0 };
	bool ok;

	assert(x.list && x.done);
	put_top(&x);
	put_outcomes(&x);
	put_case(&x);
	cell_path(&path, x.s, kase, implementation);
	ok = page_write(&x.p, site, buf_str(&path), f);
	buf_free(&path);
	free(x.list);
	free(x.done);
	return ok;
}
