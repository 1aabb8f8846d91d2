//! The same endpoint behind TLS, with a certificate authority made on the spot.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bedrock_emulator::Emulator;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{BindError, Endpoint, Hooks, serve::Security};

/// A client that does not finish its handshake is let go after this time.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The certificate authority a client must trust, in PEM: the content of an `AWS_CA_BUNDLE` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaPem(pub String);

impl Endpoint {
    /// Listens with TLS (HTTP/2 and HTTP/1.1 by ALPN) as `localhost` and `127.0.0.1`, with a
    /// certificate of an authority that exists for this endpoint only.
    pub async fn bind_tls(
        addr: SocketAddr,
        emulator: Arc<Emulator>,
    ) -> Result<(Self, CaPem), BindError> {
        let (config, ca) = certified().map_err(|source| BindError { addr, source })?;
        let security = Tls(TlsAcceptor::from(Arc::new(config)));
        let endpoint = Self::listen(addr, emulator, Hooks::default(), security).await?;
        Ok((endpoint, ca))
    }
}

#[derive(Clone)]
struct Tls(TlsAcceptor);

impl Security for Tls {
    type Stream = TlsStream<TcpStream>;

    fn scheme(&self) -> &'static str {
        "https"
    }

    async fn secure(&self, tcp: TcpStream) -> Option<Self::Stream> {
        let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, self.0.accept(tcp)).await;
        handshake.ok()?.ok()
    }
}

fn certified() -> io::Result<(ServerConfig, CaPem)> {
    let (ca, leaf, key) = certificates().map_err(io::Error::other)?;
    let chain = vec![leaf];
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key))
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((config, ca))
}

type Certificates = (CaPem, CertificateDer<'static>, PrivateKeyDer<'static>);

fn certificates() -> Result<Certificates, rcgen::Error> {
    let mut authority = CertificateParams::default();
    authority
        .distinguished_name
        .push(DnType::CommonName, "Bedrock emulator, this run only");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

    let key = KeyPair::generate()?;
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let leaf = CertificateParams::new(names)?.signed_by(&key, &authority)?;
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    Ok((CaPem(authority.pem()), leaf.der().clone(), key))
}
