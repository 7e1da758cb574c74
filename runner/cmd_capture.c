/* cmd_capture: `closedrill capture`: plays one case once and writes its capture, for anybody's manual. */
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/plain.h"
#include "runner/command.h"
#include "runner/greet.h"
#include "runner/pool.h"

struct capture_args { const char *name, *implementation, *with; unsigned roles, tls, io; struct keeping keep; };

static const struct option options[] = {
	{ "implementation", required_argument, NULL, 'i' }, { "role", required_argument, NULL, 'R' },
	{ "tls", required_argument, NULL, 'T' },
	{ "io", required_argument, NULL, 'I' }, { "with", required_argument, NULL, 'w' }, { "out", required_argument, NULL, 'o' },
	{ "ladder", required_argument, NULL, 'l' }, { "text", required_argument, NULL, 't' }, { "help", no_argument, NULL, 'h' }, { 0 }
};

/* 0, the exit status, or -1: help was asked for and given. */
static int parse_option(int c, char **argv, struct capture_args *a)
{
	switch (c) {
	case 'i':
		a->implementation = optarg;
		return 0;
	case 'R':
		return arg_variant(optarg, FOR_ROLES, &a->roles) ? 0 : command_wrong("--role takes client or server, not ", optarg);
	case 'T':
		return arg_variant(optarg, FOR_TLS, &a->tls) ? 0 : command_wrong("--tls takes 1.2 or 1.3, not ", optarg);
	case 'I':
		return arg_variant(optarg, FOR_IO, &a->io) ? 0 : command_wrong("--io takes blocking, nonblocking or memory, not ", optarg);
	case 'w':
		a->with = optarg;
		return 0;
	case 'o':
		a->keep.pcapng = optarg;
		return 0;
	case 'l':
		a->keep.svg = optarg;
		return 0;
	case 't':
		a->keep.text = optarg;
		return 0;
	case 'h':
		return fputs(command_usage, stdout), -1;
	default:
		return command_wrong("no such option, or it lacks its value: ", argv[optind - 1]);
	}
}

static int parse(int argc, char **argv, struct capture_args *a)
{
	int c, status;

	opterr = 0;
	*a = (struct capture_args){ .implementation = "openssl" };
	while ((c = getopt_long(argc, argv, "o:", options, NULL)) != -1)
		if ((status = parse_option(c, argv, a)))
			return status;
	if (optind + 1 != argc)
		return command_wrong("capture takes one THEME/CASE", NULL);
	if (!a->keep.pcapng && !a->keep.svg && !a->keep.text)
		return command_wrong("capture needs -o FILE.pcapng, --ladder FILE.svg or --text FILE", NULL);
	a->name = argv[optind];
	a->roles = a->roles ? a->roles : FOR_ROLES;
	a->tls = a->tls ? a->tls : FOR_TLS;
	a->io = a->io ? a->io : FOR_IO;
	return 0;
}

/* --- which run --------------------------------------------------------------------------------------------------------- */

static bool has_value(const struct catalogue *s, size_t script, const char *with)
{
	return !with || (s->scripts[script].nwith && bytes_is(s->scripts[script].with[s->with[script]], with));
}

static int value_known(const struct capture_args *a, const struct catalogue *s, size_t first)
{
	const struct script *sc = &s->scripts[first];

	for (size_t i = 0; i < (sc->nwith ? sc->nwith : 1); i++)
		if (has_value(s, first + i, a->with))
			return 0;
	fprintf(stderr, "closedrill: %s has no value ", sc->name);
	plain_print(stderr, a->with);
	fprintf(stderr, sc->nwith ? "; it has:" : "; it has no line `with`");
	for (size_t i = 0; i < sc->nwith; i++)
		fprintf(stderr, " %.*s", (int)sc->with[i].n, (const char *)sc->with[i].p);
	fprintf(stderr, "\n");
	return EXIT_USAGE;
}

/* Leaves the first run that can be played. */
static int choose(struct plan *p, const struct capture_args *a, const struct catalogue *s)
{
	for (size_t i = 0; i < p->n; i++)
		if (!p->runs[i].unsupported && has_value(s, p->runs[i].script, a->with)) {
			p->runs[0] = p->runs[i];
			p->n = 1;
			return 0;
		}
	return command_wrong(p->n ? "the adapter does not announce what the case needs: "
	                          : "that implementation has no such variant of the case: ",
	                     a->name);
}

