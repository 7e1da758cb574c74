/* session: a results.json as a whole, in memory, and several of them as one. */
#ifndef RUNNER_SESSION_H
#define RUNNER_SESSION_H

#include "runner/shard.h"
#include "runner/summary.h"

struct session_run { char *text; size_t len, place; };  /* place: in the plan */
struct session {                                /* owned: session_free; safe on zero */
	char *path;                             /* of the file; of a merged one the first's */
	struct session_run *runs; size_t n;
	size_t planned;                         /* how many there were to be */
	bool partial;
	struct shard shard;
	int64_t took_us, runs_us;               /* of merged ones the sum: what it would have taken one after the other */
};

/* False: *f says what is wrong with the file. */
bool session_load(struct session *s, const char *path, struct fault *f);
void session_free(struct session *s);

/* False: *f, they are no parts of one (a run that is there twice, shards of different sessions, two versions of a library). */
bool session_belong(const struct session *parts, size_t n, struct fault *f);
/* Puts together what belongs together: shards of one session so that their runs stand in its order, others one behind the other. The runs of the
 * parts move to *all. */
void session_merge(struct session *parts, size_t n, struct session *all);
/* A sentence on what is missing from merged shards; false: nothing. */
bool shards_missing(const struct session *parts, size_t n, struct buf *out);

#endif
