//! An ephemeral PostgreSQL: a cluster in a temporary directory, a fresh database for every test.
//!
//! ```no_run
//! let database = spots_testkit::postgres::Database::create()?;
//! assert!(database.url().starts_with("postgres://"));
//! # Ok::<(), anyhow::Error>(())
//! ```

mod process;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use self::process::{Programs, Server};

/// The superuser of the cluster; every local connection is trusted.
const USER: &str = "spots";

/// A running PostgreSQL that listens on a Unix socket only. It stops when it is dropped, and when
/// the process dies.
#[derive(Debug)]
pub struct Cluster {
    programs: Programs,
    databases: AtomicU32,
    // Stops before its directory goes.
    _server: Server,
    directory: TempDir,
}

impl Cluster {
    /// The cluster of this process; started if nobody holds it.
    pub fn shared() -> Result<Arc<Self>> {
        static RUNNING: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cluster) = running.upgrade() {
            return Ok(cluster);
        }
        let cluster = Arc::new(Self::start(true)?);
        *running = Arc::downgrade(&cluster);
        Ok(cluster)
    }

    /// Starts a cluster of one's own; one that is not `durable` never waits for the disk.
    pub fn start(durable: bool) -> Result<Self> {
        Self::begin(durable, |_, _| Ok(Vec::new()))
    }

    /// Starts one that also listens at this port of this machine, over TLS with this certificate
    /// and key, both PEM.
    pub fn start_sealed(port: u16, certificate: &str, key: &str) -> Result<Self> {
        Self::begin(false, |programs, directory| {
            let mut settings = vec!["-h".to_owned(), "127.0.0.1".to_owned()];
            settings.extend(["-p".to_owned(), port.to_string()]);
            settings.extend(["-c".to_owned(), "ssl=on".to_owned()]);
            for (setting, content) in [("ssl_cert_file", certificate), ("ssl_key_file", key)] {
                let path = directory.join(setting);
                fs::write(&path, content).context("failed to write a certificate")?;
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
                programs.hand_over(&path)?;
                settings.extend(["-c".to_owned(), format!("{setting}={}", path.display())]);
            }
            Ok(settings)
        })
    }

    fn begin(
        durable: bool,
        settings: impl FnOnce(&Programs, &Path) -> Result<Vec<String>>,
    ) -> Result<Self> {
        let programs = Programs::find()?;
        let directory = tempfile::Builder::new()
            .prefix("spots-postgres-")
            .tempdir()
            .context("failed to make a directory for PostgreSQL")?;
        programs.hand_over(directory.path())?;
        let data = directory.path().join("data");
        let initdb = ["--no-sync", "--locale=C", "--encoding=UTF8", "--auth=trust"];
        let mut arguments: Vec<&str> = initdb.into();
        let path = text(&data)?;
        arguments.extend(["--username", USER, "--pgdata", path]);
        programs.run("initdb", &arguments)?;
        let settings = settings(&programs, directory.path())?;
        let server = Server::start(&programs, directory.path(), durable, &settings)?;
        Ok(Self {
            programs,
            databases: AtomicU32::new(0),
            _server: server,
            directory,
        })
    }
}

/// An empty database of its own, in the cluster of this process.
#[derive(Debug)]
pub struct Database {
    cluster: Arc<Cluster>,
    name: String,
}

impl Database {
    /// Makes one in the shared cluster.
    pub fn create() -> Result<Self> {
        Self::create_in(Cluster::shared()?)
    }

    /// Makes one in this cluster.
    pub fn create_in(cluster: Arc<Cluster>) -> Result<Self> {
        Self::copy_of("template0", cluster)
    }

    /// Makes another with the same tables and rows. Nobody may be connected to this one.
    pub fn copy(&self) -> Result<Self> {
        Self::copy_of(&self.name, Arc::clone(&self.cluster))
    }

    fn copy_of(template: &str, cluster: Arc<Cluster>) -> Result<Self> {
        let number = cluster.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{number}");
        let host = text(cluster.directory.path())?;
        let user = ["--host", host, "--username", USER];
        let arguments = [user.as_slice(), &["--template", template, &name]].concat();
        cluster.programs.run("createdb", &arguments)?;
        Ok(Self { cluster, name })
    }

    /// The folder of the whole cluster: rows, dead rows and the write-ahead log of all databases,
    /// and the server's own log.
    pub fn cluster_folder(&self) -> &Path {
        self.cluster.directory.path()
    }

    /// What `pg_dump` writes of this database, into a file.
    pub fn dump(&self, file: &Path) -> Result<()> {
        let host = text(self.cluster.directory.path())?;
        let target = self.cluster.directory.path().join("dump.sql");
        let arguments = [
            "--host",
            host,
            "--username",
            USER,
            "--file",
            text(&target)?,
            &self.name,
        ];
        self.cluster.programs.run("pg_dump", &arguments)?;
        fs::copy(&target, file).context("failed to copy the dump")?;
        fs::remove_file(&target).context("failed to remove the dump")
    }

    /// What `pg_basebackup` takes of the whole cluster, into this folder, which is not there yet.
    pub fn base_backup(&self, folder: &Path) -> Result<()> {
        let host = text(self.cluster.directory.path())?;
        let target = self.cluster.directory.path().join("backup");
        let how = ["--checkpoint=fast", "--wal-method=fetch", "--no-sync"];
        let whom = ["--host", host, "--username", USER];
        let into = ["--pgdata", text(&target)?];
        let arguments = [how.as_slice(), &whom, &into].concat();
        self.cluster.programs.run("pg_basebackup", &arguments)?;
        fs::rename(&target, folder).context("failed to move the backup")
    }

    /// Where to connect, as the superuser.
    pub fn url(&self) -> String {
        self.url_as(USER)
    }

    /// Where to connect as this role.
    pub fn url_as(&self, role: &str) -> String {
        let host = self.cluster.directory.path().display();
        format!("postgres://{role}@/{}?host={host}", self.name)
    }
}

fn text(path: &Path) -> Result<&str> {
    path.to_str()
        .context("the temporary directory's name is not UTF-8")
}
