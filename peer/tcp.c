/* tcp: the kernel's TCP, driven explicitly. */
#include "peer/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* From <netinet/tcp.h>, which cannot stand beside <linux/tcp.h>. */
enum { STATE_FIN_WAIT1 = 4, STATE_LAST_ACK = 9, STATE_CLOSING = 11 };

enum { FROM_FIRST = 10000, FROM_LAST = 65000 };

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
}

static bool set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

int tcp_listen(uint16_t port, struct fault *f)
{
	struct sockaddr_in a = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && set(fd, SOL_SOCKET, SO_REUSEADDR, 1) && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(fd, 16) == 0)
		return fd;
	fault_machine(f, "cannot listen on 127.0.0.1:%u:", port);
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool bind_next(int fd, uint16_t *from)
{
	for (int tries = 0; tries <= FROM_LAST - FROM_FIRST; tries++) {
		struct sockaddr_in a;

		*from = *from < FROM_FIRST || *from >= FROM_LAST ? FROM_FIRST : *from + 1;
		a = loopback(*from);
		if (bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
			return true;
		if (errno != EADDRINUSE)
			return false;
	}
	return false;
}

int tcp_connect(uint16_t port, uint16_t *from, struct fault *f)
{
	struct sockaddr_in a = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* Blocking for the connect alone: over loopback the SYN-ACK comes within the call. */
	if (fd >= 0 && set(fd, IPPROTO_TCP, TCP_NODELAY, 1) && (!from || bind_next(fd, from)) &&
	    connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
		return fd;
	fault_machine(f, "cannot connect to 127.0.0.1:%u:", port);
	if (fd >= 0)
		close(fd);
	return -1;
}

int tcp_accept(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	return fd;
}

static uint16_t port_of(int fd, int (*name)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_in a;
	socklen_t n = sizeof(a);

	return name(fd, (struct sockaddr *)&a, &n) == 0 ? ntohs(a.sin_port) : 0;
}

uint16_t tcp_local_port(int fd)
{
	return port_of(fd, getsockname);
}

uint16_t tcp_remote_port(int fd)
{
	return port_of(fd, getpeername);
}

bool tcp_look(int fd, struct tcp_view *v)
{
	struct tcp_info i = { 0 };
	socklen_t n = sizeof(i);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &i, &n) != 0)
		return false;
	*v = (struct tcp_view){ i.tcpi_state, i.tcpi_unacked, i.tcpi_data_segs_in, i.tcpi_notsent_bytes };
	return true;
}

bool tcp_delivered(int fd)
{
	struct tcp_view v;

	/* tcpi_unacked counts segments, and a FIN that waits for its ACK shows in the state.
	 * A FIN behind a closed window is not on its way. */
	if (!tcp_look(fd, &v))
		return true;
	if (v.unacked)
		return false;
	return v.unsent || !(v.state == STATE_FIN_WAIT1 || v.state == STATE_LAST_ACK || v.state == STATE_CLOSING);
}

bool tcp_fin(int fd)
{
	return shutdown(fd, SHUT_WR) == 0;
}

void tcp_rst(int *fd)
{
	struct linger l = { 1, 0 };

	if (*fd < 0)
		return;
	setsockopt(*fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	close(*fd);
	*fd = -1;
}

bool tcp_vanish(int fd)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog prog = { 1, &drop };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) == 0 && set(fd, IPPROTO_TCP, TCP_REPAIR, 1);
}

void tcp_drop(int *fd, bool vanished)
{
	if (*fd < 0)
		return;
	if (!vanished) {
		tcp_rst(fd);
		return;
	}
	close(*fd);             /* in repair mode a close sends nothing */
	*fd = -1;
}
