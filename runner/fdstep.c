/* fdstep: the IUT's socket, handled from outside on a duplicate of its descriptor. */
#include "runner/fdstep.h"

#include <dirent.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runner/wait.h"

/* The adapter's number for the socket with this inode; -1: it has none. */
static int number_of(pid_t pid, uint32_t inode)
{
	char path[300], want[40], link[64];
	int found = -1;
	DIR *dir;
	struct dirent *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	snprintf(want, sizeof(want), "socket:[%u]", inode);
	dir = opendir(path);
	while (dir && found < 0 && (d = readdir(dir))) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%d/fd/%s", (int)pid, d->d_name);
		n = readlink(path, link, sizeof(link) - 1);
		link[n < 0 ? 0 : n] = '\0';
		if (strcmp(link, want) == 0)
			found = atoi(d->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

int fd_duplicate(struct worker *w)
{
	struct sock_view v;
	int number, pidfd, fd = -1;

	if (!look_iut(w, w->live, &v) || !v.there || !v.inode)
		return -1;
	number = number_of(w->adapter->child.pid, v.inode);
	pidfd = number < 0 ? -1 : (int)syscall(SYS_pidfd_open, w->adapter->child.pid, 0);
	if (pidfd >= 0) {
		fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
		close(pidfd);
	}
	return fd;
}

static bool set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

/* One lost probe is not death (RFC 9293 3.8.4), two at a second's distance are enough for a test. */
static bool keepalive(int fd, int seconds)
{
	return set(fd, SOL_SOCKET, SO_KEEPALIVE, 1) && set(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds) &&
	       set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1) && set(fd, IPPROTO_TCP, TCP_KEEPCNT, 2);
}

static bool apply(int fd, const struct step *st)
{
	struct linger l = { 1, (int)st->n };

	switch ((enum fd_verb)st->verb) {
	case FD_SHUTDOWN_READ:
		return shutdown(fd, SHUT_RD) == 0;
	case FD_SHUTDOWN_WRITE:
		return shutdown(fd, SHUT_WR) == 0;
	case FD_SHUTDOWN_BOTH:
		return shutdown(fd, SHUT_RDWR) == 0;
	case FD_LINGER:
		return setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)) == 0;
	case FD_SNDBUF:
		return set(fd, SOL_SOCKET, SO_SNDBUF, (int)st->n);
	case FD_RCVBUF:
		return set(fd, SOL_SOCKET, SO_RCVBUF, (int)st->n);
	case FD_USER_TIMEOUT:
		return set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)st->n);
	case FD_KEEPALIVE:
		return keepalive(fd, (int)st->n);
	case FD_HOLD:
	case FD_DROP:
	case FD_INTERRUPT:
		return true;
	}
	return false;
}

bool fd_step(struct worker *w, const struct step *st, struct fault *f)
{
	int fd;
	bool ok;

	if (st->verb == FD_DROP) {
		if (w->live->held_fd >= 0)
			close(w->live->held_fd);
		w->live->held_fd = -1;
		return true;
	}
	if (st->verb == FD_INTERRUPT)
		return kill(w->adapter->child.pid, SIGUSR1) == 0 || fault_machine(f, "cannot signal the adapter:");
	fd = fd_duplicate(w);
	if (fd < 0)
		return fault_machine(f, "%.*s: the adapter holds no socket of this connection (or pidfd_getfd is refused)",
		                     (int)st->words.n, (const char *)st->words.p);
	ok = apply(fd, st);
	if (!ok)
		fault_machine(f, "%.*s:", (int)st->words.n, (const char *)st->words.p);
	if (st->verb == FD_HOLD && ok)
		w->live->held_fd = fd;        /* while we hold it, the IUT's close sends no FIN: that is what the step is for */
	else
		close(fd);
	return ok;
}

void fd_shut(struct worker *w)
{
	int fd = fd_duplicate(w);

	if (fd < 0)
		return;
	shutdown(fd, SHUT_RDWR);
	close(fd);
}
