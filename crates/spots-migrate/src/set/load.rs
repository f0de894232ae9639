//! From files to migrations, with a finding for everything that is not as it should be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;
use spots_findings::{Finding, Level, Place};

use super::manifest::Manifest;
use super::order::topological;
use super::source::too_large;
use super::{Dialect, FILE_BYTES_MAX, Migration, Script, Source};

/// How deep folders are read below the set.
const DEPTH_MAX: usize = 4;

/// How many files a set may have.
const FILES_MAX: usize = 100_000;

/// What came of reading a set; with an error among the findings the order means nothing.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) migrations: Vec<Migration>,
    pub(crate) gates: BTreeMap<String, BTreeSet<String>>,
    pub(crate) findings: Vec<Finding>,
}

/// Files by path relative to the set.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Reads every file below a folder; hidden ones and other than regular ones are left out.
pub(crate) fn read_tree(dir: &Path, findings: &mut Vec<Finding>) -> Files {
    let mut files = Files::new();
    read_folder(dir, "", DEPTH_MAX, &mut files, findings);
    files
}

fn read_folder(
    dir: &Path,
    prefix: &str,
    depth: usize,
    files: &mut Files,
    findings: &mut Vec<Finding>,
) {
    let shown = if prefix.is_empty() {
        "."
    } else {
        prefix.trim_end_matches('/')
    };
    let entries = match fs::read_dir(dir).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
        Ok(entries) => entries,
        Err(error) => return findings.push(not_read(shown, &error)),
    };
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = match fs::metadata(entry.path()) {
            Ok(kind) => kind,
            Err(error) => {
                findings.push(not_read(&path, &error));
                continue;
            }
        };
        if name.starts_with('.') {
            continue;
        }
        if kind.is_dir() && depth > 0 {
            read_folder(
                &entry.path(),
                &format!("{path}/"),
                depth - 1,
                files,
                findings,
            );
        } else if kind.is_file() && is_ours(&name) {
            if files.len() >= FILES_MAX {
                return findings.push(too_many(shown));
            }
            match read_file(&entry.path(), &path, kind.len()) {
                Ok(bytes) => {
                    files.insert(path, bytes);
                }
                Err(finding) => findings.push(*finding),
            }
        }
    }
}

fn is_ours(name: &str) -> bool {
    let extension = Path::new(name).extension();
    extension.is_some_and(|extension| {
        extension.eq_ignore_ascii_case("sql") || extension.eq_ignore_ascii_case("toml")
    })
}

fn read_file(file: &Path, path: &str, len: u64) -> Result<Vec<u8>, Box<Finding>> {
    if len > FILE_BYTES_MAX {
        return Err(Box::new(too_large(path, len)));
    }
    fs::read(file).map_err(|error| Box::new(not_read(path, &error)))
}

fn not_read(path: &str, error: &io::Error) -> Finding {
    let message = format!("{path} cannot be read: {error}.");
    Finding::new("unreadable-file", Level::Error, path, message)
        .at(Place::file(path))
        .fix("Make it readable for the user who runs this.")
}

fn too_many(path: &str) -> Finding {
    let message = format!("{path} has more than {FILES_MAX} files.");
    Finding::new("unreadable-file", Level::Error, path, message)
        .at(Place::file(path))
        .fix("Name the folder of the migrations itself.")
}

/// Leaves out what is said of a migration only because one of its files was not read.
pub(crate) fn without_echoes(findings: &mut Vec<Finding>, also: &[Finding]) {
    let folder = |finding: &Finding| {
        let place = finding.place.as_ref()?;
        Some(place.path.split_once('/')?.0.to_owned())
    };
    let unread = findings
        .iter()
        .chain(also)
        .filter(|finding| matches!(&*finding.rule, "unreadable-file" | "oversized-file"))
        .filter_map(folder)
        .collect::<BTreeSet<_>>();
    findings.retain(|finding| {
        let of_manifest = finding
            .place
            .as_ref()
            .is_some_and(|place| place.path.ends_with("/migration.toml"));
        let missing = matches!(&*finding.rule, "empty-script" | "bad-manifest") && of_manifest;
        !(missing && folder(finding).is_some_and(|folder| unread.contains(&folder)))
    });
}

