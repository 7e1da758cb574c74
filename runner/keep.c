/* keep: the files of a run. */
#include "runner/keep.h"

#include <unistd.h>

#include "runner/ladder.h"
#include "runner/outfile.h"
#include "runner/pcapfile.h"
#include "runner/trace.h"

static void trace_text(const struct evidence *e, const struct run_name *r, const struct judgement *j, struct buf *out)
{
	struct trace t;

	buf_printf(out, "# %s\n# %s: ", r->script->name, r->implementation);
	variant_print(out, r->variant, r->script, r->with);
	buf_printf(out, "\n# %s\n\n", verdict_word(j->verdict));
	trace_of(e, &t);
	trace_print(out, &t);
	trace_free(&t);
}

/* What an earlier session in the same folder left of this run would be taken for this one's. */
static void drop_files(struct buf *path)
{
	static const char *const ends[] = { ".trace", ".pcapng", ".svg" };
	size_t stem = path->n;

	for (size_t i = 0; i < countof(ends); i++) {
		path->n = stem;
		buf_printf(path, "%s", ends[i]);
		unlink(buf_str(path));
	}
	path->n = stem;
}

bool keep_files(const struct keeping *k, const struct evidence *e, const struct run_name *r, const struct judgement *j, struct fault *f)
{
	struct buf path = { 0 }, text = { 0 }, comment = { 0 };
	size_t stem;
	bool ok;

	if (!k->out_dir)
		return true;
	buf_printf(&path, "%s/%s/%s/", k->out_dir, r->implementation, r->script->name);
	run_file_name(&path, r);
	stem = path.n;
	if (k->what == KEEP_NONE || (k->what == KEEP_FINDINGS && j->verdict == VERDICT_PASS && !j->n)) {
		drop_files(&path);
		buf_free(&path);
		return true;
	}
	trace_text(e, r, j, &text);
	buf_printf(&path, ".trace");
	ok = outfile_put(buf_str(&path), buf_bytes(&text), f);
	path.n = stem;
	text.n = 0;
	buf_printf(&comment, "closedrill: %s, %s, ", r->implementation, r->script->name);
	variant_print(&comment, r->variant, r->script, r->with);
	evidence_pcapng(e, r->implementation, buf_str(&comment), &text);
	buf_printf(&path, ".pcapng");
	ok = ok && outfile_put(buf_str(&path), buf_bytes(&text), f);
	path.n = stem;
	text.n = 0;
	evidence_svg(e, r, j, &text);
	buf_printf(&path, ".svg");
	ok = ok && outfile_put(buf_str(&path), buf_bytes(&text), f);
	buf_free(&path);
	buf_free(&text);
	buf_free(&comment);
	return ok;
}
