/* run_args: the arguments of the commands that play cases. */
#include "runner/run_args.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runner/command.h"

enum { WORKERS_A_CORE = 4, WORKERS_ENOUGH = 32, WORKERS_MAX = 256 };

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
	{ "io", required_argument, NULL, 'I' }, { "about", required_argument, NULL, 'A' }, { "jobs", required_argument, NULL, 'j' },
	{ "out", required_argument, NULL, 'o' },
	{ "keep", required_argument, NULL, 'K' }, { "format", required_argument, NULL, 'F' }, { "shard", required_argument, NULL, 'S' },
	{ "expected", required_argument, NULL, 'E' }, { "into", required_argument, NULL, 'D' }, { "inconclusive", no_argument, NULL, 'U' },
	{ "varies", required_argument, NULL, 'V' }, { "times", required_argument, NULL, 't' },
	{ "root", required_argument, NULL, 'r' }, { "as", required_argument, NULL, 'N' }, { "verbose", no_argument, NULL, 'v' },
	{ "quiet", no_argument, NULL, 'q' }, { "help", no_argument, NULL, 'h' }, { 0 }
};

/* 0, the exit status, or -1: help was asked for and given. */
static int parse_option(int c, char **argv, struct run_args *a)
{
	switch (c) {
	case 'c':
		if (a->nglobs == countof(a->globs))
			return command_wrong("too many -c", NULL);
		a->globs[a->nglobs++] = optarg;
		return 0;
	case 'R':
		return arg_variant(optarg, FOR_ROLES, &a->roles) ? 0 : command_wrong("--role takes client or server, not ", optarg);
	case 'T':
		return arg_variant(optarg, FOR_TLS, &a->tls) ? 0 : command_wrong("--tls takes 1.2 or 1.3, not ", optarg);
	case 'I':
		if (strcmp(optarg, "one") == 0)
			return a->one_io = true, 0;
		return arg_variant(optarg, FOR_IO, &a->io) ? 0
		       : command_wrong("--io takes blocking, nonblocking, memory or one (any one of them), not ", optarg);
	case 'A':
		a->no_host = strcmp(optarg, "library") == 0;
		a->only_host = strcmp(optarg, "host") == 0;
		return a->no_host || a->only_host ? 0 : command_wrong("--about takes library or host, not ", optarg);
	case 'j':
		a->workers = arg_number(optarg, 1, WORKERS_MAX);
		return a->workers > 0 ? 0 : command_wrong("-j takes a number from 1 to 256, not ", optarg);
	case 'o':
		a->out_dir = optarg;
		return 0;
	case 'K':
		return keep_word(optarg, &a->keep) ? 0 : command_wrong("--keep takes all, findings or none, not ", optarg);
	case 'F':
		return (a->format = format_find(optarg)) ? 0 : format_unknown(optarg);
	case 'S':
		return shard_parse(optarg, &a->shard) ? 0 : command_wrong("--shard takes K/N, the Kth of N, not ", optarg);
	case 'E':
		a->expected = optarg;
		return 0;
	case 'D':
		a->into = optarg;
		return 0;
	case 'U':
		a->inconclusive = true;
		return 0;
	case 'V':
		a->varies = optarg;
		return *optarg ? 0 : command_wrong("--varies takes the reason why runs differ", NULL);
	case 't':
		a->times = arg_number(optarg, 2, 1000);
		return a->times > 0 ? 0 : command_wrong("--times takes a number from 2 to 1000, not ", optarg);
	case 'v':
		a->verbose = true;
		return 0;
	case 'q':
		a->quiet = true;
		return 0;
	case 'h':
		return fputs(command_usage, stdout), -1;
	default:
		return command_wrong("no such option, or it lacks its value: ", argv[optind - 1]);
	}
}

/* What stands before a name on the command line is about it: --root for all names that follow, --as for the next. */
struct before { const char *root, *as; };

static int add_name(struct run_args *a, const char *name, struct before *before)
{
	if (a->nnames == countof(a->names))
		return command_wrong("too many implementations", NULL);
	a->roots[a->nnames] = before->root;
	a->called[a->nnames] = before->as;
	before->as = NULL;
	a->names[a->nnames++] = name;
	return 0;
}

/* It becomes the name of a folder. */
static int take_as(const char *name, struct before *before)
{
	static const char fits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-";

	before->as = name;
	return *name && name[strspn(name, fits)] == '\0' && *name != '.' && *name != '-' ? 0 :
	       command_wrong("--as takes a name of letters, digits and . _ + -, not ", name);
}

/* Runs wait for the kernel more than they work, and some of them for its timers: with four workers a core the catalogue takes two fifths
 * of the time that it takes with one. */
static int workers_usual(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (cores < 1)
		return 1;
	if (cores > WORKERS_ENOUGH)
		return cores < WORKERS_MAX ? (int)cores : WORKERS_MAX;
	return cores * WORKERS_A_CORE < WORKERS_ENOUGH ? (int)cores * WORKERS_A_CORE : WORKERS_ENOUGH;
}

int run_args_parse(int argc, char **argv, struct run_args *a)
{
	struct before before = { NULL, NULL };
	struct fault f;
	int c, status;

	opterr = 0;
	*a = (struct run_args){ .workers = workers_usual(), .format = &format_text, .times = 2 };
	if (!shard_of_environment(&a->shard, &f))
		return command_failed(EXIT_USAGE, &f);
	while ((c = getopt_long(argc, argv, "-c:j:o:vq", run_options, NULL)) != -1) {
		if (c == 'r')
			before.root = optarg;
		else if ((status = c == 'N' ? take_as(optarg, &before) : c == 1 ? add_name(a, optarg, &before) : parse_option(c, argv, a)))
			return status;
	}
	for (; optind < argc; optind++)
		if ((status = add_name(a, argv[optind], &before)))
			return status;
	if (!a->nnames)
		add_name(a, "openssl", &before);
	a->roles = a->roles ? a->roles : FOR_ROLES;
	a->tls = a->tls ? a->tls : FOR_TLS;
	a->io = a->io ? a->io : FOR_IO;
	return 0;
}
