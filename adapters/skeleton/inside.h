/* inside: what the parts of the skeleton have from one another. Not for libraries to call. */
#ifndef ADAPTERS_SKELETON_INSIDE_H
#define ADAPTERS_SKELETON_INSIDE_H

#include "adapters/skeleton/lines.h"
#include "adapters/skeleton/skeleton.h"

/* skeleton.c */

extern const struct adapter *skeleton_lib;              /* set before anything else is called */
bool skeleton_can(const char *word);                    /* the library's `can` lines have it */
/* Ends a connection and what waits on it. Safe twice. */
void skeleton_drop(struct conn *c);

/* calls.c: one call of each kind can be outstanding, on the present connection. */

void calls_begin(void);
void calls_end(void);
/* Runs the call that a line asks for, and answers; false: it asks for none. */
bool calls_line(struct conn *c, const char *line);
void calls_await(struct conn *c);                       /* goes on with the one that was interrupted last */
void calls_forget(void);                                /* no call that was interrupted can be taken up again */
const char *calls_outcome_word(enum outcome o);         /* the contract's */

/* The thread of a read (`can concurrent`). */
bool reader_waits(void);
/* drop: one that still waits is waked by the end of its socket, and has nothing to say any more. */
void reader_join(struct conn *c, bool drop);

#endif
