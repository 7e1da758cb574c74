/* Decoding: a connection's bytes, sealed here under made-up secrets, read back as items. What a row sends is told by its own keys, so that
 * the reading side is held against the key schedule and not against itself. */
#include "runner/decode.h"

#include <stdio.h>

#include "tests/check_rows.h"

#define SERVER_HELLO "020000260303000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f00130100"
#define FINISHED     "14000004aabbccdd"
#define KEY_UPDATE   "1800000100"
#define TICKET       "04000003010203"

/* One end: what it can seal with. */
struct side { struct keys now, old, handshake, next, early, none; };
struct test { struct stream stream; struct secrets secrets; struct side side[2]; size_t packet; };

static struct secret secret_of(unsigned fill, size_t n)
{
	struct secret s = { .n = n };

	memset(s.p, (int)fill, n);
	return s;
}

static void use_secret(const struct secrets *s, struct keys *k, const struct secret *secret)
{
	ck_assert(keys_from_secret(k, s->suite, (struct bytes){ secret->p, secret->n }));
}

static void set_next(struct side *sd)
{
	ck_assert(keys_copy(&sd->next, &sd->now) && keys_next(&sd->next));
}

static void start13(struct test *t)
{
	struct secrets *s = &t->secrets;

	*s = (struct secrets){ .suite = suite_find(0x1301), .client_handshake = secret_of(1, 32), .server_handshake = secret_of(2, 32),
	                       .client_data = secret_of(3, 32), .server_data = secret_of(4, 32) };
	use_secret(s, &t->side[0].handshake, &s->client_handshake);
	use_secret(s, &t->side[0].now, &s->client_data);
	use_secret(s, &t->side[1].handshake, &s->server_handshake);
	use_secret(s, &t->side[1].now, &s->server_data);
	set_next(&t->side[0]);
	set_next(&t->side[1]);
}

/* The client has offered early data. */
static void start_early(struct test *t)
{
	start13(t);
	t->secrets.client_early = secret_of(6, 32);
	use_secret(&t->secrets, &t->side[0].early, &t->secrets.client_early);
}

static void start12(struct test *t)
{
	struct secrets *s = &t->secrets;

	*s = (struct secrets){ .suite = suite_find(0xc02f), .master = secret_of(5, 48) };
	memset(s->client_random, 6, sizeof(s->client_random));
	memset(s->server_random, 7, sizeof(s->server_random));
	ck_assert(keys_from_master(&t->side[0].now, &t->side[1].now, s->suite, (struct bytes){ s->master.p, s->master.n },
	                           (struct bytes){ s->client_random, 32 }, (struct bytes){ s->server_random, 32 }));
}

static void end(struct test *t)
{
	for (int i = 0; i < 2; i++) {
		keys_free(&t->side[i].now);
		keys_free(&t->side[i].old);
		keys_free(&t->side[i].handshake);
		keys_free(&t->side[i].next);
		keys_free(&t->side[i].early);
	}
	stream_free(&t->stream);
}

static void put(struct test *t, struct direction *d, struct bytes x)
{
	d->pieces = reallocarray(d->pieces, d->npieces + 1, sizeof(*d->pieces));
	ck_assert_ptr_nonnull(d->pieces);
	d->pieces[d->npieces++] = (struct piece){ d->data.n, x.n, t->packet };
	buf_add_bytes(&d->data, x);
}

static void roll(struct side *sd)
{
	keys_free(&sd->old);
	sd->old = sd->now;
	sd->now = sd->next;
	sd->next = (struct keys){ 0 };
	set_next(sd);
}

static struct keys *keys_named(struct side *sd, char name)
{
	switch (name) {
	case 'n':
		return &sd->now;
	case 'o':
		return &sd->old;
	case 'h':
		return &sd->handshake;
	case 'x':
		return &sd->next;
	case 'e':
		return &sd->early;
	default:
		return &sd->none;
	}
}

static void seal(struct keys *k, const char *type, struct bytes content, struct buf *out)
{
	size_t pad = strchr(type, '+') ? 7 : 0;

	ck_assert(keys_seal(k, (unsigned)atoi(type), content, pad, out));
	if (strchr(type, '!'))
		out->p[out->n - 1] ^= 1;
}

/* `c n 23 6869`: the client, its keys (now, old, handshake, next, early, clear), type (`+`: padded, `!`: spoiled), content.
 * `c raw HEX`, `c fin`, `c rst`, `c roll`: bytes as they are, the ends, the next generation. `=` in front: in the packet before. */
