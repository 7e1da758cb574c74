/* parts: where the time of runs goes. */
#include "runner/parts.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "peer/bytes.h"

const char *const part_words[PART_COUNT] = {
	[PART_START] = "start", [PART_OPEN] = "open", [PART_HANDSHAKE] = "handshake", [PART_CALLS] = "calls", [PART_PEER] = "peer",
	[PART_FENCE] = "fence", [PART_DECODE] = "decode", [PART_CLEAN_UP] = "clean-up", [PART_JUDGE] = "judge", [PART_WRITE] = "write",
	[PART_BETWEEN] = "between",
};

bool parts_on;

static enum part now;
static int64_t since_ns, took_ns[PART_COUNT];
static unsigned long runs;

static int64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void parts_start(void)
{
	parts_on = getenv("CLOSEDRILL_PARTS") != NULL;
	now = PART_BETWEEN;
	since_ns = clock_ns();
}

void parts_go_on(enum part p)
{
	int64_t at = clock_ns();

	took_ns[now] += at - since_ns;
	since_ns = at;
	now = p;
}

void parts_count_run(void)
{
	runs++;
}

void parts_end(void)
{
	struct buf line = { 0 };
	int fd;

	if (!parts_on)
		return;
	parts_go_on(PART_BETWEEN);
	buf_printf(&line, "{\"runs\": %lu", runs);
	for (int p = 0; p < PART_COUNT; p++)
		buf_printf(&line, ", \"%s\": %.1f", part_words[p], (double)took_ns[p] / 1000);
	buf_printf(&line, "}\n");
	fd = open(getenv("CLOSEDRILL_PARTS"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	/* Whole lines: what is appended at once stands together. */
	if (fd >= 0 && write(fd, line.p, line.n) < 0)
		runs = 0;
	if (fd >= 0)
		close(fd);
	buf_free(&line);
}
