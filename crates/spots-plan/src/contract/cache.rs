//! What files with this content declared the last time.

use super::Unit;
use crate::cache::{Kept, digest};
use crate::tree::Language;

/// The declarations of a tree's files.
pub type Cache = crate::cache::Cache<Unit>;

impl Kept for Unit {
    const FORM: u32 = 5;
    const NAME: &'static str = "contracts";
}

impl Cache {
    /// What a text declares, from the cache or by `extract`.
    pub(super) fn unit(
        &self,
        language: Language,
        text: &str,
        extract: impl FnOnce(&str) -> Unit,
    ) -> Unit {
        let key = || digest(&[language.as_str().as_bytes(), text.as_bytes()]);
        self.keep(key, || extract(text))
    }
}
