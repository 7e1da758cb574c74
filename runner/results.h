/* results: reads a results.json run by run, so that a session of any size takes the memory of one run. */
#ifndef RUNNER_RESULTS_H
#define RUNNER_RESULTS_H

#include <jansson.h>

#include "peer/fault.h"

struct results_about {                          /* what stands beside the runs */
	char closedrill[32];                    /* the version that wrote it */
	bool partial;
	size_t runs;                            /* as many objects as were handed over */
	json_t *rest;                           /* all other members, `totals` among them; owned: json_decref */
};

/* One run's object, valid during the call, and its text as it stands in the file (no NUL behind it). False: stop, *f is set. */
typedef bool results_run(void *to, json_t *run, const char *text, size_t len, struct fault *f);

/* For `each`: the run is none that can be understood. results_read puts the place of the run to it. Returns false. */
bool results_wrong_run(struct fault *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* False: the file cannot be read, is no results.json, is cut short, or comes from a version that means something else by it; or
 * `each` said so. *f tells, with its place. about may be NULL; on false its rest is NULL. */
bool results_read(const char *path, results_run *each, void *to, struct results_about *about, struct fault *f);

#endif
