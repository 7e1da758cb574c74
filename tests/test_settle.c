/* Settling, on real processes: what sleeps, what only seems to, and what a timer will wake. Nothing here waits a fixed time: every
 * wait is for something that is looked at again and again, and a deadline only ends one that has failed. */
#include "runner/settle.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/check_rows.h"

enum { DEADLINE_MS = 3000, LOOKS = 2000, MANY_LOOKS = 30000, HOUR_S = 3600 };

/* --- children --- */

struct proc { pid_t pid; int in; struct watch watch; };        /* in: our end of the pipe that it reads */

static int pipe_fd;             /* a child's end of the pipe */

static void proc_start(struct proc *p, void (*act)(void))
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	p->pid = fork();
	ck_assert_int_ge(p->pid, 0);
	if (p->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[1]);
		pipe_fd = ends[0];
		act();
		_exit(0);
	}
	close(ends[0]);
	p->in = ends[1];
	ck_assert(watch_start(&p->watch, p->pid));
}

static void proc_end(struct proc *p)
{
	kill(p->pid, SIGKILL);
	ck_assert_int_eq(waitpid(p->pid, NULL, 0), p->pid);
	close(p->in);
	watch_end(&p->watch);
	watch_end(&p->watch);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Looks until two looks in a row say that it rests; the second is in *l. */
static bool comes_to_rest(struct watch *w, struct look *l)
{
	int64_t deadline = now_ms() + DEADLINE_MS;
	struct look before = { 0 };

	while (now_ms() < deadline) {
		if (!watch_look(w, l))
			return false;
		if (before.threads && look_at_rest(&before, l))
			return true;
		before = *l;
		sched_yield();
	}
	return false;
}

static bool comes_to_threads(struct watch *w, unsigned threads, struct look *l)
{
	int64_t deadline = now_ms() + DEADLINE_MS;

	while (now_ms() < deadline)
		if (comes_to_rest(w, l) && l->threads == threads)
			return true;
	return false;
}

static unsigned timed(struct watch *w, struct buf *text)
{
	struct calls c;

	watch_calls(w, &c, text);
	return c.timed;
}

/* --- what children do --- */

static void read_on(void)
{
	char c;

	while (read(pipe_fd, &c, 1) == 1)
		;
}

static void spin(void)
{
	for (volatile unsigned n = 0;; n++)
		;
}

static void *thread_spin(void *arg)
{
	spin();
	return arg;
}

/* One byte, and then it ends. */
static void *thread_read(void *arg)
{
	char c;

	if (read(pipe_fd, &c, 1) < 0)
		_exit(1);
	return arg;
}

static void thread_start(void *(*run)(void *))
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 << 10);
	if (pthread_create(&t, &attr, run, NULL) != 0)
		_exit(1);
}

static void wait_for_ever(void)
{
	for (;;)
		pause();
}

static void two_wait(void)
{
	thread_start(thread_read);
	wait_for_ever();
}

static void one_spins(void)
{
	thread_start(thread_spin);
	wait_for_ever();
}

/* More than one block of the folder's entries. */
enum { CROWD = 300 };

static void crowd(void)
{
	for (int i = 0; i < CROWD; i++)
		thread_start(thread_read);
	wait_for_ever();
}

/* One thread after the other, each for one byte. */
static void one_after_the_other(void)
{
	pthread_t t;

	while (pthread_create(&t, NULL, thread_read, NULL) == 0)
		pthread_join(t, NULL);
	_exit(1);
}

static atomic_int told;          /* gcc 12 with -fsanitize=bool reads a volatile bool only once */

static void *thread_until_told(void *arg)
{
	while (!told)
		;
	wait_for_ever();
	return arg;
}

/* Spins until a byte comes. */
static void spins_then_waits(void)
{
	thread_start(thread_until_told);
	thread_read(NULL);
	told = 1;
	wait_for_ever();
}

/* --- rest --- */

