/* command: what the program's commands share: how they end, and how they answer a word that is none of ours. */
#include "runner/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/format.h"
#include "runner/lex.h"
#include "runner/run_args.h"

const char command_usage[] =
	"usage: closedrill run [[--root DIR] [--as NAME] IMPLEMENTATION|./PROGRAM]... [-c GLOB]... [--role client|server] [--tls 1.2|1.3]\n"
	"                      [--io blocking|nonblocking|memory|one] [--about library|host] [-j N] [-o DIR] [--keep all|findings|none]\n"
	"                      [--expected DIR|none] [--format text|tap|junit|github|json] [--shard K/N] [-v] [-q]\n"
	"       closedrill record IMPLEMENTATION... [-c GLOB]... [-j N] [--into DIR] [--inconclusive] [-q]\n"
	"                      [--times N] [--varies WHY]\n"
	"       closedrill convert RESULTS [--format text|tap|junit|github|json] [-o FILE] [-v] [-q]\n"
	"       closedrill merge RESULTS... [--format text|tap|junit|github|json] [-o DIR] [-v] [-q]\n"
	"       closedrill diff OLD NEW [--format text|json] [-q]\n"
	"       closedrill capture THEME/CASE [--implementation IMPLEMENTATION|./PROGRAM] [--role client|server] [--tls 1.2|1.3]\n"
	"                      [--io blocking|nonblocking|memory] [--with VALUE] [-o FILE.pcapng] [--ladder FILE.svg] [--text FILE]\n"
	"       closedrill report DIR\n"
	"       closedrill list [cases|implementations|requirements] [--json] [--uncovered] [--index] [--root DIR]\n"
	"       closedrill show THEME/CASE\n"
	"       closedrill check FILE...\n"
	"       closedrill check-adapter [[--root DIR] IMPLEMENTATION|./PROGRAM]... [-c GLOB]... [-v]\n"
	"       closedrill peer --listen PORT|--connect PORT [--tls 1.2|1.3]\n"
	"       closedrill steps | --version | --help\n"
	"Exit status: 0; 1 a deviation that is not known, or a change; 2 usage, a selector that matches nothing, a wrong file; 3 broken.\n";

int arg_number(const char *text, int low, int high)
{
	int64_t v;

	return number_parse(bytes_of(text), low, high, &v) ? (int)v : -1;
}

bool arg_variant(const char *word, unsigned of, unsigned *bits)
{
	const struct word *w = word_find(selector_words, bytes_of(word));

	if (!w || ((unsigned)w->id & ~of))
		return false;
	*bits |= (unsigned)w->id;
	return true;
}

int command_failed(int status, const struct fault *f)
{
	fprintf(stderr, "closedrill: ");
	fault_print(stderr, f);
	return status;
}

int command_wrong(const char *what, const char *word)
{
	fprintf(stderr, "closedrill: %s%s\n%s", what, word ? word : "", command_usage);
	return EXIT_USAGE;
}

int format_unknown(const char *word)
{
	static const char *words[16];
	size_t n = 0;
	const char *near;

	for (; n < countof(words) && formats[n]; n++)
		words[n] = formats[n]->word;
	near = fault_nearest(word, words, n);
	fprintf(stderr, "closedrill: --format does not know \"%s\"%s%s%s; it knows:\n", word, near ? "; did you mean " : "",
	        near ? near : "", near ? "?" : "");
	for (size_t i = 0; i < n; i++)
		fprintf(stderr, "  %-8s %s\n", formats[i]->word, formats[i]->help);
	return EXIT_USAGE;
}

int totals_status(const struct totals *t, bool partial)
{
	if (partial || t->verdicts[VERDICT_BROKEN])
		return EXIT_BROKEN;
	return t->standings[STANDING_DEVIATES] || t->standings[STANDING_ERROR] || t->standings[STANDING_CHANGED] ? EXIT_DEVIATION : EXIT_OK;
}

/* A name that is none of ours: say which are near. */
static int unknown_name(const char *name, char **names, size_t n, const char *what)
{
	const char *near = fault_nearest(name, (const char *const *)names, n);

	fprintf(stderr, "closedrill: there is no %s \"%s\"", what, name);
	if (near)
		fprintf(stderr, "; did you mean %s?", near);
	fprintf(stderr, "\n");
	if (!near && n) {
		fprintf(stderr, "known:");
		for (size_t i = 0; i < n && i < 40; i++)
			fprintf(stderr, " %s", names[i]);
		fprintf(stderr, n > 40 ? " ... (`closedrill list` shows all %zu)\n" : "\n", n);
	}
	return EXIT_USAGE;
}

/* The names of all cases, once each; the caller frees the list, not the names. One that is NAME without its theme comes first. */
static char **case_names(const struct catalogue *s, const char *name, size_t *n)
{
	char **names = calloc(s->nscripts + 1, sizeof(*names));

	*n = 0;
	for (size_t i = 0; names && i < s->nscripts; i++) {
		const char *slash = strchr(s->scripts[i].name, '/');

		if (!script_is_first(s, i))
			continue;
		names[(*n)++] = (char *)s->scripts[i].name;
		if (slash && strcmp(slash + 1, name) == 0) {
			names[0] = (char *)s->scripts[i].name;
			*n = 1;
			break;
		}
	}
	return names;
}

static int unknown_case(const struct catalogue *s, const char *name)
{
	size_t n;
	char **names = case_names(s, name, &n);
	int status = EXIT_USAGE;

	if (n == 1)
		fprintf(stderr, "closedrill: there is no case \"%s\"; did you mean %s?\n", name, names[0]);
	else
		status = unknown_name(name, names, n, "case");
	free(names);
	return status;
}

int globs_known(const char *const *globs, size_t n, const struct catalogue *s)
{
	for (size_t g = 0; g < n; g++) {
		struct selection one = { &globs[g], 1, FOR_ALL, false, false, false };
		bool any = false;

		for (size_t i = 0; i < s->nscripts && !any; i++)
			any = selection_takes(&one, s->scripts[i].name);
		if (!any)
			return unknown_case(s, globs[g]);
	}
	return 0;
}

int case_known(const char *name, const char *command, const struct catalogue *s, size_t *index)
{
	char what[64];
	int status;

	for (*index = 0; *index < s->nscripts; ++*index)
		if (strcmp(s->scripts[*index].name, name) == 0)
			return 0;
	snprintf(what, sizeof(what), "%s takes one THEME/CASE, not ", command);
	status = globs_known(&name, 1, s);
	return status ? status : command_wrong(what, name);
}

int implementation_known(const char *name, const char *adapters)
{
	char word[200], path[800];
	size_t n;
	char **names;
	int status = 0;

	snprintf(word, sizeof(word), "%.*s", (int)strcspn(name, " "), name);
	if (strchr(word, '/'))
		return 0;
	snprintf(path, sizeof(path), "%s/%s", adapters, word);
	if (access(path, X_OK) == 0)
		return 0;
	names = adapters_list(adapters, &n);
	status = unknown_name(word, names, n, "implementation");
	names_free(names, n);
	return status;
}

int names_known(const struct run_args *a, const struct places *at)
{
	int status = 0;

	for (size_t i = 0; i < a->nnames && !status; i++) {
		char dir[800];

		snprintf(dir, sizeof(dir), "%s%s", a->roots[i] ? a->roots[i] : "", a->roots[i] ? adapters_in_root : at->adapters);
		status = implementation_known(a->names[i], dir);
	}
	return status;
}
