//! A scratch database beside another, on the same PostgreSQL server.

use std::time::Duration;

use anyhow::Context as _;
use spots_migrate::quoted;
use spots_store::PostgresAddress;
use tokio_postgres::Client;

/// A database of its own on the same server.
pub(super) struct Scratch {
    maintenance: Client,
    name: String,
}

impl Scratch {
    /// Makes one, empty or as a copy.
    pub(super) async fn create(url: &str, template: Option<&str>) -> anyhow::Result<Self> {
        let name = format!("spots_scratch_{}", std::process::id());
        let maintenance = connect(url, Some("postgres")).await?;
        let template = template.map_or_else(|| "template0".to_owned(), quoted);
        let create = format!("CREATE DATABASE {name} TEMPLATE {template}");
        for left in (0..20).rev() {
            match maintenance.batch_execute(&create).await {
                Ok(()) => break,
                // This process's own session may still be ending.
                Err(error) if left > 0 && is_in_use(&error) => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(error) => {
                    return Err(error).context(
                        "failed to copy the database; end its other sessions, or use --empty",
                    );
                }
            }
        }
        Ok(Self { maintenance, name })
    }

    /// Connects to it.
    pub(super) async fn connect(&self, url: &str) -> anyhow::Result<Client> {
        connect(url, Some(&self.name)).await
    }

    /// Drops it.
    pub(super) async fn drop(self) -> anyhow::Result<()> {
        self.maintenance
            .batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name))
            .await
            .context("failed to drop the scratch database")
    }
}

fn is_in_use(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&tokio_postgres::error::SqlState::OBJECT_IN_USE)
}

/// Connects to the server of this address; to another of its databases when one is named.
pub(super) async fn connect(url: &str, database: Option<&str>) -> anyhow::Result<Client> {
    let mut address = PostgresAddress::parse(url)?;
    if let Some(database) = database {
        address = address.database(database);
    }
    Ok(address.connect().await?)
}
