/* changes: what a session is beside what was expected of it. */
#include "runner/changes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "peer/plain.h"
#include "runner/linediff.h"
#include "runner/variants.h"

enum { CONTEXT = 2 };                           /* lines around a change */

struct change {
	json_t *run;                            /* the first that has it: what is shown around the change is its */
	struct buf lines;                       /* those that changed */
	bool other;                             /* from another version's traces */
	char **with; size_t nwith;
	bool *in;                               /* by number of variant */
	size_t n;
};

struct compared_with {
	char *of, *recorded;                    /* recorded: NULL if not known */
	char *implementation, *library;         /* as its runs tell */
	bool other;
	size_t same, changed, fresh, differs, known;
};

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* --- taking --- */

static struct compared_with *account(struct changes *c, const char *of)
{
	for (size_t i = 0; i < c->nwith; i++)
		if (strcmp(c->with[i].of, of) == 0)
			return &c->with[i];
	c->with = reallocarray(c->with, c->nwith + 1, sizeof(*c->with));
	assert(c->with);
	c->with[c->nwith] = (struct compared_with){ .of = strdup(of) };
	return &c->with[c->nwith++];
}

void changes_recorded(struct changes *c, const char *of, const char *recorded)
{
	struct compared_with *w = account(c, of);

	if (!w->recorded && recorded)
		w->recorded = strdup(recorded);
}

static unsigned variant_of(const json_t *run)
{
	unsigned v = 0;

	for (const struct word *w = selector_words; w->word; w++)
		if (strcmp(w->word, text(run, "role")) == 0 || strcmp(w->word, text(run, "tls")) == 0 || strcmp(w->word, text(run, "io")) == 0)
			v |= (unsigned)w->id;
	return v;
}

static void variant_add(struct change *g, const json_t *run)
{
	size_t value = 0;

	while (value < g->nwith && strcmp(g->with[value], text(run, "with")) != 0)
		value++;
	if (value == g->nwith) {
		g->with = reallocarray(g->with, g->nwith + 1, sizeof(*g->with));
		g->in = realloc(g->in, (g->nwith + 1) * VARIANTS);
		assert(g->with && g->in);
		memset(g->in + g->nwith * VARIANTS, 0, VARIANTS);
		g->with[g->nwith++] = strdup(text(run, "with"));
	}
	g->in[value * VARIANTS + variant_number(variant_of(run))] = true;
	g->n++;
}

/* What stands around a change differs with role and version, by the handshake alone; the change is one. */
static struct buf changed_lines(const char *diff)
{
	struct buf lines = { 0 };

