/* What an adapter may answer, a line for each call, up to the files of the run: the trace reads back as it was printed, the run's object is
 * plain ASCII that any reader of results.json takes, and no text that people see holds what moves a cursor. */
#include "runner/answer.h"

#include <stdio.h>

#include "runner/judge.h"
#include "runner/ladder.h"
#include "runner/result.h"
#include "runner/run_json.h"
#include "runner/trace.h"
#include "tests/fuzz/fuzz.h"

static const char text[] =
	"# Prose.\n\ntitle  Any answer\n\nhandshake\niut read &\niut await\niut read*  -> data closed [truncation-visible]\n"
	"iut read -> data \"hello\"\n"
	"iut shutdown write -> sent | complete\nalso -> sent [truncation-visible]\niut write \"x\" -> ok as write=1 [truncation-visible]\n"
	"iut read -> alert\niut close -> ok\n";

static struct requirements reqs;
static struct script script;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	fuzz_case(&reqs, &script, "cases/fuzz/answers.case", text);
	return 0;
}

static void answer_whole(const struct answer *a)
{
	assert(outcome_word(a->outcome) && a->outcome != OUTCOME_CRASH && a->outcome != OUTCOME_BLOCKED && a->outcome != OUTCOME_SPINS);
	assert(a->outcome != OUTCOME_ALERT || (a->alert >= 0 && a->alert <= 255));
	assert(a->outcome != OUTCOME_DATA || (size_t)a->len == a->text.n);
	assert(answer_native_has(a, (struct bytes){ 0 }));
}

static void put_answers(struct evidence *e, struct bytes in)
{
	for (size_t i = 0; i < script.nsteps && in.n; i++) {
		const uint8_t *end = memchr(in.p, '\n', in.n);
		struct bytes line = fuzz_some(&in, end ? (size_t)(end - in.p) : in.n);
		struct step_seen *s = &e->steps[i];
		const char *why = NULL;

		fuzz_some(&in, 1);
		s->ran = true;
		s->answered = answer_parse(line, &s->answer, &why);
		if (s->answered)
			answer_whole(&s->answer);
		else
			assert(why && why[0]);
	}
}

static void trace_reads_back(const struct evidence *e)
{
	struct trace t, u;
	struct buf printed = { 0 }, again = { 0 };
	struct fault f;

	trace_of(e, &t);
	trace_print(&printed, &t);
	assert(trace_parse(&u, "printed", buf_str(&printed), printed.n, &f));
	assert(trace_equal(&t, &u));
	trace_print(&again, &u);
	fuzz_same(&printed, &again);
	trace_free(&t);
	trace_free(&u);
	buf_free(&printed);
	buf_free(&again);
}

static void result_reads_back(const struct evidence *e, const struct judgement *j)
{
	const struct run_name r = { .implementation = "fuzz", .library = "Fuzz 1.0", .script = &script, .variant = e->variant,
	                            .command = "./fuzz" };
	json_t *o = result_json(&r, j, NULL, 1234), *back, *plain;
	char *line = result_text(o);
	struct buf svg = { 0 };
	struct fault f;

	for (const char *p = line; *p; p++)
		assert(*p >= ' ' && *p <= '~');
	back = json_loads(line, 0, NULL);
	assert(back && run_check(back, &f) && json_equal(o, back));
	plain = run_plain(back);
	assert(run_check(plain, &f));
	evidence_svg(e, &r, j, &svg);
	fuzz_is_plain(buf_bytes(&svg));
	json_decref(o);
	json_decref(back);
	json_decref(plain);
	free(line);
	buf_free(&svg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const promised[] = { "truncation-visible" };
	struct evidence e;
	struct judgement j = { 0 };

	evidence_start(&e, &script, FOR_CLIENT | FOR_TLS13 | FOR_NONBLOCKING);
	put_answers(&e, (struct bytes){ data, n });
	trace_reads_back(&e);
	judge(&e, &reqs, (struct promises){ promised, countof(promised) }, &j);
	result_reads_back(&e, &j);
	judgement_free(&j);
	evidence_free(&e);
	return 0;
}
