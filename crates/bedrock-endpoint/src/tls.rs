//! TLS beside cleartext on the same port, with a certificate authority of this machine's own.
//!
//! A TLS connection begins with the byte 0x16, which no HTTP request begins with; so one port
//! serves both, and there is one address to remember.
//!
//! The authority may vouch for loopback only (X.509 name constraints): whoever steals its key
//! cannot pose as anything else to a client that trusts it.

use std::{
    fs, io,
    io::Write as _,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};
use rustls::{
    RootCertStore, ServerConfig,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier as _},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime, pem::PemObject as _},
};
use time::{Date, OffsetDateTime, format_description::well_known::Iso8601};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::serve::{Security, first_byte};

/// A client that does not finish its handshake is let go after this time.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The first byte of a TLS connection: a handshake record.
const HANDSHAKE_RECORD: u8 = 0x16;

/// How long an authority lives. Some clients refuse certificates that live longer.
const LIFE: time::Duration = time::Duration::days(397);

/// An authority with less than this left is replaced at the next start.
const LEFT_MIN: time::Duration = time::Duration::days(30);

/// The file with the authority's key and certificate.
const AUTHORITY_FILE: &str = "authority.pem";

/// The file that clients are pointed at: the certificate alone.
const CA_FILE: &str = "ca.pem";

const VALID_UNTIL: &str = "valid until ";

/// The certificate authority a client must trust, in PEM: the content of an `AWS_CA_BUNDLE` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaPem(pub String);

/// What an endpoint shows its TLS clients: a certificate for `localhost`, `127.0.0.1` and `::1`,
/// and the authority behind it.
#[derive(Clone)]
pub struct Identity {
    acceptor: TlsAcceptor,
    ca: CaPem,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// The identity cannot be made or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// A file of the authority cannot be read or written.
    #[error("the certificate authority's file {path} cannot be read or written")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Key or certificate cannot be made.
    #[error("a certificate cannot be made")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library refuses what was made.
    #[error("the certificate cannot be used")]
    Tls(#[from] rustls::Error),
}

impl Identity {
    /// With an authority that exists for this value only.
    pub fn ephemeral() -> Result<Self, IdentityError> {
        Self::issued_by(&Authority::new(OffsetDateTime::now_utc())?)
    }

    /// With the authority kept in that folder (key readable by its owner only). It is made when
    /// there is none, when it expires soon, and when its file cannot be understood.
    pub fn kept_in(folder: &Path) -> Result<Self, IdentityError> {
        let now = OffsetDateTime::now_utc();
        let kept = Authority::load(folder).filter(|a| a.until - now > LEFT_MIN);
        // Fails when key and certificate do not belong together.
        let kept = kept.and_then(|authority| Self::issued_by(&authority).ok());
        let identity = match kept {
            Some(identity) => identity,
            None => Self::renewed_in(folder, now)?,
        };
        let path = Self::ca_file(folder);
        if fs::read_to_string(&path).ok().as_ref() != Some(&identity.ca.0) {
            write(&path, &identity.ca.0, Access::Everybody)?;
        }
        Ok(identity)
    }

    /// Where [`Identity::kept_in`] puts the authority's certificate for clients to trust.
    pub fn ca_file(folder: &Path) -> PathBuf {
        folder.join(CA_FILE)
    }

    /// The authority's certificate.
    pub fn ca(&self) -> &CaPem {
        &self.ca
    }

    fn renewed_in(folder: &Path, now: OffsetDateTime) -> Result<Self, IdentityError> {
        let authority = Authority::new(now)?;
        authority.save(folder)?;
        // Another emulator may have started at the same moment: the file decides.
        let kept = Authority::load(folder).unwrap_or(authority);
        Self::issued_by(&kept)
    }

    fn issued_by(authority: &Authority) -> Result<Self, IdentityError> {
        let key = KeyPair::generate()?;
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let mut leaf = CertificateParams::new(names)?;
        leaf.distinguished_name
            .push(DnType::CommonName, "localhost");
        leaf.use_authority_key_identifier_extension = true;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.not_before = authority.until - LIFE;
        leaf.not_after = authority.until;
        let params = authority_params(authority.until);
        let issuer = Issuer::from_params(&params, &authority.key);
        let leaf = leaf.signed_by(&key, &issuer)?.der().clone();

        let provider = Arc::new(rustls::crypto::ring::default_provider());
        verify(&leaf, &authority.certificate, &provider)?;
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![leaf], key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            ca: CaPem(authority.certificate.clone()),
        })
    }
}

/// Whether a client that trusts the authority will accept the certificate.
fn verify(
    leaf: &CertificateDer<'_>,
    authority: &str,
    provider: &Arc<CryptoProvider>,
) -> Result<(), rustls::Error> {
    let unusable = |_| rustls::Error::General("the authority cannot be read".to_owned());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).map_err(unusable)?)?;
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?;
    let name = ServerName::IpAddress(Ipv4Addr::LOCALHOST.into());
    verifier.verify_server_cert(leaf, &[], &name, &[], UnixTime::now())?;
    Ok(())
}

