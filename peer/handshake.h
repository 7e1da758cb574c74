/* handshake: OpenSSL's handshake over memory BIOs. It gives records to send and takes records one at a time, so that nothing
 * is left inside when the record layer takes over; the negotiated secrets come out through the key log. */
#ifndef PEER_HANDSHAKE_H
#define PEER_HANDSHAKE_H

#include <openssl/ssl.h>

#include "peer/cert.h"
#include "peer/fault.h"
#include "peer/flow.h"

/* What all connections of one role and version share. */
struct context { SSL_CTX *ctx; bool server; enum tls_version version; };

/* ecdsa and rsa: for servers, may be NULL for clients; copied by reference count. */
bool context_make(struct context *c, bool server, enum tls_version version, const struct cert *ecdsa, const struct cert *rsa,
                  struct fault *f);
void context_free(struct context *c);

struct handshake {
	SSL *ssl;
	BIO *in, *out;                          /* owned by ssl */
	struct secrets secrets;
	struct buf keylog;                      /* lines of an SSLKEYLOGFILE */
	bool server, done, failed;
	bool early;                             /* 0-RTT: what comes next is a client's hello with it, or a server's early data */
	char error[160];                        /* why it failed */
};

/* session: to offer (a client), or NULL. The handshake must not move in memory until handshake_free. */
bool handshake_start(struct handshake *h, const struct context *c, SSL_SESSION *session, struct fault *f);
/* Right behind handshake_start, in 1.3. 0-RTT: tickets permit early data; a client offers it if its session permits any; a server takes
 * what is offered. The early records themselves are the caller's: a client seals them, a server's are fed and opened beside it. */
void handshake_permit_early(struct handshake *h);
void handshake_use_early(struct handshake *h);
/* As client: how many bytes of early data the session permits; 0: none. */
uint32_t handshake_early_room(const struct handshake *h);
/* Takes one whole record (empty: nothing, a client's first step), goes on, and appends what is to be sent to *out. */
void handshake_feed(struct handshake *h, struct bytes record, struct buf *out);
/* Ends it: what came can be no record. */
void handshake_fail(struct handshake *h, const char *why);
bool handshake_resumed(const struct handshake *h);
/* After the handshake, as client: gives records that came later to OpenSSL, so that it learns tickets. */
void handshake_learn(struct handshake *h, struct bytes records);
/* The same, one record after the other, until there is a session to resume: an alert behind the ticket does not spoil it. */
void handshake_learn_ticket(struct handshake *h, struct bytes records);
/* The session for a later connection, a new reference; NULL if there is none. The connection counts as closed well. */
SSL_SESSION *handshake_session(struct handshake *h);
/* As 1.3 server: one more NewSessionTicket as a record sealed by OpenSSL, under its own count of records. */
bool handshake_ticket(struct handshake *h, struct buf *out);
void handshake_free(struct handshake *h);

#endif
