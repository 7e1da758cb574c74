/* The first adapter: the least that is one, to be copied and filled (adapters/README.md, Writing one). It has OpenSSL's calls; yours go
 * in their place.
 *
 *	handshake       SSL_do_handshake
 *	read, write     SSL_read, SSL_write
 *	shutdown write  SSL_shutdown
 *	close           SSL_shutdown, unless a call failed; SSL_free
 *	abandon         SSL_free
 *
 * What the API cannot do: say here what is missing. What the adapter does not do: memory mode, resumption, key updates, SSL_shutdown
 * a second time. */
#include "adapters/skeleton/skeleton.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

struct tls {
	SSL_CTX *ctx;
	SSL *ssl;
	bool failed;
};

/* What a call returned, in the library's words, and the outcome that it means. */
static enum outcome said(struct tls *t, struct call *k, const char *name, int ret, enum outcome done)
{
	int err = SSL_get_error(t->ssl, ret);
	unsigned long queued = ERR_peek_error();
	int failed = errno;

	native(k, "%s=%d", name, ret);
	if (ret > 0)
		return done;
	native(k, "SSL_get_error=%d", err);
	if (err == SSL_ERROR_WANT_READ || err == SSL_ERROR_WANT_WRITE)
		return err == SSL_ERROR_WANT_READ ? SAYS_WANT_READ : SAYS_WANT_WRITE;
	if (err == SSL_ERROR_ZERO_RETURN)
		return SAYS_CLOSED;
	t->failed = true;
	if (err == SSL_ERROR_SYSCALL && !queued)
		return native_errno(k, failed);
	native_text(k, ERR_reason_error_string(queued) ?: "");
	if (ERR_GET_REASON(queued) > SSL_AD_REASON_OFFSET) {
		k->alert = ERR_GET_REASON(queued) - SSL_AD_REASON_OFFSET;
		return SAYS_ALERT;
	}
	return SAYS_ERROR;
}

/* An error of an earlier call is no answer to this one. */
static struct tls *fresh(struct conn *c)
{
	ERR_clear_error();
	errno = 0;
	return c->tls;
}

static enum outcome handshake_call(struct conn *c, struct call *k)
{
	struct tls *t = fresh(c);

	return said(t, k, "SSL_do_handshake", SSL_do_handshake(t->ssl), SAYS_OK);
}

static enum outcome read_call(struct conn *c, struct call *k)
{
	struct tls *t = fresh(c);
	int ret = SSL_read(t->ssl, k->data, (int)k->n);

	k->done = ret > 0 ? (size_t)ret : 0;
	return said(t, k, "SSL_read", ret, SAYS_DATA);
}

static enum outcome write_call(struct conn *c, struct call *k)
{
	struct tls *t = fresh(c);
	int ret = SSL_write(t->ssl, k->data, (int)k->n);

	k->done = ret > 0 ? (size_t)ret : 0;
	return said(t, k, "SSL_write", ret, SAYS_OK);
}

static enum outcome shutdown_write_call(struct conn *c, struct call *k)
{
	struct tls *t = fresh(c);
	int ret = SSL_shutdown(t->ssl);

	if (ret < 0)
		return said(t, k, "SSL_shutdown", ret, SAYS_SENT);
	native(k, "SSL_shutdown=%d", ret);
	return ret ? SAYS_COMPLETE : SAYS_SENT;
}

static enum outcome close_call(struct conn *c, struct call *k)
{
	struct tls *t = fresh(c);
	enum outcome o = SAYS_SENT;

	if (!t->failed && !(SSL_get_shutdown(t->ssl) & SSL_SENT_SHUTDOWN))
		o = shutdown_write_call(c, k);
	native(k, "SSL_free");
	return o == SAYS_SENT || o == SAYS_COMPLETE ? SAYS_OK : o;
}

static void abandon_call(struct conn *c)
{
	struct tls *t = c->tls;

	SSL_free(t->ssl);
	SSL_CTX_free(t->ctx);
	free(t);
}

static bool set_up(struct tls *t, struct conn *c)
{
	const char *pem = getenv("CLOSEDRILL_CERT");
	int version = c->version == 12 ? TLS1_2_VERSION : TLS1_3_VERSION;

	if (!(t->ctx = SSL_CTX_new(TLS_method())) || !SSL_CTX_set_min_proto_version(t->ctx, version) ||
	    !SSL_CTX_set_max_proto_version(t->ctx, version))
		return false;
	if (c->server && (SSL_CTX_use_certificate_file(t->ctx, pem, SSL_FILETYPE_PEM) != 1 ||
	                  SSL_CTX_use_PrivateKey_file(t->ctx, pem, SSL_FILETYPE_PEM) != 1))
		return false;
	SSL_CTX_set_mode(t->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (!(t->ssl = SSL_new(t->ctx)) || !SSL_set_fd(t->ssl, c->fd))
		return false;
	c->server ? SSL_set_accept_state(t->ssl) : SSL_set_connect_state(t->ssl);
	return true;
}

static enum outcome open_call(struct conn *c, struct call *k)
{
	struct tls *t = calloc(1, sizeof(*t));

	if (!t)
		return native_errno(k, ENOMEM);
	c->tls = t;
	if (set_up(t, c))
		return SAYS_OK;
	native_text(k, ERR_reason_error_string(ERR_peek_error()) ?: "");
	abandon_call(c);
	c->tls = NULL;
	return SAYS_ERROR;
}

static void library_name(char *name, size_t cap)
{
	snprintf(name, cap, "%s", OpenSSL_version(OPENSSL_VERSION));
}

static const char *const can[] = { "client server tls1.2 tls1.3 blocking nonblocking", "shutdown-write close abandon", NULL };

static const struct adapter adapter = {
	.api = "first",
	.can = can,
	.library = library_name,
	.open = open_call,
	.handshake = handshake_call,
	.read = read_call,
	.write = write_call,
	.shutdown_write = shutdown_write_call,
	.close = close_call,
	.abandon = abandon_call,
};

int main(void)
{
	return skeleton_run(&adapter);
}
