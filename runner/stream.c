/* stream: see stream.h. What lies beyond a gap waits in `early`, sorted by offset and without overlaps, so that the first bytes
 * win there too, and moves into `data` as soon as it touches its end. */
#include "runner/stream.h"

#include <stdlib.h>
#include <string.h>

enum { ETHER_IPV4 = 0x0800, ETHER_IPV6 = 0x86dd, PROTO_TCP = 6, PROTO_UDP = 17 };
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };
enum { IPV4_MORE_OR_OFFSET = 0x3fff };

/* A capture is input from outside: what waits for a gap is bounded, in bytes and (an insert moves all behind it) in number. */
enum { EARLY_MAX = 4 << 20, EARLY_COUNT = 4096 };
#define NEVER UINT64_MAX        /* no data grows to this offset */

/* A frame without its outer layers. */
struct packet { struct segment who; uint8_t proto; struct bytes body; };

/* ---- Parsing ---- */

static bool ipv4_take(struct bytes in, struct packet *p)
{
	struct bytes head, options;
	size_t head_len, total;

	if (!bytes_take(&in, 20, &head) || head.p[0] >> 4 != 4)
		return false;
	head_len = (head.p[0] & 15) * 4u;
	total = be16(head.p + 2);
	if (head_len < 20 || total < head_len || be16(head.p + 6) & IPV4_MORE_OR_OFFSET)
		return false;
	memcpy(p->who.from, head.p + 12, 4);
	memcpy(p->who.to, head.p + 16, 4);
	p->proto = head.p[9];
	return bytes_take(&in, head_len - 20, &options)
	    && bytes_take(&in, total - head_len, &p->body);             /* behind that: Ethernet padding */
}

static bool ipv6_extension(uint8_t type)
{
	return type == 0 || type == 43 || type == 60;   /* hop-by-hop, routing, destination: RFC 8200 4 */
}

static bool ipv6_take(struct bytes in, struct packet *p)
{
	struct bytes head, ext;

	if (!bytes_take(&in, 40, &head) || head.p[0] >> 4 != 6 || !bytes_take(&in, be16(head.p + 4), &p->body))
		return false;
	p->who.ipv6 = true;
	memcpy(p->who.from, head.p + 8, 16);
	memcpy(p->who.to, head.p + 24, 16);
	for (p->proto = head.p[6]; ipv6_extension(p->proto); p->proto = ext.p[0])
		if (p->body.n < 2 || !bytes_take(&p->body, (p->body.p[1] + 1u) * 8, &ext))
			return false;
	return true;
}

static bool packet_parse(struct bytes frame, struct packet *p)
{
	struct bytes head;

	*p = (struct packet){ 0 };
	if (!bytes_take(&frame, 14, &head))
		return false;
	switch (be16(head.p + 12)) {
	case ETHER_IPV4:
		return ipv4_take(frame, p);
	case ETHER_IPV6:
		return ipv6_take(frame, p);
	}
	return false;
}

/* Checksums are not looked at: on lo the kernel leaves them half done. */
bool segment_parse(struct bytes frame, struct segment *s)
{
	struct packet p;
	struct bytes head, options;
	size_t head_len;

	if (!packet_parse(frame, &p) || p.proto != PROTO_TCP || !bytes_take(&p.body, 20, &head))
		return false;
	head_len = (head.p[12] >> 4) * 4u;
	if (head_len < 20 || !bytes_take(&p.body, head_len - 20, &options))
		return false;
	*s = p.who;
	s->from_port = be16(head.p);
	s->to_port = be16(head.p + 2);
	s->seq = be32(head.p + 4);
	s->ack = be32(head.p + 8);
	s->fin = head.p[13] & TCP_FIN;
	s->syn = head.p[13] & TCP_SYN;
	s->rst = head.p[13] & TCP_RST;
	s->has_ack = head.p[13] & TCP_ACK;
	s->window = be16(head.p + 14);
	s->payload = p.body;
	return true;
}

