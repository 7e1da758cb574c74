/* loaded: a results.json as a whole, and several of them as one. */
#include "runner/loaded.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "runner/results.h"

static const struct where nowhere = { 0 };

/* --- loading ----------------------------------------------------------------------------------------------------------- */

static bool add_run(void *to, json_t *run, const char *text, size_t len, struct fault *f)
{
	struct loaded *s = to;

	if (!run_check(run, f))
		return false;
	if ((s->n & (s->n - 1)) == 0) {
		s->runs = reallocarray(s->runs, s->n ? 2 * s->n : 1, sizeof(*s->runs));
		assert(s->runs);
	}
	s->runs[s->n] = (struct loaded_run){ bytes_dup((struct bytes){ (const uint8_t *)text, len }), len, 0 };
	s->n++;
	return true;
}

static size_t number(const json_t *o, const char *key)
{
	json_int_t v = json_integer_value(json_object_get(o, key));

	return v > 0 ? (size_t)v : 0;
}

static bool take_shard(struct loaded *s, const json_t *o, struct fault *f)
{
	s->shard = (struct shard){ number(o, "index"), number(o, "total"), number(o, "runs") };
	return !o || json_is_null(o) || (s->shard.index >= 1 && s->shard.index <= s->shard.total && s->shard.total <= SHARDS_MAX) ||
	       fault_set(f, &nowhere, "%s: \"shard\" names none", s->path);
}

/* As written from whole microseconds: cut off, 1.000001 s would come back as 1.000000. */
static int64_t microseconds(const json_t *totals, const char *key)
{
	return (int64_t)(json_number_value(json_object_get(totals, key)) * 1e6 + 0.5);
}

bool loaded_read(struct loaded *s, const char *path, struct fault *f)
{
	struct results_about about = { .rest = NULL };
	const json_t *totals;
	bool ok;

	*s = (struct loaded){ .path = text_dup(path) };
	ok = results_read(path, add_run, s, &about, f) && take_shard(s, json_object_get(about.rest, "shard"), f);
	totals = json_object_get(about.rest, "totals");
	s->partial = about.partial;
	s->planned = number(about.rest, "planned") > s->n ? number(about.rest, "planned") : s->n;
	s->took_us = microseconds(totals, "seconds");
	s->runs_us = microseconds(totals, "run_seconds");
	json_decref(about.rest);
	if (!ok)
		loaded_free(s);
	return ok;
}

void loaded_free(struct loaded *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->runs[i].text);
	free(s->runs);
	free(s->path);
	*s = (struct loaded){ 0 };
}

/* --- do they belong together? ------------------------------------------------------------------------------------------ */

static bool same_session(const struct loaded *a, const struct loaded *b, struct fault *f)
{
	if (!a->shard.total != !b->shard.total)
		return fault_set(f, &nowhere, "one of %s and %s is a shard: merge the shards of a session first, all at once", a->path,
		                 b->path);
	if (a->shard.total != b->shard.total || a->shard.runs != b->shard.runs)
		return fault_set(f, &nowhere, "%s is of %zu shards with %zu runs, %s of %zu with %zu: they are parts of different sessions",
		                 a->path,
		                 a->shard.total, a->shard.runs, b->path, b->shard.total, b->shard.runs);
	return true;
}

/* Remembers the value of a key; false: there was another one, which *was tells. */
static bool first_of(json_t *seen, const char *key, const char *value, const char **was)
{
	*was = json_string_value(json_object_get(seen, key));
	if (*was)
		return strcmp(*was, value) == 0;
	json_object_set_new(seen, key, json_string(value));
	return true;
}

struct census { json_t *runs, *libraries; };    /* run -> the file it is in; implementation -> the library it is of */

static bool count_run(struct census *c, const struct loaded *s, const json_t *run, struct fault *f)
{
	char *key = run_key(run);
	struct buf name = { 0 };
	const char *was;
	bool ok = true;

	run_name(&name, run);
	if (json_object_get(c->runs, key)) {
		first_of(c->runs, key, s->path, &was);
		ok = fault_set(f, &nowhere, "the same run is there twice, in %s and in %s: %s", was, s->path, buf_str(&name));
	}
	if (ok && !first_of(c->libraries, run_text(run, "implementation"), run_text(run, "library"), &was))
		ok = fault_set(f, &nowhere, "%s is %s in one file and %s in %s: these are two", run_text(run, "implementation"), was,
		               run_text(run, "library"), s->path);
	json_object_set_new(c->runs, key, json_string(s->path));
	free(key);
	buf_free(&name);
	return ok;
}

static bool count_part(struct census *c, const struct loaded *s, struct fault *f)
{
	bool ok = true;

	for (size_t i = 0; i < s->n && ok; i++) {
		json_t *run = json_loadb(s->runs[i].text, s->runs[i].len, 0, NULL);

		ok = count_run(c, s, run, f);
		json_decref(run);
	}
	return ok;
}

bool loaded_belong(const struct loaded *parts, size_t n, struct fault *f)
{
	struct census c = { json_object(), json_object() };
	bool ok = true;

	for (size_t i = 0; i < n && ok; i++)
		ok = same_session(&parts[0], &parts[i], f) && count_part(&c, &parts[i], f);
	json_decref(c.runs);
	json_decref(c.libraries);
	return ok;
}

/* --- merging ----------------------------------------------------------------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
	const struct loaded_run *x = a, *y = b;

	return x->place < y->place ? -1 : x->place > y->place;
}

static void move_runs(struct loaded *from, struct loaded *all)
{
	for (size_t i = 0; i < from->n; i++) {
		all->runs[all->n] = from->runs[i];
		all->runs[all->n].place = from->shard.total ? shard_place(&from->shard, i) : all->n;
		all->n++;
	}
	from->n = 0;
	all->planned += from->planned;
	all->partial |= from->partial;
	all->took_us += from->took_us;
	all->runs_us += from->runs_us;
}

void loaded_merge(struct loaded *parts, size_t n, struct loaded *all)
{
	size_t runs = 0;

	for (size_t i = 0; i < n; i++)
		runs += parts[i].n;
	*all = (struct loaded){ .path = text_dup(parts[0].path), .runs = calloc(runs + 1, sizeof(*all->runs)) };
	assert(all->path && all->runs);
	for (size_t i = 0; i < n; i++)
		move_runs(&parts[i], all);
	qsort(all->runs, all->n, sizeof(*all->runs), by_place);
	if (parts[0].shard.total)
		all->planned = parts[0].shard.runs;
	all->partial |= all->n < all->planned;
}

bool shards_missing(const struct loaded *parts, size_t n, struct buf *out)
{
	size_t before = out->n;

	for (size_t k = 1; k <= parts[0].shard.total; k++) {
		bool there = false;

		for (size_t i = 0; i < n; i++)
			there |= parts[i].shard.index == k;
		if (!there)
			buf_printf(out, "%s %zu", out->n == before ? "not there: shard" : ",", k);
	}
	if (out->n > before)
		buf_printf(out, " of %zu", parts[0].shard.total);
	return out->n > before;
}
