/* byhand: the peer at a terminal: `closedrill peer` takes peer lines of the case language from stdin and prints what arrives. */
#ifndef RUNNER_BYHAND_H
#define RUNNER_BYHAND_H

#include "peer/handshake.h"

struct byhand { bool server, has_port; uint16_t port; enum tls_version version; };

/* One connection on 127.0.0.1, until stdin ends. requirements: path of the file that the language's parser wants. False: *f. */
bool byhand_run(const struct byhand *h, const char *requirements, struct fault *f);

#endif
