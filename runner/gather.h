/* gather: the runs of a session, as they are told in the plan's order, case by case as expected traces. Pure. */
#ifndef RUNNER_GATHER_H
#define RUNNER_GATHER_H

#include "runner/expected.h"
#include "runner/plan.h"

/* All runs of a case are there; x holds those that were not broken, at least one. It is freed
 * afterwards; who wants to keep it leaves a zero. False: stop. */
typedef bool gather_case(void *to, uint32_t implementation, struct expected *x);

struct gather {                                 /* set the first four; gather_end ends it */
	const struct catalogue *catalogue;
	const struct plan *plan;
	gather_case *done;
	void *to;
	size_t last;                            /* the run taken last */
	bool open;                              /* x is begun */
	struct expected x;
};

/* False: `done` said so. body: as workers tell it, empty for a broken run. */
bool gather_run(struct gather *g, size_t index, struct bytes body);
/* The last case. complete: false drops it, as runs of it may be missing. */
bool gather_end(struct gather *g, bool complete);

#endif
