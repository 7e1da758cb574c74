/* lex: a text file as lines, and lines as tokens with their places. Pure but for lex_file; whatever it returns points into the
 * text, which ends with a NUL and has to outlive it. */
#ifndef RUNNER_LEX_H
#define RUNNER_LEX_H

#include "peer/bytes.h"
#include "peer/fault.h"

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_STRING, TOKEN_PUNCT };

struct token {
	enum token_kind kind;
	struct bytes text;              /* as written: a string with its quotes; PUNCT: `->` or one of ( ) | ? & + [ ] */
	struct where at;                /* END: the place behind the last token */
};

struct lines { const char *file; struct bytes rest; int line; };       /* line: the number of the one taken last */
struct line { const char *file; int number; struct bytes text, rest; };        /* rest: what no token was taken from yet */

struct lines lines_of(const char *file, const char *text, size_t n);
bool lines_next(struct lines *in, struct line *ln);            /* false: no more */

/* The next token, END at the line's end or its comment. False, with *f told, for a string without end or a byte that is no text (a
 * string may hold a tab and no other control character). */
bool line_token(struct line *ln, struct token *t, struct fault *f);
/* What is left as it stands, without the spaces around it and without the comment. */
struct bytes line_rest(struct line *ln);
bool line_blank(const struct line *ln);                 /* nothing left but spaces */
bool line_comment(const struct line *ln, struct bytes *text);  /* a line that only holds a comment: its text, without `# ` */
struct where line_where(const struct line *ln, struct bytes part);

bool token_is(const struct token *t, const char *text);        /* a word or punctuation of this text; never a string */
/* Decimal digits, with `-` in front if low < 0, within low..high. */
bool number_parse(struct bytes text, int64_t low, int64_t high, int64_t *v);

/* A whole file of at most max bytes, NUL behind it, which is not counted. False: the machine's reason in *f.
 * lex_file: as large as a text of ours can be. */
bool file_load(const char *path, size_t max, struct buf *out, struct fault *f);
bool lex_file(const char *path, struct buf *out, struct fault *f);

/* "did you mean" for one word: ends `msg` with the nearest of the words, or not. */
bool fault_unknown(struct fault *f, const struct where *at, struct bytes word, const char *what, const char *const *words, size_t n);

#endif
