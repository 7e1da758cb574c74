/* format: the table of forms, and what they share. */
#include "runner/format.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/lex.h"

const struct format *const formats[] = { &format_text, &format_tap, &format_junit, &format_github, &format_json, NULL };

const struct format *format_find(const char *word)
{
	for (size_t i = 0; formats[i]; i++)
		if (strcmp(formats[i]->word, word) == 0)
			return formats[i];
	return NULL;
}

void format_begin(struct formatting *g, const struct format *format, const struct format_about *about, struct buf *out)
{
	*g = (struct formatting){ .format = format, .about = *about };
	if (format->begin)
		format->begin(g, out);
}

void format_run(struct formatting *g, const json_t *run, const char *text, size_t len, struct buf *out)
{
	g->runs++;
	g->format->run(g, run, text, len, out);
}

void format_end(struct formatting *g, const struct format_last *last, struct buf *out)
{
	g->format->end(g, last, out);
	free(g->suite.name);
	buf_free(&g->suite.cases);
	*g = (struct formatting){ 0 };
}

bool format_file(const struct formatting *g, const json_t *run, const char *suffix, struct buf *path)
{
	size_t before = path->n;

	if (!g->about.dir)
		return false;
	buf_printf(path, "%s/", g->about.dir);
	if (run_stem(path, run)) {
		buf_printf(path, "%s", suffix);
		if (access(buf_str(path) + before, R_OK) == 0)
			return true;
	}
	path->n = before;
	return false;
}

bool format_trace(const struct formatting *g, const json_t *run, struct buf *out)
{
	struct buf path = { 0 };
	struct fault f;
	bool ok = format_file(g, run, ".trace", &path) && lex_file(buf_str(&path), out, &f);

	buf_free(&path);
	return ok;
}

void format_finding(struct buf *out, const json_t *finding)
{
	const char *says = run_text(finding, "says"), *native = run_text(finding, "native");

	if (run_text(finding, "requirement")[0])
		buf_printf(out, "rule      %s\n          [%s] %s%s, %s\n", says, run_text(finding, "requirement"),
		           run_text(finding, "level"),
		           run_flag(finding, "disputed") ? ", disputed" : run_flag(finding, "promised") ? ", promised by the manual" : "",
		           run_text(finding, "clause"));
	else
		buf_printf(out, "a step that the case builds on did not go as it says\n");
	buf_printf(out, "allowed   %s\nobserved  %s\n", run_text(finding, "allowed"), run_text(finding, "observed"));
	if (native[0])
		buf_printf(out, "native    %s\n", native);
}
