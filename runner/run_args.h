/* run_args: the arguments of the commands that play cases: which cases, against whom, in which variants, and what is kept. */
#ifndef RUNNER_RUN_ARGS_H
#define RUNNER_RUN_ARGS_H

#include "runner/format.h"
#include "runner/plan.h"
#include "runner/pool.h"

enum { RUN_ARGS_MAX = 256 };

struct run_args {
	const char *globs[RUN_ARGS_MAX]; size_t nglobs;
	const char *names[RUN_ARGS_MAX]; size_t nnames;
	const char *roots[RUN_ARGS_MAX];        /* of each name: the folder of another system, or NULL */
	const char *called[RUN_ARGS_MAX];       /* of each name: what results and folders call it; NULL: as usual */
	unsigned roles, tls, io;
	int workers;
	const char *out_dir;
	const char *expected;                   /* a folder, or "none"; NULL: the one beside the cases */
	const char *into;                       /* of `record`: the folder that it writes to; NULL: the one beside the cases */
	enum keep keep;
	const struct format *format;            /* of standard output */
	struct shard shard;
	bool verbose, quiet, one_io, no_host, only_host;
	const char *command;                    /* the one whose arguments these are; NULL: `run` */
	bool inconclusive;                      /* of `record`: inconclusive runs are taken as well */
	const char *varies;                     /* of `record`: why runs differ, where they do; NULL: they must not */
	int times;                              /* of `record`: how often all is played */
};

/* 0; the exit status of what is wrong, which has been printed; -1: help was asked for, and given. The words stay argv's. */
int run_args_parse(int argc, char **argv, struct run_args *a);

/* 0 if all its names are there; otherwise the exit status, and what is near was printed. */
int names_known(const struct run_args *a, const struct places *at);
/* Plays what the arguments select of the catalogue, prints the report, and returns the exit status. */
int session_run(const struct run_args *a, const struct places *at, const struct catalogue *s);

#endif
