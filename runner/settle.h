/* settle: has a process come to rest? Observed, not guessed: two equal collections of all its threads' context-switch counts, all asleep
 * in both, prove an instant at which all slept. A thread that is starved of processor time shows as running, so load can only
 * delay the answer. */
#ifndef RUNNER_SETTLE_H
#define RUNNER_SETTLE_H

#include <sys/types.h>

#include "peer/bytes.h"

struct look {                                   /* one collection */
	unsigned threads;
	bool asleep;                            /* every thread is in state S */
	uint64_t switches;                      /* sum over all threads; it only grows while the same threads live */
	uint64_t who;                           /* a sum over the thread numbers, to tell a thread that came or went */
};

enum { HOUSE_MAX = 32 };

struct watch {
	pid_t pid;
	int status_fd, task_fd, syscall_fd;     /* -1: none; syscall: of the first thread */
	pid_t house[HOUSE_MAX];                 /* threads that keep house: they slept with a timer while it was idle */
	unsigned nhouse;
	bool children;                          /* what it forked counts as its threads do (needs /proc/PID/task/TID/children) */
};

/* False: no such process, or /proc does not show it. */
bool watch_start(struct watch *w, pid_t pid);
void watch_end(struct watch *w);
bool watch_look(struct watch *w, struct look *l);
bool watch_alone(const struct watch *w);        /* it has one thread */
/* Cheap: its only thread is on the processor, or would be. False also when it has more than one. */
bool watch_runs(struct watch *w);
bool look_at_rest(const struct look *before, const struct look *now);
/* Notes which threads keep house, while the process has nothing to do for us: those that sleep with a timer and wait for no descriptor.
 * Never the first thread, nor more than HOUSE_MAX. False, and no thread is noted: one ran meanwhile; ask again. */
bool watch_note_house(struct watch *w);
/* How many threads, but for those that keep house, sleep in a call with a timer of its own (poll, nanosleep, futex ... with a timeout):
 * such a call is not settled until it fires. *text, if not NULL, gets the calls, as evidence. */
unsigned watch_timed(struct watch *w, struct buf *text);
/* One thread, and it waits in read(2) of its standard input: nothing that happens on the network can wake it. */
bool watch_reads_stdin(struct watch *w);

#endif
