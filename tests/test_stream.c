/* test_stream: taking segments out of frames, and connections out of segments. */
#include "runner/stream.h"

#include <stdlib.h>
#include <string.h>

#include "tests/check_rows.h"

/* ---- Parsing ---- */

#define ETHER4  "000000000000 000000000000 0800 "
#define ETHER6  "000000000000 000000000000 86dd "
#define ADDR4   "7f000001 7f000002 "
#define ADDR6   "00000000000000000000000000000001 00000000000000000000000000000002 "
#define TCP20   "1f90 c001 01020304 05060708 5018 0200 0000 0000 "      /* 8080 -> 49153, PSH ACK, window 512 */
#define TCP24   "1f90 c001 01020304 05060708 6018 0200 0000 0000 01010100 "

static const struct frame {
	const char *name, *hex;
	bool tcp;
	size_t spare;           /* bytes at the end that the segment does not need */
	const char *payload;
} frames[] = {
	{ "IPv4, no data",       ETHER4 "45000028 00010000 40060000" ADDR4 TCP20,                      true,  0, "" },
	{ "IPv4, data",          ETHER4 "4500002b 00010000 40060000" ADDR4 TCP20 "616263",             true,  0, "abc" },
	{ "do not fragment",     ETHER4 "45000029 00014000 40060000" ADDR4 TCP20 "61",                 true,  0, "a" },
	{ "Ethernet padding",    ETHER4 "45000029 00010000 40060000" ADDR4 TCP20 "61 0000000000",      true,  5, "a" },
	{ "IPv4 options",        ETHER4 "4600002d 00010000 40060000" ADDR4 "01010100" TCP20 "61",      true,  0, "a" },
	{ "TCP options",         ETHER4 "4500002d 00010000 40060000" ADDR4 TCP24 "61",                 true,  0, "a" },
	{ "first fragment",      ETHER4 "45000029 00012000 40060000" ADDR4 TCP20 "61",                 false, 0, "" },
	{ "last fragment",       ETHER4 "45000029 00010003 40060000" ADDR4 TCP20 "61",                 false, 0, "" },
	{ "IHL below 5",         ETHER4 "44000028 00010000 40060000" ADDR4 TCP20,                      false, 0, "" },
	{ "IHL beyond total",    ETHER4 "4f000028 00010000 40060000" ADDR4 TCP20,                      false, 0, "" },
	{ "total length 0",      ETHER4 "45000000 00010000 40060000" ADDR4 TCP20,                      false, 0, "" },
	{ "total length cuts",   ETHER4 "45000027 00010000 40060000" ADDR4 TCP20,                      false, 0, "" },
	{ "total length beyond", ETHER4 "45000029 00010000 40060000" ADDR4 TCP20,                      false, 0, "" },
	{ "IPv6 in an IPv4 frame", ETHER4 "65000028 00010000 40060000" ADDR4 TCP20,                    false, 0, "" },
	{ "TCP header below 20", ETHER4 "45000028 00010000 40060000" ADDR4
	                         "1f90 c001 01020304 05060708 4018 0200 0000 0000",                    false, 0, "" },
	{ "TCP header beyond",   ETHER4 "45000028 00010000 40060000" ADDR4
	                         "1f90 c001 01020304 05060708 6018 0200 0000 0000",                    false, 0, "" },
	{ "UDP",                 ETHER4 "45000028 00010000 40110000" ADDR4 TCP20,                      false, 0, "" },
	{ "ARP",                 "000000000000 000000000000 0806 00010800060400010000",                false, 0, "" },
	{ "IPv6",                ETHER6 "60000000 0015 06 40" ADDR6 TCP20 "61",                        true,  0, "a" },
	{ "IPv6, padding",       ETHER6 "60000000 0015 06 40" ADDR6 TCP20 "61 00",                     true,  1, "a" },
	{ "IPv6 hop-by-hop",     ETHER6 "60000000 001d 00 40" ADDR6 "06 00 010400000000" TCP20 "61",   true,  0, "a" },
	{ "IPv6, two extensions", ETHER6 "60000000 002d 3c 40" ADDR6 "2b 00 010400000000"
	                         "06 01 010c000000000000000000000000" TCP20 "61",                      true,  0, "a" },
	{ "IPv6 fragment",       ETHER6 "60000000 001d 2c 40" ADDR6 "06 00 000100000000" TCP20 "61",   false, 0, "" },
	{ "extension beyond",    ETHER6 "60000000 0008 00 40" ADDR6 "06 01 010400000000",              false, 0, "" },
	{ "IPv4 in an IPv6 frame", ETHER6 "40000000 0015 06 40" ADDR6 TCP20 "61",                      false, 0, "" },
};

