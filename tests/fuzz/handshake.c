/* The peer's handshake with an end that may send anything: ours at both ends, and what the input says happens to the records between them.
 * Untouched, both are done and have the same secrets, and decoding opens all that passed; touched, one end says why it failed, or waits. */
#include "peer/handshake.h"

#include "runner/decode.h"
#include "tests/fuzz/fuzz.h"

enum { ROUNDS_MAX = 12, CHANGES_MAX = 4 };

static struct context contexts[2][2];           /* [server][1.3] */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static struct cert cert;
	struct fault f;

	(void)argc, (void)argv;
	assert(cert_make_ecdsa(&cert, &f));
	for (int server = 0; server < 2; server++)
		for (int v13 = 0; v13 < 2; v13++)
			assert(context_make(&contexts[server][v13], server, v13 ? TLS13 : TLS12, server ? &cert : NULL, NULL, &f));
	return 0;
}

/* side[0] is the client; out: what it is about to send; sent: what has left of it, as it arrived. */
struct ends { struct handshake side[2]; struct buf out[2], sent[2]; struct bytes script; bool touched; };

enum { PASS, FLIP, CUT, LENGTHEN, TWICE, DROP, INSTEAD, BEHIND };

static void change(struct ends *t, struct buf *rec)
{
	struct buf once = { 0 };
	size_t at;

	for (int i = 0; i < CHANGES_MAX; i++) {
		uint8_t how = fuzz_u8(&t->script) & 15;

		if (how == PASS || how > BEHIND || !rec->n)
			break;
		t->touched = true;
		at = fuzz_u16(&t->script) % rec->n;
		if (how == FLIP)
			rec->p[at] ^= fuzz_u8(&t->script) | 1;
		else if (how == CUT || how == DROP)
			rec->n = how == CUT ? at : 0;
		else if (how == LENGTHEN || how == BEHIND)
			buf_add_bytes(rec, fuzz_some(&t->script, how == BEHIND ? 32 : 1));
		else if (how == TWICE)
			buf_add_bytes(&once, buf_bytes(rec));
		else
			rec->n = 0;
		if (how == INSTEAD)
			buf_add_bytes(rec, fuzz_some(&t->script, 64));
		buf_add_bytes(rec, buf_bytes(&once));
		buf_free(&once);
	}
}

/* One record from one end to the other, as the peer does it: what can be no record ends the handshake. */
static void deliver(struct ends *t, int to, struct bytes x)
{
	struct record rec;
	enum taken taken;

	buf_add_bytes(&t->sent[!to], x);
	while (!t->side[to].failed && !t->side[to].done && (taken = record_take(&x, &rec)) != TAKEN_PART) {
		if (taken == TAKEN)
			handshake_feed(&t->side[to], rec.whole, &t->out[to]);
		else
			handshake_fail(&t->side[to], "not a record");
	}
	if (t->side[to].done)
		handshake_learn(&t->side[to], x);
}

static bool carry(struct ends *t, int from)
{
	struct bytes in;
	struct record rec;
	struct buf all = { 0 };
	bool any = t->out[from].n > 0;

	buf_add_bytes(&all, buf_bytes(&t->out[from]));
	t->out[from].n = 0;
	for (in = buf_bytes(&all); record_take(&in, &rec) == TAKEN;) {
		struct buf one = { 0 };

		buf_add_bytes(&one, rec.whole);
		change(t, &one);
		deliver(t, !from, buf_bytes(&one));
		buf_free(&one);
	}
	assert(!in.n);
	buf_free(&all);
	return any;
}

static void same_secret(const struct secret *a, const struct secret *b)
{
	assert(a->n && a->n == b->n && memcmp(a->p, b->p, a->n) == 0);
}

static void agreed(const struct ends *t, bool v13)
{
	const struct secrets *a = &t->side[0].secrets, *b = &t->side[1].secrets;

	assert(t->side[0].done && t->side[1].done && a->suite && a->suite == b->suite);
	assert((a->suite->version == TLS13) == v13);
	assert(memcmp(a->client_random, b->client_random, 32) == 0 && memcmp(a->server_random, b->server_random, 32) == 0);
	if (!v13) {
		same_secret(&a->master, &b->master);
		return;
	}
	same_secret(&a->client_handshake, &b->client_handshake);
	same_secret(&a->server_handshake, &b->server_handshake);
	same_secret(&a->client_data, &b->client_data);
	same_secret(&a->server_data, &b->server_data);
}

static void decoded_with(const struct ends *t, const struct secrets *secrets)
{
	struct stream st = { 0 };
	struct decoded d;

	for (int dir = 0; dir < 2; dir++) {
		st.dir[dir].pieces = calloc(1, sizeof(*st.dir[dir].pieces));
		assert(st.dir[dir].pieces);
		st.dir[dir].pieces[st.dir[dir].npieces++] = (struct piece){ 0, t->sent[dir].n, (size_t)dir };
		buf_add_bytes(&st.dir[dir].data, buf_bytes(&t->sent[dir]));
	}
	decode_stream(&st, secrets, &d);
	for (size_t i = 0; i < d.n; i++) {
		assert(d.items[i].end <= t->sent[d.items[i].dir].n);
		assert(t->touched || d.items[i].item.kind == ITEM_HANDSHAKE || d.items[i].item.kind == ITEM_CCS);
	}
	assert(t->touched || (d.finished[0] && d.finished[1]));
	decoded_free(&d);
	stream_free(&st);
}

static void end_said(const struct handshake *h)
{
	assert(!h->failed || h->error[0]);
	assert(!(h->failed && h->done));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct ends t;
	struct bytes in = { data, n };
	bool v13 = fuzz_u8(&in) & 1;
	struct fault f;

	t = (struct ends){ .script = in };
	for (int server = 0; server < 2; server++)
		assert(handshake_start(&t.side[server], &contexts[server][v13], NULL, &f));
	handshake_feed(&t.side[0], (struct bytes){ 0 }, &t.out[0]);
	for (int i = 0, idle = 0; i < ROUNDS_MAX && idle < 2; i++)
		idle = carry(&t, i & 1) ? 0 : idle + 1;
	if (!t.touched)
		agreed(&t, v13);
	for (int i = 0; i < 2; i++) {
		end_said(&t.side[i]);
		decoded_with(&t, &t.side[i].secrets);
	}
	for (int i = 0; i < 2; i++) {
		handshake_learn(&t.side[i], t.script);
		handshake_learn_ticket(&t.side[i], t.script);
		SSL_SESSION_free(handshake_session(&t.side[i]));
		handshake_free(&t.side[i]);
		buf_free(&t.out[i]);
		buf_free(&t.sent[i]);
	}
	return 0;
}
