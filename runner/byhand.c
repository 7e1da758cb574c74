/* byhand: the peer at a terminal. */
#include "runner/byhand.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/peer.h"
#include "runner/decode.h"
#include "runner/pattern.h"
#include "runner/peerstep.h"
#include "runner/script.h"

enum { HANDSHAKE_MS = 30000 };

/* A worker without adapter and capture: the steps themselves are the very code of a run. */
struct session {
	struct worker w;
	struct evidence e;
	struct requirements reqs;
	struct buf arrived;                     /* all that the other end has sent */
	size_t shown;                           /* items that were printed */
	bool told_end;
};

static void print_item(const struct item *it)
{
	struct buf b = { 0 };

	items_print(&b, it, 1);
	printf("< %s\n", buf_str(&b));
	buf_free(&b);
}

/* The records that arrived since the last time, in the words of a `wire` line. */
static void print_arrived(struct session *s)
{
	struct peer *p = &s->w.live->peer;
	struct piece all = { 0, s->arrived.n, 0 };      /* no capture: it all came at once */
	struct stream st = { 0 };
	struct decoded d;
	int dir = p->server ? 0 : 1;

	st.dir[dir].data = s->arrived;
	st.dir[dir].pieces = &all;
	st.dir[dir].npieces = 1;
	decode_stream(&st, &p->hs.secrets, &d);
	for (size_t i = s->shown; i < d.n; i++)
		if (d.items[i].item.kind != ITEM_PARTIAL)
			print_item(&d.items[i].item);
	while (d.n && d.items[d.n - 1].item.kind == ITEM_PARTIAL)
		d.n--;
	s->shown = d.n > s->shown ? d.n : s->shown;
	decoded_free(&d);
	if ((p->got_fin || p->got_reset) && !s->told_end) {
		s->told_end = true;
		print_item(&(struct item){ .kind = p->got_fin ? ITEM_FIN : ITEM_RST });
	}
	fflush(stdout);
}

static void pump(struct session *s)
{
	while (peer_pump(&s->w.live->peer))
		;
}

static bool step_line(struct session *s, const char *line, struct fault *f)
{
	struct buf text = { 0 };
	struct script sc;
	bool ok;

	buf_printf(&text, "title by hand\n\nhandshake\n%s%s", strncmp(line, "peer ", 5) == 0 ? "" : "peer ", line);
	ok = script_parse(&sc, "stdin", (const char *)text.p, text.n, 0, &s->reqs, f);
	buf_free(&text);
	if (!ok) {
		f->line -= 3;
		fault_print(stderr, f);
		return true;                    /* a slip of the pen ends nothing */
	}
	s->e.script = &sc;
	for (size_t i = 1; i < sc.nsteps && ok; i++)
		ok = peer_step(&s->w, &sc.steps[i], f);
	s->e.script = NULL;
	script_free(&sc);
	return ok;
}

static bool handshake(struct session *s, struct fault *f)
{
	struct peer *p = &s->w.live->peer;

	peer_handshake_to(p, PEER_TO_END);
	pump(s);
	while (!peer_handshake_done(p) && !p->hs.failed && !p->got_fin && !p->got_reset) {
		struct pollfd fd = { p->fd, POLLIN, 0 };

		if (poll(&fd, 1, HANDSHAKE_MS) == 0)
			return fault_machine(f, "the other end does not go on with the handshake");
		pump(s);
	}
	if (!peer_handshake_done(p))
		return fault_machine(f, "no handshake: %s", p->hs.failed ? p->hs.error : "the other end closed");
	printf("handshake complete, %s\n", p->hs.secrets.suite ? p->hs.secrets.suite->name : "?");
	fflush(stdout);
	return true;
}

static bool talk(struct session *s, struct fault *f)
{
	char line[4096];

	for (;;) {
		struct peer *p = &s->w.live->peer;
		struct pollfd fds[2] = { { 0, POLLIN, 0 }, { p->got_fin || p->got_reset ? -1 : p->fd, POLLIN, 0 } };

		if (poll(fds, 2, -1) < 0)
			continue;
		pump(s);
		print_arrived(s);
		if (!(fds[0].revents & (POLLIN | POLLHUP)))
			continue;
		if (!fgets(line, sizeof(line), stdin))
			return true;
		if (line[0] != '\n' && line[0] != '#' && !step_line(s, line, f))
			return false;
		pump(s);
		print_arrived(s);
	}
}

static int connection(const struct byhand *h, struct fault *f)
{
	int listener, fd;
	struct pollfd p;

	if (!h->server)
		return tcp_connect(h->port, NULL, f);
	listener = tcp_listen(h->port, f);
	if (listener < 0)
		return -1;
	printf("listening on 127.0.0.1:%u\n", tcp_local_port(listener));
	fflush(stdout);
	p = (struct pollfd){ listener, POLLIN, 0 };
	while (poll(&p, 1, -1) < 0)
		;
	fd = tcp_accept(listener);
	if (fd < 0)
		fault_machine(f, "no connection:");
	close(listener);
	return fd;
}

static bool watch_arrivals(struct session *s)
{
	s->w.live->peer.arrived = &s->arrived;
	return true;
}

bool byhand_run(const struct byhand *h, const char *requirements, struct fault *f)
{
	static struct session s;
	struct cert ecdsa = { 0 }, rsa = { 0 };
	struct context ctx = { 0 };
	int fd = -1;
	bool ok;

	setvbuf(stdin, NULL, _IONBF, 0);        /* poll has to see every line that is not read yet */
	s.w.live = s.w.lives;
	peer_init(&s.w.live->peer);
	s.w.e = &s.e;
	s.e.nconns = 1;
	ok = requirements_load(&s.reqs, requirements, f) && cert_make_ecdsa(&ecdsa, f) && cert_make_rsa(&rsa, f) &&
	     context_make(&ctx, h->server, h->version, &ecdsa, &rsa, f) && (fd = connection(h, f)) >= 0 &&
	     peer_start(&s.w.live->peer, fd, &ctx, NULL, f) && watch_arrivals(&s) && handshake(&s, f) && talk(&s, f);
	peer_drop(&s.w.live->peer);
	buf_free(&s.arrived);
	context_free(&ctx);
	cert_free(&ecdsa);
	cert_free(&rsa);
	requirements_free(&s.reqs);
	return ok;
}
