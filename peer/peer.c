/* peer: the programmable end of a connection. */
#include "peer/peer.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KEEP_FOR_TICKETS = 256 * 1024, ROUNDS_MAX = 16 };

void peer_init(struct peer *p)
{
	*p = (struct peer){ .fd = -1 };
}

bool peer_start(struct peer *p, int fd, const struct context *c, SSL_SESSION *session, struct fault *f)
{
	peer_drop(p);
	*p = (struct peer){ .fd = fd, .server = c->server, .reading = true, .stop_at = PEER_TO_NOTHING, .stopped = true };
	if (!handshake_start(&p->hs, c, session, f))
		return false;
	flow_start(&p->out, !c->server, &p->hs.secrets);
	return true;
}

void peer_drop(struct peer *p)
{
	tcp_drop(&p->fd, p->vanished);
	handshake_free(&p->hs);
	flow_free(&p->out);
	buf_free(&p->in);
	buf_free(&p->queued);
	buf_free(&p->composed);
	buf_free(&p->sent);
	buf_free(&p->last);
	buf_free(&p->held);
	buf_free(&p->before);
	free(p->claims);
	free(p->flights);
	*p = (struct peer){ .fd = -1 };
}

/* --- the handshake ----------------------------------------------------------------------------------------------------- */

void peer_handshake_to(struct peer *p, int message)
{
	p->stop_at = message;
	p->stopped = message == PEER_TO_NOTHING;
	if (p->stopped && !p->server)
		return;
	if (!p->handshaking && !p->server)
		handshake_feed(&p->hs, (struct bytes){ NULL, 0 }, &p->queued);
	p->handshaking = true;
}

bool peer_handshake_done(const struct peer *p)
{
	return p->hs.done && !p->queued.n;
}

bool peer_handshake_reached(const struct peer *p)
{
	return p->stop_at == PEER_TO_END ? peer_handshake_done(p) : p->stopped;
}

static bool has_message(uint8_t type, struct bytes content, int message)
{
	uint8_t t;
	uint32_t len;
	struct bytes body;

	if (type != TYPE_HANDSHAKE)
		return false;
	while (bytes_u8(&content, &t) && bytes_u24(&content, &len)) {
		if (t == message)
			return true;
		if (!bytes_take(&content, len, &body))
			break;
	}
	return false;
}

/* Gives OpenSSL's records to TCP one by one; our own reading of them tells which message each holds and moves the keys on. */
static void release_queued(struct peer *p)
{
	struct buf plain = { 0 };

	while (!p->stopped && p->queued.n) {
		struct bytes in = buf_bytes(&p->queued);
		struct record rec;
		uint8_t type = 0;
		bool sealed;

		if (record_take(&in, &rec) != TAKEN)
			break;
		plain.n = 0;
		sealed = p->out.epoch == EPOCH_DATA;
		if (flow_relay(&p->out, &rec, &type, &plain, &p->sent) >= 0 && sealed)
			p->openssl_sealed++;
		p->stopped = p->stop_at >= 0 && has_message(type, buf_bytes(&plain), p->stop_at);
		buf_drop(&p->queued, rec.whole.n);
	}
	buf_free(&plain);
}

/* One record at a time, so that nothing is left inside OpenSSL when a close_notify comes in the same read as the Finished. */
static bool feed_handshake(struct peer *p)
{
	bool moved = false;

	while (p->handshaking && !p->hs.done && !p->hs.failed) {
		struct bytes in = buf_bytes(&p->in);
		struct record rec;

		enum taken taken = record_take(&in, &rec);

		if (taken == TAKEN_JUNK)
			handshake_fail(&p->hs, "what arrived is no TLS record");
		if (taken != TAKEN)
			break;
		handshake_feed(&p->hs, rec.whole, &p->queued);
		buf_drop(&p->in, rec.whole.n);
		moved = true;
	}
	if (p->queued.n)
		release_queued(p);
	return moved;
}

/* --- composing --------------------------------------------------------------------------------------------------------- */

static void add_claim(struct peer *p, size_t at, size_t end, int type, struct bytes content)
{
	struct claim c = { at, end, type, { 0, 0 }, content.n };

	memcpy(c.head, content.n ? content.p : c.head, content.n < 2 ? content.n : 2);
	p->claims = reallocarray(p->claims, p->nclaims + 1, sizeof(*p->claims));
	assert(p->claims);
	p->claims[p->nclaims++] = c;
}

/* Where the next composed byte will stand in the stream. */
static size_t stream_at(const struct peer *p)
{
	return p->sent.n + p->composed.n;
}