static void frame_check(const struct frame *f, struct bytes whole, size_t n)
{
	struct bytes x = exact((struct bytes){ whole.p, n });
	struct segment s;
	bool want = f->tcp && n + f->spare >= whole.n;

	ck_assert_msg(segment_parse(x, &s) == want, "%s: %zu of %zu bytes", f->name, n, whole.n);
	if (want)
		ck_assert_msg(bytes_is(s.payload, f->payload), "%s: %zu of %zu bytes", f->name, n, whole.n);
	free((void *)x.p);
}

START_TEST(frame_row)
{
	const struct frame *f = &frames[_i];
	struct buf b = { 0 };
	struct bytes x;
	struct frame longer = *f;

	unhex(f->hex, &b);
	for (size_t n = 0; n <= b.n; n++)
		frame_check(f, buf_bytes(&b), n);
	if (strcmp(f->name, "total length beyond") != 0) {      /* there the byte more makes it whole */
		buf_u8(&b, 'x');
		x = buf_bytes(&b);
		longer.spare++;
		frame_check(&longer, x, x.n);
	}
	buf_free(&b);
}
END_TEST

START_TEST(fields4)
{
	struct buf b = { 0 };
	struct segment s;

	ck_assert(segment_parse(unhex(ETHER4 "45000029 00010000 40060000" ADDR4 TCP20 "61", &b), &s));
	ck_assert(!s.ipv6);
	ck_assert_mem_eq(s.from, "\x7f\0\0\x01\0\0\0\0\0\0\0\0\0\0\0", 16);
	ck_assert_mem_eq(s.to, "\x7f\0\0\x02\0\0\0\0\0\0\0\0\0\0\0", 16);
	ck_assert_uint_eq(s.from_port, 8080);
	ck_assert_uint_eq(s.to_port, 49153);
	ck_assert_uint_eq(s.seq, 0x01020304);
	ck_assert_uint_eq(s.ack, 0x05060708);
	ck_assert_uint_eq(s.window, 512);
	ck_assert_ptr_eq(s.payload.p, b.p + b.n - 1);
	buf_free(&b);
}
END_TEST

START_TEST(fields6)
{
	struct buf b = { 0 };
	struct segment s;

	ck_assert(segment_parse(unhex(ETHER6 "60000000 0014 06 40" ADDR6 TCP20, &b), &s));
	ck_assert(s.ipv6);
	ck_assert_uint_eq(s.from[15], 1);
	ck_assert_uint_eq(s.to[15], 2);
	ck_assert_uint_eq(s.from_port, 8080);
	ck_assert_uint_eq(s.payload.n, 0);
	buf_free(&b);
}
END_TEST

static const struct { const char *name; uint8_t flags; bool syn, fin, rst, ack; } flag_rows[] = {
	{ "none",    0x00, false, false, false, false },
	{ "SYN",     0x02, true,  false, false, false },
	{ "SYN ACK", 0x12, true,  false, false, true },
	{ "FIN ACK", 0x11, false, true,  false, true },
	{ "RST",     0x04, false, false, true,  false },
	{ "RST ACK", 0x14, false, false, true,  true },
	{ "PSH URG ECE CWR", 0xe8, false, false, false, false },
};

