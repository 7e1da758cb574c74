/* The suite's check of itself: a run whose capture shows what the peer sent, and what becomes of it when one thing is not so. */
#include "runner/selfcheck.h"

#include <stdio.h>

#include "peer/record.h"
#include "tests/check_rows.h"

/* The peer's stream: three records of ten bytes, a packet each, then its FIN with the last. Only their places and items are looked at. */
enum { LEN = 30, PACKETS = 3 };

struct run { struct evidence e; struct conn_seen *c; struct direction *d; };

static struct item data_item(int64_t len)
{
	return (struct item){ .kind = ITEM_DATA, .len = len };
}

static struct item alert_item(int level, int code)
{
	return (struct item){ .kind = ITEM_ALERT, .level = level, .code = code };
}

static void add_item(struct run *r, struct item it, int dir, size_t end)
{
	struct decoded *d = &r->c->decoded;

	d->items = reallocarray(d->items, d->n + 1, sizeof(*d->items));
	ck_assert_ptr_nonnull(d->items);
	d->items[d->n++] = (struct seen_item){ .item = it, .dir = dir, .at = end - (end ? 10 : 0), .end = end };
}

static void build(struct run *r, const struct script *none)
{
	static const struct claim claims[] = {
		{ 0, 10, TYPE_DATA, { 'h', 'i' }, 5 }, { 10, 20, TYPE_HANDSHAKE, { HS_KEY_UPDATE, 0 }, 5 },
		{ 20, 30, TYPE_ALERT, { ALERT_WARNING, ALERT_CLOSE_NOTIFY }, 2 },
	};

	*r = (struct run){ 0 };
	evidence_start(&r->e, none, FOR_CLIENT | FOR_TLS13 | FOR_BLOCKING);
	r->e.nconns = 1;
	r->c = &r->e.conns[0];
	r->d = &r->c->stream.dir[1];
	buf_pattern(&r->c->sent, LEN);
	buf_pattern(&r->d->data, LEN);
	r->d->pieces = calloc(PACKETS, sizeof(*r->d->pieces));
	r->c->claims = calloc(countof(claims), sizeof(*claims));
	r->c->flights = calloc(1, sizeof(*r->c->flights));
	ck_assert(r->d->pieces && r->c->claims && r->c->flights);
	for (size_t i = 0; i < PACKETS; i++)
		r->d->pieces[r->d->npieces++] = (struct piece){ i * 10, 10, i + 1 };
	memcpy(r->c->claims, claims, sizeof(claims));
	r->c->nclaims = countof(claims);
	r->d->fin = r->c->fin_sent = true;
	r->d->fin_at = LEN;
	r->d->fin_packet = PACKETS;
	add_item(r, data_item(9), 0, 10);
	add_item(r, data_item(5), 1, 10);
	add_item(r, (struct item){ .kind = ITEM_KEY_UPDATE }, 1, 20);
	add_item(r, alert_item(1, 0), 1, 30);
	add_item(r, (struct item){ .kind = ITEM_FIN }, 1, 30);
}

static void join(struct run *r, size_t at, size_t end, bool fin)
{
	r->c->flights[r->c->nflights++] = (struct flight){ at, end, fin, true };
}

/* Cuts what was captured, its items with it. */
static void lose_tail(struct run *r, size_t n)
{
	struct decoded *d = &r->c->decoded;
	size_t kept = 0;

	r->d->data.n = n;
	for (size_t i = 0; i < d->n; i++)
		if (d->items[i].dir == 0 || d->items[i].end <= n)
			d->items[kept++] = d->items[i];
	d->n = kept;
}

static void nothing(struct run *r) { (void)r; }

/* bytes */
static void other_byte(struct run *r) { r->d->data.p[LEN - 1] ^= 1; }
static void first_byte(struct run *r) { r->d->data.p[0] ^= 1; }
static void more_bytes(struct run *r) { buf_u8(&r->d->data, 'x'); }
static void no_tail(struct run *r) { lose_tail(r, 20); }
static void one_byte_short(struct run *r) { lose_tail(r, 29); }
static void closed_window(struct run *r) { lose_tail(r, 20); r->d->fin = false; r->c->undelivered = true; }
static void reset_with_tail(struct run *r) { lose_tail(r, 20); r->d->fin = false; r->c->reset_sent = r->d->rst = true; }
static void closed_window_other_byte(struct run *r) { closed_window(r); r->d->data.p[3] ^= 1; }

