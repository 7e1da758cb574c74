/* What went over the wire, in words: items print and parse to the same, and a case that allows just what was printed is content with it.
 * The input is a line of words; where it begins with `->`, a pattern of a case on its first line, held against the words of the second. */
#include "runner/pattern.h"

#include "tests/fuzz/fuzz.h"

enum { WORDS_MAX = 200 };

struct items { struct item list[WORDS_MAX]; size_t n; };

/* Up to the first word that is no item. */
static void take_items(struct bytes text, struct items *out)
{
	struct bytes words[WORDS_MAX];
	size_t n = 0, bad = 0;
	int used = 1;

	while (text.n && n < WORDS_MAX) {
		const uint8_t *space = memchr(text.p, ' ', text.n);
		struct bytes word = fuzz_some(&text, space ? (size_t)(space - text.p) : text.n);

		fuzz_some(&text, 1);
		if (word.n)
			words[n++] = word;
	}
	out->n = 0;
	for (size_t at = 0; at < n && used > 0; at += (size_t)used) {
		used = item_parse(words + at, n - at, false, &out->list[out->n], &bad);
		assert(used <= (int)(n - at) && (used >= 0 || bad < n - at));
		out->n += used > 0;
		if (used <= 0)
			break;
	}
}

static bool read_pattern(struct bytes allowed, struct script *s)
{
	struct buf text = { 0 };
	struct fault f;
	bool ok;

	buf_printf(&text, "title t\ntls 1.3\nrole client\nhandshake\nwire iut -> ");
	buf_add_bytes(&text, allowed);
	ok = script_parse(s, "t/t.case", buf_str(&text), text.n, 0, NULL, &f);
	if (!ok)
		fuzz_fault(&f, text.p, text.n);
	buf_free(&text);
	return ok;
}

static const struct node *pattern_of(const struct script *s)
{
	return s->nsteps > 1 && s->steps[1].nchecks ? s->steps[1].checks[0].pattern : NULL;
}

/* Not every item may stand in a case: some are of no version, or of none that the case runs with. */
static void allowed_as_printed(const struct items *items)
{
	struct buf printed = { 0 };
	struct script s;

	items_print(&printed, items->list, items->n);
	if (read_pattern(buf_bytes(&printed), &s)) {
		assert(pattern_fits(pattern_of(&s), items->list, items->n));
		script_free(&s);
	}
	buf_free(&printed);
}

static void prints_as_it_parses(const struct items *items)
{
	for (size_t i = 0; i < items->n; i++) {
		struct buf text = { 0 }, again = { 0 };
		struct items one;

		item_print(&text, &items->list[i]);
		take_items(buf_bytes(&text), &one);
		assert(one.n == 1);
		item_print(&again, &one.list[0]);
		fuzz_same(&text, &again);
		buf_free(&text);
		buf_free(&again);
	}
}

static void against_pattern(struct bytes allowed, struct items *items)
{
	struct script s;

	if (!read_pattern(allowed, &s))
		return;
	pattern_fits(pattern_of(&s), items->list, items->n);
	assert(pattern_filter(pattern_of(&s), items->list, items->n) <= items->n);
	script_free(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct bytes in = { data, n };
	const uint8_t *end = n ? memchr(data, '\n', n) : NULL;
	struct bytes first = fuzz_some(&in, end ? (size_t)(end - data) : n);
	struct items items;

	fuzz_some(&in, 1);
	if (first.n > 2 && memcmp(first.p, "->", 2) == 0) {
		fuzz_some(&first, 2);
		take_items(in, &items);
		against_pattern(first, &items);
		return 0;
	}
	take_items(first, &items);
	prints_as_it_parses(&items);
	allowed_as_printed(&items);
	return 0;
}
