/* engine: see the header. The calls, and what a direction that has ended makes of them. */
#include <stdlib.h>
#include <string.h>

#include "adapters/reference/faults.h"
#include "adapters/reference/inside.h"

enum result engine_refused(struct engine *e, const char *why)
{
	snprintf(e->why, sizeof(e->why), "%s", why);
	return ENGINE_REFUSED;
}

/* What a read gives of what has come in. */
enum result engine_give(struct engine *e, void *p, size_t n, size_t *got)
{
	*got = n < e->plain.n ? n : e->plain.n;
	if (*got)
		memcpy(p, e->plain.p, *got);
	buf_drop(&e->plain, *got);
	return ENGINE_OK;
}

/* Reads on behind the peer's close_notify, without waiting. */
static void read_late(struct engine *e)
{
	e->read_end = ENGINE_OK;
	e->odd.hasty = true;
	receive_step(e);
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
	while (receive_step(e) == ENGINE_OK && e->read_end == ENGINE_OK)
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
		return engine_refused(e, "close_notify is out");
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
		r = e->read_end != ENGINE_OK ? e->read_end : receive_step(e);
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
		return engine_refused(e, "the handshake is not done");
	send_flush(e, false);                        /* an answer that found no room before */
	r = read_again(e);
	if (r == ENGINE_OK)
		r = read_in(e);
	if (r != ENGINE_OK)
		return r;
	engine_give(e, p, n, got);
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
		return engine_refused(e, "close_notify is out");
	if (e->read_end == ENGINE_TRUNCATED && fault(FAULT_WRITE_CLOSED_AFTER_FIN))
		return ENGINE_CLOSED;
	if (e->fatal && !(e->read_end == ENGINE_ALERT ? fault(FAULT_WRITE_AFTER_ALERT) : fault(FAULT_WRITE_AFTER_OWN_ALERT)))
		return e->read_end == ENGINE_ALERT ? ENGINE_ALERT : ENGINE_ERROR;
	if (e->write_end != ENGINE_OK)
		return e->write_end;
	return e->done ? ENGINE_OK : engine_refused(e, "the handshake is not done");
}

static enum result write_held(struct engine *e, const void *p, size_t n, size_t *taken)
{
	buf_add(&e->held, p, n);
	*taken = n;
	while (e->held.n >= RECORD_PLAIN_MAX)
		buf_drop(&e->held, send_data(e, e->held.p, e->held.n));
	send_flush(e, false);
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
		return engine_refused(e, "another write is not finished");
	if (e->cork || (n < 64 && fault(FAULT_SMALL_WRITES_LOST)))
		return write_held(e, p, n, taken);
	if (n && (!e->taken || (repeated && fault(FAULT_WRITE_AGAIN_TWICE) && !e->odd.again++)))
		e->taken = send_data(e, p, n);
	r = send_flush(e, true);
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
	enum result r = send_flush(e, true);

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
		return engine_refused(e, "the connection has failed");
	if (!began(e))
		return engine_refused(e, "the connection never began");
	if (e->odd.waits && fault(FAULT_CANCELLED_READ_POISONS))
		return ENGINE_ERROR;
	if (fault(FAULT_SHUTDOWN_DROPS_INPUT))
		e->rec.n = 0;
	if (fault(FAULT_NO_NOTIFY_AT_SHUTDOWN))
		e->notified = true;
	if (!e->notified || notify_again(e, FAULT_NOTIFY_AGAIN_AT_SHUTDOWN))
		send_notify(e);
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
		return engine_refused(e, "the handshake is not done");
	while (r == ENGINE_OK && !e->peer_notified) {
		if (fault(FAULT_BOTH_DISCARDS_DATA))
			e->plain.n = 0;
		if (e->plain.n)
			return engine_refused(e, "data lies unread");
		r = receive_step(e);
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
		return engine_refused(e, "the peer has not answered the last request");
	if (!repeated) {
		send_held(e);
		send_update(e, requested);
		e->update_asked |= requested;
	}
	return send_flush(e, true);
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
		send_notify(e);
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
