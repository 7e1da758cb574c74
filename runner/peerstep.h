/* peerstep: a script's peer line, done by the peer. */
#ifndef RUNNER_PEERSTEP_H
#define RUNNER_PEERSTEP_H

#include "runner/drive.h"

/* Composes, and sends unless the step is joined with the next one. False: *f, it could not be done. */
bool peer_step(struct worker *w, const struct step *st, struct fault *f);

#endif
