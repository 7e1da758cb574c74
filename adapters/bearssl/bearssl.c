/* The adapter for BearSSL, which has TLS 1.2 at most, by its engine: the API that leaves all input and output to the application.
 *
 *	handshake       records back and forth until BR_SSL_SENDAPP
 *	read, write     br_ssl_engine_recvapp_buf and _ack, br_ssl_engine_sendapp_buf and _ack, br_ssl_engine_flush
 *	shutdown both   br_ssl_engine_close, then records back and forth until BR_SSL_CLOSED; application data are dropped, as
 *	                br_sslio_close does it
 *	close           br_ssl_engine_close if the engine is not closed, what it has to send, and no waiting
 *	abandon         nothing
 *
 * The native part is the state behind the call (br_ssl_engine_current_state), or BR_SSL_CLOSED and br_ssl_engine_last_error. The
 * engine does not see the end of the transport: an end or an error before BR_SSL_CLOSED is told in recv's words. What it does not
 * have: closing in one direction only ("no incoming record bytes" are taken after close_notify), TLS 1.3. What the API does not
 * tell: whether a session was resumed. Options:
 *
 *	short-writes    memory mode: the transport takes 1, 3 or 7 bytes at a time */
#include "adapters/skeleton/skeleton.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bearssl.h>

struct tls {
	union { br_ssl_client_context client; br_ssl_server_context server; } side;
	br_ssl_engine_context *engine;
	br_x509_minimal_context minimal;
	br_x509_knownkey_context x509;
	unsigned char room[BR_SSL_BUFSIZE_BIDI];
	bool up, closing;               /* the handshake is through; br_ssl_engine_close was called */
	size_t taken;                   /* bytes of this write that the engine has and the transport not yet */
};

/* Of CLOSEDRILL_CERT, loaded once. */
static unsigned char cert[8192];
static br_x509_certificate chain = { cert, 0 };
static br_x509_decoder_context x509;
static br_skey_decoder_context skey;

static br_ssl_session_cache_lru cache;
static unsigned char cache_room[100 * 1024];
static br_ssl_session_parameters session;       /* a client's last one */
static bool kept;

/* ---- Records back and forth ---- */

static enum outcome transport_failed(struct call *k, const char *function, ssize_t ret)
{
	int err = errno;

	native(k, "%s=%zd", function, ret);
	return ret ? native_errno(k, err) : SAYS_TRUNCATED;
}

/* One record, or a part of it, to the transport. */
static enum outcome push(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;
	size_t n;
	unsigned char *p = br_ssl_engine_sendrec_buf(t->engine, &n);
	ssize_t sent = conn_send(c, p, n);

	if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
		native(k, "br_ssl_engine_current_state=0x%02x", br_ssl_engine_current_state(t->engine));
		return SAYS_WANT_WRITE;
	}
	if (sent < 0)
		return transport_failed(k, "send", sent);
	br_ssl_engine_sendrec_ack(t->engine, (size_t)sent);
	return SAYS_OK;
}

static enum outcome pull(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;
	size_t n;
	unsigned char *p = br_ssl_engine_recvrec_buf(t->engine, &n);
	ssize_t got = conn_recv(c, p, n);

	if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
		native(k, "br_ssl_engine_current_state=0x%02x", br_ssl_engine_current_state(t->engine));
		return SAYS_WANT_READ;
	}
	if (got <= 0)
		return transport_failed(k, "recv", got);
	br_ssl_engine_recvrec_ack(t->engine, (size_t)got);
	return SAYS_OK;
}

static enum outcome closed(struct tls *t, struct call *k)
{
	int err = br_ssl_engine_last_error(t->engine);

	native(k, "BR_SSL_CLOSED br_ssl_engine_last_error=%d", err);
	if (err >= BR_ERR_RECV_FATAL_ALERT && err < BR_ERR_SEND_FATAL_ALERT) {
		k->alert = err - BR_ERR_RECV_FATAL_ALERT;
		return SAYS_ALERT;
	}
	return err == BR_ERR_OK ? SAYS_CLOSED : SAYS_ERROR;
}

/* Sends and receives until the engine is in one of these states (SAYS_OK), or cannot be. */
static enum outcome run_until(struct conn *c, struct call *k, unsigned states)
{
	struct tls *t = c->tls;

