/* receive: records, what is wrong with them, and what they bring. */
#include <errno.h>
#include <stdlib.h>

#include "adapters/reference/faults.h"
#include "adapters/reference/inside.h"

enum {
	IDLE_MAX = 32,                          /* empty records, warnings, key updates, tickets: more in a row are refused */
	MESSAGE_MAX = 65536,                    /* a handshake message behind the handshake */
	CIPHER_MAX_13 = RECORD_PLAIN_MAX + 256, /* RFC 8446 5.2 */
	CIPHER_MAX_12 = RECORD_PLAIN_MAX + 2048 /* RFC 5246 6.2.3 */
};

enum { UNEXPECTED_MESSAGE = 10, BAD_RECORD_MAC = 20, RECORD_OVERFLOW = 22, ILLEGAL_PARAMETER = 47, DECODE_ERROR = 50, DECRYPT_ERROR = 51,
       NO_RENEGOTIATION = 100 };

/* ---- Errors ---- */

/* An error that was found here. The alert is the last thing to leave, and none follows the own close_notify. */
static enum result fail(struct engine *e, unsigned alert, const char *why)
{
	unsigned level = fault(FAULT_ALERT_AT_WARNING) ? ALERT_WARNING : ALERT_FATAL;
	bool barred = e->notified && !fault(FAULT_ALERT_AFTER_NOTIFY) && !fault(FAULT_LATE_RECORDS_ANSWERED);

	snprintf(e->why, sizeof(e->why), "%s", why);
	if (!barred && !e->fatal && !fault(FAULT_NO_ALERT))
		send_alert(e, level, alert);
	if (!barred && !e->fatal && fault(FAULT_ALERT_DOUBLED))
		send_alert(e, level, alert);
	e->fatal = true;
	if (!fault(FAULT_ALERT_LOST_AT_CLOSE))
		send_flush(e, false);
	return e->read_end = ENGINE_ERROR;
}

static enum result transport_failed(struct engine *e, int err)
{
	e->read_end = send_failed(e, err);
	if (e->read_end == ENGINE_RESET)
		e->write_end = ENGINE_RESET;
	if (e->read_end == ENGINE_RESET && fault(FAULT_RESET_IS_END))
		e->read_end = ENGINE_CLOSED;
	if (e->read_end == ENGINE_RESET && fault(FAULT_RESET_IS_TRUNCATION))
		e->read_end = ENGINE_TRUNCATED;
	return e->read_end;
}

/* The server's flight is out, and records come under early keys. */
bool receives_early(const struct engine *e)
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
	if (receives_early(e) && fault(FAULT_EARLY_FIN_IS_END))
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
enum result receive_record(struct engine *e, struct record *rec)
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
	if (receives_early(e) && (e->rec.p[0] == TYPE_DATA || fault(FAULT_EARLY_CLEAR_NOTIFY_BELIEVED)))
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
		send_notify(e);
		send_flush(e, false);
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
enum result receive_alert(struct engine *e, struct bytes body)
{
	if (fault(FAULT_ALERT_JOINED) && (body.n == 1 || e->odd.alert.n)) {
		buf_add_bytes(&e->odd.alert, body);
		if (e->odd.alert.n < 2)
			return ENGINE_OK;
		body = buf_bytes(&e->odd.alert);
	}
	if (fault(FAULT_ALERTS_IN_ONE_RECORD) && body.n > 2) {
		enum result r = receive_alert(e, (struct bytes){ body.p, 2 });

		if (r != ENGINE_OK || e->read_end != ENGINE_OK || body.n <= 3)
			return r;
		return receive_alert(e, (struct bytes){ body.p + 2, body.n - 2 });
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
		send_update(e, false);
		send_flush(e, false);
	}
	return ENGINE_OK;
}

/* A renegotiation: declined. */
static enum result hello_in(struct engine *e)
{
	if (!e->notified || fault(FAULT_LATE_RECORDS_ANSWERED)) {
		send_alert(e, ALERT_WARNING, NO_RENEGOTIATION);
		send_flush(e, false);
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
		return receive_alert(e, content);
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
		return receive_alert(e, rec->body);
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
enum result receive_step(struct engine *e)
{
	struct record rec;
	enum result r = receive_record(e, &rec);

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
