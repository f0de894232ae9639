//! What injected SQL reaches on a host's path: its own guests by their handles, and the offer that
//! everybody sees. The same statements on both databases.

use spots_booking::HostId;

use crate::stage::{Offer, Stage};

/// What everybody may see.
const OFFER: [&str; 5] = [
    "capacity_pools",
    "event_slots",
    "events",
    "hosts",
    "requirements",
];

/// Two hosts, each with a guest who shares something; the agent of one guest.
async fn two_hosts(stage: &Stage) -> (Offer, Offer, String) {
    let (here, there) = (stage.offer(Some(10)).await, stage.offer(Some(10)).await);
    let ada = stage.person().await;
    for offer in [here, here, there] {
        let book = stage.book_sharing(ada.agent(), &offer, &[("name", "Ada")]);
        stage.store.book(book).await.unwrap();
    }
    (here, there, ada.agent().reveal())
}

/// What was read holds no agent, and nothing was read that must not be.
async fn denied(stage: &Stage, host: HostId, agent: &str, sql: &str) {
    let answer = stage.as_host(Some(host), sql).await;
    let rows = answer.unwrap_or_default();
    assert!(!rows.concat().contains(agent), "{sql}: {rows:?}");
    assert!(rows.is_empty(), "{sql}: {rows:?}");
}

pub(crate) async fn a_host_sees_its_own_rows_and_no_others(stage: &Stage) {
    let (here, there, _) = two_hosts(stage).await;
    for (sql, own) in [
        ("SELECT guest_id FROM guests", 1),
        ("SELECT booking_id FROM reservations", 2),
        (
            "SELECT booking_id FROM reservations WHERE 1 = 1 OR host_id = 'x'",
            2,
        ),
        (
            "SELECT r.booking_id FROM reservations r JOIN guests g ON g.host_id <> r.host_id",
            0,
        ),
    ] {
        let rows = stage.as_host(Some(here.host), sql).await.unwrap();
        assert_eq!(rows.len(), own, "{sql}");
    }
    for table in ["guests", "reservations"] {
        let sql = format!(
            "SELECT guest_id FROM {table} WHERE host_id = '{}'",
            there.host
        );
        assert!(
            stage
                .as_host(Some(here.host), &sql)
                .await
                .unwrap()
                .is_empty()
        );
        assert!(
            !stage
                .as_host(Some(there.host), &sql)
                .await
                .unwrap()
                .is_empty()
        );
    }
}

pub(crate) async fn nothing_of_a_guest_is_seen_without_a_host(stage: &Stage) {
    two_hosts(stage).await;
    for table in ["guests", "reservations"] {
        let sql = format!("SELECT guest_id FROM {table}");
        let error = stage.as_host(None, &sql).await.unwrap_err();
        assert!(error.contains("no host is set"), "{sql}: {error}");
    }
    for table in OFFER {
        let sql = format!("SELECT host_id FROM {table}");
        let rows = stage.as_host(None, &sql).await.unwrap();
        assert!(!rows.is_empty(), "{table} is for everybody");
    }
}

pub(crate) async fn agents_keys_and_mapping_are_out_of_reach(stage: &Stage) {
    let (here, there, agent) = two_hosts(stage).await;
    let tables = stage.tables().await;
    assert!(tables.len() > 20, "{tables:?}");
    for table in &tables {
        if OFFER.contains(&table.as_str()) || ["guests", "reservations"].contains(&table.as_str()) {
            continue;
        }
        for sql in [
            format!("SELECT * FROM {table}"),
            format!("SELECT count(*) FROM {table}"),
            format!("SELECT 1 FROM hosts WHERE EXISTS (SELECT 1 FROM {table})"),
            format!("SELECT name FROM hosts UNION SELECT 'x' FROM {table}"),
            format!("WITH guests AS (SELECT * FROM {table}) SELECT * FROM guests"),
        ] {
            let error = stage.as_host(Some(here.host), &sql).await.unwrap_err();
            let said = ["denied", "prohibited", "not authorized"];
            assert!(
                said.iter().any(|said| error.contains(said)),
                "{sql}: {error}"
            );
        }
    }
    let main = if stage.on_postgres() {
        "public"
    } else {
        "main"
    };
    for sql in [
        "SELECT agent_id FROM reservations".to_owned(),
        "SELECT agent_id FROM guests".to_owned(),
        "SELECT booked_at_ns FROM reservations".to_owned(),
        "SELECT cancelled_at_ns FROM reservations".to_owned(),
        format!("SELECT agent_id FROM {main}.reservations"),
        format!("WITH guests AS (SELECT agent_id FROM {main}.guests) SELECT * FROM guests"),
        format!(
            "WITH reservations AS (SELECT agent_id FROM {main}.reservations) SELECT * FROM reservations"
        ),
        format!("SELECT * FROM (SELECT agent_id FROM {main}.guests) AS guests"),
        format!(
            "WITH guests AS (SELECT guest_id FROM {main}.guests) SELECT guest_id FROM guests
                 WHERE guest_id NOT IN (SELECT guest_id FROM reservations)"
        ),
        format!("SELECT code FROM guests WHERE host_id = '{}'", there.host),
        "SELECT code FROM guests ORDER BY (SELECT agent_id FROM agents LIMIT 1)".to_owned(),
    ] {
        denied(stage, here.host, &agent, &sql).await;
    }
}

