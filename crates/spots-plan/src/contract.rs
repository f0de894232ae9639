//! Contracts of services: what their source promises, frozen, compared.
//!
//! A [`World`] reads a tree: it scans every file for the names that it declares, parses only the
//! files that a service needs, and resolves what each service inherits. [`diff`] compares two of
//! them, or one with what [`frozen`] wrote down before.

pub mod cache;
pub mod dart;
pub mod diff;

pub mod frozen;
pub mod graph;
pub mod openapi;
pub mod show;

mod model;
mod notation;
pub mod rules;

pub mod rust;
mod scan;
mod syntax;
mod types;
pub mod typescript;
mod world;

pub use model::{
    Contract, How, Inherited, Mark, Member, MemberKind, Origin, Param, Passing, Snapshot, Super,
    TypeDecl, TypeKind, Unit, Use, UseKind,
};
pub use world::{Options, World, WorldError};

/// Names in a type or a line of code that look like types.
pub(crate) fn type_names(text: &str) -> Vec<String> {
    types::names_in(text)
}
