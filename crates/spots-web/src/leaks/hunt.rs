//! Searches bytes for secrets in every form in which they may have been written.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use aho_corasick::{AhoCorasick, BuildError};
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Shorter pieces of base64 say nothing: they occur by chance.
const PIECE_MIN: usize = 8;
/// Bytes of a file that are searched at once.
const BLOCK: usize = 1 << 20;

/// A character, and each way in which it may be written.
type Ways = (char, &'static [&'static str]);
/// What HTML must escape and what it may, by name and by number; `&` is in the other escapes, so
/// it comes first.
const HTML: [Ways; 5] = [
    ('&', &["&amp;", "&#38;"]),
    ('<', &["&lt;", "&#60;"]),
    ('>', &["&gt;", "&#62;", ">"]),
    ('"', &["&quot;", "&#34;", "\""]),
    ('\'', &["&#39;", "&#x27;", "&apos;", "'"]),
];
/// What JSON must escape, and what it may where it stands inside HTML; the log escapes so too.
const JSON: [Ways; 7] = [
    ('\\', &["\\\\"]),
    ('"', &["\\\"", "\\u0022", "\""]),
    ('\n', &["\\n", "\\u000a"]),
    ('&', &["&", "\\u0026"]),
    ('<', &["<", "\\u003c"]),
    ('>', &[">", "\\u003e"]),
    ('\'', &["'", "\\u0027"]),
];
/// What SQL, CSV and the rows of PostgreSQL write twice.
const DOUBLED: [Ways; 2] = [('"', &["\"\"", "\""]), ('\'', &["''", "'"])];

/// Something that must not come out.
#[derive(Clone)]
pub struct Secret {
    /// What it is, for people.
    pub what: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Secret {
    /// A secret that is text.
    pub fn text(what: &'static str, text: &str) -> Self {
        Self {
            what,
            bytes: text.as_bytes().to_vec(),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.what)
    }
}

/// A secret that came out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leak {
    /// What it is.
    pub what: &'static str,
    /// How it was written.
    pub form: &'static str,
    /// Where it was found.
    pub place: String,
    /// The byte at which it begins there.
    pub at: usize,
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            form,
            place,
            at,
        } = self;
        write!(f, "{place}, byte {at}: {what}, {form}")
    }
}

/// Finds any of a set of secrets in one pass, whatever the case of its letters.
#[derive(Debug)]
pub struct Hunt {
    needles: AhoCorasick,
    found: Vec<(&'static str, &'static str)>,
    longest: usize,
}

impl Hunt {
    /// Prepares the search.
    pub fn new(secrets: &[Secret]) -> Result<Self, BuildError> {
        let (mut patterns, mut found) = (Vec::new(), Vec::new());
        for secret in secrets {
            for (form, pattern) in forms(&secret.bytes) {
                patterns.push(pattern);
                found.push((secret.what, form));
            }
        }
        let longest = patterns.iter().map(Vec::len).max().unwrap_or_default();
        let needles = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(patterns)?;
        Ok(Self {
            needles,
            found,
            longest,
        })
    }

    /// Every secret in these bytes.
    pub fn search(&self, place: &str, bytes: &[u8]) -> Vec<Leak> {
        let leak = |found: aho_corasick::Match| {
            let (what, form) = *self.found.get(found.pattern().as_usize())?;
            Some(Leak {
                what,
                form,
                place: place.to_owned(),
                at: found.start(),
            })
        };
        self.needles
            .find_overlapping_iter(bytes)
            .filter_map(leak)
            .collect()
    }

    /// Every secret in a file, however large it is.
    pub fn search_file(&self, path: &Path) -> io::Result<Vec<Leak>> {
        let place = path.display().to_string();
        let mut file = File::open(path)?;
        let (mut leaks, mut kept, mut before) = (Vec::new(), Vec::new(), 0);
        loop {
            let read = file.by_ref().take(BLOCK as u64).read_to_end(&mut kept)?;
            let found = self.search(&place, &kept);
            leaks.extend(found.into_iter().map(|leak| Leak {
                at: leak.at + before,
                ..leak
            }));
            if read == 0 {
                break;
            }
            // What may be the beginning of a secret stays for the next round.
            let done = kept.len().saturating_sub(self.longest.saturating_sub(1));
            kept.drain(..done);
            before += done;
        }
        leaks.sort();
        leaks.dedup();
        Ok(leaks)
    }

