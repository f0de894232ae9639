//! The operations of an HTTP API, read from its document.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::document::{Node, Refusal};
use super::schema::{Schema, Schemas};

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];
/// References that lead to further ones are followed this often.
const HOPS_MAX: usize = 16;

/// What a document promises.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Api {
    /// By path, then method.
    pub(super) operations: BTreeMap<Key, Operation>,
    /// Named schemas.
    pub(super) schemas: BTreeMap<String, Schema>,
}

/// Which operation: the names of path parameters do not tell paths apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(super) struct Key {
    pub(super) path: String,
    pub(super) method: String,
}

impl Key {
    pub(super) fn new(method: &str, path: &str) -> Self {
        let mut open = path.split('{');
        let mut plain = open.next().unwrap_or("").to_owned();
        for part in open {
            plain.push_str("{}");
            plain.push_str(part.split_once('}').map_or("", |(_, after)| after));
        }
        Self {
            path: plain,
            method: method.to_uppercase(),
        }
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        format!("{} {}", key.method, key.path)
    }
}

impl TryFrom<String> for Key {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (method, path) = text.split_once(' ').ok_or("a method and a path")?;
        Ok(Self::new(method, path))
    }
}

/// One operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Operation {
    /// As written, with the names of path parameters.
    pub(super) path: String,
    pub(super) id: Option<String>,
    pub(super) line: u32,
    pub(super) documented: bool,
    pub(super) deprecated: bool,
    /// Alternatives; each names everything that it asks for, `scheme` and `scheme:scope`. An empty
    /// one asks for nothing.
    pub(super) security: BTreeSet<BTreeSet<String>>,
    pub(super) params: Vec<Param>,
    pub(super) body: Option<Body>,
    /// By status.
    pub(super) responses: BTreeMap<String, Response>,
}

impl Operation {
    pub(super) fn param(&self, place: &str, name: &str) -> Option<&Param> {
        let mut params = self.params.iter();
        params.find(|param| param.place == place && param.is_called(name))
    }

    /// Path parameters in the order of the path.
    pub(super) fn in_path(&self) -> Vec<&str> {
        let parts = self.path.split('{').skip(1);
        parts
            .filter_map(|part| part.split_once('}'))
            .map(|(name, _)| name)
            .collect()
    }
}

/// A parameter, or a header of a response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Param {
    /// `path`, `query`, `header` or `cookie`.
    pub(super) place: String,
    pub(super) name: String,
    pub(super) required: bool,
    pub(super) deprecated: bool,
    pub(super) schema: Schema,
}

impl Param {
    /// Names of headers are the same in any case.
    fn is_called(&self, name: &str) -> bool {
        if self.place == "header" {
            self.name.eq_ignore_ascii_case(name)
        } else {
            self.name == name
        }
    }
}

/// What is sent along.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Body {
    pub(super) required: bool,
    /// By media type.
    pub(super) content: BTreeMap<String, Schema>,
}

/// What comes back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Response {
    /// By media type.
    pub(super) content: BTreeMap<String, Schema>,
    pub(super) headers: Vec<Param>,
}

struct Reader<'d> {
    root: &'d Node,
    schemas: Schemas,
}

/// Name and content of a document; `None` where it is none.
pub(super) fn read(root: &Node) -> Option<Result<(String, Api), Refusal>> {
    if let Some(version) = root.at("swagger") {
        let reason = "OpenAPI 2 is not read; convert the document to version 3".to_owned();
        return Some(Err((version.line, reason)));
    }
    let version = root.at("openapi")?;
    if !version.text().is_some_and(|text| text.starts_with("3.")) {
        let reason = "only OpenAPI 3 is read".to_owned();
        return Some(Err((version.line, reason)));
    }
    let title = root.at("info").and_then(|info| info.at("title"));
    let Some(title) = title.and_then(Node::text).map(name_of) else {
        return Some(Err((version.line, "info has no title".to_owned())));
    };
    let mut reader = Reader {
        root,
        schemas: Schemas::default(),
    };
    let api = reader.api();
    let mut astray = reader.schemas.astray.into_iter();
    Some(match astray.next() {
        None => Ok((title, api)),
        Some((line, to)) => {
            let more = match astray.count() {
                0 => String::new(),
                count => format!(" (and {count} more)"),
            };
            let reason = format!(
                "the reference {to:?}{more} is not followed; bundle the document, with its schemas \
                 in components/schemas"
            );
            Err((line, reason))
        }
    })
}

/// A title as a name: `Pet store` is `PetStore`.
fn name_of(title: &str) -> String {
    let words = title.split(|letter: char| !letter.is_alphanumeric());
    let mut name = String::new();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        name.push_str(letters.as_str());
    }
    if name.is_empty() {
        "Api".to_owned()
    } else {
        name
    }
}

/// `4xx` is `4XX`.
fn status_of(text: &str) -> String {
    if text.starts_with(|letter: char| letter.is_ascii_digit()) {
        text.to_uppercase()
    } else {
        text.to_owned()
    }
}

impl<'d> Reader<'d> {
    fn api(&mut self) -> Api {
        let mut api = Api::default();
        let named = self.root.at("components").and_then(|all| all.at("schemas"));
        for (name, node) in named.map(Node::entries).unwrap_or_default() {
            api.schemas.insert(name.clone(), self.schemas.read(node));
        }
        let root = self.root;
        for (path, item) in root.at("paths").map(Node::entries).unwrap_or_default() {
            let item = self.follow(item);
            for (method, node) in item.entries() {
                if METHODS.contains(&method.as_str()) {
                    let operation = self.operation(path, item, node);
                    api.operations.insert(Key::new(method, path), operation);
                }
            }
        }
        api
    }