static void do_op(struct test *t, const char *op)
{
	char who, what[8] = "", type[8] = "", hex[256] = "";
	struct buf content = { 0 }, out = { 0 };
	struct direction *d;
	struct side *sd;

	t->packet += *op != '=';
	ck_assert_msg(sscanf(op + (*op == '='), "%c %7s %7s %255s", &who, what, type, hex) >= 2, "%s", op);
	d = &t->stream.dir[who == 's'];
	sd = &t->side[who == 's'];
	if (strcmp(what, "fin") == 0) {
		d->fin = true;
		d->fin_at = d->data.n;
		d->fin_packet = t->packet;
	} else if (strcmp(what, "rst") == 0) {
		d->rst = true;
		d->rst_at = d->data.n;
		d->rst_packet = t->packet;
	} else if (strcmp(what, "roll") == 0) {
		t->packet--;
		roll(sd);
	} else if (strcmp(what, "raw") == 0) {
		sscanf(op + (*op == '='), "%c %7s %255s", &who, what, hex);
		put(t, d, unhex(hex, &content));
	} else {
		seal(keys_named(sd, *what), type, unhex(hex, &content), &out);
		put(t, d, buf_bytes(&out));
	}
	buf_free(&content);
	buf_free(&out);
}

static void play(struct test *t, const char *ops)
{
	char op[400];

	while (*ops) {
		size_t n = strcspn(ops, ";");

		ck_assert(n < sizeof(op));
		snprintf(op, sizeof(op), "%.*s", (int)n, ops);
		do_op(t, op);
		ops += n + (ops[n] == ';');
		ops += strspn(ops, " ");
	}
}

/* As rows tell it: who, the packet, `*` inside the handshake, the item. */
static void items_text(const struct decoded *d, size_t packet0, struct buf *out)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct seen_item *it = &d->items[i];

		if (it->packet <= packet0)
			continue;
		buf_printf(out, "%s%c%zu%s ", out->n ? "; " : "", it->dir ? 's' : 'c', it->packet - packet0, it->in_handshake ? "*" : "");
		item_print(out, &it->item);
	}
}

#define SHAKE13 "c c 22 01000000; s c 22 " SERVER_HELLO "; s c 20 01; s h 22 " FINISHED "; c c 20 01; c h 22 " FINISHED
#define SHAKE12 "c c 22 01000000; s c 22 " SERVER_HELLO "; c c 20 01; c n 22 " FINISHED "; s c 20 01; s n 22 " FINISHED