START_TEST(blocks_in_read)
{
	struct look first, later;
	struct proc p;

	proc_start(&p, read_on);
	ck_assert(comes_to_rest(&p.watch, &first));
	ck_assert(first.asleep && first.threads == 1);
	ck_assert(comes_to_rest(&p.watch, &later));
	ck_assert(look_at_rest(&first, &later));
	/* It sleeps again after each byte; that it was awake between two looks shows all the same. */
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(write(p.in, "x", 1), 1);
		do
			ck_assert(comes_to_rest(&p.watch, &later));
		while (later.switches == first.switches);
		ck_assert(later.asleep && !look_at_rest(&first, &later));
		first = later;
	}
	proc_end(&p);
}
END_TEST

static const struct { const char *name; void (*act)(void); unsigned threads; } busy[] = {
	{ "one thread",                 spin,      1 },
	{ "one sleeps, the other not",  one_spins, 2 },
};

START_TEST(spins)
{
	struct look before, now;
	struct proc p;

	proc_start(&p, busy[_i].act);
	while (watch_alone(&p.watch) != (busy[_i].threads == 1))
		;                       /* until they are all there */
	ck_assert(watch_look(&p.watch, &before));
	for (int i = 0; i < LOOKS; i++) {
		ck_assert(watch_look(&p.watch, &now));
		ck_assert_msg(!now.asleep && !look_at_rest(&before, &now), "%s: look %d", busy[_i].name, i);
		before = now;
	}
	proc_end(&p);
}
END_TEST

/* A thread that ends leaves the others asleep, but what was seen before is no longer true. */
START_TEST(two_threads)
{
	struct look both, one;
	struct proc p;

	proc_start(&p, two_wait);
	ck_assert(comes_to_threads(&p.watch, 2, &both));
	ck_assert_int_eq(write(p.in, "x", 1), 1);
	ck_assert(comes_to_threads(&p.watch, 1, &one));
	ck_assert(!look_at_rest(&both, &one));
	proc_end(&p);
}
END_TEST

START_TEST(many_threads)
{
	struct look l;
	struct proc p;

	proc_start(&p, crowd);
	ck_assert(comes_to_threads(&p.watch, CROWD + 1, &l));
	ck_assert_uint_eq(timed(&p.watch, NULL), 0);
	proc_end(&p);
}
END_TEST

/* More threads than files are kept of, one after the other: each is seen, and what was kept of those before does not pile up. */
START_TEST(come_and_go)
{
	struct look before = { 0 }, now;
	struct calls c;
	struct proc p;
	int fd;

	proc_start(&p, one_after_the_other);
	for (int i = 0; i < CROWD; i++, before = now) {
		do
			ck_assert(comes_to_threads(&p.watch, 2, &now));
		while (now.switches == before.switches || !watch_proves_rest(&p.watch, &now, &c));
		ck_assert_uint_eq(c.asleep, 2);
		ck_assert_int_eq(write(p.in, "x", 1), 1);
	}
	fd = dup(p.in);
	ck_assert_int_lt(fd, CROWD);
	close(fd);
	proc_end(&p);
}
END_TEST

/* The thread that was found awake is asked first; when it sleeps, all are asked again. */
START_TEST(awake_first)
{
	struct look l;
	struct proc p;

	proc_start(&p, spins_then_waits);
	do
		ck_assert(watch_look(&p.watch, &l));
	while (!p.watch.awake || p.watch.awake == p.pid);
	for (int i = 0; i < LOOKS; i++)
		ck_assert(watch_look(&p.watch, &l) && !l.asleep);
	ck_assert_int_eq(write(p.in, "x", 1), 1);
	ck_assert(comes_to_threads(&p.watch, 2, &l));
	ck_assert(!p.watch.awake && l.asleep);
	proc_end(&p);
}
END_TEST

/* A stopped process does nothing, but not because it waits for us. */
START_TEST(stopped)
{
	struct look l;
	struct proc p;
	int status;

	proc_start(&p, read_on);
	ck_assert(comes_to_rest(&p.watch, &l));
	kill(p.pid, SIGSTOP);
	ck_assert_int_eq(waitpid(p.pid, &status, WUNTRACED), p.pid);
	ck_assert(watch_look(&p.watch, &l) && !l.asleep);
	proc_end(&p);
}
END_TEST

