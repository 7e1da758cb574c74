/* report: what a session tells people and machines. */
#include "runner/report.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/resource.h>

#include "peer/plain.h"

enum { DIMENSIONS = 4, VALUES_MAX = 32 };

/* One deviation, with the runs it holds in: what people read once. */
struct group {
	char *key;                              /* implementation, case, requirement, line, allowed, observed */
	json_t *run, *finding;                  /* the first run that has it; finding NULL: broken, with the run's reason */
	struct variant { char *word[DIMENSIONS]; } *variants; size_t n; /* role, tls, io, with */
	json_t *other_version;                  /* the finding in the first run of the other TLS version; NULL: it holds in one */
	const char *other_tls;
	enum verdict weight;
	bool noted, known;                      /* known: an expected trace holds it */
};

/* How one implementation reads what TLS 1.2 says of a received close_notify. */
struct reader { char *implementation; size_t written, practised; };

struct report {
	struct report_options o;
	FILE *out, *json;
	bool first, failed;
	int write_errno;
	size_t nruns, done;
	struct totals totals;
	struct group *groups; size_t ngroups;
	struct reader *readers; size_t nreaders;
	struct changes changes;
};

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* --- results.json ------------------------------------------------------------------------------------------------------ */

static bool begin_json(struct report *r, struct fault *f)
{
	char path[600];

	if (!r->o.out_dir)
		return true;
	if (mkdir(r->o.out_dir, 0777) != 0 && errno != EEXIST)
		return fault_machine(f, "cannot make the folder %s:", r->o.out_dir);
	snprintf(path, sizeof(path), "%s/results.json", r->o.out_dir);
	r->json = fopen(path, "we");
	if (!r->json)
		return fault_machine(f, "cannot write %s:", path);
	fprintf(r->json, "{\"closedrill\": \"%s\", \"runs\": [", CLOSEDRILL_VERSION);
	return true;
}

struct report *report_start(const struct report_options *o, size_t nruns, FILE *out, struct fault *f)
{
	struct report *r = calloc(1, sizeof(*r));

	assert(r);
	*r = (struct report){ .o = *o, .out = out, .nruns = nruns, .first = true };
	if (begin_json(r, f))
		return r;
	free(r);
	return NULL;
}

void report_recorded(struct report *r, const char *of, const char *recorded)
{
	changes_recorded(&r->changes, of, recorded);
}

static void put_run(struct report *r, const char *json, size_t len)
{
	if (!r->json || r->failed)
		return;
	fputs(r->first ? "\n" : ",\n", r->json);
	r->first = false;
	if (fwrite(json, 1, len, r->json) != len || fflush(r->json) != 0) {
		r->failed = true;
		r->write_errno = errno;
	}
}

/* --- grouping ---------------------------------------------------------------------------------------------------------- */

static struct variant variant_of(const json_t *run)
{
	struct variant v = { { strdup(text(run, "role")), strdup(text(run, "tls")), strdup(text(run, "io")), NULL } };
	struct buf b = { 0 };

	if (text(run, "with_name")[0])
		buf_printf(&b, "%s=%s", text(run, "with_name"), text(run, "with"));
	v.word[3] = strdup(buf_str(&b));
	buf_free(&b);
	return v;
}

static void variant_free(struct variant *v)
{
	for (int i = 0; i < DIMENSIONS; i++)
		free(v->word[i]);
}

static char *group_key(const json_t *run, const json_t *finding)
{
	struct buf b = { 0 };
	char *s;

	buf_printf(&b, "%s\n%s\n", text(run, "implementation"), text(run, "case"));
	if (finding)
		buf_printf(&b, "%d\n%s\n%lld\n%s\n%s\n%s", json_is_true(json_object_get(finding, "known")), text(finding, "requirement"), (long long)json_integer_value(json_object_get(finding, "line")),
		           text(finding, "allowed"), text(finding, "observed"), text(finding, "weight"));
	else
		buf_printf(&b, "%s\n%s", text(run, "verdict"), text(run, "reason"));
	s = strdup(buf_str(&b));
	assert(s);
	buf_free(&b);
	return s;
}

