//! A second counter, written another way, that must agree with the audit's lexers.
//!
//! Where there is a grammar it walks the syntax tree and never looks at bytes; elsewhere it masks
//! comments and strings character by character and searches what is left.

use std::fmt::Write as _;

use spots_plan::audit::config::Config;
use spots_plan::audit::lexer::spans;
use spots_plan::audit::scan::{Form, Scanner};
use spots_plan::tree::{Language, Tree};
use tree_sitter::{Node, Parser};

use crate::clock_audit::fixtures;

const CALLS: [&str; 27] = [
    "Temporal.Now.instant()",
    "process.hrtime.bigint()",
    "time::OffsetDateTime::now_local()",
    "DateTime.now()",
    "DateTime.timestamp()",
    "newDateTime.now()",
    "core.DateTime.now()",
    "clock.now()",
    "Timestamp.now()",
    "fs.Timestamp.now()",
    "SystemTime::now()",
    "std::time::SystemTime::now()",
    "Instant::now()",
    "Utc::now()",
    "chrono::Local::now()",
    "jiff::Zoned::now()",
    "jiff::Timestamp::now()",
    "time::OffsetDateTime::now_utc()",
    "Local::now()",
    "Date.now()",
    "newDate()",
    "newDate",
    "Date()",
    "window.Date.now()",
    "newglobalThis.Date()",
    "performance.now()",
    "Timestamp::now()",
];

/// The text of a node without white space and comments.
fn bare(node: Node<'_>, text: &str) -> String {
    if node.child_count() == 0 {
        return if node.is_extra() {
            String::new()
        } else {
            text[node.byte_range()].trim().to_owned()
        };
    }
    let mut cursor = node.walk();
    node.children(&mut cursor)
        .filter(|child| !child.is_extra())
        .map(|c| bare(c, text))
        .collect()
}

fn count_nodes(node: Node<'_>, text: &str) -> usize {
    let mut cursor = node.walk();
    let children = node.children(&mut cursor).collect::<Vec<_>>();
    let called = ["call_expression", "new_expression"].contains(&node.kind());
    let own = called && CALLS.contains(&bare(node, text).as_str());
    // A macro's tokens: `Utc`, `::`, `now`, `()`.
    let tokens = if node.kind() == "token_tree" {
        let words = children
            .iter()
            .map(|child| bare(*child, text))
            .collect::<Vec<_>>();
        words
            .windows(4)
            .filter(|four| CALLS.contains(&four.concat().as_str()))
            .count()
    } else {
        0
    };
    usize::from(own)
        + tokens
        + children
            .iter()
            .map(|child| count_nodes(*child, text))
            .sum::<usize>()
}

fn parsed(language: Language, text: &str) -> usize {
    let mut parser = Parser::new();
    parser.set_language(&language.grammar().unwrap()).unwrap();
    count_nodes(parser.parse(text, None).unwrap().root_node(), text)
}

/// Comments and strings as blanks, one character after the other.
fn masked(language: Language, text: &str) -> String {
    let chars = text.chars().collect::<Vec<_>>();
    let mut out = String::new();
    mask(language, &chars, &mut 0, None, &mut out);
    out
}

fn mask(
    language: Language,
    chars: &[char],
    at: &mut usize,
    closer: Option<char>,
    out: &mut String,
) {
    let looks = |at: usize, what: &str| {
        what.chars()
            .enumerate()
            .all(|(i, c)| chars.get(at + i) == Some(&c))
    };
    let nests = language != Language::Java;
    let mut open = 0;
    while let Some(c) = chars.get(*at).copied() {
        let line = if language == Language::Sql {
            "--"
        } else {
            "//"
        };
        if looks(*at, line) {
            while chars.get(*at).is_some_and(|c| *c != '\n') {
                *at += 1;
            }
        } else if looks(*at, "/*") {
            let mut depth = 1;
            *at += 2;
            while depth > 0 && *at < chars.len() {
                if looks(*at, "*/") {
                    depth -= 1;
                    *at += 2;
                } else if nests && looks(*at, "/*") {
                    depth += 1;
                    *at += 2;
                } else {
                    *at += 1;
                }
            }
        } else if language == Language::Sql && looks(*at, "$note$") {
            *at += 6;
            while !looks(*at, "$note$") {
                *at += 1;
            }
            *at += 6;
        } else if c == '"' || c == '\'' || (c == '#' && looks(*at, "#\"")) {
            string(language, chars, at, out);
        } else {
            if Some(c) == closer && open == 0 {
                return;
            }
            open += i32::from(closer == Some('}') && c == '{' || closer == Some(')') && c == '(');
            open -= i32::from(Some(c) == closer);
            out.push(c);
            *at += 1;
        }
    }
}

