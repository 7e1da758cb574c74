/* Records, sealed here and opened there. Any bytes are cut into records that tile them. Then the input is a list of what both sides send;
 * what the keys in force seal has to come out as it went in, in order, with the right content up to the side's end. A last pass spoils
 * bytes of these streams: then only what decoding always promises has to hold. */
#include "peer/record.h"

#include "runner/decode.h"
#include "tests/fuzz/fuzz.h"

enum { SENT_MAX = 120, PACKETS_SPLIT = 3 };

/* --- cutting --- */

static void cut(struct bytes all)
{
	struct bytes in = all;
	struct record rec;
	enum taken taken;
	size_t sum = 0;

	while ((taken = record_take(&in, &rec)) == TAKEN) {
		assert(rec.whole.p == all.p + sum && rec.whole.n == RECORD_HEAD + rec.body.n && rec.body.p == rec.whole.p + RECORD_HEAD);
		assert(rec.whole.p[0] == rec.type && be16(rec.whole.p + 1) == rec.version && be16(rec.whole.p + 3) == rec.body.n);
		assert(rec.body.n <= RECORD_MAX);
		sum += rec.whole.n;
	}
	assert(sum + in.n == all.n);
	assert(taken == TAKEN_JUNK ? in.n >= RECORD_HEAD : in.n < RECORD_HEAD + RECORD_MAX);
}

/* The five bytes in front decide, whatever length they name: any, or one close to the limit. */
static void limit(struct bytes in)
{
	struct buf b = { 0 };
	struct record rec;
	struct bytes x;
	size_t len;

	if (in.n < RECORD_HEAD)
		return;
	len = in.p[0] & 1 ? be16(in.p + 3) : RECORD_MAX - 128u + in.p[4];
	buf_add(&b, in.p, 3);
	buf_u16(&b, (unsigned)len);
	memset(buf_grow(&b, len), 0, len);
	x = buf_bytes(&b);
	assert((record_take(&x, &rec) == TAKEN) == (in.p[1] == 3 && len <= RECORD_MAX));
	buf_free(&b);
}

/* --- sending --- */

/* Which keys a side seals with is told here by the standards' own words, and not by peer/flow, which reads it back. */
enum { CLEAR, EARLY, HANDSHAKE, DATA };

struct sent { struct item item; size_t at, end; bool in_handshake; };
struct sender {
	const struct secrets *secrets;
	bool client, finished;
	int epoch;
	struct keys keys;
	struct buf stream, plain, late;
	struct sent sent[SENT_MAX]; size_t n;
	bool notified, broken, alerted;
};
struct session { struct secrets secrets; struct sender side[2]; };

static struct secret secret_of(unsigned fill, size_t n)
{
	struct secret s = { .n = n };

	memset(s.p, (int)fill, n);
	return s;
}

static void use_secret(struct sender *sd, int epoch)
{
	const struct secrets *s = sd->secrets;
	const struct secret *all[][2] = {
		[EARLY] = { NULL, &s->client_early }, [HANDSHAKE] = { &s->server_handshake, &s->client_handshake },
		[DATA] = { &s->server_data, &s->client_data },
	};
	const struct secret *one = all[epoch][sd->client];

	sd->epoch = epoch;
	assert(keys_from_secret(&sd->keys, s->suite, (struct bytes){ one->p, one->n }));
}

/* RFC 8446 2 and 4.6.3: keys change behind these messages. */
static void passed13(struct sender *sd, uint8_t type)
{
	if (type == HS_SERVER_HELLO && !sd->client && sd->epoch == CLEAR)
		use_secret(sd, HANDSHAKE);
	else if (type == HS_END_OF_EARLY_DATA && sd->epoch == EARLY)
		use_secret(sd, HANDSHAKE);
	else if (type == HS_FINISHED && sd->epoch != DATA)
		use_secret(sd, DATA);
	else if (type == HS_KEY_UPDATE && sd->epoch == DATA)
		assert(keys_next(&sd->keys));
}

/* RFC 5246 7.1: they change behind the ChangeCipherSpec. */
static void passed12(struct sender *sd)
{
	const struct secrets *s = sd->secrets;
	struct keys other = { 0 };

	if (sd->epoch == DATA)
		return;
	sd->epoch = DATA;
	assert(keys_from_master(sd->client ? &sd->keys : &other, sd->client ? &other : &sd->keys, s->suite,
	                        (struct bytes){ s->master.p, s->master.n }, (struct bytes){ s->client_random, 32 },
	                        (struct bytes){ s->server_random, 32 }));
	keys_free(&other);
}

