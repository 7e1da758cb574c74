/* trace: a run as values and as text. */
#include "runner/trace.h"

#include <assert.h>
#include <stdlib.h>

#include "runner/lex.h"
#include "runner/pattern.h"

static const int64_t length_max = 999999999999999;

/* What a line can begin with. */
static const struct { const char *word; enum event_kind kind; } actors[] = {
	{ "handshake", EVENT_CALL }, { "connect", EVENT_STIMULUS }, { "switch", EVENT_CALL }, { "iut", EVENT_CALL },
	{ "peer", EVENT_STIMULUS },
	{ "fd", EVENT_STIMULUS },
	{ "path", EVENT_STIMULUS }, { "wire", EVENT_WIRE }, { "tcp", EVENT_TCP },
};

static struct event *event_add(struct trace *t, enum event_kind kind)
{
	if (t->n % 32 == 0) {
		t->events = reallocarray(t->events, t->n + 32, sizeof(*t->events));
		assert(t->events);
	}
	t->events[t->n] = (struct event){ .kind = kind };
	return &t->events[t->n++];
}

void trace_free(struct trace *t)
{
	for (size_t i = 0; i < t->n; i++) {
		buf_free(&t->events[i].words);
		answer_free(&t->events[i].answer);
		free(t->events[i].items);
	}
	free(t->events);
	*t = (struct trace){ 0 };
}

/* --- what a trace keeps: as much as its text shows --- */

static struct item item_shown(const struct item *it)
{
	struct item out = { .kind = it->kind, .keys = it->keys };

	if (it->kind == ITEM_ALERT || it->kind == ITEM_HANDSHAKE || it->kind == ITEM_KEY_UPDATE)
		out.code = it->code;
	if (it->kind == ITEM_ALERT) {
		out.level = it->level;
		out.malformed = it->malformed;
	}
	if (it->kind == ITEM_DATA || it->kind == ITEM_RAW || it->malformed)
		out.len = it->len;
	return out;
}

/* How many records carry some data says nothing: they are one item, as items_print shows them. */
static void item_add(struct event *ev, const struct item *it)
{
	struct item *last = ev->nitems ? &ev->items[ev->nitems - 1] : NULL;

	if (last && (it->kind == ITEM_DATA || it->kind == ITEM_RAW) && last->kind == it->kind && last->keys == it->keys) {
		last->len = last->len == ITEM_ANY || it->len == ITEM_ANY ? ITEM_ANY : last->len + it->len;
		return;
	}
	if ((ev->nitems & (ev->nitems - 1)) == 0)
		ev->items = reallocarray(ev->items, ev->nitems ? 2 * ev->nitems : 1, sizeof(*ev->items));
	assert(ev->items);
	ev->items[ev->nitems++] = item_shown(it);
}

static struct bytes trim(struct bytes x)
{
	while (x.n && (x.p[0] == ' ' || x.p[0] == '\t'))
		x = (struct bytes){ x.p + 1, x.n - 1 };
	while (x.n && (x.p[x.n - 1] == ' ' || x.p[x.n - 1] == '\t' || x.p[x.n - 1] == '\r'))
		x.n--;
	return x;
}

/* Text, or a record that nobody opened and that has other bytes every time? */
static bool is_text(struct bytes x)
{
	for (size_t i = 0; i < x.n; i++)
		if ((x.p[i] < ' ' || x.p[i] > '~') && x.p[i] != '\t' && x.p[i] != '\r' && x.p[i] != '\n')
			return false;
	return true;
}

static void only_len(struct answer *a)
{
	a->only_len = true;
	buf_free(&a->text);
}

/* plain: of what came on the transport itself. */
static struct answer answer_shown(const struct answer *from, bool plain)
{
	struct answer a = answer_of(from->outcome);

