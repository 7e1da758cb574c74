/* cmd_record: `closedrill record`: plays all twice or more often, and writes what it saw to expected/IMPLEMENTATION-VERSION. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/plain.h"
#include "runner/command.h"
#include "runner/gather.h"
#include "runner/linediff.h"
#include "runner/recording.h"
#include "runner/session.h"

enum { TOLD_MAX = 20, CONTEXT = 2 };            /* runs of a kind that stand in the way: of more than these no lines are told */

struct recorder {
	const struct session *session;
	const struct run_args *args;
	int time;                               /* how often all was played before */
	bool progress;
	struct block *seen;                     /* for each run what it did, and what it is known to vary between */
	bool *odd;                              /* for each run: it did something else */
	size_t done;
	size_t broken, inconclusive, differs;
	struct gather gather;
	struct expected *cases; uint32_t *of; size_t n; /* of: whose */
};

static void tell_run(const struct recorder *r, size_t index, const char *what)
{
	const struct run *run = &r->session->plan.runs[index];
	const struct catalogue *c = r->session->catalogue;
	struct buf b = { 0 };

	variant_print(&b, run->variant, &c->scripts[run->script], c->with[run->script]);
	fprintf(stderr, "%s  %s  %s  %s\n", what, r->session->adapters[run->implementation].name, c->scripts[run->script].name,
	        buf_str(&b));
	buf_free(&b);
}

static void tell_reason(const char *json)
{
	json_t *o = json_loads(json, 0, NULL);
	const char *reason = json_string_value(json_object_get(o, "reason"));

	fprintf(stderr, "  ");
	plain_print(stderr, reason ? reason : "");
	fprintf(stderr, "\n");
	json_decref(o);
}

static void tell_lines(struct bytes before, struct bytes after)
{
	struct buf diff = { 0 }, lines = { 0 };

	linediff(&diff, before, after);
	linediff_short(&lines, buf_bytes(&diff), CONTEXT);
	for (char *rest = (char *)buf_str(&lines), *line; (line = strsep(&rest, "\n")) && rest;) {
		fprintf(stderr, "    ");
		plain_print(stderr, line);
		fprintf(stderr, "\n");
	}
	buf_free(&diff);
	buf_free(&lines);
}

/* Somebody has said that it may be, here or when it was recorded before. */
static bool may_be_inconclusive(const struct recorder *r, size_t index)
{
	const struct run *run = &r->session->plan.runs[index];
	const struct block *b = expectations_find(&r->session->expected[run->implementation], r->session->catalogue, run->script,
	                                          run->variant);

	return r->args->inconclusive || (b && block_breaks(b, NULL));
}

/* What is known to vary begins with all that it was seen to do before, in this version. */
static void start_run(struct recorder *r, size_t index)
{
	const struct run *run = &r->session->plan.runs[index];
	const struct expectations *x = &r->session->expected[run->implementation];
	const struct block *b = x->own ? expectations_find(x, r->session->catalogue, run->script, run->variant) : NULL;

	if (b && b->varies)
		block_copy(&r->seen[index], b);
}

/* The run did what it had not done before. */
static void differs(struct recorder *r, size_t index, struct bytes body)
{
	struct block *seen = &r->seen[index];
	const struct account *nearest;
	struct buf before = { 0 };
	bool same;

	if (r->odd[index])
		return;
	r->odd[index] = true;
	r->differs++;
	tell_run(r, index, seen->varies ? "none of what it is known to vary between" : "differs from the first time");
	if (r->differs > TOLD_MAX)
		return;
	nearest = block_nearest(seen, body, &same);
	account_print(&before, &nearest->deviations, buf_bytes(&nearest->trace), false);
	tell_lines(buf_bytes(&before), body);
	buf_free(&before);
}

static void take_account(struct recorder *r, size_t index, struct bytes body)
{
	struct block *seen = &r->seen[index];
	struct account a = account_of(body);

	if (seen->n && !r->args->varies && !block_has(seen, &a))
		differs(r, index, body);
	if (seen->n && r->args->varies && !seen->varies && !block_has(seen, &a))
		seen->varies = text_dup(r->args->varies);
	block_add(seen, &a);
}

