/* kept: the files of runs as they lie below DIR/IMPLEMENTATION/THEME/CASE/ (written by keep), looked up run by run. */
#ifndef RUNNER_KEPT_H
#define RUNNER_KEPT_H

#include "peer/bytes.h"

struct kept { bool trace, capture, ladder; };   /* which of them are there */

/* "client-1.3-blocking" or "client-1.3-blocking-K=5": what a run's files are called. with_name: n 0 for none. */
void kept_stem(struct buf *out, unsigned variant, struct bytes with_name, struct bytes with);
/* folder: of the case. Nothing is there under a stem that leads out of it. */
struct kept kept_find(const char *folder, const char *stem);
/* Appends the text of the trace without the comment lines in front. False: it is not there, or cannot be read. */
bool kept_trace(const char *folder, const char *stem, struct buf *out);

/* One run's trace within the text of a CASE.trace, which has those of all variants of its case: blocks that begin with lines like
 * `variants client|server 1.3 memory K=1|5`, then perhaps the deviations that they have, and the trace up to a blank line. n 0: it has none.
 * The result points into the text. */
struct bytes kept_block(struct bytes text, unsigned variant, struct bytes with_name, struct bytes with);

#endif
