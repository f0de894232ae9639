//! Cuts a PL/pgSQL body into the SQL that it holds, as far as it can be read without running it.
//!
//! Control words are cut away, and expressions become queries (`IF x THEN` → `SELECT x`), so that
//! the SQL parser can read each part. SQL that is put together at run time (`EXECUTE`) stays unseen.

use crate::Dialect;
use crate::split::split;

/// A part of a body that is SQL.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) sql: String,
    /// Where it begins in the body.
    pub(super) at: usize,
}

/// Words that end one part and begin another.
const BREAKS: &[&str] = &["begin", "then", "else", "loop", "declare"];

/// Words after which an expression follows.
const EXPRESSIONS: &[&str] = &[
    "if", "elsif", "elseif", "while", "when", "return", "perform",
];

/// Words that begin a statement of SQL.
const STATEMENTS: &[&str] = &[
    "select", "insert", "update", "delete", "with", "merge", "create", "alter", "drop", "truncate",
    "grant", "revoke", "comment", "refresh", "lock", "copy", "call", "values",
];

pub(super) fn plpgsql_parts(body: &str) -> Vec<Part> {
    let Ok(statements) = split(body, Dialect::Postgres) else {
        return Vec::new();
    };
    statements
        .iter()
        .flat_map(|statement| {
            let text = body.get(statement.start..statement.end).unwrap_or_default();
            parts(text, statement.start)
        })
        .collect()
}

fn parts(text: &str, base: usize) -> Vec<Part> {
    let mut out = Vec::new();
    let words = words(text);
    let mut from = 0;
    for (at, word) in &words {
        let end = at + word.len();
        if *at >= from && BREAKS.contains(&word.as_str()) && !in_case(text, *at) {
            push(&mut out, text, (from, *at), base);
            from = end;
        }
    }
    push(&mut out, text, (from, text.len()), base);
    out
}

/// Whether THEN and ELSE at this place belong to a CASE expression.
fn in_case(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    let mut open = 0_i32;
    for (_, word) in words(before) {
        match word.as_str() {
            "case" => open += 1,
            "end" => open -= 1,
            _ => {}
        }
    }
    open > 0
}

fn push(out: &mut Vec<Part>, text: &str, (from, to): (usize, usize), base: usize) {
    let Some(slice) = text.get(from..to) else {
        return;
    };
    let code = code_start(slice);
    let mut at = from + code;
    let mut rest = slice.get(code..).unwrap_or_default().trim_end();
    let first = |rest: &str| words(rest).into_iter().next().map(|(_, word)| word);
    // FOR row IN query LOOP: the query.
    if first(rest).is_some_and(|word| word == "for" || word == "foreach") {
        let Some((offset, word)) = words(rest).into_iter().find(|(_, word)| word == "in") else {
            return;
        };
        at += offset + word.len();
        rest = rest.get(offset + word.len()..).unwrap_or_default();
    }
    let skip = if rest.to_lowercase().starts_with("return query") {
        "return query".len()
    } else {
        0
    };
    at += skip;
    rest = rest.get(skip..).unwrap_or_default();
    let Some(word) = first(rest) else {
        return;
    };
    if STATEMENTS.contains(&word.as_str()) {
        out.push(Part {
            sql: without_into(rest),
            at: base + at,
        });
        return;
    }
    let cut = if EXPRESSIONS.contains(&word.as_str()) {
        Some(word.len())
    } else {
        assigned(rest)
    };
    if let Some(cut) = cut {
        // The word SELECT takes the place of what was cut away, so that offsets stay close.
        out.push(Part {
            sql: format!(
                "SELECT {}",
                rest.get(cut..).unwrap_or_default().trim_start()
            ),
            at: base + at,
        });
    }
}

/// Where the expression begins that a variable gets: after `:=`, a plain `=`, or DEFAULT.
fn assigned(text: &str) -> Option<usize> {
    let target = |sign: char| sign.is_alphanumeric() || "_.\"[]".contains(sign);
    let after = text.trim_start_matches(target).trim_start();
    let plain = after.starts_with('=').then(|| text.len() - after.len() + 1);
    let default = || {
        let (at, word) = words(text)
            .into_iter()
            .find(|(_, word)| word == "default")?;
        Some(at + word.len())
    };
    let colon = || text.find(":=").map(|at| at + 2);
    plain.or_else(colon).or_else(default)
}

/// Where the first word stands, after blanks and comments.
fn code_start(text: &str) -> usize {
    let mut rest = text.trim_start();
    loop {
        let end = if rest.starts_with("--") {
            rest.find('\n')
        } else if rest.starts_with("/*") {
            rest.find("*/").map(|at| at + 2)
        } else {
            break;
        };
        rest = rest.get(end.unwrap_or(rest.len())..).unwrap_or_default();
        rest = rest.trim_start();
    }
    text.len() - rest.len()
}

