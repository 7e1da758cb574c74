/* capture: one tcpdump for a worker's whole session. */
#include "runner/capture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "runner/stream.h"

enum { WATCHDOG_MS = 10000, START_TRIES = 5000, FIRST_TRY_MS = 2, ALIGN_TRIES = 100, PIPE_BYTES = 1 << 20 };

static const uint8_t marker_magic[8] = "clsdrill";

/* --- markers ----------------------------------------------------------------------------------------------------------- */

static bool open_marker(struct capture *c)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof(a);

	c->marker_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->marker_fd < 0 || bind(c->marker_fd, (struct sockaddr *)&a, n) != 0 ||
	    getsockname(c->marker_fd, (struct sockaddr *)&a, &n) != 0 || connect(c->marker_fd, (struct sockaddr *)&a, n) != 0)
		return false;
	c->marker_port = ntohs(a.sin_port);
	return true;
}

static uint64_t send_marker(struct capture *c)
{
	uint8_t text[16];
	uint64_t id = ++c->marked;

	memcpy(text, marker_magic, 8);
	memcpy(text + 8, &id, 8);
	if (send(c->marker_fd, text, sizeof(text), MSG_NOSIGNAL) == (ssize_t)sizeof(text))
		(void)recv(c->marker_fd, text, sizeof(text), MSG_DONTWAIT);
	return id;
}

static uint64_t marker_of(const struct capture *c, struct bytes frame)
{
	uint16_t from, to;
	struct bytes text;
	uint64_t id;

	if (!datagram_parse(frame, &from, &to, &text) || to != c->marker_port || text.n != 16 || memcmp(text.p, marker_magic, 8) != 0)
		return 0;
	memcpy(&id, text.p + 8, 8);
	return id;
}

/* --- the stream -------------------------------------------------------------------------------------------------------- */

static void read_pipe(struct capture *c)
{
	for (;;) {
		uint8_t *p = buf_grow(&c->bytes, 65536);
		ssize_t n = read(c->tcpdump.out, p, 65536);

		c->bytes.n -= 65536 - (size_t)(n > 0 ? n : 0);
		if (n == 0)
			c->tcpdump.ended = true;
		if (n < 65536)
			return;
	}
}

void capture_drain(struct capture *c)
{
	if (!c->tcpdump.ended)
		read_pipe(c);
}

/* libpcap reads through this: first what was drained, then the pipe, which is waited for until the watchdog gives up. */
static ssize_t cookie_read(void *cookie, char *to, size_t n)
{
	struct capture *c = cookie;

	if (!c->bytes.n && !c->tcpdump.ended) {
		struct pollfd p = { c->tcpdump.out, POLLIN, 0 };

		while (poll(&p, 1, WATCHDOG_MS) < 0 && errno == EINTR)
			;
		read_pipe(c);
	}
	if (n > c->bytes.n)
		n = c->bytes.n;
	if (n > 0)
		memcpy(to, c->bytes.p, n);
	buf_drop(&c->bytes, n);
	return (ssize_t)n;
}

bool capture_open(struct capture *c, struct fault *f)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	FILE *file = fopencookie(c, "r", (cookie_io_functions_t){ .read = cookie_read });

	if (file)
		setvbuf(file, NULL, _IOFBF, 65536);
	c->pcap = file ? pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, why) : NULL;
	if (c->pcap && pcap_datalink(c->pcap) == DLT_EN10MB)
		return true;
	child_drain(&c->tcpdump);
	fault_machine(f, "tcpdump does not capture: %.120s%.120s", why, buf_str(&c->tcpdump.log));
	if (!c->pcap && file)
		fclose(file);
	return false;
}

/* The kernel counts what it had to drop on tcpdump's own packet socket: look at that, through a duplicate. */
static bool find_packet_socket(struct capture *c)
{
	int pidfd = (int)syscall(SYS_pidfd_open, c->tcpdump.pid, 0);

	c->packet_fd = -1;
	for (int fd = 3; pidfd >= 0 && fd < 32 && c->packet_fd < 0; fd++) {
		int domain = 0, copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
		socklen_t n = sizeof(domain);

		if (copy < 0)
			continue;
		if (getsockopt(copy, SOL_SOCKET, SO_DOMAIN, &domain, &n) == 0 && domain == AF_PACKET)
			c->packet_fd = copy;
		else
			close(copy);
	}
	if (pidfd >= 0)
		close(pidfd);
	return c->packet_fd >= 0;
}

/* Reading clears the kernel's counters, so they are added up here. A frame is counted when it gets its place in the ring that tcpdump
 * reads. */
static void count_passed(struct capture *c)
{
	struct tpacket_stats s = { 0 };
	socklen_t n = sizeof(s);

	if (getsockopt(c->packet_fd, SOL_PACKET, PACKET_STATISTICS, &s, &n) != 0)
		return;
	c->passed += s.tp_packets - s.tp_drops;
	c->dropped += s.tp_drops;
}

struct capture_point capture_here(struct capture *c)
{
	count_passed(c);
	return (struct capture_point){ c->passed, 0 };
}

struct capture_point capture_mark(struct capture *c)
{
	count_passed(c);
	return (struct capture_point){ c->passed, send_marker(c) };
}

bool capture_behind(const struct capture_point *p, const struct captured *frame)
{
	return p->marker ? frame->seen >= p->marker : frame->number > p->frames;
}

