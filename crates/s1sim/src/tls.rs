//! A certificate authority of our own, made at start and forgotten at the end, and one server certificate under it.
//! Clients must be given the authority's PEM; nothing else in the world trusts it.

use std::net::IpAddr;
use std::sync::Arc;

use axum_server::tls_rustls::RustlsConfig;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// A server's TLS settings and what a client needs to believe them.
pub(crate) struct Identity {
    pub(crate) ca_pem: String,
    pub(crate) config: RustlsConfig,
}

impl Identity {
    /// Makes an authority and a certificate for `localhost`, the loopback addresses and `ip`.
    pub(crate) fn make(ip: IpAddr) -> Result<Self, Error> {
        // A second call fails because a provider is already there, which is just what is wanted.
        let _ = rustls::crypto::ring::default_provider().install_default();

        let ca_key = KeyPair::generate()?;
        let mut ca = params(Vec::new(), "s1sim test authority")?;
        ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca_cert = ca.self_signed(&ca_key)?;
        let issuer = Issuer::new(ca, ca_key);

        let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        let own = ip.to_string();
        if !ip.is_unspecified() && !names.contains(&own) {
            names.push(own);
        }
        let key = KeyPair::generate()?;
        let mut leaf = params(names, "s1sim")?;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        let cert = leaf.signed_by(&key, &issuer)?;

        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config =
            rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert.der().clone()], key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { ca_pem: ca_cert.pem(), config: RustlsConfig::from_config(Arc::new(config)) })
    }
}

fn params(names: Vec<String>, common_name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = date_time_ymd(2025, 1, 1);
    params.not_after = date_time_ymd(2045, 1, 1);
    Ok(params)
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not make a certificate")]
    Certificate(#[from] rcgen::Error),
    #[error("could not set up tls")]
    Tls(#[from] rustls::Error),
}
