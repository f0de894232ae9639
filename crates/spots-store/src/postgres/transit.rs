//! How a connection travels: over TLS that verifies the server.
//!
//! A URL that names another machine gets TLS with the server's certificate and name checked, also
//! where it says `sslmode=require`: what does not check whom it talks to keeps no secret. A Unix
//! socket or a loopback address needs none. `sslmode=disable` is for a network that is trusted.

use std::convert::Infallible;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres::{Client, Config};
use tokio_rustls::TlsConnector;

use crate::error::StoreError;

const DOING: &str = "connect to PostgreSQL";
/// Where systems keep the authorities that they trust.
const SYSTEM_ROOTS: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];
/// The largest file of authorities, in bytes.
const ROOTS_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Why a URL does not say how to travel.
#[derive(Debug, thiserror::Error)]
enum Unclear {
    #[error("`sslmode={0}` is none of disable, prefer, require, verify-ca, verify-full")]
    Mode(String),
    #[error("`{0}` in the URL is not percent-encoded text")]
    Encoding(String),
    #[error("failed to read the authorities in {}", path.display())]
    Roots {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("{} holds no certificate", .0.display())]
    NoRoots(PathBuf),
    #[error("this system keeps no list of authorities; say sslrootcert=FILE in the URL")]
    NoSystemRoots,
}

/// Where a PostgreSQL is, and whether the way there is sealed.
#[derive(Clone)]
pub struct PostgresAddress {
    config: Config,
    connector: Connector,
}

impl std::fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresAddress")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl PostgresAddress {
    /// Whether a database's URL is one of PostgreSQL, and no file of SQLite.
    pub fn is_url(url: &str) -> bool {
        url.starts_with("postgres://") || url.starts_with("postgresql://")
    }

    /// Reads `postgres://USER@HOST/NAME`, with `sslmode` and `sslrootcert` beside what
    /// tokio-postgres knows.
    pub fn parse(url: &str) -> Result<Self, StoreError> {
        Self::read(url).map_err(|cause| StoreError::failed(DOING, cause))
    }

    fn read(url: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let (rest, mode, roots) = split(url)?;
        let mut config: Config = rest.parse()?;
        let sealed = match mode.as_deref() {
            None => !is_local(&config),
            Some("disable") => false,
            Some("prefer" | "require" | "verify-ca" | "verify-full") => true,
            Some(other) => return Err(Unclear::Mode(other.to_owned()).into()),
        };
        config.ssl_mode(if sealed {
            SslMode::Require
        } else {
            SslMode::Disable
        });
        let roots = if sealed {
            read_roots(roots.as_deref())?
        } else {
            RootCertStore::empty()
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = Connector(Arc::new(tls));
        Ok(Self { config, connector })
    }

    /// The same server, another database of it.
    #[must_use]
    pub fn database(mut self, name: &str) -> Self {
        self.config.dbname(name);
        self
    }

    /// The parts that a pool takes.
    pub(super) fn into_parts(self) -> (Config, Connector) {
        (self.config, self.connector)
    }

    /// Connects; the connection ends with the client.
    pub async fn connect(&self) -> Result<Client, StoreError> {
        let connected = self.config.connect(self.connector.clone()).await;
        let (client, connection) = connected.map_err(|cause| StoreError::failed(DOING, cause))?;
        // The client reports whatever goes wrong.
        tokio::spawn(async move { drop(connection.await) });
        Ok(client)
    }
}

/// The URL without what TLS needs, and that.
fn split(url: &str) -> Result<(String, Option<String>, Option<String>), Unclear> {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let (mut mode, mut roots, mut rest) = (None, None, Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("sslmode", value)) => mode = Some(decode(value)?),
            Some(("sslrootcert", value)) => roots = Some(decode(value)?),
            _ => rest.push(pair),
        }
    }
    let rest = if rest.is_empty() {
        base.to_owned()
    } else {
        format!("{base}?{}", rest.join("&"))
    };
    Ok((rest, mode, roots))
}

fn decode(text: &str) -> Result<String, Unclear> {
    let wrong = || Unclear::Encoding(text.to_owned());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next(), rest.next()].map(|digit| digit.unwrap_or(b'x'));
            let digits = std::str::from_utf8(&digits).map_err(|_not_text| wrong())?;
            bytes.push(u8::from_str_radix(digits, 16).map_err(|_not_hex| wrong())?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).map_err(|_not_text| wrong())
}

