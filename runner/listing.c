/* listing: what `closedrill list`, `show` and `steps` print. */
#include "runner/listing.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "peer/plain.h"

static json_t *slice(struct bytes b)
{
	return json_stringn((const char *)b.p, b.n);
}

static void print_json(json_t *v)
{
	json_dumpf(v, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(v);
}

void list_cases(const struct catalogue *s, bool json)
{
	json_t *all = json_array();

	for (size_t i = 0; i < s->nscripts; i++) {
		const struct script *sc = &s->scripts[i];
		json_t *o;

		if (!script_is_first(s, i))
			continue;
		if (!json) {
			printf("%-52s %.*s\n", sc->name, (int)sc->title.n, (const char *)sc->title.p);
			continue;
		}
		o = json_object();
		json_object_set_new(o, "case", json_string(sc->name));
		json_object_set_new(o, "title", slice(sc->title));
		json_object_set_new(o, "api", sc->api.n ? slice(sc->api) : json_string(""));
		json_object_set_new(o, "about", json_string(sc->about_host ? "host" : "library"));
		json_array_append_new(all, o);
	}
	if (json)
		print_json(all);
	else
		json_decref(all);
}

void list_index(const struct catalogue *s)
{
	const char *theme = "";
	size_t len = 0;

	for (size_t i = 0; i < s->nscripts; i++) {
		const struct script *sc = &s->scripts[i];
		size_t n = strcspn(sc->name, "/");

		if (!script_is_first(s, i))
			continue;
		if (n != len || strncmp(theme, sc->name, n) != 0)
			printf("%s### %.*s\n\n", i ? "\n" : "", (int)n, sc->name);
		theme = sc->name;
		len = n;
		printf("- `%s` %.*s%s\n", sc->name + n + 1, (int)sc->title.n, (const char *)sc->title.p,
		       sc->about_host ? " (about the host)" : "");
	}
}

static bool tests(const struct script *sc, const struct requirement *r)
{
	for (size_t i = 0; i < sc->nsteps; i++)
		for (size_t k = 0; k < sc->steps[i].nchecks; k++)
			if (sc->steps[i].checks[k].req == r)
				return true;
	return false;
}

static json_t *covering(const struct catalogue *s, const struct requirement *r)
{
	json_t *cases = json_array();

	for (size_t i = 0; i < s->nscripts; i++)
		if (script_is_first(s, i) && tests(&s->scripts[i], r))
			json_array_append_new(cases, json_string(s->scripts[i].name));
	return cases;
}

static json_t *requirement_json(const struct requirement *r, json_t *cases)
{
	static const char *const versions[TLS_VERSIONS] = { "1.2", "1.3" };
	json_t *o = json_object(), *levels = json_object(), *clauses = json_object(), *disputed = json_object();

	for (int v = 0; v < TLS_VERSIONS; v++) {
		json_object_set_new(levels, versions[v], json_string(level_word(r->level[v])));
		json_object_set_new(clauses, versions[v], json_string(r->clause[v]));
		if (r->disputed[v])
			json_object_set_new(disputed, versions[v], json_string(r->disputed[v]));
	}
	json_object_set_new(o, "requirement", json_string(r->name));
	json_object_set_new(o, "says", json_string(r->says));
	json_object_set_new(o, "level", levels);
	json_object_set_new(o, "clause", clauses);
	json_object_set_new(o, "disputed", disputed);
	json_object_set_new(o, "always", json_boolean(r->always));
	json_object_set_new(o, "cases", cases);
	return o;
}

static void requirement_text(const struct requirement *r, const json_t *cases)
{
	size_t i;
	json_t *name;

	printf("%s  %s", r->name, level_word(r->level[IN_TLS13]));
	if (r->level[IN_TLS12] != r->level[IN_TLS13])
		printf(" (1.2: %s)", level_word(r->level[IN_TLS12]));
	if (r->disputed[IN_TLS12] || r->disputed[IN_TLS13])
		printf(", disputed%s", !r->disputed[IN_TLS13] ? " in 1.2" : !r->disputed[IN_TLS12] ? " in 1.3" : "");
	printf("  %s", r->clause[IN_TLS13]);
	if (strcmp(r->clause[IN_TLS12], r->clause[IN_TLS13]) != 0)
		printf(" (1.2: %s)", r->clause[IN_TLS12]);
	printf("\n    %s\n", r->says);
	if (r->always)
		printf("    tested in every run\n");
	json_array_foreach((json_t *)cases, i, name)
		printf("    %s\n", json_string_value(name));
}

void list_requirements(const struct catalogue *s, bool json, bool uncovered)
{
	json_t *all = json_array();

	for (size_t i = 0; i < s->reqs.n; i++) {
		const struct requirement *r = &s->reqs.rows[i];
		json_t *cases = covering(s, r);

		if (uncovered && (r->always || json_array_size(cases))) {
			json_decref(cases);
		} else if (json) {
			json_array_append_new(all, requirement_json(r, cases));
		} else {
			requirement_text(r, cases);
			json_decref(cases);
		}
	}
	if (json)
		print_json(all);
	else
		json_decref(all);
}

static void list_implementation(json_t *all, const char *name, const struct adapter *a, const char *reason, bool json)
{
	json_t *o = json_object(), *can = json_array();
	const char *library = a && !reason ? a->library : NULL;

	assert(reason || library);
	if (!json) {
		printf("%-20s %s", name, reason && !a ? "not built: " : "");
		plain_print(stdout, reason ? reason : library);
		printf("\n");
	}
	for (size_t k = 0; a && k < a->ncan; k++)
		json_array_append_new(can, json_string(a->can[k]));
	json_object_set_new(o, "implementation", json_string(name));
	json_object_set_new(o, "library", library ? json_string(library) : json_null());
	json_object_set_new(o, "can", can);
	json_object_set_new(o, "reason", reason ? json_string(reason) : json_null());
	json_array_append_new(all, o);
}

static void list_built(json_t *all, const char *dir, const char *root, bool json, bool (*greet)(struct adapter *, struct fault *))
{
	char path[1400], **names;
	size_t n;

	snprintf(path, sizeof(path), "%s%s", root ? root : "", dir);
	names = adapters_list(path, &n);
	for (size_t i = 0; i < n; i++) {
		struct adapter a;
		struct fault f = { 0 };

		adapter_init(&a, names[i], dir, root);
		list_implementation(all, names[i], &a, greet(&a, &f) ? NULL : f.msg, json);
		adapter_free(&a);
	}
	names_free(names, n);
}

static void list_left_out(json_t *all, const char *dir, const char *root, bool json)
{
	char path[1400], **names;
	size_t n;

	snprintf(path, sizeof(path), "%s%s", root ? root : "", dir);
	names = adapters_left_out(path, &n);
	for (size_t i = 0; i < n; i++) {
		char *why = adapter_missing(path, names[i]);

		list_implementation(all, names[i], NULL, why, json);
		free(why);
	}
	names_free(names, n);
}

void list_implementations(const char *dir, const char *root, bool json, bool (*greet)(struct adapter *, struct fault *))
{
	json_t *all = json_array();

	list_built(all, dir, root, json, greet);
	list_left_out(all, dir, root, json);
	if (json)
		print_json(all);
	else
		json_decref(all);
}

static void show_requirement(const struct requirement *r)
{
	static const char *const versions[TLS_VERSIONS] = { "1.2", "1.3" };

	printf("\n[%s] %s\n", r->name, r->says);
	for (int v = 0; v < TLS_VERSIONS; v++)
		printf("    TLS %s: %s, %s%s%s\n", versions[v], level_word(r->level[v]), r->clause[v], r->disputed[v] ? "; disputed: " : "",
		       r->disputed[v] ? r->disputed[v] : "");
}

void show_case(const struct script *s)
{
	const struct requirement *shown[256];
	size_t n = 0;

	printf("%s\n\n%s", s->name, s->text);
	for (size_t i = 0; i < s->nsteps; i++)
		for (size_t k = 0; k < s->steps[i].nchecks; k++) {
			const struct requirement *r = s->steps[i].checks[k].req;
			bool seen = !r || n == countof(shown);

			for (size_t m = 0; m < n; m++)
				seen |= shown[m] == r;
			if (!seen) {
				shown[n++] = r;
				show_requirement(r);
			}
		}
}

static void steps_of(const char *actor, const struct word *w)
{
	for (; w->word; w++)
		printf("%-5s %-16s %-12s %s\n", actor, w->word, w->args ? w->args : "", w->help ? w->help : "");
}

void list_steps(void)
{
	steps_of("peer", peer_words);
	steps_of("iut", iut_words);
	steps_of("fd", fd_words);
	steps_of("path", path_words);
	printf("\nmodifiers of a peer record:\n");
	steps_of("", mod_words);
}
