/* skeleton: all of an adapter that is not the library: the lines on standard input and output, the sockets, waiting, and
 * the moving of ciphertext in memory mode (adapters/README.md). A library plugs in one struct adapter; its main is
 *
 *	int main(void) { return skeleton_run(&adapter); }
 *
 * Everything handed to a callback belongs to the skeleton and lives until the callback returns; conn.tls is the library's own. */
#ifndef ADAPTERS_SKELETON_H
#define ADAPTERS_SKELETON_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a callback answers: an outcome of the contract, or that the library wants I/O before the call is repeated. */
enum outcome {
	SAYS_OK, SAYS_RESUMED, SAYS_DATA, SAYS_CLOSED, SAYS_TRUNCATED, SAYS_RESET, SAYS_PIPE, SAYS_ALERT,
	SAYS_SENT, SAYS_COMPLETE, SAYS_REFUSED, SAYS_ERROR, SAYS_UNSUPPORTED,
	SAYS_WANT_READ, SAYS_WANT_WRITE
};

enum io { IO_BLOCKING, IO_NONBLOCKING, IO_MEMORY };

struct queue { uint8_t *p; size_t n, cap; };            /* bytes in order: p[0] is the oldest */

struct conn {
	bool server;
	int version;                    /* 12 or 13 */
	enum io io;
	bool resume;
	char options[256];              /* their names; ask conn_option */
	int fd;                         /* connected; O_NONBLOCK but in blocking mode. In memory mode not the library's business */
	void *tls;                      /* the library's object, set by open; NULL: there is no connection */

	/* Memory mode only: ciphertext that arrived and that leaves. The skeleton fills `in` when the library wants to read,
	 * and sends `out` after each call. */
	struct queue in, out;
	bool ended;                     /* the peer's end of stream stands behind `in` */
	int broken;                     /* errno of a receive that failed; such a transport has no end of stream */
	int reused;                     /* `reuse number`: the far end of the file that has taken the number fd; -1: none has */
	int lost;                       /* errno of a send that failed in a call that does not send: the next one that does tells */
	bool up;                        /* the handshake is through */
	unsigned sends;                 /* calls of memory_send since then, for option:short-writes */
};

/* One call, and what the library said to it. */
struct call {
	uint8_t *data;                  /* read: where to; write: what is left, the same address and length when it is repeated */
	size_t n;                       /* read: at most; write: bytes left */
	bool requested;                 /* key_update: the peer shall change its keys, too */
	size_t taken;                   /* write: bytes that earlier calls for the same line took. Where a call takes as many as the kernel
	                                 * has room for, the sum is what the line's native return tells: the parts are chance */
	bool repeated;                  /* this callback has answered SAYS_WANT_ to the same call before */

	size_t done;                    /* out: bytes read (SAYS_DATA) or taken (write, SAYS_OK; fewer than n: it is called again) */
	int alert;                      /* out: with SAYS_ALERT, the number */
	char native[1024];              /* out: filled by the functions below; empty at the start of each callback */

	/* the skeleton's own */
	const struct row *row;
	enum outcome outcome;
	uint8_t *text;                  /* owned: what `write` sends */
	unsigned held;                  /* interrupted by a new line: its place in the order of those; 0: not */
	bool more;                      /* a write that was taken in part */
};

struct adapter {
	const char *api;                /* "openssl" */
	/* Lines of words, NULL at the end. Roles, versions, modes and options that `open` takes stand here; `renew` where abandon leaves
	 * the descriptor open, `fork` where the library can be used in a child, and `siblings` where nothing that the callbacks keep stands
	 * in the way of two connections at once, `reuse` where the descriptor is the library's only way to the transport: the skeleton does
	 * these. It adds `interrupt`. */
	const char *const *can;
	const char *promises;           /* or NULL */
	const char *forbids;            /* "after-error after-end", or NULL */
	bool wants_rsa;
	void (*library)(char *name, size_t cap);        /* "OpenSSL 3.0.22", from the library at run time */

	/* A NULL callback is a call that the library does not have. Each is one call of the library, or what its manual makes one. */
	/* Set conn.tls up; send nothing. On failure leave nothing in conn.tls. A `renew` abandons and opens on the same descriptor. */
	enum outcome (*open)(struct conn *, struct call *);
	enum outcome (*handshake)(struct conn *, struct call *);
	enum outcome (*read)(struct conn *, struct call *);
	enum outcome (*write)(struct conn *, struct call *);
	enum outcome (*shutdown_write)(struct conn *, struct call *);
	enum outcome (*shutdown_both)(struct conn *, struct call *);
	enum outcome (*key_update)(struct conn *, struct call *);
	/* With option:early-data, before the handshake: a server's read of 0-RTT, SAYS_OK when there is no more; a client's write. */
	enum outcome (*early_read)(struct conn *, struct call *);
	enum outcome (*early_write)(struct conn *, struct call *);
	enum outcome (*close)(struct conn *, struct call *);            /* what the manual wants before the end; abandon follows */
	void (*abandon)(struct conn *);                                 /* free conn.tls, send nothing. conn.fd = -1 if that closed it */

	/* May be NULL. */
	void (*keep)(struct conn *);    /* a client's session, for an `open` with conn.resume: before abandon, and whenever the other
	                                 * connection is gone over to; conn lives on then, and is kept from again */
	bool (*holds)(struct conn *);   /* after SAYS_WANT_READ: the library has input left that it did not look at */
	/* A library with an event loop of its own, not in memory mode: after SAYS_WANT_ the loop is run in place of poll(2), until it did
	 * something for the outstanding call or standard input can be read (descriptor 0, from which nothing may be taken). `wanted` is
	 * what the call answered. */
	void (*wait)(struct conn *, enum outcome wanted);
	void (*pump)(struct conn *);    /* memory mode: ciphertext from conn.in to the library, from the library to conn.out */
	size_t (*unread)(struct conn *, uint8_t *p, size_t n);          /* memory mode: take back what pump gave and TLS did not consume */
	/* With `can concurrent` a read in blocking mode waits in a thread of its own while other calls go on. A library that does not
	 * lock itself names a lock, which is held around each call, and lets go of it while it waits for input. */
	pthread_mutex_t *lock;
};

/* Runs until standard input ends; returns the exit status. */
int skeleton_run(const struct adapter *a);

bool conn_option(const struct conn *c, const char *name);               /* "quiet" for option:quiet */

/* Append to the native part: values first, then texts. */
void native(struct call *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void native_text(struct call *k, const char *text);                     /* in quotes */
enum outcome native_errno(struct call *k, int err);                     /* errno=NAME "text"; returns the outcome that it means */

/* Transport callbacks of a library that pulls and pushes bytes in memory mode; such a library needs no pump. As recv and send:
 * -1 with errno EAGAIN when nothing has arrived, 0 at the end of the stream. With option:short-writes memory_send takes, behind the
 * handshake, 1, 3 or 7 bytes, and every second time none: EAGAIN. */
ssize_t memory_recv(struct conn *c, void *p, size_t n);
ssize_t memory_send(struct conn *c, const void *p, size_t n);

/* For a library that leaves all input and output to the application, in every mode: recv(2) and send(2) of the socket, or the two above.
 * EAGAIN and EINTR mean that the call is to be repeated. */
ssize_t conn_recv(struct conn *c, void *p, size_t n);
ssize_t conn_send(struct conn *c, const void *p, size_t n);

void queue_add(struct queue *q, const void *p, size_t n);
void queue_drop(struct queue *q, size_t n);

#ifdef __cplusplus
}
#endif
#endif
