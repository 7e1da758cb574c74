/* pathstep: the network between the two ends. */
#include "runner/pathstep.h"

#include <linux/filter.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer/inject.h"
#include "runner/fdstep.h"
#include "runner/wait.h"

static struct conn_seen *conn(struct worker *w)
{
	return &w->e->conns[w->e->nconns - 1];
}

/* A forged segment has the very number that the peer's next one would have; then the two kernels disagree about the stream, and
 * acknowledge nothing of each other any more. */
static bool forge(struct worker *w, unsigned flags, struct fault *f)
{
	struct numbers n;
	struct conn_seen *c = conn(w);

	if (w->peer.fd < 0 || !inject_numbers(w->peer.fd, &n, f) ||
	    !inject_segment(c->peer_port, c->iut_port, n.send_next, n.receive_next, flags | FORGE_ACK, f))
		return false;
	w->path_broken = true;
	c->forged_fin |= (flags & FORGE_FIN) != 0;
	return true;
}

static bool icmp(struct worker *w, int type_code, struct fault *f)
{
	struct numbers n;
	struct conn_seen *c = conn(w);

	return w->peer.fd >= 0 && inject_numbers(w->peer.fd, &n, f) &&
	       inject_icmp((unsigned)type_code >> 8, (unsigned)type_code & 0xff, c->iut_port, c->peer_port, n.receive_next, f);
}

/* A filter that takes nothing, on both sockets: every segment leaves, is captured, and is lost before TCP sees it. */
static bool lose_all(int fd)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog prog = { 1, &drop };

	return fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) == 0;
}

static bool lose_none(int fd)
{
	int ignored = 0;

	return fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &ignored, sizeof(ignored)) == 0;
}

static bool cut(struct worker *w, bool (*how)(int), struct fault *f)
{
	int iut = fd_duplicate(w);
	bool ok = how(w->peer.fd) && how(iut);

	if (iut >= 0)
		close(iut);
	return ok || fault_machine(f, "cannot cut or mend the path (SO_ATTACH_FILTER on both sockets):");
}

bool path_step(struct worker *w, const struct step *st, struct fault *f)
{
	switch ((enum path_verb)st->verb) {
	case PATH_FORGE_FIN:
		return forge(w, FORGE_FIN, f);
	case PATH_FORGE_RST:
		return forge(w, FORGE_RST, f);
	case PATH_ICMP:
		return icmp(w, st->code, f);
	case PATH_CUT:
		w->path_broken = true;
		return cut(w, lose_all, f);
	case PATH_MEND:
		w->path_broken = false;
		return cut(w, lose_none, f);
	}
	return false;
}

void path_mend(struct worker *w)
{
	/* The sockets end with the run; only the peer's own filter would keep its last RST from being of use. */
	if (w->path_broken && !w->peer.vanished)
		lose_none(w->peer.fd);
}
