/* changes: what a session is beside what was expected of it, for people: each difference once, with the variants it holds in.
 * Pure. */
#ifndef RUNNER_CHANGES_H
#define RUNNER_CHANGES_H

#include "runner/variant_list.h"

struct change;                                  /* one difference */
struct compared_with;                           /* one implementation's account: how many runs were the same, and so on */

struct changes {                                /* owned: changes_free; safe on zero and safe twice */
	struct change *list; size_t n;
	struct compared_with *with; size_t nwith;
};

/* The library's line when `of` was recorded ("openssl-3.0"); told before runs of it come. NULL: not known. */
void changes_recorded(struct changes *c, const char *of, const char *recorded);
/* One run's object, harmless (run_plain): its texts are printed as they are. */
void changes_take(struct changes *c, const json_t *run);
/* Each difference; those with another version's traces only if verbose. color: on a terminal. */
void changes_print(const struct changes *c, struct buf *out, bool verbose, bool color);
/* A line for each implementation that something is expected of. */
void changes_totals(const struct changes *c, struct buf *out);
void changes_free(struct changes *c);

#endif
