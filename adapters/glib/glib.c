/* The adapter for GLib's GTlsConnection over a GSocketConnection. The TLS is a module of glib-networking (its name is told; in Debian it
 * stands on GnuTLS). Blocking mode has the calls that block, non-blocking mode the pollable streams and, where those have no call, what
 * ends in _async, with g_main_context_iteration in place of poll(2).
 *
 *	handshake       g_tls_connection_handshake, _async
 *	read            g_input_stream_read, g_pollable_input_stream_read_nonblocking
 *	write           g_output_stream_write, g_pollable_output_stream_write_nonblocking
 *	shutdown write  g_output_stream_close, _async
 *	close           g_io_stream_close, _async: it sends close_notify if none is out, waits for nothing, and closes the socket
 *	abandon         the socket is closed (g_socket_close), which is the "unclean close" of g_tls_connection_set_require_close_notify's
 *	                page; the connection is let go of
 *
 * The native part is the call's value and the error's domain and code. G_IO_ERROR_CONNECTION_CLOSED and G_IO_ERROR_BROKEN_PIPE are one
 * code: it is answered as `pipe` by a write, else as `reset`. What the API does not tell: the peer's alert (it is in the text alone);
 * that a session was resumed. What it does not have: the whole exchange, key updates, a choice of the version (the peer
 * takes the one that is wanted), a descriptor that outlives the connection. What the adapter does not do: memory mode, for
 * which it would need a GIOStream of its own; resumption, which the module does by itself where address and name of the
 * server are the same: so that no session of an earlier connection is offered, each connection names the server otherwise.
 * Options:
 *
 *	ignore-eof      g_tls_connection_set_require_close_notify(FALSE) */
#include "adapters/skeleton/skeleton.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <gio/gio.h>
#include <glib-unix.h>

#define countof(a) (sizeof(a) / sizeof((a)[0]))

/* Calls that have no form that does not block, but an asynchronous one. */
enum { HANDSHAKE, OUTPUT_CLOSE, CLOSE, OPS };

struct slot {
	bool pending;                   /* it is under way */
	GAsyncResult *result;           /* it is through */
};

struct tls {
	GSocket *socket;
	GTlsConnection *conn;
	GInputStream *in;               /* these two are the connection's */
	GOutputStream *out;
	struct slot slots[OPS];
	struct slot *awaited;           /* by the call that waits; NULL: it waits for a stream */
};

/* ---- The loop ---- */

static gboolean line_came(gint fd, GIOCondition what, gpointer flag)
{
	(void)fd, (void)what;
	*(bool *)flag = true;
	return G_SOURCE_CONTINUE;
}

static gboolean stream_ready(GObject *stream, gpointer flag)
{
	(void)stream;
	*(bool *)flag = true;
	return G_SOURCE_CONTINUE;
}

static void op_done(GObject *conn, GAsyncResult *result, gpointer arg)
{
	struct slot *slot = arg;

	(void)conn;
	slot->pending = false;
	slot->result = g_object_ref(result);
}

static GSource *source_add(GSource *s, GSourceFunc f, bool *flag)
{
	g_source_set_callback(s, f, flag, NULL);
	g_source_attach(s, NULL);
	return s;
}

static void source_drop(GSource *s)
{
	g_source_destroy(s);
	g_source_unref(s);
}

/* Until the operation is through that is awaited, or, where none is, a stream is ready for what was wanted; or there is a line. */
static void wait_in_loop(struct conn *c, enum outcome wanted)
{
	struct tls *t = c->tls;
	struct slot *slot = t->awaited;
	bool stop = false;
	GSource *line = source_add(g_unix_fd_source_new(STDIN_FILENO, G_IO_IN), G_SOURCE_FUNC(line_came), &stop), *stream = NULL;

	if (!slot && wanted == SAYS_WANT_READ)
		stream = g_pollable_input_stream_create_source(G_POLLABLE_INPUT_STREAM(t->in), NULL);
	else if (!slot)
		stream = g_pollable_output_stream_create_source(G_POLLABLE_OUTPUT_STREAM(t->out), NULL);
	if (stream)
		source_add(stream, G_SOURCE_FUNC(stream_ready), &stop);
	while (!stop && !(slot && slot->result))
		g_main_context_iteration(NULL, TRUE);
	source_drop(line);
	if (stream)
		source_drop(stream);
}

