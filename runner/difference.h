/* difference: what became of each run from one session to a later one. Pure. */
#ifndef RUNNER_DIFFERENCE_H
#define RUNNER_DIFFERENCE_H

#include "runner/loaded.h"

/* In the order of their telling: the weightiest last. */
enum differs { DIFFERS_GONE, DIFFERS_NEW, DIFFERS_CHANGED, DIFFERS_FIXED, DIFFERS_BROKEN, DIFFERS_COUNT };
const char *differs_word(enum differs c);

/* What became of one run that is in both. Deviations are compared by requirement and weight, a fail or a failed precondition: one that was
 * not there is BROKEN; some that are gone, and none new, FIXED. All else that differs (warnings, what was observed, readings, runs without
 * a verdict) is CHANGED. False: nothing differs. */
bool run_differs(const json_t *before, const json_t *after, enum differs *c);

struct difference {                             /* the same change of runs of one case; owned by differences_free */
	enum differs change;
	char *key;
	json_t *before, *after;                 /* of the first of these runs, harmless; NULL: it was not there */
	struct variant_list in;
};
struct differences {
	struct difference *rows; size_t n;
	size_t runs[DIFFERS_COUNT], same;
	size_t undecided;                       /* runs that had a verdict, and are broken now: nobody knows what became of them */
};

/* Rows in the order of NEW; what is gone in that of OLD. */
void differences_find(const struct loaded *before, const struct loaded *after, struct differences *c);
void differences_free(struct differences *c);
void differences_print(struct buf *out, const struct differences *c, bool quiet);
json_t *differences_json(const struct differences *c);   /* a new object */

#endif
