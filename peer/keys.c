/* keys: the key schedule after the handshake and the protection of records, TLS 1.2 and 1.3. */
#include "peer/keys.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

enum { NONCE = 12, TAG = 16, EXPLICIT = 8, FIXED_IV = 4, RANDOM = 32, LENGTH_MAX = 0xffff };

static const struct suite suites[] = {
	{ 0x1301, TLS13, "TLS_AES_128_GCM_SHA256", "AES-128-GCM", "SHA256", 16, 32, false },
	{ 0x1302, TLS13, "TLS_AES_256_GCM_SHA384", "AES-256-GCM", "SHA384", 32, 48, false },
	{ 0x1303, TLS13, "TLS_CHACHA20_POLY1305_SHA256", "ChaCha20-Poly1305", "SHA256", 32, 32, false },
	{ 0xc02b, TLS12, "ECDHE-ECDSA-AES128-GCM-SHA256", "AES-128-GCM", "SHA256", 16, 32, true },
	{ 0xc02c, TLS12, "ECDHE-ECDSA-AES256-GCM-SHA384", "AES-256-GCM", "SHA384", 32, 48, true },
	{ 0xc02f, TLS12, "ECDHE-RSA-AES128-GCM-SHA256", "AES-128-GCM", "SHA256", 16, 32, true },
	{ 0xc030, TLS12, "ECDHE-RSA-AES256-GCM-SHA384", "AES-256-GCM", "SHA384", 32, 48, true },
	{ 0xcca8, TLS12, "ECDHE-RSA-CHACHA20-POLY1305", "ChaCha20-Poly1305", "SHA256", 32, 32, false },
	{ 0xcca9, TLS12, "ECDHE-ECDSA-CHACHA20-POLY1305", "ChaCha20-Poly1305", "SHA256", 32, 32, false },
};

const struct suite *suite_find(uint16_t id)
{
	for (size_t i = 0; i < countof(suites); i++)
		if (suites[i].id == id)
			return &suites[i];
	return NULL;
}

/* Fetching goes through OpenSSL's name tables and locks, so each algorithm is fetched once. One thread only. */
static const EVP_CIPHER *cipher_of(const struct suite *suite)
{
	static EVP_CIPHER *fetched[countof(suites)];
	size_t i = (size_t)(suite - suites);

	assert(i < countof(suites));
	if (!fetched[i])
		fetched[i] = EVP_CIPHER_fetch(NULL, suite->cipher, NULL);
	return fetched[i];
}

static bool derive(EVP_KDF **kdf, const char *name, const OSSL_PARAM params[], uint8_t *out, size_t n)
{
	EVP_KDF_CTX *ctx;
	bool ok;

	if (!*kdf)
		*kdf = EVP_KDF_fetch(NULL, name, NULL);         /* once, like the ciphers */
	ctx = EVP_KDF_CTX_new(*kdf);
	ok = ctx && EVP_KDF_derive(ctx, out, n, params) > 0;
	EVP_KDF_CTX_free(ctx);
	return ok;
}

/* OSSL_PARAM has no const, though nothing here is written to. */
static OSSL_PARAM octets(const char *key, struct bytes x)
{
	return OSSL_PARAM_construct_octet_string(key, (void *)x.p, x.n);
}

static OSSL_PARAM text(const char *key, const char *s)
{
	return OSSL_PARAM_construct_utf8_string(key, (char *)s, 0);
}

/* One byte of length, then the bytes. Returns what it wrote. */
static size_t put_vector(uint8_t *at, struct bytes x)
{
	assert(x.n <= 255);
	at[0] = (uint8_t)x.n;
	if (x.n > 0)
		memcpy(at + 1, x.p, x.n);
	return 1 + x.n;
}

/* HMAC with this hash, its context made once: the KDFs fetch a hash by name for each call, which costs ten times what they compute. */
static EVP_MAC_CTX *hmac_of(const char *hash)
{
	static struct { const char *hash; EVP_MAC_CTX *ctx; } made[4];
	size_t i = 0;

	while (i < countof(made) && made[i].ctx && strcmp(made[i].hash, hash) != 0)
		i++;
	assert(i < countof(made));
	if (!made[i].ctx) {
		EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
		OSSL_PARAM params[] = { text(OSSL_MAC_PARAM_DIGEST, hash), OSSL_PARAM_construct_end() };

		made[i].hash = hash;
		made[i].ctx = EVP_MAC_CTX_new(mac);
		EVP_MAC_free(mac);
		if (made[i].ctx && !EVP_MAC_CTX_set_params(made[i].ctx, params)) {
			EVP_MAC_CTX_free(made[i].ctx);
			made[i].ctx = NULL;
		}
	}
	return made[i].ctx;
}

