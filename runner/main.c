/* closedrill: the program. Parses arguments, and is the only place that exits and prints faults. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/byhand.h"
#include "runner/lex.h"
#include "runner/listing.h"
#include "runner/pool.h"
#include "runner/report.h"

enum { EXIT_OK = 0, EXIT_DEVIATION = 1, EXIT_USAGE = 2, EXIT_BROKEN = 3 };

static const char usage[] =
	"usage: closedrill run [IMPLEMENTATION|./PROGRAM]... [-c GLOB]... [--role client|server] [--tls 1.2|1.3]\n"
	"                      [--io blocking|nonblocking|memory|one] [--about library|host] [-j N] [-o DIR] [--keep all|findings|none] [-v] [-q]\n"
	"       closedrill list [cases|implementations|requirements] [--json] [--uncovered] [--index]\n"
	"       closedrill show THEME/CASE\n"
	"       closedrill check FILE...\n"
	"       closedrill peer --listen PORT|--connect PORT [--tls 1.2|1.3]\n"
	"       closedrill steps | --version | --help\n"
	"Exit status: 0; 1 a deviation; 2 usage, a selector that matches nothing, a wrong case file; 3 broken.\n";

/* Decimal digits alone, within low..high; -1 if they are not. */
static int number(const char *text, int low, int high)
{
	int64_t v;

	return number_parse(bytes_of(text), low, high, &v) ? (int)v : -1;
}

static int fail(int status, const struct fault *f)
{
	fprintf(stderr, "closedrill: ");
	fault_print(stderr, f);
	return status;
}

static int wrong(const char *what, const char *word)
{
	fprintf(stderr, "closedrill: %s%s\n%s", what, word ? word : "", usage);
	return EXIT_USAGE;
}

/* --- run --------------------------------------------------------------------------------------------------------------- */

struct run_args {
	const char *globs[256]; size_t nglobs;
	const char *names[256]; size_t nnames;
	unsigned roles, tls, io;
	int workers;
	const char *out_dir;
	enum keep keep;
	bool verbose, quiet, one_io, no_host, only_host;
};

static bool bit_word(const char *word, unsigned *bits)
{
	const struct word *w = word_find(selector_words, bytes_of(word));

	if (!w)
		return false;
	*bits |= (unsigned)w->id;
	return true;
}

static bool keep_word(const char *word, enum keep *keep)
{
	static const char *const words[] = { "findings", "all", "none" };

	for (size_t i = 0; i < countof(words); i++)
		if (strcmp(word, words[i]) == 0) {
			*keep = (enum keep)i;
			return true;
		}
	return false;
}

static const struct option run_options[] = {
	{ "case", required_argument, NULL, 'c' }, { "role", required_argument, NULL, 'R' }, { "tls", required_argument, NULL, 'T' },
	{ "io", required_argument, NULL, 'I' }, { "about", required_argument, NULL, 'A' }, { "jobs", required_argument, NULL, 'j' }, { "out", required_argument, NULL, 'o' },
	{ "keep", required_argument, NULL, 'K' }, { "verbose", no_argument, NULL, 'v' }, { "quiet", no_argument, NULL, 'q' }, { "help", no_argument, NULL, 'h' }, { 0 }
};

/* 0, the exit status, or -1: help was asked for and given. */
static int parse_option(int c, char **argv, struct run_args *a)
{
	switch (c) {
	case 'c':
		if (a->nglobs == countof(a->globs))
			return wrong("too many -c", NULL);
		a->globs[a->nglobs++] = optarg;
		return 0;
	case 'R':
		return bit_word(optarg, &a->roles) && !(a->roles & ~(unsigned)FOR_ROLES) ? 0 : wrong("--role takes client or server, not ", optarg);
	case 'T':
		return bit_word(optarg, &a->tls) && !(a->tls & ~(unsigned)FOR_TLS) ? 0 : wrong("--tls takes 1.2 or 1.3, not ", optarg);
	case 'I':
		if (strcmp(optarg, "one") == 0)
			return a->one_io = true, 0;
		return bit_word(optarg, &a->io) && !(a->io & ~(unsigned)FOR_IO) ? 0 : wrong("--io takes blocking, nonblocking, memory or one (any one of them), not ", optarg);
	case 'A':
		a->no_host = strcmp(optarg, "library") == 0;
		a->only_host = strcmp(optarg, "host") == 0;
		return a->no_host || a->only_host ? 0 : wrong("--about takes library or host, not ", optarg);
	case 'j':
		a->workers = number(optarg, 1, 256);
		return a->workers > 0 ? 0 : wrong("-j takes a number from 1 to 256, not ", optarg);
	case 'o':
		a->out_dir = optarg;
		return 0;
	case 'K':
		return keep_word(optarg, &a->keep) ? 0 : wrong("--keep takes all, findings or none, not ", optarg);
	case 'v':
		a->verbose = true;
		return 0;
	case 'q':
		a->quiet = true;
		return 0;
	case 'h':
		return fputs(usage, stdout), -1;
	default:
		return wrong("no such option, or it lacks its value: ", argv[optind - 1]);
	}
}