	if (from->sum > 0)
		a.sum = from->sum;
	if (from->outcome == OUTCOME_ALERT)
		a.alert = from->alert;
	if (from->outcome == OUTCOME_CRASH || from->outcome == OUTCOME_DATA)
		buf_add_bytes(&a.text, buf_bytes(&from->text));
	if (from->outcome == OUTCOME_DATA) {
		a.len = from->len;
		a.only_len = from->only_len;
		if (a.text.n > ANSWER_TEXT_MAX || (plain && !is_text(buf_bytes(&a.text))))
			only_len(&a);
	}
	buf_add_bytes(&a.native, trim(buf_bytes(&from->native)));
	return a;
}

/* --- from evidence --- */

/* Was a write of the IUT waiting for room in this step? How much of it had left by then is what the two kernels had room for, and another
 * number every time; what it comes to in the end is the case's to compare. */
static bool write_waits(const struct evidence *e, int conn, size_t step)
{
	bool waits = false, over = false;

	for (size_t i = 0; i <= step && i < e->script->nsteps; i++) {
		const struct step *st = &e->script->steps[i];
		const struct step_seen *seen = &e->steps[i];
		bool blocked = !seen->answered || seen->answer.outcome == OUTCOME_BLOCKED;

		if (!seen->ran || seen->conn != conn || st->actor != ACTOR_IUT)
			continue;
		waits &= !over;
		if (iut_writes(st->verb))
			waits |= blocked;
		over = st->verb == IUT_AWAIT && !blocked;
	}
	return waits;
}

/* Of what the IUT was told is written, how much had not left after this step? step: counted from 1, so that 0 is before all. */
static int64_t kept_back(const struct evidence *e, int conn, size_t step)
{
	const struct decoded *d = &e->conns[conn].decoded;
	int64_t bytes = 0;

	for (size_t i = 0; i < step && i < e->script->nsteps; i++) {
		const struct step *st = &e->script->steps[i];

		if (step_answered(e, conn, i) && st->actor == ACTOR_IUT && iut_writes(st->verb) && e->steps[i].answer.outcome == OUTCOME_OK)
			bytes += st->text.p ? (int64_t)st->text.n : st->n;
	}
	for (size_t i = 0; i < d->n; i++)
		if (d->items[i].dir == iut_dir(e->variant) && d->items[i].item.kind == ITEM_DATA && item_step(e, conn, &d->items[i]) < step)
			bytes -= d->items[i].item.len;
	return bytes;
}

enum tells { TELLS_ALL, TELLS_NO_LENGTH, TELLS_NO_END, TELLS_NOTHING };          /* NO_END: nor how much of a record there was room for */

/* What do data of the IUT tell that left in this step? A write waits, or a library that takes what is written into a buffer of its own
 * says `ok` at once. While the peer does not read, how much leaves is what two kernels have room for, and where a window opens late, or
 * the kernel asks by a few bytes whether it has, some leave a step later. */
static enum tells iut_data_tell(const struct evidence *e, int conn, size_t step)
{
	const struct script *s = e->script;
	bool ever = false, stopped = false, writes, before, after;

	for (size_t i = 0; i <= step && i < s->nsteps; i++)
		if (s->steps[i].actor == ACTOR_PEER && e->steps[i].ran && e->steps[i].conn == conn) {
			ever |= s->steps[i].verb == PEER_STOP_READING;
			stopped = s->steps[i].verb == PEER_STOP_READING || (stopped && s->steps[i].verb != PEER_START_READING);
		}
	writes = step < s->nsteps && s->steps[step].actor == ACTOR_IUT && iut_writes(s->steps[step].verb);
	if (write_waits(e, conn, step))
		return !stopped ? TELLS_NO_LENGTH : writes ? TELLS_NO_END : TELLS_NOTHING;
	if (!ever)
		return TELLS_ALL;
	before = kept_back(e, conn, step) > 0;
	if (before && stopped && !writes)
		return TELLS_NOTHING;
	after = kept_back(e, conn, step + 1) > 0;
	return stopped && after ? TELLS_NO_END : before || after ? TELLS_NO_LENGTH : TELLS_ALL;
}

/* Is this call collected when a timer of the kernel has ended it? */
static bool ended_by_timer(const struct script *s, size_t i)
{
	while (++i < s->nsteps && s->steps[i].actor != ACTOR_IUT)
		;
	return i < s->nsteps && s->steps[i].verb == IUT_AWAIT && s->steps[i].later;
}

