/* confine: the world of an adapter inside a worker's. */
#include "runner/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer/bytes.h"
#include "runner/rights.h"

#ifndef MOUNT_ATTR_RDONLY                       /* before glibc 2.36 */
#define SYS_mount_setattr 442
#define MOUNT_ATTR_RDONLY 0x1
#define MOUNT_ATTR_NOSUID 0x2
#define MOUNT_ATTR_NODEV  0x4
#define AT_RECURSIVE      0x8000
struct mount_attr { uint64_t attr_set, attr_clr, propagation, userns_fd; };
#endif

enum {
	DESCRIPTORS_MAX = 4096,                 /* enough to see a thousand leak; a runtime makes tables as long as the limit */
	PROCESSES_MAX = 8192,                   /* and threads; the kernel does not count those of real root */
	PLACES_MAX = 16
};

/* What is written below lives in memory: as much as this at most. */
#define SPACE "size=64m,nr_inodes=16k"

/* --- mounts ------------------------------------------------------------------------------------------------------------ */

struct place { int fd; char path[512]; struct stat st; };        /* a folder as it was before anything was mounted */

/* Everything is there as outside, and whoever writes gets a copy of his own. A socket below does not answer: its owner is outside. */
static const char *const copied[] = { "/tmp", "/var/tmp", "/run" };
static const char *const devices[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom" };
static const struct { const char *path, *to; } links[] = {
	{ "/dev/fd", "/proc/self/fd" },
	{ "/dev/stdin", "/proc/self/fd/0" },
	{ "/dev/stdout", "/proc/self/fd/1" },
	{ "/dev/stderr", "/proc/self/fd/2" },
};

static bool set_attributes(const char *path, unsigned flags, uint64_t set, uint64_t clear)
{
	struct mount_attr a = { .attr_set = set, .attr_clr = clear };

	return syscall(SYS_mount_setattr, AT_FDCWD, path, flags, &a, sizeof(a)) == 0;
}

/* True if it is there. */
static bool place_open(struct place *p, const char *root, const char *path)
{
	char whole[1024];

	snprintf(p->path, sizeof(p->path), "%s", path);
	snprintf(whole, sizeof(whole), "%s%s", root ? root : "", path);
	p->fd = open(whole, O_PATH | O_CLOEXEC);
	return p->fd >= 0 && fstat(p->fd, &p->st) == 0;
}

static bool bind_back(const struct place *p, uint64_t clear)
{
	char from[32];

	snprintf(from, sizeof(from), "/proc/self/fd/%d", p->fd);
	return mount(from, p->path, NULL, MS_BIND | MS_REC, NULL) == 0 && set_attributes(p->path, 0, 0, clear);
}

/* Is that path below the folder, and on another file system? A copy has the folder's own alone. */
static bool would_hide(const struct place *p, const char *path)
{
	size_t n = strlen(p->path);
	struct stat st;

	return strncmp(path, p->path, n) == 0 && path[n] == '/' && stat(path, &st) == 0 && st.st_dev != p->st.st_dev;
}

/* A checkout on a stick below /run/media: the adapters are beside the program or in the present folder, mostly. */
static bool would_hide_us(const struct place *p)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	path[n > 0 ? n : 0] = '\0';
	return would_hide(p, path) || (getcwd(path, sizeof(path)) && would_hide(p, path));
}

/* Where there can be no such copy (what kind of file system that is, and the kernel, decide) it stays as the rest is: to be read. */
static bool copy_on_write(const struct place *p)
{
	char up[600], work[600], options[1400];

	if (mount("tmpfs", p->path, "tmpfs", MS_NOSUID | MS_NODEV, SPACE ",mode=700") != 0)
		return false;
	snprintf(up, sizeof(up), "%s/up", p->path);
	snprintf(work, sizeof(work), "%s/work", p->path);
	snprintf(options, sizeof(options), "lowerdir=/proc/self/fd/%d,upperdir=%s,workdir=%s,userxattr", p->fd, up, work);
	if (mkdir(up, 0700) == 0 && mkdir(work, 0700) == 0 && chmod(up, p->st.st_mode & 07777) == 0 &&
	    mount("overlay", p->path, "overlay", MS_NOSUID | MS_NODEV, options) == 0)
		return true;
	umount2(p->path, MNT_DETACH);
	return false;
}

