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
	const char *index_text = getenv("TEST_SHARD_INDEX"), *total_text = getenv("TEST_TOTAL_SHARDS"), *status = getenv("TEST_SHARD_STATUS_FILE");
	static const struct where nowhere = { 0 };
	int64_t index, total;

	*s = (struct shard){ 0 };
	if (!index_text && !total_text)
		return true;
	if (!index_text || !total_text)
		return fault_set(f, &nowhere, "%s is set and %s is not", index_text ? "TEST_SHARD_INDEX" : "TEST_TOTAL_SHARDS",
		                 index_text ? "TEST_TOTAL_SHARDS" : "TEST_SHARD_INDEX");
	if (!number_parse(bytes_of(index_text), 0, SHARDS_MAX, &index) || !number_parse(bytes_of(total_text), 1, SHARDS_MAX, &total) || !set(s, index + 1, total))
		return fault_set(f, &nowhere, "TEST_SHARD_INDEX=%.40s and TEST_TOTAL_SHARDS=%.40s: the index counts from 0, and is less than the total",
		                 index_text, total_text);
	return !status || outfile_put(status, bytes_of(""), f);
}

bool shard_takes(const struct shard *s, size_t run)
{
	return !s->total || (run % s->total + run / s->total) % s->total == s->index - 1;
}

size_t shard_place(const struct shard *s, size_t nth)
{
	if (!s->total)
		return nth;
	return nth * s->total + (s->index - 1 + s->total - nth % s->total) % s->total;
}