/// Reads the project's own layout: a folder per migration.
pub(crate) fn spots(files: &Files) -> Loaded {
    let mut loaded = Loaded::default();
    let mut folders = BTreeMap::<&str, Vec<(&str, Source)>>::new();
    for (path, bytes) in files {
        let source = match Source::from_bytes(path, bytes) {
            Ok(source) => source,
            Err(finding) => {
                loaded.findings.push(*finding);
                continue;
            }
        };
        match path.split_once('/') {
            Some((folder, file)) => folders.entry(folder).or_default().push((file, source)),
            None if path == "set.toml" => read_gates(&source, &mut loaded),
            None => loaded.findings.push(stray(path)),
        }
    }
    for (folder, sources) in folders {
        if let Some(migration) = migration(folder, sources, &mut loaded.findings) {
            loaded.migrations.push(migration);
        }
    }
    loaded
        .migrations
        .sort_by(|a, b| (&a.id, &a.path).cmp(&(&b.id, &b.path)));
    put_in_order(&mut loaded);
    loaded
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Gates {
    /// Phase → phases that must be complete before it starts.
    #[serde(default)]
    phases: BTreeMap<String, BTreeSet<String>>,
}

fn read_gates(source: &Source, loaded: &mut Loaded) {
    match toml::from_str::<Gates>(source.text()) {
        Ok(gates) => loaded.gates = gates.phases,
        Err(error) => {
            let offset = error.span().map_or(0, |span| span.start);
            let line = super::line_of(source.text().as_bytes(), offset);
            let message = format!("set.toml cannot be read: {}.", error.message());
            loaded.findings.push(
                Finding::new("bad-manifest", Level::Error, source.path(), message)
                    .at(Place::line(source.path(), line))
                    .fix("Write `[phases]` with lines such as `\"9\" = [\"7.3\"]`."),
            );
        }
    }
}

fn stray(path: &str) -> Finding {
    let message = format!("{path} belongs to no migration and is never run.");
    Finding::new("stray-file", Level::Warning, path, message)
        .at(Place::file(path))
        .fix("Move it into a migration's folder, as `up.sql`, or remove it.")
}

fn migration(
    folder: &str,
    sources: Vec<(&str, Source)>,
    findings: &mut Vec<Finding>,
) -> Option<Migration> {
    let mut manifest = None;
    let [mut up, mut down, mut verify] = [Script::default(), Script::default(), Script::default()];
    for (file, source) in sources {
        let (name, variant) = name_and_variant(file);
        let script = match name {
            "migration.toml" => {
                manifest = Some(source);
                continue;
            }
            "up" => &mut up,
            "down" => &mut down,
            "verify" => &mut verify,
            _ => {
                findings.push(stray(source.path()));
                continue;
            }
        };
        match variant {
            Some(dialect) => {
                script.variants.insert(dialect, source);
            }
            None => script.plain = Some(source),
        }
    }
    let path = format!("{folder}/migration.toml");
    let Some(source) = manifest else {
        findings.push(no_manifest(&path));
        return None;
    };
    let manifest = Manifest::parse(&source)
        .map_err(|finding| findings.push(*finding))
        .ok()?;
    let id = manifest.id.clone().unwrap_or_else(|| folder.to_owned());
    if !is_id(&id) {
        findings.push(bad_id(&path, &id));
        return None;
    }
    if up.is_empty() && manifest.backfill.is_none() {
        findings.push(no_up(&path, folder));
    }
    Some(from_manifest(manifest, id, path, [up, down, verify]))
}

fn from_manifest(
    manifest: Manifest,
    id: String,
    path: String,
    [up, down, verify]: [Script; 3],
) -> Migration {
    Migration {
        title: manifest.title.unwrap_or_else(|| id.clone()),
        id,
        phase: manifest.phase,
        after: manifest.after.into_iter().collect(),
        breaking: manifest.breaking,
        transactional: manifest.transactional.unwrap_or(true),
        backfill: manifest.backfill,
        rollback: manifest.rollback,
        invariants: manifest.invariants,
        changes: manifest.changes.into_iter().collect(),
        path,
        up,
        down,
        verify,
    }
}

/// `up.postgres.sql` → (`up`, PostgreSQL).
fn name_and_variant(file: &str) -> (&str, Option<Dialect>) {
    let Some(stem) = file.strip_suffix(".sql") else {
        return (file, None);
    };
    if let Some(name) = stem.strip_suffix(".postgres") {
        (name, Some(Dialect::Postgres))
    } else if let Some(name) = stem.strip_suffix(".sqlite") {
        (name, Some(Dialect::Sqlite))
    } else {
        (stem, None)
    }
}

fn is_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= 120
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

fn bad_id(path: &str, id: &str) -> Finding {
    let message = format!("{id:?} is no id of a migration.");
    Finding::new("bad-manifest", Level::Error, path, message)
        .at(Place::file(path))
        .fix("Use at most 120 letters, digits, dots, dashes and underscores.")
}

fn no_manifest(path: &str) -> Finding {
    Finding::new(
        "bad-manifest",
        Level::Error,
        path,
        format!("{path} is missing."),
    )
    .at(Place::file(path))
    .fix("Write it; a single line such as `title = \"Guests\"` is enough.")
}

fn no_up(path: &str, folder: &str) -> Finding {
    let message = format!("{folder} has neither an up.sql nor a backfill.");
    Finding::new("empty-script", Level::Error, path, message)
        .at(Place::file(path))
        .fix("Write up.sql, or up.sqlite.sql and up.postgres.sql.")
}

/// Sorts by what is declared and by the gates of phases; ties keep the order of ids.
fn put_in_order(loaded: &mut Loaded) {
    let mut numbers = BTreeMap::new();
    for (number, migration) in loaded.migrations.iter().enumerate() {
        if numbers.insert(migration.id.as_str(), number).is_some() {
            loaded.findings.push(duplicate(migration));
        }
    }
    let mut edges = BTreeSet::new();
    for (number, migration) in loaded.migrations.iter().enumerate() {
        for before in &migration.after {
            match numbers.get(before.as_str()) {
                Some(before) => {
                    edges.insert((*before, number));
                }
                None => loaded.findings.push(unknown_after(migration, before)),
            }
        }
    }
    let edges = gated(loaded, edges);
    let gates = loaded.gates.len();
    let own = |node: &usize| node.checked_sub(gates);
    let order = match topological(gates + loaded.migrations.len(), &edges) {
        Ok(order) => order,
        Err(cycle) => {
            let cycle = cycle
                .iter()
                .filter_map(|node| loaded.migrations.get(own(node)?))
                .collect::<Vec<_>>();
            loaded.findings.push(cyclic(&cycle));
            return;
        }
    };
    let mut rank = vec![0; loaded.migrations.len()];
    for (position, number) in order.iter().filter_map(own).enumerate() {
        if let Some(rank) = rank.get_mut(number) {
            *rank = position;
        }
    }
    let mut ranked = rank
        .into_iter()
        .zip(loaded.migrations.drain(..))
        .collect::<Vec<_>>();
    ranked.sort_by_key(|(rank, _)| *rank);
    loaded.migrations = ranked.into_iter().map(|(_, migration)| migration).collect();
}

/// With a node for each gated phase, between what it waits for and its own migrations.
///
/// Gates come before all numbers: one that opens lets its phase in at its place, not at the end.
fn gated(loaded: &Loaded, edges: BTreeSet<(usize, usize)>) -> BTreeSet<(usize, usize)> {
    let gates = loaded.gates.len();
    let mut edges = edges
        .into_iter()
        .map(|(before, after)| (gates + before, gates + after))
        .collect::<BTreeSet<_>>();
    for (gate, (phase, awaited)) in loaded.gates.iter().enumerate() {
        for (node, migration) in (gates..).zip(&loaded.migrations) {
            match &migration.phase {
                Some(own) if own == phase => edges.insert((gate, node)),
                Some(other) if awaited.contains(other) => edges.insert((node, gate)),
                _ => false,
            };
        }
    }
    edges
}

fn duplicate(migration: &Migration) -> Finding {
    let message = format!("The id {} is used twice.", migration.id);
    Finding::new("duplicate-number", Level::Error, &migration.id, message)
        .at(Place::file(&migration.path))
        .fix("Give one of them another id; an id stays for ever.")
}

fn unknown_after(migration: &Migration, before: &str) -> Finding {
    let message = format!(
        "{} comes after {before}, which is not in the set.",
        migration.id
    );
    let identity = format!("{} {before}", migration.id);
    Finding::new("unknown-dependency", Level::Error, identity, message)
        .at(Place::file(&migration.path))
        .fix("Name a migration of this set, or remove the entry.")
}

fn cyclic(cycle: &[&Migration]) -> Finding {
    let ids = cycle
        .iter()
        .map(|migration| migration.id.as_str())
        .collect::<Vec<_>>();
    let first = ids.first().copied().unwrap_or_default();
    let message = format!("These wait for each other: {} → {first}.", ids.join(" → "));
    // A gate is right for all of a phase: what says otherwise by itself is to change.
    let says = |one: &&&Migration| one.after.iter().any(|id| ids.contains(&id.as_str()));
    let saying = cycle.iter().filter(says).min_by_key(|one| &one.id);
    let path = |one: &&Migration| one.path.clone();
    let place = saying.or(cycle.first()).map(path).unwrap_or_default();
    let mut finding = Finding::new("cycle", Level::Error, ids.join(" "), message)
        .at(Place::file(&place))
        .fix("Remove one `after` or gate, or split one of them.");
    for migration in cycle.iter().filter(|one| one.path != place) {
        finding = finding.related(Place::file(&migration.path), "also in the cycle");
    }
    finding
}