/* The disks of root are not among them. */
static bool make_dev(const struct place *nodes, size_t n)
{
	if (mount("tmpfs", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "size=64k,mode=755") != 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		int fd = open(nodes[i].path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		if (fd < 0)
			return false;
		close(fd);
		if (!bind_back(&nodes[i], MOUNT_ATTR_NODEV))
			return false;
	}
	for (size_t i = 0; i < countof(links); i++)
		if (symlink(links[i].to, links[i].path) != 0)
			return false;
	return mkdir("/dev/shm", 01777) == 0 && mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, SPACE ",mode=1777") == 0 &&
	       set_attributes("/dev", 0, MOUNT_ATTR_RDONLY, 0);
}

/* Folders named by CLOSEDRILL_WRITABLE, with a colon between them. */
static size_t open_writable(struct place *places, size_t cap, const char *root)
{
	const char *list = getenv("CLOSEDRILL_WRITABLE");
	char *copy = list ? text_dup(list) : NULL, *rest = copy;
	size_t n = 0;

	for (char *word; copy && n < cap && (word = strsep(&rest, ":")); )
		n += word[0] == '/' && place_open(&places[n], root, word);
	free(copy);
	return n;
}

struct places {
	struct place copied[countof(copied)], devices[countof(devices)], writable[PLACES_MAX];
	size_t ncopied, ndevices, nwritable;
};

static void places_open(struct places *p, const char *root)
{
	*p = (struct places){ 0 };
	for (size_t i = 0; i < countof(copied); i++)
		p->ncopied += place_open(&p->copied[p->ncopied], root, copied[i]) && (root || !would_hide_us(&p->copied[p->ncopied]));
	for (size_t i = 0; i < countof(devices); i++)
		p->ndevices += place_open(&p->devices[p->ndevices], NULL, devices[i]);
	p->nwritable = open_writable(p->writable, PLACES_MAX, root);
}

/* What of it failed; NULL: nothing did, else errno says why. */
static const char *make_mounts(const char *root)
{
	struct places p;

	places_open(&p, root);
	if (!set_attributes("/", AT_RECURSIVE, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0))
		return errno == ENOSYS ? "the file system cannot be made read-only, which takes Linux 5.12"
		                       : "the file system cannot be made read-only";
	if (root && (chroot(root) != 0 || chdir("/") != 0))
		return "chroot";
	/* Writable, /proc/sys would be: real root needs no capability for much of it. */
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, NULL) != 0)
		return "mounting /proc";
	if (!make_dev(p.devices, p.ndevices))
		return "mounting /dev";
	for (size_t i = 0; i < p.ncopied; i++)
		copy_on_write(&p.copied[i]);
	for (size_t i = 0; i < p.nwritable; i++)
		if (!bind_back(&p.writable[i], MOUNT_ATTR_RDONLY))
			return "mounting what CLOSEDRILL_WRITABLE names";
	return NULL;
}

/* --- the process that holds it ----------------------------------------------------------------------------------------- */

/* Where memory ends, the adapter goes before the runner and before anything else of the user's. */
static void offer_to_die(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "1000", 4) != 4)
		errno = 0;
	if (fd >= 0)
		close(fd);
}

static void keeper_main(const char *root, int report)
{
	const char *what;
	struct fault f = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);               /* what adapters leave behind is collected without a word */
	offer_to_die();
	what = make_mounts(root);
	if (what && root)
		fault_machine(&f, "cannot enter the root %s: %s:", root, what);
	else if (what)
		fault_machine(&f, "cannot make a place for the adapter: %s:", what);
	else if (!rights_take(RIGHTS_NONE))
		fault_machine(&f, "cannot give up capabilities:");
	if (write(report, f.msg, sizeof(f.msg)) != sizeof(f.msg))
		_exit(1);
	syscall(SYS_close_range, 0, ~0U, 0);
	for (;;)
		pause();
}

