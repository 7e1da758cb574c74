/* bench_session: sessions of closedrill as people start it, and what they cost. Part of tests/bench alone. */
#ifndef TESTS_BENCH_SESSION_H
#define TESTS_BENCH_SESSION_H

#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "runner/parts.h"
#include "tests/bench_util.h"

enum { NAMES_MAX = 256, ARGUMENTS_MAX = 3 * NAMES_MAX + 32, PATH_CAP = 600 };

struct session {
	const char *implementation;
	const char *const *cases;               /* globs, ended by NULL; NULL: all */
	int workers;
	size_t names;                           /* how often the implementation is played, each time under another name; 0: once, by its own */
	bool watch_memory;                      /* look at the processes meanwhile */
	bool compare_none;                      /* nothing is expected: what is, is kept for each name */
	bool parts;                             /* ask where the time goes */
	size_t runs;                            /* that were driven: without the unsupported */
	double seconds, per_run_us, parent_mib, worker_mib;
	double cpu_us;                          /* processor time of all its processes, from start to end */
	json_t *results;                        /* owned; NULL where there are more names than one */
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

/* The arguments of a session, ended by NULL; those that are made here stay. */
static void session_arguments(const struct session *s, const char *argv[ARGUMENTS_MAX])
{
	static char jobs[16], names[NAMES_MAX][40];
	size_t n = 0;

	snprintf(jobs, sizeof(jobs), "%d", s->workers);
	argv[n++] = program;
	argv[n++] = "run";
	for (size_t i = 0; i < s->names; i++) {
		snprintf(names[i], sizeof(names[i]), "%s-%zu", s->implementation, i + 1);
		argv[n++] = "--as";
		argv[n++] = names[i];
		argv[n++] = s->implementation;
	}
	if (!s->names)
		argv[n++] = s->implementation;
	for (const char *const *glob = s->cases; glob && *glob; glob++) {
		argv[n++] = "-c";
		argv[n++] = *glob;
	}
	argv[n++] = "-q";
	argv[n++] = "-j";
	argv[n++] = jobs;
	if (s->compare_none) {
		argv[n++] = "--expected";
		argv[n++] = "none";
	}
	argv[n++] = "--keep";
	argv[n++] = s->names ? "none" : "findings";
	argv[n++] = s->names ? "--format" : "-o";       /* the report of hundreds of implementations is another measurement */
	argv[n++] = s->names ? "json" : out_dir;
	argv[n] = NULL;
}

static void results_path(char path[PATH_CAP])
{
	snprintf(path, PATH_CAP, "%s/results.json", out_dir);
}

static void parts_path(char path[PATH_CAP])
{
	snprintf(path, PATH_CAP, "%s/parts", out_dir);
}

static pid_t session_start(const struct session *s)
{
	static const char *argv[ARGUMENTS_MAX];
	char path[PATH_CAP];
	pid_t pid;

	session_arguments(s, argv);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		int to;

		prctl(PR_SET_PDEATHSIG, SIGTERM);
		parts_path(path);
		if (s->parts)
			setenv("CLOSEDRILL_PARTS", path, 1);
		results_path(path);
		to = open(s->names ? path : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		dup2(to, 1);
		execv(program, (char *const *)argv);
		_exit(127);
	}
	if (pid < 0)
		give_up("fork: %s", strerror(errno));
	return pid;
}

static int session_wait(struct session *s, pid_t pid)
{
	struct rusage u;
	int status = 0;

	while (wait4(pid, &status, s->watch_memory ? WNOHANG : 0, &u) == 0) {
		look_at_workers(pid, &s->worker_mib);
		poll(NULL, 0, 20);
	}
	s->cpu_us = cpu_us(&u);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static double number(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

static const char *word(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* What stands behind the runs: of a hundred thousand of them nothing else is read. */
static json_t *load_totals(const char *path)
{
	char end[2048];
	const char *at;
	json_t *totals = NULL;
	FILE *file = fopen(path, "re");
	size_t n;

	if (file && fseek(file, -(long)sizeof(end) + 1, SEEK_END) != 0)
		rewind(file);
	n = file ? fread(end, 1, sizeof(end) - 1, file) : 0;
	end[n] = '\0';
	at = strstr(end, "\"totals\": ");
	if (at)
		totals = json_loads(at + strlen("\"totals\": "), JSON_DISABLE_EOF_CHECK, NULL);
	if (file)
		fclose(file);
	return totals;
}

/* Findings (1) are the case author's business, and broken runs are shown below; a session that wrote no totals is no measurement. */
static void session_run(struct session *s)
{
	char path[PATH_CAP];
	json_t *totals;
	int status;

	json_decref(s->results);
	s->results = NULL;
	status = session_wait(s, session_start(s));
	results_path(path);
	totals = load_totals(path);
	if (!totals || (status != 0 && status != 1 && status != 3))
		give_up("%s ended with %d; %s has no totals", program, status, path);
	if (!s->names)
		s->results = json_load_file(path, 0, NULL);
	s->runs = (size_t)(number(totals, "runs") - number(totals, "unsupported"));
	/* From the first run's start to the last one's end; the namespaces and tcpdump stand by then, adapters do not. */
	s->seconds = number(totals, "run_seconds");
	s->parent_mib = number(totals, "runner_rss_kib") / 1024;
	json_decref(totals);
	if (!s->runs || s->seconds <= 0)
		give_up("%s: no runs", path);
	s->per_run_us = s->seconds * 1e6 / (double)s->runs;
}

/* Microseconds of each part of a run, of the last session that asked for them: it left one line for each worker. */
static void parts_of_session(double us[PART_COUNT])
{
	char path[PATH_CAP], line[1024];
	double runs = 0;
	FILE *file;

	parts_path(path);
	memset(us, 0, PART_COUNT * sizeof(*us));
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		json_t *o = json_loads(line, 0, NULL);

		runs += number(o, "runs");
		for (int p = 0; p < PART_COUNT; p++)
			us[p] += number(o, part_words[p]);
		json_decref(o);
	}
	if (file)
		fclose(file);
	unlink(path);
	for (int p = 0; p < PART_COUNT && runs > 0; p++)
		us[p] /= runs;
}

#endif
