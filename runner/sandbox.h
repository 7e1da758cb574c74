/* sandbox: a worker's own world: network, mount and process namespaces (a user namespace around them for ordinary users), so that ports
 * never clash, kernel settings are pinned, captures hold nothing foreign, and all that it started dies with it. */
#ifndef RUNNER_SANDBOX_H
#define RUNNER_SANDBOX_H

#include <sys/types.h>

#include "peer/fault.h"

enum { RESEND_MS = 5 };

/* Forks into new namespaces, as fork(2) does: 0 in the child, its pid in the parent, -1 with *f. The child dies with the parent. */
pid_t sandbox_fork(struct fault *f);
/* In the child, first of all: maps the user, mounts /proc, gives up what nobody needs there. False: *f tells what to do. */
bool sandbox_isolate(struct fault *f);
/* The same, and brings lo up, and makes acknowledgements immediate. */
bool sandbox_enter(struct fault *f);
/* The route: connections made from here on send again what is not acknowledged after so many milliseconds at the earliest. At first
 * RESEND_MS. */
bool sandbox_resend(unsigned ms, struct fault *f);
/* Writes a setting below /proc/sys/net/ipv4 of the namespace; *old (64 bytes) gets what it was. */
bool sandbox_set(const char *key, const char *value, char old[64], struct fault *f);

#endif
