/* The adapter for SSLEngine of Bouncy Castle's JSSE provider (BCJSSE), in the mode `memory`: the calls are those of jsse-engine. */
final class BouncyCastleEngine {
	public static void main(String[] args) throws Exception {
		BouncyCastle.provide();
		new JsseEngine().main("bouncycastle-engine");
	}
}
