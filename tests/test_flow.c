/* Flows: which keys are in force, when they change, and by which a record opened. The records are sealed here by keys of made-up
 * secrets, so that what the flow does is held against the key schedule and not against itself. */
#include "peer/flow.h"

#include "tests/check_rows.h"

#define SERVER_HELLO "02 000026 0303 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 00 1301 00"
#define HELLO_RETRY  "02 000026 0303 cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c 00 1301 00"
#define EXTENSIONS   "08 000002 0000 "
#define FINISHED     "14 000004 aabbccdd "
#define KEY_UPDATE   "18 000001 00 "
#define END_OF_EARLY "05 000000 "

enum who { CLIENT, SERVER };

static struct secret secret_of(unsigned fill, size_t n)
{
	struct secret s = { .n = n };

	memset(s.p, (int)fill, n);
	return s;
}

static struct secrets secrets13(void)
{
	return (struct secrets){
		.suite = suite_find(0x1301),
		.client_handshake = secret_of(1, 32), .server_handshake = secret_of(2, 32),
		.client_data = secret_of(3, 32), .server_data = secret_of(4, 32)
	};
}

static struct secrets secrets12(void)
{
	struct secrets s = { .suite = suite_find(0xc02f), .master = secret_of(5, 48) };

	memset(s.client_random, 6, sizeof(s.client_random));
	memset(s.server_random, 7, sizeof(s.server_random));
	return s;
}

static struct keys keys_of(const struct secrets *s, const struct secret *secret)
{
	struct keys k = { 0 };

	ck_assert(keys_from_secret(&k, s->suite, (struct bytes){ secret->p, secret->n }));
	return k;
}

/* One end: the sending keys by hand, and the flow that reads them. */
struct test { struct secrets secrets; struct flow flow; struct keys handshake, data, none; };

static void start(struct test *t, enum who who, struct secrets secrets)
{
	*t = (struct test){ .secrets = secrets };
	flow_start(&t->flow, who == CLIENT, &t->secrets);
	if (secrets.suite && secrets.suite->version == TLS13) {
		t->handshake = keys_of(&secrets, who == CLIENT ? &secrets.client_handshake : &secrets.server_handshake);
		t->data = keys_of(&secrets, who == CLIENT ? &secrets.client_data : &secrets.server_data);
	}
}

static void end(struct test *t)
{
	flow_free(&t->flow);
	flow_free(&t->flow);
	keys_free(&t->handshake);
	keys_free(&t->data);
}

/* Seals one record and gives it to the flow: which keys opened it, -1 for none. What opens is what was sealed. */
static int give_as(struct test *t, struct keys *k, unsigned type, const char *hex, bool strict)
{
	struct buf content = { 0 }, sealed = { 0 }, plain = { 0 };
	struct record rec;
	struct bytes in;
	uint8_t got = 0;
	int which;

	ck_assert(bytes_unhex(bytes_of(hex), &content));
	ck_assert(keys_seal(k, type, buf_bytes(&content), 0, &sealed));
	in = exact(buf_bytes(&sealed));
	sealed.n = 0;
	ck_assert(record_take(&(struct bytes){ in.p, in.n }, &rec) == TAKEN);
	buf_printf(&plain, "kept");
	which = flow_open(&t->flow, &rec, strict, &got, &plain);
	if (which >= 0) {
		ck_assert_uint_eq(got, type);
		buf_drop(&plain, 4);
		same_bytes(hex, buf_bytes(&plain), buf_bytes(&content));
	} else {
		same_bytes("nothing opens, nothing is added", buf_bytes(&plain), bytes_of("kept"));
	}
	free((void *)in.p);
	buf_free(&content);
	buf_free(&sealed);
	buf_free(&plain);
	return which;
}

static int give(struct test *t, struct keys *k, unsigned type, const char *hex)
{
	return give_as(t, k, type, hex, false);
}

/* The keys of the generation behind k, sequence number 0. */
static struct keys generation_after(const struct keys *k)
{
	struct keys next = { 0 };

