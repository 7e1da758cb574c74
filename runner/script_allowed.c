/* script_allowed: what stands behind `->`: outcomes, states, patterns of the wire, and the requirement that they weigh by. */
#include "runner/script_parser.h"

#include <stdlib.h>
#include <string.h>

#include "peer/record.h"

enum { GROUPS_MAX = 16 };

/* --- what is allowed --- */

static bool take_outcome(struct parser *p, enum outcome *o)
{
	const char *words[OUTCOME_COUNT];
	int found = at_word(p) ? outcome_find(peek(p)->text) : -1;

	if (!at_word(p))
		return expected(p, "an outcome");
	for (int i = 0; i < OUTCOME_COUNT; i++)
		words[i] = outcome_word((enum outcome)i);
	if (found < 0)
		return fault_unknown(p->f, &peek(p)->at, peek(p)->text, "outcome", words, OUTCOME_COUNT);
	*o = (enum outcome)found;
	take(p);
	return true;
}

static bool read_alert_name(struct parser *p, struct allowed *a)
{
	a->alert = ITEM_ANY;
	if (a->outcome != OUTCOME_ALERT || !at_word(p) || token_is(peek(p), "as"))
		return true;
	return parser_alert(p, &a->alert);
}

/* The end of `data N closed`, which only read* has; `await` may be one. */
static bool read_end(struct parser *p, const struct step *st, struct allowed *a)
{
	bool named = at_word(p) && !token_is(peek(p), "as");

	if (st->verb == IUT_READ_ALL && !named)
		return expected(p, "what ends `read*`, as in `data 5 closed`");
	if (!named)
		return true;
	if (st->verb != IUT_READ_ALL && st->verb != IUT_AWAIT)
		return too_much(p);
	if (a->text.p)
		return fault_set(p->f, &a->at, "`read*` adds up: a number has to stand behind `data`");
	a->at = peek(p)->at;
	if (!take_outcome(p, &a->outcome))
		return false;
	if (a->outcome == OUTCOME_DATA)
		return fault_set(p->f, &a->at, "`read*` ends with what is not data");
	return true;
}

static bool read_data(struct parser *p, const struct step *st, struct allowed *a)
{
	const struct token *t = peek(p);
	int64_t n;

	a->len = ITEM_ANY;
	if (t->kind == TOKEN_STRING) {
		if (!parser_string(p, &a->text))
			return false;
		a->len = (int64_t)a->text.n;
	} else if (t->kind == TOKEN_WORD && number_parse(t->text, 0, NUMBER_MAX, &n)) {
		a->len = n;
		take(p);
	}
	if (st->actor != ACTOR_IUT)
		return true;
	return read_end(p, st, a);
}

/* `SENT|RECEIVED` is one word: only a `|` or `[` that stands free ends the native return. */
static bool behind_native(const struct parser *p)
{
	return at_end(p) || ((token_is(peek(p), "|") || token_is(peek(p), "[")) && !touches(p, p->pos));
}

/* The words of the native return up to the next alternative; what is in quotes there is for people. */
static bool read_native(struct parser *p, struct allowed *a)
{
	struct buf b = { 0 };

	for (; !behind_native(p); p->pos++) {
		if (peek(p)->kind == TOKEN_STRING)
			continue;
		if (b.n > 0 && (!touches(p, p->pos) || p->t[p->pos - 1].kind == TOKEN_STRING))
			buf_u8(&b, ' ');
		buf_add_bytes(&b, peek(p)->text);
	}
	a->native = parser_keep(p, &b);
	return a->native.n > 0 || expected(p, "a word of the native return");
}

static bool read_allowed(struct parser *p, const struct step *st, struct allowed *a)
{
	*a = (struct allowed){ .alert = ITEM_ANY, .at = peek(p)->at };
	if (!take_outcome(p, &a->outcome))
		return false;
	if (a->outcome == OUTCOME_DATA && !read_data(p, st, a))
		return false;
	if (!read_alert_name(p, a))
		return false;
	return !accept(p, "as") || read_native(p, a);
}

static bool read_outcomes(struct parser *p, const struct step *st, struct check *c)
{
	struct allowed a;

	do {
		if (!read_allowed(p, st, &a))
			return false;
		c->allowed = rows_more(c->allowed, c->nallowed, sizeof(*c->allowed));
		c->allowed[c->nallowed++] = a;
	} while (accept(p, "|"));
	return true;
}

