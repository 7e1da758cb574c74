/* skeleton: see the header. From top to bottom: lines in, lines out, native texts, the connection, memory mode, the calls, the commands. */
#include "adapters/skeleton/skeleton.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define countof(a) (sizeof(a) / sizeof((a)[0]))

enum {
	LINE_CAP = 1 << 17,             /* a `write` of 16,384 bytes that are all \xNN, and room to spare */
	READ_MAX = 16384,               /* RFC 8446 5.1: one record's worth */
	ANSWER_CAP = 4 * READ_MAX + 4096,
	WRITE_MAX = 1 << 30,
	PATTERN = 23                    /* letters: a prime, so that no record or buffer size is a multiple of it */
};

static const struct adapter *lib;
static struct conn conns[] = { { .fd = -1, .reused = -1 }, { .fd = -1, .reused = -1 } };
static struct conn *conn = conns;       /* the present one; `switch` goes over to the other */
static int listener = -1;

/* ---- Lines in ---- */

static struct { char p[LINE_CAP]; size_t at, n; } input;

/* Ends the line at nl. One that holds a NUL is none of ours and becomes "", which is as unknown as they come. */
static char *line_end(char *line, char *nl)
{
	size_t len = (size_t)(nl - line);

	*nl = '\0';
	input.at += len + 1;
	input.n -= len + 1;
	return strlen(line) == len ? line : nl;
}

/* The next line, valid until the next call; NULL at the end of the input. One that does not fit comes out as "". */
static char *line_next(void)
{
	for (bool skip = false;;) {
		char *line = input.p + input.at, *nl = memchr(line, '\n', input.n);
		ssize_t got;

		if (nl) {
			line = line_end(line, nl);
			return skip ? nl : line;
		}
		if (input.n == LINE_CAP) {
			skip = true;
			input.n = 0;
		}
		memmove(input.p, line, input.n);
		input.at = 0;
		do
			got = read(STDIN_FILENO, input.p + input.n, LINE_CAP - input.n);
		while (got < 0 && errno == EINTR);
		if (got <= 0)
			return NULL;
		input.n += (size_t)got;
	}
}

/* The next word of a line, cut out of it; NULL when there is none. */
static char *word_next(char **line)
{
	char *word;

	*line += strspn(*line, " ");
	word = *line;
	*line += strcspn(word, " ");
	if (**line)
		*(*line)++ = '\0';
	return *word ? word : NULL;
}