	ck_assert(keys_copy(&next, k) && keys_next(&next));
	return next;
}

/* Up to and including the Finished of that side. */
static void shake_hands(struct test *t, enum who who)
{
	if (who == CLIENT)
		ck_assert_int_eq(give(t, &t->none, TYPE_HANDSHAKE, "01 000000"), FLOW_NOW);
	else
		ck_assert_int_eq(give(t, &t->none, TYPE_HANDSHAKE, SERVER_HELLO), FLOW_NOW);
	ck_assert_int_eq(give(t, &t->none, TYPE_CCS, "01"), FLOW_NOW);
	ck_assert_int_eq(give(t, &t->handshake, TYPE_HANDSHAKE, FINISHED), FLOW_NOW);
}

/* --- the handshake --- */

START_TEST(server_13)
{
	struct test t;

	start(&t, SERVER, secrets13());
	ck_assert(t.flow.epoch == EPOCH_CLEAR && !t.flow.finished);
	ck_assert_int_eq(give(&t, &t.none, TYPE_HANDSHAKE, SERVER_HELLO), FLOW_NOW);
	ck_assert_int_eq(t.flow.epoch, EPOCH_HANDSHAKE);
	ck_assert_int_eq(give(&t, &t.none, TYPE_CCS, "01"), FLOW_NOW);
	ck_assert_int_eq(give(&t, &t.handshake, TYPE_HANDSHAKE, EXTENSIONS), FLOW_NOW);
	ck_assert(t.flow.epoch == EPOCH_HANDSHAKE && !t.flow.finished);
	ck_assert_int_eq(give(&t, &t.handshake, TYPE_HANDSHAKE, FINISHED), FLOW_NOW);
	ck_assert(t.flow.epoch == EPOCH_DATA && t.flow.finished);
	ck_assert_uint_eq(t.flow.sealed_data, 0);
	ck_assert_int_eq(give(&t, &t.data, TYPE_DATA, "68656c6c6f"), FLOW_NOW);
	ck_assert_int_eq(give(&t, &t.data, TYPE_ALERT, "0100"), FLOW_NOW);
	ck_assert_uint_eq(t.flow.sealed_data, 2);
	end(&t);
}
END_TEST

/* The client's first protected record shows that it goes over; its ClientHello and an alert about the ServerHello may be clear. */
START_TEST(client_13)
{
	struct test t;

	start(&t, CLIENT, secrets13());
	ck_assert_int_eq(give(&t, &t.none, TYPE_HANDSHAKE, "01 000000"), FLOW_NOW);
	ck_assert_int_eq(give(&t, &t.none, TYPE_CCS, "01"), FLOW_NOW);
	ck_assert_int_eq(t.flow.epoch, EPOCH_CLEAR);
	ck_assert_int_eq(give(&t, &t.none, TYPE_ALERT, "015a"), FLOW_NOW);
	ck_assert_int_eq(give(&t, &t.handshake, TYPE_ALERT, "015a"), FLOW_NOW);
	ck_assert_int_eq(t.flow.epoch, EPOCH_HANDSHAKE);
	ck_assert_int_eq(give(&t, &t.handshake, TYPE_HANDSHAKE, FINISHED), FLOW_NOW);
	ck_assert_int_eq(give(&t, &t.data, TYPE_DATA, "00"), FLOW_NOW);
	end(&t);
}
END_TEST

/* A HelloRetryRequest is a ServerHello behind which no keys change. */
START_TEST(retry_13)
{
	struct test t;

	start(&t, SERVER, secrets13());
	ck_assert_int_eq(give(&t, &t.none, TYPE_HANDSHAKE, HELLO_RETRY), FLOW_NOW);
	ck_assert_int_eq(t.flow.epoch, EPOCH_CLEAR);
	ck_assert_int_eq(give(&t, &t.none, TYPE_CCS, "01"), FLOW_NOW);
	ck_assert_int_eq(t.flow.epoch, EPOCH_CLEAR);
	ck_assert_int_eq(give(&t, &t.none, TYPE_HANDSHAKE, SERVER_HELLO), FLOW_NOW);
	ck_assert_int_eq(give(&t, &t.handshake, TYPE_HANDSHAKE, EXTENSIONS), FLOW_NOW);
	end(&t);
}
END_TEST

