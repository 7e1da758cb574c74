/* Reading a results.json: from real files, run by run, and all that can be wrong with one. */
#include "runner/results.h"

#include <stdio.h>
#include <unistd.h>

#include "tests/check_rows.h"

#define HEAD "{\"closedrill\": \"" CLOSEDRILL_VERSION "\", \"runs\": ["
#define TAIL "\n],\n\"partial\": false,\n\"totals\": {\"runs\": 2}}\n"
#define ONE "{\"case\": \"a/b\", \"findings\": [{\"line\": 3}, {}]}"
#define TWO "{\"case\": \"]}{\\\"[\\\\\", \"findings\": []}"

static char path[64];

struct seen { struct buf texts, cases; size_t n, stop_at; };

static bool take(void *to, json_t *run, const char *text, size_t len, struct fault *f)
{
	struct seen *s = to;

	buf_add(&s->texts, text, len);
	buf_printf(&s->texts, "\n");
	buf_printf(&s->cases, "%s\n", json_string_value(json_object_get(run, "case")));
	return ++s->n != s->stop_at || fault_set(f, &(struct where){ 0 }, "enough");
}

static bool read_text(const char *text, size_t n, struct seen *s, struct results_about *about, struct fault *f)
{
	FILE *to = fopen(path, "w");
	bool ok;

	ck_assert_ptr_nonnull(to);
	ck_assert_uint_eq(fwrite(text, 1, n, to), n);
	ck_assert_int_eq(fclose(to), 0);
	*f = (struct fault){ 0 };
	ok = results_read(path, take, s, about, f);
	ck_assert(ok || f->msg[0]);
	return ok;
}

static void make_path(void)
{
	int fd;

	snprintf(path, sizeof(path), "/tmp/test_results.XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void seen_free(struct seen *s)
{
	buf_free(&s->texts);
	buf_free(&s->cases);
}

START_TEST(whole)
{
	static const char text[] = HEAD "\n" ONE ",\n" TWO TAIL;
	struct results_about about;
	struct seen s = { 0 };
	struct fault f;

	make_path();
	ck_assert_msg(read_text(text, strlen(text), &s, &about, &f), "%s", f.msg);
	ck_assert_str_eq(buf_str(&s.texts), ONE "\n" TWO "\n");
	ck_assert_str_eq(buf_str(&s.cases), "a/b\n]}{\"[\\\n");
	ck_assert_str_eq(about.closedrill, CLOSEDRILL_VERSION);
	ck_assert_uint_eq(about.runs, 2);
	ck_assert(!about.partial);
	ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(about.rest, "totals"), "runs")), 2);
	ck_assert_ptr_null(json_object_get(about.rest, "runs"));
	json_decref(about.rest);
	seen_free(&s);
	ck_assert_msg(read_text(text, strlen(text), &s, NULL, &f), "%s", f.msg);        /* nobody asks about the rest */
	seen_free(&s);
	unlink(path);
}
END_TEST

/* All that is less than the whole, its last newline aside, is cut short, and nothing more is said of it; the runs before are handed over. */
START_TEST(every_prefix)
{
	static const char text[] = HEAD "\n" ONE ",\n" TWO TAIL;
	struct results_about about;
	struct fault f;

	make_path();
	for (size_t n = 0; n + 1 < strlen(text); n++) {
		struct seen s = { 0 };

		ck_assert_msg(!read_text(text, n, &s, &about, &f), "%zu bytes", n);
		ck_assert_msg(strstr(f.msg, "is not complete"), "%zu bytes: %s", n, f.msg);
		ck_assert_ptr_null(about.rest);
		ck_assert_uint_eq(s.n, (n >= strlen(HEAD "\n" ONE)) + (n >= strlen(HEAD "\n" ONE ",\n" TWO)));
		seen_free(&s);
	}
	unlink(path);
}
END_TEST

