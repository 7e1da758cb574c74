/* tcp: where a connection comes from. Real sockets on loopback. */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer/tcp.h"
#include "tests/check_rows.h"

enum { LAST = 65000 };

static void connects(int listener, uint16_t *from)
{
	struct fault f = { 0 };
	int fd = tcp_connect(tcp_local_port(listener), from, &f), other;

	ck_assert_msg(fd >= 0, "%s", f.msg);
	other = accept(listener, NULL, NULL);
	ck_assert_int_eq(tcp_local_port(fd), *from);
	/* Nothing is left in TIME-WAIT: other tests want these ports, too. */
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
	close(fd);
	close(other);
}

/* No local port comes again, though each connection is gone when the next one is made. */
START_TEST(one_after_the_other)
{
	struct fault f = { 0 };
	int listener = tcp_listen(0, &f);
	uint16_t from = 0, before;

	ck_assert_int_ge(listener, 0);
	for (int i = 0; i < 20; i++) {
		before = from;
		connects(listener, &from);
		ck_assert_msg(from > before, "%u behind %u", from, before);
	}
	from = LAST;
	connects(listener, &from);
	ck_assert_msg(from < LAST, "%u", from);
	close(listener);
}
END_TEST

START_TEST(taken_ones_are_passed_over)
{
	struct fault f = { 0 };
	int listener = tcp_listen(0, &f), taken = -1;
	uint16_t from = 20000;

	for (; taken < 0 && from < 30000; from++)
		taken = tcp_listen(from, &f);
	ck_assert_int_ge(taken, 0);
	from = (uint16_t)(tcp_local_port(taken) - 1);
	connects(listener, &from);
	ck_assert_int_ge(from, tcp_local_port(taken) + 1);
	close(taken);
	close(listener);
}
END_TEST

START_TEST(nobody_listens)
{
	struct fault f = { 0 };
	int listener = tcp_listen(0, &f);
	uint16_t port = tcp_local_port(listener), from = 0;

	close(listener);
	ck_assert_int_eq(tcp_connect(port, &from, &f), -1);
	ck_assert_ptr_nonnull(strstr(f.msg, "cannot connect"));
}
END_TEST

ROWS_MAIN("tcp", { one_after_the_other, 1 }, { taken_ones_are_passed_over, 1 }, { nobody_listens, 1 })