START_TEST(flag_row)
{
	struct buf b = { 0 };
	struct segment s;

	unhex(ETHER4 "45000028 00010000 40060000" ADDR4 TCP20, &b);
	b.p[14 + 20 + 13] = flag_rows[_i].flags;
	ck_assert(segment_parse(buf_bytes(&b), &s));
	ck_assert_msg(s.syn == flag_rows[_i].syn && s.fin == flag_rows[_i].fin && s.rst == flag_rows[_i].rst
	              && s.has_ack == flag_rows[_i].ack, "%s", flag_rows[_i].name);
	buf_free(&b);
}
END_TEST

static const struct { const char *name, *hex; bool ok; size_t spare; } datagrams[] = {
	{ "empty",               ETHER4 "4500001c 00010000 40110000" ADDR4 "0009 2710 0008 0000",           true,  0 },
	{ "data",                ETHER4 "4500001f 00010000 40110000" ADDR4 "0009 2710 000b 0000 616263",    true,  0 },
	{ "padding",             ETHER4 "4500001f 00010000 40110000" ADDR4 "0009 2710 000b 0000 616263 00", true,  1 },
	{ "UDP length below 8",  ETHER4 "4500001f 00010000 40110000" ADDR4 "0009 2710 0007 0000 616263",    false, 0 },
	{ "UDP length beyond",   ETHER4 "4500001f 00010000 40110000" ADDR4 "0009 2710 000c 0000 616263",    false, 0 },
	{ "TCP",                 ETHER4 "45000028 00010000 40060000" ADDR4 TCP20,                           false, 0 },
	{ "fragment",            ETHER4 "4500001f 00012000 40110000" ADDR4 "0009 2710 000b 0000 616263",    false, 0 },
	{ "IPv6",                ETHER6 "60000000 000b 11 40" ADDR6 "0009 2710 000b 0000 616263",           true,  0 },
};

START_TEST(datagram_row)
{
	struct buf b = { 0 };
	uint16_t from, to;
	struct bytes x, payload;

	unhex(datagrams[_i].hex, &b);
	for (size_t n = 0; n <= b.n; n++) {
		bool want = datagrams[_i].ok && n + datagrams[_i].spare >= b.n;

		x = exact((struct bytes){ b.p, n });
		ck_assert_msg(datagram_parse(x, &from, &to, &payload) == want, "%s: %zu", datagrams[_i].name, n);
		if (want) {
			ck_assert_msg(from == 9 && to == 10000, "%s", datagrams[_i].name);
			ck_assert_msg(payload.n == 0 || bytes_is(payload, "abc"), "%s", datagrams[_i].name);
		}
		free((void *)x.p);
	}
	buf_free(&b);
}
END_TEST

/* ---- Reassembly ---- */

enum { CLIENT = 40000, SERVER = 443 };

/* Flags by letter: S F R, and A for ACK. From: '>' client, '<' server. */
static struct segment segment_of(char from, const char *flags, uint32_t seq, const char *text)
{
	bool client = from == '>';

	return (struct segment){
		.from_port = client ? CLIENT : SERVER, .to_port = client ? SERVER : CLIENT,
		.seq = seq, .payload = bytes_of(text),
		.syn = strchr(flags, 'S'), .fin = strchr(flags, 'F'), .rst = strchr(flags, 'R'), .has_ack = strchr(flags, 'A'),
	};
}

/* One direction each: packets are numbered from 0; `brought` has a letter per segment, + for something new; `by` has for each
 * byte of `data` the number of its packet. fin and rst: their offset, -1 for none. */
