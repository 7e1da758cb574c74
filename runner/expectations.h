/* expectations: the traces of one implementation in expected/, found by the version that its library tells,
 * and loaded before anything runs. */
#ifndef RUNNER_EXPECTATIONS_H
#define RUNNER_EXPECTATIONS_H

#include "runner/expected.h"
#include "runner/plan.h"

struct expectations {                           /* owned: expectations_free; safe on zero and safe twice */
	char of[96];                            /* "openssl-3.0"; "": there are none for this implementation */
	bool own;                               /* of this very version; otherwise of the nearest one, which is information */
	char *recorded;                         /* the library's line when it was recorded; NULL: not known */
	struct expected *cases; size_t n;       /* by number of script: the first of each case; a name of NULL: no file */
};

/* "openssl-3.0" of the name "openssl" and the line "OpenSSL 3.0.22"; only the name where the line has no version. */
void expectations_name(char *out, size_t cap, const char *name, const char *library);

/* Of the folder `dir` the implementation's own folder, or that of the nearest version; there of those cases that sel takes. lenient:
 * variants that a case no longer has are passed over, for who writes them anew. No folder: true, and nothing is expected.
 * False: *f, a file that is wrong has its place. */
bool expectations_load(struct expectations *x, const char *dir, const char *name, const char *library, const struct catalogue *s,
                       const struct selection *sel, bool lenient, struct fault *f);
void expectations_free(struct expectations *x);

/* The block of one run; NULL: not known. */
const struct block *expectations_find(const struct expectations *x, const struct catalogue *s, size_t script, unsigned variant);

#endif
