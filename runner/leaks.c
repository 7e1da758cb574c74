/* leaks: what an adapter's process holds after many connections. */
#include "runner/leaks.h"

#include <assert.h>
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/drive.h"
#include "runner/sandbox.h"

/* Until then caches and pools are filled that do not grow any more. */
enum { WARM_UP = 100 };

/* What the process in the sandbox tells the one outside. */
struct told { struct leaks leaks; struct fault f; bool ok; };

static long rss_kib(long pid)
{
	char path[64], line[128];
	long kib = 0;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%ld/status", pid);
	in = fopen(path, "re");
	while (in && fgets(line, sizeof(line), in) && sscanf(line, "VmRSS: %ld", &kib) != 1)
		;
	if (in)
		fclose(in);
	return kib;
}

static void look_at(long pid, struct held *h)
{
	char path[400], to[64];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%ld/fd", pid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%ld/fd/%s", pid, e->d_name);
		n = readlink(path, to, sizeof(to) - 1);
		if (n < 0)
			continue;
		to[n] = '\0';
		h->descriptors++;
		h->sockets += strncmp(to, "socket:", 7) == 0;
	}
	if (d)
		closedir(d);
	h->rss_kib += rss_kib(pid);
}

/* In a process namespace of our own all but us and tcpdump is the adapter's: a script that starts a runtime has children. */
static struct held look(const struct worker *w)
{
	struct held h = { 0 };
	DIR *d = opendir("/proc");
	struct dirent *e;

	while (d && (e = readdir(d))) {
		long pid = strtol(e->d_name, NULL, 10);

		if (pid > 1 && pid != w->capture.tcpdump.pid)
			look_at(pid, &h);
	}
	if (d)
		closedir(d);
	return h;
}

static size_t variants_of(unsigned bits, unsigned *variants)
{
	size_t n = 0;

	for (unsigned r = 0; r < 2; r++)
		for (unsigned v = 0; v < 2; v++)
			for (unsigned m = 0; m < 3; m++) {
				static const unsigned roles[] = { FOR_CLIENT, FOR_SERVER }, versions[] = { FOR_TLS12, FOR_TLS13 },
				                      modes[] = { FOR_BLOCKING, FOR_NONBLOCKING, FOR_MEMORY };
				unsigned one = roles[r] | versions[v] | modes[m];

				if ((bits & one) == one)
					variants[n++] = one;
			}
	return n;
}

static bool play_all(struct worker *w, struct adapter *a, const struct script *s, struct leaks *l, size_t n, struct fault *f)
{
	unsigned variants[12];
	size_t nvariants = variants_of(s->runs_for & adapter_variants(a), variants);

	if (!nvariants)
		return fault_machine(f, "adapter %s has no role, version and mode together", a->name);
	for (size_t i = 0; i < n; i++) {
		struct evidence e;
		bool ok = drive(w, a, s, variants[i % nvariants], &e, f) == DRIVEN;

		evidence_free(&e);
		if (!ok)
			return false;
		if (i + 1 == WARM_UP)
			l->before = look(w);
	}
	l->after = look(w);
	l->connections = n - WARM_UP;
	return true;
}

static void count(struct adapter *a, const struct script *s, size_t n, struct told *t)
{
	static struct worker w;
	struct cert ecdsa, rsa;
	char ecdsa_path[32], rsa_path[32];

	signal(SIGPIPE, SIG_IGN);
	t->ok = sandbox_enter(&t->f) && cert_make_ecdsa(&ecdsa, &t->f) && cert_memfd(&ecdsa, ecdsa_path, &t->f) >= 0 &&
	        cert_make_rsa(&rsa, &t->f) && cert_memfd(&rsa, rsa_path, &t->f) >= 0 &&
	        worker_start(&w, &ecdsa, &rsa, ecdsa_path, rsa_path, &t->f) && play_all(&w, a, s, &t->leaks, n, &t->f);
	adapter_stop(a);
	worker_end(&w);
}

bool leaks_count(struct adapter *a, const struct script *s, size_t n, struct leaks *l, struct fault *f)
{
	struct told *t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool ok = false;
	pid_t pid;

	assert(t != MAP_FAILED && n > WARM_UP);
	pid = sandbox_fork(f);
	if (pid == 0) {
		count(a, s, n, t);
		_exit(0);
	}
	if (pid > 0) {
		waitpid(pid, NULL, 0);
		ok = t->ok;
		*l = t->leaks;
		if (!ok)
			*f = t->f;
		if (!ok && !f->msg[0])
			fault_machine(f, "the process that counts descriptors died");
	}
	munmap(t, sizeof(*t));
	return ok;
}