static const struct {
	const char *name, *text;
	size_t n;                               /* 0: to the NUL */
	const char *cases, *msg;                /* msg NULL: it is right */
	int line, col;
} rows[] = {
	{ "no run", HEAD TAIL, 0, "", NULL, 0, 0 },
	{ "one run", HEAD ONE TAIL, 0, "a/b\n", NULL, 0, 0 },
	{ "a space more", HEAD ONE TAIL " ", 0, "a/b\n", NULL, 0, 0 },
	{ "one byte more", HEAD ONE TAIL "}", 0, "a/b\n", "no JSON", 2, 1 },
	{ "all of it twice", HEAD ONE TAIL HEAD ONE TAIL, 0, "a/b\n", "no JSON", 2, 1 },
	{ "members in front of the runs, one whose value is called like them",
	  "{\"closedrill\": \"" CLOSEDRILL_VERSION "\", \"a\": \"runs\", \"b\": {\"runs\": [1]}, \"c\": [\"runs\", \"\\\"\"], \"runs\": [" ONE "]}", 0, "a/b\n", NULL, 0, 0 },
	{ "a string with braces, escaped quotes and backslashes", HEAD "{\"case\": \"\\\\\\\"}]\"}" TAIL, 0, "\\\"}]\n", NULL, 0, 0 },
	{ "nested", HEAD "{\"x\": {\"y\": [{\"z\": []}]}, \"case\": \"c\"}" TAIL, 0, "c\n", NULL, 0, 0 },
	{ "empty", "", 0, "", "is not complete", 1, 1 },
	{ "blank", " \n ", 0, "", "is not complete", 2, 2 },
	{ "another version", "{\"closedrill\": \"9.9\", \"runs\": [" ONE TAIL, 0, "", "written by closedrill 9.9, and this is " CLOSEDRILL_VERSION, 1, 1 },
	{ "no version", "{\"runs\": [" ONE TAIL, 0, "", "the version", 1, 1 },
	{ "the version behind the runs", "{\"runs\": [" ONE "], \"closedrill\": \"" CLOSEDRILL_VERSION "\"}", 0, "", "the version", 1, 1 },
	{ "a version that is a number", "{\"closedrill\": 0.1, \"runs\": [" ONE TAIL, 0, "", "the version", 1, 1 },
	{ "an array", "[]", 0, "", "should begin with {", 1, 1 },
	{ "XML", "<testsuites/>", 0, "", "should begin with {", 1, 1 },
	{ "foreign JSON", "{\"closedrill\": \"" CLOSEDRILL_VERSION "\", \"tests\": []}", 0, "", "no array \"runs\"", 1, 34 },
	{ "runs that are an object", "{\"closedrill\": \"" CLOSEDRILL_VERSION "\", \"runs\": {}}", 0, "", "no array \"runs\"", 1, 33 },
	{ "a run that is a number", HEAD "\n7" TAIL, 0, "", "begin with {", 2, 1 },
	{ "a run that is no JSON", HEAD "\n{\"case\": x}" TAIL, 0, "", "invalid token", 2, 10 },
	{ "a member twice in a run", HEAD "{\"case\": \"a\", \"case\": \"b\"}" TAIL, 0, "", "duplicate", 1, 0 },
	{ "a member twice beside the runs", HEAD ONE "], \"partial\": true, \"partial\": false}", 0, "a/b\n", "there twice", 1, 0 },
	{ "the runs twice", HEAD ONE "], \"runs\": []}", 0, "a/b\n", "there twice", 1, 0 },
	{ "no comma", HEAD ONE ONE TAIL, 0, "a/b\n", "comma", 1, 0 },
	{ "two commas", HEAD ONE ",," ONE TAIL, 0, "a/b\n", "begin with {", 1, 0 },
	{ "a comma in front", HEAD "," ONE TAIL, 0, "", "begin with {", 1, 0 },
	{ "a comma behind", HEAD ONE "," TAIL, 0, "a/b\n", "begin with {", 2, 1 },
	{ "a NUL", HEAD "\n" ONE "\0" TAIL, sizeof(HEAD "\n" ONE "\0" TAIL) - 1, "", "NUL", 2, 0 },
	{ "no UTF-8", HEAD "\n{\"case\": \"\xff\"}" TAIL, 0, "", "unable to decode byte 0xff", 2, 0 },
};

START_TEST(text_row)
{
	struct results_about about = { .rest = NULL };
	struct seen s = { 0 };
	struct fault f;
	bool ok;

	make_path();
	ok = read_text(rows[_i].text, rows[_i].n ? rows[_i].n : strlen(rows[_i].text), &s, &about, &f);
	ck_assert_msg(ok == !rows[_i].msg, "%s: %s", rows[_i].name, f.msg);
	ck_assert_msg(ok || strstr(f.msg, rows[_i].msg), "%s: %s", rows[_i].name, f.msg);
	ck_assert_msg(ok || (f.line == rows[_i].line && (!rows[_i].col || f.col == rows[_i].col)), "%s: at %d:%d", rows[_i].name, f.line, f.col);
	same_bytes(rows[_i].name, buf_bytes(&s.cases), bytes_of(rows[_i].cases));
	json_decref(about.rest);
	seen_free(&s);
	unlink(path);
}
END_TEST

START_TEST(stopped)
{
	static const char text[] = HEAD ONE "," TWO TAIL;
	struct results_about about;
	struct seen s = { .stop_at = 1 };
	struct fault f;

	make_path();
	ck_assert(!read_text(text, strlen(text), &s, &about, &f));
	ck_assert_str_eq(f.msg, "enough");
	ck_assert_uint_eq(s.n, 1);
	ck_assert_ptr_null(about.rest);
	seen_free(&s);
	unlink(path);
}
END_TEST

static bool refuse_second(void *to, json_t *run, const char *text, size_t len, struct fault *f)
{
	(void)run;
	(void)text;
	(void)len;
	return ++*(int *)to < 2 || results_wrong_run(f, "no run: %s", "this one");
}

/* Who is handed a run does not know where it stands; the reader does. */
START_TEST(wrong_run)
{
	static const char text[] = HEAD "\n" ONE ",\n  " TWO TAIL;
	struct fault f = { 0 };
	int n = 0;
	FILE *file;

	make_path();
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
	ck_assert(!results_read(path, refuse_second, &n, NULL, &f));
	ck_assert_str_eq(f.msg, "no run: this one");
	ck_assert_str_eq(f.file, path);
	ck_assert_int_eq(f.line, 3);
	ck_assert_int_eq(f.col, 3);
	unlink(path);
}
END_TEST

START_TEST(no_file)
{
	struct fault f = { 0 };

	ck_assert(!results_read("/nowhere/results.json", take, NULL, NULL, &f));
	ck_assert_msg(strstr(f.msg, "/nowhere/results.json: No such file"), "%s", f.msg);
	ck_assert(!results_read("/", take, NULL, NULL, &f));
}
END_TEST

ROWS_MAIN("results", { whole, 1 }, { every_prefix, 1 }, { text_row, countof(rows) }, { stopped, 1 }, { wrong_run, 1 }, { no_file, 1 })
