/* recording: writes expected/IMPLEMENTATION-VERSION whole: in a folder beside it, which then takes its place. */
#ifndef RUNNER_RECORDING_H
#define RUNNER_RECORDING_H

#include "runner/expected.h"

struct recording { const char *dir, *name, *library; };         /* dir/name; the library's line */
struct recorded { size_t same, changed, fresh, gone; };         /* cases, beside what lay there */

/* The cases' traces. whole: there are no others; otherwise those of other cases stay as they are.
 * False: *f, and what lay there still lies there. */
bool recording_write(const struct recording *r, const struct expected *cases, size_t n, bool whole, struct recorded *did, struct fault *f);

#endif
