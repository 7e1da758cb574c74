/* handshake: OpenSSL's handshake over memory BIOs. */
#include "peer/handshake.h"

#include <openssl/err.h>
#include <string.h>

enum { EARLY_ROOM = 16384 };                     /* bytes of early data that our tickets permit */

static int hex_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void secret_from_hex(struct secret *s, const char *hex)
{
	s->n = 0;
	while (s->n < sizeof(s->p) && hex_value(hex[0]) >= 0 && hex_value(hex[1]) >= 0) {
		s->p[s->n++] = (uint8_t)(hex_value(hex[0]) << 4 | hex_value(hex[1]));
		hex += 2;
	}
}

static struct secret *secret_named(struct secrets *s, const char *label, size_t n)
{
	const struct { const char *label; struct secret *at; } rows[] = {
		{ "CLIENT_RANDOM", &s->master },
		{ "CLIENT_EARLY_TRAFFIC_SECRET", &s->client_early },
		{ "CLIENT_HANDSHAKE_TRAFFIC_SECRET", &s->client_handshake },
		{ "SERVER_HANDSHAKE_TRAFFIC_SECRET", &s->server_handshake },
		{ "CLIENT_TRAFFIC_SECRET_0", &s->client_data },
		{ "SERVER_TRAFFIC_SECRET_0", &s->server_data },
	};

	for (size_t i = 0; i < countof(rows); i++)
		if (strlen(rows[i].label) == n && memcmp(rows[i].label, label, n) == 0)
			return rows[i].at;
	return NULL;
}

static void learn_suite(struct handshake *h, const SSL *ssl)
{
	const SSL_CIPHER *c = SSL_get_current_cipher(ssl);

	if (!c)
		c = SSL_get_pending_cipher(ssl);
	if (c)
		h->secrets.suite = suite_find(SSL_CIPHER_get_protocol_id(c));
	SSL_get_client_random(ssl, h->secrets.client_random, 32);
	SSL_get_server_random(ssl, h->secrets.server_random, 32);
}

/* "LABEL client-random secret": the one way by which OpenSSL tells secrets, and what Wireshark reads. */
static void keylog_line(const SSL *ssl, const char *line)
{
	struct handshake *h = SSL_get_app_data(ssl);
	size_t label = strcspn(line, " ");
	const char *secret = strrchr(line, ' ');
	struct secret *to = secret_named(&h->secrets, line, label);

	buf_printf(&h->keylog, "%s\n", line);
	if (to && secret)
		secret_from_hex(to, secret + 1);
	learn_suite(h, ssl);
}

static bool use_cert(SSL_CTX *ctx, const struct cert *c)
{
	return !c || !c->key || (SSL_CTX_use_certificate(ctx, c->x509) && SSL_CTX_use_PrivateKey(ctx, c->key));
}

