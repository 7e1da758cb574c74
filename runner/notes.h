/* notes: what a capture's comments say: a text for each packet that brought something new, with the line of the case. Pure. */
#ifndef RUNNER_NOTES_H
#define RUNNER_NOTES_H

#include "runner/evidence.h"

/* One text for each frame of the evidence, which must outlive them; empty for a frame that carries nothing new. */
struct notes { const struct evidence *e; struct buf *of_frame; };       /* owned: notes_free; safe twice */

void notes_make(struct notes *n, const struct evidence *e);
void notes_free(struct notes *n);

#endif