	for (const char *line = diff; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (*line != ' ')
			buf_printf(&lines, "%.*s\n", (int)strcspn(line, "\n"), line);
	return lines;
}

static bool same_change(const struct change *g, const json_t *run, const struct buf *lines)
{
	return strcmp(text(g->run, "implementation"), text(run, "implementation")) == 0 && strcmp(text(g->run, "case"), text(run, "case")) == 0 &&
	       bytes_equal(buf_bytes(&g->lines), buf_bytes(lines));
}

static void change_add(struct changes *c, const json_t *run, bool other)
{
	struct buf lines = changed_lines(text(run, "diff"));
	struct change *g = NULL;

	/* The runs of one case come together. */
	for (size_t i = c->n; i-- > 0 && strcmp(text(c->list[i].run, "case"), text(run, "case")) == 0 && !g;)
		g = same_change(&c->list[i], run, &lines) ? &c->list[i] : NULL;
	if (!g) {
		c->list = reallocarray(c->list, c->n + 1, sizeof(*c->list));
		assert(c->list);
		g = &c->list[c->n++];
		*g = (struct change){ .run = json_incref((json_t *)run), .lines = lines, .other = other };
		lines = (struct buf){ 0 };
	}
	variant_add(g, run);
	buf_free(&lines);
}

/* Of the findings that make a run fail or inconclusive: are all of them known? */
static bool all_known(const json_t *run, size_t *known)
{
	const json_t *finding;
	bool all = true;
	size_t i;

	json_array_foreach(json_object_get(run, "findings"), i, finding) {
		bool weighs = strcmp(text(finding, "weight"), "fail") == 0 || strcmp(text(finding, "weight"), "inconclusive") == 0;

		if (json_is_true(json_object_get(finding, "known")))
			++*known;
		else
			all &= !weighs;
	}
	return all;
}

void changes_take(struct changes *c, const json_t *run)
{
	const char *how = text(run, "expected"), *verdict = text(run, "verdict");
	struct compared_with *w;
	size_t known = 0;
	bool all = all_known(run, &known);

	c->unexpected += (strcmp(verdict, "fail") == 0 || strcmp(verdict, "inconclusive") == 0) && !all;
	if (!how[0])
		return;
	w = account(c, text(run, "expected_of"));
	w->known += known;
	w->other = strcmp(how, "other") == 0;
	free(w->implementation);
	free(w->library);
	w->implementation = strdup(text(run, "implementation"));
	w->library = strdup(text(run, "library"));
	w->same += strcmp(how, "same") == 0 || (w->other && !text(run, "diff")[0]);
	w->fresh += strcmp(how, "new") == 0;
	w->differs += w->other && text(run, "diff")[0];
	if (strcmp(how, "changed") == 0) {
		w->changed++;
		c->changed++;
	}
	if (text(run, "diff")[0])
		change_add(c, run, w->other);
}

/* --- printing --- */

static const struct compared_with *account_of(const struct changes *c, const json_t *run)
{
	for (size_t i = 0; i < c->nwith; i++)
		if (strcmp(c->with[i].of, text(run, "expected_of")) == 0)
			return &c->with[i];
	return NULL;
}

static void put_since(FILE *out, const struct compared_with *w, const char *library)
{
	if (w && w->recorded && strcmp(w->recorded, library) == 0)
		fprintf(out, "recorded with this very version, ");
	else if (w && w->recorded) {
		fprintf(out, "recorded with ");
		plain_print(out, w->recorded);
		fprintf(out, ", now ");
	} else {
		fprintf(out, "now ");
	}
	plain_print(out, library);
}

/* Line by line, as a diff holds what an adapter said. */
static void put_diff(FILE *out, const char *diff, bool color)
{
	static const char *const colors[] = { "\033[31m", "\033[32m" };
	struct buf lines = { 0 };

	linediff_short(&lines, bytes_of(diff), CONTEXT);
	for (char *rest = (char *)buf_str(&lines), *line; (line = strsep(&rest, "\n")) && rest;) {
		bool marked = *line == '-' || *line == '+';

		fprintf(out, "    %s", color && marked ? colors[*line == '+'] : "");
		plain_print(out, line);
		fprintf(out, "%s\n", color && marked ? "\033[0m" : "");
	}
	buf_free(&lines);
}

static void put_variants(FILE *out, const struct change *g)
{
	const char *with_name = text(g->run, "with_name");
	struct buf lines = { 0 };
	const char *head = "  in        ";

	variants_print(&lines, "", g->in, with_name[0] ? with_name : NULL, g->with, g->nwith);
	for (char *rest = (char *)buf_str(&lines), *line; (line = strsep(&rest, "\n")) && rest;) {
		fprintf(out, "%s", head);
		plain_print(out, line + 1);
		fprintf(out, *rest ? "\n" : g->n > 1 ? "  (%zu runs)\n" : "\n", g->n);
		head = "            ";
	}
	buf_free(&lines);
}

static void put_change(const struct changes *c, FILE *out, const struct change *g, bool color)
{
	const json_t *run = g->run;

	fprintf(out, "%schanged%s  ", color ? "\033[31m" : "", color ? "\033[0m" : "");
	plain_print(out, text(run, "implementation"));
	fprintf(out, "  ");
	plain_print(out, text(run, "case"));
	fprintf(out, "\n  against   expected/%s/%s.trace: ", text(run, "expected_of"), text(run, "case"));
	put_since(out, account_of(c, run), text(run, "library"));
	fprintf(out, "\n");
	put_diff(out, text(run, "diff"), color);
	put_variants(out, g);
	fprintf(out, "  again     closedrill run '");
	plain_print(out, text(run, "command")[0] ? text(run, "command") : text(run, "implementation"));
	fprintf(out, "' -c %s --role %s --tls %s --io %s -o DIR --keep all\n\n", text(run, "case"), text(run, "role"), text(run, "tls"), text(run, "io"));
}

void changes_print(const struct changes *c, FILE *out, bool verbose, bool color)
{
	for (size_t i = 0; i < c->n; i++)
		if (!c->list[i].other || verbose)
			put_change(c, out, &c->list[i], color);
}

static void put_account(const struct compared_with *w, FILE *out)
{
	plain_print(out, w->implementation);
	if (w->other && w->differs)
		fprintf(out, ": %zu of %zu runs differ from", w->differs, w->differs + w->same);
	else if (w->changed)
		fprintf(out, ": %zu of %zu runs CHANGED since", w->changed, w->changed + w->same);
	else
		fprintf(out, ": nothing changed: %zu runs as in", w->same);
	fprintf(out, " expected/%s (", w->of);
	put_since(out, w, w->library);
	fprintf(out, ")");
	if (w->other)
		fprintf(out, ", the nearest version that is recorded; -v shows them");
	if (w->fresh)
		fprintf(out, "; %zu new", w->fresh);
	if (w->known)
		fprintf(out, "; %zu known deviations (-v lists them)", w->known);
	fprintf(out, "\n");
}

void changes_totals(const struct changes *c, FILE *out)
{
	for (size_t i = 0; i < c->nwith; i++)
		if (c->with[i].implementation)
			put_account(&c->with[i], out);
}

void changes_free(struct changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		json_decref(c->list[i].run);
		for (size_t k = 0; k < c->list[i].nwith; k++)
			free(c->list[i].with[k]);
		free(c->list[i].with);
		free(c->list[i].in);
		buf_free(&c->list[i].lines);
	}
	for (size_t i = 0; i < c->nwith; i++) {
		free(c->with[i].of);
		free(c->with[i].recorded);
		free(c->with[i].implementation);
		free(c->with[i].library);
	}
	free(c->list);
	free(c->with);
	*c = (struct changes){ 0 };
}