/* ends */
static void no_fin(struct run *r) { r->d->fin = false; }
static void fin_unsent(struct run *r) { r->c->fin_sent = false; }
static void no_end_at_all(struct run *r) { r->d->fin = r->c->fin_sent = false; }
static void no_rst(struct run *r) { r->c->reset_sent = true; }
static void rst_there(struct run *r) { r->c->reset_sent = r->d->rst = true; }
static void closed_fin(struct run *r) { r->c->closed = true; r->c->fin_sent = false; }
static void closed_rst(struct run *r) { r->c->closed = r->d->rst = true; r->d->fin = r->c->fin_sent = false; }
static void closed_nothing(struct run *r) { r->c->closed = true; r->d->fin = r->c->fin_sent = false; }
static void rst_too_late(struct run *r) { r->c->reset_sent = true; r->c->undelivered = true; }
static void closed_undelivered(struct run *r) { closed_nothing(r); r->c->undelivered = true; }
static void forged_rst(struct run *r) { r->c->forged = r->d->rst = true; r->d->fin = false; }
static void forged_fin(struct run *r) { r->c->forged = r->c->forged_fin = true; r->c->fin_sent = false; }
static void forged_fin_missing(struct run *r) { forged_fin(r); r->d->fin = false; }
static void forged_fin_other_bytes(struct run *r) { forged_fin(r); r->d->data.p[0] ^= 1; }

/* one segment */
static void joined_one(struct run *r) { join(r, 0, 10, false); }
static void joined_two(struct run *r) { join(r, 0, 20, false); }
static void apart_two(struct run *r) { join(r, 0, 20, false); r->c->flights[0].joined = false; }
static void joined_fin(struct run *r) { join(r, 20, 30, true); }
static void joined_fin_apart(struct run *r) { joined_fin(r); r->d->fin_packet = 9; }
static void joined_fin_elsewhere(struct run *r) { join(r, 10, 20, false); r->d->fin_packet = 9; }
static void joined_undelivered(struct run *r) { closed_window(r); join(r, 10, 30, false); }
static void joined_nothing(struct run *r) { join(r, 30, 30, true); r->d->fin_packet = 9; }

/* what the records say */
static struct item *item(struct run *r, size_t i) { return &r->c->decoded.items[i].item; }
static void data_shorter(struct run *r) { item(r, 1)->len = 4; }
static void data_as_alert(struct run *r) { *item(r, 1) = alert_item(1, 0); }
static void data_unopened(struct run *r) { item(r, 1)->kind = ITEM_UNOPENED; }
static void data_old_keys(struct run *r) { item(r, 1)->keys = KEYS_OLD; }
static void data_elsewhere(struct run *r) { r->c->decoded.items[1].end = 9; }
static void data_of_the_other(struct run *r) { r->c->decoded.items[1].dir = 0; }
static void alert_level(struct run *r) { item(r, 3)->level = 2; }
static void other_alert(struct run *r) { item(r, 3)->code = 90; }
static void alert_malformed(struct run *r) { item(r, 3)->malformed = true; }
static void alert_meant_malformed(struct run *r) { r->c->claims[2].len = 1; item(r, 3)->malformed = true; }
static void alert_not_malformed(struct run *r) { r->c->claims[2].len = 1; }
static void alert_missing(struct run *r) { r->c->decoded.n = 3; }
static void key_update_as_data(struct run *r) { *item(r, 2) = data_item(5); }
static void ticket(struct run *r) { item(r, 2)->kind = ITEM_TICKET; }
static void part_of_a_message(struct run *r) { memmove(&r->c->decoded.items[2], &r->c->decoded.items[3], 2 * sizeof(struct seen_item)); r->c->decoded.n--; }
static void part_and_fin(struct run *r) { r->c->claims[2].type = TYPE_HANDSHAKE; r->c->decoded.items[3] = r->c->decoded.items[4]; r->c->decoded.n--; }
static void unknown_type(struct run *r) { r->c->claims[1].type = 99; item(r, 2)->kind = ITEM_UNOPENED; }
static void unknown_as_data(struct run *r) { r->c->claims[1].type = 99; *item(r, 2) = data_item(5); }
static void ccs(struct run *r) { r->c->claims[1].type = TYPE_CCS; item(r, 2)->kind = ITEM_CCS; }
static void ccs_as_data(struct run *r) { r->c->claims[1].type = TYPE_CCS; *item(r, 2) = data_item(1); }
static void need_not_open(struct run *r) { r->c->claims[0].type = -1; data_unopened(r); other_alert(r); }
static void need_not_open_later(struct run *r) { r->c->claims[2].type = -1; other_alert(r); data_shorter(r); }
static void not_delivered(struct run *r) { closed_window(r); r->c->claims[2].len = 7; }
static void second_connection(struct run *r) { r->e.nconns = 2; r->e.conns[1].fin_sent = true; }

