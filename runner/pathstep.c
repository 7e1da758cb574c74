/* pathstep: the network between the two ends. */
#include "runner/pathstep.h"

#include <linux/filter.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer/inject.h"
#include "runner/fdstep.h"
#include "runner/wait.h"

/* Where the stream stands, as somebody who has watched it knows: counted from the numbers that the connection began with, so that a socket
 * which is gone still has them. */
static void numbers_now(const struct worker *w, struct numbers *n)
{
	const struct peer *p = &w->live->peer;

	n->send_next = w->live->first.send_next + (uint32_t)p->sent_to_tcp + p->fin_sent;
	n->receive_next = w->live->first.receive_next + (uint32_t)p->received + p->got_fin;
}

/* With the very number that the peer's next segment would have, the two kernels then disagree about the stream and acknowledge nothing of
 * each other any more; beside it, the segment is one that the IUT's kernel has to turn down. */
static bool forge(struct worker *w, const struct step *st, unsigned flags, struct fault *f)
{
	struct numbers n;
	struct conn_seen *c = live_seen(w);

	numbers_now(w, &n);
	if (!inject_segment(c->peer_port, c->iut_port, n.send_next + (uint32_t)st->n, n.receive_next, flags, (struct bytes){ 0 }, f))
		return false;
	w->live->path_broken |= st->n == 0 && (flags & (FORGE_FIN | FORGE_RST));
	c->forged |= true;
	c->forged_fin |= st->n == 0 && (flags & FORGE_FIN);
	return true;
}

static bool icmp(struct worker *w, int type_code, struct fault *f)
{
	struct numbers n;
	struct conn_seen *c = live_seen(w);

	numbers_now(w, &n);
	return inject_icmp((unsigned)type_code >> 8, (unsigned)type_code & 0xff, c->iut_port, c->peer_port, n.receive_next, f);
}

/* A filter that takes nothing, on both sockets: every segment leaves, is captured, and is lost before TCP sees it. */
static bool lose_all(int fd)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog prog = { 1, &drop };

	return fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) == 0;
}

/* What a segment without FIN carries is lost: the filter sees the TCP header, whose flags stand in byte 13. */
static bool lose_data(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, FORGE_FIN, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = { countof(code), code };

	return fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) == 0;
}

static bool lose_to_iut(struct worker *w, struct fault *f)
{
	int iut = fd_duplicate(w);
	bool ok = lose_data(iut);

	if (iut >= 0)
		close(iut);
	w->live->path_broken = w->live->loses = true;
	w->live->lost_from = w->live->peer.sent_to_tcp;
	return ok || fault_machine(f, "cannot lose segments on their way to the IUT (SO_ATTACH_FILTER):");
}

static bool lose_none(int fd)
{
	int ignored = 0;

	return fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &ignored, sizeof(ignored)) == 0;
}

static bool cut(struct worker *w, bool (*how)(int), struct fault *f)
{
	int iut = fd_duplicate(w);
	/* A socket that its owner has closed cannot be reached any more; what the other one sends is lost all the same. */
	bool peer = how(w->live->peer.fd), ok = how(iut) || peer;

	if (iut >= 0)
		close(iut);
	return ok || fault_machine(f, "cannot cut or mend the path (SO_ATTACH_FILTER on both sockets):");
}

/* What was lost arrives after all, from the path itself: whether the peer's kernel sends it again, and when, would be a matter of its
 * timers (and of its congestion window, whether the FIN had overtaken it at all). */
static bool bring_lost(struct worker *w, struct fault *f)
{
	struct live *l = w->live;
	const struct conn_seen *c = live_seen(w);
	size_t n = l->peer.sent_to_tcp - l->lost_from;
	struct numbers now;

	if (!l->loses)
		return true;
	l->loses = false;
	numbers_now(w, &now);
	if (n > INJECT_MAX)
		return fault_machine(f, "the path can bring at most %d lost bytes after all", INJECT_MAX);
	return n == 0 || inject_segment(c->peer_port, c->iut_port, l->first.send_next + (uint32_t)l->lost_from, now.receive_next, FORGE_ACK,
	                                (struct bytes){ l->peer.sent.p + l->lost_from, n }, f);
}

bool path_step(struct worker *w, const struct step *st, struct fault *f)
{
	switch ((enum path_verb)st->verb) {
	case PATH_FORGE_FIN:
		return forge(w, st, FORGE_FIN | FORGE_ACK, f);
	case PATH_FORGE_RST:
		return forge(w, st, FORGE_RST | FORGE_ACK, f);
	case PATH_FORGE_SYN:
		return forge(w, st, FORGE_SYN, f);
	case PATH_FORGE_ACK:
		return forge(w, st, FORGE_ACK, f);
	case PATH_LOSE_DATA:
		return lose_to_iut(w, f);
	case PATH_ICMP:
		return icmp(w, st->code, f);
	case PATH_CUT:
		w->live->path_broken = true;
		return cut(w, lose_all, f);
	case PATH_MEND:
		w->live->path_broken = false;
		return cut(w, lose_none, f) && bring_lost(w, f);
	}
	return false;
}

void path_mend(struct live *l)
{
	/* The sockets end with the run; only the peer's own filter would keep its last RST from being of use. */
	if (l->path_broken && !l->peer.vanished)
		lose_none(l->peer.fd);
}