START_TEST(whole_12)
{
	enum who who = _i ? SERVER : CLIENT;
	struct keys client = { 0 }, server = { 0 };
	struct test t;
	const struct secrets *s = &t.secrets;

	start(&t, who, secrets12());
	ck_assert(keys_from_master(&client, &server, s->suite, (struct bytes){ s->master.p, s->master.n },
	                           (struct bytes){ s->client_random, 32 }, (struct bytes){ s->server_random, 32 }));
	t.data = who == CLIENT ? client : server;
	keys_free(who == CLIENT ? &server : &client);
	ck_assert_int_eq(give(&t, &t.none, TYPE_HANDSHAKE, who == CLIENT ? "01 000000" : SERVER_HELLO), FLOW_NOW);
	ck_assert_int_eq(t.flow.epoch, EPOCH_CLEAR);
	ck_assert_int_eq(give(&t, &t.none, TYPE_CCS, "01"), FLOW_NOW);
	ck_assert(t.flow.epoch == EPOCH_DATA && !t.flow.finished);
	ck_assert_int_eq(give(&t, &t.data, TYPE_HANDSHAKE, FINISHED), FLOW_NOW);
	ck_assert(t.flow.finished);
	ck_assert_int_eq(give(&t, &t.data, TYPE_DATA, "00"), FLOW_NOW);
	ck_assert_uint_eq(t.flow.sealed_data, 2);
	/* 1.2 has no KeyUpdate: the message changes nothing. */
	ck_assert_int_eq(give(&t, &t.data, TYPE_HANDSHAKE, KEY_UPDATE), FLOW_NOW);
	ck_assert_int_eq(give(&t, &t.none, TYPE_ALERT, "0100"), FLOW_CLEAR);
	ck_assert_int_eq(give(&t, &t.data, TYPE_ALERT, "0100"), FLOW_NOW);
	end(&t);
}
END_TEST

/* A handshake that never got to secrets stays in the clear, whatever the record calls itself. */
START_TEST(no_secrets)
{
	struct test t;

	start(&t, _i ? SERVER : CLIENT, (struct secrets){ 0 });
	ck_assert_int_eq(give(&t, &t.none, TYPE_HANDSHAKE, SERVER_HELLO), FLOW_NOW);
	ck_assert_int_eq(give(&t, &t.none, TYPE_DATA, "00"), FLOW_NOW);
	ck_assert_int_eq(give(&t, &t.none, TYPE_CCS, "01"), FLOW_NOW);
	ck_assert_int_eq(give(&t, &t.none, TYPE_HANDSHAKE, FINISHED), FLOW_NOW);
	ck_assert_int_eq(give(&t, &t.none, TYPE_ALERT, "0228"), FLOW_NOW);
	ck_assert_int_eq(t.flow.epoch, EPOCH_CLEAR);
	end(&t);
}
END_TEST

/* --- 0-RTT --- */

static struct secrets secrets_early(void)
{
	struct secrets s = secrets13();

	s.client_early = secret_of(8, 32);
	return s;
}

static void start_early(struct test *t, struct keys *early)
{
	start(t, CLIENT, secrets_early());
	*early = keys_of(&t->secrets, &t->secrets.client_early);
	ck_assert_int_eq(give(t, &t->none, TYPE_HANDSHAKE, "01 000000"), FLOW_NOW);
	ck_assert_int_eq(give(t, &t->none, TYPE_CCS, "01"), FLOW_NOW);
	ck_assert_int_eq(t->flow.epoch, EPOCH_CLEAR);
	ck_assert_int_eq(give(t, early, TYPE_DATA, "68656c6c6f"), FLOW_NOW);
	ck_assert_int_eq(t->flow.epoch, EPOCH_EARLY);
}

