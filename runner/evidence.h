/* evidence: all that one run showed: what each call returned, what the capture holds, and by which step it had left. The driver
 * fills it; the judge and the traces read it. */
#ifndef RUNNER_EVIDENCE_H
#define RUNNER_EVIDENCE_H

#include "peer/peer.h"
#include "runner/answer.h"
#include "runner/decode.h"

enum { CONNS_MAX = 4 };

struct frame { int64_t at_ns; size_t at, len; size_t step; };           /* bytes [at, at+len) of frames_data; step: during which it came */

struct step_seen {
	bool ran;                               /* false: not for this variant, left out (`?`), or the run ended before */
	bool left_out;                          /* `?` and no such call; or the manual forbids it here; or a `wire` behind those */
	int conn;
	bool answered;                          /* answer is set */
	struct answer answer;                   /* of calls and handshakes; OUTCOME_BLOCKED too */
	int tcp_state;                          /* of ACTOR_TCP */
	bool peer_waits;                        /* bytes of the peer's wait for room behind it, or did before it */
	bool over;                              /* the IUT had ended its TCP connection of itself: the step had nothing left to act on */
};

struct conn_seen {
	uint16_t iut_port, peer_port;
	bool handshaken;                        /* both sides completed it */
	bool continues;                         /* a second handshake on the transport of the connection before */
	size_t from_step, until_step;           /* the first and the last step in which it stood: its ports may serve another one later */
	struct stream stream;
	struct secrets secrets;
	struct buf keylog;
	struct decoded decoded;
	size_t *packet_frame; size_t npackets;  /* the stream's packet number -> index in frames */
	/* The peer's own record of what it sent. */
	struct buf sent;
	struct claim *claims; size_t nclaims;
	struct flight *flights; size_t nflights;
	bool fin_sent, reset_sent, undelivered; /* undelivered: the IUT's window did not take all, or it reset */
	bool closed;                            /* by close(2): the kernel chose between FIN and RST */
	bool forged, forged_fin;                /* somebody on the path sent segments in its name; a FIN that counts */
	/* What calls gave and took. */
	struct buf read_text;                   /* all that reads returned */
	struct buf written;                     /* all that writes accepted, and what a write that has not returned was given */
	size_t accepted;                        /* how much of it was accepted */
	bool socket_left;                       /* after close or abandon a descriptor still held the socket */
};

struct evidence {
	const struct script *script;
	unsigned variant;                       /* FOR_ bits of one role, version and mode */
	struct step_seen *steps;                /* one for each of the script's, then one for the end of the run */
	struct conn_seen conns[CONNS_MAX];
	int nconns;
	struct frame *frames; size_t nframes;
	struct buf frames_data;
	bool stranger;                          /* a connection was opened that is none of the run's */
	size_t stranger_step;                   /* during that step */
	size_t ended_at;                        /* the step that ended the run early; nsteps if none did */
	int64_t at_us;                          /* when it began, for files */
	int64_t took_us;
};

bool variant_client(unsigned variant);          /* the IUT is the client */
bool variant_13(unsigned variant);
int iut_dir(unsigned variant);                  /* the IUT's direction in streams: 0 when it is the client */
/* The step during which this item of a connection had left. */
size_t item_step(const struct evidence *e, int conn, const struct seen_item *it);
/* Did this step make a call on the connection, and was that answered? */
bool step_answered(const struct evidence *e, int conn, size_t step);
/* Was this step about another connection than this one, which stood beside it? */
bool step_is_others(const struct evidence *e, int conn, size_t step);
/* The step during which that packet came. */
size_t packet_step(const struct evidence *e, int conn, size_t packet);
void evidence_start(struct evidence *e, const struct script *s, unsigned variant);
void evidence_free(struct evidence *e);

/* "client 1.3 blocking" */
void variant_print(struct buf *out, unsigned variant, const struct script *s, size_t with);

#endif
