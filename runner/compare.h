/* compare: a run beside what is expected of it. Pure. */
#ifndef RUNNER_COMPARE_H
#define RUNNER_COMPARE_H

#include "runner/expectations.h"
#include "runner/judge.h"

enum compared {
	COMPARED_NONE,                          /* nothing is expected of this implementation, or the run is broken and says nothing */
	COMPARED_SAME, COMPARED_CHANGED,
	COMPARED_NEW,                           /* traces of this version there are, but not of this run */
	COMPARED_OTHER,                         /* beside another version's: information */
	COMPARED_COUNT
};
const char *compared_word(enum compared c);     /* "same"; NULL for none */

struct comparison {                             /* owned: comparison_free; safe on zero and safe twice */
	enum compared how;
	const char *of;                         /* "openssl-3.0"; NULL for none. The expectations' */
	/* What is expected of this run, or what is nearest to it of that; NULL: nothing, or of another version only. */
	const struct account *known;
	struct buf body;                        /* what the run did, as it stands below `variants`; empty for a broken one */
	struct buf diff;                        /* of accounts, linediff; empty where they are the same */
};

/* Is it a deviation that expected traces hold: does it weigh anything? */
bool finding_is_deviation(const struct finding *f);
/* The entry that holds this finding; NULL: it is not known. */
const struct deviation *comparison_known(const struct comparison *c, const struct finding *f);

/* e: NULL for a run that the plan knows to be unsupported. x may be all zero. */
void compare_run(struct comparison *c, const struct expectations *x, const struct catalogue *s, size_t script, unsigned variant,
                 const struct evidence *e, const struct judgement *j);
void comparison_free(struct comparison *c);

#endif
