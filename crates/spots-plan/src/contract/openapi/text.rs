//! The frozen form of an API: one parameter, response or property a line, values as JSON Schema.
//!
//! ```text
//! operation GET /events/{eventId}
//! id find_event
//! documented
//! security session
//! parameter path eventId required {"type":"string"}
//! response 200 application/json {"$ref":"Event"}
//! schema Event {"type":"object"}
//! property title required {"type":"string"}
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::super::model::Contract;
use super::api::{Api, Body, Key, Operation, Param};
use super::document;
use super::schema::{Schema, Schemas};

/// The lines of an API.
pub(in crate::contract) fn render(out: &mut String, api: &Api) {
    for (key, operation) in &api.operations {
        line(out, format_args!(""));
        line(
            out,
            format_args!("operation {} {}", key.method, word(&operation.path)),
        );
        render_operation(out, operation);
    }
    for (name, schema) in &api.schemas {
        render_schema(out, name, schema);
    }
}

fn render_operation(out: &mut String, operation: &Operation) {
    if let Some(id) = &operation.id {
        line(out, format_args!("id {}", word(id)));
    }
    let flags = [
        ("documented", operation.documented),
        ("deprecated", operation.deprecated),
    ];
    for (flag, _) in flags.into_iter().filter(|(_, on)| *on) {
        line(out, format_args!("{flag}"));
    }
    for alternative in &operation.security {
        let needs: Vec<String> = alternative.iter().map(|need| word(need)).collect();
        let needs = format!("security {}", needs.join(" "));
        line(out, format_args!("{}", needs.trim_end()));
    }
    for param in &operation.params {
        line(
            out,
            format_args!("parameter {} {}", param.place, param_text(param)),
        );
    }
    if let Some(body) = &operation.body {
        let must = if body.required { " required" } else { "" };
        line(out, format_args!("body{must}"));
        render_content(out, &body.content);
    }
    for (status, response) in &operation.responses {
        line(out, format_args!("response {}", word(status)));
        render_content(out, &response.content);
        for header in &response.headers {
            line(out, format_args!("header {}", param_text(header)));
        }
    }
}

fn render_content(out: &mut String, content: &BTreeMap<String, Schema>) {
    for (media, schema) in content {
        line(
            out,
            format_args!("content {} {}", word(media), schema.json()),
        );
    }
}

