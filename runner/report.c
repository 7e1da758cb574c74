/* report: a session as it is told while it goes on. */
#include "runner/report.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "runner/outfile.h"

/* Where one format goes: standard output, or a file that takes its name in the end. */
struct sink {
	struct formatting formatting;
	struct outfile file;
	FILE *to;
};

enum { SINKS_MAX = 3 };

struct report {
	struct report_options o;
	struct summary summary;
	struct sink sinks[SINKS_MAX]; size_t nsinks;
	struct buf text;                        /* what a format has made, until it is written */
	bool failed;                            /* something could not be written */
};

/* --- sinks ------------------------------------------------------------------------------------------------------------- */

/* What has been made goes out at once, so that who looks sees how far it is. */
static void flush_sink(struct report *r, struct sink *s)
{
	if (r->text.n && (fwrite(r->text.p, 1, r->text.n, s->to) != r->text.n || fflush(s->to) != 0))
		r->failed = true;
	r->text.n = 0;
}

static struct sink *add_sink(struct report *r, FILE *to)
{
	struct sink *s = &r->sinks[r->nsinks++];

	assert(r->nsinks <= SINKS_MAX);
	s->to = to;
	return s;
}

static void begin_sink(struct report *r, struct sink *s, const struct format *format)
{
	format_begin(&s->formatting, format, &r->o.about, &r->text);
	flush_sink(r, s);
}

static bool add_file(struct report *r, const char *name, const struct format *format, struct fault *f)
{
	struct outfile file;
	struct buf path = { 0 };
	struct sink *s;
	bool ok;

	buf_printf(&path, "%s/%s", r->o.out_dir, name);
	ok = outfile_open(&file, buf_str(&path), f);
	buf_free(&path);
	if (!ok)
		return false;
	s = add_sink(r, file.file);
	s->file = file;
	begin_sink(r, s, format);
	return true;
}

/* A file is given up if it is not whole; standard output is only looked at. */
static bool end_sink(struct report *r, struct sink *s, const struct format_last *last, struct fault *f)
{
	bool is_file = s->file.path != NULL;

	format_end(&s->formatting, last, &r->text);
	flush_sink(r, s);
	if (is_file)
		return outfile_close(&s->file, true, f);
	return !ferror(s->to) || fault_machine(f, "cannot write to standard output:");
}

/* --- the session ------------------------------------------------------------------------------------------------------- */

static bool start_sinks(struct report *r, FILE *out, struct fault *f)
{
	if (r->o.out_dir && !(add_file(r, "results.json", &format_json, f) && add_file(r, "junit.xml", &format_junit, f)))
		return false;
	begin_sink(r, add_sink(r, out), r->o.format);
	return true;
}

static void report_free(struct report *r)
{
	struct fault none;

	for (size_t i = 0; i < r->nsinks; i++)
		outfile_close(&r->sinks[i].file, false, &none);
	summary_free(&r->summary);
	buf_free(&r->text);
	free(r);
}

struct report *report_start(const struct report_options *o, FILE *out, struct fault *f)
{
	struct report *r = calloc(1, sizeof(*r));

	assert(r);
	*r = (struct report){ .o = *o };
	if (start_sinks(r, out, f))
		return r;
	report_free(r);
	return NULL;
}

static void progress_line(const struct report *r)
{
	const struct totals *t = &r->summary.totals;

	fprintf(stderr, "\r\033[K%zu/%zu", t->runs, r->o.about.planned);
	for (int v = 0; v < VERDICT_COUNT; v++)
		if (t->verdicts[v])
			fprintf(stderr, "  %s %zu", verdict_word((enum verdict)v), t->verdicts[v]);
	fflush(stderr);
}

bool report_take(struct report *r, const json_t *run, const char *text, size_t len)
{
	summary_take(&r->summary, run);
	for (size_t i = 0; i < r->nsinks; i++) {
		format_run(&r->sinks[i].formatting, run, text, len, &r->text);
		flush_sink(r, &r->sinks[i]);
	}
	if (r->o.progress && (r->summary.totals.runs % 8 == 0 || r->summary.totals.runs == r->o.about.planned))
		progress_line(r);
	return !r->failed;
}

bool report_run(struct report *r, const char *json, size_t len)
{
	json_t *run = json_loadb(json, len, 0, NULL);
	bool ok;

	assert(run);
	ok = report_take(r, run, json, len);
	json_decref(run);
	return ok;
}

bool report_end(struct report *r, bool partial, int64_t took_us, int64_t runs_us, struct totals *t, struct fault *f)
{
	struct format_last last = { &r->summary, partial || r->failed };
	bool ok = true;

	r->summary.totals.took_us = took_us;
	r->summary.totals.runs_us = runs_us;
	if (r->o.progress)
		fprintf(stderr, "\r\033[K");
	for (size_t i = 0; i < r->nsinks; i++)
		ok = end_sink(r, &r->sinks[i], &last, ok ? f : &(struct fault){ 0 }) && ok;
	*t = r->summary.totals;
	report_free(r);
	return ok;
}
