/* textfile: the packets that matter of a run as text, a line each, in the order of the capture. They are those that have a comment there, so
 * the n-th line is the n-th packet that Wireshark's filter `frame.comment` shows. No times and no ports: a run that behaves the same has the
 * same text. Pure. */
#ifndef RUNNER_TEXTFILE_H
#define RUNNER_TEXTFILE_H

#include "runner/evidence.h"

/* Appends `  5  peer > iut   data 5 fin    case line 12: peer write "hello" + fin`. Lines that begin with # are for the caller. */
void evidence_text(const struct evidence *e, struct buf *out);

#endif
