/* expected_read: reads THEME/CASE.trace. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "runner/expected.h"
#include "runner/trace.h"
#include "runner/variants.h"

enum { VALUES_MAX = 1000 };                     /* of `with`; far more than any case has: who reads them looks at each for each */

struct reader {
	struct expected *x;
	const struct script *s;                 /* NULL: any case */
	struct line ln;
	struct token t;                         /* the token taken last */
	struct where at;                        /* of the line's first word */
	struct block *block;                    /* the one that is read; NULL: none yet */
	struct account account;                 /* the one of that block that is read */
	struct trace trace;                     /* of that account */
	bool unsupported;                       /* in place of a trace */
	bool named, ended;
	struct fault *f;
};

static bool next(struct reader *r)
{
	return line_token(&r->ln, &r->t, r->f);
}

static bool wrong(struct reader *r, const char *what)
{
	return fault_set(r->f, &r->t.at, "%s", what);
}

static bool read_end(struct reader *r)
{
	return next(r) && (r->t.kind == TOKEN_END || wrong(r, "too much: the line could end before this"));
}

/* --- blocks --- */

static bool has_body(const struct reader *r)
{
	return r->trace.n > 0 || r->unsupported;
}

/* The account's trace is whole. */
static bool account_close(struct reader *r)
{
	if (!has_body(r))
		return fault_set(r->f, &r->at, "expected here: the trace of the variants above");
	if (r->unsupported)
		buf_printf(&r->account.trace, "unsupported\n");
	else
		trace_drop_texts(&r->trace);
	trace_print(&r->account.trace, &r->trace);
	trace_free(&r->trace);
	r->unsupported = false;
	return block_add(r->block, &r->account) ||
	       fault_set(r->f, &r->at, "what stands above is the same as another account of these variants");
}

static bool block_close(struct reader *r)
{
	if (!r->block)
		return true;
	if (!account_close(r))
		return false;
	return !r->block->varies || r->block->n > 1 ||
	       fault_set(r->f, &r->at, "expected here: `or` and another account, as these variants vary");
}

static bool block_open(struct reader *r)
{
	struct expected *x = r->x;

	/* Several lines of variants head one block. */
	if (r->block && !has_body(r) && !r->account.deviations.n && !r->block->n && !r->block->varies)
		return true;
	if (!block_close(r))
		return false;
	x->blocks = reallocarray(x->blocks, x->n + 1, sizeof(*x->blocks));
	assert(x->blocks);
	r->block = &x->blocks[x->n++];
	*r->block = (struct block){ .in = calloc(x->nwith ? x->nwith * VARIANTS : 1, 1) };
	assert(r->block->in);
	return true;
}

/* --- `variants` --- */

static bool bits_read(struct reader *r, unsigned group, unsigned *bits, const char *what)
{
	do {
		const struct word *w = NULL;
		const char *words[8];
		size_t n = 0;

		if (!next(r))
			return false;
		for (const struct word *row = selector_words; row->word; row++)
			if ((unsigned)row->id & group) {
				words[n++] = row->word;
				w = r->t.kind == TOKEN_WORD && bytes_is(r->t.text, row->word) ? row : w;
			}
		if (r->t.kind != TOKEN_WORD)
			return fault_set(r->f, &r->t.at, "missing here: %s", what);
		if (!w)
			return fault_unknown(r->f, &r->t.at, r->t.text, what, words, n);
		if (r->s && !(r->s->runs_for & (unsigned)w->id))
			return fault_set(r->f, &r->t.at, "the case does not run with `%s`", w->word);
		*bits |= (unsigned)w->id;
		if (r->ln.rest.n == 0 || r->ln.rest.p[0] != '|')
			return true;
	} while (next(r));
	return false;
}

/* The value's number; -1: *f. Without a case each new value is taken as it comes. */
static int value_find(struct reader *r, struct bytes value)
{
	struct expected *x = r->x;

	for (size_t i = 0; i < x->nwith; i++)
		if (bytes_is(value, x->with[i]))
			return (int)i;
	if (r->s) {
		fault_unknown(r->f, &r->t.at, value, "value of the case's `with`", (const char *const *)x->with, x->nwith);
		return -1;
	}
	if (x->nwith == VALUES_MAX) {
		fault_set(r->f, &r->t.at, "more values than a case can have");
		return -1;
	}
	x->with = reallocarray(x->with, x->nwith + 1, sizeof(*x->with));
	assert(x->with);
	x->with[x->nwith++] = bytes_dup(value);
	for (size_t i = 0; i < x->n; i++) {
		x->blocks[i].in = realloc(x->blocks[i].in, x->nwith * VARIANTS);
		assert(x->blocks[i].in);
		memset(x->blocks[i].in + (x->nwith - 1) * VARIANTS, 0, VARIANTS);
	}
	return (int)x->nwith - 1;
}

