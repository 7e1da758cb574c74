/* engine: see the header. From top to bottom: out, errors, in, alerts, handshake messages, records, the handshake, the calls. */
#include "adapters/reference/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/reference/faults.h"

enum {
	IDLE_MAX = 32,                          /* empty records, warnings, key updates, tickets: more in a row are refused */
	MESSAGE_MAX = 65536,                    /* a handshake message behind the handshake */
	CIPHER_MAX_13 = RECORD_PLAIN_MAX + 256, /* RFC 8446 5.2 */
	CIPHER_MAX_12 = RECORD_PLAIN_MAX + 2048 /* RFC 5246 6.2.3 */
};

enum { UNEXPECTED_MESSAGE = 10, BAD_RECORD_MAC = 20, RECORD_OVERFLOW = 22, ILLEGAL_PARAMETER = 47, DECODE_ERROR = 50, DECRYPT_ERROR = 51,
       NO_RENEGOTIATION = 100 };

/* ---- Out ---- */

static enum result broken(struct engine *e, int err)
{
	enum result r = err == ECONNRESET ? ENGINE_RESET : err == EPIPE ? ENGINE_PIPE : ENGINE_ERROR;

	if (r == ENGINE_RESET && fault(FAULT_RESET_CRASHES))
		abort();
	e->reset |= r == ENGINE_RESET;
	snprintf(e->why, sizeof(e->why), "%s", strerror(err));
	return r;
}

/* Whole records stay whole: what the transport does not take now waits here, in order. */
static enum result flush(struct engine *e, bool wait)
{
	while (e->out.n) {
		ssize_t n = e->io.send(e->io.to, e->out.p, e->out.n, wait);

		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return ENGINE_WANT_WRITE;
		if (n < 0) {
			e->out.n = 0;
			return e->write_end = broken(e, errno);
		}
		buf_drop(&e->out, (size_t)n);
	}
	return ENGINE_OK;
}

static struct keys *tx_keys(struct engine *e)
{
	return e->done ? &e->tx : flow_keys(&e->hs_out);
}

static void seal(struct engine *e, unsigned type, const void *p, size_t n)
{
	struct keys none = { 0 }, *keys = tx_keys(e);

	if (!e->done && fault(FAULT_HANDSHAKE_ALERT_IN_CLEAR))
		keys = &none;
	keys_seal(keys, type, (struct bytes){ p, n }, 0, &e->out);
}

static void alert_out(struct engine *e, unsigned level, unsigned code)
{
	uint8_t body[] = { (uint8_t)level, (uint8_t)code };

	seal(e, TYPE_ALERT, body, sizeof(body));
}

static void update_out(struct engine *e, bool requested)
{
	uint8_t body[] = { HS_KEY_UPDATE, 0, 0, 1, requested };

	seal(e, TYPE_HANDSHAKE, body, sizeof(body));
	if (fault(FAULT_NOTIFY_OLD_KEYS))
		keys_copy(&e->odd.keys, &e->tx);
	if (!fault(FAULT_OWN_UPDATE_KEEPS_KEYS))
		keys_next(&e->tx);
	e->update_due = false;
}

/* RFC 8446 4.6.3: what the peer asked for comes before the next application data. */
static size_t data_out(struct engine *e, const void *p, size_t n)
{
	size_t part = n < RECORD_PLAIN_MAX ? n : RECORD_PLAIN_MAX;

	if (e->update_due)
		update_out(e, false);
	seal(e, TYPE_DATA, p, part);
	return part;
}

static void held_out(struct engine *e)
{
	while (e->held.n)
		buf_drop(&e->held, data_out(e, e->held.p, e->held.n));
}

/* The close_notify record. */
static void notify_seal(struct engine *e)
{
	uint8_t body[] = { ALERT_WARNING, ALERT_CLOSE_NOTIFY };
	struct keys none = { 0 }, *keys = tx_keys(e);

	if (fault(FAULT_NOTIFY_IS_FATAL))
		body[0] = ALERT_FATAL;
	if (fault(FAULT_NOTIFY_IN_CLEAR))
		keys = &none;
	if (fault(FAULT_NOTIFY_OLD_KEYS) && e->odd.keys.suite)
		keys = &e->odd.keys;
	if (fault(FAULT_NOTIFY_HANDSHAKE_KEYS) && e->hs_out.handshake.suite)
		keys = &e->hs_out.handshake;
	if (fault(FAULT_NOTIFY_SPLIT)) {
		keys_seal(keys, TYPE_ALERT, (struct bytes){ body, 1 }, 0, &e->out);
		keys_seal(keys, TYPE_ALERT, (struct bytes){ body + 1, 1 }, 0, &e->out);
		return;
	}
	keys_seal(keys, TYPE_ALERT, (struct bytes){ body, 2 }, 0, &e->out);
	if (fault(FAULT_NOTIFY_DOUBLED))
		keys_seal(keys, TYPE_ALERT, (struct bytes){ body, 2 }, 0, &e->out);
}

/* What stands behind n bytes goes to the front. */
static void out_rotate(struct engine *e, size_t n)
{
	struct buf turned = { 0 };

	buf_add(&turned, e->out.p + n, e->out.n - n);
	buf_add(&turned, e->out.p, n);
	buf_free(&e->out);
	e->out = turned;
}

/* Behind all that was written. Inside the handshake it says why (RFC 8446 6.1). No clause speaks of a client that closes during 0-RTT. It
 * is a write side that ends (6.1), and alerts leave under the keys in force (6): the early ones, up to the EndOfEarlyData. A server that
 * took no early data cannot open them, but has been told before that it will meet records that it cannot (4.2.10),
 * and learns of the end by the FIN. */
