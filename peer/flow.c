/* flow: which keys are in force in one direction, and when they change. */
#include "peer/flow.h"

#include <string.h>

/* The random of a ServerHello that is a HelloRetryRequest (RFC 8446 4.1.3). */
static const uint8_t retry_random[32] = {
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
	0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c
};

void flow_start(struct flow *fl, bool client, const struct secrets *secrets)
{
	*fl = (struct flow){ .client = client, .secrets = secrets };
}

void flow_free(struct flow *fl)
{
	keys_free(&fl->now);
	keys_free(&fl->old);
	keys_free(&fl->handshake);
	keys_free(&fl->early);
	buf_free(&fl->message);
	*fl = (struct flow){ 0 };
}

static bool is13(const struct flow *fl)
{
	return fl->secrets->suite && fl->secrets->suite->version == TLS13;
}

static struct bytes secret_bytes(const struct secret *s)
{
	return (struct bytes){ s->p, s->n };
}

static const struct secret *handshake_secret(const struct flow *fl)
{
	return fl->client ? &fl->secrets->client_handshake : &fl->secrets->server_handshake;
}

/* The session's suite is the connection's, or the server would have taken no early data (RFC 8446 4.2.10). */
static void use_early_keys(struct flow *fl)
{
	const struct secret *s = &fl->secrets->client_early;

	if (fl->epoch == EPOCH_CLEAR && fl->client && is13(fl) && s->n && keys_from_secret(&fl->now, fl->secrets->suite, secret_bytes(s)))
		fl->epoch = EPOCH_EARLY;
}

static void use_handshake_keys(struct flow *fl)
{
	const struct secret *s = handshake_secret(fl);
	struct keys fresh = { 0 };

	if (fl->epoch > EPOCH_EARLY || !is13(fl) || !s->n || !keys_from_secret(&fresh, fl->secrets->suite, secret_bytes(s)))
		return;
	fl->early = fl->now;                    /* none, where there was no early data */
	fl->now = fresh;
	fl->epoch = EPOCH_HANDSHAKE;
}

static void use_data_keys_13(struct flow *fl)
{
	const struct secret *s = fl->client ? &fl->secrets->client_data : &fl->secrets->server_data;

	if (fl->epoch == EPOCH_DATA || !s->n)
		return;
	keys_free(&fl->handshake);
	fl->handshake = fl->now;
	fl->now = (struct keys){ 0 };
	if (keys_from_secret(&fl->now, fl->secrets->suite, secret_bytes(s)))
		fl->epoch = EPOCH_DATA;
}

static void use_data_keys_12(struct flow *fl)
{
	const struct secrets *s = fl->secrets;
	struct keys other = { 0 };

	if (fl->epoch == EPOCH_DATA || !s->suite || !s->master.n)
		return;
	if (keys_from_master(fl->client ? &fl->now : &other, fl->client ? &other : &fl->now, s->suite, secret_bytes(&s->master),
	                     (struct bytes){ s->client_random, 32 }, (struct bytes){ s->server_random, 32 }))
		fl->epoch = EPOCH_DATA;
	keys_free(&other);
}

static void next_keys(struct flow *fl)
{
	struct keys next = { 0 };

	if (!keys_copy(&next, &fl->now) || !keys_next(&next)) {
		keys_free(&next);
		return;
	}
	keys_free(&fl->old);
	fl->old = fl->now;
	fl->now = next;
}

/* Keys change behind a message, not behind a record: several can share one (RFC 8446 5.1). */
static void message_passed(struct flow *fl, uint8_t type, struct bytes body)
{
	switch (type) {
	case HS_SERVER_HELLO:
		if (!fl->client && !(body.n >= 34 && memcmp(body.p + 2, retry_random, 32) == 0))
			use_handshake_keys(fl);
		break;
	case HS_END_OF_EARLY_DATA:
		if (fl->epoch == EPOCH_EARLY)
			use_handshake_keys(fl);
		break;
	case HS_FINISHED:
		fl->finished = true;
		if (is13(fl))
			use_data_keys_13(fl);
		break;
	case HS_KEY_UPDATE:
		if (is13(fl) && fl->epoch == EPOCH_DATA)
			next_keys(fl);
		break;
	default:
		break;
	}
}

static void handshake_passed(struct flow *fl, struct bytes content)
{
	struct bytes in, body;
	uint8_t type;

	buf_add_bytes(&fl->message, content);
	in = buf_bytes(&fl->message);
	while (message_take(&in, &type, &body))
		message_passed(fl, type, body);
	buf_drop(&fl->message, fl->message.n - in.n);
}

void flow_passed(struct flow *fl, uint8_t type, struct bytes content)
{
	if (fl->epoch == EPOCH_DATA)
		fl->sealed_data++;
	if (type == TYPE_HANDSHAKE)
		handshake_passed(fl, content);
	else if (type == TYPE_CCS && !is13(fl))
		use_data_keys_12(fl);
}

