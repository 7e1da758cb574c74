/* outfile: a file that is there whole or not at all: it is written beside its place, as NAME.part, and takes its name when all of it is
 * on the disk's side. A program that is killed leaves a .part, which the next one writes over. */
#ifndef RUNNER_OUTFILE_H
#define RUNNER_OUTFILE_H

#include "peer/bytes.h"
#include "peer/fault.h"

struct outfile {
	FILE *file;                             /* write to it as you like; errors are found by outfile_close */
	char *path, *part;                      /* owned until outfile_close */
};

/* Makes the folders above it that are missing. False: *f, and there is nothing to close. */
bool outfile_open(struct outfile *o, const char *path, struct fault *f);
/* keep: flushes and gives the file its name. Otherwise, and where that fails, the file under that name stays as it was (or is none), and
 * false says why (after keep). Safe on zero and safe twice. */
bool outfile_close(struct outfile *o, bool keep, struct fault *f);
/* Both, for a text that is at hand. */
bool outfile_put(const char *path, struct bytes text, struct fault *f);

#endif