/* Is it chance whether this call, with `&`, was seen to wait? So it is where a timer of the kernel ends it, which may have been before the
 * look: a runtime's own timer can delay that for as long as it likes. And where a write waits for room: a last few bytes may find some. */
static bool waits_by_chance(const struct evidence *e, size_t i)
{
	const struct step *st = &e->script->steps[i];
	const struct step_seen *seen = &e->steps[i];
	bool sends = st->verb == IUT_SHUTDOWN || st->verb == IUT_SHUTDOWN_WRITE || st->verb == IUT_SHUTDOWN_BOTH || st->verb == IUT_CLOSE;

	return st->outstanding && (!seen->answered || seen->answer.outcome == OUTCOME_BLOCKED) &&
	       (ended_by_timer(e->script, i) || (sends && i > 0 && write_waits(e, seen->conn, i - 1)));
}

static void add_call(struct trace *t, const struct evidence *e, size_t i)
{
	const struct step *st = &e->script->steps[i];
	const struct step_seen *seen = &e->steps[i];
	struct event *ev = event_add(t, EVENT_CALL);

	buf_add_bytes(&ev->words, st->words);
	ev->answered = seen->answered && !(st->actor == ACTOR_IUT && waits_by_chance(e, i));
	if (ev->answered)
		ev->answer = answer_shown(&seen->answer, st->actor == ACTOR_IUT && st->verb == IUT_PLAIN_READ);
	else if (st->outstanding)
		buf_printf(&ev->words, " &");
}

void trace_words(struct buf *out, const struct script *s, size_t step)
{
	const size_t actor = bytes_of("peer ").n;

	while (step > 0 && s->steps[step - 1].joined)
		step--;
	buf_add_bytes(out, s->steps[step].words);
	for (; s->steps[step].joined; step++) {
		struct bytes words = s->steps[step + 1].words;

		buf_printf(out, " + %.*s", (int)(words.n - actor), (const char *)words.p + actor);
	}
}

static void add_stimulus(struct trace *t, const struct script *s, size_t i)
{
	if (i > 0 && s->steps[i - 1].joined)
		return;                 /* it left with the first of its group, and is told there */
	trace_words(&event_add(t, EVENT_STIMULUS)->words, s, i);
}

static void add_tcp(struct trace *t, const struct step *st, const struct step_seen *seen)
{
	struct event *ev;

	if (!tcp_state_word(seen->tcp_state))
		return;                 /* the look failed, and the run with it */
	ev = event_add(t, EVENT_TCP);
	ev->peer = st->verb == 1;
	ev->state = seen->tcp_state;
}

static void add_line(struct trace *t, const struct evidence *e, size_t i)
{
	const struct step *st = &e->script->steps[i];

	if (!e->steps[i].ran)
		return;
	switch (st->actor) {
	case ACTOR_HANDSHAKE:
	case ACTOR_SWITCH:
	case ACTOR_IUT:
		add_call(t, e, i);
		break;
	case ACTOR_CONNECT:
	case ACTOR_PEER:
	case ACTOR_FD:
	case ACTOR_PATH:
		add_stimulus(t, e->script, i);
		break;
	case ACTOR_TCP:
		add_tcp(t, st, &e->steps[i]);
		break;
	case ACTOR_WIRE:
		break;                  /* it only compares; what it saw stands where it left */
	}
}

/* Where the peer's last data begin, if they broke off inside a record because the IUT took no more: an index into the items. How far they
 * came is what the two kernels had room for, and grew while somebody read: no behaviour of the IUT, and another number every time. */
static size_t broken_off(const struct conn_seen *c, int peer_dir)
{
	const struct decoded *d = &c->decoded;
	size_t first = d->n;
	bool partial = false;

	for (size_t i = d->n; c->undelivered && i-- > 0;) {
		const struct seen_item *it = &d->items[i];

		if (it->dir != peer_dir || it->item.kind == ITEM_RST)
			continue;
		if (partial && it->item.kind != ITEM_DATA)
			break;
		if (!partial && it->item.kind != ITEM_PARTIAL)
			break;
		partial = true;
		first = i;
	}
	return first;
}

