/* The reference: an implementation that does all that the standards ask, made of our own record layer (engine.h). The suite is
 * tested against it: it passes every case, and with one of its faults (faults.h) the right cases fail.
 *
 *	read, write     engine_read, engine_write: one record a call
 *	shutdown write  engine_shutdown_write: complete if the peer's close_notify has come
 *	shutdown both   engine_shutdown_both: refused while data lies unread
 *	early read      engine_early_read: ok when there is no more
 *	early write     engine_early_write
 *	close           engine_close: close_notify if none is out and nothing has failed; it does not wait
 *	plain           the transport itself: the engine takes no byte beyond the record that it reads
 *
 * Faults: `reference --fault NAME`, or CLOSEDRILL_FAULT in the environment; `reference --faults` lists them.
 * Options: early-data (0-RTT: a server's tickets permit it), ignore-eof (a bare FIN between two records is an end), cork (small writes wait
 * for a full record or the close), split-descriptors (it writes to a duplicate),
 * stale-error (OpenSSL's queue holds an error before each call), short-writes. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "adapters/reference/engine.h"
#include "adapters/reference/faults.h"
#include "adapters/skeleton/skeleton.h"

/* What connections of one role and version share. */
static struct side {
	struct context context;
	SSL_SESSION *session;
	bool failed;                            /* for one of the faults: an error alert has met a connection since the last full one */
} sides[2][2];

static struct side *side_of(const struct conn *c)
{
	return &sides[c->server][c->version == 13];
}

/* A connection of ours. */
struct tls {
	struct engine engine;
	int write_fd;                           /* option:split-descriptors; -1: the descriptor is one */
	struct { uint8_t p[65536]; size_t at, n; } ahead;
};

/* ---- The transport ---- */

/* Whoever waits for input lets the other calls go on; what they touch is not what the waiting one touches. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static ssize_t transport_take(struct conn *c, void *p, size_t n, bool wait)
{
	ssize_t got;
	int err;

	if (c->io == IO_MEMORY)
		return memory_recv(c, p, n);
	pthread_mutex_unlock(&lock);
	do
		got = recv(c->fd, p, n, wait ? 0 : MSG_DONTWAIT);
	while (got < 0 && errno == EINTR && !fault(FAULT_SIGNAL_IS_ERROR));
	err = errno;
	pthread_mutex_lock(&lock);
	errno = err;
	return got;
}

/* For one of the faults: takes what there is, whatever was wanted. */
static ssize_t transport_take_ahead(struct conn *c, void *p, size_t n, bool wait)
{
	struct tls *t = c->tls;
	ssize_t got;

	if (t->ahead.at == t->ahead.n) {
		got = transport_take(c, t->ahead.p, sizeof(t->ahead.p), wait);
		if (got <= 0)
			return got;
		t->ahead.at = 0;
		t->ahead.n = (size_t)got;
	}
	n = n < t->ahead.n - t->ahead.at ? n : t->ahead.n - t->ahead.at;
	memcpy(p, t->ahead.p + t->ahead.at, n);
	t->ahead.at += n;
	return (ssize_t)n;
}

static ssize_t transport_recv(void *to, void *p, size_t n, bool wait)
{
	return fault(FAULT_BYTES_BEHIND_SWALLOWED) ? transport_take_ahead(to, p, n, wait) : transport_take(to, p, n, wait);
}

static ssize_t transport_send(void *to, const void *p, size_t n, bool wait)
{
	struct conn *c = to;
	struct tls *t = c->tls;
	ssize_t sent;

	if (c->io == IO_MEMORY)
		return memory_send(c, p, n);
	if (fault(FAULT_SIGPIPE))
		signal(SIGPIPE, SIG_DFL);
	do
		sent = send(t->write_fd >= 0 ? t->write_fd : c->fd, p, n,
		            (fault(FAULT_SIGPIPE) ? 0 : MSG_NOSIGNAL) | (wait ? 0 : MSG_DONTWAIT));
	while (sent < 0 && errno == EINTR);
	return sent;
}

/* ---- Calls ---- */

