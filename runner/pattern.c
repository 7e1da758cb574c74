/* pattern: comparing what left with the words of a `wire` line. */
#include "runner/pattern.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "peer/record.h"

/* The places that a part of the pattern can have reached, as a set over 0..n: no backtracking, so no pattern is slow. */
struct match { const struct item *items; size_t n; };

static bool *set_new(const struct match *m)
{
	bool *s = calloc(m->n + 1, sizeof(*s));

	assert(s);
	return s;
}

static void set_add(const struct match *m, bool *to, const bool *from)
{
	for (size_t i = 0; i <= m->n; i++)
		to[i] |= from[i];
}

static bool counted(enum item_kind k)
{
	return k == ITEM_DATA || k == ITEM_RAW;
}

/* A word for bytes takes one or more items that add up to its length; any other word takes one. */
static void step_item(const struct match *m, const struct item *want, size_t at, bool *to)
{
	int64_t sum = 0;

	for (size_t i = at; i < m->n && item_fits(want, &m->items[i]); i++) {
		sum += m->items[i].len;
		if (!counted(want->kind) || want->len == ITEM_ANY || sum == want->len)
			to[i + 1] = true;
		if (!counted(want->kind))
			return;
	}
}

static void reach(const struct match *m, const struct node *nd, const bool *from, bool *to);

static void reach_seq(const struct match *m, const struct node *nd, const bool *from, bool *to)
{
	bool *at = set_new(m);

	set_add(m, at, from);
	for (size_t i = 0; i < nd->nkids; i++) {
		bool *next = set_new(m);

		reach(m, &nd->kids[i], at, next);
		free(at);
		at = next;
	}
	set_add(m, to, at);
	free(at);
}

static void reach(const struct match *m, const struct node *nd, const bool *from, bool *to)
{
	switch (nd->kind) {
	case NODE_SEQ:
		reach_seq(m, nd, from, to);
		break;
	case NODE_ALT:
		for (size_t i = 0; i < nd->nkids; i++)
			reach(m, &nd->kids[i], from, to);
		break;
	case NODE_OPT:
		set_add(m, to, from);
		reach_seq(m, nd, from, to);
		break;
	case NODE_ITEM:
		for (size_t i = 0; i < m->n; i++)
			if (from[i])
				step_item(m, &nd->item, i, to);
		break;
	}
}

static bool fits(const struct node *pattern, const struct item *items, size_t n)
{
	struct match m = { items, n };
	bool *from, *to, all;

	if (!pattern)
		return n == 0;
	from = set_new(&m);
	to = set_new(&m);
	from[0] = true;
	reach(&m, pattern, from, to);
	all = to[n];
	free(from);
	free(to);
	return all;
}

static bool names(const struct node *nd, enum item_kind kind, int code)
{
	if (!nd)
		return false;
	if (nd->kind == NODE_ITEM)
		return nd->item.kind == kind && (code == ITEM_ANY || nd->item.code == code);
	for (size_t i = 0; i < nd->nkids; i++)
		if (names(&nd->kids[i], kind, code))
			return true;
	return false;
}

/* Who lets TCP end by FIN or by RST lets it end by one behind the other: shutdown(2), then close(2) with input unread. */
static bool fits_by_rst(const struct node *pattern, const struct item *items, size_t n)
{
	struct item *kept;
	bool all;

	if (n < 2 || items[n - 1].kind != ITEM_RST || items[n - 2].kind != ITEM_FIN ||
	    !names(pattern, ITEM_FIN, ITEM_ANY) || !names(pattern, ITEM_RST, ITEM_ANY))
		return false;
	kept = malloc((n - 1) * sizeof(*kept));
	assert(kept);
	memcpy(kept, items, (n - 2) * sizeof(*kept));
	kept[n - 2] = items[n - 1];
	all = fits(pattern, kept, n - 1);
	free(kept);
	return all;
}

bool pattern_fits(const struct node *pattern, const struct item *items, size_t n)
{
	return fits(pattern, items, n) || fits_by_rst(pattern, items, n);
}

static bool is_alert(const struct item *it, int code)
{
	return it->kind == ITEM_ALERT && !it->malformed && it->code == code;
}

size_t pattern_filter(const struct node *pattern, struct item *items, size_t n)
{
	bool handshake = names(pattern, ITEM_HANDSHAKE, ITEM_ANY), ccs = names(pattern, ITEM_CCS, ITEM_ANY);
	bool ticket = names(pattern, ITEM_TICKET, ITEM_ANY), canceled = names(pattern, ITEM_ALERT, ALERT_USER_CANCELED);
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		if ((items[i].kind == ITEM_HANDSHAKE && !handshake) || (items[i].kind == ITEM_CCS && !ccs) ||
		    (items[i].kind == ITEM_TICKET && !ticket))
			continue;
		if (is_alert(&items[i], ALERT_USER_CANCELED) && !canceled && i + 1 < n && is_alert(&items[i + 1], ALERT_CLOSE_NOTIFY))
			continue;
		items[left++] = items[i];
	}
	return left;
}

void items_print(struct buf *out, const struct item *items, size_t n)
{
	if (n == 0)
		buf_printf(out, "nothing");
	for (size_t i = 0; i < n; i++) {
		struct item it = items[i];

		while (counted(it.kind) && i + 1 < n && items[i + 1].kind == it.kind && items[i + 1].keys == it.keys)
			it.len += items[++i].len;
		if (out->n && out->p[out->n - 1] != ' ')
			buf_u8(out, ' ');
		item_print(out, &it);
	}
}
