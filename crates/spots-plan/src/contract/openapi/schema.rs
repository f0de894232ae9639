//! What a value may be: JSON Schema as far as OpenAPI documents use it, in one form for 3.0 and 3.1.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::document::Node;

/// Where the named schemas of a document stand.
const SCHEMAS: &str = "#/components/schemas/";
/// Keywords whose value is a number; the first half bounds from below.
pub(super) const LIMITS: [&str; 10] = [
    "minimum",
    "exclusiveMinimum",
    "minLength",
    "minItems",
    "minProperties",
    "maximum",
    "exclusiveMaximum",
    "maxLength",
    "maxItems",
    "maxProperties",
];

/// What is said of properties that are not listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Additional {
    /// Anything goes.
    #[default]
    Open,
    /// None may be there.
    Closed,
    /// They are like this.
    Of(Box<Schema>),
}

/// What a value may be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "JSON Schema has these four flags"
)]
pub(super) struct Schema {
    /// From 1; 1 where it was frozen.
    pub(super) line: u32,
    /// The named schema that it is.
    pub(super) reference: Option<String>,
    /// `string`, `integer` …; none: anything.
    pub(super) types: BTreeSet<String>,
    /// Whether it may be null.
    pub(super) nullable: bool,
    pub(super) format: Option<String>,
    /// The only values, each as JSON.
    pub(super) values: Option<BTreeSet<String>>,
    /// As JSON.
    pub(super) default: Option<String>,
    pub(super) properties: BTreeMap<String, Schema>,
    pub(super) required: BTreeSet<String>,
    pub(super) additional: Additional,
    pub(super) items: Option<Box<Schema>>,
    /// All of these at once.
    pub(super) all: Vec<Schema>,
    /// One of these.
    pub(super) any: Vec<Schema>,
    pub(super) limits: BTreeMap<String, String>,
    pub(super) pattern: Option<String>,
    pub(super) read_only: bool,
    pub(super) write_only: bool,
    pub(super) deprecated: bool,
}

/// Reads schemas, and collects references that lead out of the document.
#[derive(Debug, Default)]
pub(super) struct Schemas {
    /// With the line.
    pub(super) astray: Vec<(u32, String)>,
}

impl Schemas {
    pub(super) fn read(&mut self, node: &Node) -> Schema {
        let mut schema = Schema {
            line: node.line,
            ..Schema::default()
        };
        for (key, value) in node.entries() {
            self.keyword(&mut schema, key, value);
        }
        exclusive(&mut schema, node);
        schema.normal()
    }

    fn keyword(&mut self, schema: &mut Schema, key: &str, node: &Node) {
        let list = |node: &Node| -> Vec<String> {
            let words = node.items().iter().filter_map(Node::text);
            words.chain(node.text()).map(str::to_owned).collect()
        };
        match key {
            "$ref" => schema.reference = node.text().map(|to| self.reference(to, node.line)),
            "type" => {
                schema.types = list(node).into_iter().collect();
                schema.nullable |= schema.types.remove("null");
            }
            "nullable" => schema.nullable |= node.is_true(),
            "format" => schema.format = node.text().map(str::to_owned),
            "enum" => schema.values = Some(node.items().iter().map(as_json).collect()),
            "const" => schema.values = Some(BTreeSet::from([as_json(node)])),
            "default" => schema.default = Some(as_json(node)),
            "properties" => {
                let entries = node.entries().iter();
                schema.properties = entries
                    .map(|(name, node)| (name.clone(), self.read(node)))
                    .collect();
            }
            "required" => schema.required = list(node).into_iter().collect(),
            "additionalProperties" | "unevaluatedProperties" => {
                schema.additional = match node.text() {
                    Some("false") => Additional::Closed,
                    Some(_) => Additional::Open,
                    None if node.entries().is_empty() => Additional::Open,
                    None => Additional::Of(Box::new(self.read(node))),
                };
            }
            "items" => schema.items = Some(Box::new(self.read(node))),
            "allOf" => schema.all = node.items().iter().map(|node| self.read(node)).collect(),
            "oneOf" | "anyOf" => {
                let any = node.items().iter().map(|node| self.read(node));
                schema.any.extend(any.collect::<Vec<_>>());
            }
            "pattern" => schema.pattern = node.text().map(str::to_owned),
            "readOnly" => schema.read_only = node.is_true(),
            "writeOnly" => schema.write_only = node.is_true(),
            "deprecated" => schema.deprecated = node.is_true(),
            _ => {
                let number = node.text().filter(|text| text.parse::<f64>().is_ok());
                if let (true, Some(number)) = (LIMITS.contains(&key), number) {
                    schema.limits.insert(key.to_owned(), number.to_owned());
                }
            }
        }
    }

    fn reference(&mut self, to: &str, line: u32) -> String {
        if let Some(name) = to.strip_prefix(SCHEMAS) {
            return name.to_owned();
        }
        // Frozen contracts write the name alone.
        if to.contains(['#', '/', ':']) {
            self.astray.push((line, to.to_owned()));
        }
        to.to_owned()
    }
}

/// OpenAPI 3.0 says with `true` that a bound itself is out.
fn exclusive(schema: &mut Schema, node: &Node) {
    for (flag, bound) in [
        ("exclusiveMinimum", "minimum"),
        ("exclusiveMaximum", "maximum"),
    ] {
        if node.at(flag).is_some_and(Node::is_true)
            && let Some(number) = schema.limits.remove(bound)
        {
            schema.limits.insert(flag.to_owned(), number);
        }
    }
}

