//! TLS and cleartext on one port, and the authority that is kept between two starts.
#![cfg(feature = "tls")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path, sync::Arc, time::Duration};

use bedrock_emulator::{Config, Emulator, emulator::Auth};
use bedrock_endpoint::{CaPem, Endpoint, Identity, Setup};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// A wrong endpoint could hang; then a test fails instead.
const LIMIT: Duration = Duration::from_secs(10);

async fn endpoint(identity: Identity) -> Endpoint {
    let config = Config {
        auth: Auth::Off,
        ..Config::default()
    };
    let emulator = Arc::new(Emulator::new(config).unwrap());
    let setup = Setup {
        tls: Some(identity),
        ..Setup::default()
    };
    let loopback = ([127, 0, 0, 1], 0).into();
    Endpoint::open(loopback, emulator, setup).await.unwrap()
}

/// A client that trusts that authority alone.
async fn connect(
    endpoint: &Endpoint,
    ca: &CaPem,
    name: &str,
    protocol: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(ca.0.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let tcp = TcpStream::connect(endpoint.addr()).await.unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let handshake = TlsConnector::from(Arc::new(config)).connect(name, tcp);
    tokio::time::timeout(LIMIT, handshake).await.unwrap()
}

const HEAD: &[u8] = b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn one_port_speaks_cleartext_and_tls_in_both_versions_of_http() {
    let identity = Identity::ephemeral().unwrap();
    let ca = identity.ca().clone();
    let endpoint = endpoint(identity).await;
    assert_eq!(
        endpoint.tls_url().unwrap(),
        endpoint.url().replace("http:", "https:")
    );

    let mut plain = TcpStream::connect(endpoint.addr()).await.unwrap();
    plain.write_all(HEAD).await.unwrap();
    let mut text = String::new();
    plain.read_to_string(&mut text).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 404 "), "{text}");

    for name in ["127.0.0.1", "localhost", "::1"] {
        let mut tls = connect(&endpoint, &ca, name, b"http/1.1").await.unwrap();
        tls.write_all(HEAD).await.unwrap();
        let mut text = String::new();
        tls.read_to_string(&mut text).await.unwrap();
        assert!(text.starts_with("HTTP/1.1 404 "), "{name}: {text}");
    }

    let tls = connect(&endpoint, &ca, "localhost", b"h2").await.unwrap();
    assert_eq!(tls.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(tls))
            .await
            .unwrap();
    let connection = tokio::spawn(connection);
    let request = hyper::Request::get("https://localhost/nothing")
        .body(Full::new(Bytes::new()))
        .unwrap();
    let answer = client.send_request(request).await.unwrap();
    assert_eq!(answer.version(), hyper::Version::HTTP_2);
    assert_eq!(answer.status(), 404);
    answer.into_body().collect().await.unwrap();
    connection.abort();
}

#[tokio::test]
async fn another_name_and_another_authority_are_refused_by_the_client() {
    let identity = Identity::ephemeral().unwrap();
    let ca = identity.ca().clone();
    let endpoint = endpoint(identity).await;
    assert!(
        connect(&endpoint, &ca, "example.test", b"h2")
            .await
            .is_err()
    );
    let stranger = Identity::ephemeral().unwrap().ca().clone();
    assert!(
        connect(&endpoint, &stranger, "localhost", b"h2")
            .await
            .is_err()
    );
    // And half a handshake harms nobody.
    let mut tcp = TcpStream::connect(endpoint.addr()).await.unwrap();
    tcp.write_all(b"\x16\x03\x01\x02\x00garbage").await.unwrap();
    tcp.shutdown().await.unwrap();
    assert!(connect(&endpoint, &ca, "localhost", b"h2").await.is_ok());
}

#[test]
fn the_authority_is_kept_until_it_expires_or_breaks() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("state");
    let authority = folder.join("authority.pem");
    let first = Identity::kept_in(&folder).unwrap().ca().clone();
    let shown = || fs::read_to_string(Identity::ca_file(&folder)).unwrap();
    assert_eq!(shown(), first.0);
    owner_only(&authority);
    assert_eq!(Identity::kept_in(&folder).unwrap().ca(), &first);

    // Key and certificate of different authorities.
    let text = fs::read_to_string(&authority).unwrap();
    let other = Identity::ephemeral().unwrap().ca().clone();
    fs::write(&authority, text.replace(first.0.trim(), other.0.trim())).unwrap();
    let second = Identity::kept_in(&folder).unwrap().ca().clone();
    assert!(second != first && second != other);

    // It ends soon.
    let text = fs::read_to_string(&authority).unwrap();
    let until = text.lines().find(|l| l.starts_with("valid until")).unwrap();
    fs::write(&authority, text.replace(until, "valid until 2001-01-01")).unwrap();
    let third = Identity::kept_in(&folder).unwrap().ca().clone();
    assert_ne!(third, second);
    assert_eq!(shown(), third.0);

    // Nonsense.
    fs::write(&authority, "nonsense").unwrap();
    assert_ne!(Identity::kept_in(&folder).unwrap().ca(), &third);
    owner_only(&authority);
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Identity::kept_in(&file.join("state")).unwrap_err();
    assert!(error.to_string().contains("state"), "{error}");
}

fn owner_only(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    #[cfg(not(unix))]
    let _ = path;
}
