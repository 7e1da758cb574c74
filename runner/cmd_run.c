/* cmd_run: `closedrill run`: plays the selected cases against the named implementations. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runner/command.h"
#include "runner/report.h"
#include "runner/run_args.h"

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
		return command_failed(EXIT_BROKEN, &f);
	if (job->workers > (int)job->plan->n)
		job->workers = (int)job->plan->n;
	how = pool_run(job, on_result, r, &took, &f);
	written = report_end(r, how != POOL_DONE, took.all_us, took.runs_us, &totals, &written_fault);
	if (!written)
		return command_failed(EXIT_BROKEN, &written_fault);
	if (how == POOL_FAILED)
		return command_failed(EXIT_BROKEN, &f);
	if (f.msg[0])
		command_failed(EXIT_BROKEN, &f);          /* a worker could not start; the others did its part */
	return status_of(&totals, how);
}

static int run_selected(const struct run_args *a, const struct places *at, const struct catalogue *s)
{
	struct adapter *adapters = calloc(a->nnames, sizeof(*adapters));
	struct selection sel = { a->globs, a->nglobs, a->roles | a->tls | a->io, a->no_host, a->only_host, a->one_io };
	struct plan plan = { 0 };
	struct job job = { .catalogue = s, .adapters = adapters, .nadapters = a->nnames, .plan = &plan, .keep = { a->out_dir, a->keep }, .workers = a->workers };
	struct fault f = { 0 };
	int status = 0;

	for (size_t i = 0; i < a->nnames && adapters; i++)
		adapter_init(&adapters[i], a->names[i], at->adapters);
	adapters_name_apart(adapters, adapters ? a->nnames : 0);
	for (size_t i = 0; i < a->nnames && !status; i++) {
		if (!implementation_greet(&adapters[i], &f))
			status = command_failed(EXIT_BROKEN, &f);
		else
			plan_add(&plan, s, (uint32_t)i, &adapters[i], &sel);
	}
	if (!status && !plan.n)
		status = command_wrong("nothing to run: no variant of the selected cases is one that these implementations can do", NULL);
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

