/* The adapter for Boost.Asio's ssl::stream<tcp::socket>. Blocking mode has the functions that block, non-blocking mode those that
 * begin with async_, with io_context::run_one in place of poll(2).
 *
 *	handshake       handshake, async_handshake
 *	read            read_some, async_read_some. One that was given up stays pending; the next `read` waits for it, as the manual
 *	                allows one at a time
 *	write           write_some, async_write_some, until all is taken
 *	shutdown both   shutdown, async_shutdown
 *	close           the same, unless that was done or a call failed (an end of the stream is no failure); then the descriptor is
 *	                closed. shutdown "will block until SSL has been shut down": the manual knows no other way to send close_notify,
 *	                so `close` waits for the peer's
 *	abandon         the stream is destroyed, which sends nothing
 *
 * The native part is the call and the error_code: its category and value, or its name where the manual gives one. A session is taken
 * and offered by native_handle(). What the API does not have: closing in one direction only, memory mode (the engine is private), key
 * updates. What stands behind the close_notify in one receive stays in the stream's buffer, and is lost to `plain read`. */
#include "adapters/skeleton/skeleton.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <vector>

#include <unistd.h>

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/version.hpp>

#include "adapters/openssl/side.h"

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using boost::system::error_code;

namespace {

/* An asynchronous operation. */
struct Op {
	bool pending = false, done = false;             /* done: its result is here, and was not taken yet */
	error_code ec;
	std::size_t n = 0;
	std::vector<uint8_t> room;                      /* of a read and a write: what they were given lives as long as they do */
};

struct Tls {
	asio::io_context io;                            /* first, so that it outlives what hangs on it */
	ssl::stream<asio::ip::tcp::socket> stream;
	asio::posix::stream_descriptor input;           /* ours, looked at while an operation waits */
	Op handshake, read, write, shutdown;
	Op *awaited = nullptr;
	std::size_t left = 0;                           /* read and not handed out: the last of read.room's first n */
	bool failed = false, closed = false;        /* closed: close_notify was sent and received */

	explicit Tls(ssl::context &ctx) : stream(io, ctx), input(io)
	{
	}
};

Tls *tls(const struct conn *c)
{
	return static_cast<Tls *>(c->tls);
}

/* ---- What the library said ---- */

const struct {
	error_code ec;
	const char *name;
	enum outcome outcome;
} names[] = {
	{ asio::error::eof, "eof", SAYS_CLOSED },
	{ ssl::error::stream_truncated, "stream_truncated", SAYS_TRUNCATED },
	{ ssl::error::unspecified_system_error, "unspecified_system_error", SAYS_ERROR },
	{ ssl::error::unexpected_result, "unexpected_result", SAYS_ERROR },
	{ asio::error::operation_aborted, "operation_aborted", SAYS_ERROR },
};

enum outcome told(struct conn *c, struct call *k, const char *name, const error_code &ec, enum outcome done)
{
	if (!ec) {
		native(k, "%s=0", name);
		return done;
	}
	tls(c)->failed |= ec != asio::error::eof && ec != ssl::error::stream_truncated;
	for (const auto &row : names)
		if (row.ec == ec) {
			native(k, "%s=%s", name, row.name);
			return row.outcome;
		}
	native(k, "%s=%s", name, ec.category().name());
	if (ec.category() == asio::error::get_ssl_category()) {
		native(k, "reason=%d", ERR_GET_REASON(static_cast<unsigned long>(ec.value())));
		return side_error(k, static_cast<unsigned long>(ec.value()));
	}
	if (ec.category() == asio::error::get_system_category())
		return native_errno(k, ec.value());
	native(k, "value=%d", ec.value());
	native_text(k, ec.message().c_str());
	return SAYS_ERROR;
}

/* ---- One call: it blocks, or begins and is waited for ---- */

/* Blocking: made at once. Else begun if it is not pending, and looked after. True when its result is there. */
template <typename Now, typename Begin> bool made(struct conn *c, Op &op, Now now, Begin begin)
{
	Tls *t = tls(c);

	if (c->io == IO_BLOCKING) {
		op.ec = {};
		op.n = now(op.ec);
		return true;
	}
	if (!op.pending && !op.done) {
		op.pending = true;
		begin([&op](const error_code &ec, std::size_t n = 0) {
			op.pending = false;
			op.done = true;
			op.ec = ec;
			op.n = n;
		});
	}
	t->awaited = &op;
	t->io.restart();
	t->io.poll();
	return op.done;
}

/* Runs the library's loop until the awaited operation is through or standard input can be read. */
void wait(struct conn *c, enum outcome)
{
	Tls *t = tls(c);
	bool line = false;

	t->io.restart();
	t->input.async_wait(asio::posix::stream_descriptor::wait_read, [&line](const error_code &ec) { line |= !ec; });
	while (!line && !t->awaited->done && t->io.run_one())
		;
	t->input.cancel();
	t->io.poll();
	t->input.native_non_blocking(false);            /* async_wait set it, and the skeleton reads from the same file */
}

enum outcome pending(struct call *k, const char *name)
{
	native(k, "async_%s", name);
	return SAYS_WANT_READ;
}

enum outcome handshake_call(struct conn *c, struct call *k)
{
	Tls *t = tls(c);
	auto type = c->server ? ssl::stream_base::server : ssl::stream_base::client;
	enum outcome o;

