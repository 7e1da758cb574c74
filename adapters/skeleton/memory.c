/* memory: the transport of the memory mode, two queues that a library reads from and writes to, and the same calls for a socket
 * (skeleton.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "adapters/skeleton/lines.h"
#include "adapters/skeleton/skeleton.h"

void queue_add(struct queue *q, const void *p, size_t n)
{
	if (q->n + n > q->cap) {
		q->cap = 2 * (q->n + n);
		if (!(q->p = realloc(q->p, q->cap)))
			abort();
	}
	if (n)
		memcpy(q->p + q->n, p, n);
	q->n += n;
}

void queue_drop(struct queue *q, size_t n)
{
	q->n -= n;
	if (q->n)
		memmove(q->p, q->p + n, q->n);
}

static size_t queue_take(struct queue *q, void *p, size_t n)
{
	if (n > q->n)
		n = q->n;
	if (n)
		memcpy(p, q->p, n);
	queue_drop(q, n);
	return n;
}

ssize_t memory_recv(struct conn *c, void *p, size_t n)
{
	if (c->in.n || c->ended)
		return (ssize_t)queue_take(&c->in, p, n);
	errno = EAGAIN;
	return -1;
}

/* option:short-writes, once the handshake is through: a transport that takes 1, 3 or 7 bytes, and after each time is full for once. */
static size_t memory_room(struct conn *c, size_t n)
{
	static const size_t rooms[] = { 1, 0, 3, 0, 7, 0 };
	size_t room = rooms[c->sends++ % countof(rooms)];

	return n < room ? n : room;
}

ssize_t memory_send(struct conn *c, const void *p, size_t n)
{
	if (n && c->up && conn_option(c, "short-writes") && !(n = memory_room(c, n))) {
		errno = EAGAIN;
		return -1;
	}
	queue_add(&c->out, p, n);
	return (ssize_t)n;
}

ssize_t conn_recv(struct conn *c, void *p, size_t n)
{
	return c->io == IO_MEMORY ? memory_recv(c, p, n) : recv(c->fd, p, n, 0);
}

ssize_t conn_send(struct conn *c, const void *p, size_t n)
{
	return c->io == IO_MEMORY ? memory_send(c, p, n) : send(c->fd, p, n, MSG_NOSIGNAL);
}
