/* drive: plays one case in one variant: peer steps, calls of the adapter, looks; and observes when each is settled. Everything that
 * touches the run's sockets, processes and clock is here or below. */
#ifndef RUNNER_DRIVE_H
#define RUNNER_DRIVE_H

#include "peer/inject.h"
#include "runner/adapter.h"
#include "runner/capture.h"
#include "runner/evidence.h"
#include "runner/sockdiag.h"

struct mark { struct capture_point at; size_t step; };

enum { LIVES_MAX = 2 };

/* A connection that stands, or did: our end of it, and what the driver knows. Must not move in memory. */
struct live {
	struct peer peer;
	int conn;                               /* its place in the evidence; -1: there is none */
	struct numbers first;                   /* sequence numbers with which it began, if the case forges segments */
	bool begun;                             /* its handshake has begun */
	bool waits;                             /* bytes of the peer's waited for room when it was looked last */
	bool closed_by_iut;                     /* close or abandon returned on it */
	bool failed, told_end;                  /* a call on it failed; a read told the peer's end */
	bool unsent;                            /* a call that sends was left out: what a `wire` line asks for may be missing */
	bool path_broken;                       /* the peer vanished, or the path was cut: nothing is acknowledged any more */
	bool loses;                             /* the path loses the peer's data, from this byte of its stream on */
	size_t lost_from;
	bool timed_out;                         /* a timer of its kernel ended the IUT's socket, and no packet told of it */
	int held_fd;                            /* `fd iut hold`; -1: none */
};

/* A worker: one sandbox, one tcpdump, one adapter at a time, a peer for each connection that stands. Must not move in memory. */
struct worker {
	struct capture capture;
	struct sockdiag diag;
	struct live lives[LIVES_MAX];
	struct live *live;                      /* the present one: lines are about it */
	int listener;                           /* of the peers */
	uint16_t peer_port;                     /* its port */
	unsigned resend_ms;                     /* of the route */
	uint16_t from_port;                     /* the local port that the peer connected from last */
	struct context contexts[2][2];          /* [peer is server][1.3] */
	struct cert ecdsa, rsa;                 /* borrowed references */
	const char *cert_path, *rsa_path;
	struct adapter *adapter;

	/* The run at hand. */
	struct evidence *e;
	unsigned variant;
	unsigned undrained;                     /* waits since tcpdump's pipe was emptied */
	bool patient;                           /* the call that is waited for may be ended by a timer of the kernel */
	bool rested;                            /* the adapter was seen at rest, with no call outstanding, and nothing was done since */
	bool outstanding, has_stored;           /* a call that has not answered; one that answered while something else went on */
	bool interrupted;                       /* a call whose wait another line ended */
	size_t interrupted_step;
	struct answer stored;
	size_t outstanding_step;
	struct buf again;                       /* the native return of the last `again` */
	unsigned agains;                        /* how many there were since the peer's end moved */
	struct mark *marks; size_t nmarks;
	size_t at_step;
	struct setting old_host[8]; char old_values[8][64]; size_t nold;
};

/* What the evidence keeps of the present connection, which there is. */
static inline struct conn_seen *live_seen(const struct worker *w)
{
	return &w->e->conns[w->live->conn];
}

bool worker_start(struct worker *w, const struct cert *ecdsa, const struct cert *rsa, const char *cert_path, const char *rsa_path,
                  struct fault *f);
void worker_end(struct worker *w);

/* The line of the case that is being played. */
static inline const struct step *step_at(const struct worker *w)
{
	return &w->e->script->steps[w->at_step];
}

/* The machine failed in this line: *f says so; false, so that a caller can return it. */
static inline bool broke(const struct worker *w, struct fault *f, const char *what)
{
	return fault_machine(f, "%.*s: %s", (int)step_at(w)->words.n, (const char *)step_at(w)->words.p, what);
}

enum driven { DRIVEN, DRIVE_BROKEN };

/* Plays the script in the variant (one role, version, mode; already parsed for one `with` value) against a, which is started if need be.
 * Fills *e (evidence_free in any case). DRIVE_BROKEN: the machine or the adapter's contract failed, *f tells. */
enum driven drive(struct worker *w, struct adapter *a, const struct script *s, unsigned variant, struct evidence *e, struct fault *f);

#endif
