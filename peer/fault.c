/* fault: something wrong in a file that we read, with its place. */
#include "peer/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "peer/plain.h"

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

bool fault_set(struct fault *f, const struct where *at, const char *fmt, ...)
{
	const char *source = at->source ? at->source : "";
	size_t len = min(strcspn(source, "\n"), sizeof(f->source) - 1);
	va_list ap;

	*f = (struct fault){ .line = at->line, .col = at->col, .width = at->width };
	snprintf(f->file, sizeof(f->file), "%s", at->file ? at->file : "");
	memcpy(f->source, source, len);
	va_start(ap, fmt);
	vsnprintf(f->msg, sizeof(f->msg), fmt, ap);
	va_end(ap);
	return false;
}

bool fault_machine(struct fault *f, const char *fmt, ...)
{
	int error = errno;
	va_list ap;
	size_t n;

	*f = (struct fault){ 0 };
	va_start(ap, fmt);
	vsnprintf(f->msg, sizeof(f->msg), fmt, ap);
	va_end(ap);
	n = strlen(f->msg);
	if (n > 0 && f->msg[n - 1] == ':')
		snprintf(f->msg + n, sizeof(f->msg) - n, " %s%s", strerror(error),
		         error == EMFILE ? "; raise the limit (ulimit -n 1024)" : "");
	return false;
}

/* As many marks as the bytes from..end of the source take columns on the screen: a character is one, what is shown as \xNN four. */
static void put_columns(struct buf *out, struct bytes source, size_t from, size_t end, char mark)
{
	size_t n;

	for (size_t i = 0; i < min(end, source.n); i += n ? n : 1) {
		n = plain_length((struct bytes){ source.p + i, source.n - i });
		if (i >= from)
			for (int k = 0; k < (n ? 1 : 4); k++)
				/* Tabs stay tabs: the caret lines up. */
				buf_u8(out, (unsigned char)(source.p[i] == '\t' && mark == ' ' ? '\t' : mark));
	}
}

static void print_caret(FILE *to, const struct fault *f)
{
	struct bytes source = bytes_of(f->source);
	size_t start = f->col > 0 ? (size_t)f->col - 1 : 0, caret;
	struct buf marks = { 0 };

	if (start > source.n)
		return;         /* the line was too long to copy so far */
	put_columns(&marks, source, 0, start, ' ');
	caret = marks.n;
	put_columns(&marks, source, start, start + (size_t)(f->width > 1 ? f->width : 1), '~');
	if (marks.n == caret)
		buf_u8(&marks, '~');
	marks.p[caret] = '^';
	fprintf(to, "  %s\n", buf_str(&marks));
	buf_free(&marks);
}

static void print_line(FILE *to, const char *text)
{
	plain_print(to, text);
	putc('\n', to);
}

void fault_print(FILE *to, const struct fault *f)
{
	if (f->line == 0) {
		print_line(to, f->msg);
		return;
	}
	plain_print(to, f->file);
	fprintf(to, ":%d:%d: ", f->line, f->col);
	print_line(to, f->msg);
	if (!*f->source)
		return;         /* an empty line, or the end of the file: nothing to point at */
	fputs("  ", to);
	print_line(to, f->source);
	print_caret(to, f);
}

enum { WORD_MAX = 64 };

/* Levenshtein's distance; b is shorter than WORD_MAX. One row of the table is kept. */
static size_t distance(const char *a, const char *b)
{
	size_t nb = strlen(b), row[WORD_MAX];

	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < nb; j++) {
			size_t above = row[j + 1];

			row[j + 1] = min(min(above, row[j]) + 1, diagonal + (a[i] != b[j]));
			diagonal = above;
		}
	}
	return row[nb];
}

const char *fault_nearest(const char *w, const char *const *words, size_t n)
{
	size_t len = strlen(w), best = (len + 2) / 3 + 1;      /* farther than this is a guess, not a slip */
	const char *nearest = NULL;

	if (len >= WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t d = distance(words[i], w);

		if (d < best && d < len) {
			best = d;
			nearest = words[i];
		}
	}
	return nearest;
}
