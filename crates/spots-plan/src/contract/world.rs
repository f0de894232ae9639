//! A tree as contracts see it: services, what they inherit, and which type stands above which.

mod above;
mod facts;
mod meaning;
mod options;
mod unread;

use std::collections::{BTreeMap, BTreeSet};

use spots_findings::Unreadable;

use super::cache::Cache;
use super::model::{Contract, Inherited, Member, MemberKind, Snapshot, TypeDecl, TypeKind, Unit};
use super::openapi;
use super::scan;
use super::types::{head, names_in};
use crate::tree::{Language, SourceFile, Tree};

use self::above::{Above, public};
use self::facts::{extract, shipped, with_words};
use self::meaning::{Crates, Index, Meaning};

pub(super) use self::facts::mentioned;
pub use self::options::Options;

/// Rounds of reading files for the types that others name.
const ROUNDS_MAX: usize = 32;
/// Why a tree cannot be read as one of services.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The tree itself.
    #[error(transparent)]
    Tree(#[from] crate::tree::TreeError),
    /// A language without an extractor.
    #[error("contracts are not read from {0}; give --language dart, rust, typescript or openapi")]
    Language(String),
}

/// A tree, read as far as its services need it.
#[derive(Debug)]
pub struct World {
    tree: Tree,
    options: Options,
    /// Files that declare a name, perhaps: the scan is generous.
    declaring: BTreeMap<String, BTreeSet<usize>>,
    units: BTreeMap<usize, Unit>,
    index: Index,
    crates: Crates,
    unreadable: Vec<Unreadable>,
}

impl World {
    /// Scans the tree and parses the files that may declare a service.
    pub fn read(mut tree: Tree, options: Options, cache: &Cache) -> Self {
        tree.retain(|file| (options.everything || shipped(&file.path)) && options.reads(file));
        let visited = tree.visit(|file, text| {
            if file.language == Language::OpenApi {
                return document(text, cache);
            }
            let names = scan::declared(file.language, text);
            let unit = names
                .iter()
                .any(|name| options.names(name))
                .then(|| cache.unit(file.language, text, |text| extract(file.language, text)));
            let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
            (names, unit)
        });
        let index: BTreeMap<&str, usize> = tree
            .files()
            .iter()
            .enumerate()
            .map(|(number, file)| (file.path.as_str(), number))
            .collect();
        let mut declaring: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        let mut units = BTreeMap::new();
        for (file, (names, unit)) in visited.items {
            let Some(number) = index.get(file.path.as_str()) else {
                continue;
            };
            for name in names {
                declaring.entry(name).or_default().insert(*number);
            }
            units.extend(unit.map(|unit| (*number, unit)));
        }
        let mut world = Self {
            crates: Crates::of(&tree),
            tree,
            options,
            declaring,
            units,
            index: Index::default(),
            unreadable: visited.unreadable,
        };
        let wanted = world.named_above();
        world.load_files(wanted, cache);
        world.index = Index::of(&world.units);
        world.name_broken();
        world.name_refused();
        world
    }

    /// The tree that was read.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// What could not be read, by path.
    pub fn unreadable(&self) -> &[Unreadable] {
        &self.unreadable
    }

    /// The services, by name, then file.
    pub fn services(&self) -> Vec<Contract> {
        let mut services: Vec<Contract> = self
            .all()
            .filter(|(_, decl)| self.is_service(decl))
            .map(|(file, decl)| self.contract(file, decl))
            .collect();
        services.sort_by(|a, b| (&a.decl.name, &a.file).cmp(&(&b.decl.name, &b.file)));
        services
    }

    /// Contracts of all public types with this name, services or not, by file.
    pub fn named(&self, name: &str) -> Vec<Contract> {
        let found = self.declared(name).filter(|_| !name.starts_with('_'));
        found
            .map(|(file, decl)| self.contract(file, decl))
            .collect()
    }

    /// Parses the files that may declare these names, and what stands above them.
    pub fn load(&mut self, names: BTreeSet<String>, cache: &Cache) {
        let before = self.units.len();
        self.load_files(names, cache);
        if self.units.len() != before {
            self.index = Index::of(&self.units);
        }
    }