/* before: which handshake has passed, 0 for none (then secrets of 1.3 are known all the same). plain: of both sides; notified: c, s. */
static const struct { const char *name; int before; const char *ops, *items, *plain[2], *notified; } rows[] = {
	{ "the handshake of 1.3", 0, SHAKE13,
	  "c1* handshake client_hello; s2* handshake server_hello; s3* change_cipher_spec; s4* handshake finished; c5* change_cipher_spec; c6* handshake finished",
	  { "", "" }, "" },
	{ "two messages in one record", 0, "s c 22 " SERVER_HELLO "; s h 22 08000002000014000004aabbccdd; s n 23 78",
	  "s1* handshake server_hello; s2* handshake encrypted_extensions; s2* handshake finished; s3 data 1", { "", "x" }, "" },
	{ "one message over two records", 0, "s c 22 0200002603030001020304; s c 22 05060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f00130100",
	  "s2* handshake server_hello", { "", "" }, "" },
	{ "a message that never ends", 0, "s c 22 020000260303; s fin", "s2* fin", { "", "" }, "" },

	{ "data, a record each", 13, "c n 23 6869; c n 23 21; s n 23 6a", "c1 data 2; c2 data 1; s3 data 1", { "hi!", "j" }, "" },
	{ "data of 1.2", 12, "c n 23 6869; c n 23 21; s n 23 6a", "c1 data 2; c2 data 1; s3 data 1", { "hi!", "j" }, "" },
	{ "padded, and empty", 13, "c n 23+ 6869; c n 23+ ; c n 23 ", "c1 data 2; c2 data 0; c3 data 0", { "hi", "" }, "" },
	{ "a record of two packets", 13, "c raw 17; c raw 0303; c fin", "c2 partial; c3 fin", { "", "" }, "" },

	{ "close_notify and fin", 13, "c n 21 0100; =c fin; s n 21 0100; s fin", "c1 close_notify; c1 fin; s2 close_notify; s3 fin", { "", "" }, "cs" },
	{ "close_notify and fin of 1.2", 12, "c n 21 0100; =c fin; s n 21 0100; s fin", "c1 close_notify; c1 fin; s2 close_notify; s3 fin", { "", "" }, "cs" },
	{ "nothing counts behind an error alert", 13, "s n 23 61; s n 21 0250; s n 23 62; s n 21 0100",
	  "s1 data 1; s2 alert internal_error; s3 data 1; s4 close_notify", { "", "a" }, "" },
	{ "nor behind one at level warning in 1.3", 13, "s n 21 0150; s n 21 0100", "s1 alert internal_error level warning; s2 close_notify", { "", "" }, "" },
	{ "behind a warning in 1.2 it does", 12, "s n 21 0150; s n 23 62; s n 21 0100", "s1 alert internal_error level warning; s2 data 1; s3 close_notify",
	  { "", "b" }, "s" },
	{ "behind user_canceled it does", 13, "s n 21 015a; s n 23 62; s n 21 0100", "s1 alert user_canceled level warning; s2 data 1; s3 close_notify",
	  { "", "b" }, "s" },
	{ "at level fatal it counts", 13, "s n 21 0200", "s1 close_notify level fatal", { "", "" }, "s" },
	{ "an error alert", 13, "s n 21 0228", "s1 alert handshake_failure", { "", "" }, "" },
	{ "alerts of one byte, three and none", 13, "s n 21 01; s n 21 010000; s n 21 ; s n 21 0100",
	  "s1 alert malformed 1; s2 alert malformed 3; s3 alert malformed 0; s4 close_notify", { "", "" }, "s" },
	{ "data behind close_notify", 13, "s n 23 61; s n 21 0100; s n 23 62; s n 21 0100", "s1 data 1; s2 close_notify; s3 data 1; s4 close_notify",
	  { "", "a" }, "s" },
	{ "the other direction goes on", 13, "s n 21 0100; c n 23 62", "s1 close_notify; c2 data 1", { "b", "" }, "s" },

	{ "a ticket", 13, "s n 22 " TICKET, "s1 ticket", { "", "" }, "" },
	{ "a ticket of 1.2 belongs to the handshake", 0, "s c 22 " TICKET, "s1* handshake new_session_ticket", { "", "" }, "" },
	{ "two tickets and a part in one record", 13, "s n 22 " TICKET TICKET "0400; s n 22 0001ff", "s1 ticket; s1 ticket; s2 ticket", { "", "" }, "" },
	{ "a HelloRequest of 1.2", 12, "s n 22 00000000", "s1 handshake hello_request", { "", "" }, "" },

	{ "KeyUpdate", 13, "c n 22 " KEY_UPDATE "; c roll; c n 23 61; c n 22 1800000101; c roll; c n 23 62",
	  "c1 key_update; c2 data 1; c3 key_update requested; c4 data 1", { "ab", "" }, "" },
	{ "1.2 has none", 12, "c n 22 " KEY_UPDATE "; c n 23 61", "c1 key_update; c2 data 1", { "a", "" }, "" },
	{ "in the handshake there is none", 0, "c c 22 " KEY_UPDATE, "c1* handshake 24", { "", "" }, "" },

	{ "close_notify in the clear is not authentic", 13, "s c 21 0100; s n 21 0100", "s1 close_notify keys none; s2 close_notify", { "", "" }, "" },
	{ "in the clear, 1.2", 12, "s c 21 0100; s n 23 61", "s1 close_notify keys none; s2 data 1", { "", "" }, "" },
	{ "under the handshake's keys", 13, "s h 21 0100; s n 23 61; s n 21 0100", "s1 close_notify keys handshake; s2 data 1; s3 close_notify", { "", "" }, "" },
	{ "under old keys", 13, "s n 22 " KEY_UPDATE "; s roll; s o 21 0100; s n 21 0100", "s1 key_update; s2 close_notify keys old; s3 close_notify",
	  { "", "" }, "" },
	{ "under the next keys", 13, "s x 23 61; s n 21 0100", "s1 data 1 keys next; s2 close_notify", { "", "" }, "" },
	{ "what does not open", 13, "s n 23 61; s n 23! 62", "s1 data 1; s2 unopened", { "", "a" }, "" },
	{ "close_notify spoiled", 13, "s n 21! 0100; s fin", "s1 unopened; s2 fin", { "", "" }, "" },
	{ "behind one that does not open, of 1.2", 12, "s n 23! 62; s n 21 0100", "s1 unopened; s2 unopened", { "", "" }, "" },
	{ "behind one that opens for nobody", 13, "s raw 1703030018000000000000000000000000000000000000000000000000; s n 23 61; s n 21 0100",
	  "s1 unopened; s2 data 1; s3 close_notify", { "", "" }, "" },
	{ "the other direction is not broken by it", 13, "s n 23! 62; c n 21 0100", "s1 unopened; c2 close_notify", { "", "" }, "c" },
	{ "a type that there is not", 13, "s n 99 62; s n 21 0100", "s1 unopened; s2 close_notify", { "", "" }, "s" },
	{ "ChangeCipherSpec between", 13, "s n 23 61; s c 20 01; s n 21 0100", "s1 data 1; s2 change_cipher_spec; s3 close_notify", { "", "a" }, "s" },

	{ "the head of a record", 13, "c n 23 61; c raw 17030300", "c1 data 1; c2 partial", { "a", "" }, "" },
	{ "a whole head, a part of the body", 13, "c raw 170303001400; c raw 00; c fin", "c2 partial; c3 fin", { "", "" }, "" },
	{ "one byte of a record", 13, "c raw 17", "c1 partial", { "", "" }, "" },
	{ "bytes that are none, by packet", 13, "c n 21 0100; c raw 68656c6c6f; c raw 7468657265; c fin", "c1 close_notify; c2 raw 5; c3 raw 5; c4 fin",
	  { "", "" }, "c" },
	{ "a few bytes that are none", 13, "c n 21 0100; c raw 6869", "c1 close_notify; c2 raw 2", { "", "" }, "c" },
	{ "a line, cut by packets", 13, "c raw 68; c raw 69; c raw 210a", "c1 raw 1; c2 raw 1; c3 raw 2", { "", "" }, "" },
	{ "a record too long is none", 13, "c raw 1703034801", "c1 raw 5", { "", "" }, "" },
	{ "behind raw bytes nothing is a record", 13, "s raw 6869206869; s n 21 0100", "s1 raw 5; s2 raw 24", { "", "" }, "" },
	{ "raw bytes in a record's packet", 13, "c n 23 61; =c raw 6162636465", "c1 data 1; c1 raw 5", { "a", "" }, "" },

	{ "fin alone", 13, "c fin", "c1 fin", { "", "" }, "" },
	{ "rst behind fin", 13, "c fin; s n 23 61; c rst", "c1 fin; s2 data 1; c3 rst", { "", "a" }, "" },
	{ "both directions in turn", 13, "c n 23 61; s n 23 62; c n 23 63; s n 21 0100; c n 21 0100; c fin; s fin",
	  "c1 data 1; s2 data 1; c3 data 1; s4 close_notify; c5 close_notify; c6 fin; s7 fin", { "ac", "b" }, "cs" },
};

