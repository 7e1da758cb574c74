/* opening: the handshake, which OpenSSL runs and whose alerts are judged here, and the early data that comes before its end. */
#include "adapters/reference/faults.h"
#include "adapters/reference/inside.h"

/* Records of OpenSSL's: the keys go along with them. */
static void openssl_out(struct engine *e, struct bytes in)
{
	struct buf plain = { 0 }, out = { 0 };
	struct record rec;
	uint8_t type;

	while (record_take(&in, &rec) == TAKEN) {
		plain.n = 0;
		out.n = 0;
		flow_relay(&e->hs_out, &rec, &type, &plain, &out);
		if (type == TYPE_ALERT && fault(FAULT_HANDSHAKE_ALERT_IN_CLEAR))
			send_alert(e, plain.p[0], plain.p[1]);
		else
			buf_add_bytes(&e->out, buf_bytes(&out));
		e->talked = true;
	}
	buf_free(&plain);
	buf_free(&out);
}

static void feed(struct engine *e, struct bytes record)
{
	struct buf out = { 0 };

	handshake_feed(&e->hs, record, &out);
	openssl_out(e, buf_bytes(&out));
	buf_free(&out);
}

/* An alert inside the handshake is ours to judge. False: the record is none, or does not open. */
static bool handshake_alert(struct engine *e, const struct record *rec, struct buf *plain)
{
	struct keys keys = { 0 };
	uint8_t type = rec->type;
	bool clear = e->hs_in.epoch == EPOCH_CLEAR || (e->v13 && type != TYPE_DATA), ok = true;

	if (e->v13 && type == TYPE_DATA)
		clear = !flow_keys(&e->hs_in)->suite;
	if (clear)
		buf_add_bytes(plain, rec->body);
	else
		ok = keys_copy(&keys, flow_keys(&e->hs_in)) && keys_open(&keys, rec, &type, plain);
	keys_free(&keys);
	return ok && type == TYPE_ALERT;
}

static enum result handshake_record(struct engine *e, const struct record *rec)
{
	struct buf plain = { 0 };
	enum result r = ENGINE_OK;
	bool alert = handshake_alert(e, rec, &plain);
	uint8_t type;

	e->talked = true;
	if (alert)
		r = receive_alert(e, buf_bytes(&plain));
	if (r == ENGINE_OK && !(alert && fault(FAULT_EARLY_NOTIFY_IGNORED))) {
		feed(e, rec->whole);
		/* Behind OpenSSL, which makes the secrets out of what it is fed. */
		plain.n = 0;
		if (flow_open(&e->hs_in, rec, true, &type, &plain) == FLOW_NOW && type == TYPE_DATA && receives_early(e) && !e->hs.failed)
			buf_add_bytes(&e->plain, buf_bytes(&plain));
	}
	buf_free(&plain);
	e->rec.n = 0;
	return r;
}

/* What the peer seals from here on. In 1.2 its Finished was the first record under these keys. */
static void rx_start(struct engine *e)
{
	const struct secrets *s = &e->hs.secrets;
	const struct secret *data = e->server ? &s->client_data : &s->server_data;
	struct keys own = { 0 };

	if (e->v13) {
		keys_from_secret(&e->rx, s->suite, (struct bytes){ data->p, data->n });
		return;
	}
	keys_from_master(e->server ? &e->rx : &own, e->server ? &own : &e->rx, s->suite, (struct bytes){ s->master.p, s->master.n },
	                 (struct bytes){ s->client_random, 32 }, (struct bytes){ s->server_random, 32 });
	keys_free(&own);
	e->rx.seq = 1;
}

static void handshake_finish(struct engine *e)
{
	const struct secrets *s = &e->hs.secrets;
	struct buf ticket = { 0 };
	uint8_t lost[4096];

	if (e->server && e->v13 && handshake_ticket(&e->hs, &ticket))
		openssl_out(e, buf_bytes(&ticket));
	buf_free(&ticket);
	rx_start(e);
	e->tx = *flow_keys(&e->hs_out);
	e->hs_out.now = (struct keys){ 0 };
	if (!e->server && e->v13)
		keys_from_secret(&e->learn, s->suite, (struct bytes){ s->server_data.p, s->server_data.n });
	e->done = true;
	while (fault(FAULT_EARLY_DATA_LOST) && e->io.recv(e->io.to, lost, sizeof(lost), false) > 0)
		;
}

