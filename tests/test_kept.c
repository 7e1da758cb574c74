/* Files of runs, looked up: which are there, and a trace without the comments on top. */
#include "runner/kept.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/check_rows.h"

static char folder[] = "/tmp/closedrill-kept-XXXXXX";

static void put(const char *name, const char *text)
{
	char path[100];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static const struct { const char *name, *text, *trace; } trace_rows[] = {
	{ "comments on top", "# t/c\n# openssl: client\n\niut   read -> ok\n", "iut   read -> ok\n" },
	{ "none", "iut   read -> ok\n# later\n", "iut   read -> ok\n# later\n" },
	{ "only comments", "# t/c\n", "" },
	{ "a comment without an end", "# t/c", "" },
	{ "empty", "", "" },
};

START_TEST(trace_row)
{
	struct buf b = { 0 };
	char path[100];

	ck_assert_ptr_nonnull(mkdtemp(strcpy(folder, "/tmp/closedrill-kept-XXXXXX")));
	put("x.trace", trace_rows[_i].text);
	ck_assert(kept_trace(folder, "x", &b));
	ck_assert_msg(strcmp(buf_str(&b), trace_rows[_i].trace) == 0, "%s: %s", trace_rows[_i].name, buf_str(&b));
	ck_assert(kept_find(folder, "x").trace && !kept_find(folder, "x").capture && !kept_find(folder, "x").ladder);
	ck_assert(!kept_trace(folder, "y", &b));
	snprintf(path, sizeof(path), "%s/x.trace", folder);
	unlink(path);
	rmdir(folder);
	buf_free(&b);
}
END_TEST

/* A value of `with` that someone wrote into a results.json names no file elsewhere. */
START_TEST(leads_out)
{
	struct buf b = { 0 };
	char path[100], stem[100];

	ck_assert_ptr_nonnull(mkdtemp(strcpy(folder, "/tmp/closedrill-kept-XXXXXX")));
	put("x.trace", "secret\n");
	snprintf(path, sizeof(path), "%s/below", folder);
	ck_assert_int_eq(mkdir(path, 0777), 0);
	snprintf(stem, sizeof(stem), "../x");
	ck_assert(!kept_find(path, stem).trace);
	ck_assert(!kept_trace(path, stem, &b));
	rmdir(path);
	snprintf(path, sizeof(path), "%s/x.trace", folder);
	unlink(path);
	rmdir(folder);
	buf_free(&b);
}
END_TEST

ROWS_MAIN("kept", { trace_row, countof(trace_rows) }, { leads_out, 1 })
