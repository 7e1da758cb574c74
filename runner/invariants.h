/* invariants: the rules that hold in every run, with no line in any case. Pure. One place for all of them. */
#ifndef RUNNER_INVARIANTS_H
#define RUNNER_INVARIANTS_H

#include "runner/judge.h"

/* Tells of one broken rule: its name, the step during which it was broken, and what was seen (copied). */
typedef void invariant_broken(void *to, const char *rule, size_t step, const char *allowed, const char *observed);

void invariants_check(const struct evidence *e, invariant_broken *tell, void *to);

#endif
