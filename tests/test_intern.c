/* Texts that are kept once: equal texts have one pointer, others have others, however many there are. */
#include "runner/intern.h"

#include <stdio.h>

#include "tests/check_rows.h"

static const struct { const char *name, *a, *b; bool same; } pairs[] = {
	{ "equal", "read", "read", true },
	{ "empty", "", "", true },
	{ "one is the other's beginning", "read", "rea", false },
	{ "empty and not", "", "x", false },
	{ "case counts", "Read", "read", false },
	{ "no UTF-8", "\xff\xfe", "\xff\xfe", true },
};

START_TEST(pair_row)
{
	struct intern in = { 0 };
	const char *a = intern_text(&in, pairs[_i].a), *b = intern_text(&in, pairs[_i].b);

	ck_assert_msg((a == b) == pairs[_i].same, "%s", pairs[_i].name);
	ck_assert_str_eq(a, pairs[_i].a);
	ck_assert_str_eq(b, pairs[_i].b);
	ck_assert_uint_eq(in.n, pairs[_i].same ? 1 : 2);
	intern_free(&in);
	intern_free(&in);
}
END_TEST

START_TEST(slices)
{
	struct intern in = { 0 };
	struct bytes whole = exact(bytes_of("closed")), nul = exact((struct bytes){ (const uint8_t *)"cl\0sed", 6 });

	ck_assert_ptr_eq(intern_bytes(&in, (struct bytes){ whole.p, 2 }), intern_text(&in, "cl"));
	ck_assert_ptr_eq(intern_bytes(&in, nul), intern_text(&in, "cl"));
	ck_assert_ptr_eq(intern_bytes(&in, (struct bytes){ 0 }), intern_text(&in, ""));
	ck_assert_ptr_eq(intern_bytes(&in, whole), intern_text(&in, "closed"));
	ck_assert_ptr_null(intern_text(&in, NULL));
	free((void *)whole.p);
	free((void *)nul.p);
	intern_free(&in);
}
END_TEST

START_TEST(many)
{
	struct intern in = { 0 };
	const char *first[5000];
	char text[32];

	for (int i = 0; i < 5000; i++) {
		snprintf(text, sizeof(text), "text %d", i);
		first[i] = intern_text(&in, text);
	}
	ck_assert_uint_eq(in.n, 5000);
	for (int i = 0; i < 5000; i++) {
		snprintf(text, sizeof(text), "text %d", i);
		ck_assert_ptr_eq(intern_text(&in, text), first[i]);
		ck_assert_str_eq(first[i], text);
	}
	intern_free(&in);
}
END_TEST

ROWS_MAIN("intern", { pair_row, countof(pairs) }, { slices, 1 }, { many, 1 })
