/* intern: texts that are kept once. */
#include "runner/intern.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static uint32_t hash_of(struct bytes text)
{
	uint32_t h = 2166136261u;               /* FNV-1a */

	for (size_t i = 0; i < text.n; i++)
		h = (h ^ text.p[i]) * 16777619u;
	return h;
}

static bool is_row(const struct interned *row, uint32_t hash, struct bytes text)
{
	return row->hash == hash && strncmp(row->text, (const char *)text.p, text.n) == 0 && !row->text[text.n];
}

/* Where the text is, or would be. */
static struct interned *slot(struct interned *rows, size_t cap, uint32_t hash, struct bytes text)
{
	size_t i = hash & (cap - 1);

	while (rows[i].text && !is_row(&rows[i], hash, text))
		i = (i + 1) & (cap - 1);
	return &rows[i];
}

static void grow(struct intern *in)
{
	size_t cap = in->cap ? in->cap * 2 : 64;
	struct interned *rows = calloc(cap, sizeof(*rows));

	assert(rows);
	for (size_t i = 0; i < in->cap; i++)
		if (in->rows[i].text)
			*slot(rows, cap, in->rows[i].hash, bytes_of(in->rows[i].text)) = in->rows[i];
	free(in->rows);
	in->rows = rows;
	in->cap = cap;
}

const char *intern_bytes(struct intern *in, struct bytes text)
{
	const void *nul = text.n ? memchr(text.p, 0, text.n) : NULL;
	struct interned *row;
	uint32_t hash;

	text = text.p && text.n ? text : bytes_of("");
	if (nul)
		text.n = (size_t)((const uint8_t *)nul - text.p);
	hash = hash_of(text);
	if ((in->n + 1) * 2 > in->cap)
		grow(in);
	row = slot(in->rows, in->cap, hash, text);
	if (!row->text) {
		*row = (struct interned){ bytes_dup(text), hash };
		in->n++;
	}
	return row->text;
}

const char *intern_text(struct intern *in, const char *text)
{
	return text ? intern_bytes(in, bytes_of(text)) : NULL;
}

void intern_free(struct intern *in)
{
	for (size_t i = 0; i < in->cap; i++)
		free(in->rows[i].text);
	free(in->rows);
	*in = (struct intern){ 0 };
}
