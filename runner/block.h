/* block: what stands below `variants` in an expected trace (runner/expected.h): one account of what was done, or, where runs of the same
 * variant differ, each that was seen. Pure. */
#ifndef RUNNER_BLOCK_H
#define RUNNER_BLOCK_H

#include "peer/bytes.h"

struct deviation {
	char *requirement;                      /* NULL: a precondition that did not hold */
	char *reason, *link;                    /* reason: "" for none yet; link: NULL for none */
};
struct deviations { struct deviation *list; size_t n; };        /* owned: deviations_free; sorted, each requirement once */

struct account {
	struct deviations deviations;
	struct buf trace;                       /* its text, or "unsupported\n" */
};

struct block {                                  /* owned: block_free; safe on zero and safe twice */
	bool *in;                               /* by number of variant; expected.c's, NULL for a block that stands alone */
	char *varies, *link;                    /* why runs differ, and where that is talked about, or NULL; NULL: they do not */
	struct account *accounts; size_t n;     /* one; where it varies at least two, each once, in the order of their bare texts */
};

/* Adds a requirement (NULL: a precondition) if it is not there. */
void deviations_add(struct deviations *d, const char *requirement, const char *reason, const char *link);
const struct deviation *deviations_find(const struct deviations *d, const char *requirement);   /* NULL: it is not there */
void deviations_free(struct deviations *d);

/* Takes over an account, and leaves a zero. False: one of the same bare text is there, and it stays as it was; a is freed. */
bool block_add(struct block *b, struct account *a);
bool block_has(const struct block *b, const struct account *a);         /* one of the same bare text */
/* All but `in`. */
void block_copy(struct block *to, const struct block *from);
void block_free(struct block *b);

/* The account with this bare text; if there is none, the nearest by lines. same: which of the two. NULL: the block has none. */
const struct account *block_nearest(const struct block *b, struct bytes bare, bool *same);
/* Does one of its accounts break this requirement (NULL: a precondition)? */
bool block_breaks(const struct block *b, const char *requirement);

/* The text of an account. bare: without reasons and links, as accounts are compared. */
void account_print(struct buf *out, const struct deviations *d, struct bytes trace, bool bare);
void block_print(struct buf *out, const struct block *b);

#endif
