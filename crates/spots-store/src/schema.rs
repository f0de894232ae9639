//! The platform's own migrations, carried in the binary.

use std::collections::BTreeSet;

use spots_migrate::MigrationSet;

/// Every file of a migration's folder, by its path in the set. Each has a manifest and a way up for
/// each database; the others are named where they differ between databases.
macro_rules! migrations {
    ($($id:literal $([$($name:literal)*])?)*) => {
        &[$(
            &[file!($id, "migration.toml"), file!($id, "up.postgres.sql"), file!($id, "up.sqlite.sql")],
            others!($id $([$($name)*])?),
        )*]
    };
}

macro_rules! others {
    ($id:literal) => { others!($id ["down.sql" "verify.sql"]) };
    ($id:literal [$($name:literal)*]) => { &[$(file!($id, $name),)*] };
}

macro_rules! file {
    ($id:literal, $name:literal) => {
        (
            concat!($id, "/", $name),
            include_str!(concat!("../../../migrations/", $id, "/", $name)),
        )
    };
}

const FILES: &[&[(&str, &str)]] = migrations! {
    "0001-baseline"
    "0010-user-agent-mappings"
    "0015-legacy-window" ["down.postgres.sql" "down.sqlite.sql" "verify.sql"]
    "0020-agents-for-users"
    "0030-profiles-by-agent"
    "0035-profiles-move"
    "0040-anonymous-users"
    "0045-anonymous-from-profiles"
    "0050-sealed-fields"
    "0055-personal-fields-sealed"
    "0070-hosts-and-events"
    "0100-reservations"
    "0110-reservation-tickets"
    "0120-cancellation-policies"
    "0130-seating-charts"
    "0140-reservation-user-data"
    "0150-outbox"
    "0160-legacy-events"
    "0165-expert-events-move"
    "0170-community-events-move"
    "0180-old-tables-aside" ["down.postgres.sql" "down.sqlite.sql" "verify.sql"]
    "0185-last-changes" ["down.sql" "verify.postgres.sql" "verify.sqlite.sql"]
    "0190-clear-text-gone"
    "0200-journal"
    "0210-replica-order"
    "0220-key-wrappings" ["down.postgres.sql" "down.sqlite.sql" "verify.sql"]
    "0240-ledger-tree" ["down.postgres.sql" "down.sqlite.sql" "verify.sql"]
    "0250-vouchers"
    "0300-models"
    "0310-openings" ["down.postgres.sql" "down.sqlite.sql" "verify.sql"]
    "0320-wrapping-index"
};

/// The gates between phases.
const SET: (&str, &str) = ("set.toml", include_str!("../../../migrations/set.toml"));

/// The set that this binary was built with.
pub fn migrations() -> MigrationSet {
    let files = [FILES.concat(), vec![SET]].concat();
    MigrationSet::from_embedded(&files).expect("a test reads the embedded set")
}

/// Every table that the migrations make, on PostgreSQL.
pub(crate) fn tables() -> BTreeSet<String> {
    let files = FILES.concat();
    let scripts = files
        .iter()
        .filter(|(path, _)| path.ends_with("up.postgres.sql"));
    scripts
        .flat_map(|(_, text)| text.lines())
        .filter_map(|line| line.trim_start().strip_prefix("CREATE TABLE "))
        .filter_map(|rest| {
            rest.trim_start_matches("IF NOT EXISTS ")
                .split([' ', '('])
                .next()
        })
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_migration_on_disk_is_carried() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
        let mut on_disk = BTreeSet::new();
        let mut beside = BTreeSet::new();
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if !entry.file_type().unwrap().is_dir() {
                beside.insert(entry.file_name().into_string().unwrap());
            }
            if entry.file_type().unwrap().is_dir() {
                for file in std::fs::read_dir(entry.path()).unwrap().map(Result::unwrap) {
                    let (folder, file) = (entry.file_name(), file.file_name());
                    on_disk.insert(format!("{}/{}", folder.display(), file.display()));
                }
            }
        }
        let files = FILES.concat();
        let carried: BTreeSet<_> = files.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(carried, on_disk);
        assert_eq!(beside, BTreeSet::from([SET.0.to_owned()]));
        assert!(
            migrations().gates().contains_key("9"),
            "phase 9 waits for 7.3"
        );
        let folders: BTreeSet<_> = files
            .iter()
            .filter_map(|(path, _)| path.split('/').next())
            .collect();
        assert_eq!(migrations().migrations().len(), folders.len());
    }
}