static void add_to_group(struct report *r, json_t *run, json_t *finding, enum verdict weight, bool noted)
{
	char *key = group_key(run, finding);
	struct group *g = NULL;

	/* Runs of one case come together: its groups are the last ones. */
	for (size_t i = r->ngroups; i-- > 0 && r->ngroups - i < 200 && !g;)
		if (strcmp(r->groups[i].key, key) == 0)
			g = &r->groups[i];
	if (!g) {
		r->groups = reallocarray(r->groups, r->ngroups + 1, sizeof(*r->groups));
		assert(r->groups);
		g = &r->groups[r->ngroups++];
		*g = (struct group){ .key = key, .run = json_incref(run), .finding = finding ? json_incref(finding) : NULL, .weight = weight, .noted = noted,
		                      .known = finding && json_is_true(json_object_get(finding, "known")) };
	} else {
		free(key);
	}
	if (finding && !g->other_version && strcmp(text(run, "tls"), text(g->run, "tls")) != 0) {
		g->other_version = json_incref(finding);
		g->other_tls = strcmp(text(run, "tls"), "1.2") == 0 ? "1.2" : "1.3";
	}
	g->variants = reallocarray(g->variants, g->n + 1, sizeof(*g->variants));
	assert(g->variants);
	g->variants[g->n++] = variant_of(run);
}

static enum verdict weight_of(const json_t *finding, bool *noted)
{
	const char *w = text(finding, "weight");

	*noted = strcmp(w, "noted") == 0;
	for (int v = 0; v < VERDICT_COUNT; v++)
		if (strcmp(w, verdict_word((enum verdict)v)) == 0)
			return (enum verdict)v;
	return VERDICT_PASS;
}

static void take_reading(struct report *r, const json_t *run)
{
	const char *reading = text(run, "reading");
	struct reader *rd = r->nreaders ? &r->readers[r->nreaders - 1] : NULL;

	if (!reading[0])
		return;
	if (!rd || strcmp(rd->implementation, text(run, "implementation")) != 0) {
		r->readers = reallocarray(r->readers, r->nreaders + 1, sizeof(*r->readers));
		assert(r->readers);
		rd = &r->readers[r->nreaders++];
		*rd = (struct reader){ .implementation = strdup(text(run, "implementation")) };
	}
	*(strcmp(reading, "as-written") == 0 ? &rd->written : &rd->practised) += 1;
}

static void take_findings(struct report *r, enum verdict verdict, const char *json, size_t len)
{
	json_t *run = json_loadb(json, len, 0, NULL), *finding;
	size_t i;

	assert(run);
	if (strcmp(text(run, "about"), "host") == 0)
		r->totals.about_host++;
	take_reading(r, run);
	changes_take(&r->changes, run);
	json_array_foreach(json_object_get(run, "findings"), i, finding) {
		bool noted;
		enum verdict weight = weight_of(finding, &noted);

		add_to_group(r, run, finding, weight, noted);
	}
	if (verdict == VERDICT_BROKEN)
		add_to_group(r, run, NULL, verdict, false);
	json_decref(run);
}

/* --- while it runs ----------------------------------------------------------------------------------------------------- */

static void progress_line(const struct report *r)
{
	fprintf(stderr, "\r\033[K%zu/%zu", r->done, r->nruns);
	for (int v = 0; v < VERDICT_COUNT; v++)
		if (r->totals.verdicts[v])
			fprintf(stderr, "  %s %zu", verdict_word((enum verdict)v), r->totals.verdicts[v]);
	fflush(stderr);
}

