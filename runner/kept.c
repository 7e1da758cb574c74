/* kept: the files of runs, looked up. */
#include "runner/kept.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runner/lex.h"

static const size_t trace_max = (size_t)1 << 24;

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
