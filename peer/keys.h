/* keys: the key schedule after the handshake and the protection of records, TLS 1.2 (RFC 5246, 5288, 7905)
 * and 1.3 (RFC 8446 5.2, 7). Our own sequence numbers and key updates; the primitives are OpenSSL's. */
#ifndef PEER_KEYS_H
#define PEER_KEYS_H

#include <openssl/evp.h>

#include "peer/bytes.h"
#include "peer/record.h"

enum tls_version { TLS12 = 0x0303, TLS13 = 0x0304 };

struct suite {
	uint16_t id;
	enum tls_version version;
	const char *name;                       /* as OpenSSL writes it */
	const char *cipher, *hash;              /* OpenSSL's names: "AES-128-GCM", "SHA256" */
	size_t key_len, hash_len;
	bool explicit_nonce;                    /* 1.2 AES-GCM: eight bytes of the nonce are in the record (RFC 5288 3) */
};

/* NULL when the suite is none of those that we speak. The result is static. */
const struct suite *suite_find(uint16_t id);

struct secret { uint8_t p[64]; size_t n; };

/* One direction's protection. Zero is "none": records leave in the clear. keys_free; safe on zero and safe twice. */
struct keys {
	const struct suite *suite;              /* NULL: none */
	struct secret secret;                   /* 1.3: the traffic secret */
	uint8_t key[32], iv[12];
	uint64_t seq;
	EVP_CIPHER_CTX *ctx;                    /* owned; made at first use */
};

/* HKDF-Expand-Label (RFC 8446 7.1) with an empty or given context; n bytes to out. False only if OpenSSL fails. */
bool hkdf_expand_label(const char *hash, struct bytes secret, const char *label, struct bytes context, uint8_t *out, size_t n);
/* The TLS 1.2 PRF (RFC 5246 5). */
bool prf12(const char *hash, struct bytes secret, const char *label, struct bytes seed, uint8_t *out, size_t n);

/* 1.3: key and iv from a traffic secret (RFC 8446 7.3), sequence number 0. Frees what *k held. */
bool keys_from_secret(struct keys *k, const struct suite *suite, struct bytes traffic_secret);
/* 1.2: both directions from the master secret (RFC 5246 6.3), sequence numbers 0. */
bool keys_from_master(struct keys *client, struct keys *server, const struct suite *suite,
                      struct bytes master, struct bytes client_random, struct bytes server_random);
/* 1.3: the next generation (RFC 8446 7.2), sequence number 0. */
bool keys_next(struct keys *k);
/* A second, independent state with the same secret and sequence number. */
bool keys_copy(struct keys *to, const struct keys *from);
void keys_free(struct keys *k);

/* Appends one whole record to *out and counts the sequence number. With no suite it leaves in the clear.
 * Lengths that a standard forbids are sealed all the same (pad: 1.3 only, zeros behind the type byte). */
bool keys_seal(struct keys *k, unsigned type, struct bytes content, size_t pad, struct buf *out);

/* Opens one record. True: *type is the inner type and its content is appended to *plain; the sequence number is
 * counted. False: it does not open (a wrong tag, too short); nothing is changed. A 1.3 record of zeros only
 * (RFC 8446 5.4) opens with *type 0. With no suite the body is the content. */
bool keys_open(struct keys *k, const struct record *rec, uint8_t *type, struct buf *plain);

#endif
