/* variant_list: the variants that some runs were of. */
#include "runner/variant_list.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "runner/variants.h"

enum { LINE_COLUMNS = 90 };

static char *copy_of(const char *text)
{
	return text_dup(text ? text : "");
}

void variant_list_add(struct variant_list *v, unsigned bits, const char *with_name, const char *with)
{
	v->rows = reallocarray(v->rows, v->n + 1, sizeof(*v->rows));
	assert(v->rows && bits);
	v->rows[v->n++] = (struct variant){ bits, copy_of(with) };
	if (!v->with_name)
		v->with_name = copy_of(with_name);
}

void variant_list_add_run(struct variant_list *v, const json_t *run)
{
	variant_list_add(v, run_bits(run), run_text(run, "with_name"), run_text(run, "with"));
}

void variant_list_free(struct variant_list *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->rows[i].with);
	free(v->rows);
	free(v->with_name);
	*v = (struct variant_list){ 0 };
}

/* The number of the value among those that came; a new one is put behind them. */
static size_t value_of(char **values, size_t *n, char *value)
{
	for (size_t i = 0; i < *n; i++)
		if (strcmp(values[i], value) == 0)
			return i;
	values[*n] = value;
	return (*n)++;
}

/* A line for each product. */
static void products(struct buf *out, const struct variant_list *v)
{
	char **values = calloc(v->n + 1, sizeof(*values));
	bool *in = calloc(v->n + 1, VARIANTS);
	size_t n = 0;

	assert(values && in);
	for (size_t i = 0; i < v->n; i++)
		in[value_of(values, &n, v->rows[i].with) * VARIANTS + variant_number(v->rows[i].bits)] = true;
	if (v->n)
		variants_print(out, "", in, v->with_name[0] ? v->with_name : NULL, values, n);
	free(values);
	free(in);
}

/* indent NULL: all in one line. */
static void put_products(struct buf *out, const struct variant_list *v, const char *indent)
{
	struct buf lines = { 0 };
	size_t line = out->n;
	const char *separator = "";

	products(&lines, v);
	/* Each begins with a blank. */
	for (char *rest = (char *)buf_str(&lines), *one; (one = strsep(&rest, "\n")) && rest;) {
		buf_printf(out, "%s", separator);
		if (indent && out->n - line + strlen(one) > LINE_COLUMNS && out->n > line) {
			buf_printf(out, "\n%s", indent);
			line = out->n;
		} else if (*separator) {
			buf_u8(out, ' ');
		}
		buf_printf(out, "%s", one + 1);
		separator = ",";
	}
	buf_free(&lines);
}

void variant_list_text(struct buf *out, const struct variant_list *v)
{
	put_products(out, v, NULL);
}

void variant_list_print(struct buf *out, const struct variant_list *v, const char *indent)
{
	put_products(out, v, indent);
	if (v->n > 1)
		buf_printf(out, "  (%zu runs)", v->n);
}