START_TEST(gone)
{
	struct watch none;
	siginfo_t info;
	struct look l;
	struct proc p;

	proc_start(&p, read_on);
	kill(p.pid, SIGKILL);
	ck_assert_int_eq(waitid(P_PID, (id_t)p.pid, &info, WEXITED | WNOWAIT), 0);
	ck_assert_msg(!watch_look(&p.watch, &l) || !l.asleep, "dead, not yet collected");
	ck_assert_int_eq(waitpid(p.pid, NULL, 0), p.pid);
	ck_assert(!watch_look(&p.watch, &l));
	ck_assert_uint_eq(timed(&p.watch, NULL), 0);
	ck_assert(!watch_reads_stdin(&p.watch));
	ck_assert(!watch_start(&none, p.pid));
	ck_assert(none.status_fd == -1 && none.task_fd == -1);
	watch_end(&none);
	watch_end(&p.watch);
	close(p.in);
}
END_TEST

/* --- timers --- */

static const struct timespec hour = { HOUR_S, 0 };

static void sleep_hour(void)
{
	nanosleep(&hour, NULL);
}

static void *thread_sleep(void *arg)
{
	sleep_hour();
	return arg;
}

static void two_sleep(void)
{
	thread_start(thread_sleep);
	sleep_hour();
}

static void one_sleeps(void)
{
	thread_start(thread_sleep);
	read_on();
}

static void poll_for(int ms)
{
	struct pollfd p = { pipe_fd, POLLIN, 0 };

	poll(&p, 1, ms);
}

static void poll_for_ever(void)
{
	poll_for(-1);
}

static void poll_hour(void)
{
	poll_for(HOUR_S * 1000);
}

/* Within the watchdog. */
static void poll_seconds(void)
{
	poll_for(9000);
}

static void ppoll_for(const struct timespec *t)
{
	struct pollfd p = { pipe_fd, POLLIN, 0 };

	ppoll(&p, 1, t, NULL);
}

static void ppoll_for_ever(void)
{
	ppoll_for(NULL);
}

static void ppoll_hour(void)
{
	ppoll_for(&hour);
}

static void select_for(struct timeval *t)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(pipe_fd, &set);
	select(pipe_fd + 1, &set, NULL, NULL, t);
}

static void select_for_ever(void)
{
	select_for(NULL);
}

static void select_hour(void)
{
	select_for(&(struct timeval){ HOUR_S, 0 });
}

static void epoll_for(int ms)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int fd = epoll_create1(0);

	epoll_ctl(fd, EPOLL_CTL_ADD, pipe_fd, &ev);
	epoll_wait(fd, &ev, 1, ms);
}

static void epoll_for_ever(void)
{
	epoll_for(-1);
}

static void epoll_hour(void)
{
	epoll_for(HOUR_S * 1000);
}

static void epoll_seconds(void)
{
	epoll_for(9000);
}

/* Polls for ever, and one that it polls is a timer. 0: it is not armed. */
static void timerfd_in(time_t seconds)
{
	struct pollfd p = { timerfd_create(CLOCK_MONOTONIC, 0), POLLIN, 0 };

	timerfd_settime(p.fd, 0, &(struct itimerspec){ .it_value.tv_sec = seconds }, NULL);
	poll(&p, 1, -1);
}

static void timerfd_idle(void)
{
	timerfd_in(0);
}

static void timerfd_seconds(void)
{
	timerfd_in(9);
}

