/* intake: what the capture holds of a run, taken into its evidence: marks between the steps, the frames of the run's connections with the
 * step during which each came, and each connection read from its frames. */
#ifndef RUNNER_INTAKE_H
#define RUNNER_INTAKE_H

#include "runner/drive.h"

/* All that passes the capture from here on came during a step behind this one. All that came before has been acknowledged. */
void intake_mark(struct worker *w, size_t step);
/* The same, where something may have left that nobody acknowledges; and the last mark of a run. */
void intake_mark_behind(struct worker *w, size_t step);
/* Takes the frames up to the last mark into w->e, and decodes its connections. False: *f, and the run is broken. */
bool intake_read(struct worker *w, struct fault *f);

#endif