static void session_start(struct session *s, uint8_t how)
{
	static const uint16_t suites[] = { 0x1301, 0x1302, 0x1303, 0xc02f, 0xcca8, 0xc02b };
	const struct suite *suite = suite_find(suites[how % countof(suites)]);

	assert(suite);
	*s = (struct session){ .secrets = { .suite = suite } };
	if (suite->version == TLS13) {
		s->secrets.client_early = how & 0x40 ? secret_of(1, suite->hash_len) : (struct secret){ .n = 0 };
		s->secrets.client_handshake = secret_of(2, suite->hash_len);
		s->secrets.server_handshake = secret_of(3, suite->hash_len);
		s->secrets.client_data = secret_of(4, suite->hash_len);
		s->secrets.server_data = secret_of(5, suite->hash_len);
	} else {
		s->secrets.master = secret_of(6, 48);
	}
	s->side[0].secrets = s->side[1].secrets = &s->secrets;
	s->side[0].client = true;
	if (suite->version == TLS13)
		use_secret(&s->side[0], s->secrets.client_early.n ? EARLY : HANDSHAKE);
}

static bool is13(const struct sender *sd)
{
	return sd->secrets->suite->version == TLS13;
}

static void note(struct sender *sd, struct item it, size_t at, bool in_handshake)
{
	assert(sd->n < SENT_MAX);
	sd->sent[sd->n++] = (struct sent){ it, at, sd->stream.n, in_handshake };
}

/* A ChangeCipherSpec of 1.3 is never protected (RFC 8446 5). */
static size_t seal(struct sender *sd, uint8_t type, struct bytes content, size_t pad)
{
	struct keys none = { 0 }, *k = type == TYPE_CCS && is13(sd) ? &none : &sd->keys;
	size_t at = sd->stream.n;

	assert(keys_seal(k, type, content, pad, &sd->stream));
	return at;
}

static void send_data(struct sender *sd, struct bytes *in)
{
	size_t pad = fuzz_u8(in) % 8;
	struct bytes content = fuzz_some(in, fuzz_u8(in));
	size_t at = seal(sd, TYPE_DATA, content, pad);

	note(sd, (struct item){ .kind = ITEM_DATA, .len = (int64_t)content.n }, at, !sd->finished);
	if (sd->broken && !sd->alerted)
		return;
	buf_add_bytes(sd->alerted || sd->notified ? &sd->late : &sd->plain, content);
}

static void send_alert(struct sender *sd, struct bytes *in)
{
	static const char *const usual[] = { "\1\0", "\2\0", "\1\132", "\2\50", "\1\144" };
	uint8_t which = fuzz_u8(in);
	struct bytes content = which < 200 ? (struct bytes){ (const uint8_t *)usual[which % countof(usual)], 2 } : fuzz_some(in, which % 5);
	struct item it = { .kind = ITEM_ALERT, .level = ITEM_ANY, .code = ITEM_ANY, .malformed = content.n != 2,
	                   .len = content.n == 2 ? 0 : (int64_t)content.n };
	size_t at = seal(sd, TYPE_ALERT, content, 0);

	if (!it.malformed) {
		it.level = content.p[0];
		it.code = content.p[1];
	}
	note(sd, it, at, !sd->finished);
	sd->notified |= !it.malformed && it.code == ALERT_CLOSE_NOTIFY && !sd->broken;
	if (!sd->broken && item_is_error_alert(&it, is13(sd)))
		sd->broken = sd->alerted = true;
}

static void send_message(struct sender *sd, struct bytes *in)
{
	static const uint8_t types[] = {
		HS_CLIENT_HELLO, HS_SERVER_HELLO, HS_FINISHED, HS_KEY_UPDATE, HS_NEW_SESSION_TICKET, HS_END_OF_EARLY_DATA
	};
	uint8_t t = fuzz_u8(in), type = t < 200 ? types[t % countof(types)] : t;
	struct bytes body = fuzz_some(in, fuzz_u8(in) % 64);
	bool was_finished = sd->finished;
	struct item it = { .kind = ITEM_HANDSHAKE, .code = type };
	struct buf message = { 0 };
	size_t at;

	buf_u8(&message, type);
	buf_u8(&message, 0);
	buf_u16(&message, (unsigned)body.n);
	buf_add_bytes(&message, body);
	at = seal(sd, TYPE_HANDSHAKE, buf_bytes(&message), 0);
	sd->finished |= type == HS_FINISHED;
	if (is13(sd))
		passed13(sd, type);
	if (type == HS_KEY_UPDATE && sd->epoch == DATA)
		it = (struct item){ .kind = ITEM_KEY_UPDATE, .code = body.n == 1 && body.p[0] == 1 };
	else if (type == HS_NEW_SESSION_TICKET && was_finished)
		it = (struct item){ .kind = ITEM_TICKET };
	note(sd, it, at, !was_finished);
	buf_free(&message);
}

static void send_ccs(struct sender *sd, struct bytes *in)
{
	size_t at = seal(sd, TYPE_CCS, bytes_of("\1"), 0);

	(void)in;
	if (!is13(sd))
		passed12(sd);
	note(sd, (struct item){ .kind = ITEM_CCS }, at, !sd->finished);
}

