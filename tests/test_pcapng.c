/* test_pcapng: what we write, read again twice: by a small reader of our own that knows only the format, and by libpcap. */
#include "runner/pcapng.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "tests/check_rows.h"

/* ---- A reader that turns every block into a line ---- */

static uint32_t le(const uint8_t *p, size_t n)
{
	uint32_t v = 0;

	while (n > 0)
		v = v << 8 | p[--n];
	return v;
}

static uint32_t le_take(struct bytes *in, size_t n)
{
	struct bytes x;

	ck_assert_msg(bytes_take(in, n, &x), "%zu of %zu bytes", in->n, n);
	return le(x.p, n);
}

/* A value and its padding, which must be zeros. */
static struct bytes padded_take(struct bytes *in, size_t n)
{
	struct bytes x, zeros;

	ck_assert_msg(bytes_take(in, n, &x), "%zu of %zu bytes", in->n, n);
	ck_assert(bytes_take(in, (4 - n % 4) % 4, &zeros));
	for (size_t i = 0; i < zeros.n; i++)
		ck_assert_uint_eq(zeros.p[i], 0);
	return x;
}

/* Options, or nothing at all: only opt_endofopt may stand at the end, and must where there is any. */
static void read_options(struct bytes in, struct buf *out)
{
	unsigned code = 0;
	size_t n;

	while (in.n > 0) {
		code = le_take(&in, 2);
		n = le_take(&in, 2);
		if (code == 0)
			break;
		buf_printf(out, " %u=", code);
		buf_quote(out, padded_take(&in, n));
	}
	ck_assert_uint_eq(code, 0);
	ck_assert_uint_eq(in.n, 0);
}

static void read_section(struct bytes in, struct buf *out)
{
	ck_assert_uint_eq(le_take(&in, 4), 0x1a2b3c4d);
	buf_printf(out, "section %u", le_take(&in, 2));
	buf_printf(out, ".%u", le_take(&in, 2));
	ck_assert_uint_eq(le_take(&in, 4), UINT32_MAX);
	ck_assert_uint_eq(le_take(&in, 4), UINT32_MAX);
	read_options(in, out);
}

static void read_interface(struct bytes in, struct buf *out)
{
	buf_printf(out, "interface link=%u", le_take(&in, 2));
	ck_assert_uint_eq(le_take(&in, 2), 0);
	buf_printf(out, " snap=%u", le_take(&in, 4));
	read_options(in, out);
}

static void read_secrets(struct bytes in, struct buf *out)
{
	size_t n;

	buf_printf(out, "secrets %x ", le_take(&in, 4));
	n = le_take(&in, 4);
	buf_quote(out, padded_take(&in, n));
	read_options(in, out);
}

static void read_names(struct bytes in, struct buf *out)
{
	unsigned type;
	size_t n;

	buf_printf(out, "names");
	while ((type = le_take(&in, 2)) != 0) {
		n = le_take(&in, 2);
		buf_printf(out, " %u=", type);
		buf_quote(out, padded_take(&in, n));
	}
	ck_assert_uint_eq(le_take(&in, 2), 0);
	read_options(in, out);
}

static void read_packet(struct bytes in, struct buf *out)
{
	uint64_t at;
	size_t n;

	ck_assert_uint_eq(le_take(&in, 4), 0);
	at = (uint64_t)le_take(&in, 4) << 32;
	at |= le_take(&in, 4);
	n = le_take(&in, 4);
	ck_assert_uint_eq(le_take(&in, 4), n);
	buf_printf(out, "packet %llu ", (unsigned long long)at);
	buf_quote(out, padded_take(&in, n));
	read_options(in, out);
}

static const struct { uint32_t type; void (*read)(struct bytes, struct buf *); } kinds[] = {
	{ 0x0a0d0d0a, read_section },
	{ 1,          read_interface },
	{ 4,          read_names },
	{ 6,          read_packet },
	{ 0xa,        read_secrets },
};

static void read_block(struct bytes *in, struct buf *out)
{
	uint32_t type = le_take(in, 4), len = le_take(in, 4);
	struct bytes body;

	ck_assert_msg(len % 4 == 0 && len >= 12, "length %u", len);
	ck_assert_msg(bytes_take(in, len - 12, &body), "length %u", len);
	ck_assert_uint_eq(le_take(in, 4), len);
	for (size_t i = 0; i < countof(kinds); i++) {
		if (kinds[i].type == type) {
			kinds[i].read(body, out);
			buf_u8(out, '\n');
			return;
		}
	}
	ck_abort_msg("block type %x", type);
}

