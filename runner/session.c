/* session: what the commands that play cases set up. */
#include "runner/session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "runner/command.h"
#include "runner/greet.h"

static bool name_taken(const struct adapter *adapters, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (strcmp(adapters[i].name, adapters[at].name) == 0)
			return true;
	return false;
}

/* Results and folders go by names: two builds of one library get their versions, and if need be a number. */
static void name_apart(struct adapter *adapters, size_t at, const char *called)
{
	if ((adapters[at].root && !called) || name_taken(adapters, at))
		adapter_name_version(&adapters[at], false);
	if (name_taken(adapters, at))
		adapter_name_version(&adapters[at], true);
	for (unsigned n = 2; name_taken(adapters, at); n++)
		adapter_name_number(&adapters[at], n);
}

/* called: the name that the user gave it; NULL: none. */
static int add_implementation(struct session *s, size_t i, const char *called, const char *expected, bool lenient)
{
	struct adapter *a = &s->adapters[i];
	struct fault f = { 0 };

	if (called)
		adapter_name(a, called);
	if (implementation_greet(a, &f))
		name_apart(s->adapters, i, called);
	else if (s->n == 1)
		return command_failed(EXIT_BROKEN, &f);
	else
		a->failed = text_dup(f.msg);              /* the others shall have their runs */
	if (expected && !a->failed &&
	    !expectations_load(&s->expected[i], expected, adapter_base(a), a->library, s->catalogue, &s->selection, lenient, &f))
		return command_failed(f.line ? EXIT_USAGE : EXIT_BROKEN, &f);
	plan_add(&s->plan, s->catalogue, (uint32_t)i, a, &s->selection);
	return 0;
}

int session_start(struct session *s, const struct run_args *a, const struct places *at, const struct catalogue *c, const char *expected,
                  bool lenient)
{
	int status = 0;

	*s = (struct session){ .catalogue = c, .n = a->nnames,
	                       .selection = { a->globs, a->nglobs, a->roles | a->tls | a->io, a->no_host, a->only_host, a->one_io } };
	s->adapters = calloc(s->n, sizeof(*s->adapters));
	s->expected = calloc(s->n, sizeof(*s->expected));
	assert(s->adapters && s->expected);
	for (size_t i = 0; i < s->n; i++)
		adapter_init(&s->adapters[i], a->names[i], a->roots[i] ? adapters_in_root : at->adapters, a->roots[i]);
	for (size_t i = 0; i < s->n && !status; i++)
		status = add_implementation(s, i, a->called[i], expected, lenient);
	if (!status && !s->plan.n)
		status = command_wrong("nothing to run: no variant of the selected cases is one that these implementations can do", NULL);
	s->shard = a->shard;
	plan_shard(&s->plan, &s->shard);
	s->job = (struct job){ .catalogue = c, .adapters = s->adapters, .nadapters = s->n, .plan = &s->plan,
	                       .keep = { .out_dir = a->out_dir, .what = a->keep },
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
