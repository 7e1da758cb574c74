/* linediff: two texts line by line. */
#include "runner/linediff.h"

#include <assert.h>
#include <stdlib.h>

#include "runner/lex.h"

static const size_t table_max = (size_t)1 << 24;

struct text { struct bytes *lines; size_t n; };

static struct text split(struct bytes x)
{
	struct lines in = lines_of("", (const char *)x.p, x.n);
	struct text t = { 0 };
	struct line ln;

	while (lines_next(&in, &ln)) {
		if (t.n % 64 == 0) {
			t.lines = reallocarray(t.lines, t.n + 64, sizeof(*t.lines));
			assert(t.lines);
		}
		t.lines[t.n++] = ln.text;
	}
	return t;
}

static void put(struct buf *out, char mark, struct bytes line)
{
	buf_u8(out, (unsigned)mark);
	buf_add_bytes(out, line);
	buf_u8(out, '\n');
}

static void put_all(struct buf *out, char mark, const struct bytes *lines, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put(out, mark, lines[i]);
}

/* What lies between the common beginning and the common end. common[i * (nb + 1) + k]: how long the longest is of a[i..], b[k..]. */
static void middle(struct buf *out, const struct bytes *a, size_t na, const struct bytes *b, size_t nb)
{
	size_t w = nb + 1, i = 0, k = 0;
	uint32_t *common = na && nb && na < table_max / w ? calloc((na + 1) * w, sizeof(*common)) : NULL;

	for (size_t y = na; common && y-- > 0;)
		for (size_t x = nb; x-- > 0;) {
			uint32_t down = common[(y + 1) * w + x], right = common[y * w + x + 1];

			common[y * w + x] = bytes_equal(a[y], b[x]) ? common[(y + 1) * w + x + 1] + 1 : down > right ? down : right;
		}
	while (common && i < na && k < nb) {
		if (bytes_equal(a[i], b[k])) {
			put(out, ' ', a[i++]);
			k++;
		} else if (common[(i + 1) * w + k] >= common[i * w + k + 1]) {
			put(out, '-', a[i++]);
		} else {
			put(out, '+', b[k++]);
		}
	}
	put_all(out, '-', a + i, na - i);
	put_all(out, '+', b + k, nb - k);
	free(common);
}

void linediff(struct buf *out, struct bytes before, struct bytes after)
{
	struct text a = split(before), b = split(after);
	size_t head = 0, tail = 0;

	while (head < a.n && head < b.n && bytes_equal(a.lines[head], b.lines[head]))
		head++;
	while (tail < a.n - head && tail < b.n - head && bytes_equal(a.lines[a.n - 1 - tail], b.lines[b.n - 1 - tail]))
		tail++;
	put_all(out, ' ', a.lines, head);
	middle(out, a.n ? a.lines + head : NULL, a.n - head - tail, b.n ? b.lines + head : NULL, b.n - head - tail);
	if (tail)
		put_all(out, ' ', a.lines + a.n - tail, tail);
	free(a.lines);
	free(b.lines);
}

static bool near_change(const struct text *t, size_t at, size_t context)
{
	size_t from = at > context ? at - context : 0;

	for (size_t i = from; i < t->n && i <= at + context; i++)
		if (t->lines[i].n && t->lines[i].p[0] != ' ')
			return true;
	return false;
}

void linediff_short(struct buf *out, struct bytes diff, size_t context)
{
	struct text t = split(diff);
	bool left_out = false;

	for (size_t i = 0; i < t.n; i++) {
		bool shown = near_change(&t, i, context);

		if (shown) {
			buf_add_bytes(out, t.lines[i]);
			buf_u8(out, '\n');
		} else if (!left_out) {
			buf_printf(out, " ...\n");
		}
		left_out = !shown;
	}
	free(t.lines);
}