static const struct row {
	const char *name;
	struct { const char *flags; uint32_t seq; const char *text; } in[8];
	const char *brought, *data, *by;
	int fin, rst;
	bool hole;
} rows[] = {
	{ "handshake only", { { "S", 100, "" }, { "A", 101, "" } },
	  "--", "", "", -1, -1, false },
	{ "in order", { { "S", 100, "" }, { "A", 101, "ab" }, { "A", 103, "cd" } },
	  "-++", "abcd", "1122", -1, -1, false },
	{ "data with the SYN", { { "S", 100, "ab" }, { "A", 103, "c" } },
	  "++", "abc", "001", -1, -1, false },
	{ "SYN again", { { "S", 100, "" }, { "S", 100, "" }, { "A", 101, "a" } },
	  "--+", "a", "2", -1, -1, false },
	{ "retransmission", { { "S", 100, "" }, { "A", 101, "ab" }, { "A", 101, "ab" }, { "A", 103, "c" } },
	  "-+-+", "abc", "113", -1, -1, false },
	{ "keep-alive", { { "S", 100, "" }, { "A", 101, "ab" }, { "A", 102, "" }, { "A", 102, "x" } },
	  "-+--", "ab", "11", -1, -1, false },
	{ "before the start", { { "S", 100, "" }, { "A", 99, "xyab" } },
	  "-+", "ab", "11", -1, -1, false },
	{ "overlap behind: first wins", { { "S", 100, "" }, { "A", 101, "abc" }, { "A", 102, "XYde" } },
	  "-++", "abcde", "11122", -1, -1, false },
	{ "overlap with what waits: first wins", { { "S", 100, "" }, { "A", 103, "cd" }, { "A", 101, "abXYe" } },
	  "-++", "abcde", "22112", -1, -1, false },
	{ "overlap beyond the gap: first wins", { { "S", 100, "" }, { "A", 104, "de" }, { "A", 103, "cXYf" }, { "A", 101, "ab" } },
	  "-+++", "abcdef", "332112", -1, -1, false },
	{ "inside what waits", { { "S", 100, "" }, { "A", 103, "cde" }, { "A", 104, "X" }, { "A", 101, "ab" } },
	  "-+-+", "abcde", "33111", -1, -1, false },
	{ "around two that wait", { { "S", 100, "" }, { "A", 102, "b" }, { "A", 104, "d" }, { "A", 101, "aXcYe" } },
	  "-+++", "abcde", "31323", -1, -1, false },
	{ "hole", { { "S", 100, "" }, { "A", 101, "ab" }, { "A", 104, "de" } },
	  "-++", "ab", "11", -1, -1, true },
	{ "hole half filled", { { "S", 100, "" }, { "A", 104, "de" }, { "A", 101, "ab" } },
	  "-++", "ab", "22", -1, -1, true },
	{ "hole filled", { { "S", 100, "" }, { "A", 103, "c" }, { "A", 101, "ab" } },
	  "-++", "abc", "221", -1, -1, false },
	{ "wrap-around at the start", { { "S", 0xffffffff, "" }, { "A", 0, "ab" }, { "A", 2, "c" } },
	  "-++", "abc", "112", -1, -1, false },
	{ "wrap-around inside", { { "S", 0xfffffffd, "" }, { "A", 0xfffffffe, "abcd" }, { "FA", 2, "e" } },
	  "-++", "abcde", "11112", 5, -1, false },
	{ "wrap-around, late", { { "S", 0xfffffffd, "" }, { "A", 1, "de" }, { "A", 0xfffffffe, "abc" } },
	  "-++", "abcde", "22211", -1, -1, false },
	{ "wrap-around, retransmission", { { "S", 0xfffffffd, "" }, { "A", 0xfffffffe, "abcd" }, { "A", 0xffffffff, "XXXe" } },
	  "-++", "abcde", "11112", -1, -1, false },
	{ "FIN", { { "S", 100, "" }, { "A", 101, "ab" }, { "FA", 103, "" } },
	  "-++", "ab", "11", 2, -1, false },
	{ "FIN with data", { { "S", 100, "" }, { "FA", 101, "ab" } },
	  "-+", "ab", "11", 2, -1, false },
	{ "FIN again", { { "S", 100, "" }, { "FA", 101, "ab" }, { "FA", 101, "ab" }, { "FA", 103, "" } },
	  "-+--", "ab", "11", 2, -1, false },
	{ "FIN with data seen", { { "S", 100, "" }, { "A", 101, "ab" }, { "FA", 101, "ab" } },
	  "-++", "ab", "11", 2, -1, false },
	{ "FIN beyond a gap", { { "S", 100, "" }, { "A", 101, "ab" }, { "FA", 104, "" } },
	  "-++", "ab", "11", 3, -1, true },
	{ "FIN before its data", { { "S", 100, "" }, { "FA", 103, "" }, { "A", 101, "ab" } },
	  "-++", "ab", "22", 2, -1, false },
	{ "bytes behind the FIN", { { "S", 100, "" }, { "FA", 101, "a" }, { "A", 102, "b" } },
	  "-++", "ab", "12", 1, -1, false },
	{ "RST", { { "S", 100, "" }, { "A", 101, "ab" }, { "R", 103, "" } },
	  "-++", "ab", "11", -1, 2, false },
	{ "RST again", { { "S", 100, "" }, { "R", 101, "" }, { "R", 101, "" } },
	  "-+-", "", "", -1, 0, false },
	{ "RST with a reason", { { "S", 100, "" }, { "RA", 101, "no" } },
	  "-+", "", "", -1, 0, false },
	{ "RST behind the FIN", { { "S", 100, "" }, { "FA", 101, "a" }, { "R", 103, "" } },
	  "-++", "a", "1", 1, 2, false },
	{ "RST beyond a gap", { { "S", 100, "" }, { "A", 101, "a" }, { "R", 109, "" } },
	  "-++", "a", "1", -1, 8, false },
	{ "RST before the start", { { "S", 100, "" }, { "A", 101, "a" }, { "R", 0, "" } },
	  "-++", "a", "1", -1, 0, false },
	{ "RST of a closed port", { { "RA", 0, "" } },
	  "+", "", "", -1, 0, false },
	{ "no SYN", { { "A", 501, "ab" }, { "A", 503, "c" }, { "FA", 504, "" } },
	  "+++", "abc", "001", 3, -1, false },
	{ "no SYN, bare ACK first", { { "A", 501, "" }, { "A", 503, "c" }, { "A", 501, "ab" } },
	  "-++", "abc", "221", -1, -1, false },
	{ "SYN late, nothing moved", { { "A", 101, "ab" }, { "S", 100, "" }, { "A", 103, "c" } },
	  "+-+", "abc", "002", -1, -1, false },
	{ "SYN late, data between", { { "A", 103, "c" }, { "FA", 105, "e" }, { "S", 100, "" }, { "A", 101, "abXd" } },
	  "++-+", "abcde", "33031", 5, -1, false },
	{ "SYN late, RST", { { "R", 103, "" }, { "S", 100, "" }, { "A", 101, "ab" } },
	  "+-+", "ab", "22", -1, 2, false },
	{ "SYN late, wrap-around", { { "A", 1, "c" }, { "S", 0xfffffffe, "" }, { "A", 0xffffffff, "ab" } },
	  "+-+", "abc", "220", -1, -1, false },
	{ "another SYN", { { "S", 100, "" }, { "RA", 101, "" }, { "S", 900, "x" } },
	  "-+-", "", "", -1, 0, false },
	{ "another SYN, the first not seen", { { "FA", 101, "a" }, { "S", 900, "x" } },
	  "+-", "a", "0", 1, -1, false },
};