bool datagram_parse(struct bytes frame, uint16_t *from_port, uint16_t *to_port, struct bytes *payload)
{
	struct packet p;
	struct bytes head, body;
	size_t len;

	if (!packet_parse(frame, &p) || p.proto != PROTO_UDP || !bytes_take(&p.body, 8, &head))
		return false;
	len = be16(head.p + 4);
	if (len < 8 || !bytes_take(&p.body, len - 8, &body))
		return false;
	*from_port = be16(head.p);
	*to_port = be16(head.p + 2);
	*payload = body;
	return true;
}

/* ---- Reassembly ---- */

/* Room for one more behind n. Grows at powers of two, so that no capacity need be kept. */
static void *room(void *p, size_t n, size_t size)
{
	if ((n & (n - 1)) != 0)
		return p;
	p = realloc(p, (n ? 2 * n : 1) * size);
	if (!p)
		abort();
	return p;
}

static void deliver(struct direction *d, struct bytes x, size_t packet)
{
	d->pieces = room(d->pieces, d->npieces, sizeof(*d->pieces));
	d->pieces[d->npieces++] = (struct piece){ d->data.n, x.n, packet };
	buf_add_bytes(&d->data, x);
}

static uint64_t early_end(const struct stream *st, size_t i)
{
	return st->early[i].at + st->early[i].bytes.n;
}

/* The first of this direction, from i on, that ends behind `at`; nearly if none. */
static size_t early_find(const struct stream *st, int dir, uint64_t at, size_t i)
{
	while (i < st->nearly && (st->early[i].dir != dir || early_end(st, i) <= at))
		i++;
	return i;
}

static bool early_full(const struct stream *st, size_t more)
{
	size_t len = more;

	if (st->nearly >= EARLY_COUNT)
		return true;
	for (size_t i = 0; i < st->nearly; i++)
		len += st->early[i].bytes.n;
	return len > EARLY_MAX;
}

static void early_insert(struct stream *st, int dir, uint64_t at, struct bytes x, size_t packet)
{
	size_t i = st->nearly;

	st->early = room(st->early, st->nearly, sizeof(*st->early));
	for (; i > 0 && st->early[i - 1].at > at; i--)
		st->early[i] = st->early[i - 1];
	memset(&st->early[i], 0, sizeof(*st->early));
	buf_add_bytes(&st->early[i].bytes, x);
	st->early[i].at = at;
	st->early[i].packet = packet;
	st->early[i].dir = dir;
	st->nearly++;
}

/* Remembers that bytes were dropped: a mark that no filling reaches, so the hole stays. */
static void early_drop(struct stream *st, int dir)
{
	if (early_find(st, dir, NEVER - 1, 0) == st->nearly)
		early_insert(st, dir, NEVER, (struct bytes){ 0 }, 0);
}

/* Moves what touches the end of the data there. */
static void early_flush(struct stream *st, int dir)
{
	struct direction *d = &st->dir[dir];
	size_t i, left;

	if (!st->nearly)
		return;
	i = left = early_find(st, dir, 0, 0);
	if (i == st->nearly || st->early[i].at != d->data.n)
		return;
	for (; i < st->nearly; i++) {
		if (st->early[i].dir == dir && st->early[i].at == d->data.n) {
			deliver(d, buf_bytes(&st->early[i].bytes), st->early[i].packet);
			buf_free(&st->early[i].bytes);
		} else {
			st->early[left++] = st->early[i];
		}
	}
	st->nearly = left;
}

/* Bytes nobody brought before. False if they had to be dropped. */
static bool fresh_add(struct stream *st, int dir, uint64_t at, struct bytes x, size_t packet)
{
	if (at == st->dir[dir].data.n) {
		deliver(&st->dir[dir], x, packet);
		return true;
	}
	if (early_full(st, x.n)) {
		early_drop(st, dir);
		return false;
	}
	early_insert(st, dir, at, x, packet);
	return true;
}

