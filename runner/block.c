/* block: what stands below `variants` in an expected trace. */
#include "runner/block.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "runner/linediff.h"

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

void account_print(struct buf *out, const struct deviations *d, struct bytes trace, bool bare)
{
	for (size_t i = 0; i < d->n; i++)
		deviation_print(out, &d->list[i], bare);
	buf_add_bytes(out, trace);
}

static void bare_text(struct buf *out, const struct account *a)
{
	out->n = 0;
	account_print(out, &a->deviations, buf_bytes(&a->trace), true);
}

static void put_varies(struct buf *out, const struct block *b)
{
	buf_printf(out, "varies ");
	buf_quote(out, bytes_of(b->varies));
	if (b->link)
		buf_printf(out, " %s", b->link);
	buf_u8(out, '\n');
}

void block_print(struct buf *out, const struct block *b)
{
	if (b->varies)
		put_varies(out, b);
	for (size_t i = 0; i < b->n; i++) {
		if (i > 0)
			buf_printf(out, "or\n");
		account_print(out, &b->accounts[i].deviations, buf_bytes(&b->accounts[i].trace), false);
	}
}

/* --- values --- */

static void account_free(struct account *a)
{
	deviations_free(&a->deviations);
	buf_free(&a->trace);
}

static int text_order(const struct buf *a, const struct buf *b)
{
	int order = memcmp(a->p, b->p, a->n < b->n ? a->n : b->n);

	return order ? order : (a->n > b->n) - (a->n < b->n);
}

/* Where it stands in the order, or would; there: it stands there. */
static size_t place_of(const struct block *b, const struct account *a, bool *there)
{
	struct buf mine = { 0 }, other = { 0 };
	int order = 1;
	size_t at = 0;

	bare_text(&mine, a);
	for (; at < b->n; at++) {
		bare_text(&other, &b->accounts[at]);
		if ((order = text_order(&other, &mine)) >= 0)
			break;
	}
	buf_free(&mine);
	buf_free(&other);
	*there = order == 0;
	return at;
}

bool block_has(const struct block *b, const struct account *a)
{
	bool there;

	place_of(b, a, &there);
	return there;
}

bool block_add(struct block *b, struct account *a)
{
	bool there;
	size_t at = place_of(b, a, &there);

	if (there) {
		account_free(a);
		return false;
	}
	b->accounts = reallocarray(b->accounts, b->n + 1, sizeof(*b->accounts));
	assert(b->accounts);
	memmove(b->accounts + at + 1, b->accounts + at, (b->n - at) * sizeof(*b->accounts));
	b->n++;
	b->accounts[at] = *a;
	*a = (struct account){ 0 };
	return true;
}

void block_copy(struct block *to, const struct block *from)
{
	*to = (struct block){ .varies = from->varies ? text_dup(from->varies) : NULL, .link = from->link ? text_dup(from->link) : NULL };
	for (size_t i = 0; i < from->n; i++) {
		struct account a = { 0 };

		for (size_t d = 0; d < from->accounts[i].deviations.n; d++) {
			const struct deviation *one = &from->accounts[i].deviations.list[d];

			deviations_add(&a.deviations, one->requirement, one->reason, one->link);
		}
		buf_add_bytes(&a.trace, buf_bytes(&from->accounts[i].trace));
		block_add(to, &a);
	}
}

void block_free(struct block *b)
{
	for (size_t i = 0; i < b->n; i++)
		account_free(&b->accounts[i]);
	free(b->accounts);
	free(b->in);
	free(b->varies);
	free(b->link);
	*b = (struct block){ 0 };
}

/* How many lines of a diff are not in both. */
static size_t changed_lines(struct bytes diff)
{
	size_t n = 0;
	bool begins = true;

	for (size_t i = 0; i < diff.n; i++) {
		n += begins && diff.p[i] != ' ';
		begins = diff.p[i] == '\n';
	}
	return n;
}

static size_t distance(struct bytes a, struct bytes b)
{
	struct buf diff = { 0 };
	size_t n;

	linediff(&diff, a, b);
	n = changed_lines(buf_bytes(&diff));
	buf_free(&diff);
	return n;
}

const struct account *block_nearest(const struct block *b, struct bytes bare, bool *same)
{
	const struct account *nearest = NULL;
	struct buf text = { 0 };
	size_t best = SIZE_MAX;

	*same = false;
	for (size_t i = 0; i < b->n && !*same; i++) {
		size_t n;

		bare_text(&text, &b->accounts[i]);
		*same = bytes_equal(buf_bytes(&text), bare);
		n = *same ? 0 : b->n == 1 ? 1 : distance(buf_bytes(&text), bare);
		if (*same || n < best) {
			best = n;
			nearest = &b->accounts[i];
		}
	}
	buf_free(&text);
	return nearest;
}

bool block_breaks(const struct block *b, const char *requirement)
{
	for (size_t i = 0; i < b->n; i++)
		if (deviations_find(&b->accounts[i].deviations, requirement))
			return true;
	return false;
}
