/* greet: what an implementation says of itself. */
#include "runner/greet.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer/cert.h"
#include "runner/sandbox.h"

/* In the sandbox: what comes of it goes into the pipe, the greeting behind a '+' or a message behind a '-'. */
static void hear(struct adapter *a, int to)
{
	struct fault f = { 0 };
	struct cert c;
	char path[32];
	struct buf told = { 0 };
	bool ok;

	setsid();
	signal(SIGPIPE, SIG_IGN);
	/* No network: nothing is asked of it but who it is. */
	ok = sandbox_isolate(&f) && cert_make_ecdsa(&c, &f) && cert_memfd(&c, path, &f) >= 0 && adapter_start(a, path, path, &f);
	buf_u8(&told, ok ? '+' : '-');
	buf_add_bytes(&told, ok ? buf_bytes(&a->greeting) : bytes_of(f.msg));
	adapter_stop(a);
	for (size_t at = 0; at < told.n;) {
		ssize_t n = write(to, told.p + at, told.n - at);

		if (n <= 0)
			break;
		at += (size_t)n;
	}
	_exit(0);
}

static void read_all(int fd, struct buf *told)
{
	ssize_t n;

	do {
		uint8_t *p = buf_grow(told, 4096);

		n = read(fd, p, 4096);
		told->n -= 4096 - (size_t)(n > 0 ? n : 0);
	} while (n > 0 || (n < 0 && errno == EINTR));
}

static bool take(struct adapter *a, const struct buf *told, struct fault *f)
{
	struct bytes rest = buf_bytes(told), kind;

	if (!bytes_take(&rest, 1, &kind))
		return fault_machine(f, "the process that hears the greeting of %s died", a->name);
	if (bytes_is(kind, "+"))
		return adapter_learn(a, rest, f);
	return fault_machine(f, "%.*s", (int)rest.n, (const char *)rest.p);
}

bool implementation_greet(struct adapter *a, struct fault *f)
{
	struct buf told = { 0 };
	int fds[2];
	pid_t pid;
	bool ok;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return fault_machine(f, "no pipe for a greeting:");
	pid = sandbox_fork(f);
	if (pid == 0)
		hear(a, fds[1]);
	close(fds[1]);
	if (pid > 0)
		read_all(fds[0], &told);
	close(fds[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	ok = pid > 0 && take(a, &told, f);
	buf_free(&told);
	return ok;
}