static void notify_out(struct engine *e)
{
	size_t before;

	e->notified = true;
	if (fault(FAULT_HELD_DATA_LOST) || fault(FAULT_SMALL_WRITES_LOST))
		e->held.n = 0;
	if (fault(FAULT_RECORD_TORN))
		e->out.n = 0;
	if (!fault(FAULT_HELD_DATA_LATE))
		held_out(e);
	before = e->out.n;
	if (!e->done)
		alert_out(e, ALERT_WARNING, ALERT_USER_CANCELED);
	if (!e->done && fault(FAULT_CANCELED_ALONE))
		return;
	notify_seal(e);
	if (fault(FAULT_NOTIFY_FIRST_AT_FULL_SOCKET))
		out_rotate(e, before);
	if (fault(FAULT_HELD_DATA_LATE))
		held_out(e);
	e->update_due = false;
}

/* ---- Errors ---- */

/* An error that was found here. The alert is the last thing to leave, and none follows the own close_notify. */
static enum result fail(struct engine *e, unsigned alert, const char *why)
{
	unsigned level = fault(FAULT_ALERT_AT_WARNING) ? ALERT_WARNING : ALERT_FATAL;
	bool barred = e->notified && !fault(FAULT_ALERT_AFTER_NOTIFY) && !fault(FAULT_LATE_RECORDS_ANSWERED);

	snprintf(e->why, sizeof(e->why), "%s", why);
	if (!barred && !e->fatal && !fault(FAULT_NO_ALERT))
		alert_out(e, level, alert);
	if (!barred && !e->fatal && fault(FAULT_ALERT_DOUBLED))
		alert_out(e, level, alert);
	e->fatal = true;
	if (!fault(FAULT_ALERT_LOST_AT_CLOSE))
		flush(e, false);
	return e->read_end = ENGINE_ERROR;
}

static enum result transport_failed(struct engine *e, int err)
{
	e->read_end = broken(e, err);
	if (e->read_end == ENGINE_RESET)
		e->write_end = ENGINE_RESET;
	if (e->read_end == ENGINE_RESET && fault(FAULT_RESET_IS_END))
		e->read_end = ENGINE_CLOSED;
	if (e->read_end == ENGINE_RESET && fault(FAULT_RESET_IS_TRUNCATION))
		e->read_end = ENGINE_TRUNCATED;
	return e->read_end;
}

/* The server's flight is out, and records come under early keys. */
static bool early_reading(const struct engine *e)
{
	return e->server && !e->done && e->hs_in.epoch == EPOCH_EARLY;
}

/* A reset that a write was told of is none the less a reset. */
static enum result transport_ended(struct engine *e)
{
	if (e->reset)
		return e->read_end = fault(FAULT_RESET_EATEN) ? ENGINE_CLOSED : ENGINE_RESET;
	if (e->ignore_eof && e->done && !e->rec.n && !fault(FAULT_IGNORE_EOF_FAILS))
		return e->read_end = ENGINE_CLOSED;
	if (fault(FAULT_FIN_IGNORED))
		return ENGINE_WANT_READ;
	if (early_reading(e) && fault(FAULT_EARLY_FIN_IS_END))
		return e->read_end = ENGINE_CLOSED;
	if (e->done && (e->rec.n == 0 ? fault(FAULT_FIN_IS_END) : e->rec.n < RECORD_HEAD ? fault(FAULT_FIN_IN_HEADER_IS_END)
	                                                                                 : fault(FAULT_FIN_IN_BODY_IS_END)))
		return e->read_end = ENGINE_CLOSED;
	if (fault(FAULT_FIN_IS_ERROR))
		return e->read_end = ENGINE_ERROR;
	snprintf(e->why, sizeof(e->why), "the transport ended without close_notify");
	return e->read_end = ENGINE_TRUNCATED;
}

/* ---- In: one record, and nothing of what follows it ---- */

static enum result fill(struct engine *e, size_t want)
{
	while (e->rec.n < want) {
		size_t room = want - e->rec.n;
		ssize_t n = e->io.recv(e->io.to, buf_grow(&e->rec, room), room, !e->odd.hasty);

		e->rec.n -= room - (n > 0 ? (size_t)n : 0);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			if (fault(FAULT_WAITING_IS_ERROR) && e->done)
				return ENGINE_ERROR;
			if (fault(FAULT_HALF_RECORD_FORGOTTEN) && e->done)
				e->rec.n = 0;
			return ENGINE_WANT_READ;
		}
		if (n < 0)
			return transport_failed(e, errno);
		if (n == 0)
			return transport_ended(e);
	}
	return ENGINE_OK;
}

/* The version in the head is not looked at: RFC 8446 5.1 forbids it, in 1.2 the tag protects it. */
static enum result head_check(struct engine *e)
{
	unsigned type = e->rec.p[0];
	size_t len = be16(e->rec.p + 3);

	if ((type < TYPE_CCS || type > TYPE_DATA) && fault(FAULT_JUNK_IS_END))
		return e->read_end = ENGINE_CLOSED;
	if (type < TYPE_CCS || type > TYPE_DATA)
		return fail(e, UNEXPECTED_MESSAGE, "no record of TLS");
	if (len > (e->v13 ? CIPHER_MAX_13 : CIPHER_MAX_12) && !fault(FAULT_OVERFLOW_ACCEPTED))
		return fail(e, fault(FAULT_OVERFLOW_MISNAMED) ? DECODE_ERROR : RECORD_OVERFLOW, "a record too long");
	return ENGINE_OK;
}

/* The record stays in e->rec. */
static enum result record_in(struct engine *e, struct record *rec)
{
	enum result r = fill(e, RECORD_HEAD);
	struct bytes in;

	if (r == ENGINE_OK)
		r = head_check(e);
	if (r == ENGINE_OK)
		r = fill(e, RECORD_HEAD + be16(e->rec.p + 3));
	if (r != ENGINE_OK)
		return r;
	in = buf_bytes(&e->rec);
	*rec = (struct record){ in.p[0], be16(in.p + 1), { in.p + RECORD_HEAD, in.n - RECORD_HEAD }, in };
	return ENGINE_OK;
}

