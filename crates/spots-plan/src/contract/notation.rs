//! One way to write a type, a default or parameters, whatever the source's layout.

use super::model::{Param, Passing};

/// Canonical form: one space between words, none inside brackets, no comments, no trailing comma.
pub(super) fn canonical(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(token) = next_token(&mut rest) {
        push(&mut out, token);
    }
    out
}

fn push(out: &mut String, token: &str) {
    let word = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '$';
    let last = out.chars().next_back();
    let first = token.chars().next().unwrap_or(' ');
    if matches!(token, ")" | "]" | "}" | ">") && matches!(last, Some(',' | ';')) {
        out.pop();
    }
    let last_word = last.is_some_and(word);
    let after_type = matches!(last, Some('>' | '?' | ')' | ']' | '}'));
    let first_word = word(first);
    let space = last == Some(',')
        || ((last_word || after_type) && (first_word || first == '\''))
        || (last_word && first == '{' && out.ends_with("required"))
        || token == "="
        || token == "|"
        || out.ends_with(" |")
        || token == "=>"
        || out.ends_with(" =")
        || out.ends_with("=>");
    if space && !out.is_empty() && !matches!(token, ")" | "]" | "}" | ">" | ",") {
        out.push(' ');
    }
    out.push_str(token);
}

/// Cuts the next token off: a word, a string, or one sign; skips white space and comments.
fn next_token<'a>(rest: &mut &'a str) -> Option<&'a str> {
    loop {
        *rest = rest.trim_start();
        if rest.starts_with("//") {
            *rest = rest
                .find('\n')
                .map_or("", |end| rest.get(end..).unwrap_or(""));
        } else if rest.starts_with("/*") {
            *rest = rest
                .find("*/")
                .map_or("", |end| rest.get(end + 2..).unwrap_or(""));
        } else {
            break;
        }
    }
    let first = rest.chars().next()?;
    let length = match first {
        '\'' | '"' => string_length(rest, first),
        '=' if rest.starts_with("=>") => 2,
        '-' if rest.starts_with("->") => 2,
        letter if letter.is_alphanumeric() || letter == '_' || letter == '$' => rest
            .find(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == '$'))
            .unwrap_or(rest.len()),
        letter => letter.len_utf8(),
    };
    let (token, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(token)
}

/// Length of a string literal in bytes with its quotes; to the end when it is not closed.
fn string_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if letter == '\\' {
            escaped = true;
        } else if letter == quote {
            return at + letter.len_utf8();
        }
    }
    text.len()
}

/// Splits at `separator` outside of brackets and strings; parts are trimmed, empty ones dropped.
pub(super) fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, letter, depth) in signs(text) {
        let arrow = || text.get(at..).is_some_and(|rest| rest.starts_with("=>"));
        if letter == separator && depth == 0 && !arrow() {
            parts.push(text.get(start..at).unwrap_or("").trim());
            start = at + letter.len_utf8();
        }
    }
    parts.push(text.get(start..).unwrap_or("").trim());
    parts.retain(|part| !part.is_empty());
    parts
}

/// Where the bracket closes that the text begins with.
pub(super) fn closing(text: &str) -> Option<usize> {
    let mut signs = signs(text);
    signs
        .find(|(_, _, depth)| *depth == 0)
        .map(|(at, ..)| at)
        .filter(|at| *at > 0)
}

/// Letters outside of strings, with their place and how many brackets are open after them.
fn signs(text: &str) -> impl Iterator<Item = (usize, char, i32)> {
    let mut skip_to = 0;
    let mut depth = 0_i32;
    let mut last = ' ';
    text.char_indices().filter_map(move |(at, letter)| {
        if at < skip_to {
            return None;
        }
        match letter {
            '\'' | '"' => {
                skip_to = at + string_length(text.get(at..).unwrap_or(""), letter);
            }
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            '>' if last != '=' && last != '-' => depth -= 1,
            _ => {}
        }
        last = letter;
        Some((at, letter, depth))
    })
}

/// Parameters as every notation groups them: `a, [b = 1], {required c}`.
pub(super) fn grouped(params: &[Param], write: impl Fn(&Param) -> String) -> String {
    let group = |passing: Passing, required: Option<bool>| -> String {
        let fits = |param: &&Param| {
            param.passing == passing && required.is_none_or(|required| param.required == required)
        };
        let parts: Vec<String> = params.iter().filter(fits).map(&write).collect();
        parts.join(", ")
    };
    let bracket = |open: &str, inner: String, close: &str| {
        if inner.is_empty() {
            inner
        } else {
            format!("{open}{inner}{close}")
        }
    };
    let mut parts = vec![
        group(Passing::Positional, Some(true)),
        bracket("[", group(Passing::Positional, Some(false)), "]"),
        bracket("{", group(Passing::Named, None), "}"),
    ];
    parts.retain(|part| !part.is_empty());
    parts.join(", ")
}

/// What stands before a parameter, and its default after it.
pub(super) fn around(param: &Param) -> (&'static str, String) {
    let required = if param.required && param.passing == Passing::Named {
        "required "
    } else {
        ""
    };
    let default = param.default.as_ref();
    let default = default.map_or(String::new(), |value| format!(" = {value}"));
    (required, default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_does_not_matter() {
        assert_eq!(
            canonical("Map< String ,List<int>, >"),
            "Map<String, List<int>>"
        );
        assert_eq!(
            canonical("void  Function( String x )?"),
            "void Function(String x)?"
        );
        assert_eq!(canonical("(int,{String a,})"), "(int, {String a})");
        assert_eq!(canonical("T extends\n  Object"), "T extends Object");
        assert_eq!(canonical("'a  b' // c"), "'a  b'");
        assert_eq!(
            canonical("{ a: string; b: B; }"),
            canonical("{a:string;b:B}")
        );
        assert_eq!(
            canonical("const Duration(seconds : 3)"),
            "const Duration(seconds:3)"
        );
    }

    #[test]
    fn a_bracket_closes_outside_of_strings_and_arrows() {
        let inner = |text: &'static str| closing(text).and_then(|at| text.get(1..at));
        assert_eq!(
            inner("(a: A<B> = ')', f: () => C): D"),
            Some("a: A<B> = ')', f: () => C")
        );
        assert_eq!(
            inner("<T extends () => void>(a)"),
            Some("T extends () => void")
        );
        assert_eq!(inner("()"), Some(""));
        assert_eq!(inner("(a"), None);
        assert_eq!(inner("a)"), None);
        assert_eq!(inner(""), None);
    }

    #[test]
    fn splits_outside_of_brackets_and_strings() {
        assert_eq!(
            split("a: Map<A, B>, b: 'x, y', {c, d}", ','),
            ["a: Map<A, B>", "b: 'x, y'", "{c, d}"]
        );
        assert_eq!(split("f: A -> B, c", ','), ["f: A -> B", "c"]);
        assert_eq!(
            split("a: I<Item = F> = (b) => c", '='),
            ["a: I<Item = F>", "(b) => c"]
        );
    }
}
