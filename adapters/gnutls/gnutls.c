/* The adapter for GnuTLS, from 3.6.6 on.
 *
 *	handshake       gnutls_handshake
 *	read, write     gnutls_record_recv, gnutls_record_send
 *	shutdown write  gnutls_bye(GNUTLS_SHUT_WR)
 *	shutdown both   gnutls_bye(GNUTLS_SHUT_RDWR)
 *	close           gnutls_bye(GNUTLS_SHUT_WR) if gnutls_bye was not called to its end, and gnutls_handshake was called (it is
 *	                for a connection "initiated using gnutls_handshake()"); gnutls_deinit. GnuTLS sends no alert of its own:
 *	                after a fatal error of the protocol it is gnutls_alert_send_appropriate in place of gnutls_bye, after one
 *	                of the transport nothing (so do the manual's examples)
 *	abandon         gnutls_deinit, which sends nothing
 *	key_update      gnutls_session_key_update
 *
 * An error that gnutls_error_is_fatal does not call fatal is no answer: the call is repeated, when the socket is ready for
 * GNUTLS_E_AGAIN, at once for the others (an alert at level warning, a request to renegotiate, an interruption), as
 * gnutls_record_recv(3) lets the caller do. Options:
 *
 *	short-writes    memory mode: the transport takes 1, 3 or 7 bytes at a time
 *
 * What the API cannot tell: a reset, which is GNUTLS_E_PREMATURE_TERMINATION like an end without close_notify. What the adapter
 * does not do: gnutls_record_cork, renegotiation. A server hands out tickets, and keeps the last session of TLS 1.2 for a client that
 * takes none (gnutls_db_set_store_function and its like). */
#include "adapters/skeleton/skeleton.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/gnutls.h>

struct tls {
	gnutls_session_t session;
	bool begun, up;                 /* the handshake: was called, is through */
	bool bye;                       /* gnutls_bye was through, or failed for good: the close_notify is out or lost */
	int fatal;                      /* the first fatal error; 0: none */
	bool at_once;                   /* the call is to be repeated without waiting */
};

/* Kept over connections. */
static gnutls_certificate_credentials_t credentials[2];
static gnutls_datum_t ticket_key, sessions[2];                  /* sessions of a client, by version */
static gnutls_datum_t cached_id, cached;                        /* the last session of a server without tickets */

/* ---- What the library said ---- */

static bool of_transport(int ret)
{
	return ret == GNUTLS_E_PREMATURE_TERMINATION || ret == GNUTLS_E_PULL_ERROR || ret == GNUTLS_E_PUSH_ERROR;
}

/* A call that did not succeed; its name and value are noted already. */
static enum outcome failed(struct tls *t, struct call *k, int ret)
{
	int err = errno;
	bool misuse = ret == GNUTLS_E_INVALID_SESSION || ret == GNUTLS_E_INVALID_REQUEST;

	native(k, "%s", gnutls_strerror_name(ret));
	if (!gnutls_error_is_fatal(ret)) {
		t->at_once = ret != GNUTLS_E_AGAIN;
		if (ret == GNUTLS_E_WARNING_ALERT_RECEIVED)
			native(k, "gnutls_alert_get=%d", (int)gnutls_alert_get(t->session));
		return gnutls_record_get_direction(t->session) ? SAYS_WANT_WRITE : SAYS_WANT_READ;
	}
	if (!t->fatal && !misuse)
		t->fatal = ret;
	if (ret == GNUTLS_E_PULL_ERROR || ret == GNUTLS_E_PUSH_ERROR)
		return native_errno(k, err);
	if (ret == GNUTLS_E_FATAL_ALERT_RECEIVED) {
		k->alert = (int)gnutls_alert_get(t->session);
		native_text(k, gnutls_alert_get_name((gnutls_alert_description_t)k->alert) ?: "unknown");
		return SAYS_ALERT;
	}
	native_text(k, gnutls_strerror(ret));
	return ret == GNUTLS_E_PREMATURE_TERMINATION ? SAYS_TRUNCATED : misuse ? SAYS_REFUSED : SAYS_ERROR;
}

static struct tls *fresh(struct conn *c)
{
	struct tls *t = c->tls;

	t->at_once = false;
	errno = 0;
	return t;
}

static bool holds(struct conn *c)
{
	struct tls *t = c->tls;

	return t->at_once || (c->io == IO_MEMORY && c->in.n);
}

/* ---- Calls ---- */

static enum outcome handshake_call(struct conn *c, struct call *k)
{
	struct tls *t = fresh(c);
	int ret = gnutls_handshake(t->session);

	t->begun = true;
	native(k, "gnutls_handshake=%d", ret);
	if (ret)
		return failed(t, k, ret);
	t->up = true;
	return gnutls_session_is_resumed(t->session) ? SAYS_RESUMED : SAYS_OK;
}

