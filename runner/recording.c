/* recording: writes expected/IMPLEMENTATION-VERSION whole. */
#include "runner/recording.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/plain.h"
#include "runner/lex.h"
#include "runner/outfile.h"

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_tree(const char *path)
{
	nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static char *path_of(const char *folder, const char *name, const char *end)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s%s", folder, name, end) < 0)
		path = NULL;
	assert(path);
	return path;
}

/* --- the files of cases that were not played stay: they are copied, as a link would be two names of one file --- */

/* nftw gives no argument along. */
static struct { const char *from, *to; const struct expected *cases; size_t n; bool whole; size_t gone; struct fault *f; } copying;

static bool is_written(const char *name)
{
	size_t n = strlen(name), end = strlen(".trace");

	for (size_t i = 0; i < copying.n; i++)
		if (n == strlen(copying.cases[i].name) + end && strncmp(name, copying.cases[i].name, n - end) == 0)
			return true;
	return false;
}

static int copy_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *name = path + strlen(copying.from) + 1;
	struct buf text = { 0 };
	char *to;
	bool ok;

	(void)st;
	if (type != FTW_F || ftw->level != 2 || is_written(name))
		return 0;
	copying.gone++;
	if (copying.whole)
		return 0;
	to = path_of(copying.to, name, "");
	ok = file_load(path, (size_t)1 << 30, &text, copying.f) && outfile_put(to, buf_bytes(&text), copying.f);
	free(to);
	buf_free(&text);
	return !ok;
}

static bool copy_others(const char *from, const char *to, const struct expected *cases, size_t n, bool whole, struct recorded *did,
                        struct fault *f)
{
	copying.from = from;
	copying.to = to;
	copying.cases = cases;
	copying.n = n;
	copying.whole = whole;
	copying.gone = 0;
	copying.f = f;
	if (access(from, F_OK) == 0 && nftw(from, copy_one, 8, FTW_PHYS) != 0)
		return false;
	did->gone = whole ? copying.gone : 0;
	return true;
}

/* --- what was played --- */

static void count(const char *old, struct bytes text, struct recorded *did)
{
	struct buf was = { 0 };
	struct fault none;

	if (access(old, F_OK) != 0)
		did->fresh++;
	else if (file_load(old, (size_t)1 << 30, &was, &none) && bytes_equal(buf_bytes(&was), text))
		did->same++;
	else
		did->changed++;
	buf_free(&was);
}

static bool put_case(const char *folder, const char *old, const struct expected *x, struct recorded *did, struct fault *f)
{
	char *path = path_of(folder, x->name, ".trace"), *before = path_of(old, x->name, ".trace");
	struct buf text = { 0 };
	bool ok;

	expected_print(&text, x);
	count(before, buf_bytes(&text), did);
	ok = outfile_put(path, buf_bytes(&text), f);
	buf_free(&text);
	free(path);
	free(before);
	return ok;
}

static bool put_recorded(const char *folder, const char *library, struct fault *f)
{
	char *path = path_of(folder, "recorded", "");
	struct buf text = { 0 };
	bool ok;

	buf_printf(&text, "recorded with ");
	plain_text(&text, bytes_of(library));
	buf_u8(&text, '\n');
	ok = outfile_put(path, buf_bytes(&text), f);
	buf_free(&text);
	free(path);
	return ok;
}

/* Both are there at every instant, or one is: nobody finds half a folder. */
static bool take_place(const char *part, const char *folder, struct fault *f)
{
	if (access(folder, F_OK) != 0 ? rename(part, folder) != 0 : renameat2(AT_FDCWD, part, AT_FDCWD, folder, RENAME_EXCHANGE) != 0)
		return fault_machine(f, "cannot put %s in place:", folder);
	return true;
}

bool recording_write(const struct recording *r, const struct expected *cases, size_t n, bool whole, struct recorded *did, struct fault *f)
{
	char *folder = path_of(r->dir, r->name, ""), *part = NULL;
	bool ok;

	if (asprintf(&part, "%s/.%s.part", r->dir, r->name) < 0)
		part = NULL;
	assert(part);
	*did = (struct recorded){ 0 };
	remove_tree(part);
	ok = put_recorded(part, r->library, f);
	for (size_t i = 0; i < n && ok; i++)
		ok = put_case(part, folder, &cases[i], did, f);
	ok = ok && copy_others(folder, part, cases, n, whole, did, f) && take_place(part, folder, f);
	remove_tree(part);
	free(folder);
	free(part);
	return ok;
}
