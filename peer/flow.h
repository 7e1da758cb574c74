/* flow: one direction of a TLS connection from its first byte: which keys are in force, and when they change. It knows the
 * handshake only as far as keys depend on it. The peer uses it for what it sends, the trace for what was captured. */
#ifndef PEER_FLOW_H
#define PEER_FLOW_H

#include "peer/keys.h"

/* What a connection negotiated; filled as the handshake goes on (handshake.c), read by flows. */
struct secrets {
	const struct suite *suite;              /* NULL: nothing negotiated yet */
	struct secret client_early, client_handshake, server_handshake, client_data, server_data;       /* 1.3 traffic secrets */
	struct secret master;                   /* 1.2 */
	uint8_t client_random[32], server_random[32];
};

enum epoch { EPOCH_CLEAR, EPOCH_EARLY, EPOCH_HANDSHAKE, EPOCH_DATA };   /* EARLY: 0-RTT, a client's alone */
enum { FLOW_NOW, FLOW_OLD, FLOW_HANDSHAKE, FLOW_CLEAR, FLOW_NEXT, FLOW_EARLY }; /* which keys opened a record */

struct flow {
	bool client;                            /* the client's sending direction */
	const struct secrets *secrets;          /* borrowed */
	enum epoch epoch;
	/* old: the generation before; handshake: 1.3, kept after Finished; early: kept after 0-RTT */
	struct keys now, old, handshake, early;
	struct buf message;                     /* handshake bytes of a message that is not complete */
	bool finished;                          /* this side's Finished has passed */
	unsigned sealed_data;                   /* records that passed under application keys */
};

void flow_start(struct flow *fl, bool client, const struct secrets *secrets);
void flow_free(struct flow *fl);

/* Opens one record and moves on to the next keys where the handshake messages in it say so. *type: its (inner) type;
 * the content is appended to *plain. Returns which keys opened it (FLOW_NOW ...), -1 if none does. With `strict`
 * only the keys in force are tried: what a right receiver would do. */
int flow_open(struct flow *fl, const struct record *rec, bool strict, uint8_t *type, struct buf *plain);

/* Takes a record of this side that OpenSSL has sealed, moves on by it as flow_open does, and appends to *out what is to leave: the
 * record as it is, or, behind early data of our own, which OpenSSL has not counted, the same content sealed anew in its place. */
int flow_relay(struct flow *fl, const struct record *rec, uint8_t *type, struct buf *plain, struct buf *out);

/* The keys in force for the next record to be sealed, set up if the handshake has just made them available. */
struct keys *flow_keys(struct flow *fl);

/* Tells the flow that this side has sent content by its own keys (own records,
 * sealed with flow_keys): handshake messages in it move the keys on. */
void flow_passed(struct flow *fl, uint8_t type, struct bytes content);

#endif
