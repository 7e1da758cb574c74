#include "peer/record.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <strings.h>

#include "tests/check_rows.h"

static const struct {
	const char *name, *hex;
	enum taken want;
	size_t left;
} rows[] = {
	{ "nothing yet",             "",                      TAKEN_PART, 0 },
	{ "header cut short",        "15 03 03 00",           TAKEN_PART, 4 },
	{ "header only",             "15 03 03 00 02",        TAKEN_PART, 5 },
	{ "body cut short",          "15 03 03 00 02 01",     TAKEN_PART, 6 },
	{ "close_notify",            "15 03 03 00 02 01 00",  TAKEN,      0 },
	{ "empty body",              "17 03 03 00 00",        TAKEN,      0 },
	{ "empty body, then a byte", "17 03 03 00 00 15",     TAKEN,      1 },
	{ "the version of TLS 1.0",  "16 03 01 00 01 01",     TAKEN,      0 },
	{ "an unknown type",         "63 03 03 00 01 00",     TAKEN,      0 },
	{ "at the limit, cut short", "17 03 03 48 00",        TAKEN_PART, 5 },
	{ "one over the limit",      "17 03 03 48 01",        TAKEN_JUNK, 5 },
	{ "far over the limit",      "17 03 03 ff ff 00",     TAKEN_JUNK, 6 },
	{ "an SSL 2 hello",          "80 2e 01 00 02",        TAKEN_JUNK, 5 },
	{ "the next major version",  "17 04 00 00 00",        TAKEN_JUNK, 5 },
	{ "an HTTP request",         "47 45 54 20 2f",        TAKEN_JUNK, 5 },
};

START_TEST(record_row)
{
	struct buf b = { 0 };
	struct bytes all = exact(unhex(rows[_i].hex, &b)), in = all;
	struct record rec;

	ck_assert_msg(record_take(&in, &rec) == rows[_i].want, "%s", rows[_i].name);
	ck_assert_msg(in.n == rows[_i].left, "%s: %zu left", rows[_i].name, in.n);
	ck_assert_msg(in.p == all.p + (all.n - in.n), "%s: moved wrongly", rows[_i].name);
	if (rows[_i].want == TAKEN) {
		same_bytes(rows[_i].name, rec.whole, (struct bytes){ all.p, all.n - in.n });
		ck_assert_msg(rec.body.p == all.p + RECORD_HEAD, "%s: body", rows[_i].name);
		ck_assert_msg(rec.body.n == be16(all.p + 3), "%s: body of %zu", rows[_i].name, rec.body.n);
		ck_assert_msg(rec.type == all.p[0] && rec.version == be16(all.p + 1), "%s: head", rows[_i].name);
	}
	free((void *)all.p);
	buf_free(&b);
}
END_TEST

START_TEST(record_prefixes)
{
	struct buf b = { 0 };
	struct bytes all = unhex(rows[_i].hex, &b);
	struct record rec;

	for (size_t n = 0; rows[_i].want == TAKEN && n < all.n - rows[_i].left; n++) {
		struct bytes part = exact((struct bytes){ all.p, n }), in = part;

		ck_assert_msg(record_take(&in, &rec) == TAKEN_PART, "%s: %zu bytes", rows[_i].name, n);
		ck_assert_msg(in.p == part.p && in.n == n, "%s: moved at %zu bytes", rows[_i].name, n);
		free((void *)part.p);
	}
	buf_free(&b);
}
END_TEST

/* Whole, every prefix, one byte more; a message without a body. */
START_TEST(message)
{
	struct buf b = { 0 };
	struct bytes all = unhex("18 000001 00  00 000000", &b), in = all, body;
	uint8_t type;

	ck_assert(message_take(&in, &type, &body) && type == HS_KEY_UPDATE && body.n == 1 && body.p == all.p + 4 && in.n == 4);
	ck_assert(message_take(&in, &type, &body) && type == HS_HELLO_REQUEST && body.n == 0 && in.n == 0);
	for (size_t n = 0; n < 5; n++) {
		struct bytes part = exact((struct bytes){ all.p, n });

		in = part;
		ck_assert_msg(!message_take(&in, &type, &body) && in.p == part.p && in.n == n, "%zu bytes", n);
		free((void *)part.p);
	}
	buf_free(&b);
}
END_TEST

/* What record_head writes, record_take reads, up to the limit and no further. */
static const struct { size_t len; enum taken want; } lengths[] = {
	{ 0, TAKEN }, { 1, TAKEN }, { RECORD_PLAIN_MAX, TAKEN }, { RECORD_PLAIN_MAX + 1, TAKEN },
	{ RECORD_MAX - 1, TAKEN }, { RECORD_MAX, TAKEN }, { RECORD_MAX + 1, TAKEN_JUNK }, { 0xffff, TAKEN_JUNK },
};