fn as_json(node: &Node) -> String {
    node.json().to_string()
}

impl Schema {
    /// Several ways to write one thing become one.
    fn normal(mut self) -> Self {
        if let Some(values) = &mut self.values {
            self.nullable |= values.remove("null");
        }
        let before = self.any.len();
        self.any
            .retain(|any| !(any.nullable && any.types.is_empty() && any.is_bare()));
        self.nullable |= self.any.len() < before;
        if self.any.len() == 1 && self.is_wrapper() {
            let inner = self.any.remove(0);
            return self.around(inner);
        }
        if self.all.len() == 1 && self.is_wrapper() {
            let inner = self.all.remove(0);
            return self.around(inner);
        }
        let words = |any: &Self| any.values.is_some() && any.properties.is_empty();
        if !self.any.is_empty() && self.any.iter().all(words) {
            let any = std::mem::take(&mut self.any);
            for one in any {
                self.nullable |= one.nullable;
                self.types.extend(one.types);
                self.values
                    .get_or_insert_default()
                    .extend(one.values.unwrap_or_default());
            }
        }
        self
    }

    /// Whether it says nothing but perhaps that it may be null.
    fn is_bare(&self) -> bool {
        self.reference.is_none()
            && self.values.as_ref().is_none_or(BTreeSet::is_empty)
            && self.properties.is_empty()
            && self.items.is_none()
            && self.all.is_empty()
            && self.any.is_empty()
    }

    /// Whether it only wraps one other schema.
    fn is_wrapper(&self) -> bool {
        self.reference.is_none()
            && self.types.is_empty()
            && self.values.is_none()
            && self.properties.is_empty()
            && self.required.is_empty()
            && self.items.is_none()
            && self.all.len() + self.any.len() == 1
    }

    fn around(self, mut inner: Self) -> Self {
        inner.nullable |= self.nullable;
        inner.read_only |= self.read_only;
        inner.write_only |= self.write_only;
        inner.deprecated |= self.deprecated;
        inner.default = inner.default.or(self.default);
        inner
    }

    /// The same as JSON Schema, in one form.
    pub(super) fn json(&self) -> Json {
        let mut out = Map::new();
        let mut put = |key: &str, value: Json| {
            out.insert(key.to_owned(), value);
        };
        let raw = |text: &String| {
            serde_json::from_str::<Json>(text).unwrap_or_else(|_| Json::String(text.clone()))
        };
        if let Some(name) = &self.reference {
            put("$ref", json!(name));
        }
        match self.types.len() {
            0 => {}
            1 => put("type", json!(self.types.first())),
            _ => put("type", json!(self.types)),
        }
        let texts = [("format", &self.format), ("pattern", &self.pattern)];
        for (key, text) in texts.into_iter().filter(|(_, text)| text.is_some()) {
            put(key, json!(text));
        }
        if let Some(values) = &self.values {
            put("enum", values.iter().map(raw).collect());
        }
        if let Some(default) = &self.default {
            put("default", raw(default));
        }
        if !self.properties.is_empty() {
            let entries = self.properties.iter();
            let entries = entries.map(|(name, schema)| (name.clone(), schema.json()));
            put("properties", Json::Object(entries.collect()));
        }
        if !self.required.is_empty() {
            put("required", json!(self.required));
        }
        match &self.additional {
            Additional::Open => {}
            Additional::Closed => put("additionalProperties", json!(false)),
            Additional::Of(schema) => put("additionalProperties", schema.json()),
        }
        if let Some(items) = &self.items {
            put("items", items.json());
        }
        for (key, list) in [("allOf", &self.all), ("anyOf", &self.any)] {
            if !list.is_empty() {
                put(key, list.iter().map(Self::json).collect());
            }
        }
        for (key, number) in &self.limits {
            put(key, raw(number));
        }
        let flags = [
            ("nullable", self.nullable),
            ("readOnly", self.read_only),
            ("writeOnly", self.write_only),
            ("deprecated", self.deprecated),
        ];
        for (key, _) in flags.into_iter().filter(|(_, on)| *on) {
            put(key, json!(true));
        }
        Json::Object(out)
    }

    /// Names of schemas that it mentions, near and far within itself.
    pub(super) fn mentions(&self, names: &mut BTreeSet<String>) {
        names.extend(self.reference.clone());
        let more = match &self.additional {
            Additional::Of(schema) => Some(schema),
            _ => None,
        };
        let below = self.properties.values().chain(&self.all).chain(&self.any);
        for schema in below {
            schema.mentions(names);
        }
        for schema in self.items.iter().chain(more) {
            schema.mentions(names);
        }
    }

    /// For people, short.
    pub(super) fn shown(&self) -> String {
        let mut out = if let Some(name) = &self.reference {
            name.clone()
        } else if let Some(items) = &self.items {
            format!("{}[]", items.shown())
        } else if !self.any.is_empty() {
            let any: Vec<String> = self.any.iter().map(Self::shown).collect();
            any.join(" or ")
        } else if !self.all.is_empty() {
            let all: Vec<String> = self.all.iter().map(Self::shown).collect();
            all.join(" & ")
        } else if self.types.is_empty() {
            "any".to_owned()
        } else {
            let types: Vec<&str> = self.types.iter().map(String::as_str).collect();
            types.join(" or ")
        };
        if let Some(format) = &self.format {
            out.extend(["(", format, ")"]);
        }
        if self.nullable {
            out.push('?');
        }
        out
    }
}
