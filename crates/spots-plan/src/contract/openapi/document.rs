//! YAML and JSON as a tree with line numbers.
//!
//! Aliases are counted as what they stand for, so that a few lines cannot stand for gigabytes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::Value as Json;

/// A document with more nodes than this is refused; the largest that people publish has a tenth.
pub const NODES_MAX: usize = 2_000_000;
/// Nodes nested deeper than this are refused.
pub const DEPTH_MAX: usize = 128;

/// One value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// From 1.
    pub(super) line: u32,
    pub(super) value: Value,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Map(Vec<(String, Node)>),
    List(Vec<Node>),
    /// With quotes or as a block: text, whatever it looks like.
    Text(String),
    /// Without: a number, a word, `true`, nothing.
    Plain(String),
}

/// Why a document cannot be read: a line and a reason in lowercase.
pub(super) type Refusal = (u32, String);

impl Node {
    /// The value of a key of a map.
    pub(super) fn at(&self, key: &str) -> Option<&Self> {
        self.entries()
            .iter()
            .find_map(|(name, node)| (name == key).then_some(node))
    }

    /// Keys and values of a map; none of anything else.
    pub(super) fn entries(&self) -> &[(String, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Items of a list; none of anything else.
    pub(super) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// A scalar as it is written.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Plain(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is `true`.
    pub(super) fn is_true(&self) -> bool {
        matches!(&self.value, Value::Plain(text) if text == "true")
    }

    /// The same as JSON.
    pub(super) fn json(&self) -> Json {
        match &self.value {
            Value::Map(entries) => {
                let entries = entries.iter().map(|(key, node)| (key.clone(), node.json()));
                Json::Object(entries.collect())
            }
            Value::List(items) => items.iter().map(Self::json).collect(),
            Value::Text(text) => Json::String(text.clone()),
            Value::Plain(text) => match text.as_str() {
                "" | "~" | "null" | "Null" | "NULL" => Json::Null,
                _ => serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.clone())),
            },
        }
    }

    fn of_json(value: &Json, depth: usize) -> Result<Self, Refusal> {
        if depth > DEPTH_MAX {
            return Err((1, too_deep()));
        }
        let value = match value {
            Json::Object(entries) => Value::Map(
                entries
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), Self::of_json(value, depth + 1)?)))
                    .collect::<Result<_, Refusal>>()?,
            ),
            Json::Array(items) => Value::List(
                items
                    .iter()
                    .map(|item| Self::of_json(item, depth + 1))
                    .collect::<Result<_, Refusal>>()?,
            ),
            Json::String(text) => Value::Text(text.clone()),
            other => Value::Plain(other.to_string()),
        };
        Ok(Self { line: 1, value })
    }

    /// How many nodes, and how deep.
    fn measure(&self) -> (usize, usize) {
        let below = match &self.value {
            Value::Map(entries) => entries.iter().map(|(_, node)| node.measure()).collect(),
            Value::List(items) => items.iter().map(Self::measure).collect(),
            _ => Vec::new(),
        };
        below.iter().fold((1, 1), |(count, depth), (more, deeper)| {
            (count + more, depth.max(deeper + 1))
        })
    }
}

fn too_deep() -> String {
    format!("values are nested deeper than {DEPTH_MAX}")
}

fn too_many() -> String {
    format!("there are more than {NODES_MAX} values")
}

/// Reads a document.
pub(super) fn read(text: &str) -> Result<Node, Refusal> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Builder::default().run(text).or_else(|refusal| {
        // JSON is YAML but for some escapes; then the lines are lost, not the document.
        if text.trim_start().starts_with('{') {
            read_json(text).map_err(|_json| refusal)
        } else {
            Err(refusal)
        }
    })
}

/// Reads JSON alone, without lines.
pub(super) fn read_json(text: &str) -> Result<Node, Refusal> {
    let value: Json = serde_json::from_str(text).map_err(|error| (1, error.to_string()))?;
    Node::of_json(&value, 0)
}

/// A map or list that is not closed yet.
struct Open {
    node: Node,
    anchor: usize,
    key: Option<String>,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    /// With the number of nodes, and their depth.
    anchors: BTreeMap<usize, (Node, usize, usize)>,
    count: usize,
    root: Option<Node>,
}

impl Builder {
    fn run(mut self, text: &str) -> Result<Node, Refusal> {
        for event in Parser::new_from_str(text) {
            let (event, span) =
                event.map_err(|error| (line(error.marker().line()), error.info().to_owned()))?;
            self.event(event, line(span.start.line()))?;
            if self.root.is_some() {
                break;
            }
        }
        self.root.ok_or((1, "there is nothing in it".to_owned()))
    }

    fn event(&mut self, event: Event<'_>, line: u32) -> Result<(), Refusal> {
        match event {
            Event::MappingStart(anchor, _) => self.start(Value::Map(Vec::new()), anchor, line),
            Event::SequenceStart(anchor, _) => self.start(Value::List(Vec::new()), anchor, line),
            Event::MappingEnd | Event::SequenceEnd => {
                let closed = self.open.pop();
                closed.map_or(Ok(()), |closed| self.add(closed.node, closed.anchor))
            }
            Event::Scalar(text, style, anchor, _) => self.scalar(text, style, anchor, line),
            Event::Alias(anchor) => {
                let Some((node, count, depth)) = self.anchors.get(&anchor) else {
                    return Err((line, "an alias stands inside of what it names".to_owned()));
                };
                self.count += count;
                if self.count > NODES_MAX {
                    return Err((line, too_many()));
                }
                if self.open.len() + depth > DEPTH_MAX {
                    return Err((line, too_deep()));
                }
                let node = node.clone();
                self.add(node, 0)
            }
            _ => Ok(()),
        }
    }

    fn start(&mut self, value: Value, anchor: usize, line: u32) -> Result<(), Refusal> {
        if self.open.len() >= DEPTH_MAX {
            return Err((line, too_deep()));
        }
        self.open.push(Open {
            node: Node { line, value },
            anchor,
            key: None,
        });
        Ok(())
    }

    fn scalar(
        &mut self,
        text: Cow<'_, str>,
        style: ScalarStyle,
        anchor: usize,
        line: u32,
    ) -> Result<(), Refusal> {
        if let Some(open) = self.open.last_mut()
            && let (Value::Map(entries), None) = (&open.node.value, &open.key)
        {
            if entries.iter().any(|(key, _)| *key == text) {
                return Err((line, format!("the key {text:?} stands twice")));
            }
            open.key = Some(text.into_owned());
            return Ok(());
        }
        let value = if style == ScalarStyle::Plain {
            Value::Plain(text.into_owned())
        } else {
            Value::Text(text.into_owned())
        };
        self.add(Node { line, value }, anchor)
    }

    /// Puts a whole value where it belongs.
    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Refusal> {
        self.count += 1;
        if self.count > NODES_MAX {
            return Err((node.line, too_many()));
        }
        if anchor > 0 {
            let (count, depth) = node.measure();
            self.anchors.insert(anchor, (node.clone(), count, depth));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match (&mut open.node.value, open.key.take()) {
            (Value::List(items), _) => items.push(node),
            (Value::Map(entries), Some(key)) => entries.push((key, node)),
            _ => return Err((node.line, "a key is no word".to_owned())),
        }
        Ok(())
    }
}

fn line(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