/* ---- Alerts ---- */

/* Under early keys it is authentic and says that nothing else will come (RFC 8446 6.1): the early data is whole. The handshake, whose
 * Finished may not count any more, has failed by it all the same. */
static enum result early_notify_in(struct engine *e)
{
	return fault(FAULT_EARLY_NOTIFY_IGNORED) ? ENGINE_OK : (e->read_end = ENGINE_CLOSED);
}

static enum result notify_in(struct engine *e)
{
	if (early_reading(e) && (e->rec.p[0] == TYPE_DATA || fault(FAULT_EARLY_CLEAR_NOTIFY_BELIEVED)))
		return early_notify_in(e);
	if (!e->done) {
		snprintf(e->why, sizeof(e->why), "close_notify inside the handshake");
		return e->read_end = fault(FAULT_HANDSHAKE_NOTIFY_IS_END) ? ENGINE_CLOSED : ENGINE_ERROR;
	}
	e->peer_notified = true;
	e->read_end = ENGINE_CLOSED;
	/* RFC 5246 7.2.1: "MUST respond with a close_notify alert of its own and close down the connection immediately, discarding any
	 * pending writes". A record that is sealed is not pending any more: half of it may be out. */
	if (fault(FAULT_WRITE_ON_12) || fault(FAULT_NO_ANSWER_AT_CLOSE))
		return ENGINE_OK;
	if ((!e->v13 || fault(FAULT_NO_WRITE_AFTER_PEER_NOTIFY)) && !e->notified && e->write_end == ENGINE_OK) {
		e->held.n = 0;
		notify_out(e);
		flush(e, false);
	}
	return ENGINE_OK;
}

static enum result error_in(struct engine *e, unsigned code)
{
	if (fault(FAULT_ALERT_IGNORED))
		return ENGINE_OK;
	e->alert = (int)code;
	e->fatal = true;
	e->out.n = 0;
	if (fault(FAULT_ALERT_IS_END))
		return e->read_end = ENGINE_CLOSED;
	return e->read_end = fault(FAULT_ALERT_UNNAMED) ? ENGINE_ERROR : ENGINE_ALERT;
}

/* user_canceled, and the warnings of 1.2: noted by nobody. */
static enum result warning_in(struct engine *e, unsigned code)
{
	bool canceled = code == ALERT_USER_CANCELED;

	if (canceled ? fault(FAULT_CANCELED_IS_END) : fault(FAULT_WARNING_IS_END))
		return e->read_end = ENGINE_CLOSED;
	if (!canceled && fault(FAULT_WARNING_IS_ERROR)) {
		e->fatal = true;
		return e->read_end = ENGINE_ERROR;
	}
	if (canceled && fault(FAULT_CANCELED_IS_ERROR))
		return fail(e, UNEXPECTED_MESSAGE, "user_canceled");
	return ENGINE_OK;
}

static bool alert_skipped(const struct engine *e, unsigned level, unsigned code)
{
	bool warning = level == ALERT_WARNING, unknown = !alert_name(code);

	if (code == ALERT_CLOSE_NOTIFY)
		return fault(FAULT_NOTIFY_IGNORED) || (!warning && fault(FAULT_ODD_LEVEL_SKIPPED));
	return (e->v13 && warning && fault(FAULT_ALERT_LEVEL_HEEDED)) || (unknown && fault(FAULT_UNKNOWN_ALERT_IGNORED)) ||
	       (e->v13 && unknown && warning && fault(FAULT_UNKNOWN_WARNING_IGNORED));
}

/* An alert of any other shape than its two bytes has no meaning that could be authentic. */
static enum result alert_in(struct engine *e, struct bytes body)
{
	if (fault(FAULT_ALERT_JOINED) && (body.n == 1 || e->odd.alert.n)) {
		buf_add_bytes(&e->odd.alert, body);
		if (e->odd.alert.n < 2)
			return ENGINE_OK;
		body = buf_bytes(&e->odd.alert);
	}
	if (fault(FAULT_ALERTS_IN_ONE_RECORD) && body.n > 2) {
		enum result r = alert_in(e, (struct bytes){ body.p, 2 });

		return r == ENGINE_OK && e->read_end == ENGINE_OK && body.n > 3 ? alert_in(e, (struct bytes){ body.p + 2, body.n - 2 }) : r;
	}
	if (body.n == 0 && fault(FAULT_EMPTY_ALERT_CRASHES))
		abort();
	if (body.n == 0 && fault(FAULT_EMPTY_ALERT_SKIPPED))
		return ENGINE_OK;
	if (body.n == 0)
		return fail(e, fault(FAULT_EMPTY_ALERT_MISNAMED) ? DECODE_ERROR : UNEXPECTED_MESSAGE, "an empty alert");
	if (body.n == 1 && fault(FAULT_SHORT_ALERT_IS_NOTIFY))
		return notify_in(e);
	if (body.n != 2)
		return fail(e, fault(FAULT_BAD_ALERT_MISNAMED) ? ILLEGAL_PARAMETER : DECODE_ERROR, "an alert that is not two bytes");
	if (alert_skipped(e, body.p[0], body.p[1]))
		return ENGINE_OK;
	if (body.p[1] == ALERT_CLOSE_NOTIFY && body.p[0] != ALERT_WARNING && fault(FAULT_ODD_LEVEL_REFUSED))
		return fail(e, ILLEGAL_PARAMETER, "close_notify of an odd level");
	if (body.p[1] == ALERT_CLOSE_NOTIFY)
		return notify_in(e);
	/* RFC 8446 6: the level says nothing, all but the closure alerts are errors. RFC 5246 7.2: a warning is survived. */
	if (e->v13 ? body.p[1] != ALERT_USER_CANCELED : body.p[0] != ALERT_WARNING)
		return error_in(e, body.p[1]);
	return warning_in(e, body.p[1]);
}

