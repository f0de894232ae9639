//! Comparing what a database holds with what was hashed and signed, and saying where they differ.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::fmt;

use super::checkpoint::Checkpoint;
use super::entry::Entry;
use super::merkle::{Frontier, Hash, Node};
use super::note::PublicKey;

/// The most findings that one audit keeps; it goes on counting.
pub const FINDINGS_MAX: usize = 1_000;

/// Where something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// At this position.
    Position(u64),
    /// Somewhere from the first position to before the second.
    Between(u64, u64),
    /// A stored hash.
    Node(Node),
    /// The checkpoint of this size.
    Checkpoint(u64),
    /// An entry that waits for its position, or a field without its entry.
    Field(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Position(position) => write!(f, "position {position}"),
            Self::Between(from, to) => write!(f, "positions {from} to {}", to.saturating_sub(1)),
            Self::Node(Node { level, index }) => write!(f, "hash {index} of level {level}"),
            Self::Checkpoint(size) => write!(f, "checkpoint of size {size}"),
            Self::Field(field) => f.write_str(field),
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// What.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// An audit under way: positions are handed in from 0 on.
#[derive(Debug)]
pub struct Audit {
    key: PublicKey,
    /// Checkpoints that lie ahead: size and note, by size.
    checkpoints: VecDeque<(u64, String)>,
    frontier: Frontier,
    /// Up to where a checkpoint confirmed the stored hashes.
    confirmed: u64,
    rewritten: bool,
    /// Positions whose row is not the recorded one: the row's leaf and the recorded leaf.
    altered: BTreeMap<u64, (Hash, Hash)>,
    findings: Vec<Finding>,
    count: u64,
}

impl Audit {
    /// Begins, with the checkpoints that were signed.
    pub fn begin(key: PublicKey, mut checkpoints: Vec<(u64, String)>) -> Self {
        checkpoints.sort();
        Self {
            key,
            checkpoints: checkpoints.into(),
            frontier: Frontier::default(),
            confirmed: 0,
            rewritten: false,
            altered: BTreeMap::new(),
            findings: Vec::new(),
            count: 0,
        }
    }

    /// How many positions were looked at.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The next position: the leaf that is recorded for it, the rows that claim it, and the leaf
    /// that a copy outside the database has. Returns the subtrees that it completes, by what is
    /// recorded.
    pub fn position(
        &mut self,
        recorded: Option<Hash>,
        rows: &[Entry],
        copy: Option<Hash>,
    ) -> Vec<(Node, Hash)> {
        let position = self.size();
        let leaf = rows.first().map(Entry::leaf);
        match (recorded, rows) {
            (None, []) => self.report(Place::Position(position), "row and hash were removed"),
            (None, _) => self.report(Place::Position(position), "the hash was removed"),
            (Some(_), []) => self.report(Place::Position(position), "the row was removed"),
            (Some(recorded), [row]) => {
                if row.leaf() != recorded {
                    self.altered.insert(position, (row.leaf(), recorded));
                }
            }
            (Some(recorded), rows) => {
                for row in rows.iter().filter(|row| row.leaf() != recorded) {
                    let what = format!("a row was inserted: {row}");
                    self.report(Place::Position(position), what);
                }
            }
        }
        if copy.is_some_and(|copy| leaf.is_some_and(|leaf| leaf != copy))
            && !self.altered.contains_key(&position)
        {
            let what =
                "row and hash were rewritten: the copy outside the database has another entry";
            self.report(Place::Position(position), what);
        }
        let leaf = recorded.or(leaf).unwrap_or_default();
        let completed = self.frontier.push(leaf);
        self.compare_checkpoints();
        completed
    }

    /// A stored hash of a subtree beside the one that follows from the leaves.
    pub fn node(&mut self, node: Node, stored: Option<&Hash>, computed: &Hash) {
        if stored != Some(computed) {
            self.report(Place::Node(node), "is not the hash of its leaves");
        }
    }

    fn compare_checkpoints(&mut self) {
        let size = self.size();
        while self.checkpoints.front().is_some_and(|(at, _)| *at <= size) {
            let Some((at, note)) = self.checkpoints.pop_front() else {
                return;
            };
            match Checkpoint::open(&note, &self.key) {
                Err(error) => self.report(Place::Checkpoint(at), error.to_string()),
                Ok(signed) if signed.size != at => {
                    let what = format!("was signed for size {}", signed.size);
                    self.report(Place::Checkpoint(at), what);
                }
                Ok(signed) if at == size && signed.root == self.frontier.root() => {
                    self.confirmed = size;
                }
                Ok(_) if self.rewritten => {}
                Ok(_) => {
                    self.rewritten = true;
                    let place = Place::Between(self.confirmed, at);
                    self.report(place, "the hashes are not those that were signed");
                }
            }
        }
    }

    /// Something that was found beside the tree.
    pub fn report(&mut self, place: Place, what: impl Into<String>) {
        self.count += 1;
        if self.findings.len() < FINDINGS_MAX {
            let what = what.into();
            self.findings.push(Finding { place, what });
        }
    }

    /// Ends: what was found, and how much more than is listed.
    pub fn end(mut self) -> (Vec<Finding>, u64) {
        let altered = std::mem::take(&mut self.altered);
        let recorded: BTreeMap<Hash, u64> = altered
            .iter()
            .map(|(position, (_, recorded))| (*recorded, *position))
            .collect();
        for (position, (leaf, _)) in &altered {
            let what = match recorded.get(leaf) {
                Some(other) => {
                    format!("reordered: the row is the one recorded at position {other}")
                }
                None => "the row was altered, or another was put in its place".to_owned(),
            };
            self.report(Place::Position(*position), what);
        }
        while let Some((size, _)) = self.checkpoints.pop_front() {
            let what = format!(
                "the ledger ends at {}: what was signed is gone",
                self.size()
            );
            self.report(Place::Checkpoint(size), what);
        }
        let more = self.count - self.findings.len() as u64;
        (self.findings, more)
    }
}
