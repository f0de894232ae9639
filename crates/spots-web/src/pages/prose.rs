//! `GET /privacy`, `GET /docs/api`, `GET /assets/…`: what is the same for everyone.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use pulldown_cmark::{Options, Parser, html};
use serde_json::Value;
use spots_host::ServiceError;
use spots_host::browser::{Trouble, show};
use spots_host::view::Section;

use super::assets;
use super::request::Visitor;
use super::view::{ApiPage, Operation, OperationGroup, Parameter, ProsePage, ResponseLine};

/// The page for attendees and hosts, as it stands in the repository.
const PRIVACY: &str = include_str!("../../../../docs/privacy.md");
/// The methods of OpenAPI, in the order of the page.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

pub(super) async fn privacy(visitor: Visitor) -> Response {
    let mut trusted_html = String::new();
    html::push_html(
        &mut trusted_html,
        Parser::new_ext(PRIVACY, Options::ENABLE_TABLES),
    );
    show(&ProsePage {
        page: visitor.page("Privacy", Section::Elsewhere),
        trusted_html,
    })
}

pub(super) async fn asset(visitor: Visitor, Path(name): Path<String>) -> Result<Response, Trouble> {
    let asset = assets::find_by_name(&name)
        .ok_or_else(|| visitor.trouble(ServiceError::not_found("file")))?;
    let headers = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    Ok((headers, asset.bytes).into_response())
}

pub(super) async fn api(visitor: Visitor) -> Result<Response, Trouble> {
    let document = serde_json::to_value(crate::openapi())
        .map_err(|cause| ServiceError::failed("describe the API", cause))?;
    let text = |path: &str| {
        document
            .pointer(path)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    Ok(show(&ApiPage {
        page: visitor.page("API", Section::Elsewhere),
        version: text("/info/version").to_owned(),
        description: paragraphs(text("/info/description")),
        groups: groups(&document),
    }))
}

fn groups(document: &Value) -> Vec<OperationGroup> {
    let mut groups: Vec<OperationGroup> = Vec::new();
    let paths = document.get("paths").and_then(Value::as_object);
    for (path, item) in paths.into_iter().flatten() {
        for method in METHODS {
            let Some(described) = item.get(method) else {
                continue;
            };
            let tag = described
                .pointer("/tags/0")
                .and_then(Value::as_str)
                .unwrap_or("other");
            let operation = operation(method, path, described);
            match groups.iter_mut().find(|group| group.tag == tag) {
                Some(group) => group.operations.push(operation),
                None => groups.push(OperationGroup {
                    tag: tag.to_owned(),
                    description: tag_description(document, tag),
                    operations: vec![operation],
                }),
            }
        }
    }
    groups
}

fn tag_description(document: &Value, tag: &str) -> String {
    let tags = document.get("tags").and_then(Value::as_array);
    let tag = tags
        .into_iter()
        .flatten()
        .find(|entry| text(entry, "name") == tag);
    tag.map(|entry| text(entry, "description").to_owned())
        .unwrap_or_default()
}

fn operation(method: &str, path: &str, described: &Value) -> Operation {
    let body = described.pointer("/requestBody/content/application~1json");
    Operation {
        id: text(described, "operationId").to_owned(),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(described, "summary").to_owned(),
        description: paragraphs(text(described, "description")),
        secured: described.get("security").is_some(),
        parameters: list(described, "parameters")
            .iter()
            .map(parameter)
            .collect(),
        body: body.and_then(schema_name),
        body_example: body
            .and_then(|body| body.get("example"))
            .and_then(|example| serde_json::to_string_pretty(example).ok()),
        responses: described
            .get("responses")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(status, response)| ResponseLine {
                status: status.clone(),
                description: text(response, "description").to_owned(),
                body: response
                    .get("content")
                    .and_then(Value::as_object)
                    .and_then(|content| content.values().next())
                    .and_then(schema_name),
            })
            .collect(),
    }
}

fn parameter(described: &Value) -> Parameter {
    let kind = described.pointer("/schema/type");
    let kind = match kind {
        Some(Value::String(kind)) => kind.clone(),
        Some(Value::Array(kinds)) => kinds
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(" or "),
        _ => "string".to_owned(),
    };
    Parameter {
        name: text(described, "name").to_owned(),
        place: text(described, "in").to_owned(),
        kind,
        required: described
            .get("required")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        description: text(described, "description").to_owned(),
    }
}

/// The last part of a reference to a schema.
fn schema_name(content: &Value) -> Option<String> {
    let reference = content.pointer("/schema/$ref").and_then(Value::as_str)?;
    reference.rsplit('/').next().map(str::to_owned)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// Cut at blank lines; the marks of Markdown that a description may hold are left out.
fn paragraphs(text: &str) -> Vec<String> {
    text.replace('`', "")
        .split("\n\n")
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}
