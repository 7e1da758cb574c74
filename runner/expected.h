/* expected: what one implementation is known to do in one case, in all variants: THEME/CASE.trace of expected/IMPLEMENTATION-VERSION. Pure.
 *
 *	case truncation/fin-instead-of-notify
 *
 *	variants client|server 1.2 blocking|nonblocking
 *	variants client 1.3 memory K=1|5
 *	deviation nothing-after-notify "why it is so" https://where.it/is/talked/about
 *	handshake -> ok as SSL_do_handshake=1
 *	iut   read -> truncated as SSL_read=0 SSL_ERROR_SSL
 *
 *	variants server 1.2 blocking
 *	varies "why runs differ" https://where.it/is/talked/about
 *	handshake -> ok
 *	iut   close -> ok
 *	or
 *	handshake -> ok
 *	iut   close -> error
 *
 *	end
 *
 * Variants with the same account stand once, above it. The account of a run is what is compared: the requirements that it breaks, sorted
 * (`deviation`; `inconclusive` where a precondition did not hold), and its trace, or `unsupported`. Reason and link are people's, and
 * not compared; a reason of "" waits for one. Texts in quotes in native returns are left out: they are for people too, and change
 * with a library's patch version or the machine's language.
 *
 * `varies`: the implementation does now this and now that, by nothing that the case decides; somebody has found out why. All accounts
 * that real runs gave stand there, `or` between them. A run is as expected if it is one of them. */
#ifndef RUNNER_EXPECTED_H
#define RUNNER_EXPECTED_H

#include "runner/block.h"
#include "runner/script.h"

struct expected {                               /* owned: expected_free; safe on zero and safe twice */
	char *name;                             /* THEME/CASE */
	char *with_name; char **with; size_t nwith;     /* NULL and one value of "" where the case has no `with` */
	struct block *blocks; size_t n;         /* with `in` of nwith * 12; in the order of the plan by their first variants */
};

/* None yet, for this case. */
void expected_start(struct expected *x, const struct script *s);
void expected_free(struct expected *x);

/* The whole text of a file. s: the case (with any of its `with` values) that the file has to be of, and whose variants it may have; NULL:
 * any. False: *f tells where and why; *x is zero. */
bool expected_parse(struct expected *x, const char *path, const char *text, size_t n, const struct script *s, struct fault *f);
/* The one text of these values: parsed and printed again it is the same. */
void expected_print(struct buf *out, const struct expected *x);

/* The block of a variant (FOR_ bits of one role, version and mode) and a value of `with` ("" if there is none); NULL: not known. */
const struct block *expected_find(const struct expected *x, unsigned variant, struct bytes with);
/* Adds a variant with what stands below `variants` in a file: the body of one account, or the whole of a block. */
void expected_add(struct expected *x, unsigned variant, struct bytes with, struct bytes body);

/* The account of a body that a run was told with: account_print gave it. The caller's. */
struct account account_of(struct bytes body);

#endif
