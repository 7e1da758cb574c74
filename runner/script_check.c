/* script_check: what a case says that cannot be meant. Walks the steps of one variant and keeps what is known of the
 * connection; a rule is a function that looks at one step. */
#include "runner/script.h"

enum { SEGMENT_MAX = 16384 };
enum pending { PENDING_NONE, PENDING_MAYBE, PENDING_SURE };

struct connection {
	bool none;                              /* there is none yet: behind the first `switch` */
	const struct step *ended;               /* the iut's `close` or `abandon` */
	const struct step *call;                /* the last that may be outstanding */
	enum pending pending;
	unsigned outcomes;                      /* that what is outstanding can have */
	bool sums;                              /* and it is a read*, which adds up */
	bool held;                              /* `fd iut hold` */
	const struct step *reused;              /* `iut reuse number`: no descriptor is left */
	const struct step *fin, *gone;          /* the peer's; gone: rst, close or vanish */
	bool cut;                               /* a record is held back */
	bool record;                            /* the peer made one */
	bool joining;                           /* the step before goes into the same segment */
	int64_t last_len, segment;              /* content of the last record; of what is joined so far */
};

struct walk {
	const struct script *s;
	unsigned variant;
	struct fault *f;
	struct connection c, other;             /* the present one; the one that `switch` goes over to */
};

/* --- outcomes --- */

static unsigned outcomes_of(const struct step *st)
{
	return st->actor == ACTOR_HANDSHAKE ? handshake_step.outcomes : word_by_id(iut_words, st->verb)->outcomes;
}

static bool outcome_possible(struct walk *w, const struct step *st, const struct allowed *a, unsigned outcomes, bool sums)
{
	if (!(outcomes & 1u << a->outcome))
		return fault_set(w->f, &a->at, "`%.*s` cannot be `%s`", (int)st->words.n, (const char *)st->words.p,
		                 outcome_word(a->outcome));
	if (a->outcome == OUTCOME_RESUMED && st->actor == ACTOR_HANDSHAKE && st->verb != HANDSHAKE_RESUME)
		return fault_set(w->f, &a->at, "only `handshake resume` can be resumed");
	if (a->outcome != OUTCOME_DATA && a->len != 0 && !sums)
		return fault_set(w->f, &a->at, "only `read*` has data and an end at once");
	return true;
}

static bool outcomes_possible(struct walk *w, const struct step *st)
{
	bool await = st->actor == ACTOR_IUT && st->verb == IUT_AWAIT;
	unsigned outcomes = await ? w->c.outcomes : outcomes_of(st);
	bool sums = await ? w->c.sums : st->verb == IUT_READ_ALL;

	for (size_t i = 0; i < st->nchecks; i++)
		for (size_t k = 0; check_in(&st->checks[i], w->variant) && k < st->checks[i].nallowed; k++)
			if (!outcome_possible(w, st, &st->checks[i].allowed[k], outcomes, sums))
				return false;
	return true;
}

/* --- calls --- */

/* Whether the step's own check lets it block, and whether it lets it do anything else. */
static enum pending pending_after(const struct step *st)
{
	bool blocked = false, other = false;

	if (st->outstanding)
		return PENDING_SURE;
	if (st->nchecks == 0)
		return PENDING_NONE;            /* a case that goes on to `await` says `&` */
	for (size_t k = 0; k < st->checks[0].nallowed; k++) {
		if (st->checks[0].allowed[k].outcome == OUTCOME_BLOCKED)
			blocked = true;
		else
			other = true;
	}
	return !blocked ? PENDING_NONE : other ? PENDING_MAYBE : PENDING_SURE;
}

static bool needs(const struct script *s, const char *word)
{
	for (size_t i = 0; i < s->nneeds; i++)
		if (bytes_is(s->needs[i], word))
			return true;
	return false;
}

/* In blocking mode the thread is inside the first call; another takes a second thread. */
static bool call_possible(struct walk *w, const struct step *st)
{
	if (w->c.pending != PENDING_SURE || !(w->variant & FOR_BLOCKING) || needs(w->s, "concurrent"))
		return true;
	return fault_set(w->f, &st->at,
	                 "the call of line %d is still outstanding: this needs `io nonblocking memory` or `needs concurrent`",
	                 w->c.call->at.line);
}

static bool not_ended(struct walk *w, const struct step *st)
{
	const struct step *ended = w->c.ended;

	if (!ended)
		return true;
	return fault_set(w->f, &st->at, "after `%.*s` in line %d the iut has no connection",
	                 (int)ended->words.n, (const char *)ended->words.p, ended->at.line);
}

static bool not_none(struct walk *w, const struct step *st)
{
	return !w->c.none || fault_set(w->f, &st->at, "there is no other connection yet: `handshake` opens it");
}

static bool no_reuse(struct walk *w, const struct step *st)
{
	return !w->c.reused || fault_set(w->f, &st->at, "after `iut reuse number` in line %d the iut has no descriptor",
	                                 w->c.reused->at.line);
}

