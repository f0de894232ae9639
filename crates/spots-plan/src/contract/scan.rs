//! Names that a file declares, found without a parser, a few too many rather than one too few.
//!
//! A name in a comment or a string costs at most a needless parse; the grammar decides.

use std::collections::BTreeSet;

use crate::tree::Language;

/// Names after `class`, `mixin`, `enum` … in this text.
pub(super) fn declared(language: Language, text: &str) -> BTreeSet<&str> {
    let keywords: &[&str] = match language {
        Language::Dart => &["class", "mixin", "enum", "type", "typedef"],
        Language::Rust => &["struct", "trait", "enum", "type", "mod"],
        Language::TypeScript | Language::Tsx | Language::JavaScript => {
            &["class", "interface", "enum", "type"]
        }
        _ => &[],
    };
    let mut names: BTreeSet<&str> = keywords
        .iter()
        .flat_map(|keyword| names_after(text, keyword))
        .collect();
    if language == Language::Rust {
        let blocks = text.lines().filter(|line| line.starts_with("impl"));
        let words = blocks.flat_map(|line| line.split(|letter| !is_word(letter)));
        names.extend(words.filter(|word| word.starts_with(char::is_uppercase)));
    }
    names
}

fn names_after<'a>(text: &'a str, keyword: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(keyword).filter_map(move |(at, _)| {
        let before = text.get(..at)?.chars().next_back();
        if before.is_some_and(is_word) {
            return None;
        }
        let rest = text.get(at + keyword.len()..)?;
        let name = rest.trim_start();
        if name.len() == rest.len() {
            return None;
        }
        let end = name.find(|letter| !is_word(letter)).unwrap_or(name.len());
        name.get(..end).filter(|name| !name.is_empty())
    })
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || letter == '$'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_names_and_ignores_longer_words() {
        let text = "abstract class A {}\nclass\n  B<T> {}\nsubclass C\nbase mixin class D {}\n\
                    mixin E on A {}\nextension type F(int v) {}\nenum G { a }\nclassX Y";
        let names: Vec<&str> = declared(Language::Dart, text).into_iter().collect();
        assert_eq!(names, ["A", "B", "D", "E", "F", "G", "class"]);
    }
}