/* ---- Handshake messages behind the handshake ---- */

/* OpenSSL counts only the records that it is shown: it is shown tickets, each sealed anew in its place. */
static enum result ticket_in(struct engine *e, struct bytes message)
{
	struct buf rec = { 0 };

	if (e->notified && fault(FAULT_TICKET_AFTER_NOTIFY_REFUSED))
		return fail(e, UNEXPECTED_MESSAGE, "a late ticket");
	if (e->notified && fault(FAULT_TICKET_AFTER_NOTIFY_DROPPED))
		return ENGINE_OK;
	keys_seal(&e->learn, TYPE_HANDSHAKE, message, 0, &rec);
	handshake_learn(&e->hs, buf_bytes(&rec));
	buf_free(&rec);
	return ENGINE_OK;
}

static enum result update_in(struct engine *e, struct bytes body)
{
	if (body.n != 1)
		return fail(e, DECODE_ERROR, "a KeyUpdate that is not one byte");
	if (body.p[0] > 1)
		return fail(e, ILLEGAL_PARAMETER, "a KeyUpdate with another value than 0 and 1");
	if (fault(FAULT_UPDATES_LIMITED) && ++e->odd.updates > 4)
		return fail(e, UNEXPECTED_MESSAGE, "too many KeyUpdates");
	if (fault(FAULT_OLD_KEYS_OPENED))
		keys_copy(&e->odd.keys, &e->rx);
	if (!fault(FAULT_UPDATE_NOT_FOLLOWED))
		keys_next(&e->rx);
	e->update_asked = false;
	e->update_due |= body.p[0] == 1 && !e->notified && !fault(FAULT_UPDATE_NOT_ANSWERED);
	if (body.p[0] == 1 && (e->notified ? fault(FAULT_UPDATE_ANSWERED_AFTER_NOTIFY) : e->peer_notified &&
	                       fault(FAULT_LATE_RECORDS_ANSWERED))) {
		update_out(e, false);
		flush(e, false);
	}
	return ENGINE_OK;
}

/* A renegotiation: declined. */
static enum result hello_in(struct engine *e)
{
	if (!e->notified || fault(FAULT_LATE_RECORDS_ANSWERED)) {
		alert_out(e, ALERT_WARNING, NO_RENEGOTIATION);
		flush(e, false);
	}
	return ENGINE_OK;
}

static bool has_place(const struct engine *e, unsigned type)
{
	if (e->v13)
		return type == HS_KEY_UPDATE || (type == HS_NEW_SESSION_TICKET && !e->server);
	return type == (e->server ? HS_CLIENT_HELLO : HS_HELLO_REQUEST);
}

static enum result message_in(struct engine *e, unsigned type, struct bytes whole, struct bytes body)
{
	switch (type) {
	case HS_KEY_UPDATE:
		return update_in(e, body);
	case HS_NEW_SESSION_TICKET:
		return ticket_in(e, whole);
	default:
		return hello_in(e);
	}
}

/* Messages may be cut and joined by records, but none lies across a change of keys (RFC 8446 5.1). */
static enum result handshake_in(struct engine *e, struct bytes content)
{
	enum result r = ENGINE_OK;

	if (!content.n)
		return fail(e, UNEXPECTED_MESSAGE, "an empty handshake record");
	buf_add_bytes(&e->message, content);
	while (r == ENGINE_OK && e->message.n) {
		struct bytes in = buf_bytes(&e->message), body;
		bool last;
		uint8_t type;
		uint32_t len;

		if (!has_place(e, e->message.p[0]))
			return fail(e, UNEXPECTED_MESSAGE, "a handshake message without a place");
		if (!bytes_u8(&in, &type) || !bytes_u24(&in, &len))
			break;
		if (len > MESSAGE_MAX)
			return fail(e, DECODE_ERROR, "a handshake message too long");
		if (!bytes_take(&in, len, &body))
			break;
		last = !in.n;
		r = message_in(e, type, (struct bytes){ e->message.p, 4 + (size_t)len }, body);
		buf_drop(&e->message, 4 + (size_t)len);
		if (r == ENGINE_OK && type == HS_KEY_UPDATE && !last)
			return fail(e, UNEXPECTED_MESSAGE, "a message across a change of keys");
	}
	if (r == ENGINE_OK && fault(FAULT_MESSAGE_IS_END))
		return e->read_end = ENGINE_CLOSED;
	return r;
}

/* ---- Records behind the handshake ---- */

static enum result content_in(struct engine *e, uint8_t type, struct bytes content)
{
	if (e->message.n && type != TYPE_HANDSHAKE && !fault(FAULT_INTERLEAVING_ACCEPTED))
		return fail(e, fault(FAULT_INTERLEAVING_MISNAMED) ? DECODE_ERROR : UNEXPECTED_MESSAGE,
		            "a record inside a handshake message");
	switch (type) {
	case TYPE_DATA:
		if (!content.n && fault(FAULT_EMPTY_DATA_IS_END))
			return e->read_end = ENGINE_CLOSED;
		if (!content.n && fault(FAULT_EMPTY_DATA_REFUSED))
			return fail(e, UNEXPECTED_MESSAGE, "an empty record");
		buf_add_bytes(&e->plain, content);
		return ENGINE_OK;
	case TYPE_ALERT:
		return alert_in(e, content);
	case TYPE_HANDSHAKE:
		return handshake_in(e, content);
	default:
		if (type == 0 && fault(FAULT_UNTYPED_SKIPPED))
			return ENGINE_OK;
		return fail(e, fault(FAULT_UNTYPED_MISNAMED) ? DECODE_ERROR : UNEXPECTED_MESSAGE, "a record without a place");
	}
}

