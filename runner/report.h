/* report: a session as it is told while it goes on: to people or machines on standard output, and in the files of -o (results.json,
 * junit.xml), which are there when it has ended, whole. */
#ifndef RUNNER_REPORT_H
#define RUNNER_REPORT_H

#include "runner/format.h"

struct report_options {
	struct format_about about;
	const struct format *format;            /* what standard output gets */
	bool progress;                          /* a line on stderr that counts, for terminals */
	const char *out_dir;                    /* NULL: no files */
};

struct report;                                  /* owned: report_end frees it */

/* out: standard output. NULL: *f. */
struct report *report_start(const struct report_options *o, FILE *out, struct fault *f);
/* One run: its object as text, and parsed (report_take). False: something could not be written; *f of report_end tells. */
bool report_run(struct report *r, const char *json, size_t len);
bool report_take(struct report *r, const json_t *run, const char *text, size_t len);

/* Tells the findings and totals, completes the files (partial: marked so), frees. False: something could not be written, *f; no file that
 * was not written whole stands under its name. */
bool report_end(struct report *r, bool partial, int64_t took_us, int64_t runs_us, struct totals *t, struct fault *f);

#endif
