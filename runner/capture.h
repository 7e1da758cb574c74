/* capture: one tcpdump for a worker's whole session, streamed into us. Points in it tell what passed before from what passed after; no
 * clock decides that. The cheap kind is a number: how many frames the kernel has given to tcpdump so far, which are those that come out of
 * it first. The other kind is a marker, a datagram through the captured interface: it passes behind all that this processor had still to
 * let pass. Each run ends with a marker, which comes out of the stream behind all else, and has to be the frame that the kernel's count
 * says. */
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
	int packet_fd;                          /* tcpdump's packet socket, for its counters */
	uint64_t passed, dropped;               /* frames that the kernel gave to tcpdump, and could not give */
	uint64_t dropped_before;                /* when the last reading ended */
	uint64_t read;                          /* of those that passed, how many have come out of the stream */
	uint64_t seen;                          /* the last marker that has */
	bool spoiled;                           /* its stream broke off */
	bool full;                              /* more came in one run than is kept for it */
};

struct capture_point {
	uint64_t frames;                        /* how many had passed */
	uint64_t marker;                        /* all before this marker; 0: the first `frames` frames, and no marker was sent */
};

/* What capture_read gives: a frame, valid during the call. */
struct captured {
	struct bytes data;
	int64_t at_ns;
	uint64_t number;                        /* from 1 on */
	uint64_t seen;                          /* the last marker up to here, this frame included */
	bool marker;                            /* it is one */
};
typedef void capture_sink(void *to, const struct captured *frame);

/* Starts tcpdump on lo and waits until it captures. False: *f, with tcpdump's own words. */
bool capture_start(struct capture *c, struct fault *f);
/* The part of it that begins to read what tcpdump writes: the stream's head. */
bool capture_open(struct capture *c, struct fault *f);
/* Keeps tcpdump's pipe empty. Never waits. */
void capture_drain(struct capture *c);
/* Here: behind all that has passed by now. What was acknowledged has. */
struct capture_point capture_here(struct capture *c);
/* Sends a marker through the captured interface: behind what nobody acknowledges as well. */
struct capture_point capture_mark(struct capture *c);
/* Did this frame pass behind the point? */
bool capture_behind(const struct capture_point *p, const struct captured *frame);
/* Gives all frames up to and including the marker of this point. False: it did not come out, the kernel dropped packets, or what came
 * out is not what it had counted: *f. */
bool capture_read(struct capture *c, struct capture_point end, capture_sink *sink, void *to, struct fault *f);
/* A new one in the place of one whose stream broke off; nothing if it did not. Between two runs. False: *f. */
bool capture_renew(struct capture *c, struct fault *f);
void capture_end(struct capture *c);

#endif
