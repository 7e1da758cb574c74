/* difference: what became of each run from one session to a later one. */
#include "runner/difference.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "runner/variants.h"

const char *differs_word(enum differs c)
{
	static const char *const words[DIFFERS_COUNT] = { "gone", "new", "changed", "fixed", "broken" };

	return words[c];
}

/* --- one run ----------------------------------------------------------------------------------------------------------- */

static bool deviates(const json_t *finding)
{
	return strcmp(run_text(finding, "weight"), "fail") == 0 || strcmp(run_text(finding, "weight"), "inconclusive") == 0;
}

static bool has_deviation(const json_t *run, const json_t *like)
{
	json_t *finding;
	size_t i;

	json_array_foreach(json_object_get(run, "findings"), i, finding)
		if (strcmp(run_text(finding, "weight"), run_text(like, "weight")) == 0 &&
		    strcmp(run_text(finding, "requirement"), run_text(like, "requirement")) == 0)
			return true;
	return false;
}

/* How many deviations of one run the other does not have. */
static size_t not_in(const json_t *run, const json_t *other)
{
	json_t *finding;
	size_t i, n = 0;

	json_array_foreach(json_object_get(run, "findings"), i, finding)
		n += deviates(finding) && !has_deviation(other, finding);
	return n;
}

static bool says_something(const json_t *run)
{
	enum verdict v = run_verdict(run);

	return v != VERDICT_BROKEN && v != VERDICT_UNSUPPORTED;
}

/* What a run shows, without what differs from one time to the next, or with an edit of the case that means nothing (lines, prose). */
static void put_shown(struct buf *out, const json_t *run)
{
	static const char *const of_run[] = { "verdict", "reading", "reason" };
	static const char *const of_finding[] = { "requirement", "weight", "allowed", "observed", "native" };
	json_t *finding;
	size_t i;

	for (size_t k = 0; k < countof(of_run); k++)
		buf_printf(out, "%s\n", run_text(run, of_run[k]));
	json_array_foreach(json_object_get(run, "findings"), i, finding)
		for (size_t k = 0; k < countof(of_finding); k++)
			buf_printf(out, "%s\n", run_text(finding, of_finding[k]));
}

bool run_differs(const json_t *before, const json_t *after, enum differs *c)
{
	struct buf was = { 0 }, is = { 0 };
	bool same;

	put_shown(&was, before);
	put_shown(&is, after);
	same = bytes_equal(buf_bytes(&was), buf_bytes(&is));
	*c = DIFFERS_CHANGED;
	if (says_something(before) && says_something(after)) {
		if (not_in(after, before))
			*c = DIFFERS_BROKEN;
		else if (not_in(before, after))
			*c = DIFFERS_FIXED;
	}
	buf_free(&was);
	buf_free(&is);
	return !same;
}

/* --- all of them ------------------------------------------------------------------------------------------------------- */

static json_t *load(const struct loaded_run *r)
{
	json_t *run = json_loadb(r->text, r->len, 0, NULL);

	assert(run);
	return run;
}

static char *row_key(enum differs c, const json_t *before, const json_t *after)
{
	const json_t *any = after ? after : before;
	struct buf b = { 0 };

	buf_printf(&b, "%d\n%s\n%s\n", (int)c, run_text(any, "implementation"), run_text(any, "case"));
	if (before && after) {
		put_shown(&b, before);
		put_shown(&b, after);
	} else {
		buf_printf(&b, "%s", run_text(any, "verdict"));
	}
	return buf_str(&b), (char *)b.p;
}

static void add_row(struct differences *c, enum differs change, const json_t *before, const json_t *after)
{
	char *key = row_key(change, before, after);
	json_t *own = run_plain(after ? after : before);
	struct difference *d = NULL;

	c->runs[change]++;
	for (size_t i = c->n; i-- > 0 && c->n - i < 200 && !d;)         /* runs of one case come together */
		if (strcmp(c->rows[i].key, key) == 0)
			d = &c->rows[i];
	if (d) {
		free(key);
	} else {
		c->rows = reallocarray(c->rows, c->n + 1, sizeof(*c->rows));
		assert(c->rows);
		d = &c->rows[c->n++];
		*d = (struct difference){ change, key, before ? run_plain(before) : NULL, after ? run_plain(after) : NULL, { 0 } };
	}
	variant_list_add_run(&d->in, own);
	json_decref(own);
}

/* Every run of a session under its key: its number. */
static json_t *index_of(const struct loaded *s)
{
	json_t *index = json_object();

	for (size_t i = 0; i < s->n; i++) {
		json_t *run = load(&s->runs[i]);
		char *key = run_key(run);

		json_object_set_new(index, key, json_integer((json_int_t)i));
		free(key);
		json_decref(run);
	}
	return index;
}

static void compare_one(struct differences *c, const struct loaded *before, json_t *index, const json_t *run)
{
	char *key = run_key(run);
	json_t *at = json_object_get(index, key), *was = at ? load(&before->runs[json_integer_value(at)]) : NULL;
	enum differs change = DIFFERS_NEW;

	if (!was || run_differs(was, run, &change))
		add_row(c, change, was, run);
	else
		c->same++;
	c->undecided += was && run_verdict(was) != VERDICT_BROKEN && run_verdict(run) == VERDICT_BROKEN;
	json_object_del(index, key);
	json_decref(was);
	free(key);
}

