/* results: reads a results.json run by run. */
#include "runner/results.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "runner/lex.h"

static const size_t results_max = (size_t)4 << 30;

struct scan {
	const char *path, *text;                /* NUL-terminated */
	size_t n, at;
	results_run *each;
	void *to;
	size_t runs;
	size_t open, close;                     /* the array of runs: from its bracket to the one that ends it */
};

static struct where place(const struct scan *s, size_t at)
{
	size_t start = at;
	int line = 1;

	while (start > 0 && s->text[start - 1] != '\n')
		start--;
	for (size_t i = 0; i < start; i++)
		line += s->text[i] == '\n';
	return (struct where){ s->path, s->text + start, line, (int)(at - start) + 1, 1 };
}

static bool wrong(const struct scan *s, size_t at, struct fault *f, const char *what)
{
	struct where w = place(s, at);

	return fault_set(f, &w, "%s", what);
}

static bool cut_short(const struct scan *s, struct fault *f)
{
	return wrong(s, s->n, f, "the file ends here, and is not complete: was the session that wrote it ended, or the disk full?");
}

/* The end of the value that begins at `at`, or n: nesting and strings are followed, all else is jansson's to judge. */
static size_t value_end(const struct scan *s, size_t at)
{
	size_t depth = 0;
	bool in_string = false;

	for (; at < s->n; at++) {
		char c = s->text[at];

		if (in_string) {
			if (c == '\\')
				at++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if ((c == '}' || c == ']') && depth-- <= 1) {
			return at + 1;
		}
	}
	return s->n + 1;
}

static json_t *parse(const struct scan *s, size_t from, size_t len, struct fault *f)
{
	json_error_t e;
	json_t *o = json_loadb(s->text + from, len, JSON_REJECT_DUPLICATES, &e);
	size_t at = from + (size_t)(!o && e.position > 0 ? e.position - 1 : 0);

	if (!o)
		wrong(s, at < s->n ? at : s->n, f, e.text);
	return o;
}

enum { AT_THIS_RUN = -1 };                      /* a fault's line until its place is known */

bool results_wrong_run(struct fault *f, const char *fmt, ...)
{
	va_list ap;

	*f = (struct fault){ .line = AT_THIS_RUN };
	va_start(ap, fmt);
	vsnprintf(f->msg, sizeof(f->msg), fmt, ap);
	va_end(ap);
	return false;
}

static void put_place(const struct scan *s, size_t at, struct fault *f)
{
	char msg[sizeof(f->msg)];

	memcpy(msg, f->msg, sizeof(msg));
	wrong(s, at, f, msg);
}

static bool hand_over(struct scan *s, size_t from, size_t len, struct fault *f)
{
	json_t *run = parse(s, from, len, f);
	bool ok;

	if (!run)
		return false;
	s->runs++;
	ok = s->each(s->to, run, s->text + from, len, f);
	if (!ok && f->line == AT_THIS_RUN)
		put_place(s, from, f);
	json_decref(run);
	return ok;
}

static void skip(struct scan *s, const char *what)
{
	s->at += strspn(s->text + s->at, what);
}

static bool scan_runs(struct scan *s, struct fault *f)
{
	s->at++;
	for (bool first = true;; first = false) {
		size_t end;

		skip(s, " \t\r\n");
		if (s->text[s->at] == ']')
			break;
		if (!first && s->at < s->n) {
			if (s->text[s->at] != ',')
				return wrong(s, s->at, f, "behind a run: neither a comma nor the end of the runs");
			s->at++;
			skip(s, " \t\r\n");
		}
		if (s->at >= s->n)
			return cut_short(s, f);
		if (s->text[s->at] != '{')
			return wrong(s, s->at, f, "a run is an object, and should begin with {");
		end = value_end(s, s->at);
		if (end > s->n)
			return cut_short(s, f);
		if (!hand_over(s, s->at, end - s->at, f))
			return false;
		s->at = end;
	}
	s->close = s->at;
	return true;
}

/* To the bracket behind the file's own member "runs". */
static bool find_runs(struct scan *s, struct fault *f)
{
	static const char key[] = "\"runs\"";

	skip(s, " \t\r\n");
	if (s->at >= s->n)
		return cut_short(s, f);
	if (s->text[s->at] != '{')
		return wrong(s, s->at, f, "no results.json: it should begin with {");
	s->at++;
	while (s->at < s->n && s->text[s->at] != '}') {
		bool here = strncmp(s->text + s->at, key, strlen(key)) == 0;
		char c = s->text[s->at];

		if (here) {
			s->at += strlen(key);
			skip(s, " \t\r\n:");
			if (s->text[s->at] == '[') {
				s->open = s->at;
				return true;
			}
		} else if (c == '"') {
			for (s->at++; s->at < s->n && s->text[s->at] != '"'; s->at++)
				s->at += s->text[s->at] == '\\';
			s->at++;
		} else if (c == '{' || c == '[') {
			s->at = value_end(s, s->at);
		} else {
			s->at++;
		}
	}
	return s->at < s->n ? wrong(s, s->at, f, "no results.json: it has no array \"runs\"") : cut_short(s, f);
}

/* What stands in front of the runs, or with what stands behind them as well, as one object without them. */
static json_t *beside_runs(const struct scan *s, const char *behind, size_t len)
{
	struct buf b = { 0 };
	json_t *o;

	buf_add(&b, s->text, s->open + 1);
	buf_add(&b, behind, len);
	o = json_loadb((const char *)b.p, b.n, JSON_REJECT_DUPLICATES, NULL);
	buf_free(&b);
	json_object_del(o, "runs");
	return o;
}

/* Until 1.0 each minor version may mean something else by a member. */
static bool check_version(const struct scan *s, const json_t *head, struct fault *f)
{
	const char *version = json_string_value(json_object_get(head, "closedrill"));
	struct where w = place(s, 0);

	if (!version)
		return fault_set(f, &w, "no results.json: it should begin with the version of closedrill that wrote it");
	if (strcmp(version, CLOSEDRILL_VERSION) != 0)
		return fault_set(f, &w, "written by closedrill %.20s, and this is %s: run again, or read it with that version", version,
		                 CLOSEDRILL_VERSION);
	return true;
}

static bool read_head(const struct scan *s, struct fault *f)
{
	json_t *head = beside_runs(s, "]}", 2);
	bool ok = check_version(s, head, f);

	json_decref(head);
	return ok;
}

static bool read_rest(const struct scan *s, struct results_about *about, struct fault *f)
{
	about->rest = beside_runs(s, s->text + s->close, s->n - s->close);
	if (!about->rest)
		return value_end(s, 0) > s->n ? cut_short(s, f)
		                              : wrong(s, s->close, f, "behind the runs: something that is no JSON, or is there twice");
	snprintf(about->closedrill, sizeof(about->closedrill), "%s", json_string_value(json_object_get(about->rest, "closedrill")));
	about->partial = json_is_true(json_object_get(about->rest, "partial"));
	about->runs = s->runs;
	return true;
}

bool results_read(const char *path, results_run *each, void *to, struct results_about *about, struct fault *f)
{
	struct scan s = { .path = path, .each = each, .to = to };
	struct results_about own = { 0 };
	struct buf text = { 0 };
	bool ok;

	if (!file_load(path, results_max, &text, f)) {
		buf_free(&text);
		return false;
	}
	s.text = buf_str(&text);
	s.n = text.n;
	ok = strlen(s.text) == s.n || wrong(&s, strlen(s.text), f, "a NUL byte: this is no text");
	ok = ok && find_runs(&s, f) && read_head(&s, f) && scan_runs(&s, f) && read_rest(&s, &own, f);
	buf_free(&text);
	if (about && ok)
		*about = own;
	else
		json_decref(own.rest);
	if (about && !ok)
		*about = (struct results_about){ 0 };
	return ok;
}
