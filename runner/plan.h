/* plan: which cases there are, which implementations, and which runs a selection makes of them. */
#ifndef RUNNER_PLAN_H
#define RUNNER_PLAN_H

#include "runner/adapter.h"
#include "runner/script.h"
#include "runner/shard.h"

/* Where cases, expected traces and adapters lie: beside the program in its build folder, or installed.
 * expected: also where there is no such folder. */
struct places { char cases[512], expected[512], adapters[512]; };
/* Where adapters lie in the root of another system. */
extern const char adapters_in_root[];
bool places_find(struct places *p, struct fault *f);

struct catalogue {
	struct requirements reqs;
	struct script *scripts; size_t nscripts;        /* one for each value of a case's `with`; those of a case stand together */
	size_t *with;                                   /* which value of `with` scripts[i] has */
};
/* All of cases/. False: *f is the first case file that is wrong. */
bool catalogue_load(struct catalogue *s, const char *cases, struct fault *f);
void catalogue_free(struct catalogue *s);
/* The number of cases, `with` values not counted. */
size_t catalogue_cases(const struct catalogue *s);
bool script_is_first(const struct catalogue *s, size_t i);  /* the first of its case */

struct selection {
	const char *const *globs; size_t nglobs;        /* on THEME/NAME, or on the theme alone; none: all */
	unsigned variants;                              /* FOR_ bits */
	bool no_host, only_host;                        /* leave out cases about the host; or all others */
	bool one_io;                                    /* of the I/O modes that are left only one, for each role and version */
};
/* Does the case match one of the globs? */
bool selection_takes(const struct selection *sel, const char *name);

struct run { uint32_t implementation, script; unsigned variant; bool unsupported; };
struct plan { struct run *runs; size_t n; };
/* Appends the runs of one implementation; a case whose needs it lacks becomes one unsupported run for each variant. What one can whose
 * greeting could not be had is not known: it gets one run for each case, to be told as broken. */
void plan_add(struct plan *p, const struct catalogue *s, uint32_t implementation, const struct adapter *a, const struct selection *sel);
/* Keeps one shard's runs, in their order, and sets s->runs to how many there were. */
void plan_shard(struct plan *p, struct shard *s);
void plan_free(struct plan *p);

/* Names of all adapters that are built, sorted; owned by the caller, ended by NULL: names_free. */
char **adapters_list(const char *dir, size_t *n);
/* The same for those that were left out when the others were built; adapter_missing tells what for, in a text to be freed. */
char **adapters_left_out(const char *dir, size_t *n);
char *adapter_missing(const char *dir, const char *name);
void names_free(char **names, size_t n);

#endif
