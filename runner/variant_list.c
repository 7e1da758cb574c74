/* variant_list: the variants that some runs were of. */
#include "runner/variant_list.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES_MAX = 32, LINE_COLUMNS = 78 };

void variant_list_add(struct variant_list *v, const json_t *run)
{
	struct buf with = { 0 };

	if (run_text(run, "with_name")[0])
		buf_printf(&with, "%s=%s", run_text(run, "with_name"), run_text(run, "with"));
	v->rows = reallocarray(v->rows, v->n + 1, sizeof(*v->rows));
	assert(v->rows);
	v->rows[v->n++] = (struct variant){
		{ strdup(run_text(run, "role")), strdup(run_text(run, "tls")), strdup(run_text(run, "io")), strdup(buf_str(&with)) }
	};
	buf_free(&with);
}

void variant_list_free(struct variant_list *v)
{
	for (size_t i = 0; i < v->n; i++)
		for (int d = 0; d < DIMENSIONS; d++)
			free(v->rows[i].word[d]);
	free(v->rows);
	*v = (struct variant_list){ 0 };
}

/* The different values of one dimension, in the order of their coming. */
static size_t values_of(const struct variant_list *v, int dim, const char *values[VALUES_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++) {
		bool known = false;

		for (size_t k = 0; k < n; k++)
			known |= strcmp(values[k], v->rows[i].word[dim]) == 0;
		if (!known && n < VALUES_MAX)
			values[n++] = v->rows[i].word[dim];
	}
	return n;
}

static bool put_product(struct buf *out, const struct variant_list *v)
{
	const char *values[DIMENSIONS][VALUES_MAX];
	size_t n[DIMENSIONS], product = 1;

	for (int d = 0; d < DIMENSIONS; d++)
		product *= n[d] = values_of(v, d, values[d]);
	if (product != v->n)
		return false;
	for (int d = 0; d < DIMENSIONS; d++)
		for (size_t i = 0; i < n[d]; i++)
			buf_printf(out, "%s%s", i ? "|" : d && values[d][i][0] ? " " : "", values[d][i]);
	if (v->n > 1)
		buf_printf(out, "  (%zu runs)", v->n);
	return true;
}

void variant_list_print(struct buf *out, const struct variant_list *v, const char *indent)
{
	size_t line = out->n;

	if (put_product(out, v))
		return;
	for (size_t i = 0; i < v->n; i++) {
		char *const *word = v->rows[i].word;

		if (out->n - line > LINE_COLUMNS - 6) {
			buf_printf(out, "\n%s", indent);
			line = out->n;
		}
		buf_printf(out, "%s %s %s%s%s%s", word[0], word[1], word[2], word[3][0] ? " " : "", word[3], i + 1 < v->n ? ", " : "");
	}
}
