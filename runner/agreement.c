/* agreement: which implementations behave alike in a case. */
#include "runner/agreement.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* --- what was seen --------------------------------------------------------------------------------------------------- */

static bool starts(struct bytes line, const char *word)
{
	size_t n = strlen(word);

	return line.n >= n && memcmp(line.p, word, n) == 0;
}

/* The line without ` as ` and what follows it; text in quotes is passed over. */
static struct bytes without_native(struct bytes line)
{
	bool quoted = false;

	for (size_t i = 0; i + 4 <= line.n; i++) {
		if (quoted && line.p[i] == '\\')
			i++;
		else if (line.p[i] == '"')
			quoted = !quoted;
		else if (!quoted && memcmp(line.p + i, " as ", 4) == 0)
			return (struct bytes){ line.p, i };
	}
	return line;
}

void survey_behaves(struct survey *s, size_t run, struct bytes trace)
{
	struct buf b = { 0 };
	bool handshake = false;

	while (trace.n) {
		const uint8_t *end = memchr(trace.p, '\n', trace.n);
		struct bytes line = { trace.p, end ? (size_t)(end - trace.p) : trace.n };
		bool wire = starts(line, "wire ");

		bytes_take(&trace, line.n + (end != NULL), &(struct bytes){ 0 });
		if (!line.n || line.p[0] == '#')
			continue;
		if (!wire)
			handshake = starts(line, "handshake") || starts(line, "iut   handshake") || starts(line, "peer  handshake");
		if (wire && handshake)
			continue;
		buf_add_bytes(&b, without_native(line));
		buf_u8(&b, '\n');
	}
	s->runs[run].behaviour = intern_bytes(&s->texts, buf_bytes(&b));
	buf_free(&b);
}

/* --- groups ---------------------------------------------------------------------------------------------------------- */

/* Says something about the library. */
static bool tells(const struct survey_run *r)
{
	return r->verdict != VERDICT_UNSUPPORTED && r->verdict != VERDICT_BROKEN;
}

static bool same_variant(const struct survey_run *a, const struct survey_run *b)
{
	return a->variant == b->variant && a->with == b->with;
}

/* The run of the same variant in the cell, NULL if it has none that tells. Those of all cells mostly stand at the same place. */
static const struct survey_run *counterpart(const struct survey *s, const struct survey_cell *c, const struct survey_run *r, size_t guess)
{
	for (size_t k = 0; k < c->n; k++) {
		const struct survey_run *other = &s->runs[c->first + (guess + k) % c->n];

		if (same_variant(other, r))
			return tells(other) ? other : NULL;
	}
	return NULL;
}

static bool alike(const struct agreement *a, const struct survey_run *x, const struct survey_run *y)
{
	return a->traces ? x->behaviour == y->behaviour : x->observed == y->observed;
}

/* Where two implementations have run the same variant: do they behave alike there? differs: where they first do not. */
static bool compare(const struct survey *s, const struct agreement *a, size_t kase, size_t one, size_t other, size_t *common,
                    const struct survey_run *differs[2])
{
	const struct survey_cell *c = survey_cell(s, kase, one), *d = survey_cell(s, kase, other);

	*common = 0;
	for (size_t k = 0; k < c->n; k++) {
		const struct survey_run *r = &s->runs[c->first + k], *q = tells(r) ? counterpart(s, d, r, k) : NULL;

		if (!q)
			continue;
		++*common;
		if (!alike(a, r, q)) {
			differs[0] = r;
			differs[1] = q;
			return false;
		}
	}
	return true;
}

static size_t ran(const struct survey *s, size_t kase, size_t implementation)
{
	const struct survey_cell *c = survey_cell(s, kase, implementation);
	size_t n = 0;

	for (size_t k = 0; k < c->n; k++)
		n += tells(&s->runs[c->first + k]);
	return n;
}

/* Into the first group of which it agrees with every member, and has something in common with one. Alike is no equivalence where
 * variants are missing, so those with the most variants come first and found the groups. */
static void place(const struct survey *s, size_t kase, struct agreement *a, size_t who)
{
	for (size_t g = 0; g < a->ngroups; g++) {
		bool fits = true, common = false;

		for (size_t m = 0; m < s->nimplementations && fits; m++) {
			const struct survey_run *differs[2];
			size_t n;

			if (a->group[m] != g)
				continue;
			fits = compare(s, a, kase, who, m, &n, differs);
			common |= n > 0;
		}
		if (fits && common) {
			a->group[who] = g;
			a->size[g]++;
			return;
		}
	}
	a->group[who] = a->ngroups;
	a->size[a->ngroups++] = 1;
}

static bool has_traces(const struct survey *s, size_t kase)
{
	for (size_t i = 0; i < s->nimplementations; i++) {
		const struct survey_cell *c = survey_cell(s, kase, i);

		for (size_t k = 0; k < c->n; k++)
			if (tells(&s->runs[c->first + k]) && !s->runs[c->first + k].behaviour)
				return false;
	}
	return true;
}

/* The largest group gets number 0, and so on; of equals the one that was founded first. */
static void number_by_size(const struct survey *s, struct agreement *a)
{
	size_t *now = calloc(a->ngroups + 1, sizeof(*now)), *sizes = calloc(a->ngroups + 1, sizeof(*sizes));

	assert(now && sizes);
	for (size_t g = 0; g < a->ngroups; g++) {
		for (size_t h = 0; h < a->ngroups; h++)
			now[g] += a->size[h] > a->size[g] || (a->size[h] == a->size[g] && h < g);
		sizes[now[g]] = a->size[g];
	}
	for (size_t i = 0; i < s->nimplementations; i++)
		a->group[i] = a->group[i] < a->ngroups ? now[a->group[i]] : a->ngroups;
	memcpy(a->size, sizes, a->ngroups * sizeof(*sizes));
	free(now);
	free(sizes);
}

void agreement_of(const struct survey *s, size_t kase, struct agreement *a)
{
	size_t n = s->nimplementations, *left = calloc(n + 1, sizeof(*left));

	*a = (struct agreement){ .group = calloc(n + 1, sizeof(*a->group)), .size = calloc(n + 1, sizeof(*a->size)),
	                         .traces = has_traces(s, kase) };
	assert(left && a->group && a->size);
	for (size_t i = 0; i < n; i++) {
		a->group[i] = SIZE_MAX;
		left[i] = ran(s, kase, i);
	}
	for (size_t taken = 0; taken < n; taken++) {
		size_t who = 0;

		for (size_t i = 1; i < n; i++)
			if (left[i] > left[who])
				who = i;
		if (!left[who])
			break;
		left[who] = 0;
		place(s, kase, a, who);
	}
	number_by_size(s, a);
	free(left);
}

void agreement_free(struct agreement *a)
{
	free(a->group);
	free(a->size);
	*a = (struct agreement){ 0 };
}

size_t agreement_alone(const struct survey *s, const struct agreement *a)
{
	if (a->ngroups == 2 && a->size[1] == 1 && a->size[0] >= 2)
		for (size_t i = 0; i < s->nimplementations; i++)
			if (a->group[i] == 1)
				return i;
	return s->nimplementations;
}

bool agreement_differs(const struct survey *s, const struct agreement *a, size_t kase, size_t one, size_t other, size_t *run_one,
                       size_t *run_other)
{
	const struct survey_run *differs[2] = { NULL, NULL };
	size_t n;

	if (compare(s, a, kase, one, other, &n, differs))
		return false;
	*run_one = (size_t)(differs[0] - s->runs);
	*run_other = (size_t)(differs[1] - s->runs);
	return true;
}
