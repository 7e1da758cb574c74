/* summary: what the runs of a session come to: totals, each deviation once with the variants it holds in, and how each implementation
 * reads TLS 1.2. Pure. */
#ifndef RUNNER_SUMMARY_H
#define RUNNER_SUMMARY_H

#include "runner/run_json.h"

enum { DIMENSIONS = 4 };

struct variants {                               /* role, tls, io, with; owned: variants_free */
	struct variant { char *word[DIMENSIONS]; } *rows; size_t n;
};
void variants_add(struct variants *v, const json_t *run);
/* "client|server 1.3 blocking|memory  (4 runs)" if they are a whole product of their values; otherwise all of them, in lines of about
 * 90 columns, those behind the first begun with `indent`. No newline at the end. */
void variants_print(struct buf *out, const struct variants *v, const char *indent);
void variants_free(struct variants *v);

struct group {                                  /* one deviation: what people read once */
	char *key;                              /* implementation, case, requirement, line, allowed, observed */
	json_t *run, *finding;                  /* of the first run that has it, harmless; finding NULL: broken, with the run's reason */
	struct variants in;
	json_t *other_version;                  /* the finding in the first run of the other TLS version; NULL: it holds in one */
	const char *other_tls;
	enum verdict weight;
	bool noted;
};

struct totals { size_t runs, verdicts[VERDICT_COUNT], standings[STANDING_COUNT], about_host; int64_t took_us, runs_us; };
void totals_add(struct totals *t, const json_t *run);

/* How one implementation reads what TLS 1.2 says of a received close_notify. */
struct reader { char *implementation; size_t written, practised; };

struct summary {                                /* owned: summary_free; zero is empty */
	struct totals totals;                   /* times: set by who knows them */
	struct group *groups; size_t ngroups;
	struct reader *readers; size_t nreaders;
};
void summary_take(struct summary *s, const json_t *run);
void summary_free(struct summary *s);

#endif
