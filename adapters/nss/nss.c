/* The adapter for NSS, and the NSPR sockets under it.
 *
 *	handshake       SSL_ForceHandshake
 *	read, write     PR_Recv, PR_Send
 *	shutdown write  PR_Shutdown(PR_SHUTDOWN_SEND): it sends close_notify, and then shuts the socket down
 *	close           PR_Close, which sends close_notify if none is out and all is well, and closes the socket
 *	abandon         PR_Close on a descriptor that was taken away from it before, so that it cannot send
 *	key_update      SSL_KeyUpdate
 *
 * Errors are PR_GetError. A descriptor that would block does not say in which direction: a write waits for room, all else for
 * input. Which alert came is told by SSL_AlertReceivedCallback. Sessions are kept by the library, in its cache, which knows them by
 * address, port and name, and are forgotten by SSL_ClearSessionCache. Memory mode is an I/O layer at the bottom in place of the socket.
 *
 * What the API does not have: a call for the whole exchange (PR_SHUTDOWN_BOTH waits for nothing). What it cannot tell: an end
 * without close_notify, which PR_Recv answers by 0 as it does a proper one. What the adapter does not do: blocking mode, in which
 * NSPR wakes up every five seconds to look again, so that nobody can see that it waits; short writes,
 * after which NSS keeps the rest and tells that to PR_Poll alone. */
#include "adapters/skeleton/skeleton.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cert.h>
#include <nss.h>
#include <nssb64.h>
#include <pk11pub.h>
#include <prerror.h>
#include <prio.h>
#include <prnetdb.h>
#include <private/pprio.h>
#include <ssl.h>
#include <sslerr.h>
#include <sslexp.h>
#include <sslproto.h>

struct tls {
	PRFileDesc *fd;
	int alert;                      /* the last that came */
};

static PRDescIdentity identity;         /* of our layer, which stands for the transport in memory mode */
static PRIOMethods methods;
static CERTCertificate *cert;           /* a server's */
static SECKEYPrivateKey *key;

/* ---- What the library said ---- */

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && !strcmp(name + n - m, end);
}

/* A call that did not succeed; its name and value are noted already. */
static enum outcome failed(struct tls *t, struct call *k, enum outcome wants)
{
	PRErrorCode error = PR_GetError();
	const char *name = PR_ErrorToName(error);

	native(k, "%s", name ? name : "PR_GetError=0");
	switch (error) {
	case PR_WOULD_BLOCK_ERROR:
		return wants;
	case PR_CONNECT_RESET_ERROR:
		return SAYS_RESET;
	case PR_END_OF_FILE_ERROR:
		return SAYS_TRUNCATED;
	case PR_SOCKET_SHUTDOWN_ERROR:
		return SAYS_REFUSED;
	default:
		if (!name || !ends_with(name, "_ALERT"))
			return SAYS_ERROR;
		k->alert = t->alert;
		return SAYS_ALERT;
	}
}

static void alert_note(const PRFileDesc *fd, void *t, const SSLAlert *alert)
{
	(void)fd;
	((struct tls *)t)->alert = alert->description;
}

/* ---- Calls ---- */

static enum outcome handshake_call(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;
	SSLChannelInfo info;
	SECStatus ret = SSL_ForceHandshake(t->fd);

	native(k, "SSL_ForceHandshake=%d", (int)ret);
	if (ret != SECSuccess)
		return failed(t, k, SAYS_WANT_READ);
	return SSL_GetChannelInfo(t->fd, &info, sizeof(info)) == SECSuccess && info.resumed ? SAYS_RESUMED : SAYS_OK;
}

static enum outcome read_call(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;
	PRInt32 ret = PR_Recv(t->fd, k->data, (PRInt32)k->n, 0, PR_INTERVAL_NO_TIMEOUT);

	native(k, "PR_Recv=%d", (int)ret);
	if (ret < 0)
		return failed(t, k, SAYS_WANT_READ);
	k->done = (size_t)ret;
	return ret ? SAYS_DATA : SAYS_CLOSED;           /* without close_notify it is 0 as well */
}

static enum outcome write_call(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;
	PRInt32 ret = PR_Send(t->fd, k->data, (PRInt32)k->n, 0, PR_INTERVAL_NO_TIMEOUT);

	native(k, "PR_Send=%lld", ret < 0 ? (long long)ret : (long long)(k->taken + (size_t)ret));
	if (ret < 0)
		return failed(t, k, SAYS_WANT_WRITE);
	k->done = (size_t)ret;
	return SAYS_OK;
}

