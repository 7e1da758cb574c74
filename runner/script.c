/* script: a case file as steps. One function for each rule of the grammar (cases/README.md); the words are in words.c. */
#include "runner/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/record.h"
#include "runner/lex.h"

enum { NUMBER_MAX = 1 << 30, GROUPS_MAX = 16, LIST_MAX = 64 };

struct parser {
	struct script *s;
	const struct requirements *reqs;
	struct fault *f;
	const char *file;
	size_t with;                            /* which value stands for $K */
	struct where with_at;
	bool with_used;
	struct buf prose;
	bool prose_ended;
	unsigned given;                         /* header lines so far, a bit for each row */
	struct token *t;                        /* of the line, END last */
	size_t nt, pos;
	int depth;                              /* of groups in a pattern */
};

/* --- memory --- */

/* Room for one more row behind n of them: the array doubles. */
static void *more(void *rows, size_t n, size_t size)
{
	if (n & (n - 1))
		return rows;
	rows = realloc(rows, (n ? 2 * n : 1) * size);
	if (!rows)
		abort();
	return rows;
}

/* The script takes the text over. */
static struct bytes keep(struct parser *p, struct buf *b)
{
	struct script *s = p->s;
	struct bytes text;

	buf_str(b);             /* so that no text has no address */
	text = buf_bytes(b);
	s->strings = more(s->strings, s->nstrings, sizeof(*s->strings));
	s->strings[s->nstrings++] = (char *)b->p;
	*b = (struct buf){ 0 };
	return text;
}

static void add_word(struct bytes **words, size_t *n, struct bytes word)
{
	*words = more(*words, *n, sizeof(**words));
	(*words)[(*n)++] = word;
}

static void add_setting(struct setting **rows, size_t *n, struct bytes key, struct bytes value)
{
	*rows = more(*rows, *n, sizeof(**rows));
	(*rows)[(*n)++] = (struct setting){ key, value };
}

static void node_free(struct node *nd)
{
	for (size_t i = 0; i < nd->nkids; i++)
		node_free(&nd->kids[i]);
	free(nd->kids);
}

static void check_free(struct check *c)
{
	free(c->allowed);
	if (c->pattern)
		node_free(c->pattern);
	free(c->pattern);
}

void script_free(struct script *s)
{
	for (size_t i = 0; i < s->nsteps; i++) {
		for (size_t k = 0; k < s->steps[i].nchecks; k++)
			check_free(&s->steps[i].checks[k]);
		free(s->steps[i].checks);
	}
	for (size_t i = 0; i < s->nstrings; i++)
		free(s->strings[i]);
	free(s->steps);
	free(s->strings);
	free(s->needs);
	free(s->options);
	free(s->host);
	free(s->except);
	free(s->with);
	free(s->text);
	*s = (struct script){ 0 };
}

/* --- tokens --- */

static const struct token *peek(const struct parser *p)
{
	return &p->t[p->pos];
}

static const struct token *take(struct parser *p)
{
	const struct token *t = peek(p);

	if (t->kind != TOKEN_END)
		p->pos++;
	return t;
}

static bool accept(struct parser *p, const char *text)
{
	if (!token_is(peek(p), text))
		return false;
	p->pos++;
	return true;
}

static bool at_word(const struct parser *p)
{
	return peek(p)->kind == TOKEN_WORD;
}

static bool at_end(const struct parser *p)
{
	return peek(p)->kind == TOKEN_END;
}

/* The place from one token up to another, which is not in it. */
static struct where span(const struct parser *p, size_t from, size_t to)
{
	struct where at = p->t[from].at;

	if (to > from)
		at.width = p->t[to - 1].at.col + p->t[to - 1].at.width - at.col;
	return at;
}

static bool expected(struct parser *p, const char *what)
{
	const struct token *t = peek(p);

	return fault_set(p->f, &t->at, "%s here: %s", t->kind == TOKEN_END ? "missing" : "expected", what);
}

static bool too_much(struct parser *p)
{
	const struct token *t = peek(p);

	return fault_set(p->f, &t->at, "`%.*s` cannot stand here", (int)t->text.n, (const char *)t->text.p);
}

/* The first word of each row, as far as the list goes. */
static size_t first_words(const struct word *table, char (*copies)[32], const char **list)
{
	size_t n = 0;

	for (; table->word && n < LIST_MAX; table++, n++) {
		snprintf(copies[n], sizeof(copies[n]), "%.*s", (int)strcspn(table->word, " "), table->word);
		list[n] = copies[n];
	}
	return n;
}

