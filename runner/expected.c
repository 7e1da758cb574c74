/* expected: what one implementation is known to do in one case: its values and their text. The reader is expected_read.c. */
#include "runner/expected.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "runner/variants.h"

/* --- deviations --- */

/* Requirements by name, a precondition behind all. */
static int deviation_order(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) : (b != NULL) - (a != NULL);
}

void deviations_add(struct deviations *d, const char *requirement, const char *reason, const char *link)
{
	size_t at = 0;

	while (at < d->n && deviation_order(d->list[at].requirement, requirement) < 0)
		at++;
	if (at < d->n && deviation_order(d->list[at].requirement, requirement) == 0)
		return;
	d->list = reallocarray(d->list, d->n + 1, sizeof(*d->list));
	assert(d->list);
	memmove(d->list + at + 1, d->list + at, (d->n - at) * sizeof(*d->list));
	d->n++;
	d->list[at] = (struct deviation){ requirement ? text_dup(requirement) : NULL, text_dup(reason), link ? text_dup(link) : NULL };
}

const struct deviation *deviations_find(const struct deviations *d, const char *requirement)
{
	for (size_t i = 0; i < d->n; i++)
		if (deviation_order(d->list[i].requirement, requirement) == 0)
			return &d->list[i];
	return NULL;
}

void deviations_free(struct deviations *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->list[i].requirement);
		free(d->list[i].reason);
		free(d->list[i].link);
	}
	free(d->list);
	*d = (struct deviations){ 0 };
}

/* --- values --- */

void expected_start(struct expected *x, const struct script *s)
{
	*x = (struct expected){ .name = text_dup(s->name), .with_name = s->with_name.n ? bytes_dup(s->with_name) : NULL,
	                        .nwith = s->nwith ? s->nwith : 1 };
	x->with = calloc(x->nwith, sizeof(*x->with));
	assert(x->name && x->with);
	for (size_t i = 0; i < x->nwith; i++)
		x->with[i] = s->nwith ? bytes_dup(s->with[i]) : text_dup("");
}

static void block_free(struct block *b)
{
	free(b->in);
	deviations_free(&b->deviations);
	buf_free(&b->trace);
}

void expected_free(struct expected *x)
{
	for (size_t i = 0; i < x->n; i++)
		block_free(&x->blocks[i]);
	for (size_t i = 0; i < x->nwith; i++)
		free(x->with[i]);
	free(x->blocks);
	free(x->with);
	free(x->with_name);
	free(x->name);
	*x = (struct expected){ 0 };
}

/* SIZE_MAX: there is no such value. */
static size_t number_in(const struct expected *x, unsigned variant, struct bytes with)
{
	for (size_t i = 0; i < x->nwith; i++)
		if (bytes_is(with, x->with[i]))
			return i * VARIANTS + variant_number(variant);
	return SIZE_MAX;
}

const struct block *expected_find(const struct expected *x, unsigned variant, struct bytes with)
{
	size_t number = number_in(x, variant, with);

	for (size_t i = 0; i < x->n && number < SIZE_MAX; i++)
		if (x->blocks[i].in[number])
			return &x->blocks[i];
	return NULL;
}

static void block_body(struct buf *out, const struct block *b)
{
	body_print(out, &b->deviations, buf_bytes(&b->trace), false);
}

/* What stands in a body, already known to be right: lines of deviations, then the trace. */
static void body_take(struct block *b, struct bytes body)
{
	struct buf text = { 0 };
	struct expected one = { 0 };
	struct fault f;

	buf_printf(&text, "case t/c\n\nvariants client 1.3 blocking\n");
	buf_add_bytes(&text, body);
	buf_printf(&text, "end\n");
	if (expected_parse(&one, "", buf_str(&text), text.n, NULL, &f)) {
		b->deviations = one.blocks[0].deviations;
		b->trace = one.blocks[0].trace;
		one.blocks[0].deviations = (struct deviations){ 0 };
		one.blocks[0].trace = (struct buf){ 0 };
	}
	assert(b->trace.n);
	expected_free(&one);
	buf_free(&text);
}

static struct block *block_with(struct expected *x, struct bytes body)
{
	struct buf text = { 0 };
	struct block *b = NULL;

	for (size_t i = 0; i < x->n && !b; i++) {
		text.n = 0;
		block_body(&text, &x->blocks[i]);
		b = bytes_equal(buf_bytes(&text), body) ? &x->blocks[i] : NULL;
	}
	buf_free(&text);
	if (b)
		return b;
	x->blocks = reallocarray(x->blocks, x->n + 1, sizeof(*x->blocks));
	assert(x->blocks);
	b = &x->blocks[x->n++];
	*b = (struct block){ .in = calloc(x->nwith * VARIANTS, 1) };
	assert(b->in);
	body_take(b, body);
	return b;
}

void expected_add(struct expected *x, unsigned variant, struct bytes with, struct bytes body)
{
	size_t number = number_in(x, variant, with);

	assert(number < SIZE_MAX);
	block_with(x, body)->in[number] = true;
}

/* --- text --- */

static void deviation_print(struct buf *out, const struct deviation *d, bool bare)
{
	if (d->requirement)
		buf_printf(out, "deviation %s", d->requirement);
	else
		buf_printf(out, "inconclusive");
	if (!bare) {
		buf_u8(out, ' ');
		buf_quote(out, bytes_of(d->reason));
		if (d->link)
			buf_printf(out, " %s", d->link);
	}
	buf_u8(out, '\n');
}

void body_print(struct buf *out, const struct deviations *d, struct bytes trace, bool bare)
{
	for (size_t i = 0; i < d->n; i++)
		deviation_print(out, &d->list[i], bare);
	buf_add_bytes(out, trace);
}

static size_t block_first(const struct expected *x, const struct block *b)
{
	size_t i = 0;

	while (i < x->nwith * VARIANTS && !b->in[i])
		i++;
	return i;
}

static void block_print(struct buf *out, const struct expected *x, const struct block *b)
{
	buf_u8(out, '\n');
	variants_print(out, "variants", b->in, x->with_name, x->with, x->nwith);
	block_body(out, b);
}

void expected_print(struct buf *out, const struct expected *x)
{
	buf_printf(out, "case %s\n", x->name);
	for (size_t first = 0; first < x->nwith * VARIANTS; first++)
		for (size_t i = 0; i < x->n; i++)
			if (block_first(x, &x->blocks[i]) == first)
				block_print(out, x, &x->blocks[i]);
	buf_printf(out, "\nend\n");
}
