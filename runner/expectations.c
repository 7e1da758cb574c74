/* expectations: the traces of one implementation in expected/. */
#include "runner/expectations.h"

#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/lex.h"
#include "runner/version.h"

/* --- which folder --- */

/* A name is a folder below expected/, and nothing else: what an adapter or a path is called does not lead out of it. */
static void put_name(char *out, size_t cap, const char *name)
{
	snprintf(out, cap, "%s", name);
	for (char *p = out; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-_+.", *p))
			*p = '_';
	if (*out == '.')
		*out = '_';
}

void expectations_name(char *out, size_t cap, const char *name, const char *library)
{
	struct version v = version_in(library);
	char safe[64];

	put_name(safe, sizeof(safe), name);
	if (v.text.n)
		snprintf(out, cap, "%s-%ld.%ld", safe, v.major, v.minor);
	else
		snprintf(out, cap, "%s", safe);
}

static long distance(struct version a, struct version b)
{
	long major = labs(a.major - b.major), minor = labs(a.minor - b.minor);

	return (major < 10000 ? major : 10000) * 10000 + (minor < 10000 ? minor : 9999);
}

/* NAME or NAME-MAJOR.MINOR of this name, or not. */
static bool folder_of(const char *folder, const char *name, struct version *v)
{
	size_t n = strlen(name);

	if (strncmp(folder, name, n) != 0 || (folder[n] != '-' && folder[n] != '\0'))
		return false;
	*v = version_in(folder + n);
	return folder[n] == '\0' || (v->text.n && isdigit((unsigned char)folder[n + 1]));
}

/* The nearest version's; of two the older. */
static void nearest(struct expectations *x, const char *dir, const char *name, const char *library)
{
	struct version mine = version_in(library), v, best = { 0 };
	char safe[64];
	DIR *d = opendir(dir);
	struct dirent *e;

	put_name(safe, sizeof(safe), name);
	while (d && (e = readdir(d))) {
		long here, there = distance(mine, best);

		if (!folder_of(e->d_name, safe, &v))
			continue;
		here = distance(mine, v);
		if (x->of[0] && (here > there ||
		                 (here == there && distance(v, (struct version){ 0 }) > distance(best, (struct version){ 0 }))))
			continue;
		snprintf(x->of, sizeof(x->of), "%.95s", e->d_name);
		best = v;
	}
	if (d)
		closedir(d);
}

/* --- what lies in it --- */

static bool load_case(struct expected *x, const char *folder, const struct script *s, bool lenient, struct fault *f)
{
	struct buf path = { 0 }, text = { 0 };
	bool ok;

	buf_printf(&path, "%s/%s.trace", folder, s->name);
	ok = access(buf_str(&path), F_OK) != 0 ||
	     (lex_file(buf_str(&path), &text, f) && expected_parse(x, buf_str(&path), buf_str(&text), text.n, lenient ? NULL : s, f));
	buf_free(&path);
	buf_free(&text);
	return ok;
}

/* `recorded with LIBRARY`: the only line of the folder's file `recorded`. */
static bool load_recorded(struct expectations *x, const char *folder, struct fault *f)
{
	static const char head[] = "recorded with ";
	struct buf path = { 0 }, text = { 0 };
	const char *s;
	bool ok;

	buf_printf(&path, "%s/recorded", folder);
	ok = lex_file(buf_str(&path), &text, f);
	s = buf_str(&text);
	if (ok && (strncmp(s, head, strlen(head)) != 0 || strchr(s, '\n') != s + text.n - 1)) {
		struct where at = { buf_str(&path), s, 1, 1, 1 };

		ok = fault_set(f, &at, "expected here: one line, `%sNAME VERSION` of the library", head);
	}
	if (ok)
		x->recorded = bytes_dup((struct bytes){ (const uint8_t *)s + strlen(head), text.n - strlen(head) - 1 });
	buf_free(&path);
	buf_free(&text);
	return ok;
}

static bool load_folder(struct expectations *x, const char *folder, const struct catalogue *s, const struct selection *sel, bool lenient,
                        struct fault *f)
{
	if (!load_recorded(x, folder, f))
		return false;
	for (size_t i = 0; i < s->nscripts; i++)
		if (script_is_first(s, i) && selection_takes(sel, s->scripts[i].name) &&
		    !load_case(&x->cases[i], folder, &s->scripts[i], lenient, f))
			return false;
	return true;
}

bool expectations_load(struct expectations *x, const char *dir, const char *name, const char *library, const struct catalogue *s,
                       const struct selection *sel, bool lenient, struct fault *f)
{
	char own[96], folder[1200];
	bool ok;

	*x = (struct expectations){ .cases = calloc(s->nscripts + 1, sizeof(*x->cases)), .n = s->nscripts };
	assert(x->cases);
	expectations_name(own, sizeof(own), name, library);
	nearest(x, dir, name, library);
	x->own = strcmp(x->of, own) == 0;
	if (!x->of[0])
		return true;
	snprintf(folder, sizeof(folder), "%s/%s", dir, x->of);
	ok = load_folder(x, folder, s, sel, lenient, f);
	if (!ok)
		expectations_free(x);
	return ok;
}

void expectations_free(struct expectations *x)
{
	for (size_t i = 0; i < x->n; i++)
		expected_free(&x->cases[i]);
	free(x->cases);
	free(x->recorded);
	*x = (struct expectations){ 0 };
}

const struct block *expectations_find(const struct expectations *x, const struct catalogue *s, size_t script, unsigned variant)
{
	const struct script *sc = &s->scripts[script];
	const struct expected *e = x->cases ? &x->cases[script - s->with[script]] : NULL;

	return e && e->name ? expected_find(e, variant, sc->nwith ? sc->with[s->with[script]] : (struct bytes){ (const uint8_t *)"", 0 })
	                    : NULL;
}
