/* cert: the certificates of both ends, made in memory at start: ECDSA P-256, and RSA-2048 for libraries that need it. */
#ifndef PEER_CERT_H
#define PEER_CERT_H

#include <openssl/x509.h>

#include "peer/bytes.h"
#include "peer/fault.h"

struct cert { EVP_PKEY *key; X509 *x509; };     /* owned: cert_free */

/* A self-signed certificate for localhost and 127.0.0.1, valid from a day ago for ten years. */
bool cert_make_ecdsa(struct cert *c, struct fault *f);
bool cert_make_rsa(struct cert *c, struct fault *f);
void cert_free(struct cert *c);

/* Certificate, then private key, as PEM in a memory file that a child inherits: *path ("/proc/self/fd/N", 32 bytes) opens it
 * there. No file on disk, so nothing is left behind whatever ends us. The descriptor is the caller's to close; -1: *f. */
int cert_memfd(const struct cert *c, char path[32], struct fault *f);

#endif
