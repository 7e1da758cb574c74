/* Files that are there whole or not at all. A real folder; /dev/full stands for the full disk (tests/test_formats.py has a real one). */
#include "runner/outfile.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/lex.h"
#include "tests/check_rows.h"

static char dir[64], path[128], part[160];

static void start(void)
{
	snprintf(dir, sizeof(dir), "/tmp/test_outfile.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
	snprintf(part, sizeof(part), "%s.part", path);
}

static void end(void)
{
	unlink(path);
	unlink(part);
	ck_assert_int_eq(rmdir(dir), 0);        /* so nothing else was left in it */
}

static void holds(const char *at, const char *text)
{
	struct buf b = { 0 };
	struct fault f = { 0 };

	ck_assert_msg(file_load(at, 1000, &b, &f), "%s", f.msg);
	same_bytes(at, buf_bytes(&b), bytes_of(text));
	buf_free(&b);
}

START_TEST(whole)
{
	struct outfile o;
	struct fault f = { 0 };

	start();
	ck_assert_msg(outfile_open(&o, path, &f), "%s", f.msg);
	fprintf(o.file, "one\n");
	fflush(o.file);
	ck_assert_int_ne(access(path, F_OK), 0);        /* not before it is whole */
	holds(part, "one\n");
	fprintf(o.file, "two\n");
	ck_assert_msg(outfile_close(&o, true, &f), "%s", f.msg);
	holds(path, "one\ntwo\n");
	ck_assert_int_ne(access(part, F_OK), 0);
	ck_assert(outfile_close(&o, true, &f));         /* twice */
	end();
}
END_TEST

START_TEST(given_up)
{
	struct outfile o;
	struct fault f = { 0 };

	start();
	ck_assert(outfile_put(path, bytes_of("old"), &f));
	ck_assert(outfile_open(&o, path, &f));
	fprintf(o.file, "new");
	ck_assert(outfile_close(&o, false, &f));
	holds(path, "old");
	ck_assert_int_ne(access(part, F_OK), 0);
	end();
}
END_TEST

START_TEST(written_over)
{
	struct fault f = { 0 };

	start();
	ck_assert(outfile_put(path, bytes_of("old and long"), &f));
	ck_assert(outfile_put(part, bytes_of("left by one that was killed"), &f));
	ck_assert_msg(outfile_put(path, bytes_of("new"), &f), "%s", f.msg);
	holds(path, "new");
	ck_assert(outfile_put(path, (struct bytes){ NULL, 0 }, &f));
	holds(path, "");
	end();
}
END_TEST

/* A link under the name of the .part is not followed. */
START_TEST(link_in_the_way)
{
	char target[160];
	struct fault f = { 0 };

	start();
	snprintf(target, sizeof(target), "%s/target", dir);
	ck_assert(outfile_put(target, bytes_of("mine"), &f));
	ck_assert_int_eq(symlink(target, part), 0);
	ck_assert(outfile_put(path, bytes_of("new"), &f));
	holds(target, "mine");
	holds(path, "new");
	unlink(target);
	end();
}
END_TEST

START_TEST(folders)
{
	char deep[200];
	struct fault f = { 0 };

	start();
	snprintf(deep, sizeof(deep), "%s/a/b/file", dir);
	ck_assert_msg(outfile_put(deep, bytes_of("x"), &f), "%s", f.msg);
	holds(deep, "x");
	unlink(deep);
	snprintf(deep, sizeof(deep), "%s/a/b", dir);
	ck_assert_int_eq(rmdir(deep), 0);
	snprintf(deep, sizeof(deep), "%s/a", dir);
	ck_assert_int_eq(rmdir(deep), 0);
	ck_assert(outfile_put(path, bytes_of("x"), &f));
	snprintf(deep, sizeof(deep), "%s/below", path);
	ck_assert(!outfile_put(deep, bytes_of("x"), &f));
	ck_assert_msg(strstr(f.msg, "Not a directory") || strstr(f.msg, "File exists"), "%s", f.msg);
	end();
}
END_TEST

/* The early write fails, or the last one: how much is written decides. */
START_TEST(full_disk)
{
	static const size_t lengths[] = { 1, 100000 };
	char *text = calloc(1, lengths[_i]);

	ck_assert_ptr_nonnull(text);
	for (int keep = 0; keep < 2; keep++) {
		struct outfile o;
		struct fault f = { 0 };

		start();
		ck_assert(outfile_put(path, bytes_of("old"), &f));
		ck_assert(outfile_open(&o, path, &f));
		ck_assert_ptr_nonnull(freopen("/dev/full", "w", o.file));
		fwrite(text, 1, lengths[_i], o.file);
		ck_assert(outfile_close(&o, keep, &f) == !keep);
		ck_assert_msg(!keep || strstr(f.msg, "No space left on device"), "%s", f.msg);
		holds(path, "old");
		ck_assert_int_ne(access(part, F_OK), 0);
		end();
	}
	free(text);
}
END_TEST

ROWS_MAIN("outfile", { whole, 1 }, { given_up, 1 }, { written_over, 1 }, { link_in_the_way, 1 }, { folders, 1 }, { full_disk, 2 })
