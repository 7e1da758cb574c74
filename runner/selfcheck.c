/* selfcheck: did the peer really send what the script says? */
#include "runner/selfcheck.h"

#include <string.h>

/* The peer's bytes, one for one. Only a window that the IUT kept closed excuses a missing tail. */
static bool bytes_left(const struct conn_seen *c, const struct direction *d, struct buf *why)
{
	size_t n = d->data.n < c->sent.n ? d->data.n : c->sent.n;

	if (d->data.n > c->sent.n || (n && memcmp(d->data.p, c->sent.p, n) != 0)) {
		buf_printf(why, "the capture shows other bytes than the peer sent (%zu captured, %zu sent)", d->data.n, c->sent.n);
		return false;
	}
	if (n < c->sent.n && !c->undelivered && !c->reset_sent) {
		buf_printf(why, "the peer's last %zu bytes are not in the capture", c->sent.n - n);
		return false;
	}
	return true;
}

static bool ends_left(const struct conn_seen *c, const struct direction *d, struct buf *why)
{
	if (c->forged && !c->forged_fin)
		return true;
	if (c->closed) {
		if (d->fin || d->rst || c->undelivered)
			return true;
		buf_printf(why, "the peer closed, and the capture shows neither FIN nor RST of it");
		return false;
	}
	if (d->fin && !c->fin_sent && !c->forged_fin && !c->undelivered) {
		buf_printf(why, "the capture shows a FIN that the peer did not send");
		return false;
	}
	/* A reset takes what still waited with it, the FIN too. */
	if (!d->fin && !c->undelivered && (c->forged_fin || (c->fin_sent && !c->reset_sent))) {
		buf_printf(why, "%s FIN is not in the capture", c->forged_fin ? "the forged" : "the peer's");
		return false;
	}
	if (c->reset_sent && !d->rst && !c->undelivered) {
		buf_printf(why, "the peer's RST is not in the capture");
		return false;
	}
	return true;
}

/* What a `+` joins came in one packet, the FIN included. */
static bool joined_left(const struct conn_seen *c, const struct direction *d, struct buf *why)
{
	for (size_t i = 0; i < c->nflights; i++) {
		const struct flight *fl = &c->flights[i];
		size_t first, last;

		if (!fl->joined || fl->end <= fl->at || fl->end > d->data.n)
			continue;
		first = stream_packet(d, fl->at);
		last = stream_packet(d, fl->end - 1);
		if (first == last && (!fl->fin || d->fin_packet == last))
			continue;
		buf_printf(why, "what the script joins left in several segments (packets %zu to %zu, FIN in %zu)", first, last,
		           fl->fin ? d->fin_packet : last);
		return false;
	}
	return true;
}

/* What a record of this type is when it opens; of a type that there is not, nothing is to be read. */
static enum item_kind kind_of(int type)
{
	switch (type) {
	case TYPE_DATA:
		return ITEM_DATA;
	case TYPE_ALERT:
		return ITEM_ALERT;
	case TYPE_CCS:
		return ITEM_CCS;
	case TYPE_HANDSHAKE:
		return ITEM_HANDSHAKE;
	default:
		return ITEM_UNOPENED;
	}
}

/* The record that ends where the claim does, read from the capture by the reading side's code, says what the script says. */
static bool claim_shows(const struct claim *cl, const struct seen_item *it)
{
	enum item_kind want = kind_of(cl->type);

	if (want == ITEM_HANDSHAKE)     /* a KeyUpdate or a ticket is one too */
		return it->item.kind == ITEM_HANDSHAKE || it->item.kind == ITEM_KEY_UPDATE || it->item.kind == ITEM_TICKET;
	if (it->item.kind != want || it->item.keys != KEYS_USUAL)
		return false;
	if (want == ITEM_DATA)
		return it->item.len == (int64_t)cl->len;
	if (want == ITEM_ALERT)
		return cl->len == 2 ? !it->item.malformed && it->item.level == cl->head[0] &&
		       it->item.code == cl->head[1] : it->item.malformed;
	return true;
}

static bool is_here(const struct claim *cl, const struct seen_item *it)
{
	return it->end == cl->end && it->item.kind != ITEM_FIN && it->item.kind != ITEM_RST;
}

/* Behind bytes that open for nobody the next records need not open either; up to there each claim has its item. */
static bool claims_left(const struct evidence *e, const struct conn_seen *c, const struct direction *d, struct buf *why)
{
	int dir = !iut_dir(e->variant);
	size_t at = 0;

	for (size_t i = 0; i < c->nclaims && c->claims[i].end <= d->data.n; i++) {
		const struct claim *cl = &c->claims[i];
		const struct seen_item *it;

		if (cl->type < 0)
			return true;
		while (at < c->decoded.n && (c->decoded.items[at].dir != dir || c->decoded.items[at].end < cl->end))
			at++;
		it = at < c->decoded.n && is_here(cl, &c->decoded.items[at]) ? &c->decoded.items[at] : NULL;
		/* A part of a message is no item of its own. */
		if (it ? claim_shows(cl, it) : kind_of(cl->type) == ITEM_HANDSHAKE)
			continue;
		buf_printf(why, "the capture does not show the record that the peer's step %zu made (type %d, %zu bytes)", i + 1, cl->type,
		           cl->len);
		return false;
	}
	return true;
}

bool selfcheck(const struct evidence *e, struct buf *why)
{
	for (int i = 0; i < e->nconns; i++) {
		const struct conn_seen *c = &e->conns[i];
		const struct direction *d = &c->stream.dir[!iut_dir(e->variant)];

		if (!bytes_left(c, d, why) || !ends_left(c, d, why) || !joined_left(c, d, why) || !claims_left(e, c, d, why))
			return false;
	}
	return true;
}
