//! How `spots serve` travels: plain on this machine, HTTPS by itself, or HTTPS by a proxy.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use spots_clock::AtomicClock;
use spots_privacy::SystemRandomness;
use spots_store::Stamp;
use spots_web::tls::{Certificate, self_signed};
use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroizing;

use crate::config::ServerSettings;
use crate::output::Output;

/// The largest certificate or key file, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What stands between a person and this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    /// Nothing: this machine talks to itself.
    Plain,
    /// A proxy that speaks HTTPS.
    Proxy,
    /// A certificate from files.
    Files,
    /// A certificate that nobody vouches for.
    SelfSigned,
}

impl Transport {
    /// Reads it from the settings; what others could listen to is refused.
    pub(super) fn of(settings: &ServerSettings) -> anyhow::Result<Self> {
        let transport = if settings.tls_certificate.is_some() {
            Self::Files
        } else if settings.tls_self_signed {
            Self::SelfSigned
        } else if settings.https_proxy {
            Self::Proxy
        } else {
            Self::Plain
        };
        if transport == Self::Plain && !settings.listen.ip().is_loopback() {
            bail!(
                "{} can be reached from other machines, and nothing seals what is sent there; say \
                 --tls-certificate FILE --tls-key FILE, or --tls-self-signed to try it out, or put \
                 a proxy that speaks HTTPS in front and say --https-proxy, or listen on 127.0.0.1",
                settings.listen
            );
        }
        Ok(transport)
    }

    /// Whether people come over HTTPS.
    pub(super) fn is_https(self) -> bool {
        self != Self::Plain
    }

    /// The certificate to show, if this server speaks HTTPS itself.
    pub(super) fn certificate(
        self,
        settings: &ServerSettings,
        clock: &AtomicClock,
        output: &mut Output,
    ) -> anyhow::Result<Option<Certificate>> {
        if self == Self::SelfSigned {
            let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
            let address = settings.listen.ip();
            let own =
                (!address.is_unspecified() && !address.is_loopback()).then(|| address.to_string());
            let names: Vec<_> = names.into_iter().chain(own).collect();
            let now = Stamp::from(clock.now()?).timestamp();
            let made = self_signed(&names, now, &SystemRandomness)
                .context("failed to make a certificate")?;
            output.note(
                "serving a new certificate that nobody vouches for: browsers will warn; for real \
                 use say --tls-certificate and --tls-key",
            )?;
            let certificate = Certificate::parse(made.certificate.as_bytes(), made.key.as_bytes())?;
            return Ok(Some(certificate));
        }
        let (Some(chain), Some(key)) = (&settings.tls_certificate, &settings.tls_key) else {
            return Ok(None);
        };
        let (chain_text, key_text) = read(chain, key)?;
        let certificate = Certificate::parse(&chain_text, &key_text)
            .with_context(|| format!("failed to use the certificate in {}", chain.display()))?;
        watch(certificate.clone(), chain, key)?;
        Ok(Some(certificate))
    }
}

fn read(chain: &Path, key: &Path) -> anyhow::Result<(Vec<u8>, Zeroizing<Vec<u8>>)> {
    let mode = fs::metadata(key)
        .with_context(|| format!("failed to read the key in {}", key.display()))?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        bail!(
            "{key} can be read by others than its owner; run: chmod 600 {key}",
            key = key.display()
        );
    }
    let text = |path: &Path| {
        let bounded = || {
            if fs::metadata(path)?.len() > FILE_BYTES_MAX {
                return Err(std::io::Error::other(format!(
                    "larger than {FILE_BYTES_MAX} bytes"
                )));
            }
            fs::read(path)
        };
        bounded().with_context(|| format!("failed to read {}", path.display()))
    };
    Ok((text(chain)?, Zeroizing::new(text(key)?)))
}

/// Reads the files again whenever the process gets SIGHUP. What cannot be used changes nothing.
fn watch(certificate: Certificate, chain: &Path, key: &Path) -> anyhow::Result<()> {
    let mut asked = signal(SignalKind::hangup())?;
    let (chain, key) = (chain.to_owned(), key.to_owned());
    tokio::spawn(async move {
        while asked.recv().await.is_some() {
            let replaced =
                read(&chain, &key).and_then(|(chain, key)| Ok(certificate.replace(&chain, &key)?));
            match replaced {
                Ok(()) => tracing::info!("read the certificate again"),
                Err(error) => tracing::error!(
                    error = format!("{error:#}"),
                    "failed to read the certificate again; the old one stays"
                ),
            }
        }
    });
    Ok(())
}
