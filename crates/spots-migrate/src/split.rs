//! Cuts a script into statements without understanding them.
//!
//! Quotes, comments, dollar quotes, trigger bodies and `BEGIN ATOMIC` bodies are followed, so that
//! a semicolon inside them ends nothing. Names the line of each statement, and what no server would
//! read: an open quote, a `psql` meta-command.

use crate::Dialect;

/// One statement of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Byte offset of its first token.
    pub start: usize,
    /// Byte offset after its last character, without the semicolon.
    pub end: usize,
    /// The line, from 1, of its first token.
    pub line: u32,
    /// Its first words, at most [`WORDS_MAX`], in upper case.
    pub words: Vec<String>,
}

impl Statement {
    /// Whether it begins with these words.
    pub fn begins(&self, words: &[&str]) -> bool {
        self.words.len() >= words.len() && self.words.iter().zip(words).all(|(a, b)| a == b)
    }
}

/// How many leading words a [`Statement`] keeps.
pub const WORDS_MAX: usize = 8;

/// Why a script cannot be cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitError {
    /// The line, from 1, where the trouble begins.
    pub line: u32,
    /// What is wrong, in lowercase.
    pub what: String,
}

/// Cuts a script into its statements; empty ones are left out.
///
/// # Errors
/// An open quote, comment or body, a `psql` meta-command, or inline `COPY` data.
pub fn split(text: &str, dialect: Dialect) -> Result<Vec<Statement>, SplitError> {
    let mut cutter = Cutter {
        bytes: text.as_bytes(),
        at: 0,
        line: 1,
        dialect,
        statements: Vec::new(),
        open: None,
        depth: 0,
        parens: 0,
    };
    while cutter.at < cutter.bytes.len() {
        cutter.token()?;
    }
    if cutter.depth > 0 {
        let line = cutter.open.as_ref().map_or(cutter.line, |open| open.line);
        return Err(SplitError {
            line,
            what: "the body that begins here has no END".to_owned(),
        });
    }
    cutter.close(text.len());
    Ok(cutter.statements)
}

struct Cutter<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u32,
    dialect: Dialect,
    statements: Vec<Statement>,
    open: Option<Statement>,
    /// Open `BEGIN … END` and `CASE … END` of a trigger or a standard function body.
    depth: u32,
    /// Open parentheses; rules have statements between theirs.
    parens: u32,
}

