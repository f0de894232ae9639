//! A reader of HTML that is stricter than a browser: what it accepts is well-formed.
//!
//! Every element is closed in order (void elements are not), every attribute value is quoted. That
//! holds for our own templates, and makes a forgotten `</div>` a failure.

use std::collections::BTreeMap;

/// Elements without content (HTML, "Void elements").
const VOID: [&str; 6] = ["br", "hr", "img", "input", "link", "meta"];

/// One element.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: BTreeMap<String, String>,
    /// All text inside, children included.
    pub(super) text: String,
    /// Index of the parent.
    pub(super) parent: Option<usize>,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }
}

/// All elements, in the order in which they open.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) elements: Vec<Element>,
}

impl Document {
    /// Reads a document or a part of one; the error says what is wrong, and where.
    pub(super) fn parse(html: &str) -> Result<Self, String> {
        let mut document = Self {
            elements: Vec::new(),
        };
        let mut open: Vec<usize> = Vec::new();
        let mut rest = html;
        while let Some(at) = rest.find('<') {
            let (text, tag) = rest.split_at(at);
            document.add_text(&open, text);
            let end = tag
                .find('>')
                .ok_or_else(|| format!("unclosed tag: {}", head(tag)))?;
            let inside = &tag[1..end];
            rest = &tag[end + 1..];
            if inside.starts_with('!') {
                continue;
            }
            match inside.strip_prefix('/') {
                Some(name) => document.close(&mut open, name)?,
                None => document.open(&mut open, inside)?,
            }
        }
        match open.last() {
            None => Ok(document),
            Some(&last) => Err(format!(
                "<{}> is never closed",
                document.elements[last].name
            )),
        }
    }

    /// The elements of a name.
    pub(super) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.elements
            .iter()
            .filter(move |element| element.name == name)
    }

    /// The nearest ancestor of a name.
    pub(super) fn ancestor(&self, element: &Element, name: &str) -> Option<&Element> {
        let parent = &self.elements[element.parent?];
        if parent.name == name {
            Some(parent)
        } else {
            self.ancestor(parent, name)
        }
    }

    fn add_text(&mut self, open: &[usize], text: &str) {
        for &index in open {
            self.elements[index].text.push_str(text);
        }
    }

    fn open(&mut self, open: &mut Vec<usize>, inside: &str) -> Result<(), String> {
        let empty = inside.ends_with('/');
        let inside = inside.trim_end_matches('/');
        let (name, attributes) = inside.split_once([' ', '\n']).unwrap_or((inside, ""));
        let element = Element {
            name: name.to_owned(),
            attributes: parse_attributes(attributes)?,
            text: String::new(),
            parent: open.last().copied(),
        };
        if !empty && !VOID.contains(&name) {
            open.push(self.elements.len());
        }
        self.elements.push(element);
        Ok(())
    }

    fn close(&self, open: &mut Vec<usize>, name: &str) -> Result<(), String> {
        match open.pop().map(|index| &self.elements[index].name) {
            Some(expected) if expected == name => Ok(()),
            Some(expected) => Err(format!("</{name}> where </{expected}> was expected")),
            None => Err(format!("</{name}> closes nothing")),
        }
    }
}

fn parse_attributes(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut attributes = BTreeMap::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest.find(['=', ' ', '\n']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let (value, after) = match after.strip_prefix('=') {
            None => ("", after),
            Some(after) => {
                let quote = after.chars().next().filter(|quote| "\"'".contains(*quote));
                let quote =
                    quote.ok_or_else(|| format!("{name} is not quoted: {}", head(after)))?;
                after[1..]
                    .split_once(quote)
                    .ok_or_else(|| format!("{name} has no end"))?
            }
        };
        if !after.is_empty() && !after.starts_with([' ', '\n']) {
            return Err(format!("no space after {name}: {}", head(after)));
        }
        if attributes
            .insert(name.to_owned(), value.to_owned())
            .is_some()
        {
            return Err(format!("{name} stands twice in one tag"));
        }
        rest = after.trim_start();
    }
    Ok(attributes)
}

fn head(text: &str) -> String {
    text.chars().take(60).collect()
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for wrong in [
        "<p><b></p></b>",
        "<div>",
        "</p>",
        "<a href=x>y</a>",
        "<p id=\"a\" id=\"b\"></p>",
    ] {
        Document::parse(wrong).expect_err(wrong);
    }
    let right = Document::parse("<p>a <b>c</b><br><svg><circle r=\"1\"/></svg></p>");
    assert_eq!(right.expect("well-formed").elements[0].text, "a c");
}
