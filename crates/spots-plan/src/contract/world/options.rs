//! What a tree is read for.

use crate::tree::{Language, SourceFile, path_fits};

/// What to look for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Names of services, with `*` at either end; symbols are names without one.
    pub patterns: Vec<String>,
    /// Whether tests and generated code count too.
    pub everything: bool,
    /// Paths, with `*` and `**`, of OpenAPI documents beside those whose file is named so.
    pub documents: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            patterns: vec!["*Service".to_owned()],
            everything: false,
            documents: Vec::new(),
        }
    }
}

impl Options {
    /// Whether this name is a service's.
    pub fn names(&self, name: &str) -> bool {
        !name.starts_with('_') && self.patterns.iter().any(|pattern| matches(pattern, name))
    }

    /// Whether a file is source, or a document that is to be read.
    pub(super) fn reads(&self, file: &SourceFile) -> bool {
        let name = file.path.rsplit('/').next().unwrap_or("").to_lowercase();
        file.language != Language::OpenApi
            || ["openapi", "swagger"]
                .into_iter()
                .any(|word| name.contains(word))
            || self
                .documents
                .iter()
                .any(|pattern| path_fits(pattern, &file.path))
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(inner), Some(_)) => name.contains(inner.trim_end_matches('*')),
        (Some(end), None) => name.ends_with(end),
        (None, Some(start)) => name.starts_with(start),
        (None, None) => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_nothing_too() {
        let options = Options {
            patterns: vec!["*Repository".to_owned(), "Clock".to_owned()],
            ..Options::default()
        };
        for name in ["Repository", "UserRepository", "Clock"] {
            assert!(options.names(name), "{name}");
        }
        for name in ["RepositoryFake", "_UserRepository", "AtomicClock"] {
            assert!(!options.names(name), "{name}");
        }
    }
}
