/* drive: plays one case in one variant. */
#include "runner/drive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/fdstep.h"
#include "runner/intake.h"
#include "runner/live.h"
#include "runner/parts.h"
#include "runner/pathstep.h"
#include "runner/peerstep.h"
#include "runner/sandbox.h"
#include "runner/talk.h"
#include "runner/wait.h"

enum { READ_DEFAULT = 16384, READ_ALL_MAX = 100000, STATE_CLOSE = 7 };

enum step_end { STEP_DONE, STEP_ENDS_RUN, STEP_BROKEN };        /* ENDS_RUN: the call never came back where the script goes on */

/* --- steps ------------------------------------------------------------------------------------------------------------- */

static struct step_seen *seen(struct worker *w)
{
	return &w->e->steps[w->at_step];
}

static void set_answer(struct worker *w, struct answer x)
{
	answer_free(&seen(w)->answer);
	seen(w)->answer = x;
	seen(w)->answered = true;
}

static bool blocked_allowed(const struct step *st)
{
	if (st->outstanding)
		return true;
	for (size_t i = 0; i < st->nchecks; i++)
		for (size_t k = 0; k < st->checks[i].nallowed; k++)
			if (st->checks[i].allowed[k].outcome == OUTCOME_BLOCKED)
				return true;
	return false;
}

static enum step_end end_of(struct worker *w, enum outcome o)
{
	if (o == OUTCOME_CRASH || o == OUTCOME_SPINS || o == OUTCOME_UNSUPPORTED)
		return STEP_ENDS_RUN;
	return o == OUTCOME_BLOCKED && !blocked_allowed(step_at(w)) ? STEP_ENDS_RUN : STEP_DONE;
}

static enum step_end do_handshake(struct worker *w, struct fault *f)
{
	struct answer x = { 0 };
	bool resume = step_at(w)->verb == HANDSHAKE_RESUME;

	if (step_at(w)->verb == HANDSHAKE_AGAIN && !adapter_can(w->adapter, "renew")) {
		set_answer(w, answer_of(OUTCOME_UNSUPPORTED));
		return STEP_ENDS_RUN;
	}
	if (!live_connect(w, (enum handshake_verb)step_at(w)->verb, f))
		return STEP_BROKEN;
	seen(w)->conn = w->live->conn;
	w->live->begun = true;
	peer_handshake_to(&w->live->peer, PEER_TO_END);
	if (!talk_call(w, "handshake", &x, f))
		return STEP_BROKEN;
	if (x.outcome == OUTCOME_OK || x.outcome == OUTCOME_RESUMED) {
		wait_handshake(w);
		if (!peer_handshake_done(&w->live->peer)) {
			answer_free(&x);
			broke(w, f, w->live->peer.hs.failed ? w->live->peer.hs.error
			                                    : "the IUT says that it is done, but the peer's handshake is not");
			return STEP_BROKEN;
		}
		live_seen(w)->handshaken = true;
		if (resume)
			x.outcome = handshake_resumed(&w->live->peer.hs) ? OUTCOME_RESUMED : OUTCOME_FULL;
	}
	set_answer(w, x);
	return x.outcome == OUTCOME_OK || x.outcome == OUTCOME_RESUMED || x.outcome == OUTCOME_FULL ? STEP_DONE : STEP_ENDS_RUN;
}

/* The connection stands, and neither end has begun. */
static enum step_end do_connect(struct worker *w, struct fault *f)
{
	if (!live_connect(w, (enum handshake_verb)step_at(w)->verb, f))
		return STEP_BROKEN;
	seen(w)->conn = w->e->nconns - 1;
	return STEP_DONE;
}

/* The connection stays as it is; the other one, of which there may be none yet, is the present one from here on. */
static enum step_end do_switch(struct worker *w, struct fault *f)
{
	struct answer x = { 0 };
	bool ok;

