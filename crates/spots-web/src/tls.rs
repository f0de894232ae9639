//! HTTPS without a proxy: connections become TLS sessions before a request is read.

mod self_signed;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub use self_signed::{SelfSigned, self_signed};

/// Handshakes under way; more wait at the door.
const HANDSHAKES_MAX: usize = 256;
/// Sessions that wait for their first request to be read.
const READY_MAX: usize = 64;
/// How long a handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait when the system has no connection to give, as when files run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Why a certificate cannot be served.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// No certificate in the text.
    #[error("there is no certificate (`BEGIN CERTIFICATE`) in it")]
    NoCertificate,
    /// No private key in the text.
    #[error("there is no private key (`BEGIN PRIVATE KEY`) in it")]
    NoKey,
    /// They do not fit, or are of an unknown kind.
    #[error("certificate and key cannot be used")]
    Unusable(#[from] rustls::Error),
}

/// The certificate that a server shows. Clones share it, and it can be replaced while it serves.
#[derive(Clone)]
pub struct Certificate {
    shown: Arc<Shown>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").finish_non_exhaustive()
    }
}

/// What new sessions are shown.
#[derive(Debug)]
struct Shown(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let shown = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&shown))
    }
}

fn provider() -> CryptoProvider {
    rustls::crypto::aws_lc_rs::default_provider()
}

impl Certificate {
    /// Reads a chain, the server's own certificate first, and its key; both as PEM.
    pub fn parse(chain: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let certified = Arc::new(certify(chain, key)?);
        let shown = Arc::new(Shown(RwLock::new(certified)));
        Ok(Self { shown })
    }

    /// Shows another certificate to sessions that begin from now on. A bad one changes nothing.
    pub fn replace(&self, chain: &[u8], key: &[u8]) -> Result<(), CertificateError> {
        let certified = Arc::new(certify(chain, key)?);
        *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = certified;
        Ok(())
    }

    fn acceptor(&self) -> Result<TlsAcceptor, rustls::Error> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&self.shown) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn certify(chain: &[u8], key: &[u8]) -> Result<CertifiedKey, CertificateError> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(chain)
        .collect::<Result<_, _>>()
        .or(Err(CertificateError::NoCertificate))?;
    if chain.is_empty() {
        return Err(CertificateError::NoCertificate);
    }
    let key = PrivateKeyDer::from_pem_slice(key).or(Err(CertificateError::NoKey))?;
    Ok(CertifiedKey::from_der(chain, key, &provider())?)
}

/// Hands out sessions whose handshake is done. One that is slow or broken holds up no other.
#[derive(Debug)]
pub(crate) struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
    // Ends with the listener.
    _door: Door,
}

#[derive(Debug)]
struct Door(tokio::task::JoinHandle<()>);

impl Drop for Door {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl TlsListener {
    /// Takes connections on this listener from now on.
    pub(crate) fn new(listener: TcpListener, certificate: &Certificate) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let acceptor = certificate.acceptor().map_err(io::Error::other)?;
        let (done, ready) = mpsc::channel(READY_MAX);
        let door = Door(tokio::spawn(attend(listener, acceptor, done)));
        Ok(Self {
            ready,
            address,
            _door: door,
        })
    }
}

#[expect(
    clippy::infinite_loop,
    reason = "ends when its task is aborted with the listener"
)]
async fn attend(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    done: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let places = Arc::new(Semaphore::new(HANDSHAKES_MAX));
    loop {
        let place = Arc::clone(&places).acquire_owned().await;
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "failed to take a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (acceptor, done) = (acceptor.clone(), done.clone());
        tokio::spawn(async move {
            let _place = place;
            let session = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await;
            match session {
                // Nobody takes sessions any more: the server stops.
                Ok(Ok(session)) => drop(done.send((session, address)).await),
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                Err(_elapsed) => tracing::debug!("a TLS handshake took too long"),
            }
        });
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(accepted) => accepted,
            // The door's task is gone, which only a defect brings about: nothing comes any more.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}
