//! PostgreSQL over TLS, as `spots` reaches it: a real server with a certificate of its own.

use std::error::Error as _;

use spots_clock::AtomicClock;
use spots_migrate::Silent;
use spots_privacy::SystemRandomness;
use spots_store::{PostgresAddress, PostgresOptions, PostgresStore, Stamp, Store as _, StoreError};
use spots_testkit::postgres::Cluster;
use spots_web::tls::{SelfSigned, self_signed};

fn made(name: &str) -> SelfSigned {
    let now = AtomicClock::volatile().unwrap().now().unwrap();
    let now = Stamp::from(now).timestamp();
    self_signed(&[name.to_owned()], now, &SystemRandomness).unwrap()
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Whether the connection that this URL makes is sealed, or why there is none.
async fn sealed(url: &str) -> Result<bool, String> {
    let told = |error: StoreError| {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    };
    let client = PostgresAddress::parse(url)
        .unwrap()
        .connect()
        .await
        .map_err(told)?;
    let asked = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    Ok(client.query_one(asked, &[]).await.unwrap().get(0))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_must_prove_its_name() {
    let (ours, theirs, port) = (made("localhost"), made("localhost"), free_port());
    let _cluster = Cluster::start_sealed(port, &ours.certificate, &ours.key).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (trusted, other) = (
        folder.path().join("trusted.pem"),
        folder.path().join("other.pem"),
    );
    std::fs::write(&trusted, &ours.certificate).unwrap();
    std::fs::write(&other, &theirs.certificate).unwrap();
    let url = |host: &str, mode: &str, roots: &std::path::Path| {
        let roots = roots.display();
        format!("postgres://spots@{host}:{port}/postgres?sslmode={mode}&sslrootcert={roots}")
    };
    for mode in ["verify-full", "require", "prefer"] {
        assert_eq!(
            sealed(&url("localhost", mode, &trusted)).await,
            Ok(true),
            "{mode}"
        );
        let error = sealed(&url("localhost", mode, &other)).await.unwrap_err();
        assert!(error.contains("add sslrootcert=FILE"), "{mode}: {error}");
        let error = sealed(&url("127.0.0.1", mode, &trusted)).await.unwrap_err();
        assert!(
            error.contains("name the host as the certificate does"),
            "{mode}: {error}"
        );
    }
    assert_eq!(
        sealed(&url("127.0.0.1", "disable", &trusted)).await,
        Ok(false)
    );
    let url = url("localhost", "verify-full", &trusted);
    let store = PostgresStore::connect(&url, PostgresOptions::default(), &mut Silent).await;
    store.unwrap().ping().await.unwrap();
}
