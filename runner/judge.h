/* judge: from evidence to a verdict. Pure: no descriptor, no clock. First it judges the suite itself: if the capture does not show that the
 * peer sent what the script says, the run is broken and says nothing about the implementation. */
#ifndef RUNNER_JUDGE_H
#define RUNNER_JUDGE_H

#include "runner/evidence.h"
#include "runner/require.h"

enum verdict { VERDICT_PASS, VERDICT_WARN, VERDICT_FAIL, VERDICT_INCONCLUSIVE, VERDICT_UNSUPPORTED, VERDICT_BROKEN, VERDICT_COUNT };
const char *verdict_word(enum verdict v);

struct finding {
	const struct requirement *req;          /* NULL: a precondition that did not hold (inconclusive) */
	enum verdict weight;                    /* FAIL, WARN, PASS (noted), or INCONCLUSIVE */
	bool promised;                          /* the library's manual promises it: that is what it weighs by */
	struct where at;                        /* in the case; an invariant stands at the step that broke it */
	char *allowed, *observed, *native;      /* owned; native may be NULL */
};

/* Of a rule that has two readings, the one that the implementation follows in this run. */
enum reading { READING_NONE, READING_AS_WRITTEN, READING_AS_PRACTISED };

struct judgement {
	enum verdict verdict;
	enum reading reading;
	struct finding *findings; size_t n;
	char *reason;                           /* of broken and unsupported; owned */
};

struct promises { const char *const *names; size_t n; };        /* requirements that the library's manual promises */

void judge(const struct evidence *e, const struct requirements *reqs, struct promises promised, struct judgement *j);
void judgement_free(struct judgement *j);


#endif