/* Keys and numbers that no right receiver would try. */
static bool open_wrongly(struct engine *e, const struct record *rec, uint8_t *type, struct buf *plain)
{
	struct keys other = { 0 };
	bool ok = false;

	if (fault(FAULT_HANDSHAKE_KEYS_OPENED))
		return e->hs_in.handshake.suite && keys_open(&e->hs_in.handshake, rec, type, plain);
	if (fault(FAULT_OLD_KEYS_OPENED))
		return e->odd.keys.suite && keys_open(&e->odd.keys, rec, type, plain);
	if (!fault(FAULT_NEXT_KEYS_OPENED) && !fault(FAULT_REPLAY_OPENED) && !fault(FAULT_GAP_OPENED))
		return false;
	keys_copy(&other, &e->rx);
	if (fault(FAULT_NEXT_KEYS_OPENED))
		ok = e->v13 && keys_next(&other) && keys_open(&other, rec, type, plain);
	else {
		other.seq += fault(FAULT_REPLAY_OPENED) ? (uint64_t)-1 : 1;
		ok = keys_open(&other, rec, type, plain);
		e->rx.seq += ok && fault(FAULT_GAP_OPENED) ? 2 : 0;
	}
	keys_free(&other);
	return ok;
}

/* A record that does not open. */
static enum result unopened_in(struct engine *e, const struct record *rec)
{
	size_t notify = e->v13 ? 2 + 1 + 16 : 2 + 16 + (e->rx.suite->explicit_nonce ? 8 : 0);

	if (rec->type == TYPE_ALERT && rec->body.n == 2 && fault(FAULT_CLEAR_ALERT_BELIEVED))
		return alert_in(e, rec->body);
	if (rec->type == TYPE_ALERT && rec->body.n == 2 && fault(FAULT_CLEAR_ALERT_SKIPPED))
		return ENGINE_OK;
	if (rec->body.n == notify && fault(FAULT_TAG_NOT_CHECKED))
		return notify_in(e);
	if (fault(FAULT_BAD_RECORD_SKIPPED) || fault(FAULT_ERROR_NOT_STICKY))
		e->rx.seq++;
	if (fault(FAULT_BAD_RECORD_SKIPPED))
		return ENGINE_OK;
	return fail(e, fault(FAULT_BAD_MAC_MISNAMED) ? DECRYPT_ERROR : BAD_RECORD_MAC, "a record that does not open");
}

static enum result opened_in(struct engine *e, const struct record *rec)
{
	/* What rec protects, with the 1.3 padding and type byte, may be this long. */
	size_t inner = rec->body.n < 16 ? 0 : rec->body.n - 16;
	struct buf plain = { 0 };
	enum result r;
	uint8_t type;

	/* RFC 8446 5: a record in clear has no place; in 1.2 it is one that does not open. */
	if (e->v13 && rec->type != TYPE_DATA && !fault(FAULT_CLEAR_ALERT_BELIEVED) && !fault(FAULT_CLEAR_ALERT_SKIPPED))
		return fail(e, fault(FAULT_CLEAR_ALERT_MISNAMED) ? DECODE_ERROR : UNEXPECTED_MESSAGE, "a record in clear");
	if (!keys_open(&e->rx, rec, &type, &plain) && !open_wrongly(e, rec, &type, &plain))
		r = unopened_in(e, rec);
	else if (e->v13 && inner > RECORD_PLAIN_MAX + 1 && fault(FAULT_INNER_OVERFLOW_SKIPPED))
		r = ENGINE_OK;
	else if ((e->v13 ? inner > RECORD_PLAIN_MAX + 1 : plain.n > RECORD_PLAIN_MAX) && !fault(FAULT_OVERFLOW_ACCEPTED))
		r = fail(e, fault(FAULT_OVERFLOW_MISNAMED) ? DECODE_ERROR : RECORD_OVERFLOW, "a record with too much in it");
	else if (e->v13 && type && inner != plain.n + 1 &&
	         (fault(FAULT_PADDING_REFUSED) || (inner > RECORD_PLAIN_MAX && fault(FAULT_LONG_PADDING_REFUSED))))
		r = fail(e, UNEXPECTED_MESSAGE, "a padded record");
	else
		r = content_in(e, type, buf_bytes(&plain));
	buf_free(&plain);
	return r;
}

static enum result flood(struct engine *e)
{
	if (fault(FAULT_WARNING_FLOOD_IS_END))
		return e->read_end = ENGINE_CLOSED;
	if (fault(FAULT_WARNING_FLOOD_IS_SILENT)) {
		e->fatal = true;
		return e->read_end = ENGINE_ERROR;
	}
	return fail(e, UNEXPECTED_MESSAGE, "too many records without data");
}

/* Takes one record in. ENGINE_OK: go on and look whether it brought data or the end. */
static enum result step(struct engine *e)
{
	struct record rec;
	enum result r = record_in(e, &rec);

	if (r != ENGINE_OK)
		return r;
	r = opened_in(e, &rec);
	e->rec.n = 0;
	if (e->plain.n)
		e->idle = 0;
	else if (r == ENGINE_OK && e->read_end == ENGINE_OK && ++e->idle > IDLE_MAX)
		return flood(e);
	return r;
}

