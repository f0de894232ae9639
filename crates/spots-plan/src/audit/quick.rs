//! Direct reads alone, as fast as a search.

use super::config::Config;
use super::lexer;
use super::read::Kind;
use super::scan::{FileScan, Hit, Scanner};
use super::structure::{self, Source};
use crate::tree::{SourceFile, Tree, Visited};

/// Direct reads in code, file by file, without their place in it: offsets in bytes.
///
/// Parses only the files where a read may be the default of an injected clock, which does not
/// count. The count agrees with [`super::audit`], except for classes of a name such as `DateTime`
/// that a file imports from another one of the tree.
pub fn inventory(tree: &Tree, scanner: &Scanner, config: &Config) -> Visited<Vec<Hit>> {
    tree.visit(|file, text| {
        let scan = scanner.scan(file.language, text);
        direct(scanner, config, (file, text), scan)
    })
}

fn direct(
    scanner: &Scanner,
    config: &Config,
    (file, text): (&SourceFile, &str),
    scan: FileScan,
) -> Vec<Hit> {
    let mut code = scan.hits;
    code.retain(|hit| hit.region.is_none());
    let suspect = code.iter().any(|hit| may_be_injected(text, hit, config));
    if suspect {
        let spans = lexer::spans(file.language, text, text.len());
        let names = &config.names;
        let source = Source {
            language: file.language,
            text,
            spans: &spans,
            names,
        };
        let placed = structure::place(&source, &code, scanner.patterns());
        return placed
            .into_iter()
            .filter(|placed| matches!(placed.kind, Kind::Call | Kind::Elapsed))
            .map(|placed| placed.hit)
            .collect();
    }
    code.retain(|hit| hit.form.is_call());
    code
}

/// Whether what stands before the read lets it be a default: `now ??`, `?? () =>`, `now =`.
fn may_be_injected(text: &str, hit: &Hit, config: &Config) -> bool {
    let before = text.get(..hit.start).unwrap_or_default().trim_end();
    if let Some(head) = before.strip_suffix("=>") {
        let head = head.trim_end();
        return head.strip_suffix("()").is_some_and(|head| {
            let head = head.trim_end();
            head.ends_with("??") || head.ends_with('=')
        });
    }
    // Kotlin's and Swift's closures, and Kotlin's `now ?: Instant.now()`.
    if let Some(head) = before.strip_suffix('{') {
        let head = head.trim_end();
        return head.ends_with('=') || head.ends_with("?:") || head.ends_with("??");
    }
    let head = before
        .strip_suffix("??")
        .or_else(|| before.strip_suffix("?:"))
        .or_else(|| before.strip_suffix('='));
    head.is_some_and(|head| {
        let name = head.trim_end();
        let start = name
            .rfind(|c: char| !(c.is_alphanumeric() || c == '_'))
            .map_or(0, |at| at + 1);
        let name = name.get(start..).unwrap_or_default();
        config.names.clock.iter().any(|clock| clock == name)
    })
}
