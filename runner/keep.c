/* keep: the files of a run. */
#include "runner/keep.h"

#include <unistd.h>

#include "runner/ladder.h"
#include "runner/outfile.h"
#include "runner/pcapfile.h"
#include "runner/textfile.h"
#include "runner/trace.h"

static void left_out_text(const struct evidence *e, struct buf *out)
{
	for (size_t i = 0; i < e->script->nsteps; i++)
		if (e->steps[i].left_out)
			buf_printf(out, "# left out: line %d, %.*s\n", e->script->steps[i].at.line, (int)e->script->steps[i].words.n,
			           (const char *)e->script->steps[i].words.p);
}

static void trace_text(const struct evidence *e, const struct run_name *r, const struct judgement *j, struct buf *out)
{
	struct trace t;

	buf_printf(out, "# %s\n# %s: ", r->script->name, r->implementation);
	variant_print(out, r->variant, r->script, r->with);
	buf_printf(out, "\n# %s\n", verdict_word(j->verdict));
	left_out_text(e, out);
	buf_printf(out, "\n");
	trace_of(e, &t);
	trace_print(out, &t);
	trace_free(&t);
}

static void capture_file(const struct evidence *e, const struct run_name *r, const struct judgement *j, struct buf *out)
{
	struct buf comment = { 0 };

	(void)j;
	buf_printf(&comment, "closedrill: %s, %s, ", r->implementation, r->script->name);
	variant_print(&comment, r->variant, r->script, r->with);
	evidence_pcapng(e, r->implementation, buf_str(&comment), out);
	buf_free(&comment);
}

static void ladder_file(const struct evidence *e, const struct run_name *r, const struct judgement *j, struct buf *out)
{
	evidence_svg(e, r, j, out);
}

static void decode_file(const struct evidence *e, const struct run_name *r, const struct judgement *j, struct buf *out)
{
	(void)j;
	buf_printf(out, "# %s: %.*s\n# %s, ", r->script->name, (int)r->script->title.n, (const char *)r->script->title.p,
	           r->library ? r->library : r->implementation);
	variant_print(out, r->variant, r->script, r->with);
	buf_printf(out, "\n# Line N is the Nth packet that Wireshark's filter `frame.comment` shows.\n\n");
	evidence_text(e, out);
}

/* What every file of a run is made from. */
struct source { const struct evidence *e; const struct run_name *r; const struct judgement *j; };
typedef void file_maker(const struct evidence *e, const struct run_name *r, const struct judgement *j, struct buf *out);

/* path NULL: this file is not wanted. */
static bool file_put(const char *path, file_maker *make, const struct source *t, struct fault *f)
{
	struct buf text = { 0 };
	bool ok;

	if (!path)
		return true;
	make(t->e, t->r, t->j, &text);
	ok = outfile_put(path, buf_bytes(&text), f);
	buf_free(&text);
	return ok;
}

/* Not wanted: what an earlier session in the same folder left of this run would be taken for this one's. */
static bool below_dir(const struct keeping *k, const struct source *t, bool wanted, struct fault *f)
{
	static const struct { const char *ending; file_maker *make; } files[] = {
		{ ".trace", trace_text }, { ".pcapng", capture_file }, { ".svg", ladder_file },
	};
	struct buf path = { 0 };
	size_t stem;
	bool ok = true;

	buf_printf(&path, "%s/%s/%s/", k->out_dir, t->r->implementation, t->r->script->name);
	run_file_name(&path, t->r);
	stem = path.n;
	for (size_t i = 0; i < countof(files) && ok; i++) {
		path.n = stem;
		buf_printf(&path, "%s", files[i].ending);
		if (wanted)
			ok = file_put(buf_str(&path), files[i].make, t, f);
		else
			unlink(buf_str(&path));
	}
	buf_free(&path);
	return ok;
}

static bool asked_for(const struct keeping *k, const struct judgement *j)
{
	return k->what != KEEP_NONE && (k->what == KEEP_ALL || j->verdict != VERDICT_PASS || j->n);
}

bool keep_files(const struct keeping *k, const struct evidence *e, const struct run_name *r, const struct judgement *j, struct fault *f)
{
	const struct source t = { e, r, j };

	if (k->out_dir && !below_dir(k, &t, asked_for(k, j), f))
		return false;
	/* They are for somebody's manual, so there is nothing to keep of a run that shows nothing. */
	if (j->verdict == VERDICT_BROKEN || j->verdict == VERDICT_UNSUPPORTED)
		return true;
	return file_put(k->pcapng, capture_file, &t, f) && file_put(k->svg, ladder_file, &t, f) && file_put(k->text, decode_file, &t, f);
}
