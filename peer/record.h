/* record: cutting TLS records out of a byte stream. Does no I/O and keeps no
 * state; whatever it returns points into the caller's buffer. */
#ifndef PEER_RECORD_H
#define PEER_RECORD_H

#include "peer/bytes.h"

enum {
	RECORD_HEAD = 5,
	RECORD_PLAIN_MAX = 16384,               /* RFC 8446 5.1 */
	RECORD_MAX = 16384 + 2048               /* RFC 5246 6.2.3; 8446 allows less */
};
enum content_type { TYPE_CCS = 20, TYPE_ALERT = 21, TYPE_HANDSHAKE = 22, TYPE_DATA = 23 };
enum alert_level { ALERT_WARNING = 1, ALERT_FATAL = 2 };
enum alert_code { ALERT_CLOSE_NOTIFY = 0, ALERT_USER_CANCELED = 90 };

enum handshake_type {
	HS_HELLO_REQUEST = 0, HS_CLIENT_HELLO = 1, HS_SERVER_HELLO = 2, HS_NEW_SESSION_TICKET = 4,
	HS_END_OF_EARLY_DATA = 5, HS_ENCRYPTED_EXTENSIONS = 8, HS_CERTIFICATE = 11, HS_SERVER_KEY_EXCHANGE = 12,
	HS_CERTIFICATE_REQUEST = 13, HS_SERVER_HELLO_DONE = 14, HS_CERTIFICATE_VERIFY = 15,
	HS_CLIENT_KEY_EXCHANGE = 16, HS_FINISHED = 20, HS_CERTIFICATE_STATUS = 22, HS_KEY_UPDATE = 24
};

struct record {
	uint8_t type;
	uint16_t version;
	struct bytes body;                      /* without the head */
	struct bytes whole;                     /* head and body */
};
enum taken { TAKEN, TAKEN_PART, TAKEN_JUNK };

/* Takes one record off the front of *in. Unless TAKEN, *in is as it was: on
 * TAKEN_PART append more bytes and ask again; TAKEN_JUNK can be no record. */
enum taken record_take(struct bytes *in, struct record *rec);

/* The same for a handshake message in what records carried (RFC 8446 4): its type, and its body. False: it is not complete. */
bool message_take(struct bytes *in, uint8_t *type, struct bytes *body);

/* Appends the five bytes that open a record. */
void record_head(struct buf *out, unsigned type, unsigned version, size_t len);

/* Names as the standards write them (RFC 8446 6, IANA): "close_notify". NULL when the number has none. */
const char *alert_name(unsigned code);
/* The number for a name or for decimal digits up to 255; -1 for neither. */
int alert_code(struct bytes name);
const char *handshake_name(unsigned type);      /* "server_hello"; NULL when unknown */
int handshake_code(struct bytes name);
const char *content_name(unsigned type);        /* "alert" */
int content_code(struct bytes name);

#endif
