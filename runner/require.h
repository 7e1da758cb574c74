/* require: the rules (cases/requirements), each with level and clause. Pure. */
#ifndef RUNNER_REQUIRE_H
#define RUNNER_REQUIRE_H

#include "peer/bytes.h"
#include "peer/fault.h"

enum level { LEVEL_MUST, LEVEL_PROMISE, LEVEL_SHOULD, LEVEL_MAY };
/* What an earlier call on the connection must have said for a rule to be asked of a call. */
enum behind { BEHIND_ANYTHING, BEHIND_ERROR, BEHIND_END };
enum { IN_TLS12 = 0, IN_TLS13 = 1, TLS_VERSIONS = 2 };

struct requirement {
	char *name;
	char *says;
	enum level level[TLS_VERSIONS];
	char *clause[TLS_VERSIONS];             /* "RFC 8446 6.1; RFC 9846 6.1" */
	char *disputed[TLS_VERSIONS];           /* the reason; NULL: not disputed. A disputed rule weighs as a SHOULD */
	bool always;                            /* an invariant of every run */
	bool two_readings;                      /* followed as written or as everyone practises it: a run says which */
	enum behind behind;
	int line;
};

struct requirements { struct requirement *rows; size_t n; };    /* owned: requirements_free */

const char *level_word(enum level l);           /* "MUST" */

/* False: *f tells the place. Every requirement has a level, a clause and a sentence, and no name twice. */
bool requirements_parse(struct requirements *r, const char *path, const char *text, size_t n, struct fault *f);
bool requirements_load(struct requirements *r, const char *path, struct fault *f);
void requirements_free(struct requirements *r);
const struct requirement *requirement_find(const struct requirements *r, struct bytes name);   /* NULL: none */
const char *requirement_nearest(const struct requirements *r, struct bytes name);              /* NULL: none near */

#endif
