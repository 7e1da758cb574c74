/* session: what the commands that play cases set up: the implementations with their greetings, the plan, and what is expected of each. */
#ifndef RUNNER_SESSION_H
#define RUNNER_SESSION_H

#include "runner/run_args.h"

struct session {                                /* owned: session_end; safe on zero and safe twice */
	const struct catalogue *catalogue;
	struct selection selection;
	struct adapter *adapters; size_t n;
	struct expectations *expected;          /* one for each adapter */
	struct plan plan;
	struct shard shard;                     /* of how many runs, once the plan is known */
	struct job job;                         /* points to these */
};

/* expected: the folder of expected traces; NULL: none. lenient: as expectations_load. Prints what is wrong and returns the exit status;
 * 0: all is set up. In any case session_end. */
int session_start(struct session *s, const struct run_args *a, const struct places *at, const struct catalogue *c, const char *expected,
                  bool lenient);
void session_end(struct session *s);

#endif
