/* check_rows: what the test programs share: hex, exact copies, and a main for tests that run once per row. */
#ifndef TESTS_CHECK_ROWS_H
#define TESTS_CHECK_ROWS_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "peer/bytes.h"

/* Appends the bytes to *b; valid until it changes. The test fails if it is not hex. */
static inline struct bytes unhex(const char *hex, struct buf *b)
{
	size_t at = b->n;

	ck_assert_msg(bytes_unhex(bytes_of(hex), b), "not hex: %.40s", hex);
	return (struct bytes){ b->p + at, b->n - at };
}

/* A copy with nothing behind it, so that a sanitizer sees a reader that goes too far. free() its p. */
static inline struct bytes exact(struct bytes x)
{
	uint8_t *p = malloc(x.n > 0 ? x.n : 1);

	ck_assert_ptr_nonnull(p);
	if (x.n > 0)
		memcpy(p, x.p, x.n);
	return (struct bytes){ p, x.n };
}

/* The row's name first, then both sides in hex where they differ. */
static inline void same_bytes(const char *name, struct bytes got, struct bytes want)
{
	struct buf b = { 0 };

	if (bytes_equal(got, want))
		return;
	buf_printf(&b, "%s: got %zu bytes:", name, got.n);
	for (size_t i = 0; i < got.n && i < 64; i++)
		buf_printf(&b, " %02x", got.p[i]);
	buf_printf(&b, "; want %zu:", want.n);
	for (size_t i = 0; i < want.n && i < 64; i++)
		buf_printf(&b, " %02x", want.p[i]);
	ck_abort_msg("%s", buf_str(&b));
}

struct rows { const TTest *test; size_t n; };           /* n runs, _i from 0; 1 for a test without rows */

static inline int rows_run(const char *name, const struct rows *rows, size_t n)
{
	Suite *suite = suite_create(name);
	SRunner *runner = srunner_create(suite);
	int failed;

	for (size_t i = 0; i < n; i++) {
		TCase *tc = tcase_create(rows[i].test->name);

		tcase_set_timeout(tc, 300);             /* for one that hangs; also a loaded machine and a slow tool come to an end before */
		tcase_add_loop_test(tc, rows[i].test, 0, (int)rows[i].n);
		suite_add_tcase(suite, tc);
	}
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

/* ROWS_MAIN("record", { record_row, countof(rows) }, { two_records, 1 }) */
#define ROWS_MAIN(name, ...) \
	int main(void) \
	{ \
		const struct rows all[] = { __VA_ARGS__ }; \
		return rows_run(name, all, countof(all)); \
	}

#endif
