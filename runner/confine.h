/* confine: the world of an adapter inside a worker's. Nothing can be written there but what is thrown away with it, none of our processes
 * can be seen, and all that it starts ends with it. */
#ifndef RUNNER_CONFINE_H
#define RUNNER_CONFINE_H

#include <sys/types.h>

#include "peer/fault.h"

struct confine { pid_t keeper; int fd; };       /* the process that holds it, and does nothing else; its pidfd. keeper 0: none */

/* Makes such a world: process, mount and IPC namespaces. root: the folder with another system that is its root; NULL: ours. False: *f, and
 * there is none. Only in a sandbox (sandbox.h). */
bool confine_start(struct confine *c, const char *root, struct fault *f);
/* Forks into it, as fork(2) does: 0 in the child, its pid in the parent, -1 with errno. */
pid_t confine_fork(const struct confine *c);
/* In the child, last before it executes: enters the mounts, and gives up all rights. False: errno. */
bool confine_enter(const struct confine *c, const char *root);
/* Ends it with all that is in it, and waits for `child`, who was forked into it (0: none, or it is waited for). Safe on none, safe
 * twice. */
void confine_end(struct confine *c, pid_t child);

#endif
