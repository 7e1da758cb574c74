/* summary: what the runs of a session come to. */
#include "runner/summary.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* --- totals ------------------------------------------------------------------------------------------------------------ */

void totals_add(struct totals *t, const json_t *run)
{
	t->runs++;
	t->verdicts[run_verdict(run)]++;
	t->standings[run_standing(run)]++;
	t->about_host += strcmp(run_text(run, "about"), "host") == 0;
}

/* --- deviations -------------------------------------------------------------------------------------------------------- */

static char *group_key(const json_t *run, const json_t *finding)
{
	struct buf b = { 0 };

	buf_printf(&b, "%s\n%s\n", run_text(run, "implementation"), run_text(run, "case"));
	if (finding)
		buf_printf(&b, "%d\n%s\n%lld\n%s\n%s\n%s", run_flag(finding, "known"), run_text(finding, "requirement"),
		           (long long)json_integer_value(json_object_get(finding, "line")),
		           run_text(finding, "allowed"), run_text(finding, "observed"), run_text(finding, "weight"));
	else
		buf_printf(&b, "%s\n%s", run_text(run, "verdict"), run_text(run, "reason"));
	return buf_str(&b), (char *)b.p;
}

/* The one with this key, which is taken over; a new one if there is none. */
static struct group *group_of(struct summary *s, char *key)
{
	/* Runs of one case come together: its groups are the last ones. */
	for (size_t i = s->ngroups; i-- > 0 && s->ngroups - i < 200;)
		if (strcmp(s->groups[i].key, key) == 0) {
			free(key);
			return &s->groups[i];
		}
	s->groups = reallocarray(s->groups, s->ngroups + 1, sizeof(*s->groups));
	assert(s->groups);
	s->groups[s->ngroups] = (struct group){ .key = key };
	return &s->groups[s->ngroups++];
}

static enum verdict weight_of(const json_t *finding)
{
	const char *w = run_text(finding, "weight");

	for (int v = 0; v < VERDICT_COUNT; v++)
		if (strcmp(w, verdict_word((enum verdict)v)) == 0)
			return (enum verdict)v;
	return VERDICT_PASS;
}

static void add_to_group(struct summary *s, json_t *run, json_t *finding, enum verdict weight)
{
	struct group *g = group_of(s, group_key(run, finding));

	if (!g->run) {
		g->run = json_incref(run);
		g->finding = finding ? json_incref(finding) : NULL;
		g->weight = weight;
		g->known = finding && run_flag(finding, "known");
		g->noted = finding && strcmp(run_text(finding, "weight"), "noted") == 0;
	}
	if (finding && !g->other_version && strcmp(run_text(run, "tls"), run_text(g->run, "tls")) != 0) {
		g->other_version = json_incref(finding);
		g->other_tls = strcmp(run_text(run, "tls"), "1.2") == 0 ? "1.2" : "1.3";
	}
	variant_list_add_run(&g->in, run);
}

static void take_reading(struct summary *s, const json_t *run)
{
	const char *reading = run_text(run, "reading");
	struct reader *rd = s->nreaders ? &s->readers[s->nreaders - 1] : NULL;

	if (!reading[0])
		return;
	if (!rd || strcmp(rd->implementation, run_text(run, "implementation")) != 0) {
		s->readers = reallocarray(s->readers, s->nreaders + 1, sizeof(*s->readers));
		assert(s->readers);
		rd = &s->readers[s->nreaders++];
		*rd = (struct reader){ .implementation = text_dup(run_text(run, "implementation")) };
	}
	*(strcmp(reading, "as-written") == 0 ? &rd->written : &rd->practised) += 1;
}

void summary_take(struct summary *s, json_t *run)
{
	json_t *finding;
	size_t i;

	totals_add(&s->totals, run);
	take_reading(s, run);
	changes_take(&s->changes, run);
	json_array_foreach(json_object_get(run, "findings"), i, finding)
		add_to_group(s, run, finding, weight_of(finding));
	if (run_verdict(run) == VERDICT_BROKEN)
		add_to_group(s, run, NULL, VERDICT_BROKEN);
}

void summary_free(struct summary *s)
{
	for (size_t i = 0; i < s->ngroups; i++) {
		free(s->groups[i].key);
		json_decref(s->groups[i].run);
		json_decref(s->groups[i].finding);
		json_decref(s->groups[i].other_version);
		variant_list_free(&s->groups[i].in);
	}
	for (size_t i = 0; i < s->nreaders; i++)
		free(s->readers[i].implementation);
	changes_free(&s->changes);
	free(s->readers);
	free(s->groups);
	*s = (struct summary){ 0 };
}
