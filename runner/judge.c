/* judge: from evidence to a verdict. */
#include "runner/judge.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "runner/invariants.h"
#include "runner/pattern.h"
#include "runner/selfcheck.h"

const char *verdict_word(enum verdict v)
{
	static const char *const words[] = { "pass", "warn", "fail", "inconclusive", "unsupported", "broken" };

	return words[v];
}

/* Invariants about the order of records. What one of them tells of a connection,
 * its `wire` lines do not tell again under their own rules. */
enum { TOLD_ONCE = 1, TOLD_NO_NOTIFY = 2, TOLD_BEHIND_NOTIFY = 4, TOLD_BEHIND_ALERT = 8 };

static const struct { const char *name; unsigned bit; } orders[] = {
	{ "notify-once", TOLD_ONCE }, { "notify-before-fin", TOLD_NO_NOTIFY }, { "nothing-after-notify", TOLD_BEHIND_NOTIFY },
	{ "nothing-after-fatal", TOLD_BEHIND_ALERT },
};

struct court {
	const struct evidence *e;
	unsigned told[CONNS_MAX];               /* TOLD_ */
	const struct requirements *reqs;
	struct promises promised;
	struct judgement *j;
};

/* --- what a rule weighs ------------------------------------------------------------------------------------------------ */

static bool is_promised(const struct court *c, const char *name)
{
	/* closed-means-notified is truncation-visible, seen from the other side: whoever promises one promises both. */
	if (strcmp(name, "closed-means-notified") == 0 && is_promised(c, "truncation-visible"))
		return true;
	for (size_t i = 0; i < c->promised.n; i++)
		if (strcmp(c->promised.names[i], name) == 0)
			return true;
	return false;
}

static enum verdict weight_of(const struct court *c, const struct requirement *r)
{
	int v = variant_13(c->e->variant) ? IN_TLS13 : IN_TLS12;

	if (is_promised(c, r->name))
		return VERDICT_FAIL;
	/* What one manual promises binds its own library: in an `api` case all of the family, elsewhere who announced it. What every
	 * manual promises is an invariant, and binds all. */
	if (r->level[v] == LEVEL_MAY || (r->level[v] == LEVEL_PROMISE && !r->always && !c->e->script->api.n))
		return VERDICT_PASS;
	return r->level[v] == LEVEL_SHOULD || r->disputed[v] ? VERDICT_WARN : VERDICT_FAIL;
}

static char *text_of(struct buf *b)
{
	char *s = text_dup(buf_str(b));

	buf_free(b);
	return s;
}

static void add_finding(const struct court *c, const struct requirement *r, const struct where *at, char *allowed, char *observed,
                        char *native)
{
	struct judgement *j = c->j;

	j->findings = reallocarray(j->findings, j->n + 1, sizeof(*j->findings));
	assert(j->findings);
	j->findings[j->n++] = (struct finding){ r, r ? weight_of(c, r) : VERDICT_INCONCLUSIVE, r && is_promised(c, r->name), *at,
	                                        allowed, observed, native };
}

static const struct requirement *rule(const struct court *c, const char *name)
{
	return requirement_find(c->reqs, bytes_of(name));
}

/* --- the checks of the case -------------------------------------------------------------------------------------------- */

static bool data_fits(const struct allowed *a, const struct answer *x)
{
	if (a->text.p)
		return bytes_equal(a->text, buf_bytes(&x->text));
	return a->len == ITEM_ANY || a->len == x->len;
}

static bool allowed_fits(const struct allowed *a, const struct answer *x)
{
	if (!outcome_is(a->outcome, x->outcome))
		return false;
	if (x->sum != ITEM_ANY && a->len != ITEM_ANY && a->len != x->sum)
		return false;
	if (x->sum == ITEM_ANY && a->outcome == OUTCOME_DATA && !data_fits(a, x))
		return false;
	if (a->outcome == OUTCOME_ALERT && a->alert != ITEM_ANY && a->alert != x->alert)
		return false;
	return !a->native.n || answer_native_has(x, a->native);
}

static bool any_allowed(const struct check *ck, const struct answer *x)
{
	for (size_t i = 0; i < ck->nallowed; i++)
		if (allowed_fits(&ck->allowed[i], x))
			return true;
	return false;
}

static char *line_text(const struct step *st, const char *observed)
{
	struct buf b = { 0 };

	buf_printf(&b, "%.*s -> %s", (int)st->words.n, (const char *)st->words.p, observed);
	return text_of(&b);
}

