/* inject: forged packets, as somebody on the path would send them, by raw socket on loopback. */
#ifndef PEER_INJECT_H
#define PEER_INJECT_H

#include <stdint.h>

#include "peer/bytes.h"
#include "peer/fault.h"

/* Where a connection stands, as the kernel of one end knows it. */
struct numbers { uint32_t send_next, receive_next; };

/* Reads them from a live socket (TCP_REPAIR, left again without a packet). */
bool inject_numbers(int fd, struct numbers *n, struct fault *f);

enum { FORGE_FIN = 0x01, FORGE_SYN = 0x02, FORGE_RST = 0x04, FORGE_ACK = 0x10 };

enum { INJECT_MAX = 1024 };

/* One segment with at most INJECT_MAX bytes of data from port to port on 127.0.0.1. */
bool inject_segment(uint16_t from, uint16_t to, uint32_t seq, uint32_t ack, unsigned flags, struct bytes data, struct fault *f);
/* An ICMP error about a segment that the socket at `from` had sent to `to` with this sequence number. */
bool inject_icmp(unsigned type, unsigned code, uint16_t from, uint16_t to, uint32_t seq, struct fault *f);

#endif
