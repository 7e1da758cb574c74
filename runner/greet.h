/* greet: what an implementation says of itself, heard in a sandbox: before the first run nobody knows what its adapter does. */
#ifndef RUNNER_GREET_H
#define RUNNER_GREET_H

#include "runner/adapter.h"

/* Starts the adapter for its greeting and stops it again; what it told is in *a. False: *f. */
bool implementation_greet(struct adapter *a, struct fault *f);

#endif
