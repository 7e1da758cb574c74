/* The adapter for libtls: LibreSSL's, or LibreTLS, which is the same over OpenSSL.
 *
 *	handshake       tls_handshake
 *	read, write     tls_read, tls_write
 *	shutdown write  tls_close, which sends close_notify and does not wait: the socket is ours
 *	close           tls_close if it was not called to its end and tls_handshake was, tls_free; tls_read(3) gives the order, also
 *	                after an error
 *	abandon         tls_free, which sends nothing
 *
 * What the API cannot tell: what kind of error it was. All is -1 and a text: alerts, resets and an end without close_notify are
 * an `error` here. What it does not have: a call for the whole exchange, key updates. Options:
 *
 *	short-writes    memory mode: the transport takes 1, 3 or 7 bytes at a time */
#include "adapters/skeleton/skeleton.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <tls.h>

struct tls_side {
	struct tls *conn;
	struct tls *server;             /* what conn was accepted on */
	struct tls_config *config;
	bool begun, closed;             /* tls_handshake was called; tls_close was through */
};

static int sessions[2] = { -1, -1 };    /* a client's session is kept in a file, by version */

/* ---- Calls ---- */

/* A call that did not succeed. */
static enum outcome failed(struct call *k, struct tls *conn, const char *function, ssize_t ret)
{
	native(k, ret == TLS_WANT_POLLIN ? "%s=TLS_WANT_POLLIN" : ret == TLS_WANT_POLLOUT ? "%s=TLS_WANT_POLLOUT" : "%s=-1", function);
	if (ret == TLS_WANT_POLLIN)
		return SAYS_WANT_READ;
	if (ret == TLS_WANT_POLLOUT)
		return SAYS_WANT_WRITE;
	native_text(k, tls_error(conn) ?: "no error");
	return SAYS_ERROR;
}

static enum outcome handshake_call(struct conn *c, struct call *k)
{
	struct tls_side *t = c->tls;
	int ret = tls_handshake(t->conn);

	t->begun = true;
	if (ret)
		return failed(k, t->conn, "tls_handshake", ret);
	native(k, "tls_handshake=0");
	return tls_conn_session_resumed(t->conn) ? SAYS_RESUMED : SAYS_OK;
}

static enum outcome read_call(struct conn *c, struct call *k)
{
	struct tls_side *t = c->tls;
	ssize_t ret = tls_read(t->conn, k->data, k->n);

	if (ret < 0)
		return failed(k, t->conn, "tls_read", ret);
	native(k, "tls_read=%zd", ret);
	k->done = (size_t)ret;
	return ret ? SAYS_DATA : SAYS_CLOSED;
}

static enum outcome write_call(struct conn *c, struct call *k)
{
	struct tls_side *t = c->tls;
	ssize_t ret = tls_write(t->conn, k->data, k->n);

	if (ret < 0)
		return failed(k, t->conn, "tls_write", ret);
	native(k, "tls_write=%zu", k->taken + (size_t)ret);
	k->done = (size_t)ret;
	return ret ? SAYS_OK : SAYS_ERROR;      /* 0: nothing was taken, and tls_error(3) has no text */
}

static enum outcome shutdown_write_call(struct conn *c, struct call *k)
{
	struct tls_side *t = c->tls;
	int ret = tls_close(t->conn);

	if (ret == TLS_WANT_POLLIN || ret == TLS_WANT_POLLOUT)
		return failed(k, t->conn, "tls_close", ret);
	t->closed = true;
	if (ret)
		return failed(k, t->conn, "tls_close", ret);
	native(k, "tls_close=0");
	return SAYS_SENT;
}

static enum outcome close_call(struct conn *c, struct call *k)
{
	struct tls_side *t = c->tls;
	enum outcome o;

	if (!t->begun || t->closed) {
		native(k, "tls_free");
		return SAYS_OK;
	}
	o = shutdown_write_call(c, k);
	return o == SAYS_SENT ? SAYS_OK : o;
}

/* ---- Memory mode: the library's transport callbacks ---- */