/// `SELECT a INTO b FROM c` fills a variable, which no parser of SQL knows.
fn without_into(sql: &str) -> String {
    let words = words(sql);
    let begins = |word: &str| words.first().is_some_and(|(_, first)| first == word);
    if !(begins("select") || begins("with")) {
        return sql.to_owned();
    }
    let Some(position) = words.iter().position(|(_, word)| word == "into") else {
        return sql.to_owned();
    };
    let before = position.checked_sub(1).and_then(|before| words.get(before));
    if before.is_some_and(|(_, word)| word == "insert" || word == "merge") {
        return sql.to_owned();
    }
    let from = words.get(position).map_or(0, |(at, _)| *at);
    let to = words
        .iter()
        .skip(position + 1)
        .find(|(_, word)| {
            ["from", "where", "group", "order", "limit", "for", "union"].contains(&word.as_str())
        })
        .map_or(sql.len(), |(at, _)| *at);
    let blank = " ".repeat(to - from);
    let before = sql.get(..from).unwrap_or_default();
    let after = sql.get(to..).unwrap_or_default();
    format!("{before}{blank}{after}")
}

/// Words with their offsets, in lower case, outside quotes and comments.
fn words(text: &str) -> Vec<(usize, String)> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let next = bytes.get(at + 1);
        if *byte == b'\'' || *byte == b'"' {
            let close = bytes.iter().skip(at + 1).position(|other| other == byte);
            at = close.map_or(bytes.len(), |close| at + close + 2);
        } else if *byte == b'-' && next == Some(&b'-') {
            let line = bytes.iter().skip(at).position(|other| *other == b'\n');
            at = line.map_or(bytes.len(), |line| at + line);
        } else if *byte == b'/' && next == Some(&b'*') {
            let rest = bytes.get(at + 2..).unwrap_or_default();
            let end = rest.windows(2).position(|pair| pair == b"*/");
            at = end.map_or(bytes.len(), |end| at + end + 4);
        } else if byte.is_ascii_alphabetic() || *byte == b'_' {
            let rest = bytes.get(at..).unwrap_or_default();
            let len = rest
                .iter()
                .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                .count();
            let word = rest.get(..len).unwrap_or_default();
            out.push((at, String::from_utf8_lossy(word).to_lowercase()));
            at += len;
        } else {
            at += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql(body: &str) -> Vec<String> {
        plpgsql_parts(body)
            .into_iter()
            .map(|part| part.sql.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect()
    }

    #[test]
    fn statements_and_expressions_are_cut_out_of_control_words() {
        assert_eq!(
            sql("DECLARE n int; BEGIN
                 SELECT count(*) INTO n FROM a WHERE x = 1;
                 IF EXISTS (SELECT 1 FROM b) THEN INSERT INTO c VALUES (1); ELSE DELETE FROM d; END IF;
                 FOR r IN SELECT * FROM e LOOP UPDATE f SET x = CASE WHEN true THEN 1 ELSE 2 END; END LOOP;
                 n := (SELECT max(i) FROM g); RETURN QUERY SELECT 1 FROM h; RETURN NEW; END"),
            [
                "SELECT count(*) FROM a WHERE x = 1",
                "SELECT EXISTS (SELECT 1 FROM b)",
                "INSERT INTO c VALUES (1)",
                "DELETE FROM d",
                "SELECT * FROM e",
                "UPDATE f SET x = CASE WHEN true THEN 1 ELSE 2 END",
                "SELECT (SELECT max(i) FROM g)",
                "SELECT 1 FROM h",
                "SELECT NEW"
            ]
        );
    }

    #[test]
    fn assignments_and_comments_hide_nothing_and_add_nothing() {
        assert_eq!(
            sql("DECLARE n int DEFAULT (SELECT 1 FROM a); BEGIN
                 NEW.name = (SELECT name FROM b WHERE id = NEW.id);
                 IF current_user = 'x' THEN
                     -- fields that nobody may update themselves, or select from nowhere
                     /* nor insert into nowhere */
                     if EXISTS (SELECT 1 FROM c) THEN RAISE EXCEPTION 'update nowhere'; END IF;
                 END IF;
                 PERFORM f(x := (SELECT 1 FROM d)); END"),
            [
                "SELECT (SELECT 1 FROM a)",
                "SELECT (SELECT name FROM b WHERE id = NEW.id)",
                "SELECT current_user = 'x'",
                "SELECT EXISTS (SELECT 1 FROM c)",
                "SELECT f(x := (SELECT 1 FROM d))",
            ]
        );
    }
}
