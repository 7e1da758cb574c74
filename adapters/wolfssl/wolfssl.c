/* The adapter for wolfSSL, by its own API (wolfSSL_*).
 *
 *	handshake       wolfSSL_negotiate
 *	read, write     wolfSSL_read, wolfSSL_write
 *	shutdown write  one wolfSSL_shutdown: WOLFSSL_SHUTDOWN_NOT_DONE is sent, WOLFSSL_SUCCESS complete
 *	shutdown both   wolfSSL_shutdown until it does not say WOLFSSL_SHUTDOWN_NOT_DONE. From the second call on this stands for all:
 *	                it has to wait for the peer, it passed over something, the transport has ended. At the end of the
 *	                transport it would say so for ever, and the answer is `sent`
 *	close           wolfSSL_shutdown if none has sent and no error came (the library sends its alerts of itself); wolfSSL_free. It
 *	                does not wait for the peer's close_notify, which the manual leaves to the caller
 *	abandon         wolfSSL_free, which sends nothing
 *	key_update      wolfSSL_update_keys, which always asks the peer to follow: `key_update requested` alone
 *
 * On sockets the library's own callbacks are the transport; a reset is SOCKET_ERROR_E, and errno tells it from others. What the
 * adapter does not do: wolfSSL_write_dup, renegotiation; short writes: a wolfSSL_shutdown that is repeated because it wanted to write
 * (5.5) makes another close_notify each time, so that it would never come to an end. nonblocking/send-side-full shows that. */
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/error-ssl.h>
#include <wolfssl/wolfio.h>

#include "adapters/skeleton/skeleton.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define countof(a) (sizeof(a) / sizeof((a)[0]))

struct tls {
	WOLFSSL *ssl;
	bool notified;                  /* wolfSSL_shutdown has sent */
	bool failed;
};

static struct side { WOLFSSL_CTX *ctx; WOLFSSL_SESSION *session; } sides[2][2];

static struct side *side_of(const struct conn *c)
{
	return &sides[c->server][c->version == 13];
}

/* ---- What the library said ---- */

static const struct { int error; const char *name; enum outcome outcome; } errors[] = {
	{ WOLFSSL_ERROR_WANT_READ, "WOLFSSL_ERROR_WANT_READ", SAYS_WANT_READ },
	{ WOLFSSL_ERROR_WANT_WRITE, "WOLFSSL_ERROR_WANT_WRITE", SAYS_WANT_WRITE },
	{ WOLFSSL_ERROR_ZERO_RETURN, "WOLFSSL_ERROR_ZERO_RETURN", SAYS_CLOSED },
	{ WOLFSSL_ERROR_SYSCALL, "WOLFSSL_ERROR_SYSCALL", SAYS_ERROR },
	{ SOCKET_PEER_CLOSED_E, "SOCKET_PEER_CLOSED_E", SAYS_TRUNCATED },
	{ SOCKET_ERROR_E, "SOCKET_ERROR_E", SAYS_ERROR },
	{ FATAL_ERROR, "FATAL_ERROR", SAYS_ALERT },
};

/* A call that did not succeed; its name and value are noted already. */
static enum outcome failed(struct tls *t, struct call *k, int ret)
{
	int err = errno, error = wolfSSL_get_error(t->ssl, ret);
	enum outcome o = SAYS_ERROR;
	WOLFSSL_ALERT_HISTORY alerts;
	char text[WOLFSSL_MAX_ERROR_SZ];
	size_t i = 0;

	while (i < countof(errors) && errors[i].error != error)
		i++;
	if (i < countof(errors)) {
		native(k, "%s", errors[i].name);
		o = errors[i].outcome;
	} else
		native(k, "wolfSSL_get_error=%d", error);
	if (o == SAYS_WANT_READ || o == SAYS_WANT_WRITE || o == SAYS_CLOSED)
		return o;
	t->failed = true;
	if (o == SAYS_ALERT && wolfSSL_get_alert_history(t->ssl, &alerts) == WOLFSSL_SUCCESS)
		k->alert = alerts.last_rx.code;
	native_text(k, wolfSSL_ERR_error_string((unsigned long)error, text));
	if (error == SOCKET_ERROR_E || error == WOLFSSL_ERROR_SYSCALL)
		return native_errno(k, err);
	return o;
}

static struct tls *fresh(struct conn *c)
{
	errno = 0;
	return c->tls;
}

/* ---- Calls ---- */

static enum outcome handshake_call(struct conn *c, struct call *k)
{
	struct tls *t = fresh(c);
	int ret = wolfSSL_negotiate(t->ssl);
	enum outcome o;