static int parse_run(int argc, char **argv, struct run_args *a)
{
	int c, status;

	opterr = 0;
	*a = (struct run_args){ .workers = (int)sysconf(_SC_NPROCESSORS_ONLN) };
	while ((c = getopt_long(argc, argv, "c:j:o:vq", run_options, NULL)) != -1)
		if ((status = parse_option(c, argv, a)))
			return status;
	for (; optind < argc; optind++) {
		if (a->nnames == countof(a->names))
			return wrong("too many implementations", NULL);
		a->names[a->nnames++] = argv[optind];
	}
	if (!a->nnames)
		a->names[a->nnames++] = "openssl";
	a->roles = a->roles ? a->roles : FOR_ROLES;
	a->tls = a->tls ? a->tls : FOR_TLS;
	a->io = a->io ? a->io : FOR_IO;
	return 0;
}

/* A name that is none of ours: say which are near. */
static int unknown_name(const char *name, char **names, size_t n, const char *what)
{
	const char *near = fault_nearest(name, (const char *const *)names, n);

	fprintf(stderr, "closedrill: there is no %s \"%s\"", what, name);
	if (near)
		fprintf(stderr, "; did you mean %s?", near);
	fprintf(stderr, "\n");
	if (!near && n) {
		fprintf(stderr, "known:");
		for (size_t i = 0; i < n && i < 40; i++)
			fprintf(stderr, " %s", names[i]);
		fprintf(stderr, n > 40 ? " ... (`closedrill list` shows all %zu)\n" : "\n", n);
	}
	return EXIT_USAGE;
}

/* The names of all cases, once each; the caller frees the list, not the names. One that is NAME without its theme comes first. */
static char **case_names(const struct catalogue *s, const char *name, size_t *n)
{
	char **names = calloc(s->nscripts + 1, sizeof(*names));

	*n = 0;
	for (size_t i = 0; names && i < s->nscripts; i++) {
		const char *slash = strchr(s->scripts[i].name, '/');

		if (!script_is_first(s, i))
			continue;
		names[(*n)++] = (char *)s->scripts[i].name;
		if (slash && strcmp(slash + 1, name) == 0) {
			names[0] = (char *)s->scripts[i].name;
			*n = 1;
			break;
		}
	}
	return names;
}

static int unknown_case(const struct catalogue *s, const char *name)
{
	size_t n;
	char **names = case_names(s, name, &n);
	int status = EXIT_USAGE;

	if (n == 1)
		fprintf(stderr, "closedrill: there is no case \"%s\"; did you mean %s?\n", name, names[0]);
	else
		status = unknown_name(name, names, n, "case");
	free(names);
	return status;
}

static int check_globs(const struct run_args *a, const struct catalogue *s)
{
	for (size_t g = 0; g < a->nglobs; g++) {
		struct selection one = { &a->globs[g], 1, FOR_ALL, false, false, false };
		bool any = false;

		for (size_t i = 0; i < s->nscripts && !any; i++)
			any = selection_takes(&one, s->scripts[i].name);
		if (!any)
			return unknown_case(s, a->globs[g]);
	}
	return 0;
}

static int check_name(const char *name, const struct places *at)
{
	char word[200], path[800];
	size_t n;
	char **names;
	int status = 0;

	snprintf(word, sizeof(word), "%.*s", (int)strcspn(name, " "), name);
	if (strchr(word, '/'))
		return 0;
	snprintf(path, sizeof(path), "%s/%s", at->adapters, word);
	if (access(path, X_OK) == 0)
		return 0;
	names = adapters_list(at->adapters, &n);
	status = unknown_name(word, names, n, "implementation");
	names_free(names, n);
	return status;
}

/* The greeting, for the plan; the workers start their own. */
static bool greet(struct adapter *a, struct fault *f)
{
	struct cert c;
	char path[32];
	int fd;
	bool ok;

	if (!cert_make_ecdsa(&c, f))
		return false;
	fd = cert_memfd(&c, path, f);
	ok = fd >= 0 && adapter_start(a, path, path, f);
	adapter_stop(a);
	if (fd >= 0)
		close(fd);
	cert_free(&c);
	return ok;
}

static bool on_result(void *to, size_t index, enum verdict verdict, const char *json, size_t len)
{
	return report_run(to, index, verdict, json, len);
}

