/* wait: the only places where a worker waits. */
#include "runner/wait.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "peer/tcp.h"

enum {
	WATCHDOG_US = 10 * 1000000,
	LOOK_GAP_NS = 60 * 1000,                /* between two looks at a call that has not answered; an answer ends it at once */
	TIMER_GAP_NS = 10 * 1000000,            /* the same, where all that can go on without us is a timer of the call's */
	SPIN_CPU_US = 2 * 1000000,              /* processor time without an answer and without anything moving */
	AGAIN_MAX = 10000,
	FLOOD_BYTES = 16 << 20,                 /* four times what a case writes at most */
	FLOOD_SEGMENTS = 50000,
	RARELY = 8,                             /* turns of a wait */
	UNDRAINED_MAX = 16,                     /* times that something else came before the capture is looked at all the same */
	STATE_FIN_WAIT1 = 4, STATE_TIME_WAIT = 6, STATE_CLOSE = 7, STATE_LAST_ACK = 9, STATE_CLOSING = 11
};

/* How long a wait may take until it has failed: WATCHDOG_US of time in which something could have happened. While we were stopped or
 * waited for a processor ourselves nothing could. While the adapter does not sleep it may be waiting for one, and while it has a timer
 * that one will fire: of such time a tenth counts. */
enum { STRIDE_US = 20 * 1000 };
enum share { WHOLE = 1, TENTH = 10 };

struct patience { int64_t spent_us, last_us; };         /* begins as zero */

enum { MOVED_ADAPTER = 1, MOVED_PEER = 2 };      /* what doze saw move */

int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* To be asked again and again, as often as something is looked at. WHOLE: the adapter sleeps, or does not matter. */
static bool patience_over(struct patience *p, enum share share)
{
	int64_t now = now_us(), passed = p->last_us ? now - p->last_us : 0;

	passed = passed < STRIDE_US ? passed : STRIDE_US;
	p->spent_us += passed / share;
	p->last_us = now;
	return p->spent_us > WATCHDOG_US;
}

bool look_iut(struct worker *w, const struct live *l, struct sock_view *v)
{
	const struct conn_seen *c = l->conn < 0 ? NULL : &w->e->conns[l->conn];

	return c && sockdiag_look(&w->diag, c->iut_port, c->peer_port, v);
}

/* The peers of all connections go on, whichever is the present one. */
static bool pump(struct worker *w)
{
	bool moved = false;

	for (int i = 0; i < LIVES_MAX; i++)
		moved |= peer_pump(&w->lives[i].peer);
	return moved;
}

/* What to poll for: nothing behind the end of what comes. */
static int peer_awaited(const struct peer *p)
{
	return p->reading && !p->got_fin && !p->got_reset ? p->fd : -1;
}

/* The adapter reads its commands: nothing lies in the pipe, or nobody will ever take it. */
static bool command_taken(const struct worker *w)
{
	int n = 0;

	return ioctl(w->adapter->child.in, FIONREAD, &n) == 0 && (n == 0 || !child_hears(&w->adapter->child));
}

bool wait_put_off(const struct worker *w)
{
	return w->agains > AGAIN_MAX;
}

bool wait_flooded(const struct worker *w)
{
	for (int i = 0; i < LIVES_MAX; i++) {
		const struct peer *p = &w->lives[i].peer;
		struct tcp_view v;

		if (p->received > FLOOD_BYTES || (p->fd >= 0 && tcp_look(p->fd, &v) && v.segments > FLOOD_SEGMENTS))
			return true;
	}
	return false;
}

/* Waits for an answer or the peer's socket, at most gap_ns, and takes what came. The capture wakes nobody: its pipe holds a megabyte, and
 * is emptied when nothing else came, and now and then. */
static unsigned doze(struct worker *w, long gap_ns)
{
	struct timespec gap = { 0, gap_ns };
	struct pollfd p[2 + LIVES_MAX] = {
		{ w->adapter->child.ended ? -1 : w->adapter->child.out, POLLIN, 0 }, { w->adapter->child.err, POLLIN, 0 },
	};
	unsigned moved = 0;

	for (int i = 0; i < LIVES_MAX; i++)
		p[2 + i] = (struct pollfd){ peer_awaited(&w->lives[i].peer), POLLIN, 0 };
	if (ppoll(p, countof(p), &gap, NULL) <= 0 || ++w->undrained > UNDRAINED_MAX) {
		w->undrained = 0;
		capture_drain(&w->capture);
		return pump(w) ? MOVED_PEER : 0;
	}
	if (p[1].revents ? child_drain(&w->adapter->child) : p[0].revents && child_drain_lines(&w->adapter->child))
		moved |= MOVED_ADAPTER;
	for (int i = 0; i < LIVES_MAX; i++)
		if (p[2 + i].revents && peer_pump(&w->lives[i].peer))
			moved |= MOVED_PEER;
	return moved;
}

/* An answer if one was read; `again` lines are kept as what the waiting call said. */
static bool take_line(struct worker *w, struct bytes *line)
{
	while (child_line(&w->adapter->child, line)) {
		if (line->n < 6 || memcmp(line->p, "again ", 6) != 0)
			return true;
		w->agains++;
		w->again.n = 0;
		buf_add(&w->again, line->p + 6, line->n - 6);
	}
	return false;
}

