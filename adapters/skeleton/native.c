/* native: what a library's call returned, in the library's own words (skeleton.h). */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "adapters/skeleton/lines.h"
#include "adapters/skeleton/skeleton.h"

void native(struct call *k, const char *fmt, ...)
{
	size_t len = strlen(k->native);
	int err = errno;                        /* the caller may look at it next */
	va_list ap;

	if (len + 2 > sizeof(k->native))
		return;
	if (len)
		k->native[len++] = ' ';
	va_start(ap, fmt);
	vsnprintf(k->native + len, sizeof(k->native) - len, fmt, ap);
	va_end(ap);
	errno = err;
}

void native_text(struct call *k, const char *text)
{
	char quoted[512];
	size_t n = 0;

	for (; *text && n < sizeof(quoted) - 5; text++)
		n += line_escape(quoted + n, (uint8_t)*text);
	native(k, "\"%.*s\"", (int)n, quoted);
}

/* By number, as strerrorname_np is glibc's alone. */
static const struct { int err; const char *name; } errnos[] = {
	{ 0, "0" }, { EAGAIN, "EAGAIN" }, { EBADF, "EBADF" }, { ECONNABORTED, "ECONNABORTED" }, { ECONNREFUSED, "ECONNREFUSED" },
	{ ECONNRESET, "ECONNRESET" }, { EFAULT, "EFAULT" }, { EHOSTUNREACH, "EHOSTUNREACH" }, { EINTR, "EINTR" }, { EINVAL, "EINVAL" },
	{ EIO, "EIO" }, { EMFILE, "EMFILE" }, { ENETDOWN, "ENETDOWN" }, { ENETUNREACH, "ENETUNREACH" }, { ENOBUFS, "ENOBUFS" },
	{ ENOMEM, "ENOMEM" }, { ENOPROTOOPT, "ENOPROTOOPT" }, { ENOTCONN, "ENOTCONN" }, { ENOTSOCK, "ENOTSOCK" }, { EPERM, "EPERM" },
	{ EPIPE, "EPIPE" }, { EPROTO, "EPROTO" }, { EADDRNOTAVAIL, "EADDRNOTAVAIL" }, { ESHUTDOWN, "ESHUTDOWN" },
	{ ETIMEDOUT, "ETIMEDOUT" },
};

enum outcome native_errno(struct call *k, int err)
{
	size_t i = 0;

	while (i < countof(errnos) && errnos[i].err != err)
		i++;
	if (i < countof(errnos))
		native(k, "errno=%s", errnos[i].name);
	else
		native(k, "errno=%d", err);
	if (err)
		native_text(k, strerror(err));
	return err == ECONNRESET ? SAYS_RESET : err == EPIPE ? SAYS_PIPE : SAYS_ERROR;
}