/* ---- The handshake ---- */

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
			alert_out(e, plain.p[0], plain.p[1]);
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
		r = alert_in(e, buf_bytes(&plain));
	if (r == ENGINE_OK && !(alert && fault(FAULT_EARLY_NOTIFY_IGNORED))) {
		feed(e, rec->whole);
		/* Behind OpenSSL, which makes the secrets out of what it is fed. */
		plain.n = 0;
		if (flow_open(&e->hs_in, rec, true, &type, &plain) == FLOW_NOW && type == TYPE_DATA && early_reading(e) && !e->hs.failed)
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
	enum result r = record_in(e, &rec);

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
		r = flush(e, true);
		if (r != ENGINE_OK)
			return r;
		if (e->hs.failed)
			r = handshake_failed(e);
		else if (e->hs.done)
			handshake_finish(e);
		else
			r = handshake_step(e);
	}
	if (r == ENGINE_CLOSED && (early_reading(e) || fault(FAULT_HANDSHAKE_NOTIFY_IS_END)))
		r = ENGINE_ERROR;               /* what has ended is the early data */
	if ((r == ENGINE_TRUNCATED && fault(FAULT_HANDSHAKE_CUT_IS_DONE)) ||
	    (r == ENGINE_ERROR && !e->fatal && fault(FAULT_HANDSHAKE_NOTIFY_IS_DONE)))
		return ENGINE_OK;
	if ((r == ENGINE_TRUNCATED || (r == ENGINE_ERROR && !e->fatal)) && fault(FAULT_HANDSHAKE_END_IS_CLOSED))
		return ENGINE_CLOSED;
	return r == ENGINE_OK ? flush(e, true) : r;
}

/* ---- The calls ---- */

static enum result refused(struct engine *e, const char *why)
{
	snprintf(e->why, sizeof(e->why), "%s", why);
	return ENGINE_REFUSED;
}

/* What a read gives of what has come in. */
static enum result plain_out(struct engine *e, void *p, size_t n, size_t *got)
{
	*got = n < e->plain.n ? n : e->plain.n;
	if (*got)
		memcpy(p, e->plain.p, *got);
	buf_drop(&e->plain, *got);
	return ENGINE_OK;
}

enum result engine_early_read(struct engine *e, void *p, size_t n, size_t *got)
{
	enum result r;

	*got = 0;
	if (!e->server || !e->early || e->done)
		return refused(e, "it is no server at the start of a handshake, or not opened for early data");
	if (!e->talked)
		handshake_use_early(&e->hs);
	/* The flight leaves before any early data is waited for (RFC 8446 4.2.11.3). hs.early ends with the EndOfEarlyData, or at once. */
	while (!e->plain.n && e->hs.early) {
		r = e->read_end == ENGINE_OK ? flush(e, true) : e->read_end;
		if (r == ENGINE_OK)
			r = e->hs.failed ? handshake_failed(e) : handshake_step(e);
		if (r != ENGINE_OK)
			return r;
	}
	if (!e->plain.n && fault(FAULT_EARLY_END_IS_CLOSED))
		return ENGINE_CLOSED;
	r = e->plain.n ? ENGINE_OK : flush(e, true);
	return r == ENGINE_OK ? plain_out(e, p, n, got) : r;
}

/* The keys change with the EndOfEarlyData, which follows the server's Finished: until a handshake call takes that in early data goes on. */
static enum result early_barred(struct engine *e, size_t n)
{
	if (e->write_end != ENGINE_OK)
		return e->write_end;
	if (e->server || !e->early || e->done || e->notified || e->fatal || e->read_end != ENGINE_OK)
		return refused(e, "it is no client at the start of a handshake, or not opened for early data");
	if (!e->talked) {
		e->early_left = handshake_early_room(&e->hs);
		handshake_use_early(&e->hs);
		feed(e, (struct bytes){ NULL, 0 });
	}
	flow_keys(&e->hs_out);
	return e->hs_out.epoch == EPOCH_EARLY &&
	       n <= e->early_left ? ENGINE_OK : refused(e, "the session permits no early data, or not so much");
}

enum result engine_early_write(struct engine *e, const void *p, size_t n, bool repeated, size_t *taken)
{
	enum result r = repeated ? ENGINE_OK : early_barred(e, n);

	*taken = 0;
	if (r != ENGINE_OK)
		return r;
	if (!repeated && n)
		e->taken = data_out(e, p, n);
	if (!repeated)
		e->early_left -= e->taken;
	r = flush(e, true);
	if (r != ENGINE_OK)
		return r;
	*taken = e->taken;
	e->taken = 0;
	return ENGINE_OK;
}

/* Reads on behind the peer's close_notify, without waiting. */
static void read_late(struct engine *e)
{
	e->read_end = ENGINE_OK;
	e->odd.hasty = true;
	step(e);
	e->odd.hasty = false;
	if (e->read_end == ENGINE_OK || fault(FAULT_LATE_RECORDS_ANSWERED))
		e->read_end = ENGINE_CLOSED;
	e->plain.n = 0;
}

/* Whether the library has taken in more than it gave out. */
static bool read_ahead(struct engine *e)
{
	size_t had = e->plain.n;

	e->odd.hasty = true;
	while (step(e) == ENGINE_OK && e->read_end == ENGINE_OK)
		;
	e->odd.hasty = false;
	return e->plain.n > had || e->read_end != ENGINE_OK;
}

/* How a read begins where something has ended before. ENGINE_OK: as always. */
static enum result read_again(struct engine *e)
{
	if (e->read_end == ENGINE_TRUNCATED && fault(FAULT_FIN_NOT_STICKY))
		return ENGINE_CLOSED;
	if (e->read_end == ENGINE_CLOSED && fault(FAULT_END_NOT_STICKY))
		return ENGINE_ERROR;
	if ((e->read_end == ENGINE_ERROR && fault(FAULT_ERROR_NOT_STICKY)) ||
	    (e->read_end == ENGINE_ALERT && fault(FAULT_ALERT_NOT_STICKY)) ||
	    (e->read_end == ENGINE_CLOSED && fault(FAULT_LATE_DATA_DELIVERED)))
		e->read_end = ENGINE_OK;
	if (e->read_end == ENGINE_CLOSED && (fault(FAULT_LATE_ALERT_HEARD) || fault(FAULT_LATE_RECORDS_ANSWERED)))
		read_late(e);
	if (e->notified && fault(FAULT_CLOSED_BY_OWN_NOTIFY))
		return ENGINE_CLOSED;
	if (e->notified && !e->peer_notified && fault(FAULT_REFUSED_AFTER_OWN_NOTIFY))
		return refused(e, "close_notify is out");
	if (e->odd.hidden)
		return ENGINE_WANT_READ;
	return ENGINE_OK;
}

