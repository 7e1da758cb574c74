/* engine: TLS as the reference understands the standards: OpenSSL runs the handshake, from there on every record is opened,
 * judged and sealed here. It shares the cutting and the protection of records with the peer, but none of its decisions.
 *
 * TLS 1.2 is RFC 5246 in its strict reading: the peer's close_notify is answered at once and ends writing. TLS 1.3 leaves the own
 * side open. Where a version leaves a choice the stricter one is taken: alerts are whole and alone in their record in both. */
#ifndef REFERENCE_ENGINE_H
#define REFERENCE_ENGINE_H

#include <sys/types.h>

#include "peer/handshake.h"

/* As recv(2) and send(2): -1 with errno. Without `wait` they never block: for what nobody asked for. */
struct transport {
	void *to;
	ssize_t (*recv)(void *to, void *p, size_t n, bool wait);
	ssize_t (*send)(void *to, const void *p, size_t n, bool wait);
};

enum result {
	ENGINE_OK,
	ENGINE_COMPLETE,                        /* both close_notify are through */
	ENGINE_CLOSED, ENGINE_TRUNCATED, ENGINE_RESET, ENGINE_PIPE,
	ENGINE_ALERT,                           /* the peer's; its number is in the engine */
	ENGINE_REFUSED, ENGINE_ERROR,
	ENGINE_WANT_READ, ENGINE_WANT_WRITE
};

struct engine {
	struct transport io;
	bool server, v13;
	bool ignore_eof, cork, early;           /* options: a bare FIN between records is an end; small writes wait for company; 0-RTT */

	struct handshake hs;
	struct flow hs_in, hs_out;              /* the keys of the handshake; those of application data move on to rx and tx */
	bool talked, done;                      /* a record of the handshake was sent or taken; it is over */
	size_t early_left;                      /* bytes of early data that a client may still write */
	struct keys rx, tx;
	struct keys learn;                      /* the peer's first generation, as OpenSSL believes it in force: for tickets */

	struct buf rec;                         /* the record that is coming in: never a byte beyond it, the next may be no TLS */
	struct buf message;                     /* a handshake message that is not whole */
	struct buf plain;                       /* application data that was not read */
	struct buf out;                         /* sealed and not yet with the transport */
	struct buf held;                        /* written and not yet sealed (cork) */
	size_t taken;                           /* bytes of an unfinished write that are sealed */
	unsigned idle;                          /* records in a row that told the application nothing */

	unsigned again;                         /* close_notify that a fault has sent once more */
	bool notified, peer_notified;           /* close_notify: ours is sealed; the peer's was opened */
	bool fatal;                             /* an error alert passed, either way: nothing leaves any more */
	bool reset;                             /* the transport said so, to whichever call */
	bool update_due, update_asked;          /* KeyUpdate: owed to the peer; asked of it */
	enum result read_end, write_end;        /* how that direction ended; ENGINE_OK: it has not */
	int alert;                              /* with ENGINE_ALERT */
	char why[96];                           /* what an error is about */

	struct {                                /* for faults alone */
		struct keys keys;               /* old ones */
		struct buf alert;               /* a part of one */
		unsigned updates, again;
		bool hasty, hidden, waits;
	} odd;
};

/* io, server, v13 and the options stand; starts the rest. The engine must not move in memory until engine_free. */
bool engine_start(struct engine *e, const struct context *c, SSL_SESSION *session);
void engine_free(struct engine *e);

/* ENGINE_WANT_: to be repeated, with the same arguments, when the transport is ready. */
enum result engine_handshake(struct engine *e);
enum result engine_read(struct engine *e, void *p, size_t n, size_t *got);
/* Takes one record's worth. repeated: the same call wanted to write before. */
enum result engine_write(struct engine *e, const void *p, size_t n, bool repeated, size_t *taken);
/* Behind engine_start and before engine_handshake. A server's reads: ENGINE_OK with *got 0: there is no more early data. */
enum result engine_early_read(struct engine *e, void *p, size_t n, size_t *got);
enum result engine_early_write(struct engine *e, const void *p, size_t n, bool repeated, size_t *taken);
enum result engine_shutdown_write(struct engine *e);    /* ENGINE_OK: close_notify is with the transport */
enum result engine_shutdown_both(struct engine *e);     /* ENGINE_COMPLETE, or why not */
enum result engine_key_update(struct engine *e, bool requested, bool repeated);
/* All that is owed before the transport goes. Does not wait for the peer. */
enum result engine_close(struct engine *e);

/* May the session be resumed? Not after an error alert. */
bool engine_resumable(const struct engine *e);

#endif