	for (;;) {
		unsigned state = br_ssl_engine_current_state(t->engine);
		enum outcome o;

		if (state & BR_SSL_CLOSED)
			return closed(t, k);
		o = state & BR_SSL_SENDREC ? push(c, k) : SAYS_WANT_WRITE;
		if (o == SAYS_OK)
			continue;
		/* br_sslio_read's run_until: "the peer is allowed by RFC 5246 not to wait" for the answer to its close_notify. */
		if ((o == SAYS_PIPE || o == SAYS_RESET) && states == BR_SSL_RECVAPP && t->engine->shutdown_recv && !t->closing)
			return SAYS_CLOSED;
		if (o != SAYS_WANT_WRITE || (state & BR_SSL_SENDREC && (states != BR_SSL_RECVAPP || t->closing)))
			return o;
		k->native[0] = '\0';            /* a read goes on while the transport takes nothing */
		if (state & states)
			return SAYS_OK;
		if (state & BR_SSL_RECVREC)
			o = pull(c, k);
		else {
			native(k, "br_ssl_engine_current_state=0x%02x", state);
			return SAYS_REFUSED;
		}
		if (o != SAYS_OK)
			return o;
	}
}

/* ---- Calls ---- */

static enum outcome handshake_call(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;
	enum outcome o = run_until(c, k, BR_SSL_SENDAPP);

	t->up = o == SAYS_OK;
	if (o == SAYS_OK)
		native(k, "BR_SSL_SENDAPP");
	return o == SAYS_CLOSED ? SAYS_ERROR : o;       /* there is no stream yet that could be finished */
}

static enum outcome read_call(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;
	enum outcome o = run_until(c, k, BR_SSL_RECVAPP);
	unsigned char *p;
	size_t n;

	if (o != SAYS_OK)
		return o;
	p = br_ssl_engine_recvapp_buf(t->engine, &n);
	k->done = n < k->n ? n : k->n;
	memcpy(k->data, p, k->done);
	br_ssl_engine_recvapp_ack(t->engine, k->done);
	native(k, "BR_SSL_RECVAPP br_ssl_engine_recvapp_buf=%zu", n);
	return SAYS_DATA;
}

static enum outcome write_call(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;
	enum outcome o;

	if (!k->repeated)
		t->taken = 0;
	if (!t->taken) {
		unsigned char *p;
		size_t n;

		if ((o = run_until(c, k, BR_SSL_SENDAPP)) != SAYS_OK)
			return o;
		p = br_ssl_engine_sendapp_buf(t->engine, &n);
		t->taken = n < k->n ? n : k->n;
		memcpy(p, k->data, t->taken);
		br_ssl_engine_sendapp_ack(t->engine, t->taken);
		br_ssl_engine_flush(t->engine, 0);
	}
	while (br_ssl_engine_current_state(t->engine) & BR_SSL_SENDREC)
		if ((o = push(c, k)) != SAYS_OK)
			return o;
	native(k, "br_ssl_engine_sendapp_ack=%zu", t->taken);
	k->done = t->taken;
	t->taken = 0;
	return SAYS_OK;
}

static void engine_close(struct tls *t)
{
	if (!t->closing)
		br_ssl_engine_close(t->engine);
	t->closing = true;
}

static enum outcome shutdown_both_call(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;
	enum outcome o;
	size_t n;

	engine_close(t);
	while ((o = run_until(c, k, BR_SSL_RECVAPP)) == SAYS_OK)
		if (br_ssl_engine_recvapp_buf(t->engine, &n))
			br_ssl_engine_recvapp_ack(t->engine, n);
	return o == SAYS_CLOSED ? SAYS_COMPLETE : o;
}

static enum outcome close_call(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;
	enum outcome o;

	engine_close(t);
	while (br_ssl_engine_current_state(t->engine) & BR_SSL_SENDREC)
		if ((o = push(c, k)) != SAYS_OK)
			return o;
	native(k, "br_ssl_engine_current_state=0x%02x", br_ssl_engine_current_state(t->engine));
	return SAYS_OK;
}

/* ---- Set up and down ---- */

static void cert_add(void *unused, const void *p, size_t n)
{
	(void)unused;
	if (chain.data_len + n > sizeof(cert))
		n = sizeof(cert) - chain.data_len;
	memcpy(cert + chain.data_len, p, n);
	chain.data_len += n;
}

static void key_add(void *unused, const void *p, size_t n)
{
	(void)unused;
	br_skey_decoder_push(&skey, p, n);
}

