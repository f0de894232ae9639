//! The clock audit: every direct read of the wall clock, found, placed and kept from growing.
//!
//! [`inventory`] finds direct reads with a literal search and a lexer; [`audit`] also parses the
//! files that hold one, to say where each read stands, what becomes of it, and who calls the
//! functions that hand it on.

pub mod baseline;
pub mod check;
mod claims;
pub mod config;
mod documents;
pub mod fix;
pub mod lexer;
pub mod pattern;
mod quick;
mod read;
mod reader;
pub mod report;
pub mod rules;
pub mod scan;
mod silent;
mod structure;
mod summary;
mod wrappers;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use spots_findings::Unreadable;

use crate::cache::Cache;
use crate::tree::{Language, SourceFile, Tree};
pub use claims::claims;
use config::Config;
pub use documents::{Document, documents};
use lexer::Region;
pub use quick::inventory;
pub use read::{Kind, Place, Read, TEXT_CHARS_MAX, Use};
pub use reader::FileFacts;
use reader::Reader;
use scan::{Form, Hit, Scanner, imports_file};
pub use silent::SilentPattern;
use structure::Placed;
pub use summary::Summary;
use wrappers::{Finder, ROUNDS_MAX, Wrapper, can_follow};

/// All that an audit found in a tree.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// By path, line and column.
    pub reads: Vec<Read>,
    /// Source files that were read, by language.
    pub files: BTreeMap<Language, usize>,
    /// What could not be read.
    pub unreadable: Vec<Unreadable>,
    /// A team's own patterns that matched nothing, and why that may be.
    pub silent_patterns: Vec<SilentPattern>,
}

/// Files with more reads than this are named as unreadable; no hand-written source comes near.
pub const READS_PER_FILE_MAX: usize = 5_000;

/// What one file holds, before the files are put together.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct FileReads {
    /// What names its text in a cache.
    digest: String,
    placed: Vec<(Placed, Position)>,
    mentions: Vec<(Hit, Place, Position)>,
    declares: BTreeSet<String>,
}

/// A call of a wrapper: where, and which of all.
type Call = (Placed, Position, usize);

/// Line and column, from 1.
type Position = (u32, u32);

/// Audits every file of the tree for which there are patterns.
pub fn audit(tree: &Tree, config: &Config) -> Audit {
    audit_with(tree, config, &Cache::none())
}

/// The same, with what a cache knows of files that did not change.
pub fn audit_with(tree: &Tree, config: &Config, known: &Cache<FileFacts>) -> Audit {
    let scanner = Scanner::new(&config.patterns);
    let reader = Reader::new(&scanner, config, known);
    let mut visited = tree.visit(|file, text| read_file(&reader, file, text));
    let mut unreadable = std::mem::take(&mut visited.unreadable);
    visited.items.retain(|(file, found)| {
        let fits = found.as_ref().is_some();
        if !fits {
            let reason = format!("more than {READS_PER_FILE_MAX} reads of the clock");
            unreadable.push(Unreadable {
                path: file.path.clone(),
                reason,
            });
        }
        fits
    });
    unreadable.sort();
    let mut files = BTreeMap::new();
    for (file, _) in &visited.items {
        *files.entry(file.language).or_default() += 1;
    }
    let mut items = visited
        .items
        .into_iter()
        .filter_map(|(file, found)| Some((file, found?)))
        .collect::<Vec<_>>();
    drop_shadowed(tree, &scanner, &mut items);
    let mut reads = Vec::new();
    let mut wrappers = BTreeSet::new();
    let mut digests = BTreeMap::new();
    for (file, found) in items {
        let own = found.placed.iter();
        wrappers.extend(own.filter_map(|(placed, _)| wrapper(&file, placed)));
        for (placed, at) in found.placed {
            reads.push(new_read(config, &scanner, &file.path, placed, at));
        }
        for (hit, place, at) in found.mentions {
            let comment = hit.region == Some(Region::Comment);
            let kind = if comment { Kind::Comment } else { Kind::String };
            let placed = Placed {
                hit,
                kind,
                place,
                wraps: None,
            };
            reads.push(new_read(config, &scanner, &file.path, placed, at));
        }
        digests.insert(file.path, found.digest);
    }
    reads.extend(indirect(tree, &reader, wrappers, &digests));
    reads.sort_by(|a, b| (&a.path, a.start, a.end, a.kind).cmp(&(&b.path, b.start, b.end, b.kind)));
    let silent_patterns = silent::find(&scanner, &reads, &files);
    Audit {
        reads,
        files,
        unreadable,
        silent_patterns,
    }
}

