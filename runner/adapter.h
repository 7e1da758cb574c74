/* adapter: an implementation under test behind its adapter program: the greeting, and lines to and fro. */
#ifndef RUNNER_ADAPTER_H
#define RUNNER_ADAPTER_H

#include "runner/answer.h"
#include "runner/child.h"
#include "runner/settle.h"

struct adapter {
	char *command;                          /* owned: as the user gave it */
	char **argv;                            /* owned: the program's path and its arguments */
	char *name;                             /* owned: what results and folders call it */
	struct child child;
	struct watch watch;
	bool alive;
	bool ending;                            /* it was told `end` and has not been heard since: the next run hears its answer first */
	char *library, *api;                    /* owned: from the greeting; api "" if none */
	char **can; size_t ncan;                /* owned: its words */
	char **promises; size_t npromises;
	bool after_error, after_end;            /* the manual forbids to go on then (`forbids`) */
	bool wants_rsa;
	uint16_t listen_port;                   /* 0: it does not listen yet */
};

/* From a command line as the user gives it: a name in `dir`, or a path to a program; then arguments for it. Starts nothing. */
void adapter_init(struct adapter *a, const char *command, const char *dir);
/* Gives the later of two of one name another: `openssl`, `openssl-2`. Their results and folders stay apart. */
void adapters_name_apart(struct adapter *a, size_t n);
/* Starts it, reads the greeting, and tries a line that no adapter knows: whoever takes that takes anything. cert: the path that
 * CLOSEDRILL_CERT gets; rsa: the same for adapters that want RSA. False: *f. */
bool adapter_start(struct adapter *a, const char *cert, const char *rsa, struct fault *f);
bool adapter_can(const struct adapter *a, const char *word);
/* Which FOR_ bits it can do. */
unsigned adapter_variants(const struct adapter *a);
void adapter_stop(struct adapter *a);           /* the process; the greeting stays known */
void adapter_free(struct adapter *a);
/* The last lines of its stderr, for messages; valid until the next call. */
const char *adapter_log(struct adapter *a);

#endif
