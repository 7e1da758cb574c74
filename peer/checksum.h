/* checksum: the Internet checksum (RFC 1071), as IPv4, TCP and ICMP carry it. Pure. */
#ifndef PEER_CHECKSUM_H
#define PEER_CHECKSUM_H

#include "peer/bytes.h"

/* Adds the 16-bit words of x to a sum that begins with 0; an odd last byte counts as if a zero stood behind it, so only the last part may be odd. */
uint32_t checksum_add(uint32_t sum, struct bytes x);
/* What stands in the packet for this sum. */
unsigned checksum_fold(uint32_t sum);

#endif