/// Finds and places what one file holds; `None` if that is too much.
fn read_file(reader: &Reader<'_>, file: &SourceFile, text: &str) -> Option<FileReads> {
    let digest = reader.digest(file.language, text);
    reader.reads(&digest, || read_anew(reader, file.language, text, &digest))
}

fn read_anew(
    reader: &Reader<'_>,
    language: Language,
    text: &str,
    digest: &str,
) -> Option<FileReads> {
    let scanner = reader.scanner;
    let scan = scanner.scan(language, text);
    if scan.hits.len() > READS_PER_FILE_MAX {
        return None;
    }
    let (code, other): (Vec<_>, Vec<_>) = scan.hits.iter().partition(|hit| hit.region.is_none());
    let code = code.into_iter().copied().collect::<Vec<_>>();
    let placed = reader.place(language, text, &code);
    let mut positions = Positions::new(text);
    let placed = placed.into_iter().map(|placed| {
        let at = positions.of(placed.hit.start);
        (placed, at)
    });
    let placed = placed.collect();
    let mut positions = Positions::new(text);
    let mentions = other.into_iter().map(|hit| {
        let pattern = scanner.patterns().get(hit.pattern);
        (
            *hit,
            structure::mention(text, hit, pattern),
            positions.of(hit.start),
        )
    });
    let mentions = mentions.collect();
    Some(FileReads {
        digest: digest.to_owned(),
        placed,
        mentions,
        declares: scan.declares,
    })
}

/// The function around a read that it returns, when its callers can be told by its name.
fn wrapper(file: &SourceFile, placed: &Placed) -> Option<Wrapper> {
    let name = placed.place.member.clone();
    let declared = placed.wraps.filter(|_| can_follow(&name))?;
    Some(Wrapper {
        path: file.path.clone(),
        language: file.language,
        class: placed.place.class.clone(),
        name,
        getter: declared.getter,
        declared: (declared.start, declared.end),
        pattern: placed.hit.pattern,
    })
}

/// Drops reads of a name that the file takes from a file of the tree which declares its own.
fn drop_shadowed(tree: &Tree, scanner: &Scanner, items: &mut [(SourceFile, FileReads)]) {
    let mut declared = BTreeMap::<String, BTreeSet<String>>::new();
    for (file, found) in items
        .iter()
        .filter(|(file, _)| file.language == Language::Dart)
    {
        for name in &found.declares {
            // A variable named `clock` stays in its file; a class can be imported.
            if name.starts_with(char::is_uppercase) {
                declared
                    .entry(name.clone())
                    .or_default()
                    .insert(file.path.clone());
            }
        }
    }
    if declared.is_empty() {
        return;
    }
    for (file, found) in items
        .iter_mut()
        .filter(|(file, _)| file.language == Language::Dart)
    {
        let Ok(text) = tree.read(file) else { continue };
        let own = |hit: &Hit| {
            let pattern = scanner.patterns().get(hit.pattern);
            pattern
                .and_then(|pattern| declared.get_key_value(pattern.anchor()))
                .is_some_and(|(name, files)| imports_file(&file.path, &text, name, files, None))
        };
        found.placed.retain(|(placed, _)| !own(&placed.hit));
    }
}

/// Follows wrappers to their callers, and callers that are wrappers in turn.
fn indirect(
    tree: &Tree,
    reader: &Reader<'_>,
    wrappers: BTreeSet<Wrapper>,
    digests: &BTreeMap<String, String>,
) -> Vec<Read> {
    let mut reads = Vec::new();
    let mut known = wrappers.clone();
    let mut new = wrappers.into_iter().collect::<Vec<_>>();
    for _ in 0..ROUNDS_MAX {
        let Some(finder) = Finder::new(&new) else {
            break;
        };
        let mut next = Vec::new();
        for (file, calls) in calls_in(tree, reader, &finder, digests) {
            for (placed, at, called) in calls {
                let Some(called) = finder.wrappers().get(called) else {
                    continue;
                };
                let again = wrapper(&file, &placed);
                next.extend(again.filter(|wrapper| known.insert(wrapper.clone())));
                let placed = Placed {
                    kind: Kind::Indirect,
                    wraps: None,
                    ..placed
                };
                let mut read = new_read(reader.config, reader.scanner, &file.path, placed, at);
                read.via = Some(called.scope());
                reads.push(read);
            }
        }
        new = next;
    }
    reads
}