static bool take_answer(struct worker *w, struct bytes *line)
{
	child_drain_lines(&w->adapter->child);
	return take_line(w, line);
}

/* What the peer has reset is gone at the IUT's end, and what it has closed has told so and was acknowledged. */
static bool end_delivered(struct worker *w, const struct live *l)
{
	static const unsigned fin_under_way = 1u << STATE_FIN_WAIT1 | 1u << STATE_LAST_ACK | 1u << STATE_CLOSING;
	const struct conn_seen *c = &w->e->conns[l->conn];
	struct sock_view v;

	if (l->peer.reset_sent)
		return look_iut(w, l, &v) && (!v.there || v.state == STATE_TIME_WAIT);
	return sockdiag_look(&w->diag, c->peer_port, c->iut_port, &v) && !(v.there && 1u << v.state & fin_under_way);
}

/* On a broken path nothing is acknowledged, and what is under way there comes when the case mends it. */
static bool delivered(struct worker *w)
{
	for (int i = 0; i < LIVES_MAX; i++) {
		const struct live *l = &w->lives[i];

		if (!l->path_broken &&
		    (l->peer.fd >= 0 ? !peer_delivered(&l->peer) : l->conn >= 0 && !l->peer.vanished && !end_delivered(w, l)))
			return false;
	}
	return true;
}

static bool iut_quiet(struct worker *w, const struct live *l)
{
	struct sock_view v;
	struct tcp_view p;

	if (l->path_broken || l->conn < 0)
		return true;
	if (!look_iut(w, l, &v))
		return false;
	/* What waits for room goes on its way as soon as the peer, which reads, has made some. */
	if (v.there)
		return v.in_flight == 0 && !(v.unacked && l->peer.fd >= 0 && l->peer.reading);
	if (l->timed_out)
		return true;
	/* Its socket is gone. Either its last segment was acknowledged, or it was a RST: then the peer's kernel knows by now, or will. */
	return l->peer.fd < 0 || !tcp_look(l->peer.fd, &p) || p.state == STATE_CLOSE;
}

static bool all_quiet(struct worker *w)
{
	for (int i = 0; i < LIVES_MAX; i++)
		if (!iut_quiet(w, &w->lives[i]))
			return false;
	return true;
}

/* Nothing is on its way that could wake the adapter: our line, the peers' bytes and ends, room for its own. None of it can come anew but by
 * what we do, or by the adapter, when it runs. */
static bool nothing_coming(struct worker *w)
{
	return command_taken(w) && delivered(w) && all_quiet(w);
}

enum rest { NOT_PROVED, HAS_TIMER, RESTS };

/* The theorem of SETTLING.md. now: a look that found all asleep. timers: a call with a timer of its own that is still to fire will go on
 * without us. */
static enum rest rest_of(struct worker *w, const struct look *now, bool timers)
{
	struct calls c;

	if (!now->asleep || !nothing_coming(w) || !watch_proves_rest(&w->adapter->watch, now, timers ? &c : NULL))
		return NOT_PROVED;
	return timers && c.timed ? HAS_TIMER : RESTS;
}

/* One wait for either kind of end: with `line` for an answer too. */
static enum settled settle(struct worker *w, struct bytes *line)
{
	struct patience patience = { 0 };
	int64_t cpu = 0, still_us = 0;                          /* still_us: since when nothing moved */
	long gap_ns = line ? LOOK_GAP_NS : 0;
	struct look now = { 0 };

	for (unsigned turn = 1;; turn++) {
		/* What ends few waits is asked for now and then. */
		bool looked, over, also_rare = turn % RARELY == 0;
		enum rest rest;
		unsigned moved;

		if (line && take_line(w, line))
			return SETTLED_ANSWER;
		if (w->adapter->child.ended || w->adapter->child.flooded)
			return w->adapter->child.ended ? SETTLED_GONE : SETTLED_WATCHDOG;
		moved = doze(w, gap_ns);
		if (wait_put_off(w) || (also_rare && wait_flooded(w)))
			return line ? SETTLED_SPINS : SETTLED_WATCHDOG;
		/* A look costs twenty times as much as to ask whether it runs. */
		looked = !moved && !watch_runs(&w->adapter->watch) && watch_look(&w->adapter->watch, &now);
		rest = looked ? rest_of(w, &now, line) : NOT_PROVED;
		gap_ns = rest == HAS_TIMER ? TIMER_GAP_NS : LOOK_GAP_NS;
		over = patience_over(&patience, looked && now.asleep && rest != HAS_TIMER ? WHOLE : TENTH);
		/* All slept at one instant; whatever was answered before it is in the pipe by now. */
		if (rest == RESTS) {
			/* What it may have waited for is room in one of its pipes, and now has it. */
			bool heard = child_drain(&w->adapter->child);

			if (line && take_line(w, line))
				return SETTLED_ANSWER;
			if (!heard && !pump(w) && !w->adapter->child.ended && !(line && w->patient && !over))
				return line && !child_hears(&w->adapter->child) ? SETTLED_DEAF : SETTLED_BLOCKED;
		}
		/* Something that it left behind may hold its stdout open. What it said last is in the pipe by then. */
		if (also_rare && !(looked && now.asleep) && child_exited(&w->adapter->child))
			return line && take_answer(w, line) ? SETTLED_ANSWER : SETTLED_GONE;
		/* What the adapter prints without answering, `again` after `again`, moves nothing. */
		if (moved & MOVED_PEER)
			still_us = w->agains = 0;
		else if (!still_us && also_rare) {
			still_us = now_us();
			cpu = child_cpu_us(&w->adapter->child);
		}
		if (also_rare && still_us && now_us() - still_us > SPIN_CPU_US && child_cpu_us(&w->adapter->child) - cpu > SPIN_CPU_US)
			return SETTLED_SPINS;
		if (over)
			return SETTLED_WATCHDOG;
	}
}