	if (!adapter_can(w->adapter, "siblings")) {
		set_answer(w, answer_of(OUTCOME_UNSUPPORTED));
		return STEP_ENDS_RUN;
	}
	ok = talk_ok(w, "switch", &x, f);
	answer_free(&x);
	w->live = live_other(w);
	return ok ? STEP_DONE : STEP_BROKEN;
}

static const char *call_word(enum iut_verb v)
{
	static const char *const words[] = {
		[IUT_HANDSHAKE] = "handshake", [IUT_SHUTDOWN_WRITE] = "shutdown write", [IUT_SHUTDOWN_BOTH] = "shutdown both",
		[IUT_CLOSE] = "close", [IUT_ABANDON] = "abandon", [IUT_CHILD_SHUTDOWN] = "child shutdown",
		[IUT_REUSE_NUMBER] = "reuse number", [IUT_REUSE_LOOK] = "reuse look",
	};

	return words[v];
}

/* Which word of the greeting's `can` a call needs; NULL: every adapter has it. */
static const char *call_needs(enum iut_verb v)
{
	switch (v) {
	case IUT_SHUTDOWN_WRITE:
		return "shutdown-write";
	case IUT_SHUTDOWN_BOTH:
		return "shutdown-both";
	case IUT_KEY_UPDATE:
		return "key-update";
	case IUT_PLAIN_READ:
	case IUT_PLAIN_WRITE:
		return "plain";
	case IUT_EARLY_READ:
	case IUT_EARLY_WRITE:
		return "option:early-data";
	case IUT_ABANDON:
		return "abandon";
	case IUT_CHILD_SHUTDOWN:
		return "fork";
	case IUT_REUSE_NUMBER:
	case IUT_REUSE_LOOK:
		return "reuse";
	default:
		return NULL;
	}
}

static enum iut_verb verb_of(const struct worker *w)
{
	enum iut_verb v = (enum iut_verb)step_at(w)->verb;

	if (v != IUT_SHUTDOWN)
		return v;
	return adapter_can(w->adapter, "shutdown-write") ? IUT_SHUTDOWN_WRITE : IUT_SHUTDOWN_BOTH;
}

static void call_line(const struct worker *w, enum iut_verb v, struct buf *line)
{
	const struct step *st = step_at(w);

	switch (v) {
	case IUT_READ:
	case IUT_READ_ALL:
		buf_printf(line, "read %lld", (long long)(st->n == ITEM_ANY ? READ_DEFAULT : st->n));
		break;
	case IUT_PLAIN_READ:
	case IUT_EARLY_READ:
		buf_printf(line, "%s %lld", word_by_id(iut_words, v)->word, (long long)(st->n == ITEM_ANY ? READ_DEFAULT : st->n));
		break;
	case IUT_WRITE:
	case IUT_PLAIN_WRITE:
	case IUT_EARLY_WRITE:
		buf_printf(line, "%s ", word_by_id(iut_words, v)->word);
		if (st->text.p)
			buf_quote(line, st->text);
		else
			buf_printf(line, "%lld", (long long)st->n);
		break;
	case IUT_KEY_UPDATE:
		buf_printf(line, "key_update%s", st->code == 1 ? " requested" : "");
		break;
	default:
		buf_printf(line, "%s", call_word(v));
		break;
	}
}

/* What a write is given stands in the evidence before it returns: part of it may be on the wire however it ends. */
static void note_write(struct worker *w)
{
	const struct step *st = step_at(w);
	struct conn_seen *c = live_seen(w);

	c->written.n = c->accepted;
	if (st->text.p)
		buf_add_bytes(&c->written, st->text);
	else
		buf_pattern(&c->written, (size_t)st->n);
}

