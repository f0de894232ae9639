//! What could not be read of a tree, by name.

use std::collections::BTreeSet;

use spots_findings::Unreadable;

use super::World;
use crate::tree::Language;

impl World {
    /// Files with a service that the grammar could not read whole: members may be missing.
    pub(super) fn name_broken(&mut self) {
        let named = self.declaring.iter();
        let named = named.filter(|(name, _)| self.options.names(name));
        let with_service: BTreeSet<usize> = named.flat_map(|(_, files)| files).copied().collect();
        for (number, unit) in &self.units {
            let Some(line) = unit.broken else { continue };
            let Some(file) = self.tree.files().get(*number) else {
                continue;
            };
            let lost = unit.types.is_empty() && with_service.contains(number);
            if lost || unit.types.iter().any(|decl| self.options.names(&decl.name)) {
                self.unreadable.push(Unreadable {
                    path: file.path.clone(),
                    reason: format!("syntax error at line {line}; mend it, or exclude the file"),
                });
            }
        }
        self.unreadable.sort();
    }

    /// Documents that could not be read, and files that were said to be documents and are none.
    pub(super) fn name_refused(&mut self) {
        for (number, unit) in &self.units {
            let Some(file) = self.tree.files().get(*number) else {
                continue;
            };
            let reason = match &unit.refused {
                Some((line, reason)) => format!("line {line}: {reason}"),
                None if file.language == Language::OpenApi
                    && unit.types.is_empty()
                    && self.options.documents.contains(&file.path) =>
                {
                    "this is no OpenAPI document".to_owned()
                }
                None => continue,
            };
            self.unreadable.push(Unreadable {
                path: file.path.clone(),
                reason,
            });
        }
        self.unreadable.sort();
    }
}
