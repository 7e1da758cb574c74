/* The adapter for OpenSSL, from 1.1.1 on.
 *
 *	handshake       SSL_do_handshake
 *	read, write     SSL_read, SSL_write
 *	shutdown write  one SSL_shutdown: 0 is sent, 1 complete
 *	shutdown both   SSL_shutdown until it is not 0; behind a `shutdown write` that is the second call
 *	close           SSL_shutdown if no close_notify is out, unless SSL_ERROR_SSL or SSL_ERROR_SYSCALL was seen (SSL_get_error(3)
 *	                forbids it then); SSL_free. It does not wait for the peer's: SSL_shutdown(3) calls that acceptable
 *	abandon         SSL_free, which sends nothing
 *	early read      SSL_read_early_data: SSL_READ_EARLY_DATA_FINISH (2) is ok
 *	early write     SSL_write_early_data
 *	key_update      SSL_key_update, and SSL_do_handshake to have it sent at once
 *
 * Errors are read as SSL_get_error(3) says: queue and errno emptied before each call. Each SSL_shutdown is followed by the flags
 * of SSL_get_shutdown. Memory mode is a BIO pair of the default size. Options:
 *
 *	quiet               SSL_set_quiet_shutdown
 *	ignore-eof          SSL_OP_IGNORE_UNEXPECTED_EOF
 *	read-ahead          SSL_set_read_ahead
 *	no-auto-retry       SSL_MODE_AUTO_RETRY off
 *	early-data          SSL_set_max_early_data: a server's tickets permit early data, each once (the anti-replay of the library)
 *	lazy-key-update     key_update is SSL_key_update alone; the next call sends it
 *	stale-error         a foreign error is put on the queue before each call, and nothing is emptied
 *	split-descriptors   SSL_set_rfd, and SSL_set_wfd with a duplicate (not in memory mode)
 *	short-writes        memory mode: the BIO pair has room for 7 bytes
 *
 * CLOSEDRILL_OPENSSL_OPTIONS in the environment names options, with spaces between, that every connection gets.
 *
 * What the API cannot tell: the value of an alert at level warning that it passed over; whether the SENT flag means that the
 * close_notify left (it is set before). What the adapter does not do: SSL_shutdown_ex and QUIC, threads, renegotiation. */
#include "adapters/skeleton/skeleton.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "adapters/openssl/side.h"

enum {
	SHORT_WRITE = 7,        /* bytes; divides the length of no close_notify record */
	EARLY_ROOM = 16384      /* bytes of early data that a ticket permits */
};

struct tls {
	SSL *ssl;
	BIO *net;                       /* memory mode: our end of the pair */
	int wfd;                        /* a second descriptor, for writing; -1: none */
	bool fed, dry;                  /* in this call the transport gave bytes; it was asked and had none */
	bool fatal;                     /* SSL_ERROR_SSL or SSL_ERROR_SYSCALL was seen */
	bool unsent;                    /* SSL_shutdown wanted to write: SENT is set, and the close_notify is not out */
};

/* For all connections, to see what an option does to every case. */
static bool option_everywhere(const char *name)
{
	const char *words = getenv("CLOSEDRILL_OPENSSL_OPTIONS");
	size_t n = strlen(name);

	for (; words && *words; words += strspn(words, " ")) {
		size_t len = strcspn(words, " ");

		if (len == n && memcmp(words, name, n) == 0)
			return true;
		words += len;
	}
	return false;
}

static bool option_on(const struct conn *c, const char *name)
{
	return conn_option(c, name) || option_everywhere(name);
}

/* ---- Calls ---- */

static struct tls *calls_fresh(struct conn *c)
{
	struct tls *t = c->tls;

	if (option_on(c, "stale-error"))
		ERR_put_error(ERR_LIB_PEM, 0, PEM_R_NO_START_LINE, __FILE__, __LINE__);
	else
		ERR_clear_error();
	errno = 0;
	t->fed = t->dry = false;
	return t;
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
	if (option_on(c, "lazy-key-update"))
		return SAYS_OK;
	ret = SSL_do_handshake(t->ssl);
	native(k, "SSL_do_handshake=%d", ret);
	return ret == 1 ? SAYS_OK : failed(t, k, ret);
}

static enum outcome early_read_call(struct conn *c, struct call *k)
{
	struct tls *t = calls_fresh(c);
	int ret = SSL_read_early_data(t->ssl, k->data, k->n, &k->done);

	native(k, "SSL_read_early_data=%d", ret);
	if (ret == SSL_READ_EARLY_DATA_ERROR)
		return failed(t, k, 0);
	return ret == SSL_READ_EARLY_DATA_FINISH ? SAYS_OK : SAYS_DATA;
}

static enum outcome early_write_call(struct conn *c, struct call *k)
{
	struct tls *t = calls_fresh(c);
	int ret = SSL_write_early_data(t->ssl, k->data, k->n, &k->done);