static void pem_read(unsigned char *p, size_t n)
{
	br_pem_decoder_context pem;

	br_pem_decoder_init(&pem);
	while (n) {
		size_t took = br_pem_decoder_push(&pem, p, n);

		p += took;
		n -= took;
		if (br_pem_decoder_event(&pem) == BR_PEM_BEGIN_OBJ)
			br_pem_decoder_setdest(&pem, strstr(br_pem_decoder_name(&pem), "KEY") ? key_add : cert_add, NULL);
	}
}

static bool cert_load(void)
{
	unsigned char text[16384];
	const char *file = getenv("CLOSEDRILL_CERT");
	int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return false;
	br_skey_decoder_init(&skey);
	br_x509_decoder_init(&x509, NULL, NULL);
	pem_read(text, (size_t)n);
	br_x509_decoder_push(&x509, cert, chain.data_len);
	br_ssl_session_cache_lru_init(&cache, cache_room, sizeof(cache_room));
	return br_skey_decoder_key_type(&skey) == BR_KEYTYPE_EC && br_x509_decoder_get_pkey(&x509);
}

/* The one key that a client trusts is that of CLOSEDRILL_CERT, which the peer presents as well. */
static bool client_set(struct conn *c, struct tls *t)
{
	const br_x509_pkey *pkey = br_x509_decoder_get_pkey(&x509);

	t->engine = &t->side.client.eng;
	br_ssl_client_init_full(&t->side.client, &t->minimal, NULL, 0);
	br_x509_knownkey_init_ec(&t->x509, &pkey->key.ec, BR_KEYTYPE_KEYX | BR_KEYTYPE_SIGN);
	br_ssl_engine_set_x509(t->engine, &t->x509.vtable);
	br_ssl_engine_set_versions(t->engine, BR_TLS12, BR_TLS12);
	br_ssl_engine_set_buffer(t->engine, t->room, sizeof(t->room), 1);
	kept &= c->resume;                      /* one that does not resume starts afresh */
	if (kept)
		br_ssl_engine_set_session_parameters(t->engine, &session);
	return br_ssl_client_reset(&t->side.client, "localhost", kept);
}

static bool server_set(struct tls *t)
{
	t->engine = &t->side.server.eng;
	br_ssl_server_init_full_ec(&t->side.server, &chain, 1, BR_KEYTYPE_EC, br_skey_decoder_get_ec(&skey));
	br_ssl_server_set_cache(&t->side.server, &cache.vtable);
	br_ssl_engine_set_versions(t->engine, BR_TLS12, BR_TLS12);
	br_ssl_engine_set_buffer(t->engine, t->room, sizeof(t->room), 1);
	return br_ssl_server_reset(&t->side.server);
}

/* Sessions are the application's: it keeps none of a connection that failed. */
static void keep_call(struct conn *c)
{
	struct tls *t = c->tls;

	if (!t->up)
		return;
	br_ssl_engine_get_session_parameters(t->engine, &session);
	kept = br_ssl_engine_last_error(t->engine) == BR_ERR_OK;
}

static void abandon_call(struct conn *c)
{
	free(c->tls);
}

static enum outcome open_call(struct conn *c, struct call *k)
{
	struct tls *t = calloc(1, sizeof(*t));

	if (t && (chain.data_len || cert_load()) && (c->server ? server_set(t) : client_set(c, t))) {
		c->tls = t;
		return SAYS_OK;
	}
	native_text(k, "no memory, or CLOSEDRILL_CERT is not set or not taken");
	free(t);
	return SAYS_ERROR;
}

/* BearSSL tells no version, neither at run time nor in its headers. */
static void library_name(char *name, size_t cap)
{
	snprintf(name, cap, "BearSSL");
}

static const char *const can[] = {
	"client server tls1.2 blocking nonblocking memory",
	"shutdown-both close abandon plain resumption renew fork siblings option:short-writes",
	NULL
};

static const struct adapter adapter = {
	.api = "bearssl",
	.can = can,
	.library = library_name,
	.open = open_call,
	.handshake = handshake_call,
	.read = read_call,
	.write = write_call,
	.shutdown_both = shutdown_both_call,
	.close = close_call,
	.abandon = abandon_call,
	.keep = keep_call,
};

int main(void)
{
	return skeleton_run(&adapter);
}
