/* script_steps: the lines of a case that do something: actors, verbs, their arguments and modifiers, selectors in front. */
#include "runner/script_parser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/record.h"

/* --- arguments of steps --- */

static bool take_number(struct parser *p, int64_t low, int64_t *v)
{
	const struct token *t = peek(p);

	if (t->kind == TOKEN_END)
		return expected(p, "a number");
	if (t->kind != TOKEN_WORD || !number_parse(t->text, low, NUMBER_MAX, v))
		return fault_set(p->f, &t->at, "expected here: a number from %lld to %d", (long long)low, NUMBER_MAX);
	take(p);
	return true;
}

bool parser_string(struct parser *p, struct bytes *text)
{
	struct bytes in = peek(p)->text;
	struct buf b = { 0 };

	if (peek(p)->kind != TOKEN_STRING)
		return expected(p, "a text in quotes");
	if (!bytes_unquote(&in, &b) || in.n > 0) {
		buf_free(&b);
		return fault_set(p->f, &peek(p)->at, "this text has an escape that there is not: \\n \\r \\t \\\\ \\\" \\xNN");
	}
	*text = parser_keep(p, &b);
	take(p);
	return true;
}

static bool arg_none(struct parser *p, struct step *st)
{
	(void)p;
	(void)st;
	return true;
}

static bool arg_n(struct parser *p, struct step *st)
{
	return take_number(p, 0, &st->n);
}

static bool arg_n_optional(struct parser *p, struct step *st)
{
	return !at_word(p) || arg_n(p, st);
}

static bool arg_text(struct parser *p, struct step *st)
{
	return parser_string(p, &st->text);
}

/* A record that is `empty` needs no content to be named. */
static bool nothing_named(struct parser *p, struct step *st)
{
	if (st->actor != ACTOR_PEER || !token_is(peek(p), "empty"))
		return false;
	st->text = bytes_of("");
	return true;
}

static bool arg_text_or_n(struct parser *p, struct step *st)
{
	if (nothing_named(p, st))
		return true;
	if (at_word(p))
		return take_number(p, 0, &st->n);
	return peek(p)->kind == TOKEN_STRING ? arg_text(p, st) : expected(p, "a text in quotes or a number");
}

bool parser_alert_unknown(struct parser *p, const struct token *t)
{
	const char *names[256];
	size_t n = 0;

	for (unsigned code = 0; code < 256; code++)
		if (alert_name(code))
			names[n++] = alert_name(code);
	return fault_unknown(p->f, &t->at, t->text, "alert", names, n);
}

bool parser_alert(struct parser *p, int *code)
{
	if (!at_word(p))
		return expected(p, "an alert's name or number");
	*code = alert_code(peek(p)->text);
	if (*code < 0)
		return parser_alert_unknown(p, peek(p));
	take(p);
	return true;
}

static bool arg_alert(struct parser *p, struct step *st)
{
	return parser_alert(p, &st->code);
}

static bool arg_requested(struct parser *p, struct step *st)
{
	st->code = accept(p, "requested");
	return true;
}

static bool is_hex(struct bytes word)
{
	for (size_t i = 0; i < word.n; i++)
		if (!strchr("0123456789abcdefABCDEF", word.p[i]))
			return false;
	return true;
}

/* Words of hex digits, up to a word that has other letters. */
static bool arg_hex(struct parser *p, struct step *st)
{
	struct buf b = { 0 };

	if (!at_word(p) || !is_hex(peek(p)->text))
		return expected(p, "hex digits");
	for (; at_word(p) && is_hex(peek(p)->text); take(p)) {
		if (!bytes_unhex(peek(p)->text, &b)) {
			buf_free(&b);
			return fault_set(p->f, &peek(p)->at, "hex digits come in pairs");
		}
	}
	st->text = parser_keep(p, &b);
	return true;
}

static bool content_unknown(struct parser *p, const struct token *t)
{
	const char *names[256];
	size_t n = 0;

	for (unsigned type = 0; type < 256; type++)
		if (content_name(type))
			names[n++] = content_name(type);
	return fault_unknown(p->f, &t->at, t->text, "type of a record", names, n);
}

static bool arg_record(struct parser *p, struct step *st)
{
	if (!at_word(p))
		return expected(p, "the record's type");
	st->code = content_code(peek(p)->text);
	if (st->code < 0)
		return content_unknown(p, peek(p));
	take(p);
	return nothing_named(p, st) || arg_hex(p, st);
}

static bool arg_raw(struct parser *p, struct step *st)
{
	return peek(p)->kind == TOKEN_STRING ? arg_text(p, st) : arg_hex(p, st);
}