static void read_all(struct bytes in, struct buf *out)
{
	while (in.n > 0)
		read_block(&in, out);
}

static void check_text(struct bytes in, const char *want)
{
	struct buf got = { 0 };

	read_all(in, &got);
	ck_assert_str_eq(buf_str(&got), want);
	buf_free(&got);
}

/* ---- One block after another ---- */

/* What a file begins with; the host is where we are. */
static void start_text(struct buf *b, const char *comment)
{
	struct utsname host;

	ck_assert_int_eq(uname(&host), 0);
	buf_printf(b, "section 1.0");
	if (comment)
		buf_printf(b, " 1=\"%s\"", comment);
	buf_printf(b, " 2=\"%s\" 3=\"%s %s\" 4=\"closedrill\"\n", host.machine, host.sysname, host.release);
	buf_printf(b, "interface link=1 snap=0 9=\"\\t\"\n");
}

static const struct { const char *name, *comment, *want; } starts[] = {
	{ "no comment",    NULL,    NULL },
	{ "empty comment", "",      NULL },
	{ "one",           "a",     "a" },
	{ "two",           "ab",    "ab" },
	{ "three",         "abc",   "abc" },
	{ "four",          "abcd",  "abcd" },
	{ "five",          "abcde", "abcde" },
};

START_TEST(start_row)
{
	struct pcapng p = { 0 };
	struct buf want = { 0 };

	pcapng_start(&p, starts[_i].comment);
	start_text(&want, starts[_i].want);
	check_text(buf_bytes(&p.out), buf_str(&want));
	buf_free(&want);
	buf_free(&p.out);
}
END_TEST

static const struct { const char *keylog, *want; } secrets[] = {
	{ "",                          "secrets 544c534b \"\"\n" },
	{ "x",                         "secrets 544c534b \"x\"\n" },
	{ "CLIENT_RANDOM 00 11\n",     "secrets 544c534b \"CLIENT_RANDOM 00 11\\n\"\n" },
	{ "EXPORTER_SECRET 00 1\n",    "secrets 544c534b \"EXPORTER_SECRET 00 1\\n\"\n" },
};

START_TEST(secrets_row)
{
	struct pcapng p = { 0 };

	pcapng_secrets(&p, bytes_of(secrets[_i].keylog));
	check_text(buf_bytes(&p.out), secrets[_i].want);
	buf_free(&p.out);
}
END_TEST

static const struct { const char *name, *want; } names[] = {
	{ "",        "names 1=\"\\x7f\\x00\\x00\\x02\\x00\"\n" },
	{ "abc",     "names 1=\"\\x7f\\x00\\x00\\x02abc\\x00\"\n" },
	{ "abcd",    "names 1=\"\\x7f\\x00\\x00\\x02abcd\\x00\"\n" },
	{ "openssl", "names 1=\"\\x7f\\x00\\x00\\x02openssl\\x00\"\n" },
};

START_TEST(name_row)
{
	struct pcapng p = { 0 };

	pcapng_name(&p, (const uint8_t[]){ 127, 0, 0, 2 }, names[_i].name);
	check_text(buf_bytes(&p.out), names[_i].want);
	buf_free(&p.out);
}
END_TEST

static const struct { const char *name; int64_t at_ns; const char *frame, *comment, *want; } packets[] = {
	{ "empty",         0,          "",      NULL,   "packet 0 \"\"\n" },
	{ "one byte",      1,          "a",     NULL,   "packet 1 \"a\"\n" },
	{ "three",         2,          "abc",   NULL,   "packet 2 \"abc\"\n" },
	{ "four",          3,          "abcd",  NULL,   "packet 3 \"abcd\"\n" },
	{ "five",          4,          "abcde", NULL,   "packet 4 \"abcde\"\n" },
	{ "comment",       5,          "ab",    "why?", "packet 5 \"ab\" 1=\"why?\"\n" },
	{ "comment, padded", 6,        "abcd",  "hello", "packet 6 \"abcd\" 1=\"hello\"\n" },
	{ "empty comment", 7,          "abcd",  "",     "packet 7 \"abcd\"\n" },
	{ "32 bits",       4294967295, "a",     NULL,   "packet 4294967295 \"a\"\n" },
	{ "33 bits",       4294967296, "a",     NULL,   "packet 4294967296 \"a\"\n" },
	{ "our days",      1767225600123456789, "a", NULL, "packet 1767225600123456789 \"a\"\n" },
};

START_TEST(packet_row)
{
	struct pcapng p = { 0 };

	pcapng_packet(&p, packets[_i].at_ns, bytes_of(packets[_i].frame), packets[_i].comment);
	check_text(buf_bytes(&p.out), packets[_i].want);
	buf_free(&p.out);
}
END_TEST

