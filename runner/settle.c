/* settle: has a process come to rest? */
#include "runner/settle.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

bool watch_start(struct watch *w, pid_t pid)
{
	char path[64];

	*w = (struct watch){ .pid = pid, .status_fd = -1, .task_fd = -1, .syscall_fd = -1 };
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	w->status_fd = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	w->task_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/syscall", (int)pid);
	w->syscall_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (w->status_fd >= 0 && w->task_fd >= 0 && w->syscall_fd >= 0)
		return true;
	watch_end(w);
	return false;
}

void watch_end(struct watch *w)
{
	if (w->status_fd >= 0)
		close(w->status_fd);
	if (w->task_fd >= 0)
		close(w->task_fd);
	if (w->syscall_fd >= 0)
		close(w->syscall_fd);
	w->status_fd = w->task_fd = w->syscall_fd = -1;
}

static const char *field(const char *status, const char *name)
{
	const char *at = strstr(status, name);

	return at ? at + strlen(name) : "";
}

/* Adds one thread's status file to the collection. False: the thread is gone. */
static bool add_thread(int fd, struct look *l, unsigned *threads)
{
	char text[4096];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return false;
	text[n] = '\0';
	l->asleep &= *field(text, "\nState:\t") == 'S';
	l->switches += strtoull(field(text, "\nvoluntary_ctxt_switches:\t"), NULL, 10);
	l->switches += strtoull(field(text, "\nnonvoluntary_ctxt_switches:\t"), NULL, 10);
	*threads = (unsigned)strtoul(field(text, "\nThreads:\t"), NULL, 10);
	return true;
}

/* Calls for_each with the number of every thread, as the folder /proc/PID/task lists them. */
static void each_thread(struct watch *w, void (*one)(struct watch *, const char *tid, void *), void *to)
{
	char block[4096] __attribute__((aligned(8)));
	long n;

	lseek(w->task_fd, 0, SEEK_SET);
	while ((n = syscall(SYS_getdents64, w->task_fd, block, sizeof(block))) > 0) {
		for (long at = 0; at < n;) {
			struct dirent64 *d = (struct dirent64 *)(block + at);

			if (d->d_name[0] != '.')
				one(w, d->d_name, to);
			at += d->d_reclen;
		}
	}
}

static int open_of_thread(struct watch *w, const char *tid, const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), "%.20s/%s", tid, file);
	return openat(w->task_fd, path, O_RDONLY | O_CLOEXEC);
}

static void add_file(int fd, const char *who, struct look *l)
{
	unsigned threads;

	l->who += strtoull(who, NULL, 10);
	if (fd < 0)
		return;
	l->threads += add_thread(fd, l, &threads);
	close(fd);
}

/* The numbers of all that this thread forked, in one file. One that has died and waits to be collected is not asleep either. */
static void look_at_children(struct watch *w, const char *tid, struct look *l)
{
	char text[256], path[300], *rest = text;
	int fd = open_of_thread(w, tid, "children");
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = '\0';
	for (char *pid; (pid = strtok_r(rest, " ", &rest)); ) {
		snprintf(path, sizeof(path), "/proc/%s/status", pid);
		add_file(open(path, O_RDONLY | O_CLOEXEC), pid, l);
	}
}

static void look_at_thread(struct watch *w, const char *tid, void *to)
{
	add_file(open_of_thread(w, tid, "status"), tid, to);
	if (w->children)
		look_at_children(w, tid, to);
}

bool watch_look(struct watch *w, struct look *l)
{
	unsigned threads = 0;

	*l = (struct look){ .asleep = true };
	if (!add_thread(w->status_fd, l, &threads))
		return false;
	l->threads = 1;
	if (threads == 1 && !w->children)
		return true;
	*l = (struct look){ .asleep = true };
	each_thread(w, look_at_thread, l);
	return l->threads > 0;
}