static char *allowed_text(const struct step *st, const struct check *ck)
{
	struct buf b = { 0 };
	char *line;

	buf_add_bytes(&b, ck->text);
	line = line_text(st, buf_str(&b));
	buf_free(&b);
	return line;
}

static char *observed_text(const struct step *st, const struct answer *x)
{
	struct buf b = { 0 };
	char *line;

	answer_print(&b, x);
	line = line_text(st, buf_str(&b));
	buf_free(&b);
	return line;
}

static char *native_text(const struct answer *x)
{
	struct buf b = { 0 };

	if (!x->native.n)
		return NULL;
	buf_add_bytes(&b, buf_bytes(&x->native));
	return text_of(&b);
}

static bool says_what(enum outcome o, enum behind what)
{
	return what == BEHIND_END ? o == OUTCOME_CLOSED || o == OUTCOME_COMPLETE : outcome_tells_error(o);
}

/* Where no error was told none can be forgotten: such a rule is asked only behind a call on this connection that said so. */
static bool is_asked(const struct court *c, const struct requirement *r, size_t step)
{
	const struct step_seen *seen = c->e->steps;

	if (!r || r->behind == BEHIND_ANYTHING)
		return true;
	for (size_t i = 0; i < step; i++)
		if (step_answered(c->e, seen[step].conn, i) && says_what(seen[i].answer.outcome, r->behind))
			return true;
	return false;
}

static bool asks_for(const struct court *c, const struct step *st, const struct answer *x)
{
	for (size_t i = 0; i < st->nchecks; i++) {
		const struct check *ck = &st->checks[i];

		if (ck->req && ck->req == rule(c, "data-intact") && check_in(ck, c->e->variant) && any_allowed(ck, x))
			return true;
	}
	return false;
}

/* An error was told ahead of data that had come before it. The line that asked for them has told so (data-intact); they are not what the
 * line expects that they come to instead, nor news. */
static bool is_owed(const struct court *c, size_t step)
{
	const struct step_seen *seen = c->e->steps;

	if (seen[step].answer.outcome != OUTCOME_DATA)
		return false;
	for (size_t i = step; i-- > 0;) {
		if (!step_answered(c->e, seen[step].conn, i))
			continue;
		if (seen[i].answer.outcome == OUTCOME_DATA)
			return false;
		if (asks_for(c, &c->e->script->steps[i], &seen[step].answer))
			return outcome_is(OUTCOME_FAILS, seen[i].answer.outcome);
	}
	return false;
}

static void check_call(const struct court *c, const struct step *st, const struct step_seen *seen)
{
	size_t step = (size_t)(st - c->e->script->steps);

	if (is_owed(c, step))
		return;
	for (size_t i = 0; i < st->nchecks; i++)
		if (check_in(&st->checks[i], c->e->variant) && is_asked(c, st->checks[i].req, step) &&
		    !any_allowed(&st->checks[i], &seen->answer))
			add_finding(c, st->checks[i].req, &st->checks[i].at, allowed_text(st, &st->checks[i]),
			            observed_text(st, &seen->answer), native_text(&seen->answer));
}

/* `handshake` alone means `handshake -> ok`, as a precondition. */
static void check_handshake(const struct court *c, const struct step *st, const struct step_seen *seen)
{
	enum outcome o = seen->answer.outcome;

	if (st->nchecks)
		check_call(c, st, seen);
	else if (o != OUTCOME_OK && o != OUTCOME_RESUMED && o != OUTCOME_FULL)
		add_finding(c, NULL, &st->at, line_text(st, "ok"), observed_text(st, &seen->answer), native_text(&seen->answer));
}

/* Items of one direction of a connection that left after step `from` (SIZE_MAX: from the beginning), up to step `to`. */
static struct item *items_between(const struct evidence *e, int conn, int dir, size_t from, size_t to, size_t *n)
{
	const struct decoded *d = &e->conns[conn].decoded;
	struct item *items = calloc(d->n + 1, sizeof(*items));

	assert(items);
	*n = 0;
	for (size_t i = 0; i < d->n; i++) {
		size_t step = item_step(e, conn, &d->items[i]);

		if (d->items[i].dir == dir && (from == SIZE_MAX || step > from) && step <= to)
			items[(*n)++] = d->items[i].item;
	}
	return items;
}

/* The `wire` line before this step about the same end of the same connection. */
static size_t wire_before(const struct evidence *e, size_t step, int verb, int conn)
{
	for (size_t i = step; i-- > 0;) {
		const struct step *st = &e->script->steps[i];

		if (st->actor == ACTOR_WIRE && st->verb == verb && e->steps[i].ran && e->steps[i].conn == conn)
			return i;
	}
	return SIZE_MAX;
}