static const struct { const char *word; enum outcome outcome; } results[] = {
	[ENGINE_OK] = { "ok", SAYS_OK },
	[ENGINE_COMPLETE] = { "complete", SAYS_COMPLETE },
	[ENGINE_CLOSED] = { "closed", SAYS_CLOSED },
	[ENGINE_TRUNCATED] = { "truncated", SAYS_TRUNCATED },
	[ENGINE_RESET] = { "reset", SAYS_RESET },
	[ENGINE_PIPE] = { "pipe", SAYS_PIPE },
	[ENGINE_ALERT] = { "alert", SAYS_ALERT },
	[ENGINE_REFUSED] = { "refused", SAYS_REFUSED },
	[ENGINE_ERROR] = { "error", SAYS_ERROR },
	[ENGINE_WANT_READ] = { "want-read", SAYS_WANT_READ },
	[ENGINE_WANT_WRITE] = { "want-write", SAYS_WANT_WRITE },
};

/* "ref_read=0 end=closed", "ref_write=-1 end=refused "close_notify is out"" */
static enum outcome say(struct conn *c, struct call *k, const char *name, enum result r)
{
	const struct engine *e = &((const struct tls *)c->tls)->engine;

	switch (r) {
	case ENGINE_OK:
	case ENGINE_COMPLETE:
		native(k, "ref_%s=%s", name, results[r].word);
		break;
	case ENGINE_CLOSED:
		native(k, "ref_%s=0 end=closed", name);
		break;
	case ENGINE_WANT_READ:
	case ENGINE_WANT_WRITE:
		native(k, "ref_%s=-1 %s", name, results[r].word);
		break;
	case ENGINE_ALERT:
		native(k, "ref_%s=-1 end=alert number=%d", name, e->alert);
		k->alert = e->alert;
		break;
	case ENGINE_TRUNCATED:
	case ENGINE_RESET:
	case ENGINE_PIPE:
	case ENGINE_REFUSED:
	case ENGINE_ERROR:
		native(k, "ref_%s=-1 end=%s", name, results[r].word);
		native_text(k, e->why);
		break;
	}
	return results[r].outcome;
}

/* Does the socket show this, whatever else it holds? */
static bool shows(const struct conn *c, short what)
{
	struct pollfd p = { c->fd, what, 0 };

	return poll(&p, 1, 0) == 1 && (p.revents & what);
}

/* Somebody's error in the queue is nothing to us. */
static struct engine *engine_of(const struct conn *c)
{
	struct tls *t = c->tls;

	if (conn_option(c, "stale-error"))
		ERR_raise(ERR_LIB_USER, 1);
	return &t->engine;
}

static enum outcome handshake_call(struct conn *c, struct call *k)
{
	struct engine *e = engine_of(c);
	enum outcome o = say(c, k, "handshake", engine_handshake(e));

	if (o == SAYS_OK && fault(FAULT_HANDSHAKE_HANGUP_FAILS) && shows(c, POLLRDHUP))
		return SAYS_TRUNCATED;
	return o == SAYS_OK && handshake_resumed(&e->hs) ? SAYS_RESUMED : o;
}

/* The mistake is to note a failure in what connections share. */
static bool fails_with_sibling(const struct conn *c)
{
	struct side *s = side_of(c);
	const struct engine *e = engine_of(c);

	if (!fault(FAULT_ALERT_FAILS_SIBLINGS))
		return false;
	s->failed |= e->fatal;
	return s->failed && !e->fatal;
}

static enum outcome read_call(struct conn *c, struct call *k)
{
	enum result r;

	if (fails_with_sibling(c))
		return say(c, k, "read", ENGINE_ERROR);
	if (fault(FAULT_FIN_FIRST) && shows(c, POLLRDHUP))
		return say(c, k, "read", ENGINE_TRUNCATED);
	if (fault(FAULT_HANGUP_FIRST) && shows(c, POLLHUP | POLLERR))
		return say(c, k, "read", ENGINE_RESET);
	do
		r = engine_read(engine_of(c), k->data, k->n, &k->done);
	while (r == ENGINE_WANT_READ && fault(FAULT_READ_SPINS) && c->io == IO_NONBLOCKING);
	fails_with_sibling(c);
	if (r == ENGINE_CLOSED && fault(FAULT_FIN_AT_PEER_NOTIFY))
		shutdown(c->fd, SHUT_WR);
	if (r != ENGINE_OK)
		return say(c, k, "read", r);
	native(k, "ref_read=%zu", k->done);
	return SAYS_DATA;
}

