import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.Security;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.jsse.provider.BouncyCastleJsseProvider;

/* The adapter for SSLSocket of Bouncy Castle's JSSE provider (BCJSSE), in the mode `blocking`. The calls are those of jsse-socket; what
 * answers them is TlsClientProtocol and TlsServerProtocol of bctls. The peer's alert is a TlsFatalAlertReceived, an end without
 * close_notify a TlsNoCloseNotifyException.
 *
 * shutdownOutput of a socket that is layered over another one is that one's own: it sends a FIN, and no close_notify.
 *
 * What it cannot do, beside what jsse-socket cannot: the transport without TLS, as it closes the socket that it was given when the peer's
 * close_notify is read. */
final class BouncyCastle extends JsseSocket {
	/* Since 1.80 each reseed has a thread of its own, that lives for half a minute and sleeps five seconds at a time: born inside a
	 * run, it hides whether a call waits. Entropy of 1.72 comes from one thread that lives as long as the process; this property
	 * keeps it so. */
	static void provide() throws GeneralSecurityException {
		System.setProperty("org.bouncycastle.drbg.entropy_thread", "true");
		BouncyCastleProvider crypto = new BouncyCastleProvider();
		Security.addProvider(crypto);
		SecureRandom.getInstance("DEFAULT", crypto).nextInt();  // begins the thread
		Adapter.provide(new BouncyCastleJsseProvider(crypto), "Bouncy Castle " + crypto.getVersionStr() + " BCJSSE");
	}

	@Override
	String[] can() {
		return new String[] { "client server tls1.2 tls1.3 blocking", "shutdown-write close abandon resumption concurrent" };
	}

	public static void main(String[] args) throws Exception {
		provide();
		new BouncyCastle().main("bouncycastle");
	}
}
