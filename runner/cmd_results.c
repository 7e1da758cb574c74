/* cmd_results: the commands that work on results.json files: convert, merge, diff. */
#include <assert.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/command.h"
#include "runner/difference.h"
#include "runner/join.h"
#include "runner/lex.h"
#include "runner/outfile.h"
#include "runner/report.h"
#include "runner/site.h"

struct results_args {
	const struct format *format;
	const char *out_dir;
	bool verbose, quiet;
	char **files; size_t n;
};

static const struct option options[] = {
	{ "format", required_argument, NULL, 'F' }, { "out", required_argument, NULL, 'o' }, { "verbose", no_argument, NULL, 'v' },
	{ "quiet", no_argument, NULL, 'q' }, { "help", no_argument, NULL, 'h' }, { 0 }
};

/* As run_args_parse: 0, the exit status of what was wrong, or -1: help was asked for, and given. */
static int parse_args(int argc, char **argv, struct results_args *a)
{
	int c;

	opterr = 0;
	*a = (struct results_args){ .format = &format_text };
	while ((c = getopt_long(argc, argv, "o:vq", options, NULL)) != -1)
		switch (c) {
		case 'F':
			if (!(a->format = format_find(optarg)))
				return format_unknown(optarg);
			break;
		case 'o':
			a->out_dir = optarg;
			break;
		case 'v':
			a->verbose = true;
			break;
		case 'q':
			a->quiet = true;
			break;
		case 'h':
			return fputs(command_usage, stdout), -1;
		default:
			return command_wrong("no such option, or it lacks its value: ", argv[optind - 1]);
		}
	a->files = argv + optind;
	a->n = (size_t)(argc - optind);
	return 0;
}

static struct loaded *load_all(const struct results_args *a, struct fault *f)
{
	struct loaded *parts = calloc(a->n, sizeof(*parts));

	assert(parts);
	for (size_t i = 0; i < a->n; i++)
		if (!loaded_read(&parts[i], a->files[i], f)) {
			while (i-- > 0)
				loaded_free(&parts[i]);
			free(parts);
			return NULL;
		}
	return parts;
}

static void free_all(struct loaded *parts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		loaded_free(&parts[i]);
	free(parts);
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? bytes_dup((struct bytes){ (const uint8_t *)path, (size_t)(slash - path + (slash == path)) }) : text_dup(".");
}

/* --- telling a session again ------------------------------------------------------------------------------------------- */

/* dir: where its traces and captures lie; NULL: unknown. */
static int tell(const struct loaded *s, const struct results_args *a, const char *dir, struct totals *t)
{
	struct places at = { .cases = "cases" };
	struct fault f = { 0 };
	struct report_options o = {
		.about = { .dir = dir, .verbose = a->verbose, .quiet = a->quiet, .color = isatty(1) && a->format != &format_github,
		           .planned = s->planned,
		           .shard = s->shard },
		.format = a->format, .out_dir = a->out_dir,
	};
	struct report *r;
	bool ok = true;

	places_find(&at, &f);                   /* a reader of results needs no cases: then they lie as in the repository */
	o.about.cases = at.cases;
	r = report_start(&o, stdout, &f);
	if (!r)
		return command_failed(EXIT_BROKEN, &f);
	for (size_t i = 0; i < s->n && ok; i++)
		ok = report_run(r, s->runs[i].text, s->runs[i].len);
	return report_end(r, s->partial, s->took_us, s->runs_us, t, &f) ? EXIT_OK : command_failed(EXIT_BROKEN, &f);
}

int cmd_convert(int argc, char **argv)
{
	struct results_args a;
	struct loaded s;
	struct fault f;
	struct totals t;
	int status = parse_args(argc, argv, &a);
	char *dir;

	if (status)
		return status < 0 ? EXIT_OK : status;
	if (a.n != 1)
		return command_wrong("convert takes one results.json", NULL);
	if (!loaded_read(&s, a.files[0], &f))
		return command_failed(EXIT_USAGE, &f);
	dir = folder_of(a.files[0]);
	status = tell(&s, &a, dir, &t);
	free(dir);
	loaded_free(&s);
	return status;
}

