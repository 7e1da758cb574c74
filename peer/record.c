/* record: cutting TLS records out of a byte stream, and the names of what they carry. */
#include "peer/record.h"

#include <assert.h>

struct name { uint8_t code; const char *name; };

/* Without the _RESERVED that later standards append: a case may send any of them. */
static const struct name alerts[] = {
	{ 0, "close_notify" },
	{ 10, "unexpected_message" },
	{ 20, "bad_record_mac" },
	{ 21, "decryption_failed" },                    /* RFC 2246 */
	{ 22, "record_overflow" },
	{ 30, "decompression_failure" },                /* RFC 5246 */
	{ 40, "handshake_failure" },
	{ 41, "no_certificate" },                       /* SSL 3.0 */
	{ 42, "bad_certificate" },
	{ 43, "unsupported_certificate" },
	{ 44, "certificate_revoked" },
	{ 45, "certificate_expired" },
	{ 46, "certificate_unknown" },
	{ 47, "illegal_parameter" },
	{ 48, "unknown_ca" },
	{ 49, "access_denied" },
	{ 50, "decode_error" },
	{ 51, "decrypt_error" },
	{ 52, "too_many_cids_requested" },              /* RFC 9147 */
	{ 60, "export_restriction" },                   /* RFC 2246 */
	{ 70, "protocol_version" },
	{ 71, "insufficient_security" },
	{ 80, "internal_error" },
	{ 86, "inappropriate_fallback" },               /* RFC 7507 */
	{ 90, "user_canceled" },
	{ 100, "no_renegotiation" },                    /* RFC 5246 */
	{ 109, "missing_extension" },
	{ 110, "unsupported_extension" },
	{ 111, "certificate_unobtainable" },            /* RFC 6066 */
	{ 112, "unrecognized_name" },
	{ 113, "bad_certificate_status_response" },
	{ 114, "bad_certificate_hash_value" },          /* RFC 6066 */
	{ 115, "unknown_psk_identity" },
	{ 116, "certificate_required" },
	{ 117, "general_error" },                       /* RFC 9846 */
	{ 120, "no_application_protocol" },             /* RFC 7301 */
	{ 121, "ech_required" },                        /* RFC 9849 */
};

static const struct name handshakes[] = {
	{ HS_HELLO_REQUEST, "hello_request" },
	{ HS_CLIENT_HELLO, "client_hello" },
	{ HS_SERVER_HELLO, "server_hello" },
	{ 3, "hello_verify_request" },                  /* DTLS 1.2 */
	{ HS_NEW_SESSION_TICKET, "new_session_ticket" },
	{ HS_END_OF_EARLY_DATA, "end_of_early_data" },
	{ 6, "hello_retry_request" },                   /* drafts of 1.3; in the RFC it is a server_hello */
	{ HS_ENCRYPTED_EXTENSIONS, "encrypted_extensions" },
	{ HS_CERTIFICATE, "certificate" },
	{ HS_SERVER_KEY_EXCHANGE, "server_key_exchange" },
	{ HS_CERTIFICATE_REQUEST, "certificate_request" },
	{ HS_SERVER_HELLO_DONE, "server_hello_done" },
	{ HS_CERTIFICATE_VERIFY, "certificate_verify" },
	{ HS_CLIENT_KEY_EXCHANGE, "client_key_exchange" },
	{ HS_FINISHED, "finished" },
	{ 21, "certificate_url" },                      /* RFC 6066 */
	{ HS_CERTIFICATE_STATUS, "certificate_status" },
	{ 23, "supplemental_data" },                    /* RFC 4680 */
	{ HS_KEY_UPDATE, "key_update" },
	{ 25, "compressed_certificate" },               /* RFC 8879 */
	{ 254, "message_hash" },
};

static const struct name contents[] = {
	{ TYPE_CCS, "change_cipher_spec" },
	{ TYPE_ALERT, "alert" },
	{ TYPE_HANDSHAKE, "handshake" },
	{ TYPE_DATA, "application_data" },
	{ 24, "heartbeat" },                            /* RFC 6520 */
};

static const char *name_of(const struct name *names, size_t n, unsigned code)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].code == code)
			return names[i].name;
	return NULL;
}

/* Decimal digits up to 255, or -1. */
static int byte_value(struct bytes digits)
{
	int v = 0;

	if (digits.n == 0)
		return -1;
	for (size_t i = 0; i < digits.n; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return -1;
		v = v * 10 + (digits.p[i] - '0');
		if (v > 255)
			return -1;
	}
	return v;
}

static int code_of(const struct name *names, size_t n, struct bytes name)
{
	for (size_t i = 0; i < n; i++)
		if (bytes_is(name, names[i].name))
			return names[i].code;
	return byte_value(name);
}

const char *alert_name(unsigned code)
{
	return name_of(alerts, countof(alerts), code);
}

int alert_code(struct bytes name)
{
	return code_of(alerts, countof(alerts), name);
}

const char *handshake_name(unsigned type)
{
	return name_of(handshakes, countof(handshakes), type);
}

int handshake_code(struct bytes name)
{
	return code_of(handshakes, countof(handshakes), name);
}

const char *content_name(unsigned type)
{
	return name_of(contents, countof(contents), type);
}

int content_code(struct bytes name)
{
	return code_of(contents, countof(contents), name);
}

enum taken record_take(struct bytes *in, struct record *rec)
{
	struct bytes rest = *in, head;
	struct record r;

	if (!bytes_take(&rest, RECORD_HEAD, &head))
		return TAKEN_PART;
	r.type = head.p[0];
	r.version = be16(head.p + 1);
	/* An unknown type is still a record: whether it may be there is for the reader of records to say. */
	if (r.version >> 8 != 3 || be16(head.p + 3) > RECORD_MAX)
		return TAKEN_JUNK;
	if (!bytes_take(&rest, be16(head.p + 3), &r.body))
		return TAKEN_PART;
	r.whole = (struct bytes){ head.p, head.n + r.body.n };
	*rec = r;
	*in = rest;
	return TAKEN;
}

bool message_take(struct bytes *in, uint8_t *type, struct bytes *body)
{
	struct bytes rest = *in;
	uint32_t len;

	if (!bytes_u8(&rest, type) || !bytes_u24(&rest, &len) || !bytes_take(&rest, len, body))
		return false;
	*in = rest;
	return true;
}

void record_head(struct buf *out, unsigned type, unsigned version, size_t len)
{
	assert(len <= 0xffff);
	buf_u8(out, type);
	buf_u16(out, version);
	buf_u16(out, (unsigned)len);
}
