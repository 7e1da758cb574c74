/* Capture files: a small run made by hand, written, and read again by a reader that knows only the format, and by libpcap. */
#include "runner/pcapfile.h"

#include <pcap/pcap.h>
#include <stdio.h>

#include "tests/check_rows.h"

enum { IUT = 40000, PEER = 5000, FIN = 1, SYN = 2, RST = 4, ACK = 16 };

static const char the_case[] =
	"# why\n"
	"title t\n"
	"\n"
	"handshake\n"                           /* line 4, step 0 */
	"peer close_notify + fin\n"             /* line 5, steps 1 and 2 */
	"iut close\n"                           /* line 6, step 3 */
	"path forge fin to iut\n"               /* line 7, step 4 */
	"handshake\n"                           /* line 8, step 5 */
	"iut write \"x\"\n";                    /* line 9, step 6; then 7, the end */

/* In the order of the capture. Nothing is negotiated, so records are in the clear. */
static const struct packet {
	int conn;
	bool peer;
	unsigned flags;
	uint32_t seq;                           /* from the SYN on */
	const char *hex;
	size_t step;
	const char *comment;
} packets[] = {
	{ 0, false, SYN,       0, "",               0, "" },
	{ 0, true,  SYN | ACK, 0, "",               0, "" },
	{ 0, false, ACK,       1, "1603010004 0100", 0, "" },
	{ 0, false, ACK,       8, "0000",           0, "case line 4: iut: handshake client_hello, during `handshake`" },
	{ 0, true,  ACK,       1, "1603030004 0e000000 1403030001 01", 0,
	  "case line 4: peer: handshake server_hello_done change_cipher_spec, during `handshake`" },
	{ 0, true,  ACK,      16, "1503",           2, "case line 5: peer close_notify + fin" },
	{ 0, false, ACK,      10, "",               2, "" },
	{ 0, true,  ACK | FIN, 18, "0300020100",    2, "case line 5: peer close_notify + fin" },
	{ 0, true,  ACK | FIN, 18, "0300020100",    2, "" },
	{ 0, false, ACK | FIN, 10, "15030300020100", 3, "case line 6: iut: close_notify fin, during `iut close`" },
	{ 0, true,  RST,      24, "",               3, "case line 6: peer: rst, during `iut close`" },
	{ 1, false, SYN,       0, "",               5, "" },
	{ 1, true,  ACK | FIN, 1, "",               4, "case line 7: peer, on the other connection: fin, during `path forge fin to iut`" },
	{ 1, false, ACK,       1, "170303000178",   6, "case line 9: iut: data 1, during `iut write \"x\"`" },
	{ 1, false, RST,       7, "",               7, "after the last line: iut: rst" },
};

static void put32(struct buf *b, uint32_t v)
{
	buf_u16(b, v >> 16);
	buf_u16(b, v & 65535);
}

static void make_frame(const struct packet *p, struct buf *b)
{
	struct buf payload = { 0 };
	uint16_t iut = (uint16_t)(IUT + p->conn);

	ck_assert(bytes_unhex(bytes_of(p->hex), &payload));
	unhex("000000000000 000000000000 0800 4500", b);
	buf_u16(b, (unsigned)(40 + payload.n));
	unhex("0001 0000 4006 0000 7f000001 7f000001", b);
	buf_u16(b, p->peer ? PEER : iut);
	buf_u16(b, p->peer ? iut : PEER);
	put32(b, 1000 + p->seq);
	put32(b, 1);
	buf_u16(b, 0x5000 | p->flags);
	put32(b, 0x02000000);
	buf_u16(b, 0);
	buf_add_bytes(b, buf_bytes(&payload));
	buf_free(&payload);
}

static int64_t time_of(size_t i)
{
	return 1767225600123456789 + (int64_t)i;
}

static void add_packet(struct evidence *e, const struct packet *p)
{
	struct conn_seen *c = &e->conns[p->conn];
	struct buf frame = { 0 };
	struct segment s;

	make_frame(p, &frame);
	ck_assert(segment_parse(buf_bytes(&frame), &s));
	stream_add(&c->stream, &s, c->npackets);
	c->packet_frame = reallocarray(c->packet_frame, c->npackets + 1, sizeof(*c->packet_frame));
	e->frames = reallocarray(e->frames, e->nframes + 1, sizeof(*e->frames));
	ck_assert(c->packet_frame && e->frames);
	c->packet_frame[c->npackets++] = e->nframes;
	e->frames[e->nframes] = (struct frame){ time_of(e->nframes), e->frames_data.n, frame.n, p->step };
	e->nframes++;
	buf_add_bytes(&e->frames_data, buf_bytes(&frame));
	buf_free(&frame);
}

/* When the IUT is the server, its peer is the one that connects. */
static void make_evidence(struct evidence *e, struct script *s, bool server)
{
	static struct requirements none;
	struct fault f = { 0 };

	ck_assert_msg(script_parse(s, "cases/theme/name.case", the_case, strlen(the_case), 0, &none, &f), "%d:%d: %s", f.line, f.col, f.msg);
	evidence_start(e, s, FOR_TLS13 | FOR_BLOCKING | (server ? FOR_SERVER : FOR_CLIENT));
	for (size_t i = 0; i < countof(packets); i++) {
		struct packet p = packets[i];

		if (p.flags & SYN && server)
			p.peer = !p.peer;
		add_packet(e, &p);
	}
	e->nconns = 2;
	for (size_t i = 5; i <= s->nsteps; i++)
		e->steps[i].conn = 1;
	buf_printf(&e->conns[0].keylog, "SERVER_HANDSHAKE_TRAFFIC_SECRET 00 11\n");
	buf_printf(&e->conns[1].keylog, "CLIENT_RANDOM 22 33\n");
	for (int i = 0; i < 2; i++)
		decode_stream(&e->conns[i].stream, &e->conns[i].secrets, &e->conns[i].decoded);
}

