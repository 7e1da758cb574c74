/* The adapter for Qt's QSslSocket, of Qt 5.15 or Qt 6, over OpenSSL. Blocking mode has its functions that begin with waitFor; in
 * non-blocking mode QCoreApplication::processEvents takes the place of poll(2).
 *
 *	handshake       startClientEncryption or startServerEncryption; waitForEncrypted, and what `write` does at its end
 *	read            read, when there are bytes; else waitForReadyRead
 *	write           write; flush, waitForBytesWritten, until bytesToWrite and encryptedBytesToWrite are 0
 *	close           disconnectFromHost, which sends close_notify, waits for what is to be written and for nothing else, and closes the
 *	                descriptor; waitForDisconnected
 *	abandon         abort, which sends nothing
 *
 * The native part is the call's value, or the SocketError of errorOccurred and its text; the last one is told again. The end of the
 * stream, of the transport and a reset are one value, RemoteHostClosedError: all are `closed`. The socket closes itself behind each
 * of them. The peer's alert is in the text alone. What the API does not have: closing in one direction only, the whole exchange, key
 * updates, memory mode, a descriptor that outlives the connection; it does not tell that a session was resumed. What the
 * adapter does not do: resumption (QSslConfiguration::setSessionTicket). */
#include "adapters/skeleton/skeleton.h"

#include <cstdio>
#include <cstdlib>
#include <memory>

#include <unistd.h>

#include <QtCore/QCoreApplication>
#include <QtCore/QFile>
#include <QtCore/QMetaEnum>
#include <QtCore/QSocketNotifier>
#include <QtNetwork/QSslCertificate>
#include <QtNetwork/QSslConfiguration>
#include <QtNetwork/QSslKey>
#include <QtNetwork/QSslSocket>

namespace {

struct Tls {
	QSslSocket socket;
	bool failed = false;
	QAbstractSocket::SocketError error = QAbstractSocket::UnknownSocketError;
	QByteArray text;

	Tls()
	{
		QObject::connect(&socket, &QAbstractSocket::errorOccurred, [this](QAbstractSocket::SocketError e) {
			failed = true;
			error = e;
			text = socket.errorString().toUtf8();
		});
	}
};

Tls *tls(const struct conn *c)
{
	return static_cast<Tls *>(c->tls);
}

/* ---- What the library said ---- */

/* Has it ended? SAYS_OK if not. */
enum outcome ended(const Tls *t, struct call *k)
{
	const char *name = QMetaEnum::fromType<QAbstractSocket::SocketError>().valueToKey(t->error);

	if (t->failed) {
		native(k, "%s", name ? name : "SocketError");
		native_text(k, t->text.constData());
		return t->error == QAbstractSocket::RemoteHostClosedError ? SAYS_CLOSED : SAYS_ERROR;
	}
	if (t->socket.state() == QAbstractSocket::ConnectedState)
		return SAYS_OK;
	native(k, "state=%d", t->socket.state());
	return SAYS_REFUSED;
}

/* Non-blocking: what there is to do is done, and it goes on when there is more. Blocking: waits. Then look again. */
template <typename Wait> enum outcome more(struct conn *c, struct call *k, const char *name, enum outcome want, Wait wait)
{
	if (c->io == IO_BLOCKING) {
		wait();
		return SAYS_OK;
	}
	native(k, "%s", name);
	return want;
}

void events_run(const struct conn *c)
{
	if (c->io != IO_BLOCKING)
		QCoreApplication::processEvents();
}

/* Runs the library's loop until something happened or standard input can be read. */
void wait(struct conn *, enum outcome)
{
	QSocketNotifier line(STDIN_FILENO, QSocketNotifier::Read);

	QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
}

/* ---- Calls ---- */

/* Until nothing is left to write, or it has ended. */
enum outcome drain(struct conn *c, struct call *k)
{
	Tls *t = tls(c);
	enum outcome o = SAYS_OK;

	t->socket.flush();
	events_run(c);
	while ((t->socket.bytesToWrite() || t->socket.encryptedBytesToWrite()) && o == SAYS_OK)
		if ((o = ended(t, k)) == SAYS_OK)
			o = more(c, k, "bytesWritten", SAYS_WANT_WRITE, [t] { t->socket.waitForBytesWritten(-1); });
	return o;
}

enum outcome handshake_call(struct conn *c, struct call *k)
{
	Tls *t = tls(c);
	enum outcome o = SAYS_OK;