fn string(language: Language, chars: &[char], at: &mut usize, out: &mut String) {
    let looks = |at: usize, what: &str| {
        what.chars()
            .enumerate()
            .all(|(i, c)| chars.get(at + i) == Some(&c))
    };
    let hash = chars[*at] == '#';
    *at += usize::from(hash);
    let quote = chars[*at].to_string();
    let quote = if looks(*at, &quote.repeat(3)) && quote == "\"" {
        quote.repeat(3)
    } else {
        quote
    };
    let escape_string = *at > 0 && chars[*at - 1] == 'E';
    *at += quote.len();
    let hole = match language {
        Language::Kotlin => "${",
        Language::Swift if hash => "\\#(",
        Language::Swift => "\\(",
        _ => "\0",
    };
    let raw = hash || (language == Language::Kotlin && quote.len() == 3);
    let escapes = !raw && (language != Language::Sql || escape_string);
    let end = if hash {
        format!("{quote}#")
    } else {
        quote.clone()
    };
    while !looks(*at, &end) {
        if looks(*at, hole) {
            *at += hole.len();
            out.push(' ');
            mask(
                language,
                chars,
                at,
                Some(if hole == "${" { '}' } else { ')' }),
                out,
            );
            *at += 1;
        } else {
            *at += if escapes && chars[*at] == '\\' { 2 } else { 1 };
        }
    }
    *at += end.len();
    if language == Language::Sql && looks(*at, &quote) {
        // A doubled quote: the string goes on.
        string(language, chars, at, out);
    }
    out.push(' ');
}

fn searched(language: Language, text: &str) -> usize {
    let masked = masked(language, text);
    let masked = if language == Language::Sql {
        masked.to_lowercase()
    } else {
        masked
    };
    let calls: &[&str] = match language {
        Language::Sql => &[
            "now()",
            "current_timestamp",
            "clock_timestamp()",
            "localtime,",
            "localtimestamp(3)",
        ],
        Language::Swift => &["Date()", "Date.now", "DispatchTime.now()"],
        Language::Kotlin => &[
            "System.currentTimeMillis()",
            "System.nanoTime()",
            "Instant.now()",
            "Clock.System.now()",
            "LocalTime.now()",
        ],
        _ => &[
            "System.currentTimeMillis()",
            "System.nanoTime()",
            "Instant.now()",
            "new Date()",
            "Calendar.getInstance()",
        ],
    };
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let found = calls.iter().flat_map(|call| masked.match_indices(call));
    found
        .filter(|(at, _)| {
            let before = &masked[..*at];
            let known = ["java.time.", "pg_catalog."]
                .iter()
                .any(|known| before.ends_with(known));
            known || !before.ends_with(|c| word(c) || c == '.')
        })
        .count()
}

fn lexed(scanner: &Scanner, language: Language, text: &str) -> usize {
    let scan = scanner.scan(language, text);
    scan.hits
        .iter()
        .filter(|hit| hit.region.is_none() && hit.form == Form::Call)
        .count()
}

#[test]
fn both_counters_agree_on_every_fixture() {
    let config = Config::load(&fixtures()).unwrap();
    let scanner = Scanner::new(&config.patterns);
    let mut compared = 0;
    for folder in ["dart", "rust", "script", "sql", "swift", "jvm"] {
        let tree = Tree::walk(&fixtures().join(folder), &Language::ALL).unwrap();
        // In these the names are the file's own: neither counter's syntax can tell.
        for file in tree
            .files()
            .iter()
            .filter(|f| !f.path.starts_with("own") && f.path != "injected.dart")
        {
            let text = tree.read(file).unwrap();
            let second = if file.language.grammar().is_some() {
                parsed(file.language, &text)
            } else {
                searched(file.language, &text)
            };
            assert_eq!(
                lexed(&scanner, file.language, &text),
                second,
                "{folder}/{}",
                file.path
            );
            compared += second;
        }
    }
    assert!(compared > 60, "{compared}");
}

/// A small generator: the same tree in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        // xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators".
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let value = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(value).unwrap() % sides
    }
}

/// Pieces of a member's body, each with the reads it holds.
const DART: [(&str, usize); 12] = [
    ("final a = DateTime.now();", 1),
    ("// DateTime.now()\n", 0),
    ("/* DateTime.now() /* DateTime.now() */ */", 0),
    ("print('DateTime.now() ${DateTime.now()}');", 1),
    ("print(r'${DateTime.now()}');", 0),
    ("print('''a\n${DateTime.now()} DateTime.now()\n''');", 1),
    (
        "var m = <String, List<DateTime>>{'a': [DateTime.timestamp()]};",
        1,
    ),
    ("final s = \"it's ${'${DateTime.now()}'}\";", 1),
    ("final t = new DateTime\n  .now();", 1),
    (
        "save(MyDateTime.now(), DateTime.parse(x), DateTime(2025));",
        0,
    ),
    ("final u = '\\${DateTime.now()} \\'DateTime.now()';", 0),
    ("if (a < b && c > d) { at = DateTime.now().toUtc(); }", 1),
];