/* Takes at most n bytes off the front. */
static struct bytes take_most(struct bytes *in, uint64_t n)
{
	struct bytes x;

	bytes_take(in, n < in->n ? (size_t)n : in->n, &x);
	return x;
}

/* Adds of x, which stands at this offset, what is neither in the data nor waiting. True if that was anything. */
static bool bytes_add(struct stream *st, int dir, int64_t offset, struct bytes x, size_t packet)
{
	int64_t end = (int64_t)st->dir[dir].data.n;
	uint64_t at = (uint64_t)(offset < end ? end : offset);
	bool fresh = false;
	size_t i = 0;

	if (offset < end)
		take_most(&x, (uint64_t)(end - offset));
	while (x.n > 0) {
		struct bytes part;

		i = early_find(st, dir, at, i);
		if (i < st->nearly && st->early[i].at <= at) {
			part = take_most(&x, early_end(st, i) - at);
		} else {
			part = take_most(&x, i < st->nearly ? st->early[i].at - at : NEVER);
			fresh |= fresh_add(st, dir, at, part, packet);
		}
		at += part.n;
	}
	early_flush(st, dir);
	return fresh;
}

/* The offset a sequence number means, near the end of the data: it wraps every 4 GiB (RFC 9293 3.4). May lie before the start. */
static int64_t seq_offset(const struct direction *d, uint32_t seq)
{
	uint32_t end = d->isn + 1 + (uint32_t)d->data.n;

	return (int64_t)d->data.n + (int32_t)(seq - end);
}

/* A direction that was seen has its array of pieces, even while that is empty. */
static bool begun(const struct direction *d)
{
	return d->pieces != NULL;
}

/* The SYN came behind segments that follow it: what we took for the start stands `back` bytes further on. */
static void direction_shift(struct stream *st, int dir, uint32_t back)
{
	struct direction *d = &st->dir[dir];
	struct stream old = *st;

	d->data = (struct buf){ 0 };
	d->pieces = room(NULL, 0, sizeof(*d->pieces));
	d->npieces = 0;
	d->fin_at += d->fin ? back : 0;
	d->rst_at += d->rst ? back : 0;
	st->early = NULL;
	st->nearly = 0;
	for (size_t i = 0; i < old.dir[dir].npieces; i++) {
		struct piece *p = &old.dir[dir].pieces[i];
		struct bytes x = { old.dir[dir].data.p + p->at, p->len };

		bytes_add(st, dir, (int64_t)(p->at + back), x, p->packet);
	}
	for (size_t i = 0; i < old.nearly; i++) {
		uint64_t at = old.early[i].at + (old.early[i].dir == dir ? back : 0);

		if (old.early[i].at == NEVER)
			early_drop(st, old.early[i].dir);
		else
			bytes_add(st, old.early[i].dir, (int64_t)at, buf_bytes(&old.early[i].bytes), old.early[i].packet);
		buf_free(&old.early[i].bytes);
	}
	free(old.early);
	free(old.dir[dir].pieces);
	buf_free(&old.dir[dir].data);
}

/* Whether a SYN is this direction's: its own again, or one shortly before what was taken for the start. Any other opens a new
 * connection on the same ports. */
static bool syn_fits(const struct direction *d, const struct segment *s)
{
	if (!begun(d))
		return true;
	if (d->seen_syn)
		return s->seq == d->isn;
	return (uint32_t)(d->isn - s->seq) <= EARLY_MAX;
}

static void direction_begin(struct stream *st, int dir, const struct segment *s)
{
	struct direction *d = &st->dir[dir];
	uint32_t was = d->isn;

	if (!begun(d)) {
		d->pieces = room(NULL, 0, sizeof(*d->pieces));
		d->isn = s->syn ? s->seq : s->seq - 1;
	} else if (s->syn && !d->seen_syn) {
		d->isn = s->seq;
		if (was != s->seq)
			direction_shift(st, dir, was - s->seq);
	}
	d->seen_syn |= s->syn;
}