impl Cutter<'_> {
    fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn token(&mut self) -> Result<(), SplitError> {
        let byte = self.byte(0);
        match byte {
            b'\n' => self.step(),
            b' ' | b'\t' | b'\r' | 0x0c => self.at += 1,
            b'-' if self.byte(1) == b'-' => self.skip_line(),
            b'/' if self.byte(1) == b'*' => self.skip_comment()?,
            b';' if self.depth == 0 && self.parens == 0 => {
                self.refuse_copy_data()?;
                self.close(self.at);
                self.at += 1;
            }
            b'\\' => {
                return Err(error(
                    self.line,
                    "a psql meta-command, which no server reads",
                ));
            }
            _ => {
                self.begin();
                self.in_statement(byte)?;
            }
        }
        Ok(())
    }

    fn in_statement(&mut self, byte: u8) -> Result<(), SplitError> {
        match byte {
            b'\'' => self.quoted(b'\'', false)?,
            b'"' => self.quoted(b'"', false)?,
            b'`' if self.dialect == Dialect::Sqlite => self.quoted(b'`', false)?,
            b'[' if self.dialect == Dialect::Sqlite => self.quoted(b']', false)?,
            b'$' if self.dialect == Dialect::Postgres => self.dollar()?,
            b'$' if self.byte(1) == b'$' => {
                return Err(error(
                    self.line,
                    "a dollar quote, which SQLite does not have",
                ));
            }
            b'(' => {
                self.parens += 1;
                self.at += 1;
            }
            b')' => {
                self.parens = self.parens.saturating_sub(1);
                self.at += 1;
            }
            byte if is_word(byte) => self.word()?,
            _ => self.at += 1,
        }
        Ok(())
    }

    fn begin(&mut self) {
        if self.open.is_none() {
            self.open = Some(Statement {
                start: self.at,
                end: self.at,
                line: self.line,
                words: Vec::new(),
            });
        }
    }

    fn close(&mut self, end: usize) {
        self.parens = 0;
        if let Some(mut open) = self.open.take() {
            open.end = end;
            self.statements.push(open);
        }
    }

    fn step(&mut self) {
        if self.byte(0) == b'\n' {
            self.line += 1;
        }
        self.at += 1;
    }

    fn skip_line(&mut self) {
        while self.at < self.bytes.len() && self.byte(0) != b'\n' {
            self.at += 1;
        }
    }

    fn skip_comment(&mut self) -> Result<(), SplitError> {
        let line = self.line;
        let mut depth = 0_u32;
        loop {
            match (self.byte(0), self.byte(1)) {
                (b'*', b'/') => {
                    self.at += 2;
                    depth -= 1;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                // PostgreSQL's comments nest, SQLite's do not.
                (b'/', b'*') if depth == 0 || self.dialect == Dialect::Postgres => {
                    self.at += 2;
                    depth += 1;
                }
                _ if self.at >= self.bytes.len() => {
                    return Err(error(line, "the comment that begins here has no end"));
                }
                _ => self.step(),
            }
        }
    }

    fn quoted(&mut self, close: u8, backslashes: bool) -> Result<(), SplitError> {
        let line = self.line;
        self.at += 1;
        while self.at < self.bytes.len() {
            let byte = self.byte(0);
            if backslashes && byte == b'\\' {
                self.step();
                self.step();
            } else if byte != close {
                self.step();
            } else if self.byte(1) == close && close != b']' {
                self.at += 2;
            } else {
                self.at += 1;
                return Ok(());
            }
        }
        Err(error(line, "the quote that opens here is never closed"))
    }

    fn dollar(&mut self) -> Result<(), SplitError> {
        let line = self.line;
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let name = rest
            .iter()
            .skip(1)
            .take_while(|byte| is_word(**byte))
            .count();
        let begins_with_digit = rest.get(1).is_some_and(u8::is_ascii_digit);
        if begins_with_digit || rest.get(1 + name) != Some(&b'$') {
            self.at += 1;
            return Ok(());
        }
        let tag = rest.get(..name + 2).unwrap_or_default();
        let body = rest.get(tag.len()..).unwrap_or_default();
        let Some(end) = find(body, tag) else {
            return Err(error(
                line,
                "the dollar quote that opens here is never closed",
            ));
        };
        let stop = self.at + tag.len() + end + tag.len();
        while self.at < stop {
            self.step();
        }
        Ok(())
    }

    fn word(&mut self) -> Result<(), SplitError> {
        let from = self.at;
        while is_word(self.byte(0)) || self.byte(0) == b'$' {
            self.at += 1;
        }
        let word = self.bytes.get(from..self.at).unwrap_or_default();
        let escapes = self.dialect == Dialect::Postgres && word.eq_ignore_ascii_case(b"e");
        if escapes && self.byte(0) == b'\'' {
            return self.quoted(b'\'', true);
        }
        let Some(open) = self.open.as_mut() else {
            return Ok(());
        };
        if open.words.len() < WORDS_MAX {
            open.words
                .push(String::from_utf8_lossy(word).to_ascii_uppercase());
        }
        let body = is_trigger(open, self.dialect) || is_routine(open, self.dialect);
        if body {
            self.nest(word);
        }
        Ok(())
    }

    fn nest(&mut self, word: &[u8]) {
        if self.depth == 0 {
            let opens = match self.dialect {
                Dialect::Sqlite => word.eq_ignore_ascii_case(b"BEGIN"),
                Dialect::Postgres => word.eq_ignore_ascii_case(b"ATOMIC"),
            };
            self.depth += u32::from(opens);
        } else if word.eq_ignore_ascii_case(b"CASE") || word.eq_ignore_ascii_case(b"BEGIN") {
            self.depth += 1;
        } else if word.eq_ignore_ascii_case(b"END") {
            self.depth -= 1;
        }
    }

    fn refuse_copy_data(&self) -> Result<(), SplitError> {
        let Some(open) = &self.open else {
            return Ok(());
        };
        let text = self.bytes.get(open.start..self.at).unwrap_or_default();
        let inline = open.begins(&["COPY"])
            && text
                .to_ascii_uppercase()
                .split(u8::is_ascii_whitespace)
                .collect::<Vec<_>>()
                .windows(2)
                .any(|pair| pair == [b"FROM".as_slice(), b"STDIN".as_slice()]);
        if inline {
            let what = "COPY … FROM STDIN, whose data no migration can carry; use INSERT";
            return Err(error(open.line, what));
        }
        Ok(())
    }
}

