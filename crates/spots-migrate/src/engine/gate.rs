//! What may start: the environment, what is in testing, what was rehearsed.
//!
//! All of it lies in the database beside the record, and is read under the lock.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::frame::released;
use super::target::Target;
use crate::infer::read_up;
use crate::{ApplyError, Dialect, Migration, MigrationSet, Record, Refusal, Run, Space, State};

/// How long a migration may be in testing at once.
pub const TESTING_MAX: Duration = Duration::from_hours(24 * 14);

/// What a database is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// Where people try things.
    Development,
    /// Where releases are tried.
    Staging,
    /// What others rely on: takes only a set that was rehearsed.
    Production,
}

impl Environment {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Development, Self::Staging, Self::Production];

    /// The word in the database and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }

    /// The environment of this name.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A migration that somebody tests in this database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Testing {
    /// Its id.
    pub id: String,
    /// Who.
    pub owner: String,
    /// Since when, by the database's clock: RFC 3339, UTC.
    pub since: String,
    /// When it ends by itself.
    pub until: String,
    /// What it changes.
    pub writes: BTreeSet<String>,
    /// What it needs.
    pub reads: BTreeSet<String>,
}

/// A rehearsal without a problem: of which set, from which state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Over every script of the set, both ways.
    pub set: String,
    /// Over what was applied before.
    pub from: String,
}

impl Certificate {
    /// What a rehearsal of this set on this record proves.
    pub fn of(set: &MigrationSet, dialect: Dialect, records: &[Record]) -> Self {
        let applied = records
            .iter()
            .filter(|record| record.state == State::Applied)
            .map(|record| (&record.id, &record.checksum))
            .collect::<BTreeSet<_>>();
        let from = applied.into_iter().flat_map(|(id, sum)| [&**id, &**sum]);
        Self {
            set: set.rehearsed_checksum(dialect),
            from: crate::set::digest(from),
        }
    }
}

/// What a database says about what may start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// What it is for; none was said yet.
    pub environment: Option<Environment>,
    /// What is in testing.
    pub testing: Vec<Testing>,
    /// What was rehearsed.
    pub rehearsed: Vec<Certificate>,
}

impl Standing {
    /// Whether these migrations may start.
    pub(crate) fn admit(
        &self,
        set: &MigrationSet,
        dialect: Dialect,
        records: &[Record],
        left: &[&Migration],
    ) -> Result<(), Refusal> {
        let tested = self.testing.iter().map(|one| one.id.as_str());
        let tested = tested.collect::<BTreeSet<_>>();
        for migration in left.iter().filter(|one| !tested.contains(&*one.id)) {
            if self.testing.is_empty() {
                break;
            }
            let (writes, reads) = touched(migration, dialect);
            if let Some((testing, over)) = self.conflict(&writes, &reads) {
                return Err(Refusal::InTesting {
                    id: migration.id.clone(),
                    testing: Box::new(testing.clone()),
                    over,
                });
            }
        }
        let wanted = Certificate::of(set, dialect, records);
        if self.environment == Some(Environment::Production) && !self.rehearsed.contains(&wanted) {
            let other_set = self.rehearsed.iter().any(|one| one.from == wanted.from);
            return Err(Refusal::NotRehearsed { other_set });
        }
        Ok(())
    }

    /// The test that this would disturb, and over which objects.
    fn conflict(
        &self,
        writes: &BTreeSet<String>,
        reads: &BTreeSet<String>,
    ) -> Option<(&Testing, Vec<String>)> {
        self.testing.iter().find_map(|testing| {
            let mut over = writes
                .iter()
                .filter(|one| testing.writes.contains(*one) || testing.reads.contains(*one))
                .chain(reads.iter().filter(|one| testing.writes.contains(*one)))
                .cloned()
                .collect::<Vec<_>>();
            over.sort();
            over.dedup();
            (!over.is_empty()).then_some((testing, over))
        })
    }
}

/// Tables, views, types and functions that a way up changes, and those that it needs.
fn touched(migration: &Migration, dialect: Dialect) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut writes, mut reads) = (BTreeSet::new(), BTreeSet::new());
    for fact in read_up(migration, dialect).facts {
        let object = fact.object.whole();
        if matches!(object.space, Space::Schema | Space::Extension) {
            continue;
        }
        let side = if fact.action.is_write() {
            &mut writes
        } else {
            &mut reads
        };
        side.insert(object.to_string());
    }
    (writes, reads)
}