pub(crate) async fn a_host_changes_nothing(stage: &Stage) {
    let (here, _, _) = two_hosts(stage).await;
    let before = fingerprint(stage).await;
    for table in stage.tables().await {
        for sql in [
            format!("DELETE FROM {table}"),
            format!("INSERT INTO {table} SELECT * FROM {table}"),
            format!("DROP TABLE {table}"),
            format!("ALTER TABLE {table} ADD COLUMN more TEXT"),
            format!("CREATE INDEX more ON {table} (host_id)"),
        ] {
            assert!(stage.as_host(Some(here.host), &sql).await.is_err(), "{sql}");
        }
    }
    for sql in [
        "UPDATE reservations SET party = 9",
        "UPDATE guests SET code = 'x'",
        "UPDATE events SET title = 'x'",
        "CREATE TABLE more (x TEXT)",
        "CREATE TEMP TABLE more (x TEXT)",
        "CREATE VIEW more AS SELECT 1",
        "CREATE TEMP VIEW more AS SELECT * FROM share_keys",
    ] {
        assert!(stage.as_host(Some(here.host), sql).await.is_err(), "{sql}");
    }
    assert_eq!(fingerprint(stage).await, before);
}

async fn fingerprint(stage: &Stage) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in stage.tables().await {
        counts.push(stage.count(&format!("SELECT count(*) FROM {table}")).await);
    }
    counts
}

/// Ways past the wall that PostgreSQL may offer.
const HOSTILE_POSTGRES: [&str; 30] = [
    "SET ROLE spots_platform; SELECT agent_id FROM guests",
    "SET ROLE spots; SELECT agent_id FROM guests",
    "RESET ROLE; SELECT agent_id FROM guests",
    "SET SESSION AUTHORIZATION spots; SELECT agent_id FROM guests",
    "SET row_security = off; SELECT guest_id FROM guests WHERE host_id <> spots_wall.current_host()",
    "COPY share_keys TO STDOUT",
    "COPY (SELECT agent_id FROM guests) TO STDOUT",
    "COPY hosts TO PROGRAM 'cat'",
    "COPY hosts TO '/tmp/hosts'",
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT pg_ls_dir('.')",
    "SELECT lo_import('/etc/hostname')",
    "SELECT query_to_xml('SELECT agent_id FROM guests', true, true, '')",
    "SELECT table_to_xml('share_keys', true, true, '')",
    "SELECT most_common_vals::text FROM pg_stats WHERE attname = 'agent_id'",
    "SELECT stavalues1::text FROM pg_statistic",
    "EXPLAIN ANALYZE SELECT agent_id FROM guests",
    "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "DO $$ BEGIN PERFORM agent_id FROM guests; END $$; SELECT 'read'",
    "PREPARE p AS SELECT agent_id FROM guests; EXECUTE p",
    "LOCK TABLE share_keys IN ACCESS SHARE MODE; SELECT 'locked'",
    "GRANT SELECT ON share_keys TO spots_host; SELECT 'granted'",
    "CREATE POLICY p ON guests USING (true); SELECT 'made'",
    "ALTER ROLE spots_host SUPERUSER; SELECT 'made'",
    "CREATE ROLE more SUPERUSER; SELECT 'made'",
    "CREATE EXTENSION dblink; SELECT 'made'",
    "SELECT query FROM pg_stat_activity WHERE usename <> current_user AND query ~ 'agent_'",
    "SELECT setting FROM pg_file_settings",
    "SELECT passwd FROM pg_shadow",
];
/// Ways past the wall that SQLite may offer.
const HOSTILE_SQLITE: [&str; 25] = [
    "ATTACH 'spots.sqlite' AS again",
    "ATTACH ':memory:' AS again",
    "DETACH main",
    "PRAGMA query_only = off",
    "PRAGMA writable_schema = on",
    "PRAGMA table_info(guests)",
    "PRAGMA database_list",
    "SELECT * FROM pragma_table_info('guests')",
    "SELECT * FROM pragma_database_list",
    "SELECT sql FROM sqlite_schema",
    "SELECT sql FROM main.sqlite_master",
    "SELECT sql FROM sqlite_temp_schema",
    "SELECT sql FROM temp.sqlite_master",
    "SELECT * FROM dbstat",
    "SELECT load_extension('x')",
    "SELECT readfile('/etc/hostname')",
    "SELECT fts3_tokenizer('simple')",
    "SELECT hex(zeroblob(10))",
    "VACUUM INTO '/tmp/copy.sqlite'",
    "REINDEX",
    "ANALYZE",
    "COMMIT",
    "WITH RECURSIVE n AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT count(*) FROM n",
    "CREATE TEMP TRIGGER t AFTER INSERT ON hosts BEGIN SELECT 1; END",
    "SELECT name FROM hosts WHERE 0; SELECT agent_id FROM main.guests",
];

pub(crate) async fn hostile_statements_get_nowhere(stage: &Stage) {
    let (here, _, agent) = two_hosts(stage).await;
    let statements: &[&str] = if stage.on_postgres() {
        &HOSTILE_POSTGRES
    } else {
        &HOSTILE_SQLITE
    };
    stage.run("ANALYZE").await;
    for sql in statements {
        denied(stage, here.host, &agent, sql).await;
    }
}