    /// What a node stands for.
    fn follow(&mut self, node: &'d Node) -> &'d Node {
        let mut at = node;
        for _ in 0..HOPS_MAX {
            let Some(to) = at.at("$ref").and_then(Node::text) else {
                return at;
            };
            let target = to.strip_prefix("#/").and_then(|path| {
                path.split('/').try_fold(self.root, |node, part| {
                    node.at(&part.replace("~1", "/").replace("~0", "~"))
                })
            });
            let Some(target) = target else {
                self.schemas.astray.push((at.line, to.to_owned()));
                return at;
            };
            at = target;
        }
        at
    }

    fn operation(&mut self, path: &str, item: &'d Node, node: &'d Node) -> Operation {
        let text = |key: &str| node.at(key).and_then(Node::text);
        let responses = node.at("responses").map(Node::entries).unwrap_or_default();
        Operation {
            path: path.to_owned(),
            id: text("operationId").map(str::to_owned),
            line: node.line,
            documented: text("summary").or(text("description")).is_some(),
            deprecated: node.at("deprecated").is_some_and(Node::is_true),
            security: self.security(node),
            params: self.params(item, node),
            body: node.at("requestBody").map(|body| self.body(body)),
            responses: responses
                .iter()
                .map(|(status, node)| (status_of(status), self.response(node)))
                .collect(),
        }
    }

    fn security(&self, node: &Node) -> BTreeSet<BTreeSet<String>> {
        let Some(stated) = node.at("security").or_else(|| self.root.at("security")) else {
            return BTreeSet::from([BTreeSet::new()]);
        };
        let alternatives = stated.items().iter().map(|alternative| {
            let schemes = alternative.entries().iter();
            schemes
                .flat_map(|(name, scopes)| {
                    let scheme = self.scheme(name);
                    let scopes = scopes.items().iter().filter_map(Node::text);
                    let mut needs: Vec<String> =
                        scopes.map(|scope| format!("{scheme}:{scope}")).collect();
                    needs.push(scheme);
                    needs
                })
                .collect()
        });
        let mut alternatives: BTreeSet<_> = alternatives.collect();
        if alternatives.is_empty() {
            alternatives.insert(BTreeSet::new());
        }
        alternatives
    }

    /// What a scheme asks clients for; its name is the document's own affair.
    fn scheme(&self, name: &str) -> String {
        let schemes = self.root.at("components");
        let schemes = schemes.and_then(|all| all.at("securitySchemes"));
        let Some(scheme) = schemes.and_then(|all| all.at(name)) else {
            return name.to_owned();
        };
        let text = |key: &str| scheme.at(key).and_then(Node::text).unwrap_or_default();
        match text("type") {
            "http" => format!("http-{}", text("scheme").to_lowercase()),
            "apiKey" => format!("key-in-{}-{}", text("in"), text("name")),
            "openIdConnect" => format!("open-id-{}", text("openIdConnectUrl")),
            kind @ ("oauth2" | "mutualTLS") => kind.to_owned(),
            _ => name.to_owned(),
        }
    }

    /// An operation's own parameters stand before those of its path.
    fn params(&mut self, item: &'d Node, node: &'d Node) -> Vec<Param> {
        let mut params: Vec<Param> = Vec::new();
        for list in [node, item] {
            for node in list.at("parameters").map(Node::items).unwrap_or_default() {
                let node = self.follow(node);
                let text = |key: &str| node.at(key).and_then(Node::text).unwrap_or_default();
                let (place, name) = (text("in"), text("name"));
                let known = params
                    .iter()
                    .any(|param| param.place == place && param.is_called(name));
                if !known {
                    params.push(self.param(place, name, node));
                }
            }
        }
        params
    }

    fn param(&mut self, place: &str, name: &str, node: &'d Node) -> Param {
        let content = node.at("content").map(Node::entries).unwrap_or_default();
        let in_content = content.first().and_then(|(_, media)| media.at("schema"));
        let schema = node.at("schema").or(in_content);
        let flag = |key: &str| node.at(key).is_some_and(Node::is_true);
        let mut schema = schema.map_or_else(Schema::default, |node| self.schemas.read(node));
        schema.line = node.line;
        Param {
            place: place.to_owned(),
            name: name.to_owned(),
            required: flag("required") || place == "path",
            deprecated: flag("deprecated"),
            schema,
        }
    }

    fn body(&mut self, node: &'d Node) -> Body {
        let node = self.follow(node);
        Body {
            required: node.at("required").is_some_and(Node::is_true),
            content: self.content(node),
        }
    }

    fn response(&mut self, node: &'d Node) -> Response {
        let node = self.follow(node);
        let headers = node.at("headers").map(Node::entries).unwrap_or_default();
        Response {
            content: self.content(node),
            headers: headers
                .iter()
                .map(|(name, node)| {
                    let node = self.follow(node);
                    self.param("header", name, node)
                })
                .collect(),
        }
    }

    fn content(&mut self, node: &'d Node) -> BTreeMap<String, Schema> {
        let media = node.at("content").map(Node::entries).unwrap_or_default();
        media
            .iter()
            .map(|(kind, media)| {
                let schema = media.at("schema");
                let schema = schema.map_or_else(Schema::default, |node| self.schemas.read(node));
                (kind.clone(), schema)
            })
            .collect()
    }
}
