/* wait: the only places where a worker waits, each for something that it observes.
 * A watchdog ends a wait that has failed; it never decides. */
#ifndef RUNNER_WAIT_H
#define RUNNER_WAIT_H

#include "runner/drive.h"

enum settled {
	SETTLED_ANSWER,                         /* the adapter's line is in *line */
	SETTLED_BLOCKED,                        /* all its threads sleep, nothing is on its way, no answer: it waits for us */
	SETTLED_SPINS,                          /* it burns the processor, nothing moves; or it sends without end */
	SETTLED_GONE,                           /* its stdout is at its end, or its process */
	SETTLED_DEAF,                           /* it has closed its stdin, and sleeps */
	SETTLED_WATCHDOG                        /* none of these explains it */
};

int64_t now_us(void);                           /* monotonic */
/* Until the outstanding call answers or is seen to wait. The peer and the capture go on meanwhile.
 * line: valid until the next read of the adapter's lines. */
enum settled wait_answer(struct worker *w, struct bytes *line);
/* An adapter's stdout is at its end: until its process has ended too. False: it lives on. */
bool wait_death(struct worker *w);
/* The IUT has sent more on a connection than any case asks for: no wait for it has an end. */
bool wait_flooded(const struct worker *w);
/* The outstanding call was put off (`again`) so often, while nothing moved, that it does not wait for anything. */
bool wait_put_off(const struct worker *w);
/* Until the kernel says one of these states (bits 1 << TCP_...) of the socket, or the watchdog gives up. The last state in *v. */
bool wait_state(struct worker *w, uint16_t local, uint16_t remote, unsigned states, struct sock_view *v);
/* Until the adapter is at rest with no call outstanding: libraries with threads or event loops react on their own. */
enum settled wait_rest(struct worker *w);
/* Until the adapter, with no call outstanding, was seen at rest, and its threads that keep house are noted;
 * also when it has ended, which the next call tells. False: the watchdog. */
bool wait_idle(struct worker *w);
/* Until the other kernel has all that its window takes of the peer's bytes. False: the watchdog. */
bool wait_delivered(struct worker *w);
/* Until what the IUT's kernel has sent has been acknowledged, and so has passed the capture. False: the watchdog. */
bool wait_quiet(struct worker *w);
/* Until every processor's queue of packets was seen empty. What a timer of the kernel sends is acknowledged by nobody when the peer is
 * gone, and may lie there while the call that it ended has long answered. */
void wait_received(struct worker *w);
/* Until the peer's handshake is where it was asked to go, or nothing moves any more. */
void wait_handshake(struct worker *w);
/* The IUT's socket of a connection. False: there is none, or the kernel did not answer. */
bool look_iut(struct worker *w, const struct live *l, struct sock_view *v);

#endif