/* Brings data in, or says why there is none. */
static enum result read_in(struct engine *e)
{
	while (!e->plain.n) {
		enum result r;

		e->odd.waits = true;
		r = e->read_end != ENGINE_OK ? e->read_end : step(e);
		if (r == ENGINE_TRUNCATED && e->rec.n > RECORD_HEAD && fault(FAULT_CUT_RECORD_DELIVERED)) {
			buf_add(&e->plain, e->rec.p + RECORD_HEAD, e->rec.n - RECORD_HEAD);
			e->rec.n = 0;
			return ENGINE_OK;
		}
		e->odd.waits = r == ENGINE_WANT_READ;
		if (r != ENGINE_OK)
			return r;
		if (e->plain.n && fault(FAULT_DATA_LOST_WITH_NOTIFY) && read_ahead(e) && e->peer_notified)
			e->plain.n = 0;
	}
	return ENGINE_OK;
}

enum result engine_read(struct engine *e, void *p, size_t n, size_t *got)
{
	enum result r;

	*got = 0;
	if (!e->done && e->read_end == ENGINE_OK)
		return refused(e, "the handshake is not done");
	flush(e, false);                        /* an answer that found no room before */
	r = read_again(e);
	if (r == ENGINE_OK)
		r = read_in(e);
	if (r != ENGINE_OK)
		return r;
	plain_out(e, p, n, got);
	if (fault(FAULT_SHORT_READ_DROPS))
		e->plain.n = 0;
	if (fault(FAULT_INPUT_HIDDEN) && !e->plain.n)
		e->odd.hidden = read_ahead(e);
	return ENGINE_OK;
}

/* Why nothing can be written; ENGINE_OK: it can. */
static enum result write_barred(struct engine *e)
{
	if (e->notified && !fault(FAULT_WRITE_AFTER_NOTIFY))
		return refused(e, "close_notify is out");
	if (e->read_end == ENGINE_TRUNCATED && fault(FAULT_WRITE_CLOSED_AFTER_FIN))
		return ENGINE_CLOSED;
	if (e->fatal && !(e->read_end == ENGINE_ALERT ? fault(FAULT_WRITE_AFTER_ALERT) : fault(FAULT_WRITE_AFTER_OWN_ALERT)))
		return e->read_end == ENGINE_ALERT ? ENGINE_ALERT : ENGINE_ERROR;
	if (e->write_end != ENGINE_OK)
		return e->write_end;
	return e->done ? ENGINE_OK : refused(e, "the handshake is not done");
}

static enum result write_held(struct engine *e, const void *p, size_t n, size_t *taken)
{
	buf_add(&e->held, p, n);
	*taken = n;
	while (e->held.n >= RECORD_PLAIN_MAX)
		buf_drop(&e->held, data_out(e, e->held.p, e->held.n));
	flush(e, false);
	return ENGINE_OK;
}

enum result engine_write(struct engine *e, const void *p, size_t n, bool repeated, size_t *taken)
{
	enum result r = write_barred(e);

	*taken = n;
	if ((e->notified && fault(FAULT_WRITE_AFTER_NOTIFY_LOST)) || (e->peer_notified && fault(FAULT_WRITE_AFTER_PEER_NOTIFY_LOST)) ||
	    (e->peer_notified && repeated && fault(FAULT_PENDING_WRITE_DROPPED)))
		return ENGINE_OK;
	*taken = 0;
	if (r != ENGINE_OK)
		return r;
	if (e->taken && !repeated)
		return refused(e, "another write is not finished");
	if (e->cork || (n < 64 && fault(FAULT_SMALL_WRITES_LOST)))
		return write_held(e, p, n, taken);
	if (n && (!e->taken || (repeated && fault(FAULT_WRITE_AGAIN_TWICE) && !e->odd.again++)))
		e->taken = data_out(e, p, n);
	r = flush(e, true);
	if (r == ENGINE_WANT_WRITE)
		return fault(FAULT_FULL_SOCKET_IS_ERROR) ? ENGINE_ERROR : r;
	if (fault(FAULT_WRITE_ERROR_HIDDEN))
		r = e->write_end = ENGINE_OK;
	if (r == ENGINE_OK)
		*taken = e->taken;
	e->taken = 0;
	return r;
}

/* Is it that nothing may leave any more? */
static bool silenced(const struct engine *e)
{
	return e->fatal && !(e->read_end == ENGINE_ALERT ? fault(FAULT_NOTIFY_AFTER_ALERT) : fault(FAULT_NOTIFY_AFTER_OWN_ALERT));
}

static bool began(const struct engine *e)
{
	if (!e->talked && fault(FAULT_CRASH_BEFORE_START))
		abort();
	return e->talked || fault(FAULT_ALERT_BEFORE_HELLO);
}

/* Sends what waits behind a close. */
static enum result close_flush(struct engine *e)
{
	enum result r = flush(e, true);

	if (r == ENGINE_WANT_WRITE && fault(FAULT_NOTIFY_LOST_AT_FULL_SOCKET))
		e->out.n = 0;
	if ((r == ENGINE_WANT_WRITE && fault(FAULT_SENT_AT_FULL_SOCKET)) ||
	    (r != ENGINE_OK && r != ENGINE_WANT_WRITE && fault(FAULT_SENT_TO_NOBODY)))
		return ENGINE_OK;
	return r;
}

