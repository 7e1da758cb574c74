/* keep: the files of a run. */
#include "runner/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/pcapfile.h"
#include "runner/trace.h"

static bool put_file(const char *path, struct bytes data, struct fault *f)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	size_t at = 0;

	while (fd >= 0 && at < data.n) {
		ssize_t n = write(fd, data.p + at, data.n - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	if ((fd < 0 || at < data.n || close(fd) != 0))
		return fault_machine(f, "cannot write %s:", path);
	return true;
}

static bool make_dirs(char *path, struct fault *f)
{
	for (char *p = path + 1; *p; p++) {
		bool made;

		if (*p != '/')
			continue;
		*p = '\0';
		made = mkdir(path, 0777) == 0 || errno == EEXIST;
		*p = '/';
		if (!made)
			return fault_machine(f, "cannot make the folder of %s:", path);
	}
	return true;
}

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

bool keep_files(const struct keeping *k, const struct evidence *e, const struct run_name *r, const struct judgement *j, struct fault *f)
{
	struct buf path = { 0 }, text = { 0 }, comment = { 0 };
	size_t stem;
	bool ok;

	if (!k->out_dir || k->what == KEEP_NONE || (k->what == KEEP_FINDINGS && j->verdict == VERDICT_PASS && !j->n))
		return true;
	buf_printf(&path, "%s/%s/%s/", k->out_dir, r->implementation, r->script->name);
	run_file_name(&path, r);
	stem = path.n;
	trace_text(e, r, j, &text);
	buf_printf(&path, ".trace");
	ok = make_dirs((char *)buf_str(&path), f) && put_file(buf_str(&path), buf_bytes(&text), f);
	path.n = stem;
	text.n = 0;
	buf_printf(&comment, "closedrill: %s, %s, ", r->implementation, r->script->name);
	variant_print(&comment, r->variant, r->script, r->with);
	evidence_pcapng(e, buf_str(&comment), &text);
	buf_printf(&path, ".pcapng");
	ok = ok && put_file(buf_str(&path), buf_bytes(&text), f);
	buf_free(&path);
	buf_free(&text);
	buf_free(&comment);
	return ok;
}
