/* join: the traces of a case (DIR/IMPLEMENTATION/THEME/CASE.trace) from one session's folder put to those in another's. */
#ifndef RUNNER_JOIN_H
#define RUNNER_JOIN_H

#include "runner/plan.h"

/* Adds the variants of the file `from` to the file `to`, which is made where it is not there. No file `from`: nothing to do. s: a script of
 * the case. False: *f; of a file that is wrong with its place, and then `to` is as it was. */
bool traces_join(const char *from, const char *to, const struct script *s, struct fault *f);

#endif
