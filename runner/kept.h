/* kept: the files of runs as they lie below DIR/IMPLEMENTATION/THEME/CASE/ (written by keep), looked up run by run. */
#ifndef RUNNER_KEPT_H
#define RUNNER_KEPT_H

#include "peer/bytes.h"

struct kept { bool trace, capture, ladder; };   /* which of them are there */

/* folder: of the case; stem: variant_stem. Nothing is there under a stem that leads out of it. */
struct kept kept_find(const char *folder, const char *stem);
/* Appends the text of the trace without the comment lines in front. False: it is not there, or cannot be read. */
bool kept_trace(const char *folder, const char *stem, struct buf *out);

#endif