	native(k, "SSL_write_early_data=%d", ret);
	return ret == 1 ? SAYS_OK : failed(t, k, 0);
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

/* ---- Set up and down ---- */

/* A library that took bytes, and wants more without having asked in vain, stopped of itself, and the next record may be in
 * it or in the BIO pair. SSL_pending sees too little to tell, and SSL_has_pending counts half a record. */
static long read_note(BIO *bio, int op, const char *p, size_t len, int argi, long argl, int ret, size_t *done)
{
	struct tls *t = (void *)BIO_get_callback_arg(bio);

	(void)p, (void)len, (void)argi, (void)argl, (void)done;
	if (op == (BIO_CB_READ | BIO_CB_RETURN)) {
		t->fed |= ret > 0;
		t->dry |= ret <= 0;
	}
	return ret;
}

static bool holds(struct conn *c)
{
	struct tls *t = c->tls;

	return t->fed && !t->dry;
}

static bool descriptors_set(struct conn *c, struct tls *t)
{
	if (!option_on(c, "split-descriptors"))
		return SSL_set_fd(t->ssl, c->fd);
	t->wfd = fcntl(c->fd, F_DUPFD_CLOEXEC, 0);
	return t->wfd >= 0 && SSL_set_rfd(t->ssl, c->fd) && SSL_set_wfd(t->ssl, t->wfd);
}

static bool transport_set(struct conn *c, struct tls *t)
{
	BIO *end;

	if (c->io != IO_MEMORY) {
		if (!descriptors_set(c, t))
			return false;
	} else {
		if (!BIO_new_bio_pair(&end, option_on(c, "short-writes") ? SHORT_WRITE : 0, &t->net, 0))
			return false;
		SSL_set_bio(t->ssl, end, end);
	}
	BIO_set_callback_ex(SSL_get_rbio(t->ssl), read_note);
	BIO_set_callback_arg(SSL_get_rbio(t->ssl), (char *)t);
	return true;
}

static void options_set(struct conn *c, SSL *ssl)
{
	if (option_on(c, "quiet"))
		SSL_set_quiet_shutdown(ssl, 1);
#ifdef SSL_OP_IGNORE_UNEXPECTED_EOF                     /* 3.0 */
	if (option_on(c, "ignore-eof"))
		SSL_set_options(ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);
#endif
	if (option_on(c, "read-ahead"))
		SSL_set_read_ahead(ssl, 1);
	if (option_on(c, "no-auto-retry"))
		SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
	if (conn_option(c, "early-data"))
		SSL_set_max_early_data(ssl, EARLY_ROOM);
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

static void keep_call(struct conn *c)
{
	struct tls *t = c->tls;

	side_session_keep(c, t->ssl);
}

static void abandon_call(struct conn *c)
{
	tls_free(c->tls);
}

static enum outcome open_call(struct conn *c, struct call *k)
{
	struct tls *t = calloc(1, sizeof(*t));
	SSL_CTX *ctx;

	ERR_clear_error();
	if (t)
		t->wfd = -1;
	ctx = side_context(c);
	if (t && ctx && (t->ssl = SSL_new(ctx)) && transport_set(c, t) && side_session_offer(c, t->ssl)) {
		options_set(c, t->ssl);
		if (c->server)
			SSL_set_accept_state(t->ssl);
		else
			SSL_set_connect_state(t->ssl);
		c->tls = t;
		return SAYS_OK;
	}
	native(k, "open=0");
	native_text(k, ERR_peek_error() ? ERR_error_string(ERR_peek_error(), NULL) : "no memory, or CLOSEDRILL_CERT is not set");
	tls_free(t);
	return SAYS_ERROR;
}

static void library_name(char *name, size_t cap)
{
	snprintf(name, cap, "%s", side_library());
}

static const char *const can[] = {
	"client server tls1.2 tls1.3 blocking nonblocking memory",
	"shutdown-write shutdown-both close abandon plain resumption key-update renew fork siblings reuse",
	"option:quiet option:read-ahead option:no-auto-retry option:lazy-key-update",
	"option:stale-error option:split-descriptors option:short-writes option:early-data",
#ifdef SSL_OP_IGNORE_UNEXPECTED_EOF
	"option:ignore-eof",
#endif
	NULL
};

static const struct adapter adapter = {
	.api = "openssl",
	.can = can,
	.promises = "truncation-visible",               /* SSL_get_error(3): an EOF has a reason (1.1.1: an errno of 0) of its own */
	.library = library_name,
	.open = open_call,
	.handshake = handshake_call,
	.read = read_call,
	.write = write_call,
	.shutdown_write = shutdown_write_call,
	.shutdown_both = shutdown_both_call,
	.key_update = key_update_call,
	.early_read = early_read_call,
	.early_write = early_write_call,
	.close = close_call,
	.abandon = abandon_call,
	.keep = keep_call,
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
