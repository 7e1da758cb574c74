/* outfile: a file that is there whole or not at all. */
#include "runner/outfile.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool make_folders(const char *path, struct fault *f)
{
	char *part = strdup(path);
	bool ok = true;

	assert(part);
	for (char *p = part + 1; *p && ok; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		ok = mkdir(part, 0777) == 0 || errno == EEXIST || fault_machine(f, "cannot make the folder %s:", part);
		*p = '/';
	}
	free(part);
	return ok;
}

static void forget(struct outfile *o)
{
	free(o->path);
	free(o->part);
	*o = (struct outfile){ 0 };
}

/* A terminal, a pipe, /dev/full: a file that took its name would take its place. */
static bool is_device(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static int open_new(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
}

/* Mostly its folder is there, and no older part: what is missing is seen to when it is missed. -1: *f, or errno with an empty *f. */
static int part_open(struct outfile *o, struct fault *f)
{
	char *part;
	int fd;

	*f = (struct fault){ 0 };
	if (asprintf(&part, "%s.part", o->path) < 0)
		abort();
	o->part = part;
	fd = open_new(o->part);
	if (fd < 0 && errno == ENOENT) {
		if (!make_folders(o->path, f))
			return -1;
		fd = open_new(o->part);
	}
	/* One that was left by another is somebody's file no more; a link that stands there leads who knows where. */
	if (fd < 0 && errno == EEXIST && unlink(o->part) == 0)
		fd = open_new(o->part);
	return fd;
}

bool outfile_open(struct outfile *o, const char *path, struct fault *f)
{
	int fd;

	*o = (struct outfile){ 0 };
	o->path = strdup(path);
	assert(o->path);
	*f = (struct fault){ 0 };
	fd = is_device(path) ? open(path, O_WRONLY | O_CLOEXEC) : part_open(o, f);
	o->file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (o->file)
		return true;
	if (!f->msg[0])
		fault_machine(f, "cannot write %s:", path);
	if (fd >= 0)
		close(fd);
	forget(o);
	return false;
}

/* An error of an early write is told with the reason of the last one: stdio keeps that it failed, not why. */
static bool finish(struct outfile *o)
{
	int error = 0;

	if (fflush(o->file) != 0)
		error = errno;
	else if (ferror(o->file))
		error = errno ? errno : EIO;
	if (fclose(o->file) != 0 && !error)
		error = errno;
	o->file = NULL;
	errno = error;
	return !error;
}

bool outfile_close(struct outfile *o, bool keep, struct fault *f)
{
	bool ok = true;

	if (!o->path)
		return true;
	if (!finish(o) || (keep && o->part && rename(o->part, o->path) != 0))
		ok = !keep || fault_machine(f, "cannot write %s:", o->path);
	if (o->part && (!keep || !ok))
		unlink(o->part);
	forget(o);
	return ok;
}

bool outfile_put(const char *path, struct bytes text, struct fault *f)
{
	struct outfile o;

	if (!outfile_open(&o, path, f))
		return false;
	if (text.n)
		fwrite(text.p, 1, text.n, o.file);
	return outfile_close(&o, true, f);
}