	native(k, "wolfSSL_negotiate=%d", ret);
	if (ret == WOLFSSL_SUCCESS)
		return wolfSSL_session_reused(t->ssl) ? SAYS_RESUMED : SAYS_OK;
	o = failed(t, k, ret);
	return o == SAYS_CLOSED ? SAYS_ERROR : o;       /* there is no stream yet that could be finished */
}

static enum outcome read_call(struct conn *c, struct call *k)
{
	struct tls *t = fresh(c);
	int ret = wolfSSL_read(t->ssl, k->data, (int)k->n);

	native(k, "wolfSSL_read=%d", ret);
	if (ret <= 0)
		return failed(t, k, ret);
	k->done = (size_t)ret;
	return SAYS_DATA;
}

static enum outcome write_call(struct conn *c, struct call *k)
{
	struct tls *t = fresh(c);
	int ret = wolfSSL_write(t->ssl, k->data, (int)k->n);

	native(k, "wolfSSL_write=%d", ret);
	if (ret <= 0)
		return failed(t, k, ret);
	k->done = (size_t)ret;
	return SAYS_OK;
}

static void keep_call(struct conn *c)
{
	struct side *s = side_of(c);
	struct tls *t = c->tls;

	if (!wolfSSL_is_init_finished(t->ssl))
		return;
	wolfSSL_SESSION_free(s->session);
	s->session = wolfSSL_get1_session(t->ssl);
}

/* A shutdown that is complete clears the object for another connection, and its session is gone. */
static int shutdown_once(struct conn *c, struct call *k, enum outcome *o)
{
	struct tls *t = fresh(c);
	int ret;

	if (!c->server)
		keep_call(c);
	ret = wolfSSL_shutdown(t->ssl);
	k->native[0] = '\0';
	native(k, "wolfSSL_shutdown=%d", ret);
	*o = ret == WOLFSSL_SHUTDOWN_NOT_DONE ? SAYS_SENT : ret == WOLFSSL_SUCCESS ? SAYS_COMPLETE : failed(t, k, ret);
	t->notified |= *o == SAYS_SENT || *o == SAYS_COMPLETE || *o == SAYS_WANT_READ;
	return ret;
}

static enum outcome shutdown_write_call(struct conn *c, struct call *k)
{
	enum outcome o;

	shutdown_once(c, k, &o);
	return o;
}

static bool transport_ended(const struct conn *c)
{
	char byte;

	errno = 0;
	if (c->io == IO_MEMORY)
		return c->ended && !c->in.n;
	return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0 && errno != EAGAIN;
}

static enum outcome shutdown_both_call(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;
	enum outcome o;
	bool sent;
	int ret;

	do {
		sent = t->notified;
		ret = shutdown_once(c, k, &o);
	} while (ret == WOLFSSL_SHUTDOWN_NOT_DONE && (!sent || (c->io == IO_BLOCKING && !transport_ended(c))));
	return ret == WOLFSSL_SHUTDOWN_NOT_DONE && !transport_ended(c) ? SAYS_WANT_READ : o;
}

static enum outcome close_call(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;
	enum outcome o;

	if (t->failed || t->notified) {
		native(k, "wolfSSL_free");
		return SAYS_OK;
	}
	shutdown_once(c, k, &o);
	return o == SAYS_SENT || o == SAYS_COMPLETE || o == SAYS_WANT_READ ? SAYS_OK : o;
}

static enum outcome key_update_call(struct conn *c, struct call *k)
{
	struct tls *t = fresh(c);
	int ret;

	if (!k->requested)
		return SAYS_UNSUPPORTED;
	ret = wolfSSL_update_keys(t->ssl);
	native(k, "wolfSSL_update_keys=%d", ret);
	return ret == WOLFSSL_SUCCESS ? SAYS_OK : failed(t, k, ret);
}

/* ---- Memory mode: the library's transport callbacks ---- */

static int pull(WOLFSSL *ssl, char *p, int n, void *c)
{
	ssize_t got = memory_recv(c, p, (size_t)n);

	(void)ssl;
	return got > 0 ? (int)got : got ? WOLFSSL_CBIO_ERR_WANT_READ : WOLFSSL_CBIO_ERR_CONN_CLOSE;
}

static int push(WOLFSSL *ssl, char *p, int n, void *c)
{
	ssize_t sent = memory_send(c, p, (size_t)n);

	(void)ssl;
	return sent < 0 ? WOLFSSL_CBIO_ERR_WANT_WRITE : (int)sent;
}

static bool holds(struct conn *c)
{
	return c->io == IO_MEMORY && c->in.n;
}

