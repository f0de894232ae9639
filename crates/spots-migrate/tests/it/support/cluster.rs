//! Databases by name, in a temporary PostgreSQL.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use spots_testkit::postgres::{self, Database};
use tokio_postgres::{Client, NoTls};

/// A running server; stopped when dropped.
pub(crate) struct Cluster {
    server: Arc<postgres::Cluster>,
    databases: Mutex<BTreeMap<String, Database>>,
}

impl Cluster {
    /// Starts one that never waits for the disk: nothing here pulls its plug.
    pub(crate) fn start() -> Self {
        Self {
            server: Arc::new(postgres::Cluster::start(false).unwrap()),
            databases: Mutex::default(),
        }
    }

    /// Connects to a new empty database.
    pub(crate) async fn database(&self, name: &str) -> Client {
        let database = Database::create_in(Arc::clone(&self.server)).unwrap();
        self.databases
            .lock()
            .unwrap()
            .insert(name.to_owned(), database);
        self.connect(name).await
    }

    /// Connects once more.
    pub(crate) async fn connect(&self, name: &str) -> Client {
        connect(&self.config(name)).await
    }

    /// Connects once the server takes connections again.
    pub(crate) async fn again(&self, name: &str) -> Client {
        let config = self.config(name);
        loop {
            if let Ok((client, connection)) = tokio_postgres::connect(&config, NoTls).await {
                tokio::spawn(async move { drop(connection.await) });
                return client;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// Where it is.
    pub(crate) fn config(&self, name: &str) -> String {
        self.databases.lock().unwrap()[name].url()
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
