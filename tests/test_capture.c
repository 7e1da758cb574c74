/* The stream of a capture, without tcpdump: frames and markers come out as they went in, a stream that ends anywhere is told, and which
 * frames passed behind a point in it. */
#include "runner/capture.h"

#include <fcntl.h>
#include <unistd.h>

#include "tests/check_rows.h"

#define HEAD   "4d3cb2a1 0200 0400 00000000 00000000 00000400 01000000"          /* nanoseconds, Ethernet */
#define PACKET(len) "01000000 02000000 " len "000000 " len "000000 "
#define FRAME  PACKET("0e") "000000000000 000000000000 0806"
#define MARKER PACKET("3a") "000000000000 000000000000 0800 4500002c 00010000 40110000 7f000001 7f000001 0007 0007 0018 0000 " \
                            "636c736472696c6c 0500000000000000"

enum { PORT = 7, MARK = 5 };

static struct capture capture_of(struct bytes x)
{
	struct capture c = { .tcpdump = { .in = -1, .out = -1, .err = -1, .ended = true }, .marker_fd = -1, .packet_fd = -1,
	                     .marker_port = PORT, .passed = UINT64_MAX };

	buf_add_bytes(&c.bytes, x);
	return c;
}

static void count(void *to, const struct captured *frame)
{
	size_t *n = to;

	ck_assert_int_eq(frame->at_ns, 1000000002);
	ck_assert_uint_eq(frame->data.n, frame->marker ? 58 : 14);
	ck_assert_uint_eq(frame->number, ++*n);
}

static void ignore(void *to, const struct captured *frame)
{
	(void)to, (void)frame;
}

/* All of it, and every prefix: less than the whole never gives the last marker. */
START_TEST(whole_and_prefixes)
{
	struct buf b = { 0 };
	struct bytes all = unhex(HEAD FRAME FRAME MARKER, &b);

	for (size_t len = 0; len <= all.n; len++) {
		struct capture c = capture_of((struct bytes){ all.p, len });
		struct fault f = { 0 };
		size_t n = 0;
		bool open = capture_open(&c, &f);

		ck_assert_msg(open == (len >= 24), "%zu bytes", len);
		ck_assert_msg((open && capture_read(&c, (struct capture_point){ 0, MARK }, count, &n, &f)) == (len == all.n), "%zu bytes", len);
		ck_assert_msg(n == (len >= 24 + 30) + (len >= 24 + 60) + (size_t)(len == all.n), "%zu bytes: %zu frames", len, n);
		ck_assert_msg(len == all.n || f.msg[0], "%zu bytes", len);
		capture_end(&c);
	}
	buf_free(&b);
}
END_TEST

/* No clock shows it, but a stream can. */
START_TEST(far_future)
{
	struct buf b = { 0 };
	struct capture c = capture_of(unhex(HEAD "ffffffff ffffffff 0e000000 0e000000 000000000000 000000000000 0806" MARKER, &b));
	struct fault f;

	ck_assert(capture_open(&c, &f) && capture_read(&c, (struct capture_point){ 0, MARK }, ignore, NULL, &f));
	capture_end(&c);
	buf_free(&b);
}
END_TEST

/* What is kept of a run is bounded. /dev/zero stands for a tcpdump that writes faster than anybody reads. */
START_TEST(flood)
{
	struct capture c = { .tcpdump = { .in = -1, .out = open("/dev/zero", O_RDONLY | O_NONBLOCK), .err = -1 }, .marker_fd = -1,
	                     .packet_fd = -1 };

	/* That each of these returns is what is tested: check_rows.h ends a unit that hangs. */
	for (int i = 0; i < 10; i++)
		capture_drain(&c);
	ck_assert_msg(c.full && c.bytes.n <= 257 << 20, "%zu bytes are kept", c.bytes.n);
	capture_end(&c);
	ck_assert_int_eq(c.bytes.n, 0);
}
END_TEST

/* What the kernel has counted, and what comes out: it has to be as much. */
static const struct { const char *name; uint64_t before, passed; bool ok; } counted_rows[] = {
	{ "as much",                                 2, 3, true },
	{ "more has passed behind the marker",       2, 4, true },
	{ "less than came out: the count was lost",  2, 2, false },
	{ "more before the marker than came out",    3, 4, false },
};

START_TEST(counted_row)
{
	struct buf b = { 0 };
	struct capture c = capture_of(unhex(HEAD FRAME FRAME MARKER, &b));
	struct fault f = { 0 };
	size_t n = 0;
	bool ok;

	c.passed = counted_rows[_i].passed;
	ck_assert(capture_open(&c, &f));
	ok = capture_read(&c, (struct capture_point){ counted_rows[_i].before, MARK }, count, &n, &f);
	ck_assert_msg(ok == counted_rows[_i].ok && !f.msg[0] == ok, "%s: %s", counted_rows[_i].name, f.msg);
	capture_end(&c);
	buf_free(&b);
}
END_TEST

static const struct {
	const char *name;
	struct capture_point at;
	struct captured frame;
	bool behind;
} behind_rows[] = {
	{ "the last that had passed",                { 7, 0 }, { .number = 7, .seen = 2 },                  false },
	{ "the next",                                { 7, 0 }, { .number = 8, .seen = 2 },                  true },
	{ "nothing had passed",                      { 0, 0 }, { .number = 1 },                             true },
	{ "not counted yet, but before the marker",  { 7, 3 }, { .number = 8, .seen = 2 },                  false },
	{ "the marker before it",                    { 7, 3 }, { .number = 8, .seen = 2, .marker = true },  false },
	{ "the marker itself",                       { 7, 3 }, { .number = 9, .seen = 3, .marker = true },  true },
	{ "behind the marker",                       { 7, 3 }, { .number = 10, .seen = 3 },                 true },
	{ "behind a later marker",                   { 7, 3 }, { .number = 11, .seen = 4 },                 true },
};

START_TEST(behind_row)
{
	ck_assert_msg(capture_behind(&behind_rows[_i].at, &behind_rows[_i].frame) == behind_rows[_i].behind, "%s", behind_rows[_i].name);
}
END_TEST

ROWS_MAIN("capture", { whole_and_prefixes, 1 }, { far_future, 1 }, { flood, 1 }, { counted_row, countof(counted_rows) },
          { behind_row, countof(behind_rows) })