static void verbose_line(const struct report *r, enum verdict verdict, const char *json, size_t len)
{
	json_t *run = json_loadb(json, len, 0, NULL);
	struct variant v = variant_of(run);

	fprintf(r->out, "%-12s %s %s %s %s %s%s%s (%.1f ms)\n", verdict_word(verdict), text(run, "implementation"), text(run, "case"), v.word[0], v.word[1],
	        v.word[2], v.word[3][0] ? " " : "", v.word[3], json_real_value(json_object_get(run, "ms")));
	variant_free(&v);
	json_decref(run);
}

bool report_run(struct report *r, size_t index, enum verdict verdict, const char *json, size_t len)
{
	(void)index;
	r->done++;
	r->totals.runs++;
	r->totals.verdicts[verdict]++;
	put_run(r, json, len);
	if (r->o.verbose)
		verbose_line(r, verdict, json, len);
	take_findings(r, verdict, json, len);
	if (r->o.progress && (r->done % 8 == 0 || r->done == r->nruns))
		progress_line(r);
	return !r->failed;
}

/* --- for people -------------------------------------------------------------------------------------------------------- */

static const char *paint(const struct report *r, enum verdict v)
{
	static const char *const colors[] = { "\033[32m", "\033[33m", "\033[31m", "\033[35m", "\033[2m", "\033[1;31m" };

	return r->o.color ? colors[v] : "";
}

/* The different values of one dimension, in the order of their coming. */
static size_t values_of(const struct group *g, int dim, const char *values[VALUES_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		bool known = false;

		for (size_t k = 0; k < n; k++)
			known |= strcmp(values[k], g->variants[i].word[dim]) == 0;
		if (!known && n < VALUES_MAX)
			values[n++] = g->variants[i].word[dim];
	}
	return n;
}

/* "client|server 1.3 blocking|memory": if the variants are a whole product of their values. */
static bool put_product(const struct report *r, const struct group *g)
{
	const char *values[DIMENSIONS][VALUES_MAX];
	size_t n[DIMENSIONS], product = 1;

	for (int d = 0; d < DIMENSIONS; d++)
		product *= n[d] = values_of(g, d, values[d]);
	if (product != g->n)
		return false;
	for (int d = 0; d < DIMENSIONS; d++)
		for (size_t i = 0; i < n[d]; i++)
			fprintf(r->out, "%s%s", i ? "|" : d && values[d][i][0] ? " " : "", values[d][i]);
	fprintf(r->out, g->n > 1 ? "  (%zu runs)\n" : "\n", g->n);
	return true;
}

static void put_variants(const struct report *r, const struct group *g)
{
	size_t width = 0;

	fprintf(r->out, "  in        ");
	if (put_product(r, g))
		return;
	for (size_t i = 0; i < g->n; i++) {
		const struct variant *v = &g->variants[i];

		if (width > 72) {
			fprintf(r->out, "\n            ");
			width = 0;
		}
		width += (size_t)fprintf(r->out, "%s %s %s%s%s%s", v->word[0], v->word[1], v->word[2], v->word[3][0] ? " " : "", v->word[3], i + 1 < g->n ? ", " : "");
	}
	fprintf(r->out, "\n");
}

static void put_again(const struct report *r, const struct group *g)
{
	const json_t *run = g->run;
	const struct variant *v = &g->variants[0];

	if (r->o.captures && r->o.out_dir)
		fprintf(r->out, "  capture   %s/%s/%s/%s-%s-%s%s%s.pcapng\n", r->o.out_dir, text(run, "implementation"), text(run, "case"),
		        v->word[0], v->word[1], v->word[2], v->word[3][0] ? "-" : "", v->word[3]);
	fprintf(r->out, "  again     closedrill run '%s' -c %s --role %s --tls %s --io %s -o DIR --keep all\n",
	        text(run, "command")[0] ? text(run, "command") : text(run, "implementation"), text(run, "case"), v->word[0], v->word[1], v->word[2]);
}

