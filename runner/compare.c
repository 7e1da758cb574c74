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

static const struct deviation *entry_of(const struct block *b, const struct finding *f)
{
	return b && finding_is_deviation(f) ? deviations_find(&b->deviations, f->req ? f->req->name : NULL) : NULL;
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
static void deviations_of(struct deviations *d, const struct judgement *j, const struct block *known)
{
	for (size_t i = 0; i < j->n; i++) {
		const struct finding *f = &j->findings[i];
		const struct deviation *entry = entry_of(known, f);

		if (finding_is_deviation(f))
			deviations_add(d, f->req ? f->req->name : NULL, entry ? entry->reason : "", entry ? entry->link : NULL);
	}
}

static void diff_with(struct comparison *c, const struct block *b, const struct deviations *now, struct bytes trace)
{
	struct buf was = { 0 }, is = { 0 };

	body_print(&was, &b->deviations, buf_bytes(&b->trace), true);
	body_print(&is, now, trace, true);
	if (!bytes_equal(buf_bytes(&was), buf_bytes(&is)))
		linediff(&c->diff, buf_bytes(&was), buf_bytes(&is));
	buf_free(&was);
	buf_free(&is);
}

void compare_run(struct comparison *c, const struct expectations *x, const struct catalogue *s, size_t script, unsigned variant,
                 const struct evidence *e, const struct judgement *j)
{
	const struct block *b = expectations_find(x, s, script, variant);
	struct deviations now = { 0 };
	struct buf trace = { 0 };

	*c = (struct comparison){ .of = x->of[0] && j->verdict != VERDICT_BROKEN ? x->of : NULL };
	if (j->verdict == VERDICT_BROKEN)
		return;
	c->known = x->own ? b : NULL;
	trace_text(e, &trace);
	deviations_of(&now, j, b);
	body_print(&c->body, &now, buf_bytes(&trace), false);
	if (b)
		diff_with(c, b, &now, buf_bytes(&trace));
	if (c->of)
		c->how = !x->own ? COMPARED_OTHER : !b ? COMPARED_NEW : c->diff.n ? COMPARED_CHANGED : COMPARED_SAME;
	deviations_free(&now);
	buf_free(&trace);
}

void comparison_free(struct comparison *c)
{
	buf_free(&c->body);
	buf_free(&c->diff);
	*c = (struct comparison){ 0 };
}
