/* command: the commands of the program, and what they share: how they end, and how they answer a word that is none of ours.
 * They and main.c are the only places that parse arguments and print faults. */
#ifndef RUNNER_COMMAND_H
#define RUNNER_COMMAND_H

#include "runner/plan.h"
#include "runner/summary.h"

enum { EXIT_OK = 0, EXIT_DEVIATION = 1, EXIT_USAGE = 2, EXIT_BROKEN = 3 };

/* Each takes its own word and what follows it, and returns the exit status. */
int cmd_run(int argc, char **argv);
int cmd_capture(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_convert(int argc, char **argv);
int cmd_merge(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_peer(int argc, char **argv);
int cmd_check_adapter(int argc, char **argv);
int cmd_steps(int argc, char **argv);

extern const char command_usage[];

/* Decimal digits alone, within low..high; -1 if they are not. */
int arg_number(const char *text, int low, int high);
/* Adds the FOR_ bit that the word means. False: it is none of those in `of`. */
bool arg_variant(const char *word, unsigned of, unsigned *bits);
/* Both print to stderr and return the exit status: `status`; EXIT_USAGE, with the usage behind it (word may be NULL). */
int command_failed(int status, const struct fault *f);
int command_wrong(const char *what, const char *word);

/* The answer to a --format that there is not. */
int format_unknown(const char *word);
/* What becomes of a session: EXIT_OK, EXIT_DEVIATION, or EXIT_BROKEN if it is not complete or something is broken. */
int totals_status(const struct totals *t, bool partial);

/* 0 if there are such cases (each glob matches one); otherwise prints what is near and returns EXIT_USAGE. */
int globs_known(const char *const *globs, size_t n, const struct catalogue *s);
/* 0 if there is a case of this very name: *index is its first script. Otherwise the same. `command` is named in the message. */
int case_known(const char *name, const char *command, const struct catalogue *s, size_t *index);
/* The same for the name of an adapter in a folder; a path or a command line is not looked at. */
int implementation_known(const char *name, const char *adapters);

#endif