static bool read_states(struct parser *p, const struct step *st, struct check *c)
{
	const char *words[32];
	size_t n = 0;
	int state;

	(void)st;
	for (int s = 1; tcp_state_word(s); s++)
		words[n++] = tcp_state_word(s);
	do {
		if (!at_word(p))
			return expected(p, "a state of TCP");
		state = tcp_state_find(peek(p)->text);
		if (state < 0)
			return fault_unknown(p->f, &peek(p)->at, peek(p)->text, "state of TCP", words, n);
		c->states |= 1u << state;
		take(p);
	} while (accept(p, "|"));
	return true;
}

/* --- patterns of the wire --- */

static bool read_alternatives(struct parser *p, struct node *nd);

static void add_kid(struct node *nd, const struct node *kid)
{
	nd->kids = rows_more(nd->kids, nd->nkids, sizeof(*nd->kids));
	nd->kids[nd->nkids++] = *kid;
}

/* A sequence or choice of one is that one. */
static void unwrap(struct node *nd)
{
	struct node *kids = nd->kids;

	if (nd->nkids != 1 || nd->kind == NODE_OPT)
		return;
	*nd = kids[0];
	free(kids);
}

static bool message_unknown(struct parser *p, const struct token *t)
{
	const char *names[256];
	size_t n = 0;

	for (unsigned type = 0; type < 256; type++)
		if (handshake_name(type))
			names[n++] = handshake_name(type);
	return fault_unknown(p->f, &t->at, t->text, "handshake message", names, n);
}

static bool wire_unknown(struct parser *p, const struct token *t)
{
	const char *list[LIST_MAX];
	size_t n;
	const char *const *words = item_words(&n);

	memcpy(list, words, n * sizeof(*list));
	list[n++] = "nothing";
	if (token_is(t, "nothing"))
		return fault_set(p->f, &t->at, "`nothing` stands alone");
	return fault_unknown(p->f, &t->at, t->text, "word of the wire", list, n);
}

/* The word at p->pos is wrong: it may be a slip in an argument or in the next item's word. */
static bool item_wrong(struct parser *p)
{
	const struct token *t = peek(p), *before = t - 1;
	bool marks = token_is(t, "level") || token_is(t, "keys");

	if (marks && t[1].kind != TOKEN_WORD) {
		p->pos++;
		return expected(p, token_is(t, "level") ? "a level" : "the name of keys");
	}
	if (marks)
		return too_much(p);
	if (token_is(before, "level"))
		return parser_unknown(p, t, "level", level_mod_words);
	if (token_is(before, "keys"))
		return parser_unknown(p, t, "name of keys", key_mod_words);
	if (token_is(before, "alert"))
		return parser_alert_unknown(p, t);
	if (token_is(before, "handshake"))
		return message_unknown(p, t);
	return wire_unknown(p, t);
}

static bool read_item(struct parser *p, struct node *nd)
{
	struct bytes *words;
	size_t n = 0, bad = 0;
	int used;

	while (p->t[p->pos + n].kind == TOKEN_WORD)
		n++;
	if (n == 0)
		return expected(p, "a word of the wire");
	words = calloc(n, sizeof(*words));
	if (!words)
		abort();
	for (size_t i = 0; i < n; i++)
		words[i] = p->t[p->pos + i].text;
	*nd = (struct node){ .kind = NODE_ITEM };
	used = item_parse(words, n, true, &nd->item, &bad);
	free(words);
	if (used == 0)
		return wire_unknown(p, peek(p));
	p->pos += used < 0 ? bad : (size_t)used;
	return used > 0 || item_wrong(p);
}

static bool read_group(struct parser *p, struct node *nd)
{
	bool ok;

	if (p->depth == GROUPS_MAX)
		return fault_set(p->f, &peek(p)->at, "more than %d groups in each other", GROUPS_MAX);
	take(p);
	p->depth++;
	ok = read_alternatives(p, nd);
	p->depth--;
	return ok && (accept(p, ")") || expected(p, "`)`"));
}

/* An item or a group, with its `?`. On a fault what was built is the caller's to free. */
static bool read_term(struct parser *p, struct node *nd)
{
	struct node opt = { .kind = NODE_OPT };

	*nd = (struct node){ .kind = NODE_SEQ };
	if (!(token_is(peek(p), "(") ? read_group(p, nd) : read_item(p, nd)))
		return false;
	if (accept(p, "?")) {
		add_kid(&opt, nd);
		*nd = opt;
	}
	return true;
}

static bool behind_sequence(const struct parser *p)
{
	return at_end(p) || token_is(peek(p), "|") || token_is(peek(p), ")") || token_is(peek(p), "[");
}

