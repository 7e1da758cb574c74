/* plan: which cases there are, which implementations, and which runs a selection makes of them. */
#include "runner/plan.h"

#include <assert.h>
#include <dirent.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/lex.h"

/* --- places ------------------------------------------------------------------------------------------------------------ */

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

const char adapters_in_root[] = "/usr/local/lib/closedrill/adapters";

bool places_find(struct places *p, struct fault *f)
{
	/* Below the folder of the program: a build folder of the checkout, one for a sanitizer build, or an installation. */
	static const struct { const char *cases, *adapters; } rows[] = {
		{ "/../share/closedrill/cases", "/../lib/closedrill/adapters" },
		{ "/../cases", "/adapters" },
		{ "/../../cases", "/adapters" },
	};
	char exe[400];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (n <= 0)
		return fault_machine(f, "cannot tell where this program lies (/proc):");
	exe[n] = '\0';
	*strrchr(exe, '/') = '\0';
	for (size_t i = 0; i < countof(rows); i++) {
		snprintf(p->cases, sizeof(p->cases), "%s%s", exe, rows[i].cases);
		snprintf(p->adapters, sizeof(p->adapters), "%s%s", exe, rows[i].adapters);
		if (is_dir(p->cases)) {
			char *real = realpath(p->cases, NULL);

			if (real)
				snprintf(p->cases, sizeof(p->cases), "%s", real);
			free(real);
			snprintf(p->expected, sizeof(p->expected), "%s", p->cases);
			snprintf(strrchr(p->expected, '/'), 16, "/expected");
			return true;
		}
	}
	return fault_machine(f, "no folder `cases` beside %s: run it from its build folder, or `make install` it", exe);
}

/* --- the suite --------------------------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_name(char ***names, size_t *n, char *name)
{
	*names = reallocarray(*names, *n + 2, sizeof(**names));
	assert(*names && name);
	(*names)[(*n)++] = name;
	(*names)[*n] = NULL;
}

/* Entries of a folder without the hidden ones, sorted. */
static char **dir_names(const char *dir, size_t *n)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char **names = NULL;

	*n = 0;
	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			add_name(&names, n, text_dup(e->d_name));
	if (d)
		closedir(d);
	if (*n)
		qsort(names, *n, sizeof(*names), by_name);
	return names;
}

void names_free(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static bool load_case(struct catalogue *s, const char *path, struct fault *f)
{
	size_t values = 1;

	for (size_t i = 0; i < values; i++) {
		struct script sc;

		if (!script_load(&sc, path, i, &s->reqs, f))
			return false;
		values = sc.nwith ? sc.nwith : 1;
		s->scripts = reallocarray(s->scripts, s->nscripts + 1, sizeof(*s->scripts));
		s->with = reallocarray(s->with, s->nscripts + 1, sizeof(*s->with));
		assert(s->scripts && s->with);
		s->with[s->nscripts] = i;
		s->scripts[s->nscripts++] = sc;
	}
	return true;
}

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), k = strlen(end);

	return n > k && strcmp(name + n - k, end) == 0;
}

static bool load_theme(struct catalogue *s, const char *dir, struct fault *f)
{
	size_t n;
	char **names = dir_names(dir, &n), path[1800];
	bool ok = true;

	for (size_t i = 0; i < n && ok; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		ok = !ends_with(names[i], ".case") || load_case(s, path, f);
	}
	names_free(names, n);
	return ok;
}

bool catalogue_load(struct catalogue *s, const char *cases, struct fault *f)
{
	size_t n;
	char **names, path[1400];
	bool ok;

	*s = (struct catalogue){ 0 };
	snprintf(path, sizeof(path), "%s/requirements", cases);
	ok = requirements_load(&s->reqs, path, f);
	names = dir_names(cases, &n);
	for (size_t i = 0; i < n && ok; i++) {
		snprintf(path, sizeof(path), "%s/%s", cases, names[i]);
		ok = !is_dir(path) || load_theme(s, path, f);
	}
	names_free(names, n);
	if (!ok)
		catalogue_free(s);
	return ok;
}

void catalogue_free(struct catalogue *s)
{
	for (size_t i = 0; i < s->nscripts; i++)
		script_free(&s->scripts[i]);
	free(s->scripts);
	free(s->with);
	requirements_free(&s->reqs);
	*s = (struct catalogue){ 0 };
}

bool script_is_first(const struct catalogue *s, size_t i)
{
	return s->with[i] == 0;
}

size_t catalogue_cases(const struct catalogue *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->nscripts; i++)
		n += script_is_first(s, i);
	return n;
}

/* --- the plan ---------------------------------------------------------------------------------------------------------- */

