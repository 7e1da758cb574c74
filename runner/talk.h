/* talk: lines to the adapter of a run and its answers, held against the contract. */
#ifndef RUNNER_TALK_H
#define RUNNER_TALK_H

#include "runner/drive.h"

/* Waits for the outstanding call: its answer, or that it blocks, spins or has died. False: *f, and the run is broken. */
bool talk_collect(struct worker *w, struct answer *x, struct fault *f);
/* False: *f, it has said something that nobody asked for. */
bool talk_nothing_unasked(struct worker *w, struct fault *f);
/* Sends one line; the call is outstanding then. False: *f. */
bool talk_say(struct worker *w, struct bytes line, struct fault *f);
/* Sends a line and waits for its answer. False: *f. */
bool talk_call(struct worker *w, const char *line, struct answer *x, struct fault *f);
/* A line that has to be answered `ok`: its answer in *x, to be freed. False: *f. */
bool talk_ok(struct worker *w, const char *line, struct answer *x, struct fault *f);
/* Before a run: the adapter is up, has forgotten the run before, is at rest, and listens if it is the server. False: *f. */
bool talk_start(struct worker *w, struct fault *f);
/* The port of an answer like `ok 127.0.0.1:4433`; 0: there is none. */
uint16_t talk_port(const struct answer *x);

#endif
