//! What exists at a point of the order, what is gone and how it went.

use std::collections::{BTreeMap, BTreeSet};

use spots_findings::Place;

use crate::{Action, Fact, Object, Space};

/// How something went.
#[derive(Clone, Debug)]
pub(super) enum Gone {
    Dropped,
    Renamed(Object),
}

/// Where an object stands.
#[derive(Clone, Debug)]
pub(super) enum Standing {
    Unknown,
    Here { by: usize, place: Place },
    Gone { by: usize, place: Place, how: Gone },
}

#[derive(Clone, Debug)]
struct Entry {
    standing: Standing,
    /// Overloads of a function.
    signatures: BTreeSet<String>,
}

/// Everything that was ever created, by name.
#[derive(Default)]
pub(super) struct Ledger {
    entries: BTreeMap<Object, Entry>,
    /// Relation → its indexes, which go with it.
    indexes: BTreeMap<Object, BTreeSet<Object>>,
    closed: BTreeSet<Object>,
}

impl Ledger {
    /// All columns of this relation are known when it is created.
    pub(super) fn close(&mut self, relation: Object) {
        self.closed.insert(relation);
    }

    pub(super) fn knows_columns_of(&self, column: &Object) -> bool {
        const SYSTEM: &[&str] = &[
            "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", "oid", "rowid",
        ];
        let relation = column.whole();
        self.closed.contains(&relation)
            && self.is_here(&relation)
            && !SYSTEM.contains(&column.part.as_str())
    }

    pub(super) fn standing(&self, object: &Object) -> Standing {
        self.entries
            .get(object)
            .map_or(Standing::Unknown, |entry| entry.standing.clone())
    }

    pub(super) fn is_here(&self, object: &Object) -> bool {
        let here = |object: &Object| {
            self.entries
                .get(object)
                .is_some_and(|entry| matches!(entry.standing, Standing::Here { .. }))
        };
        // Every relation is also a type of its rows.
        here(object)
            || (object.space == Space::Type
                && here(&Object {
                    space: Space::Relation,
                    ..object.clone()
                }))
    }

    pub(super) fn same_signature(&self, fact: &Fact) -> bool {
        fact.object.space != Space::Function
            || self
                .entries
                .get(&fact.object)
                .is_some_and(|entry| entry.signatures.contains(&fact.signature))
    }

    pub(super) fn create(&mut self, fact: &Fact, by: usize, index_table: Option<&Object>) {
        let mut signatures = match self.entries.remove(&fact.object) {
            Some(entry) if matches!(entry.standing, Standing::Here { .. }) => entry.signatures,
            _ => BTreeSet::new(),
        };
        signatures.insert(fact.signature.clone());
        self.entries.insert(
            fact.object.clone(),
            Entry {
                standing: Standing::Here {
                    by,
                    place: Place::line(&fact.file, fact.line),
                },
                signatures,
            },
        );
        if let (Space::Index, Some(table)) = (fact.object.space, index_table) {
            self.indexes
                .entry(table.clone())
                .or_default()
                .insert(fact.object.clone());
        }
    }

    pub(super) fn drop(&mut self, fact: &Fact, by: usize) {
        if fact.object.space == Space::Function
            && let Some(entry) = self.entries.get_mut(&fact.object)
            && entry.signatures.len() > 1
        {
            // Other overloads stay; a signature in another spelling drops none that is known.
            entry.signatures.remove(&fact.signature);
            return;
        }
        let gone = Standing::Gone {
            by,
            place: Place::line(&fact.file, fact.line),
            how: Gone::Dropped,
        };
        let mut names = self.parts(&fact.object);
        names.extend(self.indexes.remove(&fact.object).into_iter().flatten());
        if fact.object.space == Space::Schema {
            let schema = &fact.object.name;
            let inside = self
                .entries
                .keys()
                .filter(|object| object.schema == *schema);
            names.extend(inside.cloned());
        }
        names.push(fact.object.clone());
        for name in names {
            if let Some(entry) = self.entries.get_mut(&name) {
                entry.standing = gone.clone();
                entry.signatures.clear();
            }
        }
    }

    pub(super) fn rename(&mut self, fact: &Fact, to: &Object, by: usize) {
        let place = Place::line(&fact.file, fact.line);
        let mut moves = vec![(fact.object.clone(), to.clone())];
        if fact.object.space == Space::Relation {
            for part in self.parts(&fact.object) {
                let new = to.part(part.space, &part.part);
                moves.push((part, new));
            }
            if self.closed.remove(&fact.object) {
                self.closed.insert(to.clone());
            }
            if let Some(indexes) = self.indexes.remove(&fact.object) {
                self.indexes.insert(to.clone(), indexes);
            }
        }
        for (old, new) in moves {
            let here = self.is_here(&old);
            let Some(entry) = self.entries.get_mut(&old) else {
                continue;
            };
            let kept = entry.clone();
            if here {
                entry.standing = Standing::Gone {
                    by,
                    place: place.clone(),
                    how: Gone::Renamed(new.clone()),
                };
                self.entries.insert(
                    new,
                    Entry {
                        standing: Standing::Here {
                            by,
                            place: place.clone(),
                        },
                        ..kept
                    },
                );
            }
        }
        debug_assert!(matches!(fact.action, Action::Rename(_)));
    }

    /// Columns, policies and triggers of a relation.
    fn parts(&self, relation: &Object) -> Vec<Object> {
        if relation.space != Space::Relation {
            return Vec::new();
        }
        [Space::Column, Space::Policy, Space::Trigger]
            .into_iter()
            .flat_map(|space| {
                let from = relation.part(space, "");
                let end = relation.clone();
                self.entries
                    .range(from..)
                    .map(|(object, _)| object)
                    .take_while(move |object| {
                        object.space == space
                            && object.schema == end.schema
                            && object.name == end.name
                    })
                    .cloned()
                    .collect::<Vec<_>>()
            })
            .collect()
    }
}
