/* build_evidence: a run made by hand: a case's text, and what happened in one line.
 *
 * What happened stands in parts, split by `;`, one for each step of the case (each of those that `+` joins) and more for the time after the
 * last. A part begins with what the call returned, as a trace says it (`data "x"`, `alert 40`, `data 7 closed as r=0`), or the state that
 * `tcp` saw, or nothing. `>` begins what left the implementation during that step, `<` what left the peer, both in items, `>>` what left
 * the implementation on the other connection (`switch`). `-`: the step did not run, `?`: it was left out, `!`: the run ended there, `over`: it
 * had nothing left to act on, `left`: a descriptor still holds the socket, `stranger`: a connection was opened besides.
 *
 * Data that left is what was written, byte for byte; what reads gave counts as read. */
#ifndef TESTS_BUILD_EVIDENCE_H
#define TESTS_BUILD_EVIDENCE_H

#include <stdio.h>

#include "runner/evidence.h"
#include "runner/judge.h"
#include "runner/trace.h"
#include "tests/check_rows.h"

struct built {
	struct requirements reqs;
	struct script script;
	struct evidence e;
	struct buf text[2];                     /* what each side can send; [1] the peer */
	int conn, other;                        /* the present connection, and the one that `switch` goes over to; -1: none */
};

static inline void build_requirements(struct requirements *r, const char *text)
{
	struct fault f = { 0 };

	ck_assert_msg(requirements_parse(r, "cases/requirements", text, strlen(text), &f), "%d:%d: %s", f.line, f.col, f.msg);
}

/* "c3b": client, 1.3, blocking (n: nonblocking). */
static inline unsigned build_variant(const char *v)
{
	return (v[0] == 'c' ? FOR_CLIENT : FOR_SERVER) | (v[1] == '3' ? FOR_TLS13 : FOR_TLS12) | (v[2] == 'n' ? FOR_NONBLOCKING : FOR_BLOCKING);
}

static inline void build_packet(struct evidence *e, struct conn_seen *c, size_t step)
{
	e->frames = reallocarray(e->frames, e->nframes + 1, sizeof(*e->frames));
	c->packet_frame = reallocarray(c->packet_frame, c->npackets + 1, sizeof(*c->packet_frame));
	ck_assert(e->frames && c->packet_frame);
	e->frames[e->nframes] = (struct frame){ .step = step };
	c->packet_frame[c->npackets++] = e->nframes++;
}

/* An item in a packet of its own, and what decoding and the peer's own record make of it. */
static inline void build_item(struct built *b, int conn, size_t step, bool peer, struct item it)
{
	struct evidence *e = &b->e;
	struct conn_seen *c = &e->conns[conn];
	struct decoded *d = &c->decoded;
	int dir = iut_dir(e->variant) ^ peer;
	struct direction *wire = &c->stream.dir[dir];

	d->items = reallocarray(d->items, d->n + 1, sizeof(*d->items));
	ck_assert_ptr_nonnull(d->items);
	d->items[d->n++] = (struct seen_item){ .item = it, .dir = dir, .packet = c->npackets, .in_handshake = !c->handshaken };
	if (it.kind == ITEM_FIN) {
		wire->fin = true;
		c->fin_sent |= peer;
	}
	if (it.kind == ITEM_RST) {
		wire->rst = true;
		c->reset_sent |= peer;
	}
	if (it.kind == ITEM_ALERT && it.code == 0 && it.keys == KEYS_USUAL && !it.malformed && !d->notified[dir]) {
		d->notified[dir] = true;
		d->notify_packet[dir] = c->npackets;
	}
	if (it.kind == ITEM_DATA && it.keys == KEYS_USUAL)
		for (int64_t i = 0; i < it.len; i++) {
			buf_u8(d->notified[dir] ? &d->late[dir] : &d->plain[dir], b->text[peer].n ? *b->text[peer].p : '*');
			if (b->text[peer].n)
				buf_drop(&b->text[peer], 1);
		}
	build_packet(e, c, step);
}

static inline void build_items(struct built *b, int conn, size_t step, bool peer, const char *text)
{
	struct bytes words[40];
	size_t n = 0, bad;

	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		size_t len = strcspn(text, " ");

		ck_assert(n < countof(words));
		words[n++] = (struct bytes){ (const uint8_t *)text, len };
		text += len;
	}
	for (size_t at = 0; at < n;) {
		struct item it;
		int used = item_parse(words + at, n - at, false, &it, &bad);

		ck_assert_msg(used > 0, "no item: %s", (const char *)words[at].p);
		at += (size_t)used;
		build_item(b, conn, step, peer, it);
	}
}

static inline void build_answer(struct built *b, size_t step, const char *text)
{
	const struct step *st = &b->script.steps[step];
	struct step_seen *seen = &b->e.steps[step];
	struct buf line = { 0 };
	struct fault f = { 0 };
	struct trace t;

	buf_printf(&line, "%.*s -> %s\n", (int)st->words.n, (const char *)st->words.p, text);
	ck_assert_msg(trace_parse(&t, "t", buf_str(&line), line.n, &f), "%s%s", buf_str(&line), f.msg);
	ck_assert_uint_eq(t.n, 1);
	if (t.events[0].kind == EVENT_TCP) {
		seen->tcp_state = t.events[0].state;
	} else {
		seen->answered = true;
		seen->answer = t.events[0].answer;
		t.events[0].answer = (struct answer){ 0 };
	}
	if (st->actor == ACTOR_IUT && st->verb == IUT_READ_ALL && seen->answer.sum == ITEM_ANY)
		seen->answer.sum = 0;
	trace_free(&t);
	buf_free(&line);
}