static bool number(const char *word, size_t max, size_t *n)
{
	char *end;

	errno = 0;
	*n = strtoul(word, &end, 10);
	return *word >= '0' && *word <= '9' && !*end && !errno && *n <= max;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One character of a quoted text at *s, unescaped; -1 if it is none. */
static int unescape(const char **s)
{
	static const char from[] = "nrt\\\"", to[] = "\n\r\t\\\"";
	const char *p = *s, *hit;

	if (*p != '\\') {
		*s += 1;
		return (unsigned char)*p;
	}
	*s += 2;
	if (p[1] && (hit = strchr(from, p[1])))
		return to[hit - from];
	if (p[1] != 'x' || hex_digit(p[2]) < 0 || hex_digit(p[3]) < 0)
		return -1;
	*s += 2;
	return hex_digit(p[2]) << 4 | hex_digit(p[3]);
}

/* Reads "text" into to, which has room for strlen(s) bytes. */
static bool unquote(const char *s, uint8_t *to, size_t *n)
{
	int c;

	*n = 0;
	if (*s++ != '"')
		return false;
	while (*s && *s != '"') {
		if ((c = unescape(&s)) < 0)
			return false;
		to[(*n)++] = (uint8_t)c;
	}
	return s[0] == '"' && !s[1];
}

/* ---- Lines out: built here, sent by one write(2). Two threads may answer, each in one piece ---- */

static struct { char p[ANSWER_CAP]; size_t n; } out;
static pthread_mutex_t out_lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

static void put(const char *word)
{
	size_t len = strlen(word);

	if (!len || out.n + len + 2 > sizeof(out.p))
		return;
	if (out.n)
		out.p[out.n++] = ' ';
	memcpy(out.p + out.n, word, len);
	out.n += len;
}

static size_t escape(char *to, uint8_t c)
{
	static const char from[] = "\n\r\t\\\"", as[] = "nrt\\\"", hex[] = "0123456789abcdef";
	const char *hit = c ? strchr(from, c) : NULL;

	if (!hit && c >= ' ' && c <= '~') {
		to[0] = (char)c;
		return 1;
	}
	to[0] = '\\';
	to[1] = (char)(hit ? as[hit - from] : 'x');
	if (hit)
		return 2;
	to[2] = hex[c >> 4];
	to[3] = hex[c & 15];
	return 4;
}

/* At most READ_MAX bytes. */
static void put_quoted(const uint8_t *p, size_t n)
{
	out.p[out.n++] = ' ';
	out.p[out.n++] = '"';
	for (size_t i = 0; i < n; i++)
		out.n += escape(out.p + out.n, p[i]);
	out.p[out.n++] = '"';
}

static void put_end(void)
{
	const char *p = out.p;

	out.p[out.n++] = '\n';
	while (out.n) {
		ssize_t sent = write(STDOUT_FILENO, p, out.n);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			exit(0);                /* the runner is gone */
		p += sent;
		out.n -= (size_t)sent;
	}
}

static void answer(const char *word, const char *rest)
{
	pthread_mutex_lock(&out_lock);
	put(word);
	put(rest);
	put_end();
	pthread_mutex_unlock(&out_lock);
}

/* ---- Native texts ---- */

void native(struct call *k, const char *fmt, ...)
{
	size_t len = strlen(k->native);
	int err = errno;                        /* the caller may look at it next */
	va_list ap;

	if (len + 2 > sizeof(k->native))
		return;
	if (len)
		k->native[len++] = ' ';
	va_start(ap, fmt);
	vsnprintf(k->native + len, sizeof(k->native) - len, fmt, ap);
	va_end(ap);
	errno = err;
}

void native_text(struct call *k, const char *text)
{
	char quoted[512];
	size_t n = 0;

	for (; *text && n < sizeof(quoted) - 5; text++)
		n += escape(quoted + n, (uint8_t)*text);
	native(k, "\"%.*s\"", (int)n, quoted);
}

/* By number, as strerrorname_np is glibc's alone. */
static const struct { int err; const char *name; } errnos[] = {
	{ 0, "0" }, { EAGAIN, "EAGAIN" }, { EBADF, "EBADF" }, { ECONNABORTED, "ECONNABORTED" }, { ECONNREFUSED, "ECONNREFUSED" },
	{ ECONNRESET, "ECONNRESET" }, { EFAULT, "EFAULT" }, { EHOSTUNREACH, "EHOSTUNREACH" }, { EINTR, "EINTR" }, { EINVAL, "EINVAL" },
	{ EIO, "EIO" }, { EMFILE, "EMFILE" }, { ENETDOWN, "ENETDOWN" }, { ENETUNREACH, "ENETUNREACH" }, { ENOBUFS, "ENOBUFS" },
	{ ENOMEM, "ENOMEM" }, { ENOPROTOOPT, "ENOPROTOOPT" }, { ENOTCONN, "ENOTCONN" }, { ENOTSOCK, "ENOTSOCK" }, { EPERM, "EPERM" },
	{ EPIPE, "EPIPE" }, { EPROTO, "EPROTO" }, { EADDRNOTAVAIL, "EADDRNOTAVAIL" }, { ESHUTDOWN, "ESHUTDOWN" },
	{ ETIMEDOUT, "ETIMEDOUT" },
};

enum outcome native_errno(struct call *k, int err)
{
	size_t i = 0;

	while (i < countof(errnos) && errnos[i].err != err)
		i++;
	if (i < countof(errnos))
		native(k, "errno=%s", errnos[i].name);
	else
		native(k, "errno=%d", err);
	if (err)
		native_text(k, strerror(err));
	return err == ECONNRESET ? SAYS_RESET : err == EPIPE ? SAYS_PIPE : SAYS_ERROR;
}

/* ---- The connection ---- */

static struct call *calls_all(size_t *n);

bool conn_option(const struct conn *c, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = c->options; (p = strstr(p, name)); p += len)
		if (p[-1] == ' ' && p[len] == ' ')
			return true;
	return false;
}

