/* item: one thing in one direction of a connection, and its text. */
#include "runner/item.h"

#include <string.h>

#include "peer/record.h"

enum arg { ARG_NONE, ARG_LENGTH, ARG_ALERT, ARG_HANDSHAKE, ARG_REQUESTED };

/* In the order of enum item_kind, so that a kind is its own row; close_notify is an alert with a word of its own. */
static const struct row {
	const char *word;
	enum item_kind kind;
	enum arg arg;
	bool keyed;             /* a record that some key opened: `keys` may follow */
} rows[] = {
	{ "data",               ITEM_DATA,       ARG_LENGTH,    true },
	{ "alert",              ITEM_ALERT,      ARG_ALERT,     true },
	{ "key_update",         ITEM_KEY_UPDATE, ARG_REQUESTED, true },
	{ "ticket",             ITEM_TICKET,     ARG_NONE,      true },
	{ "handshake",          ITEM_HANDSHAKE,  ARG_HANDSHAKE, true },
	{ "change_cipher_spec", ITEM_CCS,        ARG_NONE,      true },
	{ "raw",                ITEM_RAW,        ARG_LENGTH,    false },
	{ "unopened",           ITEM_UNOPENED,   ARG_NONE,      false },
	{ "partial",            ITEM_PARTIAL,    ARG_NONE,      false },
	{ "fin",                ITEM_FIN,        ARG_NONE,      false },
	{ "rst",                ITEM_RST,        ARG_NONE,      false },
	{ "close_notify",       ITEM_ALERT,      ARG_NONE,      true },
};

static const char *const key_words[] = { NULL, "none", "handshake", "old", "next", "early" };    /* by enum item_keys */

static const struct row *row_find(struct bytes word)
{
	for (size_t i = 0; i < countof(rows); i++)
		if (bytes_is(word, rows[i].word))
			return &rows[i];
	return NULL;
}

const char *const *item_words(size_t *n)
{
	static const char *words[countof(rows)];

	for (size_t i = 0; i < countof(rows); i++)
		words[i] = rows[i].word;
	*n = countof(rows);
	return words;
}

/* Where no level is named. RFC 9846 6.1 has close_notify at level warning; user_canceled is seen at both. */
static int usual_level(int code)
{
	return code == ALERT_CLOSE_NOTIFY ? ALERT_WARNING : code == ALERT_USER_CANCELED ? ITEM_ANY : ALERT_FATAL;
}

/* --- print --- */

static void print_level(struct buf *out, int level)
{
	if (level == ALERT_WARNING || level == ALERT_FATAL)
		buf_printf(out, " level %s", level == ALERT_WARNING ? "warning" : "fatal");
	else
		buf_printf(out, " level %d", level);
}

static void print_alert(struct buf *out, const struct item *it)
{
	const char *name = it->code >= 0 ? alert_name((unsigned)it->code) : NULL;
	int usual = it->code == ITEM_ANY ? ITEM_ANY : usual_level(it->code);

	if (it->malformed) {
		buf_printf(out, "alert malformed");
		if (it->len != ITEM_ANY)
			buf_printf(out, " %lld", (long long)it->len);
		return;
	}
	if (it->code == ALERT_CLOSE_NOTIFY)
		buf_printf(out, "close_notify");
	else if (it->code == ITEM_ANY)
		buf_printf(out, "alert");
	else if (name)
		buf_printf(out, "alert %s", name);
	else
		buf_printf(out, "alert %d", it->code);
	if (it->level != ITEM_ANY && it->level != usual)
		print_level(out, it->level);
}

static void print_handshake(struct buf *out, const struct item *it)
{
	const char *name = it->code >= 0 ? handshake_name((unsigned)it->code) : NULL;

	buf_printf(out, "handshake");
	if (name && !row_find(bytes_of(name)))
		buf_printf(out, " %s", name);
	else if (it->code != ITEM_ANY)
		buf_printf(out, " %d", it->code);       /* `handshake key_update` would be read as two items */
}

void item_print(struct buf *out, const struct item *it)
{
	switch (it->kind) {
	case ITEM_ALERT:
		print_alert(out, it);
		break;
	case ITEM_HANDSHAKE:
		print_handshake(out, it);
		break;
	case ITEM_KEY_UPDATE:
		buf_printf(out, "key_update%s", it->code == 1 ? " requested" : "");
		break;
	case ITEM_DATA:
	case ITEM_RAW:
		buf_printf(out, "%s", rows[it->kind].word);
		if (it->len != ITEM_ANY)
			buf_printf(out, " %lld", (long long)it->len);
		break;
	case ITEM_TICKET:
	case ITEM_CCS:
	case ITEM_UNOPENED:
	case ITEM_PARTIAL:
	case ITEM_FIN:
	case ITEM_RST:
		buf_printf(out, "%s", rows[it->kind].word);
		break;
	}
	if (it->keys != KEYS_USUAL)
		buf_printf(out, " keys %s", key_words[it->keys]);
}

/* --- parse --- */

/* What is left of the words; `used` counts those that are taken. */
struct words { const struct bytes *w; size_t n, used; bool pattern; };

static bool peek(const struct words *in, struct bytes *word)
{
	if (in->used == in->n)
		return false;
	*word = in->w[in->used];
	return true;
}

static bool take_if(struct words *in, const char *text)
{
	struct bytes word;

	if (!peek(in, &word) || !bytes_is(word, text))
		return false;
	in->used++;
	return true;
}

/* The next word is no argument: the item before it is complete. */
static bool at_end(const struct words *in)
{
	struct bytes word;

	return !peek(in, &word) || row_find(word) || bytes_is(word, "level") || bytes_is(word, "keys");
}

