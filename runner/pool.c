/* pool: worker processes that take the plan's runs one by one. */
#include "runner/pool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/compare.h"
#include "runner/drive.h"
#include "runner/parts.h"
#include "runner/result.h"
#include "runner/sandbox.h"
#include "runner/wait.h"

enum { WORKERS_MAX = 256 };

struct shared {                                 /* in memory that all processes share */
	atomic_size_t next;
	atomic_bool stop;
	_Atomic int64_t first_us;               /* when the first run began; 0: none has */
	atomic_size_t at[WORKERS_MAX];          /* the run that each worker is at, plus one; 0: none */
};

enum message_kind { MESSAGE_RESULT, MESSAGE_NO_WORKER };
struct message { uint32_t kind, index, verdict, len, body_len; };    /* text and body stand behind it */

struct place {                                  /* one worker, as the parent sees it */
	pid_t pid;
	int fd;
	struct buf in;
};

struct pool {
	const struct job *job;
	struct shared *shared;
	struct place *places;
	int live;
	struct told *done;                      /* results that wait for those before them in the plan; json.p owns what both point into */
	size_t told;
	pool_result *tell;
	void *to;
	bool stopped;
	int64_t last_us;                        /* when the last result came */
	struct fault *f;
};

/* --- in the worker ----------------------------------------------------------------------------------------------------- */

