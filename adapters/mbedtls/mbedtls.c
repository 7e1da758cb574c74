/* The adapter for Mbed TLS, 2.16 to 3.6. TLS 1.3 came with 3, and is there as far as the library was built with it.
 *
 *	handshake       mbedtls_ssl_handshake
 *	read, write     mbedtls_ssl_read, mbedtls_ssl_write. MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET (1.3) is no answer: the session is
 *	                taken, and the read called again, as ssl.h asks
 *	shutdown write  mbedtls_ssl_close_notify
 *	close           mbedtls_ssl_close_notify if none is out, mbedtls_ssl_free. Nothing is sent after an error: "you must stop using
 *	                the SSL context for reading or writing"; alerts the library sends of itself. MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY is
 *	                no error here, as in the programs that come with the library
 *	abandon         mbedtls_ssl_free, which sends nothing
 *
 * On sockets the library's own mbedtls_net_send and mbedtls_net_recv are the transport. Options:
 *
 *	short-writes    memory mode: the transport takes 1, 3 or 7 bytes at a time
 *
 * What the API cannot tell: which alert came (MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE is all, and an `error` here). What it does not
 * have: a call for the whole exchange, key updates. What the adapter does not do: renegotiation. A server
 * hands out tickets, and has mbedtls_ssl_cache for a client of TLS 1.2 that takes none. */
#include "adapters/skeleton/skeleton.h"

#include <stdio.h>
#include <stdlib.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cache.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/version.h>
#ifdef MBEDTLS_SSL_PROTO_TLS1_3
#include <psa/crypto.h>
#endif

#define countof(a) (sizeof(a) / sizeof((a)[0]))

struct tls {
	mbedtls_ssl_context ssl;
	mbedtls_net_context net;
	bool up;                        /* the handshake is through */
	bool notified;                  /* mbedtls_ssl_close_notify was through */
	bool ended, failed;             /* what came first: the peer's close_notify, or "you must stop using the SSL context" */
};

/* Made once. */
static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context drbg;
static mbedtls_x509_crt cert;
static mbedtls_pk_context key;
static mbedtls_ssl_ticket_context tickets;
static mbedtls_ssl_cache_context cache;
static mbedtls_ssl_config configs[2][2];                        /* client, server; 1.2, 1.3 */
static mbedtls_ssl_session session;                             /* a client's last one */
static bool kept;

/* ---- What the library said ---- */

static const struct { int ret; const char *name; enum outcome outcome; } errors[] = {
	{ MBEDTLS_ERR_SSL_WANT_READ, "MBEDTLS_ERR_SSL_WANT_READ", SAYS_WANT_READ },
	{ MBEDTLS_ERR_SSL_WANT_WRITE, "MBEDTLS_ERR_SSL_WANT_WRITE", SAYS_WANT_WRITE },
	{ MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY, "MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY", SAYS_CLOSED },
	{ MBEDTLS_ERR_SSL_CONN_EOF, "MBEDTLS_ERR_SSL_CONN_EOF", SAYS_TRUNCATED },
	{ MBEDTLS_ERR_NET_CONN_RESET, "MBEDTLS_ERR_NET_CONN_RESET", SAYS_RESET },
	{ MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE, "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE", SAYS_ERROR },
	{ MBEDTLS_ERR_SSL_BAD_INPUT_DATA, "MBEDTLS_ERR_SSL_BAD_INPUT_DATA", SAYS_REFUSED },
	{ MBEDTLS_ERR_SSL_INVALID_MAC, "MBEDTLS_ERR_SSL_INVALID_MAC", SAYS_ERROR },
	{ MBEDTLS_ERR_SSL_INVALID_RECORD, "MBEDTLS_ERR_SSL_INVALID_RECORD", SAYS_ERROR },
	{ MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE, "MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE", SAYS_ERROR },
};

/* A call that did not succeed; its name is noted here, too. */
static enum outcome failed(struct tls *t, struct call *k, const char *function, int ret)
{
	enum outcome o = SAYS_ERROR;
	char text[128];

	native(k, "%s=-0x%04x", function, (unsigned)-ret);
	for (size_t i = 0; i < countof(errors); i++)
		if (errors[i].ret == ret) {
			native(k, "%s", errors[i].name);
			o = errors[i].outcome;
		}
	if (o == SAYS_WANT_READ || o == SAYS_WANT_WRITE)
		return o;
	t->ended |= o == SAYS_CLOSED;
	t->failed |= !t->ended;
	mbedtls_strerror(ret, text, sizeof(text));
	native_text(k, text);
	return o;
}

/* ---- Calls ---- */

static enum outcome handshake_call(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;
	int ret = mbedtls_ssl_handshake(&t->ssl);
	enum outcome o = SAYS_OK;

	if (ret)
		o = failed(t, k, "mbedtls_ssl_handshake", ret);
	else
		native(k, "mbedtls_ssl_handshake=0");
	t->up = !ret;
	return o == SAYS_CLOSED ? SAYS_ERROR : o;       /* there is no stream yet that could be finished */
}