static bool transport_set(struct conn *c, struct tls *t)
{
	if (c->io != IO_MEMORY)
		return wolfSSL_set_fd(t->ssl, c->fd) == WOLFSSL_SUCCESS;
	wolfSSL_SSLSetIORecv(t->ssl, pull);
	wolfSSL_SSLSetIOSend(t->ssl, push);
	wolfSSL_SetIOReadCtx(t->ssl, c);
	wolfSSL_SetIOWriteCtx(t->ssl, c);
	return true;
}

/* ---- Set up and down ---- */

static WOLFSSL_CTX *ctx_new(const struct conn *c)
{
	static WOLFSSL_METHOD *(*const methods[2][2])(void) = {
		{ wolfTLSv1_2_client_method, wolfTLSv1_3_client_method },
		{ wolfTLSv1_2_server_method, wolfTLSv1_3_server_method }
	};
	const char *cert = getenv("CLOSEDRILL_CERT");
	WOLFSSL_CTX *ctx = wolfSSL_CTX_new(methods[c->server][c->version == 13]());

	if (!ctx)
		return NULL;
	wolfSSL_CTX_set_verify(ctx, WOLFSSL_VERIFY_NONE, NULL);
	if (c->server ? cert && wolfSSL_CTX_use_certificate_file(ctx, cert, WOLFSSL_FILETYPE_PEM) == WOLFSSL_SUCCESS
	                && wolfSSL_CTX_use_PrivateKey_file(ctx, cert, WOLFSSL_FILETYPE_PEM) == WOLFSSL_SUCCESS
	              : wolfSSL_CTX_UseSessionTicket(ctx) == WOLFSSL_SUCCESS)
		return ctx;
	wolfSSL_CTX_free(ctx);
	return NULL;
}

static void abandon_call(struct conn *c)
{
	struct tls *t = c->tls;

	wolfSSL_free(t->ssl);
	free(t);
}

/* A client that does not resume starts afresh: no session of an earlier run is offered later. */
static void session_set(const struct conn *c, struct side *s, WOLFSSL *ssl)
{
	if (c->server || !s->session)
		return;
	if (c->resume) {
		wolfSSL_set_session(ssl, s->session);           /* one that must not be resumed is not taken */
		return;
	}
	wolfSSL_SESSION_free(s->session);
	s->session = NULL;
}

static enum outcome open_call(struct conn *c, struct call *k)
{
	struct side *s = side_of(c);
	struct tls *t = calloc(1, sizeof(*t));

	if (!s->ctx)
		s->ctx = ctx_new(c);
	if (t && s->ctx && (t->ssl = wolfSSL_new(s->ctx)) && transport_set(c, t)) {
		session_set(c, s, t->ssl);
		c->tls = t;
		return SAYS_OK;
	}
	native(k, "open=0");
	native_text(k, "no memory, or CLOSEDRILL_CERT is not set or not taken");
	if (t)
		wolfSSL_free(t->ssl);
	free(t);
	return SAYS_ERROR;
}

static void library_name(char *name, size_t cap)
{
	snprintf(name, cap, "wolfSSL %s", wolfSSL_lib_version());
}

static const char *const can[] = {
	"client server tls1.2 tls1.3 blocking nonblocking memory",
	"shutdown-write shutdown-both close abandon plain resumption key-update renew fork siblings",
	NULL
};

static const struct adapter adapter = {
	.api = "wolfssl",
	.can = can,
	/* ssl.h: "WOLFSSL_SHUTDOWN_NOT_DONE is returned by wolfSSL_shutdown when the other end of the connection has yet to send its
	 * close notify alert"; error-ssl.h: ZERO_RETURN "peer sent close notify", SOCKET_PEER_CLOSED_E "Underlying transport closed". */
	.promises = "truncation-visible complete-means-both",
	.library = library_name,
	.open = open_call,
	.handshake = handshake_call,
	.read = read_call,
	.write = write_call,
	.shutdown_write = shutdown_write_call,
	.shutdown_both = shutdown_both_call,
	.key_update = key_update_call,
	.close = close_call,
	.abandon = abandon_call,
	.keep = keep_call,
	.holds = holds,
};

int main(void)
{
	int status = 1;

	if (wolfSSL_Init() == WOLFSSL_SUCCESS)
		status = skeleton_run(&adapter);
	for (size_t i = 0; i < 4; i++) {
		wolfSSL_SESSION_free(sides[i / 2][i % 2].session);
		wolfSSL_CTX_free(sides[i / 2][i % 2].ctx);
	}
	wolfSSL_Cleanup();
	return status;
}