static void timerfd_hour(void)
{
	timerfd_in(HOUR_S);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

static void cond_for_ever(void)
{
	pthread_mutex_lock(&mutex);
	pthread_cond_wait(&cond, &mutex);
}

static void cond_hour(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += HOUR_S;
	pthread_mutex_lock(&mutex);
	pthread_cond_timedwait(&cond, &mutex, &until);
}

static void signal_hour(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigtimedwait(&set, NULL, &hour);
}

/* The C library has its own mind which call it makes of one: `name` is a part of the call's. */
static const struct { const char *what; void (*act)(void); unsigned timed; const char *name; } timers[] = {
	{ "read",               read_on,        0, "" },
	{ "pause",              wait_for_ever,  0, "" },
	{ "spin",               spin,           0, "" },
	{ "nanosleep",          sleep_hour,     1, "nanosleep" },
	{ "two in nanosleep",   two_sleep,      2, "nanosleep" },
	{ "one in nanosleep",   one_sleeps,     1, "nanosleep" },
	{ "poll for ever",      poll_for_ever,  0, "" },
	{ "poll",               poll_seconds,   1, "poll" },
	{ "poll, beyond any watchdog", poll_hour, 0, "" },
	{ "ppoll for ever",     ppoll_for_ever, 0, "" },
	{ "ppoll",              ppoll_hour,     1, "ppoll" },
	{ "select for ever",    select_for_ever, 0, "" },
	{ "select",             select_hour,    1, "select" },
	{ "epoll for ever",     epoll_for_ever, 0, "" },
	{ "epoll",              epoll_seconds,  1, "epoll_" },
	{ "epoll, beyond any watchdog", epoll_hour, 0, "" },
	{ "a timerfd that is not armed", timerfd_idle, 0, "" },
	{ "a timerfd",          timerfd_seconds, 1, "timerfd" },
	{ "a timerfd, beyond any watchdog", timerfd_hour, 0, "" },
	{ "condition for ever", cond_for_ever,  0, "" },
	{ "condition",          cond_hour,      1, "futex" },
	{ "sigtimedwait",       signal_hour,    1, "rt_sigtimedwait" },
};

/* A child that will have a timer gets there; of one that must not have any, each of many looks says so. */
static unsigned timed_at_last(struct watch *w, unsigned want, struct buf *text)
{
	int64_t deadline = now_ms() + DEADLINE_MS;
	unsigned n;

	do {
		text->n = 0;
		n = timed(w, text);
	} while (n < want && now_ms() < deadline);
	return n;
}

START_TEST(timer_row)
{
	struct buf text = { 0 };
	struct look l;
	struct proc p;
	unsigned n;

	proc_start(&p, timers[_i].act);
	ck_assert_msg(timers[_i].act == spin || comes_to_rest(&p.watch, &l), "%s", timers[_i].what);
	n = timed_at_last(&p.watch, timers[_i].timed, &text);
	ck_assert_msg(n == timers[_i].timed, "%s: %u: %s", timers[_i].what, n, buf_str(&text));
	ck_assert_msg(strstr(buf_str(&text), timers[_i].name) != NULL, "%s: %s", timers[_i].what, buf_str(&text));
	ck_assert_uint_eq(timed(&p.watch, NULL), n);
	buf_free(&text);
	proc_end(&p);
}
END_TEST

/* Stopped and continued, as a container is that is paused: what was slept in goes on, under another number. */
static const struct { const char *what; void (*act)(void); unsigned timed; } paused[] = {
	{ "read",                       read_on,        0 },
	{ "poll for ever",              poll_for_ever,  0 },
	{ "poll",                       poll_seconds,   1 },
	{ "ppoll for ever",             ppoll_for_ever, 0 },
	{ "ppoll",                      ppoll_hour,     1 },
	{ "select",                     select_hour,    1 },
	{ "nanosleep",                  sleep_hour,     1 },
	{ "two in nanosleep",           two_sleep,      2 },
	{ "condition for ever",         cond_for_ever,  0 },
	{ "condition",                  cond_hour,      1 },
};

START_TEST(paused_row)
{
	struct buf text = { 0 };
	struct look l;
	struct proc p;
	int status;

	proc_start(&p, paused[_i].act);
	ck_assert_msg(comes_to_rest(&p.watch, &l) && timed_at_last(&p.watch, paused[_i].timed, &text) == paused[_i].timed, "%s", paused[_i].what);
	buf_free(&text);
	for (int i = 0; i < 3; i++) {
		kill(p.pid, SIGSTOP);
		ck_assert_int_eq(waitpid(p.pid, &status, WUNTRACED), p.pid);
		kill(p.pid, SIGCONT);
		ck_assert_int_eq(waitpid(p.pid, &status, WCONTINUED), p.pid);
		ck_assert_msg(comes_to_rest(&p.watch, &l), "%s", paused[_i].what);
		ck_assert_msg(timed(&p.watch, NULL) == paused[_i].timed, "%s: %u", paused[_i].what, timed(&p.watch, NULL));
	}
	proc_end(&p);
}
END_TEST

/* --- the proof --- */

static int ring[2][2];

static void *pass_on(void *arg)
{
	int *from = ring[arg != NULL], *to = ring[arg == NULL];
	char c;

	while (read(from[0], &c, 1) == 1 && write(to[1], &c, 1) == 1)
		;
	return arg;
}

static void *start_ring(void *arg)
{
	if (write(ring[0][1], "x", 1) != 1)
		_exit(1);
	return pass_on(arg);
}

/* A byte goes round: one of the two is always awake, or about to be. */
static void pass_round(void)
{
	if (pipe(ring[0]) != 0 || pipe(ring[1]) != 0)
		_exit(1);
	thread_start(pass_on);
	start_ring(ring);
}

/* On its way to sleep for most of the time that it is awake at all. */
static void naps_briefly(void)
{
	for (const struct timespec nap = { 0, 1000 };;)
		nanosleep(&nap, NULL);
}

static void *thread_nap(void *arg)
{
	naps_briefly();
	return arg;
}

static void napper_beside(void)
{
	thread_start(thread_nap);
	wait_for_ever();
}

/* Naps behind a timerfd, long enough for many looks: at the end of a nap it is due, and has not fired yet. */
static void timerfd_naps(void)
{
	struct pollfd p = { timerfd_create(CLOCK_MONOTONIC, 0), POLLIN, 0 };
	uint64_t fired;

	do {
		timerfd_settime(p.fd, 0, &(struct itimerspec){ .it_value.tv_nsec = 2000000 }, NULL);
		poll(&p, 1, -1);
	} while (read(p.fd, &fired, sizeof(fired)) == sizeof(fired));
}

/* rests: there are instants at which all sleep, and in each of them so many have a timer. */
static const struct { const char *what; void (*act)(void); unsigned threads; bool rests; unsigned timed; } provers[] = {
	{ "one reads",                          read_on,        1, true,  0 },
	{ "two read",                           two_wait,       2, true,  0 },
	{ "one spins",                          one_spins,      2, false, 0 },
	{ "two pass a byte to each other",      pass_round,     2, false, 0 },
	{ "one naps",                           naps_briefly,   1, true,  1 },
	{ "a thread naps",                      napper_beside,  2, true,  1 },
	{ "one naps behind a timerfd",          timerfd_naps,   1, true,  1 },
};

START_TEST(prover_row)
{
	struct calls c;
	struct look l;
	struct proc p;

	proc_start(&p, provers[_i].act);
	do
		ck_assert(watch_look(&p.watch, &l));
	while (l.threads != provers[_i].threads || (provers[_i].rests && !watch_proves_rest(&p.watch, &l, &c)));
	for (int i = 0; i < (provers[_i].timed ? MANY_LOOKS : LOOKS); i++) {
		ck_assert(watch_look(&p.watch, &l));
		if (!watch_proves_rest(&p.watch, &l, &c))
			continue;
		ck_assert_msg(provers[_i].rests, "%s", provers[_i].what);
		ck_assert_msg(c.timed == provers[_i].timed && c.asleep == provers[_i].threads && !c.running, "%s: %u timed", provers[_i].what, c.timed);
	}
	proc_end(&p);
}
END_TEST

/* --- threads that keep house --- */

/* Not for the byte that wakes the others. */
static void *thread_poll(void *arg)
{
	poll(NULL, 0, 9000);
	return arg;
}

/* One that keeps house, and waits for its wait to be noted; then another of the same kind comes. */
static void *thread_then_sleep(void *arg)
{
	char c;

	if (read(pipe_fd, &c, 1) == 1)
		sleep_hour();
	return arg;
}

static void housekeeper_first(void)
{
	thread_start(thread_sleep);
	thread_start(thread_then_sleep);
	wait_for_ever();
}

static void first_sleeps(void)
{
	thread_start(thread_read);
	sleep_hour();
}

static void poller(void)
{
	thread_start(thread_poll);
	wait_for_ever();
}

/* timed: waits that count when the house was noted, and `later`, when a byte has come. */
static const struct { const char *what; void (*act)(void); unsigned threads, noted, timed, later; } houses[] = {
	{ "alone, no timer",                            read_on,           1, 0, 0, 0 },
	{ "alone, with a timer",                        sleep_hour,        1, 0, 1, 1 },
	{ "the first thread is never excused",          first_sleeps,      2, 0, 1, 1 },
	{ "another is",                                 one_sleeps,        2, 1, 0, 0 },
	{ "one that waits for a descriptor is not",     poller,            2, 0, 1, 1 },
	{ "one that had no timer then, is not later",   housekeeper_first, 3, 1, 0, 1 },
};

START_TEST(house_row)
{
	int64_t deadline = now_ms() + DEADLINE_MS;
	struct buf text = { 0 };
	struct look l;
	struct proc p;
	bool noted;

	proc_start(&p, houses[_i].act);
	ck_assert_msg(comes_to_threads(&p.watch, houses[_i].threads, &l), "%s", houses[_i].what);
	/* All there, and asleep; the last one may still be on its way to its call. */
	do
		noted = watch_note_house(&p.watch) && p.watch.nhouse == houses[_i].noted && timed(&p.watch, NULL) == houses[_i].timed;
	while (!noted && now_ms() < deadline);
	ck_assert_msg(noted, "%s: %u noted, %u timed", houses[_i].what, p.watch.nhouse, timed(&p.watch, NULL));
	ck_assert_int_eq(write(p.in, "x", 1), 1);
	ck_assert_msg(timed_at_last(&p.watch, houses[_i].later, &text) == houses[_i].later, "%s: later", houses[_i].what);
	buf_free(&text);
	proc_end(&p);
}
END_TEST

/* One that was awake for a moment while the house was noted is noted all the same, or nobody is. */
START_TEST(house_of_a_napper)
{
	unsigned noted = 0;
	struct look l;
	struct proc p;

	proc_start(&p, napper_beside);
	do
		ck_assert(watch_look(&p.watch, &l));
	while (l.threads != 2);
	for (int i = 0; i < MANY_LOOKS || !noted; i++) {
		if (!watch_note_house(&p.watch))
			continue;
		noted++;
		ck_assert_uint_eq(p.watch.nhouse, 1);
	}
	proc_end(&p);
}
END_TEST

/* Nobody is noted while one runs, and what was noted before is forgotten. */
START_TEST(house_of_a_spinner)
{
	struct proc p;
	struct look l;

	proc_start(&p, one_spins);
	do
		ck_assert(watch_look(&p.watch, &l));
	while (l.threads != 2);
	p.watch.house[0] = p.pid;
	p.watch.nhouse = 1;
	for (int i = 0; i < LOOKS; i++)
		ck_assert(!watch_note_house(&p.watch) && p.watch.nhouse == 0);
	proc_end(&p);
}
END_TEST

/* --- standard input --- */

static void read_stdin(void)
{
	dup2(pipe_fd, 0);
	pipe_fd = 0;
	read_on();
}

static void poll_stdin(void)
{
	dup2(pipe_fd, 0);
	pipe_fd = 0;
	poll_for_ever();
}

static void two_read_stdin(void)
{
	thread_start(thread_read);
	read_stdin();
}

static const struct { const char *what; void (*act)(void); unsigned threads; bool reads; } inputs[] = {
	{ "reads its standard input",       read_stdin,     1, true },
	{ "reads something else",           read_on,        1, false },
	{ "polls its standard input",       poll_stdin,     1, false },
	{ "has another thread",             two_read_stdin, 2, false },
};

START_TEST(stdin_row)
{
	int64_t deadline = now_ms() + DEADLINE_MS;
	struct look l;
	struct proc p;

	proc_start(&p, inputs[_i].act);
	ck_assert_msg(comes_to_threads(&p.watch, inputs[_i].threads, &l), "%s", inputs[_i].what);
	while (inputs[_i].reads && !watch_reads_stdin(&p.watch) && now_ms() < deadline)
		;
	ck_assert_msg(watch_reads_stdin(&p.watch) == inputs[_i].reads, "%s", inputs[_i].what);
	proc_end(&p);
}
END_TEST

ROWS_MAIN("settle", { blocks_in_read, 1 }, { spins, countof(busy) }, { two_threads, 1 }, { many_threads, 1 },
          { come_and_go, 1 }, { awake_first, 1 }, { stopped, 1 }, { gone, 1 },
          { timer_row, countof(timers) }, { stdin_row, countof(inputs) },
          { paused_row, countof(paused) }, { prover_row, countof(provers) },
          { house_row, countof(houses) }, { house_of_a_napper, 1 }, { house_of_a_spinner, 1 })
