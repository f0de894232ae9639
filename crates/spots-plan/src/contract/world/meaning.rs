//! Which declaration a name stands for in a file.
//!
//! Names are not types: two crates may each have a `Report`. Rust's `use` declarations and paths say
//! which is meant, in Dart and TypeScript the imported files do. What they leave open stays open.

use std::collections::{BTreeMap, BTreeSet};

use super::World;
use super::facts::is_import_of;
use crate::contract::model::{TypeDecl, Unit};
use crate::tree::{Language, Tree};

/// Paths that start with names of other paths are followed so many times.
const HOPS_MAX: usize = 4;
/// Rust's own crates.
const OWN_CRATES: [&str; 3] = ["std", "core", "alloc"];

/// Whether a module is near enough.
type Fits<'a> = &'a dyn Fn(&[&str]) -> bool;

/// What a name stands for in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The type of that name in this file.
    In(usize),
    /// Nothing of the tree.
    Outside,
    /// One of several: nothing tells which.
    Open,
}

impl Meaning {
    fn of(files: &BTreeSet<usize>) -> Self {
        match files.iter().collect::<Vec<_>>().as_slice() {
            [] => Self::Outside,
            [one] => Self::In(**one),
            _ => Self::Open,
        }
    }

    /// What two places say together.
    fn and(self, other: Self) -> Self {
        if self == other { self } else { Self::Open }
    }
}

/// Where things stand in the units, by name.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Files of types, each with its place among those of the file.
    types: BTreeMap<String, Vec<(usize, usize)>>,
    /// The same of Rust's `impl` blocks.
    blocks: BTreeMap<String, Vec<(usize, usize)>>,
}

impl Index {
    pub(super) fn of(units: &BTreeMap<usize, Unit>) -> Self {
        let mut index = Self::default();
        for (file, unit) in units {
            for (at, decl) in unit.types.iter().enumerate() {
                let known = index.types.entry(decl.name.clone()).or_default();
                known.push((*file, at));
            }
            for (at, decl) in unit.extensions.iter().enumerate() {
                let known = index.blocks.entry(decl.name.clone()).or_default();
                known.push((*file, at));
            }
        }
        index
    }
}

/// Rust's crates by the name that paths have for them: their folders.
#[derive(Debug, Default)]
pub(super) struct Crates(BTreeMap<String, BTreeSet<String>>);

impl Crates {
    /// Named by their manifests; where a tree has none, by their folders.
    pub(super) fn of(tree: &Tree) -> Self {
        let rust = tree.files().iter();
        let rust = rust.filter(|file| file.language == Language::Rust);
        let folders: BTreeSet<&str> = rust.map(|file| place_in_crate(&file.path).0).collect();
        let manifest = |folder: &str| match folder {
            "" => "Cargo.toml".to_owned(),
            folder => format!("{folder}/Cargo.toml"),
        };
        let manifests = folders.iter().map(|folder| manifest(folder)).collect();
        let manifests = tree.others(&manifests);
        let mut crates: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for folder in folders {
            let text = manifests.get(&manifest(folder));
            let name = text.and_then(|text| crate_name(text));
            let name = name.unwrap_or_else(|| folder.rsplit('/').next().unwrap_or("").to_owned());
            let known = crates.entry(name.replace('-', "_")).or_default();
            known.insert(folder.to_owned());
        }
        Self(crates)
    }

    fn has_unnamed(&self) -> bool {
        self.0.contains_key("")
    }
}

fn crate_name(manifest: &str) -> Option<String> {
    let manifest: toml::Table = manifest.parse().ok()?;
    let name = |table: &str| manifest.get(table)?.get("name")?.as_str();
    name("lib").or_else(|| name("package")).map(str::to_owned)
}

/// The folder of a Rust file's crate, and the path of its module there.
fn place_in_crate(path: &str) -> (&str, Vec<&str>) {
    let (folder, module) = match path.rsplit_once("/src/") {
        Some(parts) => parts,
        None => ("", path.strip_prefix("src/").unwrap_or(path)),
    };
    let stem = module.strip_suffix(".rs").unwrap_or(module);
    let mut module: Vec<&str> = stem.split('/').collect();
    let root = matches!(module.as_slice(), ["lib" | "main"]);
    if root || module.last() == Some(&"mod") {
        module.pop();
    }
    (folder, module)
}

impl World {
    /// Types of this name that the tree declares, private ones too.
    pub(super) fn declared(&self, name: &str) -> impl Iterator<Item = (usize, &TypeDecl)> {
        let known = self.index.types.get(name).map_or(&[][..], Vec::as_slice);
        let at = |(file, at): &(usize, usize)| Some((*file, self.units.get(file)?.types.get(*at)?));
        known.iter().filter_map(at)
    }

