/* The adapter for Botan 2, which has TLS 1.2 at most, and Botan 3,
 * by TLS::Client and TLS::Server: they leave all input and output to the application.
 *
 *	handshake       the object is made, which is when a client's first message leaves; received_data until tls_session_activated
 *	read            what tls_record_received was given; else received_data, until there is more or tls_alert told of the end
 *	write           Channel::send
 *	shutdown write  Channel::close
 *	close           Channel::close, unless is_closed(); the object is deleted
 *	abandon         the object is deleted, which sends nothing
 *
 * The native part is the callback that told (tls_alert=0 warning "close_notify"), or what was called and the error_type and error_code
 * of what it threw. A non-fatal alert other than close_notify is no answer. is_closed is "true iff the connection has been definitely
 * closed": after an alert that ends it and after an exception nothing more is received; reads tell what was told, in its order, and
 * the last of it again. The library does not see the end of the transport: an end or an error before the alert is told in recv's words.
 * Nor does it tell how much of the input was TLS, so what stands behind the close_notify in one receive is lost to `plain read`.
 *	key_update      Channel::update_traffic_keys (Botan 3)
 *
 * What it does not have: a call for the whole exchange (it answers a close_notify of itself); after close it
 * takes no data any more. What the adapter does not do: TLS::Blocking_Client and the TLS::Stream for Asio, tickets (a server resumes
 * by session identifier), renegotiation.
 * That a session was resumed is told by tls_inspect_handshake_msg, which then sees no Certificate. Options:
 *
 *	short-writes    memory mode: the transport takes 1, 3 or 7 bytes at a time */
#include "adapters/skeleton/skeleton.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <botan/auto_rng.h>
#include <botan/data_src.h>
#include <botan/pkcs8.h>
#include <botan/tls_client.h>
#include <botan/tls_exceptn.h>
#include <botan/tls_messages.h>
#include <botan/tls_server.h>
#include <botan/tls_session_manager.h>
#include <botan/version.h>
#include <botan/x509cert.h>
#if BOTAN_VERSION_MAJOR >= 3
#include <botan/tls_session_manager_memory.h>
#endif

using namespace Botan;

namespace {

/* Objects of the library take references in Botan 2, and shared pointers in Botan 3. What stands behind these outlives them. */
#if BOTAN_VERSION_MAJOR >= 3
template <typename T> std::shared_ptr<T> lent(T &object)
{
	return std::shared_ptr<T>(std::shared_ptr<void>(), &object);
}

using Bytes = std::span<const uint8_t>;

const TLS::AlertType close_notify = TLS::AlertType::CloseNotify;
const TLS::Handshake_Type certificate = TLS::Handshake_Type::Certificate;
#else
template <typename T> T &lent(T &object)
{
	return object;
}

const TLS::Alert::Type close_notify = TLS::Alert::CLOSE_NOTIFY;
const TLS::Handshake_Type certificate = TLS::CERTIFICATE;
#endif

/* ---- Kept over connections ---- */

struct Credentials : Credentials_Manager {
	std::vector<X509_Certificate> chain;
	std::unique_ptr<Private_Key> key;

	std::vector<X509_Certificate> fitting(const std::vector<std::string> &types, const std::string &type)
	{
		bool fits = type == "tls-server" && std::find(types.begin(), types.end(), key->algo_name()) != types.end();

		return fits ? chain : std::vector<X509_Certificate>();
	}

#if BOTAN_VERSION_MAJOR >= 3
	std::vector<X509_Certificate> find_cert_chain(const std::vector<std::string> &types, const std::vector<AlgorithmIdentifier> &,
	                                              const std::vector<X509_DN> &, const std::string &type, const std::string &) override
	{
		return fitting(types, type);
	}

	std::shared_ptr<Private_Key> private_key_for(const X509_Certificate &, const std::string &, const std::string &) override
	{
		return lent<Private_Key>(*key);
	}
#else
	std::vector<X509_Certificate> cert_chain(const std::vector<std::string> &types, const std::string &type,
	                                         const std::string &) override
	{
		return fitting(types, type);
	}

	Private_Key *private_key_for(const X509_Certificate &, const std::string &, const std::string &) override
	{
		return key.get();
	}
#endif
};

/* One version and no other. */
struct Only : TLS::Policy {
	explicit Only(int v) : version(v) {}
	int version;