static bool next_frame(struct capture *c, struct captured *frame)
{
	struct pcap_pkthdr *h;
	const u_char *p;
	uint64_t marker;

	if (pcap_next_ex(c->pcap, &h, &p) != 1)
		return false;
	*frame = (struct captured){ { p, h->caplen },
	                            (int64_t)((uint64_t)h->ts.tv_sec * 1000000000 + (uint64_t)h->ts.tv_usec), ++c->read, 0, false };
	marker = marker_of(c, frame->data);
	frame->marker = marker != 0;
	if (marker)
		c->seen = marker;
	frame->seen = c->seen;
	return true;
}

static bool read_to_marker(struct capture *c, uint64_t marker, capture_sink *sink, void *to, struct fault *f)
{
	struct captured frame;

	do {
		if (!next_frame(c, &frame)) {
			child_drain(&c->tcpdump);
			count_passed(c);
			return fault_machine(f, "tcpdump stopped, or a marker did not come out of it; %llu packets dropped by the kernel; "
			                     "it said: %.160s",
			                     (unsigned long long)c->dropped, buf_str(&c->tcpdump.log));
		}
		sink(to, &frame);
	} while (c->seen != marker);
	count_passed(c);
	return true;
}

static void ignore_frame(void *to, const struct captured *frame)
{
	(void)to, (void)frame;
}

/* From here on the kernel's count and ours are of the same frames: a marker comes out as the only one of both. Others may still pass
 * for a while. */
static bool align(struct capture *c, struct fault *f)
{
	for (int i = 0; i < ALIGN_TRIES; i++) {
		count_passed(c);
		c->passed = c->read = 0;
		if (!read_to_marker(c, send_marker(c), ignore_frame, NULL, f))
			return false;
		if (c->passed == 1 && c->read == 1)
			return true;
	}
	return fault_machine(f, "what comes out of tcpdump is not what the kernel counts");
}

bool capture_read(struct capture *c, struct capture_point end, capture_sink *sink, void *to, struct fault *f)
{
	uint64_t dropped = c->dropped;

	if (!read_to_marker(c, end.marker, sink, to, f))
		return false;
	if (c->dropped != dropped)
		return fault_machine(f, "the kernel dropped %llu packets of the capture: the machine is too busy, use fewer workers (-j)",
		                     (unsigned long long)(c->dropped - dropped));
	/* The marker came behind all that had been counted before it, and is counted by now. */
	if (c->read > end.frames && c->read <= c->passed)
		return true;
	fault_machine(f, "tcpdump gave %llu packets, and the kernel has counted %llu: somebody else reads its counters, or took of its "
	              "packets", (unsigned long long)c->read, (unsigned long long)c->passed);
	align(c, &(struct fault){ 0 });
	return false;
}

/* --- start and end ----------------------------------------------------------------------------------------------------- */

static bool spawn(struct capture *c, struct fault *f)
{
	char filter[96];
	/* -B: in immediate mode this counts slots of a whole loopback packet each, so it has to be large. Root would give
	 * up the privileges of the namespace: -Z root keeps them. */
	char *argv[] = { "tcpdump", "-i", "lo", "-n", "-w", "-", "-U", "--immediate-mode", "--time-stamp-precision=nano",
	                 "-B", "65536", filter, NULL, NULL, NULL };

	if (geteuid() == 0) {
		argv[11] = "-Z";
		argv[12] = "root";
		argv[13] = filter;
	}
	snprintf(filter, sizeof(filter), "inbound and (tcp or icmp or udp port %u)", c->marker_port);
	if (!child_start(&c->tcpdump, argv, NULL, NULL, RIGHTS_CAPTURE, f))
		return false;
	fcntl(c->tcpdump.out, F_SETPIPE_SZ, PIPE_BYTES);
	return true;
}

/* tcpdump's first packets behind a new filter are lost: send markers until one comes out. */
static bool first_marker(struct capture *c, struct fault *f)
{
	for (int i = 0; i < START_TRIES && !c->tcpdump.ended; i++) {
		struct pollfd p = { c->tcpdump.out, POLLIN, 0 };

		send_marker(c);
		if (poll(&p, 1, FIRST_TRY_MS) > 0)
			capture_drain(c);
		if (c->bytes.n > 24)            /* the file's header alone has 24 bytes */
			return true;
	}
	child_drain(&c->tcpdump);
	return fault_machine(f, "tcpdump does not capture: %.200s", buf_str(&c->tcpdump.log));
}

bool capture_start(struct capture *c, struct fault *f)
{
	*c = (struct capture){ .tcpdump = { .in = -1, .out = -1, .err = -1 }, .marker_fd = -1, .packet_fd = -1 };
	if (!open_marker(c))
		return fault_machine(f, "no socket for the capture's markers:");
	if (!spawn(c, f) || !first_marker(c, f) || !capture_open(c, f))
		return false;
	if (!find_packet_socket(c))
		return fault_machine(f, "cannot look at tcpdump's packet socket (pidfd_getfd):");
	return align(c, f);
}

void capture_end(struct capture *c)
{
	if (c->pcap)
		pcap_close(c->pcap);
	if (c->marker_fd >= 0)
		close(c->marker_fd);
	if (c->packet_fd >= 0)
		close(c->packet_fd);
	child_end(&c->tcpdump);
	buf_free(&c->bytes);
	*c = (struct capture){ .tcpdump = { .in = -1, .out = -1, .err = -1 }, .marker_fd = -1, .packet_fd = -1 };
}
