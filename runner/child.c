/* child: processes that we start. */
#include "runner/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>


/* DRAIN_MAX: of each pipe at once: who writes faster than we read would keep us here. */
enum { LINE_MAX_BYTES = 1 << 20, LOG_KEEP = 4096, DEATH_MS = 2000, CHUNK = 4096, DRAIN_MAX = 16 * CHUNK };

extern char **environ;

static void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* What a child could not do on its way to being another program. */
struct obstacle { int error; bool place; };             /* place: it could not enter its world */

static void in_child(const struct child *c, char *const argv[], char *const env[], const char *root, enum rights rights,
                     const int fds[3], int report)
{
	struct obstacle o = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_DFL);
	for (int i = 0; i < 3; i++)
		if (fds[i] >= 0)
			dup2(fds[i], i);
	for (; env && *env; env++)
		putenv(*env);
	o.place = !(c->place.keeper ? confine_enter(&c->place, root) : rights_take(rights));
	if (!o.place)
		execvp(argv[0], argv);
	o.error = errno;
	if (write(report, &o, sizeof(o)) != sizeof(o))
		_exit(126);
	_exit(127);
}

/* Each pipe: ours and the child's end, both close-on-exec (the child's is duplicated onto 0, 1, 2). */
static bool make_pipes(int theirs[3], struct child *c, int report[2])
{
	int p[2];

	if (pipe2(report, O_CLOEXEC) != 0)
		return false;
	for (int i = 0; i < 3; i++) {
		if (pipe2(p, O_CLOEXEC) != 0)
			return false;
		theirs[i] = i == 0 ? p[0] : p[1];
		*(i == 0 ? &c->in : i == 1 ? &c->out : &c->err) = i == 0 ? p[1] : p[0];
	}
	fcntl(c->out, F_SETFL, O_NONBLOCK);
	fcntl(c->err, F_SETFL, O_NONBLOCK);
	return true;
}

static bool could_not(const struct obstacle *o, char *const argv[], const char *root, struct fault *f)
{
	errno = o->error;
	if (o->place)
		return fault_machine(f, "%s%s%s could not enter its place:", argv[0], root ? " in the root " : "", root ? root : "");
	/* Root without capabilities may read less than one thinks. */
	return fault_machine(f, "cannot run %s%s%s%s:", argv[0], root ? " in the root " : "", root ? root : "",
	                     errno == EACCES && geteuid() == 0 ? " without the capabilities of root" : "");
}

bool child_start(struct child *c, char *const argv[], char *const env[], const char *root, enum rights rights, struct fault *f)
{
	int theirs[3] = { -1, -1, -1 }, report[2] = { -1, -1 };
	struct obstacle o;
	bool ok;

	*c = (struct child){ .in = -1, .out = -1, .err = -1 };
	if (rights == RIGHTS_NONE && !confine_start(&c->place, root, f))
		return false;
	ok = make_pipes(theirs, c, report) && (c->pid = c->place.keeper ? confine_fork(&c->place) : fork()) >= 0;
	if (ok && c->pid == 0)
		in_child(c, argv, env, root, rights, theirs, report[1]);
	o = (struct obstacle){ ok ? 0 : errno, false };
	for (int i = 0; i < 3; i++)
		fd_close(&theirs[i]);
	fd_close(&report[1]);
	if (ok && read(report[0], &o, sizeof(o)) == sizeof(o))
		ok = false;
	fd_close(&report[0]);
	if (ok)
		return true;
	child_end(c);
	return could_not(&o, argv, root, f);
}