/* One record more of the handshake. */
static enum result handshake_step(struct engine *e)
{
	struct record rec;
	enum result r = receive_record(e, &rec);

	return r == ENGINE_OK ? handshake_record(e, &rec) : r;
}

/* OpenSSL has written the alert. */
static enum result handshake_failed(struct engine *e)
{
	snprintf(e->why, sizeof(e->why), "%.90s", e->hs.error);
	e->fatal = true;
	return e->read_end = ENGINE_ERROR;
}

enum result engine_handshake(struct engine *e)
{
	enum result r = e->read_end;

	if (!e->server && !e->talked)
		feed(e, (struct bytes){ NULL, 0 });
	while (r == ENGINE_OK && !e->done) {
		r = send_flush(e, true);
		if (r != ENGINE_OK)
			return r;
		if (e->hs.failed)
			r = handshake_failed(e);
		else if (e->hs.done)
			handshake_finish(e);
		else
			r = handshake_step(e);
	}
	if (r == ENGINE_CLOSED && (receives_early(e) || fault(FAULT_HANDSHAKE_NOTIFY_IS_END)))
		r = ENGINE_ERROR;               /* what has ended is the early data */
	if ((r == ENGINE_TRUNCATED && fault(FAULT_HANDSHAKE_CUT_IS_DONE)) ||
	    (r == ENGINE_ERROR && !e->fatal && fault(FAULT_HANDSHAKE_NOTIFY_IS_DONE)))
		return ENGINE_OK;
	if ((r == ENGINE_TRUNCATED || (r == ENGINE_ERROR && !e->fatal)) && fault(FAULT_HANDSHAKE_END_IS_CLOSED))
		return ENGINE_CLOSED;
	return r == ENGINE_OK ? send_flush(e, true) : r;
}

/* ---- Early data ---- */

enum result engine_early_read(struct engine *e, void *p, size_t n, size_t *got)
{
	enum result r;

	*got = 0;
	if (!e->server || !e->early || e->done)
		return engine_refused(e, "it is no server at the start of a handshake, or not opened for early data");
	if (!e->talked)
		handshake_use_early(&e->hs);
	/* The flight leaves before any early data is waited for (RFC 8446 4.2.11.3). hs.early ends with the EndOfEarlyData, or at once. */
	while (!e->plain.n && e->hs.early) {
		r = e->read_end == ENGINE_OK ? send_flush(e, true) : e->read_end;
		if (r == ENGINE_OK)
			r = e->hs.failed ? handshake_failed(e) : handshake_step(e);
		if (r != ENGINE_OK)
			return r;
	}
	if (!e->plain.n && fault(FAULT_EARLY_END_IS_CLOSED))
		return ENGINE_CLOSED;
	r = e->plain.n ? ENGINE_OK : send_flush(e, true);
	return r == ENGINE_OK ? engine_give(e, p, n, got) : r;
}

/* The keys change with the EndOfEarlyData, which follows the server's Finished: until a handshake call takes that in early data goes on. */
static enum result early_barred(struct engine *e, size_t n)
{
	if (e->write_end != ENGINE_OK)
		return e->write_end;
	if (e->server || !e->early || e->done || e->notified || e->fatal || e->read_end != ENGINE_OK)
		return engine_refused(e, "it is no client at the start of a handshake, or not opened for early data");
	if (!e->talked) {
		e->early_left = handshake_early_room(&e->hs);
		handshake_use_early(&e->hs);
		feed(e, (struct bytes){ NULL, 0 });
	}
	flow_keys(&e->hs_out);
	return e->hs_out.epoch == EPOCH_EARLY &&
	       n <= e->early_left ? ENGINE_OK : engine_refused(e, "the session permits no early data, or not so much");
}

enum result engine_early_write(struct engine *e, const void *p, size_t n, bool repeated, size_t *taken)
{
	enum result r = repeated ? ENGINE_OK : early_barred(e, n);

	*taken = 0;
	if (r != ENGINE_OK)
		return r;
	if (!repeated && n)
		e->taken = send_data(e, p, n);
	if (!repeated)
		e->early_left -= e->taken;
	r = send_flush(e, true);
	if (r != ENGINE_OK)
		return r;
	*taken = e->taken;
	e->taken = 0;
	return ENGINE_OK;
}