static unsigned order_bit(const char *name)
{
	for (size_t i = 0; i < countof(orders); i++)
		if (strcmp(orders[i].name, name) == 0)
			return orders[i].bit;
	return 0;
}

static void note_order(void *to, const char *name, size_t step, const char *allowed, const char *observed)
{
	struct court *c = to;
	size_t at = step < c->e->script->nsteps ? step : c->e->script->nsteps - 1;
	int conn = c->e->steps[at].ran ? c->e->steps[at].conn : c->e->nconns - 1;

	(void)allowed, (void)observed;
	if (rule(c, name) && !script_excepts(c->e->script, name))
		c->told[conn] |= order_bit(name);
}

static bool is_plain_notify(const struct item *it)
{
	return it->kind == ITEM_ALERT && !it->malformed && it->code == ALERT_CLOSE_NOTIFY;
}

/* Had this record of the IUT's left before the window, or does it stand earlier in it? */
struct before { bool notified, alerted, fin; };

static void note_before(struct before *b, const struct item *it, bool v13)
{
	b->notified |= is_plain_notify(it);
	b->alerted |= item_is_error_alert(it, v13);
	b->fin |= it->kind == ITEM_FIN;
}

static bool is_told_item(const struct before *b, const struct item *it, unsigned told)
{
	bool record = it->kind != ITEM_FIN && it->kind != ITEM_RST && it->kind != ITEM_RAW;

	if (is_plain_notify(it) && b->notified && told & TOLD_ONCE)
		return true;
	return record && ((b->notified && !is_plain_notify(it) && told & TOLD_BEHIND_NOTIFY) || (b->alerted && told & TOLD_BEHIND_ALERT));
}

/* The items as they would be had the implementation not done what the invariants tell; there is room for one more. Returns how many. */
static size_t without_told(const struct court *c, int conn, size_t from, unsigned told, const struct item *items, size_t n,
                           struct item *out)
{
	size_t nbefore = 0, kept = 0;
	struct item *earlier = from == SIZE_MAX ? NULL : items_between(c->e, conn, iut_dir(c->e->variant), SIZE_MAX, from, &nbefore);
	bool v13 = variant_13(c->e->variant);
	struct before b = { 0 };

	for (size_t i = 0; i < nbefore; i++)
		note_before(&b, &earlier[i], v13);
	for (size_t i = 0; i < n; i++) {
		if (items[i].kind == ITEM_FIN && !b.notified && !b.fin && told & TOLD_NO_NOTIFY)
			out[kept++] = (struct item){ .kind = ITEM_ALERT, .level = ALERT_WARNING, .code = ALERT_CLOSE_NOTIFY,
			                             .keys = KEYS_USUAL };
		if (!is_told_item(&b, &items[i], told))
			out[kept++] = items[i];
		note_before(&b, &items[i], v13);
	}
	free(earlier);
	return kept;
}

/* Only what an invariant tells keeps the line from fitting. */
static bool fits_without_told(const struct court *c, const struct check *ck, int conn, size_t from, const struct item *items, size_t n)
{
	unsigned told = c->told[conn] & ~(ck->req ? order_bit(ck->req->name) : 0);
	struct item *kept;
	bool fits;

	if (!told || !ck->req)
		return false;
	kept = calloc(n + 2, sizeof(*kept));
	assert(kept);
	n = pattern_filter(ck->pattern, kept, without_told(c, conn, from, told, items, n, kept));
	fits = pattern_fits(ck->pattern, kept, n);
	free(kept);
	return fits;
}

static void check_wire(const struct court *c, size_t index)
{
	const struct step *st = &c->e->script->steps[index];
	int conn = c->e->steps[index].conn, dir = iut_dir(c->e->variant) ^ st->verb;
	size_t n, left, from = wire_before(c->e, index, st->verb, conn);
	struct item *items = items_between(c->e, conn, dir, from, index, &n), *kept = calloc(n + 1, sizeof(*kept));

	assert(kept);
	for (size_t i = 0; i < st->nchecks; i++) {
		const struct check *ck = &st->checks[i];
		struct buf seen = { 0 };

		if (!check_in(ck, c->e->variant))
			continue;
		memcpy(kept, items, n * sizeof(*kept));
		left = pattern_filter(ck->pattern, kept, n);
		if (pattern_fits(ck->pattern, kept, left) || (!st->verb && fits_without_told(c, ck, conn, from, items, n)))
			continue;
		items_print(&seen, kept, left);
		add_finding(c, ck->req, &ck->at, allowed_text(st, ck), line_text(st, buf_str(&seen)), NULL);
		buf_free(&seen);
	}
	free(items);
	free(kept);
}

