/* endpoints: a captured loopback frame as it goes into a file for others. Both ends of a run have 127.0.0.1, and the kernel leaves the TCP
 * checksums of loopback half done. In a file the ends can be told apart, so that they can have names, and the checksums are right. Pure. */
#ifndef RUNNER_ENDPOINTS_H
#define RUNNER_ENDPOINTS_H

#include "runner/evidence.h"

extern const uint8_t endpoint_iut[4], endpoint_peer[4];         /* 127.0.0.1 and 127.0.0.2 */

/* Which end sent that frame, by its ports. */
bool endpoints_from_peer(const struct evidence *e, size_t frame);
/* Appends that frame, with the peer's address where the peer stands and all checksums made anew. What is no TCP segment over IPv4 between
 * two ends on 127.0.0.1 is appended as it is. */
void endpoints_write(struct buf *out, const struct evidence *e, size_t frame);

#endif
