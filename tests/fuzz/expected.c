/* An expected trace: the one text of its values, whatever was written first; and each variant stands in one block at most. */
#include "runner/expected.h"

#include "runner/variants.h"
#include "tests/fuzz/fuzz.h"

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
		assert(x->blocks[k].trace.n);
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
