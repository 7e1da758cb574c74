/* changes: what a session is beside what was expected of it. */
#include "runner/changes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "runner/linediff.h"

enum { CONTEXT = 2 };                           /* lines around a change */

struct change {
	json_t *run;                            /* the first that has it: what is shown around the change is its */
	struct buf lines;                       /* those that changed */
	bool other;                             /* from another version's traces */
	struct variant_list in;
};

struct compared_with {
	char *of, *recorded;                    /* recorded: NULL if not known */
	char *implementation, *library;         /* as its runs tell */
	bool other;
	size_t same, changed, fresh, differs, known;
};

/* --- taking --- */

static struct compared_with *account(struct changes *c, const char *of)
{
	for (size_t i = 0; i < c->nwith; i++)
		if (strcmp(c->with[i].of, of) == 0)
			return &c->with[i];
	c->with = reallocarray(c->with, c->nwith + 1, sizeof(*c->with));
	assert(c->with);
	c->with[c->nwith] = (struct compared_with){ .of = text_dup(of) };
	return &c->with[c->nwith++];
}

void changes_recorded(struct changes *c, const char *of, const char *recorded)
{
	struct compared_with *w = account(c, of);

	if (!w->recorded && recorded)
		w->recorded = text_dup(recorded);
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
	return strcmp(run_text(g->run, "implementation"), run_text(run, "implementation")) == 0 &&
		strcmp(run_text(g->run, "case"), run_text(run, "case")) == 0 &&
	       bytes_equal(buf_bytes(&g->lines), buf_bytes(lines));
}

static void change_add(struct changes *c, const json_t *run, bool other)
{
	struct buf lines = changed_lines(run_text(run, "diff"));
	struct change *g = NULL;

	/* The runs of one case come together. */
	for (size_t i = c->n; i-- > 0 && strcmp(run_text(c->list[i].run, "case"), run_text(run, "case")) == 0 && !g;)
		g = same_change(&c->list[i], run, &lines) ? &c->list[i] : NULL;
	if (!g) {
		c->list = reallocarray(c->list, c->n + 1, sizeof(*c->list));
		assert(c->list);
		g = &c->list[c->n++];
		*g = (struct change){ .run = json_incref((json_t *)run), .lines = lines, .other = other };
		lines = (struct buf){ 0 };
	}
	variant_list_add_run(&g->in, run);
	buf_free(&lines);
}

static size_t known_findings(const json_t *run)
{
	const json_t *finding;
	size_t i, n = 0;

	json_array_foreach(json_object_get(run, "findings"), i, finding)
		n += run_flag(finding, "known");
	return n;
}

void changes_take(struct changes *c, const json_t *run)
{
	const char *how = run_text(run, "expected");
	struct compared_with *w;

	if (!how[0])
		return;
	w = account(c, run_text(run, "expected_of"));
	w->known += known_findings(run);
	w->other = strcmp(how, "other") == 0;
	free(w->implementation);
	free(w->library);
	w->implementation = text_dup(run_text(run, "implementation"));
	w->library = text_dup(run_text(run, "library"));
	w->same += strcmp(how, "same") == 0 || (w->other && !run_text(run, "diff")[0]);
	w->fresh += strcmp(how, "new") == 0;
	w->differs += w->other && run_text(run, "diff")[0];
	w->changed += strcmp(how, "changed") == 0;
	if (run_text(run, "diff")[0])
		change_add(c, run, w->other);
}

/* --- printing --- */

static const struct compared_with *account_of(const struct changes *c, const json_t *run)
{
	for (size_t i = 0; i < c->nwith; i++)
		if (strcmp(c->with[i].of, run_text(run, "expected_of")) == 0)
			return &c->with[i];
	return NULL;
}

static void put_since(struct buf *out, const struct compared_with *w, const char *library)
{
	if (w && w->recorded && strcmp(w->recorded, library) == 0)
		buf_printf(out, "recorded with this very version, ");
	else if (w && w->recorded)
		buf_printf(out, "recorded with %s, now ", w->recorded);
	else
		buf_printf(out, "now ");
	buf_printf(out, "%s", library);
}

static void put_diff(struct buf *out, const char *diff, bool color)
{
	static const char *const colors[] = { "\033[31m", "\033[32m" };
	struct buf lines = { 0 };

	linediff_short(&lines, bytes_of(diff), CONTEXT);
	for (char *rest = (char *)buf_str(&lines), *line; (line = strsep(&rest, "\n")) && rest;) {
		bool marked = *line == '-' || *line == '+';

		buf_printf(out, "    %s%s%s\n", color && marked ? colors[*line == '+'] : "", line, color && marked ? "\033[0m" : "");
	}
	buf_free(&lines);
}

static void put_change(const struct changes *c, struct buf *out, const struct change *g, bool color)
{
	const json_t *run = g->run;

	buf_printf(out, "%schanged%s  %s  %s\n", color ? "\033[31m" : "", color ? "\033[0m" : "", run_text(run, "implementation"),
	           run_text(run, "case"));
	buf_printf(out, "  against   expected/%s/%s.trace: ", run_text(run, "expected_of"), run_text(run, "case"));
	put_since(out, account_of(c, run), run_text(run, "library"));
	buf_printf(out, "\n");
	put_diff(out, run_text(run, "diff"), color);
	buf_printf(out, "  in        ");
	variant_list_print(out, &g->in, "            ");
	buf_printf(out, "\n  again     ");
	run_again(out, run);
	buf_printf(out, " -o DIR --keep all\n\n");
}

void changes_print(const struct changes *c, struct buf *out, bool verbose, bool color)
{
	for (size_t i = 0; i < c->n; i++)
		if (!c->list[i].other || verbose)
			put_change(c, out, &c->list[i], color);
}

static void put_account(const struct compared_with *w, struct buf *out)
{
	buf_printf(out, "%s", w->implementation);
	if (w->other && w->differs)
		buf_printf(out, ": %zu of %zu runs differ from", w->differs, w->differs + w->same);
	else if (w->changed)
		buf_printf(out, ": %zu of %zu runs CHANGED since", w->changed, w->changed + w->same);
	else
		buf_printf(out, ": nothing changed: %zu runs as in", w->same);
	buf_printf(out, " expected/%s (", w->of);
	put_since(out, w, w->library);
	buf_printf(out, ")");
	if (w->other)
		buf_printf(out, ", the nearest version that is recorded; -v shows them");
	if (w->fresh)
		buf_printf(out, "; %zu new", w->fresh);
	if (w->known)
		buf_printf(out, "; %zu known deviations (-v lists them)", w->known);
	buf_printf(out, "\n");
}

void changes_totals(const struct changes *c, struct buf *out)
{
	for (size_t i = 0; i < c->nwith; i++)
		if (c->with[i].implementation)
			put_account(&c->with[i], out);
}

void changes_free(struct changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		json_decref(c->list[i].run);
		variant_list_free(&c->list[i].in);
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