/* Decimal digits; false when they are not, or too many. */
static bool number(struct bytes word, int64_t *v)
{
	*v = 0;
	if (word.n == 0 || word.n > 15)
		return false;
	for (size_t i = 0; i < word.n; i++) {
		if (word.p[i] < '0' || word.p[i] > '9')
			return false;
		*v = *v * 10 + (word.p[i] - '0');
	}
	return true;
}

static bool parse_length(struct words *in, int64_t *len)
{
	struct bytes word;

	*len = ITEM_ANY;
	if (at_end(in))
		return in->pattern;
	if (!peek(in, &word) || !number(word, len))
		return false;
	in->used++;
	return true;
}

/* A name or number by `code_of`, which is alert_code or handshake_code. */
static bool parse_code(struct words *in, int (*code_of)(struct bytes), int *code)
{
	struct bytes word;

	*code = ITEM_ANY;
	if (at_end(in))
		return in->pattern;
	*code = peek(in, &word) ? code_of(word) : -1;
	if (*code < 0)
		return false;
	in->used++;
	return true;
}

static bool parse_alert(struct words *in, struct item *it)
{
	it->level = ITEM_ANY;
	if (take_if(in, "malformed")) {
		it->malformed = true;
		it->code = ITEM_ANY;
		return parse_length(in, &it->len);
	}
	return parse_code(in, alert_code, &it->code);
}

static bool parse_arg(struct words *in, enum arg arg, struct item *it)
{
	switch (arg) {
	case ARG_NONE:
		return true;
	case ARG_LENGTH:
		return parse_length(in, &it->len);
	case ARG_ALERT:
		return parse_alert(in, it);
	case ARG_HANDSHAKE:
		return parse_code(in, handshake_code, &it->code);
	case ARG_REQUESTED:
		it->code = take_if(in, "requested");
		return true;
	}
	return false;
}

static bool parse_level(struct words *in, struct item *it)
{
	struct bytes word;
	int64_t n;

	if (it->kind != ITEM_ALERT || it->malformed || it->level != ITEM_ANY) {
		in->used--;                     /* `level` itself is what is wrong */
		return false;
	}
	if (!peek(in, &word))
		return false;
	if (bytes_is(word, "warning"))
		it->level = ALERT_WARNING;
	else if (bytes_is(word, "fatal"))
		it->level = ALERT_FATAL;
	else if (number(word, &n) && n <= 255)
		it->level = (int)n;
	else
		return false;
	in->used++;
	return true;
}

static bool parse_keys(struct words *in, const struct row *row, struct item *it)
{
	struct bytes word;

	if (!row->keyed || it->keys != KEYS_USUAL) {
		in->used--;
		return false;
	}
	if (!peek(in, &word))
		return false;
	for (size_t i = 1; i < countof(key_words); i++)
		if (bytes_is(word, key_words[i]))
			it->keys = (enum item_keys)i;
	if (it->keys == KEYS_USUAL)
		return false;
	in->used++;
	return true;
}

static bool parse_marks(struct words *in, const struct row *row, struct item *it)
{
	for (;;) {
		if (take_if(in, "level")) {
			if (!parse_level(in, it))
				return false;
		} else if (take_if(in, "keys")) {
			if (!parse_keys(in, row, it))
				return false;
		} else {
			return true;
		}
	}
}

static void settle_level(struct item *it, bool pattern)
{
	if (it->kind != ITEM_ALERT || it->malformed || it->level != ITEM_ANY || it->code == ITEM_ANY)
		return;
	it->level = usual_level(it->code);
	if (it->level == ITEM_ANY && !pattern)
		it->level = ALERT_FATAL;
}

int item_parse(const struct bytes *words, size_t n, bool pattern, struct item *it, size_t *bad)
{
	struct words in = { words, n, 1, pattern };
	const struct row *row = n > 0 ? row_find(words[0]) : NULL;

	if (!row)
		return 0;
	*it = (struct item){ .kind = row->kind };
	if (it->kind == ITEM_ALERT)
		it->level = ITEM_ANY;           /* not named yet */
	if (!parse_arg(&in, row->arg, it) || !parse_marks(&in, row, it)) {
		*bad = in.used < n ? in.used : n - 1;
		return -1;
	}
	settle_level(it, pattern);
	return (int)in.used;
}

/* --- fit --- */

static bool level_fits(int pattern, const struct item *seen)
{
	int usual = usual_level(seen->code);

	if (pattern != ITEM_ANY)
		return seen->level == pattern;
	return usual == ITEM_ANY || seen->level == usual;
}

static bool alert_fits(const struct item *pattern, const struct item *seen)
{
	if (pattern->malformed || seen->malformed)
		return pattern->malformed && seen->malformed && (pattern->len == ITEM_ANY || pattern->len == seen->len);
	if (pattern->code == ITEM_ANY ? seen->code == ALERT_CLOSE_NOTIFY : seen->code != pattern->code)
		return false;
	return level_fits(pattern->level, seen);
}

bool item_fits(const struct item *pattern, const struct item *seen)
{
	if (pattern->kind != seen->kind || pattern->keys != seen->keys)
		return false;
	if (seen->kind == ITEM_ALERT)
		return alert_fits(pattern, seen);
	if (seen->kind == ITEM_HANDSHAKE || seen->kind == ITEM_KEY_UPDATE)
		return pattern->code == ITEM_ANY || pattern->code == seen->code;
	return true;
}

bool item_is_error_alert(const struct item *it, bool v13)
{
	if (it->kind != ITEM_ALERT || it->malformed || it->code == ALERT_CLOSE_NOTIFY)
		return false;
	return v13 ? it->code != ALERT_USER_CANCELED : it->level == ALERT_FATAL;
}
