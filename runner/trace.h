/* trace: a run as values and as text, in the notation of the cases: what was done, what calls returned, and what went over the wire
 * meanwhile. No time stamps and no ports: a run that behaves the same has the same trace. Pure. */
#ifndef RUNNER_TRACE_H
#define RUNNER_TRACE_H

#include "runner/evidence.h"
#include "runner/lex.h"

enum event_kind {
	EVENT_STIMULUS,                         /* peer  write "last" + close_notify + fin */
	EVENT_CALL,                             /* iut   read -> data "hello" as SSL_read=5 */
	EVENT_WIRE,                             /* wire  iut -> close_notify fin: one direction, while the line before was done.
	                                         * `wire iut other`: not on the present connection, but on the one
	                                         * that `switch` goes over to */
	EVENT_TCP                               /* tcp   iut -> close-wait */
};

struct event {
	enum event_kind kind;
	struct buf words;                       /* STIMULUS, CALL: the line, single-spaced: `iut read 5` */
	bool answered;                          /* CALL: answer is set; if not, it was left outstanding and `iut await` has it */
	struct answer answer;                   /* holds what its text shows: long data only their length, a sum only above 0 */
	bool peer;                              /* WIRE, TCP: about the peer, not the iut */
	bool other;                             /* WIRE: of the connection that the line before is not about */
	struct item *items; size_t nitems;      /* WIRE: at least one, data joined; of no length (`data`): the peer's that broke off, */
	                                        /* the iut's while a write waits for room */
	int state;                              /* TCP: the kernel's number */
};

struct trace { struct event *events; size_t n; };       /* owned: trace_free; safe on zero and safe twice */

void trace_of(const struct evidence *e, struct trace *t);
/* The words of the line that a step stands on; what `+` joins in one piece: `peer write "last" + close_notify + fin`. */
void trace_words(struct buf *out, const struct script *s, size_t step);

/* The two are inverse. Comment lines and blank lines are passed over; behind `as` all up to the end of the line is the native return. */
void trace_print(struct buf *out, const struct trace *t);
/* False: *f tells where and why; *t is zero. The text need not outlive the trace. */
bool trace_parse(struct trace *t, const char *path, const char *text, size_t n, struct fault *f);

/* One line, neither blank nor a comment, with its place; appended. On false *t may hold a part of it. */
bool trace_add_line(struct trace *t, const struct line *ln, struct fault *f);

/* Texts in quotes in native returns are for people, and not compared. */
bool trace_equal(const struct trace *a, const struct trace *b);
/* Leaves them out: then what two print is the same where they are equal. */
void trace_drop_texts(struct trace *t);
void trace_free(struct trace *t);

#endif
