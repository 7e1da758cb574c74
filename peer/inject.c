/* inject: forged packets by raw socket on loopback. */
#include "peer/inject.h"

#include <arpa/inet.h>
#include <assert.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer/checksum.h"

enum { IP_HEAD = 20, TCP_HEAD = 20, ICMP_HEAD = 8, QUOTED = IP_HEAD + 8, TTL = 64, REPAIR_OFF_QUIET = -1 };

static bool set(int fd, int name, int value)
{
	return setsockopt(fd, IPPROTO_TCP, name, &value, sizeof(value)) == 0;
}

static bool queue_number(int fd, int queue, uint32_t *n)
{
	socklen_t len = sizeof(*n);

	return set(fd, TCP_REPAIR_QUEUE, queue) && getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, n, &len) == 0;
}

bool inject_numbers(int fd, struct numbers *n, struct fault *f)
{
	bool ok = set(fd, TCP_REPAIR, 1);

	ok = ok && queue_number(fd, TCP_SEND_QUEUE, &n->send_next) && queue_number(fd, TCP_RECV_QUEUE, &n->receive_next);
	/* Leaving repair mode in the ordinary way would send a window probe. */
	ok = set(fd, TCP_REPAIR, REPAIR_OFF_QUIET) && ok;
	return ok || fault_machine(f, "cannot read the connection's sequence numbers (TCP_REPAIR):");
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static void ip_head(uint8_t *p, size_t total, unsigned protocol)
{
	memset(p, 0, IP_HEAD);
	p[0] = 0x45;
	put16(p + 2, (unsigned)total);
	p[8] = TTL;
	p[9] = (uint8_t)protocol;
	put32(p + 12, INADDR_LOOPBACK);
	put32(p + 16, INADDR_LOOPBACK);
	put16(p + 10, checksum_fold(checksum_add(0, (struct bytes){ p, IP_HEAD })));
}

static bool send_packet(const uint8_t *packet, size_t n, struct fault *f)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	bool ok = fd >= 0 && sendto(fd, packet, n, 0, (struct sockaddr *)&to, sizeof(to)) == (ssize_t)n;

	if (!ok)
		fault_machine(f, "cannot send a forged packet (raw socket):");
	if (fd >= 0)
		close(fd);
	return ok;
}

bool inject_segment(uint16_t from, uint16_t to, uint32_t seq, uint32_t ack, unsigned flags, struct bytes data, struct fault *f)
{
	uint8_t packet[IP_HEAD + TCP_HEAD + INJECT_MAX] = { 0 }, *t = packet + IP_HEAD;
	size_t n = TCP_HEAD + data.n;
	uint32_t sum;

	assert(data.n <= INJECT_MAX);
	ip_head(packet, IP_HEAD + n, IPPROTO_TCP);
	if (data.n)
		memcpy(t + TCP_HEAD, data.p, data.n);
	put16(t, from);
	put16(t + 2, to);
	put32(t + 4, seq);
	put32(t + 8, ack);
	t[12] = TCP_HEAD / 4 << 4;
	t[13] = (uint8_t)flags;
	put16(t + 14, 1024);
	sum = checksum_add(0, (struct bytes){ packet + 12, 8 }) + IPPROTO_TCP + (uint32_t)n;   /* the pseudo header (RFC 9293 3.1) */
	put16(t + 16, checksum_fold(checksum_add(sum, (struct bytes){ t, n })));
	return send_packet(packet, IP_HEAD + n, f);
}

bool inject_icmp(unsigned type, unsigned code, uint16_t from, uint16_t to, uint32_t seq, struct fault *f)
{
	uint8_t packet[IP_HEAD + ICMP_HEAD + QUOTED] = { 0 }, *c = packet + IP_HEAD, *quoted = c + ICMP_HEAD;

	ip_head(packet, sizeof(packet), IPPROTO_ICMP);
	ip_head(quoted, IP_HEAD + TCP_HEAD, IPPROTO_TCP);
	put16(quoted + IP_HEAD, from);
	put16(quoted + IP_HEAD + 2, to);
	put32(quoted + IP_HEAD + 4, seq);
	c[0] = (uint8_t)type;
	c[1] = (uint8_t)code;
	put16(c + 2, checksum_fold(checksum_add(0, (struct bytes){ c, ICMP_HEAD + QUOTED })));
	return send_packet(packet, sizeof(packet), f);
}