static void note_answer(struct worker *w, const struct step *asked, const struct answer *x)
{
	struct conn_seen *c = live_seen(w);

	if (asked->actor != ACTOR_IUT)
		return;
	w->live->failed |= outcome_is(OUTCOME_FAILS, x->outcome);
	w->live->told_end |= iut_reads(asked->verb) && x->outcome == OUTCOME_CLOSED;
	if (iut_reads(asked->verb) && x->outcome == OUTCOME_DATA)
		buf_add_bytes(&c->read_text, buf_bytes(&x->text));
	if (iut_writes(asked->verb) && x->outcome == OUTCOME_OK)
		c->accepted = c->written.n;
	if (asked->verb == IUT_HANDSHAKE && (x->outcome == OUTCOME_OK || x->outcome == OUTCOME_RESUMED))
		c->handshaken = true;                           /* and the peer's: live_keep */
	if ((asked->verb == IUT_CLOSE || asked->verb == IUT_ABANDON) && x->outcome != OUTCOME_BLOCKED)
		w->live->closed_by_iut = true;
}

static bool read_all(struct worker *w, struct bytes line, struct answer *x, struct fault *f)
{
	int64_t sum = 0;

	for (int i = 0; i < READ_ALL_MAX; i++) {
		if (!talk_say(w, line, f) || !talk_collect(w, x, f))
			return false;
		x->sum = sum;
		if (x->outcome != OUTCOME_DATA)
			return true;
		note_answer(w, step_at(w), x);
		sum += x->len;
		answer_free(x);
	}
	return fault_machine(f, "read* has read %d times without an end", READ_ALL_MAX);
}

static bool come_to_rest(struct worker *w, struct fault *f)
{
	return wait_rest(w) != SETTLED_WATCHDOG || broke(w, f, "the adapter does not come to rest");
}

/* The call that waits may go on now. */
static bool settle_outstanding(struct worker *w, struct fault *f)
{
	struct answer x = { 0 };
	size_t step = w->at_step;

	/* It may wait for room, which what the network acknowledges makes, after a mended path only when the kernel sends again: all of
	 * that comes before the look whether the call still waits, or it would be chance in which step it goes on. */
	if (!wait_quiet(w))
		return broke(w, f, "what the IUT sent was not acknowledged");
	w->at_step = w->outstanding_step;
	if (!talk_collect(w, &x, f))
		return false;
	w->at_step = step;
	if (x.outcome == OUTCOME_BLOCKED) {
		answer_free(&x);
		return true;
	}
	note_answer(w, &w->e->script->steps[w->outstanding_step], &x);
	answer_free(&w->stored);
	w->stored = x;
	w->has_stored = true;
	/* What a library with an event loop does behind its answer belongs to this step as well. */
	return !w->adapter->alive || come_to_rest(w, f);
}

/* The peer did something while a call waits, or while the library's own threads may react: let that settle, so that the next step
 * meets it done. */
static bool settle_reaction(struct worker *w, struct fault *f)
{
	if (!w->adapter->alive)
		return true;
	return w->outstanding ? settle_outstanding(w, f) : come_to_rest(w, f);
}

static enum step_end do_await(struct worker *w, struct fault *f)
{
	const struct step *asked = &w->e->script->steps[w->outstanding_step];
	struct answer x = { 0 };
	bool later = step_at(w)->later, waits;

	/* It may have answered since it was last looked at: the network moves on by itself. */
	if (w->outstanding && !w->has_stored && !(w->variant & FOR_BLOCKING) && !settle_reaction(w, f))
		return STEP_BROKEN;
	if (w->has_stored) {
		/* It came while something else went on, and was noted then. */
		set_answer(w, w->stored);
		w->stored = (struct answer){ 0 };
		w->has_stored = false;
		return end_of(w, seen(w)->answer.outcome);
	}
	waits = w->outstanding;
	if (!waits && w->interrupted) {
		w->outstanding = true;
		w->outstanding_step = w->interrupted_step;
		asked = &w->e->script->steps[w->outstanding_step];
	}
	if (!w->outstanding) {
		/* The call that the case expects to wait has answered: its own line has told that. */
		seen(w)->ran = false;
		return STEP_DONE;
	}
	/* In blocking mode the call itself still waits inside the library. And what a timer of the kernel ends may be answered at any time:
	 * a line would cross the answer, and ask for a call that is over. */
	if (!(w->variant & FOR_BLOCKING) && !(waits && later))
		child_say(&w->adapter->child, bytes_of("await"));
	w->interrupted = false;
	w->patient = later;
	if (!talk_collect(w, &x, f))
		return STEP_BROKEN;
	w->patient = false;
	if (asked->actor == ACTOR_IUT && asked->verb == IUT_HANDSHAKE && (x.outcome == OUTCOME_OK || x.outcome == OUTCOME_RESUMED))
		wait_handshake(w);
	note_answer(w, asked, &x);
	set_answer(w, x);
	return end_of(w, x.outcome);
}

