/* skeleton: see the header. The connection, and the lines that are no call of the library. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adapters/skeleton/inside.h"

const struct adapter *skeleton_lib;
static struct conn conns[] = { { .fd = -1, .reused = -1 }, { .fd = -1, .reused = -1 } };
static struct conn *conn = conns;       /* the present one; `switch` goes over to the other */
static int listener = -1;

bool skeleton_can(const char *word)
{
	size_t len = strlen(word);

	for (const char *const *line = skeleton_lib->can; *line; line++)
		for (const char *p = *line; (p = strstr(p, word)); p += len)
			if ((p == *line || p[-1] == ' ') && (!p[len] || p[len] == ' '))
				return true;
	return false;
}

/* ---- The connection ---- */

bool conn_option(const struct conn *c, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = c->options; (p = strstr(p, name)); p += len)
		if (p[-1] == ' ' && p[len] == ' ')
			return true;
	return false;
}

static void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void session_keep(struct conn *c)
{
	if (c->tls && !c->server && skeleton_lib->keep)
		skeleton_lib->keep(c);
}

/* The queues keep their memory for the next connection. */
void skeleton_drop(struct conn *c)
{
	reader_join(c, true);
	session_keep(c);
	if (c->tls)
		skeleton_lib->abandon(c);
	c->tls = NULL;
	fd_close(&c->fd);
	fd_close(&c->reused);
	c->in.n = c->out.n = 0;
	c->ended = false;
	c->broken = c->lost = 0;
	c->sends = 0;
	c->up = false;
	if (c == conn)
		calls_forget();
}

static bool conn_up(struct conn *c, struct call *k, struct sockaddr_in *peer)
{
	socklen_t len = sizeof(*peer);

	if (!c->server) {
		c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (c->fd >= 0 && !connect(c->fd, (struct sockaddr *)peer, len))
			return true;
		native(k, "connect=-1");
		return false;
	}
	/* Wait with an eye on the runner: it may die before it connects. */
	for (struct pollfd fds[] = { { STDIN_FILENO, 0, 0 }, { listener, POLLIN, 0 } }; poll(fds, 2, -1) < 1 || !fds[1].revents; )
		if (fds[0].revents)
			exit(0);
	c->fd = accept4(listener, (struct sockaddr *)peer, &len, SOCK_CLOEXEC);
	if (c->fd >= 0)
		return true;
	native(k, "accept=-1");
	return false;
}

/* The address that `open` answers: a client's own, a server's peer's. */
static bool conn_set(struct conn *c, struct sockaddr_in *addr)
{
	int one = 1, flags = fcntl(c->fd, F_GETFL);
	socklen_t len = sizeof(*addr);

	if (setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
		return false;
	if (c->io != IO_BLOCKING && fcntl(c->fd, F_SETFL, flags | O_NONBLOCK))
		return false;
	return c->server || !getsockname(c->fd, (struct sockaddr *)addr, &len);
}

/* ---- Commands: lines that are no call ---- */

static void listen_command(char *rest)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(addr);
	char text[64];

	(void)rest;
	if (listener < 0) {
		listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (listener < 0 || bind(listener, (struct sockaddr *)&addr, len) || listen(listener, SOMAXCONN))
			fd_close(&listener);
	}
	if (getsockname(listener, (struct sockaddr *)&addr, &len)) {
		line_answer("error", "listen=-1");
		return;
	}
	snprintf(text, sizeof(text), "127.0.0.1:%u", ntohs(addr.sin_port));
	line_answer("ok", text);
}

static bool address_parse(char *word, struct sockaddr_in *addr)
{
	char *colon = word ? strrchr(word, ':') : NULL;
	size_t port;

	if (!colon || !line_number(colon + 1, 65535, &port))
		return false;
	*colon = '\0';
	addr->sin_family = AF_INET;
	addr->sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, word, &addr->sin_addr) == 1;
}

/* `resume` and `option:NAME` in any order. conn_option wants a space on both sides of each name. */
static bool options_parse(struct conn *c, char *rest)
{
	size_t n = 1;

	memcpy(c->options, " ", 2);
	for (char *word; (word = line_word(&rest)); ) {
		if (!strcmp(word, "resume")) {
			c->resume = true;
			continue;
		}
		if (strncmp(word, "option:", 7) != 0 || !skeleton_can(word) || n + strlen(word) > sizeof(c->options))
			return false;
		n += (size_t)snprintf(c->options + n, sizeof(c->options) - n, "%s ", word + 7);
	}
	return true;
}

