/* bench_each: what a run costs beside the same library's own handshake and close, for any implementation. Part of tests/bench alone.
 *
 * Both play one connection, in every role, version and I/O mode that the adapter has: handshake, five bytes, close_notify and FIN
 * of the peer, two reads, close.
 *
 * Its own: the adapter's program, started as a worker starts it, is given the very lines that a run gives it (open, handshake, read,
 * read, close, end), each when the one before is answered; at the other end of the connection stands OpenSSL in this process. Lines and
 * answers belong to it, as nobody can ask the library anything without them. There is no capture, and nobody looks whether anything has
 * settled: an answer is all that is waited for. The kernel's settings and the priority are those of a worker: a network namespace of its
 * own, and nice 4.
 * A run: the runner's pool with one worker, captures on, each run judged and told to the parent; from one result to the next.
 *
 * Sessions of both kinds take turns. All have the same variants in the same order and as many connections, so that a runtime that
 * compiles while it runs is as warm in the one as in the other. The first connections of a session do not count, nor does starting the
 * adapter. Of each variant the median counts, and of these the mean. */
#ifndef TESTS_BENCH_EACH_H
#define TESTS_BENCH_EACH_H

#include <poll.h>

#include "runner/greet.h"
#include "runner/pool.h"
#include "runner/variants.h"
#include "tests/bench_bare.h"
#include "tests/bench_session.h"

enum { EACH_ROUNDS = 3, EACH_TIMES = 20, EACH_WARM_UP = 5, EACH_VARIANTS = 12, EACH_KEPT = EACH_ROUNDS * (EACH_TIMES - EACH_WARM_UP),
       EACH_PATIENCE_S = 20 };

/* That of orderly/peer-first-both, without the call that closes one direction, which not every library has; and the FIN comes before the
 * reads, as Erlang's wait for it. */
static const char each_case[] =
	"title  the connection that is measured\n"
	"handshake\n"
	"peer  write \"hello\"\n"
	"peer  close_notify\n"
	"peer  fin\n"
	"iut   read   -> data \"hello\"\n"
	"iut   read   -> closed             [end-reported]\n"
	"iut   close\n"
	"wire  iut    -> close_notify fin   [answers-notify]\n";

/* Microseconds of each variant, as they came. */
struct each_times { double us[EACH_VARIANTS][EACH_KEPT]; size_t n[EACH_VARIANTS]; };

struct each {                                   /* must not move in memory while it is measured */
	struct adapter adapter;
	struct catalogue catalogue;             /* the one case */
	struct script script;
	struct plan plan;                       /* EACH_TIMES times all variants */
	size_t nvariants;
	struct each_times own, run;
	int64_t last_us;                        /* when the run before was told; 0: none was */
	char odd[160];                          /* why a run was none; empty: all were */
};

/* The nth connection of a session took so long. */
static void each_add(const struct each *e, struct each_times *t, size_t nth, double us)
{
	size_t variant = nth % e->nvariants;

	if (nth / e->nvariants >= EACH_WARM_UP)
		t->us[variant][t->n[variant]++] = us;
}

static double each_median(const struct each *e, struct each_times *t)
{
	double sum = 0;

	for (size_t v = 0; v < e->nvariants; v++)
		sum += quantile(t->us[v], t->n[v], 0.5);
	return sum / (double)e->nvariants;
}

/* --- its own handshake and close --------------------------------------------------------------------------------------- */

/* Valid until the next line. That a call is taken up again, and why, is told in lines of its own. */
static struct bytes own_answer(struct adapter *a)
{
	struct pollfd p = { a->child.out, POLLIN, 0 };
	struct bytes line;

	for (;;) {
		while (child_line(&a->child, &line))
			if (line.n < 6 || memcmp(line.p, "again ", 6) != 0)
				return line;
		if (a->child.ended || poll(&p, 1, EACH_PATIENCE_S * 1000) <= 0)
			give_up("%s does not answer; its log: %s", a->name, adapter_log(a));
		child_drain_lines(&a->child);
	}
}

