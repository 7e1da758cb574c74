/* capture: one tcpdump for a worker's whole session, streamed into us. Marker datagrams through the captured interface delimit it:
 * when a marker comes out of the stream, all that was sent before it has come out too. No clock decides that. */
#ifndef RUNNER_CAPTURE_H
#define RUNNER_CAPTURE_H

#include <pcap/pcap.h>

#include "runner/child.h"

struct capture {
	struct child tcpdump;
	struct buf bytes;                       /* read from its pipe, for libpcap */
	size_t given;                           /* bytes in front of it that libpcap has */
	pcap_t *pcap;
	int marker_fd;                          /* a socket bound and connected to itself: the marker's receiver as well */
	uint16_t marker_port;
	uint64_t marked;                        /* the number of the last marker sent */
	int packet_fd;                          /* tcpdump's packet socket, for its drop counter */
	uint64_t dropped, dropped_before;       /* before: when the last reading began */
	bool spoiled;                           /* its stream broke off */
	bool full;                              /* more came in one run than is kept for it */
};

/* What capture_read gives: a frame, valid during the call. marker: its number if it is a marker, else 0. */
typedef void capture_sink(void *to, struct bytes frame, int64_t at_ns, uint64_t marker);

/* Starts tcpdump on lo and waits until it captures. False: *f, with tcpdump's own words. */
bool capture_start(struct capture *c, struct fault *f);
/* Keeps tcpdump's pipe empty. Never waits. */
void capture_drain(struct capture *c);
/* Sends a marker through the captured interface and returns its number. */
uint64_t capture_mark(struct capture *c);
/* Gives all frames up to and including this marker. False: it did not come out, or the kernel dropped packets: *f. */
bool capture_read(struct capture *c, uint64_t marker, capture_sink *sink, void *to, struct fault *f);
/* A new one in the place of one whose stream broke off; nothing if it did not. Between two runs. False: *f. */
bool capture_renew(struct capture *c, struct fault *f);
void capture_end(struct capture *c);

#endif