    fn load_files(&mut self, names: BTreeSet<String>, cache: &Cache) {
        let mut wanted = names;
        for _ in 0..ROUNDS_MAX {
            let files: BTreeSet<usize> = wanted
                .iter()
                .filter_map(|name| self.declaring.get(name))
                .flatten()
                .copied()
                .filter(|file| !self.units.contains_key(file))
                .collect();
            if files.is_empty() {
                return;
            }
            let paths: BTreeMap<&str, usize> = files
                .iter()
                .filter_map(|number| Some((self.tree.files().get(*number)?.path.as_str(), *number)))
                .collect();
            let mut part = self.tree.clone();
            part.retain(|file| paths.contains_key(file.path.as_str()));
            let visited = part.visit(|file, text| {
                cache.unit(file.language, text, |text| extract(file.language, text))
            });
            let read: Vec<(usize, Unit)> = visited
                .items
                .into_iter()
                .filter_map(|(file, unit)| Some((*paths.get(file.path.as_str())?, unit)))
                .collect();
            self.units.extend(read);
            // A file that cannot be read is named once, by the first visit.
            self.units.extend(
                files
                    .iter()
                    .filter(|file| !self.units.contains_key(file))
                    .copied()
                    .collect::<Vec<_>>()
                    .into_iter()
                    .map(|file| (file, Unit::default())),
            );
            wanted = self.named_above();
        }
    }

    /// Names of the types that the services' signatures mention.
    pub fn mentioned(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let services = self.all().filter(|(_, decl)| self.is_service(decl));
        // The schemas of an API are its own.
        for (file, decl) in services.filter(|(_, decl)| decl.api.is_none()) {
            let blocks = self.blocks(&decl.name, file);
            for member in public(decl, &blocks) {
                names.extend(facts::named_by(member));
                let params = member.params.iter();
                let types = params.filter_map(|param| self.type_elsewhere(param, file, decl));
                names.extend(types.flat_map(|ty| names_in(&ty)));
            }
            self.inherited(file, decl, &blocks, &mut |above| {
                if let Above::Member { member, words, .. } = above {
                    names.extend(facts::named_by(&with_words(member, words)));
                }
            });
        }
        names
    }

    /// What a comparison needs: the services, the types of these names, and the enums that those
    /// types mention.
    pub fn snapshot(&mut self, names: &BTreeSet<String>, cache: &Cache) -> Snapshot {
        self.load(names.clone(), cache);
        let mut wanted = names.clone();
        let direct: Vec<Contract> = names.iter().flat_map(|name| self.named(name)).collect();
        let further: BTreeSet<String> = direct.iter().flat_map(mentioned).collect();
        self.load(further.clone(), cache);
        let is_enum = |name: &String| {
            let mut found = self.declared(name);
            found.any(|(_, decl)| decl.kind == TypeKind::Enum)
        };
        let (enums, further): (BTreeSet<String>, BTreeSet<String>) =
            further.into_iter().partition(is_enum);
        wanted.extend(enums);
        let types = |names: &BTreeSet<String>| {
            let types = names.iter().flat_map(|name| self.named(name));
            types
                .filter(|contract| !self.is_service(&contract.decl))
                .collect()
        };
        Snapshot {
            services: self.services(),
            types: types(&wanted),
            further: types(&(&further - &wanted)),
        }
    }

    /// Names that a file declares, perhaps.
    pub fn declared_in(&self, path: &str) -> BTreeSet<String> {
        let number = self.tree.files().iter().position(|file| file.path == path);
        let in_file =
            |files: &BTreeSet<usize>| number.is_some_and(|number| files.contains(&number));
        let found = self.declaring.iter().filter(|(_, files)| in_file(files));
        found.map(|(name, _)| name.clone()).collect()
    }

    /// Whether a name is a service's here.
    pub fn is_service_name(&self, name: &str) -> bool {
        let mut found = self.declared(name).filter(|_| !name.starts_with('_'));
        found.any(|(_, decl)| self.is_service(decl))
    }

