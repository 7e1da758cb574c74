/* decode: a captured connection as items. */
#include "runner/decode.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "peer/record.h"

enum { EXTENSION_EARLY_DATA = 42 };             /* RFC 8446 4.2 */

/* One direction while it is read. */
struct reader {
	const struct direction *d;
	int dir;
	struct flow flow;
	struct buf message;                     /* handshake bytes of a message that is not complete */
	struct buf plain;                       /* of the record at hand */
	bool broken;                            /* something before did not open: nothing behind it is authentic */
	bool alerted;                           /* that was an error alert: what comes behind it opens, but is no part of the connection */
	struct decoded *out;
};

static void add_item(struct reader *r, struct item it, size_t at, size_t end, size_t packet)
{
	struct decoded *d = r->out;

	if (d->n % 64 == 0) {
		d->items = reallocarray(d->items, d->n + 64, sizeof(*d->items));
		assert(d->items);
	}
	d->items[d->n++] = (struct seen_item){ it, r->dir, at, end, packet, !r->flow.finished };
}

static enum item_keys keys_label(int which)
{
	switch (which) {
	case FLOW_OLD:
		return KEYS_OLD;
	case FLOW_HANDSHAKE:
		return KEYS_HANDSHAKE;
	case FLOW_EARLY:
		return KEYS_EARLY;
	case FLOW_CLEAR:
		return KEYS_NONE;
	case FLOW_NEXT:
		return KEYS_NEXT;
	default:
		return KEYS_USUAL;
	}
}

static struct item alert_item(struct bytes content)
{
	struct item it = { .kind = ITEM_ALERT, .level = ITEM_ANY, .code = ITEM_ANY };

	it.malformed = content.n != 2;
	it.len = it.malformed ? (int64_t)content.n : 0;
	if (!it.malformed) {
		it.level = content.p[0];
		it.code = content.p[1];
	}
	return it;
}

static struct item message_item(const struct reader *r, uint8_t type, struct bytes body)
{
	if (type == HS_KEY_UPDATE && r->flow.epoch == EPOCH_DATA)
		return (struct item){ .kind = ITEM_KEY_UPDATE, .code = body.n == 1 && body.p[0] == 1 };
	if (type == HS_NEW_SESSION_TICKET && r->flow.finished)
		return (struct item){ .kind = ITEM_TICKET };
	return (struct item){ .kind = ITEM_HANDSHAKE, .code = type };
}

/* An extension early_data in it says that the server takes early data (RFC 8446 4.2.10). */
static bool accepts_early(struct bytes extensions)
{
	struct bytes all, body;
	uint16_t len, type;

	if (!bytes_u16(&extensions, &len) || !bytes_take(&extensions, len, &all))
		return false;
	while (bytes_u16(&all, &type) && bytes_u16(&all, &len) && bytes_take(&all, len, &body))
		if (type == EXTENSION_EARLY_DATA)
			return true;
	return false;
}

/* Every handshake message is an item of the record that completes it. */
static void add_messages(struct reader *r, struct bytes content, enum item_keys keys, size_t at, size_t end, size_t packet)
{
	struct bytes in, body;
	uint8_t type;

	buf_add_bytes(&r->message, content);
	in = buf_bytes(&r->message);
	while (message_take(&in, &type, &body)) {
		struct item it = message_item(r, type, body);

		r->out->early_accepted |= r->dir == 1 && type == HS_ENCRYPTED_EXTENSIONS && keys == KEYS_USUAL && accepts_early(body);
		it.keys = keys;
		add_item(r, it, at, end, packet);
	}
	buf_drop(&r->message, r->message.n - in.n);
}

static void note_notify(struct reader *r, const struct item *it, size_t packet)
{
	if (it->code != ALERT_CLOSE_NOTIFY || it->malformed || it->keys != KEYS_USUAL || r->broken || r->out->notified[r->dir])
		return;
	r->out->notified[r->dir] = true;
	r->out->notify_packet[r->dir] = packet;
}

static void add_content(struct reader *r, uint8_t type, enum item_keys keys, size_t at, size_t end, size_t packet)
{
	struct bytes content = buf_bytes(&r->plain);
	struct item it = { .kind = ITEM_UNOPENED, .keys = KEYS_USUAL };

	switch (type) {
	case TYPE_DATA:
		it = (struct item){ .kind = ITEM_DATA, .keys = keys, .len = (int64_t)content.n };
		if (keys != KEYS_USUAL || (r->broken && !r->alerted))
			break;
		if (r->alerted || r->out->notified[r->dir]) {
			buf_add_bytes(&r->out->late[r->dir], content);
			break;
		}
		buf_add_bytes(&r->out->plain[r->dir], content);
		r->out->early += r->flow.epoch == EPOCH_EARLY ? content.n : 0;
		break;
	case TYPE_ALERT:
		it = alert_item(content);
		it.keys = keys;
		note_notify(r, &it, packet);
		/* The connection ends there: nothing behind it may be accepted (RFC 8446 6, RFC 5246 7.2.2). */
		if (!r->broken && item_is_error_alert(&it, r->flow.secrets->suite && r->flow.secrets->suite->version == TLS13))
			r->broken = r->alerted = true;
		break;
	case TYPE_HANDSHAKE:
		add_messages(r, content, keys, at, end, packet);
		return;
	case TYPE_CCS:
		it = (struct item){ .kind = ITEM_CCS };
		break;
	default:
		break;
	}
	add_item(r, it, at, end, packet);
}