static bool variants_add(struct reader *r, unsigned bits, int value)
{
	for (size_t i = 0; i < VARIANTS; i++) {
		size_t number = (size_t)value * VARIANTS + i;

		if ((variant_of_number(i) & bits) != variant_of_number(i))
			continue;
		for (size_t b = 0; b < r->x->n; b++)
			if (r->x->blocks[b].in[number])
				return fault_set(r->f, &r->at, "one of these variants has been named before");
		r->block->in[number] = true;
	}
	return true;
}

/* `K=1|5`, if the case has a `with`. */
static bool values_read(struct reader *r, unsigned bits)
{
	struct expected *x = r->x;
	struct bytes word;
	const uint8_t *equals;
	int value;

	if (!next(r))
		return false;
	word = r->t.text;
	equals = r->t.kind == TOKEN_WORD ? memchr(word.p, '=', word.n) : NULL;
	if (!r->s && equals && !x->with_name && !x->nwith)
		x->with_name = bytes_dup((struct bytes){ word.p, (size_t)(equals - word.p) });
	if (!r->s && !equals && !x->nwith)
		value_find(r, (struct bytes){ word.p, 0 });
	if (!x->with_name)
		return (r->t.kind == TOKEN_END || wrong(r, "too much: the case has no `with`")) && variants_add(r, bits, 0);
	if (!equals || !bytes_is((struct bytes){ word.p, (size_t)(equals - word.p) }, x->with_name))
		return fault_set(r->f, &r->t.at, "expected here: %s=VALUE", x->with_name);
	word = (struct bytes){ equals + 1, (size_t)(word.p + word.n - equals - 1) };
	/* A value may be a text in quotes, which is a token of its own. */
	if (!word.n && (!next(r) || r->t.kind != TOKEN_STRING))
		return wrong(r, "missing here: a value");
	word = word.n ? word : r->t.text;
	for (;;) {
		value = value_find(r, word);
		if (value < 0 || !variants_add(r, bits, value) || !next(r))
			return false;
		if (r->t.kind == TOKEN_END)
			return true;
		if (!token_is(&r->t, "|") || !next(r) || (r->t.kind != TOKEN_WORD && r->t.kind != TOKEN_STRING))
			return wrong(r, "expected here: `|` and another value");
		word = r->t.text;
	}
}

static bool read_variants(struct reader *r)
{
	unsigned bits = 0;

	return block_open(r) && bits_read(r, FOR_ROLES, &bits, "role") && bits_read(r, FOR_TLS, &bits, "version of TLS") &&
	       bits_read(r, FOR_IO, &bits, "I/O mode") && values_read(r, bits);
}

/* --- the other lines --- */

static bool link_ok(struct bytes link)
{
	for (size_t i = 0; i < link.n; i++)
		if (link.p[i] <= ' ' || link.p[i] >= 0x7f)
			return false;
	return (link.n > 8 && memcmp(link.p, "https://", 8) == 0) || (link.n > 7 && memcmp(link.p, "http://", 7) == 0);
}

/* NULL, or one that the caller frees. */
static bool read_link(struct reader *r, char **link)
{
	struct bytes rest = line_rest(&r->ln);
	struct where at = line_where(&r->ln, rest);

	*link = NULL;
	if (rest.n && !link_ok(rest))
		return fault_set(r->f, &at, "expected here: a link (https://...), or nothing");
	if (rest.n)
		*link = bytes_dup(rest);
	return true;
}

/* What people wrote: a reason, and perhaps a link. Both are the caller's to free, and NULL if it is wrong. */
static bool read_reason(struct reader *r, char **reason, char **link)
{
	struct buf read = { 0 };
	struct bytes text;
	bool ok;

	*reason = *link = NULL;
	if (!next(r))
		return false;
	text = r->t.text;
	ok = r->t.kind == TOKEN_STRING && bytes_unquote(&text, &read) && !memchr(buf_str(&read), '\0', read.n);
	if (!ok)
		wrong(r, "expected here: the reason, a text in quotes (\"\": none yet)");
	ok = ok && read_link(r, link);
	if (ok)
		*reason = bytes_dup(buf_bytes(&read));
	buf_free(&read);
	return ok;
}

static bool add_deviation(struct reader *r, const char *requirement)
{
	char *reason, *link;
	bool ok = read_reason(r, &reason, &link);

	if (ok && deviations_find(&r->account.deviations, requirement))
		ok = fault_set(r->f, &r->at, "this deviation has been named before");
	if (ok)
		deviations_add(&r->account.deviations, requirement, reason, link);
	free(reason);
	free(link);
	return ok;
}

/* Below variants, above the trace. */
static bool in_head(struct reader *r)
{
	return (r->block && !has_body(r)) || fault_set(r->f, &r->at, "this has to stand between `variants` and the trace");
}

