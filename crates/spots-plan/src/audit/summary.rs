//! Totals of an audit.

use std::collections::BTreeMap;

use super::{Audit, Kind};

/// How many reads, by what. Priorities, categories and folders each add up to the total.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Direct reads in code: calls and elapsed-time uses.
    pub total: usize,
    /// Direct reads that an exception allows; part of the total.
    pub excepted: usize,
    /// Every kind, also those that do not count in the total.
    pub by_kind: BTreeMap<Kind, usize>,
    /// Direct reads by priority, 1 to 5.
    pub by_priority: BTreeMap<u8, usize>,
    /// Direct reads by category.
    pub by_category: BTreeMap<String, usize>,
    /// Direct reads by folder; `.` is the tree's root.
    pub by_directory: BTreeMap<String, usize>,
    /// Direct reads by service: the class around them.
    pub by_service: BTreeMap<String, usize>,
    /// How many files could not be read.
    pub unreadable: usize,
}

impl Summary {
    pub(super) fn of(audit: &Audit) -> Self {
        let mut summary = Self {
            total: 0,
            excepted: 0,
            by_kind: Kind::ALL.into_iter().map(|kind| (kind, 0)).collect(),
            by_priority: (1..=5).map(|rank| (rank, 0)).collect(),
            by_category: BTreeMap::new(),
            by_directory: BTreeMap::new(),
            by_service: BTreeMap::new(),
            unreadable: audit.unreadable.len(),
        };
        for read in &audit.reads {
            *summary.by_kind.entry(read.kind).or_default() += 1;
            if !read.kind.is_direct() {
                continue;
            }
            summary.total += 1;
            summary.excepted += usize::from(read.exception.is_some());
            *summary.by_priority.entry(read.priority).or_default() += 1;
            *summary
                .by_category
                .entry(read.category.clone())
                .or_default() += 1;
            let directory = read
                .path
                .rsplit_once('/')
                .map_or(".", |(directory, _)| directory);
            *summary
                .by_directory
                .entry(directory.to_owned())
                .or_default() += 1;
            let class = &read.place.class;
            let service = if class.is_empty() {
                "(no class)"
            } else {
                class
            };
            *summary.by_service.entry(service.to_owned()).or_default() += 1;
        }
        summary
    }
}
