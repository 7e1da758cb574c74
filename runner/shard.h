/* shard: one part of a session that several machines do together, each with the same arguments and a number of its own. Pure but for
 * shard_of_environment. */
#ifndef RUNNER_SHARD_H
#define RUNNER_SHARD_H

#include "peer/bytes.h"
#include "peer/fault.h"

enum { SHARDS_MAX = 10000 };

struct shard {
	size_t index, total;                    /* index from 1; total 0: no sharding, all of it */
	size_t runs;                            /* of all shards together, once the plan is known */
};

/* "2/5". False: it is none. */
bool shard_parse(const char *text, struct shard *s);
/* TEST_TOTAL_SHARDS, TEST_SHARD_INDEX (from 0) and TEST_SHARD_STATUS_FILE, as Bazel's test runner sets them. Makes the status file, which
 * tells the caller that we heed them. Without them *s is zero. False: *f, they make no sense or the file cannot be made. */
bool shard_of_environment(struct shard *s, struct fault *f);

/* Runs are dealt in rounds of one for each shard, and each round begins with another shard: so neighbours in the plan, which take about
 * the same time, go to different shards, and each gets its share of every variant.
 * Merging counts on it: another rule is another version. */
bool shard_takes(const struct shard *s, size_t run);
/* Where the nth run of a shard (from 0) stands in the plan: the inverse. */
size_t shard_place(const struct shard *s, size_t nth);

#endif
