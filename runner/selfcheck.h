/* selfcheck: did the peer really send what the script says? Judged from the capture,
 * before anything is said of the implementation. Pure. */
#ifndef RUNNER_SELFCHECK_H
#define RUNNER_SELFCHECK_H

#include "runner/evidence.h"

/* False: *why (appended) tells what the capture does not show. */
bool selfcheck(const struct evidence *e, struct buf *why);

#endif