fn render_schema(out: &mut String, name: &str, schema: &Schema) {
    let mut own = schema.clone();
    let properties = std::mem::take(&mut own.properties);
    // What is required and not listed stays with the schema itself.
    own.required.retain(|name| !properties.contains_key(name));
    line(out, format_args!(""));
    line(out, format_args!("schema {} {}", word(name), own.json()));
    for (name, property) in &properties {
        let must = if schema.required.contains(name) {
            "required "
        } else {
            ""
        };
        line(
            out,
            format_args!("property {} {must}{}", word(name), property.json()),
        );
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("writing to a string cannot fail");
}

fn param_text(param: &Param) -> String {
    let mut out = word(&param.name);
    for (flag, on) in [
        ("required", param.required),
        ("deprecated", param.deprecated),
    ] {
        if on {
            out.extend([" ", flag]);
        }
    }
    out.extend([" ".to_owned(), param.schema.json().to_string()]);
    out
}

/// A word as it is, or in quotes where it would not be read back as one.
fn word(text: &str) -> String {
    let plain = !text.is_empty() && !text.contains([' ', '"', '\n', '\t', '\r']);
    if plain {
        text.to_owned()
    } else {
        serde_json::Value::from(text).to_string()
    }
}

/// Where the next `content` line belongs.
enum Within {
    Nothing,
    Body,
    Response(String),
}

/// Reads lines back into an API.
#[derive(Default)]
struct Reading {
    api: Api,
    operation: Option<Key>,
    schema: Option<String>,
    within: Option<Within>,
}

/// Reads the lines after the head of a frozen contract; each with its number.
pub(in crate::contract) fn parse<'t>(
    contract: &mut Contract,
    lines: impl Iterator<Item = (usize, &'t str)>,
) -> Result<(), (usize, String)> {
    let mut reading = Reading::default();
    for (number, line) in lines {
        reading.line(line).map_err(|reason| (number, reason))?;
    }
    let declared = super::declare(&contract.decl.name, reading.api);
    contract.decl = declared;
    Ok(())
}

impl Reading {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let mut rest = line;
        let kind = next_word(&mut rest)?;
        match kind.as_str() {
            "operation" => {
                let (method, path) = (next_word(&mut rest)?, next_word(&mut rest)?);
                let key = Key::new(&method, &path);
                let operation = Operation {
                    path,
                    line: 1,
                    ..Operation::default()
                };
                self.api.operations.insert(key.clone(), operation);
                (self.operation, self.schema) = (Some(key), None);
                self.within = Some(Within::Nothing);
                Ok(())
            }
            "schema" => {
                let name = next_word(&mut rest)?;
                self.api.schemas.insert(name.clone(), schema(rest)?);
                (self.operation, self.schema) = (None, Some(name));
                Ok(())
            }
            "property" => self.property(rest),
            _ => self.of_operation(&kind, rest),
        }
    }

    fn property(&mut self, mut rest: &str) -> Result<(), String> {
        let name = next_word(&mut rest)?;
        let owner = self
            .schema
            .as_ref()
            .and_then(|name| self.api.schemas.get_mut(name));
        let owner = owner.ok_or("a property stands before any schema")?;
        if let Some(after) = rest.strip_prefix("required ") {
            owner.required.insert(name.clone());
            rest = after;
        }
        owner.properties.insert(name, schema(rest)?);
        Ok(())
    }

    fn of_operation(&mut self, kind: &str, mut rest: &str) -> Result<(), String> {
        let key = self.operation.as_ref();
        let operation = key.and_then(|key| self.api.operations.get_mut(key));
        let operation = operation.ok_or_else(|| format!("{kind} stands before any operation"))?;
        match kind {
            "id" => operation.id = Some(next_word(&mut rest)?),
            "documented" => operation.documented = true,
            "deprecated" => operation.deprecated = true,
            "security" => {
                let mut needs = BTreeSet::new();
                while !rest.is_empty() {
                    needs.insert(next_word(&mut rest)?);
                }
                operation.security.insert(needs);
            }
            "parameter" => {
                let place = next_word(&mut rest)?;
                operation.params.push(param(&place, rest)?);
            }
            "body" => {
                operation.body = Some(Body {
                    required: rest == "required",
                    ..Body::default()
                });
                self.within = Some(Within::Body);
            }
            "response" => {
                let status = next_word(&mut rest)?;
                operation.responses.entry(status.clone()).or_default();
                self.within = Some(Within::Response(status));
            }
            "content" => {
                let media = next_word(&mut rest)?;
                let content = match &self.within {
                    Some(Within::Body) => operation.body.as_mut().map(|body| &mut body.content),
                    Some(Within::Response(status)) => {
                        let response = operation.responses.get_mut(status);
                        response.map(|response| &mut response.content)
                    }
                    _ => None,
                };
                let content = content.ok_or("content stands before any body or response")?;
                content.insert(media, schema(rest)?);
            }
            "header" => {
                let header = param("header", rest)?;
                let Some(Within::Response(status)) = &self.within else {
                    return Err("a header stands before any response".to_owned());
                };
                let response = operation.responses.entry(status.clone()).or_default();
                response.headers.push(header);
            }
            _ => return Err(format!("unknown word {kind:?}")),
        }
        Ok(())
    }
}

fn param(place: &str, mut rest: &str) -> Result<Param, String> {
    let mut param = Param {
        place: place.to_owned(),
        name: next_word(&mut rest)?,
        ..Param::default()
    };
    if let Some(after) = rest.strip_prefix("required ") {
        (param.required, rest) = (true, after);
    }
    if let Some(after) = rest.strip_prefix("deprecated ") {
        (param.deprecated, rest) = (true, after);
    }
    param.schema = schema(rest)?;
    Ok(param)
}

fn schema(text: &str) -> Result<Schema, String> {
    let node = document::read_json(text).map_err(|(_, reason)| reason)?;
    Ok(Schemas::default().read(&node))
}

/// Cuts the next word off, in quotes or without.
fn next_word(rest: &mut &str) -> Result<String, String> {
    if rest.starts_with('"') {
        let mut words = serde_json::Deserializer::from_str(rest).into_iter::<String>();
        let word = words.next().and_then(Result::ok);
        let word = word.ok_or("a quoted word does not end")?;
        let end = words.byte_offset();
        *rest = rest.get(end..).unwrap_or("").trim_start();
        return Ok(word);
    }
    let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
    if word.is_empty() {
        return Err("a word is missing".to_owned());
    }
    *rest = after;
    Ok(word.to_owned())
}
