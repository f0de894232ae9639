//! The ephemeral PostgreSQL.

use std::sync::Arc;

use spots_testkit::postgres::{Cluster, Database};

#[test]
fn a_cluster_stops_and_leaves_nothing() {
    let first = Database::create().unwrap();
    let second = Database::create().unwrap();
    assert_ne!(first.url(), second.url());
    assert!(Arc::ptr_eq(
        &Cluster::shared().unwrap(),
        &Cluster::shared().unwrap()
    ));
    let (_, directory) = first
        .url()
        .rsplit_once("host=")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let pid = std::fs::read_to_string(format!("{directory}/data/postmaster.pid")).unwrap();
    let pid = pid.lines().next().unwrap().to_owned();
    assert!(std::fs::exists(format!("/proc/{pid}")).unwrap());
    drop((first, second));
    assert!(!std::fs::exists(format!("/proc/{pid}")).unwrap());
    assert!(!std::fs::exists(directory).unwrap());
}
