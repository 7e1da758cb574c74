/* lex: a text file as lines, and lines as tokens with their places. */
#include "runner/lex.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { FILE_MAX = 1 << 24, CHUNK = 65536 };            /* far more than any file of ours: a mistaken path shall not fill the memory */

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct bytes skip_spaces(struct bytes in)
{
	while (in.n > 0 && is_space(*in.p))
		in = (struct bytes){ in.p + 1, in.n - 1 };
	return in;
}

static bool starts(struct bytes in, const char *text)
{
	size_t n = strlen(text);

	return in.n >= n && memcmp(in.p, text, n) == 0;
}

struct lines lines_of(const char *file, const char *text, size_t n)
{
	return (struct lines){ file, { (const uint8_t *)text, n }, 0 };
}

bool lines_next(struct lines *in, struct line *ln)
{
	const uint8_t *end;
	size_t n;

	if (in->rest.n == 0)
		return false;
	end = memchr(in->rest.p, '\n', in->rest.n);
	n = end ? (size_t)(end - in->rest.p) : in->rest.n;
	in->line++;
	*ln = (struct line){ in->file, in->line, { in->rest.p, n }, { in->rest.p, n } };
	n += end != NULL;
	in->rest = (struct bytes){ in->rest.p + n, in->rest.n - n };
	return true;
}

struct where line_where(const struct line *ln, struct bytes part)
{
	return (struct where){ ln->file, (const char *)ln->text.p, ln->number, (int)(part.p - ln->text.p) + 1,
	                       part.n > 0 ? (int)part.n : 1 };
}

/* The string at the front, quotes included; 0 when it has no end. */
static size_t string_length(struct bytes in)
{
	for (size_t i = 1; i < in.n; i++) {
		if (in.p[i] == '\\')
			i++;
		else if (in.p[i] == '"')
			return i + 1;
	}
	return 0;
}

static size_t punct_length(struct bytes in)
{
	if (starts(in, "->"))
		return 2;
	return in.n > 0 && *in.p && strchr("()|?&+[]", *in.p) ? 1 : 0;
}

/* A `#` inside a word is a part of it. */
static size_t word_length(struct bytes in)
{
	size_t n = 0;

	while (n < in.n && in.p[n] > ' ' && in.p[n] != 0x7f && in.p[n] != '"' &&
	       !punct_length((struct bytes){ in.p + n, in.n - n }))
		n++;
	return n;
}

static bool take(struct line *ln, struct token *t, enum token_kind kind, size_t n)
{
	t->kind = kind;
	t->text = (struct bytes){ ln->rest.p, n };
	t->at = line_where(ln, t->text);
	ln->rest = (struct bytes){ ln->rest.p + n, ln->rest.n - n };
	return true;
}

/* The end stands right behind the last token, where the missing word would be. */
static bool take_end(struct line *ln, struct token *t)
{
	while (ln->rest.p > ln->text.p && is_space(ln->rest.p[-1]))
		ln->rest.p--;
	ln->rest.n = 0;
	return take(ln, t, TOKEN_END, 0);
}

static bool take_string(struct line *ln, struct token *t, struct fault *f)
{
	struct where at = line_where(ln, ln->rest);
	size_t n = string_length(ln->rest);

	if (!n)
		return fault_set(f, &at, "this string has no end");
	for (size_t i = 0; i < n; i++) {
		uint8_t c = ln->rest.p[i];

		at = line_where(ln, (struct bytes){ ln->rest.p + i, 1 });
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return fault_set(f, &at, "a byte 0x%02x that is no text; write \\x%02x", c, c);
	}
	return take(ln, t, TOKEN_STRING, n);
}

bool line_token(struct line *ln, struct token *t, struct fault *f)
{
	struct where at;
	size_t n;

	ln->rest = skip_spaces(ln->rest);
	if (ln->rest.n == 0 || *ln->rest.p == '#')
		return take_end(ln, t);
	if (*ln->rest.p == '"')
		return take_string(ln, t, f);
	n = punct_length(ln->rest);
	if (n > 0)
		return take(ln, t, TOKEN_PUNCT, n);
	n = word_length(ln->rest);
	if (n > 0)
		return take(ln, t, TOKEN_WORD, n);
	at = line_where(ln, (struct bytes){ ln->rest.p, 1 });
	return fault_set(f, &at, "a byte 0x%02x that is no text", *ln->rest.p);
}

struct bytes line_rest(struct line *ln)
{
	struct bytes out = skip_spaces(ln->rest);

	for (size_t i = 0; i < out.n; i++) {
		if (out.p[i] == '#' && (i == 0 || is_space(out.p[i - 1]))) {
			out.n = i;
			break;
		}
	}
	while (out.n > 0 && is_space(out.p[out.n - 1]))
		out.n--;
	ln->rest = (struct bytes){ out.p + out.n, 0 };
	return out;
}

bool line_blank(const struct line *ln)
{
	return skip_spaces(ln->rest).n == 0;
}

bool line_comment(const struct line *ln, struct bytes *text)
{
	struct bytes in = skip_spaces(ln->text);

	if (!starts(in, "#"))
		return false;
	in = (struct bytes){ in.p + 1, in.n - 1 };
	if (starts(in, " "))
		in = (struct bytes){ in.p + 1, in.n - 1 };
	while (in.n > 0 && is_space(in.p[in.n - 1]))
		in.n--;
	*text = in;
	return true;
}

bool token_is(const struct token *t, const char *text)
{
	return (t->kind == TOKEN_WORD || t->kind == TOKEN_PUNCT) && bytes_is(t->text, text);
}

bool number_parse(struct bytes text, int64_t low, int64_t high, int64_t *v)
{
	bool minus = low < 0 && starts(text, "-");
	int64_t n = 0;

	if (minus)
		text = (struct bytes){ text.p + 1, text.n - 1 };
	if (text.n == 0 || text.n > 15)         /* more cannot be meant, and cannot overflow */
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		n = n * 10 + (text.p[i] - '0');
	}
	*v = minus ? -n : n;
	return *v >= low && *v <= high;
}

static bool file_read(FILE *in, size_t max, struct buf *out)
{
	size_t n;

	do {
		n = fread(buf_grow(out, CHUNK), 1, CHUNK, in);
		out->n -= CHUNK - n;
		if (out->n > max) {
			errno = EFBIG;
			return false;
		}
	} while (n > 0);
	buf_str(out);
	return !ferror(in);
}

bool file_load(const char *path, size_t max, struct buf *out, struct fault *f)
{
	FILE *in = fopen(path, "rb");
	bool ok;

	if (!in)
		return fault_machine(f, "%s:", path);
	ok = file_read(in, max, out);
	if (!ok)
		fault_machine(f, "%s:", path);
	fclose(in);
	return ok;
}

bool lex_file(const char *path, struct buf *out, struct fault *f)
{
	return file_load(path, FILE_MAX, out, f);
}

/* NUL behind it; a word that is longer than any of ours has no neighbour anyway. */
static void copy_word(char *out, size_t size, struct bytes word)
{
	size_t n = word.n < size ? word.n : size - 1;

	if (n > 0)
		memcpy(out, word.p, n);
	out[n] = '\0';
}

bool fault_unknown(struct fault *f, const struct where *at, struct bytes word, const char *what, const char *const *words, size_t n)
{
	char copy[64];
	const char *near;

	copy_word(copy, sizeof(copy), word);
	near = fault_nearest(copy, words, n);
	if (near)
		return fault_set(f, at, "`%s` is no %s; did you mean `%s`?", copy, what, near);
	return fault_set(f, at, "`%s` is no %s", copy, what);
}
