/* sockdiag: the kernel's view of any TCP socket of the namespace, by its ports, in about two microseconds. */
#ifndef RUNNER_SOCKDIAG_H
#define RUNNER_SOCKDIAG_H

#include <stdint.h>

#include "peer/fault.h"

struct sock_view {
	int state;                              /* TCP_ESTABLISHED ...; TCP_CLOSE when there is no such socket */
	bool there;
	uint32_t inode;                         /* 0: no descriptor holds it */
	uint32_t unread;                        /* bytes that its owner has not read */
	uint32_t unacked;                       /* bytes, sent or not, that the other side has not acknowledged */
	uint32_t in_flight;                     /* segments sent and not acknowledged */
};

struct sockdiag { int fd; };

bool sockdiag_open(struct sockdiag *d, struct fault *f);
void sockdiag_close(struct sockdiag *d);
/* The socket on 127.0.0.1 with these ports. False: the kernel did not answer. */
bool sockdiag_look(struct sockdiag *d, uint16_t local, uint16_t remote, struct sock_view *v);

#endif