/* ---- What the library said ---- */

static const struct {
	GQuark (*domain)(void);
	int code;
	const char *name;
	enum outcome outcome;
} errors[] = {
	{ g_tls_error_quark, G_TLS_ERROR_EOF, "G_TLS_ERROR_EOF", SAYS_TRUNCATED },
	{ g_tls_error_quark, G_TLS_ERROR_MISC, "G_TLS_ERROR_MISC", SAYS_ERROR },
	{ g_tls_error_quark, G_TLS_ERROR_NOT_TLS, "G_TLS_ERROR_NOT_TLS", SAYS_ERROR },
	{ g_tls_error_quark, G_TLS_ERROR_HANDSHAKE, "G_TLS_ERROR_HANDSHAKE", SAYS_ERROR },
	{ g_io_error_quark, G_IO_ERROR_CONNECTION_CLOSED, "G_IO_ERROR_CONNECTION_CLOSED", SAYS_RESET },
	{ g_io_error_quark, G_IO_ERROR_CLOSED, "G_IO_ERROR_CLOSED", SAYS_REFUSED },
	{ g_io_error_quark, G_IO_ERROR_PENDING, "G_IO_ERROR_PENDING", SAYS_REFUSED },
	{ g_io_error_quark, G_IO_ERROR_TIMED_OUT, "G_IO_ERROR_TIMED_OUT", SAYS_ERROR },
	{ g_io_error_quark, G_IO_ERROR_FAILED, "G_IO_ERROR_FAILED", SAYS_ERROR },
};

/* Takes the error. want: what a call that would block waits for. */
static enum outcome failed(struct call *k, GError *e, enum outcome want)
{
	enum outcome o = SAYS_ERROR;
	size_t i = 0;

	if (g_error_matches(e, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
		native(k, "G_IO_ERROR_WOULD_BLOCK");
		g_error_free(e);
		return want;
	}
	while (i < countof(errors) && !g_error_matches(e, errors[i].domain(), errors[i].code))
		i++;
	if (i < countof(errors)) {
		native(k, "%s", errors[i].name);
		o = errors[i].outcome;
	} else {
		native(k, "%s=%d", g_quark_to_string(e->domain), e->code);
	}
	native_text(k, e->message);
	g_error_free(e);
	return o == SAYS_RESET && want == SAYS_WANT_WRITE ? SAYS_PIPE : o;
}

/* ---- Calls ---- */

struct op {
	const char *name;
	gboolean (*now)(struct tls *, GError **);
	void (*begin)(struct tls *, struct slot *);
	gboolean (*finish)(struct tls *, GAsyncResult *, GError **);
};

static gboolean handshake_now(struct tls *t, GError **e)
{
	return g_tls_connection_handshake(t->conn, NULL, e);
}

static void handshake_begin(struct tls *t, struct slot *slot)
{
	g_tls_connection_handshake_async(t->conn, G_PRIORITY_DEFAULT, NULL, op_done, slot);
}

static gboolean handshake_finish(struct tls *t, GAsyncResult *r, GError **e)
{
	return g_tls_connection_handshake_finish(t->conn, r, e);
}

static gboolean output_close_now(struct tls *t, GError **e)
{
	return g_output_stream_close(t->out, NULL, e);
}

static void output_close_begin(struct tls *t, struct slot *slot)
{
	g_output_stream_close_async(t->out, G_PRIORITY_DEFAULT, NULL, op_done, slot);
}

static gboolean output_close_finish(struct tls *t, GAsyncResult *r, GError **e)
{
	return g_output_stream_close_finish(t->out, r, e);
}

static gboolean close_now(struct tls *t, GError **e)
{
	return g_io_stream_close(G_IO_STREAM(t->conn), NULL, e);
}

static void close_begin(struct tls *t, struct slot *slot)
{
	g_io_stream_close_async(G_IO_STREAM(t->conn), G_PRIORITY_DEFAULT, NULL, op_done, slot);
}

static gboolean close_finish(struct tls *t, GAsyncResult *r, GError **e)
{
	return g_io_stream_close_finish(G_IO_STREAM(t->conn), r, e);
}

static const struct op ops[OPS] = {
	[HANDSHAKE] = { "g_tls_connection_handshake", handshake_now, handshake_begin, handshake_finish },
	[OUTPUT_CLOSE] = { "g_output_stream_close", output_close_now, output_close_begin, output_close_finish },
	[CLOSE] = { "g_io_stream_close", close_now, close_begin, close_finish },
};

/* Begun once, and asked for when it is through. SAYS_WANT_READ until then. */
static enum outcome op_call(struct conn *c, struct call *k, int which, enum outcome done)
{
	const struct op *op = &ops[which];
	struct tls *t = c->tls;
	struct slot *slot = &t->slots[which];
	GError *e = NULL;
	gboolean ret;

