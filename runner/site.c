/* site: the report that people open in a browser. */
#include "runner/site.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/expected.h"
#include "runner/kept.h"
#include "runner/lex.h"
#include "runner/outfile.h"
#include "runner/results.h"
#include "runner/site_page.h"
#include "runner/variants.h"

/* runner/site.css and site.js, made into C by the Makefile. */
static const char css[] =
#include "runner/site.css.inc"
	;
static const char js[] =
#include "runner/site.js.inc"
	;

static bool take_run(void *to, json_t *run, const char *text, size_t len, struct fault *f)
{
	(void)text;
	(void)len;
	return survey_add(to, run, f);
}

static bool read_results(const char *dir, struct survey *s, struct results_about *about, struct fault *f)
{
	struct buf path = { 0 };
	bool ok;

	buf_printf(&path, "%s/results.json", dir);
	ok = results_read(buf_str(&path), take_run, s, about, f);
	buf_free(&path);
	if (ok)
		survey_done(s);
	return ok;
}

/* DIR/IMPLEMENTATION/THEME/CASE.trace has the traces of all variants; zero if there is none. False: it is wrong, *f tells where. */
static bool load_case_traces(const char *folder, struct expected *x, struct fault *f)
{
	struct buf path = { 0 }, text = { 0 };
	bool ok = true;

	*x = (struct expected){ 0 };
	buf_printf(&path, "%s.trace", folder);
	if (access(buf_str(&path), F_OK) == 0)
		ok = file_load(buf_str(&path), (size_t)1 << 26, &text, f) &&
		     expected_parse(x, buf_str(&path), buf_str(&text), text.n, NULL, f);
	buf_free(&path);
	buf_free(&text);
	return ok;
}

static bool load_traces(const struct site *site, struct survey *s, size_t kase, size_t implementation, struct buf *traces, struct fault *f)
{
	const struct survey_cell *c = survey_cell(s, kase, implementation);
	struct buf folder = { 0 }, stem = { 0 };
	struct expected all;
	bool ok, own;                               /* runs of the cell have files of their own; most cells pass, and have none */

	buf_printf(&folder, "%s/", site->dir);
	evidence_folder(&folder, s, kase, implementation);
	ok = load_case_traces(buf_str(&folder), &all, f);
	own = access(buf_str(&folder), X_OK) == 0;
	for (size_t i = 0; i < c->n && ok; i++) {
		const struct survey_run *r = &s->runs[c->first + i];
		const struct block *block;
		struct bytes with_name = bytes_of(r->with_name ? r->with_name : ""), with = bytes_of(r->with ? r->with : "");

		stem.n = 0;
		variant_stem(&stem, r->variant, with_name, with);
		block = expected_find(&all, r->variant, with);
		if ((!own || !kept_trace(buf_str(&folder), buf_str(&stem), &traces[i])) && block)
			buf_add_bytes(&traces[i], buf_bytes(&block->accounts[0].trace));  /* a run has one */
		if (traces[i].n)
			survey_behaves(s, c->first + i, buf_bytes(&traces[i]));
	}
	buf_free(&folder);
	buf_free(&stem);
	expected_free(&all);
	return ok;
}

static bool write_cell(const struct site *site, struct survey *s, size_t kase, size_t implementation, struct fault *f)
{
	const struct survey_cell *c = survey_cell(s, kase, implementation);
	struct buf *traces = calloc(c->n + 1, sizeof(*traces));
	bool ok;

	assert(traces);
	ok = load_traces(site, s, kase, implementation, traces, f) && (!c->n || site_cell(site, kase, implementation, traces, f));
	for (size_t i = 0; i < c->n; i++)
		buf_free(&traces[i]);
	free(traces);
	return ok;
}

static bool write_cells(const struct site *site, struct survey *s, struct fault *f)
{
	for (size_t k = 0; k < s->ncases; k++)
		for (size_t i = 0; i < s->nimplementations; i++)
			if (!write_cell(site, s, k, i, f))
				return false;
	return true;
}

static bool write_shared(const struct site *site, const char *name, const char *text, struct fault *f)
{
	struct buf path = { 0 };
	bool ok;

	buf_printf(&path, "%s/report/%s", site->dir, name);
	ok = outfile_put(buf_str(&path), bytes_of(text), f);
	buf_free(&path);
	return ok;
}

static bool write_pages(struct site *site, struct survey *s, struct fault *f)
{
	bool ok = write_shared(site, "report.css", css, f) && write_shared(site, "report.js", js, f) && write_cells(site, s, f);

	site->agreements = calloc(s->ncases + 1, sizeof(*site->agreements));
	assert(site->agreements);
	for (size_t k = 0; k < s->ncases && ok; k++)
		agreement_of(s, k, &site->agreements[k]);
	ok = ok && site_requirements(site, f) && site_agreement(site, f) && site_index(site, f);
	for (size_t k = 0; k < s->ncases; k++)
		agreement_free(&site->agreements[k]);
	free(site->agreements);
	return ok;
}

bool site_write(const char *dir, const struct catalogue *c, bool *wrong_input, struct fault *f)
{
	struct survey s;
	struct results_about about = { 0 };
	struct site site = { .dir = dir, .survey = &s, .version = about.closedrill };
	bool ok;

	survey_start(&s, c);
	ok = read_results(dir, &s, &about, f);
	if (wrong_input)
		*wrong_input = !ok;
	site.partial = about.partial;
	if (ok && !(ok = write_pages(&site, &s, f)) && wrong_input)
		*wrong_input = f->line > 0;     /* a place: of a trace that it read */
	json_decref(about.rest);
	survey_free(&s);
	return ok;
}
