//! Functions that read the clock and return it, and the code that calls them.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::{AhoCorasick, MatchKind};

use super::lexer::{is_word, region_at, spans};
use super::scan::{Form, Hit, imports_file};
use crate::tree::Language;

/// Rounds of wrappers around wrappers that are followed.
pub(super) const ROUNDS_MAX: usize = 4;

/// A function that reads the clock and returns it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wrapper {
    /// The file that declares it.
    pub(super) path: String,
    pub(super) language: Language,
    /// Empty at the top level.
    pub(super) class: String,
    pub(super) name: String,
    /// Read as `name`, not as `name()`.
    pub(super) getter: bool,
    /// Where its declaration stands, so that it does not call itself.
    pub(super) declared: (usize, usize),
    /// The pattern it comes down to.
    pub(super) pattern: usize,
}

impl Wrapper {
    /// Class and name, as people write them.
    pub(super) fn scope(&self) -> String {
        super::read::scope(&self.class, &self.name)
    }
}

/// Names whose meaning is too common to follow by name alone.
const TOO_COMMON: [&str; 7] = [
    "main",
    "build",
    "toString",
    "toJson",
    "constructor",
    "call",
    "get",
];

/// Whether callers of this member can be told by its name.
pub(super) fn can_follow(name: &str) -> bool {
    !name.is_empty() && !name.contains('.') && !TOO_COMMON.contains(&name)
}

/// All wrappers, ready to search with.
pub(super) struct Finder<'w> {
    wrappers: &'w [Wrapper],
    /// Places among the wrappers.
    by_name: BTreeMap<&'w str, Vec<usize>>,
    names: Vec<&'w str>,
    search: AhoCorasick,
}

impl<'w> Finder<'w> {
    pub(super) fn new(wrappers: &'w [Wrapper]) -> Option<Self> {
        let mut by_name = BTreeMap::<&str, Vec<usize>>::new();
        for (at, wrapper) in wrappers.iter().enumerate() {
            by_name.entry(&wrapper.name).or_default().push(at);
        }
        let names = by_name.keys().copied().collect::<Vec<_>>();
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&names);
        (!names.is_empty()).then_some(())?;
        Some(Self {
            wrappers,
            by_name,
            names,
            search: search.ok()?,
        })
    }

    /// All that is searched for.
    pub(super) fn wrappers(&self) -> &'w [Wrapper] {
        self.wrappers
    }

    /// Calls of wrappers in this file, each with the place of the wrapper among all.
    pub(super) fn calls(
        &self,
        path: &str,
        language: Language,
        text: &str,
        class_at: impl Fn(usize) -> String,
    ) -> Vec<(Hit, usize)> {
        let mut calls = Vec::new();
        let mut not_code = None;
        let bytes = text.as_bytes();
        for found in self.search.find_iter(bytes) {
            let (start, end) = (found.start(), found.end());
            let byte = |at: Option<usize>| at.and_then(|at| bytes.get(at)).copied().unwrap_or(0);
            if is_part_of_a_name(byte(start.checked_sub(1))) || is_word(byte(Some(end))) {
                continue;
            }
            let name = self
                .names
                .get(found.pattern().as_usize())
                .copied()
                .unwrap_or_default();
            let wrappers = self.by_name.get(name).map_or(&[][..], Vec::as_slice);
            let site = Site {
                path,
                language,
                text,
                start,
                end,
            };
            let mut called = wrappers
                .iter()
                .filter_map(|at| Some((*at, self.wrappers.get(*at)?)));
            let called = called.find(|(_, wrapper)| site.may_call(wrapper, &class_at));
            let Some((at, wrapper)) = called else {
                continue;
            };
            let spans = not_code.get_or_insert_with(|| spans(language, text, text.len()));
            if region_at(spans, start).is_none() {
                let end = if wrapper.getter {
                    end
                } else {
                    site.call_end().unwrap_or(end)
                };
                let pattern = wrapper.pattern;
                let hit = Hit {
                    start,
                    end,
                    pattern,
                    form: Form::Call,
                    region: None,
                };
                calls.push((hit, at));
            }
        }
        calls
    }
}

fn is_part_of_a_name(byte: u8) -> bool {
    is_word(byte) && byte != b'$'
}

/// A place where a wrapper's name stands.
struct Site<'a> {
    path: &'a str,
    language: Language,
    text: &'a str,
    start: usize,
    end: usize,
}

