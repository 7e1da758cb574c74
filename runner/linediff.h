/* linediff: two texts line by line, by their longest common subsequence. Pure. */
#ifndef RUNNER_LINEDIFF_H
#define RUNNER_LINEDIFF_H

#include "peer/bytes.h"

/* Appends all lines of both: those of both behind ' ', those of before alone behind '-', those of after alone behind '+'; where lines
 * were exchanged the old ones stand first. Texts of more than some thousand lines are told as exchanged from their first difference to
 * their last. */
void linediff(struct buf *out, struct bytes before, struct bytes after);

/* Appends a diff with only `context` lines around each change, and ` ...` where lines were left out. */
void linediff_short(struct buf *out, struct bytes diff, size_t context);

#endif
