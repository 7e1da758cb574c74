/* fdstep: the IUT's socket, handled from outside on a duplicate of its descriptor. */
#ifndef RUNNER_FDSTEP_H
#define RUNNER_FDSTEP_H

#include "runner/drive.h"

/* A duplicate of the IUT's socket, the caller's to close; -1 if it holds none any more. */
int fd_duplicate(struct worker *w);
bool fd_step(struct worker *w, const struct step *st, struct fault *f);
/* Ends both directions of the IUT's socket, to wake a call that waits; after a run only. */
void fd_shut(struct worker *w);

#endif
