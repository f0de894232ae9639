//! What a dry run says of an old database: what is mapped, what is not, and what its rows hold.

use std::collections::{BTreeMap, BTreeSet};

use spots_findings::{Finding, Level, Place};

use super::events::read_list;
use super::mapping::{Mapping, PARTS, Part};
use super::moves::Row;
use super::source::{Catalogue, Source, quoted};
use crate::error::StoreError;
use crate::schema;

/// Findings of one kind about rows; the rest is counted.
const ROWS_SHOWN_MAX: usize = 20;
/// The engine's own tables and what the upgrade itself makes are no tables of the old application.
const OWN: [&str; 2] = ["spots_migrate_", "legacy_"];
/// Where the engine's record lies, on SQLite and on PostgreSQL.
const RECORD: [&str; 2] = ["spots_migrate_", "spots_migrate."];
/// Seconds since the Unix epoch beyond which a time is taken for milliseconds: the year 3000.
const SECOND_MAX: i64 = 32_503_680_000;

/// What was found.
#[derive(Debug, Default)]
pub struct Survey {
    /// What must be settled first, and what is worth knowing.
    pub findings: Vec<Finding>,
    /// What there is to move, in words and numbers.
    pub counts: Vec<(&'static str, u64)>,
    /// Whether tables and columns are those of the baseline, by name.
    pub is_baseline: bool,
    /// Part → the query of its rows in the baseline's form.
    selects: BTreeMap<&'static str, String>,
}

impl Survey {
    /// Of a database that is not looked at, because its mapping is refused.
    pub fn refused(finding: Finding) -> Self {
        Self {
            findings: vec![finding],
            ..Self::default()
        }
    }

    /// Reads the whole old database and writes nothing.
    pub async fn of(source: &mut Source, mapping: &Mapping) -> Result<Self, StoreError> {
        let catalogue = source.catalogue().await?;
        let mut survey = Self::default();
        survey.tables(&catalogue, mapping);
        for (name, columns) in PARTS {
            if let Some(part) = mapping.parts.get(name) {
                survey.part(source, &catalogue, mapping, (name, columns, part));
            } else if name != "passwords" {
                let message = format!("No table is mapped to {name}.");
                let fix = format!("Add [{name}] with table and columns, or create an empty table.");
                survey.at(mapping, mapping.end(), name, (message, fix));
            }
        }
        survey.is_baseline = is_baseline(&catalogue);
        if survey.findings.is_empty() {
            survey.people(source).await?;
            survey.events(source).await?;
        }
        Ok(survey)
    }

    /// The rows of one part, in the baseline's form.
    pub(super) async fn rows(
        &self,
        source: &mut Source,
        part: &str,
    ) -> Result<Vec<Row>, StoreError> {
        match self.selects.get(part) {
            Some(select) => source.rows(select).await,
            None => Ok(Vec::new()),
        }
    }

    fn at(&mut self, mapping: &Mapping, line: u32, what: &str, (message, fix): (String, String)) {
        self.findings.push(
            Finding::new("unmapped", Level::Error, what, message)
                .at(Place::line(&mapping.path, line))
                .fix(fix),
        );
    }

    fn tables(&mut self, catalogue: &Catalogue, mapping: &Mapping) {
        let mapped: BTreeSet<_> = mapping
            .parts
            .values()
            .map(|part| part.table.get_ref())
            .collect();
        for table in catalogue.keys() {
            let own = is_own(catalogue, table);
            let elsewhere = table.contains('.') && !mapped.contains(table);
            if mapped.contains(table) || mapping.leave.contains(table) || own || elsewhere {
                continue;
            }
            let message = format!("The old table {table} is not mapped.");
            let fix = format!(
                "Name it as the table of a section, or say that it stays behind: leave = [\"{table}\"]."
            );
            self.at(mapping, mapping.end(), table, (message, fix));
        }
    }

