/* A trace: what parses prints to a text that parses to an equal one and prints the same; so it does without its texts for people. */
#include "runner/trace.h"

#include "tests/fuzz/fuzz.h"

static void prints_as_it_parses(const struct trace *t)
{
	struct buf text = { 0 }, again = { 0 };
	struct trace u;
	struct fault f;

	trace_print(&text, t);
	assert(trace_parse(&u, "printed", buf_str(&text), text.n, &f));
	assert(trace_equal(t, &u));
	trace_print(&again, &u);
	fuzz_same(&text, &again);
	trace_free(&u);
	buf_free(&text);
	buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct trace t;
	struct fault f;

	if (!trace_parse(&t, "a.trace", (const char *)data, n, &f)) {
		fuzz_fault(&f, data, n);
		assert(!t.n);
		return 0;
	}
	prints_as_it_parses(&t);
	trace_drop_texts(&t);
	prints_as_it_parses(&t);
	trace_free(&t);
	return 0;
}