	bool require_cert_revocation_info() const override { return false; }
#if BOTAN_VERSION_MAJOR >= 3
	bool allow_tls12() const override { return version == 12; }
	bool allow_tls13() const override { return version == 13; }
#else
	bool allow_tls10() const override { return false; }
	bool allow_tls11() const override { return false; }
#endif
};

struct Library {
	AutoSeeded_RNG rng;
	Only tls12 = Only(12), tls13 = Only(13);
	Credentials credentials;
	TLS::Session_Manager_In_Memory client_sessions { lent<RandomNumberGenerator>(rng) };
	TLS::Session_Manager_In_Memory server_sessions { lent<RandomNumberGenerator>(rng) };

	Library()
	{
		std::ifstream file(getenv("CLOSEDRILL_CERT") ?: "");
		std::string pem((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
		DataSource_Memory cert(pem), key(pem.substr(std::min(pem.find("-----BEGIN PRIVATE KEY"), pem.size())));

		credentials.chain.push_back(X509_Certificate(cert));
		credentials.key = PKCS8::load_key(key);
	}
};

Library &library()
{
	static Library l;

	return l;
}

/* ---- The connection ---- */

/* What ended it, as the library told. */
struct End {
	enum outcome outcome;
	int alert;
	std::string native;
};

struct Tls : TLS::Callbacks {
	std::unique_ptr<TLS::Channel> channel;          /* none before the handshake */
	struct queue out = {}, in = {};                 /* emitted and not sent; received and not read */
	bool up = false;                                /* the handshake is through */
	bool full = false;                              /* the handshake had a Certificate */
	std::vector<End> ends;                          /* in their order: an alert, and what was thrown. Then it is given no more input */
	size_t told = 0;                                /* how many of them reads have answered */
	int lost = 0;                                   /* errno of a send that failed, not told yet */

	~Tls()
	{
		free(out.p);
		free(in.p);
	}

	void tls_session_activated() override { up = true; }
#if BOTAN_VERSION_MAJOR >= 3
	void tls_emit_data(Bytes data) override { queue_add(&out, data.data(), data.size()); }
	void tls_record_received(uint64_t, Bytes data) override { queue_add(&in, data.data(), data.size()); }

	void tls_verify_cert_chain(const std::vector<X509_Certificate> &, const std::vector<std::optional<OCSP::Response>> &,
	                           const std::vector<Certificate_Store *> &, Usage_Type, std::string_view, const TLS::Policy &) override
	{
	}
#else
	void tls_emit_data(const uint8_t data[], size_t n) override { queue_add(&out, data, n); }
	void tls_record_received(uint64_t, const uint8_t data[], size_t n) override { queue_add(&in, data, n); }
	bool tls_session_established(const TLS::Session &) override { return true; }

	void tls_verify_cert_chain(const std::vector<X509_Certificate> &, const std::vector<std::shared_ptr<const OCSP::Response>> &,
	                           const std::vector<Certificate_Store *> &, Usage_Type, const std::string &, const TLS::Policy &) override
	{
	}
#endif

	void tls_alert(TLS::Alert alert) override
	{
		int number = static_cast<int>(alert.type());
		std::string text = "tls_alert=" + std::to_string(number) + (alert.is_fatal() ? " fatal \"" : " warning \"");

		if (alert.is_fatal() || alert.type() == close_notify)
			ends.push_back({ alert.type() == close_notify ? SAYS_CLOSED : SAYS_ALERT, number,
			                 text + alert.type_string() + "\"" });
	}

	void tls_inspect_handshake_msg(const TLS::Handshake_Message &message) override
	{
		full |= message.type() == certificate;
	}
};

Tls *tls(const struct conn *c)
{
	return static_cast<Tls *>(c->tls);
}

/* One call of the library. A state that it refuses is the call's own; any other exception is an end. */
template <typename Call> enum outcome call(struct conn *c, struct call *k, const char *name, Call made)
{
	enum outcome o = SAYS_ERROR;

	try {
		made();
		return SAYS_OK;
	} catch (const Exception &e) {
		o = e.error_type() == ErrorType::InvalidObjectState ? SAYS_REFUSED : SAYS_ERROR;
		native(k, "%s=%s error_code=%d", name, to_string(e.error_type()).c_str(), e.error_code());
		native_text(k, e.what());
	} catch (const std::exception &e) {
		native(k, "%s=std::exception", name);
		native_text(k, e.what());
	}
	if (o == SAYS_ERROR)
		tls(c)->ends.push_back({ o, 0, k->native });
	return o;
}

/* Sends what was emitted. SAYS_WANT_WRITE if the transport takes no more; a failure is kept for a call that sends. */
enum outcome flush(struct conn *c, struct call *k)
{
	Tls *t = tls(c);

	while (t->out.n) {
		ssize_t sent = conn_send(c, t->out.p, t->out.n);

		if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
			native(k, "send=-1");           /* how much waits is what the kernels had no room for: another number every time */
			native_errno(k, errno);
			return SAYS_WANT_WRITE;
		}
		if (sent < 0)
			t->lost = errno;
		queue_drop(&t->out, sent < 0 ? t->out.n : static_cast<size_t>(sent));
	}
	return SAYS_OK;
}

/* What a call that sends says at its end: what the library said, or that it did not leave. */
enum outcome sent(struct conn *c, struct call *k, enum outcome said)
{
	Tls *t = tls(c);
	enum outcome o = flush(c, k);

