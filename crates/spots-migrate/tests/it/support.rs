//! Sets in memory, a PostgreSQL of one's own.

pub(crate) mod cluster;

use spots_migrate::{MigrationSet, Run, Silent};

/// A set of `(folder, manifest, up, down)`; an empty text is no file.
pub(crate) fn set(migrations: &[(&str, &str, &str, &str)]) -> MigrationSet {
    let files = migrations
        .iter()
        .flat_map(|(folder, manifest, up, down)| {
            [
                (format!("{folder}/migration.toml"), *manifest),
                (format!("{folder}/up.sql"), *up),
                (format!("{folder}/down.sql"), *down),
            ]
        })
        .filter(|(path, text)| !text.is_empty() || path.ends_with("migration.toml"))
        .collect::<Vec<_>>();
    let files = files
        .iter()
        .map(|(path, text)| (path.as_str(), *text))
        .collect::<Vec<_>>();
    MigrationSet::from_embedded(&files).unwrap()
}

/// A folder in memory where there is one: a killed process needs no durable disk.
pub(crate) fn folder() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

/// A run that nobody watches.
pub(crate) fn quiet(silent: &mut Silent) -> Run<'_> {
    Run::by("test", silent)
}
