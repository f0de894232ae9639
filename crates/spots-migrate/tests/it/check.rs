//! What is found before any database is touched.

use std::collections::BTreeMap;

use spots_findings::{Level, Report};
use spots_migrate::{CheckOptions, Dialect, Layout, Sides, check};

type Files = BTreeMap<String, Vec<u8>>;

fn files(files: &[(&str, &str)]) -> Files {
    files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
        .collect()
}

fn report(list: &[(&str, &str)]) -> Report {
    check(&files(list), Vec::new(), &CheckOptions::default())
}

/// `rule path:line` of every finding of at least this level.
fn found(report: &Report, level: Level) -> Vec<String> {
    report
        .findings()
        .iter()
        .filter(|finding| finding.level >= level)
        .map(|finding| {
            let place = finding.place.as_ref().unwrap();
            format!("{} {}:{}", finding.rule, place.path, place.line)
        })
        .collect()
}

fn errors(list: &[(&str, &str)]) -> Vec<String> {
    found(&report(list), Level::Error)
}

#[test]
fn a_right_order_is_clean() {
    assert!(
        errors(&[
            ("001_a.sql", "CREATE SCHEMA app; CREATE TABLE app.users (id int PRIMARY KEY, n text); CREATE TYPE mood AS ENUM ('a');"),
            ("002_b.sql", "CREATE TABLE orders (id int, u int REFERENCES app.users (id), m mood);
                ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
                DROP POLICY IF EXISTS p ON orders;
                CREATE POLICY p ON orders USING (EXISTS (SELECT 1 FROM app.users u WHERE u.id = orders.u AND u.n = auth.email()));
                WITH late AS (SELECT 1) SELECT * FROM late, generate_series(1, 2), auth.users;"),
            ("003_c.sql", "DROP TABLE orders; CREATE TABLE orders (id int); CREATE INDEX i ON orders (id);"),
            ("004_d.sql", "DROP TABLE orders; CREATE TABLE IF NOT EXISTS orders (id int); CREATE INDEX i ON orders (id);
                CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1';
                CREATE FUNCTION f(a text) RETURNS int LANGUAGE sql AS 'SELECT 1';
                DROP FUNCTION f(int); DROP FUNCTION f(text);"),
        ])
        .is_empty()
    );
}

/// First script, second script, the one error.
const MISTAKES: &[(&str, &str, &str)] = &[
    (
        "SELECT * FROM later;",
        "CREATE TABLE later (id int);",
        "used-before-created 1_a.sql:1",
    ),
    (
        "CREATE TABLE a (id int, b\n int REFERENCES later (id));",
        "CREATE TABLE later (id int);",
        "used-before-created 1_a.sql:2",
    ),
    (
        "CREATE TABLE a (b mood);",
        "CREATE TYPE mood AS ENUM ('x');",
        "used-before-created 1_a.sql:1",
    ),
    (
        "CREATE TABLE a (b int DEFAULT f());",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';",
        "used-before-created 1_a.sql:1",
    ),
    (
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$\nSELECT count(*)\nFROM later $$;",
        "CREATE TABLE later (id int);",
        "used-before-created 1_a.sql:3",
    ),
    (
        "CREATE TABLE a (id int);",
        "DROP TABLE a;\nINSERT INTO a VALUES (1);",
        "use-after-drop 2_b.sql:2",
    ),
    (
        "CREATE TABLE a (id int);",
        "ALTER TABLE a RENAME TO b;\nALTER TABLE a ADD c int;",
        "use-after-rename 2_b.sql:2",
    ),
    (
        "CREATE TABLE a (id int, x int);",
        "ALTER TABLE a DROP COLUMN x;\nCREATE INDEX i ON a (x);",
        "use-after-drop 2_b.sql:2",
    ),
    (
        "CREATE TABLE a (id int, x int);",
        "UPDATE a SET y = 1;",
        "created-nowhere 2_b.sql:1",
    ),
    (
        "CREATE TABLE a (id int);",
        "CREATE POLICY p ON a USING (true);\nDROP POLICY q ON a;",
        "created-nowhere 2_b.sql:2",
    ),
    (
        "CREATE TABLE a (id int);",
        "CREATE TABLE A (id int);",
        "duplicate-object 2_b.sql:1",
    ),
    (
        "CREATE TABLE a (id int); CREATE POLICY p ON a USING (true);",
        "CREATE POLICY p ON a USING (true);",
        "duplicate-object 2_b.sql:1",
    ),
    (
        "CREATE VIEW v AS SELECT * FROM nowhere;",
        "SELECT 1;",
        "created-nowhere 1_a.sql:1",
    ),
];

#[test]
fn uses_are_judged_by_the_order() {
    for (first, second, wanted) in MISTAKES {
        let errors = errors(&[("1_a.sql", first), ("2_b.sql", second)]);
        assert_eq!(errors, [*wanted], "{first} {second}");
    }
}

#[test]
fn bodies_of_functions_make_edges_but_no_errors() {
    let body = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO later VALUES (1); RETURN NEW; END $$;";
    let list = [
        ("1_a.sql", body),
        ("2_b.sql", "CREATE TABLE later (id int);"),
    ];
    assert!(errors(&list).is_empty());
}

#[test]
fn sqlite_is_recognised_and_judged_too() {
    let list = [
        (
            "1_a.sql",
            "CREATE TABLE a (id INTEGER PRIMARY KEY) STRICT; PRAGMA foreign_keys = OFF;",
        ),
        (
            "2_b.sql",
            "CREATE TABLE [B] (a REFERENCES a);\nCREATE TRIGGER t AFTER INSERT ON b BEGIN UPDATE a SET id = 1; END;\nDROP TABLE c;",
        ),
    ];
    assert_eq!(errors(&list), ["created-nowhere 2_b.sql:3"]);
}

#[test]
fn risks_are_judged_in_context() {
    let list = [
        (
            "1_a.sql",
            "CREATE TABLE a (id int); CREATE INDEX i ON a (id); ALTER TABLE a ADD x int NOT NULL;",
        ),
        (
            "2_b.sql",
            "CREATE INDEX j ON a (id);\nALTER TABLE a ADD y int NOT NULL;\nALTER TABLE a ALTER id TYPE bigint;\nALTER TABLE a ADD CHECK (id > 0);\nALTER TABLE a ADD CHECK (id > 0) NOT VALID;\nCREATE INDEX CONCURRENTLY k ON a (id);",
        ),
    ];
    let warnings = found(&report(&list), Level::Warning);
    assert_eq!(
        warnings,
        [
            "index-blocks-writes 2_b.sql:1",
            "not-null-without-default 2_b.sql:2",
            "type-change-rewrites 2_b.sql:3",
            "constraint-scans 2_b.sql:4",
        ]
    );
}

#[test]
fn the_smallest_moves_are_named() {
    let report = report(&[
        ("1_a.sql", "CREATE TABLE a (z int REFERENCES z);"),
        ("2_b.sql", "CREATE TABLE b (z int REFERENCES z);"),
        ("3_c.sql", "CREATE TABLE c (z int REFERENCES z);"),
        ("4_z.sql", "CREATE TABLE z (id int PRIMARY KEY);"),
    ]);
    let note = report
        .findings()
        .iter()
        .find(|finding| finding.rule == "smallest-moves")
        .unwrap();
    assert!(note.message.contains("Moving 1 of 4"), "{}", note.message);
    assert!(
        note.message.contains("4_z to the front"),
        "{}",
        note.message
    );
}

#[test]
fn bad_input_is_a_finding_with_file_and_line() {
    for (text, wanted) in [
        ("", "empty-script 1_a.sql:1"),
        ("\u{feff}-- only\r\n", "empty-script 1_a.sql:1"),
        ("SELECT 1;\nDO $$ BEGIN", "unreadable-sql 1_a.sql:2"),
        ("SELECT 1;\n\\set x 1", "unreadable-sql 1_a.sql:2"),
        (
            "SELECT 1;\nCOMMIT;\nSELECT 2;",
            "transaction-in-script 1_a.sql:2",
        ),
        (
            "SELECT 1;\nCREATE TABEL x (id int);",
            "syntax-error 1_a.sql:2",
        ),
    ] {
        assert_eq!(errors(&[("1_a.sql", text)])[..1], [wanted], "{text:?}");
    }
    let bytes = Files::from([("1_a.sql".to_owned(), b"SELECT 1;\n\xff".to_vec())]);
    let report = check(&bytes, Vec::new(), &CheckOptions::default());
    assert_eq!(found(&report, Level::Error), ["unreadable-file 1_a.sql:2"]);
    let same = errors(&[("1_a.sql", "SELECT 1"), ("1_b.sql", "SELECT 1")]);
    assert_eq!(same, ["duplicate-number 1_b.sql:1"]);
    assert_eq!(
        errors(&[
            ("V1__a.sql", "SELECT 1"),
            ("V1.0__b.sql", "SELECT 1"),
            ("V01__c.sql", "SELECT 1")
        ]),
        ["duplicate-number V1__a.sql:1"]
    );
}

fn phases(first: &str, second: &str, set: &str) -> Vec<String> {
    errors(&[
        ("set.toml", set),
        ("0/migration.toml", ""),
        ("0/up.sql", "CREATE TABLE users (id int)"),
        ("1/migration.toml", first),
        ("1/up.sql", "ALTER TABLE users ADD a int"),
        ("2/migration.toml", second),
        ("2/up.sql", "ALTER TABLE users ADD b int"),
    ])
}

#[test]
fn phases_that_write_one_table_need_an_order() {
    let found = phases("phase = '7.3'", "phase = '9'", "");
    assert_eq!(found, ["phases-write-same 2/up.sql:1"]);
    assert!(phases("phase = '7.3'", "phase = '9'\nafter = ['1']", "").is_empty());
    assert!(phases("phase = '7.3'", "phase = '9'", "[phases]\n9 = ['7.3']").is_empty());
    assert!(phases("phase = '9'", "phase = '9'", "").is_empty());
}

fn sides(ancestor: &[(&str, &str)], base: &[(&str, &str)], ours: &[(&str, &str)]) -> Vec<String> {
    let with = |more: &[(&str, &str)]| files(&[ancestor, more].concat());
    let (ancestor, base, ours) = (files(ancestor), with(base), with(ours));
    let options = CheckOptions {
        sides: Some(Sides {
            name: "main",
            base: &base,
            ours: &ours,
            ancestor: &ancestor,
        }),
        ..CheckOptions::default()
    };
    found(&check(&ours, Vec::new(), &options), Level::Warning)
}

#[test]
fn two_branches_that_write_the_same_are_found() {
    let users = [(
        "1_a.sql",
        "CREATE TABLE users (id int); CREATE TABLE other (id int);",
    )];
    let email = "ALTER TABLE users ADD email text;";
    assert_eq!(
        sides(&users, &[("2_x.sql", email)], &[("3_y.sql", email)]),
        [
            "branches-write-same 3_y.sql:1",
            "branches-write-same 3_y.sql:1"
        ],
        "the table and the column"
    );
    assert_eq!(
        sides(
            &users,
            &[("2_x.sql", "ALTER TABLE users RENAME TO people;")],
            &[("3_y.sql", "CREATE VIEW v AS SELECT id FROM users;")]
        ),
        ["branches-touch-same 3_y.sql:1"]
    );
    assert!(
        sides(
            &users,
            &[("2_x.sql", email)],
            &[("3_y.sql", "ALTER TABLE other ADD x int;")]
        )
        .is_empty()
    );
    assert!(
        sides(
            &users,
            &[("2_x.sql", "SELECT id FROM users;")],
            &[("3_y.sql", "SELECT id FROM users;")]
        )
        .is_empty()
    );
    let number = sides(
        &users,
        &[("2_x.sql", "SELECT 1;")],
        &[("2_y.sql", "SELECT 1;")],
    );
    assert_eq!(number, ["duplicate-number 2_y.sql:1"]);
    let late = sides(
        &[users[0], ("9_z.sql", "SELECT 1;")],
        &[],
        &[("3_y.sql", "SELECT 1;")],
    );
    assert_eq!(late, ["overtakes-release 3_y.sql:1"]);
}

#[test]
fn a_released_migration_stays_as_it_is() {
    let released = files(&[("1_a.sql", "CREATE TABLE a (id int);")]);
    let edited = files(&[("1_a.sql", "CREATE TABLE a (id bigint);")]);
    let options = CheckOptions {
        sides: Some(Sides {
            name: "main",
            base: &released,
            ours: &edited,
            ancestor: &released,
        }),
        ..CheckOptions::default()
    };
    let report = check(&edited, Vec::new(), &options);
    assert_eq!(
        found(&report, Level::Error),
        ["edited-after-release 1_a.sql:1"]
    );
}

#[test]
fn a_layout_can_be_told() {
    let list = files(&[("V1__a.sql", "SELECT 1"), ("readme.sql", "SELECT 1")]);
    let options = CheckOptions {
        layout: Some(Layout::Flyway),
        dialect: Some(Dialect::Postgres),
        sides: None,
    };
    let report = check(&list, Vec::new(), &options);
    assert_eq!(found(&report, Level::Warning), ["stray-file readme.sql:1"]);
}

#[test]
fn edges_say_why_with_file_and_line() {
    let folder = crate::support::folder();
    for (name, text) in [
        ("1_a.sql", "CREATE TABLE a (id int PRIMARY KEY);"),
        ("2_b.sql", "\nALTER TABLE a ADD x int;"),
        ("3_c.sql", "ALTER TABLE a ADD y int;"),
        (
            "4_d.sql",
            "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN\n DELETE FROM a; RETURN 1; END $$;",
        ),
        ("5_e.sql", "CREATE TABLE lone (id int);"),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let set = spots_migrate::MigrationSet::from_dir_as(folder.path(), None).unwrap();
    let graph = spots_migrate::Graph::of(&set, Dialect::Postgres);
    let edges = graph
        .edges
        .iter()
        .map(|edge| {
            let kind = edge.kind.as_str();
            format!(
                "{} {kind} {} {}:{}",
                edge.from, edge.object, edge.file, edge.line
            )
        })
        .collect::<Vec<_>>();
    assert_eq!(
        edges,
        [
            "1_a uses a 2_b.sql:2",
            "2_b writes a 3_c.sql:1",
            "3_c body a 4_d.sql:2"
        ]
    );
    assert_eq!(
        graph.stages,
        [vec!["1_a", "5_e"], vec!["2_b"], vec!["3_c"], vec!["4_d"]]
    );
}