/* One that was changed on its way: it opens with no keys, and counts for nothing. Long enough that it cannot be taken for a clear one. */
static void send_spoiled(struct sender *sd, struct bytes *in)
{
	static const uint8_t content[32] = { 0 };
	struct keys k = { 0 };
	size_t at = sd->stream.n;

	(void)in;
	if (sd->epoch != DATA)
		return;
	assert(keys_copy(&k, &sd->keys));
	assert(keys_seal(&k, TYPE_DATA, (struct bytes){ content, sizeof(content) }, 0, &sd->stream));
	sd->stream.p[sd->stream.n - 1] ^= 0x10;
	sd->broken = true;
	note(sd, (struct item){ .kind = ITEM_UNOPENED }, at, !sd->finished);
	keys_free(&k);
}

static void send_all(struct session *s, struct bytes *in)
{
	static void (*const ops[])(struct sender *, struct bytes *) = {
		send_data, send_data, send_alert, send_message, send_message, send_ccs, send_spoiled
	};

	while (in->n > 8) {
		uint8_t op = fuzz_u8(in);
		struct sender *sd = &s->side[op >> 7];

		if (sd->n == SENT_MAX)
			return;
		ops[(op & 127) % countof(ops)](sd, in);
	}
}

/* --- reading --- */

static void put_direction(struct direction *d, struct bytes x, size_t first_packet)
{
	size_t each = x.n / PACKETS_SPLIT + 1;

	d->pieces = calloc(PACKETS_SPLIT, sizeof(*d->pieces));
	assert(d->pieces);
	for (size_t i = 0; x.n; i++) {
		struct bytes part = fuzz_some(&x, each);

		d->pieces[d->npieces++] = (struct piece){ d->data.n, part.n, first_packet + 2 * i };
		buf_add_bytes(&d->data, part);
	}
}

/* What holds of any stream: items in order, within the stream, all bytes of it covered. */
static void tiles(const struct decoded *d, const struct stream *st, int dir)
{
	size_t at = 0, end = 0, packet = 0;

	for (size_t i = 0; i < d->n; i++) {
		const struct seen_item *it = &d->items[i];

		assert(i == 0 || it->packet >= packet);
		packet = it->packet;
		if (it->dir != dir)
			continue;
		assert(it->at >= at && it->end >= it->at && it->end <= st->dir[dir].data.n);
		assert(it->at == end || it->at == at || it->at > end);
		at = it->at;
		end = it->end;
	}
	assert(d->plain[dir].n + d->late[dir].n <= st->dir[dir].data.n);
	assert(!d->notified[dir] || d->notify_packet[dir] <= packet);
}

static void decode(struct session *s, struct stream *st, struct decoded *d)
{
	for (int dir = 0; dir < 2; dir++)
		put_direction(&st->dir[dir], buf_bytes(&s->side[dir].stream), (size_t)dir);
	decode_stream(st, &s->secrets, d);
	tiles(d, st, 0);
	tiles(d, st, 1);
}

static void same_item(const struct seen_item *got, const struct sent *want)
{
	assert(got->item.kind == want->item.kind && got->item.keys == KEYS_USUAL);
	assert(got->item.code == want->item.code && got->item.level == want->item.level && got->item.len == want->item.len);
	assert(got->item.malformed == want->item.malformed);
	assert(got->at == want->at && got->end == want->end && got->in_handshake == want->in_handshake);
}

static void same_as_sent(struct sender *sd, const struct decoded *d, int dir)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		if (d->items[i].dir == dir) {
			assert(n < sd->n);
			same_item(&d->items[i], &sd->sent[n++]);
		}
	assert(n == sd->n);
	assert(bytes_equal(buf_bytes(&d->plain[dir]), buf_bytes(&sd->plain)));
	assert(bytes_equal(buf_bytes(&d->late[dir]), buf_bytes(&sd->late)));
	assert(d->notified[dir] == sd->notified && d->finished[dir] == sd->finished);
}

static void spoil(struct session *s, struct bytes in)
{
	for (int i = 0; in.n >= 4 && i < 16; i++) {
		struct buf *b = &s->side[fuzz_u8(&in) & 1].stream;
		size_t at = fuzz_u16(&in);

		if (b->n)
			b->p[at % b->n] ^= fuzz_u8(&in);
	}
}

static void session_free(struct session *s)
{
	for (int i = 0; i < 2; i++) {
		keys_free(&s->side[i].keys);
		buf_free(&s->side[i].stream);
		buf_free(&s->side[i].plain);
		buf_free(&s->side[i].late);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct bytes in = { data, n }, tail = { 0 };
	struct stream st = { 0 };
	static struct session s;
	struct decoded d;

	cut(in);
	limit(in);
	session_start(&s, fuzz_u8(&in));
	if (in.n > 16)
		tail = (struct bytes){ in.p + in.n - 16, 16 };
	send_all(&s, &in);
	decode(&s, &st, &d);
	same_as_sent(&s.side[0], &d, 0);
	same_as_sent(&s.side[1], &d, 1);
	decoded_free(&d);
	stream_free(&st);
	spoil(&s, tail);
	decode(&s, &st, &d);
	decoded_free(&d);
	stream_free(&st);
	session_free(&s);
	return 0;
}