void differences_find(const struct loaded *before, const struct loaded *after, struct differences *c)
{
	json_t *index = index_of(before);

	*c = (struct differences){ 0 };
	for (size_t i = 0; i < after->n; i++) {
		json_t *run = load(&after->runs[i]);

		compare_one(c, before, index, run);
		json_decref(run);
	}
	for (size_t i = 0; i < before->n && json_object_size(index); i++) {
		json_t *run = load(&before->runs[i]);
		char *key = run_key(run);

		if (json_object_get(index, key))
			add_row(c, DIFFERS_GONE, run, NULL);
		free(key);
		json_decref(run);
	}
	json_decref(index);
}

void differences_free(struct differences *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->rows[i].key);
		json_decref(c->rows[i].before);
		json_decref(c->rows[i].after);
		variant_list_free(&c->rows[i].in);
	}
	free(c->rows);
	*c = (struct differences){ 0 };
}

/* --- telling ----------------------------------------------------------------------------------------------------------- */

static void put_findings(struct buf *out, const char *word, const json_t *run)
{
	json_t *finding;
	size_t i;

	json_array_foreach(json_object_get(run, "findings"), i, finding) {
		const char *req = run_text(finding, "requirement");

		buf_printf(out, "  %-9s [%s] %s  (allowed %s)\n", word, req[0] ? req : "precondition", run_text(finding, "observed"),
		           run_text(finding, "allowed"));
	}
	if (run_text(run, "reason")[0])
		buf_printf(out, "  %-9s %s\n", word, run_text(run, "reason"));
}

static void put_row(struct buf *out, const struct difference *d)
{
	const json_t *any = d->after ? d->after : d->before;

	buf_printf(out, "%-7s  %s  %s  %s%s%s\n", differs_word(d->change), run_text(any, "implementation"), run_text(any, "case"),
	           d->before ? run_text(d->before, "verdict") : "", d->before && d->after ? " -> " : "",
	           d->after ? run_text(d->after, "verdict") : "");
	buf_printf(out, "  in        ");
	variant_list_print(out, &d->in, "            ");
	buf_printf(out, "\n");
	if (d->before && d->after && strcmp(run_text(d->before, "library"), run_text(d->after, "library")) != 0)
		buf_printf(out, "  library   %s -> %s\n", run_text(d->before, "library"), run_text(d->after, "library"));
	put_findings(out, "was", d->before);
	put_findings(out, "is", d->after);
	if (d->after) {
		buf_printf(out, "  again     ");
		run_again(out, d->after);
		buf_printf(out, "\n");
	}
	buf_printf(out, "\n");
}

void differences_print(struct buf *out, const struct differences *c, bool quiet)
{
	for (int k = 0; k < DIFFERS_COUNT && !quiet; k++)
		for (size_t i = 0; i < c->n; i++)
			if (c->rows[i].change == (enum differs)k)
				put_row(out, &c->rows[i]);
	for (int k = 0; k < DIFFERS_COUNT; k++)
		if (c->runs[k])
			buf_printf(out, "%zu %s, ", c->runs[k], differs_word((enum differs)k));
	buf_printf(out, "%zu the same\n", c->same);
}

static json_t *variants_json(const struct variant_list *v)
{
	json_t *all = json_array();

	for (size_t i = 0; i < v->n; i++) {
		json_t *o = json_object();

		json_object_set_new(o, "role", json_string(variant_role(v->rows[i].bits)));
		json_object_set_new(o, "tls", json_string(variant_tls(v->rows[i].bits)));
		json_object_set_new(o, "io", json_string(variant_io(v->rows[i].bits)));
		if (v->with_name[0])
			json_object_set_new(o, "with", json_sprintf("%s=%s", v->with_name, v->rows[i].with));
		json_array_append_new(all, o);
	}
	return all;
}

static json_t *row_json(const struct difference *d)
{
	const json_t *any = d->after ? d->after : d->before;
	json_t *o = json_object();

	json_object_set_new(o, "change", json_string(differs_word(d->change)));
	json_object_set_new(o, "implementation", json_string(run_text(any, "implementation")));
	json_object_set_new(o, "case", json_string(run_text(any, "case")));
	json_object_set_new(o, "in", variants_json(&d->in));
	json_object_set_new(o, "before", d->before ? json_incref(d->before) : json_null());
	json_object_set_new(o, "after", d->after ? json_incref(d->after) : json_null());
	return o;
}

json_t *differences_json(const struct differences *c)
{
	json_t *o = json_object(), *totals = json_object(), *rows = json_array();

	for (int k = 0; k < DIFFERS_COUNT; k++)
		json_object_set_new(totals, differs_word((enum differs)k), json_integer((json_int_t)c->runs[k]));
	json_object_set_new(totals, "same", json_integer((json_int_t)c->same));
	for (int k = 0; k < DIFFERS_COUNT; k++)
		for (size_t i = 0; i < c->n; i++)
			if (c->rows[i].change == (enum differs)k)
				json_array_append_new(rows, row_json(&c->rows[i]));
	json_object_set_new(o, "closedrill", json_string(CLOSEDRILL_VERSION));
	json_object_set_new(o, "totals", totals);
	json_object_set_new(o, "changes", rows);
	return o;
}
