/* parts: where the time of runs goes, for whoever asks. With CLOSEDRILL_PARTS=FILE in the environment each worker appends a line to FILE
 * when it ends: {"runs": 140, "open": 31250.5, ...}, microseconds of all its runs together. Without it a part costs one look at a
 * variable. */
#ifndef RUNNER_PARTS_H
#define RUNNER_PARTS_H

#include <stdbool.h>

enum part {
	PART_START,                             /* until the adapter is there and at rest */
	PART_OPEN,                              /* TCP's connection, and the line that opens it */
	PART_HANDSHAKE,
	PART_CALLS,                             /* the other calls of the IUT: lines to the adapter and back, and whether they block */
	PART_PEER,                              /* what the peer and the path do, and what that settles into */
	PART_FENCE,                             /* between the lines: all is acknowledged; behind the last: all has come out of tcpdump */
	PART_DECODE,                            /* the frames as a connection, opened once more */
	PART_CLEAN_UP,
	PART_JUDGE,                             /* the verdict, and comparing with what was expected */
	PART_WRITE,                             /* its files, if any, and the result to the parent */
	PART_BETWEEN,
	PART_COUNT
};
/* How a part is called in the line. */
extern const char *const part_words[PART_COUNT];

extern bool parts_on;
/* In a worker, before its first run: heeds the environment. */
void parts_start(void);
void parts_go_on(enum part p);
/* What follows belongs to p, until the next part begins. */
static inline void part_begin(enum part p)
{
	if (parts_on)
		parts_go_on(p);
}
/* Another run begins. */
void parts_count_run(void);
/* Writes the line. What cannot be written is lost: nobody's verdict hangs on it. */
void parts_end(void);

#endif
