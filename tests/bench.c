/* bench: what a run costs beside the connection that it is about.
 *
 * The bare connection: connect, handshake, 5 bytes, close_notify both ways, close, between two processes over loopback, OpenSSL on both
 * sides. The suite: closedrill as people start it, captures on, one worker and as many as there are cores. Both have the same certificate
 * kind, the same mix of roles, versions and tickets, the same namespace settings, and no pinning; they take turns, and the medians count.
 * Prints a page and writes build/bench.json. A word after it
 * takes the place of the whole catalogue: bench alerts. Exit status 1 when a goal is missed, 3 when something could not be measured. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/drive.h"
#include "runner/sandbox.h"
#include "runner/wait.h"

enum {
	ROUNDS = 7,
	BARE_CONNECTIONS = 800, BARE_WARM_UP = 40,
	BLOCKED_READS = 500,                    /* for each I/O mode */
	SLOWEST = 10
};

/* The cases that are most like the bare connection: a handshake, a few bytes or none, and an end by close_notify. */
static const char like_bare[] = "orderly/*";

static const struct { double ratio, speedup, rss_mib, blocked_us; } goal = { 1.5, 1.7, 64, 1000 };

static char program[512], build_dir[512], out_dir[] = "/tmp/closedrill-bench-XXXXXX";

__attribute__((noreturn, format(printf, 1, 2)))
static void give_up(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "bench: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	exit(3);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts v. */
static double quantile(double *v, size_t n, double q)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[(size_t)(q * (double)(n - 1) + 0.5)];
}

/* --- the bare connection ----------------------------------------------------------------------------------------------- */

/* The two processes are called as in the suite: the IUT opens connections as client, and has OpenSSL's defaults; the peer sends no ticket. */
struct side {
	bool iut;
	SSL_CTX *ctx[2][2];                     /* [the IUT is the server][1.3] */
	int listener;
	struct sockaddr_in other;               /* where the other side listens */
};

static SSL_CTX *bare_context(bool iut, bool server, int version, const struct cert *cert)
{
	SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());

	if (!ctx || !SSL_CTX_set_min_proto_version(ctx, version) || !SSL_CTX_set_max_proto_version(ctx, version) ||
	    !SSL_CTX_set_session_id_context(ctx, (const uint8_t *)"closedrill", 10))
		give_up("no TLS context");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	if (!iut) {
		SSL_CTX_set_num_tickets(ctx, 0);
		if (version == TLS1_2_VERSION)
			SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
		SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20");
	}
	if (server && (!SSL_CTX_use_certificate(ctx, cert->x509) || !SSL_CTX_use_PrivateKey(ctx, cert->key)))
		give_up("the certificate is not taken");
	return ctx;
}

static void side_start(struct side *s, bool iut, const struct cert *cert)
{
	struct fault f;

	*s = (struct side){ .iut = iut, .listener = tcp_listen(0, &f) };
	if (s->listener < 0)
		give_up("%s", f.msg);
	fcntl(s->listener, F_SETFL, 0);
	for (int iut_server = 0; iut_server < 2; iut_server++)
		for (int v13 = 0; v13 < 2; v13++)
			s->ctx[iut_server][v13] = bare_context(iut, iut == iut_server, v13 ? TLS1_3_VERSION : TLS1_2_VERSION, cert);
}

static int bare_socket(const struct side *s, bool server)
{
	int one = 1, fd = server ? accept4(s->listener, NULL, NULL, SOCK_CLOEXEC) : socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0 ||
	    (!server && connect(fd, (const struct sockaddr *)&s->other, sizeof(s->other)) != 0))
		give_up("no bare connection: %s", strerror(errno));
	return fd;
}

/* The peer writes and ends first, as in orderly/peer-first-both. */
static bool bare_talk(SSL *ssl, bool iut)
{
	char text[16];

	if (!iut)
		return SSL_write(ssl, "hello", 5) == 5 && SSL_shutdown(ssl) == 0 && SSL_shutdown(ssl) == 1;
	return SSL_read(ssl, text, 5) == 5 && SSL_read(ssl, text, 5) == 0 && SSL_shutdown(ssl) == 1;
}

