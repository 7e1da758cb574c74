/* expected: what one implementation is known to do in one case: its values and their text. The reader is expected_read.c. */
#include "runner/expected.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "runner/variants.h"

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

/* What stands in a body is known to be right: it was printed by us. */
static void body_take(struct block *b, struct bytes body)
{
	struct buf text = { 0 };
	struct expected one = { 0 };
	struct fault f;
	bool ok;

	buf_printf(&text, "case t/c\n\nvariants client 1.3 blocking\n");
	buf_add_bytes(&text, body);
	buf_printf(&text, "end\n");
	ok = expected_parse(&one, "", buf_str(&text), text.n, NULL, &f);
	assert(ok);
	free(one.blocks[0].in);
	*b = one.blocks[0];
	b->in = NULL;
	one.n = 0;
	free(one.blocks);
	one.blocks = NULL;
	expected_free(&one);
	buf_free(&text);
}

struct account account_of(struct bytes body)
{
	struct block b;
	struct account a;

	body_take(&b, body);
	a = b.accounts[0];
	b.accounts[0] = (struct account){ 0 };
	block_free(&b);
	return a;
}

static struct block *block_with(struct expected *x, struct bytes body)
{
	struct buf text = { 0 };
	struct block *b = NULL;

	for (size_t i = 0; i < x->n && !b; i++) {
		text.n = 0;
		block_print(&text, &x->blocks[i]);
		b = bytes_equal(buf_bytes(&text), body) ? &x->blocks[i] : NULL;
	}
	buf_free(&text);
	if (b)
		return b;
	x->blocks = reallocarray(x->blocks, x->n + 1, sizeof(*x->blocks));
	assert(x->blocks);
	b = &x->blocks[x->n++];
	body_take(b, body);
	b->in = calloc(x->nwith * VARIANTS, 1);
	assert(b->in);
	return b;
}

void expected_add(struct expected *x, unsigned variant, struct bytes with, struct bytes body)
{
	size_t number = number_in(x, variant, with);

	assert(number < SIZE_MAX);
	block_with(x, body)->in[number] = true;
}

/* --- text --- */

static size_t block_first(const struct expected *x, const struct block *b)
{
	size_t i = 0;

	while (i < x->nwith * VARIANTS && !b->in[i])
		i++;
	return i;
}

static void put_block(struct buf *out, const struct expected *x, const struct block *b)
{
	buf_u8(out, '\n');
	variants_print(out, "variants", b->in, x->with_name, x->with, x->nwith);
	block_print(out, b);
}

void expected_print(struct buf *out, const struct expected *x)
{
	buf_printf(out, "case %s\n", x->name);
	for (size_t first = 0; first < x->nwith * VARIANTS; first++)
		for (size_t i = 0; i < x->n; i++)
			if (block_first(x, &x->blocks[i]) == first)
				put_block(out, x, &x->blocks[i]);
	buf_printf(out, "\nend\n");
}
