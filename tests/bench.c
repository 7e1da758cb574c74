/* bench: what a run costs beside the connection that it is about, and where that goes.
 *
 * The bare connection: connect, handshake, 5 bytes, close_notify both ways, close, between two processes over loopback, OpenSSL on both
 * sides; once wherever the kernel puts the two, and once both on one processor. The suite: closedrill as people start it, captures on. Both
 * have the same certificate kind, the same mix of roles, versions and tickets, and the same namespace settings; they take turns, and the
 * medians count. A run is held against the faster of the two bare ones.
 *
 * Each implementation that is built: a run beside its own handshake and close (bench_each.h), and runs per second.
 *
 * Prints a page and writes build/bench.json. A word after it takes the place of the whole catalogue: bench alerts. BENCH_LONG=1 in the
 * environment: also a session of 100,000 runs, which takes minutes. bench --each measures the implementations alone, bench --each go node
 * only these, and writes build/bench-each.json. Exit status 1 when a goal is missed, 3 when something could not be measured. */
#include "tests/bench_bare.h"
#include "tests/bench_blocked.h"
#include "tests/bench_each.h"
#include "tests/bench_session.h"

enum { ROUNDS = 7, SLOWEST = 10 };

/* The cases that are most like the bare connection: a handshake, a few bytes or none, and an end by close_notify. */
static const char *const like_bare[] = { "orderly/*", NULL };
/* Cheap ones, enough that a session of 100,000 runs plays no case more often than an implementation can be named. */
static const char *const cheap[] = { "orderly/*", "truncation/*", "after-close/*", NULL };

static const struct { double ratio, speedup, rss_mib, blocked_us, own_times, own_more_us; } goal = { 1.25, 1.8, 64, 500, 2, 1000 };

/* --- what is printed --------------------------------------------------------------------------------------------------- */

static json_t *page;                            /* the same figures, for bench.json */
static bool missed, unmeasured;

static const char *verdict(bool met)
{
	missed |= !met;
	return met ? "met" : "MISSED";
}

static void note(const char *key, double value)
{
	json_object_set_new(page, key, json_real(value));
}

static double put_spread(const char *what, const char *key, double *v)
{
	double median = quantile(v, ROUNDS, 0.5);

	printf("%-44s %8.0f us   (%.0f to %.0f)\n", what, median, quantile(v, ROUNDS, 0), quantile(v, ROUNDS, 1));
	note(key, median);
	return median;
}

static double larger(double x, double y)
{
	return x > y ? x : y;
}

/* --- a run beside the bare connection ---------------------------------------------------------------------------------- */

/* Of two sessions of the same cases the longer one has more runs, and the same start. */
static double run_cpu_us(void)
{
	struct session few = { .implementation = "openssl", .cases = like_bare, .workers = 1, .names = 2 }, many = few;

	many.names = 10;
	session_run(&few);
	session_run(&many);
	return (many.cpu_us - few.cpu_us) / (double)(many.runs - few.runs);
}

static void put_ratio(const char *what, const char *key, double run, double bare, bool is_goal)
{
	printf("%-44s %8.2f", what, run / bare);
	if (is_goal)
		printf("      goal %.2f: %s", goal.ratio, verdict(run / bare <= goal.ratio));
	putchar('\n');
	note(key, run / bare);
}

static void put_runs(int cores)
{
	struct session one = { .implementation = "openssl", .cases = like_bare, .workers = 1 }, all = one;
	double bare[2][ROUNDS], cpu[2][ROUNDS], single[ROUNDS], many[ROUNDS], run_cpu[ROUNDS], bare_us[2], bare_cpu[2], run_us, all_us;

	all.workers = cores;
	for (int i = 0; i < ROUNDS; i++) {
		struct bare b[2];

		in_sandbox(bare_free_work, &b[0].us, 2);
		session_run(&one);
		in_sandbox(bare_one_processor_work, &b[1].us, 2);
		session_run(&all);
		for (int k = 0; k < 2; k++) {
			bare[k][i] = b[k].us;
			cpu[k][i] = b[k].cpu_us;
		}
		single[i] = one.per_run_us;
		many[i] = all.per_run_us;
		run_cpu[i] = run_cpu_us();
	}
	printf("Medians of %d, interleaved; %d cores; cases %s with openssl, %zu runs a session, half of them TLS 1.3, half as client\n\n",
	       ROUNDS, cores, like_bare[0], one.runs);
	bare_us[0] = put_spread("bare connection", "bare_us", bare[0]);
	bare_us[1] = put_spread("bare connection, both ends on one processor", "bare_one_processor_us", bare[1]);
	run_us = put_spread("run, one worker", "run_us", single);
	all_us = put_spread("run, one worker for each core", "run_all_us", many);
	bare_cpu[0] = put_spread("processor time of a bare connection", "bare_cpu_us", cpu[0]);
	bare_cpu[1] = put_spread("the same, both ends on one processor", "bare_one_processor_cpu_us", cpu[1]);
	put_spread("processor time of a run, all processes", "run_cpu_us", run_cpu);
	put_ratio("ratio of a run to a bare connection", "ratio", run_us, bare_us[0] < bare_us[1] ? bare_us[0] : bare_us[1], true);
	put_ratio("the same of processor time", "cpu_ratio", quantile(run_cpu, ROUNDS, 0.5),
	          bare_cpu[0] < bare_cpu[1] ? bare_cpu[0] : bare_cpu[1], false);
	printf("%-44s %8.2f      goal %.2f: %s\n", "throughput of all workers to that of one", run_us / all_us, goal.speedup,
	       verdict(cores < 2 || run_us / all_us >= goal.speedup));
	note("speedup", run_us / all_us);
	json_decref(one.results);
	json_decref(all.results);
}