static void place_check(const char *name, const char *what, int want, bool seen, uint64_t at)
{
	ck_assert_msg(seen == (want >= 0), "%s: %s", name, what);
	if (seen)
		ck_assert_msg(at == (uint64_t)want, "%s: %s at %llu", name, what, (unsigned long long)at);
}

static void direction_check(const struct row *r, const struct direction *d)
{
	uint64_t at = 0;

	ck_assert_msg(bytes_is(buf_bytes(&d->data), r->data), "%s: %zu bytes", r->name, d->data.n);
	for (size_t i = 0; r->by[i]; i++)
		ck_assert_msg(stream_packet(d, i) == (size_t)(r->by[i] - '0'), "%s: byte %zu", r->name, i);
	ck_assert_msg(stream_packet(d, d->data.n) == SIZE_MAX, "%s: behind the end", r->name);
	for (size_t i = 0; i < d->npieces; at += d->pieces[i++].len)
		ck_assert_msg(d->pieces[i].at == at, "%s: piece %zu", r->name, i);
	ck_assert_msg(at == d->data.n, "%s: pieces", r->name);
	place_check(r->name, "fin", r->fin, d->fin, d->fin_at);
	place_check(r->name, "rst", r->rst, d->rst, d->rst_at);
	ck_assert_msg(d->hole == r->hole, "%s: hole", r->name);
}

