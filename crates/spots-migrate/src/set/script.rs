//! What keeps a script from being run, seen before any database is touched.

use spots_findings::{Finding, Level, Place};

use super::{Dialect, Direction, Migration, Source};
use crate::split::{Statement, split};

/// Findings on the scripts of one migration for one database.
pub(crate) fn script_findings(migration: &Migration, dialect: Dialect) -> Vec<Finding> {
    [Direction::Up, Direction::Down, Direction::Verify]
        .into_iter()
        .filter_map(|direction| Some((direction, migration.script(direction, dialect)?)))
        .flat_map(|(direction, source)| one(migration, direction, source, dialect))
        .collect()
}

fn one(
    migration: &Migration,
    direction: Direction,
    source: &Source,
    dialect: Dialect,
) -> Vec<Finding> {
    let path = source.path();
    let statements = match split(source.text(), dialect) {
        Ok(statements) => statements,
        Err(error) => {
            let message = format!("{path} cannot be read as {dialect}: {}.", error.what);
            return vec![
                Finding::new("unreadable-sql", Level::Error, path, message)
                    .at(Place::line(path, error.line))
                    .fix("Mend the line; nothing after it can be told apart."),
            ];
        }
    };
    if statements.is_empty() {
        return vec![empty(path)];
    }
    let in_transaction = migration.transactional || direction != Direction::Up;
    statements
        .iter()
        .filter_map(|statement| {
            if is_transaction_control(statement) {
                Some(transaction_control(path, statement))
            } else if in_transaction {
                in_transaction_refused(statement, dialect)
                    .map(|what| needs_steps(path, statement, what))
            } else {
                None
            }
        })
        .collect()
}

fn empty(path: &str) -> Finding {
    let message = format!("{path} holds no statement.");
    Finding::new("empty-script", Level::Error, path, message)
        .at(Place::file(path))
        .fix("Write the statements, or remove the file: a script that is not there does nothing.")
}

fn is_transaction_control(statement: &Statement) -> bool {
    let first = statement.words.first().map(String::as_str);
    match first {
        Some("BEGIN" | "COMMIT" | "END" | "ABORT") => true,
        Some("ROLLBACK") => !statement.words.iter().any(|word| word == "TO"),
        Some("START") => statement.begins(&["START", "TRANSACTION"]),
        Some("PREPARE") => statement.begins(&["PREPARE", "TRANSACTION"]),
        _ => false,
    }
}

fn transaction_control(path: &str, statement: &Statement) -> Finding {
    let word = statement.words.first().map_or("", String::as_str);
    let message = format!("{path} has {word}, which would tear the change from its record.");
    let identity = format!("{path} {word}");
    Finding::new("transaction-in-script", Level::Error, identity, message)
        .at(Place::line(path, statement.line))
        .fix("Remove it: the engine opens and commits the transaction.")
}

fn needs_steps(path: &str, statement: &Statement, what: &str) -> Finding {
    let message = format!("{path} has {what}, which cannot run inside a transaction.");
    Finding::new(
        "not-in-transaction",
        Level::Error,
        format!("{path} {what}"),
        message,
    )
    .at(Place::line(path, statement.line))
    .fix("Set `transactional = false` in migration.toml: each statement becomes a journalled step.")
}

/// The statement's name when the database refuses it inside a transaction.
pub(crate) fn in_transaction_refused(
    statement: &Statement,
    dialect: Dialect,
) -> Option<&'static str> {
    let has = |word: &str| statement.words.iter().any(|have| have == word);
    let begins = |words: &&'static str| {
        let words = words.split(' ').collect::<Vec<_>>();
        statement.begins(&words)
    };
    let named: &[&'static str] = match dialect {
        Dialect::Sqlite => &["VACUUM", "ATTACH", "DETACH"],
        Dialect::Postgres => &[
            "VACUUM",
            "CREATE DATABASE",
            "DROP DATABASE",
            "CREATE TABLESPACE",
            "ALTER SYSTEM",
            "DROP INDEX CONCURRENTLY",
        ],
    };
    if let Some(found) = named.iter().copied().find(begins) {
        return Some(found);
    }
    let concurrently = dialect == Dialect::Postgres && has("CONCURRENTLY");
    if concurrently && begins(&"CREATE") && has("INDEX") {
        Some("CREATE INDEX CONCURRENTLY")
    } else if concurrently && begins(&"REINDEX") {
        Some("REINDEX CONCURRENTLY")
    } else {
        None
    }
}
