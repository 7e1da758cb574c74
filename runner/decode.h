/* decode: a captured connection as items: its records opened with the connection's secrets, FIN and RST in their places. Pure. */
#ifndef RUNNER_DECODE_H
#define RUNNER_DECODE_H

#include "peer/flow.h"
#include "runner/item.h"
#include "runner/stream.h"

struct seen_item {
	struct item item;
	int dir;                                /* 0: sent by the TLS client */
	size_t at, end;                         /* its bytes in that direction's stream */
	size_t packet;                          /* the packet that completed it */
	bool in_handshake;                      /* before this side's Finished had passed */
};

struct decoded {
	struct seen_item *items; size_t n;      /* both directions, in the order of the capture */
	struct buf plain[2];                    /* application data under the keys in force, until that side's close_notify */
	struct buf late[2];                     /* the same behind it, or behind an error alert of that side */
	size_t early;                           /* how many bytes at the front of the client's plain are early data */
	bool early_accepted;                    /* by the server's EncryptedExtensions; else nobody reads them (RFC 8446 4.2.10) */
	bool notified[2];                       /* an authentic close_notify, with nothing before it that does not open */
	size_t notify_packet[2];                /* the packet that completed it */
	bool finished[2];                       /* that side's Finished has passed */
};

void decode_stream(const struct stream *st, const struct secrets *secrets, struct decoded *d);
void decoded_free(struct decoded *d);

#endif
