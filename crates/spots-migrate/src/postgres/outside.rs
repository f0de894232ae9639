//! Statements that PostgreSQL refuses inside a transaction, as steps that survive a crash.
//!
//! The journal's entry is begun before the statement and finished after it. A step that was begun
//! but not finished is looked at in the catalogue: done, half done (an invalid index, which is
//! dropped) or not done.

use squawk_syntax::SourceFile;
use squawk_syntax::ast::{self, AstNode as _};

use super::journal;
use super::script::run_failed;
use super::target::Postgres;
use crate::engine::target::{One, Progressed, Trouble};

/// Runs one such statement.
pub(super) async fn run(target: &Postgres<'_>, one: &One<'_>) -> Result<Progressed, Trouble> {
    let entry = |at: &Progressed| {
        let entry = journal::write(target.token, &one.migration.id, one.step(), at);
        format!("BEGIN;{entry}COMMIT")
    };
    let index = index(one.text);
    let mut done = false;
    if one.begun {
        done = match &index {
            Some(index) => recover(target, index, one).await?,
            None => false,
        };
    } else {
        execute(target, one, &entry(&Progressed::begun())).await?;
    }
    if !done {
        // A concurrent build waits for old transactions by design, and blocks nobody meanwhile.
        execute(target, one, "SET lock_timeout = 0").await?;
        let ran = execute(target, one, one.text).await;
        execute(target, one, "RESET lock_timeout").await?;
        if let (Err(_), Some(index)) = (&ran, &index) {
            // Leave no invalid index behind a failure either.
            recover(target, index, one).await?;
        }
        ran?;
    }
    let done = Progressed::finished();
    execute(target, one, &entry(&done)).await?;
    Ok(done)
}

async fn execute(target: &Postgres<'_>, one: &One<'_>, sql: &str) -> Result<(), Trouble> {
    let done = target.client.batch_execute(sql).await;
    done.map_err(|error| run_failed(one, error))
}

/// What a concurrent statement makes or removes.
#[derive(Debug, PartialEq, Eq)]
struct Index {
    /// Its table for a build, as written; itself for a drop or a rebuild.
    relation: String,
    /// Its own name, for a build.
    name: Option<String>,
    drops: bool,
}

fn index(text: &str) -> Option<Index> {
    let parse = SourceFile::parse(text);
    match parse.tree().stmts().next()? {
        ast::Stmt::CreateIndex(create) => {
            let name = create.index()?.syntax().text().to_string();
            let table = create.table_relation_name()?.syntax().text().to_string();
            Some(Index {
                relation: table.trim_start_matches("ONLY ").trim().to_owned(),
                name: Some(name.trim().to_owned()),
                drops: false,
            })
        }
        ast::Stmt::DropIndex(drop) => {
            let path = drop
                .syntax()
                .descendants()
                .find(|node| ast::PathRef::can_cast(node.kind()))?;
            Some(Index {
                relation: path.text().to_string().trim().to_owned(),
                name: None,
                drops: true,
            })
        }
        _ => None,
    }
}

/// Looks at what a begun step left: drops an invalid index, says whether the step is done.
async fn recover(target: &Postgres<'_>, index: &Index, one: &One<'_>) -> Result<bool, Trouble> {
    if index.drops {
        let row = target
            .client
            .query_one("SELECT to_regclass($1) IS NULL", &[&index.relation])
            .await
            .and_then(|row| row.try_get(0));
        return row.map_err(|error| run_failed(one, error));
    }
    let found = target
        .client
        .query_opt(
            "SELECT i.indisvalid AND i.indisready, i.indexrelid::regclass::text
             FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
             WHERE i.indrelid = to_regclass($1)
                 AND c.relname = (parse_ident($2))[array_upper(parse_ident($2), 1)]",
            &[&index.relation, &index.name],
        )
        .await
        .and_then(|row| {
            row.map(|row| Ok((row.try_get::<_, bool>(0)?, row.try_get::<_, String>(1)?)))
                .transpose()
        })
        .map_err(|error| run_failed(one, error))?;
    match found {
        Some((true, _)) => Ok(true),
        Some((false, name)) => {
            execute(target, one, &format!("DROP INDEX CONCURRENTLY {name}")).await?;
            Ok(false)
        }
        None => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_concurrent_build_names_its_index_and_table() {
        let text = "create unique index concurrently if not exists \"By Name\" on app.users (name)";
        assert_eq!(
            index(text),
            Some(Index {
                relation: "app.users".to_owned(),
                name: Some("\"By Name\"".to_owned()),
                drops: false
            })
        );
        let text = "DROP INDEX CONCURRENTLY IF EXISTS app.by_name";
        assert_eq!(
            index(text).map(|index| (index.relation, index.drops)),
            Some(("app.by_name".to_owned(), true))
        );
        assert_eq!(index("VACUUM users"), None);
    }
}