	if (!made(c, t->handshake, [&](error_code &ec) { t->stream.handshake(type, ec); return std::size_t(0); },
	          [&](auto handler) { t->stream.async_handshake(type, handler); }))
		return pending(k, "handshake");
	t->handshake.done = false;
	o = told(c, k, "handshake", t->handshake.ec, SAYS_OK);
	return o == SAYS_OK && SSL_session_reused(t->stream.native_handle()) ? SAYS_RESUMED : o;
}

/* Hands out what is left of the last read. */
enum outcome data(Tls *t, struct call *k)
{
	Op &op = t->read;

	k->done = std::min(t->left, k->n);
	std::copy_n(op.room.begin() + static_cast<std::ptrdiff_t>(op.n - t->left), k->done, k->data);
	t->left -= k->done;
	native(k, "read_some=%zu", op.n);
	return SAYS_DATA;
}

enum outcome read_call(struct conn *c, struct call *k)
{
	Tls *t = tls(c);
	Op &op = t->read;

	if (t->left)
		return data(t, k);
	if (!op.pending && !op.done)
		op.room.resize(k->n);
	if (!made(c, op, [&](error_code &ec) { return t->stream.read_some(asio::buffer(op.room), ec); },
	          [&](auto handler) { t->stream.async_read_some(asio::buffer(op.room), handler); }))
		return pending(k, "read_some");
	op.done = false;
	if (op.ec)
		return told(c, k, "read_some", op.ec, SAYS_ERROR);
	t->left = op.n;
	return data(t, k);
}

enum outcome write_call(struct conn *c, struct call *k)
{
	Tls *t = tls(c);
	Op &op = t->write;

	if (op.pending && !k->repeated) {
		native_text(k, "the manual allows one async_write_some at a time");
		return SAYS_REFUSED;
	}
	if (!op.pending && !op.done)
		op.room.assign(k->data, k->data + k->n);
	if (!made(c, op, [&](error_code &ec) { return t->stream.write_some(asio::buffer(op.room), ec); },
	          [&](auto handler) { t->stream.async_write_some(asio::buffer(op.room), handler); }))
		return pending(k, "write_some");
	op.done = false;
	k->done = op.n;
	return told(c, k, "write_some", op.ec, SAYS_OK);
}

enum outcome shutdown_both_call(struct conn *c, struct call *k)
{
	Tls *t = tls(c);
	Op &op = t->shutdown;
	enum outcome o;

	if (!made(c, op, [&](error_code &ec) { t->stream.shutdown(ec); return std::size_t(0); },
	          [&](auto handler) { t->stream.async_shutdown(handler); }))
		return pending(k, "shutdown");
	op.done = false;
	o = told(c, k, "shutdown", op.ec, SAYS_COMPLETE);
	t->closed = o == SAYS_COMPLETE || o == SAYS_CLOSED;
	return t->closed ? SAYS_COMPLETE : o;
}

enum outcome close_call(struct conn *c, struct call *k)
{
	Tls *t = tls(c);

	if (!t->failed && !t->closed) {
		enum outcome o = shutdown_both_call(c, k);

		return o == SAYS_COMPLETE ? SAYS_OK : o;
	}
	native(k, "lowest_layer.close");
	return SAYS_OK;
}

/* ---- Set up and down ---- */

/* Asio takes the ownership of what a context is made of. */
ssl::context &context(const struct conn *c)
{
	static std::unique_ptr<ssl::context> contexts[2][2];
	std::unique_ptr<ssl::context> &ctx = contexts[c->server][c->version == 13];

	if (!ctx) {
		SSL_CTX *handle = side_context_new(c);

		if (!handle)
			throw std::runtime_error("no memory, or CLOSEDRILL_CERT is not set");
		ctx.reset(new ssl::context(handle));
	}
	return *ctx;
}

enum outcome open_call(struct conn *c, struct call *k)
{
	try {
		Tls *t = new Tls(context(c));

		c->tls = t;
		t->stream.next_layer().assign(asio::ip::tcp::v4(), c->fd);
		if (c->io != IO_BLOCKING)
			t->input.assign(dup(STDIN_FILENO));
		side_session_offer(c, t->stream.native_handle());
		return SAYS_OK;
	} catch (const std::exception &e) {
		native(k, "open=std::exception");
		native_text(k, e.what());
		delete tls(c);
		c->tls = nullptr;
		return SAYS_ERROR;
	}
}

void keep_call(struct conn *c)
{
	side_session_keep(c, tls(c)->stream.native_handle());
}

/* The descriptor is the skeleton's to close. */
void abandon_call(struct conn *c)
{
	Tls *t = tls(c);
	error_code ec;

	t->stream.next_layer().release(ec);
	delete t;
}

/* Asio is headers alone, and what was compiled is what runs; of OpenSSL that is not so. */
void library_name(char *name, size_t cap)
{
	snprintf(name, cap, "Boost.Asio %d.%d.%d, %s", BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100,
	         side_library());
}

const char *const can[] = {
	"client server tls1.2 tls1.3 blocking nonblocking",
	"shutdown-both close abandon plain resumption renew siblings",
	nullptr
};

} // namespace

int main()
{
	struct adapter adapter = {};

	adapter.api = "boost-asio";
	adapter.can = can;
	/* Reference, ssl::error::stream_errors: stream_truncated, "The underlying stream closed before the ssl stream gracefully shut
	 * down"; ssl::stream::shutdown: "The function call will block until SSL has been shut down or an error occurs". */
	adapter.promises = "truncation-visible complete-means-both";
	adapter.library = library_name;
	adapter.open = open_call;
	adapter.handshake = handshake_call;
	adapter.read = read_call;
	adapter.write = write_call;
	adapter.shutdown_both = shutdown_both_call;
	adapter.close = close_call;
	adapter.abandon = abandon_call;
	adapter.keep = keep_call;
	adapter.wait = wait;
	return skeleton_run(&adapter);
}