/* Early keys last up to the EndOfEarlyData, alerts among it; what they seal behind it is out of its time. */
START_TEST(early_taken)
{
	struct keys early;
	struct test t;

	start_early(&t, &early);
	ck_assert_int_eq(give_as(&t, &early, TYPE_ALERT, "0100", true), FLOW_NOW);
	ck_assert_int_eq(give_as(&t, &early, TYPE_HANDSHAKE, END_OF_EARLY, true), FLOW_NOW);
	ck_assert_int_eq(t.flow.epoch, EPOCH_HANDSHAKE);
	ck_assert_int_eq(give_as(&t, &early, TYPE_ALERT, "0100", true), -1);
	early.seq--;
	ck_assert_int_eq(give(&t, &early, TYPE_ALERT, "0100"), FLOW_EARLY);
	ck_assert_int_eq(give_as(&t, &t.handshake, TYPE_HANDSHAKE, FINISHED, true), FLOW_NOW);
	ck_assert_int_eq(give(&t, &early, TYPE_DATA, "00"), FLOW_EARLY);
	ck_assert_int_eq(give_as(&t, &t.data, TYPE_DATA, "00", true), FLOW_NOW);
	ck_assert_uint_eq(t.flow.sealed_data, 1);
	keys_free(&early);
	end(&t);
}
END_TEST

/* A server that has not taken it is sent no EndOfEarlyData. Whoever has taken it opens nothing else before that. */
START_TEST(early_refused)
{
	struct keys early;
	struct test t;

	start_early(&t, &early);
	ck_assert_int_eq(give_as(&t, &t.handshake, TYPE_HANDSHAKE, FINISHED, true), -1);
	t.handshake.seq = 0;
	ck_assert_int_eq(give(&t, &t.handshake, TYPE_ALERT, "015a"), FLOW_NOW);
	ck_assert_int_eq(t.flow.epoch, EPOCH_HANDSHAKE);
	ck_assert_int_eq(give_as(&t, &t.handshake, TYPE_HANDSHAKE, FINISHED, true), FLOW_NOW);
	ck_assert_int_eq(give_as(&t, &t.data, TYPE_DATA, "00", true), FLOW_NOW);
	keys_free(&early);
	end(&t);
}
END_TEST

/* A HelloRetryRequest refuses it too: the second hello is in clear again. An alert in clear opens by no key that is in force. */
START_TEST(early_and_clear)
{
	struct keys early;
	struct test t;

	start_early(&t, &early);
	ck_assert_int_eq(give(&t, &t.none, TYPE_ALERT, "015a"), FLOW_CLEAR);
	ck_assert_int_eq(give(&t, &t.none, TYPE_HANDSHAKE, "01 000000"), FLOW_NOW);
	ck_assert_int_eq(give(&t, &t.handshake, TYPE_HANDSHAKE, FINISHED), FLOW_NOW);
	ck_assert_int_eq(t.flow.epoch, EPOCH_DATA);
	keys_free(&early);
	end(&t);
}
END_TEST

/* Only a client has early keys. */
START_TEST(early_of_a_server)
{
	struct test t;

	start(&t, SERVER, secrets_early());
	ck_assert_ptr_null(flow_keys(&t.flow)->suite);
	shake_hands(&t, SERVER);
	ck_assert_int_eq(give(&t, &t.data, TYPE_DATA, "00"), FLOW_NOW);
	end(&t);
}
END_TEST

/* n records of early data of our own, then what OpenSSL seals, by the keys' names: it counts from 0. What leaves is what another flow
 * opens, one after the other, as by the keys in force. */