static void check_tcp(const struct court *c, const struct step *st, const struct step_seen *seen)
{
	for (size_t i = 0; i < st->nchecks; i++)
		if (check_in(&st->checks[i], c->e->variant) && !(st->checks[i].states & 1u << seen->tcp_state))
			add_finding(c, st->checks[i].req, &st->checks[i].at, allowed_text(st, &st->checks[i]),
			            line_text(st, tcp_state_word(seen->tcp_state)), NULL);
}

static void check_step(const struct court *c, size_t i)
{
	const struct step *st = &c->e->script->steps[i];
	const struct step_seen *seen = &c->e->steps[i];

	if (!seen->ran || seen->left_out)
		return;
	/* A crash or a spin is told once, by its own rule. */
	if (seen->answered && (seen->answer.outcome == OUTCOME_CRASH || seen->answer.outcome == OUTCOME_SPINS))
		return;
	switch (st->actor) {
	case ACTOR_HANDSHAKE:
		check_handshake(c, st, seen);
		break;
	case ACTOR_IUT:
		if (seen->answered)
			check_call(c, st, seen);
		break;
	case ACTOR_WIRE:
		check_wire(c, i);
		break;
	case ACTOR_TCP:
		check_tcp(c, st, seen);
		break;
	case ACTOR_CONNECT:
	case ACTOR_SWITCH:
	case ACTOR_PEER:
	case ACTOR_FD:
	case ACTOR_PATH:
		break;
	}
}

/* --- the closed world, the invariants, the end ------------------------------------------------------------------------- */

static void check_closed_world(const struct court *c, int conn)
{
	size_t last = wire_before(c->e, c->e->script->nsteps, 0, conn), n, left;
	struct item *items;
	struct buf seen = { 0 };

	if (last == SIZE_MAX || c->e->ended_at < c->e->script->nsteps || !rule(c, "nothing-else") ||
	    script_excepts(c->e->script, "nothing-else"))
		return;
	items = items_between(c->e, conn, iut_dir(c->e->variant), last, SIZE_MAX, &n);
	left = pattern_filter(NULL, items, n);
	if (left) {
		buf_printf(&seen, "wire iut -> ");
		items_print(&seen, items, left);
		add_finding(c, rule(c, "nothing-else"), &c->e->script->steps[last].at, text_dup("nothing after the last line"),
		            text_of(&seen), NULL);
	}
	free(items);
}

/* Told already: the same rule anywhere in this run, or any rule of this weight or more on the same line. A deviation is told once. */
static bool is_told(const struct court *c, const struct requirement *r, size_t step)
{
	enum verdict weight = weight_of(c, r);

	for (size_t i = 0; i < c->j->n; i++) {
		const struct finding *f = &c->j->findings[i];

		if (f->req == r || (f->req && f->weight != VERDICT_PASS && f->weight >= weight &&
		                    f->at.line == c->e->script->steps[step].at.line))
			return true;
	}
	return false;
}

static void invariant_finding(void *to, const char *name, size_t step, const char *allowed, const char *observed)
{
	const struct court *c = to;
	const struct requirement *r = rule(c, name);
	size_t at = step < c->e->script->nsteps ? step : c->e->script->nsteps - 1;

	if (!r || script_excepts(c->e->script, name) || is_told(c, r, at))
		return;
	add_finding(c, r, &c->e->script->steps[at].at, text_dup(allowed), text_dup(observed),
	            c->e->steps[at].answered ? native_text(&c->e->steps[at].answer) : NULL);
}

static bool precondition_failed(const struct court *c)
{
	for (size_t i = 0; i < c->j->n; i++)
		if (!c->j->findings[i].req)
			return true;
	return false;
}

/* The line of a step, or one of its `also`. */
static bool is_line_of(const struct step *st, int line)
{
	for (size_t i = 0; i < st->nchecks; i++)
		if (st->checks[i].at.line == line)
			return true;
	return st->at.line == line;
}

/* A call that never came back where the script goes on: what follows was not tested. */
static void check_ended_early(const struct court *c)
{
	const struct step *st;
	const struct step_seen *seen;

	if (c->e->ended_at >= c->e->script->nsteps)
		return;
	st = &c->e->script->steps[c->e->ended_at];
	seen = &c->e->steps[c->e->ended_at];
	if (seen->over) {
		add_finding(c, NULL, &st->at, line_text(st, "a connection to do it to"), line_text(st, "the implementation has ended it"),
		            NULL);
		return;
	}
	for (size_t i = 0; i < c->j->n; i++)
		if (is_line_of(st, c->j->findings[i].at.line) && c->j->findings[i].weight != VERDICT_PASS)
			return;
	add_finding(c, NULL, &st->at, line_text(st, "an end of the call"), observed_text(st, &seen->answer), native_text(&seen->answer));
}

