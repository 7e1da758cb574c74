/* cases/requirements: each has a level, a clause and a sentence in both versions, and is found by its name, which no other has. */
#include "runner/require.h"

#include "tests/fuzz/fuzz.h"

static void rule_whole(const struct requirements *r, const struct requirement *rule)
{
	assert(rule->name[0] && rule->says[0] && rule->line > 0);
	assert(requirement_find(r, bytes_of(rule->name)) == rule);
	for (int v = 0; v < TLS_VERSIONS; v++) {
		assert(level_word(rule->level[v]));
		assert(rule->clause[v] && rule->clause[v][0]);
		assert(!rule->disputed[v] || rule->disputed[v][0]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct requirements r;
	struct fault f;

	if (!requirements_parse(&r, "requirements", (const char *)data, n, &f)) {
		fuzz_fault(&f, data, n);
		assert(!r.n && !r.rows);
		return 0;
	}
	for (size_t i = 0; i < r.n; i++)
		rule_whole(&r, &r.rows[i]);
	requirement_nearest(&r, (struct bytes){ data, n });
	requirements_free(&r);
	return 0;
}
