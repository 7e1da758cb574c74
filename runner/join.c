/* join: the traces of a case from two folders as one. */
#include "runner/join.h"

#include <unistd.h>

#include "runner/expected.h"
#include "runner/lex.h"
#include "runner/outfile.h"
#include "runner/variants.h"

static bool read_traces(struct expected *x, const char *path, const struct script *s, struct fault *f)
{
	struct buf text = { 0 };
	bool ok = lex_file(path, &text, f) && expected_parse(x, path, buf_str(&text), text.n, s, f);

	buf_free(&text);
	return ok;
}

static void add_block(struct expected *x, const struct expected *from, const struct block *b)
{
	struct buf body = { 0 };

	block_print(&body, b);
	for (size_t i = 0; i < from->nwith * VARIANTS; i++)
		if (b->in[i] && !expected_find(x, variant_of_number(i % VARIANTS), bytes_of(from->with[i / VARIANTS])))
			expected_add(x, variant_of_number(i % VARIANTS), bytes_of(from->with[i / VARIANTS]), buf_bytes(&body));
	buf_free(&body);
}

bool traces_join(const char *from, const char *to, const struct script *s, struct fault *f)
{
	struct expected x = { 0 }, more = { 0 };
	struct buf text = { 0 };
	bool ok = true;

	if (access(from, R_OK) != 0)
		return true;
	if (access(to, F_OK) == 0)
		ok = read_traces(&x, to, s, f);
	else
		expected_start(&x, s);
	ok = ok && read_traces(&more, from, s, f);
	for (size_t i = 0; ok && i < more.n; i++)
		add_block(&x, &more, &more.blocks[i]);
	if (ok) {
		expected_print(&text, &x);
		ok = outfile_put(to, buf_bytes(&text), f);
	}
	expected_free(&x);
	expected_free(&more);
	buf_free(&text);
	return ok;
}
