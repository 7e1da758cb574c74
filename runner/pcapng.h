/* pcapng: writes one connection with its TLS secrets and comments, so that any dissector shows it decrypted.
 * (libpcap reads captures but writes no secrets and no comments.) Pure: appends to a buffer. Format: draft-ietf-opsawg-pcapng. */
#ifndef RUNNER_PCAPNG_H
#define RUNNER_PCAPNG_H

#include "peer/bytes.h"

struct pcapng { struct buf out; };              /* owned: free out with buf_free */

/* Section header (hardware, os, userappl = "closedrill"; opt_comment = comment if any) and one interface (EN10MB, nanoseconds). */
void pcapng_start(struct pcapng *p, const char *comment);
/* Decryption Secrets Block, type TLSK: the lines of an SSLKEYLOGFILE. */
void pcapng_secrets(struct pcapng *p, struct bytes keylog);
/* Names for the two ends (Name Resolution Block), IPv4. */
void pcapng_name(struct pcapng *p, const uint8_t ipv4[4], const char *name);
/* One packet; comment may be NULL. */
void pcapng_packet(struct pcapng *p, int64_t at_ns, struct bytes frame, const char *comment);

#endif