static void add_record(struct reader *r, const struct record *rec, size_t at, size_t packet)
{
	bool was_finished = r->flow.finished;
	uint8_t type = 0;
	int which;

	r->plain.n = 0;
	which = flow_open(&r->flow, rec, false, &type, &r->plain);
	/* The Finished itself still belongs to the handshake, although the keys have moved on behind it. */
	if (r->flow.finished != was_finished) {
		r->flow.finished = was_finished;
		add_content(r, type, keys_label(which), at, at + rec->whole.n, packet);
		r->flow.finished = true;
	} else if (which < 0) {
		r->broken = true;
		add_item(r, (struct item){ .kind = ITEM_UNOPENED }, at, at + rec->whole.n, packet);
	} else {
		r->broken |= which != FLOW_NOW;
		add_content(r, type, keys_label(which), at, at + rec->whole.n, packet);
	}
}

/* What can be no record, up to the end of the stream: an item for each piece that came with a packet of its own. */
static void add_raw(struct reader *r, size_t at)
{
	r->broken = true;
	for (size_t i = 0; i < r->d->npieces; i++) {
		const struct piece *p = &r->d->pieces[i];
		size_t from = p->at > at ? (size_t)p->at : at, end = (size_t)p->at + p->len;

		if (end > at)
			add_item(r, (struct item){ .kind = ITEM_RAW, .len = (int64_t)(end - from) }, from, end, p->packet);
	}
}

/* No more bytes could make a record of these: less than a head is enough to tell, by its version. */
static bool can_be_no_record(struct bytes in)
{
	return in.n > 1 && in.p[1] != 3;
}

static void read_direction(const struct stream *st, int dir, const struct secrets *secrets, struct decoded *out)
{
	struct reader r = { .d = &st->dir[dir], .dir = dir, .out = out };
	struct bytes in = buf_bytes(&r.d->data);
	struct record rec;
	enum taken taken;

	flow_start(&r.flow, dir == 0, secrets);
	while ((taken = record_take(&in, &rec)) == TAKEN) {
		size_t end = (size_t)(in.p - r.d->data.p);

		add_record(&r, &rec, end - rec.whole.n, stream_packet(r.d, end - 1));
	}
	if (in.n && (taken == TAKEN_JUNK || can_be_no_record(in)))
		add_raw(&r, (size_t)(in.p - r.d->data.p));
	else if (in.n)
		add_item(&r, (struct item){ .kind = ITEM_PARTIAL, .len = (int64_t)in.n }, r.d->data.n - in.n, r.d->data.n,
		         stream_packet(r.d, r.d->data.n - 1));
	if (r.d->fin)
		add_item(&r, (struct item){ .kind = ITEM_FIN }, (size_t)r.d->fin_at, (size_t)r.d->fin_at, r.d->fin_packet);
	if (r.d->rst)
		add_item(&r, (struct item){ .kind = ITEM_RST }, (size_t)r.d->rst_at, (size_t)r.d->rst_at, r.d->rst_packet);
	out->finished[dir] = r.flow.finished;
	flow_free(&r.flow);
	buf_free(&r.message);
	buf_free(&r.plain);
}

/* Both directions are in order already: the merge keeps that, and goes by packets between them. */
static void merge(struct decoded *d, size_t first)
{
	struct seen_item *merged = d->n ? malloc(d->n * sizeof(*merged)) : NULL;
	size_t a = 0, b = first;

	for (size_t i = 0; i < d->n; i++) {
		assert(merged);
		if (b == d->n || (a < first && d->items[a].packet <= d->items[b].packet))
			merged[i] = d->items[a++];
		else
			merged[i] = d->items[b++];
	}
	free(d->items);
	d->items = merged;
}

void decode_stream(const struct stream *st, const struct secrets *secrets, struct decoded *d)
{
	size_t first;

	*d = (struct decoded){ 0 };
	read_direction(st, 0, secrets, d);
	first = d->n;
	read_direction(st, 1, secrets, d);
	merge(d, first);
}

void decoded_free(struct decoded *d)
{
	free(d->items);
	buf_free(&d->plain[0]);
	buf_free(&d->plain[1]);
	buf_free(&d->late[0]);
	buf_free(&d->late[1]);
	*d = (struct decoded){ 0 };
}
