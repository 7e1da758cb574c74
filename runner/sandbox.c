/* sandbox: a worker's own world. */
#include "runner/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/child.h"
#include "runner/rights.h"

enum { SOMEBODY = 1000 };               /* what root is called where it has to be an ordinary user */

static uid_t outer_uid;
static gid_t outer_gid;
static bool own_users;                  /* it takes a user namespace */

/* What to do when namespaces are refused: the one line that people need. */
static const char how_to[] = "run it as root (sudo), in a container with --privileged, or allow user namespaces (sysctl "
                             "kernel.unprivileged_userns_clone=1, user.max_user_namespaces, "
                             "kernel.apparmor_restrict_unprivileged_userns=0)";

pid_t sandbox_fork(struct fault *f)
{
	unsigned long flags = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | SIGCHLD;
	pid_t pid;

	outer_uid = geteuid();
	outer_gid = getegid();
	/* Root in a container may have no more to say than anybody. */
	own_users = !rights_has(CAP_SYS_ADMIN) || !rights_has(CAP_NET_ADMIN);
	/* From here on the runner needs no others. Who makes a user namespace of root's needs one more, CAP_SETFCAP, and has few. */
	if (own_users)
		flags |= CLONE_NEWUSER;
	else
		rights_take(RIGHTS_WORKER);
	fflush(NULL);
	pid = (pid_t)syscall(SYS_clone, flags, 0, 0, 0, 0);
	if (pid < 0)
		fault_machine(f, "cannot make namespaces (%s): %s", strerror(errno), how_to);
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static bool file_put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t n = strlen(text);
	bool ok = fd >= 0 && write(fd, text, n) == (ssize_t)n;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* The user stays who he is, not root: tcpdump would drop privileges that it needs. So one who is root outside is another in here. The
 * capabilities of the namespace are passed on to what we execute as ambient ones (rights_take). */
static bool map_user(void)
{
	char line[64];

	if (!file_put("/proc/self/setgroups", "deny"))
		return false;
	snprintf(line, sizeof(line), "%u %u 1", outer_uid ? outer_uid : SOMEBODY, outer_uid);
	if (!file_put("/proc/self/uid_map", line))
		return false;
	snprintf(line, sizeof(line), "%u %u 1", outer_gid ? outer_gid : SOMEBODY, outer_gid);
	return file_put("/proc/self/gid_map", line);
}

static bool ip_batch(const char *lines, struct fault *f)
{
	char *argv[] = { "ip", "-batch", "-", NULL };
	struct child ip;
	int status;

	if (!child_start(&ip, argv, NULL, NULL, RIGHTS_NETWORK, f))
		return false;
	child_say(&ip, bytes_of(lines));
	close(ip.in);
	ip.in = -1;
	while (waitpid(ip.pid, &status, 0) < 0 && errno == EINTR)
		;
	ip.pid = 0;
	child_drain(&ip);
	if (status != 0)
		fault_machine(f, "ip(8) could not set up the loopback interface: %.200s", buf_str(&ip.log));
	child_end(&ip);
	return status == 0;
}

/* Immediate acknowledgements on loopback (a delayed one takes 38 ms), and so no need to wait 200 ms before a lost segment
 * goes again: both routes of the local table get the metrics. */
bool sandbox_resend(unsigned ms, struct fault *f)
{
	static const char *const to[] = { "127.0.0.0/8", "127.0.0.1" };
	struct buf lines = { 0 };
	bool ok;

	buf_printf(&lines, "link set lo up\n");
	for (size_t i = 0; i < countof(to); i++)
		buf_printf(&lines, "route replace local %s dev lo proto kernel scope host src 127.0.0.1 table local quickack 1 "
		           "rto_min %ums\n", to[i], ms);
	ok = ip_batch(buf_str(&lines), f);
	buf_free(&lines);
	return ok;
}

bool sandbox_isolate(struct fault *f)
{
	if (own_users && !map_user())
		return fault_machine(f, "cannot map the user into a namespace (%s): %s", strerror(errno), how_to);
	if (mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL) != 0)
		return fault_machine(f, "cannot mount /proc in a namespace (%s): in a container start it with --privileged, or with "
		                     "--security-opt systempaths=unconfined and seccomp=unconfined; elsewhere run it as root (sudo)",
		                     strerror(errno));
	return rights_take(RIGHTS_WORKER) || fault_machine(f, "cannot give up capabilities:");
}

bool sandbox_enter(struct fault *f)
{
	char old[64];

	return sandbox_isolate(f) && sandbox_resend(RESEND_MS, f) &&
	       sandbox_set("ip_local_port_range", "10000 65000", old, f) &&
	       sandbox_set("tcp_timestamps", "1", old, f);
}

bool sandbox_set(const char *key, const char *value, char old[64], struct fault *f)
{
	char path[160];
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", key);
	fd = open(path, O_RDWR | O_CLOEXEC);
	n = fd >= 0 ? read(fd, old, 63) : -1;
	if (n >= 0) {
		old[n] = '\0';
		old[strcspn(old, "\n")] = '\0';
		n = pwrite(fd, value, strlen(value), 0);
	}
	if (fd >= 0)
		close(fd);
	return n >= 0 || fault_machine(f, "cannot set %s to %s:", path, value);
}
