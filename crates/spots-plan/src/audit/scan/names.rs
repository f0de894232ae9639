//! Whose name it is: the language's, a library's, or one of the code's own.

use super::super::lexer::is_word;
use super::super::pattern::Pattern;
use crate::tree::Language;

/// The word before `at` on the other side of white space, and where it starts.
pub(super) fn word_before(bytes: &[u8], at: usize) -> Option<(usize, &[u8])> {
    let before = bytes.get(..at)?;
    let end = before
        .iter()
        .rposition(|byte| !byte.is_ascii_whitespace())?
        + 1;
    let start = before
        .get(..end)?
        .iter()
        .rposition(|byte| !is_word(*byte))
        .map_or(0, |position| position + 1);
    let word = bytes.get(start..end).filter(|word| !word.is_empty())?;
    Some((start, word))
}

/// Whether the name at `start..end` is declared here: a type of its own, or a variable in its way.
pub(super) fn declares(language: Language, bytes: &[u8], start: usize, end: usize) -> bool {
    let Some((at, word)) = word_before(bytes, start) else {
        // `this.clock` in a constructor's parameters.
        return language == Language::Dart
            && bytes.get(start).is_some_and(u8::is_ascii_lowercase)
            && bytes
                .get(..start)
                .is_some_and(|before| before.ends_with(b"this."))
            && bytes
                .get(end)
                .is_some_and(|byte| matches!(byte, b',' | b')' | b'}'));
    };
    if matches!(
        word,
        b"class"
            | b"struct"
            | b"enum"
            | b"interface"
            | b"mixin"
            | b"typedef"
            | b"object"
            | b"union"
            | b"function"
            | b"func"
            | b"fun"
    ) {
        return true;
    }
    let type_alias = matches!(
        language,
        Language::Rust | Language::TypeScript | Language::Tsx
    );
    if word == b"type" && (type_alias || language == Language::Dart) {
        return true;
    }
    let lower = bytes.get(start).is_some_and(u8::is_ascii_lowercase);
    language == Language::Dart && lower && declares_variable(bytes, at, word, end)
}

/// `Clock clock,` and `final clock =`, but neither `return clock` nor `show clock`.
fn declares_variable(bytes: &[u8], at: usize, word: &[u8], end: usize) -> bool {
    let expression = matches!(
        word,
        b"return"
            | b"await"
            | b"yield"
            | b"in"
            | b"throw"
            | b"case"
            | b"else"
            | b"do"
            | b"is"
            | b"as"
            | b"show"
            | b"hide"
            | b"when"
            | b"new"
            | b"const"
            | b"import"
            | b"export"
            | b"library"
            | b"assert"
            | b"async"
            | b"sync"
    );
    let after = bytes.get(end..).unwrap_or_default();
    let next = after.iter().find(|byte| !byte.is_ascii_whitespace());
    let ends_declaration =
        next.is_some_and(|byte| matches!(byte, b'=' | b';' | b',' | b')' | b'}'));
    let getter = word == b"get";
    let typed = bytes
        .get(at)
        .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    !expression && typed && (ends_declaration || getter)
}

/// Whether what stands before the name with a joint lets it be the name that is meant.
pub(super) fn qualifier_allows(
    pattern: &Pattern,
    language: Language,
    text: &str,
    start: usize,
) -> bool {
    let qualifier = match qualifier(language, text.as_bytes(), start) {
        Qualifier::None => return true,
        Qualifier::Expression => return false,
        Qualifier::Names(names) => names,
    };
    match language {
        // Any path may lead to the type; one of the code's own is found by its declaration.
        Language::Rust => true,
        Language::Dart => prefix_uri(text, qualifier).is_some_and(|uri| {
            pattern.from.is_empty() || pattern.from.iter().any(|from| uri.starts_with(from))
        }),
        Language::Java | Language::Kotlin | Language::Swift => {
            let first = qualifier.split('.').next().unwrap_or(qualifier);
            pattern.from.iter().any(|from| from == first)
        }
        _ => pattern
            .from
            .iter()
            .any(|from| from.eq_ignore_ascii_case(qualifier)),
    }
}