START_TEST(head_and_back)
{
	size_t len = lengths[_i].len;
	struct buf b = { 0 };
	struct record rec;
	struct bytes in;

	record_head(&b, TYPE_DATA, 0x0303, len);
	ck_assert_uint_eq(b.n, RECORD_HEAD);
	buf_pattern(&b, len);
	in = buf_bytes(&b);
	ck_assert_msg(record_take(&in, &rec) == lengths[_i].want, "%zu", len);
	if (lengths[_i].want == TAKEN)
		ck_assert(rec.type == TYPE_DATA && rec.version == 0x0303 && rec.body.n == len && in.n == 0);
	buf_free(&b);
}
END_TEST

START_TEST(two_in_a_row)
{
	struct buf b = { 0 };
	struct bytes in = unhex("17 03 03 00 01 61  15 03 03 00 02 01 00", &b);
	struct record rec;

	ck_assert(record_take(&in, &rec) == TAKEN && rec.type == TYPE_DATA && bytes_is(rec.body, "a"));
	ck_assert(record_take(&in, &rec) == TAKEN && rec.type == TYPE_ALERT && rec.body.n == 2);
	ck_assert(record_take(&in, &rec) == TAKEN_PART);
	buf_free(&b);
}
END_TEST

static const struct {
	const char *what;
	const char *(*name)(unsigned);
	int (*code)(struct bytes);
} kinds[] = {
	{ "alert", alert_name, alert_code },
	{ "handshake", handshake_name, handshake_code },
	{ "content", content_name, content_code },
};

/* Every number by its name and by its digits; past the byte there are none. */
START_TEST(names_and_back)
{
	for (unsigned n = 0; n <= 256; n++) {
		const char *name = kinds[_i].name(n);
		char digits[8];

		snprintf(digits, sizeof(digits), "%u", n);
		ck_assert_msg(kinds[_i].code(bytes_of(digits)) == (n < 256 ? (int)n : -1), "%s %u", kinds[_i].what, n);
		ck_assert_msg(!name || kinds[_i].code(bytes_of(name)) == (int)n, "%s %s", kinds[_i].what, name);
		ck_assert_msg(!name || n < 256, "%s 256 has a name", kinds[_i].what);
	}
}
END_TEST

static const char *const no_names[] = {
	"", " ", "close", "close_notify ", "close_notifyx", "CLOSE_NOTIFY", "closenotify", "-1", "+1", "0x1", "1 ", "256",
	"4294967296", "99999999999999999999",
};

START_TEST(not_a_name)
{
	for (size_t k = 0; k < countof(kinds); k++)
		ck_assert_msg(kinds[k].code(bytes_of(no_names[_i])) == -1, "%s \"%s\"", kinds[k].what, no_names[_i]);
}
END_TEST

START_TEST(name_prefixes)
{
	struct bytes name = bytes_of("close_notify");

	for (size_t n = 0; n < name.n; n++) {
		struct bytes part = exact((struct bytes){ name.p, n });

		ck_assert_msg(alert_code(part) == -1, "the first %zu bytes", n);
		free((void *)part.p);
	}
}
END_TEST

static const struct { const char *name; int code; int (*of)(struct bytes); } known[] = {
	{ "close_notify", 0, alert_code },
	{ "unexpected_message", 10, alert_code },
	{ "decryption_failed", 21, alert_code },
	{ "user_canceled", 90, alert_code },
	{ "no_renegotiation", 100, alert_code },
	{ "missing_extension", 109, alert_code },
	{ "certificate_required", 116, alert_code },
	{ "general_error", 117, alert_code },
	{ "ech_required", 121, alert_code },
	{ "client_hello", 1, handshake_code },
	{ "new_session_ticket", 4, handshake_code },
	{ "server_hello_done", 14, handshake_code },
	{ "key_update", 24, handshake_code },
	{ "change_cipher_spec", 20, content_code },
	{ "application_data", 23, content_code },
};

START_TEST(known_name)
{
	ck_assert_msg(known[_i].of(bytes_of(known[_i].name)) == known[_i].code, "%s", known[_i].name);
}
END_TEST

/* A second source: OpenSSL knows most alerts, with spaces in their names and some capitals. */
START_TEST(alerts_as_openssl)
{
	char theirs[64];
	unsigned seen = 0;

	for (unsigned n = 0; n < 256; n++) {
		snprintf(theirs, sizeof(theirs), "%s", SSL_alert_desc_string_long((int)n));
		if (strcmp(theirs, "unknown") == 0)
			continue;
		for (char *p = theirs; *p; p++)
			if (*p == ' ')
				*p = '_';
		ck_assert_msg(alert_name(n) && strcasecmp(alert_name(n), theirs) == 0, "%u: %s", n, theirs);
		seen++;
	}
	ck_assert_uint_ge(seen, 28);
}
END_TEST

ROWS_MAIN("record",
	{ record_row, countof(rows) }, { record_prefixes, countof(rows) }, { head_and_back, countof(lengths) },
	{ two_in_a_row, 1 }, { message, 1 }, { names_and_back, countof(kinds) }, { not_a_name, countof(no_names) },
	{ name_prefixes, 1 }, { known_name, countof(known) }, { alerts_as_openssl, 1 })