bool confine_start(struct confine *c, const char *root, struct fault *f)
{
	int report[2];

	*c = (struct confine){ 0, -1 };
	if (pipe2(report, O_CLOEXEC) != 0)
		return fault_machine(f, "no pipe for an adapter's place:");
	c->keeper = (pid_t)syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | SIGCHLD, 0, 0, 0, 0);
	if (c->keeper == 0)
		keeper_main(root, report[1]);
	close(report[1]);
	*f = (struct fault){ 0 };
	if (c->keeper < 0)
		fault_machine(f, "cannot make namespaces for an adapter:");
	else if (read(report[0], f->msg, sizeof(f->msg)) != sizeof(f->msg))
		fault_machine(f, "the process that holds an adapter's namespaces died");
	else if (!f->msg[0] && (c->fd = (int)syscall(SYS_pidfd_open, c->keeper, 0)) < 0)
		fault_machine(f, "no descriptor of an adapter's namespaces:");
	close(report[0]);
	if (f->msg[0])
		confine_end(c, 0);
	return !f->msg[0];
}

/* For children alone: the process itself stays where it is. */
static bool back_to_own(void)
{
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	bool ok = fd >= 0 && setns(fd, CLONE_NEWPID) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

pid_t confine_fork(const struct confine *c)
{
	pid_t pid = -1;
	int error;

	/* One that is forked into a namespace from outside is our child, and we are told how it died. */
	if (setns(c->fd, CLONE_NEWPID) == 0)
		pid = fork();
	if (pid == 0)
		return 0;
	error = errno;
	if (!back_to_own() && pid > 0) {
		error = errno;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		pid = -1;
	}
	errno = error;
	return pid;
}

static void limit(int what, rlim_t most)
{
	struct rlimit r;

	if (getrlimit(what, &r) == 0) {
		r.rlim_max = r.rlim_max < most ? r.rlim_max : most;
		r.rlim_cur = r.rlim_max;
		setrlimit(what, &r);
	}
}

/* By sudo it is the user's adapter, not root's: root without capabilities could not even read the user's folders. False: errno. */
static bool become_caller(void)
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
	gid_t g = gid ? (gid_t)strtoul(gid, NULL, 10) : 0;
	uid_t u = uid ? (uid_t)strtoul(uid, NULL, 10) : 0;

	if (geteuid() != 0 || !u || !g || !rights_has(CAP_SETUID))
		return true;
	return setgroups(1, &g) == 0 && setgid(g) == 0 && setuid(u) == 0;
}

bool confine_enter(const struct confine *c, const char *root)
{
	char *cwd = getcwd(NULL, 0);
	bool ok;

	offer_to_die();
	limit(RLIMIT_NOFILE, DESCRIPTORS_MAX);
	limit(RLIMIT_NPROC, PROCESSES_MAX);
	limit(RLIMIT_CORE, 0);
	ok = setns(c->fd, CLONE_NEWNS | CLONE_NEWIPC) == 0 && (!root || chroot(root) == 0) && chdir("/") == 0;
	if (ok && !root && cwd && chdir(cwd) != 0)
		errno = 0;                      /* it is not to be seen from there: then a path that begins there is not, either */
	free(cwd);
	setenv("TMPDIR", access("/tmp", W_OK) == 0 ? "/tmp" : "/dev/shm", true);
	return ok && become_caller() && rights_take(RIGHTS_NONE);
}

void confine_end(struct confine *c, pid_t child)
{
	if (c->fd >= 0 && c->keeper > 0)
		close(c->fd);
	if (c->keeper > 0)
		kill(c->keeper, SIGKILL);
	/* The kernel takes all of a namespace with its first process, and that one has not ended before all are collected. */
	while (c->keeper > 0 && child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	while (c->keeper > 0 && waitpid(c->keeper, NULL, 0) < 0 && errno == EINTR)
		;
	*c = (struct confine){ 0, -1 };
}
