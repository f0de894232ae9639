//! OpenAPI documents as contracts: 3.0 and later, JSON and YAML.
//!
//! Not read: servers, callbacks, webhooks, links, examples, and how parameters are written into a URL.

mod api;
mod bounds;
mod compare;
mod document;
mod schema;
mod shapes;
mod text;
mod view;

pub use api::Api;
pub(super) use compare::compare;
pub use document::{DEPTH_MAX, NODES_MAX};
pub(super) use text::{parse, render};

use super::model::{TypeDecl, TypeKind, Unit};

/// Whether a text may be a document, without reading it whole.
pub fn may_be_document(text: &str) -> bool {
    ["openapi", "swagger"].into_iter().any(|word| {
        text.match_indices(word).any(|(at, _)| {
            let rest = text.get(at + word.len()..).unwrap_or("");
            let rest = rest.trim_start_matches(['"', '\'']).trim_start();
            let version = rest.strip_prefix(':').map(str::trim_start);
            let version = version.map(|rest| rest.trim_start_matches(['"', '\'']));
            version.is_some_and(|rest| rest.starts_with(['2', '3']))
        })
    })
}

/// Reads a document; a text that is none declares nothing.
pub fn extract(text: &str) -> Unit {
    let mut unit = Unit::default();
    match document::read(text).map(|root| api::read(&root)) {
        Err(refusal) | Ok(Some(Err(refusal))) => unit.refused = Some(refusal),
        Ok(None) => {}
        Ok(Some(Ok((name, api)))) => unit.types.push(declare(&name, api)),
    }
    unit
}

/// An API as a type whose members are its operations.
fn declare(name: &str, api: Api) -> TypeDecl {
    let mut decl = TypeDecl::new(name, TypeKind::Functions, 1);
    decl.members = view::members(&api);
    decl.api = Some(Box::new(api));
    decl
}