static void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Signals are for the one that waits. */
static void interrupts_block(bool block)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(block ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

/* The thread of a read (`can concurrent`). */
static struct { pthread_t thread; struct conn *conn; bool started; atomic_bool done, dropped; } reader;

/* drop: one that still waits is waked by the end of its socket, and has nothing to say any more. */
static void reader_join(struct conn *c, bool drop)
{
	if (!reader.started || reader.conn != c)
		return;
	reader.dropped = drop && !reader.done;
	if (reader.dropped)
		shutdown(c->fd, SHUT_RDWR);
	pthread_join(reader.thread, NULL);
	reader.started = false;
	interrupts_block(false);
}

/* No call that was interrupted can be taken up again. */
static void calls_forget(void)
{
	size_t n;
	struct call *k = calls_all(&n);

	while (n--)
		k[n].held = 0;
}

static void session_keep(struct conn *c)
{
	if (c->tls && !c->server && lib->keep)
		lib->keep(c);
}

/* Safe twice. The queues keep their memory for the next connection. */
static void conn_drop(struct conn *c)
{
	reader_join(c, true);
	session_keep(c);
	if (c->tls)
		lib->abandon(c);
	c->tls = NULL;
	fd_close(&c->fd);
	fd_close(&c->reused);
	c->in.n = c->out.n = 0;
	c->ended = false;
	c->broken = c->lost = 0;
	c->sends = 0;
	c->up = false;
	if (c == conn)
		calls_forget();
}

static bool conn_up(struct conn *c, struct call *k, struct sockaddr_in *peer)
{
	socklen_t len = sizeof(*peer);

	if (!c->server) {
		c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (c->fd >= 0 && !connect(c->fd, (struct sockaddr *)peer, len))
			return true;
		native(k, "connect=-1");
		return false;
	}
	/* Wait with an eye on the runner: it may die before it connects. */
	for (struct pollfd fds[] = { { STDIN_FILENO, 0, 0 }, { listener, POLLIN, 0 } }; poll(fds, 2, -1) < 1 || !fds[1].revents; )
		if (fds[0].revents)
			exit(0);
	c->fd = accept4(listener, (struct sockaddr *)peer, &len, SOCK_CLOEXEC);
	if (c->fd >= 0)
		return true;
	native(k, "accept=-1");
	return false;
}

/* The address that `open` answers: a client's own, a server's peer's. */
static bool conn_set(struct conn *c, struct sockaddr_in *addr)
{
	int one = 1, flags = fcntl(c->fd, F_GETFL);
	socklen_t len = sizeof(*addr);

	if (setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
		return false;
	if (c->io != IO_BLOCKING && fcntl(c->fd, F_SETFL, flags | O_NONBLOCK))
		return false;
	return c->server || !getsockname(c->fd, (struct sockaddr *)addr, &len);
}

/* ---- Memory mode ---- */

void queue_add(struct queue *q, const void *p, size_t n)
{
	if (q->n + n > q->cap) {
		q->cap = 2 * (q->n + n);
		if (!(q->p = realloc(q->p, q->cap)))
			abort();
	}
	if (n)
		memcpy(q->p + q->n, p, n);
	q->n += n;
}

void queue_drop(struct queue *q, size_t n)
{
	q->n -= n;
	if (q->n)
		memmove(q->p, q->p + n, q->n);
}

static size_t queue_take(struct queue *q, void *p, size_t n)
{
	if (n > q->n)
		n = q->n;
	if (n)
		memcpy(p, q->p, n);
	queue_drop(q, n);
	return n;
}

ssize_t memory_recv(struct conn *c, void *p, size_t n)
{
	if (c->in.n || c->ended)
		return (ssize_t)queue_take(&c->in, p, n);
	errno = EAGAIN;
	return -1;
}

/* option:short-writes, once the handshake is through: a transport that takes 1, 3 or 7 bytes, and after each time is full for once. */
static size_t memory_room(struct conn *c, size_t n)
{
	static const size_t rooms[] = { 1, 0, 3, 0, 7, 0 };
	size_t room = rooms[c->sends++ % countof(rooms)];

	return n < room ? n : room;
}

ssize_t memory_send(struct conn *c, const void *p, size_t n)
{
	if (n && c->up && conn_option(c, "short-writes") && !(n = memory_room(c, n))) {
		errno = EAGAIN;
		return -1;
	}
	queue_add(&c->out, p, n);
	return (ssize_t)n;
}

ssize_t conn_recv(struct conn *c, void *p, size_t n)
{
	return c->io == IO_MEMORY ? memory_recv(c, p, n) : recv(c->fd, p, n, 0);
}

ssize_t conn_send(struct conn *c, const void *p, size_t n)
{
	return c->io == IO_MEMORY ? memory_send(c, p, n) : send(c->fd, p, n, MSG_NOSIGNAL);
}

static ssize_t recv_some(int fd, void *p, size_t n)
{
	ssize_t got;

	do
		got = recv(fd, p, n, 0);
	while (got < 0 && errno == EINTR);
	return got;
}

static ssize_t send_some(int fd, const void *p, size_t n)
{
	ssize_t sent;

	do
		sent = send(fd, p, n, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent;
}

/* ---- Calls ---- */

enum argument { ARG_NONE, ARG_ROOM, ARG_BYTES };

/* What arrived before, in its order: first what the library was given and did not consume. */
static ssize_t memory_take(struct conn *c, void *p, size_t n)
{
	size_t got = lib->unread ? lib->unread(c, p, n) : 0;

	return got ? (ssize_t)got : memory_recv(c, p, n);
}

/* These two go round the library. */
static enum outcome plain_read(struct conn *c, struct call *k)
{
	ssize_t got = c->io == IO_MEMORY ? memory_take(c, k->data, k->n) : recv_some(c->fd, k->data, k->n);

	native(k, "recv=%zd", got);
	if (got < 0)
		return errno == EAGAIN ? SAYS_WANT_READ : native_errno(k, errno);
	k->done = (size_t)got;
	return got ? SAYS_DATA : SAYS_CLOSED;
}

static enum outcome plain_write(struct conn *c, struct call *k)
{
	ssize_t sent;

	if (c->out.n)                           /* the library's come first */
		return SAYS_WANT_WRITE;
	sent = send_some(c->fd, k->data, k->n);
	native(k, "send=%zd", sent);
	if (sent < 0)
		return errno == EAGAIN ? SAYS_WANT_WRITE : native_errno(k, errno);
	k->done = (size_t)sent;
	return SAYS_OK;
}

#define METHOD(name) offsetof(struct adapter, name)

/* The first row that fits is taken: longer before shorter. */
static const struct row {
	const char *line;
	enum argument arg;
	bool sends;                     /* done when its bytes are with the kernel; a failure to send them is its own */
	bool last;                      /* the connection is over when it is answered */
	bool requested;
	size_t method;
	enum outcome (*plain)(struct conn *, struct call *);
} rows[] = {
	{ "handshake",            ARG_NONE,  true,  false, false, METHOD(handshake), NULL },
	{ "read",                 ARG_ROOM,  false, false, false, METHOD(read), NULL },
	{ "write",                ARG_BYTES, true,  false, false, METHOD(write), NULL },
	{ "shutdown write",       ARG_NONE,  true,  false, false, METHOD(shutdown_write), NULL },
	{ "shutdown both",        ARG_NONE,  true,  false, false, METHOD(shutdown_both), NULL },
	{ "close",                ARG_NONE,  true,  true,  false, METHOD(close), NULL },
	{ "key_update requested", ARG_NONE,  true,  false, true,  METHOD(key_update), NULL },
	{ "key_update",           ARG_NONE,  true,  false, false, METHOD(key_update), NULL },
	{ "early read",           ARG_ROOM,  false, false, false, METHOD(early_read), NULL },
	{ "early write",          ARG_BYTES, true,  false, false, METHOD(early_write), NULL },
	{ "plain read",           ARG_ROOM,  false, false, false, 0, plain_read },
	{ "plain write",          ARG_BYTES, true,  false, false, 0, plain_write },
};

static struct call calls[countof(rows)];        /* one of each row can be outstanding */

static struct call *calls_all(size_t *n)
{
	*n = countof(calls);
	return calls;
}

static struct call *call_find(const char *line)
{
	for (size_t i = 0; i < countof(rows); i++)
		if (!strcmp(rows[i].line, line))
			return &calls[i];
	abort();
}

typedef enum outcome method(struct conn *, struct call *);

static method *row_method(const struct row *row)
{
	method *m;

	if (row->plain)
		return row->plain;
	memcpy(&m, (const char *)lib + row->method, sizeof(m));
	return m;
}

static bool wants(enum outcome o)
{
	return o == SAYS_WANT_READ || o == SAYS_WANT_WRITE;
}

static bool succeeds(enum outcome o)
{
	return o == SAYS_OK || o == SAYS_RESUMED || o == SAYS_SENT || o == SAYS_COMPLETE || wants(o);
}

static void pump(struct conn *c, const struct call *k)
{
	if (c->io == IO_MEMORY && lib->pump && !k->row->plain)
		lib->pump(c);
}

/* One call of the library. */
static void call_step(struct conn *c, struct call *k)
{
	k->native[0] = '\0';
	k->done = 0;
	pump(c, k);
	if (lib->lock)
		pthread_mutex_lock(lib->lock);
	k->outcome = row_method(k->row)(c, k);
	if (lib->lock)
		pthread_mutex_unlock(lib->lock);
	pump(c, k);
	/* A read may go on beside this call: what neither of them changes must not be written. */
	if (k->row->method == METHOD(handshake) && (k->outcome == SAYS_OK || k->outcome == SAYS_RESUMED))
		c->up = true;
	k->repeated = true;
	k->more = k->row->arg == ARG_BYTES && k->outcome == SAYS_OK && k->done < k->n;
	if (!k->more)
		return;
	k->data += k->done;
	k->n -= k->done;
	k->taken += k->done;
	k->repeated = false;                    /* other bytes: another call */
	k->outcome = SAYS_WANT_WRITE;
}

/* Memory mode: what could not be sent at all is lost, and a call that sends has failed by that. */
static void lost_tell(struct conn *c, struct call *k)
{
	if (!c->lost || !k->row->sends || !succeeds(k->outcome))
		return;
	native(k, "send=-1");
	k->outcome = native_errno(k, c->lost);
	c->lost = 0;
}

/* Memory mode: sends what the library holds. False if the socket takes no more. */
static bool flush(struct conn *c, struct call *k)
{
	while (c->out.n) {
		ssize_t sent = send_some(c->fd, c->out.p, c->out.n);
		int err = errno;

		if (sent >= 0) {
			queue_drop(&c->out, (size_t)sent);
			continue;
		}
		if (err == EAGAIN)
			return false;
		c->out.n = 0;
		if (succeeds(k->outcome) || k->outcome == SAYS_DATA || k->outcome == SAYS_CLOSED)
			c->lost = err;
	}
	lost_tell(c, k);
	return true;
}

/* Memory mode: takes what has arrived. True if that is something, the end or a failure included. */
static bool refill(struct conn *c, struct call *k)
{
	uint8_t buf[READ_MAX];
	ssize_t got;

	if (c->ended)
		return false;                   /* the library was told, and wants more nevertheless */
	got = c->broken ? -1 : recv_some(c->fd, buf, sizeof(buf));
	if (got < 0 && !c->broken && errno == EAGAIN)
		return false;
	if (got < 0) {
		c->broken = c->broken ? c->broken : errno;
		if (!k->row->plain)
			native(k, "recv=-1");
		k->outcome = native_errno(k, c->broken);
		return true;
	}
	c->ended = !got;
	queue_add(&c->in, buf, (size_t)got);
	return true;
}

/* Can a call that wants I/O be repeated at once? */
static bool call_ready(struct conn *c, struct call *k, bool stuck)
{
	if (k->more)
		return !stuck;
	if (k->outcome == SAYS_WANT_READ && lib->holds && !k->row->plain && lib->holds(c)) {
		answer("again", k->native);
		return true;
	}
	if (c->io != IO_MEMORY)
		return false;
	if (k->outcome == SAYS_WANT_READ)
		return refill(c, k);
	return !stuck;
}

static short call_events(const struct conn *c, const struct call *k)
{
	if (c->io != IO_MEMORY)
		return k->outcome == SAYS_WANT_READ ? POLLIN : POLLOUT;
	return (short)((k->outcome == SAYS_WANT_READ && !c->ended ? POLLIN : 0) | (c->out.n ? POLLOUT : 0));
}

/* False if a new line came first, or the end of the input. */
static bool call_wait(struct conn *c, struct call *k)
{
	short events = call_events(c, k);
	struct pollfd fds[] = { { STDIN_FILENO, POLLIN, 0 }, { events ? c->fd : -1, events, 0 } };
	int timeout = -1;

	answer("again", k->native);
	if (input.n)
		return false;
	if (lib->wait && c->io != IO_MEMORY && !k->row->plain) {
		lib->wait(c, k->outcome);
		fds[1].fd = -1;
		timeout = 0;
	}
	while (poll(fds, 2, timeout) < 0 && errno == EINTR)
		;
	return !fds[0].revents;
}

/* Runs the call until the library has an answer; false if a new line interrupted it. */
static bool call_run(struct conn *c, struct call *k)
{
	for (;;) {
		bool stuck;

		if (wants(k->outcome))
			call_step(c, k);
		stuck = c->io == IO_MEMORY && !flush(c, k);
		if (!wants(k->outcome) && !(stuck && k->row->sends))
			return true;
		if (wants(k->outcome) && call_ready(c, k, stuck))
			continue;
		if (!call_wait(c, k))
			return false;
	}
}

static const char *const outcome_words[] = {
	"ok", "resumed", "data", "closed", "truncated", "reset", "pipe", "alert",
	"sent", "complete", "refused", "error", "unsupported", "again", "again"
};

/* The IANA registry of TLS alerts. */
static const struct { int code; const char *name; } alerts[] = {
	{ 0, "close_notify" }, { 10, "unexpected_message" }, { 20, "bad_record_mac" }, { 21, "decryption_failed" },
	{ 22, "record_overflow" },
	{ 30, "decompression_failure" }, { 40, "handshake_failure" }, { 41, "no_certificate" }, { 42, "bad_certificate" },
	{ 43, "unsupported_certificate" }, { 44, "certificate_revoked" }, { 45, "certificate_expired" }, { 46, "certificate_unknown" },
	{ 47, "illegal_parameter" }, { 48, "unknown_ca" }, { 49, "access_denied" }, { 50, "decode_error" }, { 51, "decrypt_error" },
	{ 52, "too_many_cids_requested" }, { 60, "export_restriction" }, { 70, "protocol_version" }, { 71, "insufficient_security" },
	{ 80, "internal_error" }, { 86, "inappropriate_fallback" }, { 90, "user_canceled" }, { 100, "no_renegotiation" },
	{ 109, "missing_extension" }, { 110, "unsupported_extension" }, { 111, "certificate_unobtainable" }, { 112, "unrecognized_name" },
	{ 113, "bad_certificate_status_response" }, { 114, "bad_certificate_hash_value" }, { 115, "unknown_psk_identity" },
	{ 116, "certificate_required" }, { 117, "general_error" }, { 120, "no_application_protocol" }, { 121, "ech_required" },
};

static void put_alert(int code)
{
	char digits[16];

	for (size_t i = 0; i < countof(alerts); i++)
		if (alerts[i].code == code) {
			put(alerts[i].name);
			return;
		}
	snprintf(digits, sizeof(digits), "%d", code);
	put(digits);
}

static void call_answer(struct conn *c, struct call *k)
{
	if (k->row->last)                       /* first: an answered close has closed */
		conn_drop(c);
	pthread_mutex_lock(&out_lock);
	put(outcome_words[k->outcome]);
	if (k->outcome == SAYS_DATA)
		put_quoted(k->data, k->done);
	if (k->outcome == SAYS_ALERT)
		put_alert(k->alert);
	answer("", k->native);
	pthread_mutex_unlock(&out_lock);
}

static void call_go(struct conn *c, struct call *k)
{
	static unsigned serial;

	k->held = 0;
	if (call_run(c, k))
		call_answer(c, k);
	else
		k->held = ++serial;
}

static void *reader_run(void *arg)
{
	struct call *k = arg;
	bool answered;

	interrupts_block(false);
	answered = call_run(reader.conn, k);
	reader.done = true;                     /* before the answer: whoever knows it may close */
	if (answered && !reader.dropped)
		call_answer(reader.conn, k);
	return NULL;
}

static void reader_start(struct conn *c, struct call *k)
{
	reader.done = reader.dropped = false;
	reader.conn = c;
	interrupts_block(true);
	reader.started = !pthread_create(&reader.thread, NULL, reader_run, k);
	if (!reader.started)
		call_go(c, k);
}

static bool text_set(struct call *k, const char *arg)
{
	size_t len = strlen(arg);
	bool count = number(arg, WRITE_MAX, &k->n);
	uint8_t *text = realloc(k->text, (count ? k->n : len) + 1);

	if (!text)
		return false;
	k->data = k->text = text;
	if (!count)
		return unquote(arg, text, &k->n);
	for (size_t i = 0; i < k->n && i < PATTERN; i++)
		text[i] = (uint8_t)('a' + i);
	for (size_t i = PATTERN; i < k->n; i *= 2)
		memcpy(text + i, text, i < k->n - i ? i : k->n - i);
	return true;
}

static bool argument_set(struct call *k, const char *arg)
{
	static uint8_t room[READ_MAX];

	switch (k->row->arg) {
	case ARG_NONE:
		return !*arg;
	case ARG_ROOM:
		if (!number(arg, WRITE_MAX, &k->n))
			return false;
		k->n = k->n < READ_MAX ? k->n : READ_MAX;
		k->data = room;
		return true;
	case ARG_BYTES:
		return text_set(k, arg);
	}
	abort();
}

/* What follows the words of a row; NULL if the line begins with others. */
static const char *row_argument(const struct row *row, const char *line)
{
	size_t len = strlen(row->line);

	if (strncmp(line, row->line, len) != 0 || (line[len] && line[len] != ' '))
		return NULL;
	return line + len + !!line[len];
}

static bool can(const char *word)
{
	size_t len = strlen(word);

	for (const char *const *line = lib->can; *line; line++)
		for (const char *p = *line; (p = strstr(p, word)); p += len)
			if ((p == *line || p[-1] == ' ') && (!p[len] || p[len] == ' '))
				return true;
	return false;
}

static void call_start(struct conn *c, struct call *k, const char *arg)
{
	if (reader.done)
		reader_join(c, false);
	k->held = 0;
	k->repeated = k->more = false;
	k->taken = 0;
	k->requested = k->row->requested;
	k->outcome = SAYS_WANT_WRITE;           /* not done yet */
	if (!row_method(k->row) || !argument_set(k, arg))
		answer("unsupported", "");
	else if (!c->tls)
		answer("error", "\"there is no connection\"");
	else if (c->io == IO_BLOCKING && k->row->method == METHOD(read) && can("concurrent"))
		reader_start(c, k);
	else
		call_go(c, k);
}

/* ---- Commands: lines that are no call ---- */

static void listen_command(char *rest)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(addr);
	char text[64];

	(void)rest;
	if (listener < 0) {
		listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (listener < 0 || bind(listener, (struct sockaddr *)&addr, len) || listen(listener, SOMAXCONN))
			fd_close(&listener);
	}
	if (getsockname(listener, (struct sockaddr *)&addr, &len)) {
		answer("error", "listen=-1");
		return;
	}
	snprintf(text, sizeof(text), "127.0.0.1:%u", ntohs(addr.sin_port));
	answer("ok", text);
}

static bool address_parse(char *word, struct sockaddr_in *addr)
{
	char *colon = word ? strrchr(word, ':') : NULL;
	size_t port;

	if (!colon || !number(colon + 1, 65535, &port))
		return false;
	*colon = '\0';
	addr->sin_family = AF_INET;
	addr->sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, word, &addr->sin_addr) == 1;
}

/* `resume` and `option:NAME` in any order. conn_option wants a space on both sides of each name. */
static bool options_parse(struct conn *c, char *rest)
{
	size_t n = 1;

	memcpy(c->options, " ", 2);
	for (char *word; (word = word_next(&rest)); ) {
		if (!strcmp(word, "resume")) {
			c->resume = true;
			continue;
		}
		if (strncmp(word, "option:", 7) != 0 || !can(word) || n + strlen(word) > sizeof(c->options))
			return false;
		n += (size_t)snprintf(c->options + n, sizeof(c->options) - n, "%s ", word + 7);
	}
	return true;
}

static bool open_parse(struct conn *c, char *rest, struct sockaddr_in *addr)
{
	static const char *const modes[] = { "blocking", "nonblocking", "memory" };
	char *role = word_next(&rest), *version = word_next(&rest), *io = word_next(&rest);
	size_t mode = 0;

	if (!io || !can(role) || !can(version) || !can(io))
		return false;
	while (mode < countof(modes) && strcmp(modes[mode], io) != 0)
		mode++;
	c->server = !strcmp(role, "server");
	c->version = !strcmp(version, "tls1.2") ? 12 : 13;
	c->io = (enum io)mode;
	c->resume = false;
	if (mode == countof(modes) || (!c->server && strcmp(role, "client") != 0) ||
	    (c->version == 13 && strcmp(version, "tls1.3") != 0))
		return false;
	return (c->server || address_parse(word_next(&rest), addr)) && options_parse(c, rest);
}

static void open_command(char *rest)
{
	struct sockaddr_in addr = { 0 };
	struct call k = { 0 };
	enum outcome o;
	char text[64];

	conn_drop(conn);
	if (!open_parse(conn, rest, &addr)) {
		answer("unsupported", "");
		return;
	}
	if (conn->server && listener < 0)
		native(&k, "\"listen comes first\"");
	if (k.native[0])
		o = SAYS_ERROR;
	else if (!conn_up(conn, &k, &addr) || !conn_set(conn, &addr))
		o = native_errno(&k, errno);
	else
		o = lib->open(conn, &k);
	if (o != SAYS_OK) {
		conn_drop(conn);
		answer(outcome_words[o], k.native);
		return;
	}
	snprintf(text, sizeof(text), "127.0.0.1:%u", ntohs(addr.sin_port));
	answer("ok", text);
}

static void abandon_command(char *rest)
{
	(void)rest;
	conn_drop(conn);
	answer("ok", "");
}

static void end_command(char *rest)
{
	(void)rest;
	for (size_t i = 0; i < countof(conns); i++)
		conn_drop(&conns[i]);
	conn = conns;
	answer("ok", "");
}

/* A session that the other connection is to resume comes from one that lives on. */
static void switch_command(char *rest)
{
	(void)rest;
	if (!can("siblings")) {
		answer("unsupported", "");
		return;
	}
	if (reader.started && !reader.done) {
		answer("error", "\"a read is waiting\"");
		return;
	}
	reader_join(conn, false);
	calls_forget();
	session_keep(conn);
	conn = conn == conns ? conns + 1 : conns;
	answer("ok", "");
}

/* The library's new object begins with what the old one was given and did not take. */
static void input_take_back(struct conn *c)
{
	struct queue later = c->in;
	uint8_t buf[READ_MAX];
	size_t n;

	c->in = (struct queue){ 0 };
	while (lib->unread && (n = lib->unread(c, buf, sizeof(buf))))
		queue_add(&c->in, buf, n);
	queue_add(&c->in, later.p, later.n);
	free(later.p);
}

static void renew_command(char *rest)
{
	struct call k = { 0 };
	enum outcome o;

	(void)rest;
	if (!can("renew")) {
		answer("unsupported", "");
		return;
	}
	if (!conn->tls) {
		answer("error", "\"there is no connection\"");
		return;
	}
	if (conn->io == IO_MEMORY)
		input_take_back(conn);
	lib->abandon(conn);
	conn->tls = NULL;
	conn->resume = false;
	calls_forget();
	o = lib->open(conn, &k);
	answer(outcome_words[o], k.native);
}

/* The child answers for itself, and what kills it is a crash of ours. */
static void child_shutdown_command(char *rest)
{
	struct call *k = call_find("shutdown write");
	char text[4096];
	size_t len = 0;
	ssize_t n;
	int status, said[2];
	pid_t pid;

	(void)rest;
	if (!can("fork")) {
		answer("unsupported", "");
		return;
	}
	if (pipe(said) != 0 || (pid = fork()) < 0) {
		answer("error", "fork=-1");
		return;
	}
	if (pid == 0) {
		dup2(said[1], STDOUT_FILENO);
		call_start(conn, k, "");
		_exit(0);
	}
	close(said[1]);
	/* What the child says is our answer, and given when we can take the next line: not before the child has gone. */
	while ((n = read(said[0], text + len, sizeof(text) - len)) > 0 || (n < 0 && errno == EINTR))
		len += n > 0 ? (size_t)n : 0;
	close(said[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		raise(WTERMSIG(status));
	if (write(STDOUT_FILENO, text, len) != (ssize_t)len)
		exit(1);
}

/* Lies to be read in the file that takes the number. */
static const char foreign[] = "somebody else's";

static bool number_reuse(struct conn *c)
{
	int pair[2], fd = c->fd;
	bool ok;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return false;
	ok = send(pair[1], foreign, sizeof(foreign), MSG_NOSIGNAL) == sizeof(foreign) && !close(fd) &&
		fcntl(pair[0], F_DUPFD_CLOEXEC, fd) == fd;
	c->reused = pair[1];
	close(pair[0]);
	return ok;
}

static void reuse_number_command(char *rest)
{
	(void)rest;
	if (!can("reuse"))
		answer("unsupported", "");
	else if (!conn->tls || conn->reused >= 0)
		answer("error", "\"there is no connection with a descriptor\"");
	else if (number_reuse(conn))
		answer("ok", "close=0");
	else
		answer("error", "reuse=-1");
}

/* Was the file that has the number now read from, written to or closed by anybody? */
static const char *number_used(const struct conn *c)
{
	char byte;
	ssize_t got = recv(c->reused, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	int left = 0;

	if (got > 0)
		return "reused=written";
	if (got == 0 || ioctl(c->fd, FIONREAD, &left))
		return "reused=closed";
	return left == sizeof(foreign) ? NULL : "reused=read";
}

static void reuse_look_command(char *rest)
{
	const char *used;

	(void)rest;
	if (!can("reuse")) {
		answer("unsupported", "");
		return;
	}
	used = conn->reused < 0 ? "\"no number was reused\"" : number_used(conn);
	answer(used ? "error" : "ok", used ? used : "reused=untouched");
}

/* The call that was interrupted last. */
static void await_command(char *rest)
{
	struct call *k = calls;

	(void)rest;
	for (size_t i = 1; i < countof(calls); i++)
		if (calls[i].held > k->held)
			k = &calls[i];
	if (k->held)
		call_go(conn, k);
	else
		answer("error", "\"no call is outstanding\"");
}

static const struct command {
	const char *word;
	bool arguments;
	void (*run)(char *rest);
} commands[] = {
	{ "open",           true,  open_command },
	{ "end",            false, end_command },
	{ "await",          false, await_command },
	{ "abandon",        false, abandon_command },
	{ "switch",         false, switch_command },
	{ "listen",         false, listen_command },
	{ "renew",          false, renew_command },
	{ "reuse number",   false, reuse_number_command },
	{ "reuse look",     false, reuse_look_command },
	{ "child shutdown", false, child_shutdown_command },
};

static bool command_fits(const struct command *cmd, const char *line)
{
	size_t len = strlen(cmd->word);

	return !strncmp(line, cmd->word, len) && (!line[len] || (cmd->arguments && line[len] == ' '));
}

static void line_run(char *line)
{
	const char *arg;

	for (size_t i = 0; i < countof(rows); i++)
		if ((arg = row_argument(&rows[i], line))) {
			call_start(conn, &calls[i], arg);
			return;
		}
	for (size_t i = 0; i < countof(commands); i++)
		if (command_fits(&commands[i], line)) {
			commands[i].run(line + strlen(commands[i].word));
			return;
		}
	answer("unsupported", "");
}

static void greet(void)
{
	char name[128] = "";

	lib->library(name, sizeof(name));
	answer("library", name);
	answer("api", lib->api);
	for (const char *const *line = lib->can; *line; line++)
		answer("can", *line);
	answer("can", "interrupt");
	if (lib->promises)
		answer("promises", lib->promises);
	if (lib->forbids)
		answer("forbids", lib->forbids);
	if (lib->wants_rsa)
		answer("wants", "rsa");
	answer("ready", "");
}

static void interrupted(int signal_number)
{
	(void)signal_number;
}

int skeleton_run(const struct adapter *a)
{
	struct sigaction interrupts = { .sa_handler = interrupted };    /* no SA_RESTART: what waits sees EINTR */
	char *line;

	lib = a;
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGUSR1, &interrupts, NULL);
	for (size_t i = 0; i < countof(rows); i++)
		calls[i].row = &rows[i];
	greet();
	while ((line = line_next()))
		line_run(line);
	for (size_t i = 0; i < countof(conns); i++) {
		conn_drop(&conns[i]);
		free(conns[i].in.p);
		free(conns[i].out.p);
	}
	for (size_t i = 0; i < countof(rows); i++)
		free(calls[i].text);
	fd_close(&listener);
	return 0;
}
