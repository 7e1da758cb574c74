/* cert: the certificates of both ends, made in memory at start. */
#include "peer/cert.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static bool add_extension(X509 *x, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;
	bool ok;

	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = e && X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
	return ok;
}

static bool self_sign(struct cert *c)
{
	X509_NAME *name;

	c->x509 = X509_new();
	if (!c->x509)
		return false;
	name = X509_get_subject_name(c->x509);
	return X509_set_version(c->x509, 2) &&
	       ASN1_INTEGER_set(X509_get_serialNumber(c->x509), 1) &&
	       /* Whatever the clock says, and however it jumps. */
	       ASN1_TIME_set_string_X509(X509_getm_notBefore(c->x509), "19700101000000Z") &&
	       ASN1_TIME_set_string_X509(X509_getm_notAfter(c->x509), "20991231235959Z") &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"localhost", -1, -1, 0) &&
	       X509_set_issuer_name(c->x509, name) &&
	       X509_set_pubkey(c->x509, c->key) &&
	       add_extension(c->x509, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1") &&
	       add_extension(c->x509, NID_basic_constraints, "critical,CA:TRUE") &&
	       X509_sign(c->x509, c->key, EVP_sha256());
}

static bool finish(struct cert *c, struct fault *f)
{
	if (c->key && self_sign(c))
		return true;
	cert_free(c);
	return fault_machine(f, "no certificate: %s", ERR_reason_error_string(ERR_peek_last_error()));
}

bool cert_make_ecdsa(struct cert *c, struct fault *f)
{
	*c = (struct cert){ .key = EVP_EC_gen("P-256") };
	return finish(c, f);
}

bool cert_make_rsa(struct cert *c, struct fault *f)
{
	*c = (struct cert){ .key = EVP_RSA_gen(2048) };
	return finish(c, f);
}

void cert_free(struct cert *c)
{
	EVP_PKEY_free(c->key);
	X509_free(c->x509);
	*c = (struct cert){ 0 };
}

int cert_memfd(const struct cert *c, char path[32], struct fault *f)
{
	BIO *mem = BIO_new(BIO_s_mem());
	char *text = NULL;
	long n = 0;
	int fd = -1;

	if (mem && PEM_write_bio_X509(mem, c->x509) &&
	    PEM_write_bio_PrivateKey(mem, c->key, NULL, NULL, 0, NULL, NULL))
		n = BIO_get_mem_data(mem, &text);
	if (n > 0)
		fd = memfd_create("closedrill-cert", MFD_ALLOW_SEALING);        /* not close-on-exec: adapters open it by its path */
	/* All that are started share it: what one of them wrote there, the next would present. */
	if (fd >= 0 && (write(fd, text, (size_t)n) != n ||
	                fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)) {
		close(fd);
		fd = -1;
	}
	BIO_free(mem);
	if (fd < 0)
		fault_machine(f, "no memory file for the certificate:");
	else
		snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}
