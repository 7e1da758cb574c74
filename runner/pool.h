/* pool: worker processes, each in a sandbox of its own, that take the plan's runs one by one and send back what came of them. */
#ifndef RUNNER_POOL_H
#define RUNNER_POOL_H

#include "runner/plan.h"
#include "runner/expectations.h"
#include "runner/judge.h"
#include "runner/keep.h"

struct job {                                    /* what all workers share; set up before they start */
	const struct catalogue *catalogue;
	struct adapter *adapters; size_t nadapters;     /* their greetings are known */
	const struct plan *plan;
	struct keeping keep;
	const struct expectations *expected;    /* one for each adapter; NULL: nothing is expected */
	int workers;
};

struct told {                                   /* what came of one run; valid during the call */
	enum verdict verdict;
	struct bytes json;                      /* its object as text; a NUL stands behind it */
	struct bytes body;                      /* what it did, as below `variants` in an expected trace; empty for a broken one */
};

/* Told in the order of the plan. Return false to stop. */
typedef bool pool_result(void *to, size_t index, const struct told *t);

struct pool_times { int64_t all_us, runs_us; };        /* runs: from the first one's start to the last one's end, without setting up */

enum pooled { POOL_DONE, POOL_STOPPED, POOL_FAILED };

/* Runs the plan. POOL_STOPPED: interrupted (SIGINT, SIGTERM) or told to; what was done was told. POOL_FAILED: *f, no worker could go on. */
enum pooled pool_run(const struct job *job, pool_result *tell, void *to, struct pool_times *took, struct fault *f);

#endif
