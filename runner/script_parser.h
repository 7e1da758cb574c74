/* script_parser: what the parts of the script's parser share: the state, the tokens of a line, and what each part gives the others. Only
 * for script.c (the file, its header lines), script_steps.c (what is done) and script_allowed.c (what is allowed). */
#ifndef RUNNER_SCRIPT_PARSER_H
#define RUNNER_SCRIPT_PARSER_H

#include "runner/lex.h"
#include "runner/script.h"

enum { NUMBER_MAX = 1 << 30, LIST_MAX = 64 };

struct parser {
	struct script *s;
	const struct requirements *reqs;
	struct fault *f;
	const char *file;
	size_t with;                            /* which value stands for $K */
	struct where with_at;
	bool with_used;
	struct buf prose;
	bool prose_ended;
	unsigned given;                         /* header lines so far, a bit for each row */
	struct token *t;                        /* of the line, END last */
	size_t nt, pos;
	int depth;                              /* of groups in a pattern */
};

/* --- script.c --- */

/* Room for one more row behind n of them: the array doubles. */
void *rows_more(void *rows, size_t n, size_t size);
/* The script takes the text over. */
struct bytes parser_keep(struct parser *p, struct buf *b);
/* The tokens from one up to another as written, with single spaces where the file has any. */
struct bytes parser_join(struct parser *p, const char *before, size_t from, size_t to);
/* Faults, with what is nearest in the table. All are false. */
bool parser_unknown(struct parser *p, const struct token *t, const char *what, const struct word *table);
bool parser_requirement_unknown(struct parser *p, const struct token *t);
bool parser_line_unknown(struct parser *p, const struct token *t);

/* --- script_steps.c --- */

/* The line whose tokens are loaded. */
bool parser_step(struct parser *p);
bool parser_string(struct parser *p, struct bytes *text);
bool parser_alert(struct parser *p, int *code);
bool parser_alert_unknown(struct parser *p, const struct token *t);

/* --- script_allowed.c --- */

/* What may stand behind the words of a step. */
bool parser_tail(struct parser *p, struct step *st);
bool parser_also(struct parser *p, const struct token *also, unsigned only);

/* --- the tokens of the line --- */

static inline const struct token *peek(const struct parser *p)
{
	return &p->t[p->pos];
}

static inline const struct token *take(struct parser *p)
{
	const struct token *t = peek(p);

	if (t->kind != TOKEN_END)
		p->pos++;
	return t;
}

static inline bool accept(struct parser *p, const char *text)
{
	if (!token_is(peek(p), text))
		return false;
	p->pos++;
	return true;
}

static inline bool at_word(const struct parser *p)
{
	return peek(p)->kind == TOKEN_WORD;
}

static inline bool at_end(const struct parser *p)
{
	return peek(p)->kind == TOKEN_END;
}

/* The place from one token up to another, which is not in it. */
static inline struct where span(const struct parser *p, size_t from, size_t to)
{
	struct where at = p->t[from].at;

	if (to > from)
		at.width = p->t[to - 1].at.col + p->t[to - 1].at.width - at.col;
	return at;
}

static inline bool expected(struct parser *p, const char *what)
{
	const struct token *t = peek(p);

	return fault_set(p->f, &t->at, "%s here: %s", t->kind == TOKEN_END ? "missing" : "expected", what);
}

static inline bool too_much(struct parser *p)
{
	const struct token *t = peek(p);

	return fault_set(p->f, &t->at, "`%.*s` cannot stand here", (int)t->text.n, (const char *)t->text.p);
}

/* Does the token touch the one before it? */
static inline bool touches(const struct parser *p, size_t i)
{
	return i > 0 && p->t[i].at.col == p->t[i - 1].at.col + p->t[i - 1].at.width;
}

static inline bool end(struct parser *p)
{
	return at_end(p) || too_much(p);
}

static inline bool alive(unsigned variants)
{
	return (variants & FOR_ROLES) && (variants & FOR_TLS) && (variants & FOR_IO);
}

#endif