fn error(line: u32, what: &str) -> SplitError {
    SplitError {
        line,
        what: what.to_owned(),
    }
}

fn is_trigger(open: &Statement, dialect: Dialect) -> bool {
    dialect == Dialect::Sqlite
        && open.begins(&["CREATE"])
        && open
            .words
            .iter()
            .skip(1)
            .take(2)
            .any(|word| word == "TRIGGER")
}

fn is_routine(open: &Statement, dialect: Dialect) -> bool {
    dialect == Dialect::Postgres
        && open.begins(&["CREATE"])
        && open
            .words
            .iter()
            .skip(1)
            .take(3)
            .any(|word| word == "FUNCTION" || word == "PROCEDURE")
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, dialect: Dialect) -> Vec<(u32, &str)> {
        split(text, dialect)
            .unwrap()
            .iter()
            .map(|statement| (statement.line, &text[statement.start..statement.end]))
            .collect()
    }

    #[test]
    fn semicolons_in_quotes_comments_and_bodies_end_nothing() {
        let text =
            "-- a;\nSELECT ';', \"a;b\", E'\\';', $x$ ; $$ ; $x$ /* ; /* ; */ ; */;\n;;\nSELECT 2";
        assert_eq!(
            cut(text, Dialect::Postgres),
            [
                (
                    2,
                    "SELECT ';', \"a;b\", E'\\';', $x$ ; $$ ; $x$ /* ; /* ; */ ; */"
                ),
                (4, "SELECT 2")
            ]
        );
    }

    #[test]
    fn a_trigger_ends_with_its_own_end() {
        let text = "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n UPDATE a SET b = CASE WHEN 1 THEN 2 END;\n SELECT 1;\nEND;\nSELECT 3;";
        let cut = cut(text, Dialect::Sqlite);
        assert_eq!(cut.len(), 2);
        assert_eq!(cut[1], (5, "SELECT 3"));
    }

    #[test]
    fn a_standard_body_ends_with_its_own_end() {
        let text = "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT 3;";
        assert_eq!(cut(text, Dialect::Postgres).len(), 2);
    }

    #[test]
    fn what_no_server_reads_is_named_with_its_line() {
        for (text, line, what) in [
            ("SELECT 1;\n\\connect x", 2, "meta-command"),
            ("\nSELECT 'a", 2, "quote"),
            ("\n\nDO $$ BEGIN", 3, "dollar"),
            ("/* a", 1, "comment"),
            ("COPY a FROM stdin;\n1\n\\.", 1, "COPY"),
        ] {
            let error = split(text, Dialect::Postgres).unwrap_err();
            assert_eq!(error.line, line, "{text}");
            assert!(error.what.contains(what), "{text}: {}", error.what);
        }
        for (text, line, what) in [
            ("SELECT 1;\n\\set x 1", 2, "meta-command"),
            ("SELECT 1;\n\nSELECT $$a$$", 3, "dollar quote"),
            ("SELECT '\\', \"$$\";\nSELECT 'a", 2, "quote that opens"),
        ] {
            let error = split(text, Dialect::Sqlite).unwrap_err();
            assert_eq!(error.line, line, "{text}");
            assert!(error.what.contains(what), "{text}: {}", error.what);
        }
    }
}