static int status_of(const struct totals *t, enum pooled how)
{
	if (how != POOL_DONE || t->verdicts[VERDICT_BROKEN])
		return EXIT_BROKEN;
	return t->verdicts[VERDICT_FAIL] || t->verdicts[VERDICT_INCONCLUSIVE] ? EXIT_DEVIATION : EXIT_OK;
}

static int run_plan(const struct run_args *a, struct job *job, const struct places *at)
{
	struct report_options o = { a->verbose, a->quiet, isatty(1), isatty(2) && !a->quiet && !a->verbose, a->out_dir, at->cases,
	                            a->out_dir && a->keep != KEEP_NONE };
	struct totals totals = { 0 };
	struct fault f = { 0 };
	struct report *r = report_start(&o, job->plan->n, stdout, &f);
	enum pooled how;
	struct pool_times took = { 0 };
	bool written;
	struct fault written_fault = { 0 };

	if (!r)
		return fail(EXIT_BROKEN, &f);
	if (job->workers > (int)job->plan->n)
		job->workers = (int)job->plan->n;
	how = pool_run(job, on_result, r, &took, &f);
	written = report_end(r, how != POOL_DONE, took.all_us, took.runs_us, &totals, &written_fault);
	if (!written)
		return fail(EXIT_BROKEN, &written_fault);
	if (how == POOL_FAILED)
		return fail(EXIT_BROKEN, &f);
	if (f.msg[0])
		fail(EXIT_BROKEN, &f);          /* a worker could not start; the others did its part */
	return status_of(&totals, how);
}

static int run_selected(const struct run_args *a, const struct places *at, const struct catalogue *s)
{
	struct adapter *adapters = calloc(a->nnames, sizeof(*adapters));
	struct selection sel = { a->globs, a->nglobs, a->roles | a->tls | a->io, a->no_host, a->only_host, a->one_io };
	struct plan plan = { 0 };
	struct job job = { .catalogue = s, .adapters = adapters, .nadapters = a->nnames, .plan = &plan, .out_dir = a->out_dir, .keep = a->keep, .workers = a->workers };
	struct fault f = { 0 };
	int status = 0;

	for (size_t i = 0; i < a->nnames && adapters; i++)
		adapter_init(&adapters[i], a->names[i], at->adapters);
	for (size_t i = 0; i < a->nnames && !status; i++) {
		if (!greet(&adapters[i], &f))
			status = fail(EXIT_BROKEN, &f);
		else
			plan_add(&plan, s, (uint32_t)i, &adapters[i], &sel);
	}
	if (!status && !plan.n)
		status = wrong("nothing to run: no variant of the selected cases is one that these implementations can do", NULL);
	if (!status)
		status = run_plan(a, &job, at);
	for (size_t i = 0; i < a->nnames && adapters; i++)
		adapter_free(&adapters[i]);
	free(adapters);
	plan_free(&plan);
	return status;
}

static int cmd_run(int argc, char **argv)
{
	struct run_args a;
	struct places at;
	struct catalogue s;
	struct fault f = { 0 };
	int status = parse_run(argc, argv, &a);

	if (status)
		return status < 0 ? EXIT_OK : status;
	if (!places_find(&at, &f))
		return fail(EXIT_BROKEN, &f);
	for (size_t i = 0; i < a.nnames; i++)
		if ((status = check_name(a.names[i], &at)))
			return status;
	if (!catalogue_load(&s, at.cases, &f))
		return fail(EXIT_USAGE, &f);
	status = check_globs(&a, &s);
	if (!status)
		status = run_selected(&a, &at, &s);
	catalogue_free(&s);
	return status;
}

/* --- the others -------------------------------------------------------------------------------------------------------- */

static int cmd_list(int argc, char **argv)
{
	bool json = false, uncovered = false, index = false;
	const char *what = "cases";
	struct places at;
	struct catalogue s;
	struct fault f = { 0 };

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (strcmp(argv[i], "--uncovered") == 0)
			uncovered = true;
		else if (strcmp(argv[i], "--index") == 0)
			index = true;
		else if (argv[i][0] != '-')
			what = argv[i];
		else
			return wrong("list does not know ", argv[i]);
	}
	if (!places_find(&at, &f))
		return fail(EXIT_BROKEN, &f);
	if (!catalogue_load(&s, at.cases, &f))
		return fail(EXIT_USAGE, &f);
	if (strcmp(what, "cases") == 0 && index)
		list_index(&s);
	else if (strcmp(what, "cases") == 0)
		list_cases(&s, json);
	else if (strcmp(what, "requirements") == 0)
		list_requirements(&s, json, uncovered);
	else if (strcmp(what, "implementations") == 0)
		list_implementations(at.adapters, json, greet);
	else
		return catalogue_free(&s), wrong("list takes cases, implementations or requirements, not ", what);
	catalogue_free(&s);
	return EXIT_OK;
}