/* RFC 5869 2.3. */
static bool hkdf_expand(const char *hash, struct bytes secret, struct bytes info, uint8_t *out, size_t n)
{
	EVP_MAC_CTX *ctx = hmac_of(hash);
	uint8_t block[EVP_MAX_MD_SIZE];
	size_t had = 0;

	for (uint8_t i = 1; n > 0; i++) {
		size_t take;

		if (!ctx || !EVP_MAC_init(ctx, secret.p, secret.n, NULL) || !EVP_MAC_update(ctx, block, had) ||
		    !EVP_MAC_update(ctx, info.p, info.n) || !EVP_MAC_update(ctx, &i, 1) || !EVP_MAC_final(ctx, block, &had, sizeof(block)))
			return false;
		take = n < had ? n : had;
		memcpy(out, block, take);
		out += take;
		n -= take;
	}
	return true;
}

bool hkdf_expand_label(const char *hash, struct bytes secret, const char *label, struct bytes context,
                       uint8_t *out, size_t n)
{
	uint8_t info[2 + 2 * 256];
	char full[256];
	size_t len = 2;

	assert(strlen("tls13 ") + strlen(label) <= 255 && n <= LENGTH_MAX);
	snprintf(full, sizeof(full), "tls13 %s", label);
	info[0] = (uint8_t)(n >> 8);
	info[1] = (uint8_t)n;
	len += put_vector(info + len, bytes_of(full));
	len += put_vector(info + len, context);

	return hkdf_expand(hash, secret, (struct bytes){ info, len }, out, n);
}

bool prf12(const char *hash, struct bytes secret, const char *label, struct bytes seed, uint8_t *out, size_t n)
{
	static EVP_KDF *prf;

	return derive(&prf, "TLS1-PRF", (OSSL_PARAM[]){
		text(OSSL_KDF_PARAM_DIGEST, hash),
		octets(OSSL_KDF_PARAM_SECRET, secret),
		octets(OSSL_KDF_PARAM_SEED, bytes_of(label)),   /* OpenSSL joins the seeds in this order */
		octets(OSSL_KDF_PARAM_SEED, seed),
		OSSL_PARAM_construct_end(),
	}, out, n);
}

bool keys_from_secret(struct keys *k, const struct suite *suite, struct bytes traffic_secret)
{
	struct keys fresh = { .suite = suite };
	struct bytes none = { 0 };

	assert(suite->version == TLS13);
	if (traffic_secret.n != suite->hash_len)
		return false;
	memcpy(fresh.secret.p, traffic_secret.p, traffic_secret.n);     /* a copy first: it may lie in *k */
	fresh.secret.n = traffic_secret.n;
	if (!hkdf_expand_label(suite->hash, traffic_secret, "key", none, fresh.key, suite->key_len) ||
	    !hkdf_expand_label(suite->hash, traffic_secret, "iv", none, fresh.iv, sizeof(fresh.iv)))
		return false;
	keys_free(k);
	*k = fresh;
	return true;
}

bool keys_next(struct keys *k)
{
	uint8_t next[sizeof(k->secret.p)];
	struct bytes now = { k->secret.p, k->secret.n };

	assert(k->suite);
	return hkdf_expand_label(k->suite->hash, now, "traffic upd", (struct bytes){ 0 }, next, now.n) &&
	       keys_from_secret(k, k->suite, (struct bytes){ next, now.n });
}

/* The key block, in the order of RFC 5246 6.3. An AEAD has no MAC keys. */
static void cut_block(struct bytes block, struct keys *client, struct keys *server, size_t iv_len)
{
	struct { uint8_t *to; size_t n; } parts[] = {
		{ client->key, client->suite->key_len },
		{ server->key, server->suite->key_len },
		{ client->iv, iv_len },
		{ server->iv, iv_len },
	};
	struct bytes part;

	for (size_t i = 0; i < countof(parts); i++)
		if (bytes_take(&block, parts[i].n, &part))
			memcpy(parts[i].to, part.p, part.n);
}

bool keys_from_master(struct keys *client, struct keys *server, const struct suite *suite,
                      struct bytes master, struct bytes client_random, struct bytes server_random)
{
	struct keys c = { .suite = suite }, s = { .suite = suite };
	size_t iv_len = suite->explicit_nonce ? FIXED_IV : NONCE;
	uint8_t seed[2 * RANDOM], block[2 * (sizeof(c.key) + sizeof(c.iv))];
	size_t block_len = 2 * (suite->key_len + iv_len);

