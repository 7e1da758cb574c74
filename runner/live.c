/* live: the connections of a run that stand. */
#include "runner/live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/talk.h"
#include "runner/wait.h"

static void open_line(struct worker *w, bool resume, struct buf *line)
{
	const struct script *s = w->e->script;
	unsigned v = w->variant;

	buf_printf(line, "open %s tls%s %s", v & FOR_CLIENT ? "client" : "server", v & FOR_TLS13 ? "1.3" : "1.2",
	           v & FOR_BLOCKING ? "blocking" : v & FOR_NONBLOCKING ? "nonblocking" : "memory");
	if (v & FOR_CLIENT)
		buf_printf(line, " 127.0.0.1:%u", w->peer_port);
	if (resume)
		buf_printf(line, " resume");
	for (size_t i = 0; i < s->noptions; i++)
		buf_printf(line, " option:%.*s", (int)s->options[i].n, (const char *)s->options[i].p);
}

/* An adapter that died in `open` may have connected before: that connection is nobody's. */
static void refuse_waiting(const struct worker *w)
{
	int fd;

	while ((fd = tcp_accept(w->listener)) >= 0)
		tcp_drop(&fd, false);
}

static int accept_iut(struct worker *w, struct fault *f)
{
	int64_t deadline = now_us() + 5000000;
	int fd;

	while ((fd = tcp_accept(w->listener)) < 0 && (errno == EAGAIN || errno == EINTR) && now_us() < deadline)
		;
	if (fd < 0)
		fault_machine(f, "the adapter said that it is connected, but nothing arrived:");
	return fd;
}

/* What the peer knows of the connection goes over into the evidence; step: the last that it stood in. */
void live_keep(struct worker *w, struct live *l, size_t step)
{
	struct conn_seen *c;
	struct peer *p = &l->peer;

	if (l->conn < 0)
		return;
	c = &w->e->conns[l->conn];
	c->until_step = step;
	/* Its Finished may have come behind its answer. */
	c->handshaken &= p->hs.done;
	c->undelivered = peer_waits(p) || (p->fin_wanted && !p->fin_sent);
	c->secrets = p->hs.secrets;
	c->keylog = p->hs.keylog;
	p->hs.keylog = (struct buf){ 0 };
	c->sent = p->sent;
	p->sent = (struct buf){ 0 };
	p->sent_to_tcp = 0;
	c->claims = p->claims;
	c->nclaims = p->nclaims;
	c->flights = p->flights;
	c->nflights = p->nflights;
	p->claims = NULL;
	p->flights = NULL;
	p->nclaims = p->nflights = 0;
	c->fin_sent = p->fin_sent;
	c->reset_sent = p->reset_sent;
}

static void drop_held(struct live *l)
{
	if (l->held_fd >= 0)
		close(l->held_fd);
	l->held_fd = -1;
}

void live_check_socket_left(struct worker *w, const struct live *l)
{
	struct sock_view v;

	if (l->closed_by_iut && l->held_fd < 0 && look_iut(w, l, &v))
		w->e->conns[l->conn].socket_left = v.there && v.inode != 0;
}

/* Nothing is known of it any more; its peer is the caller's. */
void live_reset(struct live *l)
{
	l->conn = -1;
	l->begun = l->waits = l->closed_by_iut = l->path_broken = l->loses = l->timed_out = l->failed = l->told_end = l->unsent = false;
	drop_held(l);
}

static bool uses_path(const struct script *s)
{
	for (size_t i = 0; i < s->nsteps; i++)
		if (s->steps[i].actor == ACTOR_PATH)
			return true;
	return false;
}

/* A new connection of the evidence, which is the present one from this step on. */
static void conn_add(struct worker *w, struct conn_seen c)
{
	c.from_step = w->at_step;
	w->live->conn = w->e->nconns;
	w->e->conns[w->e->nconns++] = c;
}

struct live *live_other(struct worker *w)
{
	return w->live == w->lives ? w->lives + 1 : w->lives;
}

/* Whose session a new connection resumes: the present one's; of the other, where this is the first behind a `switch`. NULL: of none. */
static struct live *live_before(struct worker *w)
{
	struct live *other = live_other(w);

	return w->live->conn >= 0 ? w->live : other->conn >= 0 ? other : NULL;
}

bool live_open(struct worker *w, bool resume, struct fault *f)
{
	bool client = variant_client(w->variant), v13 = variant_13(w->variant);
	struct live *l = w->live, *last = live_before(w);
	SSL_SESSION *session = NULL;
	struct answer x = { 0 };
	struct buf line = { 0 }, before = { 0 };
	int fd = -1;
	bool ok;

	if (w->e->nconns == CONNS_MAX)
		return fault_machine(f, "a case has at most %d connections", CONNS_MAX);
	if (resume && !client && last) {
		handshake_learn_ticket(&last->peer.hs, buf_bytes(&last->peer.in));
		session = handshake_session(&last->peer.hs);
	}
	if (last)
		buf_add_bytes(&before, buf_bytes(&last->peer.last));
	live_check_socket_left(w, l);
	live_keep(w, l, w->at_step - 1);
	open_line(w, resume, &line);
	refuse_waiting(w);
	if (!client)
		fd = tcp_connect(w->adapter->listen_port, &w->from_port, f);
	live_reset(l);
	/* The present connection, if it still stands, ends here, outside of what is judged. */
	peer_drop(&l->peer);
	ok = (client || fd >= 0) && talk_ok(w, buf_str(&line), &x, f);
	if (ok && client)
		fd = accept_iut(w, f);
	ok = ok && fd >= 0 && (!uses_path(w->e->script) || inject_numbers(fd, &l->first, f)) &&
		peer_start(&l->peer, fd, &w->contexts[client][v13], session, f);
	l->peer.before = before;
	if (ok && script_option(w->e->script, "early-data")) {
		handshake_permit_early(&l->peer.hs);
		handshake_use_early(&l->peer.hs);
	}
	if (ok)
		conn_add(w, (struct conn_seen){ .iut_port = tcp_remote_port(fd), .peer_port = tcp_local_port(fd) });
	else if (fd >= 0 && l->peer.fd != fd)
		close(fd);
	SSL_SESSION_free(session);
	answer_free(&x);
	buf_free(&line);
	return ok;
}

/* A second handshake on the same transport: both ends make new objects, and the evidence a new connection that continues the stream. */
static bool renew_conn(struct worker *w, struct fault *f)
{
	struct conn_seen *before = live_seen(w);
	struct answer x = { 0 };
	bool client = variant_client(w->variant), ok;

	if (w->e->nconns == CONNS_MAX)
		return fault_machine(f, "a case has at most %d connections", CONNS_MAX);
	live_keep(w, w->live, w->at_step - 1);
	w->live->first.send_next += (uint32_t)before->sent.n;
	w->live->failed = w->live->told_end = w->live->unsent = false;
	ok = talk_ok(w, "renew", &x, f) && peer_start_again(&w->live->peer, &w->contexts[client][variant_13(w->variant)], f);
	answer_free(&x);
	if (ok)
		conn_add(w, (struct conn_seen){ .iut_port = before->iut_port, .peer_port = before->peer_port, .continues = true });
	return ok;
}

bool live_connect(struct worker *w, enum handshake_verb verb, struct fault *f)
{
	if (verb == HANDSHAKE_AGAIN)
		return renew_conn(w, f);
	return (w->live->conn >= 0 && !w->live->begun) || live_open(w, verb == HANDSHAKE_RESUME, f);
}