static int cmd_show(int argc, char **argv)
{
	struct places at;
	struct catalogue s;
	struct fault f = { 0 };
	int status = EXIT_USAGE;

	if (argc != 2)
		return wrong("show takes one THEME/CASE", NULL);
	if (!places_find(&at, &f))
		return fail(EXIT_BROKEN, &f);
	if (!catalogue_load(&s, at.cases, &f))
		return fail(EXIT_USAGE, &f);
	for (size_t i = 0; i < s.nscripts && status; i++)
		if (strcmp(s.scripts[i].name, argv[1]) == 0) {
			show_case(&s.scripts[i]);
			status = EXIT_OK;
		}
	if (status) {
		struct run_args a = { .globs = { argv[1] }, .nglobs = 1 };

		status = check_globs(&a, &s);
		status = status ? status : wrong("show takes one THEME/CASE, not ", argv[1]);
	}
	catalogue_free(&s);
	return status;
}

static int cmd_check(int argc, char **argv)
{
	struct places at;
	struct requirements reqs;
	struct fault f = { 0 };
	char path[800];
	int status = EXIT_OK;

	if (argc < 2)
		return wrong("check takes case files", NULL);
	if (!places_find(&at, &f))
		return fail(EXIT_BROKEN, &f);
	snprintf(path, sizeof(path), "%s/requirements", at.cases);
	if (!requirements_load(&reqs, path, &f))
		return fail(EXIT_USAGE, &f);
	for (int i = 1; i < argc; i++) {
		size_t values = 1;

		for (size_t v = 0; v < values; v++) {
			struct script s;

			if (!script_load(&s, argv[i], v, &reqs, &f)) {
				fault_print(stderr, &f);
				status = EXIT_USAGE;
				break;
			}
			values = s.nwith ? s.nwith : 1;
			script_free(&s);
		}
	}
	requirements_free(&reqs);
	return status;
}

static int cmd_peer(int argc, char **argv)
{
	static const struct option options[] = {
		{ "listen", required_argument, NULL, 'l' }, { "connect", required_argument, NULL, 'c' }, { "tls", required_argument, NULL, 'T' },
		{ "help", no_argument, NULL, 'h' }, { 0 }
	};
	struct byhand h = { .version = TLS13 };
	struct places at;
	struct fault f = { 0 };
	char requirements[800];
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'h')
			return fputs(usage, stdout), EXIT_OK;
		if (c == 'T' && (strcmp(optarg, "1.2") == 0 || strcmp(optarg, "1.3") == 0))
			h.version = optarg[2] == '2' ? TLS12 : TLS13;
		else if ((c == 'l' || c == 'c') && number(optarg, c == 'c', 65535) >= 0) {
			h.server = c == 'l';
			h.port = (uint16_t)number(optarg, 0, 65535);
			h.has_port = true;
		} else {
			return wrong("peer takes --listen PORT or --connect PORT, and --tls 1.2 or 1.3", NULL);
		}
	}
	if (!h.has_port || optind != argc)
		return wrong("peer takes --listen PORT or --connect PORT", NULL);
	if (!places_find(&at, &f))
		return fail(EXIT_BROKEN, &f);
	snprintf(requirements, sizeof(requirements), "%s/requirements", at.cases);
	return byhand_run(&h, requirements, &f) ? EXIT_OK : fail(EXIT_BROKEN, &f);
}

static int cmd_steps(int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		return wrong("steps takes nothing", NULL);
	list_steps();
	return EXIT_OK;
}

int main(int argc, char **argv)
{
	static const struct { const char *word; int (*run)(int, char **); } commands[] = {
		{ "run", cmd_run }, { "list", cmd_list }, { "show", cmd_show }, { "check", cmd_check }, { "peer", cmd_peer }, { "steps", cmd_steps },
	};
	static const char *const words[] = { "run", "list", "show", "check", "peer", "steps" };
	const char *near;

	if (argc < 2)
		return wrong("", NULL);
	for (size_t i = 0; i < countof(commands); i++)
		if (strcmp(argv[1], commands[i].word) == 0)
			return commands[i].run(argc - 1, argv + 1);
	if (strcmp(argv[1], "--version") == 0)
		return printf("closedrill %s\n", CLOSEDRILL_VERSION), EXIT_OK;
	if (strcmp(argv[1], "--help") == 0)
		return fputs(usage, stdout), EXIT_OK;
	near = fault_nearest(argv[1], words, countof(words));
	fprintf(stderr, "closedrill: no command \"%s\"%s%s%s\n%s", argv[1], near ? "; did you mean " : "", near ? near : "", near ? "?" : "", usage);
	return EXIT_USAGE;
}