static const struct { unsigned own; const char *keys; unsigned types[3]; const char *contents[3]; } relays[] = {
	{ 0, "ehd", { TYPE_HANDSHAKE, TYPE_HANDSHAKE, TYPE_DATA }, { END_OF_EARLY, FINISHED, "00" } },
	{ 1, "ehd", { TYPE_HANDSHAKE, TYPE_HANDSHAKE, TYPE_DATA }, { END_OF_EARLY, FINISHED, "00" } },
	{ 3, "ehd", { TYPE_HANDSHAKE, TYPE_HANDSHAKE, TYPE_DATA }, { END_OF_EARLY, FINISHED, "00" } },
	{ 2, "hd",  { TYPE_HANDSHAKE, TYPE_DATA }, { FINISHED, "00" } },
	{ 2, "e",   { TYPE_ALERT }, { "0228" } },
};

START_TEST(relay_row)
{
	struct buf out = { 0 }, plain = { 0 };
	struct keys early, *k;
	struct test t;
	struct flow reader;
	struct bytes in;
	struct record rec;
	uint8_t type;

	start(&t, CLIENT, secrets_early());
	flow_start(&reader, true, &t.secrets);
	early = keys_of(&t.secrets, &t.secrets.client_early);
	for (unsigned i = 0; i < relays[_i].own; i++)
		ck_assert(keys_seal(flow_keys(&t.flow), TYPE_DATA, bytes_of("early"), 0, &out));
	for (size_t i = 0; relays[_i].keys[i]; i++) {
		struct buf sealed = { 0 }, content = { 0 };

		k = relays[_i].keys[i] == 'e' ? &early : relays[_i].keys[i] == 'h' ? &t.handshake : &t.data;
		ck_assert(bytes_unhex(bytes_of(relays[_i].contents[i]), &content) && keys_seal(k, relays[_i].types[i], buf_bytes(&content), 0, &sealed));
		in = buf_bytes(&sealed);
		plain.n = 0;
		ck_assert(record_take(&in, &rec) == TAKEN && flow_relay(&t.flow, &rec, &type, &plain, &out) == FLOW_NOW);
		ck_assert_uint_eq(type, relays[_i].types[i]);
		same_bytes("relayed", buf_bytes(&plain), buf_bytes(&content));
		buf_free(&sealed);
		buf_free(&content);
	}
	in = buf_bytes(&out);
	for (size_t i = 0; i < relays[_i].own + strlen(relays[_i].keys); i++)
		ck_assert(record_take(&in, &rec) == TAKEN && flow_open(&reader, &rec, false, &type, &plain) == FLOW_NOW);
	ck_assert_uint_eq(in.n, 0);
	flow_free(&reader);
	keys_free(&early);
	buf_free(&out);
	buf_free(&plain);
	end(&t);
}
END_TEST

/* --- messages in records --- */

/* Keys change behind the message that says so, whatever its record begins or ends with. `generation`: of the data keys that are then
 * in force, -1: the handshake's. */
static const struct { const char *name; int generation; const char *records[4]; } cuts[] = {
	{ "one message each",               0, { EXTENSIONS, FINISHED } },
	{ "two in one record",              0, { EXTENSIONS FINISHED } },
	{ "one over two records",           0, { EXTENSIONS "14 0000", "04 aabbccdd" } },
	{ "cut in its first byte",          0, { EXTENSIONS "14", "000004 aabbccdd" } },
	{ "one byte is missing",           -1, { EXTENSIONS, "14 000004 aabbcc" } },
	{ "an end and a beginning",         0, { "08 0000", "02 0000 14 0000", "04 aabbccdd" } },
	{ "an empty message between",       0, { EXTENSIONS "05 000000" FINISHED } },
	{ "nothing but a head",            -1, { EXTENSIONS "14 000004" } },
	/* What no one should send: Finished is the last of its record (RFC 8446 5.1). */
	{ "KeyUpdate behind Finished",      1, { EXTENSIONS FINISHED KEY_UPDATE } },
	{ "KeyUpdate before Finished",      0, { KEY_UPDATE, FINISHED } },
	{ "two ServerHellos",               0, { SERVER_HELLO, FINISHED } },
};

