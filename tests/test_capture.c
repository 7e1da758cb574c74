/* What is kept of a capture. /dev/zero stands for a tcpdump that writes faster than anybody reads. */
#include "runner/capture.h"

#include <fcntl.h>
#include <unistd.h>

#include "tests/check_rows.h"

START_TEST(flood)
{
	struct capture c = { .tcpdump = { .in = -1, .out = open("/dev/zero", O_RDONLY | O_NONBLOCK), .err = -1 }, .marker_fd = -1, .packet_fd = -1 };

	alarm(10);
	/* That each of these returns is what is tested. */
	for (int i = 0; i < 10; i++)
		capture_drain(&c);
	ck_assert_msg(c.full && c.bytes.n <= 257 << 20, "%zu bytes are kept", c.bytes.n);
	capture_end(&c);
	ck_assert_int_eq(c.bytes.n, 0);
}
END_TEST

ROWS_MAIN("capture", { flood, 1 })
