/* agreement: which implementations behave alike in a case, and where one stands alone. Pure. */
#ifndef RUNNER_AGREEMENT_H
#define RUNNER_AGREEMENT_H

#include "runner/survey.h"

/* Tells what was seen in a run: the text of its trace. Native returns, what libraries say in their own words, and the handshake are left
 * out: what remains is equal where two libraries behave alike. */
void survey_behaves(struct survey *s, size_t run, struct bytes trace);

/* Which implementations behave alike in one case: those of a group do in each variant that two of them ran. */
struct agreement {
	size_t *group;                          /* of each implementation; ngroups: it ran no variant */
	size_t ngroups;                         /* by size, the largest first */
	size_t *size;                           /* of each group */
	bool traces;                            /* compared by what was seen; if not, by verdicts and findings */
};
void agreement_of(const struct survey *s, size_t kase, struct agreement *a);    /* owned: agreement_free */
void agreement_free(struct agreement *a);
/* The implementation that stands alone while all others, at least two, are of one group; nimplementations: none does. */
size_t agreement_alone(const struct survey *s, const struct agreement *a);
/* A variant in which two implementations differ, as their two runs. False: there is none that both ran. */
bool agreement_differs(const struct survey *s, const struct agreement *a, size_t kase, size_t one, size_t other, size_t *run_one,
                       size_t *run_other);

#endif
