//! What rustls 0.23 says in other words than earlier ones.
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::Resumption;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, Connection, DigitallySignedStruct, Error, HandshakeKind, ServerConfig, SignatureScheme, SupportedProtocolVersion};
use std::sync::Arc;

/// Words of the greeting that not every version has.
pub const CAN: &str = "key-update";
pub const PROMISES: &str = "truncation-visible";

#[derive(Debug)]
struct Trusting;

impl ServerCertVerifier for Trusting {
	fn verify_server_cert(&self, _: &CertificateDer<'_>, _: &[CertificateDer<'_>], _: &ServerName<'_>, _: &[u8], _: UnixTime)
		-> Result<ServerCertVerified, Error> {
		Ok(ServerCertVerified::assertion())
	}

	fn verify_tls12_signature(&self, _: &[u8], _: &CertificateDer<'_>, _: &DigitallySignedStruct) -> Result<HandshakeSignatureValid, Error> {
		Ok(HandshakeSignatureValid::assertion())
	}

	fn verify_tls13_signature(&self, _: &[u8], _: &CertificateDer<'_>, _: &DigitallySignedStruct) -> Result<HandshakeSignatureValid, Error> {
		Ok(HandshakeSignatureValid::assertion())
	}

	fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
		rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
	}
}

pub fn client_config(version: &'static SupportedProtocolVersion) -> Result<ClientConfig, Error> {
	let mut config = ClientConfig::builder_with_protocol_versions(&[version]).dangerous()
		.with_custom_certificate_verifier(Arc::new(Trusting)).with_no_client_auth();
	config.resumption = Resumption::in_memory_sessions(32);
	Ok(config)
}

pub fn server_config(version: &'static SupportedProtocolVersion, certificate: Vec<u8>, key: Vec<u8>) -> Result<ServerConfig, Error> {
	ServerConfig::builder_with_protocol_versions(&[version]).with_no_client_auth()
		.with_single_cert(vec![certificate.into()], PrivatePkcs8KeyDer::from(key).into())
}

pub fn localhost() -> ServerName<'static> {
	ServerName::try_from("localhost").unwrap()
}

/// Not needed here: see `resumed`.
pub fn verified() -> bool {
	false
}

pub fn resumed(tls: &Connection, _: bool) -> bool {
	tls.handshake_kind() == Some(HandshakeKind::Resumed)
}

pub fn key_update(tls: &mut Connection) -> Option<Result<(), Error>> {
	Some(tls.refresh_traffic_keys())
}