static struct bytes own_ask(struct adapter *a, const char *line)
{
	if (!child_say(&a->child, bytes_of(line)))
		give_up("%s takes no more lines", a->name);
	return own_answer(a);
}

static void own_check(const struct adapter *a, const char *line, const char *want, struct bytes got)
{
	if (got.n < strlen(want) || memcmp(got.p, want, strlen(want)) != 0)
		give_up("%s answers `%s` with %.*s", a->name, line, (int)got.n, (const char *)got.p);
}

static void own_expect(struct adapter *a, const char *line, const char *want)
{
	own_check(a, line, want, own_ask(a, line));
}

static int own_open(struct adapter *a, const struct side *peer, unsigned variant)
{
	struct timeval patience = { EACH_PATIENCE_S, 0 };
	bool client = variant_client(variant);
	char line[96], to[24] = "";
	int fd = client ? -1 : bare_socket(peer, false);

	if (client)
		snprintf(to, sizeof(to), " 127.0.0.1:%u", tcp_local_port(peer->listener));
	snprintf(line, sizeof(line), "open %s tls%s %s%s", variant_role(variant), variant_tls(variant), variant_io(variant), to);
	own_expect(a, line, "ok");
	fd = client ? bare_socket(peer, true) : fd;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static void own_connection(struct adapter *a, const struct side *peer, unsigned variant)
{
	bool client = variant_client(variant);
	SSL *ssl = SSL_new(peer->ctx[!client][variant_13(variant)]);
	int fd = own_open(a, peer, variant);
	char rest[64];

	if (!ssl || !SSL_set_fd(ssl, fd) || !child_say(&a->child, bytes_of("handshake")) ||
	    (client ? SSL_accept(ssl) : SSL_connect(ssl)) != 1)
		give_up("no handshake with %s", a->name);
	own_check(a, "handshake", "ok", own_answer(a));
	if (SSL_write(ssl, "hello", 5) != 5 || SSL_shutdown(ssl) != 0)
		give_up("%s: the peer's end failed", a->name);
	shutdown(fd, SHUT_WR);
	own_expect(a, "read 16384", "data \"hello\"");
	own_expect(a, "read 16384", "closed");
	own_ask(a, "close");
	while (recv(fd, rest, sizeof(rest), 0) > 0)
		;
	SSL_free(ssl);
	close(fd);
	own_expect(a, "end", "ok");
}

static void own_listen(struct adapter *a, struct side *peer)
{
	struct bytes x = own_ask(a, "listen");
	unsigned port = 0;
	char text[64];

	snprintf(text, sizeof(text), "%.*s", (int)x.n, (const char *)x.p);
	sscanf(text, "ok 127.0.0.1:%u", &port);
	peer->other = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
	                                    .sin_addr = { htonl(INADDR_LOOPBACK) } };
}

static struct each *each_now;                   /* whose session it is */

/* One session; *us gets the time of each connection of the plan. */
static void own_work(double *us)
{
	struct adapter *a = &each_now->adapter;
	struct side peer;
	struct cert cert;
	struct fault f;
	char path[32];
	int64_t before, now;

	/* As a worker: see pool.c. Who has a session of his own gets his own share of the processors. */
	setsid();
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_TIMERSLACK, 1);
	if (nice(4) < 0)
		errno = 0;
	if (!cert_make_ecdsa(&cert, &f) || cert_memfd(&cert, path, &f) < 0 || !adapter_start(a, path, path, &f))
		give_up("%s", f.msg);
	side_start(&peer, false, &cert);
	own_listen(a, &peer);
	before = now_us();
	for (size_t i = 0; i < each_now->plan.n; i++, before = now) {
		own_connection(a, &peer, each_now->plan.runs[i].variant);
		now = now_us();
		us[i] = (double)(now - before);
	}
	adapter_stop(a);
}