/* --- where it goes ----------------------------------------------------------------------------------------------------- */

static void put_parts(void)
{
	static const char *const says[PART_COUNT] = {
		[PART_START] = "until the adapter is there and at rest", [PART_OPEN] = "TCP's connection, and the line `open`",
		[PART_HANDSHAKE] = "the handshake, with its line", [PART_CALLS] = "the other calls, adapter round trips",
		[PART_PEER] = "what the peer does", [PART_FENCE] = "capture fence, and all acknowledged behind each line",
		[PART_DECODE] = "opening the capture", [PART_CLEAN_UP] = "dropping the connection, the line `end`",
		[PART_JUDGE] = "judging and comparing", [PART_WRITE] = "writing and telling the parent", [PART_BETWEEN] = "the rest",
	};
	struct session s = { .implementation = "openssl", .cases = like_bare, .workers = 1, .names = 6, .parts = true };
	json_t *parts = json_object();
	double us[PART_COUNT];

	session_run(&s);
	parts_of_session(us);
	printf("\nThe parts of a run, one worker, %zu runs:\n", s.runs);
	for (int p = 0; p < PART_COUNT; p++) {
		printf("  %-10s %8.1f us   %s\n", part_words[p], us[p], says[p]);
		json_object_set_new(parts, part_words[p], json_real(us[p]));
	}
	json_object_set_new(page, "parts_us", parts);
}

static void put_blocked(void)
{
	double median, p99;

	blocked_times(&median, &p99);
	printf("\n%-44s %8.0f us   goal %.0f: %s (99%%: %.0f)\n", "concluding `blocked`", median, goal.blocked_us,
	       verdict(median < goal.blocked_us), p99);
	note("blocked_us", median);
	note("blocked_p99_us", p99);
}

/* --- how it grows ------------------------------------------------------------------------------------------------------ */

/* One implementation under as many names as it takes. */
static double put_length(size_t runs, size_t runs_of_one, int workers)
{
	struct session s = { .implementation = "openssl", .cases = cheap, .workers = workers, .watch_memory = true, .compare_none = true };

	s.names = (runs + runs_of_one - 1) / runs_of_one;
	session_run(&s);
	printf("  %7zu runs %9.1f s %8.0f us a run %8.1f MiB parent %6.1f MiB largest worker\n", s.runs, s.seconds, s.per_run_us,
	       s.parent_mib, s.worker_mib);
	json_array_append_new(json_object_get(page, "lengths"), json_pack("{s:i, s:f, s:f, s:f}", "runs", (int)s.runs, "per_run_us",
	                      s.per_run_us, "parent_mib", s.parent_mib, "worker_mib", s.worker_mib));
	return larger(s.parent_mib, s.worker_mib);
}

static double put_lengths(int workers)
{
	struct session once = { .implementation = "openssl", .cases = cheap, .workers = workers, .names = 1 };
	double mib;

	json_object_set_new(page, "lengths", json_array());
	session_run(&once);
	printf("\nBy the number of runs, %d workers:\n", workers);
	mib = put_length(1000, once.runs, workers);
	mib = larger(mib, put_length(10000, once.runs, workers));
	return getenv("BENCH_LONG") ? larger(mib, put_length(100000, once.runs, workers)) : mib;
}

static void put_workers(int cores)
{
	double one = 0;

	printf("\nBy the number of workers, %d cores:\n", cores);
	json_object_set_new(page, "workers", json_array());
	for (int n = 1; n <= 4 * cores; n *= 2) {
		struct session s = { .implementation = "openssl", .cases = like_bare, .workers = n, .names = 10 };

		session_run(&s);
		one = n == 1 ? s.per_run_us : one;
		printf("  %7d      %8.0f us a run %8.2f times one\n", n, s.per_run_us, one / s.per_run_us);
		json_array_append_new(json_object_get(page, "workers"), json_pack("{s:i, s:f}", "workers", n, "per_run_us", s.per_run_us));
	}
}

/* --- the catalogue ----------------------------------------------------------------------------------------------------- */

static int by_ms(const void *a, const void *b)
{
	double x = number(*(json_t *const *)a, "ms"), y = number(*(json_t *const *)b, "ms");

	return (x < y) - (x > y);
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
		printf("  %10.1f ms  %-12s %s %s %s %s %s\n", number(sorted[i], "ms"), word(sorted[i], "verdict"),
		       word(sorted[i], "case"), word(sorted[i], "role"), word(sorted[i], "tls"), word(sorted[i], "io"),
		       word(sorted[i], "with"));
	free(sorted);
}

