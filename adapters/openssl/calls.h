/* The calls that OpenSSL and its relatives have under the same names. Where this is included stand before it a `struct tls` with an `ssl`,
 * a `fatal` (SSL_ERROR_SSL or SSL_ERROR_SYSCALL was seen) and an `unsent` (SSL_shutdown wanted to write: SENT is set, and the close_notify
 * is not out), and calls_fresh(), which readies error queue and errno for a call and returns c->tls. */
#ifndef ADAPTERS_OPENSSL_CALLS_H
#define ADAPTERS_OPENSSL_CALLS_H

#include <stddef.h>

#include <openssl/ssl.h>

#include "adapters/openssl/side.h"
#include "adapters/skeleton/skeleton.h"

/* A call that did not succeed; its name and value are noted already. */
static enum outcome failed(struct tls *t, struct call *k, int ret)
{
	int error;
	enum outcome o = side_failed(k, t->ssl, ret, &error);

	t->fatal |= error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL;
	return o;
}

static enum outcome handshake_call(struct conn *c, struct call *k)
{
	struct tls *t = calls_fresh(c);
	int ret = SSL_do_handshake(t->ssl);

	native(k, "SSL_do_handshake=%d", ret);
	if (ret != 1)
		return failed(t, k, ret);
	return SSL_session_reused(t->ssl) ? SAYS_RESUMED : SAYS_OK;
}

static enum outcome read_call(struct conn *c, struct call *k)
{
	struct tls *t = calls_fresh(c);
	int ret = SSL_read(t->ssl, k->data, (int)k->n);

	native(k, "SSL_read=%d", ret);
	if (ret <= 0)
		return failed(t, k, ret);
	k->done = (size_t)ret;
	return SAYS_DATA;
}

static enum outcome write_call(struct conn *c, struct call *k)
{
	struct tls *t = calls_fresh(c);
	int ret = SSL_write(t->ssl, k->data, (int)k->n);

	native(k, "SSL_write=%d", ret);
	if (ret <= 0)
		return failed(t, k, ret);
	k->done = (size_t)ret;
	return SAYS_OK;
}

/* One SSL_shutdown. SSL_get_error has nothing to say about a 0. */
static int shutdown_once(struct conn *c, struct call *k, enum outcome *o)
{
	static const char *const flags[] = { "NONE", "SENT", "RECEIVED", "SENT|RECEIVED" };
	struct tls *t = calls_fresh(c);
	int ret = SSL_shutdown(t->ssl);

	k->native[0] = '\0';
	native(k, "SSL_shutdown=%d %s", ret, flags[SSL_get_shutdown(t->ssl) & 3]);
	*o = ret == 0 ? SAYS_SENT : ret == 1 ? SAYS_COMPLETE : failed(t, k, ret);
	t->unsent = *o == SAYS_WANT_WRITE;
	return ret;
}

static enum outcome shutdown_write_call(struct conn *c, struct call *k)
{
	enum outcome o;

	shutdown_once(c, k, &o);
	return o;
}

static enum outcome shutdown_both_call(struct conn *c, struct call *k)
{
	enum outcome o;

	while (!shutdown_once(c, k, &o))
		;
	return o;
}

static enum outcome close_call(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;
	bool out = (SSL_get_shutdown(t->ssl) & SSL_SENT_SHUTDOWN) && !t->unsent;
	enum outcome o;

	if (t->fatal || out) {
		native(k, "SSL_free");
		return SAYS_OK;
	}
	shutdown_once(c, k, &o);
	return o == SAYS_SENT || o == SAYS_COMPLETE || o == SAYS_WANT_READ ? SAYS_OK : o;
}

#endif
