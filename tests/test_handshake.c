/* What the peer's handshake takes from the other side and OpenSSL's defaults would not, and what it says to a hello that is not as it should
 * be. */
#include "peer/handshake.h"

#include "peer/record.h"
#include "tests/check_rows.h"

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

/* A server's first flight of TLS 1.2 in answer to the client that begins. */
static void flight_make(struct handshake *client, const struct context *server, struct buf *flight)
{
	struct handshake h;
	struct buf hello = { 0 };

	handshake_feed(client, (struct bytes){ 0 }, &hello);
	start(&h, server);
	handshake_feed(&h, buf_bytes(&hello), flight);
	ck_assert_msg(!h.failed, "%s", h.error);
	handshake_free(&h);
	buf_free(&hello);
}

static void shorten(uint8_t *length, size_t n)
{
	unsigned v = be16(length) - (unsigned)n;

	length[0] = (uint8_t)(v >> 8);
	length[1] = (uint8_t)v;
}

/* Takes the empty renegotiation_info (RFC 5746 3.2) out of the ServerHello that the flight begins with. The lengths that shrink are those
 * of the record, of the message, and of the extensions, which stand behind version, random, session id, suite and compression. */
static void renegotiation_info_drop(struct buf *flight)
{
	static const uint8_t extension[] = { 0xff, 0x01, 0, 1, 0 };
	size_t session = 5 + 4 + 2 + 32, extensions = session + 1 + flight->p[session] + 2 + 1;
	uint8_t *at = memmem(flight->p + extensions, flight->n - extensions, extension, sizeof(extension));

	ck_assert_ptr_nonnull(at);
	shorten(flight->p + 3, sizeof(extension));
	shorten(flight->p + 7, sizeof(extension));
	shorten(flight->p + extensions, sizeof(extension));
	memmove(at, at + sizeof(extension), (size_t)(flight->p + flight->n - at) - sizeof(extension));
	flight->n -= sizeof(extension);
}

/* The signature in the ServerKeyExchange is over the randoms and the parameters alone, so the client finds nothing wrong and goes on. */
START_TEST(server_without_renegotiation_info)
{
	struct context client, server;
	struct handshake h;
	struct buf flight = { 0 }, out = { 0 };
	struct bytes rest;
	struct record rec;

	context_of(&client, false, TLS12);
	context_of(&server, true, TLS12);
	start(&h, &client);
	flight_make(&h, &server, &flight);
	renegotiation_info_drop(&flight);
	for (rest = buf_bytes(&flight); record_take(&rest, &rec) == TAKEN; )
		handshake_feed(&h, rec.whole, &out);
	ck_assert_msg(!h.failed, "%s", h.error);
	rest = buf_bytes(&out);
	ck_assert(record_take(&rest, &rec) == TAKEN);
	ck_assert(rec.type == TYPE_HANDSHAKE && rec.body.p[0] == HS_CLIENT_KEY_EXCHANGE);
	handshake_free(&h);
	context_free(&client);
	context_free(&server);
	buf_free(&flight);
	buf_free(&out);
}
END_TEST

enum { VERSION_AT = RECORD_HEAD + 4 };          /* of legacy_version in a ClientHello: behind the heads of record and message */

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

ROWS_MAIN("handshake", { server_without_renegotiation_info, 1 }, { hello_version, 2 * countof(rows) })