static bool send_message(int fd, uint32_t kind, size_t index, uint32_t verdict, struct bytes text, struct bytes body)
{
	struct message m = { kind, (uint32_t)index, verdict, (uint32_t)text.n, (uint32_t)body.n };
	struct buf b = { 0 };
	size_t at = 0;

	buf_add(&b, &m, sizeof(m));
	buf_add_bytes(&b, text);
	buf_add_bytes(&b, body);
	while (at < b.n) {
		ssize_t n = write(fd, b.p + at, b.n - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	buf_free(&b);
	return at == sizeof(m) + text.n + body.n;
}

static void set_broken(struct judgement *j, const char *why)
{
	judgement_free(j);
	*j = (struct judgement){ .verdict = VERDICT_BROKEN, .reason = text_dup(why) };
}

/* The plan goes from one implementation to the next: what is not used any more does not stay up. */
static void stop_others(const struct job *job, const struct adapter *used)
{
	for (size_t i = 0; i < job->nadapters; i++)
		if (&job->adapters[i] != used && job->adapters[i].alive)
			adapter_stop(&job->adapters[i]);
}

static void compare(const struct job *job, const struct run *run, const struct evidence *e, const struct judgement *j, struct comparison *c)
{
	static const struct expectations none;
	const struct expectations *x = job->expected ? &job->expected[run->implementation] : &none;

	compare_run(c, x, job->catalogue, run->script, run->variant, e, j);
}

static void do_run(struct worker *w, const struct job *job, const struct run *run, struct run_name *name, struct judgement *j,
                   struct comparison *c, int64_t *took_us)
{
	struct adapter *a = &job->adapters[run->implementation];
	struct evidence e;
	struct fault f = { 0 };
	enum driven driven;

	*j = (struct judgement){ .verdict = VERDICT_UNSUPPORTED };
	if (a->failed) {
		set_broken(j, a->failed);
		return;
	}
	if (run->unsupported) {
		j->reason = text_dup("the case needs what the adapter does not announce");
		compare(job, run, NULL, j, c);
		return;
	}
	stop_others(job, a);
	parts_count_run();
	driven = drive(w, a, name->script, run->variant, &e, &f);
	name->library = a->library;             /* it may have been started anew, and that is what its last greeting told */
	if (driven == DRIVEN) {
		part_begin(PART_JUDGE);
		judge(&e, &job->catalogue->reqs, (struct promises){ (const char *const *)a->promises, a->npromises }, j);
		part_begin(PART_WRITE);
		if (!keep_files(&job->keep, &e, name, j, &f))
			set_broken(j, f.msg);
	} else {
		set_broken(j, f.msg);
	}
	part_begin(PART_JUDGE);
	compare(job, run, &e, j, c);
	part_begin(PART_BETWEEN);
	*took_us = e.took_us;
	evidence_free(&e);
}

static bool report_run(int fd, struct worker *w, const struct job *job, size_t index)
{
	const struct run *run = &job->plan->runs[index];
	const struct adapter *a = &job->adapters[run->implementation];
	struct run_name name = { a->name, a->library, &job->catalogue->scripts[run->script], run->variant,
	                         job->catalogue->with[run->script], a->command, a->root };
	struct comparison c;
	struct judgement j;
	int64_t took_us = 0;
	json_t *o;
	char *text;
	bool ok;

	do_run(w, job, run, &name, &j, &c, &took_us);
	part_begin(PART_WRITE);
	o = result_json(&name, &j, &c, took_us);
	text = result_text(o);
	assert(text);
	ok = send_message(fd, MESSAGE_RESULT, index, j.verdict, bytes_of(text), buf_bytes(&c.body));
	free(text);
	json_decref(o);
	judgement_free(&j);
	comparison_free(&c);
	part_begin(PART_BETWEEN);
	return ok;
}

struct certs { struct cert ecdsa, rsa; int ecdsa_fd, rsa_fd; char ecdsa_path[32], rsa_path[32]; };

/* An RSA key takes a tenth of a second or two: it is made if some adapter's greeting wants one. */
static bool rsa_wanted(const struct job *job)
{
	for (size_t i = 0; i < job->nadapters; i++)
		if (job->adapters[i].wants_rsa)
			return true;
	return false;
}

static bool certs_make(struct certs *c, const struct job *job, struct fault *f)
{
	*c = (struct certs){ .ecdsa_fd = -1, .rsa_fd = -1 };
	if (!cert_make_ecdsa(&c->ecdsa, f) || (c->ecdsa_fd = cert_memfd(&c->ecdsa, c->ecdsa_path, f)) < 0)
		return false;
	return !rsa_wanted(job) || (cert_make_rsa(&c->rsa, f) && (c->rsa_fd = cert_memfd(&c->rsa, c->rsa_path, f)) >= 0);
}

static void certs_free(struct certs *c)
{
	cert_free(&c->ecdsa);
	cert_free(&c->rsa);
	if (c->ecdsa_fd >= 0)
		close(c->ecdsa_fd);
	if (c->rsa_fd >= 0)
		close(c->rsa_fd);
}

static void worker_main(const struct job *job, struct shared *shared, size_t number, const struct certs *certs, int fd)
{
	static struct worker w;
	struct fault f = { 0 };
	size_t index;

	setsid();                               /* an interrupt from the terminal is for the parent: it would kill adapters in mid-run */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	prctl(PR_SET_TIMERSLACK, 1);
	/* Each run takes and gives back the same few hundred KB: keep them, instead of asking the kernel for fresh pages every time. */
	mallopt(M_MMAP_THRESHOLD, 64 << 20);
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
	if (!sandbox_enter(&f) || !worker_start(&w, &certs->ecdsa, &certs->rsa, certs->ecdsa_path, certs->rsa_path, &f)) {
		send_message(fd, MESSAGE_NO_WORKER, 0, 0, bytes_of(f.msg), (struct bytes){ 0 });
		worker_end(&w);
		_exit(1);
	}
	/* tcpdump goes before us and the adapters, which inherit this: it has to keep up with what they send. */
	if (nice(4) < 0)
		errno = 0;
	/* The first one is up before the first run; if it cannot be started, that run tells. */
	if (!adapter_start(&job->adapters[job->plan->runs[0].implementation], w.cert_path, w.rsa_path, &f))
		f = (struct fault){ 0 };
	parts_start();
	while (!atomic_load(&shared->stop) && (index = atomic_fetch_add(&shared->next, 1)) < job->plan->n) {
		int64_t none = 0;

		atomic_compare_exchange_strong(&shared->first_us, &none, now_us());
		atomic_store(&shared->at[number], index + 1);
		if (!report_run(fd, &w, job, index))
			break;
		atomic_store(&shared->at[number], 0);
	}
	parts_end();
	for (size_t i = 0; i < job->nadapters; i++)
		adapter_stop(&job->adapters[i]);
	worker_end(&w);
	_exit(0);
}

/* --- in the parent ----------------------------------------------------------------------------------------------------- */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted++;
}

static bool start_worker(struct pool *p, struct place *pl, const struct certs *certs)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return fault_machine(p->f, "no pipe for a worker:");
	pl->pid = sandbox_fork(p->f);
	if (pl->pid == 0) {
		close(fds[0]);
		worker_main(p->job, p->shared, (size_t)(pl - p->places), certs, fds[1]);
	}
	close(fds[1]);
	pl->fd = fds[0];
	if (pl->pid < 0) {
		close(pl->fd);
		pl->fd = -1;
		return false;
	}
	p->live++;
	return true;
}

static void flush_told(struct pool *p)
{
	while (p->told < p->job->plan->n && p->done[p->told].json.p && !p->stopped) {
		struct told *t = &p->done[p->told];

		if (!p->tell(p->to, p->told, t)) {
			p->stopped = true;
			atomic_store(&p->shared->stop, true);
		}
		free((void *)t->json.p);
		*t = (struct told){ 0 };
		p->told++;
	}
}

static void keep_result(struct pool *p, size_t index, uint32_t verdict, struct bytes json, struct bytes body)
{
	uint8_t *both;

	if (index >= p->job->plan->n || p->done[index].json.p)
		return;
	both = malloc(json.n + 1 + body.n);
	assert(both);
	memcpy(both, json.p, json.n);
	both[json.n] = '\0';
	if (body.n)
		memcpy(both + json.n + 1, body.p, body.n);
	p->done[index] = (struct told){ (enum verdict)verdict, { both, json.n }, { both + json.n + 1, body.n } };
	flush_told(p);
}