static enum outcome write_call(struct conn *c, struct call *k)
{
	enum result r = fails_with_sibling(c) ? ENGINE_ERROR : engine_write(engine_of(c), k->data, k->n, k->repeated, &k->done);

	if (r != ENGINE_OK)
		return say(c, k, "write", r);
	native(k, "ref_write=%zu", k->done);
	return SAYS_OK;
}

static enum outcome early_read_call(struct conn *c, struct call *k)
{
	enum result r = engine_early_read(engine_of(c), k->data, k->n, &k->done);

	if (r != ENGINE_OK)
		return say(c, k, "early_read", r);
	native(k, "ref_early_read=%zu", k->done);
	return k->done ? SAYS_DATA : SAYS_OK;
}

static enum outcome early_write_call(struct conn *c, struct call *k)
{
	enum result r = engine_early_write(engine_of(c), k->data, k->n, k->repeated, &k->done);

	if (r != ENGINE_OK)
		return say(c, k, "early_write", r);
	native(k, "ref_early_write=%zu", k->done);
	return SAYS_OK;
}

static enum outcome shutdown_write_call(struct conn *c, struct call *k)
{
	struct engine *e = engine_of(c);
	bool wait = fault(FAULT_SHUTDOWN_WAITS) || (e->notified && fault(FAULT_SHUTDOWN_AGAIN_WAITS));
	enum outcome o;

	if (fault(FAULT_SHUTDOWN_IS_FIN)) {
		native(k, "ref_shutdown_write=%d", shutdown(c->fd, SHUT_WR));
		return SAYS_SENT;
	}
	o = say(c, k, "shutdown_write", wait ? engine_shutdown_both(e) : engine_shutdown_write(e));
	if (o == SAYS_OK && fault(FAULT_SHUTDOWN_ADDS_FIN))
		shutdown(c->fd, SHUT_WR);
	return o == SAYS_OK ? SAYS_SENT : o;
}

static enum outcome shutdown_both_call(struct conn *c, struct call *k)
{
	return say(c, k, "shutdown_both", engine_shutdown_both(engine_of(c)));
}

static enum outcome key_update_call(struct conn *c, struct call *k)
{
	return c->version == 13 ? say(c, k, "key_update", engine_key_update(engine_of(c), k->requested, k->repeated)) : SAYS_UNSUPPORTED;
}

static enum outcome close_call(struct conn *c, struct call *k)
{
	struct linger abort = { 1, 0 };
	enum outcome o = say(c, k, "close", engine_close(engine_of(c)));

	if (fault(FAULT_CLOSE_RESETS))
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
	if (fault(FAULT_CLOSE_SHUTS_CONNECTION) && o == SAYS_OK && c->io != IO_MEMORY)
		shutdown(c->fd, SHUT_RDWR);
	if (fault(FAULT_DESCRIPTOR_LEAKED))
		dup(c->fd);
	return o;
}

/* ---- Set up and down ---- */

static void keep_call(struct conn *c)
{
	struct tls *t = c->tls;
	struct side *s = side_of(c);

	if (!t->engine.done)
		return;
	SSL_SESSION_free(s->session);
	s->session = engine_resumable(&t->engine) ? handshake_session(&t->engine.hs) : NULL;
}

/* A server's sessions are in its context, and one that failed leaves it. */
static void abandon_call(struct conn *c)
{
	struct tls *t = c->tls;

	if (c->server && t->engine.done && !engine_resumable(&t->engine))
		SSL_CTX_remove_session(side_of(c)->context.ctx, SSL_get0_session(t->engine.hs.ssl));
	if (t->write_fd >= 0)
		close(t->write_fd);
	engine_free(&t->engine);
	free(t);
}

