/* pathstep: the network between the two ends: forged packets, and a cut. */
#ifndef RUNNER_PATHSTEP_H
#define RUNNER_PATHSTEP_H

#include "runner/drive.h"

bool path_step(struct worker *w, const struct step *st, struct fault *f);
void path_mend(struct live *l);               /* after a run: nothing is left cut */

#endif