static void seal_with(struct peer *p, int which, unsigned type, struct bytes content, size_t pad, struct buf *out)
{
	struct keys *now = flow_keys(&p->out), tmp = { 0 };

	switch (which) {
	case FLOW_OLD:
		keys_seal(&p->out.old, type, content, pad, out);
		break;
	case FLOW_HANDSHAKE:
		keys_seal(p->out.epoch == EPOCH_HANDSHAKE ? now : &p->out.handshake, type, content, pad, out);
		break;
	case FLOW_EARLY:
		keys_seal(p->out.epoch == EPOCH_EARLY ? now : &p->out.early, type, content, pad, out);
		break;
	case FLOW_CLEAR:
		keys_seal(&tmp, type, content, 0, out);
		break;
	case FLOW_NEXT:
		if (keys_copy(&tmp, now) && keys_next(&tmp))
			keys_seal(&tmp, type, content, pad, out);
		keys_free(&tmp);
		break;
	default:
		keys_seal(now, type, content, pad, out);
		flow_passed(&p->out, (uint8_t)type, content);
		break;
	}
}

/* One bit of what the tag protects; or of the length, which makes the record one byte longer or shorter than it is. */
static void spoil(struct buf *rec, bool header)
{
	if (header)
		rec->p[4] ^= 1;
	else if (rec->n > RECORD_HEAD)
		rec->p[rec->n - 1] ^= 1;
}

static size_t cut_length(size_t n, const struct shape *sh)
{
	int64_t k = !sh->has_cut ? (int64_t)n : sh->cut < 0 ? (int64_t)n + sh->cut : sh->cut;

	return k < 0 ? 0 : (size_t)k > n ? n : (size_t)k;
}

static void one_record(struct peer *p, unsigned type, struct bytes content, const struct shape *sh)
{
	size_t at = stream_at(p), leave;
	bool plain = !sh->corrupt && !sh->corrupt_header && sh->keys == FLOW_NOW;

	p->last.n = 0;
	seal_with(p, sh->keys, type, content, sh->pad, &p->last);
	if (sh->corrupt || sh->corrupt_header)
		spoil(&p->last, sh->corrupt_header);
	leave = cut_length(p->last.n, sh);
	buf_add(&p->composed, p->last.p, leave);
	if (leave < p->last.n) {
		p->held.n = 0;
		buf_add(&p->held, p->last.p + leave, p->last.n - leave);
	}
	/* A record that is held back leaves a claim too: without it what follows does not open. */
	add_claim(p, at, at + leave, plain && leave == p->last.n ? (int)type : -1, content);
}

void peer_record(struct peer *p, unsigned type, struct bytes content, const struct shape *sh)
{
	struct bytes first;

	if (sh->fragmented && content.n > 1) {
		bytes_take(&content, content.n / 2, &first);
		one_record(p, type, first, sh);
	}
	one_record(p, type, content, sh);
}

void peer_data(struct peer *p, struct bytes data, const struct shape *sh)
{
	struct bytes part;

	while (data.n > RECORD_PLAIN_MAX && bytes_take(&data, RECORD_PLAIN_MAX, &part))
		peer_record(p, TYPE_DATA, part, sh);
	peer_record(p, TYPE_DATA, data, sh);
}

void peer_alert(struct peer *p, unsigned level, unsigned code, const struct shape *sh)
{
	uint8_t body[2] = { (uint8_t)level, (uint8_t)code };

	peer_record(p, TYPE_ALERT, (struct bytes){ body, 2 }, sh);
}

void peer_key_update(struct peer *p, bool requested, const struct shape *sh)
{
	uint8_t message[5] = { HS_KEY_UPDATE, 0, 0, 1, requested };

	peer_record(p, TYPE_HANDSHAKE, (struct bytes){ message, 5 }, sh);
}

bool peer_ticket(struct peer *p, const struct shape *sh)
{
	struct buf sealed = { 0 }, plain = { 0 };
	struct keys openssl = { 0 };
	struct bytes in;
	struct record rec;
	uint8_t type;
	bool ok = p->server && handshake_ticket(&p->hs, &sealed);

	/* OpenSSL counts only the records that it sealed itself, under the first generation of keys: open it so,
	 * and seal it anew in its place. */
	in = buf_bytes(&sealed);
	ok = ok && keys_from_secret(&openssl, p->hs.secrets.suite,
	                            (struct bytes){ p->hs.secrets.server_data.p, p->hs.secrets.server_data.n });
	while (ok && in.n) {
		plain.n = 0;
		openssl.seq = p->openssl_sealed++;
		ok = record_take(&in, &rec) == TAKEN && keys_open(&openssl, &rec, &type, &plain);
		if (ok)
			peer_record(p, type, buf_bytes(&plain), sh);
	}
	keys_free(&openssl);
	buf_free(&sealed);
	buf_free(&plain);
	return ok;
}

void peer_raw(struct peer *p, struct bytes raw)
{
	size_t at = stream_at(p);

	buf_add_bytes(&p->composed, raw);
	add_claim(p, at, at + raw.n, -1, raw);
}