START_TEST(cut_row)
{
	struct keys want = { 0 };
	struct test t;

	start(&t, SERVER, secrets13());
	ck_assert_int_eq(give(&t, &t.none, TYPE_HANDSHAKE, SERVER_HELLO), FLOW_NOW);
	for (size_t i = 0; i < 4 && cuts[_i].records[i]; i++)
		ck_assert_msg(give(&t, &t.handshake, TYPE_HANDSHAKE, cuts[_i].records[i]) == FLOW_NOW, "%s: record %zu", cuts[_i].name, i);
	ck_assert(keys_copy(&want, cuts[_i].generation < 0 ? &t.handshake : &t.data));
	for (int g = 0; g < cuts[_i].generation; g++)
		ck_assert(keys_next(&want));
	ck_assert_msg(give_as(&t, &want, TYPE_DATA, "00", true) == FLOW_NOW, "%s", cuts[_i].name);
	ck_assert_msg(t.flow.finished == (cuts[_i].generation >= 0), "%s", cuts[_i].name);
	keys_free(&want);
	end(&t);
}
END_TEST

/* A ServerHello can be cut as well: the keys change behind its last byte. */
START_TEST(fragmented_server_hello)
{
	struct test t;

	start(&t, SERVER, secrets13());
	ck_assert_int_eq(give(&t, &t.none, TYPE_HANDSHAKE, "02 000026 0303 0001020304"), FLOW_NOW);
	ck_assert_int_eq(t.flow.epoch, EPOCH_CLEAR);
	ck_assert_int_eq(give(&t, &t.none, TYPE_HANDSHAKE, "05060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 00 1301 00"), FLOW_NOW);
	ck_assert_int_eq(t.flow.epoch, EPOCH_HANDSHAKE);
	ck_assert_int_eq(give(&t, &t.handshake, TYPE_HANDSHAKE, EXTENSIONS), FLOW_NOW);
	end(&t);
}
END_TEST

/* --- KeyUpdate --- */

START_TEST(key_update)
{
	enum who who = _i ? SERVER : CLIENT;
	struct keys next;
	struct test t;

	start(&t, who, secrets13());
	shake_hands(&t, who);
	for (int generation = 1; generation < 4; generation++) {
		ck_assert_int_eq(give(&t, &t.data, TYPE_DATA, "00"), FLOW_NOW);
		ck_assert_int_eq(give(&t, &t.data, TYPE_HANDSHAKE, generation % 2 ? KEY_UPDATE : "18 000001 01"), FLOW_NOW);
		next = generation_after(&t.data);
		keys_free(&t.data);
		t.data = next;
		ck_assert_uint_eq(t.flow.now.seq, 0);
	}
	ck_assert_int_eq(give(&t, &t.data, TYPE_DATA, "00"), FLOW_NOW);
	end(&t);
}
END_TEST

START_TEST(key_update_fragmented)
{
	struct keys next;
	struct test t;

	start(&t, SERVER, secrets13());
	shake_hands(&t, SERVER);
	ck_assert_int_eq(give(&t, &t.data, TYPE_HANDSHAKE, "18 0000"), FLOW_NOW);
	ck_assert_int_eq(give(&t, &t.data, TYPE_HANDSHAKE, "01 00"), FLOW_NOW);
	next = generation_after(&t.data);
	ck_assert_int_eq(give_as(&t, &next, TYPE_DATA, "00", true), FLOW_NOW);
	keys_free(&next);
	end(&t);
}
END_TEST

/* Two of them in one record are two generations; and what follows in the same record was still sealed by the first. */
START_TEST(key_updates_in_one_record)
{
	struct keys next, second;
	struct test t;

	start(&t, CLIENT, secrets13());
	shake_hands(&t, CLIENT);
	ck_assert_int_eq(give(&t, &t.data, TYPE_HANDSHAKE, KEY_UPDATE KEY_UPDATE "18 0000"), FLOW_NOW);
	next = generation_after(&t.data);
	second = generation_after(&next);
	ck_assert_int_eq(give(&t, &next, TYPE_DATA, "00"), FLOW_OLD);
	ck_assert_int_eq(give(&t, &second, TYPE_DATA, "00"), FLOW_NOW);
	ck_assert_int_eq(give(&t, &t.data, TYPE_DATA, "00"), -1);
	keys_free(&next);
	keys_free(&second);
	end(&t);
}
END_TEST

