/* settle: has a process come to rest? */
#include "runner/settle.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STATUS_TEXT = 4096, THREADS_KEPT = 128 };

bool watch_start(struct watch *w, pid_t pid)
{
	char path[64];

	*w = (struct watch){ .pid = pid, .status_fd = -1, .task_fd = -1, .syscall_fd = -1, .fds_fd = -1 };
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	w->status_fd = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	w->task_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/syscall", (int)pid);
	w->syscall_fd = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	w->fds_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->status_fd >= 0 && w->task_fd >= 0 && w->syscall_fd >= 0 && w->fds_fd >= 0)
		return true;
	watch_end(w);
	return false;
}

static void forget_threads(struct watch *w)
{
	for (size_t i = 0; i < w->nthreads; i++)
		for (int k = 0; k < THREAD_FILES; k++)
			if (w->threads[i].fd[k] >= 0)
				close(w->threads[i].fd[k]);
	w->nthreads = 0;
}

void watch_end(struct watch *w)
{
	if (w->status_fd >= 0)
		close(w->status_fd);
	if (w->task_fd >= 0)
		close(w->task_fd);
	if (w->syscall_fd >= 0)
		close(w->syscall_fd);
	if (w->fds_fd >= 0)
		close(w->fds_fd);
	w->status_fd = w->task_fd = w->syscall_fd = w->fds_fd = -1;
	forget_threads(w);
	free(w->threads);
	w->threads = NULL;
	w->awake = 0;
}

/* The folder has one link for each thread, and two of its own. */
bool watch_alone(const struct watch *w)
{
	struct stat st;

	return fstat(w->task_fd, &st) == 0 && st.st_nlink == 3;
}

static const char *field(const char *status, const char *name)
{
	const char *at = strstr(status, name);

	return at ? at + strlen(name) : "";
}

/* Murmur's finalizer: sums of what it gives are equal by chance once in 2^64. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 33) * 0xff51afd7ed558ccd;
	x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53;
	return x ^ x >> 33;
}

/* The whole of a small file; empty, and false: it cannot be read. */
static bool text_of(int fd, char text[STATUS_TEXT])
{
	ssize_t n = fd < 0 ? -1 : pread(fd, text, STATUS_TEXT - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* Adds one thread's status to the collection. */
static void add_thread(const char *text, struct look *l, unsigned *threads)
{
	uint64_t count;

	l->asleep &= *field(text, "\nState:\t") == 'S';
	count = strtoull(field(text, "\nvoluntary_ctxt_switches:\t"), NULL, 10) +
	        strtoull(field(text, "\nnonvoluntary_ctxt_switches:\t"), NULL, 10);
	l->switches += mix(mix(strtoull(field(text, "\nPid:\t"), NULL, 10)) + count);
	*threads = (unsigned)strtoul(field(text, "\nThreads:\t"), NULL, 10);
}

/* Calls one() with every number that a folder of /proc lists, until it returns false. */
static void each_number(struct watch *w, int folder_fd, bool (*one)(struct watch *, const char *number, void *), void *to)
{
	char block[4096] __attribute__((aligned(8)));
	long n;

	lseek(folder_fd, 0, SEEK_SET);
	while ((n = syscall(SYS_getdents64, folder_fd, block, sizeof(block))) > 0) {
		for (long at = 0; at < n;) {
			struct dirent64 *d = (struct dirent64 *)(block + at);

			if (d->d_name[0] != '.' && !one(w, d->d_name, to))
				return;
			at += d->d_reclen;
		}
	}
}

static void each_thread(struct watch *w, bool (*one)(struct watch *, const char *tid, void *), void *to)
{
	each_number(w, w->task_fd, one, to);
}

static int open_of_thread(struct watch *w, const char *tid, const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), "%.20s/%s", tid, file);
	return openat(w->task_fd, path, O_RDONLY | O_CLOEXEC);
}

static const char *const thread_files[THREAD_FILES] = { [THREAD_STATUS] = "status", [THREAD_SYSCALL] = "syscall" };

/* Threads stay for long, and a file of /proc takes longer to open than to read: so they are kept. */
static struct thread *thread_of(struct watch *w, const char *tid)
{
	pid_t id = (pid_t)strtol(tid, NULL, 10);
	size_t i = 0;

	while (i < w->nthreads && w->threads[i].id != id)
		i++;
	if (i < w->nthreads)
		return &w->threads[i];
	/* Those that are gone are not sorted out one by one: a runtime that makes threads without end makes new ones. */
	if (w->nthreads == THREADS_KEPT)
		forget_threads(w);
	if (!w->threads)
		w->threads = malloc(THREADS_KEPT * sizeof(*w->threads));
	assert(w->threads);
	w->threads[w->nthreads] = (struct thread){ id, { -1, -1 } };
	return &w->threads[w->nthreads++];
}

