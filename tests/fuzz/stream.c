/* Reassembly, held against a model that keeps for each place of the stream the first byte that came there: the same prefix without gaps,
 * each byte by the packet that brought it first, the ends in their places, a hole where there is one.
 * The input is a list of segments, five bytes each: what it is, where it stands, how long it is, which bytes it has. */
#include "runner/stream.h"

#include "tests/fuzz/fuzz.h"

enum { PLACES = 4096, LONGEST = 255, SEGMENTS_MAX = 1000, CLIENT_PORT = 1000, SERVER_PORT = 2000 };
enum { IS_SERVERS = 1, IS_SYN = 2, IS_FIN = 4, IS_RST = 8, IS_ACK = 16, IS_OWN_BYTES = 32 };

struct place { bool known; uint8_t byte; size_t packet; };

/* Places are counted from one that no segment is before. */
struct side {
	struct place places[PLACES + LONGEST + 2];
	bool begun, syn;
	int start;                              /* the place of the first byte of the stream */
	bool fin, rst;
	int fin_place, rst_place;               /* never before the start that was known then */
	size_t fin_packet, rst_packet;
};
struct model { struct side side[2]; uint16_t connector; bool oriented; };

static struct model m;

struct given { struct segment s; int side, at; };       /* at: the place of its sequence number */

/* Sequence numbers wrap somewhere in the middle of the places. */
static uint32_t seq_of(int place)
{
	return (uint32_t)(0u - PLACES / 2) + (uint32_t)place;
}

static struct given take_segment(struct bytes *in, uint8_t payload[LONGEST])
{
	uint8_t what = fuzz_u8(in);
	struct given g = { .side = what & IS_SERVERS ? 1 : 0, .at = fuzz_u16(in) % PLACES };
	size_t n = fuzz_u8(in);
	uint8_t fill = fuzz_u8(in);

	for (size_t i = 0; i < n; i++)
		payload[i] = (uint8_t)(what & IS_OWN_BYTES ? fill + i : ((size_t)g.at + ((what & IS_SYN) != 0) + i) * 7);
	g.s = (struct segment){ .from_port = g.side ? SERVER_PORT : CLIENT_PORT, .to_port = g.side ? CLIENT_PORT : SERVER_PORT,
	                        .seq = seq_of(g.at), .syn = what & IS_SYN, .fin = what & IS_FIN, .rst = what & IS_RST,
	                        .has_ack = what & IS_ACK, .payload = { payload, n } };
	return g;
}

/* A SYN that is neither the direction's own nor one shortly before what was taken for the start belongs to another connection. */
static bool refused(const struct side *sd, const struct given *g)
{
	if (!g->s.syn || !sd->begun)
		return false;
	return sd->syn ? g->at + 1 != sd->start : g->at + 1 > sd->start;
}

static void orient(const struct given *g)
{
	bool first = !m.side[0].begun && !m.side[1].begun;
	uint16_t connector = g->s.syn && g->s.has_ack ? g->s.to_port : g->s.from_port;

	if (first || (g->s.syn && !m.oriented))
		m.connector = connector;
	m.oriented |= g->s.syn;
}

static bool ends(bool *seen, int *place, size_t *in, const struct side *sd, int at, size_t packet)
{
	if (*seen)
		return false;
	*seen = true;
	*place = at > sd->start ? at : sd->start;
	*in = packet;
	return true;
}

/* True if it brought something new. */
static bool model_add(const struct given *g, size_t packet)
{
	struct side *sd = &m.side[g->side];
	int at = g->at + g->s.syn, len = (int)g->s.payload.n;
	bool fresh = false;

	orient(g);
	if (!sd->begun || (g->s.syn && !sd->syn))
		sd->start = g->s.syn ? g->at + 1 : sd->begun ? sd->start : g->at;
	sd->begun = true;
	sd->syn |= g->s.syn;
	if (g->s.rst)
		return ends(&sd->rst, &sd->rst_place, &sd->rst_packet, sd, at, packet);
	for (int i = 0; i < len; i++) {
		struct place *p = &sd->places[at + i];

		if (at + i < sd->start || p->known)
			continue;
		*p = (struct place){ true, g->s.payload.p[i], packet };
		fresh = true;
	}
	return (g->s.fin && ends(&sd->fin, &sd->fin_place, &sd->fin_packet, sd, at + len, packet)) || fresh;
}

static void same_direction(const struct side *sd, const struct direction *d)
{
	int end = sd->start, last = sd->start;

	while (sd->begun && sd->places[end].known)
		end++;
	for (int i = sd->start; sd->begun && i < PLACES + LONGEST + 2; i++)
		last = sd->places[i].known ? i + 1 : last;
	assert(d->data.n == (size_t)(end - sd->start));
	for (size_t i = 0; i < d->data.n; i++) {
		const struct place *p = &sd->places[(size_t)sd->start + i];

		assert(d->data.p[i] == p->byte);
		assert(stream_packet(d, i) == p->packet);
	}
	assert(stream_packet(d, d->data.n) == SIZE_MAX);
	assert(d->seen_syn == sd->syn && d->fin == sd->fin && d->rst == sd->rst);
	assert(!d->fin || (d->fin_at == (uint64_t)(sd->fin_place - sd->start) && d->fin_packet == sd->fin_packet));
	assert(!d->rst || (d->rst_at == (uint64_t)(sd->rst_place - sd->start) && d->rst_packet == sd->rst_packet));
	assert(d->hole == (last > end || (d->fin && sd->fin_place > end)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct bytes in = { data, n };
	struct stream st = { 0 };
	uint8_t payload[LONGEST];
	size_t npackets = 0;

	memset(&m, 0, sizeof(m));
	for (size_t packet = 0; in.n && packet < SEGMENTS_MAX; packet++) {
		struct given g = take_segment(&in, payload);

		if (refused(&m.side[g.side], &g)) {
			assert(!stream_add(&st, &g.s, packet));
			continue;
		}
		npackets++;
		assert(stream_add(&st, &g.s, packet) == model_add(&g, packet));
	}
	assert(st.npackets == npackets);
	if (npackets) {
		assert(st.port[0] == m.connector);
		same_direction(&m.side[0], &st.dir[m.connector != CLIENT_PORT]);
		same_direction(&m.side[1], &st.dir[m.connector == CLIENT_PORT]);
	}
	stream_free(&st);
	return 0;
}