static bool open_parse(struct conn *c, char *rest, struct sockaddr_in *addr)
{
	static const char *const modes[] = { "blocking", "nonblocking", "memory" };
	char *role = line_word(&rest), *version = line_word(&rest), *io = line_word(&rest);
	size_t mode = 0;

	if (!io || !skeleton_can(role) || !skeleton_can(version) || !skeleton_can(io))
		return false;
	while (mode < countof(modes) && strcmp(modes[mode], io) != 0)
		mode++;
	c->server = !strcmp(role, "server");
	c->version = !strcmp(version, "tls1.2") ? 12 : 13;
	c->io = (enum io)mode;
	c->resume = false;
	if (mode == countof(modes) || (!c->server && strcmp(role, "client") != 0) ||
	    (c->version == 13 && strcmp(version, "tls1.3") != 0))
		return false;
	return (c->server || address_parse(line_word(&rest), addr)) && options_parse(c, rest);
}

static void open_command(char *rest)
{
	struct sockaddr_in addr = { 0 };
	struct call k = { 0 };
	enum outcome o;
	char text[64];

	skeleton_drop(conn);
	if (!open_parse(conn, rest, &addr)) {
		line_answer("unsupported", "");
		return;
	}
	if (conn->server && listener < 0)
		native(&k, "\"listen comes first\"");
	if (k.native[0])
		o = SAYS_ERROR;
	else if (!conn_up(conn, &k, &addr) || !conn_set(conn, &addr))
		o = native_errno(&k, errno);
	else
		o = skeleton_lib->open(conn, &k);
	if (o != SAYS_OK) {
		skeleton_drop(conn);
		line_answer(calls_outcome_word(o), k.native);
		return;
	}
	snprintf(text, sizeof(text), "127.0.0.1:%u", ntohs(addr.sin_port));
	line_answer("ok", text);
}

static void abandon_command(char *rest)
{
	(void)rest;
	skeleton_drop(conn);
	line_answer("ok", "");
}

static void end_command(char *rest)
{
	(void)rest;
	for (size_t i = 0; i < countof(conns); i++)
		skeleton_drop(&conns[i]);
	conn = conns;
	line_answer("ok", "");
}

/* A session that the other connection is to resume comes from one that lives on. */
static void switch_command(char *rest)
{
	(void)rest;
	if (!skeleton_can("siblings")) {
		line_answer("unsupported", "");
		return;
	}
	if (reader_waits()) {
		line_answer("error", "\"a read is waiting\"");
		return;
	}
	reader_join(conn, false);
	calls_forget();
	session_keep(conn);
	conn = conn == conns ? conns + 1 : conns;
	line_answer("ok", "");
}

/* The library's new object begins with what the old one was given and did not take. */
static void input_take_back(struct conn *c)
{
	struct queue later = c->in;
	uint8_t buf[READ_MAX];
	size_t n;

	c->in = (struct queue){ 0 };
	while (skeleton_lib->unread && (n = skeleton_lib->unread(c, buf, sizeof(buf))))
		queue_add(&c->in, buf, n);
	queue_add(&c->in, later.p, later.n);
	free(later.p);
}

static void renew_command(char *rest)
{
	struct call k = { 0 };
	enum outcome o;

	(void)rest;
	if (!skeleton_can("renew")) {
		line_answer("unsupported", "");
		return;
	}
	if (!conn->tls) {
		line_answer("error", "\"there is no connection\"");
		return;
	}
	if (conn->io == IO_MEMORY)
		input_take_back(conn);
	skeleton_lib->abandon(conn);
	conn->tls = NULL;
	conn->resume = false;
	calls_forget();
	o = skeleton_lib->open(conn, &k);
	line_answer(calls_outcome_word(o), k.native);
}