static double put_catalogue(const char *who, const char *cases, int workers)
{
	const char *const globs[] = { cases, NULL };
	struct session s = { .implementation = who, .cases = cases ? globs : NULL, .workers = workers, .watch_memory = true };
	char key[64];

	session_run(&s);
	printf("\nThe %s, %s, %d worker%s: %zu runs in %.1f s, %.0f runs/s; %.1f MiB parent, %.1f MiB largest worker\n",
	       cases ? cases : "whole catalogue", who, workers, workers == 1 ? "" : "s", s.runs, s.seconds, (double)s.runs / s.seconds,
	       s.parent_mib, s.worker_mib);
	put_slowest(&s);
	snprintf(key, sizeof(key), "catalogue_%s_runs", who);
	note(key, (double)s.runs);
	snprintf(key, sizeof(key), "catalogue_%s_seconds", who);
	note(key, s.seconds);
	json_decref(s.results);
	return larger(s.parent_mib, s.worker_mib);
}

/* --- each implementation ----------------------------------------------------------------------------------------------- */

static double runs_per_second(const char *name, int workers)
{
	struct session s = { .implementation = name, .cases = like_bare, .workers = workers };

	session_run(&s);
	json_decref(s.results);
	return (double)s.runs / s.seconds;
}

static void put_measured(const char *name, struct each *e, int workers)
{
	double own = each_median(e, &e->own), run = each_median(e, &e->run), limit = goal.own_times * own + goal.own_more_us;
	double per_second = runs_per_second(name, workers);

	printf("%-20s %8.0f %8.0f %7.2f %8.0f   %-6s %8.0f\n", name, own, run, run / own, limit, verdict(run <= limit), per_second);
	json_array_append_new(json_object_get(page, "implementations"), json_pack("{s:s, s:s, s:f, s:f, s:f, s:f}", "name", name, "library",
	                      e->adapter.library, "own_us", own, "run_us", run, "limit_us", limit, "runs_per_second", per_second));
}

static void put_one(const char *name, int workers)
{
	static struct each e;

	if (each_start(&e, name) && each_measure(&e)) {
		put_measured(name, &e, workers);
	} else {
		unmeasured = true;
		printf("%-20s not measured%s%s\n", name, e.odd[0] ? ": " : "", e.odd);
	}
	fflush(stdout);
	each_end(&e);
}

/* names: ended by NULL; none: all that are built. */
static void put_each(char **names, int workers)
{
	char path[600], **all = NULL;
	size_t n = 0;

	snprintf(path, sizeof(path), "%s/adapters", build_dir);
	if (!*names)
		names = all = adapters_list(path, &n);
	json_object_set_new(page, "implementations", json_array());
	printf("\nEach implementation, one connection: by itself, and as a run of one worker, which may\n"
	       "take %.0f times its own and %.0f us; runs a second of %s with %d workers\n\n",
	       goal.own_times, goal.own_more_us, like_bare[0], workers);
	printf("%-20s %8s %8s %7s %8s   %-6s %8s\n", "", "own us", "run us", "ratio", "limit us", "", "runs/s");
	for (; names && *names; names++)
		put_one(*names, workers);
	names_free(all, n);
}

static bool has_reference(void)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/adapters/reference", build_dir);
	return access(path, X_OK) == 0;
}

static void write_page(const char *name)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/%s.json", build_dir, name);
	if (json_dump_file(page, path, JSON_INDENT(2) | JSON_PRESERVE_ORDER) != 0)
		give_up("cannot write %s", path);
	printf("\nWritten to %s\n", path);
	json_decref(page);
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

/* How busy the machine was before: a figure says little without it. */
static void put_load(int cores)
{
	double load[3];

	if (getloadavg(load, 3) != 3)
		return;
	printf("Load of this machine before: %.2f %.2f %.2f (1, 5, 15 minutes; %d cores)\n", load[0], load[1], load[2], cores);
	note("load", load[0]);
}

static void put_all(const char *cases, int cores)
{
	static char *no_names[] = { NULL };
	double mib;

	put_runs(cores);
	put_parts();
	put_blocked();
	put_each(no_names, cores);
	mib = put_lengths(cores);
	put_workers(cores);
	if (has_reference())
		mib = larger(mib, put_catalogue("reference", cases, cores));
	mib = larger(mib, put_catalogue("openssl", cases, cores));
	printf("\n%-44s %8.1f MiB  goal %.0f: %s\n", "peak memory of a runner's process", mib, goal.rss_mib, verdict(mib < goal.rss_mib));
	note("rss_mib", mib);
}

int main(int argc, char **argv)
{
	int cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
	bool each = argc > 1 && strcmp(argv[1], "--each") == 0;

	find_program();
	page = json_object();
	put_load(cores);
	if (each)
		put_each(argv + 2, cores);
	else
		put_all(argc > 1 ? argv[1] : NULL, cores);
	write_page(each ? "bench-each" : "bench");
	return unmeasured ? 3 : missed ? 1 : 0;
}
