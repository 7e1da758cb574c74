/* What a child's pipes give. /dev/zero stands for one that writes faster than anybody reads. */
#include "runner/child.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "tests/check_rows.h"

static const struct child none = { .in = -1, .out = -1, .err = -1 };

/* A child without a process, whose stdout holds this. */
static struct child saying(const char *text)
{
	struct child c = none;
	int p[2];

	ck_assert_int_eq(pipe(p), 0);
	ck_assert_int_eq(write(p[1], text, strlen(text)), (ssize_t)strlen(text));
	close(p[1]);
	c.out = p[0];
	return c;
}

static const struct { const char *name; bool log; } floods[] = { { "its answers", false }, { "its log", true } };

START_TEST(flood)
{
	struct child c = none;
	int fd = open("/dev/zero", O_RDONLY | O_NONBLOCK);

	*(floods[_i].log ? &c.err : &c.out) = fd;
	/* That each of these returns is what is tested: check_rows.h ends a unit that hangs. */
	for (int i = 0; i < 100; i++)
		ck_assert_msg(child_drain(&c) || c.flooded, "%s", floods[_i].name);
	ck_assert_msg(c.lines.n <= 2 << 20 && c.log.n <= 8192, "%s: %zu and %zu bytes are kept", floods[_i].name, c.lines.n, c.log.n);
	ck_assert_int_eq(c.flooded, !floods[_i].log);
	child_end(&c);
}
END_TEST

static const struct { const char *text; const char *lines[3]; } texts[] = {
	{ "", { 0 } }, { "one", { 0 } }, { "\n", { "" } }, { "one\n", { "one" } }, { "one\ntwo", { "one" } }, { "one\n\ntwo\n", { "one", "", "two" } },
};

START_TEST(lines)
{
	struct child c = saying(texts[_i].text);
	struct bytes line;
	size_t n = 0;

	child_drain(&c);
	for (; child_line(&c, &line); n++)
		ck_assert_msg(n < 3 && texts[_i].lines[n] && bytes_is(line, texts[_i].lines[n]), "%s: line %zu", texts[_i].text, n);
	ck_assert_msg(n == 3 || !texts[_i].lines[n], "%s: %zu lines", texts[_i].text, n);
	/* What was taken does not come again, and the end is seen once. */
	child_drain(&c);
	ck_assert(!child_line(&c, &line) && c.ended);
	child_end(&c);
}
END_TEST

START_TEST(hears)
{
	struct child c = none;
	int p[2];

	ck_assert_int_eq(pipe(p), 0);
	signal(SIGPIPE, SIG_IGN);
	c.in = p[1];
	ck_assert(child_hears(&c) && child_say(&c, bytes_of("read 5")));
	close(p[0]);
	ck_assert(!child_hears(&c) && !child_say(&c, bytes_of("read 5")));
	child_end(&c);
}
END_TEST

START_TEST(exited)
{
	struct child c = none;
	char how[32];

	ck_assert(child_exited(&c));
	c.pid = fork();
	if (c.pid == 0)
		for (;;)
			pause();
	ck_assert(!child_exited(&c));
	kill(c.pid, SIGKILL);
	while (!child_exited(&c))
		;
	/* It is only looked at: how it died is still to be had. */
	ck_assert(child_died(&c, how, sizeof(how)));
	ck_assert_str_eq(how, "SIGKILL");
	child_end(&c);
}
END_TEST

ROWS_MAIN("child", { flood, countof(floods) }, { lines, countof(texts) }, { hears, 1 }, { exited, 1 })
