//! What becomes of a read, by the words around it.

use super::super::{Declaration, Source};
use super::scopes::{Member, Word};
use crate::audit::read::{Kind, Use};
use crate::audit::scan::{Form, Hit};
use crate::tree::Language;

/// Knows, for one file, which names take a read.
pub(super) struct Flow<'a, 's> {
    source: &'s Source<'a>,
    words: &'s [Word<'a>],
    hits: &'s [Hit],
    /// Names that take a read, and which.
    holders: Vec<(&'a str, usize)>,
}

impl<'a, 's> Flow<'a, 's> {
    pub(super) fn new(source: &'s Source<'a>, words: &'s [Word<'a>], hits: &'s [Hit]) -> Self {
        let mut flow = Self {
            source,
            words,
            hits,
            holders: Vec::new(),
        };
        let holders = hits.iter().filter(|hit| hit.form == Form::Call);
        flow.holders = holders
            .filter_map(|hit| Some((flow.target(hit)?, hit.start)))
            .collect();
        flow
    }

    pub(super) fn kind_and_use(&self, hit: &Hit) -> (Kind, Use) {
        if self.is_injected_default(hit) {
            return (Kind::InjectedDefault, Use::Default);
        }
        match hit.form {
            Form::TearOff => (Kind::TearOff, Use::HandedOn),
            Form::Call if self.is_elapsed(hit) => (Kind::Elapsed, Use::Elapsed),
            Form::Call => (Kind::Call, self.usage(hit)),
        }
    }

    fn before(&self, at: usize) -> &'a str {
        self.source.text.get(..at).unwrap_or_default().trim_end()
    }

    fn after(&self, at: usize) -> &'a str {
        self.source.text.get(at..).unwrap_or_default().trim_start()
    }

    /// The name on the left of `= read`.
    fn target(&self, hit: &Hit) -> Option<&'a str> {
        let left = self.before(hit.start).strip_suffix('=')?;
        if left.ends_with(['=', '!', '<', '>', '?']) {
            return None;
        }
        let left = left.trim_end();
        // `fun at() = …` is a function's body.
        if left.ends_with(')') {
            return None;
        }
        // `val at: Instant = …`: the name stands before its type.
        let line = left
            .rsplit(['\n', ';', '{', '(', ','])
            .next()
            .unwrap_or(left);
        let name = line.split(':').next().unwrap_or(line).trim_end();
        let typed = if self.source.language == Language::Java {
            left
        } else {
            name
        };
        Some(last_word(typed)).filter(|name| !name.is_empty())
    }

    fn usage(&self, hit: &Hit) -> Use {
        let before = self.before(hit.start);
        match self.source.language {
            Language::Sql
                if last_word(before.trim_end_matches(['(', ' ']))
                    .eq_ignore_ascii_case("default") =>
            {
                Use::Stored
            }
            Language::Sql => Use::Other,
            _ if last_word(before) == "return" => Use::Returned,
            _ if before.ends_with('(') || before.ends_with(',') => Use::Argument,
            _ => match self.target(hit) {
                Some(name) if self.is_stored(name) => Use::Stored,
                Some(_) => Use::Variable,
                None => Use::Other,
            },
        }
    }

    fn is_stored(&self, name: &str) -> bool {
        let mut endings = self.source.names.stored.iter();
        endings.any(|ending| name.ends_with(ending.as_str()))
    }

    /// Subtracted from another read, or taken by a name that only ever is.
    fn is_elapsed(&self, hit: &Hit) -> bool {
        if self.source.language == Language::Sql {
            return false;
        }
        let after = self.after(hit.end);
        let other = after
            .strip_prefix('-')
            .filter(|rest| !rest.starts_with(['>', '-', '=']))
            .or_else(|| after.strip_prefix(".timeIntervalSince("));
        let other = other.map(first_word);
        let between = self.before(hit.start).strip_suffix(',');
        let between = between
            .map(str::trim_end)
            .filter(|head| {
                head.rsplit('(')
                    .nth(1)
                    .is_some_and(|call| call.ends_with("between"))
            })
            .map(last_word);
        let holds = |name: &str| {
            self.holders
                .iter()
                .any(|(holder, at)| *holder == name && *at < hit.start)
        };
        other.or(between).is_some_and(holds)
            || self
                .target(hit)
                .is_some_and(|name| self.measures_only(hit, name))
    }

    /// Whether every use of the name, to the end of its block, subtracts it from a read.
    fn measures_only(&self, hit: &Hit, name: &str) -> bool {
        let from = self.words.partition_point(|(at, _)| *at < hit.end);
        let (mut depth, mut measured) = (0_usize, false);
        for (at, word) in self.words.get(from..).unwrap_or_default() {
            match *word {
                "{" => depth += 1,
                "}" => match depth.checked_sub(1) {
                    Some(less) => depth = less,
                    None => break,
                },
                word if word == name => {
                    if !self.subtracts(*at, at + word.len()) {
                        return false;
                    }
                    measured = true;
                }
                _ => {}
            }
        }
        measured
    }

    /// Whether the name here is what another read is subtracted from or compared with.
    fn subtracts(&self, start: usize, end: usize) -> bool {
        let before = self.before(start);
        let read = before
            .strip_suffix('-')
            .or_else(|| before.strip_suffix(".timeIntervalSince("));
        if let Some(read) = read.map(|read| read.trim_end().len()) {
            return self.hits.iter().any(|hit| hit.end == read);
        }
        let next = self.after(end).strip_prefix(',').map(str::trim_start);
        before.ends_with("between(")
            && next.is_some_and(|next| {
                let at = self.source.text.len() - next.len();
                self.hits.iter().any(|hit| hit.start == at)
            })
    }

    /// The default of a parameter that is a function, or of a clock that may be null.
    fn is_injected_default(&self, hit: &Hit) -> bool {
        if !matches!(self.source.language, Language::Kotlin | Language::Swift) {
            return false;
        }
        let mut before = self.before(hit.start);
        let mut is_function = hit.form == Form::TearOff;
        if let Some(head) = before.strip_suffix('{')
            && self.after(hit.end).starts_with('}')
        {
            before = head.trim_end();
            is_function = true;
        }
        if let Some(clock) = before
            .strip_suffix("?:")
            .or_else(|| before.strip_suffix("??"))
        {
            let name = last_word(clock.trim_end().trim_end_matches(['(', ')', '?']));
            return is_function || self.source.names.clock.iter().any(|clock| clock == name);
        }
        let Some(parameter) = before.strip_suffix('=').filter(|_| is_function) else {
            return false;
        };
        // `(now: () -> Instant = …`: inside parentheses, after a function's type.
        let Some((head, _)) = parameter.rsplit_once("->") else {
            return false;
        };
        let line = parameter.get(head.len() + 2..).unwrap_or_default();
        let head = head.rsplit(['\n', '{', ';']).next().unwrap_or_default();
        let open = head.matches('(').count() > head.matches(')').count();
        open && !line.contains([',', '\n', ';', '='])
    }

    /// The member that returns the read, and whether it is read without a call.
    pub(super) fn wraps(&self, hit: &Hit, member: Member<'_>) -> Option<Declaration> {
        let text = self.source.text;
        let head = text.get(member.at + member.name.len()..hit.start)?;
        let before = self.before(hit.start);
        let function = matches!(member.keyword, "fun" | "func")
            || (self.source.language == Language::Java && head.trim_start().starts_with('('));
        let getter = match self.source.language {
            Language::Kotlin => head.contains("get()"),
            Language::Swift => head.contains('{') && !head.contains('='),
            _ => false,
        };
        let braces = head.matches('{').count();
        let returned = last_word(before) == "return"
            || match self.source.language {
                Language::Kotlin => before.ends_with('=') && braces == 0,
                Language::Swift => {
                    before.ends_with('{') && braces == 1 && self.after(hit.end).starts_with('}')
                }
                _ => false,
            };
        let rest = text.get(hit.end..).unwrap_or_default();
        let rest = rest.split(['\n', ';', '}']).next().unwrap_or_default();
        let is_time = !rest.contains(['-', '<', '>', '=', '&', '|']);
        (returned && is_time && (function || getter)).then_some(Declaration {
            start: member.at,
            end: hit.end,
            getter: !function,
        })
    }
}

fn last_word(text: &str) -> &str {
    let end = text
        .rfind(|c: char| !(c.is_alphanumeric() || c == '_'))
        .map_or(0, |at| {
            at + text
                .get(at..)
                .and_then(|rest| rest.chars().next())
                .map_or(1, char::len_utf8)
        });
    text.get(end..).unwrap_or_default()
}

fn first_word(text: &str) -> &str {
    let text = text.trim_start();
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_'));
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}