static bool own_session(struct each *e)
{
	double us[EACH_TIMES * EACH_VARIANTS];

	each_now = e;
	if (!tried_in_sandbox(own_work, us, e->plan.n))
		return false;
	for (size_t i = 0; i < e->plan.n; i++)
		each_add(e, &e->own, i, us[i]);
	return true;
}

/* --- runs -------------------------------------------------------------------------------------------------------------- */

/* A run that did not get to the end of the case is not the same connection. */
static void each_note_odd(struct each *e, const struct told *t)
{
	json_t *o = json_loads((const char *)t->json.p, 0, NULL);

	snprintf(e->odd, sizeof(e->odd), "%s as %s with TLS %s, %s: %s", verdict_word(t->verdict), word(o, "role"), word(o, "tls"),
	         word(o, "io"), word(o, "reason"));
	json_decref(o);
}

static bool each_told(void *to, size_t index, const struct told *t)
{
	int64_t now = now_us();
	struct each *e = to;

	if (t->verdict == VERDICT_BROKEN || t->verdict == VERDICT_UNSUPPORTED || t->verdict == VERDICT_INCONCLUSIVE)
		each_note_odd(e, t);
	if (e->last_us)
		each_add(e, &e->run, index, (double)(now - e->last_us));
	e->last_us = now;
	return true;
}

static bool run_session(struct each *e)
{
	struct job job = { .catalogue = &e->catalogue, .adapters = &e->adapter, .nadapters = 1, .plan = &e->plan,
	                   .keep = { NULL, KEEP_NONE }, .workers = 1 };
	struct pool_times took;
	struct fault f = { 0 };

	e->last_us = 0;
	fflush(NULL);
	if (pool_run(&job, each_told, e, &took, &f) != POOL_DONE)
		snprintf(e->odd, sizeof(e->odd), "%.*s", (int)sizeof(e->odd) - 1, f.msg[0] ? f.msg : "stopped");
	return !e->odd[0];
}

/* --- both -------------------------------------------------------------------------------------------------------------- */

static void each_plan(struct each *e)
{
	static const struct selection all = { .variants = FOR_ROLES | FOR_TLS | FOR_IO };

	for (int i = 0; i < EACH_TIMES; i++)
		plan_add(&e->plan, &e->catalogue, 0, &e->adapter, &all);
	e->nvariants = e->plan.n / EACH_TIMES;
}

/* False: e->odd says why it cannot be measured. In any case each_end. */
static bool each_start(struct each *e, const char *name)
{
	static size_t first_value;
	struct places at;
	struct fault f = { 0 };
	char path[600];

	*e = (struct each){ 0 };
	snprintf(path, sizeof(path), "%s/adapters", build_dir);
	adapter_init(&e->adapter, name, path, NULL);
	if (!places_find(&at, &f))
		give_up("%s", f.msg);
	snprintf(path, sizeof(path), "%s/requirements", at.cases);
	if (!requirements_load(&e->catalogue.reqs, path, &f) ||
	    !script_parse(&e->script, "bench/measured.case", each_case, strlen(each_case), 0, &e->catalogue.reqs, &f))
		give_up("%s:%u: %s", path, f.line, f.msg);
	e->catalogue.scripts = &e->script;
	e->catalogue.with = &first_value;
	e->catalogue.nscripts = 1;
	if (!implementation_greet(&e->adapter, &f))
		return snprintf(e->odd, sizeof(e->odd), "%.*s", (int)sizeof(e->odd) - 1, f.msg), false;
	each_plan(e);
	return e->nvariants > 0;
}

static bool each_measure(struct each *e)
{
	for (int i = 0; i < EACH_ROUNDS; i++)
		if (!own_session(e) || !run_session(e))
			return false;
	return true;
}

static void each_end(struct each *e)
{
	adapter_free(&e->adapter);
	plan_free(&e->plan);
	script_free(&e->script);
	requirements_free(&e->catalogue.reqs);
}

#endif