/* A call that waits for room is repeated, and would send one each time for ever: a few tell the same. */
static bool notify_again(struct engine *e, enum fault_id f)
{
	return fault(f) && e->again++ < 4;
}

enum result engine_shutdown_write(struct engine *e)
{
	enum result r;

	if (e->write_end != ENGINE_OK)
		return e->write_end;
	if (silenced(e))
		return refused(e, "the connection has failed");
	if (!began(e))
		return refused(e, "the connection never began");
	if (e->odd.waits && fault(FAULT_CANCELLED_READ_POISONS))
		return ENGINE_ERROR;
	if (fault(FAULT_SHUTDOWN_DROPS_INPUT))
		e->rec.n = 0;
	if (fault(FAULT_NO_NOTIFY_AT_SHUTDOWN))
		e->notified = true;
	if (!e->notified || notify_again(e, FAULT_NOTIFY_AGAIN_AT_SHUTDOWN))
		notify_out(e);
	r = close_flush(e);
	if (r == ENGINE_OK && !e->peer_notified && fault(FAULT_SHUTDOWN_FAILS))
		return ENGINE_ERROR;
	return r == ENGINE_OK && e->peer_notified ? ENGINE_COMPLETE : r;
}

/* Reading has failed, now or before, where the peer's close_notify was wanted. */
static enum result both_failed(struct engine *e, bool before)
{
	if (before ? fault(FAULT_BOTH_COMPLETE_AFTER_ERROR)
	           : (e->read_end == ENGINE_TRUNCATED && fault(FAULT_BOTH_COMPLETE_AT_FIN)) ||
	           (e->read_end == ENGINE_RESET && fault(FAULT_BOTH_COMPLETE_AT_RESET)) ||
	             (e->read_end == ENGINE_ERROR && fault(FAULT_BOTH_COMPLETE_AT_ERROR)))
		return ENGINE_COMPLETE;
	return e->read_end == ENGINE_CLOSED ? ENGINE_TRUNCATED : e->read_end;
}

enum result engine_shutdown_both(struct engine *e)
{
	enum result r = engine_shutdown_write(e);

	if (r == ENGINE_COMPLETE && fault(FAULT_BOTH_FORGETS_PEER))
		return ENGINE_WANT_READ;
	if (r == ENGINE_OK && fault(FAULT_BOTH_COMPLETE_AT_ONCE))
		return ENGINE_COMPLETE;
	if (e->read_end != ENGINE_OK && !e->peer_notified && (r == ENGINE_OK || e->fatal))
		return both_failed(e, true);
	if (r == ENGINE_OK && !e->done)
		return refused(e, "the handshake is not done");
	while (r == ENGINE_OK && !e->peer_notified) {
		if (fault(FAULT_BOTH_DISCARDS_DATA))
			e->plain.n = 0;
		if (e->plain.n)
			return refused(e, "data lies unread");
		r = step(e);
		if (e->read_end != ENGINE_OK && !e->peer_notified)
			return both_failed(e, false);
	}
	return r == ENGINE_OK ? ENGINE_COMPLETE : r;
}

enum result engine_key_update(struct engine *e, bool requested, bool repeated)
{
	enum result r = write_barred(e);

	if (r != ENGINE_OK && !(e->notified && fault(FAULT_OWN_UPDATE_AFTER_NOTIFY)))
		return r;
	/* RFC 9846 4.7.3: one question at a time. */
	if (!repeated && requested && e->update_asked && !fault(FAULT_UPDATE_ASKED_TWICE))
		return refused(e, "the peer has not answered the last request");
	if (!repeated) {
		held_out(e);
		update_out(e, requested);
		e->update_asked |= requested;
	}
	return flush(e, true);
}

/* Does close owe a close_notify? */
static bool notify_owed(struct engine *e)
{
	if (e->notified)
		return notify_again(e, FAULT_NOTIFY_AGAIN_AT_CLOSE);
	if (fault(FAULT_NO_NOTIFY_AT_CLOSE) || (e->peer_notified && fault(FAULT_NO_ANSWER_AT_CLOSE)))
		return false;
	return !silenced(e) && began(e);
}

enum result engine_close(struct engine *e)
{
	enum result r;

	if (e->write_end != ENGINE_OK)
		return ENGINE_OK;
	if (e->fatal && fault(FAULT_ALERT_LOST_AT_CLOSE))
		e->out.n = 0;
	if (notify_owed(e))
		notify_out(e);
	r = close_flush(e);
	if (r == ENGINE_OK && fault(FAULT_CLOSE_WAITS))
		return engine_shutdown_both(e);
	return r;
}

bool engine_resumable(const struct engine *e)
{
	if (e->fatal && (e->read_end == ENGINE_ALERT ? fault(FAULT_SESSION_SURVIVES_ALERT) : fault(FAULT_SESSION_SURVIVES_OWN_ALERT)))
		return e->done;
	if (!e->peer_notified && fault(FAULT_SESSION_NEEDS_NOTIFY))
		return false;
	return e->done && !e->fatal;
}

bool engine_start(struct engine *e, const struct context *c, SSL_SESSION *session)
{
	struct fault f;

	if (!handshake_start(&e->hs, c, session, &f))
		return false;
	if (e->early)
		handshake_permit_early(&e->hs);
	flow_start(&e->hs_in, e->server, &e->hs.secrets);
	flow_start(&e->hs_out, !e->server, &e->hs.secrets);
	return true;
}

void engine_free(struct engine *e)
{
	handshake_free(&e->hs);
	flow_free(&e->hs_in);
	flow_free(&e->hs_out);
	keys_free(&e->rx);
	keys_free(&e->tx);
	keys_free(&e->learn);
	buf_free(&e->rec);
	buf_free(&e->message);
	buf_free(&e->plain);
	buf_free(&e->out);
	buf_free(&e->held);
	keys_free(&e->odd.keys);
	buf_free(&e->odd.alert);
}