static void call_started(struct connection *c, const struct step *st)
{
	enum pending pending = pending_after(st);

	if (pending == PENDING_NONE)
		return;                         /* an older one may be outstanding still */
	if (c->pending == PENDING_NONE) {
		c->outcomes = 0;
		c->sums = false;
	}
	c->pending = pending;
	c->call = st;
	c->outcomes |= outcomes_of(st);
	c->sums = c->sums || st->verb == IUT_READ_ALL;
}

/* 0-RTT: a client writes, a server reads, and both were opened for it. */
static bool check_early(struct walk *w, const struct step *st)
{
	const struct word *word = word_by_id(iut_words, st->verb);

	if (!(word->bits & IS_EARLY))
		return true;
	if (w->variant & FOR_TLS12)
		return fault_set(w->f, &st->at, "TLS 1.2 has no early data");
	if (!(w->variant & (word->bits & IS_WRITE ? FOR_CLIENT : FOR_SERVER)))
		return fault_set(w->f, &st->at, "`%s` is a call of a %s", word->word, word->bits & IS_WRITE ? "client" : "server");
	return script_option(w->s, "early-data") || fault_set(w->f, &st->at, "`%s` needs `option early-data`", word->word);
}

static bool check_call(struct walk *w, const struct step *st)
{
	if (!not_none(w, st) || !not_ended(w, st) || !call_possible(w, st) || !outcomes_possible(w, st) || !check_early(w, st))
		return false;
	if (st->verb == IUT_KEY_UPDATE && (w->variant & FOR_TLS12))
		return fault_set(w->f, &st->at, "TLS 1.2 has no KeyUpdate");
	if (st->verb == IUT_REUSE_LOOK && !w->c.reused)
		return fault_set(w->f, &st->at, "no number was reused: `iut reuse number` comes first");
	if (st->verb == IUT_REUSE_NUMBER && !no_reuse(w, st))
		return false;
	call_started(&w->c, st);
	if (st->verb == IUT_REUSE_NUMBER)
		w->c.reused = st;
	if ((st->verb == IUT_CLOSE || st->verb == IUT_ABANDON) && !st->optional)
		w->c.ended = st;
	return true;
}

static bool check_await(struct walk *w, const struct step *st)
{
	if (w->c.pending == PENDING_NONE)
		return fault_set(w->f, &st->at, "nothing is outstanding here: no call before it is `blocked` or has `&`");
	if (!outcomes_possible(w, st))
		return false;
	w->c.pending = pending_after(st);
	return true;
}

static bool check_handshake(struct walk *w, const struct step *st)
{
	if (!call_possible(w, st) || !outcomes_possible(w, st))
		return false;
	if (st->verb == HANDSHAKE_AGAIN && (!not_ended(w, st) || !not_none(w, st)))
		return false;
	w->c = (struct connection){ 0 };
	return true;
}

/* One call can be outstanding at a time, so it belongs to the connection that is left. */
static bool check_switch(struct walk *w, const struct step *st)
{
	struct connection left = w->c;

	if (!not_none(w, st))
		return false;
	if (w->c.pending != PENDING_NONE)
		return fault_set(w->f, &st->at, "the call of line %d may still be outstanding: `iut await` has to stand before this",
		                 w->c.call->at.line);
	w->c = w->other;
	w->other = left;
	return true;
}

static bool check_iut(struct walk *w, const struct step *st)
{
	return st->verb == IUT_AWAIT ? check_await(w, st) : check_call(w, st);
}

/* The duplicate outlives the close, and that is what it is held for. */
static bool check_fd(struct walk *w, const struct step *st)
{
	bool held = w->c.held;

	if (!not_none(w, st))
		return false;
	if (st->verb == FD_HOLD && held)
		return fault_set(w->f, &st->at, "the duplicate is already held");
	if (st->verb == FD_DROP && !held)
		return fault_set(w->f, &st->at, "nothing is held: `fd iut hold` comes first");
	if (!held && (!not_ended(w, st) || !no_reuse(w, st)))
		return false;
	if (st->verb == FD_HOLD || st->verb == FD_DROP)
		w->c.held = !held;
	return true;
}

/* --- the peer --- */

static bool sendable(struct walk *w, const struct step *st, unsigned bits)
{
	const struct step *gone = w->c.gone, *fin = w->c.fin;

	if (gone && (gone->verb != PEER_VANISH || (bits & IS_SENDING) || st->verb == PEER_RST))
		return fault_set(w->f, &st->at, "after `peer %s` in line %d the peer has no connection",
		                 word_by_id(peer_words, gone->verb)->word, gone->at.line);
	if (fin && (bits & IS_SENDING))
		return fault_set(w->f, &st->at, "after `peer fin` in line %d the peer sends no more", fin->at.line);
	return true;
}

static bool check_ticket(struct walk *w, const struct step *st)
{
	if (st->verb != PEER_TICKET)
		return true;
	if (w->variant & FOR_TLS12)
		return fault_set(w->f, &st->at, "`ticket` needs TLS 1.3");
	if (w->variant & FOR_SERVER)
		return fault_set(w->f, &st->at, "`ticket` needs a peer that is the server: `role client` or `@client`");
	return true;
}