/// Whether nothing leaves this machine.
fn is_local(config: &Config) -> bool {
    let near = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            let address = name.parse::<std::net::IpAddr>();
            name == "localhost" || address.is_ok_and(|address| address.is_loopback())
        }
    };
    if config.get_hostaddrs().is_empty() {
        config.get_hosts().iter().all(near)
    } else {
        config
            .get_hostaddrs()
            .iter()
            .all(std::net::IpAddr::is_loopback)
    }
}

fn read_roots(named: Option<&str>) -> Result<RootCertStore, Unclear> {
    let path = match named {
        None | Some("system") => SYSTEM_ROOTS
            .iter()
            .map(PathBuf::from)
            .find(|path| path.exists())
            .ok_or(Unclear::NoSystemRoots)?,
        Some(path) => PathBuf::from(path),
    };
    let pem = read_bounded(&path).map_err(|cause| Unclear::Roots {
        path: path.clone(),
        cause,
    })?;
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok);
    let (added, _odd) = roots.add_parsable_certificates(certificates);
    if added == 0 {
        return Err(Unclear::NoRoots(path));
    }
    Ok(roots)
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    if fs::metadata(path)?.len() > ROOTS_BYTES_MAX {
        return Err(io::Error::other(format!(
            "larger than {ROOTS_BYTES_MAX} bytes"
        )));
    }
    fs::read(path)
}

/// Makes TLS sessions for tokio-postgres.
#[derive(Clone)]
pub(super) struct Connector(Arc<ClientConfig>);

/// A session that is about to begin, with the name that the server must prove.
pub(super) struct Greeting {
    tls: TlsConnector,
    /// A Unix socket has none, and no session either.
    name: Result<ServerName<'static>, InvalidDnsNameError>,
}

/// A TLS session with the server.
pub(super) struct Sealed<S>(tokio_rustls::client::TlsStream<S>);

impl<S> MakeTlsConnect<S> for Connector
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Sealed<S>;
    type TlsConnect = Greeting;
    type Error = Infallible;

    fn make_tls_connect(&mut self, domain: &str) -> Result<Greeting, Infallible> {
        Ok(Greeting {
            tls: TlsConnector::from(Arc::clone(&self.0)),
            name: ServerName::try_from(domain.to_owned()),
        })
    }
}

impl<S> TlsConnect<S> for Greeting
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Sealed<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Sealed<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let name = self.name.map_err(io::Error::other)?;
            let session = self.tls.connect(name, stream).await.map_err(explain)?;
            Ok(Sealed(session))
        })
    }
}

/// Names the next step where a certificate is not believed.
fn explain(cause: io::Error) -> io::Error {
    let inner = cause.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(rustls::Error::InvalidCertificate(_)) => io::Error::other(format!(
            "{cause}; if an authority of your own signed it, add sslrootcert=FILE to the URL, and \
             name the host as the certificate does"
        )),
        _ => cause,
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Sealed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Sealed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Sealed<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> SslMode {
        PostgresAddress::read(url).unwrap().config.get_ssl_mode()
    }

    #[test]
    fn what_leaves_the_machine_is_sealed() {
        for url in [
            "postgres://spots@localhost/spots",
            "postgres://spots@127.0.0.1/spots",
            "postgres://spots@[::1]/spots",
            "postgres://spots@/spots?host=/run/postgresql",
            "postgres://spots@db.example/spots?hostaddr=127.0.0.1",
            "postgres://spots@db.example/spots?sslmode=disable",
        ] {
            assert_eq!(mode(url), SslMode::Disable, "{url}");
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("roots of ours.pem");
        let roots = file.display().to_string().replace(' ', "%20");
        fs::write(&file, "no certificate").unwrap();
        let url = format!("postgres://spots@db.example/spots?sslrootcert={roots}");
        let error = PostgresAddress::read(&url).unwrap_err().to_string();
        assert!(error.contains("holds no certificate"), "{error}");
        for sealed in [
            "",
            "&sslmode=prefer",
            "&sslmode=require",
            "&sslmode=verify-full",
        ] {
            let url = format!("postgres://spots@db.example/spots?sslrootcert=/none{sealed}");
            let error = PostgresAddress::read(&url).unwrap_err().to_string();
            assert!(error.contains("authorities in /none"), "{url}: {error}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (query, said) in [
            ("sslmode=maybe", "none of disable"),
            ("sslmode=%zz", "not percent-encoded"),
            ("sslrootcert=%2", "not percent-encoded"),
        ] {
            let url = format!("postgres://spots@db.example/spots?{query}");
            let error = PostgresAddress::read(&url).unwrap_err().to_string();
            assert!(error.contains(said), "{query}: {error}");
        }
    }
}
