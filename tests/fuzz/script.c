/* A case file: whatever parses has a title and steps, every slice of it can be read, and the words of its steps are lines of a trace. */
#include "runner/script.h"

#include "runner/trace.h"
#include "tests/fuzz/fuzz.h"

static struct requirements reqs;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct fault f;

	(void)argc, (void)argv;
	assert(requirements_load(&reqs, "cases/requirements", &f));
	return 0;
}

/* What the run of a step would be told as. */
static void words_are_a_line(const struct script *s, size_t i)
{
	struct trace t;
	struct fault f;
	struct buf line = { 0 };

	if (s->steps[i].actor == ACTOR_WIRE || s->steps[i].actor == ACTOR_TCP || (i > 0 && s->steps[i - 1].joined))
		return;
	trace_words(&line, s, i);
	assert(trace_parse(&t, "trace", buf_str(&line), line.n, &f));
	assert(t.n == 1);
	assert(bytes_equal(buf_bytes(&t.events[0].words), buf_bytes(&line)));
	trace_free(&t);
	buf_free(&line);
}

/* Reads every byte: a sanitizer sees what does not lie where it should. */
static size_t touch(struct bytes x)
{
	size_t sum = x.n;

	for (size_t i = 0; i < x.n; i++)
		sum += x.p[i];
	return sum;
}

static volatile size_t touched;

static void script_whole(const struct script *s)
{
	assert(s->title.n && s->nsteps && s->name[0]);
	touched += touch(s->title) + touch(s->prose) + touch(s->api) + touch(s->with_name);
	for (size_t i = 0; i < s->nneeds; i++)
		touched += touch(s->needs[i]);
	for (size_t i = 0; i < s->noptions; i++)
		touched += touch(s->options[i]);
	for (size_t i = 0; i < s->nhost; i++)
		touched += touch(s->host[i].key) + touch(s->host[i].value);
	for (size_t i = 0; i < s->nexcept; i++) {
		touched += touch(s->except[i].key) + touch(s->except[i].value);
		assert(requirement_find(&reqs, s->except[i].key));
	}
	for (size_t i = 0; i < s->nsteps; i++) {
		assert(s->steps[i].words.n);
		touched += touch(s->steps[i].words);
		words_are_a_line(s, i);
	}
	assert(!s->steps[s->nsteps - 1].joined);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct script s;
	struct fault f;

	for (size_t with = 0; with < 3; with++) {
		bool ok = script_parse(&s, "cases/theme/case.case", (const char *)data, n, with, &reqs, &f);
		bool last = !ok || with + 1 >= s.nwith;

		if (ok)
			script_whole(&s);
		else
			fuzz_fault(&f, data, n);
		script_free(&s);
		if (last)
			break;
	}
	return 0;
}