	assert(suite->version == TLS12 && client_random.n == RANDOM && server_random.n == RANDOM);
	memcpy(seed, server_random.p, RANDOM);          /* the other way round than for the master secret */
	memcpy(seed + RANDOM, client_random.p, RANDOM);
	if (!prf12(suite->hash, master, "key expansion", (struct bytes){ seed, sizeof(seed) }, block, block_len))
		return false;
	cut_block((struct bytes){ block, block_len }, &c, &s, iv_len);
	keys_free(client);
	keys_free(server);
	*client = c;
	*server = s;
	return true;
}

bool keys_copy(struct keys *to, const struct keys *from)
{
	struct keys copy = *from;

	if (to == from)
		return true;
	copy.ctx = NULL;
	keys_free(to);
	*to = copy;
	return true;
}

void keys_free(struct keys *k)
{
	EVP_CIPHER_CTX_free(k->ctx);
	*k = (struct keys){ 0 };
}

static void put_be64(uint8_t *at, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		at[i] = (uint8_t)(v >> (56 - 8 * i));
}

/* The IV xor the sequence number, filled up on the left (RFC 8446 5.3, RFC 7905 2). */
static void xor_nonce(const struct keys *k, uint8_t nonce[NONCE])
{
	uint8_t seq[8];

	put_be64(seq, k->seq);
	memcpy(nonce, k->iv, NONCE);
	for (int i = 0; i < 8; i++)
		nonce[NONCE - 8 + i] ^= seq[i];
}

/* Four bytes of IV and the eight that the record carries (RFC 5288 3). */
static void explicit_nonce(const struct keys *k, const uint8_t carried[EXPLICIT], uint8_t nonce[NONCE])
{
	memcpy(nonce, k->iv, FIXED_IV);
	memcpy(nonce + FIXED_IV, carried, EXPLICIT);
}

/* The key is scheduled once; after that a record sets only its nonce and direction. */
static bool ctx_ready(struct keys *k, const uint8_t nonce[NONCE], int seal)
{
	if (k->ctx)
		return EVP_CipherInit_ex2(k->ctx, NULL, NULL, nonce, seal, NULL) > 0;
	k->ctx = EVP_CIPHER_CTX_new();
	if (k->ctx && EVP_CipherInit_ex2(k->ctx, cipher_of(k->suite), k->key, nonce, seal, NULL) > 0)
		return true;
	EVP_CIPHER_CTX_free(k->ctx);
	k->ctx = NULL;
	return false;
}

/* All but the tag. */
static bool aead(struct keys *k, const uint8_t nonce[NONCE], struct bytes aad, int seal, struct bytes in, uint8_t *out)
{
	int len;

	return ctx_ready(k, nonce, seal) &&
	       EVP_CipherUpdate(k->ctx, NULL, &len, aad.p, (int)aad.n) > 0 &&
	       (in.n == 0 || EVP_CipherUpdate(k->ctx, out, &len, in.p, (int)in.n) > 0);
}

/* n bytes at p become ciphertext where they stand; the tag follows them. */
static bool aead_seal(struct keys *k, const uint8_t nonce[NONCE], struct bytes aad, uint8_t *p, size_t n)
{
	int len;

	return aead(k, nonce, aad, 1, (struct bytes){ p, n }, p) &&
	       EVP_CipherFinal_ex(k->ctx, p + n, &len) > 0 &&
	       EVP_CIPHER_CTX_ctrl(k->ctx, EVP_CTRL_AEAD_GET_TAG, TAG, p + n) > 0;
}

/* Appends to *plain what in, whose last bytes are the tag, protects. False: *plain is as it was. */
static bool aead_open(struct keys *k, const uint8_t nonce[NONCE], struct bytes aad, struct bytes in, struct buf *plain)
{
	struct bytes sealed = { in.p, in.n - TAG };
	uint8_t *out = buf_grow(plain, sealed.n);
	bool ok;
	int len;

	/* A record that does not open is news, not an error: nothing may stay in the queue that SSL_get_error reads. */
	ERR_set_mark();
	ok = aead(k, nonce, aad, 0, sealed, out) &&
	     EVP_CIPHER_CTX_ctrl(k->ctx, EVP_CTRL_AEAD_SET_TAG, TAG, (void *)(in.p + sealed.n)) > 0 &&
	     EVP_CipherFinal_ex(k->ctx, out + sealed.n, &len) > 0;
	ERR_pop_to_mark();
	if (!ok)
		plain->n -= sealed.n;
	return ok;
}

