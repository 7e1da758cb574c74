/* send: what the reference seals, and how it gets to the transport. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/reference/faults.h"
#include "adapters/reference/inside.h"

enum result send_failed(struct engine *e, int err)
{
	enum result r = err == ECONNRESET ? ENGINE_RESET : err == EPIPE ? ENGINE_PIPE : ENGINE_ERROR;

	if (r == ENGINE_RESET && fault(FAULT_RESET_CRASHES))
		abort();
	e->reset |= r == ENGINE_RESET;
	snprintf(e->why, sizeof(e->why), "%s", strerror(err));
	return r;
}

/* Whole records stay whole: what the transport does not take now waits here, in order. */
enum result send_flush(struct engine *e, bool wait)
{
	while (e->out.n) {
		ssize_t n = e->io.send(e->io.to, e->out.p, e->out.n, wait);

		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return ENGINE_WANT_WRITE;
		if (n < 0) {
			e->out.n = 0;
			return e->write_end = send_failed(e, errno);
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

void send_alert(struct engine *e, unsigned level, unsigned code)
{
	uint8_t body[] = { (uint8_t)level, (uint8_t)code };

	seal(e, TYPE_ALERT, body, sizeof(body));
}

void send_update(struct engine *e, bool requested)
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
size_t send_data(struct engine *e, const void *p, size_t n)
{
	size_t part = n < RECORD_PLAIN_MAX ? n : RECORD_PLAIN_MAX;

	if (e->update_due)
		send_update(e, false);
	seal(e, TYPE_DATA, p, part);
	return part;
}

void send_held(struct engine *e)
{
	while (e->held.n)
		buf_drop(&e->held, send_data(e, e->held.p, e->held.n));
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
void send_notify(struct engine *e)
{
	size_t before;

	e->notified = true;
	if (fault(FAULT_HELD_DATA_LOST) || fault(FAULT_SMALL_WRITES_LOST))
		e->held.n = 0;
	if (fault(FAULT_RECORD_TORN))
		e->out.n = 0;
	if (!fault(FAULT_HELD_DATA_LATE))
		send_held(e);
	before = e->out.n;
	if (!e->done)
		send_alert(e, ALERT_WARNING, ALERT_USER_CANCELED);
	if (!e->done && fault(FAULT_CANCELED_ALONE))
		return;
	notify_seal(e);
	if (fault(FAULT_NOTIFY_FIRST_AT_FULL_SOCKET))
		out_rotate(e, before);
	if (fault(FAULT_HELD_DATA_LATE))
		send_held(e);
	e->update_due = false;
}