/* The child answers for itself, and what kills it is a crash of ours. */
static void child_shutdown_command(char *rest)
{
	char text[4096];
	size_t len = 0;
	ssize_t n;
	int status, said[2];
	pid_t pid;

	(void)rest;
	if (!skeleton_can("fork")) {
		line_answer("unsupported", "");
		return;
	}
	if (pipe(said) != 0 || (pid = fork()) < 0) {
		line_answer("error", "fork=-1");
		return;
	}
	if (pid == 0) {
		dup2(said[1], STDOUT_FILENO);
		calls_line(conn, "shutdown write");
		_exit(0);
	}
	close(said[1]);
	/* What the child says is our answer, and given when we can take the next line: not before the child has gone. */
	while ((n = read(said[0], text + len, sizeof(text) - len)) > 0 || (n < 0 && errno == EINTR))
		len += n > 0 ? (size_t)n : 0;
	close(said[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		raise(WTERMSIG(status));
	if (write(STDOUT_FILENO, text, len) != (ssize_t)len)
		exit(1);
}

/* Lies to be read in the file that takes the number. */
static const char foreign[] = "somebody else's";

static bool number_reuse(struct conn *c)
{
	int pair[2], fd = c->fd;
	bool ok;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return false;
	ok = send(pair[1], foreign, sizeof(foreign), MSG_NOSIGNAL) == sizeof(foreign) && !close(fd) &&
		fcntl(pair[0], F_DUPFD_CLOEXEC, fd) == fd;
	c->reused = pair[1];
	close(pair[0]);
	return ok;
}

static void reuse_number_command(char *rest)
{
	(void)rest;
	if (!skeleton_can("reuse"))
		line_answer("unsupported", "");
	else if (!conn->tls || conn->reused >= 0)
		line_answer("error", "\"there is no connection with a descriptor\"");
	else if (number_reuse(conn))
		line_answer("ok", "close=0");
	else
		line_answer("error", "reuse=-1");
}

/* Was the file that has the number now read from, written to or closed by anybody? */
static const char *number_used(const struct conn *c)
{
	char byte;
	ssize_t got = recv(c->reused, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	int left = 0;

	if (got > 0)
		return "reused=written";
	if (got == 0 || ioctl(c->fd, FIONREAD, &left))
		return "reused=closed";
	return left == sizeof(foreign) ? NULL : "reused=read";
}

static void reuse_look_command(char *rest)
{
	const char *used;

	(void)rest;
	if (!skeleton_can("reuse")) {
		line_answer("unsupported", "");
		return;
	}
	used = conn->reused < 0 ? "\"no number was reused\"" : number_used(conn);
	line_answer(used ? "error" : "ok", used ? used : "reused=untouched");
}

static void await_command(char *rest)
{
	(void)rest;
	calls_await(conn);
}

static const struct command {
	const char *word;
	bool arguments;
	void (*run)(char *rest);
} commands[] = {
	{ "open",           true,  open_command },
	{ "end",            false, end_command },
	{ "await",          false, await_command },
	{ "abandon",        false, abandon_command },
	{ "switch",         false, switch_command },
	{ "listen",         false, listen_command },
	{ "renew",          false, renew_command },
	{ "reuse number",   false, reuse_number_command },
	{ "reuse look",     false, reuse_look_command },
	{ "child shutdown", false, child_shutdown_command },
};

static bool command_fits(const struct command *cmd, const char *line)
{
	size_t len = strlen(cmd->word);

	return !strncmp(line, cmd->word, len) && (!line[len] || (cmd->arguments && line[len] == ' '));
}

static void line_run(char *line)
{
	if (calls_line(conn, line))
		return;
	for (size_t i = 0; i < countof(commands); i++)
		if (command_fits(&commands[i], line)) {
			commands[i].run(line + strlen(commands[i].word));
			return;
		}
	line_answer("unsupported", "");
}

static void greet(void)
{
	char name[128] = "";

	skeleton_lib->library(name, sizeof(name));
	line_answer("library", name);
	line_answer("api", skeleton_lib->api);
	for (const char *const *line = skeleton_lib->can; *line; line++)
		line_answer("can", *line);
	line_answer("can", "interrupt");
	if (skeleton_lib->promises)
		line_answer("promises", skeleton_lib->promises);
	if (skeleton_lib->forbids)
		line_answer("forbids", skeleton_lib->forbids);
	if (skeleton_lib->wants_rsa)
		line_answer("wants", "rsa");
	line_answer("ready", "");
}

static void interrupted(int signal_number)
{
	(void)signal_number;
}

int skeleton_run(const struct adapter *a)
{
	struct sigaction interrupts = { .sa_handler = interrupted };    /* no SA_RESTART: what waits sees EINTR */
	char *line;

	skeleton_lib = a;
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGUSR1, &interrupts, NULL);
	calls_begin();
	greet();
	while ((line = line_next()))
		line_run(line);
	for (size_t i = 0; i < countof(conns); i++) {
		skeleton_drop(&conns[i]);
		free(conns[i].in.p);
		free(conns[i].out.p);
	}
	calls_end();
	fd_close(&listener);
	return 0;
}
