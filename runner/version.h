/* version: the version in the line by which a library names itself. Pure. */
#ifndef RUNNER_VERSION_H
#define RUNNER_VERSION_H

#include "peer/bytes.h"

struct version { long major, minor; struct bytes text; };      /* text: all of it, "3.0.22"; points into the line; empty: there is none */

/* The first number that no letter or digit stands before, and what follows it with dots: of "OpenSSL 3.0.22", "reference 0.1"; not the 2 of
 * "GnuTLS2". */
struct version version_in(const char *line);

#endif
