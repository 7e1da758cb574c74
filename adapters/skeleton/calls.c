/* calls: a line that asks for a call of the library is held against the table, run until the library has an answer, in parts where it
 * wants I/O first, and answered. A read may go on in a thread of its own. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/skeleton/inside.h"

enum {
	WRITE_MAX = 1 << 30,
	PATTERN = 23                    /* letters: a prime, so that no record or buffer size is a multiple of it */
};

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

enum argument { ARG_NONE, ARG_ROOM, ARG_BYTES };

/* What arrived before, in its order: first what the library was given and did not consume. */
static ssize_t memory_take(struct conn *c, void *p, size_t n)
{
	size_t got = skeleton_lib->unread ? skeleton_lib->unread(c, p, n) : 0;

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

void calls_begin(void)
{
	for (size_t i = 0; i < countof(rows); i++)
		calls[i].row = &rows[i];
}

void calls_end(void)
{
	for (size_t i = 0; i < countof(rows); i++)
		free(calls[i].text);
}

void calls_forget(void)
{
	for (size_t i = 0; i < countof(calls); i++)
		calls[i].held = 0;
}

typedef enum outcome method(struct conn *, struct call *);

static method *row_method(const struct row *row)
{
	method *m;

	if (row->plain)
		return row->plain;
	memcpy(&m, (const char *)skeleton_lib + row->method, sizeof(m));
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
	if (c->io == IO_MEMORY && skeleton_lib->pump && !k->row->plain)
		skeleton_lib->pump(c);
}

/* One call of the library. */
static void call_step(struct conn *c, struct call *k)
{
	k->native[0] = '\0';
	k->done = 0;
	pump(c, k);
	if (skeleton_lib->lock)
		pthread_mutex_lock(skeleton_lib->lock);
	k->outcome = row_method(k->row)(c, k);
	if (skeleton_lib->lock)
		pthread_mutex_unlock(skeleton_lib->lock);
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
	if (k->outcome == SAYS_WANT_READ && skeleton_lib->holds && !k->row->plain && skeleton_lib->holds(c)) {
		line_answer("again", k->native);
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

	line_answer("again", k->native);
	if (line_pending())
		return false;
	if (skeleton_lib->wait && c->io != IO_MEMORY && !k->row->plain) {
		skeleton_lib->wait(c, k->outcome);
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

static const char *const words[] = {
	"ok", "resumed", "data", "closed", "truncated", "reset", "pipe", "alert",
	"sent", "complete", "refused", "error", "unsupported", "again", "again"
};

const char *calls_outcome_word(enum outcome o)
{
	return words[o];
}

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
			line_put(alerts[i].name);
			return;
		}
	snprintf(digits, sizeof(digits), "%d", code);
	line_put(digits);
}

static void call_answer(struct conn *c, struct call *k)
{
	if (k->row->last)                       /* first: an answered close has closed */
		skeleton_drop(c);
	line_begin();
	line_put(words[k->outcome]);
	if (k->outcome == SAYS_DATA)
		line_put_quoted(k->data, k->done);
	if (k->outcome == SAYS_ALERT)
		put_alert(k->alert);
	line_answer("", k->native);
	line_done();
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

/* ---- The thread of a read ---- */

/* Signals are for the one that waits. */
static void interrupts_block(bool block)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(block ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

static struct { pthread_t thread; struct conn *conn; bool started; atomic_bool done, dropped; } reader;

bool reader_waits(void)
{
	return reader.started && !reader.done;
}

void reader_join(struct conn *c, bool drop)
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

/* ---- Lines ---- */

static bool text_set(struct call *k, const char *arg)
{
	size_t len = strlen(arg);
	bool count = line_number(arg, WRITE_MAX, &k->n);
	uint8_t *text = realloc(k->text, (count ? k->n : len) + 1);

	if (!text)
		return false;
	k->data = k->text = text;
	if (!count)
		return line_unquote(arg, text, &k->n);
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
		if (!line_number(arg, WRITE_MAX, &k->n))
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
		line_answer("unsupported", "");
	else if (!c->tls)
		line_answer("error", "\"there is no connection\"");
	else if (c->io == IO_BLOCKING && k->row->method == METHOD(read) && skeleton_can("concurrent"))
		reader_start(c, k);
	else
		call_go(c, k);
}

bool calls_line(struct conn *c, const char *line)
{
	const char *arg;

	for (size_t i = 0; i < countof(rows); i++)
		if ((arg = row_argument(&rows[i], line))) {
			call_start(c, &calls[i], arg);
			return true;
		}
	return false;
}

void calls_await(struct conn *c)
{
	struct call *k = calls;

	for (size_t i = 1; i < countof(calls); i++)
		if (calls[i].held > k->held)
			k = &calls[i];
	if (k->held)
		call_go(c, k);
	else
		line_answer("error", "\"no call is outstanding\"");
}