static void check_run(struct recorder *r, size_t index, const struct told *t)
{
	if (t->verdict == VERDICT_BROKEN) {
		r->broken++;
		tell_run(r, index, "broken");
		if (r->broken <= TOLD_MAX)
			tell_reason((const char *)t->json.p);
	} else if (t->verdict == VERDICT_INCONCLUSIVE && !may_be_inconclusive(r, index) && r->time == 0) {
		r->inconclusive++;
		tell_run(r, index, "inconclusive");
	}
	if (t->body.n)
		take_account(r, index, t->body);
}

static bool on_result(void *to, size_t index, const struct told *t)
{
	struct recorder *r = to;
	size_t all = r->session->plan.n * (size_t)r->args->times;

	check_run(r, index, t);
	r->done++;
	if (r->progress && (r->done % 8 == 0 || r->done == all))
		fprintf(stderr, r->done < all ? "\r\033[K%zu/%zu" : "\r\033[K", r->done, all);
	return true;
}

static bool keep_case(void *to, uint32_t implementation, struct expected *x)
{
	struct recorder *r = to;

	r->cases = reallocarray(r->cases, r->n + 1, sizeof(*r->cases));
	r->of = reallocarray(r->of, r->n + 1, sizeof(*r->of));
	assert(r->cases && r->of);
	r->of[r->n] = implementation;
	r->cases[r->n++] = *x;
	*x = (struct expected){ 0 };
	return true;
}

static void gather_all(struct recorder *r)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < r->session->plan.n; i++) {
		text.n = 0;
		block_print(&text, &r->seen[i]);
		gather_run(&r->gather, i, buf_bytes(&text));
	}
	gather_end(&r->gather, true);
	buf_free(&text);
}

/* 0, or the exit status. */
static int play_again_and_again(struct recorder *r, int64_t *took_us)
{
	for (size_t i = 0; i < r->session->plan.n; i++)
		start_run(r, i);
	for (r->time = 0; r->time < r->args->times; r->time++) {
		struct fault f = { 0 };
		struct pool_times took;
		enum pooled how;

		how = pool_run(&r->session->job, on_result, r, &took, &f);
		*took_us += took.all_us;
		if (how == POOL_FAILED)
			return command_failed(EXIT_BROKEN, &f);
		if (how == POOL_STOPPED)
			return fprintf(stderr, "closedrill: interrupted; nothing was written\n"), EXIT_BROKEN;
		if (r->broken || r->inconclusive)
			break;
	}
	if (!r->broken && !r->inconclusive && !r->differs)
		return gather_all(r), EXIT_OK;
	fprintf(stderr, "closedrill: nothing was written: %zu runs are broken, %zu inconclusive, %zu differ between two times\n", r->broken,
	        r->inconclusive, r->differs);
	if (r->inconclusive)
		fprintf(stderr, "--inconclusive records those as they are, for somebody to give the reason\n");
	if (r->differs)
		fprintf(stderr, "Where you know that it is the library, and why: -c CASE --varies \"WHY\" --times N records all that "
		                "these runs do\n");
	return r->broken ? EXIT_BROKEN : EXIT_DEVIATION;
}

/* --- writing --- */

struct known { size_t deviations, bare, varies; };      /* bare: without a reason; varies: blocks that do */

static void count_deviations(struct known *k, const struct deviations *d)
{
	k->deviations += d->n;
	for (size_t i = 0; i < d->n; i++)
		k->bare += !d->list[i].reason[0];
}

static struct known count_known(const struct expected *cases, size_t n)
{
	struct known k = { 0 };

	for (size_t i = 0; i < n; i++)
		for (size_t b = 0; b < cases[i].n; b++) {
			const struct block *block = &cases[i].blocks[b];

			k.varies += block->varies != NULL;
			for (size_t a = 0; a < block->n; a++)
				count_deviations(&k, &block->accounts[a].deviations);
		}
	return k;
}

static bool is_whole(const struct run_args *a)
{
	return !a->nglobs && !a->no_host && !a->only_host;
}

