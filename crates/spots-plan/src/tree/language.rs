//! Languages by extension, and their grammars.

/// A language whose files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// `.dart`
    Dart,
    /// `.rs`
    Rust,
    /// `.ts`, `.mts`, `.cts`
    TypeScript,
    /// `.tsx`
    Tsx,
    /// `.js`, `.mjs`, `.cjs`, `.jsx`
    JavaScript,
    /// `.sql`
    Sql,
    /// `.swift`
    Swift,
    /// `.kt`, `.kts`
    Kotlin,
    /// `.java`
    Java,
    /// `.json`, `.yaml`, `.yml`: documents, where they are asked for
    OpenApi,
}

impl Language {
    /// All that are source code.
    pub const ALL: [Self; 9] = [
        Self::Dart,
        Self::Rust,
        Self::TypeScript,
        Self::Tsx,
        Self::JavaScript,
        Self::Sql,
        Self::Swift,
        Self::Kotlin,
        Self::Java,
    ];

    /// By the end of a path, whatever its case; `None` for what is no source file.
    pub fn of_path(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let (stem, extension) = name.rsplit_once('.')?;
        if stem.is_empty() {
            return None;
        }
        let extension = extension.to_ascii_lowercase();
        Some(match extension.as_str() {
            "dart" => Self::Dart,
            "rs" => Self::Rust,
            "ts" | "mts" | "cts" => Self::TypeScript,
            "tsx" => Self::Tsx,
            "js" | "mjs" | "cjs" | "jsx" => Self::JavaScript,
            "sql" => Self::Sql,
            "swift" => Self::Swift,
            "kt" | "kts" => Self::Kotlin,
            "java" => Self::Java,
            _ => return None,
        })
    }

    /// The one of these languages that a file is in, documents among them.
    pub(super) fn among(path: &str, languages: &[Self]) -> Option<Self> {
        let document = || {
            let extension = path
                .rsplit_once('.')
                .map(|(_, end)| end.to_ascii_lowercase());
            let document = matches!(extension.as_deref(), Some("json" | "yaml" | "yml"));
            document.then_some(Self::OpenApi)
        };
        Self::of_path(path)
            .or_else(document)
            .filter(|language| languages.contains(language))
    }

    /// The word for the language of a contract's file.
    pub fn of_contract(path: &str) -> &'static str {
        let language = Self::of_path(path).unwrap_or(Self::OpenApi);
        language.as_str()
    }

    /// The word for it on the command line, in data and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dart => "dart",
            Self::Rust => "rust",
            Self::TypeScript => "typescript",
            Self::Tsx => "tsx",
            Self::JavaScript => "javascript",
            Self::Sql => "sql",
            Self::Swift => "swift",
            Self::Kotlin => "kotlin",
            Self::Java => "java",
            Self::OpenApi => "openapi",
        }
    }

    /// The language of that word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|language| language.as_str() == word)
    }

    /// Its grammar, for the languages that are parsed and not only lexed.
    pub fn grammar(self) -> Option<tree_sitter::Language> {
        Some(match self {
            Self::Dart => tree_sitter_dart::LANGUAGE.into(),
            Self::Rust => tree_sitter_rust::LANGUAGE.into(),
            Self::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
            Self::Tsx | Self::JavaScript => tree_sitter_typescript::LANGUAGE_TSX.into(),
            Self::Sql | Self::Swift | Self::Kotlin | Self::Java | Self::OpenApi => return None,
        })
    }
}