static bool read_varies(struct reader *r)
{
	struct block *b = r->block;

	if (!in_head(r))
		return false;
	if (b->varies || b->n || r->account.deviations.n)
		return fault_set(r->f, &r->at, "this has to stand right below `variants`, once");
	if (!read_reason(r, &b->varies, &b->link))
		return false;
	return b->varies[0] || wrong(r, "expected here: why runs of these variants differ");
}

/* Another account of the same variants. */
static bool read_or(struct reader *r)
{
	if (!r->block || !r->block->varies)
		return fault_set(r->f, &r->at,
		                 "`or` has to stand between two accounts of variants that vary (`varies \"why\"` above them)");
	return account_close(r) && read_end(r);
}

static bool read_deviation(struct reader *r)
{
	char *name;
	bool ok;

	if (!in_head(r) || !next(r))
		return false;
	if (r->t.kind != TOKEN_WORD)
		return wrong(r, "missing here: the requirement that is broken");
	name = bytes_dup(r->t.text);
	ok = add_deviation(r, name);
	free(name);
	return ok;
}

static bool read_inconclusive(struct reader *r)
{
	return in_head(r) && add_deviation(r, NULL);
}

static bool read_unsupported(struct reader *r)
{
	if (!in_head(r) || !read_end(r))
		return false;
	r->unsupported = true;
	return true;
}

static bool read_case(struct reader *r)
{
	if (r->named)
		return fault_set(r->f, &r->at, "a file is of one case");
	if (!next(r))
		return false;
	if (r->t.kind != TOKEN_WORD)
		return wrong(r, "missing here: THEME/CASE");
	if (r->s && !bytes_is(r->t.text, r->s->name))
		return fault_set(r->f, &r->t.at, "this is of another case; expected here: %s", r->s->name);
	r->named = true;
	if (r->s)
		expected_start(r->x, r->s);
	else
		r->x->name = bytes_dup(r->t.text);
	return read_end(r);
}

static bool read_last(struct reader *r)
{
	r->ended = true;
	return block_close(r) && read_end(r);
}

static bool read_trace(struct reader *r)
{
	struct line ln = r->ln;

	if (!r->block)
		return fault_set(r->f, &r->at, "expected here: `variants`");
	if (r->unsupported)
		return fault_set(r->f, &r->at, "behind `unsupported` there is no trace");
	ln.rest = ln.text;
	return trace_add_line(&r->trace, &ln, r->f);
}

static const struct { const char *word; bool (*read)(struct reader *); } rows[] = {
	{ "case", read_case }, { "variants", read_variants }, { "deviation", read_deviation }, { "inconclusive", read_inconclusive },
	{ "unsupported", read_unsupported }, { "varies", read_varies }, { "or", read_or }, { "end", read_last },
};

static bool read_line(struct reader *r)
{
	const char *words[countof(rows)], *near;
	char word[32];
	size_t i = 0;

	if (!next(r))
		return false;
	r->at = r->t.at;
	if (r->ended)
		return wrong(r, "behind `end` there is nothing");
	for (; i < countof(rows); i++) {
		words[i] = rows[i].word;
		if (token_is(&r->t, rows[i].word))
			break;
	}
	if (!r->named && i != 0)
		return wrong(r, "expected here: `case THEME/CASE`");
	if (i < countof(rows))
		return rows[i].read(r);
	snprintf(word, sizeof(word), "%.*s", r->t.text.n < sizeof(word) ? (int)r->t.text.n : 0, (const char *)r->t.text.p);
	near = fault_nearest(word, words, countof(words));
	return near ? fault_unknown(r->f, &r->at, r->t.text, "line", words, countof(words)) : read_trace(r);
}

static bool read_lines(struct reader *r, const char *path, struct bytes text)
{
	struct lines in = lines_of(path, (const char *)text.p, text.n);
	struct where last = { path, NULL, 1, 1, 1 };
	struct bytes comment;

	while (lines_next(&in, &r->ln)) {
		last = line_where(&r->ln, (struct bytes){ r->ln.text.p + r->ln.text.n, 0 });
		if (!line_blank(&r->ln) && !line_comment(&r->ln, &comment) && !read_line(r))
			return false;
	}
	return r->ended || fault_set(r->f, &last, "the file ends here without `end`: it is not complete");
}

bool expected_parse(struct expected *x, const char *path, const char *text, size_t n, const struct script *s, struct fault *f)
{
	struct reader r = { .x = x, .s = s, .f = f };
	struct buf copy = { 0 };
	bool ok;

	*x = (struct expected){ 0 };
	buf_add(&copy, text, n);
	buf_str(&copy);                 /* a fault shows its line up to a NUL */
	ok = read_lines(&r, path, buf_bytes(&copy));
	trace_free(&r.trace);
	deviations_free(&r.account.deviations);
	buf_free(&r.account.trace);
	buf_free(&copy);
	if (!ok)
		expected_free(x);
	return ok;
}
