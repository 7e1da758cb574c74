/* OpenSSL's handshake in memory, with a hello that is not as it should be: whatever it says to that, we can send. */
#include "peer/handshake.h"

#include "peer/record.h"
#include "tests/check_rows.h"

enum { VERSION_AT = RECORD_HEAD + 4 };          /* of legacy_version in a ClientHello: behind the heads of record and message */

static void context_of(struct context *c, bool server, enum tls_version version)
{
	struct cert cert;
	struct fault f = { 0 };

	ck_assert_msg(cert_make_ecdsa(&cert, &f), "%s", f.msg);
	ck_assert_msg(context_make(c, server, version, server ? &cert : NULL, NULL, &f), "%s", f.msg);
	cert_free(&cert);
}

static void start(struct handshake *h, const struct context *c)
{
	struct fault f = { 0 };

	ck_assert_msg(handshake_start(h, c, NULL, &f), "%s", f.msg);
}

static const struct { const char *name; unsigned said; uint8_t answer; } rows[] = {
	{ "3.3", 0x0303, TYPE_HANDSHAKE },
	{ "one that is to come", 0x0305, TYPE_HANDSHAKE },
	{ "3.0", 0x0300, TYPE_ALERT },
	{ "2.3", 0x0203, TYPE_ALERT },
	{ "2.0", 0x0200, TYPE_ALERT },
	{ "0.0", 0x0000, TYPE_ALERT },
};

/* Two of each: TLS 1.2 and 1.3, which reads another field, but not if this one is too low (RFC 8446 D.5). */
START_TEST(hello_version)
{
	enum tls_version version = _i % 2 ? TLS13 : TLS12;
	struct context client, server;
	struct handshake c, s;
	struct buf hello = { 0 }, answer = { 0 };
	struct bytes in;
	struct record rec;

	context_of(&client, false, version);
	context_of(&server, true, version);
	start(&c, &client);
	start(&s, &server);
	handshake_feed(&c, (struct bytes){ 0 }, &hello);
	ck_assert(hello.n > VERSION_AT + 2);
	hello.p[VERSION_AT] = rows[_i / 2].said >> 8;
	hello.p[VERSION_AT + 1] = rows[_i / 2].said & 0xff;
	handshake_feed(&s, buf_bytes(&hello), &answer);
	ck_assert_msg(s.failed == (rows[_i / 2].answer == TYPE_ALERT), "%s: %s", rows[_i / 2].name, s.error);
	in = buf_bytes(&answer);
	ck_assert_msg(record_take(&in, &rec) == TAKEN && rec.type == rows[_i / 2].answer, "%s", rows[_i / 2].name);
	while (record_take(&in, &rec) == TAKEN)
		;
	ck_assert_uint_eq(in.n, 0);
	handshake_free(&c);
	handshake_free(&s);
	context_free(&client);
	context_free(&server);
	buf_free(&hello);
	buf_free(&answer);
}
END_TEST

ROWS_MAIN("handshake", { hello_version, 2 * countof(rows) })
