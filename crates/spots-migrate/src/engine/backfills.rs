//! The steps of a program, by the name that manifests use.

use std::collections::BTreeMap;
use std::fmt;

use crate::{ApplyError, MigrationSet, Refusal};

/// The backfills that a program registers, by the name that manifests use.
///
/// `B` is the database's own `dyn Backfill`; see `sqlite::Backfills` and `postgres::Backfills`.
pub struct Backfills<B: ?Sized>(BTreeMap<String, Box<B>>);

impl<B: ?Sized> Backfills<B> {
    /// None yet.
    pub fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// With one more.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, backfill: impl Into<Box<B>>) -> Self {
        self.0.insert(name.into(), backfill.into());
        self
    }

    /// The names registered, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The backfill of this name.
    pub fn find(&self, name: &str) -> Option<&B> {
        self.0.get(name).map(|found| &**found)
    }

    pub(crate) fn needed(&self, id: &str, name: &str) -> Result<&B, ApplyError> {
        self.find(name).ok_or_else(|| {
            ApplyError::Refused(Refusal::UnknownBackfill {
                id: id.to_owned(),
                name: name.to_owned(),
            })
        })
    }

    /// Whether everything that a set names is here, before anything is touched.
    pub(crate) fn serve(&self, set: &MigrationSet) -> Result<(), ApplyError> {
        for migration in set.migrations() {
            let names = migration.backfill.iter();
            for name in names.chain(&migration.rollback.backfill) {
                self.needed(&migration.id, name)?;
            }
        }
        Ok(())
    }
}

impl<B: ?Sized> Default for Backfills<B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B: ?Sized> fmt::Debug for Backfills<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
