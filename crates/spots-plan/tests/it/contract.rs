//! Contracts: extraction, freezing, comparison.

pub(crate) mod golden;
mod languages;
mod openapi;
mod reading;
mod rules;
mod twins;

use std::path::Path;

use spots_plan::contract::cache::Cache;
use spots_plan::contract::diff::{Compared, DiffOptions, compare};
use spots_plan::contract::{Options, Snapshot, World};
use spots_plan::tree::{Language, Tree};

fn read(folder: &Path) -> World {
    let tree = Tree::walk(
        folder,
        &[
            Language::Dart,
            Language::Rust,
            Language::TypeScript,
            Language::OpenApi,
        ],
    )
    .expect("a tree");
    World::read(tree, Options::default(), &Cache::none())
}

pub(crate) fn snapshots(old: &[(&str, &str)], new: &[(&str, &str)]) -> (Snapshot, Snapshot) {
    let (mut old, mut new) = (world_kept(old), world_kept(new));
    let mut names = old.1.mentioned();
    names.extend(new.1.mentioned());
    names.extend(
        old.1
            .services()
            .into_iter()
            .map(|service| service.decl.name),
    );
    let cache = Cache::none();
    (
        old.1.snapshot(&names, &cache),
        new.1.snapshot(&names, &cache),
    )
}

/// The folder lives as long as files are still read from it.
fn world_kept(files: &[(&str, &str)]) -> (tempfile::TempDir, World) {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::fs::write(path, text).expect("a file");
    }
    let world = read(folder.path());
    (folder, world)
}

pub(crate) fn diff(old: &[(&str, &str)], new: &[(&str, &str)]) -> Compared {
    let (old, new) = snapshots(old, new);
    compare(&old, &new, &DiffOptions::default())
}

/// Compares two states of one file of a language that rules give examples in.
pub(crate) fn diff_in(language: &str, old: &str, new: &str) -> Compared {
    let path = match language {
        "openapi" => "openapi.yaml",
        _ => "lib/a.dart",
    };
    diff(&[(path, old)], &[(path, new)])
}

pub(crate) fn diff_one(old: &str, new: &str) -> Compared {
    diff(&[("lib/a.dart", old)], &[("lib/a.dart", new)])
}
