/* leaks: what an adapter's process holds after many connections. */
#ifndef RUNNER_LEAKS_H
#define RUNNER_LEAKS_H

#include "runner/adapter.h"

struct script;

struct held { long descriptors, sockets, rss_kib; };   /* of the process and all that it started */

struct leaks {
	size_t connections;                     /* between the two looks */
	struct held before, after;
};

/* Plays the script again and again, in each variant that it and the adapter have in turn, in a sandbox of its own, and looks at the
 * process after the first hundred runs and after all `n` (more than a hundred). The script should open one connection. False: *f. */
bool leaks_count(struct adapter *a, const struct script *s, size_t n, struct leaks *l, struct fault *f);

#endif