bool look_at_rest(const struct look *before, const struct look *now)
{
	return before->asleep && now->asleep && before->threads == now->threads && before->who == now->who &&
	       before->switches == now->switches;
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

/* "NR 0xARG0 0xARG1 ...", or "running". The call, if it has a finite timeout; NULL when it waits for ever. */
static const struct timed_call *timed_call(const char *text)
{
	char *end;
	long nr = strtol(text, &end, 10);
	unsigned long long arg[6] = { 0 };

	if (end == text)
		return NULL;
	for (int i = 0; i < 6; i++)
		arg[i] = strtoull(end, &end, 16);
	for (size_t i = 0; i < countof(timed_calls); i++) {
		unsigned long long v = arg[timed_calls[i].arg];

		if (timed_calls[i].nr != nr)
			continue;
		if (timed_calls[i].forever == MS_NEGATIVE)
			return (int32_t)v < 0 || (int32_t)v > LONG_WAIT_MS ? NULL : &timed_calls[i];
		return timed_calls[i].forever == POINTER_NULL && v == 0 ? NULL : &timed_calls[i];
	}
	return NULL;
}

enum { CALL_TEXT = 160 };

/* What the first thread is in: "NR 0xARG0 ...", or "running". Empty when it is gone. */
static void first_call(const struct watch *w, char text[CALL_TEXT])
{
	ssize_t n = pread(w->syscall_fd, text, CALL_TEXT - 1, 0);

	text[n > 0 ? n : 0] = '\0';
}

/* The folder has one link for each thread, and two of its own. */
bool watch_alone(const struct watch *w)
{
	struct stat st;

	return fstat(w->task_fd, &st) == 0 && st.st_nlink == 3;
}

bool watch_runs(struct watch *w)
{
	char text[CALL_TEXT];

	if (!watch_alone(w))
		return false;
	first_call(w, text);
	return text[0] == 'r';
}

/* The call with a timer that this thread is in; NULL: none. */
static const struct timed_call *timed_call_of(struct watch *w, const char *tid)
{
	char text[CALL_TEXT];
	int fd = open_of_thread(w, tid, "syscall");
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return timed_call(text);
}

/* --- threads that keep house --- */

/* The first thread runs the calls in most runtimes, and what waits for descriptors may wait for the connection's. */
static void note_house(struct watch *w, const char *tid, void *unused)
{
	const struct timed_call *call = timed_call_of(w, tid);
	pid_t id = (pid_t)strtol(tid, NULL, 10);

	(void)unused;
	if (call && !call->io && id != w->pid && w->nhouse < HOUSE_MAX)
		w->house[w->nhouse++] = id;
}

static bool keeps_house(const struct watch *w, pid_t id)
{
	for (unsigned i = 0; i < w->nhouse; i++)
		if (w->house[i] == id)
			return true;
	return false;
}

bool watch_note_house(struct watch *w)
{
	struct look before, after;

	w->nhouse = 0;
	if (watch_alone(w))
		return true;
	if (!watch_look(w, &before) || !before.asleep)
		return false;
	each_thread(w, note_house, NULL);
	if (watch_look(w, &after) && look_at_rest(&before, &after))
		return true;
	w->nhouse = 0;
	return false;
}

/* --- timers --- */

struct timed { unsigned n; struct buf *text; };

static void add_timed(struct timed *t, const struct timed_call *call)
{
	if (!call)
		return;
	t->n++;
	if (t->text)
		buf_printf(t->text, "%s%s", t->text->n ? " " : "", call->name);
}

static void count_timed(struct watch *w, const char *tid, void *to)
{
	if (!w->nhouse || !keeps_house(w, (pid_t)strtol(tid, NULL, 10)))
		add_timed(to, timed_call_of(w, tid));
}

unsigned watch_timed(struct watch *w, struct buf *text)
{
	struct timed t = { 0, text };
	char call[CALL_TEXT];

	if (watch_alone(w)) {
		first_call(w, call);
		add_timed(&t, timed_call(call));
		return t.n;
	}
	each_thread(w, count_timed, &t);
	return t.n;
}

bool watch_reads_stdin(struct watch *w)
{
	char text[CALL_TEXT], want[16];

	if (!watch_alone(w))
		return false;
	first_call(w, text);
	snprintf(want, sizeof(want), "%d 0x0 ", (int)SYS_read);
	return strncmp(text, want, strlen(want)) == 0;
}
