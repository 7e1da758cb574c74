/* settle: has a process come to rest? Observed, not guessed: two equal looks at all its threads, and between them each of them found off
 * the processor, prove an instant at which all slept (SETTLING.md has the proof). A thread that is starved of processor time shows as
 * running, so load can only delay the answer. */
#ifndef RUNNER_SETTLE_H
#define RUNNER_SETTLE_H

#include <sys/types.h>

#include "peer/bytes.h"

struct look {                                   /* one collection; of one that does not sleep the rest is not known */
	unsigned threads;
	bool asleep;                            /* every thread is in state S */
	uint64_t switches;                      /* a hash of each thread's number and its count of context switches, summed up */
};

/* What the threads are in, one after the other. */
struct calls {
	unsigned asleep;                        /* were off the processor, asleep in a call of the kernel */
	unsigned running;                       /* were not */
	unsigned timed;                         /* of those asleep: in a call with a timer of its own, and do not keep house; and
	                                         * armed timerfds, when one of them waits for descriptors */
};

enum { HOUSE_MAX = 32 };

enum thread_file { THREAD_STATUS, THREAD_SYSCALL, THREAD_FILES };
struct thread { pid_t id; int fd[THREAD_FILES]; };     /* -1: not open yet */

struct watch {                                  /* owned: watch_end */
	pid_t pid;
	int status_fd, task_fd, syscall_fd;     /* -1: none; syscall: of the first thread */
	int fds_fd;                             /* the folder of its descriptors */
	pid_t house[HOUSE_MAX];                 /* threads that keep house: they slept with a timer while it was idle */
	unsigned nhouse;
	struct thread *threads;                 /* those that were looked at, with their files, also some that have ended */
	size_t nthreads;
	pid_t awake;                            /* who did not sleep in the last look; 0: all did */
	bool armed;                             /* a timerfd was, when armed_at was its look's hash */
	uint64_t armed_at;
	bool children;                          /* what it forked counts as its threads do (needs /proc/PID/task/TID/children) */
};

/* False: no such process, or /proc does not show it. */
bool watch_start(struct watch *w, pid_t pid);
void watch_end(struct watch *w);
bool watch_look(struct watch *w, struct look *l);
bool watch_alone(const struct watch *w);        /* it has one thread */
/* Cheap: its only thread is on the processor, or would be. False also when it has more than one. */
bool watch_runs(struct watch *w);
/* Two looks show the same threads, all asleep, and none has slept anew since. No proof: a thread on its way to sleep shows as asleep
 * already. */
bool look_at_rest(const struct look *before, const struct look *now);
/* A thread that is just being waked, or is on its way to sleep, counts as running. *text, if not NULL, gets the calls with a timer. */
void watch_calls(struct watch *w, struct calls *c, struct buf *text);
/* The proof: true if after the look `now`, which found all asleep, there was an instant at which all were. Then what was so since the
 * look was so at that instant, and *c tells what they slept in; NULL: nobody asks, which is cheaper. False says nothing. */
bool watch_proves_rest(struct watch *w, const struct look *now, struct calls *c);
/* Notes which threads keep house, while the process has nothing to do for us: those that sleep with a timer and wait for no descriptor.
 * Never the first thread, nor more than HOUSE_MAX. False, and no thread is noted: one ran meanwhile; ask again. */
bool watch_note_house(struct watch *w);
/* One thread, and it waits in read(2) of its standard input: nothing that happens on the network can wake it. */
bool watch_reads_stdin(struct watch *w);

#endif