/* The library's manual says that this call must not be made any more: what it would do is nobody's promise (`forbids` in the greeting). */
static bool is_forbidden(const struct worker *w, enum iut_verb v)
{
	bool data = iut_reads(v) || iut_writes(v);
	bool tls = data || v == IUT_HANDSHAKE || v == IUT_SHUTDOWN_WRITE || v == IUT_SHUTDOWN_BOTH || v == IUT_KEY_UPDATE ||
		v == IUT_CHILD_SHUTDOWN;

	return (tls && w->live->failed && w->adapter->after_error) || (data && w->live->told_end && w->adapter->after_end);
}

static enum step_end leave_out(struct worker *w)
{
	seen(w)->left_out = true;
	seen(w)->ran = false;
	return STEP_DONE;
}

static enum step_end do_iut(struct worker *w, struct fault *f)
{
	const struct step *st = step_at(w);
	enum iut_verb v = verb_of(w);
	const char *needs = call_needs(v);
	struct buf line = { 0 };
	struct answer x = { 0 };
	bool ok;

	if (v == IUT_AWAIT)
		return do_await(w, f);
	if (needs && !adapter_can(w->adapter, needs)) {
		if (st->optional)
			return leave_out(w);
		set_answer(w, answer_of(OUTCOME_UNSUPPORTED));
		return STEP_ENDS_RUN;
	}
	if (is_forbidden(w, v)) {
		w->live->unsent |= !iut_reads(v);
		return leave_out(w);
	}
	if (v == IUT_HANDSHAKE || v == IUT_EARLY_READ || v == IUT_EARLY_WRITE)
		w->live->begun = true;
	if (iut_writes(v))
		note_write(w);
	w->adapter->watch.children = v == IUT_CHILD_SHUTDOWN;
	call_line(w, v, &line);
	ok = v == IUT_READ_ALL ? read_all(w, buf_bytes(&line), &x, f) : talk_say(w, buf_bytes(&line), f) && talk_collect(w, &x, f);
	buf_free(&line);
	if (!ok)
		return STEP_BROKEN;
	if (x.outcome == OUTCOME_UNSUPPORTED && st->optional) {
		answer_free(&x);
		return leave_out(w);
	}
	if (v == IUT_HANDSHAKE && (x.outcome == OUTCOME_OK || x.outcome == OUTCOME_RESUMED))
		wait_handshake(w);
	note_answer(w, st, &x);
	if (st->outstanding && x.outcome != OUTCOME_BLOCKED && x.outcome != OUTCOME_CRASH && x.outcome != OUTCOME_SPINS) {
		/* `&` leaves open whether it blocks: what it returned is for `await`. */
		answer_free(&w->stored);
		w->stored = x;
		w->has_stored = true;
		w->outstanding_step = w->at_step;
		return STEP_DONE;
	}
	set_answer(w, x);
	return end_of(w, x.outcome);
}

/* Both FINs are through: the peer's kernel has no connection any more that a RST could end. */
static bool nothing_to_reset(struct worker *w)
{
	struct tcp_view v;

	peer_pump(&w->live->peer);
	return w->live->peer.got_fin && w->live->peer.fin_sent && tcp_look(w->live->peer.fd, &v) && v.state == STATE_CLOSE;
}

static bool nothing_to_handle(struct worker *w)
{
	struct sock_view v;

	return look_iut(w, w->live, &v) && (!v.there || !v.inode);
}

/* What the IUT has done of itself left the script's step nothing to act on. Nobody failed, but the case cannot go on. */
static enum step_end end_over(struct worker *w)
{
	seen(w)->over = true;
	return STEP_ENDS_RUN;
}

