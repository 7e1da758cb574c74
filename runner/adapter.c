/* adapter: an implementation under test behind its adapter program. */
#include "runner/adapter.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runner/version.h"

enum { GREETING_MS = 30000, GREETING_MAX = 1 << 16 };

static void words_free(char ***words, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		free((*words)[i]);
	free(*words);
	*words = NULL;
	*n = 0;
}

static void add_words(char ***words, size_t *n, struct bytes text)
{
	while (text.n) {
		const uint8_t *space = memchr(text.p, ' ', text.n);
		size_t len = space ? (size_t)(space - text.p) : text.n;

		if (len) {
			*words = reallocarray(*words, *n + 2, sizeof(**words));
			assert(*words);
			(*words)[(*n)++] = bytes_dup((struct bytes){ text.p, len });
			(*words)[*n] = NULL;
		}
		bytes_take(&text, len + (space != NULL), &(struct bytes){ 0 });
	}
}

/* A program of the user's own is called by its last name: results and folders carry no path. */
static const char *base_name(const char *command)
{
	const char *slash = strrchr(command, '/');

	return slash ? slash + 1 : command;
}

static const struct adapter none = {
	.child = { .in = -1, .out = -1, .err = -1 },
	.watch = { .status_fd = -1, .task_fd = -1, .syscall_fd = -1, .fds_fd = -1 },
};

void adapter_init(struct adapter *a, const char *command, const char *dir, const char *root)
{
	size_t words = 0;

	*a = none;
	add_words(&a->argv, &words, bytes_of(command));
	a->name = text_dup(base_name(command));
	a->command = text_dup(command);
	a->root = root ? text_dup(root) : NULL;
	assert(words && a->name && a->command);
	if (!strchr(a->argv[0], '/')) {
		char *path = malloc(strlen(dir) + strlen(a->argv[0]) + 2);

		assert(path);
		sprintf(path, "%s/%s", dir, a->argv[0]);
		free(a->argv[0]);
		a->argv[0] = path;
	}
}

static void greeting_free(struct adapter *a)
{
	free(a->library);
	free(a->api);
	a->library = a->api = NULL;
	words_free(&a->can, &a->ncan);
	words_free(&a->promises, &a->npromises);
	a->wants_rsa = a->after_error = a->after_end = false;
	buf_free(&a->greeting);
}

void adapter_stop(struct adapter *a)
{
	watch_end(&a->watch);
	child_end(&a->child);
	a->alive = a->ending = false;
	a->listen_port = 0;
}

void adapter_free(struct adapter *a)
{
	adapter_stop(a);
	greeting_free(a);
	for (char **w = a->argv; w && *w; w++)
		free(*w);
	free(a->argv);
	free(a->command);
	free(a->root);
	free(a->failed);
	free(a->name);
	*a = none;
}