/* --- merge ------------------------------------------------------------------------------------------------------------- */

static bool copy_file(const char *from, const char *to, struct fault *f)
{
	static const size_t file_max = (size_t)1 << 30;
	struct buf text = { 0 };
	bool ok;

	if (access(from, R_OK) != 0 || access(to, F_OK) == 0)
		return true;
	ok = file_load(from, file_max, &text, f) && outfile_put(to, buf_bytes(&text), f);
	buf_free(&text);
	return ok;
}

static const struct script *script_named(const struct catalogue *c, const char *name)
{
	for (size_t i = 0; i < c->nscripts; i++)
		if (strcmp(c->scripts[i].name, name) == 0)
			return &c->scripts[i];
	return NULL;
}

/* The traces of a case stand in one file: the first of its runs brings all that its part has. */
static bool join_case(const char *dir, const char *out_dir, const json_t *run, const struct catalogue *c, struct fault *f)
{
	const struct script *s = script_named(c, run_text(run, "case"));
	struct buf from = { 0 }, to = { 0 };
	bool ok;

	buf_printf(&from, "%s/%s/%s.trace", dir, run_text(run, "implementation"), run_text(run, "case"));
	buf_printf(&to, "%s/%s/%s.trace", out_dir, run_text(run, "implementation"), run_text(run, "case"));
	ok = !s || traces_join(buf_str(&from), buf_str(&to), s, f);
	buf_free(&from);
	buf_free(&to);
	return ok;
}

static bool same_case(const json_t *a, const json_t *b)
{
	return a && strcmp(run_text(a, "case"), run_text(b, "case")) == 0 &&
	       strcmp(run_text(a, "implementation"), run_text(b, "implementation")) == 0;
}

static bool copy_run(const char *dir, const char *out_dir, const json_t *run, struct fault *f)
{
	static const char *const suffixes[] = { ".trace", ".pcapng", ".svg" };
	struct buf stem = { 0 }, from = { 0 }, to = { 0 };
	bool ok = true, inside = run_stem(&stem, run);

	for (size_t i = 0; i < countof(suffixes) && ok && inside; i++) {
		from.n = to.n = 0;
		buf_printf(&from, "%s/%s%s", dir, buf_str(&stem), suffixes[i]);
		buf_printf(&to, "%s/%s%s", out_dir, buf_str(&stem), suffixes[i]);
		ok = copy_file(buf_str(&from), buf_str(&to), f);
	}
	buf_free(&stem);
	buf_free(&from);
	buf_free(&to);
	return ok;
}

static bool copy_part(const struct loaded *part, const char *out_dir, const struct catalogue *c, struct fault *f)
{
	char *dir = folder_of(part->path);
	json_t *before = NULL;
	bool ok = true;

	for (size_t k = 0; k < part->n && ok; k++) {
		json_t *run = json_loadb(part->runs[k].text, part->runs[k].len, 0, NULL);
		struct buf stem = { 0 };

		/* A name that would lead out of the folder has no files. */
		ok = copy_run(dir, out_dir, run, f) &&
			(same_case(before, run) || !run_stem(&stem, run) || join_case(dir, out_dir, run, c, f));
		buf_free(&stem);
		json_decref(before);
		before = run;
	}
	json_decref(before);
	free(dir);
	return ok;
}

/* Traces and captures go along. Merging moves the runs, so this comes first. */
static bool copy_files(const struct loaded *parts, size_t n, const char *out_dir, const struct catalogue *c, struct fault *f)
{
	bool ok = true;

	for (size_t i = 0; i < n && ok; i++)
		ok = copy_part(&parts[i], out_dir, c, f);
	return ok;
}