static bool arg_message(struct parser *p, struct step *st)
{
	const struct word *w;

	if (!accept(p, "to"))
		return true;
	if (!at_word(p))
		return expected(p, "a handshake message or `nothing`");
	w = word_find(handshake_words, peek(p)->text);
	if (!w)
		return parser_unknown(p, peek(p), "message to stop at", handshake_words);
	st->code = w->id;
	take(p);
	return true;
}

static bool arg_to_iut(struct parser *p, struct step *st)
{
	(void)st;
	if (!accept(p, "to"))
		return expected(p, "`to iut`");
	return accept(p, "iut") || expected(p, "`iut`");
}

static bool arg_icmp(struct parser *p, struct step *st)
{
	const struct word *w;

	if (!at_word(p))
		return expected(p, "the name of an ICMP error");
	w = word_find(icmp_words, peek(p)->text);
	if (!w)
		return parser_unknown(p, peek(p), "ICMP error of ours", icmp_words);
	st->text = take(p)->text;
	st->code = w->id;
	return arg_to_iut(p, st);
}

static bool arg_forge(struct parser *p, struct step *st)
{
	if (accept(p, "off")) {
		if (!at_word(p) || !number_parse(peek(p)->text, -1000000, 1000000, &st->n))
			return expected(p, "how far off the right number");
		take(p);
	} else {
		st->n = 0;
	}
	return arg_to_iut(p, st);
}

static bool arg_later(struct parser *p, struct step *st)
{
	st->later = accept(p, "later");
	return true;
}

static bool (*const args[])(struct parser *, struct step *) = {
	[ARG_NONE] = arg_none, [ARG_N] = arg_n, [ARG_N_OPTIONAL] = arg_n_optional, [ARG_TEXT] = arg_text,
	[ARG_TEXT_OR_N] = arg_text_or_n, [ARG_ALERT] = arg_alert, [ARG_REQUESTED] = arg_requested, [ARG_RECORD] = arg_record,
	[ARG_RAW] = arg_raw, [ARG_MESSAGE] = arg_message, [ARG_TO_IUT] = arg_to_iut, [ARG_ICMP] = arg_icmp,
	[ARG_FORGE] = arg_forge, [ARG_LATER] = arg_later,
};

/* --- modifiers --- */

static bool mod_level(struct parser *p, struct mods *m)
{
	const struct word *w = word_find(level_mod_words, peek(p)->text);
	int64_t n;

	if (!at_word(p))
		return expected(p, "fatal, warning or a number");
	if (!w && !number_parse(peek(p)->text, 0, 255, &n))
		return parser_unknown(p, peek(p), "level", level_mod_words);
	m->level = w ? w->id : (int)n;
	take(p);
	return true;
}

static bool mod_keys(struct parser *p, struct mods *m)
{
	const struct word *w = word_find(key_mod_words, peek(p)->text);

	if (!at_word(p))
		return expected(p, "none, handshake, old or next");
	if (!w)
		return parser_unknown(p, peek(p), "name of keys", key_mod_words);
	m->keys_at = span(p, p->pos - 1, p->pos + 1);
	m->keys = w->id;
	take(p);
	return true;
}

static bool mod_corrupt(struct parser *p, struct mods *m)
{
	m->corrupt_header = accept(p, "header");
	m->corrupt = !m->corrupt_header;
	return true;
}

static bool mod_fragmented(struct parser *p, struct mods *m)
{
	(void)p;
	m->fragmented = true;
	return true;
}

static bool mod_padded(struct parser *p, struct mods *m)
{
	m->pad_at = span(p, p->pos - 1, p->pos);
	return take_number(p, 0, &m->pad);
}

static bool mod_empty(struct parser *p, struct mods *m)
{
	(void)p;
	m->empty = true;
	return true;
}

static bool mod_cut(struct parser *p, struct mods *m)
{
	m->has_cut = true;
	return take_number(p, -NUMBER_MAX, &m->cut);
}

static const struct { int id; bool (*read)(struct parser *, struct mods *); } mods[] = {
	{ MOD_LEVEL, mod_level }, { MOD_KEYS, mod_keys }, { MOD_CORRUPT, mod_corrupt }, { MOD_FRAGMENTED, mod_fragmented },
	{ MOD_PADDED, mod_padded }, { MOD_EMPTY, mod_empty }, { MOD_CUT, mod_cut },
};

static bool read_mod(struct parser *p, int id, struct mods *m)
{
	for (size_t i = 0; i < countof(mods); i++)
		if (mods[i].id == id)
			return mods[i].read(p, m);
	abort();                /* a modifier without a row */
}