static void session_drop(void)
{
	mbedtls_ssl_session_free(&session);
	mbedtls_ssl_session_init(&session);
	kept = false;
}

static void session_take(struct tls *t)
{
	session_drop();
	kept = !mbedtls_ssl_get_session(&t->ssl, &session);
}

/* TLS 1.3: a ticket is told by a return of its own, "the client should then call mbedtls_ssl_get_session() ... before calling the
 * same message processing function again". */
static int read_behind_tickets(struct tls *t, struct call *k)
{
	int ret = mbedtls_ssl_read(&t->ssl, k->data, k->n);

#ifdef MBEDTLS_SSL_PROTO_TLS1_3
	while (ret == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) {
		session_take(t);
		ret = mbedtls_ssl_read(&t->ssl, k->data, k->n);
	}
#endif
	return ret;
}

static enum outcome read_call(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;
	int ret = read_behind_tickets(t, k);

	if (ret < 0)
		return failed(t, k, "mbedtls_ssl_read", ret);
	native(k, "mbedtls_ssl_read=%d", ret);
	k->done = (size_t)ret;
	t->failed |= !ret && !t->ended;
	return ret ? SAYS_DATA : SAYS_TRUNCATED;
}

static enum outcome write_call(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;
	int ret = mbedtls_ssl_write(&t->ssl, k->data, k->n);

	if (ret < 0)
		return failed(t, k, "mbedtls_ssl_write", ret);
	native(k, "mbedtls_ssl_write=%d", ret);
	k->done = (size_t)ret;
	return SAYS_OK;
}

static enum outcome shutdown_write_call(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;
	int ret = mbedtls_ssl_close_notify(&t->ssl);

	if (ret)
		return failed(t, k, "mbedtls_ssl_close_notify", ret);
	native(k, "mbedtls_ssl_close_notify=0");
	t->notified = true;
	return SAYS_SENT;
}

static enum outcome close_call(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;
	enum outcome o;

	if (t->failed || t->notified) {
		native(k, "mbedtls_ssl_free");
		return SAYS_OK;
	}
	o = shutdown_write_call(c, k);
	return o == SAYS_SENT ? SAYS_OK : o;
}

/* ---- Memory mode: the library's transport functions ---- */

static int push(void *c, const unsigned char *p, size_t n)
{
	ssize_t sent = memory_send(c, p, n);

	return sent < 0 ? MBEDTLS_ERR_SSL_WANT_WRITE : (int)sent;
}

static int pull(void *c, unsigned char *p, size_t n)
{
	ssize_t got = memory_recv(c, p, n);

	return got < 0 ? MBEDTLS_ERR_SSL_WANT_READ : (int)got;
}

static bool holds(struct conn *c)
{
	return c->io == IO_MEMORY && c->in.n;
}

/* ---- Set up and down ---- */

/* A context that must not be used any more gives no session. In TLS 1.3 sessions come with the tickets. */
static void keep_call(struct conn *c)
{
	struct tls *t = c->tls;

	if (!t->up || (c->version == 13 && !t->failed))
		return;
	if (t->failed)
		session_drop();
	else
		session_take(t);
}

static void abandon_call(struct conn *c)
{
	struct tls *t = c->tls;

	mbedtls_ssl_free(&t->ssl);
	free(t);
}

static int key_parse(const char *file)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	return mbedtls_pk_parse_keyfile(&key, file, NULL, mbedtls_ctr_drbg_random, &drbg);
#else
	return mbedtls_pk_parse_keyfile(&key, file, NULL);
#endif
}

/* Once for both versions. */
static int credentials_load(void)
{
	static bool loaded;
	const char *file = getenv("CLOSEDRILL_CERT");
	int ret = loaded ? 0 : !file ? MBEDTLS_ERR_X509_FILE_IO_ERROR : mbedtls_x509_crt_parse_file(&cert, file);

	if (!ret && !loaded && !(ret = key_parse(file)))
		ret = mbedtls_ssl_ticket_setup(&tickets, mbedtls_ctr_drbg_random, &drbg, MBEDTLS_CIPHER_AES_256_GCM, 86400);
	loaded |= !ret;
	return ret;
}

static void version_set(mbedtls_ssl_config *config, int version)
{
#ifdef MBEDTLS_SSL_PROTO_TLS1_3
	mbedtls_ssl_protocol_version v = version == 13 ? MBEDTLS_SSL_VERSION_TLS1_3 : MBEDTLS_SSL_VERSION_TLS1_2;

	mbedtls_ssl_conf_min_tls_version(config, v);
	mbedtls_ssl_conf_max_tls_version(config, v);
#ifdef MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED     /* from 3.6.1 on; before, they were always told */
	mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(config, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
#else
	(void)version;
	mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
#endif
}

static int server_config(mbedtls_ssl_config *config)
{
	int ret = credentials_load();

	if (ret)
		return ret;
	mbedtls_ssl_conf_session_cache(config, &cache, mbedtls_ssl_cache_get, mbedtls_ssl_cache_set);
	mbedtls_ssl_conf_session_tickets_cb(config, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse, &tickets);
	return mbedtls_ssl_conf_own_cert(config, &cert, &key);
}

static int config_make(mbedtls_ssl_config *config, bool server, int version)
{
	int ret = mbedtls_ssl_config_defaults(config, server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
	                                      MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);

	mbedtls_ssl_conf_rng(config, mbedtls_ctr_drbg_random, &drbg);
	mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_NONE);
	version_set(config, version);
	return ret || !server ? ret : server_config(config);
}

