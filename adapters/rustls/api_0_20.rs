//! What rustls 0.20 says in other words than later ones.
use rustls::client::{ClientSessionMemoryCache, HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier, ServerName};
use rustls::{Certificate, ClientConfig, Connection, Error, PrivateKey, ServerConfig, SupportedProtocolVersion};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

/// Words of the greeting that not every version has.
pub const CAN: &str = "";
pub const PROMISES: &str = "";

/// A client is not told that a session was resumed; but where none was, it is asked to verify a certificate.
static VERIFIED: AtomicBool = AtomicBool::new(false);

struct Trusting;

impl ServerCertVerifier for Trusting {
	fn verify_server_cert(&self, _: &Certificate, _: &[Certificate], _: &ServerName, _: &mut dyn Iterator<Item = &[u8]>, _: &[u8],
		_: std::time::SystemTime) -> Result<ServerCertVerified, Error> {
		VERIFIED.store(true, Ordering::Relaxed);
		Ok(ServerCertVerified::assertion())
	}

	fn verify_tls12_signature(&self, _: &[u8], _: &Certificate, _: &rustls::internal::msgs::handshake::DigitallySignedStruct)
		-> Result<HandshakeSignatureValid, Error> {
		Ok(HandshakeSignatureValid::assertion())
	}

	fn verify_tls13_signature(&self, _: &[u8], _: &Certificate, _: &rustls::internal::msgs::handshake::DigitallySignedStruct)
		-> Result<HandshakeSignatureValid, Error> {
		Ok(HandshakeSignatureValid::assertion())
	}
}

pub fn client_config(version: &'static SupportedProtocolVersion) -> Result<ClientConfig, Error> {
	let mut config = ClientConfig::builder().with_safe_default_cipher_suites().with_safe_default_kx_groups()
		.with_protocol_versions(&[version])?.with_custom_certificate_verifier(Arc::new(Trusting)).with_no_client_auth();
	config.session_storage = ClientSessionMemoryCache::new(32);
	Ok(config)
}

pub fn server_config(version: &'static SupportedProtocolVersion, certificate: Vec<u8>, key: Vec<u8>) -> Result<ServerConfig, Error> {
	ServerConfig::builder().with_safe_default_cipher_suites().with_safe_default_kx_groups().with_protocol_versions(&[version])?
		.with_no_client_auth().with_single_cert(vec![Certificate(certificate)], PrivateKey(key))
}

pub fn localhost() -> ServerName {
	ServerName::try_from("localhost").unwrap()
}

/// Was a certificate verified since the last time that this was asked?
pub fn verified() -> bool {
	VERIFIED.swap(false, Ordering::Relaxed)
}

/// `verified`: in the handshake of this connection a certificate was.
pub fn resumed(tls: &Connection, verified: bool) -> bool {
	match tls {
		Connection::Client(_) => !verified,
		Connection::Server(s) => s.received_resumption_data().is_some(),
	}
}

pub fn key_update(_: &mut Connection) -> Option<Result<(), Error>> {
	None
}
