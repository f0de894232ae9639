//! `legacy.toml`: which tables and columns of an old database hold what.

use std::collections::BTreeMap;

use serde::Deserialize;
use spots_findings::{Finding, Level, Place};
use toml::Spanned;

/// The largest mapping file, in bytes.
pub const MAPPING_BYTES_MAX: usize = 1024 * 1024;

/// What the move reads, table by table: the name in the file and in the baseline, and its columns
/// with whether each must be there.
pub(super) const PARTS: [(&str, &[(&str, bool)]); 5] = [
    (
        "users",
        &[
            ("id", true),
            ("email", false),
            ("display_name", false),
            ("phone_number", false),
            ("birthday", false),
        ],
    ),
    (
        "personality_profiles",
        &[("user_id", true), ("profile", true)],
    ),
    ("expertise_events", EVENT),
    ("community_events", EVENT),
    ("passwords", &[("id", true), ("password_hash", true)]),
];
const EVENT: &[(&str, bool)] = &[
    ("id", true),
    ("host_user_id", true),
    ("title", true),
    ("starts_at", true),
    ("ends_at", true),
    ("attendee_ids", true),
];

/// Where one table's rows come from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    /// The old table, with its schema unless that is the usual one.
    pub(super) table: Spanned<String>,
    /// Column of the baseline → old column.
    #[serde(default)]
    pub(super) columns: BTreeMap<String, Spanned<String>>,
    /// Old columns that are not moved.
    #[serde(default)]
    pub(super) leave: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    users: Option<Part>,
    personality_profiles: Option<Part>,
    expertise_events: Option<Part>,
    community_events: Option<Part>,
    passwords: Option<Part>,
    /// Old tables that are not moved.
    #[serde(default)]
    leave: Vec<String>,
}

/// A mapping as it was read.
#[derive(Clone, Debug)]
pub struct Mapping {
    pub(super) path: String,
    text: String,
    pub(super) parts: BTreeMap<&'static str, Part>,
    pub(super) leave: Vec<String>,
}

impl Mapping {
    /// The mapping of a database that is of the baseline's form.
    pub fn same() -> Self {
        let parts = PARTS.iter().filter(|(name, _)| *name != "passwords");
        let same = |name: &str| Spanned::new(0..0, name.to_owned());
        Self {
            path: "legacy.toml".to_owned(),
            text: String::new(),
            parts: parts
                .map(|(name, columns)| {
                    let columns = columns.iter().map(|(to, _)| ((*to).to_owned(), same(to)));
                    let part = Part {
                        table: same(name),
                        columns: columns.collect(),
                        leave: Vec::new(),
                    };
                    (*name, part)
                })
                .collect(),
            leave: Vec::new(),
        }
    }

    /// Reads a file's text; `path` is how findings name it.
    pub fn parse(path: &str, text: &str) -> Result<Self, Box<Finding>> {
        if text.len() > MAPPING_BYTES_MAX {
            let message = format!("{path} is larger than {MAPPING_BYTES_MAX} bytes.");
            return Err(Box::new(refused(path, 1, message)));
        }
        let file: File = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let message = format!("{path} is no mapping: {}.", error.message());
            Box::new(refused(path, line_of(text, at), message))
        })?;
        let given = [
            ("users", file.users),
            ("personality_profiles", file.personality_profiles),
            ("expertise_events", file.expertise_events),
            ("community_events", file.community_events),
            ("passwords", file.passwords),
        ];
        Ok(Self {
            path: path.to_owned(),
            text: text.to_owned(),
            parts: given
                .into_iter()
                .filter_map(|(name, part)| Some((name, part?)))
                .collect(),
            leave: file.leave,
        })
    }

    /// The line on which something stands.
    pub(super) fn line(&self, of: &Spanned<String>) -> u32 {
        line_of(&self.text, of.span().start)
    }

    /// The line after the last, where something is to be added.
    pub(super) fn end(&self) -> u32 {
        line_of(&self.text, self.text.len())
    }
}

fn refused(path: &str, line: u32, message: String) -> Finding {
    Finding::new("bad-mapping", Level::Error, path, message)
        .at(Place::line(path, line))
        .fix("Mend the line; docs/upgrade.md lists the keys.")
}

fn line_of(text: &str, at: usize) -> u32 {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    let lines = before.split(|byte| *byte == b'\n').count();
    u32::try_from(lines).unwrap_or(u32::MAX)
}