/// What this database says about what may start.
pub(crate) async fn standing<T: Target>(target: &T) -> Result<Standing, ApplyError> {
    let (lock, testing) = (T::table("lock"), T::table("testing"));
    let mut out = Standing::default();
    let text = |cell: Option<&Option<String>>| cell.cloned().flatten().unwrap_or_default();
    let said = target
        .rows(&format!("SELECT environment FROM {lock}"))
        .await?;
    out.environment = Environment::parse(&text(said.first().and_then(|row| row.first())));
    let query = format!(
        "SELECT migration, owner, since, until, touched FROM {testing}
         WHERE until > {} ORDER BY migration",
        T::later(Duration::ZERO)
    );
    for row in target.rows(&query).await? {
        let touched = serde_json::from_str(&text(row.get(4)));
        let (writes, reads) = touched.map_err(ApplyError::database("read what is in testing"))?;
        out.testing.push(Testing {
            id: text(row.first()),
            owner: text(row.get(1)),
            since: text(row.get(2)),
            until: text(row.get(3)),
            writes,
            reads,
        });
    }
    let query = format!("SELECT certificate FROM {}", T::table("rehearsal"));
    for row in target.rows(&query).await? {
        let certificate = serde_json::from_str(&text(row.first()));
        out.rehearsed
            .push(certificate.map_err(ApplyError::database("read what was rehearsed"))?);
    }
    Ok(out)
}

/// Something to write down about a database.
#[derive(Debug)]
pub(crate) enum Entry<'a> {
    Environment(Environment),
    Rehearsed(&'a Certificate),
    Testing(&'a MigrationSet, &'a [String], Duration),
    Tested(&'a [String]),
}

/// Writes it, under the lock: no run starts meanwhile.
pub(crate) async fn write<T: Target>(
    target: &mut T,
    entry: &Entry<'_>,
    run: &mut Run<'_>,
) -> Result<(), ApplyError> {
    target.take(run).await?;
    let done = write_held(target, entry, &run.owner.clone()).await;
    released(target, done).await
}

async fn write_held<T: Target>(
    target: &mut T,
    entry: &Entry<'_>,
    owner: &str,
) -> Result<(), ApplyError> {
    match entry {
        Entry::Environment(environment) => {
            let lock = T::table("lock");
            let word = T::literal(environment.as_str());
            target
                .execute(&format!("UPDATE {lock} SET environment = {word}"))
                .await
        }
        Entry::Rehearsed(certificate) => note(target, certificate, owner).await,
        Entry::Testing(set, ids, time) => test(target, set, ids, *time, owner).await,
        Entry::Tested(ids) => {
            for id in *ids {
                let id = T::literal(id);
                let testing = T::table("testing");
                let sql = format!("DELETE FROM {testing} WHERE migration = {id}");
                target.execute(&sql).await?;
            }
            Ok(())
        }
    }
}

/// Writes down that a rehearsal found no problem.
pub(crate) async fn note<T: Target>(
    target: &mut T,
    certificate: &Certificate,
    owner: &str,
) -> Result<(), ApplyError> {
    let text =
        serde_json::to_string(certificate).map_err(ApplyError::database("write a certificate"))?;
    target
        .execute(&format!(
            "INSERT INTO {} (certificate, owner, at) VALUES ({}, {}, {})
             ON CONFLICT (certificate) DO UPDATE SET owner = excluded.owner, at = excluded.at",
            T::table("rehearsal"),
            T::literal(&text),
            T::literal(owner),
            T::later(Duration::ZERO)
        ))
        .await
}

async fn test<T: Target>(
    target: &mut T,
    set: &MigrationSet,
    ids: &[String],
    time: Duration,
    owner: &str,
) -> Result<(), ApplyError> {
    let standing = standing(target).await?;
    let (testing, now) = (T::table("testing"), T::later(Duration::ZERO));
    let until = T::later(time.min(TESTING_MAX));
    for id in ids {
        let Some(migration) = set.find(id) else {
            let what = id.clone();
            return Err(ApplyError::Refused(Refusal::NotInSet { what }));
        };
        let touched = touched(migration, T::DIALECT);
        let others = Standing {
            testing: (standing.testing.iter())
                .filter(|one| one.owner != owner && one.id != *id)
                .cloned()
                .collect(),
            ..Standing::default()
        };
        if let Some((other, over)) = others.conflict(&touched.0, &touched.1) {
            return Err(ApplyError::Refused(Refusal::InTesting {
                id: id.clone(),
                testing: Box::new(other.clone()),
                over,
            }));
        }
        let touched = serde_json::to_string(&touched)
            .map_err(ApplyError::database("write what a test touches"))?;
        target
            .execute(&format!(
                "INSERT INTO {testing} (migration, owner, since, until, touched)
                 VALUES ({}, {}, {now}, {until}, {})
                 ON CONFLICT (migration) DO UPDATE SET
                     owner = excluded.owner, until = excluded.until, touched = excluded.touched",
                T::literal(id),
                T::literal(owner),
                T::literal(&touched)
            ))
            .await?;
    }
    Ok(())
}
