/* peer: the programmable end of a connection. OpenSSL does the handshake; from the Finished messages on every record is sealed here, and
 * nothing is refused: data after the own close_notify is just a record. It composes bytes first and sends them in one piece
 * when told, so that what must share a segment does. */
#ifndef PEER_PEER_H
#define PEER_PEER_H

#include "peer/handshake.h"
#include "peer/tcp.h"

struct shape {                                  /* how a record differs from an ordinary one; zero is ordinary */
	int keys;                               /* FLOW_NOW ... */
	bool corrupt, corrupt_header, fragmented;
	size_t pad;
	bool has_cut;
	int64_t cut;                            /* bytes that leave; negative: all but that many */
};

/* What the script says was sent, to be held against the capture: the suite judges itself before it judges anybody. */
struct claim {
	size_t at, end;                         /* offsets in the peer's stream */
	int type;                               /* content type of a record that opens as it should; -1: bytes that need not open */
	uint8_t head[2];                        /* the first two bytes of its content */
	size_t len;                             /* of its content */
};
struct flight { size_t at, end; bool fin; bool joined; };       /* bytes given to TCP at once; joined: must be one segment (`+`) */

enum { PEER_TO_END = -1, PEER_TO_NOTHING = -2 };

struct peer {
	bool server;
	int fd;                                 /* -1: none */
	struct handshake hs;
	struct flow out;
	struct buf in;                          /* received, not yet taken by the handshake; later kept for tickets, bounded */
	struct buf queued;                      /* records of OpenSSL's that have not left yet */
	struct buf composed;                    /* records of this step */
	bool compose_fin, compose_joined;
	struct buf sent;                        /* every byte given to TCP or about to be */
	size_t sent_to_tcp;                     /* how many of them TCP has */
	struct buf last, held;                  /* the last record; what `cut` held back */
	struct buf before;                      /* the last record of the connection before this one, if whoever starts it hands it on */
	struct claim *claims; size_t nclaims;
	struct flight *flights; size_t nflights;
	int stop_at;                            /* last handshake message to send; PEER_TO_END: all */
	bool stopped, handshaking;
	bool holding;                           /* the handshake's last flight waits for what is joined to it: until peer_send */
	unsigned openssl_sealed;                /* records that OpenSSL sealed under application keys */
	uint64_t received;                      /* bytes read from TCP */
	struct buf *arrived;                    /* every byte read is appended here as well; NULL: nowhere. Borrowed */
	bool reading, got_fin, got_reset, fin_wanted, fin_sent, reset_sent, vanished;
};

void peer_init(struct peer *p);
/* Takes over a connected socket as one end of a connection that has not begun its handshake. */
bool peer_start(struct peer *p, int fd, const struct context *c, SSL_SESSION *session, struct fault *f);
/* Drops the connection without ceremony and forgets everything about it. */
void peer_drop(struct peer *p);

/* Lets the handshake run up to and including this message (a HS_ number, PEER_TO_END, PEER_TO_NOTHING). As server it takes in what
 * comes even to PEER_TO_NOTHING, and answers nothing: the early data behind a ClientHello can be opened then. */
void peer_handshake_to(struct peer *p, int message);
bool peer_handshake_done(const struct peer *p);         /* both Finished messages have passed */
bool peer_handshake_reached(const struct peer *p);      /* the message asked for has left */

/* Composing. Each appends to the step's bytes; peer_send sends them in one piece. */
void peer_record(struct peer *p, unsigned type, struct bytes content, const struct shape *sh);
void peer_data(struct peer *p, struct bytes data, const struct shape *sh);      /* one record for each 16,384 bytes; none for none */
void peer_alert(struct peer *p, unsigned level, unsigned code, const struct shape *sh);
void peer_key_update(struct peer *p, bool requested, const struct shape *sh);
bool peer_ticket(struct peer *p, const struct shape *sh);       /* false: not a 1.3 server, or before the end of the handshake */
void peer_raw(struct peer *p, struct bytes raw);
void peer_again(struct peer *p);
void peer_replay(struct peer *p);
void peer_rest(struct peer *p, int64_t n);              /* n < 0: all that is left */
void peer_fin(struct peer *p);                          /* FIN behind what was composed, in its last segment */
/* Sends what was composed. joined: it has to be one segment. */
void peer_send(struct peer *p, bool joined);

void peer_rst(struct peer *p);                          /* at once, behind what TCP has already sent */
void peer_close(struct peer *p);
bool peer_vanish(struct peer *p);
bool peer_forget(struct peer *p);                       /* as vanish, but the kernel has forgotten it too, and answers with RST */
/* A new handshake on the same transport, behind what was sent. False: *f. */
bool peer_start_again(struct peer *p, const struct context *c, struct fault *f);
bool peer_window(struct peer *p, int bytes);              /* what it offers from now on; what was offered stays */

/* Moves bytes both ways, and the handshake, as far as they go without waiting. True if anything moved. */
bool peer_pump(struct peer *p);
/* Everything of ours that the window takes is in the other kernel. */
bool peer_delivered(const struct peer *p);
/* Bytes of ours wait for room in the window. */
bool peer_waits(const struct peer *p);

#endif
