/* What comes out of tcpdump, up to the files of the run. Any bytes as the stream: what is read of a frame lies within it. Then the same
 * frames as a run's own capture, with marks between them: all frames of the connection are there, each in its step; and whatever they hold,
 * the trace reads back as it was printed, and text, drawing and capture file can be made. */
#include "runner/capture.h"

#include <stdio.h>
#include <unistd.h>

#include "runner/intake.h"
#include "runner/ladder.h"
#include "runner/pcapfile.h"
#include "runner/textfile.h"
#include "runner/trace.h"
#include "tests/fuzz/fuzz.h"

enum { MARKER_PORT = 7, FRAMES_MAX = 400, FRAMES_BETWEEN = 4 };

static const char text[] =
	"title  Any packets\n\nhandshake\npeer  write \"x\" + fin\niut   read -> data \"x\"\niut   shutdown\nwire  iut -> close_notify fin\n";

static struct requirements reqs;
static struct script script;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	fuzz_case(&reqs, &script, "cases/fuzz/capture.case", text);
	return 0;
}

/* A capture whose tcpdump has ended, and has said these bytes. */
static void capture_of(struct capture *c, struct bytes x)
{
	*c = (struct capture){ .tcpdump = { .in = -1, .out = -1, .err = -1, .ended = true }, .marker_fd = -1, .packet_fd = -1,
	                       .marker_port = MARKER_PORT, .passed = UINT64_MAX };    /* nobody else counts */
	buf_add_bytes(&c->bytes, x);
}

/* --- any bytes --- */

/* marked: markers so far; step: of each frame of the connection, the one that the marker in front of it began. */
struct frames { struct buf pcap; size_t n, of_conn, step[FRAMES_MAX]; uint16_t port[2]; uint64_t marked; };

static void le32(struct buf *b, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		buf_u8(b, v >> 8 * i & 0xff);
}

/* In the form that tcpdump writes: a head of 24 bytes, and one of 16 for each packet. */
static void pcap_head(struct buf *b)
{
	le32(b, 0xa1b23c4d);
	le32(b, 4 << 16 | 2);
	le32(b, 0);
	le32(b, 0);
	le32(b, 262144);
	le32(b, 1);
}

static void pcap_frame(struct buf *b, struct bytes frame)
{
	le32(b, 1);
	le32(b, 2);
	le32(b, (uint32_t)frame.n);
	le32(b, (uint32_t)frame.n);
	buf_add_bytes(b, frame);
}

static void pcap_marker(struct frames *fr)
{
	static const char head[] = "000000000000 000000000000 0800 4500002c 00010000 40110000 7f000001 7f000001 0007 0007 0018 0000";
	struct buf frame = { 0 };

	fr->marked++;
	assert(bytes_unhex(bytes_of(head), &frame));
	buf_printf(&frame, "clsdrill");
	buf_add(&frame, &fr->marked, sizeof(fr->marked));
	pcap_frame(&fr->pcap, buf_bytes(&frame));
	buf_free(&frame);
}

static bool within(struct bytes part, struct bytes all)
{
	return !part.n || (part.p >= all.p && part.p + part.n <= all.p + all.n);
}

static void take_frame(void *to, const struct captured *captured)
{
	const struct bytes frame = captured->data;
	struct frames *fr = to;
	struct bytes payload = { 0 };
	struct segment s;
	uint16_t from, there;

	if (datagram_parse(frame, &from, &there, &payload))
		assert(within(payload, frame));
	if (captured->marker || fr->n == FRAMES_MAX)
		return;
	if (segment_parse(frame, &s)) {
		assert(within(s.payload, frame));
		if (!fr->of_conn) {
			fr->port[0] = s.from_port;
			fr->port[1] = s.to_port;
		}
		if ((s.from_port == fr->port[0] && s.to_port == fr->port[1]) || (s.from_port == fr->port[1] && s.to_port == fr->port[0]))
			fr->step[fr->of_conn++] = fr->marked < script.nsteps ? (size_t)fr->marked : script.nsteps;
	}
	pcap_frame(&fr->pcap, frame);
	if (++fr->n % FRAMES_BETWEEN == 0)
		pcap_marker(fr);
}