static bool read_mods(struct parser *p, const struct word *verb, struct mods *m)
{
	unsigned seen = 0;

	for (; at_word(p); ) {
		const struct token *t = peek(p);
		const struct word *w = word_find(mod_words, t->text);

		if (!w)
			return verb->bits & MOD_RECORD ? parser_unknown(p, t, "modifier", mod_words) : too_much(p);
		if (!(verb->bits & (unsigned)w->id))
			return fault_set(p->f, &t->at, "`%s` does not go with `%s`", w->word, verb->word);
		if (seen & (unsigned)w->id)
			return fault_set(p->f, &t->at, "`%s` a second time", w->word);
		seen |= (unsigned)w->id;
		take(p);
		if (!read_mod(p, w->id, m))
			return false;
	}
	return true;
}

/* --- verbs --- */

/* The second word of a row of two, or NULL. */
static const char *second_word(const struct word *row)
{
	const char *space = strchr(row->word, ' ');

	return space ? space + 1 : NULL;
}

static bool first_is(const struct word *row, struct bytes word)
{
	return word.n == strcspn(row->word, " ") && memcmp(word.p, row->word, word.n) == 0;
}

/* `shutdown` was right and what follows is not. */
static bool second_unknown(struct parser *p, const struct word *table, struct bytes first)
{
	const char *list[LIST_MAX];
	const struct token *t = &p->t[p->pos + 1];
	char what[64];
	size_t n = 0;

	for (; table->word && n < LIST_MAX; table++)
		if (second_word(table) && first_is(table, first))
			list[n++] = second_word(table);
	snprintf(what, sizeof(what), "word behind `%.*s`", (int)first.n, (const char *)first.p);
	if (t->kind == TOKEN_WORD)
		return fault_unknown(p->f, &t->at, t->text, what, list, n);
	return fault_set(p->f, &t->at, "`%.*s` wants a word more", (int)first.n, (const char *)first.p);
}

/* NULL: the fault is told. */
static const struct word *take_verb(struct parser *p, const struct word *table, const char *what)
{
	const struct word *whole = NULL;
	bool half = false;

	if (!at_word(p)) {
		expected(p, what);
		return NULL;
	}
	for (const struct word *row = table; row->word; row++) {
		const char *second = second_word(row);

		if (!first_is(row, peek(p)->text))
			continue;
		half = half || second;
		if (second && token_is(&p->t[p->pos + 1], second)) {
			p->pos += 2;
			return row;
		}
		whole = second ? whole : row;
	}
	if (half && (!whole || p->t[p->pos + 1].kind == TOKEN_WORD)) {
		second_unknown(p, table, peek(p)->text);
		return NULL;
	}
	if (!whole)
		parser_unknown(p, peek(p), what, table);
	else
		take(p);
	return whole;
}

/* --- steps --- */

static struct step *add_step(struct parser *p, const struct step *st)
{
	struct script *s = p->s;

	s->steps = rows_more(s->steps, s->nsteps, sizeof(*s->steps));
	s->steps[s->nsteps] = *st;
	return &s->steps[s->nsteps++];
}

static struct step *add_words(struct parser *p, struct step *st, const char *before, size_t from)
{
	st->at = span(p, from, p->pos);
	st->words = parser_join(p, before, from, p->pos);
	return add_step(p, st);
}

static bool read_handshake(struct parser *p, struct step *st, size_t from)
{
	st->verb = accept(p, "resume") ? HANDSHAKE_RESUME : accept(p, "again") ? HANDSHAKE_AGAIN : HANDSHAKE_NEW;
	return parser_tail(p, add_words(p, st, "", from));
}

/* About both ends: it has no words of its own. */
static bool read_switch(struct parser *p, struct step *st, size_t from)
{
	return parser_tail(p, add_words(p, st, "", from));
}

/* One of what `+` joins. */
static bool read_peer_step(struct parser *p, struct step *st, bool first, size_t from)
{
	const struct word *verb = take_verb(p, peer_words, "step of the peer");

	if (!verb)
		return false;
	st->verb = verb->id;
	if (!args[verb->arg](p, st) || !read_mods(p, verb, &st->mods))
		return false;
	st->joined = token_is(peek(p), "+");
	add_words(p, st, first ? "" : "peer ", from);
	return true;
}

static bool read_peer(struct parser *p, struct step *fresh, size_t from)
{
	struct step st;
	bool first = true;

	do {
		st = *fresh;
		if (!read_peer_step(p, &st, first, first ? from : p->pos))
			return false;
		first = false;
	} while (accept(p, "+"));
	return parser_tail(p, &p->s->steps[p->s->nsteps - 1]);
}

