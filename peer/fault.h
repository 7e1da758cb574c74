/* fault: something wrong in a file that we read, with its place. Only main prints it. */
#ifndef PEER_FAULT_H
#define PEER_FAULT_H

#include <stdbool.h>
#include <stdio.h>

struct where { const char *file, *source; int line, col, width; };     /* source: that line, in the loaded file */

struct fault {                                          /* copies what it shows, so it outlives what it tells of */
	char file[256];
	int line, col, width;
	char source[160], msg[320];
};

/* Fills *f and returns false, so that a caller can: return fault_set(f, &at, "unknown step").
 * A place of zero lines means: no place in a file, only the message. */
bool fault_set(struct fault *f, const struct where *at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same for the machine: no place, and errno's text behind a message that ends in ':'. */
bool fault_machine(struct fault *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void fault_print(FILE *to, const struct fault *f);

/* The nearest of the n words to w by edit distance, for "did you mean"; NULL when none is near. */
const char *fault_nearest(const char *w, const char *const *words, size_t n);

#endif