static bool unknown(struct parser *p, const struct token *t, const char *what, const struct word *table)
{
	char copies[LIST_MAX][32];
	const char *list[LIST_MAX];
	size_t n = first_words(table, copies, list);

	return fault_unknown(p->f, &t->at, t->text, what, list, n);
}

/* Does the token touch the one before it? */
static bool touches(const struct parser *p, size_t i)
{
	return i > 0 && p->t[i].at.col == p->t[i - 1].at.col + p->t[i - 1].at.width;
}

/* The words from one token up to another, with single spaces where the file has any. */
static void add_tokens(const struct parser *p, size_t from, size_t to, struct buf *out)
{
	for (size_t i = from; i < to; i++) {
		if (i > from && !touches(p, i))
			buf_u8(out, ' ');
		buf_add_bytes(out, p->t[i].text);
	}
}

static struct bytes join(struct parser *p, const char *before, size_t from, size_t to)
{
	struct buf b = { 0 };

	buf_add_bytes(&b, bytes_of(before));
	add_tokens(p, from, to, &b);
	return keep(p, &b);
}

static bool with_value(struct parser *p, struct token *t)
{
	struct script *s = p->s;
	struct bytes name = { t->text.p + 1, t->text.n - 1 };

	if (s->nwith == 0)
		return fault_set(p->f, &t->at, "`%.*s` without a `with` line in the header", (int)t->text.n, (const char *)t->text.p);
	if (!bytes_equal(name, s->with_name))
		return fault_set(p->f, &t->at, "`%.*s` is not what the `with` line names; did you mean `$%.*s`?",
		                 (int)t->text.n, (const char *)t->text.p, (int)s->with_name.n, (const char *)s->with_name.p);
	p->with_used = true;
	t->text = s->with[p->with];
	t->kind = *t->text.p == '"' ? TOKEN_STRING : TOKEN_WORD;
	return true;
}

static void add_token(struct parser *p, const struct token *t)
{
	p->t = more(p->t, p->nt, sizeof(*p->t));
	p->t[p->nt++] = *t;
}

/* The tokens of the rest of the line; a header line's $K means nothing. */
static bool load(struct parser *p, struct line *ln, bool is_step)
{
	struct token t;

	p->nt = p->pos = 0;
	do {
		if (!line_token(ln, &t, p->f))
			return false;
		if (is_step && t.kind == TOKEN_WORD && t.text.n > 1 && *t.text.p == '$' && !with_value(p, &t))
			return false;
		add_token(p, &t);
	} while (t.kind != TOKEN_END);
	return true;
}

/* --- header --- */

/* Tokens of the line up to its end, one at least. */
static bool load_words(struct parser *p, struct line *ln, const char *what)
{
	if (!load(p, ln, false))
		return false;
	if (!at_word(p))
		return expected(p, what);
	return true;
}

static bool end(struct parser *p)
{
	return at_end(p) || too_much(p);
}

static bool read_title(struct parser *p, struct line *ln)
{
	struct token t = { .text = line_rest(ln) };

	p->s->title = t.text;
	t.at = line_where(ln, t.text);
	return t.text.n > 0 || fault_set(p->f, &t.at, "missing here: the title");
}

static bool variant_unknown(struct parser *p, unsigned kind, const char *what)
{
	const char *list[LIST_MAX];
	size_t n = 0;

	for (const struct word *w = selector_words; w->word; w++)
		if ((unsigned)w->id & kind)
			list[n++] = w->word;
	return fault_unknown(p->f, &peek(p)->at, peek(p)->text, what, list, n);
}

/* One or more of the selectors' words, all of one kind. */
static bool read_variants(struct parser *p, struct line *ln, unsigned kind, const char *what, bool several)
{
	unsigned bits = 0;

	if (!load_words(p, ln, what))
		return false;
	do {
		const struct word *w = word_find(selector_words, peek(p)->text);

		if (!w || !((unsigned)w->id & kind))
			return variant_unknown(p, kind, what);
		bits |= (unsigned)w->id;
		take(p);
	} while (several && at_word(p));
	p->s->runs_for = (p->s->runs_for & ~kind) | bits;
	return end(p);
}