/* RFC 8446 5.2: the type goes inside, and the head is what is authenticated. */
static bool seal13(struct keys *k, unsigned type, struct bytes content, size_t pad, struct buf *out)
{
	size_t inner = content.n + 1 + pad, at = out->n;
	uint8_t nonce[NONCE], *p;

	record_head(out, TYPE_DATA, TLS12, inner + TAG);
	buf_add_bytes(out, content);
	buf_u8(out, type);
	memset(buf_grow(out, pad), 0, pad);
	buf_grow(out, TAG);
	p = out->p + at;
	xor_nonce(k, nonce);
	return aead_seal(k, nonce, (struct bytes){ p, RECORD_HEAD }, p + RECORD_HEAD, inner);
}

/* What TLS 1.2 authenticates: the sequence number, and the head with the length of the content (RFC 5246 6.2.3.3). */
enum { AAD12 = 8 + RECORD_HEAD };

static struct bytes aad12(uint8_t aad[AAD12], uint64_t seq, unsigned type, unsigned version, size_t len)
{
	uint8_t head[] = { (uint8_t)type, (uint8_t)(version >> 8), (uint8_t)version, (uint8_t)(len >> 8), (uint8_t)len };

	put_be64(aad, seq);
	memcpy(aad + 8, head, sizeof(head));
	return (struct bytes){ aad, AAD12 };
}

static bool seal12(struct keys *k, unsigned type, struct bytes content, struct buf *out)
{
	size_t carried = k->suite->explicit_nonce ? EXPLICIT : 0;
	uint8_t nonce[NONCE], seq[8], aad[AAD12], *p;

	put_be64(seq, k->seq);
	if (carried)
		explicit_nonce(k, seq, nonce);
	else
		xor_nonce(k, nonce);
	record_head(out, type, TLS12, carried + content.n + TAG);
	buf_add(out, seq, carried);
	buf_add_bytes(out, content);
	buf_grow(out, TAG);
	p = out->p + out->n - TAG - content.n;
	return aead_seal(k, nonce, aad12(aad, k->seq, type, TLS12, content.n), p, content.n);
}

static bool seal(struct keys *k, unsigned type, struct bytes content, size_t pad, struct buf *out)
{
	if (!k->suite) {
		record_head(out, type, TLS12, content.n);
		buf_add_bytes(out, content);
		return true;
	}
	if (k->suite->version == TLS13)
		return seal13(k, type, content, pad, out);
	return seal12(k, type, content, out);
}

bool keys_seal(struct keys *k, unsigned type, struct bytes content, size_t pad, struct buf *out)
{
	size_t before = out->n;

	/* No more than the length field can say; 32 leaves room for nonce, type and tag. */
	if (content.n > LENGTH_MAX - 32 || pad > LENGTH_MAX - 32 - content.n)
		return false;
	if (!seal(k, type, content, pad, out)) {
		out->n = before;
		return false;
	}
	k->seq++;
	return true;
}

/* The type is the last byte that is not zero (RFC 8446 5.4). */
static void strip(struct buf *plain, size_t from, uint8_t *type)
{
	*type = 0;
	while (plain->n > from && *type == 0)
		*type = plain->p[--plain->n];
}

static bool open13(struct keys *k, const struct record *rec, uint8_t *type, struct buf *plain)
{
	size_t before = plain->n;
	uint8_t nonce[NONCE];

	if (rec->type != TYPE_DATA || rec->body.n < TAG)
		return false;
	xor_nonce(k, nonce);
	if (!aead_open(k, nonce, (struct bytes){ rec->whole.p, RECORD_HEAD }, rec->body, plain))
		return false;
	strip(plain, before, type);
	return true;
}

static bool open12(struct keys *k, const struct record *rec, uint8_t *type, struct buf *plain)
{
	struct bytes rest = rec->body, carried;
	uint8_t nonce[NONCE], aad[AAD12];

	if (rest.n < TAG + (k->suite->explicit_nonce ? EXPLICIT : 0))
		return false;
	if (k->suite->explicit_nonce && bytes_take(&rest, EXPLICIT, &carried))
		explicit_nonce(k, carried.p, nonce);
	else
		xor_nonce(k, nonce);
	if (!aead_open(k, nonce, aad12(aad, k->seq, rec->type, rec->version, rest.n - TAG), rest, plain))
		return false;
	*type = rec->type;
	return true;
}

static bool open_clear(const struct record *rec, uint8_t *type, struct buf *plain)
{
	buf_add_bytes(plain, rec->body);
	*type = rec->type;
	return true;
}

bool keys_open(struct keys *k, const struct record *rec, uint8_t *type, struct buf *plain)
{
	bool ok = !k->suite ? open_clear(rec, type, plain)
	        : k->suite->version == TLS13 ? open13(k, rec, type, plain)
	        : open12(k, rec, type, plain);

	if (ok)
		k->seq++;
	return ok;
}