	if (o != SAYS_OK || !t->lost)
		return o == SAYS_OK ? said : o;
	native(k, "send=-1");
	o = native_errno(k, t->lost);
	t->lost = 0;
	return o;
}

/* The next of what ended it, the last one for ever; SAYS_OK if nothing did. */
enum outcome end_tell(Tls *t, struct call *k)
{
	const End *end;

	if (t->ends.empty())
		return SAYS_OK;
	end = &t->ends[t->told];
	t->told += t->told + 1 < t->ends.size();
	k->native[0] = '\0';
	native(k, "%s", end->native.c_str());
	k->alert = end->alert;
	return end->outcome;
}

/* Receives once; the library may have to answer. SAYS_OK: look again what there is. */
enum outcome receive(struct conn *c, struct call *k)
{
	uint8_t buf[16384];
	ssize_t got = conn_recv(c, buf, sizeof(buf));

	if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
		native(k, "recv=-1");
		return SAYS_WANT_READ;
	}
	if (got <= 0) {
		native(k, "recv=%zd", got);
		return got ? native_errno(k, errno) : SAYS_TRUNCATED;
	}
	call(c, k, "received_data", [&] { tls(c)->channel->received_data(buf, static_cast<size_t>(got)); });
	flush(c, k);
	k->native[0] = '\0';
	return SAYS_OK;
}

/* ---- Calls ---- */

void channel_make(struct conn *c)
{
	Tls *t = tls(c);
	Library &l = library();

	TLS::Protocol_Version version = c->version == 13 ? TLS::Protocol_Version(3, 4) : TLS::Protocol_Version(3, 3);
	const Only &policy = c->version == 13 ? l.tls13 : l.tls12;

	if (c->server)
		t->channel.reset(new TLS::Server(lent<TLS::Callbacks>(*t), lent<TLS::Session_Manager>(l.server_sessions),
		                                 lent<Credentials_Manager>(l.credentials), lent<const TLS::Policy>(policy),
		                                 lent<RandomNumberGenerator>(l.rng)));
	else
		t->channel.reset(new TLS::Client(lent<TLS::Callbacks>(*t), lent<TLS::Session_Manager>(l.client_sessions),
		                                 lent<Credentials_Manager>(l.credentials), lent<const TLS::Policy>(policy),
		                                 lent<RandomNumberGenerator>(l.rng), TLS::Server_Information("localhost"), version));
}

enum outcome handshake_call(struct conn *c, struct call *k)
{
	Tls *t = tls(c);
	enum outcome o = SAYS_OK;

	if (!t->channel && (o = call(c, k, "TLS::Channel", [&] { channel_make(c); })) != SAYS_OK)
		return o;
	while ((o = sent(c, k, SAYS_OK)) == SAYS_OK) {
		if (t->up) {
			native(k, "tls_session_activated");
			return t->full ? SAYS_OK : SAYS_RESUMED;
		}
		if ((o = end_tell(t, k)) != SAYS_OK)    /* there is no stream yet that could be finished */
			return o == SAYS_CLOSED ? SAYS_ERROR : o;
		if ((o = receive(c, k)) != SAYS_OK)
			return o;
	}
	return o;
}

enum outcome read_call(struct conn *c, struct call *k)
{
	Tls *t = tls(c);
	enum outcome o;