	if (!k->repeated && c->server)
		t->socket.startServerEncryption();
	else if (!k->repeated)
		t->socket.startClientEncryption();
	events_run(c);
	while (!t->socket.isEncrypted() && o == SAYS_OK)
		if ((o = ended(t, k)) == SAYS_OK)
			o = more(c, k, "encrypted", SAYS_WANT_READ, [t] { t->socket.waitForEncrypted(-1); });
	if (o == SAYS_OK)
		o = drain(c, k);
	if (o == SAYS_OK)
		native(k, "isEncrypted=1");
	return o;
}

enum outcome read_call(struct conn *c, struct call *k)
{
	Tls *t = tls(c);
	enum outcome o = SAYS_OK;
	qint64 n;

	events_run(c);
	while (!t->socket.bytesAvailable() && o == SAYS_OK)
		if ((o = ended(t, k)) == SAYS_OK)
			o = more(c, k, "readyRead", SAYS_WANT_READ, [t] { t->socket.waitForReadyRead(-1); });
	if (o != SAYS_OK)
		return o;
	n = t->socket.read(reinterpret_cast<char *>(k->data), static_cast<qint64>(k->n));
	native(k, "read=%lld", n);
	k->done = n > 0 ? static_cast<size_t>(n) : 0;
	return n > 0 ? SAYS_DATA : SAYS_ERROR;
}

enum outcome write_call(struct conn *c, struct call *k)
{
	Tls *t = tls(c);
	qint64 n = static_cast<qint64>(k->n);

	if (!k->repeated)
		n = t->socket.write(reinterpret_cast<const char *>(k->data), n);
	native(k, "write=%lld", n);
	if (n < 0) {
		enum outcome o = ended(t, k);

		return o == SAYS_CLOSED || o == SAYS_OK ? SAYS_REFUSED : o;
	}
	k->done = k->n;
	return drain(c, k);
}

enum outcome close_call(struct conn *c, struct call *k)
{
	Tls *t = tls(c);
	enum outcome o = SAYS_OK;

	if (!k->repeated)
		t->socket.disconnectFromHost();
	events_run(c);
	while (t->socket.state() != QAbstractSocket::UnconnectedState && o == SAYS_OK)
		o = more(c, k, "disconnected", SAYS_WANT_WRITE, [t] { t->socket.waitForDisconnected(-1); });
	if (o == SAYS_OK)
		native(k, "disconnectFromHost");
	return o;
}

/* ---- Set up and down ---- */

/* The certificate and the key are of the configuration. Nothing is verified, so the trust of the system is not loaded. */
QSslConfiguration configuration(const struct conn *c)
{
	QSslConfiguration conf;

	conf.setProtocol(c->version == 13 ? QSsl::TlsV1_3 : QSsl::TlsV1_2);
	conf.setPeerVerifyMode(QSslSocket::VerifyNone);
	conf.setCaCertificates({});
	if (c->server) {
		QFile file(QString::fromLocal8Bit(qgetenv("CLOSEDRILL_CERT")));
		QByteArray pem = file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();

		conf.setLocalCertificate(QSslCertificate(pem));
		conf.setPrivateKey(QSslKey(pem.mid(pem.indexOf("-----BEGIN PRIVATE KEY")), QSsl::Ec));
	}
	return conf;
}

enum outcome open_call(struct conn *c, struct call *k)
{
	std::unique_ptr<Tls> t(new Tls);
	QSslConfiguration conf = configuration(c);

	t->socket.setSslConfiguration(conf);
	if (c->server && conf.privateKey().isNull()) {
		native_text(k, "CLOSEDRILL_CERT is not set or not taken");
		return SAYS_ERROR;
	}
	if (!t->socket.setSocketDescriptor(c->fd)) {
		native(k, "setSocketDescriptor=0");
		return SAYS_ERROR;
	}
	c->tls = t.release();
	return SAYS_OK;
}

/* The descriptor is the socket's. */
void abandon_call(struct conn *c)
{
	Tls *t = tls(c);

	t->socket.abort();
	delete t;
	QCoreApplication::processEvents();
	c->fd = -1;
}

void library_name(char *name, size_t cap)
{
	snprintf(name, cap, "Qt %s, %s", qVersion(), QSslSocket::sslLibraryVersionString().toUtf8().constData());
}

const char *const can[] = {
	"client server tls1.2 tls1.3 blocking nonblocking",
	"close abandon plain",
	nullptr
};

} // namespace

int main(int argc, char **argv)
{
	QCoreApplication app(argc, argv);
	struct adapter adapter = {};

	adapter.api = "qt";
	adapter.can = can;
	adapter.library = library_name;
	adapter.open = open_call;
	adapter.handshake = handshake_call;
	adapter.read = read_call;
	adapter.write = write_call;
	adapter.close = close_call;
	adapter.abandon = abandon_call;
	adapter.wait = wait;
	return skeleton_run(&adapter);
}
