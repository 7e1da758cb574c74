/* rights: what processes of ours may do: capabilities, given up for good. */
#ifndef RUNNER_RIGHTS_H
#define RUNNER_RIGHTS_H

#include <stdbool.h>

enum rights {
	RIGHTS_NONE,                            /* adapters: nothing, and nothing that a program could give back */
	RIGHTS_WORKER,                          /* who makes sandboxes, and who works in one */
	RIGHTS_CAPTURE,                         /* tcpdump */
	RIGHTS_NETWORK,                         /* ip */
	RIGHTS_COUNT
};

/* Leaves this process, and all that it will start, no capabilities but these; of an ordinary user's only what it has. False: errno. */
bool rights_take(enum rights r);
/* Has it this capability (CAP_...) now? */
bool rights_has(int cap);

#endif