static void bare_connection(const struct side *s, unsigned i)
{
	bool iut_server = i & 1, server = s->iut == iut_server;
	SSL *ssl = SSL_new(s->ctx[iut_server][i >> 1 & 1]);
	int fd = bare_socket(s, server);

	if (!ssl || !SSL_set_fd(ssl, fd) || (server ? SSL_accept(ssl) : SSL_connect(ssl)) != 1 || !bare_talk(ssl, s->iut))
		give_up("a bare connection failed as %s", server ? "server" : "client");
	SSL_free(ssl);
	close(fd);
}

static void bare_connections(const struct side *s, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		bare_connection(s, i);
}

static double bare_both(const struct side *iut, const struct side *peer)
{
	int64_t began;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		give_up("fork: %s", strerror(errno));
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		bare_connections(peer, BARE_WARM_UP);
		bare_connections(peer, BARE_CONNECTIONS);
		_exit(0);
	}
	bare_connections(iut, BARE_WARM_UP);
	began = now_us();
	bare_connections(iut, BARE_CONNECTIONS);
	began = now_us() - began;
	waitpid(pid, NULL, 0);
	return (double)began / BARE_CONNECTIONS;
}

/* --- in a sandbox of its own ------------------------------------------------------------------------------------------- */

/* Calls work in a namespace that is made as a worker's; it fills n numbers. */
static void in_sandbox(void (*work)(double *), double *to, size_t n)
{
	double *shared = mmap(NULL, n * sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct fault f = { 0 };
	int status = 0;
	pid_t pid;

	assert(shared != MAP_FAILED);
	pid = sandbox_fork(&f);
	if (pid == 0) {
		if (!sandbox_enter(&f))
			give_up("%s", f.msg);
		work(shared);
		_exit(0);
	}
	if (pid < 0)
		give_up("%s", f.msg);
	waitpid(pid, &status, 0);
	if (status != 0)
		give_up("a measurement in a sandbox ended with status %#x", (unsigned)status);
	memcpy(to, shared, n * sizeof(*shared));
	munmap(shared, n * sizeof(*shared));
}

static void bare_work(double *us)
{
	struct side iut, peer;
	struct cert cert;
	struct fault f;
	socklen_t n = sizeof(iut.other);

	if (!cert_make_ecdsa(&cert, &f))
		give_up("%s", f.msg);
	side_start(&iut, true, &cert);
	side_start(&peer, false, &cert);
	getsockname(peer.listener, (struct sockaddr *)&iut.other, &n);
	getsockname(iut.listener, (struct sockaddr *)&peer.other, &n);
	*us = bare_both(&iut, &peer);
}

/* --- `blocked` --------------------------------------------------------------------------------------------------------- */

static void expect(struct worker *w, const char *line, enum settled want, struct bytes *answer)
{
	enum settled got;

	if (line && !child_say(&w->adapter->child, bytes_of(line)))
		give_up("the adapter takes no more lines");
	got = wait_answer(w, answer);
	if (got != want)
		give_up("`%s` ended as %d instead of %d", line ? line : "await", (int)got, (int)want);
}

static void blocked_open(struct worker *w, const char *io)
{
	char line[80];
	struct bytes answer;
	struct fault f = { 0 };
	int fd;

	snprintf(line, sizeof(line), "open client tls1.3 %s 127.0.0.1:%u", io, w->peer_port);
	expect(w, line, SETTLED_ANSWER, &answer);
	while ((fd = tcp_accept(w->listener)) < 0)
		;
	if (!peer_start(&w->live->peer, fd, &w->contexts[1][1], NULL, &f))
		give_up("%s", f.msg);
	peer_handshake_to(&w->live->peer, PEER_TO_END);
	expect(w, "handshake", SETTLED_ANSWER, &answer);
	wait_handshake(w);
	if (!peer_handshake_done(&w->live->peer))
		give_up("no handshake: %s", w->live->peer.hs.error);
}

/* From the line to the conclusion; a byte ends the wait, so that the next one is fresh. */
static double blocked_once(struct worker *w)
{
	const struct shape ordinary = { 0 };
	struct bytes answer;
	int64_t began = now_us(), took;

	expect(w, "read 16384", SETTLED_BLOCKED, &answer);
	took = now_us() - began;
	peer_data(&w->live->peer, bytes_of("x"), &ordinary);
	peer_send(&w->live->peer, false);
	expect(w, NULL, SETTLED_ANSWER, &answer);
	return (double)took;
}

static const char *const modes[] = { "blocking", "nonblocking", "memory" };

static void blocked_work(double *us)
{
	static struct worker w;
	struct adapter a;
	struct cert cert, no_rsa = { 0 };
	struct fault f = { 0 };
	struct bytes answer;
	char path[32], dir[600];

	/* As a worker: see pool.c. */
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_TIMERSLACK, 1);
	snprintf(dir, sizeof(dir), "%s/adapters", build_dir);
	adapter_init(&a, "openssl", dir, NULL);
	if (!cert_make_ecdsa(&cert, &f) || cert_memfd(&cert, path, &f) < 0 || !worker_start(&w, &cert, &no_rsa, path, path, &f) ||
	    !adapter_start(&a, path, path, &f))
		give_up("%s", f.msg);
	w.adapter = &a;
	if (!wait_idle(&w))
		give_up("the adapter does not come to rest");
	for (size_t m = 0; m < countof(modes); m++) {
		blocked_open(&w, modes[m]);
		for (size_t i = 0; i < BLOCKED_READS; i++)
			us[m * BLOCKED_READS + i] = blocked_once(&w);
		peer_drop(&w.live->peer);
		expect(&w, "end", SETTLED_ANSWER, &answer);
	}
	adapter_free(&a);
	worker_end(&w);
}