bool child_say(struct child *c, struct bytes line)
{
	struct buf text = { 0 };
	size_t done = 0;

	buf_add_bytes(&text, line);
	buf_u8(&text, '\n');
	while (done < text.n) {
		ssize_t n = write(c->in, text.p + done, text.n - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	buf_free(&text);
	return done == line.n + 1;
}

static bool drain_log(struct child *c)
{
	char chunk[CHUNK];
	size_t came = 0;
	ssize_t n = -1;

	while (c->err >= 0 && came < DRAIN_MAX && (n = read(c->err, chunk, CHUNK)) > 0) {
		buf_add(&c->log, chunk, (size_t)n);
		if (c->log.n > LOG_KEEP)
			buf_drop(&c->log, c->log.n - LOG_KEEP);
		came += (size_t)n;
		if (n < CHUNK)
			break;
	}
	if (c->err >= 0 && n == 0)
		fd_close(&c->err);              /* at its end it would wake every poll at once */
	return came > 0;
}

bool child_drain_lines(struct child *c)
{
	bool came = false;

	/* The line taken last was valid until here. */
	buf_drop(&c->lines, c->taken);
	c->taken = 0;
	for (size_t got = 0; c->out >= 0 && !c->ended && !c->flooded && got < DRAIN_MAX; got += CHUNK) {
		uint8_t *p = buf_grow(&c->lines, CHUNK);
		ssize_t n = read(c->out, p, CHUNK);

		c->lines.n -= CHUNK - (size_t)(n > 0 ? n : 0);
		if (n < 0)
			break;
		came = true;
		c->ended = n == 0;
		c->flooded = c->lines.n > LINE_MAX_BYTES;
		if (n < CHUNK)
			break;
	}
	return came;
}

bool child_drain(struct child *c)
{
	bool log = drain_log(c);

	return child_drain_lines(c) || log;
}

bool child_line(struct child *c, struct bytes *line)
{
	struct bytes rest = { c->lines.p + c->taken, c->lines.n - c->taken };
	const uint8_t *end = rest.n ? memchr(rest.p, '\n', rest.n) : NULL;

	if (!end)
		return false;
	*line = (struct bytes){ rest.p, (size_t)(end - rest.p) };
	c->taken += line->n + 1;
	return true;
}

bool child_hears(const struct child *c)
{
	struct pollfd p = { c->in, POLLOUT, 0 };

	return poll(&p, 1, 0) < 0 || !(p.revents & POLLERR);
}

bool child_exited(const struct child *c)
{
	siginfo_t si = { 0 };

	return c->pid <= 0 || (waitid(P_PID, (id_t)c->pid, &si, WEXITED | WNOHANG | WNOWAIT) == 0 && si.si_pid == c->pid);
}

int64_t child_cpu_us(const struct child *c)
{
	clockid_t clock;
	struct timespec t;

	if (c->pid <= 0 || clock_getcpuclockid(c->pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
		return 0;
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void tell_status(int status, char *how, size_t cap)
{
	if (WIFSIGNALED(status))
		snprintf(how, cap, "SIG%s", sigabbrev_np(WTERMSIG(status)) ? sigabbrev_np(WTERMSIG(status)) : "?");
	else
		snprintf(how, cap, "exit %d", WEXITSTATUS(status));
}

bool child_died(struct child *c, char *how, size_t cap)
{
	int status, pidfd;

	if (c->pid <= 0)
		return false;
	/* The end of its stdout comes a little before the end of the process; one that lives on without stdout is not waited for. */
	pidfd = c->ended ? (int)syscall(SYS_pidfd_open, c->pid, 0) : -1;
	if (pidfd >= 0) {
		struct pollfd p = { pidfd, POLLIN, 0 };

		poll(&p, 1, DEATH_MS);
		close(pidfd);
	}
	if (waitpid(c->pid, &status, WNOHANG) != c->pid)
		return false;
	tell_status(status, how, cap);
	c->pid = 0;
	return true;
}

void child_end(struct child *c)
{
	fd_close(&c->in);
	fd_close(&c->out);
	fd_close(&c->err);
	if (c->pid > 0)
		kill(c->pid, SIGKILL);
	while (!c->place.keeper && c->pid > 0 && waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
	confine_end(&c->place, c->pid);
	buf_free(&c->lines);
	buf_free(&c->log);
	*c = (struct child){ .in = -1, .out = -1, .err = -1 };
}