/// The calls of wrappers in every file; those whose text did not change are not opened.
fn calls_in(
    tree: &Tree,
    reader: &Reader<'_>,
    finder: &Finder<'_>,
    digests: &BTreeMap<String, String>,
) -> Vec<(SourceFile, Vec<Call>)> {
    let round = reader.round(finder);
    let mut found = Vec::new();
    let mut rest = tree.clone();
    rest.retain(|file| {
        let digest = digests.get(&file.path);
        let kept = digest.and_then(|digest| reader.kept_calls(&round, &file.path, digest));
        let unknown = kept.is_none();
        found.extend(kept.map(|calls| (file.clone(), calls)));
        unknown
    });
    let visited = rest.visit(|file, text| {
        reader.calls(&round, (file, text), || calls(finder, reader, file, text))
    });
    found.extend(visited.items);
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    found
}

fn calls(finder: &Finder<'_>, reader: &Reader<'_>, file: &SourceFile, text: &str) -> Vec<Call> {
    let classes = std::cell::OnceCell::new();
    let class_at = |offset: usize| {
        let classes = classes.get_or_init(|| structure::Classes::of(file.language, text));
        classes.at(offset)
    };
    let calls = finder.calls(&file.path, file.language, text, class_at);
    let hits = calls.iter().map(|(hit, _)| *hit).collect::<Vec<_>>();
    let placed = reader.place(file.language, text, &hits);
    let mut positions = Positions::new(text);
    let calls = placed.into_iter().zip(calls);
    calls
        .map(|(placed, (hit, called))| (placed, positions.of(hit.start), called))
        .collect()
}

fn new_read(
    config: &Config,
    scanner: &Scanner,
    path: &str,
    placed: Placed,
    (line, column): Position,
) -> Read {
    let Placed {
        hit, kind, place, ..
    } = placed;
    let rule = scanner
        .patterns()
        .get(hit.pattern)
        .map_or("", |pattern| pattern.id.as_str());
    let (priority, category) = config.priority(path, &place.class, &place.member);
    let exception = config
        .exception(path, rule)
        .map(|exception| exception.reason.clone());
    Read {
        path: path.to_owned(),
        line,
        column,
        start: hit.start,
        end: hit.end,
        rule: rule.to_owned(),
        kind,
        place,
        priority,
        category: category.to_owned(),
        exception,
        via: None,
    }
}

/// Lines and columns of bytes that only move forward.
struct Positions<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    column: u32,
}

impl<'a> Positions<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            line: 1,
            column: 1,
        }
    }

    /// Line and column of a byte, from 1; columns count characters.
    fn of(&mut self, offset: usize) -> Position {
        if offset < self.at {
            *self = Self::new(self.text);
        }
        let passed = self.text.get(self.at..offset).unwrap_or_default();
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let lines = memchr::memchr_iter(b'\n', passed.as_bytes()).count();
        match passed.rfind('\n') {
            Some(last) => {
                self.line = self.line.saturating_add(count(lines));
                let tail = passed.get(last + 1..).unwrap_or_default();
                self.column = count(tail.chars().count() + 1);
            }
            None => self.column = self.column.saturating_add(count(passed.chars().count())),
        }
        self.at = offset;
        (self.line, self.column)
    }
}

impl Audit {
    /// The totals.
    pub fn summary(&self) -> Summary {
        Summary::of(self)
    }

    /// Reads that no exception explains and the ratchet holds down.
    pub fn ratcheted(&self) -> impl Iterator<Item = &Read> {
        self.reads
            .iter()
            .filter(|read| read.kind.is_ratcheted() && read.exception.is_none())
    }

    /// Whether a form of the clock is read at all in code.
    pub fn direct(&self) -> impl Iterator<Item = &Read> {
        self.reads.iter().filter(|read| read.kind.is_direct())
    }
}

impl Form {
    /// Whether this is a call.
    fn is_call(self) -> bool {
        self == Self::Call
    }
}
