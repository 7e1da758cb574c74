/* Files of runs, looked up: what they are called, which are there, and a trace without the comments on top. */
#include "runner/kept.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/script.h"
#include "tests/check_rows.h"

static const struct { const char *name; unsigned variant; const char *with_name, *with, *stem; } stem_rows[] = {
	{ "plain", FOR_CLIENT | FOR_TLS12 | FOR_MEMORY, "", "", "client-1.2-memory" },
	{ "other ends", FOR_SERVER | FOR_TLS13 | FOR_BLOCKING, "", "", "server-1.3-blocking" },
	{ "with a value", FOR_CLIENT | FOR_TLS13 | FOR_NONBLOCKING, "K", "-1", "client-1.3-nonblocking-K=-1" },
	{ "with quotes", FOR_CLIENT | FOR_TLS13 | FOR_NONBLOCKING, "K", "\"a b\"", "client-1.3-nonblocking-K=\"a b\"" },
};

START_TEST(stem_row)
{
	struct buf b = { 0 };

	kept_stem(&b, stem_rows[_i].variant, bytes_of(stem_rows[_i].with_name), bytes_of(stem_rows[_i].with));
	ck_assert_msg(strcmp(buf_str(&b), stem_rows[_i].stem) == 0, "%s: %s", stem_rows[_i].name, buf_str(&b));
	buf_free(&b);
}
END_TEST

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

/* --- one of all variants --- */

static const char whole[] =
	"case t/c\n\nvariants client|server 1.2 blocking|memory\nvariants client 1.3 memory\ndeviation notify-once \"why\"\niut   read -> ok\nwire  iut -> fin\n\n"
	"variants server 1.3 nonblocking\ninconclusive\niut   read -> error\n\nvariants server 1.3 memory\nunsupported\n\nend\n";
static const char with_values[] = "case t/c\n\nvariants client 1.3 memory K=1|\"a b\"\none\n\nvariants client 1.3 memory K=2|11\ntwo\n\nend\n";

static const struct { const char *name, *text; unsigned variant; const char *with_name, *with, *trace; } block_rows[] = {
	{ "of the first line", whole, FOR_SERVER | FOR_TLS12 | FOR_MEMORY, "", "", "iut   read -> ok\nwire  iut -> fin\n" },
	{ "of the second line", whole, FOR_CLIENT | FOR_TLS13 | FOR_MEMORY, "", "", "iut   read -> ok\nwire  iut -> fin\n" },
	{ "a later block", whole, FOR_SERVER | FOR_TLS13 | FOR_NONBLOCKING, "", "", "iut   read -> error\n" },
	{ "unsupported", whole, FOR_SERVER | FOR_TLS13 | FOR_MEMORY, "", "", "unsupported\n" },
	{ "not there", whole, FOR_SERVER | FOR_TLS13 | FOR_BLOCKING, "", "", "" },
	{ "a word that is the end of another", whole, FOR_CLIENT | FOR_TLS12 | FOR_NONBLOCKING, "", "", "" },
	{ "the first value", with_values, FOR_CLIENT | FOR_TLS13 | FOR_MEMORY, "K", "1", "one\n" },
	{ "a value with a space", with_values, FOR_CLIENT | FOR_TLS13 | FOR_MEMORY, "K", "\"a b\"", "one\n" },
	{ "a value that begins as another", with_values, FOR_CLIENT | FOR_TLS13 | FOR_MEMORY, "K", "11", "two\n" },
	{ "no such value", with_values, FOR_CLIENT | FOR_TLS13 | FOR_MEMORY, "K", "3", "" },
	{ "another name", with_values, FOR_CLIENT | FOR_TLS13 | FOR_MEMORY, "J", "1", "" },
	{ "empty", "", FOR_CLIENT | FOR_TLS13 | FOR_MEMORY, "", "", "" },
};

START_TEST(block_row)
{
	struct bytes text = exact(bytes_of(block_rows[_i].text));
	struct bytes got = kept_block(text, block_rows[_i].variant, bytes_of(block_rows[_i].with_name), bytes_of(block_rows[_i].with));

	same_bytes(block_rows[_i].name, got, bytes_of(block_rows[_i].trace));
	free((void *)text.p);
}
END_TEST

/* A file that is cut short gives a whole trace or none. */
START_TEST(block_prefix)
{
	for (size_t n = 0; n < strlen(whole); n++) {
		struct bytes text = exact((struct bytes){ (const uint8_t *)whole, n });
		struct bytes got = kept_block(text, FOR_CLIENT | FOR_TLS13 | FOR_MEMORY, bytes_of(""), bytes_of(""));

		ck_assert_msg(!got.n || bytes_is(got, "iut   read -> ok\nwire  iut -> fin\n"), "%zu bytes", n);
		free((void *)text.p);
	}
}
END_TEST

ROWS_MAIN("kept", { stem_row, countof(stem_rows) }, { trace_row, countof(trace_rows) }, { leads_out, 1 },
          { block_row, countof(block_rows) }, { block_prefix, 1 })
