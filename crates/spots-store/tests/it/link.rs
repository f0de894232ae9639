//! A way to PostgreSQL that is cut where it hurts most: at a commit, before the server has heard of
//! it or after it is done.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use spots_testkit::postgres::Database;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

/// The name of PostgreSQL's socket in its directory.
const SOCKET: &str = ".s.PGSQL.5432";
/// What a transaction must have written for its commit to be meant.
const WRITES: [&[u8]; 2] = [b"INSERT INTO journal_entries", b"INSERT INTO reservations"];
/// The statement, and the tag by which the server says that it is done. `READ COMMITTED` is neither.
const COMMIT: &[u8] = b"COMMIT\0";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The server never hears of the commit.
    Before,
    /// The server commits; its answer is lost.
    After,
}

pub(crate) struct Link {
    directory: TempDir,
    cut: Arc<Mutex<Option<Cut>>>,
    url: String,
}

impl Link {
    pub(crate) fn to(database: &Database) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join(SOCKET)).unwrap();
        let server = database.cluster_folder().to_owned();
        let url = database.url().replace(
            &server.display().to_string(),
            &directory.path().display().to_string(),
        );
        let cut = Arc::<Mutex<Option<Cut>>>::default();
        let armed = Arc::clone(&cut);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server.join(SOCKET), Arc::clone(&armed)));
            }
        });
        Self {
            directory,
            cut,
            url,
        }
    }

    pub(crate) fn url(&self) -> &str {
        assert!(
            self.url
                .contains(&self.directory.path().display().to_string())
        );
        &self.url
    }

    /// Cuts the connection of the next commit of something that was written.
    pub(crate) fn cut(&self, when: Cut) {
        *lock(&self.cut) = Some(when);
    }

    /// Whether it has cut.
    pub(crate) fn has_cut(&self) -> bool {
        lock(&self.cut).is_none()
    }
}

fn lock(cut: &Mutex<Option<Cut>>) -> std::sync::MutexGuard<'_, Option<Cut>> {
    cut.lock().unwrap_or_else(PoisonError::into_inner)
}

fn holds(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|part| part == what)
}

/// Carries bytes both ways until one side ends or the link is cut.
async fn carry(
    mut client: UnixStream,
    server: impl AsRef<Path>,
    cut: Arc<Mutex<Option<Cut>>>,
) -> std::io::Result<()> {
    let mut server = UnixStream::connect(server).await?;
    let (mut said, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    let (mut wrote, mut last) = (false, false);
    loop {
        tokio::select! {
            read = client.read(&mut said) => {
                let bytes = &said[..read?];
                if bytes.is_empty() {
                    return Ok(());
                }
                wrote |= WRITES.iter().any(|write| holds(bytes, write));
                if wrote && holds(bytes, COMMIT) {
                    match lock(&cut).take() {
                        Some(Cut::Before) => return Ok(()),
                        Some(Cut::After) => last = true,
                        None => wrote = false,
                    }
                }
                server.write_all(bytes).await?;
            }
            read = server.read(&mut answered) => {
                let bytes = &answered[..read?];
                if bytes.is_empty() || (last && holds(bytes, COMMIT)) {
                    return Ok(());
                }
                client.write_all(bytes).await?;
            }
        }
    }
}
