/* sockdiag: the kernel's view of any TCP socket of the namespace. */
#include "runner/sockdiag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STATE_CLOSE = 7, STATE_LISTEN = 10 };

bool sockdiag_open(struct sockdiag *d, struct fault *f)
{
	struct timeval limit = { 5, 0 };        /* ends a wait that has failed: the kernel answers within the call */

	d->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (d->fd < 0)
		return fault_machine(f, "no sock_diag (CONFIG_INET_DIAG):");
	setsockopt(d->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return true;
}

void sockdiag_close(struct sockdiag *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

static void read_attributes(const struct inet_diag_msg *m, size_t len, struct sock_view *v)
{
	struct rtattr *a = (struct rtattr *)(m + 1);
	int left = (int)(len - NLMSG_ALIGN(sizeof(*m)));

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		struct tcp_info info = { 0 };
		size_t n = RTA_PAYLOAD(a) < sizeof(info) ? RTA_PAYLOAD(a) : sizeof(info);

		if (a->rta_type != INET_DIAG_INFO)
			continue;
		memcpy(&info, RTA_DATA(a), n);
		v->in_flight = info.tcpi_unacked;
	}
}

bool sockdiag_look(struct sockdiag *d, uint16_t local, uint16_t remote, struct sock_view *v)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 req;
	} ask = {
		{ sizeof(ask), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0 },
		{ .sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_ext = 1 << (INET_DIAG_INFO - 1), .idiag_states = ~0u }
	};
	char answer[1024] __attribute__((aligned(8)));
	const struct nlmsghdr *h = (const struct nlmsghdr *)answer;
	const struct inet_diag_msg *m = NLMSG_DATA(h);
	ssize_t n;

	ask.req.id = (struct inet_diag_sockid){ .idiag_sport = htons(local), .idiag_dport = htons(remote),
	                                        .idiag_src = { htonl(INADDR_LOOPBACK) }, .idiag_dst = { htonl(INADDR_LOOPBACK) },
	                                        .idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE } };
	*v = (struct sock_view){ .state = STATE_CLOSE };
	if (send(d->fd, &ask, sizeof(ask), 0) != sizeof(ask))
		return false;
	/* A receive with a time limit ends when the process is stopped and continued. */
	do
		n = recv(d->fd, answer, sizeof(answer), 0);
	while (n < 0 && errno == EINTR);
	if (n < (ssize_t)sizeof(*h))
		return false;
	if (h->nlmsg_type == NLMSG_ERROR || n < (ssize_t)NLMSG_LENGTH(sizeof(*m)))
		return true;                    /* ENOENT: there is none */
	if (m->idiag_state == STATE_LISTEN)
		return true;                    /* the kernel falls back to the listening socket of that port */
	*v = (struct sock_view){ m->idiag_state, true, m->idiag_inode, m->idiag_rqueue, m->idiag_wqueue, 0 };
	read_attributes(m, h->nlmsg_len - NLMSG_HDRLEN, v);
	return true;
}