/* A fail outweighs that the rest could not be tested; that outweighs a warning: the run is not passed. */
static enum verdict verdict_of(const struct judgement *j)
{
	bool seen[VERDICT_COUNT] = { false };

	for (size_t i = 0; i < j->n; i++)
		seen[j->findings[i].weight] = true;
	return seen[VERDICT_FAIL] ? VERDICT_FAIL : seen[VERDICT_INCONCLUSIVE] ? VERDICT_INCONCLUSIVE : seen[VERDICT_WARN] ? VERDICT_WARN
	                                                                                                                  : VERDICT_PASS;
}

/* A case that tests something, all of whose tests were left out for want of the calls, or as they are forbidden, has tested nothing. */
static bool left_nothing(const struct evidence *e, const char **call)
{
	bool left_out = false, checked = false;

	for (size_t i = 0; i < e->script->nsteps; i++) {
		const struct step *st = &e->script->steps[i];
		bool weighs = false;

		for (size_t k = 0; k < st->nchecks; k++)
			weighs |= st->checks[k].req && check_in(&st->checks[k], e->variant);
		if (weighs && e->steps[i].left_out)
			left_out = true;
		if (weighs && e->steps[i].ran && !e->steps[i].left_out)
			checked = true;
		if (e->steps[i].left_out)
			*call = (const char *)st->words.p;
	}
	return left_out && !checked;
}

static bool is_unsupported(const struct evidence *e, struct buf *why)
{
	const char *call = NULL;

	for (size_t i = 0; i < e->script->nsteps; i++)
		if (e->steps[i].ran && e->steps[i].answered && e->steps[i].answer.outcome == OUTCOME_UNSUPPORTED) {
			buf_printf(why, "the adapter has no `%.*s`", (int)e->script->steps[i].words.n,
			           (const char *)e->script->steps[i].words.p);
			return true;
		}
	if (!left_nothing(e, &call))
		return false;
	buf_printf(why, "every step that carries a requirement was left out");
	return true;
}

/* Which reading of RFC 5246 7.2.1 this run shows: the duty to answer at once and to drop what waits, or what everyone does since. */
static enum reading reading_of(const struct court *c)
{
	enum reading r = READING_NONE;

	if (variant_13(c->e->variant))
		return r;
	for (size_t i = 0; i < c->e->script->nsteps; i++)
		for (size_t k = 0; c->e->steps[i].ran && k < c->e->script->steps[i].nchecks; k++) {
			const struct check *ck = &c->e->script->steps[i].checks[k];

			if (ck->req && ck->req->two_readings && check_in(ck, c->e->variant))
				r = READING_AS_WRITTEN;
		}
	for (size_t i = 0; i < c->j->n; i++)
		if (c->j->findings[i].req && c->j->findings[i].req->two_readings)
			r = READING_AS_PRACTISED;
	return r;
}

void judge(const struct evidence *e, const struct requirements *reqs, struct promises promised, struct judgement *j)
{
	struct court c = { .e = e, .reqs = reqs, .promised = promised, .j = j };
	struct buf why = { 0 };

	*j = (struct judgement){ .verdict = VERDICT_PASS };
	if (is_unsupported(e, &why)) {
		j->verdict = VERDICT_UNSUPPORTED;
		j->reason = text_of(&why);
		return;
	}
	if (!selfcheck(e, &why)) {
		j->verdict = VERDICT_BROKEN;
		j->reason = text_of(&why);
		return;
	}
	buf_free(&why);
	invariants_check(e, note_order, &c);
	/* Behind a precondition that did not hold the case speaks of something else than what happened. */
	for (size_t i = 0; i < e->script->nsteps && !precondition_failed(&c); i++)
		check_step(&c, i);
	for (int conn = 0; conn < e->nconns && !precondition_failed(&c); conn++)
		check_closed_world(&c, conn);
	invariants_check(e, invariant_finding, &c);
	check_ended_early(&c);
	j->verdict = verdict_of(j);
	j->reading = reading_of(&c);
}

void judgement_free(struct judgement *j)
{
	for (size_t i = 0; i < j->n; i++) {
		free(j->findings[i].allowed);
		free(j->findings[i].observed);
		free(j->findings[i].native);
	}
	free(j->findings);
	free(j->reason);
	*j = (struct judgement){ 0 };
}