const char *adapter_log(struct adapter *a)
{
	child_drain(&a->child);
	return buf_str(&a->child.log);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* One line, waited for: only while greeting, when nothing else goes on. */
static bool next_line(struct adapter *a, int64_t deadline_ms, struct bytes *line)
{
	while (!child_line(&a->child, line)) {
		struct pollfd p[2] = { { a->child.out, POLLIN, 0 }, { a->child.err, POLLIN, 0 } };
		int64_t left = deadline_ms - now_ms();

		if (a->child.ended || a->child.flooded || left <= 0)
			return false;
		if (poll(p, 2, (int)left) < 0 && errno != EINTR)
			return false;
		child_drain(&a->child);
	}
	return true;
}

static bool key_is(struct bytes *line, const char *key)
{
	size_t n = strlen(key);

	if (line->n < n || memcmp(line->p, key, n) != 0 || (line->n > n && line->p[n] != ' '))
		return false;
	bytes_take(line, line->n > n ? n + 1 : n, &(struct bytes){ 0 });
	return true;
}

static void set_text(char **to, struct bytes text)
{
	free(*to);
	*to = bytes_dup(text);
}

/* False: it holds a word that nobody knows. */
static bool add_forbidden(struct adapter *a, struct bytes text)
{
	char **words = NULL;
	size_t n = 0;
	bool known = true;

	add_words(&words, &n, text);
	for (size_t i = 0; i < n; i++) {
		bool error = strcmp(words[i], "after-error") == 0, end = strcmp(words[i], "after-end") == 0;

		a->after_error |= error;
		a->after_end |= end;
		known &= error || end;
	}
	words_free(&words, &n);
	return known;
}

bool adapter_greeting_line(struct adapter *a, struct bytes line, bool *ready)
{
	if (memchr(line.p, '\0', line.n))
		return false;
	if (key_is(&line, "library"))
		set_text(&a->library, line);
	else if (key_is(&line, "api"))
		set_text(&a->api, line);
	else if (key_is(&line, "can"))
		add_words(&a->can, &a->ncan, line);
	else if (key_is(&line, "promises"))
		add_words(&a->promises, &a->npromises, line);
	else if (key_is(&line, "forbids"))
		return add_forbidden(a, line);
	else if (key_is(&line, "wants"))
		a->wants_rsa |= bytes_is(line, "rsa");
	else if (key_is(&line, "ready"))
		*ready = true;
	else
		return false;
	return true;
}

static bool how_it_died(struct adapter *a, const char *when, struct fault *f)
{
	char how[32] = "";

	child_drain(&a->child);
	if (a->child.ended)
		child_died(&a->child, how, sizeof(how));
	return fault_machine(f, "adapter %s %s%s%s; its log: %.160s", a->name,
	                     a->child.flooded ? "printed a line without end" : a->child.ended ? "ended" : "said nothing more", when,
	                     how[0] ? how : "", a->child.log.n ? buf_str(&a->child.log) : "(empty)");
}

static bool take_greeting(struct adapter *a, struct bytes line, bool *ready, struct fault *f)
{
	buf_add_bytes(&a->greeting, line);
	buf_u8(&a->greeting, '\n');
	if (a->greeting.n > GREETING_MAX)
		return fault_machine(f, "adapter %s breaks the contract: its greeting has no end", a->name);
	return adapter_greeting_line(a, line, ready) ||
	       fault_machine(f, "adapter %s breaks the contract: its greeting has the line \"%.*s\"", a->name,
	                     line.n > 100 ? 100 : (int)line.n, (const char *)line.p);
}

static bool greeting_done(struct adapter *a, struct fault *f)
{
	if (!a->library)
		return fault_machine(f, "adapter %s breaks the contract: its greeting has no `library`", a->name);
	if (!a->api)
		a->api = text_dup("");
	return true;
}

static bool read_greeting(struct adapter *a, struct fault *f)
{
	int64_t deadline = now_ms() + GREETING_MS;
	bool ready = false;
	struct bytes line;

	while (!ready) {
		if (!next_line(a, deadline, &line))
			return how_it_died(a, " before its greeting was complete ", f);
		if (!take_greeting(a, line, &ready, f))
			return false;
	}
	return greeting_done(a, f);
}

bool adapter_learn(struct adapter *a, struct bytes greeting, struct fault *f)
{
	bool ready = false;
	struct bytes line;

	greeting_free(a);
	while (greeting.n && !ready) {
		const uint8_t *end = memchr(greeting.p, '\n', greeting.n);

		bytes_take(&greeting, end ? (size_t)(end - greeting.p) : greeting.n, &line);
		bytes_take(&greeting, greeting.n > 0, &(struct bytes){ 0 });
		if (!take_greeting(a, line, &ready, f))
			return false;
	}
	return greeting_done(a, f);
}

static bool try_nonsense(struct adapter *a, struct fault *f)
{
	struct bytes line;

	if (!child_say(&a->child, bytes_of("no-such-call")) || !next_line(a, now_ms() + GREETING_MS, &line))
		return how_it_died(a, " when it was given a line that it cannot know ", f);
	if (!bytes_is(line, "unsupported"))
		return fault_machine(f, "adapter %s breaks the contract: it answers a call that does not exist with \"%.*s\"", a->name,
		                     line.n > 100 ? 100 : (int)line.n, (const char *)line.p);
	return true;
}

static bool start_once(struct adapter *a, const char *cert, struct fault *f)
{
	char env_cert[96];
	char *env[] = { env_cert, NULL };

	adapter_stop(a);
	greeting_free(a);
	snprintf(env_cert, sizeof(env_cert), "CLOSEDRILL_CERT=%s", cert);
	if (!child_start(&a->child, a->argv, env, a->root, RIGHTS_NONE, f) || !read_greeting(a, f) || !try_nonsense(a, f)) {
		adapter_stop(a);
		return false;
	}
	a->alive = watch_start(&a->watch, a->child.pid);
	return a->alive || fault_machine(f, "/proc does not show the adapter %s (is it mounted with hidepid?)", a->name);
}

bool adapter_start(struct adapter *a, const char *cert, const char *rsa, struct fault *f)
{
	bool rsa_first = a->wants_rsa;

	if (!start_once(a, rsa_first ? rsa : cert, f))
		return false;
	/* Only its greeting tells that it wants the other certificate. */
	return !a->wants_rsa || rsa_first || start_once(a, rsa, f);
}

static void set_name(struct adapter *a, bool whole, const char *behind)
{
	struct version v = version_in(a->library);
	struct buf name = { 0 };

	buf_printf(&name, "%s", base_name(a->command));
	if (v.text.n && whole)
		buf_printf(&name, "-%.*s", (int)v.text.n, (const char *)v.text.p);
	else if (v.text.n)
		buf_printf(&name, "-%ld.%ld", v.major, v.minor);
	buf_printf(&name, "%s", behind);
	free(a->name);
	a->name = text_dup(buf_str(&name));
	assert(a->name);
	buf_free(&name);
}

void adapter_name(struct adapter *a, const char *name)
{
	free(a->name);
	a->name = text_dup(name);
	assert(a->name);
}

void adapter_name_version(struct adapter *a, bool whole)
{
	set_name(a, whole, "");
}

void adapter_name_number(struct adapter *a, unsigned n)
{
	char behind[16];

	snprintf(behind, sizeof(behind), "-%u", n);
	set_name(a, true, behind);
}

bool adapter_can(const struct adapter *a, const char *word)
{
	for (size_t i = 0; i < a->ncan; i++)
		if (strcmp(a->can[i], word) == 0)
			return true;
	return false;
}

unsigned adapter_variants(const struct adapter *a)
{
	static const struct { const char *word; unsigned bit; } rows[] = {
		{ "client", FOR_CLIENT }, { "server", FOR_SERVER }, { "tls1.2", FOR_TLS12 }, { "tls1.3", FOR_TLS13 },
		{ "blocking", FOR_BLOCKING }, { "nonblocking", FOR_NONBLOCKING }, { "memory", FOR_MEMORY },
	};
	unsigned bits = 0;

	for (size_t i = 0; i < countof(rows); i++)
		if (adapter_can(a, rows[i].word))
			bits |= rows[i].bit;
	return bits;
}

const char *adapter_base(const struct adapter *a)
{
	return base_name(a->command);
}