/* What crossed in a whole handshake crossed by chance (a server's tickets and the client's Finished): each side's messages stand
 * together. */
static bool by_sides(const struct evidence *e, size_t step)
{
	return step < e->script->nsteps && e->script->steps[step].actor == ACTOR_HANDSHAKE && e->steps[step].answered &&
	       (e->steps[step].answer.outcome == OUTCOME_OK || e->steps[step].answer.outcome == OUTCOME_RESUMED ||
	        e->steps[step].answer.outcome == OUTCOME_FULL);
}

/* How long are these data of the peer: does that tell anything? Not where they wait for the IUT to make room: how many leave in this step
 * and how many in the next is what the two kernels had room for. */
static bool peer_length_tells(const struct evidence *e, size_t step, size_t item, size_t untold)
{
	return item < untold && !e->steps[step].peer_waits;
}

/* A handshake by parts in which the peer goes on? */
static bool by_parts(const struct evidence *e, size_t step)
{
	const struct step *st = e->script->steps + step;

	if (step >= e->script->nsteps)
		return false;
	while (st > e->script->steps && st[-1].joined)
		st--;
	return st->actor == ACTOR_PEER && st->verb == PEER_HANDSHAKE;
}

/* What of a connection left in one step, as it goes into the trace. */
struct telling {
	struct trace *t;
	const struct evidence *e;
	int conn;
	size_t step;
	size_t untold;                          /* broken_off */
	enum tells iut_data;
	struct event *ev;                       /* the line that is being made; NULL: none yet */
};

/* The IUT has answered the peer's FIN by its own, in this step: then a close with input unread draws a RST only as long as that is not
 * acknowledged, and it ends nothing any more (Linux, tcp_close: a socket in LAST_ACK becomes CLOSE by the acknowledgement, and a closed one
 * sends nothing). */
static bool rst_by_chance(const struct telling *to, size_t i)
{
	const struct decoded *d = &to->e->conns[to->conn].decoded;
	bool peers = false, answered = false;

	if (d->items[i].item.kind != ITEM_RST || d->items[i].dir != iut_dir(to->e->variant))
		return false;
	for (size_t k = 0; k < i; k++) {
		bool own = d->items[k].dir == iut_dir(to->e->variant);

		if (d->items[k].item.kind != ITEM_FIN)
			continue;
		answered |= own && peers && item_step(to->e, to->conn, &d->items[k]) == to->step;
		peers |= !own;
	}
	return answered;
}

static void tell_item(struct telling *to, size_t i)
{
	const struct seen_item *seen = &to->e->conns[to->conn].decoded.items[i];
	bool peer = seen->dir != iut_dir(to->e->variant);
	struct item it = seen->item;

	if (rst_by_chance(to, i))
		return;
	if (!peer && ((it.kind == ITEM_DATA && to->iut_data == TELLS_NOTHING) || (it.kind == ITEM_PARTIAL && to->iut_data >= TELLS_NO_END)))
		return;
	if (!to->ev || to->ev->peer != peer)
		to->ev = event_add(to->t, EVENT_WIRE);
	to->ev->peer = peer;
	/* Behind a record that broke off where there was no room any more stands no record: that is as long as chance has it. */
	if (peer ? it.kind == ITEM_DATA && !peer_length_tells(to->e, to->step, i, to->untold)
	         : (it.kind == ITEM_DATA || it.kind == ITEM_RAW) && to->iut_data != TELLS_ALL)
		it.len = ITEM_ANY;
	to->ev->other = step_is_others(to->e, to->conn, to->step);
	item_add(to->ev, &it);
}

static bool is_own_ticket(const struct telling *to, size_t i)
{
	const struct seen_item *seen = &to->e->conns[to->conn].decoded.items[i];

	return seen->dir == iut_dir(to->e->variant) && seen->item.kind == ITEM_TICKET;
}