static enum outcome read_call(struct conn *c, struct call *k)
{
	struct tls *t = fresh(c);
	ssize_t ret = gnutls_record_recv(t->session, k->data, k->n);

	native(k, "gnutls_record_recv=%zd", ret);
	if (ret < 0)
		return failed(t, k, (int)ret);
	k->done = (size_t)ret;
	return ret ? SAYS_DATA : SAYS_CLOSED;
}

static enum outcome write_call(struct conn *c, struct call *k)
{
	struct tls *t = fresh(c);
	ssize_t ret = gnutls_record_send(t->session, k->data, k->n);

	native(k, "gnutls_record_send=%zd", ret);
	if (ret < 0)
		return failed(t, k, (int)ret);
	k->done = (size_t)ret;
	return SAYS_OK;
}

static enum outcome bye(struct conn *c, struct call *k, gnutls_close_request_t how, enum outcome done)
{
	struct tls *t = fresh(c);
	int ret = gnutls_bye(t->session, how);

	native(k, "gnutls_bye=%d", ret);
	t->bye = !ret || gnutls_error_is_fatal(ret);
	return ret ? failed(t, k, ret) : done;
}

static enum outcome shutdown_write_call(struct conn *c, struct call *k)
{
	return bye(c, k, GNUTLS_SHUT_WR, SAYS_SENT);
}

static enum outcome shutdown_both_call(struct conn *c, struct call *k)
{
	return bye(c, k, GNUTLS_SHUT_RDWR, SAYS_COMPLETE);
}

static enum outcome close_call(struct conn *c, struct call *k)
{
	struct tls *t = fresh(c);
	int ret;

	if (!t->begun || t->bye || of_transport(t->fatal)) {
		native(k, "gnutls_deinit");
		return SAYS_OK;
	}
	if (!t->fatal)
		return bye(c, k, GNUTLS_SHUT_WR, SAYS_OK);
	ret = gnutls_alert_send_appropriate(t->session, t->fatal);
	native(k, "gnutls_alert_send_appropriate=%d", ret);
	return ret < 0 ? failed(t, k, ret) : SAYS_OK;
}

static enum outcome key_update_call(struct conn *c, struct call *k)
{
	struct tls *t = fresh(c);
	int ret = gnutls_session_key_update(t->session, k->requested ? GNUTLS_KU_PEER : 0);

	native(k, "gnutls_session_key_update=%d", ret);
	return ret ? failed(t, k, ret) : SAYS_OK;
}

/* ---- Memory mode: the library's transport functions ---- */

static ssize_t pull(gnutls_transport_ptr_t c, void *p, size_t n)
{
	return memory_recv(c, p, n);
}

static ssize_t push(gnutls_transport_ptr_t c, const void *p, size_t n)
{
	return memory_send(c, p, n);
}

static int pull_timeout(gnutls_transport_ptr_t ptr, unsigned ms)
{
	struct conn *c = ptr;

	(void)ms;
	return c->in.n || c->ended;
}

static void transport_set(struct conn *c, struct tls *t)
{
	if (c->io != IO_MEMORY) {
		gnutls_transport_set_int(t->session, c->fd);
		return;
	}
	gnutls_transport_set_ptr(t->session, c);
	gnutls_transport_set_pull_function(t->session, pull);
	gnutls_transport_set_pull_timeout_function(t->session, pull_timeout);
	gnutls_transport_set_push_function(t->session, push);
}

/* ---- Set up and down ---- */

static gnutls_datum_t *session_of(const struct conn *c)
{
	return &sessions[c->version == 13];
}

/* In 1.3 there is no session before the ticket has come: gnutls_session_get_data2(3). */
static void keep_call(struct conn *c)
{
	gnutls_datum_t *s = session_of(c);
	struct tls *t = c->tls;

	if (!t->up)
		return;
	gnutls_free(s->data);
	s->data = NULL;
	if (c->version == 13 && !(gnutls_session_get_flags(t->session) & GNUTLS_SFLAGS_SESSION_TICKET))
		return;
	if (gnutls_session_get_data2(t->session, s))
		s->data = NULL;
}

/* gnutls_db_remove_session(3): "should be called if a session was terminated abnormally, and before gnutls_deinit()". */
static void abandon_call(struct conn *c)
{
	struct tls *t = c->tls;

	if (t->fatal)
		gnutls_db_remove_session(t->session);
	gnutls_deinit(t->session);
	free(t);
}

/* ---- The cache of a server: one session ---- */

static bool datum_set(gnutls_datum_t *to, gnutls_datum_t from)
{
	gnutls_free(to->data);
	to->data = gnutls_malloc(from.size);
	to->size = to->data ? from.size : 0;
	if (to->data)
		memcpy(to->data, from.data, from.size);
	return to->data;
}