/* What goes under early keys: a client's, whose hello offers them. */
static bool check_early_keys(struct walk *w, const struct step *st)
{
	if (st->mods.keys != KEYS_EARLY || ((w->variant & FOR_SERVER) && script_option(w->s, "early-data")))
		return true;
	return fault_set(w->f, &st->mods.keys_at, "`keys early` needs a peer that is the client, and `option early-data`");
}

/* What only one version of the protocol has. */
static bool check_version(struct walk *w, const struct step *st)
{
	const struct word *message = word_by_id(handshake_words, st->code);

	if (st->verb == PEER_HANDSHAKE && message && !(message->bits & w->variant))
		return fault_set(w->f, &st->at, "TLS %s has no `%s` to stop at", w->variant & FOR_TLS12 ? "1.2" : "1.3", message->word);
	if (!(w->variant & FOR_TLS12))
		return true;
	if (st->verb == PEER_KEY_UPDATE)
		return fault_set(w->f, &st->at, "TLS 1.2 has no KeyUpdate");
	if (st->mods.pad >= 0)
		return fault_set(w->f, &st->mods.pad_at, "TLS 1.2 has no padding that a record could ask for");
	if (st->mods.keys == KEYS_HANDSHAKE)
		return fault_set(w->f, &st->mods.keys_at, "TLS 1.2 has no keys of the handshake");
	if (st->mods.keys == KEYS_EARLY)
		return fault_set(w->f, &st->mods.keys_at, "TLS 1.2 has no early data");
	return true;
}

static bool check_needs_record(struct walk *w, const struct step *st)
{
	if (st->verb == PEER_AGAIN && !w->c.record)
		return fault_set(w->f, &st->at, "no record before it that could go again");
	if (st->verb == PEER_REST && !w->c.cut)
		return fault_set(w->f, &st->at, "no record was held back: `cut` comes first");
	return true;
}

/* Bytes of content; what we do not know counts as nothing. */
static int64_t content_length(const struct connection *c, const struct step *st)
{
	const struct mods *m = &st->mods;
	int64_t len = st->text.p ? (int64_t)st->text.n : st->verb == PEER_WRITE ? st->n : 0;

	if (st->verb == PEER_AGAIN)
		return c->last_len;
	if (m->empty)
		len = 0;
	if (m->pad > 0)
		len += m->pad;
	return m->has_cut && m->cut >= 0 && m->cut < len ? m->cut : len;
}

static bool check_segment(struct walk *w, const struct step *st, unsigned bits)
{
	struct connection *c = &w->c;

	if (!st->joined && !c->joining)
		return true;
	if (!(bits & IS_JOINABLE))
		return fault_set(w->f, &st->at, "this shares no segment with others");
	c->segment = (c->joining ? c->segment : 0) + content_length(c, st);
	c->joining = st->joined;
	if (c->segment > SEGMENT_MAX)
		return fault_set(w->f, &st->at, "%lld bytes joined: more than %d are not sure to leave in one segment",
		                 (long long)c->segment, SEGMENT_MAX);
	return true;
}

static void peer_done(struct connection *c, const struct step *st, unsigned bits)
{
	if (bits & IS_RECORD) {
		c->record = true;
		c->cut = c->cut || st->mods.has_cut;
		c->last_len = content_length(c, st);
	}
	if (st->verb == PEER_REST && st->n == ITEM_ANY)
		c->cut = false;
	if (st->verb == PEER_FIN)
		c->fin = st;
	if (st->verb == PEER_RST || st->verb == PEER_CLOSE || st->verb == PEER_VANISH || st->verb == PEER_FORGET)
		c->gone = st;
}

static bool check_peer(struct walk *w, const struct step *st)
{
	unsigned bits = word_by_id(peer_words, st->verb)->bits;

	if (!not_none(w, st) || !sendable(w, st, bits) || !check_ticket(w, st) || !check_version(w, st) || !check_early_keys(w, st) ||
	    !check_needs_record(w, st) || !check_segment(w, st, bits))
		return false;
	peer_done(&w->c, st, bits);
	return true;
}

/* --- all --- */

static bool (*const checks[])(struct walk *, const struct step *) = {
	[ACTOR_HANDSHAKE] = check_handshake, [ACTOR_CONNECT] = check_handshake, [ACTOR_SWITCH] = check_switch, [ACTOR_PEER] = check_peer,
	[ACTOR_IUT] = check_iut, [ACTOR_FD] = check_fd, [ACTOR_PATH] = not_none, [ACTOR_WIRE] = not_none, [ACTOR_TCP] = not_none,
};

bool script_check(const struct script *s, unsigned variant, struct fault *f)
{
	struct walk w = { .s = s, .variant = variant, .f = f, .other.none = true };

	for (size_t i = 0; i < s->nsteps; i++)
		if (step_in(&s->steps[i], variant) && !checks[s->steps[i].actor](&w, &s->steps[i]))
			return false;
	return true;
}
