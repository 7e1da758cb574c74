/* What the adapters of libraries that stand on OpenSSL have in common with that of OpenSSL: a context for each side and version, a
 * client's session, and an entry of the error queue as an outcome. For C and C++. */
#ifndef ADAPTERS_OPENSSL_SIDE_H
#define ADAPTERS_OPENSSL_SIDE_H

#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "adapters/skeleton/skeleton.h"

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
		return SAYS_REFUSED;
	default:
		return SAYS_ERROR;
	}
}

#endif