/* Comments beyond what an option holds are cut, and never inside a character. */
static const struct { const char *name; size_t fill; const char *end; size_t want; } cuts[] = {
	{ "just fits",               65535, "",         65535 },
	{ "one over",                65536, "",         65535 },
	{ "far over",                99999, "",         65535 },
	{ "two-byte character fits", 65533, "\xc3\xa9",     65535 },
	{ "two-byte character cut",  65534, "\xc3\xa9",     65534 },
	{ "three-byte character cut", 65533, "\xe2\x82\xac", 65533 },
};

START_TEST(cut_row)
{
	struct pcapng p = { 0 };
	struct buf comment = { 0 }, text = { 0 };

	memset(buf_grow(&comment, cuts[_i].fill), 'x', cuts[_i].fill);
	buf_printf(&comment, "%s", cuts[_i].end);
	pcapng_packet(&p, 0, (struct bytes){ 0 }, buf_str(&comment));
	read_all(buf_bytes(&p.out), &text);
	ck_assert_msg(le(p.out.p + 28, 2) == 1 && le(p.out.p + 30, 2) == cuts[_i].want, "%s", cuts[_i].name);
	buf_free(&text);
	buf_free(&comment);
	buf_free(&p.out);
}
END_TEST

/* ---- A whole file ---- */

static void whole_file(struct pcapng *p)
{
	pcapng_start(p, "late-data-ignored");
	pcapng_name(p, (const uint8_t[]){ 127, 0, 0, 1 }, "closedrill");
	pcapng_name(p, (const uint8_t[]){ 127, 0, 0, 2 }, "openssl");
	pcapng_secrets(p, bytes_of("CLIENT_RANDOM 00 11\n"));
	pcapng_packet(p, 1767225600123456789, bytes_of("first"), "close_notify");
	pcapng_packet(p, 1767225600123456790, bytes_of("the second"), NULL);
}

START_TEST(whole)
{
	struct pcapng p = { 0 };
	struct buf want = { 0 };

	whole_file(&p);
	start_text(&want, "late-data-ignored");
	buf_printf(&want, "%s",
	           "names 1=\"\\x7f\\x00\\x00\\x01closedrill\\x00\"\n"
	           "names 1=\"\\x7f\\x00\\x00\\x02openssl\\x00\"\n"
	           "secrets 544c534b \"CLIENT_RANDOM 00 11\\n\"\n"
	           "packet 1767225600123456789 \"first\" 1=\"close_notify\"\n"
	           "packet 1767225600123456790 \"the second\"\n");
	check_text(buf_bytes(&p.out), buf_str(&want));
	buf_free(&want);
	buf_free(&p.out);
}
END_TEST

static void pcap_check(pcap_t *pcap, long ns, const char *frame)
{
	struct pcap_pkthdr *head;
	const u_char *data;

	ck_assert_int_eq(pcap_next_ex(pcap, &head, &data), 1);
	ck_assert_int_eq(head->ts.tv_sec, 1767225600);
	ck_assert_int_eq(head->ts.tv_usec, ns);
	ck_assert_uint_eq(head->len, head->caplen);
	ck_assert(bytes_is((struct bytes){ data, head->caplen }, frame));
}

START_TEST(libpcap_agrees)
{
	char why[PCAP_ERRBUF_SIZE];
	struct pcapng p = { 0 };
	struct pcap_pkthdr *head;
	const u_char *data;
	pcap_t *pcap;
	FILE *f;

	whole_file(&p);
	f = fmemopen(p.out.p, p.out.n, "rb");
	ck_assert_ptr_nonnull(f);
	pcap = pcap_fopen_offline_with_tstamp_precision(f, PCAP_TSTAMP_PRECISION_NANO, why);
	ck_assert_msg(pcap != NULL, "%s", why);
	ck_assert_int_eq(pcap_datalink(pcap), DLT_EN10MB);
	pcap_check(pcap, 123456789, "first");
	pcap_check(pcap, 123456790, "the second");
	ck_assert_int_eq(pcap_next_ex(pcap, &head, &data), PCAP_ERROR_BREAK);
	pcap_close(pcap);
	buf_free(&p.out);
}
END_TEST

ROWS_MAIN("pcapng",
	{ start_row, countof(starts) }, { secrets_row, countof(secrets) }, { name_row, countof(names) }, { packet_row, countof(packets) },
	{ cut_row, countof(cuts) }, { whole, 1 }, { libpcap_agrees, 1 })