/* What the driver notes of a call. */
static inline void build_note(struct built *b, size_t step)
{
	const struct step *st = &b->script.steps[step];
	const struct answer *x = &b->e.steps[step].answer;
	struct conn_seen *c;

	if (!b->e.steps[step].answered || st->actor != ACTOR_IUT)
		return;
	c = &b->e.conns[b->conn];
	if (x->outcome == OUTCOME_DATA && (iut_reads(st->verb) || st->verb == IUT_AWAIT))
		buf_add_bytes(&c->read_text, buf_bytes(&x->text));
	if (st->verb == IUT_READ_ALL && x->sum > 0)
		buf_pattern(&c->read_text, (size_t)x->sum);
	if (iut_writes(st->verb) && x->outcome == OUTCOME_OK)
		c->accepted = c->written.n;
}

static inline void build_text(const struct step *st, struct buf *to)
{
	if (st->text.p)
		buf_add_bytes(to, st->text);
	else if (st->n > 0)
		buf_pattern(to, (size_t)st->n);
}

static inline void build_begin(struct built *b, size_t step)
{
	const struct step *st = &b->script.steps[step];
	struct evidence *e = &b->e;

	e->steps[step].ran = true;
	if ((st->actor == ACTOR_HANDSHAKE || st->actor == ACTOR_CONNECT) && (step > 0 || !e->nconns))
		b->conn = e->nconns++;
	e->steps[step].conn = b->conn;
	if (st->actor == ACTOR_SWITCH) {
		b->conn = b->other;
		b->other = e->steps[step].conn;
	}
	if (st->actor == ACTOR_IUT && iut_writes(st->verb)) {
		struct conn_seen *c = &e->conns[b->conn];

		c->written.n = c->accepted;
		build_text(st, &c->written);
		build_text(st, &b->text[0]);
	}
	if (st->actor == ACTOR_PEER && st->verb == PEER_WRITE)
		build_text(st, &b->text[1]);
}

static inline void build_part(struct built *b, size_t step, char *part)
{
	struct evidence *e = &b->e;
	char *more = strpbrk(part, "<>");
	bool call = step < b->script.nsteps, hello;

	if (more)
		for (char *p = more; *p; p++)
			ck_assert_msg(*p != '"', "items before the answer: %s", part);
	if (call && *part != '-' && *part != '?')
		build_begin(b, step);
	if (!call)
		e->steps[step].conn = b->conn;
	hello = call && *part != '-' && b->script.steps[step].actor == ACTOR_HANDSHAKE;
	while (more) {
		bool peer = *more == '<', other = more[0] == '>' && more[1] == '>';
		char *from = more + 1 + other, next;

		*more = '\0';
		more = from + strcspn(from, "<>");
		next = *more;
		*more = '\0';
		build_items(b, other ? b->other : b->conn, step, peer, from);
		*more = next;
		more = next ? more : NULL;
	}
	for (size_t n = strlen(part); n && part[n - 1] == ' '; n--)
		part[n - 1] = '\0';
	if (*part && part[strlen(part) - 1] == '!') {
		e->ended_at = step;
		part[strlen(part) - 1] = '\0';
	}
	e->steps[step].left_out = *part == '?';
	e->steps[step].over = strcmp(part, "over") == 0;
	if (e->steps[step].over)
		return;
	if (strcmp(part, "stranger") == 0) {
		e->stranger = true;
		e->stranger_step = step;
		return;
	}
	if (strcmp(part, "left") == 0)
		e->conns[b->conn].socket_left = true;
	else if (*part && *part != '-' && *part != '?')
		build_answer(b, step, part);
	if (call)
		build_note(b, step);
	if (hello && e->steps[step].answered)
		e->conns[b->conn].handshaken = outcome_is(OUTCOME_OK, e->steps[step].answer.outcome) ||
			e->steps[step].answer.outcome == OUTCOME_RESUMED || e->steps[step].answer.outcome == OUTCOME_FULL;
}

/* The case is given without its title line: its first line is number 2. */
static inline void build(struct built *b, const char *reqs, const char *variant, const char *case_text, const char *seen)
{
	struct buf text = { 0 }, copy = { 0 };
	struct fault f = { 0 };
	size_t step = 0;
	char *rest;

	*b = (struct built){ .conn = -1, .other = -1 };
	build_requirements(&b->reqs, reqs);
	buf_printf(&text, "title t\n%s", case_text);
	ck_assert_msg(script_parse(&b->script, "cases/theme/name.case", buf_str(&text), text.n, 0, &b->reqs, &f), "%s\n%d:%d: %s", buf_str(&text), f.line, f.col, f.msg);
	evidence_start(&b->e, &b->script, build_variant(variant));
	if (b->script.steps[0].actor != ACTOR_HANDSHAKE)
		b->conn = b->e.nconns++;
	buf_printf(&copy, "%s", seen);
	buf_str(&copy);
	rest = (char *)copy.p;
	while (rest) {
		char *part = strsep(&rest, ";");

		build_part(b, step < b->script.nsteps ? step : b->script.nsteps, part + strspn(part, " "));
		step++;
	}
	buf_free(&text);
	buf_free(&copy);
}

static inline void built_free(struct built *b)
{
	evidence_free(&b->e);
	script_free(&b->script);
	requirements_free(&b->reqs);
	buf_free(&b->text[0]);
	buf_free(&b->text[1]);
}

#endif