const RUST: [(&str, usize); 8] = [
    ("let a = SystemTime::now();", 1),
    ("// SystemTime::now()\n", 0),
    ("/* Utc::now() /* Utc::now() */ Utc::now() */", 0),
    ("println!(\"Utc::now() {:?}\", Utc::now());", 1),
    ("let r = r#\"Instant::now() \" \"#;", 0),
    ("let c = '\"'; let b = Instant::now();", 1),
    (
        "let d: &'static str = \"\"; let e = std::time::SystemTime\n::now();",
        1,
    ),
    ("let f = my_Utc::nowish();", 0),
];

const SCRIPT: [(&str, usize); 8] = [
    ("const a = Date.now();", 1),
    ("// new Date()\n", 0),
    (
        "const t = `Date.now() ${Date.now()} ${`${new Date()}`}`;",
        2,
    ),
    ("const r = /\"Date.now()/.test('Date.now()');", 0),
    ("const d = new Date(0), e = new Date();", 1),
    ("const f = a / Date.now() / 2;", 1),
    ("/* Date.now() /* */ const g = performance.now();", 1),
    ("const h = my.Date.now();", 0),
];

#[test]
fn both_counters_agree_on_a_generated_tree_of_2000_files() {
    let dir = tempfile::tempdir().unwrap();
    let mut dice = Dice(0x5eed_0c10_c0de);
    let mut truth = 0;
    for number in 0..2_000 {
        let (pieces, head, end): (&[(&str, usize)], _, _) = match number % 4 {
            0 | 1 => (&DART, "class C { void m() {\n", "dart"),
            2 => (&RUST, "mod m { fn f() {\n", "rs"),
            _ => (&SCRIPT, "class C { m() {\n", "ts"),
        };
        let mut text = head.to_owned();
        for _ in 0..dice.roll(30) {
            let (piece, reads) = pieces[dice.roll(pieces.len())];
            truth += reads;
            writeln!(text, "  {{ {piece}\n }}").unwrap();
        }
        text.push_str("} }\n");
        let folder = dir.path().join(format!("d{}", number % 17));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("f{number}.{end}")), text).unwrap();
    }
    let config = Config::load(dir.path()).unwrap();
    let scanner = Scanner::new(&config.patterns);
    let tree = Tree::walk(dir.path(), &Language::ALL).unwrap();
    assert_eq!(tree.files().len(), 2_000);
    let visited = tree.visit(|file, text| {
        (
            lexed(&scanner, file.language, text),
            parsed(file.language, text),
        )
    });
    let mut sums = (0, 0);
    for (file, (lexed, parsed)) in &visited.items {
        assert_eq!(lexed, parsed, "{}", file.path);
        sums = (sums.0 + lexed, sums.1 + parsed);
    }
    assert_eq!(sums, (truth, truth));
    assert!(truth > 10_000, "{truth}");
}

/// What opens, closes or escapes something in one of the languages.
pub(crate) const SHARDS: &[&str] = &[
    "'",
    "\"",
    "`",
    "'''",
    "\"\"\"",
    "${",
    "$a",
    "\\(",
    "\\#(",
    "}",
    ")",
    "{",
    "(",
    "/*",
    "*/",
    "//",
    "--",
    "\n",
    "\\",
    "r",
    "r#",
    "#",
    "$$",
    "$t$",
    "AS ",
    "E'",
    "é",
    "😀",
    "DateTime.now()",
    "Date.now()",
    "now()",
    "SystemTime::now()",
    " ",
    "/",
    "[",
    "]",
    "'a",
    "b'",
    "\r",
];

#[test]
fn lexers_neither_panic_nor_leave_character_boundaries() {
    let mut dice = Dice(0xfeed_face);
    let config = Config::parse("", std::path::Path::new("plan/clock.toml")).unwrap();
    let scanner = Scanner::new(&config.patterns);
    for round in 0..4_000 {
        let text = (0..dice.roll(40))
            .map(|_| SHARDS[dice.roll(SHARDS.len())])
            .collect::<String>();
        for language in Language::ALL {
            let mut last = 0;
            for span in spans(language, &text, text.len()) {
                assert!(
                    span.start >= last && span.end > span.start,
                    "{round} {language:?} {text:?}"
                );
                assert!(
                    text.get(span.start..span.end).is_some(),
                    "{round} {language:?} {text:?}"
                );
                last = span.end;
            }
            for hit in scanner.scan(language, &text).hits {
                assert!(
                    text.get(hit.start..hit.end).is_some(),
                    "{round} {language:?} {text:?}"
                );
            }
        }
    }
}
