/* cmd_run: `closedrill run`: plays the selected cases against the named implementations. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runner/command.h"
#include "runner/gather.h"
#include "runner/outfile.h"
#include "runner/report.h"
#include "runner/session.h"
#include "runner/site.h"

/* Where the runs of the session go. */
struct sink {
	struct report *report;
	struct gather gather;
	const struct adapter *adapters;
	const char *out_dir;                    /* NULL: no files */
	struct fault f;                         /* why a trace could not be written */
};

/* DIR/IMPLEMENTATION/THEME/CASE.trace. */
static bool put_case(void *to, uint32_t implementation, struct expected *x)
{
	struct sink *s = to;
	struct buf path = { 0 }, text = { 0 };
	bool ok;

	buf_printf(&path, "%s/%s/%s.trace", s->out_dir, s->adapters[implementation].name, x->name);
	expected_print(&text, x);
	ok = outfile_put(buf_str(&path), buf_bytes(&text), &s->f);
	buf_free(&path);
	buf_free(&text);
	return ok;
}

static bool on_result(void *to, size_t index, const struct told *t)
{
	struct sink *s = to;

	return report_run(s->report, (const char *)t->json.p, t->json.n) && (!s->out_dir || gather_run(&s->gather, index, t->body));
}

static int run_plan(const struct run_args *a, struct session *s, const struct places *at)
{
	struct report_options o = {
		.about = { a->out_dir && a->keep != KEEP_NONE ? a->out_dir : NULL, at->cases, a->command, a->verbose, a->quiet,
		           isatty(1) && a->format != &format_github, s->plan.n, s->shard },
		.format = a->format, .progress = isatty(2) && !a->quiet && !a->verbose, .out_dir = a->out_dir,
	};
	struct totals totals = { 0 };
	struct fault f = { 0 }, written = { 0 };
	struct sink sink = { report_start(&o, stdout, &f), { .catalogue = s->catalogue, .plan = &s->plan, .done = put_case, .to = &sink },
	                     s->adapters, a->keep == KEEP_NONE ? NULL : a->out_dir, { .msg = "" } };
	struct pool_times took = { 0 };
	enum pooled how;

	if (!sink.report)
		return command_failed(EXIT_BROKEN, &f);
	for (size_t i = 0; i < s->n; i++)
		if (s->expected[i].of[0])
			report_recorded(sink.report, s->expected[i].of, s->expected[i].recorded);
	/* The last shards of a few runs may have none to do. */
	how = s->plan.n ? pool_run(&s->job, on_result, &sink, &took, &f) : POOL_DONE;
	gather_end(&sink.gather, how == POOL_DONE);
	if (!report_end(sink.report, how != POOL_DONE || sink.f.msg[0], took.all_us, took.runs_us, &totals, &written))
		return command_failed(EXIT_BROKEN, &written);
	if (sink.f.msg[0])
		return command_failed(EXIT_BROKEN, &sink.f);
	if (how == POOL_FAILED)
		return command_failed(EXIT_BROKEN, &f);
	if (a->out_dir && !site_write(a->out_dir, s->catalogue, NULL, &written))
		return command_failed(EXIT_BROKEN, &written);
	if (a->out_dir && !a->quiet && a->format == &format_text)
		printf("Report: %s/index.html\n", a->out_dir);
	if (f.msg[0])
		command_failed(EXIT_BROKEN, &f);          /* a worker could not start; the others did its part */
	return totals_status(&totals, how != POOL_DONE);
}

/* What --expected says; NULL: nothing is expected. Without it, a folder that is not there is none. */
static const char *expected_dir(const struct run_args *a, const struct places *at)
{
	if (!a->expected)
		return at->expected;
	return strcmp(a->expected, "none") == 0 ? NULL : a->expected;
}

int session_run(const struct run_args *a, const struct places *at, const struct catalogue *c)
{
	struct session s;
	int status;

	if (a->expected && strcmp(a->expected, "none") != 0 && access(a->expected, X_OK) != 0)
		return command_wrong("--expected takes a folder, or none; there is no ", a->expected);
	status = session_start(&s, a, at, c, expected_dir(a, at), false);
	if (!status)
		status = run_plan(a, &s, at);
	session_end(&s);
	return status;
}

int cmd_run(int argc, char **argv)
{
	struct run_args a;
	struct places at;
	struct catalogue s;
	struct fault f = { 0 };
	int status = run_args_parse(argc, argv, &a);

	if (status)
		return status < 0 ? EXIT_OK : status;
	if (a.into || a.inconclusive)
		return command_wrong("--into and --inconclusive are of `record`", NULL);
	if (!places_find(&at, &f))
		return command_failed(EXIT_BROKEN, &f);
	if ((status = names_known(&a, &at)))
		return status;
	if (!catalogue_load(&s, at.cases, &f))
		return command_failed(EXIT_USAGE, &f);
	status = globs_known(a.globs, a.nglobs, &s);
	if (!status)
		status = session_run(&a, &at, &s);
	catalogue_free(&s);
	return status;
}