/* The tickets from *first on, up to this item; then none are held any more. */
static void tell_held(struct telling *to, size_t *first, size_t until)
{
	for (; *first < until; ++*first)
		if (is_own_ticket(to, *first) && item_step(to->e, to->conn, &to->e->conns[to->conn].decoded.items[*first]) == to->step)
			tell_item(to, *first);
	*first = SIZE_MAX;
}

/* A line for each change of direction. dir: only what left that side; -1: both. Tickets that a server sends while the client ends a
 * handshake by parts cross its Finished by chance, where the library does not wait for that: they stand behind what the peer sent. */
static void add_items(struct trace *t, const struct evidence *e, int conn, size_t step, int dir)
{
	const struct decoded *d = &e->conns[conn].decoded;
	struct telling to = { t, e, conn, step, broken_off(&e->conns[conn], !iut_dir(e->variant)), iut_data_tell(e, conn, step), NULL };
	bool hold = by_parts(e, step);
	size_t held = SIZE_MAX;                 /* from here on tickets wait to be told */

	for (size_t i = 0; i < d->n; i++) {
		if ((dir >= 0 && d->items[i].dir != dir) || item_step(e, conn, &d->items[i]) != step)
			continue;
		if (hold && is_own_ticket(&to, i)) {
			held = held < i ? held : i;
			continue;
		}
		if (d->items[i].dir == iut_dir(e->variant))
			tell_held(&to, &held, i);
		tell_item(&to, i);
	}
	tell_held(&to, &held, d->n);
}

static void add_wire(struct trace *t, const struct evidence *e, int conn, size_t step)
{
	if (!by_sides(e, step)) {
		add_items(t, e, conn, step, -1);
		return;
	}
	add_items(t, e, conn, step, iut_dir(e->variant));
	add_items(t, e, conn, step, !iut_dir(e->variant));
}

void trace_of(const struct evidence *e, struct trace *t)
{
	*t = (struct trace){ 0 };
	for (size_t i = 0; i <= e->script->nsteps; i++) {
		if (i < e->script->nsteps)
			add_line(t, e, i);
		for (int conn = 0; conn < e->nconns; conn++)
			add_wire(t, e, conn, i);
	}
}

/* --- print --- */

/* What stands behind the actor begins in one column. */
static void print_words(struct buf *out, struct bytes words)
{
	size_t n = 0;

	while (n < words.n && words.p[n] != ' ')
		n++;
	buf_printf(out, n < words.n ? "%-5.*s" : "%.*s", (int)n, (const char *)words.p);
	buf_add(out, words.p + n, words.n - n);
}

static void print_answer(struct buf *out, const struct answer *a)
{
	buf_printf(out, " -> ");
	answer_print(out, a);
	if (a->native.n) {
		buf_printf(out, " as ");
		buf_add_bytes(out, buf_bytes(&a->native));
	}
}

static void print_event(struct buf *out, const struct event *ev)
{
	switch (ev->kind) {
	case EVENT_STIMULUS:
		print_words(out, buf_bytes(&ev->words));
		break;
	case EVENT_CALL:
		print_words(out, buf_bytes(&ev->words));
		if (ev->answered)
			print_answer(out, &ev->answer);
		break;
	case EVENT_WIRE:
		buf_printf(out, "wire  %s%s -> ", ev->peer ? "peer" : "iut", ev->other ? " other" : "");
		items_print(out, ev->items, ev->nitems);
		break;
	case EVENT_TCP:
		buf_printf(out, "tcp   %s -> %s", ev->peer ? "peer" : "iut", tcp_state_word(ev->state));
		break;
	}
	buf_u8(out, '\n');
}

void trace_print(struct buf *out, const struct trace *t)
{
	for (size_t i = 0; i < t->n; i++)
		print_event(out, &t->events[i]);
}

/* --- parse --- */

/* A line and its next token; behind that no token was taken yet. */
struct reader { struct line ln; struct token t; struct fault *f; };

static bool next(struct reader *r)
{
	return line_token(&r->ln, &r->t, r->f);
}

static bool expected(struct reader *r, const char *what)
{
	return fault_set(r->f, &r->t.at, "%s here: %s", r->t.kind == TOKEN_END ? "missing" : "expected", what);
}

