//! HTTPS by itself, with a real client.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use spots_privacy::SystemRandomness;
use spots_testkit::app::TestApp;
use spots_web::Settings;
use spots_web::tls::{Certificate, CertificateError, SelfSigned, self_signed};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;

fn made(name: &str) -> SelfSigned {
    let now = "2026-11-22T17:00:00Z".parse().unwrap();
    self_signed(
        &[name.to_owned(), "127.0.0.1".to_owned()],
        now,
        &SystemRandomness,
    )
    .unwrap()
}

fn certificate(made: &SelfSigned) -> Certificate {
    Certificate::parse(made.certificate.as_bytes(), made.key.as_bytes()).unwrap()
}

/// Asks over TLS; trusts this certificate alone, at a time when it is valid.
async fn get(port: u16, trusted: &SelfSigned, name: &str, path: &str) -> Result<String, String> {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(trusted.certificate.as_bytes()).unwrap();
    roots.add(root).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_details(provider, Arc::new(Then))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let tls = TlsConnector::from(Arc::new(config))
        .connect(name, tcp)
        .await;
    let mut tls = tls.map_err(|error| error.to_string())?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    tls.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tls.read_to_string(&mut answer)
        .await
        .map_err(|error| error.to_string())?;
    Ok(answer)
}

/// When the certificates are valid.
#[derive(Debug)]
struct Then;

impl rustls::time_provider::TimeProvider for Then {
    fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
        let then: jiff::Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let seconds = u64::try_from(then.as_second()).unwrap();
        let since = std::time::Duration::from_secs(seconds);
        Some(rustls::pki_types::UnixTime::since_unix_epoch(since))
    }
}

#[tokio::test]
async fn a_server_speaks_https_and_takes_another_certificate_while_it_runs() {
    let https = Settings {
        https: true,
        ..Settings::default()
    };
    let app = TestApp::with_settings(https).unwrap();
    let (first, second) = (made("localhost"), made("localhost"));
    let shown = certificate(&first);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (stop, stopped) = oneshot::channel::<()>();
    let (platform, offered) = (app.platform().clone(), shown.clone());
    let server = tokio::spawn(async move {
        let stop = async { drop(stopped.await) };
        spots_web::serve(listener, Some(&offered), platform, stop).await
    });
    // Somebody who says nothing holds up nobody.
    let silent = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let answer = get(port, &first, "localhost", "/sign-in").await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.contains("strict-transport-security: max-age=31536000"),
        "{answer}"
    );
    assert!(answer.contains("upgrade-insecure-requests"), "{answer}");
    let address = get(port, &first, "127.0.0.1", "/healthz").await.unwrap();
    assert!(address.ends_with("alive\n"), "{address}");

    let refused = get(port, &second, "localhost", "/healthz")
        .await
        .unwrap_err();
    assert!(refused.contains("certificate"), "{refused}");
    let refused = get(port, &first, "spots.example", "/healthz")
        .await
        .unwrap_err();
    assert!(refused.contains("certificate"), "{refused}");

    let bad = shown
        .replace(b"no certificate", second.key.as_bytes())
        .unwrap_err();
    assert!(matches!(bad, CertificateError::NoCertificate), "{bad}");
    let bad = shown
        .replace(second.certificate.as_bytes(), first.key.as_bytes())
        .unwrap_err();
    assert!(matches!(bad, CertificateError::Unusable(_)), "{bad}");
    get(port, &first, "localhost", "/healthz").await.unwrap();
    shown
        .replace(second.certificate.as_bytes(), second.key.as_bytes())
        .unwrap();
    get(port, &second, "localhost", "/healthz").await.unwrap();

    // Plain HTTP is no answer.
    let mut plain = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    plain
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    drop(plain.read_to_end(&mut answer).await);
    assert!(!String::from_utf8_lossy(&answer).contains("alive"));
    stop.send(()).unwrap();
    drop(silent);
    server.await.unwrap().unwrap();
}

#[test]
fn a_name_list_that_is_empty_or_endless_makes_no_certificate() {
    let now = "2026-11-22T17:00:00Z".parse().unwrap();
    assert!(self_signed(&[], now, &SystemRandomness).is_none());
    let many = vec!["localhost".to_owned(); 33];
    assert!(self_signed(&many, now, &SystemRandomness).is_none());
}
