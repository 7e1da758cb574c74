/* pool: worker processes, each in a sandbox of its own, that take the plan's runs one by one and send back what came of them. */
#ifndef RUNNER_POOL_H
#define RUNNER_POOL_H

#include "runner/plan.h"
#include "runner/judge.h"
#include "runner/keep.h"

struct job {                                    /* what all workers share; set up before they start */
	const struct catalogue *catalogue;
	struct adapter *adapters; size_t nadapters;     /* their greetings are known */
	const struct plan *plan;
	struct keeping keep;
	int workers;
};

/* Told in the order of the plan. json: the run's object as text, valid during the call. Return false to stop. */
typedef bool pool_result(void *to, size_t index, enum verdict verdict, const char *json, size_t len);

struct pool_times { int64_t all_us, runs_us; };        /* runs: from the first one's start to the last one's end, without setting up */

enum pooled { POOL_DONE, POOL_STOPPED, POOL_FAILED };

/* Runs the plan. POOL_STOPPED: interrupted (SIGINT, SIGTERM) or told to; what was done was told. POOL_FAILED: *f, no worker could go on. */
enum pooled pool_run(const struct job *job, pool_result *tell, void *to, struct pool_times *took, struct fault *f);

#endif