static enum outcome shutdown_write_call(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;
	PRStatus ret = PR_Shutdown(t->fd, PR_SHUTDOWN_SEND);

	native(k, "PR_Shutdown=%d", (int)ret);
	return ret == PR_SUCCESS ? SAYS_SENT : failed(t, k, SAYS_WANT_WRITE);
}

static enum outcome close_call(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;
	PRStatus ret = PR_Close(t->fd);

	t->fd = NULL;
	if (c->io != IO_MEMORY)
		c->fd = -1;
	native(k, "PR_Close=%d", (int)ret);
	return ret == PR_SUCCESS ? SAYS_OK : failed(t, k, SAYS_ERROR);
}

static enum outcome key_update_call(struct conn *c, struct call *k)
{
	struct tls *t = c->tls;
	SECStatus ret = SSL_KeyUpdate(t->fd, k->requested);

	native(k, "SSL_KeyUpdate=%d", (int)ret);
	return ret == SECSuccess ? SAYS_OK : failed(t, k, SAYS_WANT_WRITE);
}

/* ---- Memory mode: the layer at the bottom ---- */

static PRInt32 layer_recv(PRFileDesc *fd, void *p, PRInt32 n, PRIntn flags, PRIntervalTime timeout)
{
	ssize_t got = memory_recv((struct conn *)fd->secret, p, (size_t)n);

	(void)flags, (void)timeout;
	if (got < 0)
		PR_SetError(PR_WOULD_BLOCK_ERROR, 0);
	return (PRInt32)got;
}

static PRInt32 layer_send(PRFileDesc *fd, const void *p, PRInt32 n, PRIntn flags, PRIntervalTime timeout)
{
	(void)flags, (void)timeout;
	if (fd->secret)
		return (PRInt32)memory_send((struct conn *)fd->secret, p, (size_t)n);
	PR_SetError(PR_CONNECT_RESET_ERROR, 0);
	return -1;
}

static PRStatus layer_shutdown(PRFileDesc *fd, PRIntn how)
{
	(void)fd, (void)how;
	return PR_SUCCESS;
}

static PRStatus layer_close(PRFileDesc *fd)
{
	fd->secret = NULL;
	fd->dtor(fd);
	return PR_SUCCESS;
}

static PRStatus layer_getpeername(PRFileDesc *fd, PRNetAddr *addr)
{
	(void)fd;
	memset(addr, 0, sizeof(*addr));
	return PR_InitializeNetAddr(PR_IpAddrLoopback, 443, addr);
}

static PRStatus layer_getsocketoption(PRFileDesc *fd, PRSocketOptionData *data)
{
	(void)fd;
	if (data->option != PR_SockOpt_Nonblocking) {
		PR_SetError(PR_INVALID_METHOD_ERROR, 0);
		return PR_FAILURE;
	}
	data->value.non_blocking = PR_TRUE;
	return PR_SUCCESS;
}

static PRStatus layer_setsocketoption(PRFileDesc *fd, const PRSocketOptionData *data)
{
	(void)fd, (void)data;
	return PR_SUCCESS;
}

static void layer_set_up(void)
{
	identity = PR_GetUniqueIdentity("closedrill");
	methods = *PR_GetDefaultIOMethods();
	methods.recv = layer_recv;
	methods.send = layer_send;
	methods.shutdown = layer_shutdown;
	methods.close = layer_close;
	methods.getpeername = layer_getpeername;
	methods.getsocketoption = layer_getsocketoption;
	methods.setsocketoption = layer_setsocketoption;
}

static bool holds(struct conn *c)
{
	return c->io == IO_MEMORY && c->in.n;
}

/* ---- Set up and down ---- */

static PRFileDesc *transport_new(struct conn *c)
{
	PRSocketOptionData nonblocking = { .option = PR_SockOpt_Nonblocking, .value.non_blocking = c->io == IO_NONBLOCKING };
	PRFileDesc *fd = c->io == IO_MEMORY ? PR_CreateIOLayerStub(identity, &methods) : PR_ImportTCPSocket(c->fd);

	if (fd && c->io == IO_MEMORY)
		fd->secret = (void *)c;
	else if (fd)
		PR_SetSocketOption(fd, &nonblocking);
	return fd;
}