/* --- other keys than those in force --- */

/* After one KeyUpdate, in a row's own order; each record is sealed by the keys that the letter names: o(ld), n(ow), x (next), h(andshake),
 * c(lear), and y: two generations on. Capitals: strict. `finds`: n, o, h, c, x again, and - for none. */
static const struct { const char *seals, *finds; } orders[] = {
	{ "n",       "n" },
	{ "nnn",     "nnn" },
	{ "o",       "o" },
	{ "ooo",     "ooo" },
	{ "nonoh",   "nonoh" },
	{ "h",       "h" },
	{ "hh",      "hh" },
	{ "x",       "x" },
	{ "xnx",     "xn-" },                   /* one ahead of its time: the keys stay, so the second of them has the wrong number */
	{ "y",       "-" },
	{ "c",       "c" },
	{ "cnco",    "cnco" },
	{ "yn",      "-n" },                    /* what does not open does not count */
	{ "ON",      "-n" },
	{ "HNXNCN",  "-n-n-n" },
	{ "Oo",      "--" },                    /* refused, and lost: the next record has the number behind it */
};

static struct keys *keys_named(struct keys *of, char name)
{
	return &of[strchr("noxhcy", name | 32) - "noxhcy"];
}

START_TEST(order_row)
{
	static const char found[] = { [FLOW_NOW] = 'n', [FLOW_OLD] = 'o', [FLOW_HANDSHAKE] = 'h', [FLOW_CLEAR] = 'c', [FLOW_NEXT] = 'x' };
	struct keys of[6] = { 0 };
	struct test t;

	start(&t, SERVER, secrets13());
	shake_hands(&t, SERVER);
	ck_assert_int_eq(give(&t, &t.data, TYPE_HANDSHAKE, KEY_UPDATE), FLOW_NOW);
	of[0] = generation_after(&t.data);
	of[2] = generation_after(&of[0]);
	of[5] = generation_after(&of[2]);
	ck_assert(keys_copy(&of[1], &t.data) && keys_copy(&of[3], &t.handshake));
	for (size_t i = 0; orders[_i].seals[i]; i++) {
		char name = orders[_i].seals[i];
		int which = give_as(&t, keys_named(of, name), TYPE_ALERT, "0100", name < 'a');
		char got = which < 0 ? '-' : found[which];

		ck_assert_msg(got == orders[_i].finds[i], "%s: record %zu: %c", orders[_i].seals, i, got);
	}
	for (size_t i = 0; i < countof(of); i++)
		keys_free(&of[i]);
	end(&t);
}
END_TEST

/* What opens by other keys moves nothing: its messages are not this side's word on its keys. */
START_TEST(others_move_nothing)
{
	struct keys old, now;
	struct test t;

	start(&t, SERVER, secrets13());
	shake_hands(&t, SERVER);
	ck_assert_int_eq(give(&t, &t.data, TYPE_HANDSHAKE, KEY_UPDATE), FLOW_NOW);
	ck_assert_int_eq(give(&t, &t.data, TYPE_HANDSHAKE, KEY_UPDATE), FLOW_OLD);
	ck_assert_int_eq(give(&t, &t.handshake, TYPE_HANDSHAKE, KEY_UPDATE), FLOW_HANDSHAKE);
	ck_assert_int_eq(give(&t, &t.none, TYPE_HANDSHAKE, KEY_UPDATE), FLOW_CLEAR);
	old = generation_after(&t.data);
	now = generation_after(&old);
	ck_assert_int_eq(give(&t, &now, TYPE_HANDSHAKE, KEY_UPDATE), FLOW_NEXT);
	ck_assert_uint_eq(t.flow.sealed_data, 1);
	ck_assert_int_eq(give(&t, &old, TYPE_DATA, "00"), FLOW_NOW);
	keys_free(&old);
	keys_free(&now);
	end(&t);
}
END_TEST