/* --- the suite --------------------------------------------------------------------------------------------------------- */

struct session {
	const char *implementation, *cases;     /* cases NULL: all */
	int workers;
	bool watch_memory;                      /* look at the processes meanwhile */
	size_t runs;                            /* that were driven: without the unsupported */
	bool with_setup;                        /* seconds are all that there is: an older results.json */
	double seconds, per_run_us, parent_mib, worker_mib;
	json_t *results;                        /* owned */
};

/* The most memory that a process ever had; its name goes to comm. */
static double peak_mib(long pid, char comm[32])
{
	char path[64], line[256];
	double kib = 0;
	FILE *file;

	comm[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%ld/status", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		sscanf(line, "Name: %31s", comm);
		sscanf(line, "VmHWM: %lf", &kib);
	}
	if (file)
		fclose(file);
	return kib / 1024;
}

/* The workers are the children of the process that was started; what they start is not the runner. */
static void look_at_workers(pid_t pid, double *mib)
{
	char path[64], comm[32];
	FILE *file;
	long child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	file = fopen(path, "re");
	while (file && fscanf(file, "%ld", &child) == 1) {
		double now = peak_mib(child, comm);

		if (strncmp(comm, "closedrill", 10) == 0 && now > *mib)
			*mib = now;
	}
	if (file)
		fclose(file);
}

static pid_t session_start(const struct session *s)
{
	char jobs[16];
	const char *argv[16] = { program, "run", s->implementation, "-q", "--keep", "findings", "-o", out_dir, "-j", jobs, s->cases ? "-c" : NULL, s->cases, NULL };
	pid_t pid;

	snprintf(jobs, sizeof(jobs), "%d", s->workers);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

		prctl(PR_SET_PDEATHSIG, SIGTERM);
		dup2(nowhere, 1);
		execv(program, (char *const *)argv);
		_exit(127);
	}
	if (pid < 0)
		give_up("fork: %s", strerror(errno));
	return pid;
}

