/* What the adapters of OpenSSL's family and of libraries that stand on it have in common: a context for each side and version, a
 * client's session, and what an error means. For C and C++. */
#ifndef ADAPTERS_OPENSSL_SIDE_H
#define ADAPTERS_OPENSSL_SIDE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "adapters/skeleton/skeleton.h"

/* The library as it names itself while it runs, "OpenSSL 3.0.22 25 Aug 2026" without the date. Lasts. */
static inline const char *side_library(void)
{
	static char name[64];
	const char *text = OpenSSL_version(OPENSSL_VERSION), *end = strchr(text, ' ');

	snprintf(name, sizeof(name), "%.*s", (int)(end + 1 + strcspn(end + 1, " ") - text), text);
	return name;
}

/* Contexts are made once, as they cost more than a handshake; options are set on the connection. */
static struct side { SSL_CTX *ctx; SSL_SESSION *session; } sides[2][2];

static inline struct side *side_of(const struct conn *c)
{
	return &sides[c->server][c->version == 13];
}

/* A context with the version and, on a server, the certificate of CLOSEDRILL_CERT; NULL if that failed (the error queue knows). */
static inline SSL_CTX *side_context_new(const struct conn *c)
{
	int version = c->version == 13 ? TLS1_3_VERSION : TLS1_2_VERSION;
	const char *cert = getenv("CLOSEDRILL_CERT");
	SSL_CTX *ctx = SSL_CTX_new(c->server ? TLS_server_method() : TLS_client_method());

	if (!ctx)
		return NULL;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	if (SSL_CTX_set_min_proto_version(ctx, version) && SSL_CTX_set_max_proto_version(ctx, version)
	    && SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"closedrill", 10)
	    && (!c->server || (cert && SSL_CTX_use_certificate_chain_file(ctx, cert) == 1
	                       && SSL_CTX_use_PrivateKey_file(ctx, cert, SSL_FILETYPE_PEM) == 1)))
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

/* The context of this connection, made when it is first wanted. It stays the side's. */
static inline SSL_CTX *side_context(const struct conn *c)
{
	struct side *s = side_of(c);

	if (!s->ctx)
		s->ctx = side_context_new(c);
	return s->ctx;
}

/* A client that does not resume starts afresh: no session of an earlier run is offered later. (A server keeps none here.) */
static inline bool side_session_offer(const struct conn *c, SSL *ssl)
{
	struct side *s = side_of(c);

	if (c->resume)
		return !s->session || SSL_set_session(ssl, s->session);
	SSL_SESSION_free(s->session);
	s->session = NULL;
	return true;
}

/* Keeps a client's session, before its SSL is freed. */
static inline void side_session_keep(const struct conn *c, SSL *ssl)
{
	struct side *s = side_of(c);

	if (c->server || !SSL_is_init_finished(ssl))
		return;
	SSL_SESSION_free(s->session);
	s->session = SSL_get1_session(ssl);
}

static inline void sides_free(void)
{
	for (size_t i = 0; i < 4; i++) {
		SSL_SESSION_free(sides[i / 2][i % 2].session);
		SSL_CTX_free(sides[i / 2][i % 2].ctx);
	}
}

/* What an entry of the error queue means; its text goes to the native part. */
static inline enum outcome side_error(struct call *k, unsigned long e)
{
	int reason = ERR_GET_REASON(e);
	const char *text = ERR_reason_error_string(e);

	if (text)
		native_text(k, text);
	if (ERR_GET_LIB(e) != ERR_LIB_SSL)
		return SAYS_ERROR;
	if (reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256) {
		k->alert = reason - SSL_AD_REASON_OFFSET;
		return SAYS_ALERT;
	}
	switch (reason) {
#ifdef SSL_R_UNEXPECTED_EOF_WHILE_READING               /* 3.0 */
	case SSL_R_UNEXPECTED_EOF_WHILE_READING:
		return SAYS_TRUNCATED;
#endif
	case SSL_R_PROTOCOL_IS_SHUTDOWN:
	case SSL_R_SHUTDOWN_WHILE_IN_INIT:
#ifdef SSL_R_STILL_IN_INIT
	case SSL_R_STILL_IN_INIT:
#endif
	case SSL_R_BAD_WRITE_RETRY:
	case ERR_R_SHOULD_NOT_HAVE_BEEN_CALLED:
		return SAYS_REFUSED;
	default:
		return SAYS_ERROR;
	}
}

/* The TLS layer's own entry of the queue, or the oldest: cryptography that failed below it stands before it. Empties the queue. */
static inline unsigned long side_queue_pick(void)
{
	unsigned long first = ERR_peek_error(), e;

	while ((e = ERR_get_error()))
		if (ERR_GET_LIB(e) == ERR_LIB_SSL)
			return e;
	return first;
}

static inline enum outcome side_syscall_error(struct call *k, unsigned long e, int err)
{
	if (!err && ERR_GET_LIB(e) == ERR_LIB_SYS)
		err = ERR_GET_REASON(e);
#if OPENSSL_VERSION_NUMBER < 0x30000000L                /* 1.1.1 and BoringSSL: an empty queue and no errno is an EOF */
	if (!err && !e) {
		native_errno(k, 0);
		return SAYS_TRUNCATED;
	}
#endif
	return native_errno(k, err);
}

/* A call that did not succeed; its name and value are noted already, queue and errno were empty before it. error: SSL_get_error. */
static inline enum outcome side_failed(struct call *k, SSL *ssl, int ret, int *error)
{
	static const struct { int error; const char *name; } errors[] = {
		{ SSL_ERROR_SSL, "SSL_ERROR_SSL" }, { SSL_ERROR_WANT_READ, "SSL_ERROR_WANT_READ" },
		{ SSL_ERROR_WANT_WRITE, "SSL_ERROR_WANT_WRITE" }, { SSL_ERROR_SYSCALL, "SSL_ERROR_SYSCALL" },
		{ SSL_ERROR_ZERO_RETURN, "SSL_ERROR_ZERO_RETURN" },
	};
	enum { N_ERRORS = sizeof(errors) / sizeof(errors[0]) };
	int err = errno, i = 0;
	unsigned long e;

	*error = SSL_get_error(ssl, ret);
	e = side_queue_pick();
	while (i < N_ERRORS && errors[i].error != *error)
		i++;
	if (i < N_ERRORS)
		native(k, "%s", errors[i].name);
	else
		native(k, "SSL_get_error=%d", *error);
	switch (*error) {
	case SSL_ERROR_WANT_READ:
		return SAYS_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return SAYS_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return SAYS_CLOSED;
	case SSL_ERROR_SSL:
		return side_error(k, e);
	case SSL_ERROR_SYSCALL:
		return side_syscall_error(k, e, err);
	default:
		return SAYS_ERROR;
	}
}

#endif
