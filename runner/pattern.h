/* pattern: comparing what left in one direction with the words of a `wire` line. Pure. */
#ifndef RUNNER_PATTERN_H
#define RUNNER_PATTERN_H

#include "runner/decode.h"
#include "runner/script.h"

/* Does the whole sequence fit? NULL fits only an empty one. A `data N` takes any number of records that add up to N.
 * Where the pattern names both FIN and RST, a RST right behind a FIN at the end counts as the RST as well. */
bool pattern_fits(const struct node *pattern, const struct item *items, size_t n);
/* Leaves out, in place, what a pattern passes over unless it names it: the handshake, tickets, a user_canceled right before a close_notify.
 * Returns how many items are left. */
size_t pattern_filter(const struct node *pattern, struct item *items, size_t n);
/* The sequence in words, data joined: `data 5 close_notify fin`; `nothing` for none. */
void items_print(struct buf *out, const struct item *items, size_t n);

#endif