	t->awaited = slot;
	if (c->io == IO_BLOCKING) {
		ret = op->now(t, &e);
	} else {
		if (!slot->pending && !slot->result) {
			slot->pending = true;
			op->begin(t, slot);
		}
		while (g_main_context_iteration(NULL, FALSE))
			;
		if (!slot->result) {
			native(k, "%s_async", op->name);
			return SAYS_WANT_READ;
		}
		ret = op->finish(t, slot->result, &e);
		g_clear_object(&slot->result);
	}
	native(k, "%s=%d", op->name, ret);
	return ret ? done : failed(k, e, SAYS_WANT_READ);
}

static enum outcome handshake_call(struct conn *c, struct call *k)
{
	return op_call(c, k, HANDSHAKE, SAYS_OK);
}

static enum outcome read_call(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;
	GError *e = NULL;
	gssize ret;

	t->awaited = NULL;
	if (c->io == IO_BLOCKING)
		ret = g_input_stream_read(t->in, k->data, k->n, NULL, &e);
	else
		ret = g_pollable_input_stream_read_nonblocking(G_POLLABLE_INPUT_STREAM(t->in), k->data, k->n, NULL, &e);
	native(k, "read=%zd", ret);
	if (ret < 0)
		return failed(k, e, SAYS_WANT_READ);
	k->done = (size_t)ret;
	return ret ? SAYS_DATA : SAYS_CLOSED;
}

static enum outcome write_call(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;
	GError *e = NULL;
	gssize ret;

	t->awaited = NULL;
	if (c->io == IO_BLOCKING)
		ret = g_output_stream_write(t->out, k->data, k->n, NULL, &e);
	else
		ret = g_pollable_output_stream_write_nonblocking(G_POLLABLE_OUTPUT_STREAM(t->out), k->data, k->n, NULL, &e);
	native(k, "write=%zd", ret);
	if (ret < 0)
		return failed(k, e, SAYS_WANT_WRITE);
	k->done = (size_t)ret;
	return SAYS_OK;
}

static enum outcome shutdown_write_call(struct conn *c, struct call *k)
{
	return op_call(c, k, OUTPUT_CLOSE, SAYS_SENT);
}

static enum outcome close_call(struct conn *c, struct call *k)
{
	return op_call(c, k, CLOSE, SAYS_OK);
}

/* ---- Set up and down ---- */

/* The descriptor belongs to the GSocket. An operation under way ends when its socket does. */
static void abandon_call(struct conn *c)
{
	struct tls *t = c->tls;

	for (size_t i = 0; i < OPS; i++) {
		if (t->slots[i].pending)
			g_socket_shutdown(t->socket, TRUE, TRUE, NULL);
		while (t->slots[i].pending)
			g_main_context_iteration(NULL, TRUE);
		g_clear_object(&t->slots[i].result);
	}
	g_socket_close(t->socket, NULL);
	g_object_unref(t->conn);
	g_object_unref(t->socket);
	while (g_main_context_iteration(NULL, FALSE))
		;
	c->fd = -1;
	free(t);
}

static gboolean certificate_accept(GTlsConnection *conn, GTlsCertificate *cert, GTlsCertificateFlags flags, gpointer unused)
{
	(void)conn, (void)cert, (void)flags, (void)unused;
	return TRUE;
}

/* An address, of which the ClientHello says nothing. */
static GIOStream *client_new(GIOStream *base, GError **e)
{
	static unsigned number;
	char name[32];
	GSocketConnectable *identity;
	GIOStream *io;

	number++;
	snprintf(name, sizeof(name), "127.%u.%u.%u", number >> 16 & 255, number >> 8 & 255, number & 255);
	identity = g_network_address_new(name, 443);
	io = g_tls_client_connection_new(base, identity, e);
	g_object_unref(identity);
	return io;
}

static GIOStream *connection_new(const struct conn *c, GIOStream *base, GError **e)
{
	static GTlsCertificate *cert;
	const char *file = getenv("CLOSEDRILL_CERT");

	if (!c->server)
		return client_new(base, e);
	if (!cert)
		cert = g_tls_certificate_new_from_file(file ? file : "", e);
	return cert ? g_tls_server_connection_new(base, cert, e) : NULL;
}

static enum outcome open_call(struct conn *c, struct call *k)
{
	struct tls *t = calloc(1, sizeof(*t));
	GSocketConnection *base;
	GIOStream *io = NULL;
	GError *e = NULL;