static void take_messages(struct pool *p, struct place *pl)
{
	struct bytes in = buf_bytes(&pl->in), head, text, body;
	struct message m;

	while (bytes_take(&in, sizeof(m), &head)) {
		memcpy(&m, head.p, sizeof(m));
		if (!bytes_take(&in, m.len, &text) || !bytes_take(&in, m.body_len, &body))
			break;
		if (m.kind == MESSAGE_RESULT) {
			p->last_us = now_us();
			keep_result(p, m.index, m.verdict, text, body);
		} else if (!p->f->msg[0]) {
			fault_machine(p->f, "%.*s", (int)text.n, (const char *)text.p);
		}
		buf_drop(&pl->in, sizeof(m) + m.len + m.body_len);
		in = buf_bytes(&pl->in);
	}
}

static void broken_run(struct pool *p, size_t index, const char *why)
{
	const struct run *run = &p->job->plan->runs[index];
	const struct adapter *a = &p->job->adapters[run->implementation];
	struct run_name name = { a->name, a->library, &p->job->catalogue->scripts[run->script], run->variant,
	                         p->job->catalogue->with[run->script], a->command, a->root };
	struct judgement j = { .verdict = VERDICT_BROKEN, .reason = text_dup(why) };
	json_t *o = result_json(&name, &j, NULL, 0);
	char *text = result_text(o);

	keep_result(p, index, VERDICT_BROKEN, bytes_of(text), (struct bytes){ 0 });
	free(text);
	json_decref(o);
	judgement_free(&j);
}

static void worker_ended(struct pool *p, struct place *pl)
{
	size_t at = atomic_load(&p->shared->at[pl - p->places]);
	char why[96];
	int status = 0;

	close(pl->fd);
	pl->fd = -1;
	p->live--;
	while (waitpid(pl->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!at)
		return;
	snprintf(why, sizeof(why), "the runner's own worker died in this run (%s %d)", WIFSIGNALED(status) ? "signal" : "exit",
	         WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	broken_run(p, at - 1, why);
}

static void read_worker(struct pool *p, struct place *pl)
{
	uint8_t *at = buf_grow(&pl->in, 65536);
	ssize_t n = read(pl->fd, at, 65536);

	pl->in.n -= 65536 - (size_t)(n > 0 ? n : 0);
	if (n > 0)
		take_messages(p, pl);
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		worker_ended(p, pl);
}

static void kill_all(struct pool *p)
{
	for (int i = 0; i < p->job->workers; i++)
		if (p->places[i].fd >= 0)
			kill(p->places[i].pid, SIGKILL);
}

static void serve(struct pool *p)
{
	struct pollfd *polls = calloc((size_t)p->job->workers, sizeof(*polls));
	int seen = 0;

	assert(polls);
	while (p->live > 0) {
		for (int i = 0; i < p->job->workers; i++)
			polls[i] = (struct pollfd){ p->places[i].fd, POLLIN, 0 };
		if (interrupted != seen) {
			seen = interrupted;
			p->stopped = true;
			atomic_store(&p->shared->stop, true);
			if (seen > 1)
				kill_all(p);
		}
		if (poll(polls, (nfds_t)p->job->workers, -1) < 0)
			continue;
		for (int i = 0; i < p->job->workers; i++)
			if (polls[i].revents)
				read_worker(p, &p->places[i]);
	}
	free(polls);
}

/* Runs that no worker took, or whose worker died, because none was left. */
static enum pooled finish(struct pool *p)
{
	size_t left = p->job->plan->n - p->told;

	if (p->stopped)
		return POOL_STOPPED;
	if (left && !p->f->msg[0])
		fault_machine(p->f, "no worker is left; %zu runs were not done", left);
	return left ? POOL_FAILED : POOL_DONE;
}

static bool pool_start(struct pool *p, const struct certs *certs)
{
	for (int i = 0; i < p->job->workers; i++)
		p->places[i].fd = -1;
	for (int i = 0; i < p->job->workers; i++)
		if (!start_worker(p, &p->places[i], certs))
			break;
	return p->live > 0;
}

enum pooled pool_run(const struct job *job, pool_result *tell, void *to, struct pool_times *took, struct fault *f)
{
	struct pool p = { .job = job, .tell = tell, .to = to, .f = f };
	struct sigaction act = { .sa_handler = on_interrupt };
	struct certs certs;
	enum pooled result = POOL_FAILED;
	int64_t began;

	*f = (struct fault){ 0 };
	p.shared = mmap(NULL, sizeof(*p.shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	p.places = calloc((size_t)job->workers, sizeof(*p.places));
	p.done = calloc(job->plan->n + 1, sizeof(*p.done));
	assert(p.shared != MAP_FAILED && p.places && p.done);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	began = now_us();
	if (certs_make(&certs, job, f) && pool_start(&p, &certs)) {
		serve(&p);
		result = finish(&p);
	}
	*took = (struct pool_times){ now_us() - began, p.last_us ? p.last_us - atomic_load(&p.shared->first_us) : 0 };
	certs_free(&certs);
	for (int i = 0; i < job->workers; i++)
		buf_free(&p.places[i].in);
	for (size_t i = 0; i < job->plan->n; i++)
		free((void *)p.done[i].json.p);
	free(p.places);
	free(p.done);
	munmap(p.shared, sizeof(*p.shared));
	return result;
}
