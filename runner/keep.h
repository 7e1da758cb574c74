/* keep: the files of a run, below DIR/IMPLEMENTATION/THEME/CASE/: its trace, its capture and its ladder; or single
 * ones under names that the user gave. */
#ifndef RUNNER_KEEP_H
#define RUNNER_KEEP_H

#include "runner/result.h"

enum keep { KEEP_FINDINGS, KEEP_ALL, KEEP_NONE };
struct keeping {
	const char *out_dir;                    /* NULL: keep no files */
	enum keep what;
	const char *pcapng, *svg, *text;        /* NULL, or where these of the one run go, whatever its verdict: capture, ladder, decode */
};

/* Writes those files that the run's verdict asks for, and removes what another session left under their names where it asks for
 * none. False: one could not be written, *f. */
bool keep_files(const struct keeping *k, const struct evidence *e, const struct run_name *r, const struct judgement *j, struct fault *f);

#endif
