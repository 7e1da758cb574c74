/* What an adapter prints, through a real pipe: the lines come out as they went in, however they are cut; the greeting gives words without
 * spaces, and a name that is one folder. The first byte says in what pieces it is written. */
#include "runner/adapter.h"

#include <fcntl.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

enum { PIECES_MAX = 64 };

/* The reader's side, and what it should give. */
struct talk { struct adapter a; struct bytes want; bool ready, refused; };

static void words_whole(char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert(words[i][0] && !strchr(words[i], ' '));
	assert(!words || !words[n]);
}

static void take_lines(struct talk *t)
{
	struct bytes line;

	while (child_line(&t->a.child, &line)) {
		const uint8_t *end = memchr(t->want.p, '\n', t->want.n);

		assert(end && bytes_equal(line, (struct bytes){ t->want.p, (size_t)(end - t->want.p) }));
		if (!t->ready && !t->refused)
			t->refused = !adapter_greeting_line(&t->a, line, &t->ready);
		fuzz_some(&t->want, line.n + 1);
	}
}

static void named(struct adapter *a)
{
	if (!a->library)
		return;
	for (int whole = 0; whole < 2; whole++) {
		adapter_name_version(a, whole);
		assert(strncmp(a->name, "fuzz", 4) == 0 && !strchr(a->name, '/'));
	}
	adapter_name_number(a, 2);
	assert(!strchr(a->name, '/'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct bytes in = { data, n }, rest;
	size_t piece = 1 + fuzz_u8(&in);
	struct talk t = { .want = in };
	int fds[2];

	adapter_init(&t.a, "fuzz", ".", NULL);
	assert(pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0);
	t.a.child.out = fds[0];
	piece = piece < in.n / PIECES_MAX ? in.n / PIECES_MAX : piece;
	for (rest = in; rest.n;) {
		struct bytes part = fuzz_some(&rest, piece);

		assert(write(fds[1], part.p, part.n) == (ssize_t)part.n);
		assert(child_drain(&t.a.child));
		take_lines(&t);
	}
	close(fds[1]);
	child_drain(&t.a.child);
	assert(t.a.child.ended && !t.a.child.flooded);
	assert(!memchr(t.want.p ? t.want.p : (const uint8_t *)"", '\n', t.want.n));
	words_whole(t.a.can, t.a.ncan);
	words_whole(t.a.promises, t.a.npromises);
	named(&t.a);
	assert(adapter_variants(&t.a) <= FOR_ALL);
	adapter_free(&t.a);
	return 0;
}
