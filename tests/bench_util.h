/* bench_util: what all measurements of tests/bench share: giving up, quantiles, and a sandbox as a worker has it. Part of that program alone. */
#ifndef TESTS_BENCH_UTIL_H
#define TESTS_BENCH_UTIL_H

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/sandbox.h"

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

/* Microseconds of processor time. */
static double cpu_us(const struct rusage *u)
{
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1e6 + (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec);
}

/* Calls work in a namespace that is made as a worker's; it fills n numbers. False: it gave up, and has said why. */
static bool tried_in_sandbox(void (*work)(double *), double *to, size_t n)
{
	double *shared = mmap(NULL, n * sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct fault f = { 0 };
	int status = 0;
	pid_t pid;

	assert(shared != MAP_FAILED);
	fflush(NULL);
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
	memcpy(to, shared, n * sizeof(*shared));
	munmap(shared, n * sizeof(*shared));
	if (WIFSIGNALED(status))
		fprintf(stderr, "bench: a measurement in a sandbox died of signal %d\n", WTERMSIG(status));
	return status == 0;
}

static void in_sandbox(void (*work)(double *), double *to, size_t n)
{
	if (!tried_in_sandbox(work, to, n))
		give_up("without this there is nothing to compare with");
}

#endif
