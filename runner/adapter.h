/* adapter: an implementation under test behind its adapter program: the greeting, and lines to and fro. */
#ifndef RUNNER_ADAPTER_H
#define RUNNER_ADAPTER_H

#include "runner/answer.h"
#include "runner/child.h"
#include "runner/settle.h"

struct adapter {
	char *command;                          /* owned: as the user gave it */
	char *root;                             /* owned: the folder with another system that it runs in; NULL: this one */
	char **argv;                            /* owned: the program's path and its arguments */
	char *name;                             /* owned: what results and folders call it */
	struct child child;
	struct watch watch;
	bool alive;
	bool ending;                            /* it was told `end` and has not been heard since: the next run hears its answer first */
	struct buf greeting;                    /* owned: its lines, as they came */
	char *library, *api;                    /* owned: from the greeting; api "" if none */
	char **can; size_t ncan;                /* owned: its words */
	char **promises; size_t npromises;
	bool after_error, after_end;            /* the manual forbids to go on then (`forbids`) */
	bool wants_rsa;
	char *failed;                           /* owned: why its greeting could not be had: all its runs are broken; NULL: it was had */
	uint16_t listen_port;                   /* 0: it does not listen yet */
};

/* From a command line as the user gives it: a name in `dir`, or a path to a program; then arguments for it. root: the folder of another
 * system, in which both are to be found; NULL: none. Starts nothing. */
void adapter_init(struct adapter *a, const char *command, const char *dir, const char *root);
/* Starts it, reads the greeting, and tries a line that no adapter knows: whoever takes that takes anything. cert: the path that
 * CLOSEDRILL_CERT gets; rsa: the same for adapters that want RSA. False: *f. */
bool adapter_start(struct adapter *a, const char *cert, const char *rsa, struct fault *f);
/* Takes one line of its greeting; `ready` sets *ready. False: it is none. */
bool adapter_greeting_line(struct adapter *a, struct bytes line, bool *ready);
/* What a greeting told, from its lines. False: *f, they are none. */
bool adapter_learn(struct adapter *a, struct bytes greeting, struct fault *f);
/* Its name without a version; lives as long as the adapter. */
const char *adapter_base(const struct adapter *a);
void adapter_name(struct adapter *a, const char *name);         /* it is copied */
/* Its name gets the version that its greeting told behind it: `openssl` becomes `openssl-3.5`, or with all of it `openssl-3.5.4`. */
void adapter_name_version(struct adapter *a, bool whole);
/* The same with a number behind it: `openssl-3.5.4-2`. */
void adapter_name_number(struct adapter *a, unsigned n);
bool adapter_can(const struct adapter *a, const char *word);
/* Which FOR_ bits it can do. */
unsigned adapter_variants(const struct adapter *a);
void adapter_stop(struct adapter *a);           /* the process; the greeting stays known */
void adapter_free(struct adapter *a);
/* The last lines of its stderr, for messages; valid until the next call. */
const char *adapter_log(struct adapter *a);

#endif
