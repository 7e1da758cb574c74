/* script: a case file as lines: its header, its prose, and what a whole file has to have. One function for each rule of the grammar
 * (cases/README.md); the words are in words.c. */
#include "runner/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/script_parser.h"

/* --- memory --- */

/* Room for one more row behind n of them: the array doubles. */
void *rows_more(void *rows, size_t n, size_t size)
{
	if (n & (n - 1))
		return rows;
	rows = realloc(rows, (n ? 2 * n : 1) * size);
	if (!rows)
		abort();
	return rows;
}

/* The script takes the text over. */
struct bytes parser_keep(struct parser *p, struct buf *b)
{
	struct script *s = p->s;
	struct bytes text;

	buf_str(b);             /* so that no text has no address */
	text = buf_bytes(b);
	s->strings = rows_more(s->strings, s->nstrings, sizeof(*s->strings));
	s->strings[s->nstrings++] = (char *)b->p;
	*b = (struct buf){ 0 };
	return text;
}

static void add_word(struct bytes **words, size_t *n, struct bytes word)
{
	*words = rows_more(*words, *n, sizeof(**words));
	(*words)[(*n)++] = word;
}

static void add_setting(struct setting **rows, size_t *n, struct bytes key, struct bytes value)
{
	*rows = rows_more(*rows, *n, sizeof(**rows));
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

bool parser_unknown(struct parser *p, const struct token *t, const char *what, const struct word *table)
{
	char copies[LIST_MAX][32];
	const char *list[LIST_MAX];
	size_t n = first_words(table, copies, list);

	return fault_unknown(p->f, &t->at, t->text, what, list, n);
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

struct bytes parser_join(struct parser *p, const char *before, size_t from, size_t to)
{
	struct buf b = { 0 };

	buf_add_bytes(&b, bytes_of(before));
	add_tokens(p, from, to, &b);
	return parser_keep(p, &b);
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
	p->t = rows_more(p->t, p->nt, sizeof(*p->t));
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
			return parser_unknown(p, peek(p), "capability", need_words);
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
	add_word(&s->needs, &s->nneeds, parser_keep(p, &need));
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
		return fault_set(p->f, &p->with_at, "there is no value %zu of `%.*s`", p->with, (int)s->with_name.n,
		                 (const char *)s->with_name.p);
	return end(p);
}

bool parser_requirement_unknown(struct parser *p, const struct token *t)
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
		return parser_requirement_unknown(p, &name);
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

bool parser_line_unknown(struct parser *p, const struct token *t)
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
	p->s->prose = parser_keep(p, &p->prose);
	p->prose_ended = true;
}

static bool read_line(struct parser *p, struct line *ln)
{
	struct line whole = *ln;
	const struct header *h;
	struct token first;
	struct bytes text = { 0 };

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
	return load(p, &whole, true) && parser_step(p);
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
	p->file = (const char *)parser_keep(p, &file).p;
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

bool script_option(const struct script *s, const char *name)
{
	for (size_t i = 0; i < s->noptions; i++)
		if (bytes_is(s->options[i], name))
			return true;
	return false;
}

const struct setting *script_excepts(const struct script *s, const char *requirement)
{
	for (size_t i = 0; i < s->nexcept; i++)
		if (bytes_is(s->except[i].key, requirement))
			return &s->except[i];
	return NULL;
}