START_TEST(decode_row)
{
	struct buf text = { 0 };
	struct test t = { 0 };
	struct decoded d;
	size_t before;

	if (rows[_i].before == 12)
		start12(&t);
	else
		start13(&t);
	play(&t, rows[_i].before == 12 ? SHAKE12 : rows[_i].before == 13 ? SHAKE13 : "");
	before = t.packet;
	play(&t, rows[_i].ops);
	decode_stream(&t.stream, &t.secrets, &d);
	items_text(&d, before, &text);
	ck_assert_msg(strcmp(buf_str(&text), rows[_i].items) == 0, "%s:\n got %s\nwant %s", rows[_i].name, buf_str(&text), rows[_i].items);
	for (int dir = 0; dir < 2; dir++) {
		same_bytes(rows[_i].name, buf_bytes(&d.plain[dir]), bytes_of(rows[_i].plain[dir]));
		ck_assert_msg(d.notified[dir] == (strchr(rows[_i].notified, dir ? 's' : 'c') != NULL), "%s: notified by %d", rows[_i].name, dir);
		ck_assert_msg(rows[_i].before == 0 || d.finished[dir], "%s", rows[_i].name);
	}
	decoded_free(&d);
	decoded_free(&d);
	buf_free(&text);
	end(&t);
}
END_TEST

