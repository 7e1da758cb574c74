import java.io.*;
import java.net.*;
import javax.net.ssl.*;

/* The adapter for SSLSocket of the JDK (JSSE), in the mode `blocking`.
 *
 *	open            connect or accept a plain Socket; then SSLSocketFactory.createSocket over it, with autoClose
 *	handshake       startHandshake; resumed: the session's creation time is before this connection
 *	read, write     read and write of the streams; -1 is `closed`
 *	shutdown write  shutdownOutput: "closes this socket's outbound"
 *	close           close, which sends close_notify where that was not done, and closes the socket
 *	abandon         close of the plain socket below
 *	plain           the streams of the plain socket below
 *	key_update      startHandshake: "may be invoked after the handshake ... to update keys"; what it sends in TLS 1.3 is a
 *			key_update that asks for one in return, hence `key_update` alone is not announced
 *
 * A read waits in a thread of its own while other calls go on (`concurrent`): streams of a socket may be used by two threads.
 *
 * No promises for read: its manual is InputStream's. What the API cannot do: non-blocking calls, and the whole exchange in one call:
 * shutdownInput waits for nobody, and its manual does not say what it means that it returned. */
class JsseSocket extends Adapter {
	private Socket tcp;
	private SSLSocket tls;
	private ServerSocket listener;
	private Thread reader;
	private long openedAt;

	String[] can() {
		return new String[] { "client server tls1.2 tls1.3 blocking", "shutdown-write close abandon plain resumption concurrent" };
	}

	boolean connected() {
		return tls != null;
	}

	String[] listen() throws IOException {
		if (listener == null)
			listener = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
		return answer("ok", "127.0.0.1:" + listener.getLocalPort());
	}

	String[] open(boolean server, String version, String mode, InetSocketAddress to, boolean resume) throws Exception {
		if (!mode.equals("blocking"))
			return answer("unsupported", "");
		tcp = server ? listener.accept() : new Socket(to.getAddress(), to.getPort());
		tcp.setTcpNoDelay(true);
		SSLSocketFactory f = context(server, version, resume).getSocketFactory();
		openedAt = System.currentTimeMillis();
		tls = (SSLSocket) f.createSocket(tcp, "localhost", server ? tcp.getPort() : 4433, true);
		tls.setUseClientMode(!server);
		tls.setSSLParameters(parameters(version, tls.getSSLParameters()));
		return answer("ok", "127.0.0.1:" + (server ? tcp.getPort() : tcp.getLocalPort()));
	}

	void drop() throws Exception {
		if (tcp != null)
			tcp.close();
		if (reader != null)
			reader.join();
		reader = null;
		tcp = tls = null;
	}

	/* Answers by itself, when it ends. */
	private String[] read(Socket from, String name, String arg) {
		byte[] p = new byte[Math.min(Integer.parseInt(arg), READ_MAX)];
		reader = new Thread(() -> {
			try {
				int got = from.getInputStream().read(p);
				say(got < 0 ? "closed" : "data " + quote(p, got), name + "=" + got);
			} catch (IOException | RuntimeException e) {
				say(thrown(name, e));
			}
		});
		reader.start();
		return null;
	}

	private static String[] write(Socket to, String name, String arg) throws IOException {
		to.getOutputStream().write(payload(arg));
		return answer("ok", name + "=void");
	}

	String[] call(String name, String arg) throws Exception {
		try {
			switch (name) {
			case "handshake":
				tls.startHandshake();
				return answer(resumed(tls.getSession(), openedAt) ? "resumed" : "ok", "startHandshake=void");
			case "read":
				return read(tls, "read", arg);
			case "write":
				return write(tls, "write", arg);
			case "shutdown write":
				tls.shutdownOutput();
				return answer("sent", "shutdownOutput=void");
			case "close":
				tls.close();
				drop();
				return answer("ok", "close=void");
			case "plain read":
				return read(tcp, "Socket.read", arg);
			case "plain write":
				return write(tcp, "Socket.write", arg);
			default:
				return answer("unsupported", "");
			}
		} catch (IOException | RuntimeException e) {
			String[] a = thrown(name.replace(" ", "-"), e);
			if (name.equals("close"))
				drop();
			return a;
		}
	}

	public static void main(String[] args) throws Exception {
		new JsseSocket().main("jsse-socket");
	}
}