/* --- a reader --- */

static uint32_t take_le(struct bytes *in, size_t n)
{
	struct bytes x;
	uint32_t v = 0;

	ck_assert(bytes_take(in, n, &x));
	while (n > 0)
		v = v << 8 | x.p[--n];
	return v;
}

static struct bytes take_padded(struct bytes *in, size_t n)
{
	struct bytes x, padding;

	ck_assert(bytes_take(in, n, &x) && bytes_take(in, -n & 3, &padding));
	return x;
}

/* The first comment among the options; empty if there is none. */
static struct bytes comment_of(struct bytes options)
{
	while (options.n > 0) {
		uint32_t code = take_le(&options, 2), len = take_le(&options, 2);
		struct bytes value = take_padded(&options, len);

		if (code == 1)
			return value;
	}
	return (struct bytes){ 0 };
}

static void tell_block(uint32_t type, struct bytes in, struct buf *out)
{
	struct bytes skip, x;
	size_t n;

	switch (type) {
	case 0x0a0d0d0a:
		ck_assert(bytes_take(&in, 16, &skip));
		x = comment_of(in);
		buf_printf(out, "section %.*s\n", (int)x.n, (const char *)x.p);
		break;
	case 10:
		ck_assert_uint_eq(take_le(&in, 4), 0x544c534b);
		n = take_le(&in, 4);
		x = take_padded(&in, n);
		buf_printf(out, "secrets %.*s", (int)x.n, (const char *)x.p);
		break;
	case 6:
		ck_assert(bytes_take(&in, 12, &skip));
		n = take_le(&in, 4);
		take_le(&in, 4);
		take_padded(&in, n);
		x = comment_of(in);
		buf_printf(out, "packet %.*s\n", (int)x.n, (const char *)x.p);
		break;
	default:
		buf_printf(out, "block %u\n", type);
		break;
	}
}

static void tell_file(struct bytes in, struct buf *out)
{
	while (in.n > 0) {
		uint32_t type = take_le(&in, 4), len = take_le(&in, 4);
		struct bytes body;

		ck_assert_msg(len >= 12 && bytes_take(&in, len - 12, &body), "length %u", len);
		ck_assert_uint_eq(take_le(&in, 4), len);
		tell_block(type, body, out);
	}
}

/* --- tests --- */

START_TEST(blocks_and_comments)
{
	struct buf file = { 0 }, got = { 0 }, want = { 0 };
	struct evidence e;
	struct script s;

	make_evidence(&e, &s, _i);
	evidence_pcapng(&e, "theme/name", &file);
	tell_file(buf_bytes(&file), &got);
	buf_printf(&want, "section theme/name\nblock 1\nsecrets SERVER_HANDSHAKE_TRAFFIC_SECRET 00 11\nsecrets CLIENT_RANDOM 22 33\n");
	for (size_t i = 0; i < countof(packets); i++)
		buf_printf(&want, "packet %s\n", packets[i].comment);
	ck_assert_str_eq(buf_str(&got), buf_str(&want));
	buf_free(&file);
	buf_free(&got);
	buf_free(&want);
	evidence_free(&e);
	script_free(&s);
}
END_TEST

static pcap_t *pcap_of(struct buf *file)
{
	char why[PCAP_ERRBUF_SIZE];
	FILE *in = fmemopen(file->p, file->n, "rb");
	pcap_t *pcap;

	ck_assert_ptr_nonnull(in);
	pcap = pcap_fopen_offline_with_tstamp_precision(in, PCAP_TSTAMP_PRECISION_NANO, why);
	ck_assert_msg(pcap != NULL, "%s", why);
	return pcap;
}

START_TEST(libpcap_agrees)
{
	struct buf file = { 0 };
	struct pcap_pkthdr *head;
	struct evidence e;
	struct script s;
	const u_char *data;
	pcap_t *pcap;

	make_evidence(&e, &s, false);
	evidence_pcapng(&e, NULL, &file);
	pcap = pcap_of(&file);
	for (size_t i = 0; i < countof(packets); i++) {
		struct bytes frame = { e.frames_data.p + e.frames[i].at, e.frames[i].len };

		ck_assert_int_eq(pcap_next_ex(pcap, &head, &data), 1);
		ck_assert_int_eq(head->ts.tv_sec * 1000000000 + head->ts.tv_usec, time_of(i));
		same_bytes("frame", (struct bytes){ data, head->caplen }, frame);
	}
	ck_assert_int_eq(pcap_next_ex(pcap, &head, &data), PCAP_ERROR_BREAK);
	pcap_close(pcap);
	buf_free(&file);
	evidence_free(&e);
	script_free(&s);
}
END_TEST

/* A run that never came to a connection still makes a file, and what the buffer held before stays. */
START_TEST(empty_run)
{
	struct buf file = { 0 }, got = { 0 };
	struct evidence e;
	struct script s;

	make_evidence(&e, &s, false);
	evidence_free(&e);
	evidence_start(&e, &s, FOR_CLIENT | FOR_TLS13 | FOR_BLOCKING);
	buf_printf(&file, "before");
	evidence_pcapng(&e, NULL, &file);
	ck_assert(file.n > 6 && memcmp(file.p, "before", 6) == 0);
	buf_drop(&file, 6);
	tell_file(buf_bytes(&file), &got);
	ck_assert_str_eq(buf_str(&got), "section \nblock 1\n");
	buf_free(&file);
	buf_free(&got);
	evidence_free(&e);
	script_free(&s);
}
END_TEST

ROWS_MAIN("pcapfile", { blocks_and_comments, 2 }, { libpcap_agrees, 1 }, { empty_run, 1 })