    /// Every secret in the files of a folder and of those in it.
    pub fn search_folder(&self, folder: &Path) -> io::Result<Vec<Leak>> {
        let (mut folders, mut leaks) = (vec![folder.to_owned()], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let (path, kind) =
                    entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))?;
                if kind.is_dir() {
                    folders.push(path);
                } else if kind.is_file() {
                    match self.search_file(&path) {
                        Ok(found) => leaks.extend(found),
                        // A database removes files while it runs.
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        Ok(leaks)
    }
}

/// How a secret may be written: as it is, hexadecimal, base64 at each of three offsets in both
/// alphabets, percent-encoded, quoted-printable, with doubled quotes, and as HTML, JSON or UTF-16 write it.
pub fn forms(secret: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms = vec![("as it is", secret.to_vec()), ("hexadecimal", hex(secret))];
    for offset in 0..3 {
        forms.push(("base64", base64(&STANDARD_NO_PAD, secret, offset)));
        forms.push(("base64url", base64(&URL_SAFE_NO_PAD, secret, offset)));
    }
    if let Ok(text) = std::str::from_utf8(secret) {
        forms.push(("lower case", text.to_lowercase().into_bytes()));
        forms.push(("upper case", text.to_uppercase().into_bytes()));
        forms.push(("percent-encoded", percent(text, "%20")));
        forms.push(("form-encoded", percent(text, "+")));
        forms.push(("quoted-printable", quoted(text)));
        forms.extend(spelled(text, &HTML).map(|form| ("HTML", form.into_bytes())));
        for form in spelled(text, &JSON) {
            forms.push(("JSON", ascii(&form).into_bytes()));
            forms.push(("JSON", form.into_bytes()));
        }
        forms.extend(spelled(text, &DOUBLED).map(|form| ("doubled quotes", form.into_bytes())));
        forms.push((
            "UTF-16",
            text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ));
    }
    forms.retain(|(form, pattern)| {
        !pattern.is_empty() && (!form.starts_with("base64") || pattern.len() >= PIECE_MIN)
    });
    let mut seen = std::collections::BTreeSet::new();
    forms.retain(|(_, pattern)| seen.insert(pattern.to_ascii_lowercase()));
    forms
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    digits.collect::<String>().into_bytes()
}

/// The characters that depend on the secret alone when `offset` bytes stand before it.
fn base64(engine: &impl base64::Engine, secret: &[u8], offset: usize) -> Vec<u8> {
    let padded = [&vec![0; offset], secret].concat();
    let text = engine.encode(&padded).into_bytes();
    // A character holds six bits; those that share bits with a neighbour are left out.
    let first = (offset * 8).div_ceil(6);
    let end = padded.len() * 8 / 6;
    text.get(first..end).unwrap_or_default().to_vec()
}

fn percent(text: &str, space: &str) -> Vec<u8> {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            b' ' => encoded.push_str(space),
            other => encoded.extend(format!("%{other:02X}").chars()),
        }
    }
    encoded.into_bytes()
}

/// As letters write what is not ASCII.
fn quoted(text: &str) -> Vec<u8> {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b' '..=b'<' | b'>'..=b'~' => encoded.push(char::from(byte)),
            other => encoded.extend(format!("={other:02X}").chars()),
        }
    }
    encoded.into_bytes()
}

/// The text in every combination of the ways in which its characters may be written.
fn spelled(text: &str, ways: &[Ways]) -> impl Iterator<Item = String> {
    let there = ways.iter().filter(|(it, _)| text.contains(*it));
    let start = vec![text.to_owned()];
    let written = there.fold(start, |written, (it, ways)| {
        let each = |text: String| ways.iter().map(move |way| text.replace(*it, way));
        written.into_iter().flat_map(each).collect()
    });
    written.into_iter()
}

/// The text in ASCII, as JSON may write it.
fn ascii(text: &str) -> String {
    let mut escaped = String::new();
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii_graphic() || byte == b' ' => escaped.push(char::from(byte)),
            _ => escaped.extend(format!("\\u{unit:04x}").chars()),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;

    const NAME: &str = "Zöe \"7\" <O'Kanary> & Söhne";

    #[test]
    fn every_form_is_found_with_its_place() {
        let hunt = Hunt::new(&[Secret::text("name", NAME)]).unwrap();
        let written = [
            NAME.to_owned(),
            NAME.to_lowercase(),
            NAME.to_uppercase(),
            String::from_utf8(hex(NAME.as_bytes()))
                .unwrap()
                .to_uppercase(),
            "Z%C3%B6e%20%227%22%20%3CO%27Kanary%3E%20%26%20S%C3%B6hne".to_owned(),
            "Zöe &quot;7&quot; &lt;O&#39;Kanary&gt; &amp; Söhne".to_owned(),
            "Zöe &#34;7&#34; &#60;O&#39;Kanary&#62; &#38; Söhne".to_owned(),
            "Zöe \"7\" &lt;O'Kanary> &amp; Söhne".to_owned(),
            format!("{NAME:?}")[1..].to_owned(),
            serde_json::to_string(NAME).unwrap()[1..].to_owned(),
            "Z\\u00f6e \\\"7\\\" <O'Kanary> & S\\u00f6hne".to_owned(),
            "Zöe \\\"7\\\" \\u003cO\\u0027Kanary\\u003e \\u0026 Söhne".to_owned(),
            "Z=C3=B6e \"7\" <O'Kanary> & S=C3=B6hne".to_owned(),
            "Zöe \"\"7\"\" <O'Kanary> & Söhne".to_owned(),
            "Zöe \"7\" <O''Kanary> & Söhne".to_owned(),
        ];
        for text in written {
            let leaks = hunt.search("a place", format!("so: {text}!").as_bytes());
            assert!(leaks.iter().any(|leak| leak.at == 4), "{text}: {leaks:?}");
            assert_eq!(leaks[0].place, "a place");
        }
        for before in ["", "x", "xy", "xyz"] {
            for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
                let text = engine.encode(format!("{before}{NAME} and more"));
                assert!(
                    !hunt.search("base64", text.as_bytes()).is_empty(),
                    "{before}"
                );
            }
        }
        assert!(hunt.search("elsewhere", b"Zoe Okanary").is_empty());
    }

    #[test]
    fn a_secret_across_two_blocks_of_a_file_is_found_once() {
        let hunt = Hunt::new(&[Secret::text("name", NAME)]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("deep")).unwrap();
        let path = folder.path().join("deep/file");
        for before in [BLOCK - 5, BLOCK, 2 * BLOCK - 1] {
            let bytes = [vec![b'.'; before], NAME.into(), vec![b'.'; BLOCK]].concat();
            std::fs::write(&path, bytes).unwrap();
            let leaks = hunt.search_folder(folder.path()).unwrap();
            assert_eq!(
                leaks.iter().map(|leak| leak.at).collect::<Vec<_>>(),
                [before]
            );
        }
    }
}
