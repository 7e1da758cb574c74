/* The adapter for libevent's bufferevent_openssl. Non-blocking mode is bufferevent_openssl_socket_new, with event_base_loop in place of
 * poll(2); memory mode is bufferevent_openssl_filter_new over one end of bufferevent_pair_new. There is nothing that blocks.
 *
 *	handshake       the loop, until BEV_EVENT_CONNECTED
 *	read            bufferevent_read, after the loop had its turn
 *	write           bufferevent_write, and the loop until the output buffer is empty
 *	close           what the book says ("Bufferevents and SSL"): SSL_set_shutdown(SSL_RECEIVED_SHUTDOWN), SSL_shutdown, which then
 *	                sends close_notify without waiting, and bufferevent_free; after BEV_EVENT_ERROR, and before the handshake is
 *	                through, bufferevent_free alone. "This strategy will fail if the socket is not ready for writing": then the
 *	                close_notify is lost, and nothing waits for the output buffer either, as bufferevent_free drops it
 *	abandon         bufferevent_free, SSL_free
 *
 * Reading is enabled from the start, so the loop takes in what comes, whatever call it is run for; the loop runs during calls alone.
 * The native part is the call's value or the events, and bufferevent_get_openssl_error or EVUTIL_SOCKET_ERROR behind BEV_EVENT_ERROR; the
 * last event is told again. What the API does not have: closing in one direction only, the whole exchange, key updates (SSL_shutdown and
 * SSL_key_update can be called beside it, but then the buffers do not know). Options:
 *
 *	ignore-eof      bufferevent_openssl_set_allow_dirty_shutdown */
#include "adapters/skeleton/skeleton.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>

#include "adapters/openssl/side.h"

#define countof(a) (sizeof(a) / sizeof((a)[0]))

struct tls {
	struct bufferevent *bev;
	SSL *ssl;
	struct bufferevent *pair[2];    /* memory mode: below the library, and our end */
	bool up, turned;                /* the handshake is through; something happened in this turn of the loop */
	short end;                      /* events that ended it, with what they came from; 0: none */
	unsigned long errors[4];        /* bufferevent_get_openssl_error, newest first; 0 behind the last */
	int err;                        /* errno at the event */
};

static struct event_base *base;
static struct event *line;              /* standard input */

/* ---- The loop ---- */

static void event_happened(struct bufferevent *bev, short what, void *arg)
{
	struct tls *t = arg;
	int err = EVUTIL_SOCKET_ERROR();
	size_t n = 0;

	t->turned = true;
	if (what & BEV_EVENT_CONNECTED)
		t->up = true;
	if (!(what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)))
		return;
	t->end = what;
	t->err = err;
	while (n < countof(t->errors) && (t->errors[n] = bufferevent_get_openssl_error(bev)))
		n++;
}

static void moved(struct bufferevent *bev, void *arg)
{
	struct tls *t = arg;

	(void)bev;
	t->turned = true;
}

static void line_came(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
}

/* All that can be done without waiting. A turn can make work for the next one. */
static void loop_turn(struct tls *t)
{
	do {
		t->turned = false;
		errno = 0;
		event_base_loop(base, EVLOOP_NONBLOCK);
	} while (t->turned);
}

static void loop_wait(struct conn *c, enum outcome wanted)
{
	(void)c, (void)wanted;
	event_add(line, NULL);
	event_base_loop(base, EVLOOP_ONCE);
	event_del(line);
}

/* Memory mode: the far end of the pair. */
static void pump(struct conn *c)
{
	struct tls *t = c->tls;
	struct evbuffer *out = bufferevent_get_input(t->pair[1]);
	uint8_t buf[4096];
	int n;

	if (c->in.n)
		bufferevent_write(t->pair[1], c->in.p, c->in.n);
	queue_drop(&c->in, c->in.n);
	if (c->ended)
		bufferevent_flush(t->pair[1], EV_WRITE, BEV_FINISHED);
	loop_turn(t);
	while ((n = evbuffer_remove(out, buf, sizeof(buf))) > 0)
		queue_add(&c->out, buf, (size_t)n);
}

/* ---- What the library said ---- */

static const struct { short bit; const char *name; } events[] = {
	{ BEV_EVENT_EOF, "BEV_EVENT_EOF" }, { BEV_EVENT_ERROR, "BEV_EVENT_ERROR" },
	{ BEV_EVENT_READING, "BEV_EVENT_READING" }, { BEV_EVENT_WRITING, "BEV_EVENT_WRITING" },
};

/* The event that ended it. The errors are the queue of OpenSSL and the value of SSL_get_error, newest first; the TLS layer's own counts. */
static enum outcome end_tell(const struct tls *t, struct call *k)
{
	for (size_t i = 0; i < countof(events); i++)
		if (t->end & events[i].bit)
			native(k, "%s", events[i].name);
	if (t->end & BEV_EVENT_EOF)
		return SAYS_CLOSED;
	for (size_t i = 0; i < countof(t->errors) && t->errors[i]; i++)
		if (ERR_GET_LIB(t->errors[i]) == ERR_LIB_SSL) {
			native(k, "bufferevent_get_openssl_error=%d", ERR_GET_REASON(t->errors[i]));
			return side_error(k, t->errors[i]);
		}
	native(k, "bufferevent_get_openssl_error=%lu", t->errors[0]);
	return t->err ? native_errno(k, t->err) : (native_errno(k, 0), SAYS_TRUNCATED);
}

/* ---- Calls ---- */

