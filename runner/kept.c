/* kept: the files of runs, looked up. */
#include "runner/kept.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runner/lex.h"
#include "runner/variants.h"

static const size_t trace_max = (size_t)1 << 24;

void kept_stem(struct buf *out, unsigned variant, struct bytes with_name, struct bytes with)
{
	buf_printf(out, "%s-%s-%s", variant_role(variant), variant_tls(variant), variant_io(variant));
	if (with_name.n)
		buf_printf(out, "-%.*s=%.*s", (int)with_name.n, (const char *)with_name.p, (int)with.n, (const char *)with.p);
}

static bool is_there(const char *folder, const char *stem, const char *end)
{
	struct buf path = { 0 };
	bool there;

	buf_printf(&path, "%s/%s%s", folder, stem, end);
	there = !strchr(stem, '/') && access(buf_str(&path), R_OK) == 0;
	buf_free(&path);
	return there;
}

struct kept kept_find(const char *folder, const char *stem)
{
	return (struct kept){ is_there(folder, stem, ".trace"), is_there(folder, stem, ".pcapng"), is_there(folder, stem, ".svg") };
}

static void drop_comments(struct buf *b)
{
	size_t n = 0;

	while (n < b->n && (b->p[n] == '#' || b->p[n] == '\n')) {
		const uint8_t *end = memchr(b->p + n, '\n', b->n - n);

		n = end ? (size_t)(end - b->p) + 1 : b->n;
	}
	buf_drop(b, n);
}

bool kept_trace(const char *folder, const char *stem, struct buf *out)
{
	struct buf path = { 0 }, text = { 0 };
	struct fault f;
	bool ok;

	buf_printf(&path, "%s/%s.trace", folder, stem);
	ok = !strchr(stem, '/') && file_load(buf_str(&path), trace_max, &text, &f);
	if (ok) {
		drop_comments(&text);
		buf_add_bytes(out, buf_bytes(&text));
	}
	buf_free(&path);
	buf_free(&text);
	return ok;
}

/* --- one of all variants --------------------------------------------------------------------------------------------- */

/* Up to the byte, which is taken as well, or all. */
static struct bytes take_to(struct bytes *in, uint8_t byte)
{
	const uint8_t *end = in->n ? memchr(in->p, byte, in->n) : NULL;
	struct bytes part = { in->p, end ? (size_t)(end - in->p) : in->n };

	bytes_take(in, part.n + (end != NULL), &(struct bytes){ 0 });
	return part;
}

static bool one_of(struct bytes list, struct bytes word)
{
	while (list.n)
		if (bytes_equal(take_to(&list, '|'), word))
			return true;
	return false;
}

static bool starts(struct bytes line, const char *word)
{
	return line.n >= strlen(word) && memcmp(line.p, word, strlen(word)) == 0;
}

/* line: behind `variants `. */
static bool names_variant(struct bytes line, unsigned variant, struct bytes with_name, struct bytes with)
{
	if (!one_of(take_to(&line, ' '), bytes_of(variant_role(variant))) || !one_of(take_to(&line, ' '), bytes_of(variant_tls(variant))) ||
	    !one_of(take_to(&line, ' '), bytes_of(variant_io(variant))))
		return false;
	return !with_name.n || (bytes_equal(take_to(&line, '='), with_name) && one_of(line, with));
}

struct bytes kept_block(struct bytes text, unsigned variant, struct bytes with_name, struct bytes with)
{
	static const char head[] = "variants ";
	const uint8_t *begin = NULL;
	bool ours = false;

	while (text.n) {
		struct bytes line = take_to(&text, '\n'), rest = line;

		if (starts(line, head)) {
			bytes_take(&rest, strlen(head), &(struct bytes){ 0 });
			ours |= names_variant(rest, variant, with_name, with);
		} else if (!line.n && begin) {
			return (struct bytes){ begin, (size_t)(line.p - begin) };
		} else if (ours && !begin && !starts(line, "deviation ") && !starts(line, "inconclusive")) {
			begin = line.p;
		}
	}
	return (struct bytes){ 0 };
}