static bool read_end(struct reader *r)
{
	return r->t.kind == TOKEN_END || fault_set(r->f, &r->t.at, "too much: the line could end before this");
}

/* The words up to `->` or the end, with single spaces where the file has any. */
static bool read_words(struct reader *r, struct buf *words)
{
	int end = r->t.at.col;

	while (r->t.kind != TOKEN_END && !token_is(&r->t, "->")) {
		if (r->t.at.col > end)
			buf_u8(words, ' ');
		buf_add_bytes(words, r->t.text);
		end = r->t.at.col + (int)r->t.text.n;
		if (!next(r))
			return false;
	}
	return true;
}

static bool read_stimulus(struct reader *r, struct event *ev)
{
	size_t actor = r->t.text.n;

	if (!read_words(r, &ev->words))
		return false;
	return ev->words.n > actor ? read_end(r) : expected(r, "what is done");
}

static bool read_outcome(struct reader *r, enum outcome *o)
{
	const char *words[OUTCOME_COUNT];
	int found = r->t.kind == TOKEN_WORD ? outcome_find(r->t.text) : -1;

	if (r->t.kind != TOKEN_WORD)
		return expected(r, "an outcome");
	for (int i = 0; i < OUTCOME_COUNT; i++)
		words[i] = outcome_word((enum outcome)i);
	if (found < 0)
		return fault_unknown(r->f, &r->t.at, r->t.text, "outcome", words, OUTCOME_COUNT);
	*o = (enum outcome)found;
	return next(r);
}

static bool at_answers_end(const struct reader *r)
{
	return r->t.kind == TOKEN_END || token_is(&r->t, "as");
}

/* What stands behind the outcome: an alert's name, or how a process died. */
static bool read_detail(struct reader *r, struct answer *a)
{
	if (a->outcome == OUTCOME_ALERT) {
		a->alert = r->t.kind == TOKEN_WORD ? alert_code(r->t.text) : -1;
		return a->alert >= 0 ? next(r) : expected(r, "the name or number of an alert");
	}
	if (a->outcome != OUTCOME_CRASH)
		return true;
	for (; !at_answers_end(r);) {
		if (a->text.n)
			buf_u8(&a->text, ' ');
		buf_add_bytes(&a->text, r->t.text);
		if (!next(r))
			return false;
	}
	return true;
}

/* `data 1275 closed`: the number was the sum of a read*. */
static bool read_sum(struct reader *r, struct answer *a)
{
	a->sum = a->len > 0 ? a->len : ITEM_ANY;
	a->len = 0;
	a->only_len = false;
	if (token_is(&r->t, "data"))
		return expected(r, "what ends a `read*`");
	return read_outcome(r, &a->outcome) && read_detail(r, a);
}

static bool read_data(struct reader *r, struct answer *a)
{
	struct bytes text = r->t.text;

	if (r->t.kind == TOKEN_STRING) {
		if (!bytes_unquote(&text, &a->text))
			return fault_set(r->f, &r->t.at, "in this string stands an escape that there is not");
		a->len = (int64_t)a->text.n;
		if (a->text.n > ANSWER_TEXT_MAX)
			only_len(a);
		return next(r);
	}
	a->only_len = true;
	if (r->t.kind != TOKEN_WORD || !number_parse(r->t.text, 0, length_max, &a->len))
		return expected(r, "a text in quotes or a number of bytes");
	return next(r) && (at_answers_end(r) || read_sum(r, a));
}

static bool read_answer(struct reader *r, struct answer *a)
{
	enum outcome o = OUTCOME_OK;

	if (!next(r) || !read_outcome(r, &o))
		return false;
	*a = answer_of(o);
	if (o == OUTCOME_DATA ? !read_data(r, a) : !read_detail(r, a))
		return false;
	if (!token_is(&r->t, "as"))
		return read_end(r);
	buf_add_bytes(&a->native, trim(r->ln.rest));
	return a->native.n > 0 || (next(r) && expected(r, "the native return"));
}