impl Site<'_> {
    fn may_call(&self, wrapper: &Wrapper, class_at: &impl Fn(usize) -> String) -> bool {
        let declared = wrapper.path == self.path
            && (wrapper.declared.0..wrapper.declared.1).contains(&self.start);
        if declared || !self.same_family(wrapper.language) || self.declares() {
            return false;
        }
        if wrapper.getter == self.call_end().is_some() {
            return false;
        }
        let same_file = wrapper.path == self.path;
        let private = wrapper.name.starts_with('_') && wrapper.language == Language::Dart;
        if private && !same_file {
            return false;
        }
        match (self.receiver(), wrapper.class.is_empty()) {
            (None, true) => same_file || self.sees(wrapper),
            (None | Some("this" | "self" | "Self"), false) => {
                same_file && class_at(self.start) == wrapper.class
            }
            (Some(receiver), true) => !same_file && self.sees_module(wrapper, receiver),
            (Some(receiver), false) => {
                (same_file || self.text.contains(wrapper.class.as_str()))
                    && self.is_of_class(receiver, &wrapper.class)
            }
        }
    }

    fn same_family(&self, other: Language) -> bool {
        let script = |language| {
            matches!(
                language,
                Language::TypeScript | Language::Tsx | Language::JavaScript
            )
        };
        self.language == other || (script(self.language) && script(other))
    }

    /// Whether the name is declared here, as a function, variable or parameter.
    fn declares(&self) -> bool {
        let before = self.text.get(..self.start).unwrap_or_default().trim_end();
        let word = before
            .rsplit(|c: char| !(c.is_alphanumeric() || c == '_'))
            .next();
        let expression = [
            "return", "await", "in", "else", "yield", "throw", "case", "of",
        ];
        let word = word.unwrap_or_default();
        let typed = !word.is_empty() || before.ends_with(['?', '>']) && !before.ends_with("=>");
        typed && !expression.contains(&word)
    }

    /// Past the closing parenthesis of a call that starts after the name.
    fn call_end(&self) -> Option<usize> {
        let rest = self.text.get(self.end..)?;
        let open = rest
            .find(|c: char| !c.is_whitespace())
            .filter(|at| rest.as_bytes().get(*at) == Some(&b'('))?;
        let mut depth = 0_u32;
        for (at, byte) in rest.bytes().enumerate().skip(open) {
            match byte {
                b'(' => depth += 1,
                b')' if depth == 1 => return Some(self.end + at + 1),
                b')' => depth -= 1,
                _ => {}
            }
        }
        None
    }

    /// The last name before the joint in front of the call.
    fn receiver(&self) -> Option<&str> {
        let before = self.text.get(..self.start)?.trim_end();
        let joint = if self.language == Language::Rust && before.ends_with("::") {
            "::"
        } else {
            "."
        };
        let head = before
            .strip_suffix(joint)?
            .trim_end_matches(['?', '!'])
            .trim_end();
        let from = head
            .rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
            .map_or(0, |at| at + 1);
        head.get(from..)
    }

    /// Whether this file imports the one that declares the wrapper.
    fn sees(&self, wrapper: &Wrapper) -> bool {
        if self.language == Language::Dart {
            let files = BTreeSet::from([wrapper.path.clone()]);
            return imports_file(self.path, self.text, &wrapper.name, &files, None);
        }
        let keyword = if self.language == Language::Rust {
            "use "
        } else {
            "import"
        };
        let stem = stem(&wrapper.path);
        self.text.split(';').any(|statement| {
            let imports = statement.trim_start().starts_with(keyword)
                || statement.contains(&format!("\n{keyword}"));
            imports && statement.contains(&wrapper.name) && statement.contains(stem)
        })
    }

    /// `time::now_ms()` where `time` is the file that declares it.
    fn sees_module(&self, wrapper: &Wrapper, receiver: &str) -> bool {
        match self.language {
            Language::Rust => receiver == stem(&wrapper.path),
            Language::Dart => {
                let files = BTreeSet::from([wrapper.path.clone()]);
                imports_file(self.path, self.text, &wrapper.name, &files, Some(receiver))
            }
            _ => self.text.contains(&format!("* as {receiver} from")),
        }
    }

    /// Whether the receiver is the class itself, or named or declared as one of it.
    fn is_of_class(&self, receiver: &str, class: &str) -> bool {
        if receiver == class {
            return true;
        }
        let bare = |name: &str| name.replace('_', "").to_lowercase();
        if bare(receiver) == bare(class) {
            return true;
        }
        [
            format!("{class} {receiver}"),
            format!("{class}? {receiver}"),
            format!("{receiver} = {class}("),
            format!("{receiver}: {class}"),
            format!("{receiver}: &{class}"),
            format!("{receiver} = new {class}("),
        ]
        .iter()
        .any(|declaration| self.text.contains(declaration.as_str()))
    }
}

fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split('.').next().unwrap_or(name)
}