/* Level and clause, for each version that the finding holds in if they differ. */
static void put_rule(const struct report *r, const struct group *g)
{
	const json_t *first = g->finding, *other = g->other_version;

	for (const json_t *fd = first; fd; fd = fd == first ? other : NULL) {
		bool same = other && strcmp(text(first, "clause"), text(other, "clause")) == 0 && strcmp(text(first, "level"), text(other, "level")) == 0;

		fprintf(r->out, "  rule      %s%s%s%s%s, %s\n", other && !same ? (fd == first ? g->variants[0].word[1] : g->other_tls) : "", other && !same ? ": " : "",
		        text(fd, "level"), json_is_true(json_object_get(fd, "disputed")) ? ", disputed" : "",
		        json_is_true(json_object_get(fd, "promised")) ? ", promised by the manual" : "", text(fd, "clause"));
		if (same)
			break;
	}
}

static void put_finding(const struct report *r, const struct group *g)
{
	const json_t *fd = g->finding;
	const char *off = r->o.color ? "\033[0m" : "", *req = text(fd, "requirement");
	enum verdict shown = g->weight;

	fprintf(r->out, "%s%s%s  %s  %s", paint(r, shown), g->noted ? "noted" : verdict_word(shown), off, text(g->run, "implementation"), text(g->run, "case"));
	if (req[0])
		fprintf(r->out, "  [%s]\n", req);
	else
		fprintf(r->out, "  a precondition did not hold\n");
	if (req[0])
		put_rule(r, g);
	fprintf(r->out, "  at        %s/%s.case:%lld\n", r->o.cases, text(g->run, "case"), (long long)json_integer_value(json_object_get(fd, "line")));
	fprintf(r->out, "  allowed   %s\n  observed  %s\n", text(fd, "allowed"), text(fd, "observed"));
	if (text(fd, "native")[0])
		fprintf(r->out, "  native    %s\n", text(fd, "native"));
}

/* What is expected is listed only when asked for. */
static bool is_shown(const struct report *r, const struct group *g)
{
	return r->o.verbose || !g->known;
}

static void put_known(const struct report *r, const struct group *g)
{
	const char *reason = text(g->finding, "known_reason"), *link = text(g->finding, "known_link");

	fprintf(r->out, "  known     ");
	plain_print(r->out, reason[0] ? reason : "(no reason is given yet)");
	fprintf(r->out, "%s", link[0] ? "  " : "");
	plain_print(r->out, link);
	fprintf(r->out, "\n");
}

static void put_group(const struct report *r, const struct group *g)
{
	const char *off = r->o.color ? "\033[0m" : "";

	if (g->finding)
		put_finding(r, g);
	else
		fprintf(r->out, "%sbroken%s  %s  %s\n  reason    %s\n", paint(r, VERDICT_BROKEN), off, text(g->run, "implementation"), text(g->run, "case"), text(g->run, "reason"));
	if (g->known)
		put_known(r, g);
	put_variants(r, g);
	put_again(r, g);
	fprintf(r->out, "\n");
}

static void put_groups(const struct report *r)
{
	/* The weightiest last: that is what stands above the prompt. */
	static const enum verdict order[] = { VERDICT_WARN, VERDICT_INCONCLUSIVE, VERDICT_FAIL, VERDICT_BROKEN };

	for (size_t i = 0; r->o.verbose && i < r->ngroups; i++)
		if (r->groups[i].noted)
			put_group(r, &r->groups[i]);
	for (size_t k = 0; k < countof(order); k++)
		for (size_t i = 0; i < r->ngroups; i++)
			if (r->groups[i].weight == order[k] && !r->groups[i].noted && is_shown(r, &r->groups[i]))
				put_group(r, &r->groups[i]);
}

static void put_readings(const struct report *r)
{
	for (size_t i = 0; i < r->nreaders; i++) {
		const struct reader *rd = &r->readers[i];
		size_t all = rd->written + rd->practised;
		bool practised = rd->practised * 2 > all;

		fprintf(r->out, "%s reads TLS 1.2 %s: it %s (%zu of %zu runs that tell)\n", rd->implementation,
		        practised ? "as everyone does since" : "as RFC 5246 7.2.1 is written",
		        practised ? "leaves the answer to close_notify to the application, and may write on" : "answers close_notify at once and writes no more",
		        practised ? rd->practised : rd->written, all);
	}
}