/* Extensions as EncryptedExtensions hold them: supported_groups, early_data, ALPN; a length that lies. */
#define TAKES "0800000a0008000a0000002a0000"
static const struct { const char *name, *ops, *items, *plain; size_t early; bool accepted; } earlies[] = {
	{ "nobody answers", "c e 23 6869; c e 21 0100; c fin", "c1* data 2; c2* close_notify; c3* fin", "hi", 2, false },
	{ "taken", "c e 23 6869; s h 22 " TAKES "; s h 22 " FINISHED "; c e 23 21; c e 22 05000000; c h 22 " FINISHED "; c n 23 6a",
	  "c1* data 2; s2* handshake encrypted_extensions; s3* handshake finished; c4* data 1; c5* handshake end_of_early_data; c6* handshake finished; c7 data 1",
	  "hi!j", 3, true },
	{ "refused", "c e 23 6869; s h 22 080000020000; s h 22 " FINISHED "; c h 22 " FINISHED "; c n 23 6a",
	  "c1* data 2; s2* handshake encrypted_extensions; s3* handshake finished; c4* handshake finished; c5 data 1", "hij", 2, false },
	{ "early_data alone", "s h 22 080000060004002a0000", "s1* handshake encrypted_extensions", "", 0, true },
	{ "its length lies", "s h 22 080000060005002a0000", "s1* handshake encrypted_extensions", "", 0, false },
	{ "cut inside the last extension", "s h 22 080000060004002a0001", "s1* handshake encrypted_extensions", "", 0, false },
	{ "no extensions at all", "s h 22 08000000", "s1* handshake encrypted_extensions", "", 0, false },
	{ "the client's word is none", "c e 23 61; c e 22 " TAKES, "c1* data 1; c2* handshake encrypted_extensions", "a", 1, false },
	{ "an alert in clear", "c e 23 61; c c 21 0100", "c1* data 1; c2* close_notify keys none", "a", 1, false },
	{ "early keys behind their time", "c e 22 05000000; c h 22 " FINISHED "; c e 21 0100; c n 23 61",
	  "c1* handshake end_of_early_data; c2* handshake finished; c3 close_notify keys early; c4 data 1", "", 0, false },
};

START_TEST(early_row)
{
	struct buf text = { 0 };
	struct test t = { 0 };
	struct decoded d;

	start_early(&t);
	play(&t, "c c 22 01000000; s c 22 " SERVER_HELLO);
	play(&t, earlies[_i].ops);
	decode_stream(&t.stream, &t.secrets, &d);
	items_text(&d, 2, &text);
	ck_assert_msg(strcmp(buf_str(&text), earlies[_i].items) == 0, "%s:\n got %s\nwant %s", earlies[_i].name, buf_str(&text), earlies[_i].items);
	same_bytes(earlies[_i].name, buf_bytes(&d.plain[0]), bytes_of(earlies[_i].plain));
	ck_assert_msg(d.early == earlies[_i].early && d.early_accepted == earlies[_i].accepted, "%s: %zu", earlies[_i].name, d.early);
	decoded_free(&d);
	buf_free(&text);
	end(&t);
}
END_TEST

/* What the server sealed behind its end, or behind its error alert. */
static const struct { const char *name; int before; const char *ops, *plain, *late; } ends[] = {
	{ "behind close_notify", 13, "s n 23 61; s n 21 0100; s n 23 62; s n 23 63", "a", "bc" },
	{ "behind an error alert", 13, "s n 23 61; s n 21 0250; s n 23 62", "a", "b" },
	{ "behind a warning of 1.2", 12, "s n 21 0150; s n 23 62", "b", "" },
	{ "behind what does not open", 13, "s n 21 0100; s n 23! 62; s n 23 63", "", "" },
	{ "behind what does not open and an alert", 13, "s n 23! 62; s n 21 0250; s n 23 63", "", "" },
};

START_TEST(late_row)
{
	struct test t = { 0 };
	struct decoded d;

	if (ends[_i].before == 12)
		start12(&t);
	else
		start13(&t);
	play(&t, ends[_i].before == 12 ? SHAKE12 : SHAKE13);
	play(&t, ends[_i].ops);
	decode_stream(&t.stream, &t.secrets, &d);
	same_bytes(ends[_i].name, buf_bytes(&d.plain[1]), bytes_of(ends[_i].plain));
	same_bytes(ends[_i].name, buf_bytes(&d.late[1]), bytes_of(ends[_i].late));
	decoded_free(&d);
	end(&t);
}
END_TEST

