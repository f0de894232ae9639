//! A temporary PostgreSQL on a socket, as a user who is not root.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

/// A running server; stopped when dropped.
pub(crate) struct Cluster {
    dir: TempDir,
    bin: PathBuf,
    owner: Option<(u32, u32)>,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        let bin = fs::read_dir("/usr/lib/postgresql")
            .expect("PostgreSQL is installed (apt-get install postgresql)")
            .map(|entry| entry.unwrap().path().join("bin"))
            .max()
            .unwrap();
        let dir = super::folder();
        let cluster = Self {
            owner: owner(),
            bin,
            dir,
        };
        if let Some((user, group)) = cluster.owner {
            chown(cluster.dir.path(), Some(user), Some(group)).unwrap();
        }
        let data = cluster.data();
        cluster.program(
            "initdb",
            &[
                "-D",
                &data,
                "-A",
                "trust",
                "-U",
                "postgres",
                "-N",
                "-E",
                "UTF8",
                "--locale=C",
            ],
        );
        let socket = cluster.socket();
        let options = format!(
            "-c fsync=off -c listen_addresses= -c unix_socket_directories={socket} -c max_connections=50"
        );
        cluster.program(
            "pg_ctl",
            &[
                "-D",
                &data,
                "-w",
                "-s",
                "-o",
                &options,
                "-l",
                &format!("{socket}/log"),
                "start",
            ],
        );
        cluster
    }

    fn socket(&self) -> String {
        self.dir.path().to_str().unwrap().to_owned()
    }

    fn data(&self) -> String {
        format!("{}/data", self.socket())
    }

    /// Connects to a new empty database.
    pub(crate) async fn database(&self, name: &str) -> Client {
        let client = self.connect("postgres").await;
        client
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        self.connect(name).await
    }

    pub(crate) async fn connect(&self, database: &str) -> Client {
        connect(&self.config(database)).await
    }

    pub(crate) fn config(&self, database: &str) -> String {
        format!(
            "host={} user=postgres dbname={database}",
            self.dir.path().display()
        )
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "tests start the server they need"
    )]
    fn program(&self, name: &str, arguments: &[&str]) {
        let mut command = Command::new(self.bin.join(name));
        command
            .args(arguments)
            .current_dir(self.dir.path())
            .stdout(Stdio::null());
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        let status = command.status().unwrap();
        assert!(status.success(), "{name} failed");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let data = self.data();
        self.program("pg_ctl", &["-D", &data, "-m", "immediate", "-s", "stop"]);
    }
}

pub(crate) async fn connect(config: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(config, NoTls).await.unwrap();
    // Ends with the client.
    tokio::spawn(async move { drop(connection.await) });
    client
}

pub(crate) fn block_on<F: Future>(body: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(body)
}

/// Whom to run as, when this is root, which PostgreSQL refuses.
fn owner() -> Option<(u32, u32)> {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let root = status
        .lines()
        .any(|line| line.split_whitespace().take(2).eq(["Uid:", "0"]));
    if !root {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let postgres = users
        .lines()
        .find_map(|line| line.strip_prefix("postgres:"))
        .unwrap();
    let mut fields = postgres.split(':').skip(1);
    let mut number = || fields.next().unwrap().parse().unwrap();
    Some((number(), number()))
}
