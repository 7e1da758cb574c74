/* results.json: what is read tells of runs that can be relied on; written again it reads the same; every form that tells it is harmless to
 * look at; and held against itself nothing differs. The readers take files, so the input is one, in memory. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "runner/results.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runner/difference.h"
#include "runner/format.h"
#include "runner/survey.h"
#include "tests/fuzz/fuzz.h"

static int file = -1;
static char path[40];
static struct catalogue cases;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct fault f;

	(void)argc, (void)argv;
	json_object_seed(1);
	file = memfd_create("results.json", MFD_CLOEXEC);
	assert(file >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	assert(requirements_load(&cases.reqs, "cases/requirements", &f));
	return 0;
}

static void file_put(const uint8_t *p, size_t n)
{
	assert(ftruncate(file, 0) == 0);
	assert(pwrite(file, p, n, 0) == (ssize_t)n);
}

/* The session in one form. */
static void tell(const struct loaded *s, const struct format *format, struct buf *out)
{
	const struct format_about about = { .cases = "cases", .planned = s->planned, .shard = s->shard };
	struct summary summary = { 0 };
	const struct format_last last = { &summary, s->partial };
	struct formatting g;

	format_begin(&g, format, &about, out);
	for (size_t i = 0; i < s->n; i++) {
		json_t *run = json_loadb(s->runs[i].text, s->runs[i].len, 0, NULL), *plain = run_plain(run);

		assert(run && plain);
		summary_take(&summary, plain);
		format_run(&g, plain, s->runs[i].text, s->runs[i].len, out);
		json_decref(run);
		json_decref(plain);
	}
	summary.totals.took_us = s->took_us;
	summary.totals.runs_us = s->runs_us;
	format_end(&g, &last, out);
	summary_free(&summary);
}

static void same_runs(const struct loaded *a, const struct loaded *b)
{
	assert(a->n == b->n);
	for (size_t i = 0; i < a->n; i++)
		assert(a->runs[i].len == b->runs[i].len && memcmp(a->runs[i].text, b->runs[i].text, a->runs[i].len) == 0);
}

static void reads_as_written(const struct loaded *s)
{
	struct buf out = { 0 };
	struct loaded again;
	struct fault f;

	tell(s, &format_json, &out);
	file_put(out.p, out.n);
	assert(loaded_read(&again, path, &f));
	same_runs(s, &again);
	loaded_free(&again);
	buf_free(&out);
}

static void harmless(const struct loaded *s)
{
	struct buf out = { 0 };

	for (size_t i = 0; formats[i]; i++) {
		out.n = 0;
		if (formats[i] == &format_json)
			continue;
		tell(s, formats[i], &out);
		fuzz_is_plain(buf_bytes(&out));
	}
	buf_free(&out);
}

static void differs_from_itself(const struct loaded *s)
{
	struct differences d;
	struct buf out = { 0 };
	struct fault f;

	if (!loaded_belong(s, 1, &f)) {
		assert(f.msg[0]);
		return;
	}
	differences_find(s, s, &d);
	assert(!d.n && d.same == s->n);
	differences_print(&out, &d, false);
	fuzz_is_plain(buf_bytes(&out));
	differences_free(&d);
	buf_free(&out);
}

static void surveyed(const struct loaded *s)
{
	struct survey v;
	struct fault f;

	survey_start(&v, &cases);
	for (size_t i = 0; i < s->n; i++) {
		json_t *run = json_loadb(s->runs[i].text, s->runs[i].len, 0, NULL);

		if (!survey_add(&v, run, &f))
			assert(f.msg[0]);
		json_decref(run);
	}
	survey_done(&v);
	survey_free(&v);
}

static bool any_run(void *to, json_t *run, const char *run_text, size_t len, struct fault *f)
{
	(void)to, (void)run, (void)run_text, (void)len, (void)f;
	return true;
}

/* By jansson, which reads it as a whole. A name that is spelled with escapes is none to us. */
static bool is_results(const uint8_t *data, size_t n)
{
	json_t *o = json_loadb((const char *)data, n, JSON_REJECT_DUPLICATES, NULL), *runs = json_object_get(o, "runs"), *run;
	const char *version = json_string_value(json_object_get(o, "closedrill"));
	bool is = json_is_array(runs) && version && strcmp(version, CLOSEDRILL_VERSION) == 0;
	size_t i;

	for (void *at = json_object_iter(o); is && at && strcmp(json_object_iter_key(at), "closedrill") != 0; at = json_object_iter_next(o, at))
		is = strcmp(json_object_iter_key(at), "runs") != 0;     /* the version has to come first */
	json_array_foreach(runs, i, run)
		is &= json_is_object(run);
	is &= !memmem(data, n, "\\u006", 5) && !memmem(data, n, "\\u007", 5);
	json_decref(o);
	return is;
}

/* Run by run it is what it is as a whole. */
static void read_as_a_whole(const uint8_t *data, size_t n)
{
	struct results_about about;
	struct fault f;

	if (results_read(path, any_run, NULL, &about, &f)) {
		json_t *o = json_loadb((const char *)data, n, JSON_REJECT_DUPLICATES, NULL);

		assert(json_array_size(json_object_get(o, "runs")) == about.runs);
		json_decref(o);
		json_decref(about.rest);
	} else {
		assert(!is_results(data, n));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct loaded s, merged;
	struct fault f;

	file_put(data, n);
	read_as_a_whole(data, n);
	if (!loaded_read(&s, path, &f)) {
		fuzz_fault(&f, data, n);
		return 0;
	}
	reads_as_written(&s);
	harmless(&s);
	differs_from_itself(&s);
	surveyed(&s);
	if (s.n) {
		loaded_merge(&s, 1, &merged);
		loaded_free(&merged);
	}
	loaded_free(&s);
	return 0;
}