static const struct { const char *name; void (*change)(struct run *); const char *why; } rows[] = {
	{ "all is there",                                nothing,                  NULL },
	{ "the last byte differs",                       other_byte,               "other bytes" },
	{ "the first byte differs",                      first_byte,               "other bytes" },
	{ "more than was sent",                          more_bytes,               "other bytes" },
	{ "the last record is missing",                  no_tail,                  "last 10 bytes" },
	{ "one byte is missing",                         one_byte_short,           "last 1 bytes" },
	{ "missing, as the window is closed",            closed_window,            NULL },
	{ "missing, and a byte before it differs",       closed_window_other_byte, "other bytes" },
	{ "missing, FIN too, as the peer reset",         reset_with_tail,          NULL },
	{ "FIN is missing",                              no_fin,                   "peer's FIN is not" },
	{ "a FIN that was not sent",                     fin_unsent,               "a FIN that the peer did not send" },
	{ "no FIN and none sent",                        no_end_at_all,            NULL },
	{ "RST is missing",                              no_rst,                   "RST is not" },
	{ "RST is missing, as the other side reset first", rst_too_late,           NULL },
	{ "RST is there",                                rst_there,                NULL },
	{ "close: a FIN",                                closed_fin,               NULL },
	{ "close: a RST",                                closed_rst,               NULL },
	{ "close: neither",                              closed_nothing,           "neither FIN nor RST" },
	{ "close: neither, as the window is closed",     closed_undelivered,       NULL },
	{ "a forged RST",                                forged_rst,               NULL },
	{ "a forged FIN",                                forged_fin,               NULL },
	{ "a forged FIN is missing",                     forged_fin_missing,       "forged FIN is not" },
	{ "a forged FIN excuses no bytes",               forged_fin_other_bytes,   "other bytes" },
	{ "joined, in one segment",                      joined_one,               NULL },
	{ "joined, in two segments",                     joined_two,               "several segments (packets 1 to 2" },
	{ "in two segments, not joined",                 apart_two,                NULL },
	{ "joined with FIN",                             joined_fin,               NULL },
	{ "FIN in a segment of its own",                 joined_fin_apart,         "FIN in 9" },
	{ "FIN in its own, not joined",                  joined_fin_elsewhere,     NULL },
	{ "joined, and not all delivered",               joined_undelivered,       NULL },
	{ "FIN joined with nothing",                     joined_nothing,           NULL },
	{ "data of another length",                      data_shorter,             "step 1 made (type 23, 5 bytes)" },
	{ "an alert where data was sent",                data_as_alert,            "step 1" },
	{ "data that does not open",                     data_unopened,            "step 1" },
	{ "data that opens with other keys",             data_old_keys,            "step 1" },
	{ "a record that ends elsewhere",                data_elsewhere,           "step 1" },
	{ "a record of the other side",                  data_of_the_other,        "step 1" },
	{ "an alert of another level",                   alert_level,              "step 3" },
	{ "another alert",                               other_alert,              "step 3" },
	{ "an alert that is malformed",                  alert_malformed,          "step 3" },
	{ "one that is meant to be",                     alert_meant_malformed,    NULL },
	{ "one that is meant to be, and is not",         alert_not_malformed,      "step 3" },
	{ "an alert is missing",                         alert_missing,            "step 3" },
	{ "data where a message was sent",               key_update_as_data,       "step 2" },
	{ "a ticket",                                    ticket,                   NULL },
	{ "a part of a message",                         part_of_a_message,        NULL },
	{ "a part of a message, then FIN",               part_and_fin,             NULL },
	{ "a type that there is not",                    unknown_type,             NULL },
	{ "data where there is no such type",            unknown_as_data,          "step 2" },
	{ "a ChangeCipherSpec",                          ccs,                      NULL },
	{ "data where it should be",                     ccs_as_data,              "step 2" },
	{ "bytes that need not open, and what follows",  need_not_open,            NULL },
	{ "before such bytes",                           need_not_open_later,      "step 1" },
	{ "a record that was not delivered",             not_delivered,            NULL },
	{ "of a second connection",                      second_connection,        "peer's FIN is not" },
};

START_TEST(selfcheck_row)
{
	struct script none = { 0 };
	struct buf why = { 0 };
	struct run r;
	bool ok;

	build(&r, &none);
	rows[_i].change(&r);
	ok = selfcheck(&r.e, &why);
	ck_assert_msg(ok == !rows[_i].why, "%s: %s", rows[_i].name, buf_str(&why));
	ck_assert_msg(ok ? why.n == 0 : strstr(buf_str(&why), rows[_i].why) != NULL, "%s: %s", rows[_i].name, buf_str(&why));
	buf_free(&why);
	evidence_free(&r.e);
}
END_TEST

ROWS_MAIN("selfcheck", { selfcheck_row, countof(rows) })