static int write_one(const struct recorder *r, const char *dir, uint32_t implementation)
{
	const struct adapter *a = &r->session->adapters[implementation];
	char name[96];
	struct recording to = { dir, name, a->library };
	size_t first = 0, n = 0;
	struct recorded did;
	struct known k;
	struct fault f = { 0 };

	while (first < r->n && r->of[first] != implementation)
		first++;
	while (first + n < r->n && r->of[first + n] == implementation)
		n++;
	expectations_name(name, sizeof(name), a->name, a->library);
	if (!recording_write(&to, r->cases + first, n, is_whole(r->args), &did, &f))
		return command_failed(EXIT_BROKEN, &f);
	k = count_known(r->cases + first, n);
	printf("%s/%s: %zu cases: %zu as before, %zu changed, %zu new, %zu gone; %zu known deviations, %zu without a reason", dir, name,
	       n, did.same, did.changed, did.fresh, did.gone, k.deviations, k.bare);
	if (k.varies)
		printf("; %zu vary", k.varies);
	printf("\n");
	return 0;
}

/* A part of one version's traces and a part of another's would be no version's. */
static int check_versions(const struct session *s, const struct run_args *a)
{
	for (size_t i = 0; i < s->n && !is_whole(a); i++)
		if (s->expected[i].own && s->expected[i].recorded && strcmp(s->expected[i].recorded, s->adapters[i].library) != 0) {
			fprintf(stderr, "closedrill: %s was recorded with %s, and this is %s: record all of it\n", s->expected[i].of,
			        s->expected[i].recorded,
			        s->adapters[i].library);
			return EXIT_USAGE;
		}
	return 0;
}

static int record(const struct run_args *a, struct session *s, const char *dir)
{
	struct recorder r = { .session = s, .args = a, .progress = isatty(2) && !a->quiet, .seen = calloc(s->plan.n, sizeof(*r.seen)),
	                      .odd = calloc(s->plan.n, 1),
	                      .gather = { .catalogue = s->catalogue, .plan = &s->plan, .done = keep_case, .to = &r } };
	int64_t took_us = 0;
	int status;

	assert(r.seen && r.odd);
	status = play_again_and_again(&r, &took_us);
	for (size_t i = 0; i < s->n && !status; i++)
		status = write_one(&r, dir, (uint32_t)i);
	if (!status && !a->quiet)
		printf("%zu runs, each %d times, in %.1f s\n", s->plan.n, a->times, (double)took_us / 1e6);
	gather_end(&r.gather, false);
	for (size_t i = 0; i < s->plan.n; i++)
		block_free(&r.seen[i]);
	for (size_t i = 0; i < r.n; i++)
		expected_free(&r.cases[i]);
	free(r.seen);
	free(r.odd);
	free(r.cases);
	free(r.of);
	return status;
}

static int record_selected(const struct run_args *a, const struct places *at, const struct catalogue *c)
{
	const char *dir = a->into ? a->into : at->expected;
	struct session s;
	int status = session_start(&s, a, at, c, dir, true);

	if (!status)
		status = check_versions(&s, a);
	if (!status)
		status = record(a, &s, dir);
	session_end(&s);
	return status;
}

int cmd_record(int argc, char **argv)
{
	struct run_args a;
	struct places at;
	struct catalogue c;
	struct fault f = { 0 };
	int status = run_args_parse(argc, argv, &a);

	if (status)
		return status < 0 ? EXIT_OK : status;
	if (a.roles != FOR_ROLES || a.tls != FOR_TLS || a.io != FOR_IO || a.one_io)
		return command_wrong("record takes whole cases: no --role, --tls or --io", NULL);
	if (a.varies && !a.nglobs)
		return command_wrong("--varies is about one case, or a few with one cause: name them (-c)", NULL);
	if (a.expected || a.out_dir || a.verbose)
		return command_wrong("record takes --into for the folder, and no --expected, -o or -v", NULL);
	if (!places_find(&at, &f))
		return command_failed(EXIT_BROKEN, &f);
	if ((status = names_known(&a, &at)))
		return status;
	if (!catalogue_load(&c, at.cases, &f))
		return command_failed(EXIT_USAGE, &f);
	status = globs_known(a.globs, a.nglobs, &c);
	if (!status)
		status = record_selected(&a, &at, &c);
	catalogue_free(&c);
	return status;
}
