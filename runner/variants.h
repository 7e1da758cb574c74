/* variants: a set of a case's variants, and its words: `client|server 1.3 blocking|memory K=1|5`, a line for each whole product. Pure. */
#ifndef RUNNER_VARIANTS_H
#define RUNNER_VARIANTS_H

#include "runner/script.h"

enum { VARIANTS = 12 };                         /* of one value of `with`; number: value * VARIANTS + (role, version, mode) */

/* The number of a variant (FOR_ bits of one role, version and mode) among those of one value, and back. */
size_t variant_number(unsigned variant);
unsigned variant_of_number(size_t number);
/* The words of a variant, as they stand in files and on command lines: "client" or "server"; "1.2" or "1.3"; "blocking",
 * "nonblocking" or "memory". */
const char *variant_role(unsigned variant);
const char *variant_tls(unsigned variant);
const char *variant_io(unsigned variant);
/* The variant that has these three words; 0: one of them is none. */
unsigned variant_of_words(const char *role, const char *tls, const char *io);

/* "client-1.3-blocking" or "client-1.3-blocking-K=5": what a run's files are called. with_name: n 0 for none. A slash in
 * either stands as %2f, so that the name leads nowhere else. */
void variant_stem(struct buf *out, unsigned variant, struct bytes with_name, struct bytes with);

/* Appends a line of `in` (nwith * VARIANTS of them) for each product: the largest one with the first variant that is left, again and
 * again. with_name NULL: the case has no `with`, and nwith is 1. Each line begins with `head` and ends with a newline. */
void variants_print(struct buf *out, const char *head, const bool *in, const char *with_name, char *const *with, size_t nwith);

#endif