static enum step_end do_fd(struct worker *w, struct fault *f)
{
	const struct step *st = step_at(w);

	if (st->verb != FD_DROP && st->verb != FD_INTERRUPT && nothing_to_handle(w))
		return end_over(w);
	return fd_step(w, st, f) && settle_reaction(w, f) ? STEP_DONE : STEP_BROKEN;
}

static enum step_end do_peer(struct worker *w, struct fault *f)
{
	const struct step *st = step_at(w);

	if (st->verb == PEER_RST && nothing_to_reset(w))
		return end_over(w);
	if (!peer_step(w, st, f))
		return STEP_BROKEN;
	if (st->joined)
		return STEP_DONE;
	if (!wait_delivered(w)) {
		broke(w, f, "the IUT's kernel did not acknowledge the peer's bytes");
		return STEP_BROKEN;
	}
	return settle_reaction(w, f) ? STEP_DONE : STEP_BROKEN;
}

static enum step_end do_tcp(struct worker *w, struct fault *f)
{
	const struct conn_seen *c = live_seen(w);
	bool peer = step_at(w)->verb == 1;
	struct sock_view v;
	uint16_t local = peer ? c->peer_port : c->iut_port, remote = peer ? c->iut_port : c->peer_port;
	unsigned states = 0;

	for (size_t i = 0; i < step_at(w)->nchecks; i++)
		states |= step_at(w)->checks[i].states;
	if (step_at(w)->later ? wait_state(w, local, remote, states, &v) : sockdiag_look(&w->diag, local, remote, &v)) {
		seen(w)->tcp_state = v.state;
		w->live->timed_out |= step_at(w)->later && !peer && v.state == STATE_CLOSE;
		return STEP_DONE;
	}
	broke(w, f, "the kernel does not tell the socket's state (sock_diag)");
	return STEP_BROKEN;
}

static enum step_end do_step(struct worker *w, struct fault *f)
{
	seen(w)->ran = true;
	seen(w)->conn = w->live->conn;
	w->rested &= step_at(w)->actor == ACTOR_WIRE;
	part_begin(step_at(w)->actor == ACTOR_HANDSHAKE ? PART_HANDSHAKE : step_at(w)->actor == ACTOR_IUT ? PART_CALLS : PART_PEER);
	switch (step_at(w)->actor) {
	case ACTOR_HANDSHAKE:
		return do_handshake(w, f);
	case ACTOR_CONNECT:
		return do_connect(w, f);
	case ACTOR_SWITCH:
		return do_switch(w, f);
	case ACTOR_PEER:
		return do_peer(w, f);
	case ACTOR_IUT:
		return do_iut(w, f);
	case ACTOR_FD:
		return do_fd(w, f);
	case ACTOR_PATH:
		return path_step(w, step_at(w), f) && wait_delivered(w) && settle_reaction(w, f) ? STEP_DONE : STEP_BROKEN;
	case ACTOR_WIRE:
		seen(w)->left_out = w->live->unsent && step_at(w)->verb == 0;
		w->live->unsent &= step_at(w)->verb != 0;
		return STEP_DONE;
	case ACTOR_TCP:
		return do_tcp(w, f);
	}
	abort();
}

static void note_waiting(struct worker *w, struct step_seen *now)
{
	struct live *l = w->live;
	bool waited = l->waits;

	l->waits = peer_waits(&l->peer);
	now->peer_waits |= waited || l->waits;
}

/* Records, the FIN and what the IUT sends are acknowledged, unless an end is gone or the path is broken. Whatever else a line does may
 * send what is not: a RST, a forged segment. */
static bool all_acknowledged(const struct worker *w)
{
	const struct step *st = step_at(w);
	bool peer_gone = st->actor == ACTOR_PEER &&
		(st->verb == PEER_RST || st->verb == PEER_CLOSE || st->verb == PEER_VANISH || st->verb == PEER_FORGET);

	if (st->later || peer_gone || st->actor == ACTOR_PATH || st->actor == ACTOR_FD)
		return false;
	for (int i = 0; i < LIVES_MAX; i++) {
		const struct live *l = &w->lives[i];

		if (l->conn >= 0 && (l->path_broken || l->timed_out || l->peer.vanished || l->peer.fd < 0))
			return false;
	}
	return true;
}