    fn is_service(&self, decl: &TypeDecl) -> bool {
        if decl.api.is_some() {
            return true;
        }
        let by_pattern = matches!(
            decl.kind,
            TypeKind::Class | TypeKind::Interface | TypeKind::Functions
        );
        let by_symbol = self.options.patterns.contains(&decl.name);
        self.options.names(&decl.name) && (by_pattern || by_symbol)
    }

    fn all(&self) -> impl Iterator<Item = (usize, &TypeDecl)> {
        self.units
            .iter()
            .flat_map(|(file, unit)| unit.types.iter().map(|decl| (*file, decl)))
            .filter(|(_, decl)| !decl.name.starts_with('_'))
    }

    fn named_above(&self) -> BTreeSet<String> {
        let units = self.units.values();
        units
            .flat_map(|unit| unit.types.iter().chain(&unit.extensions))
            .flat_map(|decl| &decl.supers)
            .map(|above| {
                head(&above.ty)
                    .0
                    .rsplit("::")
                    .next()
                    .unwrap_or("")
                    .to_owned()
            })
            .collect()
    }

    fn path(&self, file: usize) -> &str {
        self.tree
            .files()
            .get(file)
            .map_or("", |file: &SourceFile| file.path.as_str())
    }

    /// The type that a name means in a file; `None` when none or more than one fits.
    fn find(&self, name: &str, from: usize) -> Option<(usize, &TypeDecl)> {
        let Meaning::In(file) = self.meaning(name, from) else {
            return None;
        };
        let last = name.rsplit("::").next().unwrap_or(name);
        self.declared(last).find(|(own, _)| *own == file)
    }

    fn contract(&self, file: usize, decl: &TypeDecl) -> Contract {
        let blocks = self.blocks(&decl.name, file);
        let mut whole = decl.clone();
        whole.members = public(decl, &blocks).cloned().collect();
        for (_, block) in &blocks {
            whole.supers.extend(block.supers.iter().cloned());
            whole.uses.extend(block.uses.iter().cloned());
        }
        for member in &mut whole.members {
            for param in &mut member.params {
                param.ty = param
                    .ty
                    .take()
                    .or_else(|| self.type_elsewhere(param, file, decl));
            }
        }
        let is_made = |member: &Member| member.kind == MemberKind::Constructor;
        let mut contract = Contract {
            file: self.path(file).to_owned(),
            implicit_constructor: decl.kind == TypeKind::Class
                && !decl.members.iter().any(is_made)
                && !self.is_rust(file),
            decl: whole,
            inherited: Vec::new(),
            outside: BTreeSet::new(),
            above: BTreeSet::new(),
            meant: BTreeMap::new(),
        };
        let mut mentions: Vec<(BTreeSet<String>, usize)> = vec![(mentioned(&contract), file)];
        self.inherited(file, decl, &blocks, &mut |above| match above {
            Above::Outside(name) => {
                contract.above.insert(name.to_owned());
                contract.outside.insert(name.to_owned());
            }
            Above::Type(name) => {
                contract.above.insert(name.to_owned());
            }
            Above::Member {
                from,
                file,
                member,
                words,
            } => {
                let member = with_words(member, words);
                mentions.push((facts::named_by(&member).collect(), file));
                contract.inherited.push(Inherited {
                    from: from.to_owned(),
                    file: self.path(file).to_owned(),
                    member,
                });
            }
        });
        let names = mentions.iter();
        let names = names.flat_map(|(names, from)| names.iter().map(|name| (name, *from)));
        contract.meant = self.meant(names);
        contract
    }

    fn is_rust(&self, file: usize) -> bool {
        let file = self.tree.files().get(file);
        file.is_some_and(|file| file.language == Language::Rust)
    }

    fn dynamic(&self, file: usize) -> bool {
        let file = self.tree.files().get(file);
        file.is_some_and(|file| file.language == Language::Dart)
    }
}

/// A document is read at once: there are few.
fn document(text: &str, cache: &Cache) -> (Vec<String>, Option<Unit>) {
    if !openapi::may_be_document(text) {
        return (Vec::new(), Some(Unit::default()));
    }
    let unit = cache.unit(Language::OpenApi, text, openapi::extract);
    let names = unit.types.iter().map(|decl| decl.name.clone()).collect();
    (names, Some(unit))
}
