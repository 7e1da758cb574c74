import java.io.*;
import java.net.*;
import java.nio.ByteBuffer;
import java.nio.channels.*;
import java.util.*;
import javax.net.ssl.*;

/* The adapter for SSLEngine of the JDK (JSSE), in the mode `memory`.
 *
 *	handshake       beginHandshake, then wrap, unwrap and the delegated tasks until getHandshakeStatus says that it is over;
 *			resumed: the session's creation time is before this connection
 *	read            unwrap of what came, until it gives bytes; status CLOSED is `closed` if an unwrap took the peer's end in ("just
 *			closed this side"), and otherwise, or behind an exception, `refused` ("could not be completed because it was
 *			already closed"); an end of the transport is handed on by closeInbound
 *	write           wrap
 *	shutdown write  closeOutbound, and wrap until isOutboundDone
 *	close           closeOutbound and wrap unless isOutboundDone; close the channel ("closeInbound need not be called")
 *	abandon         close of the channel
 *	plain           the channel; what was read from it and unwrap did not consume comes first
 *	key_update      beginHandshake after the handshake, and wrap; in TLS 1.3 that is a key_update which asks for one in return,
 *			hence it is not announced
 *
 * Promises truncation-visible: closeInbound throws an SSLException "if this engine has not received the proper SSL/TLS close
 * notification message from the peer", and "should be called whenever the end of the SSL/TLS data stream is reached. This ... checks that
 * the peer followed the SSL/TLS close procedure properly, thus detecting possible truncation attacks".
 *
 * What the API cannot do: shutdown both in one call, anything with a socket. */
final class JsseEngine extends Adapter {
	/* A call that cannot go on: OP_READ or OP_WRITE, and what it said. */
	private static final class Again extends Exception {
		private static final long serialVersionUID = 1;
		final int want;

		/* want 0: it cannot go on at all, as the transport ended and closeInbound threw. */
		Again(int want, String nativeText) {
			super(nativeText, null, false, false);
			this.want = want;
		}
	}

	private interface Step {
		String[] run() throws IOException, Again;
	}

	private static final class Call {
		final String name;
		final boolean sends;
		final Step step;
		String[] answer;                /* of the engine; it may have to wait until it is sent */

		Call(String name, boolean sends, Step step) {
			this.name = name;
			this.sends = sends;
			this.step = step;
		}
	}

	private final Selector selector;
	private final ArrayDeque<Call> held = new ArrayDeque<>();       /* interrupted calls, the last one last */
	private SocketChannel channel;
	private SSLEngine engine;
	private ServerSocketChannel listener;
	private ByteBuffer fromNet, toNet, data;        /* the first and the last are ready to be drained, toNet as well */
	private boolean ended, told, failed;            /* failed: a call of the engine threw */
	private boolean finished;                       /* what unwrap consumed closed the engine, and not the own closeOutbound */
	private IOException broken;                     /* the transport failed: so does every receive after it */
	private long openedAt;

	JsseEngine() throws IOException {
		selector = Selector.open();
	}

	String[] can() {
		return new String[] { "client server tls1.2 tls1.3 memory", "shutdown-write close abandon plain resumption" };
	}

	String promises() {
		return "truncation-visible";
	}

	boolean connected() {
		return engine != null;
	}

