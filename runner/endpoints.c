/* endpoints: a captured loopback frame as it goes into a file for others. */
#include "runner/endpoints.h"

#include <string.h>

#include "peer/checksum.h"

const uint8_t endpoint_iut[4] = { 127, 0, 0, 1 }, endpoint_peer[4] = { 127, 0, 0, 2 };

/* Places in an Ethernet frame, and in the packets within (RFC 791 3.1, RFC 9293 3.1). */
enum { IP = 14, IP_TOTAL = 2, IP_PROTOCOL = 9, IP_SUM = 10, IP_FROM = 12, IP_TO = 16, IP_HEAD = 20, TCP_SUM = 16 };

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* The sum over the pseudo header (RFC 9293 3.1) and the segment. */
static uint32_t segment_sum(const uint8_t *ip, struct bytes segment)
{
	uint32_t sum = checksum_add(0, (struct bytes){ ip + IP_FROM, 8 }) + ip[IP_PROTOCOL] + (uint32_t)segment.n;

	return checksum_add(sum, segment);
}

static void sums_set(uint8_t *ip)
{
	size_t head = (ip[0] & 15) * 4u;
	struct bytes segment = { ip + head, be16(ip + IP_TOTAL) - head };

	put16(ip + IP_SUM, 0);
	put16(ip + IP_SUM, checksum_fold(checksum_add(0, (struct bytes){ ip, head })));
	put16(ip + head + TCP_SUM, 0);
	put16(ip + head + TCP_SUM, checksum_fold(segment_sum(ip, segment)));
}

static struct bytes frame_bytes(const struct evidence *e, size_t frame)
{
	return (struct bytes){ e->frames_data.p + e->frames[frame].at, e->frames[frame].len };
}

static bool from_peer(const struct evidence *e, const struct segment *s)
{
	for (int i = 0; i < e->nconns; i++)
		if (s->from_port == e->conns[i].peer_port && s->to_port == e->conns[i].iut_port)
			return true;
	return false;
}

bool endpoints_from_peer(const struct evidence *e, size_t frame)
{
	struct segment s;

	return segment_parse(frame_bytes(e, frame), &s) && from_peer(e, &s);
}

void endpoints_write(struct buf *out, const struct evidence *e, size_t frame)
{
	size_t at = out->n;
	struct segment s;
	uint8_t *ip;

	buf_add_bytes(out, frame_bytes(e, frame));
	if (!segment_parse(frame_bytes(e, frame), &s) || s.ipv6 || memcmp(s.from, endpoint_iut, 4) != 0 ||
	    memcmp(s.to, endpoint_iut, 4) != 0)
		return;
	ip = out->p + at + IP;
	memcpy(ip + (from_peer(e, &s) ? IP_FROM : IP_TO), endpoint_peer, 4);
	sums_set(ip);
}
