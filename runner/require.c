/* require: the rules, read from cases/requirements. */
#include "runner/require.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "runner/lex.h"

static const char *const level_words[] = { "MUST", "PROMISE", "SHOULD", "MAY" };        /* by enum level */

/* What is known of the rule that is being read: a plain `level` yields to a `level@1.2`, whichever comes first. */
struct given { bool plain, version[TLS_VERSIONS]; };

struct reader {
	struct requirements *r;
	struct fault *f;
	struct where at;                        /* of the name */
	struct given level, clause, disputed;
};

const char *level_word(enum level l)
{
	return level_words[l];
}

/* The requirement that is being read; there has to be one. */
static struct requirement *current(struct reader *rd)
{
	assert(rd->r->n > 0);
	return &rd->r->rows[rd->r->n - 1];
}

/* --- values --- */

static bool set_level(struct reader *rd, int version, struct bytes value, const struct where *at)
{
	for (size_t i = 0; i < countof(level_words); i++) {
		if (bytes_is(value, level_words[i])) {
			current(rd)->level[version] = (enum level)i;
			return true;
		}
	}
	return fault_unknown(rd->f, at, value, "level", level_words, countof(level_words));
}

static bool set_clause(struct reader *rd, int version, struct bytes value, const struct where *at)
{
	(void)at;
	free(current(rd)->clause[version]);
	current(rd)->clause[version] = bytes_dup(value);
	return true;
}

static bool set_disputed(struct reader *rd, int version, struct bytes value, const struct where *at)
{
	(void)at;
	free(current(rd)->disputed[version]);
	current(rd)->disputed[version] = bytes_dup(value);
	return true;
}

static const struct key {
	const char *word;
	bool (*set)(struct reader *, int version, struct bytes value, const struct where *);
	size_t given;                           /* where in struct reader */
} keys[] = {
	{ "level",    set_level,    offsetof(struct reader, level) },
	{ "clause",   set_clause,   offsetof(struct reader, clause) },
	{ "disputed", set_disputed, offsetof(struct reader, disputed) },
};
static const char *const key_words[] = { "requirement", "level", "clause", "disputed", "says", "always", "two-readings", "behind" };
static const char *const version_key_words[] = { "level", "clause", "disputed" };
static const char *const version_words[] = { "1.2", "1.3" };

/* --- lines --- */

static bool complete(struct reader *rd)
{
	const struct requirement *q;

	if (rd->r->n == 0)
		return true;
	q = current(rd);
	for (int v = 0; v < TLS_VERSIONS; v++) {
		if (!rd->level.plain && !rd->level.version[v])
			return fault_set(rd->f, &rd->at, "`%s` has no level for TLS %s", q->name, version_words[v]);
		if (!q->clause[v])
			return fault_set(rd->f, &rd->at, "`%s` has no clause for TLS %s", q->name, version_words[v]);
	}
	if (!q->says)
		return fault_set(rd->f, &rd->at, "`%s` says nothing", q->name);
	return true;
}

static bool name_like(struct bytes name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-", name.p[i]))
			return false;
	return name.n > 0;
}

static void add_row(struct reader *rd, struct bytes name, int line)
{
	struct requirements *r = rd->r;

	r->rows = realloc(r->rows, (r->n + 1) * sizeof(*r->rows));
	if (!r->rows)
		abort();
	r->rows[r->n++] = (struct requirement){ .name = bytes_dup(name), .line = line };
}

static bool begin(struct reader *rd, struct bytes name, const struct where *at)
{
	const struct requirement *twice = requirement_find(rd->r, name);

	if (!complete(rd))
		return false;
	if (!name_like(name))
		return fault_set(rd->f, at, "a requirement's name is of small letters, digits and `-`");
	if (twice)
		return fault_set(rd->f, at, "`%s` is already in line %d", twice->name, twice->line);
	add_row(rd, name, at->line);
	rd->at = *at;
	rd->level = rd->clause = rd->disputed = (struct given){ 0 };
	return true;
}

static bool behind(struct reader *rd, struct bytes value, const struct where *at)
{
	static const char *const words[] = { "error", "end" };          /* from BEHIND_ERROR on */

	for (size_t i = 0; i < countof(words); i++)
		if (bytes_is(value, words[i])) {
			current(rd)->behind = BEHIND_ERROR + i;
			return true;
		}
	return fault_unknown(rd->f, at, value, "thing that a rule can stand behind", words, countof(words));
}

static bool says(struct reader *rd, struct bytes value, const struct where *key)
{
	if (current(rd)->says)
		return fault_set(rd->f, key, "`says` a second time");
	current(rd)->says = bytes_dup(value);
	return true;
}

static bool set_plain(struct reader *rd, const struct key *k, struct given *g, struct bytes value, const struct where *at)
{
	g->plain = true;
	for (int v = 0; v < TLS_VERSIONS; v++)
		if (!g->version[v] && !k->set(rd, v, value, at))
			return false;
	return true;
}

/* KEY or KEY@VERSION with a value. */
static bool property(struct reader *rd, const struct key *k, struct bytes version, struct bytes value,
                     const struct where *key, const struct where *at)
{
	struct given *g = (struct given *)(void *)((char *)rd + k->given);
	struct where tail = *key;
	int v = bytes_is(version, "1.3");

	if (version.n > 0 && !bytes_is(version, version_words[v])) {
		tail.col += tail.width - (int)version.n;
		tail.width = (int)version.n;
		return fault_unknown(rd->f, &tail, version, "version", version_words, countof(version_words));
	}
	if (version.n > 0 ? g->version[v] : g->plain)
		return fault_set(rd->f, key, "`%s` a second time", k->word);
	if (version.n == 0)
		return set_plain(rd, k, g, value, at);
	g->version[v] = true;
	return k->set(rd, v, value, at);
}