static void put_totals(const struct report *r, bool partial, int64_t took_us)
{
	const struct totals *t = &r->totals;
	const char *sep = ": ";

	fprintf(r->out, "%zu runs in %.1f s", t->runs, (double)took_us / 1e6);
	for (int v = 0; v < VERDICT_COUNT; v++)
		if (t->verdicts[v]) {
			fprintf(r->out, "%s%s%zu %s%s", sep, paint(r, (enum verdict)v), t->verdicts[v], verdict_word((enum verdict)v), r->o.color ? "\033[0m" : "");
			sep = ", ";
		}
	if (t->about_host)
		fprintf(r->out, " (%zu of them about this host's TCP)", t->about_host);
	fprintf(r->out, "\n");
	if (partial)
		fprintf(r->out, "PARTIAL: %zu of %zu runs were done\n", r->done, r->nruns);
}

static long peak_kib(void)
{
	struct rusage u;

	return getrusage(RUSAGE_SELF, &u) == 0 ? u.ru_maxrss : 0;
}

static bool end_json(struct report *r, bool partial, int64_t took_us, int64_t runs_us, struct fault *f)
{
	json_t *totals = json_object();
	char *s;

	if (!r->json) {
		json_decref(totals);
		return true;
	}
	json_object_set_new(totals, "runs", json_integer((json_int_t)r->totals.runs));
	for (int v = 0; v < VERDICT_COUNT; v++)
		json_object_set_new(totals, verdict_word((enum verdict)v), json_integer((json_int_t)r->totals.verdicts[v]));
	json_object_set_new(totals, "about_host", json_integer((json_int_t)r->totals.about_host));
	json_object_set_new(totals, "seconds", json_real((double)took_us / 1e6));
	json_object_set_new(totals, "run_seconds", json_real((double)runs_us / 1e6));
	json_object_set_new(totals, "runner_rss_kib", json_integer(peak_kib()));
	s = json_dumps(totals, JSON_PRESERVE_ORDER);
	fprintf(r->json, "\n],\n\"partial\": %s,\n\"totals\": %s}\n", partial ? "true" : "false", s);
	free(s);
	json_decref(totals);
	if (r->failed)
		errno = r->write_errno;
	if (fclose(r->json) != 0 || r->failed)
		return fault_machine(f, "cannot write results.json (what was written before is kept):");
	return true;
}

static void report_free(struct report *r)
{
	for (size_t i = 0; i < r->ngroups; i++) {
		free(r->groups[i].key);
		json_decref(r->groups[i].run);
		json_decref(r->groups[i].finding);
		json_decref(r->groups[i].other_version);
		for (size_t k = 0; k < r->groups[i].n; k++)
			variant_free(&r->groups[i].variants[k]);
		free(r->groups[i].variants);
	}
	for (size_t i = 0; i < r->nreaders; i++)
		free(r->readers[i].implementation);
	free(r->readers);
	changes_free(&r->changes);
	free(r->groups);
	free(r);
}

bool report_end(struct report *r, bool partial, int64_t took_us, int64_t runs_us, struct totals *t, struct fault *f)
{
	bool ok;

	if (r->o.progress)
		fprintf(stderr, "\r\033[K");
	if (!r->o.quiet)
		put_groups(r);
	if (!r->o.quiet)
		changes_print(&r->changes, r->out, r->o.verbose, r->o.color);
	if (!r->o.quiet)
		put_readings(r);
	put_totals(r, partial || r->failed, took_us);
	changes_totals(&r->changes, r->out);
	r->totals.changed = r->changes.changed;
	r->totals.unexpected = r->changes.unexpected;
	ok = end_json(r, partial || r->failed, took_us, runs_us, f);
	*t = r->totals;
	report_free(r);
	return ok;
}