    fn part(
        &mut self,
        source: &Source,
        catalogue: &Catalogue,
        mapping: &Mapping,
        (name, wanted, part): (&'static str, &[(&str, bool)], &Part),
    ) {
        let table = part.table.get_ref();
        let line = mapping.line(&part.table);
        let Some(columns) = catalogue.get(table) else {
            let message = format!("There is no table {table} in the old database.");
            let fix = format!("Name the old table that holds {name}.");
            return self.at(mapping, line, name, (message, fix));
        };
        for (to, _) in wanted.iter().filter(|(_, must)| *must) {
            if !part.columns.contains_key(*to) {
                let message = format!("No column of {table} is mapped to {name}.{to}.");
                let fix = format!("Add to columns: {to} = \"…\".");
                self.at(mapping, line, name, (message, fix));
            }
        }
        for (to, from) in &part.columns {
            let line = mapping.line(from);
            if !wanted.iter().any(|(known, _)| known == to) {
                let message = format!("{name} has no column {to}.");
                let fix = "Take it out; docs/upgrade.md lists the columns.".to_owned();
                self.at(mapping, line, name, (message, fix));
            } else if !columns.contains_key(from.get_ref()) {
                let message = format!("{table} has no column {}.", from.get_ref());
                let fix = format!("Name the old column that holds {to}.");
                self.at(mapping, line, name, (message, fix));
            }
        }
        let used: BTreeSet<_> = part.columns.values().map(toml::Spanned::get_ref).collect();
        for column in columns.keys() {
            if !used.contains(column) && !part.leave.contains(column) && name != "passwords" {
                let message = format!("The old column {table}.{column} is not mapped.");
                let fix = format!("Map it, or say that it stays behind: leave = [\"{column}\"].");
                self.at(mapping, line, name, (message, fix));
            }
        }
        let list = wanted.iter().map(|(to, _)| {
            let from = part.columns.get(*to).map(toml::Spanned::get_ref);
            from.map_or_else(
                || "NULL".to_owned(),
                |from| source.expression(to, from, columns.get(from).map_or("", String::as_str)),
            )
        });
        let list = list.collect::<Vec<_>>().join(", ");
        self.selects
            .insert(name, format!("SELECT {list} FROM {}", quoted(table)));
    }

    async fn people(&mut self, source: &mut Source) -> Result<(), StoreError> {
        let users = self.rows(source, "users").await?;
        let mut addresses = BTreeMap::new();
        let mut problems = Vec::new();
        let mut without = 0;
        for row in &users {
            let Some(email) = row.optional(1) else {
                without += 1;
                continue;
            };
            let plain = crate::email_text(email).disclose().to_owned();
            if let Some(other) = addresses.insert(plain, row.key().to_owned()) {
                problems.push(format!(
                    "Users {other} and {} have one e-mail address, apart from case and space.",
                    row.key()
                ));
            }
        }
        let profiles = self.rows(source, "personality_profiles").await?;
        let passwords = self.rows(source, "passwords").await?;
        self.counts.extend([
            ("users", users.len() as u64),
            (
                "users without an e-mail address, who cannot sign in",
                without,
            ),
            ("old passwords that go on working", passwords.len() as u64),
            ("personality profiles", profiles.len() as u64),
        ]);
        let fix = "Settle in the old database which of them keeps the address.";
        self.about_rows("one-address-twice", problems, fix);
        Ok(())
    }

    async fn events(&mut self, source: &mut Source) -> Result<(), StoreError> {
        let users = self.rows(source, "users").await?;
        let users: BTreeSet<_> = users.iter().map(Row::key).collect();
        let (mut events, mut attendances, mut strangers) = (0, 0, 0);
        let (mut lists, mut times) = (Vec::new(), Vec::new());
        for part in ["expertise_events", "community_events"] {
            for row in self.rows(source, part).await? {
                events += 1;
                match read_list(row.key(), row.text(5)) {
                    Ok((_, attendees)) => {
                        for (attendee, often) in attendees {
                            let often = often.unsigned_abs();
                            attendances += often;
                            strangers += if users.contains(attendee.as_str()) {
                                0
                            } else {
                                often
                            };
                        }
                    }
                    Err(problem) => lists.push(format!("In {part}: {problem}.")),
                }
                if !(0..=SECOND_MAX).contains(&row.int(3)) || row.int(4) < row.int(3) {
                    times.push(format!(
                        "Event {} of {part} begins at {} and ends at {}: no seconds since 1970 in order.",
                        row.key(),
                        row.int(3),
                        row.int(4)
                    ));
                }
            }
        }
        self.counts.extend([
            ("events", events),
            ("attendances", attendances),
            (
                "attendances of ids that no user has; they move without an account",
                strangers,
            ),
        ]);
        self.about_rows(
            "attendees-unread",
            lists,
            "Mend the list in the old database.",
        );
        self.about_rows("times-unread", times, "Mend the times in the old database.");
        Ok(())
    }

    fn about_rows(&mut self, rule: &'static str, problems: Vec<String>, fix: &str) {
        let more = problems.len().saturating_sub(ROWS_SHOWN_MAX);
        for problem in problems.into_iter().take(ROWS_SHOWN_MAX) {
            self.findings
                .push(Finding::new(rule, Level::Error, rule, problem).fix(fix));
        }
        if more > 0 {
            let message = format!("{more} more rows like these.");
            self.findings
                .push(Finding::new(rule, Level::Error, rule, message).fix(fix));
        }
    }
}

/// Whether the engine or a migration made this table: there already when an upgrade that died goes
/// on, and when one that went back goes up again.
fn is_own(catalogue: &Catalogue, table: &str) -> bool {
    let of_record = |name: &String| RECORD.iter().any(|prefix| name.starts_with(prefix));
    let recorded = catalogue.keys().any(of_record);
    let old = PARTS.iter().any(|(name, _)| *name == table);
    OWN.iter().any(|prefix| table.starts_with(prefix))
        || (recorded && !old && schema::tables().contains(table))
}

/// Whether the old tables have the baseline's names and columns, so that they move where they are.
fn is_baseline(catalogue: &Catalogue) -> bool {
    let theirs = catalogue
        .iter()
        .filter(|(table, _)| !table.contains('.') && !is_own(catalogue, table));
    let mut found = 0;
    for (table, columns) in theirs {
        let Some((_, wanted)) = PARTS.iter().find(|(name, _)| name == table) else {
            return false;
        };
        if columns.len() != wanted.len() || !wanted.iter().all(|(to, _)| columns.contains_key(*to))
        {
            return false;
        }
        found += 1;
    }
    found == PARTS.len() - 1
}