static bool read_call(struct reader *r, struct event *ev)
{
	bool bare = token_is(&r->t, "iut");

	if (!read_words(r, &ev->words))
		return false;
	if (bare && bytes_is(buf_bytes(&ev->words), "iut"))
		return expected(r, "a call");
	ev->answered = r->t.kind != TOKEN_END;
	return !ev->answered || read_answer(r, &ev->answer);
}

/* `iut ->`, `peer ->`, on the wire also `iut other ->`, behind the actor. */
static bool read_who(struct reader *r, struct event *ev)
{
	if (!next(r))
		return false;
	ev->peer = token_is(&r->t, "peer");
	if (!ev->peer && !token_is(&r->t, "iut"))
		return expected(r, "`iut` or `peer`");
	if (!next(r))
		return false;
	ev->other = ev->kind == EVENT_WIRE && token_is(&r->t, "other");
	if (ev->other && !next(r))
		return false;
	return token_is(&r->t, "->") ? next(r) : expected(r, "`->`");
}

static bool item_fault(struct reader *r, const struct token *t, bool unknown)
{
	size_t n;
	const char *const *words = item_words(&n);

	if (t->kind != TOKEN_WORD)
		return fault_set(r->f, &t->at, "expected here: what went over the wire");
	if (unknown)
		return fault_unknown(r->f, &t->at, t->text, "thing on the wire", words, n);
	return fault_set(r->f, &t->at, "`%.*s` cannot stand here, or lacks a word behind it",
	                 t->text.n < 40 ? (int)t->text.n : 40, (const char *)t->text.p);
}

static bool items_of(struct reader *r, const struct token *t, const struct bytes *words, size_t n, struct event *ev)
{
	struct item it;
	size_t bad = 0;

	for (size_t at = 0; at < n;) {
		bool may_lack_length = bytes_is(words[at], "data") || bytes_is(words[at], "raw");
		int used = item_parse(words + at, n - at, may_lack_length, &it, &bad);

		if (used <= 0)
			return item_fault(r, &t[used ? at + bad : at], used == 0);
		item_add(ev, &it);
		if (ev->items[ev->nitems - 1].len > length_max)
			return fault_set(r->f, &t[at].at, "more bytes than a connection can have");
		at += (size_t)used;
	}
	return true;
}

static bool read_wire(struct reader *r, struct event *ev)
{
	size_t max = r->ln.text.n + 1, n = 0;   /* no more tokens than bytes */
	struct token *t = calloc(max, sizeof(*t));
	struct bytes *words = calloc(max, sizeof(*words));
	bool ok;

	assert(t && words);
	ok = read_who(r, ev) && (r->t.kind != TOKEN_END || expected(r, "what went over the wire"));
	while (ok && r->t.kind != TOKEN_END) {
		t[n] = r->t;
		words[n++] = r->t.text;
		ok = next(r);
	}
	ok = ok && items_of(r, t, words, n, ev);
	free(t);
	free(words);
	return ok;
}

static bool read_tcp(struct reader *r, struct event *ev)
{
	const char *words[32];
	size_t n = 0;

	for (int s = 1; tcp_state_word(s); s++)
		words[n++] = tcp_state_word(s);
	if (!read_who(r, ev))
		return false;
	if (r->t.kind != TOKEN_WORD)
		return expected(r, "a state of TCP");
	ev->state = tcp_state_find(r->t.text);
	if (ev->state < 0)
		return fault_unknown(r->f, &r->t.at, r->t.text, "state of TCP", words, n);
	return next(r) && read_end(r);
}

static bool (*const kinds[])(struct reader *, struct event *) = {
	[EVENT_STIMULUS] = read_stimulus, [EVENT_CALL] = read_call, [EVENT_WIRE] = read_wire, [EVENT_TCP] = read_tcp,
};

static bool read_line(struct reader *r, struct trace *t)
{
	const char *words[countof(actors)];

	if (!next(r))
		return false;
	for (size_t i = 0; i < countof(actors); i++) {
		words[i] = actors[i].word;
		if (token_is(&r->t, actors[i].word))
			return kinds[actors[i].kind](r, event_add(t, actors[i].kind));
	}
	return fault_unknown(r->f, &r->t.at, r->t.text, "actor", words, countof(words));
}