bool selection_takes(const struct selection *sel, const char *name)
{
	char theme[96];

	snprintf(theme, sizeof(theme), "%.*s", (int)strcspn(name, "/"), name);
	for (size_t i = 0; i < sel->nglobs; i++)
		if (fnmatch(sel->globs[i], name, 0) == 0 || fnmatch(sel->globs[i], theme, 0) == 0)
			return true;
	return sel->nglobs == 0;
}

static bool has_needs(const struct script *s, const struct adapter *a)
{
	char word[96];

	for (size_t i = 0; i < s->nneeds; i++) {
		snprintf(word, sizeof(word), "%.*s", (int)s->needs[i].n, (const char *)s->needs[i].p);
		if (!adapter_can(a, word))
			return false;
	}
	return true;
}

static bool plays_for(const struct script *s, const struct adapter *a)
{
	return !s->api.n || (a->api && bytes_is(s->api, a->api));
}

static void add_run(struct plan *p, struct run run)
{
	if (p->n % 256 == 0) {
		p->runs = reallocarray(p->runs, p->n + 256, sizeof(*p->runs));
		assert(p->runs);
	}
	p->runs[p->n++] = run;
}

static void add_variants(struct plan *p, uint32_t implementation, uint32_t script, unsigned bits, bool unsupported, bool one_io)
{
	static const unsigned roles[] = { FOR_CLIENT, FOR_SERVER }, versions[] = { FOR_TLS12, FOR_TLS13 },
	                      modes[] = { FOR_BLOCKING, FOR_NONBLOCKING, FOR_MEMORY };
	unsigned only = bits & FOR_NONBLOCKING ? FOR_NONBLOCKING : bits & FOR_BLOCKING ? FOR_BLOCKING : FOR_MEMORY;

	for (size_t r = 0; r < countof(roles); r++)
		for (size_t v = 0; v < countof(versions); v++)
			for (size_t m = 0; m < countof(modes); m++) {
				unsigned variant = roles[r] | versions[v] | modes[m];

				if ((bits & variant) != variant || (one_io && modes[m] != only))
					continue;
				add_run(p, (struct run){ implementation, script, variant, unsupported });
			}
}

/* The first variant of a case, and none of its other `with` values. */
static void add_first(struct plan *p, uint32_t implementation, const struct catalogue *s, size_t script, unsigned variants)
{
	size_t before = p->n;

	if (!script_is_first(s, script))
		return;
	add_variants(p, implementation, (uint32_t)script, s->scripts[script].runs_for & variants, false, false);
	p->n = before + (p->n > before);
}

void plan_add(struct plan *p, const struct catalogue *s, uint32_t implementation, const struct adapter *a, const struct selection *sel)
{
	for (size_t i = 0; i < s->nscripts; i++) {
		const struct script *sc = &s->scripts[i];

		if (sc->about_host ? sel->no_host : sel->only_host)
			continue;
		if (!selection_takes(sel, sc->name) || !plays_for(sc, a))
			continue;
		if (a->failed)
			add_first(p, implementation, s, i, sel->variants);
		else
			add_variants(p, implementation, (uint32_t)i, sc->runs_for & sel->variants & adapter_variants(a), !has_needs(sc, a),
			             sel->one_io);
	}
}

void plan_shard(struct plan *p, struct shard *s)
{
	size_t n = 0;

	s->runs = p->n;
	for (size_t i = 0; i < p->n; i++)
		if (shard_takes(s, i))
			p->runs[n++] = p->runs[i];
	p->n = n;
}

void plan_free(struct plan *p)
{
	free(p->runs);
	*p = (struct plan){ 0 };
}

static bool is_program(const char *path, const char *name)
{
	struct stat st;

	(void)name;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static const char missing[] = ".missing";

static bool tells_what_is_missing(const char *path, const char *name)
{
	(void)path;
	return ends_with(name, missing);
}

static char **names_in(const char *dir, bool (*takes)(const char *path, const char *name), size_t cut, size_t *n)
{
	size_t all;
	char **entries = dir_names(dir, &all), **names = NULL, path[1400];

	*n = 0;
	for (size_t i = 0; i < all; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, entries[i]);
		if (takes(path, entries[i]))
			add_name(&names, n, bytes_dup((struct bytes){ (const uint8_t *)entries[i], strlen(entries[i]) - cut }));
	}
	names_free(entries, all);
	return names;
}

char **adapters_list(const char *dir, size_t *n)
{
	return names_in(dir, is_program, 0, n);
}

char **adapters_left_out(const char *dir, size_t *n)
{
	return names_in(dir, tells_what_is_missing, sizeof(missing) - 1, n);
}

char *adapter_missing(const char *dir, const char *name)
{
	struct buf text = { 0 };
	struct fault ignored;
	char path[1400], *line;

	snprintf(path, sizeof(path), "%s/%s%s", dir, name, missing);
	line = text_dup(lex_file(path, &text, &ignored) ? buf_str(&text) : "");
	line[strcspn(line, "\n")] = '\0';
	buf_free(&text);
	return line;
}
