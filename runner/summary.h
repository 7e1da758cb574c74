/* summary: what the runs of a session come to: totals, each deviation once with the variants it holds in, how each implementation
 * reads TLS 1.2, and what changed. Pure. */
#ifndef RUNNER_SUMMARY_H
#define RUNNER_SUMMARY_H

#include "runner/changes.h"

struct group {                                  /* one deviation: what people read once */
	char *key;                              /* implementation, case, requirement, line, allowed, observed */
	json_t *run, *finding;                  /* of the first run that has it, harmless; finding NULL: broken, with the run's reason */
	struct variant_list in;
	json_t *other_version;                  /* the finding in the first run of the other TLS version; NULL: it holds in one */
	const char *other_tls;
	enum verdict weight;
	bool noted, known;                      /* known: an expected trace holds it */
};

struct totals { size_t runs, verdicts[VERDICT_COUNT], standings[STANDING_COUNT], about_host; int64_t took_us, runs_us; };
void totals_add(struct totals *t, const json_t *run);

/* How one implementation reads what TLS 1.2 says of a received close_notify. */
struct reader { char *implementation; size_t written, practised; };

struct summary {                                /* owned: summary_free; zero is empty */
	struct totals totals;                   /* times: set by who knows them */
	struct group *groups; size_t ngroups;
	struct reader *readers; size_t nreaders;
	struct changes changes;                 /* against what was expected */
};
/* run: harmless (run_plain); kept where it deviates. */
void summary_take(struct summary *s, json_t *run);
void summary_free(struct summary *s);

#endif