static enum outcome handshake_call(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;

	loop_turn(t);
	if (t->up) {
		native(k, "BEV_EVENT_CONNECTED");
		return SSL_session_reused(t->ssl) ? SAYS_RESUMED : SAYS_OK;
	}
	if (t->end)
		return end_tell(t, k);
	native(k, "event_base_loop");
	return SAYS_WANT_READ;
}

static enum outcome read_call(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;

	loop_turn(t);
	k->done = bufferevent_read(t->bev, k->data, k->n);
	native(k, "bufferevent_read=%zu", k->done);
	if (k->done)
		return SAYS_DATA;
	return t->end ? end_tell(t, k) : SAYS_WANT_READ;
}

/* Ended by an event of the writing side, or by any error: then nothing leaves any more. */
static bool stuck(const struct tls *t)
{
	return t->end & (BEV_EVENT_ERROR | BEV_EVENT_WRITING);
}

static enum outcome write_call(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;
	int ret = 0;

	if (!k->repeated)
		ret = bufferevent_write(t->bev, k->data, k->n);
	native(k, "bufferevent_write=%d", ret);
	if (ret)
		return SAYS_ERROR;
	loop_turn(t);
	if (!evbuffer_get_length(bufferevent_get_output(t->bev))) {
		k->done = k->n;
		return SAYS_OK;
	}
	return stuck(t) ? end_tell(t, k) : SAYS_WANT_WRITE;
}

static enum outcome close_call(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;
	int ret;

	if (!t->up || stuck(t)) {
		native(k, "bufferevent_free");
		return SAYS_OK;
	}
	ERR_clear_error();
	errno = 0;
	SSL_set_shutdown(t->ssl, SSL_RECEIVED_SHUTDOWN);
	ret = SSL_shutdown(t->ssl);
	native(k, "SSL_shutdown=%d", ret);
	if (ret >= 0)
		return SAYS_OK;
	native(k, "SSL_get_error=%d", SSL_get_error(t->ssl, ret));
	if (ERR_peek_error())
		return side_error(k, ERR_get_error());
	return native_errno(k, errno);
}

/* ---- Set up and down ---- */

/* bufferevent_free ends in the loop. The descriptor is the skeleton's, the SSL ours. */
static void tls_free(struct tls *t)
{
	if (t->bev)
		bufferevent_free(t->bev);
	for (size_t i = 0; i < 2; i++)
		if (t->pair[i])
			bufferevent_free(t->pair[i]);
	event_base_loop(base, EVLOOP_NONBLOCK);
	SSL_free(t->ssl);
	free(t);
}

static void keep_call(struct conn *c)
{
	struct tls *t = c->tls;

	side_session_keep(c, t->ssl);
}

static void abandon_call(struct conn *c)
{
	tls_free(c->tls);
}

/* bufferevent_free frees no SSL without BEV_OPT_CLOSE_ON_FREE. */
static bool bufferevent_set(struct conn *c, struct tls *t)
{
	enum bufferevent_ssl_state state = c->server ? BUFFEREVENT_SSL_ACCEPTING : BUFFEREVENT_SSL_CONNECTING;

	if (c->io == IO_MEMORY && bufferevent_pair_new(base, 0, t->pair) == 0) {
		bufferevent_enable(t->pair[1], EV_READ | EV_WRITE);
		t->bev = bufferevent_openssl_filter_new(base, t->pair[0], t->ssl, state, 0);
	} else if (c->io != IO_MEMORY) {
		t->bev = bufferevent_openssl_socket_new(base, c->fd, t->ssl, state, 0);
	}
	if (!t->bev)
		return false;
	bufferevent_setcb(t->bev, moved, moved, event_happened, t);
	bufferevent_openssl_set_allow_dirty_shutdown(t->bev, conn_option(c, "ignore-eof"));
	return bufferevent_enable(t->bev, EV_READ | EV_WRITE) == 0;
}

static bool base_make(void)
{
	base = base ? base : event_base_new();
	line = line || !base ? line : event_new(base, STDIN_FILENO, EV_READ, line_came, NULL);
	return line;
}

static enum outcome open_call(struct conn *c, struct call *k)
{
	struct tls *t = calloc(1, sizeof(*t));
	SSL_CTX *ctx = side_context(c);

	ERR_clear_error();
	if (t && ctx && base_make() && (t->ssl = SSL_new(ctx)) && side_session_offer(c, t->ssl) && bufferevent_set(c, t)) {
		c->tls = t;
		return SAYS_OK;
	}
	native(k, "open=0");
	native_text(k, "no memory, or CLOSEDRILL_CERT is not set");
	if (t && base)
		tls_free(t);
	return SAYS_ERROR;
}

static void library_name(char *name, size_t cap)
{
	snprintf(name, cap, "libevent %s, %s", event_get_version(), side_library());
}

static const char *const can[] = {
	"client server tls1.2 tls1.3 nonblocking memory",
	"close abandon plain resumption renew siblings option:ignore-eof",
	NULL
};

static const struct adapter adapter = {
	.api = "libevent",
	.can = can,
	/* event2/bufferevent_ssl.h: a dirty shutdown "is reported as BEV_EVENT_ERROR", unless it is allowed. */
	.promises = "truncation-visible",
	.library = library_name,
	.open = open_call,
	.handshake = handshake_call,
	.read = read_call,
	.write = write_call,
	.close = close_call,
	.abandon = abandon_call,
	.keep = keep_call,
	.pump = pump,
	.wait = loop_wait,
};

int main(void)
{
	int status = skeleton_run(&adapter);

	if (line)
		event_free(line);
	if (base)
		event_base_free(base);
	sides_free();
	return status;
}