START_TEST(stream_row)
{
	const struct row *r = &rows[_i];
	struct stream st = { 0 };

	for (size_t i = 0; r->brought[i]; i++) {
		struct segment s = segment_of('>', r->in[i].flags, r->in[i].seq, r->in[i].text);

		ck_assert_msg(stream_add(&st, &s, i) == (r->brought[i] == '+'), "%s: segment %zu", r->name, i);
	}
	direction_check(r, &st.dir[0]);
	ck_assert_msg(st.dir[1].data.n == 0, "%s: the other direction", r->name);
	stream_free(&st);
	stream_free(&st);
}
END_TEST

/* The other direction of the same rows, with our own bytes waiting beyond a gap the whole time. */
START_TEST(stream_row_back)
{
	const struct row *r = &rows[_i];
	struct stream st = { 0 };
	struct segment s = segment_of('>', "S", 7, "");

	stream_add(&st, &s, 90);
	s = segment_of('>', "A", 10, "late");
	ck_assert(stream_add(&st, &s, 91));
	for (size_t i = 0; r->brought[i]; i++) {
		s = segment_of('<', r->in[i].flags, r->in[i].seq, r->in[i].text);
		ck_assert_msg(stream_add(&st, &s, i) == (r->brought[i] == '+'), "%s: segment %zu", r->name, i);
	}
	direction_check(r, &st.dir[1]);
	ck_assert_msg(st.dir[0].hole && st.dir[0].data.n == 0, "%s: the other direction", r->name);
	s = segment_of('>', "A", 8, "is");
	ck_assert(stream_add(&st, &s, 92));
	ck_assert_msg(bytes_is(buf_bytes(&st.dir[0].data), "islate"), "%s: the other direction", r->name);
	ck_assert(!st.dir[0].hole);
	stream_free(&st);
}
END_TEST

/* Four segments, which any order must put together the same way. */
static const struct { const char *flags, *text; uint32_t at; } parts[] = {
	{ "S", "", 0 }, { "A", "abc", 1 }, { "A", "de", 4 }, { "FA", "f", 6 },
};

/* Before the SYN is known the first segment is the start: a part before it says nothing then, and is lost. */
static bool part_lost(const size_t order[4], size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (order[k] == 0)
			return false;
	return order[i] != 0 && order[i] < order[0];
}

static void order_check(uint32_t isn, const size_t order[4])
{
	struct stream st = { 0 };
	struct direction *d = &st.dir[0];
	size_t packet[4], end = 6;

	for (size_t i = 0; i < 4; i++) {
		size_t k = order[i];
		struct segment s = segment_of('>', parts[k].flags, isn + parts[k].at, parts[k].text);

		packet[k] = i;
		if (part_lost(order, i) && parts[k].at - 1 < end)
			end = parts[k].at - 1;
		ck_assert_msg(stream_add(&st, &s, i) == (k != 0 && !part_lost(order, i)), "isn %x, part %zu", isn, k);
	}
	ck_assert(bytes_equal(buf_bytes(&d->data), (struct bytes){ (const uint8_t *)"abcdef", end }));
	ck_assert(d->hole == (end < 6));
	for (size_t i = 0; i < end; i++)
		ck_assert_uint_eq(stream_packet(d, i), packet[i < 3 ? 1 : i < 5 ? 2 : 3]);
	ck_assert(d->seen_syn && d->isn == isn);
	ck_assert(d->fin && d->fin_at == 6 && d->fin_packet == packet[3]);
	stream_free(&st);
}

static const uint32_t isns[] = { 0, 1000, 0xfffffff9, 0xfffffffb, 0xfffffffe, 0xffffffff, 0x7ffffffe };