static void read_any(struct bytes in, struct frames *fr)
{
	struct capture c;
	struct fault f;

	capture_of(&c, in);
	if (capture_open(&c, &f))
		assert(!capture_read(&c, (struct capture_point){ 0, UINT64_MAX }, take_frame, fr, &f));
	assert(f.msg[0]);
	capture_end(&c);
}

/* --- as a run's --- */

static void files_of(const struct evidence *e)
{
	const struct run_name r = { .implementation = "fuzz", .library = "Fuzz 1.0", .script = &script, .variant = e->variant };
	struct judgement j = { 0 };
	struct buf out = { 0 };

	judge(e, &reqs, (struct promises){ 0 }, &j);
	evidence_svg(e, &r, &j, &out);
	fuzz_is_plain(buf_bytes(&out));
	out.n = 0;
	evidence_text(e, &out);
	fuzz_is_plain(buf_bytes(&out));
	out.n = 0;
	evidence_pcapng(e, "fuzz", NULL, &out);
	assert(out.n % 4 == 0);
	buf_free(&out);
	judgement_free(&j);
}

static void trace_reads_back(const struct evidence *e)
{
	struct trace t, u;
	struct buf printed = { 0 };
	struct fault f;

	trace_of(e, &t);
	trace_print(&printed, &t);
	assert(trace_parse(&u, "printed", buf_str(&printed), printed.n, &f));
	assert(trace_equal(&t, &u));
	trace_free(&t);
	trace_free(&u);
	buf_free(&printed);
}

static void frames_whole(const struct evidence *e, const struct frames *fr)
{
	const struct conn_seen *c = &e->conns[0];

	assert(e->nframes == fr->of_conn && c->npackets == e->nframes);
	for (size_t i = 0; i < e->nframes; i++) {
		assert(e->frames[i].at + e->frames[i].len <= e->frames_data.n);
		assert(e->frames[i].step == fr->step[i]);
	}
	for (size_t i = 0; i < c->decoded.n; i++)
		assert(c->decoded.items[i].packet < c->npackets);
}

/* One more mark than needed: behind the last frames. */
static void run_of(struct frames *fr, struct evidence *e)
{
	static struct worker w;
	struct fault f;

	memset(&w, 0, sizeof(w));
	capture_of(&w.capture, buf_bytes(&fr->pcap));
	assert(capture_open(&w.capture, &f));
	w.e = e;
	w.marks = calloc(fr->marked, sizeof(*w.marks));
	w.nmarks = fr->marked;
	assert(w.marks);
	for (size_t i = 0; i < w.nmarks; i++)
		w.marks[i] = (struct mark){ { 0, i + 1 }, i < script.nsteps ? i : script.nsteps };
	assert(intake_read(&w, &f));
	free(w.marks);
	capture_end(&w.capture);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct frames fr = { 0 };
	struct evidence e;

	pcap_head(&fr.pcap);
	pcap_marker(&fr);
	read_any((struct bytes){ data, n }, &fr);
	pcap_marker(&fr);
	evidence_start(&e, &script, FOR_CLIENT | FOR_TLS13 | FOR_BLOCKING);
	for (size_t i = 0; i < script.nsteps; i++)
		e.steps[i].ran = true;
	if (fr.of_conn) {
		e.nconns = 1;
		e.conns[0] = (struct conn_seen){ .iut_port = fr.port[0], .peer_port = fr.port[1], .handshaken = true,
		                                 .until_step = script.nsteps };
	}
	run_of(&fr, &e);
	if (fr.of_conn)
		frames_whole(&e, &fr);
	trace_reads_back(&e);
	files_of(&e);
	evidence_free(&e);
	buf_free(&fr.pcap);
	return 0;
}