/* In the clear, once keys are in force, is only what is too short to be sealed and does not claim to be. */
START_TEST(clear_behind_keys)
{
	struct test t;

	start(&t, SERVER, secrets13());
	shake_hands(&t, SERVER);
	ck_assert_int_eq(give(&t, &t.none, TYPE_ALERT, "0100"), FLOW_CLEAR);
	ck_assert_int_eq(give(&t, &t.none, TYPE_ALERT, ""), FLOW_CLEAR);
	ck_assert_int_eq(give(&t, &t.none, TYPE_ALERT, "00000000000000000000000000000000000000000000 00"), FLOW_CLEAR);
	ck_assert_int_eq(give(&t, &t.none, TYPE_ALERT, "00000000000000000000000000000000000000000000 0000"), -1);
	ck_assert_int_eq(give(&t, &t.none, TYPE_DATA, "0100"), -1);
	ck_assert_int_eq(give(&t, &t.none, TYPE_CCS, "01"), FLOW_NOW);
	ck_assert_int_eq(give(&t, &t.data, TYPE_DATA, "00"), FLOW_NOW);
	end(&t);
}
END_TEST

/* --- the sending side --- */

/* Records sealed by a flow's own keys are opened by another flow as by the keys in force, through all changes. */
START_TEST(two_flows)
{
	static const struct { unsigned type; const char *hex; } sends[] = {
		{ TYPE_HANDSHAKE, SERVER_HELLO }, { TYPE_HANDSHAKE, EXTENSIONS FINISHED }, { TYPE_DATA, "00" }, { TYPE_HANDSHAKE, KEY_UPDATE },
		{ TYPE_DATA, "0102" }, { TYPE_HANDSHAKE, "18 00" }, { TYPE_HANDSHAKE, "0001 01" }, { TYPE_ALERT, "0100" },
	};
	struct flow sender;
	struct test t;

	start(&t, SERVER, secrets13());
	flow_start(&sender, false, &t.secrets);
	for (size_t i = 0; i < countof(sends); i++) {
		struct buf content = { 0 };

		ck_assert(bytes_unhex(bytes_of(sends[i].hex), &content));
		ck_assert_msg(give_as(&t, flow_keys(&sender), sends[i].type, sends[i].hex, true) == FLOW_NOW, "record %zu", i);
		flow_passed(&sender, (uint8_t)sends[i].type, buf_bytes(&content));
		buf_free(&content);
	}
	ck_assert_uint_eq(sender.sealed_data, t.flow.sealed_data);
	flow_free(&sender);
	end(&t);
}
END_TEST

/* A client's keys are there as soon as the secrets are: its next record is sealed, whatever it is (RFC 8446 A.1). */
START_TEST(client_keys)
{
	struct secrets late = { 0 };
	struct flow fl;

	flow_start(&fl, true, &late);
	ck_assert_ptr_null(flow_keys(&fl)->suite);
	late = secrets13();
	ck_assert_ptr_nonnull(flow_keys(&fl)->suite);
	ck_assert_int_eq(fl.epoch, EPOCH_HANDSHAKE);
	flow_free(&fl);
}
END_TEST

ROWS_MAIN("flow", { server_13, 1 }, { client_13, 1 }, { retry_13, 1 }, { whole_12, 2 }, { no_secrets, 2 }, { early_taken, 1 }, { early_refused, 1 },
          { early_and_clear, 1 }, { early_of_a_server, 1 }, { relay_row, countof(relays) }, { cut_row, countof(cuts) },
          { fragmented_server_hello, 1 }, { key_update, 2 }, { key_update_fragmented, 1 }, { key_updates_in_one_record, 1 },
          { order_row, countof(orders) }, { others_move_nothing, 1 }, { clear_behind_keys, 1 }, { two_flows, 1 }, { client_keys, 1 })