    /// `impl` blocks of the type of this name in this file; none where the file has two.
    pub(super) fn blocks(&self, name: &str, file: usize) -> Vec<(usize, &TypeDecl)> {
        if self.declared(name).filter(|(own, _)| *own == file).count() != 1 {
            return Vec::new();
        }
        let known = self.index.blocks.get(name).map_or(&[][..], Vec::as_slice);
        known
            .iter()
            .filter(|(from, _)| self.meaning(name, *from) == Meaning::In(file))
            .filter_map(|(from, at)| Some((*from, self.units.get(from)?.extensions.get(*at)?)))
            .collect()
    }

    /// What a name as written, with or without a path, stands for in a file.
    pub(super) fn meaning(&self, name: &str, from: usize) -> Meaning {
        let (path, last) = match name.rsplit_once("::") {
            Some((path, last)) => (Some(path), last),
            None => (None, name),
        };
        let alike = |file: &usize| self.same_language(*file, from);
        let files: BTreeSet<usize> = self.declared(last).map(|(file, _)| file).collect();
        let files: BTreeSet<usize> = files.into_iter().filter(alike).collect();
        if files.is_empty() || (path.is_none() && files.contains(&from)) {
            let own = files.contains(&from);
            return if own {
                Meaning::In(from)
            } else {
                Meaning::Outside
            };
        }
        if self.is_rust(from) {
            return match path {
                Some(path) => self.along(&format!("{path}::{last}"), from, &files, 0),
                None => self.imported(last, from, &files),
            };
        }
        if files.len() == 1 {
            return Meaning::of(&files);
        }
        let imports = self.imports(from);
        let near = |file: &usize| {
            imports
                .iter()
                .any(|import| is_import_of(import, self.path(*file)))
        };
        match Meaning::of(&files.into_iter().filter(near).collect()) {
            // A file may reach it through the exports of another.
            Meaning::Outside => Meaning::Open,
            told => told,
        }
    }

    fn imports(&self, file: usize) -> &[String] {
        let unit = self.units.get(&file);
        unit.map_or(&[][..], |unit| unit.imports.as_slice())
    }

    fn same_language(&self, file: usize, other: usize) -> bool {
        let language = |file: usize| {
            let language = self.tree.files().get(file).map(|file| file.language);
            language.filter(|language| matches!(language, Language::Dart | Language::Rust))
        };
        language(file) == language(other)
    }

    /// A Rust name without a path: as `use` declarations have it, else of the same crate.
    fn imported(&self, name: &str, from: usize, files: &BTreeSet<usize>) -> Meaning {
        let mut told: Option<Meaning> = None;
        for import in self.imports(from) {
            let (path, bound) = bound(import);
            if bound != name {
                continue;
            }
            let meaning = if path.rsplit("::").next() == Some(name) {
                self.along(path, from, files, 0)
            } else {
                Meaning::Outside
            };
            told = Some(told.map_or(meaning, |before| before.and(meaning)));
        }
        if let Some(told) = told {
            return told;
        }
        let globs = self.imports(from).iter();
        let globs = globs.filter_map(|import| import.strip_suffix("::*"));
        let through: BTreeSet<usize> = globs
            .filter_map(
                |path| match self.along(&format!("{path}::{name}"), from, files, 0) {
                    Meaning::In(file) => Some(file),
                    Meaning::Outside | Meaning::Open => None,
                },
            )
            .collect();
        if !through.is_empty() {
            return Meaning::of(&through);
        }
        let (own, _) = place_in_crate(self.path(from));
        let same = |file: &&usize| place_in_crate(self.path(**file)).0 == own;
        Meaning::of(&files.iter().filter(same).copied().collect())
    }