	String[] listen() throws IOException {
		if (listener == null)
			listener = ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 64);
		return answer("ok", "127.0.0.1:" + ((InetSocketAddress) listener.getLocalAddress()).getPort());
	}

	String[] open(boolean server, String version, String mode, InetSocketAddress to, boolean resume) throws Exception {
		if (!mode.equals("memory"))
			return answer("unsupported", "");
		channel = server ? listener.accept() : SocketChannel.open(to);
		channel.configureBlocking(false);
		channel.register(selector, 0);
		channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
		openedAt = System.currentTimeMillis();
		engine = context(server, version, resume).createSSLEngine("localhost", 4433);
		engine.setUseClientMode(!server);
		engine.setSSLParameters(parameters(version, engine.getSSLParameters()));
		fromNet = ByteBuffer.allocate(1 << 17).flip();
		toNet = ByteBuffer.allocate(1 << 17).flip();
		data = ByteBuffer.allocate(1 << 16).flip();
		ended = told = failed = finished = false;
		broken = null;
		SocketAddress a = server ? channel.getRemoteAddress() : channel.getLocalAddress();
		return answer("ok", "127.0.0.1:" + ((InetSocketAddress) a).getPort());
	}

	void drop() throws IOException {
		if (channel != null) {
			channel.keyFor(selector).cancel();
			selector.selectNow();   /* a channel that is still registered would be shut down now and closed later */
			channel.close();
		}
		channel = null;
		engine = null;
		held.clear();
	}

	/* ---- The engine ---- */

	private void tasks() {
		for (Runnable r; (r = engine.getDelegatedTask()) != null; )
			r.run();
	}

	private SSLEngineResult wrap(ByteBuffer from) throws SSLException {
		toNet.compact();
		try {
			return engine.wrap(from, toNet);
		} finally {
			toNet.flip();
		}
	}

	private SSLEngineResult unwrap() throws SSLException {
		data.compact();
		try {
			SSLEngineResult r = engine.unwrap(fromNet, data);
			finished |= r.getStatus() == SSLEngineResult.Status.CLOSED && r.bytesConsumed() > 0;
			return r;
		} finally {
			data.flip();
		}
	}

	private static String told(String call, SSLEngineResult r) {
		return call + "=" + r.getStatus() + "," + r.getHandshakeStatus();
	}

	/* What came from the transport; at its end closeInbound, which may throw. False: nothing there yet. */
	private boolean refill() throws IOException {
		if (ended)
			return false;
		fromNet.compact();
		int got;
		try {
			if (broken != null)
				throw broken;
			got = channel.read(fromNet);
		} catch (IOException e) {
			throw broken = e;
		} finally {
			fromNet.flip();
		}
		if (got < 0)
			ended = true;
		return got != 0;
	}

	/* One step of what the engine asks for. Null: it asks for nothing. */
	private String turn() throws IOException, Again {
		for (SSLEngineResult r; ; ) {
			switch (engine.getHandshakeStatus()) {
			case NEED_TASK:
				tasks();
				continue;
			case NEED_WRAP:
				r = wrap(ByteBuffer.allocate(0));
				return told("wrap", r);
			case NEED_UNWRAP:
			case NEED_UNWRAP_AGAIN:
				r = unwrap();
				if (r.getStatus() == SSLEngineResult.Status.BUFFER_UNDERFLOW)
					more(told("unwrap", r));
				return told("unwrap", r);
			default:
				return null;
			}
		}
	}

	private void more(String said) throws IOException, Again {
		if (refill() && !ended)
			return;
		if (!ended)
			throw new Again(SelectionKey.OP_READ, said);
		if (told)
			return;
		told = true;
		try {
			engine.closeInbound();
		} catch (SSLException e) {
			throw new Again(0, thrown("closeInbound", e)[1]);
		}
	}

	private String[] handshake() throws IOException, Again {
		String said = "beginHandshake=void";
		if (engine.getHandshakeStatus() == SSLEngineResult.HandshakeStatus.NOT_HANDSHAKING)
			engine.beginHandshake();
		for (String now; (now = turn()) != null; ) {
			said = now;
			if (engine.isInboundDone() && engine.getHandshakeStatus() != SSLEngineResult.HandshakeStatus.NEED_WRAP)
				return answer("closed", said);
		}
		return answer(resumed(engine.getSession(), openedAt) ? "resumed" : "ok", said);
	}

	private String[] read(int n) throws IOException, Again {
		while (!data.hasRemaining()) {
			SSLEngineResult r = unwrap();
			tasks();
			while (engine.getHandshakeStatus() == SSLEngineResult.HandshakeStatus.NEED_WRAP && !engine.isOutboundDone() && !data.hasRemaining())
				if (wrap(ByteBuffer.allocate(0)).bytesProduced() == 0)
					break;
			if (data.hasRemaining())
				break;
			if (r.getStatus() == SSLEngineResult.Status.CLOSED)
				return answer(finished && !failed ? "closed" : "refused", told("unwrap", r));
			if (r.getStatus() != SSLEngineResult.Status.BUFFER_UNDERFLOW)
				continue;
			if (ended && told)
				return answer("refused", told("unwrap", r) + " isInboundDone=" + engine.isInboundDone());
			more(told("unwrap", r));
		}
		byte[] p = new byte[Math.min(n, data.remaining())];
		data.get(p);
		return answer("data " + quote(p, p.length), "unwrap=" + p.length);
	}

	private String[] write(ByteBuffer from) throws IOException, Again {
		SSLEngineResult r = null;
		while (from.hasRemaining() || r == null) {
			if (!flush())
				throw new Again(SelectionKey.OP_WRITE, r == null ? "wrap" : told("wrap", r));
			r = wrap(from);
			if (r.getStatus() == SSLEngineResult.Status.CLOSED)
				return answer("refused", told("wrap", r));
			if (engine.getHandshakeStatus() == SSLEngineResult.HandshakeStatus.NEED_TASK)
				tasks();
			if (r.bytesConsumed() == 0 && r.bytesProduced() == 0 && from.hasRemaining())
				turn();
		}
		return answer("ok", told("wrap", r));
	}

	private String[] shutdownWrite() throws IOException {
		SSLEngineResult r = null;
		engine.closeOutbound();
		while (!engine.isOutboundDone()) {
			r = wrap(ByteBuffer.allocate(0));
			if (r.bytesProduced() == 0 && r.getStatus() != SSLEngineResult.Status.CLOSED)
				break;
		}
		return answer("sent", "closeOutbound=void" + (r == null ? "" : " " + told("wrap", r)));
	}

	private String[] shutdownIfOpen() throws IOException {
		return engine.isOutboundDone() ? answer("ok", "isOutboundDone=true") : answer("ok", shutdownWrite()[1]);
	}

	/* ---- The transport ---- */

	private boolean flush() throws IOException {
		while (toNet.hasRemaining())
			if (channel.write(toNet) == 0)
				return false;
		return true;
	}

	private String[] plainRead(int n) throws IOException, Again {
		if (!fromNet.hasRemaining() && !ended && !refill())
			throw new Again(SelectionKey.OP_READ, "recv=0");
		byte[] p = new byte[Math.min(n, fromNet.remaining())];
		fromNet.get(p);
		return p.length == 0 ? answer("closed", "recv=-1") : answer("data " + quote(p, p.length), "recv=" + p.length);
	}

	private String[] plainWrite(ByteBuffer from) throws IOException, Again {
		while (from.hasRemaining())
			if (!flush() || channel.write(from) == 0)
				throw new Again(SelectionKey.OP_WRITE, "send=0");
		return answer("ok", "send=" + from.limit());
	}

	/* ---- Calls ---- */

	void lineCame() {
		selector.wakeup();
	}

	/* False: a new line came first. */
	private boolean waitFor(int want) throws IOException {
		channel.keyFor(selector).interestOps(want);
		while (lines.isEmpty())
			if (selector.select() > 0 || !selector.selectedKeys().isEmpty()) {
				selector.selectedKeys().clear();
				return true;
			}
		return false;
	}

	private static final Set<String> DONE = Set.of("ok", "resumed", "sent", "complete");

	/* What the engine holds goes out after each call; a call that sends is answered when it did. */
	private String[] sent(Call c, String[] a) throws IOException, Again {
		try {
			if (!flush() && c.sends)
				throw new Again(SelectionKey.OP_WRITE, a[1]);
			return a;
		} catch (IOException e) {
			toNet.position(toNet.limit());
			if (c.sends && DONE.contains(a[0])) {
				String[] t = thrown("send", e);
				return answer(t[0], a[1] + " " + t[1]);
			}
			return a;
		}
	}

	private void flushQuietly() {
		try {
			flush();
		} catch (IOException e) {
			toNet.position(toNet.limit());
		}
	}

	private String[] go(Call c) throws IOException {
		held.remove(c);
		for (;;) {
			Again again;
			try {
				if (c.answer == null)
					c.answer = step(c);
				String[] a = sent(c, c.answer);
				if (c.name.equals("close"))
					drop();
				return a;
			} catch (Again e) {
				again = e;
				flushQuietly();
			}
			say("again", again.getMessage());
			if (!waitFor(again.want | (toNet.hasRemaining() ? SelectionKey.OP_WRITE : 0))) {
				held.addLast(c);
				return null;
			}
		}
	}

	private String[] step(Call c) throws Again {
		try {
			return c.step.run();
		} catch (IOException | RuntimeException e) {
			failed = true;
			return thrown(c.name, e);
		} catch (Again e) {
			if (e.want != 0)
				throw e;
			failed = true;
			return answer("truncated", e.getMessage());
		}
	}

	String[] await() throws IOException {
		return held.isEmpty() ? answer("error", "\"no call is outstanding\"") : go(held.getLast());
	}

	String[] call(String name, String arg) throws Exception {
		ByteBuffer from = name.endsWith("write") && !arg.isEmpty() ? ByteBuffer.wrap(payload(arg)) : null;
		int room = name.endsWith("read") ? Math.min(Integer.parseInt(arg), READ_MAX) : 0;
		switch (name) {
		case "handshake":
			return go(new Call(name, true, this::handshake));
		case "read":
			return go(new Call(name, false, () -> read(room)));
		case "write":
			return go(new Call(name, true, () -> write(from)));
		case "shutdown write":
			return go(new Call("closeOutbound", true, this::shutdownWrite));
		case "close":
			return go(new Call(name, true, this::shutdownIfOpen));
		case "plain read":
			return go(new Call("recv", false, () -> plainRead(room)));
		case "plain write":
			return go(new Call("send", true, () -> plainWrite(from)));
		default:
			return answer("unsupported", "");
		}
	}

	public static void main(String[] args) throws Exception {
		new JsseEngine().main("jsse-engine");
	}
}
