/* tcp: the kernel's TCP, driven explicitly. Every socket here is non-blocking, without Nagle (an abort throws away what Nagle
 * still holds), on 127.0.0.1, and never inherited. */
#ifndef PEER_TCP_H
#define PEER_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "peer/fault.h"

/* -1: *f says why. Port 0: the kernel chooses. */
int tcp_listen(uint16_t port, struct fault *f);
/* Connects; over loopback a listening socket answers at once. from: the local port of the connection before, which becomes that of this
 * one: the next that is free, so that none comes again for a long time. A socket that was cut off by a filter can stay behind in its kernel
 * for minutes, and answers nothing: to the same two ports no connection can be made meanwhile. NULL: the kernel chooses. -1: *f. */
int tcp_connect(uint16_t port, uint16_t *from, struct fault *f);
/* The next waiting connection; -1 with *f unset when none is waiting. */
int tcp_accept(int listener);
uint16_t tcp_local_port(int fd);
uint16_t tcp_remote_port(int fd);

struct tcp_view {
	int state;                              /* TCP_ESTABLISHED ... of <netinet/tcp.h> */
	unsigned unacked;                       /* segments in flight, FIN included */
	unsigned segments;                      /* with data, that came */
	size_t unsent;                          /* bytes that the other side's window did not take */
};
bool tcp_look(int fd, struct tcp_view *v);
/* Nothing of ours is on its way: the other kernel has all that its window takes. */
bool tcp_delivered(int fd);

bool tcp_fin(int fd);                           /* shutdown for writing */
void tcp_rst(int *fd);                          /* linger 0 and close: exactly one RST. Forgets the descriptor */
/* The host is gone: nothing that arrives is seen any more, nothing is sent. The descriptor stays open, so that its port answers nothing. */
bool tcp_vanish(int fd);
void tcp_drop(int *fd, bool vanished);          /* after a run: RST, or silently if vanished. Safe on -1 */

#endif