static bool read_role(struct parser *p, struct line *ln)
{
	return read_variants(p, ln, FOR_ROLES, "role", false);
}

static bool read_tls(struct parser *p, struct line *ln)
{
	return read_variants(p, ln, FOR_TLS, "TLS version", false);
}

static bool read_io(struct parser *p, struct line *ln)
{
	return read_variants(p, ln, FOR_IO, "I/O mode", true);
}

static bool need_known(struct bytes word)
{
	const struct bytes option = bytes_of("option:");

	return word_find(need_words, word) || (word.n > option.n && memcmp(word.p, option.p, option.n) == 0);
}

static bool read_needs(struct parser *p, struct line *ln)
{
	if (!load_words(p, ln, "a capability"))
		return false;
	for (; at_word(p); take(p)) {
		if (!need_known(peek(p)->text))
			return unknown(p, peek(p), "capability", need_words);
		add_word(&p->s->needs, &p->s->nneeds, peek(p)->text);
	}
	return end(p);
}

static bool read_option(struct parser *p, struct line *ln)
{
	struct script *s = p->s;
	struct buf need = { 0 };

	if (!load_words(p, ln, "an option's name"))
		return false;
	add_word(&s->options, &s->noptions, peek(p)->text);
	buf_printf(&need, "option:");
	buf_add_bytes(&need, take(p)->text);
	add_word(&s->needs, &s->nneeds, keep(p, &need));
	return end(p);
}

static bool read_api(struct parser *p, struct line *ln)
{
	if (!load_words(p, ln, "an API family"))
		return false;
	p->s->api = take(p)->text;
	return end(p);
}

static bool read_about(struct parser *p, struct line *ln)
{
	if (!load(p, ln, false))
		return false;
	if (!accept(p, "host"))
		return expected(p, "`host`");
	p->s->about_host = true;
	return end(p);
}