static ssize_t pull(struct tls *conn, void *p, size_t n, void *c)
{
	ssize_t got = memory_recv(c, p, n);

	(void)conn;
	return got < 0 ? TLS_WANT_POLLIN : got;
}

static ssize_t push(struct tls *conn, const void *p, size_t n, void *c)
{
	ssize_t sent = memory_send(c, p, n);

	(void)conn;
	return sent < 0 ? TLS_WANT_POLLOUT : sent;
}

static bool holds(struct conn *c)
{
	return c->io == IO_MEMORY && c->in.n;
}

/* ---- Set up and down ---- */

static void abandon_call(struct conn *c)
{
	struct tls_side *t = c->tls;

	tls_free(t->conn);
	tls_free(t->server);
	tls_config_free(t->config);
	free(t);
}

/* A client that does not resume starts afresh: no session of an earlier run is offered later. */
static bool session_set(const struct conn *c, struct tls_config *config)
{
	int *fd = &sessions[c->version == 13];

	if (*fd < 0 && (*fd = memfd_create("session", MFD_CLOEXEC)) >= 0)
		fchmod(*fd, S_IRUSR | S_IWUSR);         /* tls_config_set_session_fd(3) asks for it */
	if (!c->resume && ftruncate(*fd, 0))
		return false;
	return !tls_config_set_session_fd(config, *fd);
}

static bool client_up(struct conn *c, struct tls_side *t)
{
	tls_config_insecure_noverifycert(t->config);
	tls_config_insecure_noverifyname(t->config);
	t->conn = tls_client();
	if (!t->conn || !session_set(c, t->config) || tls_configure(t->conn, t->config))
		return false;
	if (c->io == IO_MEMORY)
		return !tls_connect_cbs(t->conn, pull, push, c, "localhost");
	return !tls_connect_socket(t->conn, c->fd, "localhost");
}

static bool server_up(struct conn *c, struct tls_side *t)
{
	const char *cert = getenv("CLOSEDRILL_CERT");

	t->server = tls_server();
	if (!t->server || !cert || tls_config_set_keypair_file(t->config, cert, cert) || tls_config_set_session_lifetime(t->config, 3600)
	    || tls_configure(t->server, t->config))
		return false;
	if (c->io == IO_MEMORY)
		return !tls_accept_cbs(t->server, &t->conn, pull, push, c);
	return !tls_accept_socket(t->server, &t->conn, c->fd);
}

static enum outcome open_call(struct conn *c, struct call *k)
{
	struct tls_side *t = calloc(1, sizeof(*t));
	uint32_t version = c->version == 13 ? TLS_PROTOCOL_TLSv1_3 : TLS_PROTOCOL_TLSv1_2;

	if (t && (t->config = tls_config_new()) && !tls_config_set_protocols(t->config, version)
	    && (c->server ? server_up(c, t) : client_up(c, t))) {
		c->tls = t;
		return SAYS_OK;
	}
	native_text(k, "no memory, or CLOSEDRILL_CERT is not set or not taken");
	c->tls = t;
	if (t)
		abandon_call(c);
	c->tls = NULL;
	return SAYS_ERROR;
}

/* Of itself libtls knows its API's date alone, as it was compiled; what counts is the library below it. */
static void library_name(char *name, size_t cap)
{
	const char *below = OpenSSL_version(OPENSSL_VERSION), *end = strchr(below, ' ');

	snprintf(name, cap, "libtls %d on %.*s", TLS_API, (int)(end + 1 + strcspn(end + 1, " ") - below), below);
}

static const char *const can[] = {
	"client server tls1.2 tls1.3 blocking nonblocking memory",
	"shutdown-write close abandon plain resumption renew fork siblings option:short-writes",
	NULL
};

static const struct adapter adapter = {
	.api = "libtls",
	.can = can,
	.library = library_name,
	.open = open_call,
	.handshake = handshake_call,
	.read = read_call,
	.write = write_call,
	.shutdown_write = shutdown_write_call,
	.close = close_call,
	.abandon = abandon_call,
	.holds = holds,
};

int main(void)
{
	int status = skeleton_run(&adapter);

	close(sessions[0]);
	close(sessions[1]);
	return status;
}
