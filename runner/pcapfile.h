/* pcapfile: a run as a capture file that any dissector shows decrypted, with the case's words on the packets that matter. Pure. */
#ifndef RUNNER_PCAPFILE_H
#define RUNNER_PCAPFILE_H

#include "runner/evidence.h"

/* Appends a whole pcapng file; addresses and checksums as in runner/endpoints.h. iut: what the implementation is called there;
 * comment: about the capture as a whole, may be NULL. */
void evidence_pcapng(const struct evidence *e, const char *iut, const char *comment, struct buf *out);

#endif