/* It becomes a path below /proc/sys/net/ipv4. */
static bool key_like(struct bytes key)
{
	for (size_t i = 0; i < key.n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_/", key.p[i]) || (i == 0 && *key.p == '/'))
			return false;
	return true;
}

static bool read_host(struct parser *p, struct line *ln)
{
	struct token key, value;

	if (!line_token(ln, &key, p->f))
		return false;
	if (key.kind != TOKEN_WORD || !key_like(key.text))
		return fault_set(p->f, &key.at, "expected here: the name of a setting below net/ipv4");
	value.text = line_rest(ln);
	value.at = line_where(ln, value.text);
	if (value.text.n == 0)
		return fault_set(p->f, &value.at, "missing here: the setting's value");
	add_setting(&p->s->host, &p->s->nhost, key.text, value.text);
	return true;
}

static bool read_with(struct parser *p, struct line *ln)
{
	struct script *s = p->s;

	if (!load_words(p, ln, "a name"))
		return false;
	p->with_at = peek(p)->at;
	s->with_name = take(p)->text;
	if (*s->with_name.p == '$')
		return fault_set(p->f, &p->with_at, "the name stands here without `$`");
	if (!accept(p, "in"))
		return expected(p, "`in`");
	for (; at_word(p) || peek(p)->kind == TOKEN_STRING; take(p))
		add_word(&s->with, &s->nwith, peek(p)->text);
	if (s->nwith == 0)
		return expected(p, "a value");
	if (p->with >= s->nwith)
		return fault_set(p->f, &p->with_at, "there is no value %zu of `%.*s`", p->with, (int)s->with_name.n, (const char *)s->with_name.p);
	return end(p);
}

static bool requirement_unknown(struct parser *p, const struct token *t)
{
	const char *near = p->reqs ? requirement_nearest(p->reqs, t->text) : NULL;

	return fault_unknown(p->f, &t->at, t->text, "requirement", &near, near != NULL);
}

static bool read_except(struct parser *p, struct line *ln)
{
	const struct requirement *req;
	struct token name, reason;

	if (!line_token(ln, &name, p->f))
		return false;
	if (name.kind != TOKEN_WORD)
		return fault_set(p->f, &name.at, "expected here: a requirement");
	req = p->reqs ? requirement_find(p->reqs, name.text) : NULL;
	if (!req)
		return requirement_unknown(p, &name);
	if (!req->always)
		return fault_set(p->f, &name.at, "`%s` is no invariant: without a line that asks for it, it is not tested", req->name);
	reason.text = line_rest(ln);
	reason.at = line_where(ln, reason.text);
	if (reason.text.n == 0)
		return fault_set(p->f, &reason.at, "missing here: the reason");
	add_setting(&p->s->except, &p->s->nexcept, name.text, reason.text);
	return true;
}

static const struct header {
	const char *word;
	bool (*read)(struct parser *, struct line *);
	bool once;
} headers[] = {
	{ "title",  read_title,  true },
	{ "role",   read_role,   true },
	{ "tls",    read_tls,    true },
	{ "io",     read_io,     true },
	{ "needs",  read_needs,  false },
	{ "option", read_option, false },
	{ "api",    read_api,    true },
	{ "about",  read_about,  true },
	{ "host",   read_host,   false },
	{ "with",   read_with,   true },
	{ "except", read_except, false },
};

static const struct header *header_find(const struct token *t)
{
	for (size_t i = 0; i < countof(headers); i++)
		if (token_is(t, headers[i].word))
			return &headers[i];
	return NULL;
}

static bool read_header(struct parser *p, const struct header *h, const struct token *key, struct line *ln)
{
	unsigned bit = 1u << (h - headers);

	if (p->s->nsteps > 0)
		return fault_set(p->f, &key->at, "`%s` belongs to the header, before the first step", h->word);
	if (h->once && (p->given & bit))
		return fault_set(p->f, &key->at, "`%s` a second time", h->word);
	p->given |= bit;
	return h->read(p, ln);
}

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

static bool take_string(struct parser *p, struct bytes *text)
{
	struct bytes in = peek(p)->text;
	struct buf b = { 0 };

	if (peek(p)->kind != TOKEN_STRING)
		return expected(p, "a text in quotes");
	if (!bytes_unquote(&in, &b) || in.n > 0) {
		buf_free(&b);
		return fault_set(p->f, &peek(p)->at, "this text has an escape that there is not: \\n \\r \\t \\\\ \\\" \\xNN");
	}
	*text = keep(p, &b);
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
	return take_string(p, &st->text);
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

static bool alert_unknown(struct parser *p, const struct token *t)
{
	const char *names[256];
	size_t n = 0;

	for (unsigned code = 0; code < 256; code++)
		if (alert_name(code))
			names[n++] = alert_name(code);
	return fault_unknown(p->f, &t->at, t->text, "alert", names, n);
}

static bool take_alert(struct parser *p, int *code)
{
	if (!at_word(p))
		return expected(p, "an alert's name or number");
	*code = alert_code(peek(p)->text);
	if (*code < 0)
		return alert_unknown(p, peek(p));
	take(p);
	return true;
}

static bool arg_alert(struct parser *p, struct step *st)
{
	return take_alert(p, &st->code);
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
	st->text = keep(p, &b);
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
		return unknown(p, peek(p), "message to stop at", handshake_words);
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
		return unknown(p, peek(p), "ICMP error of ours", icmp_words);
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
		return unknown(p, peek(p), "level", level_mod_words);
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
		return unknown(p, peek(p), "name of keys", key_mod_words);
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
			return verb->bits & MOD_RECORD ? unknown(p, t, "modifier", mod_words) : too_much(p);
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
		unknown(p, peek(p), what, table);
	else
		take(p);
	return whole;
}

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
	return take_alert(p, &a->alert);
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
		if (!take_string(p, &a->text))
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
	a->native = keep(p, &b);
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
		c->allowed = more(c->allowed, c->nallowed, sizeof(*c->allowed));
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
	nd->kids = more(nd->kids, nd->nkids, sizeof(*nd->kids));
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
		return unknown(p, t, "level", level_mod_words);
	if (token_is(before, "keys"))
		return unknown(p, t, "name of keys", key_mod_words);
	if (token_is(before, "alert"))
		return alert_unknown(p, t);
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
	[ACTOR_HANDSHAKE] = read_outcomes, [ACTOR_PEER] = NULL, [ACTOR_IUT] = read_outcomes, [ACTOR_FD] = NULL,
	[ACTOR_PATH] = NULL, [ACTOR_WIRE] = read_pattern, [ACTOR_TCP] = read_states,
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
		return requirement_unknown(p, peek(p));
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
	c->text = join(p, "", from, p->pos);
	return read_requirement(p, st, c) && end(p);
}

/* The check belongs to the step at once, so that script_free finds it on a fault. */
static bool add_check(struct parser *p, struct step *st, unsigned only)
{
	struct check c = { .only = only };
	bool ok = read_check(p, st, &c);

	st->checks = more(st->checks, st->nchecks, sizeof(*st->checks));
	st->checks[st->nchecks++] = c;
	return ok;
}

/* What may stand behind the words of a step. */
static bool read_tail(struct parser *p, struct step *st)
{
	if (accept(p, "->"))
		return add_check(p, st, st->only);
	if (token_is(peek(p), "["))
		return fault_set(p->f, &peek(p)->at, "a requirement needs `->` and what is allowed in front of it");
	return end(p);
}

/* --- steps --- */

static struct step *add_step(struct parser *p, const struct step *st)
{
	struct script *s = p->s;

	s->steps = more(s->steps, s->nsteps, sizeof(*s->steps));
	s->steps[s->nsteps] = *st;
	return &s->steps[s->nsteps++];
}

static struct step *add_words(struct parser *p, struct step *st, const char *before, size_t from)
{
	st->at = span(p, from, p->pos);
	st->words = join(p, before, from, p->pos);
	return add_step(p, st);
}

static bool read_handshake(struct parser *p, struct step *st, size_t from)
{
	st->verb = accept(p, "resume") ? HANDSHAKE_RESUME : accept(p, "again") ? HANDSHAKE_AGAIN : HANDSHAKE_NEW;
	return read_tail(p, add_words(p, st, "", from));
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
	return read_tail(p, &p->s->steps[p->s->nsteps - 1]);
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
			return read_tail(p, added);
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
	return args[verb->arg](p, st) && read_tail(p, add_words(p, st, "", from));
}

static bool read_path(struct parser *p, struct step *st, size_t from)
{
	const struct word *verb = take_verb(p, path_words, "step of the path");

	if (!verb)
		return false;
	st->verb = verb->id;
	return args[verb->arg](p, st) && read_tail(p, add_words(p, st, "", from));
}

/* `wire iut`, `tcp peer`. */
static bool read_look(struct parser *p, struct step *st, size_t from)
{
	st->verb = token_is(peek(p), "peer");
	if (!accept(p, "iut") && !accept(p, "peer"))
		return expected(p, "`iut` or `peer`");
	st->later = st->actor == ACTOR_TCP && accept(p, "later");
	return read_tail(p, add_words(p, st, "", from));
}

static bool (*const actors[])(struct parser *, struct step *, size_t from) = {
	[ACTOR_HANDSHAKE] = read_handshake, [ACTOR_PEER] = read_peer, [ACTOR_IUT] = read_iut, [ACTOR_FD] = read_fd,
	[ACTOR_PATH] = read_path, [ACTOR_WIRE] = read_look, [ACTOR_TCP] = read_look,
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
		unknown(p, &part, "selector", selector_words);
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

static bool alive(unsigned variants)
{
	return (variants & FOR_ROLES) && (variants & FOR_TLS) && (variants & FOR_IO);
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

static bool read_also(struct parser *p, const struct token *also, unsigned only)
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

static bool line_unknown(struct parser *p, const struct token *t)
{
	const char *list[LIST_MAX];
	size_t n = 0;

	for (const struct word *w = actor_words; w->word; w++)
		list[n++] = w->word;
	if (p->s->nsteps == 0)
		for (size_t i = 0; i < countof(headers); i++)
			list[n++] = headers[i].word;
	return fault_unknown(p->f, &t->at, t->text, p->s->nsteps ? "actor" : "header line or actor", list, n);
}

static bool read_step(struct parser *p)
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
		return line_unknown(p, t);
	if (w->id < 0)
		return read_also(p, t, st.only);
	if (!p->s->title.p)
		return fault_set(p->f, &t->at, "a `title` line has to stand before the first step");
	st.actor = (enum actor)w->id;
	return actors[st.actor](p, &st, from);
}

/* --- the file --- */

static void add_prose(struct parser *p, struct bytes text)
{
	if (p->prose_ended || (p->prose.n == 0 && text.n == 0))
		return;
	buf_add_bytes(&p->prose, text);
	buf_u8(&p->prose, '\n');
}

static void end_prose(struct parser *p)
{
	if (p->prose_ended)
		return;
	while (p->prose.n > 0 && p->prose.p[p->prose.n - 1] == '\n')
		p->prose.n--;
	p->s->prose = keep(p, &p->prose);
	p->prose_ended = true;
}

static bool read_line(struct parser *p, struct line *ln)
{
	struct line whole = *ln;
	const struct header *h;
	struct token first;
	struct bytes text;

	if (line_blank(ln) || line_comment(ln, &text)) {
		add_prose(p, line_blank(ln) ? bytes_of("") : text);
		return true;
	}
	end_prose(p);
	if (!line_token(ln, &first, p->f))
		return false;
	h = header_find(&first);
	if (h)
		return read_header(p, h, &first, ln);
	return load(p, &whole, true) && read_step(p);
}

/* What only the end of the file shows to be missing; it has no line of its own. */
static bool read_rest(struct parser *p)
{
	struct where top = { p->file, p->s->text, 1, 1, 1 };

	end_prose(p);
	if (!p->s->title.p)
		return fault_set(p->f, &top, "the case has no title");
	if (p->s->nsteps == 0)
		return fault_set(p->f, &top, "the case has no steps");
	if (p->s->nwith > 0 && !p->with_used)
		return fault_set(p->f, &p->with_at, "no step uses `$%.*s`", (int)p->s->with_name.n, (const char *)p->s->with_name.p);
	return true;
}

static bool read_file(struct parser *p, size_t n)
{
	struct lines in = lines_of(p->file, p->s->text, n);
	struct line ln;

	while (lines_next(&in, &ln))
		if (!read_line(p, &ln))
			return false;
	return read_rest(p);
}

/* --- variants --- */

bool step_in(const struct step *st, unsigned variant)
{
	return (st->only & variant) == variant;
}

bool check_in(const struct check *c, unsigned variant)
{
	return (c->only & variant) == variant;
}

static bool check_variants(const struct script *s, struct fault *f)
{
	for (unsigned role = FOR_CLIENT; role <= FOR_SERVER; role <<= 1)
		for (unsigned tls = FOR_TLS12; tls <= FOR_TLS13; tls <<= 1)
			for (unsigned io = FOR_BLOCKING; io <= FOR_MEMORY; io <<= 1)
				if ((s->runs_for & (role | tls | io)) == (role | tls | io) && !script_check(s, role | tls | io, f))
					return false;
	return true;
}

/* --- public --- */

/* THEME/NAME: the last two parts of the path, without .case. */
static void name_from(char *name, size_t size, const char *path)
{
	const char *from = strrchr(path, '/');
	size_t n;

	while (from && from > path && from[-1] != '/')
		from--;
	if (!from)
		from = path;
	from += *from == '/';
	n = strlen(from);
	if (n > 5 && strcmp(from + n - 5, ".case") == 0)
		n -= 5;
	snprintf(name, size, "%.*s", (int)n, from);
}

static void own_text(struct parser *p, const char *path, const char *text, size_t n)
{
	struct buf own = { 0 }, file = { 0 };

	buf_add(&own, text, n);
	buf_str(&own);
	p->s->text = (char *)own.p;
	buf_add_bytes(&file, bytes_of(path));
	p->file = (const char *)keep(p, &file).p;
}

bool script_parse(struct script *s, const char *path, const char *text, size_t n, size_t with,
                  const struct requirements *reqs, struct fault *f)
{
	struct parser p = { .s = s, .reqs = reqs, .f = f, .with = with };
	bool ok;

	*s = (struct script){ .runs_for = FOR_ALL };
	name_from(s->name, sizeof(s->name), path);
	own_text(&p, path, text, n);
	ok = read_file(&p, n) && check_variants(s, f);
	free(p.t);
	buf_free(&p.prose);
	if (!ok)
		script_free(s);
	return ok;
}

bool script_load(struct script *s, const char *path, size_t with, const struct requirements *reqs, struct fault *f)
{
	struct buf text = { 0 };
	bool ok;

	*s = (struct script){ 0 };
	ok = lex_file(path, &text, f) && script_parse(s, path, (const char *)text.p, text.n, with, reqs, f);
	buf_free(&text);
	return ok;
}

const struct setting *script_excepts(const struct script *s, const char *requirement)
{
	for (size_t i = 0; i < s->nexcept; i++)
		if (bytes_is(s->except[i].key, requirement))
			return &s->except[i];
	return NULL;
}