/// What a joint before a name joins it to.
enum Qualifier<'a> {
    /// There is no joint.
    None,
    /// A chain of names.
    Names(&'a str),
    /// Anything else.
    Expression,
}

fn qualifier(language: Language, bytes: &[u8], start: usize) -> Qualifier<'_> {
    let joint = if language == Language::Rust {
        &b"::"[..]
    } else {
        b"."
    };
    let before = trim_end(bytes.get(..start).unwrap_or_default());
    let Some(head) = before.strip_suffix(joint) else {
        return Qualifier::None;
    };
    if head.ends_with(b"..") {
        // A spread: `...clock.now()`.
        return Qualifier::None;
    }
    let head = trim_end(head);
    let from = head
        .iter()
        .rposition(|byte| !(is_word(*byte) || *byte == b'.'))
        .map_or(0, |position| position + 1);
    let chain = head
        .get(from..)
        .and_then(|chain| std::str::from_utf8(chain).ok());
    match chain {
        Some(chain) if language == Language::Rust || !chain.is_empty() => Qualifier::Names(chain),
        _ => Qualifier::Expression,
    }
}

fn trim_end(bytes: &[u8]) -> &[u8] {
    let end = bytes
        .iter()
        .rposition(|byte| !byte.is_ascii_whitespace())
        .map_or(0, |at| at + 1);
    bytes.get(..end).unwrap_or_default()
}

/// The URI that a Dart file imports under this prefix.
fn prefix_uri<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    imports(text).find_map(|(uri, rest)| {
        let mut words = rest.split_whitespace();
        words.find(|word| *word == "as")?;
        (words.next()? == prefix).then_some(uri)
    })
}

/// A Dart file's imports: the URI and what follows it up to the semicolon.
fn imports(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.match_indices("import").filter_map(|(at, _)| {
        let begins_line = text.get(..at)?.trim_end_matches([' ', '\t']);
        if !(begins_line.is_empty() || begins_line.ends_with('\n')) {
            return None;
        }
        let rest = text.get(at + "import".len()..)?.trim_start();
        let quote = rest.chars().next().filter(|c| *c == '\'' || *c == '"')?;
        let (uri, rest) = rest.get(1..)?.split_once(quote)?;
        let (rest, _) = rest.split_once(';')?;
        Some((uri, rest))
    })
}

/// Whether this Dart file imports `name` under this prefix from one of these files of the tree.
pub(in crate::audit) fn imports_file(
    path: &str,
    text: &str,
    name: &str,
    files: &std::collections::BTreeSet<String>,
    prefix: Option<&str>,
) -> bool {
    imports(text).any(|(uri, rest)| {
        let listed = |combinator: &str| {
            let mut parts = rest.split_whitespace();
            parts.find(|word| *word == combinator)?;
            Some(parts.any(|word| word.trim_matches(',') == name))
        };
        let mut words = rest.split_whitespace();
        let alias = words.find(|word| *word == "as").and_then(|_| words.next());
        let shown = listed("show").unwrap_or(true) && !listed("hide").unwrap_or(false);
        shown
            && alias == prefix
            && target(path, uri).is_some_and(|target| match target {
                Target::Exact(file) => files.contains(&file),
                Target::Package(suffix) => files
                    .iter()
                    .any(|file| *file == suffix || file.ends_with(&format!("/{suffix}"))),
            })
    })
}

enum Target {
    Exact(String),
    Package(String),
}

fn target(path: &str, uri: &str) -> Option<Target> {
    if let Some(package) = uri.strip_prefix("package:") {
        let (_, inner) = package.split_once('/')?;
        return Some(Target::Package(format!("lib/{inner}")));
    }
    if uri.contains(':') {
        return None;
    }
    let mut parts = path.split('/').collect::<Vec<_>>();
    parts.pop();
    for part in uri.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(Target::Exact(parts.join("/")))
}
