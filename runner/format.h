/* format: the forms in which a session is told: for people, and for machines. Each is a row of pure functions from runs' objects to text;
 * who calls them writes it (runner/report). */
#ifndef RUNNER_FORMAT_H
#define RUNNER_FORMAT_H

#include "runner/shard.h"
#include "runner/summary.h"

struct format_about {
	const char *dir;                        /* where traces and captures of runs lie; NULL: none were kept */
	const char *cases;                      /* the folder, as places of findings are shown below it; ends in "cases" */
	const char *command;                    /* the one that plays these cases; NULL: `run` */
	bool verbose, quiet, color;
	size_t planned;                         /* how many runs there are to be */
	struct shard shard;                     /* of zero shards: all of it */
};

struct formatting {                             /* one format at work; owned: format_end frees it */
	const struct format *format;
	struct format_about about;
	size_t runs;                            /* so far, this one included */
	struct test_suite {                     /* of JUnit: the one that is being filled */
		char *name;
		struct buf cases;
		struct totals totals;
		double seconds;
	} suite;
	char stop_word[40];                     /* of GitHub: until it comes, no line is a command */
};

struct format_last { const struct summary *summary; bool partial; };     /* how it ended */

struct format {
	const char *word, *help;
	void (*begin)(struct formatting *g, struct buf *out);                   /* may be NULL */
	/* run: harmless (run_plain); text: the same as results.json has it, len long. */
	void (*run)(struct formatting *g, const json_t *run, const char *text, size_t len, struct buf *out);
	void (*end)(struct formatting *g, const struct format_last *last, struct buf *out);
};

extern const struct format format_text, format_json, format_junit, format_tap, format_github;
extern const struct format *const formats[];            /* ended by NULL */
const struct format *format_find(const char *word);     /* NULL: none */

/* All append to *out what is to be written now. */
void format_begin(struct formatting *g, const struct format *format, const struct format_about *about, struct buf *out);
void format_run(struct formatting *g, const json_t *run, const char *text, size_t len, struct buf *out);
void format_end(struct formatting *g, const struct format_last *last, struct buf *out);

/* The trace of a run: its own, or the file that was kept. False: there is none at hand. */
bool format_trace(const struct formatting *g, const json_t *run, struct buf *out);
/* A file of the run, by its suffix (".trace"), if it is there. */
bool format_file(const struct formatting *g, const json_t *run, const char *suffix, struct buf *path);
/* Why there is no verdict, or what was found, a line each: for forms that have room for few words. Harmless if the run is. */
void format_finding(struct buf *out, const json_t *finding);

#endif