/* --- the run ----------------------------------------------------------------------------------------------------------- */

struct played { enum verdict verdict; json_t *run; };

static bool on_result(void *to, size_t index, const struct told *t)
{
	struct played *p = to;

	(void)index;
	*p = (struct played){ t->verdict, json_loadb((const char *)t->json.p, t->json.n, 0, NULL) };
	return true;
}

static const char *text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

static void tell_finding(const json_t *f)
{
	const char *req = text_of(f, "requirement");

	printf("%s [%s] ", text_of(f, "weight"), *req ? req : "precondition");
	printf("line %lld: ", (long long)json_integer_value(json_object_get(f, "line")));
	plain_print(stdout, text_of(f, "observed"));
	printf("\n");
}

/* The verdict and what stands behind it; the exit status. */
static int tell(const struct played *t, const struct capture_args *a)
{
	struct fault f = { 0 };
	const json_t *finding;
	size_t i;

	if (t->verdict == VERDICT_BROKEN) {
		fault_set(&f, &(struct where){ 0 }, "%s", text_of(t->run, "reason"));
		return command_failed(EXIT_BROKEN, &f);
	}
	if (t->verdict == VERDICT_UNSUPPORTED) {
		fault_set(&f, &(struct where){ 0 }, "nothing was written: %s", text_of(t->run, "reason"));
		return command_failed(EXIT_USAGE, &f);
	}
	printf("%s: %s, %s ", verdict_word(t->verdict), text_of(t->run, "implementation"), a->name);
	printf("%s %s %s\n", text_of(t->run, "role"), text_of(t->run, "tls"), text_of(t->run, "io"));
	json_array_foreach(json_object_get(t->run, "findings"), i, finding)
		tell_finding(finding);
	return t->verdict == VERDICT_FAIL || t->verdict == VERDICT_INCONCLUSIVE ? EXIT_DEVIATION : EXIT_OK;
}

static int play(const struct capture_args *a, const struct catalogue *s, struct adapter *adapter)
{
	struct selection sel = { &a->name, 1, a->roles | a->tls | a->io, false, false, false };
	struct plan plan = { 0 };
	struct job job = { .catalogue = s, .adapters = adapter, .nadapters = 1, .plan = &plan, .keep = a->keep, .workers = 1 };
	struct played t = { VERDICT_BROKEN, NULL };
	struct pool_times took;
	struct fault f = { 0 };
	int status;

	if (!implementation_greet(adapter, &f))
		return command_failed(EXIT_BROKEN, &f);
	plan_add(&plan, s, 0, adapter, &sel);
	status = choose(&plan, a, s);
	if (!status && pool_run(&job, on_result, &t, &took, &f) == POOL_FAILED)
		status = command_failed(EXIT_BROKEN, &f);
	else if (!status)
		status = t.run ? tell(&t, a) : EXIT_BROKEN;     /* interrupted */
	json_decref(t.run);
	plan_free(&plan);
	return status;
}

static int with_catalogue(const struct capture_args *a, const struct places *at, const struct catalogue *s)
{
	struct adapter adapter;
	size_t first;
	int status = case_known(a->name, "capture", s, &first);

	status = status ? status : value_known(a, s, first);
	if (status)
		return status;
	adapter_init(&adapter, a->implementation, at->adapters, NULL);
	status = play(a, s, &adapter);
	adapter_free(&adapter);
	return status;
}

int cmd_capture(int argc, char **argv)
{
	struct capture_args a;
	struct places at;
	struct catalogue s;
	struct fault f = { 0 };
	int status = parse(argc, argv, &a);

	if (status)
		return status < 0 ? EXIT_OK : status;
	if (!places_find(&at, &f))
		return command_failed(EXIT_BROKEN, &f);
	if ((status = implementation_known(a.implementation, at.adapters)))
		return status;
	if (!catalogue_load(&s, at.cases, &f))
		return command_failed(EXIT_USAGE, &f);
	status = with_catalogue(&a, &at, &s);
	catalogue_free(&s);
	return status;
}
