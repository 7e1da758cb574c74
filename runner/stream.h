/* stream: one TCP connection put together from captured packets: both directions in sequence order, with the places of
 * FIN and RST, and for every byte the packet that brought it first. Pure: takes the packets' memory, keeps copies of the payload. */
#ifndef RUNNER_STREAM_H
#define RUNNER_STREAM_H

#include "peer/bytes.h"

/* A TCP segment inside one captured Ethernet frame (link type EN10MB, as lo has), IPv4 or IPv6. */
struct segment {
	uint8_t from[16], to[16];               /* IPv4 in the first four bytes, the rest 0 */
	bool ipv6;
	uint16_t from_port, to_port;
	uint32_t seq, ack;
	bool syn, fin, rst, has_ack;
	uint16_t window;
	struct bytes payload;
};

/* True if the frame holds a whole TCP segment (no IP fragment); *payload points into the frame. */
bool segment_parse(struct bytes frame, struct segment *s);
/* True if the frame holds a UDP datagram: its ports and payload (for the capture's markers). */
bool datagram_parse(struct bytes frame, uint16_t *from_port, uint16_t *to_port, struct bytes *payload);

struct piece { uint64_t at; size_t len; size_t packet; };       /* bytes [at, at+len) first came with that packet */

struct direction {
	bool seen_syn;
	uint32_t isn;                           /* sequence number of the SYN */
	struct buf data;                        /* in order, without gaps, from the byte after the SYN */
	struct piece *pieces; size_t npieces;   /* in stream order */
	bool fin, rst;
	uint64_t fin_at, rst_at;                /* offset in data at which they stand */
	size_t fin_packet, rst_packet;
	bool hole;                              /* bytes beyond a gap were captured and the gap never was */
};

struct stream {
	uint16_t port[2];                       /* [0] is the one that connected */
	struct direction dir[2];                /* dir[0]: from port[0] */
	struct { struct buf bytes; uint64_t at; size_t packet; int dir; } *early;      /* segments beyond a gap, kept until it is filled */
	size_t nearly;
	size_t npackets;                        /* of this connection, so far */
};

/* Adds one segment of the connection; `packet` is the caller's number for it, rising. Retransmissions and overlaps keep the first bytes.
 * Returns true if it brought something new: bytes, FIN or RST. Segments of other ports are refused (false). */
bool stream_add(struct stream *st, const struct segment *s, size_t packet);
/* The packet that brought the byte at this offset; SIZE_MAX if none. */
size_t stream_packet(const struct direction *d, uint64_t at);
void stream_free(struct stream *st);            /* safe on zero, safe twice */

#endif
