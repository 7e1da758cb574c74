/* report: what a session tells people and machines: the progress line, each finding once with the variants it holds in, totals, results.json. */
#ifndef RUNNER_REPORT_H
#define RUNNER_REPORT_H

#include <stdio.h>

#include "runner/changes.h"
#include "runner/judge.h"

struct report_options {
	bool verbose, quiet;                    /* -v: a line for each run, and noted deviations; -q: only totals */
	bool color, progress;                   /* on a terminal */
	const char *out_dir;                    /* NULL: none */
	const char *cases;                      /* the folder, as places of findings are shown below it */
	bool captures;                          /* files were kept for findings */
};

struct report;                                  /* owned: report_end frees it */

/* out: for people; results.json is begun in out_dir if there is one. NULL: *f. */
struct report *report_start(const struct report_options *o, size_t nruns, FILE *out, struct fault *f);
/* One run's object. False: results.json could not be written; *f of report_end tells. */
bool report_run(struct report *r, size_t index, enum verdict verdict, const char *json, size_t len);

/* The library's line when the traces of `of` were recorded, so that a change can be told with it. */
void report_recorded(struct report *r, const char *of, const char *recorded);

struct totals {
	size_t verdicts[VERDICT_COUNT], about_host, runs;
	size_t changed, unexpected;             /* runs that are not as expected; that fail or are inconclusive by what is not known */
};
/* Prints the findings and totals, completes results.json (partial: marked so), frees. False: it could not be written, *f. */
bool report_end(struct report *r, bool partial, int64_t took_us, int64_t runs_us, struct totals *t, struct fault *f);

#endif