	if (!t->channel) {
		native_text(k, "there is no channel before the handshake");
		return SAYS_REFUSED;
	}
	flush(c, k);
	k->native[0] = '\0';                            /* a read goes on while the transport takes nothing */
	while (!t->in.n)
		if ((o = end_tell(t, k)) != SAYS_OK || (o = receive(c, k)) != SAYS_OK)
			return o;
	k->done = t->in.n < k->n ? t->in.n : k->n;
	std::copy(t->in.p, t->in.p + k->done, k->data);
	queue_drop(&t->in, k->done);
	native(k, "tls_record_received=%zu", k->done);
	return SAYS_DATA;
}

enum outcome write_call(struct conn *c, struct call *k)
{
	Tls *t = tls(c);
	enum outcome o = SAYS_OK;

	if (!t->channel)
		return SAYS_REFUSED;
	if (!k->repeated && (o = call(c, k, "send", [&] { t->channel->send(k->data, k->n); })) != SAYS_OK)
		return o;
	native(k, "send");
	k->done = k->n;
	return sent(c, k, SAYS_OK);
}

enum outcome shutdown_write_call(struct conn *c, struct call *k)
{
	Tls *t = tls(c);
	enum outcome o = SAYS_OK;

	if (!t->channel)
		return SAYS_REFUSED;
	if (!k->repeated && (o = call(c, k, "close", [&] { t->channel->close(); })) != SAYS_OK)
		return o;
	native(k, "close is_closed=%d", t->channel->is_closed());
	return sent(c, k, SAYS_SENT);
}

enum outcome close_call(struct conn *c, struct call *k)
{
	Tls *t = tls(c);

	if (t->channel && !t->channel->is_closed()) {
		enum outcome o = shutdown_write_call(c, k);

		return o == SAYS_SENT ? SAYS_OK : o;
	}
	native(k, "delete");
	return sent(c, k, SAYS_OK);
}

#if BOTAN_VERSION_MAJOR >= 3
enum outcome key_update_call(struct conn *c, struct call *k)
{
	enum outcome o = SAYS_OK;

	if (!tls(c)->channel)
		return SAYS_REFUSED;
	if (!k->repeated && (o = call(c, k, "update_traffic_keys", [&] { tls(c)->channel->update_traffic_keys(k->requested); })) != SAYS_OK)
		return o;
	native(k, "update_traffic_keys");
	return sent(c, k, SAYS_OK);
}
#endif

/* ---- Set up and down ---- */

void abandon_call(struct conn *c)
{
	delete tls(c);
}

/* A client that does not resume starts afresh: no session of an earlier run is offered later. */
enum outcome open_call(struct conn *c, struct call *k)
{
	try {
		if (!c->server && !c->resume)
			library().client_sessions.remove_all();
		c->tls = new Tls;
		return SAYS_OK;
	} catch (const std::exception &e) {
		native(k, "open=std::exception");
		native_text(k, e.what());
		return SAYS_ERROR;
	}
}

void library_name(char *name, size_t cap)
{
	snprintf(name, cap, "Botan %s", short_version_cstr());
}

const char *const can[] = {
#if BOTAN_VERSION_MAJOR >= 3
	"tls1.3 key-update",
#endif
	"client server tls1.2 blocking nonblocking memory",
	"shutdown-write close abandon plain resumption renew fork siblings option:short-writes",
	nullptr
};

} // namespace

int main()
{
	struct adapter adapter = {};

	adapter.api = "botan";
	adapter.can = can;
	adapter.library = library_name;
	adapter.open = open_call;
	adapter.handshake = handshake_call;
	adapter.read = read_call;
	adapter.write = write_call;
	adapter.shutdown_write = shutdown_write_call;
#if BOTAN_VERSION_MAJOR >= 3
	adapter.key_update = key_update_call;
#endif
	adapter.close = close_call;
	adapter.abandon = abandon_call;
	return skeleton_run(&adapter);
}