/* Without secrets the handshake is all that can be read. */
START_TEST(no_secrets)
{
	struct buf text = { 0 };
	struct test t = { 0 };
	struct decoded d;

	play(&t, "c c 22 01000000; s c 21 0228; s fin; c rst");
	decode_stream(&t.stream, &t.secrets, &d);
	items_text(&d, 0, &text);
	ck_assert_str_eq(buf_str(&text), "c1* handshake client_hello; s2* alert handshake_failure; s3* fin; c4* rst");
	ck_assert(!d.finished[0] && !d.finished[1] && !d.notified[1]);
	decoded_free(&d);
	buf_free(&text);
	end(&t);
}
END_TEST

/* Each item stands on its own bytes, and close_notify on the packet that completed it, not on the one that began it. */
START_TEST(places)
{
	struct buf rec = { 0 };
	struct test t = { 0 };
	struct decoded d;
	size_t at;

	start13(&t);
	play(&t, SHAKE13);
	at = t.stream.dir[1].data.n;
	play(&t, "s n 23 61");
	ck_assert(keys_seal(&t.side[1].now, TYPE_ALERT, (struct bytes){ (const uint8_t *)"\1", 2 }, 0, &rec));
	t.packet = 20;
	put(&t, &t.stream.dir[1], (struct bytes){ rec.p, 10 });
	t.packet = 30;
	put(&t, &t.stream.dir[1], (struct bytes){ rec.p + 10, rec.n - 10 });
	t.packet = 25;
	play(&t, "c n 23 62");
	t.packet = 39;
	play(&t, "s n 21 0100");
	decode_stream(&t.stream, &t.secrets, &d);
	ck_assert_uint_eq(d.n, 10);
	ck_assert(d.items[6].dir == 1 && d.items[6].at == at && d.items[6].end == at + 23);
	ck_assert(d.items[7].dir == 0 && d.items[7].packet == 26);
	ck_assert(d.items[8].at == at + 23 && d.items[8].end == at + 23 + rec.n && d.items[8].packet == 30);
	ck_assert(d.notified[1] && d.notify_packet[1] == 30);
	decoded_free(&d);
	buf_free(&rec);
	end(&t);
}
END_TEST

/* Bytes that are no record behind one, in the same packet. */
START_TEST(raw_in_a_records_packet)
{
	struct buf both = { 0 };
	struct test t = { 0 };
	struct decoded d;

	start13(&t);
	play(&t, SHAKE13);
	ck_assert(keys_seal(&t.side[0].now, TYPE_ALERT, (struct bytes){ (const uint8_t *)"\1", 2 }, 0, &both));
	buf_printf(&both, "hello");
	t.packet++;
	put(&t, &t.stream.dir[0], buf_bytes(&both));
	decode_stream(&t.stream, &t.secrets, &d);
	ck_assert_uint_eq(d.n, 8);
	ck_assert(d.items[7].item.kind == ITEM_RAW && d.items[7].item.len == 5 && d.items[7].end - d.items[7].at == 5);
	ck_assert(d.items[7].packet == d.items[6].packet && d.notified[0]);
	decoded_free(&d);
	buf_free(&both);
	end(&t);
}
END_TEST

/* Every prefix of a direction reads without a fault, and says no more than the whole. */
START_TEST(every_prefix)
{
	struct test t = { 0 };
	size_t whole;

	start13(&t);
	play(&t, SHAKE13 "; s n 23 6869; s n 22 " TICKET "; s n 21 0100; s raw 6869206869");
	whole = t.stream.dir[1].data.n;
	for (size_t n = whole; n-- > 0;) {
		struct direction *d = &t.stream.dir[1];
		struct bytes copy = exact((struct bytes){ d->data.p, n });
		struct stream st = t.stream;
		struct decoded got;

		while (d->npieces && d->pieces[d->npieces - 1].at >= n)
			d->npieces--;
		if (d->npieces)
			d->pieces[d->npieces - 1].len = n - d->pieces[d->npieces - 1].at;
		st.dir[1] = *d;
		st.dir[1].data = (struct buf){ (uint8_t *)copy.p, n, n };
		decode_stream(&st, &t.secrets, &got);
		ck_assert(got.n <= 16 && got.plain[1].n <= 2);
		ck_assert(got.notified[1] == (n >= whole - 5));
		free((void *)copy.p);
		decoded_free(&got);
	}
	end(&t);
}
END_TEST

ROWS_MAIN("decode", { decode_row, countof(rows) }, { early_row, countof(earlies) }, { late_row, countof(ends) }, { no_secrets, 1 }, { places, 1 },
          { raw_in_a_records_packet, 1 }, { every_prefix, 1 })
