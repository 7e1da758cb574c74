/* gather: the runs of a session, case by case. */
#include "runner/gather.h"

static size_t case_of(const struct gather *g, size_t index)
{
	size_t script = g->plan->runs[index].script;

	return script - g->catalogue->with[script];
}

static bool same_case(const struct gather *g, size_t a, size_t b)
{
	return case_of(g, a) == case_of(g, b) && g->plan->runs[a].implementation == g->plan->runs[b].implementation;
}

bool gather_end(struct gather *g, bool complete)
{
	bool ok = !g->open || !complete || !g->x.n || g->done(g->to, g->plan->runs[g->last].implementation, &g->x);

	expected_free(&g->x);
	g->open = false;
	return ok;
}

bool gather_run(struct gather *g, size_t index, struct bytes body)
{
	const struct run *run = &g->plan->runs[index];
	const struct script *s = &g->catalogue->scripts[run->script];

	if (g->open && !same_case(g, g->last, index) && !gather_end(g, true))
		return false;
	if (!g->open)
		expected_start(&g->x, s);
	g->open = true;
	g->last = index;
	if (body.n)
		expected_add(&g->x, run->variant,
		             s->nwith ? s->with[g->catalogue->with[run->script]] : (struct bytes){ (const uint8_t *)"", 0 }, body);
	return true;
}