/* All that this line leads to has left, and as far as it is acknowledged that has come. */
static bool end_step(struct worker *w, struct fault *f)
{
	bool called = step_at(w)->actor == ACTOR_IUT || step_at(w)->actor == ACTOR_HANDSHAKE;

	/* A library with threads or an event loop may go on by itself when it has answered. */
	if (called && w->adapter->alive && !w->outstanding && !watch_alone(&w->adapter->watch) && wait_rest(w) == SETTLED_WATCHDOG)
		return broke(w, f, "the adapter does not come to rest behind its answer");
	if (!wait_quiet(w))
		return broke(w, f, wait_flooded(w) ? "the IUT sends without end" : "what the IUT sent was not acknowledged");
	/* Another processor may still hold it. */
	if (!all_acknowledged(w))
		wait_received(w);
	note_waiting(w, seen(w));
	return true;
}

/* All that left so far belongs to this step or one before it. */
static void mark_step(struct worker *w)
{
	if (all_acknowledged(w))
		intake_mark(w, w->at_step);
	else
		intake_mark_behind(w, w->at_step);
}

/* --- the run ----------------------------------------------------------------------------------------------------------- */

/* Longer than any run. */
enum { RESEND_NEVER_MS = 60000 };

/* When a segment has been sent again, the congestion window is one segment, and what an end sends next stays behind until that is
 * acknowledged. Where nothing ever will be, because the path stays broken, it would be chance whether a FIN still leaves: so nothing is
 * sent again there. Where the case mends the path, or waits for the kernel to give up, it has to be; what a path has only lost it brings
 * itself. */
static unsigned resend_ms(const struct script *s)
{
	bool breaks = false, loses = false;

	for (size_t i = 0; i < s->nsteps; i++) {
		const struct step *st = &s->steps[i];

		loses |= st->actor == ACTOR_PATH && st->verb == PATH_LOSE_DATA;
		if (st->later || (st->actor == ACTOR_PATH && st->verb == PATH_MEND && !loses))
			return RESEND_MS;
		breaks |= st->actor == ACTOR_PATH || (st->actor == ACTOR_PEER && (st->verb == PEER_VANISH || st->verb == PEER_FORGET));
	}
	return breaks ? RESEND_NEVER_MS : RESEND_MS;
}

static bool set_resend(struct worker *w, struct fault *f)
{
	unsigned ms = resend_ms(w->e->script);

	if (w->resend_ms == ms)
		return true;
	w->resend_ms = ms;
	return sandbox_resend(ms, f);
}

static bool set_host(struct worker *w, struct fault *f)
{
	const struct script *s = w->e->script;
	char key[64], value[64];

	if (!set_resend(w, f))
		return false;

	for (w->nold = 0; w->nold < s->nhost && w->nold < countof(w->old_host); w->nold++) {
		w->old_host[w->nold] = s->host[w->nold];
		snprintf(key, sizeof(key), "%.*s", (int)s->host[w->nold].key.n, (const char *)s->host[w->nold].key.p);
		snprintf(value, sizeof(value), "%.*s", (int)s->host[w->nold].value.n, (const char *)s->host[w->nold].value.p);
		if (!sandbox_set(key, value, w->old_values[w->nold], f))
			return false;
	}
	return true;
}

static void restore_host(struct worker *w)
{
	char key[64], old[64];
	struct fault ignored;

	while (w->nold > 0) {
		w->nold--;
		snprintf(key, sizeof(key), "%.*s", (int)w->old_host[w->nold].key.n, (const char *)w->old_host[w->nold].key.p);
		sandbox_set(key, w->old_values[w->nold], old, &ignored);
	}
}

