/* fuzz: what the fuzz targets share. A target is one LLVMFuzzerTestOneInput: it gives its subject the input, keeps nothing from one input
 * to the next, and asserts what the subject promises of any input at all. So it finds more than crashes: a printer and a reader that
 * differ, bytes that were lost, a fault without its place. It returns 0. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#undef NDEBUG
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "peer/bytes.h"
#include "peer/fault.h"
#include "peer/plain.h"
#include "runner/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerInitialize(int *argc, char ***argv);      /* of those that load something first; they run in the repository's folder */

/* The next byte of an input that is read as a list of things to do; 0 behind its end. */
static inline uint8_t fuzz_u8(struct bytes *in)
{
	uint8_t v = 0;

	bytes_u8(in, &v);
	return v;
}

static inline uint16_t fuzz_u16(struct bytes *in)
{
	uint16_t v = 0;

	bytes_u16(in, &v);
	return v;
}

/* At most n bytes off the front. */
static inline struct bytes fuzz_some(struct bytes *in, size_t n)
{
	struct bytes x;

	bytes_take(in, n < in->n ? n : in->n, &x);
	return x;
}

/* Text for people: each of its lines can be shown as it is. */
static inline void fuzz_is_plain(struct bytes text)
{
	while (text.n) {
		size_t n = *text.p == '\n' ? 1 : plain_length(text);

		assert(n);
		bytes_take(&text, n, &(struct bytes){ 0 });
	}
}

/* A fault says what is wrong, stands at a place that the text has, and is harmless when it is printed. */
static inline void fuzz_fault(const struct fault *f, const uint8_t *text, size_t n)
{
	char *shown = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&shown, &len);
	int lines = 1;

	assert(to && f->msg[0]);
	for (size_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	assert(f->line >= 0 && f->line <= lines);
	assert(f->line == 0 || (f->col >= 1 && (size_t)f->col <= n + 1));
	fault_print(to, f);
	assert(fclose(to) == 0);
	fuzz_is_plain((struct bytes){ (const uint8_t *)shown, len });
	free(shown);
}

/* Loads the rules of the repository, and reads a case of the target's own, which both last as long as the program. */
static inline void fuzz_case(struct requirements *reqs, struct script *s, const char *path, const char *text)
{
	struct fault f;

	if (!requirements_load(reqs, "cases/requirements", &f) || !script_parse(s, path, text, strlen(text), 0, reqs, &f)) {
		fault_print(stderr, &f);
		abort();
	}
}

static inline void fuzz_same(struct buf *a, struct buf *b)
{
	assert(bytes_equal(buf_bytes(a), buf_bytes(b)));
}

#endif
