/* shard: one part of a session that several machines do together. */
#include "runner/shard.h"

#include <stdlib.h>
#include <string.h>

#include "runner/lex.h"
#include "runner/outfile.h"

static bool set(struct shard *s, int64_t index, int64_t total)
{
	*s = (struct shard){ (size_t)index, (size_t)total, 0 };
	return index <= total;
}

bool shard_parse(const char *text, struct shard *s)
{
	const char *slash = strchr(text, '/');
	int64_t index, total;

	return slash && number_parse((struct bytes){ (const uint8_t *)text, (size_t)(slash - text) }, 1, SHARDS_MAX, &index) &&
	       number_parse(bytes_of(slash + 1), 1, SHARDS_MAX, &total) && set(s, index, total);
}

bool shard_of_environment(struct shard *s, struct fault *f)
{
	const char *index_text = getenv("TEST_SHARD_INDEX"), *total_text = getenv("TEST_TOTAL_SHARDS"),
		*status = getenv("TEST_SHARD_STATUS_FILE");
	static const struct where nowhere = { 0 };
	int64_t index, total;

	*s = (struct shard){ 0 };
	if (!index_text && !total_text)
		return true;
	if (!index_text || !total_text)
		return fault_set(f, &nowhere, "%s is set and %s is not", index_text ? "TEST_SHARD_INDEX" : "TEST_TOTAL_SHARDS",
		                 index_text ? "TEST_TOTAL_SHARDS" : "TEST_SHARD_INDEX");
	if (!number_parse(bytes_of(index_text), 0, SHARDS_MAX, &index) || !number_parse(bytes_of(total_text), 1, SHARDS_MAX, &total) ||
	    !set(s, index + 1, total))
		return fault_set(f, &nowhere,
		                 "TEST_SHARD_INDEX=%.40s and TEST_TOTAL_SHARDS=%.40s: the index counts from 0, and is less than the total",
		                 index_text, total_text);
	return !status || outfile_put(status, bytes_of(""), f);
}

/* Which shard a round begins with. The plan repeats itself (variants, by twelve and less), and what counts up evenly can fall into step
 * with it: with two shards each would get the same six variants of every case.
 * Multiples of the golden ratio fall into step with nothing. */
static size_t first_of_round(const struct shard *s, size_t round)
{
	return (size_t)((uint64_t)((uint32_t)round * 2654435761u) * s->total >> 32);
}

bool shard_takes(const struct shard *s, size_t run)
{
	return !s->total || (run % s->total + first_of_round(s, run / s->total)) % s->total == s->index - 1;
}

size_t shard_place(const struct shard *s, size_t nth)
{
	if (!s->total)
		return nth;
	return nth * s->total + (s->index - 1 + s->total - first_of_round(s, nth)) % s->total;
}