static bool read_iut(struct parser *p, struct step *st, size_t from)
{
	const struct word *verb = take_verb(p, iut_words, "call of the iut");
	struct step *added;

	if (!verb)
		return false;
	st->verb = verb->id;
	if (!args[verb->arg](p, st))
		return false;
	if (at_word(p))
		return too_much(p);
	added = add_words(p, st, "", from);
	for (;;) {
		if (accept(p, "?"))
			added->optional = true;
		else if (accept(p, "&"))
			added->outstanding = true;
		else
			return parser_tail(p, added);
	}
}

static bool read_fd(struct parser *p, struct step *st, size_t from)
{
	const struct word *verb;

	if (!accept(p, "iut"))
		return expected(p, "`iut`");
	verb = take_verb(p, fd_words, "setting of the descriptor");
	if (!verb)
		return false;
	st->verb = verb->id;
	return args[verb->arg](p, st) && parser_tail(p, add_words(p, st, "", from));
}

static bool read_path(struct parser *p, struct step *st, size_t from)
{
	const struct word *verb = take_verb(p, path_words, "step of the path");

	if (!verb)
		return false;
	st->verb = verb->id;
	return args[verb->arg](p, st) && parser_tail(p, add_words(p, st, "", from));
}

/* `wire iut`, `tcp peer`. */
static bool read_look(struct parser *p, struct step *st, size_t from)
{
	st->verb = token_is(peek(p), "peer");
	if (!accept(p, "iut") && !accept(p, "peer"))
		return expected(p, "`iut` or `peer`");
	st->later = st->actor == ACTOR_TCP && accept(p, "later");
	return parser_tail(p, add_words(p, st, "", from));
}

static bool (*const actors[])(struct parser *, struct step *, size_t from) = {
	[ACTOR_HANDSHAKE] = read_handshake, [ACTOR_SWITCH] = read_switch, [ACTOR_PEER] = read_peer, [ACTOR_IUT] = read_iut,
	[ACTOR_FD] = read_fd, [ACTOR_PATH] = read_path, [ACTOR_WIRE] = read_look, [ACTOR_TCP] = read_look,
};

/* --- selectors --- */

/* One word of a selector; parts of `1.2,1.3` have places of their own. */
static const struct word *selector_part(struct parser *p, const struct token *t, size_t from, size_t n)
{
	struct token part = *t;
	const struct word *w;

	part.text = (struct bytes){ t->text.p + from, n };
	part.at.col += (int)from;
	part.at.width = n > 0 ? (int)n : 1;
	w = word_find(selector_words, part.text);
	if (!w)
		parser_unknown(p, &part, "selector", selector_words);
	return w;
}

static unsigned kind_of(unsigned bits)
{
	return bits & FOR_ROLES ? FOR_ROLES : bits & FOR_TLS ? FOR_TLS : FOR_IO;
}

static bool read_selector(struct parser *p, const struct token *t, unsigned *only)
{
	unsigned bits = 0;

	for (size_t from = 1, n; from <= t->text.n; from += n + 1) {
		const uint8_t *comma = memchr(t->text.p + from, ',', t->text.n - from);
		const struct word *w;

		n = comma ? (size_t)(comma - t->text.p) - from : t->text.n - from;
		w = selector_part(p, t, from, n);
		if (!w)
			return false;
		if (bits && !((unsigned)(unsigned)w->id & kind_of(bits)))
			return fault_set(p->f, &t->at, "a comma joins selectors of one kind");
		bits |= (unsigned)w->id;
	}
	*only &= ~kind_of(bits) | bits;
	return true;
}

static bool read_selectors(struct parser *p, unsigned *only)
{
	struct where at;

	*only = FOR_ALL;
	while (at_word(p) && *peek(p)->text.p == '@')
		if (!read_selector(p, take(p), only))
			return false;
	at = span(p, 0, p->pos);
	if (!alive(*only & p->s->runs_for))
		return fault_set(p->f, &at, "no variant of this case has this step");
	return true;
}

bool parser_step(struct parser *p)
{
	struct step st = { .n = ITEM_ANY, .code = -1, .mods = { .level = -1, .keys = -1, .pad = -1, .cut = -1 } };
	const struct token *t;
	const struct word *w;
	size_t from;

	if (!read_selectors(p, &st.only))
		return false;
	if (!at_word(p))
		return expected(p, "an actor");
	from = p->pos;
	t = take(p);
	w = word_find(actor_words, t->text);
	if (!w)
		return parser_line_unknown(p, t);
	if (w->id < 0)
		return parser_also(p, t, st.only);
	if (!p->s->title.p)
		return fault_set(p->f, &t->at, "a `title` line has to stand before the first step");
	st.actor = (enum actor)w->id;
	return actors[st.actor](p, &st, from);
}
