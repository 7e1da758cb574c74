/* child: processes that we start: adapters, tcpdump, ip. What could not be executed is told at the call, not as an exit status. */
#ifndef RUNNER_CHILD_H
#define RUNNER_CHILD_H

#include <sys/types.h>

#include "peer/bytes.h"
#include "peer/fault.h"
#include "runner/confine.h"
#include "runner/rights.h"

struct child {
	pid_t pid;                              /* 0: none */
	struct confine place;                   /* the world that it is in; keeper 0: ours */
	int in, out, err;                       /* our ends of its stdin, stdout and stderr, -1: none; out and err do not block */
	struct buf lines;                       /* read from out */
	size_t taken;                           /* bytes in front of it that child_line gave */
	struct buf log;                         /* the last of its stderr, a few KB */
	bool ended;                             /* its stdout is at its end */
	bool flooded;                           /* a line longer than any answer */
};

/* env: "NAME=value" strings to add, ended by NULL; may be NULL. The child dies with us. With RIGHTS_NONE it is an adapter, and gets a world
 * of its own (confine.h), with this root; NULL: ours. False: *f tells why it could not be executed. */
bool child_start(struct child *c, char *const argv[], char *const env[], const char *root, enum rights rights, struct fault *f);
/* Writes one line, adding the newline. False: it reads no more. */
bool child_say(struct child *c, struct bytes line);
/* Reads what is there, without waiting, from both pipes, a few KB at once. True if anything came. */
bool child_drain(struct child *c);
bool child_drain_lines(struct child *c);        /* the same of its stdout alone */
/* Takes one line, without its newline; false when no whole line is there. Valid until the next drain or child_line. */
bool child_line(struct child *c, struct bytes *line);
bool child_hears(const struct child *c);        /* its end of our pipe to it is open */
bool child_exited(const struct child *c);       /* its process has ended, and may not be collected yet */
/* Microseconds of processor time it has used, all threads. */
int64_t child_cpu_us(const struct child *c);
/* If it has died: true, and how in words ("SIGSEGV", "exit 1"). It is reaped then. */
bool child_died(struct child *c, char *how, size_t cap);
/* Ends it, by force if it is still there, and frees everything; safe on one that never started, safe twice. */
void child_end(struct child *c);

#endif
