/* intern: texts that are kept once. Two texts are equal if and only if their pointers are, so whoever holds many of them compares and
 * keeps pointers. Pure. */
#ifndef RUNNER_INTERN_H
#define RUNNER_INTERN_H

#include "peer/bytes.h"

struct intern {                                 /* owned: intern_free; a zeroed one is empty */
	struct interned { char *text; uint32_t hash; } *rows;
	size_t n, cap;                          /* cap: a power of two, at least twice n */
};

/* The text's one copy, with a NUL behind it; valid until intern_free. It ends at the first NUL within
 * the text, if there is one. */
const char *intern_bytes(struct intern *in, struct bytes text);
const char *intern_text(struct intern *in, const char *text);  /* NULL stays NULL */
void intern_free(struct intern *in);

#endif
