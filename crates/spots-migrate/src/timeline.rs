//! Walks a set in its order and asks of every statement whether what it names is there.

mod ledger;

use std::collections::{BTreeMap, BTreeSet};

use spots_findings::{Finding, Level, Place};

use self::ledger::{Gone, Ledger, Standing};
use crate::graph::{Edge, EdgeKind};
use crate::infer::{DEFAULT_SCHEMA, Shown};
use crate::{Action, Certainty, Fact, Migration, Object, Space};

/// What walking a set in its order shows.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    pub(crate) findings: Vec<Finding>,
    pub(crate) edges: Vec<Edge>,
    /// (creator, user), as places in the order, where the user comes first.
    pub(crate) backward: BTreeSet<(usize, usize)>,
}

/// Walks the migrations, each with what its way up shows.
pub(crate) fn walk(migrations: &[(&Migration, &Shown)]) -> Timeline {
    let mut walk = Walk {
        migrations,
        creations: creations(migrations),
        owned: owned_schemas(migrations),
        ledger: Ledger::default(),
        touched: BTreeMap::new(),
        edges: BTreeMap::new(),
        found: BTreeMap::new(),
        backward: BTreeSet::new(),
    };
    for (position, (_, shown)) in migrations.iter().enumerate() {
        for closed in &shown.closed {
            walk.ledger.close(closed.clone());
        }
        let mut index_table = None;
        for fact in &shown.facts {
            if fact.object.space == Space::Relation {
                index_table = Some(fact.object.clone());
            }
            walk.fact(position, fact, index_table.as_ref());
        }
    }
    Timeline {
        findings: walk.found.into_values().collect(),
        edges: walk
            .edges
            .into_iter()
            .map(|((from, to, kind, object), (file, line))| Edge {
                from: id(migrations, from),
                to: id(migrations, to),
                kind,
                object: object.shown(),
                file,
                line,
            })
            .collect(),
        backward: walk.backward,
    }
}

fn id(migrations: &[(&Migration, &Shown)], position: usize) -> String {
    migrations
        .get(position)
        .map(|(migration, _)| migration.id.clone())
        .unwrap_or_default()
}

