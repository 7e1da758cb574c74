/* answer: what a call returned. */
#include "runner/answer.h"

#include <stdlib.h>
#include <string.h>

#include "peer/record.h"

struct answer answer_of(enum outcome o)
{
	return (struct answer){ .outcome = o, .sum = ITEM_ANY, .alert = ITEM_ANY };
}

void answer_free(struct answer *a)
{
	buf_free(&a->text);
	buf_free(&a->native);
	*a = (struct answer){ 0 };
}

static struct bytes take_word(struct bytes *in)
{
	size_t n = 0;
	struct bytes word;

	while (n < in->n && in->p[n] != ' ')
		n++;
	bytes_take(in, n, &word);
	while (in->n && in->p[0] == ' ')
		bytes_take(in, 1, &(struct bytes){ 0 });
	return word;
}

/* Adapters say only what an API can tell: what the runner observes, and the words that only cases have, are no answers. */
static bool may_answer(int o)
{
	return o >= 0 && o != OUTCOME_FAILS && o != OUTCOME_BLOCKED && o != OUTCOME_SPINS && o != OUTCOME_CRASH && o != OUTCOME_FULL;
}

bool answer_parse(struct bytes line, struct answer *a, const char **why)
{
	struct bytes word = take_word(&line);
	int o = outcome_find(word);

	*a = answer_of(OUTCOME_ERROR);
	*why = "its first word is no outcome";
	if (!may_answer(o))
		return false;
	a->outcome = (enum outcome)o;
	if (o == OUTCOME_DATA) {
		*why = "data without a whole text in quotes";
		if (!bytes_unquote(&line, &a->text))
			return false;
		a->len = (int64_t)a->text.n;
	}
	if (o == OUTCOME_ALERT) {
		*why = "alert without the name or number of one";
		a->alert = alert_code(take_word(&line));
		if (a->alert < 0)
			return false;
	}
	while (line.n && line.p[0] == ' ')
		bytes_take(&line, 1, &(struct bytes){ 0 });
	buf_add_bytes(&a->native, line);
	return true;
}

static bool printable(struct bytes t)
{
	return t.n <= ANSWER_TEXT_MAX;
}

void answer_print(struct buf *out, const struct answer *a)
{
	const char *name;

	if (a->sum > 0)
		buf_printf(out, "data %lld ", (long long)a->sum);
	buf_printf(out, "%s", outcome_word(a->outcome));
	switch (a->outcome) {
	case OUTCOME_DATA:
		buf_printf(out, " ");
		if (!a->only_len && printable(buf_bytes(&a->text)))
			buf_quote(out, buf_bytes(&a->text));
		else
			buf_printf(out, "%lld", (long long)a->len);
		break;
	case OUTCOME_ALERT:
		name = alert_name((unsigned)a->alert);
		if (name)
			buf_printf(out, " %s", name);
		else
			buf_printf(out, " %d", a->alert);
		break;
	case OUTCOME_CRASH:
		buf_printf(out, " %.*s", (int)a->text.n, (const char *)a->text.p);
		break;
	default:
		break;
	}
}

/* The next word outside of quotes; a text ends the word before it, as in `reason="..."`. */
static bool native_word(struct bytes *in, struct bytes *word)
{
	size_t n = 1;

	while (in->n) {
		struct buf skip = { 0 };
		bool passed = in->p[0] == ' ' ? bytes_take(in, 1, word) : bytes_unquote(in, &skip);

		buf_free(&skip);
		if (passed)
			continue;
		while (n < in->n && in->p[n] != ' ' && in->p[n] != '"')
			n++;
		return bytes_take(in, n, word);
	}
	return false;
}

static bool native_contains(struct bytes native, struct bytes asked)
{
	struct bytes word;

	while (native_word(&native, &word))
		if (bytes_equal(word, asked))
			return true;
	return false;
}

bool answer_native_has(const struct answer *a, struct bytes asked)
{
	while (asked.n)
		if (!native_contains(buf_bytes(&a->native), take_word(&asked)))
			return false;
	return true;
}