static bool is_cached(gnutls_datum_t id)
{
	return cached.data && cached_id.size == id.size && memcmp(cached_id.data, id.data, id.size) == 0;
}

static int cache_store(void *arg, gnutls_datum_t id, gnutls_datum_t session)
{
	(void)arg;
	return datum_set(&cached_id, id) && datum_set(&cached, session) ? 0 : GNUTLS_E_MEMORY_ERROR;
}

/* The library frees what it gets. */
static gnutls_datum_t cache_retrieve(void *arg, gnutls_datum_t id)
{
	gnutls_datum_t copy = { NULL, 0 };

	(void)arg;
	if (is_cached(id))
		datum_set(&copy, cached);
	return copy;
}

static int cache_remove(void *arg, gnutls_datum_t id)
{
	(void)arg;
	if (is_cached(id)) {
		gnutls_free(cached.data);
		cached.data = NULL;
	}
	return 0;
}

static int server_set(gnutls_session_t session)
{
	gnutls_db_set_store_function(session, cache_store);
	gnutls_db_set_retrieve_function(session, cache_retrieve);
	gnutls_db_set_remove_function(session, cache_remove);
	return gnutls_session_ticket_enable_server(session, &ticket_key);
}

static int credentials_set(bool server, gnutls_session_t session)
{
	const char *cert = getenv("CLOSEDRILL_CERT");
	gnutls_certificate_credentials_t *cred = &credentials[server];
	int ret = 0;

	if (!*cred) {
		ret = gnutls_certificate_allocate_credentials(cred);
		if (!ret && server)
			ret = cert ? gnutls_certificate_set_x509_key_file(*cred, cert, cert, GNUTLS_X509_FMT_PEM) : GNUTLS_E_FILE_ERROR;
		if (!ret && server)
			ret = gnutls_session_ticket_key_generate(&ticket_key);
	}
	if (!ret && server)
		ret = server_set(session);
	return ret ? ret : gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, *cred);
}

/* A client that does not resume starts afresh: no session of an earlier run is offered later. */
static int session_set(struct conn *c, gnutls_session_t session)
{
	gnutls_datum_t *s = session_of(c);

	if (c->server || !s->data)
		return 0;
	if (c->resume)
		return gnutls_session_set_data(session, s->data, s->size);
	gnutls_free(s->data);
	s->data = NULL;
	return 0;
}

static enum outcome open_call(struct conn *c, struct call *k)
{
	const char *versions = c->version == 13 ? "NORMAL:-VERS-ALL:+VERS-TLS1.3" : "NORMAL:-VERS-ALL:+VERS-TLS1.2";
	struct tls *t = calloc(1, sizeof(*t));
	int ret = t ? gnutls_init(&t->session, c->server ? GNUTLS_SERVER : GNUTLS_CLIENT) : GNUTLS_E_MEMORY_ERROR;

	if (!ret && !(ret = gnutls_priority_set_direct(t->session, versions, NULL))
	    && !(ret = credentials_set(c->server, t->session)) && !(ret = session_set(c, t->session))) {
		transport_set(c, t);
		c->tls = t;
		return SAYS_OK;
	}
	native(k, "%s", gnutls_strerror_name(ret));
	native_text(k, gnutls_strerror(ret));
	if (t && t->session)
		gnutls_deinit(t->session);
	free(t);
	return SAYS_ERROR;
}

static void library_name(char *name, size_t cap)
{
	snprintf(name, cap, "GnuTLS %s", gnutls_check_version(NULL));
}

static const char *const can[] = {
	"client server tls1.2 tls1.3 blocking nonblocking memory",
	"shutdown-write shutdown-both close abandon plain resumption key-update renew fork siblings option:short-writes",
	NULL
};

static const struct adapter adapter = {
	.api = "gnutls",
	.can = can,
	/* Manual, "Error codes": GNUTLS_E_PREMATURE_TERMINATION, "The TLS connection was non-properly terminated." gnutls_bye(3):
	 * GNUTLS_SHUT_RDWR "sends an alert containing a close request and waits for the peer to reply with the same message", "If
	 * the return value is zero you may continue using the underlying transport layer"; after GNUTLS_SHUT_WR "in order to reuse
	 * the connection you should wait for an EOF from the peer". */
	.promises = "truncation-visible complete-means-both transport-reusable",
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
	int status = skeleton_run(&adapter);

	for (size_t i = 0; i < 2; i++) {
		gnutls_free(sessions[i].data);
		gnutls_certificate_free_credentials(credentials[i]);
	}
	gnutls_free(ticket_key.data);
	gnutls_free(cached_id.data);
	gnutls_free(cached.data);
	return status;
}