struct keys *flow_keys(struct flow *fl)
{
	/* Behind its hello a client that offers early data uses early keys up to its EndOfEarlyData; any other goes over to handshake keys
	 * once it has the ServerHello (RFC 8446 A.1). A 1.2 side does so by its own ChangeCipherSpec. */
	use_early_keys(fl);
	if (fl->client && fl->epoch == EPOCH_CLEAR)
		use_handshake_keys(fl);
	return &fl->now;
}

static bool open_next(struct flow *fl, const struct record *rec, uint8_t *type, struct buf *plain)
{
	struct keys next = { 0 };
	bool ok = is13(fl) && fl->epoch == EPOCH_DATA && keys_copy(&next, &fl->now) && keys_next(&next) &&
	          keys_open(&next, rec, type, plain);

	keys_free(&next);
	return ok;
}

static int open_clear(const struct record *rec, uint8_t *type, struct buf *plain)
{
	*type = rec->type;
	buf_add_bytes(plain, rec->body);
	return FLOW_CLEAR;
}

/* A server that has taken no early data is sent no EndOfEarlyData: handshake keys come next (RFC 8446 4.2.10, 4.5). */
static bool open_refused(struct flow *fl, const struct record *rec, uint8_t *type, struct buf *plain)
{
	const struct secret *s = handshake_secret(fl);
	struct keys keys = { 0 };
	bool ok = fl->epoch == EPOCH_EARLY && s->n && keys_from_secret(&keys, fl->secrets->suite, secret_bytes(s)) &&
	          keys_open(&keys, rec, type, plain);

	keys_free(&keys);
	if (!ok)
		return false;
	use_handshake_keys(fl);
	fl->now.seq = 1;
	return true;
}

static int open_other(struct flow *fl, const struct record *rec, uint8_t *type, struct buf *plain)
{
	if (fl->old.suite && keys_open(&fl->old, rec, type, plain))
		return FLOW_OLD;
	if (fl->handshake.suite && keys_open(&fl->handshake, rec, type, plain))
		return FLOW_HANDSHAKE;
	if (fl->early.suite && keys_open(&fl->early, rec, type, plain))
		return FLOW_EARLY;
	if (open_next(fl, rec, type, plain))
		return FLOW_NEXT;
	/* In the clear a record is only what cannot be a sealed one: an alert of two bytes, say. */
	if (rec->type != TYPE_DATA && rec->body.n < 24)
		return open_clear(rec, type, plain);
	return -1;
}

int flow_open(struct flow *fl, const struct record *rec, bool strict, uint8_t *type, struct buf *plain)
{
	size_t had = plain->n;
	bool clear;

	if (fl->client && rec->type == TYPE_DATA)
		flow_keys(fl);
	/* 1.3: a ChangeCipherSpec is never protected (RFC 8446 5), nor is the second ClientHello that a HelloRetryRequest asks for;
	 * 1.2: nothing is before this side's own. */
	clear = fl->epoch == EPOCH_CLEAR || (is13(fl) && rec->type == TYPE_CCS) ||
		(fl->epoch == EPOCH_EARLY && rec->type == TYPE_HANDSHAKE);
	if (clear) {
		open_clear(rec, type, plain);
		flow_passed(fl, *type, buf_from(plain, had));
		return FLOW_NOW;
	}
	if (!(is13(fl) && rec->type != TYPE_DATA) &&
	    (keys_open(&fl->now, rec, type, plain) || (!strict && open_refused(fl, rec, type, plain)))) {
		flow_passed(fl, *type, buf_from(plain, had));
		return FLOW_NOW;
	}
	return strict ? -1 : open_other(fl, rec, type, plain);
}

/* All that OpenSSL seals under early keys is one record: an EndOfEarlyData, or the alert that comes in its place. */
static bool open_first_early(const struct flow *fl, const struct record *rec, uint8_t *type, struct buf *plain)
{
	struct keys first = { 0 };
	bool ok = fl->epoch == EPOCH_EARLY && keys_copy(&first, &fl->now);

	first.seq = 0;
	ok = ok && keys_open(&first, rec, type, plain);
	keys_free(&first);
	return ok;
}

int flow_relay(struct flow *fl, const struct record *rec, uint8_t *type, struct buf *plain, struct buf *out)
{
	size_t had = plain->n;
	struct bytes content;

	if (rec->type == TYPE_DATA && flow_keys(fl)->seq && open_first_early(fl, rec, type, plain)) {
		content = buf_from(plain, had);
		keys_seal(&fl->now, *type, content, 0, out);
		flow_passed(fl, *type, content);
		return FLOW_NOW;
	}
	buf_add_bytes(out, rec->whole);
	return flow_open(fl, rec, false, type, plain);
}