bool trace_add_line(struct trace *t, const struct line *ln, struct fault *f)
{
	struct reader r = { .ln = *ln, .f = f };

	return read_line(&r, t);
}

static bool read_lines(struct trace *t, const char *path, struct bytes text, struct fault *f)
{
	struct lines in = lines_of(path, (const char *)text.p, text.n);
	struct bytes comment;
	struct line ln;

	while (lines_next(&in, &ln))
		if (!line_blank(&ln) && !line_comment(&ln, &comment) && !trace_add_line(t, &ln, f))
			return false;
	return true;
}

bool trace_parse(struct trace *t, const char *path, const char *text, size_t n, struct fault *f)
{
	struct buf copy = { 0 };
	bool ok;

	*t = (struct trace){ 0 };
	buf_add(&copy, text, n);
	buf_str(&copy);                 /* a fault shows its line up to a NUL */
	ok = read_lines(t, path, buf_bytes(&copy), f);
	buf_free(&copy);
	if (!ok)
		trace_free(t);
	return ok;
}

/* --- equal --- */

/* Spaces around a text go with it. From a quote that begins no text on all stays as it is: what is left could otherwise be one, and go when
 * it is read again. */
static void without_texts(struct bytes native, struct buf *out)
{
	struct buf text = { 0 };

	while (native.n) {
		if (native.p[0] == '"') {
			if (!bytes_unquote(&native, &text))
				break;
			continue;
		}
		if (native.p[0] != ' ' || (out->n && out->p[out->n - 1] != ' '))
			buf_u8(out, native.p[0]);
		bytes_take(&native, 1, &(struct bytes){ 0 });
	}
	buf_add_bytes(out, native);
	buf_free(&text);
}

void trace_drop_texts(struct trace *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct buf *native = &t->events[i].answer.native, kept = { 0 }, out = { 0 };

		without_texts(buf_bytes(native), &kept);
		buf_add_bytes(&out, trim(buf_bytes(&kept)));
		buf_free(&kept);
		buf_free(native);
		*native = out;
	}
}

static bool same_native(const struct answer *a, const struct answer *b)
{
	struct buf x = { 0 }, y = { 0 };
	bool same;

	without_texts(buf_bytes(&a->native), &x);
	without_texts(buf_bytes(&b->native), &y);
	same = bytes_equal(trim(buf_bytes(&x)), trim(buf_bytes(&y)));
	buf_free(&x);
	buf_free(&y);
	return same;
}

static bool same_answer(const struct answer *a, const struct answer *b)
{
	return a->outcome == b->outcome && a->sum == b->sum && a->only_len == b->only_len && a->len == b->len && a->alert == b->alert &&
	       bytes_equal(buf_bytes(&a->text), buf_bytes(&b->text)) && same_native(a, b);
}

static bool same_item(const struct item *a, const struct item *b)
{
	return a->kind == b->kind && a->keys == b->keys && a->code == b->code && a->level == b->level && a->len == b->len &&
	       a->malformed == b->malformed;
}

static bool same_items(const struct event *a, const struct event *b)
{
	if (a->nitems != b->nitems)
		return false;
	for (size_t i = 0; i < a->nitems; i++)
		if (!same_item(&a->items[i], &b->items[i]))
			return false;
	return true;
}

static bool same_event(const struct event *a, const struct event *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case EVENT_STIMULUS:
		return bytes_equal(buf_bytes(&a->words), buf_bytes(&b->words));
	case EVENT_CALL:
		return bytes_equal(buf_bytes(&a->words), buf_bytes(&b->words)) && a->answered == b->answered &&
		       (!a->answered || same_answer(&a->answer, &b->answer));
	case EVENT_WIRE:
		return a->peer == b->peer && a->other == b->other && same_items(a, b);
	case EVENT_TCP:
		return a->peer == b->peer && a->state == b->state;
	}
	abort();
}

bool trace_equal(const struct trace *a, const struct trace *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!same_event(&a->events[i], &b->events[i]))
			return false;
	return true;
}