START_TEST(every_order)
{
	for (size_t k = 0; k < 24; k++) {
		size_t left[4] = { 0, 1, 2, 3 }, order[4];
		size_t n = k;

		for (size_t i = 0; i < 4; i++) {
			size_t pick = n % (4 - i);

			n /= 4 - i;
			order[i] = left[pick];
			memmove(&left[pick], &left[pick + 1], (3 - i - pick) * sizeof(left[0]));
		}
		order_check(isns[_i], order);
	}
}
END_TEST

/* ---- Who connected, and whose segment it is ---- */

static const struct {
	const char *name;
	struct { char from; const char *flags; uint32_t seq; } in[3];
	uint16_t connected;
} roles[] = {
	{ "SYN first",               { { '>', "S", 1 }, { '<', "SA", 50 }, { '>', "A", 2 } },    CLIENT },
	{ "later, client first",     { { '>', "A", 1 }, { '<', "A", 50 }, { '>', "A", 1 } },     CLIENT },
	{ "later, server first",     { { '<', "A", 50 }, { '>', "A", 1 }, { '<', "A", 50 } },    SERVER },
	{ "SYN-ACK first",           { { '<', "SA", 50 }, { '>', "A", 2 }, { '<', "A", 51 } },   CLIENT },
	{ "SYN-ACK, then SYN",       { { '<', "SA", 50 }, { '>', "S", 1 }, { '>', "A", 2 } },    CLIENT },
	{ "server, then SYN",        { { '<', "A", 51 }, { '>', "S", 1 }, { '<', "SA", 50 } },   CLIENT },
	{ "server, then SYN-ACK",    { { '<', "A", 51 }, { '<', "SA", 50 }, { '>', "S", 1 } },   CLIENT },
	{ "both at once",            { { '>', "S", 1 }, { '<', "S", 50 }, { '<', "SA", 50 } },   CLIENT },
};

START_TEST(role_row)
{
	struct stream st = { 0 };
	int server;

	for (size_t i = 0; i < 3; i++) {
		struct segment s = segment_of(roles[_i].in[i].from, roles[_i].in[i].flags, roles[_i].in[i].seq, "");

		stream_add(&st, &s, i);
	}
	ck_assert_msg(st.port[0] == roles[_i].connected, "%s", roles[_i].name);
	ck_assert_msg(st.port[0] + st.port[1] == CLIENT + SERVER, "%s", roles[_i].name);
	ck_assert_msg(st.npackets == 3, "%s", roles[_i].name);
	server = st.port[1] == SERVER;
	ck_assert_msg(st.dir[server].isn >= 49 && st.dir[!server].isn <= 1, "%s: sides", roles[_i].name);
	stream_free(&st);
}
END_TEST

START_TEST(swap_keeps_what_waits)
{
	struct stream st = { 0 };
	struct segment s = segment_of('<', "A", 51, "ab");

	stream_add(&st, &s, 0);
	s = segment_of('<', "A", 54, "d");
	stream_add(&st, &s, 1);
	s = segment_of('>', "S", 1, "");
	stream_add(&st, &s, 2);
	s = segment_of('<', "A", 53, "c");
	stream_add(&st, &s, 3);
	ck_assert_uint_eq(st.port[1], SERVER);
	ck_assert(bytes_is(buf_bytes(&st.dir[1].data), "abcd"));
	ck_assert(!st.dir[0].hole && !st.dir[1].hole);
	stream_free(&st);
}
END_TEST

START_TEST(refused)
{
	struct stream st = { 0 };
	struct segment s = segment_of('>', "A", 5, "x");

	s.to_port = s.from_port;
	ck_assert(!stream_add(&st, &s, 0));
	ck_assert_uint_eq(st.npackets, 0);
	s = segment_of('>', "S", 4, "");
	stream_add(&st, &s, 1);
	s = segment_of('>', "A", 5, "x");
	s.from_port++;
	ck_assert(!stream_add(&st, &s, 2));
	s = segment_of('<', "A", 5, "x");
	s.to_port++;
	ck_assert(!stream_add(&st, &s, 3));
	s = segment_of('>', "S", 3, "x");
	ck_assert(!stream_add(&st, &s, 4));
	ck_assert_uint_eq(st.npackets, 1);
	ck_assert_uint_eq(st.dir[0].data.n + st.dir[1].data.n, 0);
	stream_free(&st);
}
END_TEST

