/* The adapter for BoringSSL.
 *
 *	handshake       SSL_do_handshake
 *	read, write     SSL_read, SSL_write
 *	shutdown write  one SSL_shutdown, "the first stage": 0 is sent, 1 complete
 *	shutdown both   SSL_shutdown until it is not 0; behind a `shutdown write` that is "the second stage"
 *	close           SSL_shutdown if no close_notify is out ("Most callers should stop at the first stage"), unless SSL_ERROR_SSL or
 *	                SSL_ERROR_SYSCALL was seen, as OpenSSL's manual has it; SSL_free
 *	abandon         SSL_free, which sends nothing
 *	key_update      SSL_key_update, and SSL_write of nothing, which "may be called with a zero length to flush a KeyUpdate"
 *
 * Memory mode is a BIO pair of the default size. A client's session is that of the last call of the new-session callback: in TLS 1.3
 * SSL_get_session knows none that can be resumed. Options:
 *
 *	quiet               SSL_set_quiet_shutdown
 *	lazy-key-update     key_update is SSL_key_update alone; the next call sends it
 *	stale-error         a foreign error is put on the queue before each call, and nothing is emptied
 *	split-descriptors   SSL_set_rfd, and SSL_set_wfd with a duplicate (not in memory mode)
 *	short-writes        memory mode: the BIO pair has room for 7 bytes
 *
 * What the adapter does not do: 0-RTT, renegotiation, which is off (SSL_set_renegotiate_mode), threads. */
#include "adapters/skeleton/skeleton.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "adapters/openssl/side.h"

enum { SHORT_WRITE = 7 };       /* bytes; divides the length of no close_notify record */

struct tls {
	SSL *ssl;
	BIO *net;                       /* memory mode: our end of the pair */
	int wfd;                        /* a second descriptor, for writing; -1: none */
	bool fatal;                     /* SSL_ERROR_SSL or SSL_ERROR_SYSCALL was seen */
	bool unsent;                    /* SSL_shutdown wanted to write: SENT is set, and the close_notify is not out */
};

/* ---- Calls ---- */

static struct tls *calls_fresh(struct conn *c)
{
	if (conn_option(c, "stale-error"))
		ERR_put_error(ERR_LIB_PEM, 0, PEM_R_NO_START_LINE, __FILE__, __LINE__);
	else
		ERR_clear_error();
	errno = 0;
	return c->tls;
}

#include "adapters/openssl/calls.h"

static enum outcome key_update_call(struct conn *c, struct call *k)
{
	struct tls *t = calls_fresh(c);
	int ret = 1;

	if (c->version != 13)
		return SAYS_UNSUPPORTED;
	if (!k->repeated)
		ret = SSL_key_update(t->ssl, k->requested ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED);
	native(k, "SSL_key_update=%d", ret);
	if (ret != 1)
		return failed(t, k, ret);
	if (conn_option(c, "lazy-key-update"))
		return SAYS_OK;
	ret = SSL_write(t->ssl, "", 0);
	native(k, "SSL_write=%d", ret);
	return ret >= 0 ? SAYS_OK : failed(t, k, ret);
}

/* ---- Memory mode ---- */

static void pump(struct conn *c)
{
	struct tls *t = c->tls;
	uint8_t buf[17 * 1024];
	int n = c->in.n ? BIO_write(t->net, c->in.p, (int)c->in.n) : 0;

	if (n > 0)
		queue_drop(&c->in, (size_t)n);
	if (c->ended && !c->in.n)
		(void)BIO_shutdown_wr(t->net);
	while ((n = BIO_read(t->net, buf, sizeof(buf))) > 0)
		queue_add(&c->out, buf, (size_t)n);
}

static size_t unread(struct conn *c, uint8_t *p, size_t n)
{
	struct tls *t = c->tls;
	int got = BIO_read(SSL_get_rbio(t->ssl), p, (int)n);

	return got > 0 ? (size_t)got : 0;
}

/* What did not fit into the pair is given when the library has made room. */
static bool holds(struct conn *c)
{
	return c->io == IO_MEMORY && c->in.n;
}

/* ---- Set up and down ---- */

static bool transport_set(struct conn *c, struct tls *t)
{
	BIO *end;

	if (c->io == IO_MEMORY) {
		if (!BIO_new_bio_pair(&end, conn_option(c, "short-writes") ? SHORT_WRITE : 0, &t->net, 0))
			return false;
		SSL_set_bio(t->ssl, end, end);
		return true;
	}
	if (!conn_option(c, "split-descriptors"))
		return SSL_set_fd(t->ssl, c->fd);
	t->wfd = fcntl(c->fd, F_DUPFD_CLOEXEC, 0);
	return t->wfd >= 0 && SSL_set_rfd(t->ssl, c->fd) && SSL_set_wfd(t->ssl, t->wfd);
}

static void tls_free(struct tls *t)
{
	if (!t)
		return;
	SSL_free(t->ssl);
	BIO_free(t->net);
	if (t->wfd >= 0)
		close(t->wfd);
	free(t);
}

static void abandon_call(struct conn *c)
{
	tls_free(c->tls);
}

/* Takes the ownership of the session. */
static int session_new(SSL *ssl, SSL_SESSION *session)
{
	struct side *s = &sides[0][SSL_version(ssl) == TLS1_3_VERSION];

	SSL_SESSION_free(s->session);
	s->session = session;
	return 1;
}

static SSL_CTX *context(const struct conn *c)
{
	SSL_CTX *ctx = side_context(c);

	if (ctx && !c->server) {
		SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
		SSL_CTX_sess_set_new_cb(ctx, session_new);
	}
	return ctx;
}

static enum outcome open_call(struct conn *c, struct call *k)
{
	struct tls *t = calloc(1, sizeof(*t));
	SSL_CTX *ctx = context(c);

	ERR_clear_error();
	if (t)
		t->wfd = -1;
	if (t && ctx && (t->ssl = SSL_new(ctx)) && transport_set(c, t) && side_session_offer(c, t->ssl)) {
		SSL_set_quiet_shutdown(t->ssl, conn_option(c, "quiet"));
		if (c->server)
			SSL_set_accept_state(t->ssl);
		else
			SSL_set_connect_state(t->ssl);
		c->tls = t;
		return SAYS_OK;
	}
	native(k, "open=0");
	native_text(k, "no memory, or CLOSEDRILL_CERT is not set");
	tls_free(t);
	return SAYS_ERROR;
}

/* It has no releases: its text is "BoringSSL", and the number is that of its interface. */
static void library_name(char *name, size_t cap)
{
	snprintf(name, cap, "%s API %d", OpenSSL_version(OPENSSL_VERSION), BORINGSSL_API_VERSION);
}

static const char *const can[] = {
	"client server tls1.2 tls1.3 blocking nonblocking memory",
	"shutdown-write shutdown-both close abandon plain resumption key-update renew fork siblings",
	"option:quiet option:lazy-key-update option:stale-error option:split-descriptors option:short-writes",
	NULL
};

static const struct adapter adapter = {
	.api = "boringssl",
	.can = can,
	/* ssl.h: SSL_ERROR_ZERO_RETURN, "the connection was cleanly shut down with a close_notify alert"; SSL_ERROR_SYSCALL with a
	 * return value of zero if "the transport returned EOF". SSL_shutdown: one if "the peer's close_notify had already been
	 * received"; "To then wait for the peer's close_notify, run SSL_shutdown to completion a second time". */
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
	.holds = holds,
	.pump = pump,
	.unread = unread,
};

int main(void)
{
	int status = skeleton_run(&adapter);

	sides_free();
	return status;
}