static int session_wait(const struct session *s, pid_t pid, double *worker_mib)
{
	int status = 0;

	while (waitpid(pid, &status, s->watch_memory ? WNOHANG : 0) == 0) {
		look_at_workers(pid, worker_mib);
		poll(NULL, 0, 20);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static double number(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

/* Findings (1) are the case author's business, and broken runs are shown below; a session that wrote no totals is no measurement. */
static void session_run(struct session *s)
{
	char path[600];
	json_error_t why;
	json_t *totals;
	int status;

	json_decref(s->results);
	status = session_wait(s, session_start(s), &s->worker_mib);
	snprintf(path, sizeof(path), "%s/results.json", out_dir);
	s->results = json_load_file(path, 0, &why);
	if (!s->results || (status != 0 && status != 1 && status != 3))
		give_up("%s ended with %d; %s: %s", program, status, path, s->results ? "" : why.text);
	totals = json_object_get(s->results, "totals");
	s->runs = (size_t)(number(totals, "runs") - number(totals, "unsupported"));
	/* From the first run's start to the last one's end; the namespaces and tcpdump stand by then, adapters do not. */
	s->seconds = number(totals, "run_seconds");
	s->with_setup = s->seconds <= 0;
	if (s->with_setup)
		s->seconds = number(totals, "seconds");
	if (!s->runs || s->seconds <= 0)
		give_up("%s: no runs", path);
	s->per_run_us = s->seconds * 1e6 / (double)s->runs;
	s->parent_mib = number(totals, "runner_rss_kib") / 1024;
}

/* --- what is printed --------------------------------------------------------------------------------------------------- */

static bool missed;

static const char *verdict(bool met)
{
	missed |= !met;
	return met ? "met" : "MISSED";
}

static void put_spread(const char *what, double *v)
{
	double low = quantile(v, ROUNDS, 0), high = quantile(v, ROUNDS, 1);

	printf("%-44s %8.0f us   (%.0f to %.0f)\n", what, quantile(v, ROUNDS, 0.5), low, high);
}

static void rounds(struct session *one, struct session *all, double bare[], double single[], double many[])
{
	for (int i = 0; i < ROUNDS; i++) {
		in_sandbox(bare_work, &bare[i], 1);
		session_run(one);
		single[i] = one->per_run_us;
		session_run(all);
		many[i] = all->per_run_us;
	}
}

static double larger(double x, double y)
{
	return x > y ? x : y;
}

static int by_ms(const void *a, const void *b)
{
	double x = number(*(json_t *const *)a, "ms"), y = number(*(json_t *const *)b, "ms");

	return (x < y) - (x > y);
}

static const char *word(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static void put_slowest(const struct session *s)
{
	json_t *runs = json_object_get(s->results, "runs"), **sorted;
	size_t n = json_array_size(runs);

	sorted = calloc(n + 1, sizeof(json_t *));
	assert(sorted);
	for (size_t i = 0; i < n; i++)
		sorted[i] = json_array_get(runs, i);
	qsort(sorted, n, sizeof(json_t *), by_ms);
	printf("  the slowest:\n");
	for (size_t i = 0; i < n && i < SLOWEST; i++)
		printf("  %10.1f ms  %-12s %s %s %s %s %s\n", number(sorted[i], "ms"), word(sorted[i], "verdict"), word(sorted[i], "case"),
		       word(sorted[i], "role"), word(sorted[i], "tls"), word(sorted[i], "io"), word(sorted[i], "with"));
	free(sorted);
}

static double put_catalogue(struct session *s)
{
	session_run(s);
	printf("\nThe %s, %s, %d worker%s: %zu runs in %.1f s, %.0f runs/s; %.1f MiB parent, %.1f MiB largest worker\n",
	       s->cases ? s->cases : "whole catalogue", s->implementation, s->workers, s->workers == 1 ? "" : "s", s->runs, s->seconds, (double)s->runs / s->seconds,
	       s->parent_mib, s->worker_mib);
	put_slowest(s);
	return larger(s->parent_mib, s->worker_mib);
}

static const char *implementation(void)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/adapters/reference", build_dir);
	return access(path, X_OK) == 0 ? "reference" : "openssl";
}

static void blocked_times(double *median, double *p99)
{
	double us[countof(modes) * BLOCKED_READS];

	in_sandbox(blocked_work, us, countof(us));
	*median = quantile(us, countof(us), 0.5);
	*p99 = quantile(us, countof(us), 0.99);
}

static void put_json(json_t *o)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/bench.json", build_dir);
	if (json_dump_file(o, path, JSON_INDENT(2) | JSON_PRESERVE_ORDER) != 0)
		give_up("cannot write %s", path);
	printf("\nWritten to %s\n", path);
	json_decref(o);
}

static void find_program(void)
{
	ssize_t n = readlink("/proc/self/exe", build_dir, sizeof(build_dir) - 1);

	/* build/tests/bench -> build */
	for (int i = 0; i < 2 && n > 0; i++) {
		char *slash = strrchr(build_dir, '/');

		n = slash ? slash - build_dir : 0;
		build_dir[n] = '\0';
	}
	if (n <= 0 || snprintf(program, sizeof(program), "%s/closedrill", build_dir) >= (int)sizeof(program) || access(program, X_OK) != 0)
		give_up("there is no %s: run make first", program);
	if (!mkdtemp(out_dir))
		give_up("%s: %s", out_dir, strerror(errno));
}

int main(int argc, char **argv)
{
	int cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
	struct session one = { "openssl", like_bare, 1, .watch_memory = false }, many = { "openssl", like_bare, cores, .watch_memory = false };
	struct session whole = { .workers = cores, .watch_memory = true }, openssl = { "openssl", .workers = cores, .watch_memory = true };
	double bare[ROUNDS], single[ROUNDS], all[ROUNDS], bare_us, run_us, ratio, speedup, rss, blocked, blocked_p99;
	json_t *o;

	find_program();
	whole.implementation = implementation();
	whole.cases = openssl.cases = argc > 1 ? argv[1] : NULL;
	rounds(&one, &many, bare, single, all);
	bare_us = quantile(bare, ROUNDS, 0.5);
	run_us = quantile(single, ROUNDS, 0.5);
	ratio = run_us / bare_us;
	speedup = run_us / quantile(all, ROUNDS, 0.5);
	printf("Medians of %d, interleaved; %d cores; cases %s with openssl, %zu runs a session, half of them TLS 1.3, half as client\n\n",
	       ROUNDS, cores, like_bare, one.runs);
	if (one.with_setup)
		printf("results.json has no totals.run_seconds: the runs' figures include making certificates and namespaces\n\n");
	put_spread("bare connection", bare);
	put_spread("run, one worker", single);
	put_spread("run, one worker for each core", all);
	printf("%-44s %8.2f      goal %.2f: %s\n", "ratio of a run to a bare connection", ratio, goal.ratio, verdict(ratio <= goal.ratio));
	printf("%-44s %8.2f      goal %.2f: %s\n", "throughput of all workers to that of one", speedup, goal.speedup, verdict(cores < 2 || speedup >= goal.speedup));
	blocked_times(&blocked, &blocked_p99);
	printf("%-44s %8.0f us   goal %.0f: %s (99%%: %.0f)\n", "concluding `blocked`", blocked, goal.blocked_us, verdict(blocked < goal.blocked_us), blocked_p99);
	rss = put_catalogue(&whole);
	if (strcmp(whole.implementation, openssl.implementation) != 0)
		rss = larger(rss, put_catalogue(&openssl));
	putchar('\n');
	printf("%-44s %8.1f MiB  goal %.0f: %s\n", "peak memory of a runner's process", rss, goal.rss_mib, verdict(rss < goal.rss_mib));
	o = json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:i, s:s, s:i, s:f}", "bare_us", bare_us, "run_us", run_us, "ratio", ratio, "speedup", speedup,
	              "rss_mib", rss, "blocked_us", blocked, "workers", cores, "catalogue_of", whole.implementation, "catalogue_runs", (int)whole.runs,
	              "catalogue_seconds", whole.seconds);
	put_json(o);
	json_decref(one.results);
	json_decref(many.results);
	json_decref(whole.results);
	json_decref(openssl.results);
	return missed ? 1 : 0;
}