static bool mark(bool *seen, uint64_t *at, size_t *in, int64_t place, size_t packet)
{
	if (*seen)
		return false;
	*seen = true;
	*at = place > 0 ? (uint64_t)place : 0;
	*in = packet;
	return true;
}

/* What a RST carries is a reason for people, not data (RFC 9293 3.5.3). */
static bool direction_add(struct stream *st, int dir, const struct segment *s, size_t packet)
{
	struct direction *d = &st->dir[dir];
	int64_t at = seq_offset(d, s->seq + s->syn);
	bool fresh;

	if (s->rst)
		return mark(&d->rst, &d->rst_at, &d->rst_packet, at, packet);
	fresh = bytes_add(st, dir, at, s->payload, packet);
	if (s->fin)
		fresh |= mark(&d->fin, &d->fin_at, &d->fin_packet, at + (int64_t)s->payload.n, packet);
	return fresh;
}

/* A FIN beyond the data says as well as bytes would that some are missing. */
static void hole_update(struct stream *st, int dir)
{
	struct direction *d = &st->dir[dir];

	d->hole = early_find(st, dir, d->data.n, 0) < st->nearly || (d->fin && d->fin_at > d->data.n);
}

static uint16_t connector(const struct segment *s)
{
	return s->syn && s->has_ack ? s->to_port : s->from_port;
}

static void stream_swap(struct stream *st)
{
	struct direction d = st->dir[0];
	uint16_t port = st->port[0];

	st->dir[0] = st->dir[1];
	st->dir[1] = d;
	st->port[0] = st->port[1];
	st->port[1] = port;
	for (size_t i = 0; i < st->nearly; i++)
		st->early[i].dir ^= 1;
}

/* Only the first SYN decides who connected: when both sides open at once, both send one. */
static void stream_orient(struct stream *st, const struct segment *s)
{
	if (st->npackets == 0) {
		st->port[0] = connector(s);
		st->port[1] = connector(s) == s->from_port ? s->to_port : s->from_port;
	} else if (s->syn && !st->dir[0].seen_syn && !st->dir[1].seen_syn && connector(s) != st->port[0]) {
		stream_swap(st);
	}
}

static int stream_side(const struct stream *st, const struct segment *s)
{
	return s->from_port == st->port[0] ? 0 : 1;
}

/* Equal ports are refused too: by them the two directions cannot be told apart. */
static bool stream_owns(const struct stream *st, const struct segment *s)
{
	int side = stream_side(st, s);

	if (s->from_port == s->to_port)
		return false;
	if (st->npackets == 0)
		return true;
	if (s->from_port != st->port[side] || s->to_port != st->port[!side])
		return false;
	return !s->syn || syn_fits(&st->dir[side], s);
}

bool stream_add(struct stream *st, const struct segment *s, size_t packet)
{
	bool fresh;
	int dir;

	if (!stream_owns(st, s))
		return false;
	stream_orient(st, s);
	st->npackets++;
	dir = stream_side(st, s);
	direction_begin(st, dir, s);
	fresh = direction_add(st, dir, s, packet);
	hole_update(st, dir);
	return fresh;
}

size_t stream_packet(const struct direction *d, uint64_t at)
{
	size_t low = 0, high = d->npieces;

	if (at >= d->data.n)
		return SIZE_MAX;
	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (d->pieces[mid].at <= at)
			low = mid;
		else
			high = mid;
	}
	return d->pieces[low].packet;
}

void stream_free(struct stream *st)
{
	for (size_t i = 0; i < st->nearly; i++)
		buf_free(&st->early[i].bytes);
	free(st->early);
	for (size_t i = 0; i < countof(st->dir); i++) {
		buf_free(&st->dir[i].data);
		free(st->dir[i].pieces);
	}
	*st = (struct stream){ 0 };
}
