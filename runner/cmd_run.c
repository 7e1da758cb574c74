/* cmd_run: `closedrill run`: plays the selected cases against the named implementations. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runner/command.h"
#include "runner/report.h"
#include "runner/run_args.h"
#include "runner/site.h"

static bool on_result(void *to, size_t index, enum verdict verdict, const char *json, size_t len)
{
	(void)index;
	(void)verdict;
	return report_run(to, json, len);
}

/* The last shards of a few runs may have none to do. */
static enum pooled run_pool(struct job *job, struct report *r, struct pool_times *took, struct fault *f)
{
	if (!job->plan->n)
		return POOL_DONE;
	if (job->workers > (int)job->plan->n)
		job->workers = (int)job->plan->n;
	return pool_run(job, on_result, r, took, f);
}

static int run_plan(const struct run_args *a, struct job *job, const struct places *at)
{
	struct report_options o = {
		.about = { a->out_dir && a->keep != KEEP_NONE ? a->out_dir : NULL, at->cases, a->verbose, a->quiet,
		           isatty(1) && a->format != &format_github, job->plan->n, a->shard },
		.format = a->format, .progress = isatty(2) && !a->quiet && !a->verbose, .out_dir = a->out_dir,
	};
	struct totals totals = { 0 };
	struct fault f = { 0 };
	struct report *r = report_start(&o, stdout, &f);
	enum pooled how;
	struct pool_times took = { 0 };
	bool written;
	struct fault written_fault = { 0 };

	if (!r)
		return command_failed(EXIT_BROKEN, &f);
	how = run_pool(job, r, &took, &f);
	written = report_end(r, how != POOL_DONE, took.all_us, took.runs_us, &totals, &written_fault);
	if (!written)
		return command_failed(EXIT_BROKEN, &written_fault);
	if (how == POOL_FAILED)
		return command_failed(EXIT_BROKEN, &f);
	if (a->out_dir && !site_write(a->out_dir, job->catalogue, NULL, &written_fault))
		return command_failed(EXIT_BROKEN, &written_fault);
	if (a->out_dir && !a->quiet && a->format == &format_text)
		printf("Report: %s/index.html\n", a->out_dir);
	if (f.msg[0])
		command_failed(EXIT_BROKEN, &f);          /* a worker could not start; the others did its part */
	return totals_status(&totals, how != POOL_DONE);
}

static int run_selected(struct run_args *a, const struct places *at, const struct catalogue *s)
{
	struct adapter *adapters = calloc(a->nnames, sizeof(*adapters));
	struct selection sel = { a->globs, a->nglobs, a->roles | a->tls | a->io, a->no_host, a->only_host, a->one_io };
	struct plan plan = { 0 };
	struct job job = { .catalogue = s, .adapters = adapters, .nadapters = a->nnames, .plan = &plan, .keep = { a->out_dir, a->keep }, .workers = a->workers };
	struct fault f = { 0 };
	int status = 0;

	for (size_t i = 0; i < a->nnames && adapters; i++)
		adapter_init(&adapters[i], a->names[i], at->adapters);
	for (size_t i = 0; i < a->nnames && !status; i++) {
		if (!implementation_greet(&adapters[i], &f))
			status = command_failed(EXIT_BROKEN, &f);
		else
			plan_add(&plan, s, (uint32_t)i, &adapters[i], &sel);
	}
	if (!status && !plan.n)
		status = command_wrong("nothing to run: no variant of the selected cases is one that these implementations can do", NULL);
	plan_shard(&plan, &a->shard);
	if (!status)
		status = run_plan(a, &job, at);
	for (size_t i = 0; i < a->nnames && adapters; i++)
		adapter_free(&adapters[i]);
	free(adapters);
	plan_free(&plan);
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
	if (!places_find(&at, &f))
		return command_failed(EXIT_BROKEN, &f);
	for (size_t i = 0; i < a.nnames; i++)
		if ((status = implementation_known(a.names[i], &at)))
			return status;
	if (!catalogue_load(&s, at.cases, &f))
		return command_failed(EXIT_USAGE, &f);
	status = globs_known(a.globs, a.nglobs, &s);
	if (!status)
		status = run_selected(&a, &at, &s);
	catalogue_free(&s);
	return status;
}

