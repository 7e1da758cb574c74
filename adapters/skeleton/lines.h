/* lines: the adapter's end of the contract's text: lines come from standard input, answers go to standard output
 * (adapters/README.md). Not for libraries to call. */
#ifndef ADAPTERS_SKELETON_LINES_H
#define ADAPTERS_SKELETON_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define countof(a) (sizeof(a) / sizeof((a)[0]))

enum { READ_MAX = 16384 };              /* RFC 8446 5.1: one record's worth */

/* The next line, valid until the next call; NULL at the end of the input. One that does not fit, or holds a NUL, comes out as "". */
char *line_next(void);
bool line_pending(void);                /* more has been read than line_next has given */

/* The next word of a line, cut out of it; NULL when there is none. */
char *line_word(char **line);
/* A decimal number of at most max; false, and *n undefined: it is none. */
bool line_number(const char *word, size_t max, size_t *n);
/* A text in quotes. `to` has room for as many bytes as s has characters. False: it is not well formed. */
bool line_unquote(const char *s, uint8_t *to, size_t *n);

/* An answer is built word by word, and sent by one write(2). Two threads may answer: what more than one call of these makes goes between
 * begin and done, which nest. */
void line_begin(void);
void line_put(const char *word);        /* nothing, if it is empty or has no room */
void line_put_quoted(const uint8_t *p, size_t n);       /* at most READ_MAX bytes */
/* Adds both words to what was put, and sends it. Ends the process when the runner is gone. */
void line_answer(const char *word, const char *rest);
void line_done(void);

/* One byte as it stands in a quoted text: 1 to 4 characters, no NUL behind them. Returns how many. */
size_t line_escape(char *to, uint8_t c);

#endif