static int set_up(struct conn *c, struct tls *t)
{
	static bool made[2][2];
	mbedtls_ssl_config *config = &configs[c->server][c->version == 13];
	bool *done = &made[c->server][c->version == 13];
	int ret = *done ? 0 : config_make(config, c->server, c->version);

	*done |= !ret;
	mbedtls_ssl_init(&t->ssl);
	if (ret || (ret = mbedtls_ssl_setup(&t->ssl, config)))
		return ret;
	t->net.fd = c->fd;
	if (c->io == IO_MEMORY)
		mbedtls_ssl_set_bio(&t->ssl, c, push, pull, NULL);
	else
		mbedtls_ssl_set_bio(&t->ssl, &t->net, mbedtls_net_send, mbedtls_net_recv, NULL);
	if (c->server)
		return 0;
	if (!c->resume)
		session_drop();                 /* it starts afresh: nothing of an earlier run is offered later */
	return kept ? mbedtls_ssl_set_session(&t->ssl, &session) : 0;
}

static enum outcome open_call(struct conn *c, struct call *k)
{
	struct tls *t = calloc(1, sizeof(*t));
	int ret = t ? set_up(c, t) : MBEDTLS_ERR_SSL_ALLOC_FAILED;

	if (!ret) {
		c->tls = t;
		return SAYS_OK;
	}
	if (t) {
		failed(t, k, "open", ret);
		mbedtls_ssl_free(&t->ssl);
	}
	free(t);
	return SAYS_ERROR;
}

static void library_name(char *name, size_t cap)
{
	char version[32];

	mbedtls_version_get_string_full(version);               /* "Mbed TLS 2.28.3" */
	snprintf(name, cap, "%s", version);
}

static const char *const can[] = {
#ifdef MBEDTLS_SSL_PROTO_TLS1_3
	"tls1.3",
#endif
	"client server tls1.2 blocking nonblocking memory",
	"shutdown-write close abandon plain resumption renew fork siblings option:short-writes",
	NULL
};

static const struct adapter adapter = {
	.api = "mbedtls",
	.can = can,
	/* ssl.h, mbedtls_ssl_read: "0 if the read end of the underlying transport was closed without sending a CloseNotify
	 * beforehand", "MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY if the underlying transport is still functional, but the peer has
	 * acknowledged to not send anything anymore". */
	.promises = "truncation-visible",
	/* The same, of any other return of a read or a write: "you must stop using the SSL context for reading or writing". */
	.forbids = "after-error after-end",
	.library = library_name,
	.open = open_call,
	.handshake = handshake_call,
	.read = read_call,
	.write = write_call,
	.shutdown_write = shutdown_write_call,
	.close = close_call,
	.abandon = abandon_call,
	.keep = keep_call,
	.holds = holds,
};

/* "You must call psa_crypto_init() before initiating" anything of TLS 1.3. */
static bool psa_start(void)
{
#ifdef MBEDTLS_SSL_PROTO_TLS1_3
	return psa_crypto_init() == PSA_SUCCESS;
#else
	return true;
#endif
}

int main(void)
{
	int status = 1;

	mbedtls_entropy_init(&entropy);
	mbedtls_ctr_drbg_init(&drbg);
	mbedtls_x509_crt_init(&cert);
	mbedtls_pk_init(&key);
	mbedtls_ssl_ticket_init(&tickets);
	mbedtls_ssl_cache_init(&cache);
	for (size_t i = 0; i < 4; i++)
		mbedtls_ssl_config_init(&configs[i / 2][i % 2]);
	mbedtls_ssl_session_init(&session);
	if (!mbedtls_ctr_drbg_seed(&drbg, mbedtls_entropy_func, &entropy, NULL, 0) && psa_start())
		status = skeleton_run(&adapter);
	mbedtls_ssl_session_free(&session);
	for (size_t i = 0; i < 4; i++)
		mbedtls_ssl_config_free(&configs[i / 2][i % 2]);
	mbedtls_ssl_cache_free(&cache);
	mbedtls_ssl_ticket_free(&tickets);
	mbedtls_pk_free(&key);
	mbedtls_x509_crt_free(&cert);
	mbedtls_ctr_drbg_free(&drbg);
	mbedtls_entropy_free(&entropy);
	return status;
}