static bool read_sequence(struct parser *p, struct node *nd)
{
	struct node kid;

	*nd = (struct node){ .kind = NODE_SEQ };
	if (accept(p, "nothing"))
		return behind_sequence(p) || fault_set(p->f, &p->t[p->pos - 1].at, "`nothing` stands alone");
	do {
		bool ok = read_term(p, &kid);

		add_kid(nd, &kid);
		if (!ok)
			return false;
	} while (!behind_sequence(p));
	unwrap(nd);
	return true;
}

static bool read_alternatives(struct parser *p, struct node *nd)
{
	struct node kid;

	*nd = (struct node){ .kind = NODE_ALT };
	do {
		bool ok = read_sequence(p, &kid);

		add_kid(nd, &kid);
		if (!ok)
			return false;
	} while (accept(p, "|"));
	unwrap(nd);
	return true;
}

static bool read_pattern(struct parser *p, const struct step *st, struct check *c)
{
	(void)st;
	c->pattern = calloc(1, sizeof(*c->pattern));
	if (!c->pattern)
		abort();
	if (!read_alternatives(p, c->pattern))
		return false;
	if (c->pattern->kind == NODE_SEQ && c->pattern->nkids == 0) {
		free(c->pattern);
		c->pattern = NULL;      /* `nothing` */
	}
	return true;
}

/* --- checks --- */

static bool (*const readers[])(struct parser *, const struct step *, struct check *) = {
	[ACTOR_HANDSHAKE] = read_outcomes, [ACTOR_SWITCH] = NULL, [ACTOR_PEER] = NULL, [ACTOR_IUT] = read_outcomes,
	[ACTOR_FD] = NULL, [ACTOR_PATH] = NULL, [ACTOR_WIRE] = read_pattern, [ACTOR_TCP] = read_states,
};

static bool all_data(const struct check *c)
{
	for (size_t i = 0; i < c->nallowed; i++)
		if (c->allowed[i].outcome != OUTCOME_DATA)
			return false;
	return c->nallowed > 0;
}

/* Bare data and a bare wire carry a requirement of their own. */
static const struct requirement *implied(const struct parser *p, const struct step *st, const struct check *c)
{
	if (p->reqs && st->actor == ACTOR_WIRE && st->verb == 0)       /* what the peer sent is no fault of the iut */
		return requirement_find(p->reqs, bytes_of("nothing-else"));
	if (p->reqs && all_data(c))
		return requirement_find(p->reqs, bytes_of("data-intact"));
	return NULL;
}

static bool read_requirement(struct parser *p, const struct step *st, struct check *c)
{
	c->req = implied(p, st, c);
	if (!accept(p, "["))
		return true;
	if (!at_word(p))
		return expected(p, "a requirement");
	c->req = p->reqs ? requirement_find(p->reqs, peek(p)->text) : NULL;
	if (!c->req)
		return parser_requirement_unknown(p, peek(p));
	take(p);
	return accept(p, "]") || expected(p, "`]`");
}

static bool read_check(struct parser *p, const struct step *st, struct check *c)
{
	size_t from = p->pos;

	if (!readers[st->actor])
		return fault_set(p->f, &p->t[from - 1].at, "there is nothing to check in this step");
	if (st->outstanding)
		return fault_set(p->f, &p->t[from - 1].at, "`&` leaves open what happens: check it where `iut await` collects it");
	if (!readers[st->actor](p, st, c))
		return false;
	c->at = span(p, from, p->pos);
	c->text = parser_join(p, "", from, p->pos);
	return read_requirement(p, st, c) && end(p);
}

/* The check belongs to the step at once, so that script_free finds it on a fault. */
static bool add_check(struct parser *p, struct step *st, unsigned only)
{
	struct check c = { .only = only };
	bool ok = read_check(p, st, &c);

	st->checks = rows_more(st->checks, st->nchecks, sizeof(*st->checks));
	st->checks[st->nchecks++] = c;
	return ok;
}

/* What may stand behind the words of a step. */
bool parser_tail(struct parser *p, struct step *st)
{
	if (accept(p, "->"))
		return add_check(p, st, st->only);
	if (token_is(peek(p), "["))
		return fault_set(p->f, &peek(p)->at, "a requirement needs `->` and what is allowed in front of it");
	return end(p);
}

bool parser_also(struct parser *p, const struct token *also, unsigned only)
{
	struct script *s = p->s;
	struct step *last = s->nsteps > 0 ? &s->steps[s->nsteps - 1] : NULL;

	if (!last || !readers[last->actor])
		return fault_set(p->f, &also->at, "there is nothing before it that `also` could look at");
	if (!alive(last->only & only & s->runs_for))
		return fault_set(p->f, &also->at, "no variant has both this and the step before it");
	if (!accept(p, "->"))
		return expected(p, "`->`");
	return add_check(p, last, last->only & only);
}
