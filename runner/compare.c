/* compare: a run beside what is expected of it. */
#include "runner/compare.h"

#include "runner/linediff.h"
#include "runner/trace.h"

static const char *const words[COMPARED_COUNT] = { NULL, "same", "changed", "new", "other" };

const char *compared_word(enum compared c)
{
	return words[c];
}

bool finding_is_deviation(const struct finding *f)
{
	return f->weight != VERDICT_PASS;       /* a missed MAY weighs nothing */
}

static const struct deviation *entry_of(const struct account *a, const struct finding *f)
{
	return a && finding_is_deviation(f) ? deviations_find(&a->deviations, f->req ? f->req->name : NULL) : NULL;
}

const struct deviation *comparison_known(const struct comparison *c, const struct finding *f)
{
	return entry_of(c->known, f);
}

static void trace_text(const struct evidence *e, struct buf *out)
{
	struct trace t;

	if (!e) {
		buf_printf(out, "unsupported\n");
		return;
	}
	trace_of(e, &t);
	trace_drop_texts(&t);
	trace_print(out, &t);
	trace_free(&t);
}

/* Reasons and links are those that are known. */
static void deviations_of(struct deviations *d, const struct judgement *j, const struct account *known)
{
	for (size_t i = 0; i < j->n; i++) {
		const struct finding *f = &j->findings[i];
		const struct deviation *entry = entry_of(known, f);

		if (finding_is_deviation(f))
			deviations_add(d, f->req ? f->req->name : NULL, entry ? entry->reason : "", entry ? entry->link : NULL);
	}
}

/* The account of the block that is the run's, or the nearest, with what differs. bare: the run's. NULL: there is none. */
static const struct account *beside(struct comparison *c, const struct block *b, struct bytes bare)
{
	struct buf was = { 0 };
	bool same;
	const struct account *a = b ? block_nearest(b, bare, &same) : NULL;

	if (a && !same) {
		account_print(&was, &a->deviations, buf_bytes(&a->trace), true);
		linediff(&c->diff, buf_bytes(&was), bare);
	}
	buf_free(&was);
	return a;
}

void compare_run(struct comparison *c, const struct expectations *x, const struct catalogue *s, size_t script, unsigned variant,
                 const struct evidence *e, const struct judgement *j)
{
	const struct block *b = expectations_find(x, s, script, variant);
	struct deviations now = { 0 }, told = { 0 };
	struct buf trace = { 0 }, bare = { 0 };
	const struct account *a;

	*c = (struct comparison){ .of = x->of[0] && j->verdict != VERDICT_BROKEN ? x->of : NULL };
	if (j->verdict == VERDICT_BROKEN)
		return;
	trace_text(e, &trace);
	deviations_of(&now, j, NULL);
	account_print(&bare, &now, buf_bytes(&trace), true);
	a = beside(c, b, buf_bytes(&bare));
	c->known = x->own ? a : NULL;
	deviations_of(&told, j, a);
	account_print(&c->body, &told, buf_bytes(&trace), false);
	if (c->of)
		c->how = !x->own ? COMPARED_OTHER : !b ? COMPARED_NEW : c->diff.n ? COMPARED_CHANGED : COMPARED_SAME;
	deviations_free(&now);
	deviations_free(&told);
	buf_free(&trace);
	buf_free(&bare);
}

void comparison_free(struct comparison *c)
{
	buf_free(&c->body);
	buf_free(&c->diff);
	*c = (struct comparison){ 0 };
}