void peer_again(struct peer *p)
{
	peer_raw(p, buf_bytes(&p->last));
}

void peer_replay(struct peer *p)
{
	peer_raw(p, buf_bytes(&p->before));
}

void peer_rest(struct peer *p, int64_t n)
{
	size_t take = n < 0 || (size_t)n > p->held.n ? p->held.n : (size_t)n;

	peer_raw(p, (struct bytes){ p->held.p, take });
	buf_drop(&p->held, take);
}

void peer_fin(struct peer *p)
{
	p->compose_fin = true;
}

/* --- TCP --------------------------------------------------------------------------------------------------------------- */

static bool give_fin(struct peer *p)
{
	if (!p->fin_wanted || p->fin_sent || p->fd < 0 || p->sent_to_tcp != p->sent.n)
		return false;
	p->fin_sent = true;
	return tcp_fin(p->fd);
}

static bool give_bytes(struct peer *p)
{
	bool moved = false;

	if (p->holding && p->stopped)
		return false;
	while (p->fd >= 0 && p->sent_to_tcp < p->sent.n) {
		/* The FIN joins the last segment only while that has not left: MSG_MORE holds it for the shutdown that follows. */
		int flags = MSG_NOSIGNAL | (p->fin_wanted ? MSG_MORE : 0);
		ssize_t n = send(p->fd, p->sent.p + p->sent_to_tcp, p->sent.n - p->sent_to_tcp, flags);

		if (n <= 0)
			break;
		p->sent_to_tcp += (size_t)n;
		moved = true;
	}
	return give_fin(p) || moved;
}

void peer_send(struct peer *p, bool joined)
{
	struct flight fl = { p->holding ? p->sent_to_tcp : p->sent.n, p->sent.n + p->composed.n, p->compose_fin, joined };

	p->holding = false;
	buf_add_bytes(&p->sent, buf_bytes(&p->composed));
	p->composed.n = 0;
	p->fin_wanted |= p->compose_fin;
	p->compose_fin = false;
	p->flights = reallocarray(p->flights, p->nflights + 1, sizeof(*p->flights));
	assert(p->flights);
	p->flights[p->nflights++] = fl;
	give_bytes(p);
}

void peer_rst(struct peer *p)
{
	p->reset_sent = true;
	tcp_rst(&p->fd);
}

void peer_close(struct peer *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

bool peer_vanish(struct peer *p)
{
	p->vanished = tcp_vanish(p->fd);
	return p->vanished;
}

bool peer_forget(struct peer *p)
{
	p->vanished = tcp_vanish(p->fd);
	if (p->vanished)
		tcp_drop(&p->fd, true);
	return p->vanished;
}

bool peer_start_again(struct peer *p, const struct context *c, struct fault *f)
{
	handshake_free(&p->hs);
	flow_free(&p->out);
	p->in.n = p->queued.n = p->composed.n = 0;
	p->openssl_sealed = 0;
	p->handshaking = false;
	p->stopped = true;
	p->stop_at = PEER_TO_NOTHING;
	if (!handshake_start(&p->hs, c, NULL, f))
		return false;
	flow_start(&p->out, !c->server, &p->hs.secrets);
	return true;
}

bool peer_window(struct peer *p, int bytes)
{
	/* Not SO_RCVBUF: what was offered before would be dropped when it comes, and cost retransmissions. */
	return setsockopt(p->fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, &bytes, sizeof(bytes)) == 0;
}

static bool take_bytes(struct peer *p)
{
	uint8_t chunk[65536];
	bool moved = false;

	/* A round has an end, also where they send faster than we read. */
	for (int round = 0; round < ROUNDS_MAX && p->fd >= 0 && p->reading && !p->got_fin && !p->got_reset; round++) {
		ssize_t n = recv(p->fd, chunk, sizeof(chunk), MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		moved = true;
		p->got_fin = n == 0;
		p->got_reset = n < 0;
		if (n <= 0)
			break;
		p->received += (size_t)n;
		if (p->arrived)
			buf_add(p->arrived, chunk, (size_t)n);
		if (!p->hs.done || p->in.n < KEEP_FOR_TICKETS)
			buf_add(&p->in, chunk, (size_t)n);
		if ((size_t)n < sizeof(chunk))
			break;
	}
	return moved;
}

bool peer_pump(struct peer *p)
{
	bool moved = take_bytes(p);

	if (p->handshaking)
		moved |= feed_handshake(p);
	return give_bytes(p) || moved;
}

bool peer_delivered(const struct peer *p)
{
	return p->fd < 0 || p->vanished || tcp_delivered(p->fd);
}

bool peer_waits(const struct peer *p)
{
	struct tcp_view v;

	return p->sent_to_tcp < p->sent.n || (p->fd >= 0 && tcp_look(p->fd, &v) && v.unsent > 0);
}