/// Where each object comes into being, by name alone.
fn creations<'a>(
    migrations: &[(&Migration, &'a Shown)],
) -> BTreeMap<Object, Vec<(usize, &'a Fact)>> {
    let mut out = BTreeMap::<Object, Vec<_>>::new();
    for (position, (_, shown)) in migrations.iter().enumerate() {
        for fact in &shown.facts {
            match &fact.action {
                Action::Create => out
                    .entry(fact.object.clone())
                    .or_default()
                    .push((position, fact)),
                Action::Rename(to) => out.entry(to.clone()).or_default().push((position, fact)),
                _ => {}
            }
        }
    }
    out
}

/// Schemas in which everything must come from the set; others belong to the platform.
fn owned_schemas(migrations: &[(&Migration, &Shown)]) -> BTreeSet<String> {
    migrations
        .iter()
        .flat_map(|(_, shown)| &shown.facts)
        .filter(|fact| fact.object.space == Space::Schema && fact.action == Action::Create)
        // A guarded creation of a platform's schema does not make it ours.
        .filter(|fact| !fact.guarded)
        .map(|fact| fact.object.name.clone())
        .chain([DEFAULT_SCHEMA.to_owned()])
        .collect()
}

/// Who touched an object last.
#[derive(Default)]
struct Touched {
    writer: Option<(usize, bool)>,
    readers: BTreeSet<usize>,
}

type EdgeKey = (usize, usize, EdgeKind, Object);

struct Walk<'a> {
    migrations: &'a [(&'a Migration, &'a Shown)],
    creations: BTreeMap<Object, Vec<(usize, &'a Fact)>>,
    owned: BTreeSet<String>,
    ledger: Ledger,
    touched: BTreeMap<Object, Touched>,
    edges: BTreeMap<EdgeKey, (String, u32)>,
    /// One finding an identity: the first place says it all.
    found: BTreeMap<(String, String), Finding>,
    backward: BTreeSet<(usize, usize)>,
}

impl Walk<'_> {
    fn fact(&mut self, position: usize, fact: &Fact, index_table: Option<&Object>) {
        let there = match &fact.action {
            Action::Create => self.create(position, fact, index_table),
            Action::Drop => {
                self.need(position, fact) && {
                    self.ledger.drop(fact, position);
                    true
                }
            }
            Action::Rename(to) => {
                self.need(position, fact) && {
                    self.ledger.rename(fact, to, position);
                    self.touch(position, fact, true);
                    self.touch_object(position, fact, &to.whole(), (true, false));
                    return;
                }
            }
            Action::Alter | Action::Write | Action::Read => self.need(position, fact),
        };
        if there {
            self.touch(position, fact, fact.action.is_write());
        }
    }

    fn create(&mut self, position: usize, fact: &Fact, index_table: Option<&Object>) -> bool {
        if fact.certainty == Certainty::Body {
            return false;
        }
        let standing = self.ledger.standing(&fact.object);
        if let Standing::Here { by, place } = &standing
            && self.ledger.same_signature(fact)
        {
            let replaces = matches!(fact.what, "view" | "function" | "procedure");
            if fact.guarded {
                self.touch(position, fact, replaces);
                return false;
            }
            // The table that is created again says it for its columns too.
            let whole = format!("{} {}", fact.file, fact.object.whole());
            if self
                .found
                .contains_key(&("duplicate-object".to_owned(), whole))
            {
                return false;
            }
            let message = format!("{} is created again.", fact.object);
            let by = id(self.migrations, *by);
            let finding = finding("duplicate-object", Level::Error, fact, message)
                .related(place.clone(), format!("created first, by {by}"))
                .fix("Alter it, drop it first, or guard the statement with IF NOT EXISTS.");
            self.add(finding);
        }
        self.ledger.create(fact, position, index_table);
        true
    }

    /// Whether what a fact needs is there; says so where it is not.
    fn need(&mut self, position: usize, fact: &Fact) -> bool {
        if self.ledger.is_here(&fact.object) {
            return true;
        }
        if !fact.object.part.is_empty() && !self.ledger.is_here(&fact.object.whole()) {
            // The relation itself is judged where the statement names it.
            return false;
        }
        let later = self
            .creations
            .get(&fact.object)
            .into_iter()
            .flatten()
            .find(|(at, creation)| {
                (*at > position || (*at == position && creation.statement > fact.statement))
                    && creation.certainty != Certainty::Body
            })
            .copied();
        let sure = !fact.guarded && fact.certainty != Certainty::Body;
        if let Some((creator, _)) = later
            && creator > position
        {
            self.edge(creator, position, EdgeKind::of(fact, false), fact);
        }
        if !sure {
            return false;
        }
        match (self.ledger.standing(&fact.object), later) {
            (Standing::Gone { by, place, how }, _) => self.after_gone(fact, by, place, &how),
            (_, Some((creator, creation))) => {
                if fact.object.space == Space::Column && fact.certainty == Certainty::Perhaps {
                    return false;
                }
                self.before_created(position, fact, (creator, creation));
            }
            _ => self.created_nowhere(fact),
        }
        false
    }

    fn after_gone(&mut self, fact: &Fact, by: usize, place: Place, how: &Gone) {
        let by = id(self.migrations, by);
        let level = if fact.certainty == Certainty::Hard {
            Level::Error
        } else {
            Level::Warning
        };
        let shown = fact.object.to_string();
        let finding = match how {
            Gone::Dropped => finding(
                "use-after-drop",
                level,
                fact,
                format!("{shown} is used after it was dropped."),
            )
            .related(place, format!("dropped by {by}"))
            .fix("Move the use before the drop, or create it again."),
            Gone::Renamed(to) => finding(
                "use-after-rename",
                level,
                fact,
                format!("{shown} is used after it was renamed to {}.", to.shown()),
            )
            .related(place, format!("renamed by {by}"))
            .fix(format!("Write {}.", last_name(to))),
        };
        self.add(finding);
    }

    fn before_created(
        &mut self,
        position: usize,
        fact: &Fact,
        (creator, creation): (usize, &Fact),
    ) {
        let schema = fact.object.space == Space::Schema;
        if schema && !self.owned.contains(&fact.object.name) {
            // The platform has it; the set only makes sure that it is there.
            return;
        }
        let message = format!("{} is used before it is created.", fact.object);
        let by = id(self.migrations, creator);
        let place = Place::line(&creation.file, creation.line);
        let fix = if creator == position {
            "Move the statement below the one that creates it.".to_owned()
        } else {
            self.backward.insert((creator, position));
            format!("Let {} come after {by}.", id(self.migrations, position))
        };
        let finding = finding("used-before-created", Level::Error, fact, message)
            .related(place, format!("created later, by {by}"))
            .fix(fix);
        self.add(finding);
    }

    fn created_nowhere(&mut self, fact: &Fact) {
        let object = &fact.object;
        if !self.owned.contains(&object.schema) {
            return;
        }
        let certain = fact.certainty == Certainty::Hard;
        let level = match object.space {
            // A policy or trigger comes from SQL alone.
            Space::Relation | Space::Policy | Space::Trigger if certain => Level::Error,
            Space::Column if certain && self.ledger.knows_columns_of(object) => Level::Error,
            // Extensions bring types and functions that no file creates.
            Space::Type | Space::Function if certain => Level::Warning,
            _ => return,
        };
        let finding = finding(
            "created-nowhere",
            level,
            fact,
            format!("{object} is created nowhere in the set."),
        )
        .fix("Create it in an earlier migration, or mend the name.");
        self.add(finding);
    }

    fn add(&mut self, finding: Finding) {
        let key = (finding.rule.clone(), finding.identity.clone());
        self.found.entry(key).or_insert(finding);
    }

    fn touch(&mut self, position: usize, fact: &Fact, writes: bool) {
        let creates = fact.action == Action::Create && fact.object.part.is_empty();
        self.touch_object(position, fact, &fact.object.whole(), (writes, creates));
    }

    fn touch_object(
        &mut self,
        position: usize,
        fact: &Fact,
        object: &Object,
        (writes, creates): (bool, bool),
    ) {
        let touched = self.touched.entry(object.clone()).or_default();
        let mut before = Vec::new();
        if let Some((writer, created)) = touched.writer
            && writer != position
        {
            before.push((writer, writes && !created));
        }
        if writes {
            let readers = std::mem::take(&mut touched.readers);
            before.extend(readers.into_iter().map(|reader| (reader, true)));
            let still_new = touched.writer == Some((position, true));
            touched.writer = Some((position, creates || still_new));
        } else {
            touched.readers.insert(position);
        }
        for (from, conflict) in before {
            if from != position {
                self.edge(from, position, EdgeKind::of(fact, conflict), fact);
            }
        }
    }

    fn edge(&mut self, from: usize, to: usize, kind: EdgeKind, fact: &Fact) {
        let key = (from, to, kind, fact.object.whole());
        self.edges
            .entry(key)
            .or_insert_with(|| (fact.file.clone(), fact.line));
    }
}

fn finding(rule: &str, level: Level, fact: &Fact, message: String) -> Finding {
    let identity = format!("{} {}", fact.file, fact.object);
    Finding::new(rule, level, identity, message).at(Place::line(&fact.file, fact.line))
}

fn last_name(object: &Object) -> &str {
    if object.part.is_empty() {
        &object.name
    } else {
        &object.part
    }
}
