//! Random sets whose true graph is known.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use proptest::prelude::*;
use rusqlite::Connection;
use spots_findings::Level;
use spots_migrate::{
    CheckOptions, Dialect, EdgeKind, Graph, MigrationSet, RollBack, Silent, check, sqlite,
};

use crate::support::quiet;

/// What one migration does; numbers are taken modulo what is there.
#[derive(Clone, Debug)]
enum Step {
    Table { parents: Vec<usize> },
    Column { table: usize },
    Index { table: usize },
    View { tables: Vec<usize> },
    Rows { table: usize, from: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let many = || prop::collection::vec(any::<usize>(), 0..3);
    prop_oneof![
        3 => many().prop_map(|parents| Step::Table { parents }),
        2 => any::<usize>().prop_map(|table| Step::Column { table }),
        1 => any::<usize>().prop_map(|table| Step::Index { table }),
        1 => prop::collection::vec(any::<usize>(), 1..3).prop_map(|tables| Step::View { tables }),
        1 => any::<(usize, usize)>().prop_map(|(table, from)| Step::Rows { table, from }),
    ]
}

#[derive(Default)]
struct Built {
    /// Up and down of each migration.
    scripts: Vec<(String, String)>,
    /// (earlier, later): the later fails without the earlier.
    needs: BTreeSet<(usize, usize)>,
    /// (earlier, later): both change one table.
    writes: BTreeSet<(usize, usize)>,
}

/// One step as SQL: up, down, the tables that it reads, the one that it changes.
type Written = (String, String, Vec<usize>, Option<usize>);

/// Turns steps into SQL and notes what each needs.
fn build(steps: &[Step]) -> Built {
    let mut built = Built::default();
    let mut tables = Vec::<usize>::new();
    let mut last_writer = BTreeMap::<usize, usize>::new();
    let first = Step::Table { parents: vec![] };
    for (number, step) in steps.iter().enumerate() {
        let step = if tables.is_empty() { &first } else { step };
        let (up, down, read, changed) = written(step, number, &tables);
        if matches!(step, Step::Table { .. }) {
            tables.push(number);
            last_writer.insert(number, number);
        }
        built.needs.extend(read.into_iter().map(|at| (at, number)));
        if let Some(at) = changed {
            built.needs.insert((at, number));
            if let Some(before) = last_writer.insert(at, number) {
                built.writes.insert((before, number));
            }
        }
        built.scripts.push((up, down));
    }
    built.needs.retain(|(from, to)| from != to);
    built
}

fn written(step: &Step, number: usize, tables: &[usize]) -> Written {
    let pick = |choice: &usize| tables[choice % tables.len()];
    match step {
        Step::Table { parents } => {
            let parents = parents.iter().map(pick).collect::<Vec<_>>();
            let down = format!("DROP TABLE t{number}");
            (table(number, &parents), down, parents, None)
        }
        Step::Column { table } => {
            let at = pick(table);
            let up = format!("ALTER TABLE t{at} ADD COLUMN c{number} INTEGER");
            let down = format!("ALTER TABLE t{at} DROP COLUMN c{number}");
            (up, down, vec![], Some(at))
        }
        Step::Index { table } => {
            let at = pick(table);
            let up = format!("CREATE INDEX i{number} ON t{at} (v)");
            (up, format!("DROP INDEX i{number}"), vec![], Some(at))
        }
        Step::View { tables } => {
            let of = tables.iter().map(pick).collect::<Vec<_>>();
            let names = of.iter().enumerate();
            let names = names.map(|(alias, at)| format!("t{at} AS a{alias}"));
            let names = names.collect::<Vec<_>>().join(", ");
            let up = format!("CREATE VIEW w{number} AS SELECT a0.v FROM {names}");
            (up, format!("DROP VIEW w{number}"), of, None)
        }
        Step::Rows { table, from } => {
            let (at, from) = (pick(table), pick(from));
            let up = format!("INSERT INTO t{at} (v) SELECT v FROM t{from}");
            (up, format!("DELETE FROM t{at}"), vec![from], Some(at))
        }
    }
}

fn table(number: usize, parents: &[usize]) -> String {
    let mut keys = String::new();
    for (key, parent) in parents.iter().enumerate() {
        write!(keys, ", p{key} INTEGER REFERENCES t{parent} (id)").unwrap();
    }
    format!("CREATE TABLE t{number} (id INTEGER PRIMARY KEY, v TEXT{keys})")
}

fn files(built: &Built, order: &[usize]) -> Vec<(String, String)> {
    order
        .iter()
        .enumerate()
        .flat_map(|(place, number)| {
            let (up, down) = &built.scripts[*number];
            [
                (format!("{place:03}_m{number}.up.sql"), up.clone()),
                (format!("{place:03}_m{number}.down.sql"), down.clone()),
            ]
        })
        .collect()
}

fn read(files: &[(String, String)]) -> (BTreeMap<String, Vec<u8>>, MigrationSet) {
    let folder = crate::support::folder();
    for (path, text) in files {
        std::fs::write(folder.path().join(path), text).unwrap();
    }
    let set = MigrationSet::from_dir_as(folder.path(), None).unwrap();
    let files = files
        .iter()
        .map(|(path, text)| (path.clone(), text.clone().into_bytes()))
        .collect();
    (files, set)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_needed_edge_is_missed(steps in prop::collection::vec(step(), 1..20), sqlite in any::<bool>()) {
        let built = build(&steps);
        let order = (0..steps.len()).collect::<Vec<_>>();
        let (_, set) = read(&files(&built, &order));
        let dialect = if sqlite { Dialect::Sqlite } else { Dialect::Postgres };
        let graph = Graph::of(&set, dialect);
        let number = |id: &str| id.rsplit('m').next().unwrap().parse::<usize>().unwrap();
        let edges = graph
            .edges
            .iter()
            .filter(|edge| edge.kind != EdgeKind::Body)
            .map(|edge| (number(&edge.from), number(&edge.to)))
            .collect::<BTreeSet<_>>();
        // An edge may be found as a chain over later writers of the same table.
        let reaches = |from: usize, to: usize| {
            let mut seen = BTreeSet::from([from]);
            let mut left = vec![from];
            while let Some(node) = left.pop() {
                for (_, next) in edges.iter().filter(|(a, _)| *a == node) {
                    if seen.insert(*next) {
                        left.push(*next);
                    }
                }
            }
            seen.contains(&to)
        };
        for (from, to) in built.needs.iter().chain(&built.writes) {
            prop_assert!(reaches(*from, *to), "{from} before {to} in {edges:?}: {:?}", built.scripts);
        }
        // Everything of one stage may run in any order, so no edge is inside a stage.
        for stage in &graph.stages {
            let inside = stage.iter().map(|id| number(id)).collect::<BTreeSet<_>>();
            prop_assert!(!edges.iter().any(|(a, b)| inside.contains(a) && inside.contains(b)));
        }
    }

    #[test]
    fn a_right_order_is_clean_and_a_wrong_one_is_not(
        steps in prop::collection::vec(step(), 2..15),
        choice in any::<prop::sample::Index>(),
    ) {
        let built = build(&steps);
        let mut order = (0..steps.len()).collect::<Vec<_>>();
        let errors = |order: &[usize]| {
            let (files, _) = read(&files(&built, order));
            let report = check(&files, Vec::new(), &CheckOptions::default());
            report.count(Level::Error)
        };
        prop_assert_eq!(errors(&order), 0);
        if !built.needs.is_empty() {
            let needs = built.needs.iter().collect::<Vec<_>>();
            let (from, to) = needs[choice.index(needs.len())];
            order.swap(*from, *to);
            prop_assert!(errors(&order) > 0, "{from} and {to} changed places");
        }
    }

    #[test]
    fn up_and_back_ends_where_it_began(steps in prop::collection::vec(step(), 1..15)) {
        let built = build(&steps);
        let order = (0..steps.len()).collect::<Vec<_>>();
        let (_, set) = read(&files(&built, &order));
        let mut connection = Connection::open_in_memory().unwrap();
        let none = sqlite::Backfills::new();
        let mut silent = Silent;
        let mut run = quiet(&mut silent);
        let up = sqlite::apply(&mut connection, &set, &none, &mut run).unwrap();
        prop_assert_eq!(up.ids.len(), steps.len());
        let back = sqlite::roll_back(&mut connection, &set, &none, &RollBack::All, &mut run).unwrap();
        prop_assert_eq!(back.ids.len(), steps.len());
        let left = connection
            .query_row(
                "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'spots_migrate%' AND name NOT LIKE 'sqlite%'",
                [],
                |row| row.get::<_, i64>(0),
            )
            .unwrap();
        prop_assert_eq!(left, 0);
    }
}