static bool play(struct worker *w, struct fault *f)
{
	const struct script *s = w->e->script;

	w->at_step = 0;
	part_begin(PART_OPEN);
	intake_mark(w, 0);
	if (!live_open(w, false, f))
		return false;
	for (size_t i = 0; i < s->nsteps; i++) {
		enum step_end end;

		w->at_step = i;
		if (!step_in(&s->steps[i], w->variant))
			continue;
		end = do_step(w, f);
		if (end == STEP_BROKEN)
			return false;
		/* Nothing happens in the lines that only look: what they see had left by the mark before. */
		if ((s->steps[i].actor == ACTOR_PEER && s->steps[i].joined) ||
		    (!s->steps[i].later && (s->steps[i].actor == ACTOR_WIRE || s->steps[i].actor == ACTOR_TCP)))
			continue;
		part_begin(PART_FENCE);
		if (!end_step(w, f))
			return false;
		mark_step(w);
		if (end == STEP_ENDS_RUN) {
			w->e->ended_at = i;
			break;
		}
	}
	part_begin(PART_FENCE);
	if (w->adapter->alive && !w->outstanding && wait_rest(w) == SETTLED_WATCHDOG)
		return broke(w, f, "the adapter does not come to rest after the last line");
	if (!end_step(w, f))
		return false;
	intake_mark_behind(w, s->nsteps);
	w->e->steps[s->nsteps].conn = w->live->conn;
	note_waiting(w, &w->e->steps[s->nsteps]);
	for (int i = 0; i < LIVES_MAX; i++) {
		live_check_socket_left(w, &w->lives[i]);
		live_keep(w, &w->lives[i], s->nsteps);
	}
	if (intake_read(w, f))
		return true;
	/* Mostly that is why the capture could not keep up. */
	if (wait_flooded(w))
		return broke(w, f, "the IUT sends without end, and faster than tcpdump takes it");
	return w->e->stranger && broke(w, f, "the adapter opened a connection of its own, and tcpdump did not take all that went over it");
}

/* Whatever the run left: the peer goes, a waiting call is waked by the end of its socket, the adapter forgets. One that cannot is
 * started anew. None of it is judged. */
static void clean_up(struct worker *w)
{
	struct answer x = { 0 };
	struct fault ignored;

	if (w->outstanding && w->adapter->alive)
		fd_shut(w);
	for (int i = 0; i < LIVES_MAX; i++) {
		path_mend(&w->lives[i]);
		live_reset(&w->lives[i]);
		peer_drop(&w->lives[i].peer);
	}
	w->live = w->lives;
	/* Also where `end` would interrupt it: an answer that is just being given must not be taken for that of `end`. */
	if (w->outstanding && w->adapter->alive) {
		if (!talk_collect(w, &x, &ignored) || (x.outcome == OUTCOME_BLOCKED && w->variant & FOR_BLOCKING))
			adapter_stop(w->adapter);
		answer_free(&x);
	}
	w->outstanding = w->interrupted = false;
	w->adapter->ending = w->adapter->alive && talk_nothing_unasked(w, &ignored) && child_say(&w->adapter->child, bytes_of("end"));
	answer_free(&w->stored);
	w->has_stored = w->outstanding = false;
	restore_host(w);
}

enum driven drive(struct worker *w, struct adapter *a, const struct script *s, unsigned variant, struct evidence *e, struct fault *f)
{
	bool ok;

	w->adapter = a;
	w->e = e;
	w->variant = variant;
	w->nmarks = 0;
	w->outstanding = w->interrupted = w->has_stored = w->patient = w->rested = false;
	evidence_start(e, s, variant);
	e->at_us = now_us();
	part_begin(PART_START);
	ok = set_host(w, f) && capture_renew(&w->capture, f) && talk_start(w, f) && play(w, f);
	e->took_us = now_us() - e->at_us;
	part_begin(PART_CLEAN_UP);
	clean_up(w);
	part_begin(PART_BETWEEN);
	w->e = NULL;
	return ok ? DRIVEN : DRIVE_BROKEN;
}