static int merge(struct loaded *parts, const struct results_args *a, const struct catalogue *c)
{
	struct loaded all;
	struct fault f;
	struct totals t;
	struct buf missing = { 0 };
	int status;

	if (!loaded_belong(parts, a->n, &f))
		return command_failed(EXIT_USAGE, &f);
	if (a->out_dir && !copy_files(parts, a->n, a->out_dir, c, &f))
		return command_failed(f.line ? EXIT_USAGE : EXIT_BROKEN, &f);
	loaded_merge(parts, a->n, &all);
	if (shards_missing(parts, a->n, &missing))
		fprintf(stderr, "closedrill: %s\n", buf_str(&missing));
	status = tell(&all, a, a->out_dir, &t);
	if (!status && a->out_dir && !site_write(a->out_dir, c, NULL, &f))
		status = command_failed(EXIT_BROKEN, &f);
	status = status ? status : totals_status(&t, all.partial);
	buf_free(&missing);
	loaded_free(&all);
	return status;
}

int cmd_merge(int argc, char **argv)
{
	struct results_args a;
	struct loaded *parts;
	struct places at;
	struct catalogue c;
	struct fault f = { 0 };
	int status = parse_args(argc, argv, &a);

	if (status)
		return status < 0 ? EXIT_OK : status;
	if (!a.n)
		return command_wrong("merge takes results.json files", NULL);
	if (!places_find(&at, &f))
		return command_failed(EXIT_BROKEN, &f);
	if (!catalogue_load(&c, at.cases, &f))
		return command_failed(EXIT_USAGE, &f);
	parts = load_all(&a, &f);
	status = parts ? merge(parts, &a, &c) : command_failed(EXIT_USAGE, &f);
	if (parts)
		free_all(parts, a.n);
	catalogue_free(&c);
	return status;
}

/* --- diff -------------------------------------------------------------------------------------------------------------- */

static int put_comparison(const struct differences *c, const struct results_args *a)
{
	struct buf text = { 0 };
	struct fault f;

	if (a->format == &format_json) {
		json_t *o = differences_json(c);
		char *s = json_dumps(o, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);

		assert(s);
		buf_printf(&text, "%s\n", s);
		free(s);
		json_decref(o);
	} else {
		differences_print(&text, c, a->quiet);
	}
	if (fwrite(text.p, 1, text.n, stdout) == text.n && fflush(stdout) == 0)
		return buf_free(&text), EXIT_OK;
	fault_machine(&f, "cannot write to standard output:");
	buf_free(&text);
	return command_failed(EXIT_BROKEN, &f);
}

/* What the newer session does not say cannot be held against it; nor may it pass for well. */
static int diff(const struct loaded *before, const struct loaded *after, const struct results_args *a)
{
	struct differences c;
	int status;

	differences_find(before, after, &c);
	status = put_comparison(&c, a);
	for (size_t i = 0; i < 2; i++)
		if ((i ? after : before)->partial)
			fprintf(stderr, "closedrill: %s is not complete\n", (i ? after : before)->path);
	if (!status)
		status = after->partial || c.undecided ? EXIT_BROKEN : c.runs[DIFFERS_BROKEN] ? EXIT_DEVIATION : EXIT_OK;
	differences_free(&c);
	return status;
}

int cmd_diff(int argc, char **argv)
{
	struct results_args a;
	struct loaded *parts;
	struct fault f;
	int status = parse_args(argc, argv, &a);

	if (status)
		return status < 0 ? EXIT_OK : status;
	if (a.n != 2 || a.out_dir || a.verbose)
		return command_wrong("diff takes two results.json files, and -q or --format", NULL);
	if (a.format != &format_text && a.format != &format_json)
		return command_wrong("diff can be told as text or json, not as ", a.format->word);
	parts = load_all(&a, &f);
	if (!parts)
		return command_failed(EXIT_USAGE, &f);
	status = diff(&parts[0], &parts[1], &a);
	free_all(parts, a.n);
	return status;
}