/* The layer at the bottom loses its way to the peer first. */
static void abandon_call(struct conn *c)
{
	struct tls *t = c->tls;
	PRFileDesc *bottom = t->fd ? PR_GetIdentitiesLayer(t->fd, c->io == IO_MEMORY ? identity : PR_NSPR_IO_LAYER) : NULL;

	if (bottom && c->io == IO_MEMORY)
		bottom->secret = NULL;
	else if (bottom)
		PR_ChangeFileDescNativeHandle(bottom, -1);
	if (t->fd)
		PR_Close(t->fd);
	free(t);
}

static SECStatus trust(void *arg, PRFileDesc *fd, PRBool check, PRBool server)
{
	(void)arg, (void)fd, (void)check, (void)server;
	return SECSuccess;
}

/* CLOSEDRILL_CERT: the certificate, then its key in PKCS #8. */
static bool cert_load(void)
{
	static const char begin[] = "-----BEGIN PRIVATE KEY-----", end[] = "-----END PRIVATE KEY-----";
	static char pem[16384];
	const char *file = getenv("CLOSEDRILL_CERT");
	int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n = fd >= 0 ? read(fd, pem, sizeof(pem) - 1) : -1;
	char *from = strstr(pem, begin), *to = strstr(pem, end);
	SECItem *der, name = { siBuffer, NULL, 0 };
	PK11SlotInfo *slot = PK11_GetInternalSlot();

	if (fd >= 0)
		close(fd);
	if (n <= 0 || !from || !to || !slot)
		return false;
	cert = CERT_DecodeCertFromPackage(pem, (int)(from - pem));
	from += sizeof(begin) - 1;
	der = NSSBase64_DecodeBuffer(NULL, NULL, from, (unsigned)(to - from));
	if (cert && der)
		PK11_ImportDERPrivateKeyInfoAndReturnKey(slot, der, &name, &name, PR_FALSE, PR_FALSE, KU_ALL, &key, NULL);
	SECITEM_FreeItem(der, PR_TRUE);
	PK11_FreeSlot(slot);
	return cert && key;
}

static SECStatus server_set(PRFileDesc *fd)
{
	if (!key && (!cert_load() || SSL_ConfigServerSessionIDCache(0, 0, 0, NULL) != SECSuccess))
		return SECFailure;
	return SSL_ConfigServerCert(fd, cert, key, NULL, 0);
}

/* A client that does not resume starts afresh: no session of an earlier run is offered later. */
static SECStatus client_set(struct conn *c, PRFileDesc *fd)
{
	if (!c->resume)
		SSL_ClearSessionCache();
	SSL_AuthCertificateHook(fd, trust, NULL);
	return SSL_SetURL(fd, "localhost");
}

static enum outcome open_call(struct conn *c, struct call *k)
{
	PRUint16 version = c->version == 13 ? SSL_LIBRARY_VERSION_TLS_1_3 : SSL_LIBRARY_VERSION_TLS_1_2;
	SSLVersionRange range = { version, version };
	struct tls *t = calloc(1, sizeof(*t));
	PRFileDesc *tcp = t ? transport_new(c) : NULL, *ssl = tcp ? SSL_ImportFD(NULL, tcp) : NULL;

	if (ssl)
		t->fd = ssl;
	c->tls = t;
	if (ssl && SSL_VersionRangeSet(ssl, &range) == SECSuccess && SSL_OptionSet(ssl, SSL_ENABLE_SESSION_TICKETS, PR_TRUE) == SECSuccess
	    && (c->server ? server_set(ssl) : client_set(c, ssl)) == SECSuccess && SSL_ResetHandshake(ssl, c->server) == SECSuccess) {
		SSL_AlertReceivedCallback(ssl, alert_note, t);
		return SAYS_OK;
	}
	native(k, "%s", PR_ErrorToName(PR_GetError()) ?: "PR_GetError=0");
	if (t)
		abandon_call(c);
	c->tls = NULL;
	return SAYS_ERROR;
}

static void library_name(char *name, size_t cap)
{
	snprintf(name, cap, "NSS %s", NSS_GetVersion());
}

static const char *const can[] = {
	"client server tls1.2 tls1.3 nonblocking memory",
	"shutdown-write close abandon plain resumption key-update renew siblings",
	NULL
};

static const struct adapter adapter = {
	.api = "nss",
	.can = can,
	.library = library_name,
	.open = open_call,
	.handshake = handshake_call,
	.read = read_call,
	.write = write_call,
	.shutdown_write = shutdown_write_call,
	.key_update = key_update_call,
	.close = close_call,
	.abandon = abandon_call,
	.holds = holds,
};

int main(void)
{
	if (NSS_NoDB_Init(NULL) != SECSuccess)
		return 1;
	layer_set_up();
	return skeleton_run(&adapter);
}
