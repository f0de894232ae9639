//! Class and member by braces and keywords, for languages without a grammar here.

mod flow;
mod scopes;
mod statements;

use super::{Placed, Source};
use crate::audit::config::Names;
use crate::audit::lexer::spans;
use crate::audit::pattern::{Pattern, Precision};
use crate::audit::read::{Kind, Place, without_formatting};
use crate::audit::scan::Hit;
use crate::tree::Language;
use flow::Flow;
use scopes::{Member, Walker, words};
use statements::Statements;

/// Places hits in the order of the text.
pub(super) fn place(source: &Source<'_>, hits: &[Hit], patterns: &[Pattern]) -> Vec<Placed> {
    let words = words(source);
    let flow = Flow::new(source, &words, hits);
    let mut walker = Walker::new(source, &words);
    let mut statements = Statements::new(source, &words);
    hits.iter()
        .map(|hit| {
            let native = patterns.get(hit.pattern).map(|pattern| pattern.precision);
            let (class, member, is_async) = if source.language == Language::Sql {
                let (class, column) = statements.advance(hit.start);
                let column = column.map(|(at, name)| Member {
                    at,
                    name,
                    keyword: "",
                });
                (class, column, false)
            } else {
                let scope = walker.advance(hit.start);
                (scope.class, scope.member, scope.is_async)
            };
            let (kind, usage) = flow.kind_and_use(hit);
            let place = Place {
                class: class.unwrap_or_default().to_owned(),
                member: member.map_or("", |member| member.name).to_owned(),
                usage,
                is_async,
                text: without_formatting(line_of(source.text, hit)),
                precision: native.unwrap_or(Precision::Nanosecond),
            };
            let wraps = member.filter(|_| kind == Kind::Call);
            Placed {
                hit: *hit,
                kind,
                place,
                wraps: wraps.and_then(|member| flow.wraps(hit, member)),
            }
        })
        .collect()
}

/// Where the class around the code changes, in order.
pub(super) fn classes(language: Language, text: &str) -> Vec<(usize, String)> {
    let spans = spans(language, text, text.len());
    let source = Source {
        language,
        text,
        spans: &spans,
        names: &Names::default(),
    };
    let words = words(&source);
    let mut walker = Walker::new(&source, &words);
    let mut changes = vec![(0, String::new())];
    for (at, _) in &words {
        let class = walker.advance(*at).class.unwrap_or_default();
        if changes.last().is_none_or(|(_, last)| *last != class) {
            changes.push((*at, class.to_owned()));
        }
    }
    changes
}

/// The lines that hold the hit.
fn line_of<'a>(text: &'a str, hit: &Hit) -> &'a str {
    let start = text
        .get(..hit.start)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |at| at + 1);
    let rest = text.get(hit.end..).unwrap_or_default();
    let end = hit.end + rest.find('\n').unwrap_or(rest.len());
    text.get(start..end).unwrap_or_default()
}
