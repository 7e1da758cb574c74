import java.io.*;
import java.net.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.*;
import java.util.concurrent.*;
import javax.net.ssl.*;

/* What the adapters for SSLSocket and SSLEngine share: lines in and out, what the library said, and the contexts. A class that
 * extends this is the adapter for one of the two. An answer is { outcome, native }; null: it was given already. */
abstract class Adapter {
	static final int READ_MAX = 16384;
	static final String PATTERN = "abcdefghijklmnopqrstuvw";

	private static Provider provider = Security.getProvider("SunJSSE");
	private static String library = "JSSE " + Runtime.version();

	/* Another provider than the JDK's own, and what it is called. */
	static void provide(Provider p, String name) {
		provider = p;
		library = name;
	}

	final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
	private final PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.ISO_8859_1);

	abstract String[] can();
	String promises() { return ""; }
	abstract String[] call(String name, String arg) throws Exception;
	abstract String[] open(boolean server, String version, String mode, InetSocketAddress to, boolean resume) throws Exception;
	abstract String[] listen() throws Exception;
	abstract void drop() throws Exception;
	abstract boolean connected();

	String[] await() throws Exception {
		return answer("error", "\"no call is outstanding\"");
	}

	/* ---- Lines ---- */

	/* Java selects no standard input: a thread reads it, and says when there is a line. */
	void lineCame() {}

	private void readLines() {
		try (BufferedReader in = new BufferedReader(new InputStreamReader(new FileInputStream(FileDescriptor.in), StandardCharsets.ISO_8859_1))) {
			for (String line; (line = in.readLine()) != null; lineCame())
				lines.add(line);
		} catch (IOException e) {
			System.err.println(e);
		}
		System.exit(0);
	}

	synchronized void say(String... words) {
		StringBuilder line = new StringBuilder();
		for (String w : words)
			if (!w.isEmpty())
				line.append(line.length() == 0 ? "" : " ").append(w);
		out.print(line.append('\n'));
		out.flush();
	}

	static String[] answer(String outcome, String nativeText) {
		return new String[] { outcome, nativeText };
	}

	static String quote(byte[] p, int len) {
		StringBuilder b = new StringBuilder("\"");
		for (int i = 0; i < len; i++) {
			int c = p[i] & 255, at = "\n\r\t\\\"".indexOf(c);
			b.append(at >= 0 ? "\\" + "nrt\\\"".charAt(at) : c >= ' ' && c <= '~' ? String.valueOf((char) c) : String.format("\\x%02x", c));
		}
		return b.append('"').toString();
	}

	static String quote(String s) {
		byte[] p = String.valueOf(s).getBytes(StandardCharsets.UTF_8);
		return quote(p, p.length);
	}

	static byte[] payload(String arg) {
		if (!arg.startsWith("\""))
			return PATTERN.repeat(Integer.parseInt(arg) / PATTERN.length() + 1).substring(0, Integer.parseInt(arg)).getBytes(StandardCharsets.ISO_8859_1);
		ByteArrayOutputStream b = new ByteArrayOutputStream();
		for (int i = 1; i < arg.length() - 1; i++) {
			char c = arg.charAt(i);
			if (c == '\\' && (c = arg.charAt(++i)) == 'x') {
				c = (char) Integer.parseInt(arg.substring(i + 1, i + 3), 16);
				i += 2;
			} else if (arg.charAt(i - 1) == '\\' && "nrt".indexOf(c) >= 0)
				c = "\n\r\t".charAt("nrt".indexOf(c));
			b.write(c);
		}
		return b.toByteArray();
	}

	/* ---- What the library said ---- */

	private static final String BC_ALERT = "org.bouncycastle.tls.TlsFatalAlertReceived";

	/* An alert has no code in this API; its name stands in the message: "Received fatal alert: NAME", or Bouncy Castle's "NAME(NUMBER)",
	 * of an exception of its own or behind that one's name. */
	private static String alertOf(Throwable e, String message) {
		if (e.getClass().getName().equals(BC_ALERT) || message.startsWith(BC_ALERT)) {
			String name = message.substring(message.lastIndexOf(' ') + 1), number = name.replaceAll("[^-\\d]", "");
			if (!name.matches("\\w+\\(-?\\d+\\)"))
				return null;
			return name.startsWith("UNKNOWN(") ? String.valueOf(Integer.parseInt(number) & 255) : name.replaceAll("\\(.*", "");
		}
		if (!message.startsWith("Received fatal alert: "))
			return null;
		String name = message.substring("Received fatal alert: ".length());
		return name.startsWith("UNKNOWN ALERT(") ? name.replaceAll("\\D", "") : name;
	}

	static String[] thrown(String call, Exception e) {
		String message = String.valueOf(e.getMessage());
		String alert = e instanceof IOException ? alertOf(e, message) : null;
		String nativeText = call + "=" + e.getClass().getName() + " " + quote(message);
		if (alert != null)
			return answer("alert " + alert, nativeText);
		if (message.startsWith("Connection reset"))
			return answer("reset", nativeText);
		if (message.startsWith("Broken pipe"))
			return answer("pipe", nativeText);
		if (e instanceof EOFException)
			return answer("truncated", nativeText);
		if (e instanceof SocketException && !(e instanceof SSLException) && message.toLowerCase().matches(".*(closed|shutdown|is not connected).*"))
			return answer("refused", nativeText);
		if (message.matches("Cannot .* on (closed/)?failed TLS connection"))
			return answer("refused", nativeText);
		if (e instanceof UnsupportedOperationException || e instanceof IllegalStateException)
			return answer("refused", nativeText);
		return answer("error", nativeText);
	}

	/* ---- Contexts: one for each role and version, thrown away by a client that does not resume ---- */

	private final Map<String, SSLContext> contexts = new HashMap<>();

	private static KeyManager[] keys() throws Exception {
		String pem = Files.readString(Path.of(System.getenv("CLOSEDRILL_CERT")));
		int at = pem.indexOf("-----BEGIN PRIVATE KEY-----"), end = pem.indexOf("-----END PRIVATE KEY-----");
		byte[] der = Base64.getMimeDecoder().decode(pem.substring(at + 27, end));
		X509Certificate cert = (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(pem.substring(0, at).getBytes()));
		KeyStore store = KeyStore.getInstance("PKCS12");
		store.load(null, null);
		PrivateKey key = KeyFactory.getInstance(cert.getPublicKey().getAlgorithm()).generatePrivate(new PKCS8EncodedKeySpec(der));
		store.setKeyEntry("", key, new char[0], new java.security.cert.Certificate[] { cert });
		KeyManagerFactory f = KeyManagerFactory.getInstance("PKIX", provider);
		f.init(store, new char[0]);
		return f.getKeyManagers();
	}

	private static final TrustManager TRUST = new X509ExtendedTrustManager() {
		public void checkClientTrusted(X509Certificate[] c, String a) {}
		public void checkServerTrusted(X509Certificate[] c, String a) {}
		public void checkClientTrusted(X509Certificate[] c, String a, Socket s) {}
		public void checkServerTrusted(X509Certificate[] c, String a, Socket s) {}
		public void checkClientTrusted(X509Certificate[] c, String a, SSLEngine e) {}
		public void checkServerTrusted(X509Certificate[] c, String a, SSLEngine e) {}
		public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
	};

	SSLContext context(boolean server, String version, boolean resume) throws Exception {
		String key = server + version;
		SSLContext c = contexts.get(key);
		if (c == null || (!server && !resume)) {
			c = SSLContext.getInstance("TLS", provider);
			c.init(server ? keys() : null, new TrustManager[] { TRUST }, null);
			contexts.put(key, c);
		}
		return c;
	}

	static SSLParameters parameters(String version, SSLParameters p) {
		p.setProtocols(new String[] { version.equals("tls1.2") ? "TLSv1.2" : "TLSv1.3" });
		return p;
	}

	/* No call of this API says it: a resumed session is older than its connection. */
	static boolean resumed(SSLSession s, long openedAt) {
		return s.getCreationTime() < openedAt;
	}

	/* ---- The loop ---- */

	private static final String[] CALLS = { "handshake", "read", "write", "shutdown write", "shutdown both", "close", "key_update", "plain read", "plain write" };

	private String[] run(String line) throws Exception {
		for (String name : CALLS)
			if (line.equals(name) || (line.startsWith(name + " ") && !name.equals("key_update")))
				return connected() ? call(name, line.substring(Math.min(line.length(), name.length() + 1))) : answer("error", "\"there is no connection\"");
		String[] words = line.split(" ");
		switch (words[0]) {
		case "open":
			drop();
			return openLine(words);
		case "listen":
			return listen();
		case "end":
		case "abandon":
			drop();
			return answer("ok", "");
		case "await":
			return await();
		default:
			return answer("unsupported", "");
		}
	}

	private String[] openLine(String[] words) throws Exception {
		if (words.length < 4)
			return answer("unsupported", "");
		boolean server = words[1].equals("server");
		int rest = server ? 4 : 5;
		for (int i = rest; i < words.length; i++)
			if (!words[i].equals("resume"))
				return answer("unsupported", "");
		String[] to = server ? null : words[4].split(":");
		return open(server, words[2], words[3], server ? null : new InetSocketAddress(to[0], Integer.parseInt(to[1])), words.length > rest);
	}

	void main(String api) throws Exception {
		say("library", library);
		say("api", api);
		for (String c : can())
			say("can", c);
		if (!promises().isEmpty())
			say("promises", promises());
		say("ready");
		new Thread(this::readLines).start();
		for (;;) {
			String line = lines.take();
			String[] a;
			try {
				a = run(line);
			} catch (IOException | RuntimeException e) {
				a = thrown(line.split(" ")[0], e);
			}
			if (a != null)
				say(a);
		}
	}
}
