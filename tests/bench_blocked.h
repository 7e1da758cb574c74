/* bench_blocked: how long it takes to conclude `blocked`. Part of tests/bench alone. */
#ifndef TESTS_BENCH_BLOCKED_H
#define TESTS_BENCH_BLOCKED_H

#include <signal.h>
#include <sys/prctl.h>

#include "runner/drive.h"
#include "runner/wait.h"
#include "tests/bench_util.h"

enum { BLOCKED_READS = 500, BLOCKED_MODES = 3 };        /* READS: for each I/O mode */

static const char *blocked_by;                  /* the implementation that waits */

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

static void blocked_reads(struct worker *w, const char *mode, double *us)
{
	struct bytes answer;

	blocked_open(w, mode);
	for (size_t i = 0; i < BLOCKED_READS; i++)
		us[i] = blocked_once(w);
	peer_drop(&w->live->peer);
	expect(w, "end", SETTLED_ANSWER, &answer);
}

/* us[0]: how many there are; behind it the times. */
static void blocked_work(double *us)
{
	static const char *const modes[BLOCKED_MODES] = { "blocking", "nonblocking", "memory" };
	static struct worker w;
	struct adapter a;
	struct cert cert, no_rsa = { 0 };
	struct fault f = { 0 };
	char path[32], dir[600];

	/* As a worker: see pool.c. */
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_TIMERSLACK, 1);
	snprintf(dir, sizeof(dir), "%s/adapters", build_dir);
	adapter_init(&a, blocked_by, dir, NULL);
	if (!cert_make_ecdsa(&cert, &f) || cert_memfd(&cert, path, &f) < 0 || !worker_start(&w, &cert, &no_rsa, path, path, &f) ||
	    !adapter_start(&a, path, path, &f))
		give_up("%s", f.msg);
	w.adapter = &a;
	if (!wait_idle(&w))
		give_up("the adapter does not come to rest");
	for (size_t m = 0, n = 0; m < countof(modes); m++)
		if (adapter_can(&a, modes[m])) {
			blocked_reads(&w, modes[m], us + 1 + n);
			n += BLOCKED_READS;
			us[0] = (double)n;
		}
	adapter_free(&a);
	worker_end(&w);
}

/* False: it could not be measured, and that was told. */
static bool blocked_times(const char *implementation, double *median, double *p99)
{
	double us[1 + BLOCKED_MODES * BLOCKED_READS];

	blocked_by = implementation;
	if (!tried_in_sandbox(blocked_work, us, countof(us)) || us[0] < 1)
		return false;
	*median = quantile(us + 1, (size_t)us[0], 0.5);
	*p99 = quantile(us + 1, (size_t)us[0], 0.99);
	return true;
}

#endif
