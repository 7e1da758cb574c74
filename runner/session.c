/* session: what the commands that play cases set up. */
#include "runner/session.h"

#include <assert.h>
#include <stdlib.h>

#include "runner/command.h"

static int add_implementation(struct session *s, size_t i, const char *expected, bool lenient)
{
	struct adapter *a = &s->adapters[i];
	struct fault f = { 0 };

	if (!implementation_greet(a, &f))
		return command_failed(EXIT_BROKEN, &f);
	if (expected && !expectations_load(&s->expected[i], expected, a->name, a->library, s->catalogue, &s->selection, lenient, &f))
		return command_failed(f.line ? EXIT_USAGE : EXIT_BROKEN, &f);
	plan_add(&s->plan, s->catalogue, (uint32_t)i, a, &s->selection);
	return 0;
}

int session_start(struct session *s, const struct run_args *a, const struct places *at, const struct catalogue *c, const char *expected, bool lenient)
{
	int status = 0;

	*s = (struct session){ .catalogue = c, .n = a->nnames,
	                       .selection = { a->globs, a->nglobs, a->roles | a->tls | a->io, a->no_host, a->only_host, a->one_io } };
	s->adapters = calloc(s->n, sizeof(*s->adapters));
	s->expected = calloc(s->n, sizeof(*s->expected));
	assert(s->adapters && s->expected);
	for (size_t i = 0; i < s->n; i++)
		adapter_init(&s->adapters[i], a->names[i], at->adapters);
	for (size_t i = 0; i < s->n && !status; i++)
		status = add_implementation(s, i, expected, lenient);
	if (!status && !s->plan.n)
		status = command_wrong("nothing to run: no variant of the selected cases is one that these implementations can do", NULL);
	s->shard = a->shard;
	plan_shard(&s->plan, &s->shard);
	s->job = (struct job){ .catalogue = c, .adapters = s->adapters, .nadapters = s->n, .plan = &s->plan, .keep = { a->out_dir, a->keep },
	                       .expected = s->expected, .workers = a->workers < (int)s->plan.n ? a->workers : (int)s->plan.n };
	return status;
}

void session_end(struct session *s)
{
	for (size_t i = 0; i < s->n; i++) {
		adapter_free(&s->adapters[i]);
		expectations_free(&s->expected[i]);
	}
	free(s->adapters);
	free(s->expected);
	plan_free(&s->plan);
	*s = (struct session){ 0 };
}