static bool context_set(struct context *c, const struct cert *ecdsa, const struct cert *rsa)
{
	SSL_CTX *ctx = c->ctx;

	SSL_CTX_set_keylog_callback(ctx, keylog_line);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_session_cache_mode(ctx, c->server ? SSL_SESS_CACHE_SERVER : SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	/* RFC 5746 is not what is tested here: a server without renegotiation_info is taken (wolfSSL 4.6), which OpenSSL 3 would refuse. */
	SSL_CTX_set_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT);
	/* The peer sends no ticket unasked: in 1.2 it resumes by session id, in 1.3 by the tickets of the script. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	if (c->version == TLS13)
		SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
	return SSL_CTX_set_num_tickets(ctx, 0) &&
	       SSL_CTX_set_session_id_context(ctx, (const uint8_t *)"closedrill", 10) &&
	       SSL_CTX_set_min_proto_version(ctx, (int)c->version) &&
	       SSL_CTX_set_max_proto_version(ctx, (int)c->version) &&
	       SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") &&
	       use_cert(ctx, ecdsa) && use_cert(ctx, rsa);
}

bool context_make(struct context *c, bool server, enum tls_version version, const struct cert *ecdsa, const struct cert *rsa,
                  struct fault *f)
{
	*c = (struct context){ SSL_CTX_new(server ? TLS_server_method() : TLS_client_method()), server, version };
	if (c->ctx && context_set(c, ecdsa, rsa))
		return true;
	context_free(c);
	return fault_machine(f, "no TLS context: %s", ERR_reason_error_string(ERR_peek_last_error()));
}

void context_free(struct context *c)
{
	SSL_CTX_free(c->ctx);
	*c = (struct context){ 0 };
}

bool handshake_start(struct handshake *h, const struct context *c, SSL_SESSION *session, struct fault *f)
{
	*h = (struct handshake){ .ssl = SSL_new(c->ctx), .in = BIO_new(BIO_s_mem()), .out = BIO_new(BIO_s_mem()), .server = c->server };
	if (!h->ssl || !h->in || !h->out) {
		SSL_free(h->ssl);
		BIO_free(h->in);
		BIO_free(h->out);
		*h = (struct handshake){ 0 };
		return fault_machine(f, "no TLS object: %s", ERR_reason_error_string(ERR_peek_last_error()));
	}
	BIO_set_mem_eof_return(h->in, -1);
	SSL_set_bio(h->ssl, h->in, h->out);
	SSL_set_app_data(h->ssl, h);
	if (c->server)
		SSL_set_accept_state(h->ssl);
	else
		SSL_set_connect_state(h->ssl);
	if (session)
		SSL_set_session(h->ssl, session);
	return true;
}

/* OpenSSL refuses a hello of version 2.3 with an alert that has this very version, and so is no record (RFC 8446 5.1: 3.x). */
static void take_output(struct handshake *h, struct buf *out)
{
	char *p;
	long n = BIO_get_mem_data(h->out, &p);
	size_t at = out->n;

	if (n > 0) {
		buf_add(out, p, (size_t)n);
		(void)BIO_reset(h->out);
	}
	for (; out->n - at >= RECORD_HEAD; at += RECORD_HEAD + be16(out->p + at + 3))
		out->p[at + 1] = 3;
}

void handshake_permit_early(struct handshake *h)
{
	SSL_set_max_early_data(h->ssl, EARLY_ROOM);
}

void handshake_use_early(struct handshake *h)
{
	h->early = h->server || handshake_early_room(h) > 0;
}

uint32_t handshake_early_room(const struct handshake *h)
{
	const SSL_SESSION *s = SSL_get0_session(h->ssl);

	return !h->server && s ? SSL_SESSION_get_max_early_data(s) : 0;
}

/* A client's hello offers early data when OpenSSL is given some, and be it none. A server reads until there is no more: what comes out
 * is dropped, as whoever feeds it opens the records beside it. */
static int go_on(struct handshake *h)
{
	uint8_t sink[4096];
	size_t n;
	int r = SSL_READ_EARLY_DATA_SUCCESS;

	if (h->early && !h->server)
		h->early = !SSL_write_early_data(h->ssl, "", 0, &n);
	while (h->early && h->server && r == SSL_READ_EARLY_DATA_SUCCESS)
		r = SSL_read_early_data(h->ssl, sink, sizeof(sink), &n);
	if (h->early && r != SSL_READ_EARLY_DATA_FINISH)
		return 0;
	h->early = false;
	return SSL_do_handshake(h->ssl);
}

void handshake_feed(struct handshake *h, struct bytes record, struct buf *out)
{
	int r;

	if (record.n)
		BIO_write(h->in, record.p, (int)record.n);
	ERR_clear_error();
	r = go_on(h);
	take_output(h, out);
	if (r == 1) {
		h->done = true;
		learn_suite(h, h->ssl);
	} else if (SSL_get_error(h->ssl, r) != SSL_ERROR_WANT_READ) {
		const char *why = ERR_reason_error_string(ERR_peek_last_error());

		h->failed = true;
		snprintf(h->error, sizeof(h->error), "%s", why ? why : "the handshake failed");
	}
}

void handshake_fail(struct handshake *h, const char *why)
{
	h->failed = true;
	snprintf(h->error, sizeof(h->error), "%s", why);
}

bool handshake_resumed(const struct handshake *h)
{
	return h->ssl && SSL_session_reused(h->ssl);
}

void handshake_learn(struct handshake *h, struct bytes records)
{
	uint8_t sink[512];

	if (!h->done || !records.n)
		return;
	BIO_write(h->in, records.p, (int)records.n);
	while (SSL_read(h->ssl, sink, sizeof(sink)) > 0)
		;
	ERR_clear_error();
}

void handshake_learn_ticket(struct handshake *h, struct bytes records)
{
	struct record rec;

	while (h->done && !SSL_SESSION_is_resumable(SSL_get0_session(h->ssl)) && record_take(&records, &rec) == TAKEN)
		handshake_learn(h, rec.whole);
}

SSL_SESSION *handshake_session(struct handshake *h)
{
	if (!h->ssl || !h->done)
		return NULL;
	SSL_set_shutdown(h->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	return SSL_get1_session(h->ssl);
}

bool handshake_ticket(struct handshake *h, struct buf *out)
{
	bool ok = h->done && SSL_new_session_ticket(h->ssl) && SSL_do_handshake(h->ssl) == 1;

	take_output(h, out);
	ERR_clear_error();
	return ok;
}

void handshake_free(struct handshake *h)
{
	if (h->ssl)
		SSL_set_shutdown(h->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(h->ssl);
	buf_free(&h->keylog);
	*h = (struct handshake){ 0 };
}
