//! What the files of a tree are read with, and what was read of them the last time.

use serde::{Deserialize, Serialize};

use super::config::Config;
use super::lexer;
use super::scan::{Hit, Scanner};
use super::structure::{self, Placed, Source};
use super::wrappers::Finder;
use super::{Call, FileReads};
use crate::cache::{Cache, Kept, digest};
use crate::tree::{Language, SourceFile};

/// What was found out about one file, as a cache keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FileFacts(Facts);

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Facts {
    /// What it holds; `None` if that is too much.
    Reads(Option<FileReads>),
    /// Which wrappers it calls.
    Calls(Vec<Call>),
}

impl Kept for FileFacts {
    const FORM: u32 = 1;
    const NAME: &'static str = "clock";
}

/// What every file of a tree is read with.
pub(super) struct Reader<'a> {
    pub(super) scanner: &'a Scanner,
    pub(super) config: &'a Config,
    known: &'a Cache<FileFacts>,
    /// What the reading depends on beside the text.
    setting: String,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        scanner: &'a Scanner,
        config: &'a Config,
        known: &'a Cache<FileFacts>,
    ) -> Self {
        let patterns = format!("{:?}", scanner.patterns());
        let names = format!("{:?}", config.names);
        Self {
            scanner,
            config,
            known,
            setting: digest(&[patterns.as_bytes(), names.as_bytes()]),
        }
    }

    /// What names a text in a cache; empty where there is none.
    pub(super) fn digest(&self, language: Language, text: &str) -> String {
        if self.known.is_on() {
            digest(&[language.as_str().as_bytes(), text.as_bytes()])
        } else {
            String::new()
        }
    }

    /// What a file holds: from the cache, or read now.
    pub(super) fn reads(
        &self,
        digest: &str,
        read: impl FnOnce() -> Option<FileReads>,
    ) -> Option<FileReads> {
        let key = || format!("reads {} {digest}", self.setting);
        match self.known.keep(key, || FileFacts(Facts::Reads(read()))).0 {
            Facts::Reads(reads) => reads,
            Facts::Calls(_) => None,
        }
    }

    /// The calls of wrappers in a file whose text is known, if they were kept.
    pub(super) fn kept_calls(&self, round: &str, path: &str, digest: &str) -> Option<Vec<Call>> {
        match self.known.kept(&calls_key(round, path, digest))?.0 {
            Facts::Calls(calls) => Some(calls),
            Facts::Reads(_) => None,
        }
    }

    /// The calls of wrappers in a file.
    pub(super) fn calls(
        &self,
        round: &str,
        (file, text): (&SourceFile, &str),
        find: impl FnOnce() -> Vec<Call>,
    ) -> Vec<Call> {
        let key = || calls_key(round, &file.path, &self.digest(file.language, text));
        match self.known.keep(key, || FileFacts(Facts::Calls(find()))).0 {
            Facts::Calls(calls) => calls,
            Facts::Reads(_) => Vec::new(),
        }
    }

    /// What the calls of wrappers depend on beside the file.
    pub(super) fn round(&self, finder: &Finder<'_>) -> String {
        let wrappers = format!("{:?}", finder.wrappers());
        digest(&[self.setting.as_bytes(), wrappers.as_bytes()])
    }

    /// Places hits in the code around them.
    pub(super) fn place(&self, language: Language, text: &str, hits: &[Hit]) -> Vec<Placed> {
        if hits.is_empty() {
            return Vec::new();
        }
        // The parser has the whole text; so must what tells its code from comments.
        let spans = lexer::spans(language, text, text.len());
        let source = Source {
            language,
            text,
            spans: &spans,
            names: &self.config.names,
        };
        structure::place(&source, hits, self.scanner.patterns())
    }
}

/// A wrapper that the same file declares is another's elsewhere: the path counts.
fn calls_key(round: &str, path: &str, digest: &str) -> String {
    format!("calls {round} {digest} {path}")
}
