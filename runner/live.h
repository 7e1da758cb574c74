/* live: the connections of a run that stand: opened, kept as evidence, dropped.
 * The worker has room for two, and one of them is the present one. */
#ifndef RUNNER_LIVE_H
#define RUNNER_LIVE_H

#include "runner/drive.h"

/* The present connection is as `handshake` wants it: a new one, one that offers the session before, the one that stands and has not begun,
 * or (HANDSHAKE_AGAIN) the same transport with new objects at both ends. False: *f. */
bool live_connect(struct worker *w, enum handshake_verb verb, struct fault *f);
/* Opens a new one in the place of the present one, which ends outside of what is judged.
 * resume: it offers the session before. False: *f. */
bool live_open(struct worker *w, bool resume, struct fault *f);
/* What is known of it at the peer's end goes to the evidence; `step` is the last one that is its. */
void live_keep(struct worker *w, struct live *l, size_t step);
/* Notes in the evidence whether a descriptor still holds the socket, where it should not. */
void live_check_socket_left(struct worker *w, const struct live *l);
/* None stands here any more, and no descriptor is held. The peer is not touched. */
void live_reset(struct live *l);
/* The one that is not the present one; there may be no connection in it. */
struct live *live_other(struct worker *w);

#endif
