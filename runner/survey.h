/* survey: all runs of a session as what people look at: cells (one case of one implementation), and the breaches of the
 * whole session, the most serious first. Knows no files. Pure. */
#ifndef RUNNER_SURVEY_H
#define RUNNER_SURVEY_H

#include <jansson.h>

#include "runner/intern.h"
#include "runner/judge.h"
#include "runner/plan.h"

/* How a run compares with the expected trace of its case. */
enum survey_change { CHANGE_NONE, CHANGE_SAME, CHANGE_CHANGED, CHANGE_NEW, CHANGE_OTHER, CHANGE_COUNT };

struct survey_finding {                         /* texts are interned: NULL where there is none */
	const char *level, *clause, *allowed, *observed, *native;
	const char *reason, *link;              /* of what is known: what people noted of it */
	uint32_t rule;                          /* index of rules; NO_RULE: a precondition that did not hold */
	int line;
	enum verdict weight;
	bool noted, disputed, promised, known;  /* known: the expected trace holds it */
};
enum { NO_RULE = UINT32_MAX };

struct survey_run {
	uint32_t implementation, kase;
	uint32_t finding, nfindings;            /* the first of them, in findings */
	unsigned variant;                       /* FOR_ bits of one role, version and mode */
	const char *with_name, *with;           /* NULL: none */
	enum verdict verdict;
	enum survey_change change;
	const char *expected_of, *diff, *reason;        /* NULL: none */
	const char *behaviour;                  /* agreement.h; NULL: no trace was kept */
	const char *outcome;                    /* verdict, reason and findings as one text: equal for runs that ended in the same way */
	const char *observed;                   /* what the findings saw, as one text: the same whatever the library promises */
};

struct survey_implementation { const char *name, *library, *command, *root; size_t cells, verdicts[VERDICT_COUNT], changed; };
                                                /* verdicts, changed: of its cells */
struct survey_case { const char *name; const struct script *script; bool about_host; };       /* script NULL: no case of ours */
struct survey_rule { const char *name; const struct requirement *req; const char *says; };    /* req NULL: no requirement of ours */

/* What is shown of several runs: the worst, where what could not be tried weighs least. */
struct survey_cell {
	size_t first, n;                        /* in runs; n 0: no run */
	enum verdict worst, by[2][TLS_VERSIONS];        /* by: as client, as server */
	bool ran[2][TLS_VERSIONS], changed;
	bool known;                             /* it deviates, and in nothing that an expected trace does not hold */
};

/* One rule that is not kept in one cell. */
struct breach {
	size_t run, finding;                    /* the first run that has its weightiest form */
	uint32_t rule;
	size_t n;                               /* runs that have it */
	bool fresh;                             /* something was expected here, and not this */
};

/* One rule that one implementation does not keep, in all of its cases. */
struct problem { size_t breach, ncases, nknown, nruns; };     /* breach: the most serious one; nknown: of the cases */

struct survey {                                 /* owned: survey_free; begin with survey_start */
	const struct catalogue *catalogue;
	struct intern texts;
	struct survey_implementation *implementations; size_t nimplementations;
	struct survey_case *cases; size_t ncases;       /* sorted by name when done */
	struct survey_rule *rules; size_t nrules;       /* those of the catalogue first, in its order */
	struct survey_finding *findings; size_t nfindings, findings_cap;
	struct survey_run *runs; size_t nruns, runs_cap;        /* by case, implementation, and the order of their coming */
	struct survey_cell *cells;              /* [kase * nimplementations + implementation] */
	struct breach *breaches; size_t nbreaches;       /* by seriousness */
	struct problem *problems; size_t nproblems;             /* by seriousness */
	size_t verdicts[VERDICT_COUNT], changed, about_host;    /* of runs */
	uint32_t last_case;
};

/* The catalogue has to outlive the survey; its first script of each case is what is shown. */
void survey_start(struct survey *s, const struct catalogue *c);
/* One object of results.json. False: it lacks what a run has to have, or names a folder that is none; *f (results_wrong_run). */
bool survey_add(struct survey *s, const json_t *run, struct fault *f);
/* After the last of them: sorts, sums up. The indices of implementations and rules stay, those of cases and runs do not. */
void survey_done(struct survey *s);
void survey_free(struct survey *s);

const struct survey_cell *survey_cell(const struct survey *s, size_t kase, size_t implementation);
/* Which of two verdicts is the worse one to show for both. */
enum verdict verdict_worse(enum verdict a, enum verdict b);
/* Something was expected of the run that has the finding, and not this. */
bool survey_fresh(const struct survey *s, size_t run, size_t finding);
/* Orders findings: the smaller, the more serious. */
int survey_rank(const struct survey_finding *fd);

#endif