/* ---- Against a simpler model, and against malice ---- */

enum { MODEL_LEN = 400, MODEL_SEGMENTS = 120 };

static unsigned rnd(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 16;
}

/* The model: an array that says for each offset which byte came first, and with which packet. */
START_TEST(random_overlaps)
{
	uint32_t state = 1000u + (uint32_t)_i, isn = 0xffffff00u + (uint32_t)_i;
	uint8_t first[MODEL_LEN];
	size_t by[MODEL_LEN], end = 0;
	struct stream st = { 0 };
	struct segment s = segment_of('>', "S", isn, "");

	memset(by, 0xff, sizeof(by));
	stream_add(&st, &s, 0);
	for (size_t k = 1; k <= MODEL_SEGMENTS; k++) {
		size_t at = rnd(&state) % (MODEL_LEN - 20), n = rnd(&state) % 20;
		uint8_t text[20];
		bool fresh = false;

		for (size_t i = 0; i < n; i++) {
			text[i] = (uint8_t)rnd(&state);
			if (by[at + i] == SIZE_MAX) {
				by[at + i] = k;
				first[at + i] = text[i];
				fresh = true;
			}
		}
		s = segment_of('>', "A", isn + 1 + (uint32_t)at, "");
		s.payload = (struct bytes){ text, n };
		ck_assert_msg(stream_add(&st, &s, k) == fresh, "run %d, segment %zu", _i, k);
	}
	while (end < MODEL_LEN && by[end] != SIZE_MAX)
		end++;
	ck_assert_uint_eq(st.dir[0].data.n, end);
	for (size_t i = 0; i < end; i++)
		ck_assert_msg(st.dir[0].data.p[i] == first[i] && stream_packet(&st.dir[0], i) == by[i], "run %d, byte %zu", _i, i);
	stream_free(&st);
}
END_TEST

static size_t early_len(const struct stream *st)
{
	size_t len = 0;

	for (size_t i = 0; i < st->nearly; i++)
		len += st->early[i].bytes.n;
	return len;
}

static const struct { const char *name; size_t len, step; } floods[] = {
	{ "large segments",           60000, 60000 },
	{ "large, with gaps",         60000, 60001 },
	{ "one byte, with gaps",      1,     2 },
};

/* Whatever is sent beyond a gap: memory stays bounded, and what was dropped stays a hole when the gap is filled. */
START_TEST(flood)
{
	static uint8_t zeros[60000];
	struct stream st = { 0 };
	struct segment s = segment_of('>', "S", 0, "");

	stream_add(&st, &s, 0);
	for (size_t k = 0; k < 6000; k++) {
		s = segment_of('>', "A", (uint32_t)(2 + k * floods[_i].step), "");
		s.payload = (struct bytes){ zeros, floods[_i].len };
		stream_add(&st, &s, 1 + k);
		ck_assert_msg(early_len(&st) <= 4 << 20 && st.nearly <= 4100, "%s", floods[_i].name);
	}
	ck_assert_msg(st.dir[0].hole && !st.dir[1].hole, "%s", floods[_i].name);
	s = segment_of('>', "A", 1, "x");
	ck_assert_msg(stream_add(&st, &s, 7000), "%s", floods[_i].name);
	ck_assert_msg(st.dir[0].data.n > floods[_i].len && st.dir[0].hole, "%s", floods[_i].name);
	stream_free(&st);
}
END_TEST

ROWS_MAIN("stream",
	{ frame_row, countof(frames) }, { fields4, 1 }, { fields6, 1 }, { flag_row, countof(flag_rows) }, { datagram_row, countof(datagrams) },
	{ stream_row, countof(rows) }, { stream_row_back, countof(rows) }, { every_order, countof(isns) }, { role_row, countof(roles) },
	{ swap_keeps_what_waits, 1 }, { refused, 1 }, { random_overlaps, 40 }, { flood, countof(floods) })