static bool context_set(struct side *s, const struct conn *c)
{
	const char *cert = getenv("CLOSEDRILL_CERT");
	SSL_CTX *ctx;
	struct fault f;

	if (s->context.ctx)
		return true;
	if (!context_make(&s->context, c->server, c->version == 13 ? TLS13 : TLS12, NULL, NULL, &f))
		return false;
	ctx = s->context.ctx;
	/* Tickets that only name a session kept here: one that has failed can be forgotten. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	if (!c->server || (cert && SSL_CTX_use_certificate_chain_file(ctx, cert) == 1 &&
	                   SSL_CTX_use_PrivateKey_file(ctx, cert, SSL_FILETYPE_PEM) == 1))
		return true;
	context_free(&s->context);
	return false;
}

static enum outcome open_call(struct conn *c, struct call *k)
{
	struct side *s = side_of(c);
	struct tls *t = calloc(1, sizeof(*t));

	if (!c->resume) {
		s->failed = false;
		SSL_SESSION_free(s->session);
		s->session = NULL;
	}
	if (t && context_set(s, c)) {
		struct engine *e = &t->engine;

		t->write_fd = -1;
		e->io = (struct transport){ c, transport_recv, transport_send };
		e->server = c->server;
		e->v13 = c->version == 13;
		e->ignore_eof = conn_option(c, "ignore-eof");
		e->cork = conn_option(c, "cork");
		e->early = conn_option(c, "early-data") && e->v13;
		if (conn_option(c, "split-descriptors") && c->io != IO_MEMORY)
			t->write_fd = dup(c->fd);
		if (engine_start(e, &s->context, s->session)) {
			c->tls = t;
			return SAYS_OK;
		}
	}
	free(t);
	native(k, "ref_open=-1");
	native_text(k, "no memory, or CLOSEDRILL_CERT is not set");
	return SAYS_ERROR;
}

static void library_name(char *name, size_t cap)
{
	snprintf(name, cap, "reference %s", CLOSEDRILL_VERSION);
}

static const char *const can[] = {
	"client server tls1.2 tls1.3 blocking nonblocking memory",
	"shutdown-write shutdown-both close abandon plain resumption key-update concurrent renew fork siblings reuse",
	"option:ignore-eof option:cork option:split-descriptors option:stale-error option:short-writes option:early-data",
	NULL
};

/* Whatever is left to a library's manual, and where a clause leaves a choice, the one that the engine has taken. */
static const char promises[] =
	"no-crash no-spin nothing-left-behind truncation-visible truncation-recoverable tolerance-between-records ignore-eof-option-works "
	"reset-told-apart reset-told-once pipe-after-fin-and-rst error-is-sticky unauthentic-end-is-no-end "
	"shutdown-sends-notify sent-means-sent exchange-completes no-answer-is-an-error no-need-to-wait transport-left-open "
	"read-on-after-notify write-on-after-peer-notify answers-notify answers-notify-at-once stops-writing-at-peer-notify "
	"new-session-on-transport unread-data-not-discarded alert-named warning-survived canceled-is-no-end canceled-then-notify "
	"level-byte-ignored one-request-at-a-time no-resume-after-fatal server-forgets-after-fatal siblings-survive-fatal "
	"clean-close-resumes bare-fin-keeps-session ticket-after-notify-kept no-end-of-cut-early-data early-close-announced "
	"transport-reusable bytes-behind-notify-kept retry-finishes waiting-is-no-error buffered-input-found fin-needs-last-descriptor";

static const struct adapter adapter = {
	.api = "reference",
	.can = can,
	.promises = promises,
	.library = library_name,
	.open = open_call,
	.handshake = handshake_call,
	.read = read_call,
	.write = write_call,
	.shutdown_write = shutdown_write_call,
	.shutdown_both = shutdown_both_call,
	.key_update = key_update_call,
	.early_read = early_read_call,
	.early_write = early_write_call,
	.close = close_call,
	.abandon = abandon_call,
	.keep = keep_call,
	.lock = &lock,
};

static int usage(void)
{
	fprintf(stderr, "usage: reference [--fault NAME | --faults]\n");
	return 2;
}

int main(int argc, char **argv)
{
	const char *name = argc == 3 && !strcmp(argv[1], "--fault") ? argv[2] : argc == 1 ? getenv("CLOSEDRILL_FAULT") : NULL;
	int status;

	if (argc == 2 && !strcmp(argv[1], "--faults")) {
		fault_list(stdout);
		return 0;
	}
	if (argc > 1 && !name)
		return usage();
	if (name && *name && !fault_choose(name)) {
		fprintf(stderr, "reference: there is no fault \"%s\"; --faults lists them\n", name);
		return 2;
	}
	status = skeleton_run(&adapter);

	for (size_t i = 0; i < 4; i++) {
		SSL_SESSION_free(sides[i / 2][i % 2].session);
		context_free(&sides[i / 2][i % 2].context);
	}
	return status;
}
