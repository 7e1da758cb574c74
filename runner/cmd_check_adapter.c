/* cmd_check_adapter: `closedrill check-adapter`: does a program keep the adapter contract? The cases of adapters/contract ask that, in each
 * role, version and mode that its greeting names; whether its library is right is not asked.
 * Then descriptors are counted over many connections. */
#include <stdio.h>
#include <string.h>

#include "runner/command.h"
#include "runner/greet.h"
#include "runner/leaks.h"
#include "runner/run_args.h"

enum { CONNECTIONS = 1000 };

/* Runtimes open descriptors of their own when they please, a few. One for each connection, or for each tenth, is a leak. */
static bool is_leak(const struct leaks *l)
{
	return l->after.sockets > l->before.sockets || (l->after.descriptors - l->before.descriptors) * 10 > (long)l->connections;
}

static const struct script *the_connection(const struct catalogue *s)
{
	for (size_t i = 0; i < s->nscripts; i++)
		if (strcmp(s->scripts[i].name, "calls/data") == 0)
			return &s->scripts[i];
	return NULL;
}

static int count_leaks(struct adapter *a, const struct catalogue *s)
{
	const struct script *script = the_connection(s);
	struct leaks l = { 0 };
	struct fault f = { 0 };

	if (!script || !implementation_greet(a, &f) || !leaks_count(a, script, CONNECTIONS, &l, &f))
		return command_failed(EXIT_BROKEN, &f);
	printf("%s%s: over %zu connections its descriptors went from %ld to %ld (sockets: %ld to %ld), its memory from %ld to %ld KiB\n",
	       is_leak(&l) ? "LEAK: " : "", a->name, l.connections, l.before.descriptors, l.after.descriptors, l.before.sockets,
	       l.after.sockets,
	       l.before.rss_kib, l.after.rss_kib);
	return is_leak(&l) ? EXIT_DEVIATION : EXIT_OK;
}

static int leaks_of_all(const struct run_args *args, const struct places *at, const struct catalogue *s)
{
	int worst = EXIT_OK;

	for (size_t i = 0; i < args->nnames; i++) {
		struct adapter a;
		int status;

		adapter_init(&a, args->names[i], args->roots[i] ? adapters_in_root : at->adapters, args->roots[i]);
		status = count_leaks(&a, s);
		worst = status > worst ? status : worst;
		adapter_free(&a);
	}
	return worst;
}

int cmd_check_adapter(int argc, char **argv)
{
	struct run_args a;
	struct places at;
	struct catalogue s;
	struct fault f = { 0 };
	int status = run_args_parse(argc, argv, &a), leaks;

	if (status)
		return status < 0 ? EXIT_OK : status;
	a.command = argv[0];
	a.expected = "none";
	if (!places_find(&at, &f))
		return command_failed(EXIT_BROKEN, &f);
	if ((status = names_known(&a, &at)))
		return status;
	snprintf(at.cases + strlen(at.cases), sizeof(at.cases) - strlen(at.cases), "/../adapters/contract");
	if (!catalogue_load(&s, at.cases, &f))
		return command_failed(EXIT_USAGE, &f);
	status = globs_known(a.globs, a.nglobs, &s);
	if (!status)
		status = session_run(&a, &at, &s);
	leaks = status == EXIT_USAGE || a.nglobs ? EXIT_OK : leaks_of_all(&a, &at, &s);
	catalogue_free(&s);
	return leaks > status ? leaks : status;
}
