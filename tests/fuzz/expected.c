/* An expected trace: the one text of its values, whatever was written first; each variant stands in one block at most, and a block has one
 * account, or, where its variants vary, several, which their bare texts tell apart. */
#include "runner/expected.h"

#include "runner/variants.h"
#include "tests/fuzz/fuzz.h"

static void accounts_apart(const struct block *b)
{
	struct buf bare = { 0 };
	const struct account *found;
	bool same;

	assert(b->varies ? b->n > 1 : b->n == 1);
	for (size_t i = 0; i < b->n; i++) {
		const struct account *a = &b->accounts[i];

		assert(a->trace.n);
		bare.n = 0;
		account_print(&bare, &a->deviations, buf_bytes(&a->trace), true);
		found = block_nearest(b, buf_bytes(&bare), &same);
		assert(same && found == a);
		for (size_t k = 0; k < a->deviations.n; k++)
			assert(block_breaks(b, a->deviations.list[k].requirement));
	}
	buf_free(&bare);
}

static void blocks_apart(const struct expected *x)
{
	for (size_t i = 0; i < x->nwith * VARIANTS; i++) {
		const struct block *b = expected_find(x, variant_of_number(i % VARIANTS), bytes_of(x->with[i / VARIANTS]));
		size_t in = 0;

		for (size_t k = 0; k < x->n; k++)
			in += x->blocks[k].in[i];
		assert(in <= 1 && !b == !in);
	}
	for (size_t k = 0; k < x->n; k++)
		accounts_apart(&x->blocks[k]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf text = { 0 }, again = { 0 };
	struct expected x, y;
	struct fault f;

	if (!expected_parse(&x, "a.trace", (const char *)data, n, NULL, &f)) {
		fuzz_fault(&f, data, n);
		assert(!x.n && !x.name);
		return 0;
	}
	blocks_apart(&x);
	expected_print(&text, &x);
	assert(expected_parse(&y, "printed", buf_str(&text), text.n, NULL, &f));
	expected_print(&again, &y);
	fuzz_same(&text, &again);
	expected_free(&x);
	expected_free(&y);
	buf_free(&text);
	buf_free(&again);
	return 0;
}
