//! The server's own book of dependencies (`pg_depend`) against what was read from the files.

use std::collections::{BTreeMap, BTreeSet};

use spots_migrate::{Dialect, Graph, MigrationSet, Silent, postgres};
use tokio_postgres::Client;

use crate::support::cluster::{Cluster, block_on};
use crate::support::{quiet, set};

/// Everything that has a row of its own in a catalogue, as catalogue and number.
const OBJECTS: &str = "
SELECT 'pg_class'::regclass::oid, oid FROM pg_class WHERE oid >= 16384
UNION ALL SELECT 'pg_proc'::regclass::oid, oid FROM pg_proc WHERE oid >= 16384
UNION ALL SELECT 'pg_type'::regclass::oid, oid FROM pg_type WHERE oid >= 16384
UNION ALL SELECT 'pg_policy'::regclass::oid, oid FROM pg_policy
UNION ALL SELECT 'pg_trigger'::regclass::oid, oid FROM pg_trigger WHERE oid >= 16384
UNION ALL SELECT 'pg_rewrite'::regclass::oid, oid FROM pg_rewrite WHERE oid >= 16384
UNION ALL SELECT 'pg_constraint'::regclass::oid, oid FROM pg_constraint WHERE oid >= 16384
UNION ALL SELECT 'pg_attrdef'::regclass::oid, oid FROM pg_attrdef
UNION ALL SELECT 'pg_namespace'::regclass::oid, oid FROM pg_namespace WHERE oid >= 16384";

const DEPENDS: &str = "
SELECT classid, objid, refclassid, refobjid,
    pg_describe_object(classid, objid, objsubid), pg_describe_object(refclassid, refobjid, refobjsubid)
FROM pg_depend WHERE deptype IN ('n', 'a') AND objid >= 16384 AND refobjid >= 16384";

type Number = (u32, u32);

async fn objects(client: &Client) -> BTreeSet<Number> {
    let rows = client.query(OBJECTS, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Applies one migration after the other and compares whom the server says each depends on.
async fn compare(client: &mut Client, set: &MigrationSet) -> usize {
    let none = postgres::Backfills::new();
    let mut made_by = BTreeMap::new();
    let mut before = BTreeSet::new();
    for migration in set.migrations() {
        let mut silent = Silent;
        let mut run = quiet(&mut silent).to(&migration.id);
        postgres::apply(client, set, &none, &mut run).await.unwrap();
        let now = objects(client).await;
        if before.is_empty() {
            // The engine's own record came with the first.
            let own = "SELECT 'pg_class'::regclass::oid, oid FROM pg_class WHERE relnamespace = 'spots_migrate'::regnamespace";
            for row in client.query(own, &[]).await.unwrap() {
                before.insert((row.get(0), row.get(1)));
            }
        }
        for new in now.difference(&before) {
            made_by.insert(*new, migration.id.clone());
        }
        before = now;
    }
    let graph = Graph::of(set, Dialect::Postgres);
    let mut seen = BTreeSet::new();
    for row in client.query(DEPENDS, &[]).await.unwrap() {
        let by = |class: usize| made_by.get(&(row.get(class), row.get(class + 1)));
        let (Some(later), Some(earlier)) = (by(0), by(2)) else {
            continue;
        };
        if later == earlier || !seen.insert((earlier.clone(), later.clone())) {
            continue;
        }
        let dependants = graph.dependants(&BTreeSet::from([earlier.clone()]));
        assert!(
            dependants.contains(later),
            "the server says that {} ({later}) needs {} ({earlier}); the graph does not",
            row.get::<_, String>(4),
            row.get::<_, String>(5)
        );
    }
    seen.len()
}

/// One of each kind of dependency, across migrations.
const SAMPLE: &[(&str, &str, &str, &str)] = &[
    (
        "01",
        "",
        "CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('good', 'bad')",
        "",
    ),
    (
        "02",
        "",
        "CREATE DOMAIN app.short AS text CHECK (length(VALUE) < 20)",
        "",
    ),
    (
        "03",
        "",
        "CREATE TABLE app.people (id uuid PRIMARY KEY, name app.short, mood app.mood)",
        "",
    ),
    (
        "04",
        "",
        "CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
        "",
    ),
    (
        "05",
        "",
        "CREATE TRIGGER touch BEFORE UPDATE ON app.people FOR EACH ROW EXECUTE FUNCTION app.touch()",
        "",
    ),
    (
        "06",
        "",
        "CREATE TABLE app.notes (id serial PRIMARY KEY, who uuid REFERENCES app.people (id) ON DELETE CASCADE, body text)",
        "",
    ),
    (
        "07",
        "",
        "CREATE FUNCTION app.shout(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper(t)'",
        "",
    ),
    (
        "08",
        "",
        "CREATE INDEX notes_shouted ON app.notes (app.shout(body))",
        "",
    ),
    (
        "09",
        "",
        "CREATE VIEW app.happy AS SELECT p.id, n.body FROM app.people p JOIN app.notes n ON n.who = p.id WHERE p.mood = 'good'",
        "",
    ),
    (
        "10",
        "",
        "ALTER TABLE app.notes ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON app.notes USING (EXISTS (SELECT 1 FROM app.people p WHERE p.id = who))",
        "",
    ),
    (
        "11",
        "",
        "CREATE SEQUENCE app.numbers; ALTER TABLE app.people ADD COLUMN number bigint DEFAULT nextval('app.numbers')",
        "",
    ),
    (
        "12",
        "",
        "CREATE MATERIALIZED VIEW app.counted AS SELECT id, count(*) FROM app.happy GROUP BY id",
        "",
    ),
    (
        "13",
        "",
        "CREATE TABLE app.tags (note int, tag text); ALTER TABLE app.tags ADD CONSTRAINT of_note FOREIGN KEY (note) REFERENCES app.notes (id)",
        "",
    ),
    (
        "14",
        "",
        "ALTER TABLE app.tags ADD COLUMN loud text GENERATED ALWAYS AS (app.shout(tag)) STORED",
        "",
    ),
    (
        "15",
        "",
        "CREATE TABLE app.old (LIKE app.tags); CREATE TABLE app.part () INHERITS (app.people)",
        "",
    ),
    (
        "16",
        "",
        "CREATE FUNCTION app.all_happy() RETURNS SETOF app.happy LANGUAGE sql AS 'SELECT * FROM app.happy'",
        "",
    ),
];

#[test]
fn the_graph_has_every_dependency_that_the_server_has() {
    let cluster = Cluster::start();
    block_on(async {
        let mut client = cluster.database("depends").await;
        let pairs = compare(&mut client, &set(SAMPLE)).await;
        println!("{pairs} pairs of migrations compared with pg_depend");
        assert!(pairs >= 20, "the sample shows too little: {pairs}");
    });
}