/* A file of a thread; empty, and false: it is gone. A number that is given again is another thread, of which the old file tells nothing. */
static bool text_of_thread(struct watch *w, const char *tid, enum thread_file which, char text[STATUS_TEXT])
{
	struct thread *t = thread_of(w, tid);

	if (text_of(t->fd[which], text))
		return true;
	if (t->fd[which] >= 0)
		close(t->fd[which]);
	t->fd[which] = open_of_thread(w, tid, thread_files[which]);
	return text_of(t->fd[which], text);
}

/* Calls one() with a file of each process that this thread forked; empty: it is gone. */
static void each_child(struct watch *w, const char *tid, enum thread_file which,
                       void (*one)(struct watch *, const char *tid, const char *text, void *), void *to)
{
	char list[256], text[STATUS_TEXT], path[300], *rest = list;
	int fd = open_of_thread(w, tid, "children");
	ssize_t n = fd < 0 ? -1 : read(fd, list, sizeof(list) - 1);

	if (fd >= 0)
		close(fd);
	list[n < 0 ? 0 : n] = '\0';
	for (char *pid; (pid = strtok_r(rest, " ", &rest)); ) {
		snprintf(path, sizeof(path), "/proc/%s/%s", pid, thread_files[which]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		text_of(fd, text);
		one(w, pid, text, to);
		if (fd >= 0)
			close(fd);
	}
}

/* One that has died and waits to be collected is not asleep; one that is gone is another collection than before. */
static void look_at_status(struct watch *w, const char *tid, const char *text, void *to)
{
	struct look *l = to;
	unsigned threads;

	(void)w;
	if (!*text) {
		l->switches += mix(strtoull(tid, NULL, 10));
		return;
	}
	add_thread(text, l, &threads);
	l->threads++;
}

static bool look_at_thread(struct watch *w, const char *tid, void *to)
{
	struct look *l = to;
	char text[STATUS_TEXT];

	text_of_thread(w, tid, THREAD_STATUS, text);
	look_at_status(w, tid, text, l);
	if (w->children)
		each_child(w, tid, THREAD_STATUS, look_at_status, l);
	/* Of a collection that does not sleep nobody asks more. */
	if (!l->asleep)
		w->awake = (pid_t)strtol(tid, NULL, 10);
	return l->asleep;
}

/* Who did not sleep last time is mostly the one that does not sleep now. */
static bool still_awake(struct watch *w)
{
	char tid[16], text[STATUS_TEXT];

	if (!w->awake)
		return false;
	snprintf(tid, sizeof(tid), "%d", (int)w->awake);
	w->awake = text_of_thread(w, tid, THREAD_STATUS, text) && *field(text, "\nState:\t") != 'S' ? w->awake : 0;
	return w->awake != 0;
}

bool watch_look(struct watch *w, struct look *l)
{
	char text[STATUS_TEXT];
	unsigned threads = 0;

	*l = (struct look){ .asleep = true };
	if (watch_alone(w) && !w->children) {
		if (!text_of(w->status_fd, text))
			return false;
		add_thread(text, l, &threads);
		l->threads = 1;
		if (threads == 1)
			return true;
	}
	*l = (struct look){ .threads = 1 };
	if (still_awake(w))
		return true;
	*l = (struct look){ .asleep = true };
	each_thread(w, look_at_thread, l);
	return l->threads > 0;
}

bool look_at_rest(const struct look *before, const struct look *now)
{
	return before->asleep && now->asleep && before->threads == now->threads && before->switches == now->switches;
}

/* Which argument of which call is a timeout, and what there means "for ever"; and whether the call waits for descriptors. */
static const struct timed_call {
	long nr;
	int arg;
	enum { MS_NEGATIVE, POINTER_NULL, ALWAYS } forever;
	const char *name;
	bool io;
} timed_calls[] = {
#ifdef SYS_poll
	{ SYS_poll, 2, MS_NEGATIVE, "poll", true },
#endif
#ifdef SYS_select
	{ SYS_select, 4, POINTER_NULL, "select", true },
#endif
#ifdef SYS_epoll_wait
	{ SYS_epoll_wait, 3, MS_NEGATIVE, "epoll_wait", true },
#endif
	{ SYS_ppoll, 2, POINTER_NULL, "ppoll", true },
	{ SYS_pselect6, 4, POINTER_NULL, "pselect6", true },
	{ SYS_epoll_pwait, 3, MS_NEGATIVE, "epoll_pwait", true },
#ifdef SYS_epoll_pwait2
	{ SYS_epoll_pwait2, 3, POINTER_NULL, "epoll_pwait2", true },
#endif
	{ SYS_nanosleep, 0, ALWAYS, "nanosleep", false },
	{ SYS_clock_nanosleep, 0, ALWAYS, "clock_nanosleep", false },
	{ SYS_futex, 3, POINTER_NULL, "futex", false },
	{ SYS_rt_sigtimedwait, 2, POINTER_NULL, "rt_sigtimedwait", false },
	{ SYS_recvmmsg, 4, POINTER_NULL, "recvmmsg", true },
};

/* A runtime's housekeeping timers run for many seconds; no call of a library that waits longer than any watchdog can be told from one
 * that waits for ever. */
enum { LONG_WAIT_MS = 10000 };

/* A call that was interrupted by a stop (SIGSTOP, the freezer) goes on as this one, with the registers of the call that it was. */
static const struct timed_call unknown_call = { SYS_restart_syscall, 0, ALWAYS, "restart_syscall", true };

/* Where in the kernel it sleeps has the name of the call in it: poll_schedule_timeout, hrtimer_nanosleep, futex_wait_queue. */
static const struct timed_call *restarted_call(struct watch *w, const char *tid)
{
	static const char *const stems[] = { "poll", "nanosleep", "futex" };
	int fd = open_of_thread(w, tid, "wchan");
	char where[STATUS_TEXT];

	text_of(fd, where);
	if (fd >= 0)
		close(fd);
	for (size_t i = 0; i < countof(timed_calls); i++)
		for (size_t k = 0; k < countof(stems); k++)
			if (strstr(where, stems[k]) && strcmp(timed_calls[i].name, stems[k]) == 0)
				return &timed_calls[i];
	return &unknown_call;
}

static const struct timed_call *call_by_number(struct watch *w, const char *tid, long nr)
{
	if (nr == SYS_restart_syscall)
		return restarted_call(w, tid);
	for (size_t i = 0; i < countof(timed_calls); i++)
		if (timed_calls[i].nr == nr)
			return &timed_calls[i];
	return NULL;
}

static bool waits_for_ever(const struct timed_call *call, unsigned long long v)
{
	switch (call->forever) {
	case MS_NEGATIVE:
		return (int32_t)v < 0 || (int32_t)v > LONG_WAIT_MS;
	case POINTER_NULL:
		return v == 0;
	case ALWAYS:
		return false;
	}
	abort();
}

/* "NR 0xARG0 0xARG1 ...": the call, if it is one that can have a timeout, and whether it has: *timed. */
static const struct timed_call *timed_call(struct watch *w, const char *tid, const char *text, bool *timed)
{
	char *end;
	const struct timed_call *call = call_by_number(w, tid, strtol(text, &end, 10));
	unsigned long long arg[6] = { 0 };

	for (int i = 0; i < 6; i++)
		arg[i] = strtoull(end, &end, 16);
	*timed = call && !waits_for_ever(call, arg[call->arg]);
	return call;
}

/* The kernel tells a call's number only of a thread that it found off the processor and asleep, before and after; of all others
 * "running". */
static bool in_call(const char *text)
{
	return text[0] >= '0' && text[0] <= '9';
}

bool watch_runs(struct watch *w)
{
	char text[STATUS_TEXT];

	return watch_alone(w) && text_of(w->syscall_fd, text) && text[0] == 'r';
}

/* --- threads that keep house --- */

static bool keeps_house(const struct watch *w, pid_t id)
{
	for (unsigned i = 0; i < w->nhouse; i++)
		if (w->house[i] == id)
			return true;
	return false;
}

/* --- calls --- */

struct survey {
	struct calls *calls;
	struct buf *text;
	bool note;                      /* who keeps house */
	bool timerfds;                  /* they are asked for */
	bool waits_for_descriptors;     /* one of them does: a timerfd may be among these */
};

/* The first thread runs the calls in most runtimes, and what waits for descriptors may wait for the connection's. */
static void note_house(struct watch *w, pid_t id, const struct timed_call *call)
{
	if (!call->io && id != w->pid && w->nhouse < HOUSE_MAX)
		w->house[w->nhouse++] = id;
}

static void count_timed(struct survey *to, const char *name)
{
	to->calls->timed++;
	if (to->text)
		buf_printf(to->text, "%s%s", to->text->n ? " " : "", name);
}

static void add_timed(struct watch *w, pid_t id, const struct timed_call *call, struct survey *to)
{
	if (to->note)
		note_house(w, id, call);
	if (w->nhouse && keeps_house(w, id))
		return;
	count_timed(to, call->name);
}

static void add_call(struct watch *w, const char *tid, const char *text, void *to)
{
	struct survey *s = to;
	const struct timed_call *call;
	bool timed;

	if (!in_call(text)) {
		s->calls->running++;
		return;
	}
	s->calls->asleep++;
	call = timed_call(w, tid, text, &timed);
	s->waits_for_descriptors |= call && call->io;
	if (timed)
		add_timed(w, (pid_t)strtol(tid, NULL, 10), call, to);
}

/* Where one runs nothing is proved, and only a message asks for the others. */
static bool call_of_thread(struct watch *w, const char *tid, void *to)
{
	const struct survey *s = to;
	char text[STATUS_TEXT];

	text_of_thread(w, tid, THREAD_SYSCALL, text);
	add_call(w, tid, text, to);
	if (w->children)
		each_child(w, tid, THREAD_SYSCALL, add_call, to);
	return s->text || !s->calls->running;
}

/* The milliseconds that are left of a timerfd, as /proc/PID/fdinfo tells them; 0: it is not armed, or is due. */
static unsigned long long left_of_timerfd(struct watch *w, const char *fd)
{
	char path[64], text[STATUS_TEXT], *end;
	unsigned long long s, ns;
	int info;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%.20s", (int)w->pid, fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	text_of(info, text);
	if (info >= 0)
		close(info);
	s = strtoull(field(text, "\nit_value: ("), &end, 10);
	ns = *end == ',' ? strtoull(end + 1, NULL, 10) : 0;
	return s * 1000 + (ns + 999999) / 1000000;
}

static bool count_timerfd(struct watch *w, const char *fd, void *to)
{
	static const char timerfd[] = "anon_inode:[timerfd]";
	struct survey *s = to;
	char what[sizeof(timerfd)];
	unsigned long long ms;

	if (readlinkat(w->fds_fd, fd, what, sizeof(what)) != sizeof(timerfd) - 1 || memcmp(what, timerfd, sizeof(timerfd) - 1) != 0)
		return true;
	ms = left_of_timerfd(w, fd);
	if (ms > 0 && ms <= LONG_WAIT_MS)
		count_timed(s, "timerfd");
	return true;
}

/* One that is due and has not fired yet, as its processor is late, looks like one that is not armed. now: a look that found all asleep;
 * who was armed when the same counts were seen has not been disarmed. */
static void survey_timerfds(struct watch *w, const struct look *now, struct survey *s)
{
	unsigned other = s->calls->timed;

	if (!s->timerfds || !s->waits_for_descriptors || s->calls->running)
		return;
	each_number(w, w->fds_fd, count_timerfd, s);
	if (s->calls->timed > other) {
		w->armed = true;
		w->armed_at = now->switches;
	} else if (w->armed && w->armed_at == now->switches) {
		count_timed(s, "timerfd");
	}
}

static void survey_calls(struct watch *w, struct survey *s)
{
	char tid[16], text[STATUS_TEXT];

	*s->calls = (struct calls){ 0 };
	if (!watch_alone(w) || w->children) {
		each_thread(w, call_of_thread, s);
		return;
	}
	snprintf(tid, sizeof(tid), "%d", (int)w->pid);
	text_of(w->syscall_fd, text);
	add_call(w, tid, text, s);
}

void watch_calls(struct watch *w, struct calls *c, struct buf *text)
{
	struct survey s = { .calls = c, .text = text };

	survey_calls(w, &s);
	if (s.waits_for_descriptors)
		each_number(w, w->fds_fd, count_timerfd, &s);
}

static bool proves_rest(struct watch *w, const struct look *now, struct survey *s)
{
	struct look after;

	if (!now->asleep)
		return false;
	survey_calls(w, s);
	survey_timerfds(w, now, s);
	return !s->calls->running && s->calls->asleep == now->threads && watch_look(w, &after) && look_at_rest(now, &after);
}

bool watch_proves_rest(struct watch *w, const struct look *now, struct calls *c)
{
	struct calls unasked;

	return proves_rest(w, now, &(struct survey){ .calls = c ? c : &unasked, .timerfds = c != NULL });
}

bool watch_note_house(struct watch *w)
{
	struct look now;
	struct calls c;

	w->nhouse = 0;
	if (watch_alone(w))
		return true;
	if (watch_look(w, &now) && proves_rest(w, &now, &(struct survey){ .calls = &c, .note = true }))
		return true;
	w->nhouse = 0;
	return false;
}

bool watch_reads_stdin(struct watch *w)
{
	char text[STATUS_TEXT], want[16];

	if (!watch_alone(w) || !text_of(w->syscall_fd, text))
		return false;
	snprintf(want, sizeof(want), "%d 0x0 ", (int)SYS_read);
	return strncmp(text, want, strlen(want)) == 0;
}
