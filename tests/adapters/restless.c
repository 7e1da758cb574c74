/* restless: preloaded into an adapter (LD_PRELOAD), makes it as hard to settle as an honest one can be, and changes nothing that it does.
 *
 * - Before it takes a command, before it answers, and around what it reads and sends, it naps: mostly for less than a millisecond, now and then
 *   for up to 200, and each time in another call of the kernel. A call in a nap looks blocked, and is not.
 * - It reads from sockets in bites of a few bytes.
 * - Threads beside it wake for nothing: one naps, one waits for a condition with a time limit, one is waked by another, and some come and go.
 *
 * RESTLESS in the environment is the seed. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { WHOLE = 16384, BITE = 700, LONG_NAP_US = 200000, SHORT_NAP_US = 400, LONG_ONE_IN = 16 };

ssize_t read(int fd, void *p, size_t n);
ssize_t write(int fd, const void *p, size_t n);

/* ---- Chance, without a lock: threads that draw at once may draw the same ---- */

static unsigned state = 1;

static unsigned below(unsigned n)
{
	unsigned x = __atomic_load_n(&state, __ATOMIC_RELAXED);

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	__atomic_store_n(&state, x, __ATOMIC_RELAXED);
	return x % n;
}

/* ---- Naps ---- */

static struct timespec in_us(long us)
{
	return (struct timespec){ us / 1000000, us % 1000000 * 1000 };
}

static void nap_in_sleep(long us)
{
	struct timespec t = in_us(us);

	nanosleep(&t, NULL);
}

static void nap_in_poll(long us)
{
	poll(NULL, 0, (int)(us / 1000));
}

static void nap_in_ppoll(long us)
{
	struct timespec t = in_us(us);

	ppoll(NULL, 0, &t, NULL);
}

static void nap_in_select(long us)
{
	select(0, NULL, NULL, NULL, &(struct timeval){ 0, us });
}

static void nap_in_condition(long us)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t never = PTHREAD_COND_INITIALIZER;
	struct timespec until, t = in_us(us);

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += t.tv_nsec;
	until.tv_sec += t.tv_sec + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&lock);
	pthread_cond_timedwait(&never, &lock, &until);
	pthread_mutex_unlock(&lock);
}

static void nap(void)
{
	static void (*const ways[])(long) = { nap_in_sleep, nap_in_poll, nap_in_ppoll, nap_in_select, nap_in_condition };
	int err = errno;

	ways[below(sizeof(ways) / sizeof(*ways))](below(below(LONG_ONE_IN) ? SHORT_NAP_US : LONG_NAP_US));
	errno = err;
}

/* ---- What the adapter calls ---- */

static int is_stream(int fd)
{
	int type = 0, err = errno;
	socklen_t n = sizeof(type);
	int is = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_STREAM;

	errno = err;
	return is;
}

/* Who takes all that there is, as memory mode does and a read without TLS, is left alone: what it does not take would be another end. */
static size_t bite(size_t n)
{
	size_t most = 1 + below(below(4) ? 7 : BITE);

	return n < most || n >= WHOLE ? n : most;
}

ssize_t read(int fd, void *p, size_t n)
{
	ssize_t got;

	if (fd == STDIN_FILENO) {
		got = syscall(SYS_read, fd, p, n);
		nap();
		return got;
	}
	if (!is_stream(fd))
		return syscall(SYS_read, fd, p, n);
	if (!below(64))
		nap();
	return syscall(SYS_read, fd, p, bite(n));
}

ssize_t recv(int fd, void *p, size_t n, int flags)
{
	if (!below(64))
		nap();
	return syscall(SYS_recvfrom, fd, p, flags & MSG_PEEK || !is_stream(fd) ? n : bite(n), flags, NULL, NULL);
}

ssize_t write(int fd, const void *p, size_t n)
{
	if (fd == STDOUT_FILENO || is_stream(fd))
		nap();
	return syscall(SYS_write, fd, p, n);
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
	nap();
	return syscall(SYS_sendto, fd, p, n, flags, NULL, 0);
}

/* ---- Threads beside it ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t knock = PTHREAD_COND_INITIALIZER;

static void *naps(void *arg)
{
	for (;;)
		nap_in_sleep(below(3000));
	return arg;
}

static void *waits_with_limit(void *arg)
{
	for (;;)
		nap_in_condition(below(100000));
	return arg;
}

static void *is_waked(void *arg)
{
	pthread_mutex_lock(&lock);
	for (;;)
		pthread_cond_wait(&knock, &lock);
	return arg;
}

static void *goes(void *arg)
{
	nap_in_sleep(below(3000));
	return arg;
}

static void thread_start(void *(*run)(void *))
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&t, &attr, run, NULL) != 0)
		abort();
}

static void *wakes_others(void *arg)
{
	for (;;) {
		nap_in_sleep(below(20000));
		pthread_cond_signal(&knock);
		if (!below(8))
			thread_start(goes);
	}
	return arg;
}

__attribute__((constructor))
static void start(void)
{
	const char *seed = getenv("RESTLESS");
	sigset_t all, before;

	state = (seed ? (unsigned)atoi(seed) : 0) * 2654435761u ^ (unsigned)getpid() * 40503u ^ 1u;
	state += !state;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	thread_start(naps);
	thread_start(waits_with_limit);
	thread_start(is_waked);
	thread_start(wakes_others);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}
