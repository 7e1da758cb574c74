/* compare: what became of each run from one session to a later one. Pure. */
#ifndef RUNNER_COMPARE_H
#define RUNNER_COMPARE_H

#include "runner/session.h"

/* In the order of their telling: the weightiest last. */
enum change { CHANGE_GONE, CHANGE_NEW, CHANGE_CHANGED, CHANGE_FIXED, CHANGE_BROKEN, CHANGE_COUNT };
const char *change_word(enum change c);

/* What became of one run that is in both. Deviations are compared by requirement and weight, a fail or a failed precondition: one that was
 * not there is BROKEN; some that are gone, and none new, FIXED. All else that differs (warnings, what was observed, readings, runs without a
 * verdict) is CHANGED. False: nothing differs. */
bool run_compare(const json_t *before, const json_t *after, enum change *c);

struct difference {                             /* the same change of runs of one case; owned by comparison_free */
	enum change change;
	char *key;
	json_t *before, *after;                 /* of the first of these runs, harmless; NULL: it was not there */
	struct variants in;
};
struct comparison {
	struct difference *rows; size_t n;
	size_t runs[CHANGE_COUNT], same;
	size_t undecided;                       /* runs that had a verdict, and are broken now: nobody knows what became of them */
};

/* Rows in the order of NEW; what is gone in that of OLD. */
void sessions_compare(const struct session *before, const struct session *after, struct comparison *c);
void comparison_free(struct comparison *c);
void comparison_print(struct buf *out, const struct comparison *c, bool quiet);
json_t *comparison_json(const struct comparison *c);   /* a new object */

#endif