/// A certificate authority: its key, its certificate in PEM, and the day it ends.
struct Authority {
    key: KeyPair,
    certificate: String,
    until: OffsetDateTime,
}

impl Authority {
    fn new(now: OffsetDateTime) -> Result<Self, rcgen::Error> {
        // The file knows the day only.
        let until = (now + LIFE).replace_time(time::Time::MIDNIGHT);
        let key = KeyPair::generate()?;
        let certificate = authority_params(until).self_signed(&key)?.pem();
        Ok(Self {
            key,
            certificate,
            until,
        })
    }

    /// `None` if there is none, or none that can be understood.
    fn load(folder: &Path) -> Option<Self> {
        let text = fs::read_to_string(folder.join(AUTHORITY_FILE)).ok()?;
        let until = text
            .lines()
            .find_map(|line| line.strip_prefix(VALID_UNTIL))?;
        let until = Date::parse(until.trim(), &Iso8601::DATE).ok()?;
        Some(Self {
            key: KeyPair::from_pem(block(&text, "PRIVATE KEY")?).ok()?,
            certificate: format!("{}\n", block(&text, "CERTIFICATE")?),
            until: until.midnight().assume_utc(),
        })
    }

    /// One file with everything, so that key and certificate cannot be of different authorities.
    fn save(&self, folder: &Path) -> Result<(), IdentityError> {
        let failed = |source| IdentityError::File {
            path: folder.to_owned(),
            source,
        };
        fs::create_dir_all(folder).map_err(failed)?;
        let until = self.until.date().format(&Iso8601::DATE).unwrap_or_default();
        let text = format!(
            "The certificate authority of this machine's Bedrock emulator. Keep it to yourself;\n\
             clients are given {CA_FILE} beside it. Delete it to get a new one.\n\
             {VALID_UNTIL}{until}\n{}{}",
            self.key.serialize_pem(),
            self.certificate
        );
        write(&folder.join(AUTHORITY_FILE), &text, Access::OwnerOnly)
    }
}

fn authority_params(until: OffsetDateTime) -> CertificateParams {
    let mut authority = CertificateParams::default();
    authority
        .distinguished_name
        .push(DnType::CommonName, "Bedrock emulator on this machine");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("localhost".to_owned()),
            GeneralSubtree::IpAddress(CidrSubnet::V4([127, 0, 0, 0], [255, 0, 0, 0])),
            GeneralSubtree::IpAddress(CidrSubnet::V6(
                std::net::Ipv6Addr::LOCALHOST.octets(),
                [0xff; 16],
            )),
        ],
        excluded_subtrees: Vec::new(),
    });
    authority.not_before = until - LIFE;
    authority.not_after = until;
    authority
}

/// `-----BEGIN label-----` to its end.
fn block<'t>(text: &'t str, label: &str) -> Option<&'t str> {
    let end_line = format!("-----END {label}-----");
    let start = text.find(&format!("-----BEGIN {label}-----"))?;
    let end = start + text[start..].find(&end_line)? + end_line.len();
    Some(&text[start..end])
}

#[derive(Clone, Copy, PartialEq)]
enum Access {
    OwnerOnly,
    Everybody,
}

/// Writes a file that is at no moment half written, nor open to others if it must not be.
fn write(path: &Path, text: &str, access: Access) -> Result<(), IdentityError> {
    let written = || {
        let beside = path.with_extension(format!("{}.new", std::process::id()));
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(if access == Access::OwnerOnly {
                0o600
            } else {
                0o644
            });
        }
        // Elsewhere the user's own folder keeps others out.
        #[cfg(not(unix))]
        let _ = access;
        options.open(&beside)?.write_all(text.as_bytes())?;
        fs::rename(&beside, path)
    };
    written().map_err(|source| IdentityError::File {
        path: path.to_owned(),
        source,
    })
}

/// Cleartext and TLS on one port.
#[derive(Clone)]
pub(crate) struct Both(TlsAcceptor);

impl Both {
    pub(crate) fn new(identity: &Identity) -> Self {
        Self(identity.acceptor.clone())
    }
}

impl Security for Both {
    type Stream = Either;

    async fn secure(&self, tcp: TcpStream, idle: Duration) -> Option<Either> {
        if first_byte(&tcp, idle).await? != HANDSHAKE_RECORD {
            return Some(Either::Plain(tcp));
        }
        let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, self.0.accept(tcp)).await;
        handshake.ok()?.ok().map(|tls| Either::Tls(Box::new(tls)))
    }
}

/// A connection with or without TLS.
pub(crate) enum Either {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Either {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Self::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Either {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Self::Tls(tls) => Pin::new(tls).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(tcp) => tcp.is_write_vectored(),
            Self::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write_vectored(cx, bufs),
            Self::Tls(tls) => Pin::new(tls).poll_write_vectored(cx, bufs),
        }
    }
}