	if (!t)
		abort();
	t->socket = g_socket_new_from_fd(c->fd, &e);
	if (t->socket) {
		base = g_socket_connection_factory_create_connection(t->socket);
		io = connection_new(c, G_IO_STREAM(base), &e);
		g_object_unref(base);
	}
	if (!io) {
		native(k, "open=0");
		failed(k, e, SAYS_ERROR);
		if (t->socket)
			c->fd = -1;
		g_clear_object(&t->socket);
		free(t);
		return SAYS_ERROR;
	}
	t->conn = G_TLS_CONNECTION(io);
	t->in = g_io_stream_get_input_stream(io);
	t->out = g_io_stream_get_output_stream(io);
	g_tls_connection_set_database(t->conn, NULL);   /* nothing is verified: then the trust of the system is not loaded each time */
	g_signal_connect(io, "accept-certificate", G_CALLBACK(certificate_accept), NULL);
	g_tls_connection_set_require_close_notify(t->conn, !conn_option(c, "ignore-eof"));
	c->tls = t;
	return SAYS_OK;
}

/* The module is known by its types: GTlsConnectionGnutls. It tells no version. */
static void library_name(char *name, size_t cap)
{
	snprintf(name, cap, "GLib %u.%u.%u, %s", glib_major_version, glib_minor_version, glib_micro_version,
	         g_type_name(g_tls_backend_get_client_connection_type(g_tls_backend_get_default())));
}

static const char *const can[] = {
	"client server tls1.2 tls1.3 blocking nonblocking",
	"shutdown-write close abandon plain option:ignore-eof",
	NULL
};

static const struct adapter adapter = {
	.api = "glib",
	.can = can,
	/* g_tls_connection_set_require_close_notify: by default "it will return a G_TLS_ERROR_EOF error if the connection is closed
	 * without proper notification"; when the application closes, "this will send a close notification". */
	.promises = "truncation-visible close-notifies",
	.library = library_name,
	.open = open_call,
	.handshake = handshake_call,
	.read = read_call,
	.write = write_call,
	.shutdown_write = shutdown_write_call,
	.close = close_call,
	.abandon = abandon_call,
	.wait = wait_in_loop,
};

/* The library's threads that have nothing to do wait without a timer: else the runner would wait for that timer. */
int main(void)
{
	g_thread_pool_set_max_idle_time(0);
	return skeleton_run(&adapter);
}