static const struct key *key_find(struct bytes word)
{
	for (size_t i = 0; i < countof(keys); i++)
		if (bytes_is(word, keys[i].word))
			return &keys[i];
	return NULL;
}

/* Splits KEY@VERSION; without `@`, or with nothing behind it, the version is empty and the key the whole word. */
static struct bytes split(struct bytes word, struct bytes *version)
{
	const uint8_t *at = memchr(word.p, '@', word.n - 1);
	size_t n = at ? (size_t)(at - word.p) : word.n;

	*version = at ? (struct bytes){ at + 1, word.n - n - 1 } : (struct bytes){ word.p + n, 0 };
	return (struct bytes){ word.p, n };
}

static bool two_readings(struct reader *rd, struct bytes value, const struct where *at)
{
	if (value.n)
		return fault_set(rd->f, at, "nothing may stand behind `two-readings`");
	current(rd)->two_readings = true;
	return true;
}

static bool always(struct reader *rd, struct bytes value, const struct where *at)
{
	if (value.n > 0)
		return fault_set(rd->f, at, "nothing may stand behind `always`");
	current(rd)->always = true;
	return true;
}

static bool statement(struct reader *rd, const struct token *word, struct bytes value, const struct where *at)
{
	struct bytes version, name = split(word->text, &version);
	const struct key *k = key_find(name);

	if (!k && version.n == 0 && !token_is(word, "requirement") && !token_is(word, "says") && !token_is(word, "always") &&
	    !token_is(word, "two-readings") && !token_is(word, "behind"))
		return fault_unknown(rd->f, &word->at, word->text, "line of a requirement", key_words, countof(key_words));
	if (!k && version.n > 0)
		return fault_unknown(rd->f, &word->at, name, "line that a version can stand behind", version_key_words,
		                     countof(version_key_words));
	if (rd->r->n == 0 && !token_is(word, "requirement"))
		return fault_set(rd->f, &word->at, "`requirement NAME` has to come first");
	if (token_is(word, "always"))
		return always(rd, value, at);
	if (token_is(word, "two-readings"))
		return two_readings(rd, value, at);
	if (value.n == 0)
		return fault_set(rd->f, at, "something has to stand behind `%.*s`", (int)name.n, (const char *)name.p);
	if (token_is(word, "requirement"))
		return begin(rd, value, at);
	if (token_is(word, "behind"))
		return behind(rd, value, at);
	if (token_is(word, "says"))
		return says(rd, value, &word->at);
	assert(k);                              /* the other words were dealt with */
	return property(rd, k, version, value, &word->at, at);
}

static bool read_line(struct reader *rd, struct line *ln)
{
	struct token word;
	struct bytes value;
	struct where at;

	if (!line_token(ln, &word, rd->f))
		return false;
	if (word.kind == TOKEN_END)
		return true;
	value = line_rest(ln);
	at = value.n > 0 ? line_where(ln, value) : word.at;
	if (value.n > 0 && memchr(value.p, '\0', value.n))
		return fault_set(rd->f, &at, "a byte 0x00 that is no text");
	return statement(rd, &word, value, &at);
}

static bool read_lines(struct requirements *r, const char *path, const char *text, size_t n, struct fault *f)
{
	struct reader rd = { .r = r, .f = f };
	struct lines in = lines_of(path, text, n);
	struct line ln;

	while (lines_next(&in, &ln))
		if (!read_line(&rd, &ln))
			return false;
	return complete(&rd);
}

bool requirements_parse(struct requirements *r, const char *path, const char *text, size_t n, struct fault *f)
{
	struct buf own = { 0 };                 /* faults read up to a NUL, which the caller's text need not have */
	bool ok;

	*r = (struct requirements){ 0 };
	buf_add(&own, text, n);
	ok = read_lines(r, path, buf_str(&own), own.n, f);
	buf_free(&own);
	if (!ok)
		requirements_free(r);
	return ok;
}

bool requirements_load(struct requirements *r, const char *path, struct fault *f)
{
	struct buf text = { 0 };
	bool ok;

	*r = (struct requirements){ 0 };
	ok = lex_file(path, &text, f) && requirements_parse(r, path, (const char *)text.p, text.n, f);
	buf_free(&text);
	return ok;
}

static void row_free(struct requirement *q)
{
	free(q->name);
	free(q->says);
	for (int v = 0; v < TLS_VERSIONS; v++) {
		free(q->clause[v]);
		free(q->disputed[v]);
	}
}

void requirements_free(struct requirements *r)
{
	for (size_t i = 0; i < r->n; i++)
		row_free(&r->rows[i]);
	free(r->rows);
	*r = (struct requirements){ 0 };
}

const struct requirement *requirement_find(const struct requirements *r, struct bytes name)
{
	for (size_t i = 0; i < r->n; i++)
		if (bytes_is(name, r->rows[i].name))
			return &r->rows[i];
	return NULL;
}

const char *requirement_nearest(const struct requirements *r, struct bytes name)
{
	const char **words = calloc(r->n + 1, sizeof(*words));
	char *word = bytes_dup(name);
	const char *near;

	if (!words)
		abort();
	for (size_t i = 0; i < r->n; i++)
		words[i] = r->rows[i].name;
	near = fault_nearest(word, words, r->n);
	free(word);
	free(words);
	return near;
}