enum settled wait_answer(struct worker *w, struct bytes *line)
{
	return settle(w, line);
}

bool wait_death(struct worker *w)
{
	struct patience patience = { 0 };
	struct look now = { 0 };

	/* Who is on his way out runs no code of his own any more, and does not sleep. */
	while (!child_exited(&w->adapter->child)) {
		doze(w, LOOK_GAP_NS);
		if (patience_over(&patience, TENTH) || !watch_look(&w->adapter->watch, &now) ||
		    watch_proves_rest(&w->adapter->watch, &now, NULL))
			return child_exited(&w->adapter->child);
	}
	return true;
}

enum settled wait_rest(struct worker *w)
{
	enum settled how = SETTLED_BLOCKED;

	/* One thread that waits for our next line cannot react to anything else. */
	if (!w->rested && !watch_reads_stdin(&w->adapter->watch))
		how = settle(w, NULL);
	w->rested = how == SETTLED_BLOCKED;
	return how;
}

bool wait_idle(struct worker *w)
{
	struct patience patience = { 0 };

	while (!watch_note_house(&w->adapter->watch)) {
		if (w->adapter->child.ended || patience_over(&patience, TENTH))
			return w->adapter->child.ended;
		doze(w, LOOK_GAP_NS);
	}
	return true;
}

bool wait_delivered(struct worker *w)
{
	struct patience patience = { 0 };

	for (;;) {
		pump(w);
		if (delivered(w))
			return true;
		if (patience_over(&patience, WHOLE))
			return false;
		doze(w, LOOK_GAP_NS);
	}
}

bool wait_quiet(struct worker *w)
{
	struct patience patience = { 0 };

	for (;;) {
		bool quiet = all_quiet(w);

		pump(w);
		if (quiet)
			return true;
		if (patience_over(&patience, WHOLE) || wait_flooded(w))
			return false;
		doze(w, LOOK_GAP_NS);
	}
}

/* One line for each processor; the twelfth number is how many packets lie in its queue. False: it has fewer. */
static bool queue_empty(const char *line)
{
	char *end = (char *)line;

	for (int i = 0; i < 11; i++)
		strtoul(end, &end, 16);
	return strtoul(end, &end, 16) == 0;
}

void wait_received(struct worker *w)
{
	struct patience patience = { 0 };
	uint64_t busy = UINT64_MAX;

	while (busy && !patience_over(&patience, WHOLE)) {
		FILE *f = fopen("/proc/net/softnet_stat", "re");
		char line[512];
		unsigned cpu = 0;

		for (; f && cpu < 64 && fgets(line, sizeof(line), f); cpu++)
			if (queue_empty(line))
				busy &= ~(UINT64_C(1) << cpu);
		if (f)
			fclose(f);
		busy &= cpu < 64 ? (UINT64_C(1) << cpu) - 1 : UINT64_MAX;
		doze(w, LOOK_GAP_NS);
	}
}

bool wait_state(struct worker *w, uint16_t local, uint16_t remote, unsigned states, struct sock_view *v)
{
	struct patience patience = { 0 };

	while (sockdiag_look(&w->diag, local, remote, v)) {
		if (states & 1u << v->state || patience_over(&patience, WHOLE))
			return true;
		pump(w);
		doze(w, LOOK_GAP_NS);
	}
	return false;
}

static bool handshake_over(const struct peer *p)
{
	return peer_handshake_reached(p) || p->hs.failed || p->got_fin || p->got_reset;
}

void wait_handshake(struct worker *w)
{
	struct patience patience = { 0 };
	struct look now = { 0 };
	bool over = false;

	while (!handshake_over(&w->live->peer) && !over) {
		if (pump(w))
			continue;
		if (w->adapter->child.ended || !watch_look(&w->adapter->watch, &now))
			return;
		over = patience_over(&patience, now.asleep ? WHOLE : TENTH);
		if (rest_of(w, &now, w->outstanding) == RESTS && !child_drain(&w->adapter->child) && !pump(w))
			return;
		child_drain(&w->adapter->child);
		doze(w, LOOK_GAP_NS);
	}
}