    /// Follows a Rust path from a file.
    fn along(&self, path: &str, from: usize, files: &BTreeSet<usize>, hops: usize) -> Meaning {
        let parts: Vec<&str> = path.trim_start_matches("::").split("::").collect();
        let (own, module) = place_in_crate(self.path(from));
        let here = BTreeSet::from([own.to_owned()]);
        let Some((first, rest)) = parts.split_first() else {
            return Meaning::Open;
        };
        let within = rest.split_last().map_or(&[][..], |(_, modules)| modules);
        match *first {
            "crate" => self.in_module(&here, within, files),
            "self" => self.in_module(&here, &[&module, within].concat(), files),
            "super" => {
                let ups = parts.iter().take_while(|part| **part == "super").count();
                let above = module
                    .get(..module.len().saturating_sub(ups))
                    .unwrap_or(&[]);
                let within = within.get(ups - 1..).unwrap_or(&[]);
                self.in_module(&here, &[above, within].concat(), files)
            }
            name if OWN_CRATES.contains(&name) => Meaning::Outside,
            name => {
                if let Some(folders) = self.crates.0.get(name) {
                    return self.in_module(folders, within, files);
                }
                let imports = self.imports(from).iter().map(|import| bound(import));
                let mut known = imports.filter(|(path, bound)| *bound == name && *path != name);
                if let (Some((path, _)), true) = (known.next(), hops < HOPS_MAX) {
                    let path = [&[path], rest].concat().join("::");
                    return self.along(&path, from, files, hops + 1);
                }
                // A module below this one; otherwise a crate that is not in the tree.
                let below = [&module[..], &[name], within].concat();
                let is_below = |file: &&usize| {
                    let (folder, module) = place_in_crate(self.path(**file));
                    folder == own && module.starts_with(&below)
                };
                match Meaning::of(&files.iter().filter(is_below).copied().collect()) {
                    Meaning::Outside if self.crates.has_unnamed() => Meaning::Open,
                    told => told,
                }
            }
        }
    }

    /// Of these files the one in a module, or the nearest to it: modules hand on what is below them.
    fn in_module(
        &self,
        folders: &BTreeSet<String>,
        wanted: &[&str],
        files: &BTreeSet<usize>,
    ) -> Meaning {
        let places = files
            .iter()
            .map(|file| (*file, place_in_crate(self.path(*file))));
        let places: Vec<_> = places
            .filter(|(_, (folder, _))| folders.contains(*folder))
            .collect();
        let those = |fits: Fits<'_>| -> BTreeSet<usize> {
            let fitting = places.iter().filter(|(_, (_, module))| fits(module));
            fitting.map(|(file, _)| *file).collect()
        };
        let nearer: [Fits<'_>; 4] = [
            &|module| module == wanted,
            &|module| module.starts_with(wanted),
            // A module in braces has no file.
            &|module| wanted.starts_with(module),
            &|_| true,
        ];
        let found = nearer
            .into_iter()
            .map(those)
            .find(|found| !found.is_empty());
        Meaning::of(&found.unwrap_or_default())
    }

    /// For names that several files declare: the file that each stands for here.
    pub(super) fn meant<'n>(
        &self,
        names: impl Iterator<Item = (&'n String, usize)>,
    ) -> BTreeMap<String, Option<String>> {
        let mut told: BTreeMap<&String, Meaning> = BTreeMap::new();
        for (name, from) in names {
            let twins = self.index.types.get(name).is_some_and(|all| all.len() > 1);
            if twins {
                let meaning = self.meaning(name, from);
                let known = told.entry(name).or_insert(meaning);
                *known = known.and(meaning);
            }
        }
        let file = |meaning: Meaning| match meaning {
            Meaning::In(file) => Some(Some(self.path(file).to_owned())),
            Meaning::Outside => Some(None),
            Meaning::Open => None,
        };
        let told = told.into_iter();
        told.filter_map(|(name, meaning)| Some((name.clone(), file(meaning)?)))
            .collect()
    }
}

/// The path of a Rust import, and the name that it binds.
fn bound(import: &str) -> (&str, &str) {
    match import.split_once(" as ") {
        Some((path, name)) => (path, name),
        None => (import, import.rsplit("::").next().unwrap_or(import)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_place_in_a_crate() {
        let place = |path| {
            let (folder, module) = place_in_crate(path);
            (folder.to_owned(), module.join("::"))
        };
        let of = |folder: &str, module: &str| (folder.to_owned(), module.to_owned());
        assert_eq!(place("crates/a-b/src/lib.rs"), of("crates/a-b", ""));
        assert_eq!(place("crates/a-b/src/x/mod.rs"), of("crates/a-b", "x"));
        assert_eq!(place("crates/a-b/src/x/y.rs"), of("crates/a-b", "x::y"));
        assert_eq!(place("src/main.rs"), of("", ""));
        assert_eq!(place("a.rs"), of("", "a"));
    }

    #[test]
    fn a_manifest_names_its_crate() {
        let name = |text| crate_name(text).unwrap_or_default();
        assert_eq!(name("[package]\nname = \"a-b\"\n"), "a-b");
        assert_eq!(
            name("[package]\nname = \"a-b\"\n[lib]\nname = \"c\"\n"),
            "c"
        );
        assert_eq!(name("[workspace]\nmembers = []\n"), "");
    }

    #[test]
    fn an_import_binds_its_last_name() {
        assert_eq!(bound("a::b::C"), ("a::b::C", "C"));
        assert_eq!(bound("a::C as D"), ("a::C", "D"));
    }
}
