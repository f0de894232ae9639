//! What source files declare, as far as a contract needs it, the same for every language.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::openapi::Api;

/// What one file declares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Types in the order of the file.
    pub types: Vec<TypeDecl>,
    /// What it adds to types that may be declared elsewhere: Rust's `impl` blocks.
    pub extensions: Vec<TypeDecl>,
    /// What it imports and exports: addresses as written; in Rust whole paths, one a name, with those
    /// that signatures spell out.
    pub imports: Vec<String>,
    /// First line that the grammar could not read, if any.
    pub broken: Option<u32>,
    /// Why a document could not be read, if it could not: the line, and the reason in lowercase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<(u32, String)>,
}

impl Unit {
    /// Without what has no name: where the source breaks off, the grammar puts an empty one.
    pub(super) fn named(mut self) -> Self {
        for decl in self.types.iter_mut().chain(&mut self.extensions) {
            decl.members.retain(|member| !member.name.is_empty());
        }
        self.types.retain(|decl| !decl.name.is_empty());
        self.extensions.retain(|decl| !decl.name.is_empty());
        self
    }

    /// Puts each line's own number in its place: the text was read in more lines than it has.
    pub(super) fn move_lines(&mut self, own: &[u32]) {
        let own = |line: &mut u32| {
            let at = usize::try_from(*line).unwrap_or(0).saturating_sub(1);
            *line = own.get(at).copied().unwrap_or(*line);
        };
        for decl in self.types.iter_mut().chain(&mut self.extensions) {
            own(&mut decl.line);
            decl.members
                .iter_mut()
                .for_each(|member| own(&mut member.line));
            decl.uses.iter_mut().for_each(|found| own(&mut found.line));
            decl.uses.dedup();
        }
        self.broken.iter_mut().for_each(own);
    }
}

/// What kind of type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TypeKind {
    /// A class or struct.
    Class,
    /// A mixin.
    Mixin,
    /// An enum.
    Enum,
    /// A wrapper around one value without cost at run time.
    ExtensionType,
    /// A trait or interface: no instances of its own.
    Interface,
    /// Free functions that belong together: a module, or the operations of an HTTP API.
    Functions,
    /// Another name for a type.
    Alias,
}

impl TypeKind {
    /// The word for it in frozen contracts and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Class => "class",
            Self::Mixin => "mixin",
            Self::Enum => "enum",
            Self::ExtensionType => "extension-type",
            Self::Interface => "interface",
            Self::Functions => "functions",
            Self::Alias => "alias",
        }
    }

    /// The kind of that word.
    pub fn of_word(word: &str) -> Option<Self> {
        [
            Self::Class,
            Self::Mixin,
            Self::Enum,
            Self::ExtensionType,
            Self::Interface,
            Self::Functions,
            Self::Alias,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == word)
    }
}

/// How a type stands to one above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum How {
    /// Inherits members and constructors' duties.
    Extends,
    /// Mixes members in.
    With,
    /// Promises the members without inheriting them.
    Implements,
    /// A mixin that may only be used on this type.
    On,
}

impl How {
    /// Dart's word for it, also in frozen contracts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Extends => "extends",
            Self::With => "with",
            Self::Implements => "implements",
            Self::On => "on",
        }
    }
}

/// One type above another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Super {
    /// How.
    pub how: How,
    /// The type as written, canonical.
    pub ty: String,
}

/// One type of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeDecl {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: TypeKind,
    /// `abstract`, `final`, `sealed` …, sorted.
    pub modifiers: BTreeSet<String>,
    /// Type parameters with their bounds.
    pub generics: Vec<String>,
    /// What stands above it.
    pub supers: Vec<Super>,
    /// Its own members, in the order of the file, private ones too.
    pub members: Vec<Member>,
    /// Line of its name.
    pub line: u32,
    /// What its deprecation says.
    pub deprecated: Option<String>,
    /// Marks that matter to whoever reads the type.
    pub marks: BTreeSet<Mark>,
    /// What it depends on, with the evidence.
    pub uses: Vec<Use>,
    /// Everything that its document says, where it is the API of one; its members show the operations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<Box<Api>>,
}

impl TypeDecl {
    /// A type without members yet.
    pub fn new(name: impl Into<String>, kind: TypeKind, line: u32) -> Self {
        Self {
            name: name.into(),
            kind,
            modifiers: BTreeSet::new(),
            generics: Vec::new(),
            supers: Vec::new(),
            members: Vec::new(),
            line,
            deprecated: None,
            marks: BTreeSet::new(),
            uses: Vec::new(),
            api: None,
        }
    }
}

/// What kind of member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum MemberKind {
    /// Creates an instance.
    Constructor,
    /// A field; `final` or `const` ones have no setter.
    Field,
    /// A getter.
    Getter,
    /// A setter.
    Setter,
    /// A method, an operator or a function.
    Method,
    /// A value of an enum.
    Value,
}

impl MemberKind {
    /// The word for it in frozen contracts and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Constructor => "constructor",
            Self::Field => "field",
            Self::Getter => "getter",
            Self::Setter => "setter",
            Self::Method => "method",
            Self::Value => "value",
        }
    }

    /// The kind of that word.
    pub fn of_word(word: &str) -> Option<Self> {
        [
            Self::Constructor,
            Self::Field,
            Self::Getter,
            Self::Setter,
            Self::Method,
            Self::Value,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == word)
    }
}

/// What a member or a type is marked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Mark {
    /// Belongs to the type, not to an instance.
    Static,
    /// Without a body.
    Abstract,
    /// Usable at compile time.
    Const,
    /// Set once.
    Final,
    /// A constructor that may return another instance.
    Factory,
    /// Only for subclasses.
    Protected,
    /// Only for tests, or for the package itself.
    Hidden,
    /// Has a documentation comment.
    Documented,
}

impl Mark {
    const ALL: [Self; 8] = [
        Self::Static,
        Self::Abstract,
        Self::Const,
        Self::Final,
        Self::Factory,
        Self::Protected,
        Self::Hidden,
        Self::Documented,
    ];

    /// The word for it in frozen contracts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Abstract => "abstract",
            Self::Const => "const",
            Self::Final => "final",
            Self::Factory => "factory",
            Self::Protected => "protected",
            Self::Hidden => "hidden",
            Self::Documented => "documented",
        }
    }

    /// The mark of that word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mark| mark.as_str() == word)
    }
}

/// One member of a type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its name; a named constructor carries the type's: `PaymentService.test`.
    pub name: String,
    /// What it is.
    pub kind: MemberKind,
    /// Type parameters with their bounds.
    pub generics: Vec<String>,
    /// Parameters in order; named ones in the order of the source.
    pub params: Vec<Param>,
    /// Return type, or the field's type; `None` when the source leaves it out.
    pub ty: Option<String>,
    /// `static`, `const` …
    pub marks: BTreeSet<Mark>,
    /// What its deprecation says.
    pub deprecated: Option<String>,
    /// Types that it throws, by its code or by its documentation.
    pub throws: BTreeSet<String>,
    /// Side effects that its code shows: clock, file, network, random, storage.
    pub effects: BTreeSet<String>,
    /// Line of its name.
    pub line: u32,
}

impl Member {
    /// A member without parameters, type and marks yet.
    pub fn new(name: impl Into<String>, kind: MemberKind, line: u32) -> Self {
        Self {
            name: name.into(),
            kind,
            generics: Vec::new(),
            params: Vec::new(),
            ty: None,
            marks: BTreeSet::new(),
            deprecated: None,
            throws: BTreeSet::new(),
            effects: BTreeSet::new(),
            line,
        }
    }

    /// Whether it carries this mark.
    pub fn is(&self, mark: Mark) -> bool {
        self.marks.contains(&mark)
    }
}

/// How an argument is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Passing {
    /// By its place.
    Positional,
    /// By its name.
    Named,
}

/// One parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Its type; `None` when nothing tells.
    pub ty: Option<String>,
    /// How it is passed.
    pub passing: Passing,
    /// Whether it must be.
    pub required: bool,
    /// Its default as written.
    pub default: Option<String>,
    /// Where its type is found when it has none of its own.
    pub origin: Origin,
}

/// Where a parameter's type comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// It states one, or is untyped.
    #[default]
    Own,
    /// From the field of its name (`this.x`).
    Field,
    /// From the superclass's constructor (`super.x`).
    Super,
}

/// How one service reaches another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum UseKind {
    /// Holds it in a field.
    Field,
    /// Takes it in a constructor.
    Constructor,
    /// Asks a service locator or a provider for it.
    Locator,
    /// Makes it.
    Construction,
}

impl UseKind {
    /// The word for it in graphs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Field => "field",
            Self::Constructor => "constructor",
            Self::Locator => "locator",
            Self::Construction => "construction",
        }
    }
}

/// Evidence that a type depends on another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Use {
    /// How.
    pub kind: UseKind,
    /// Name of the other type.
    pub target: String,
    /// The member of the target that is called, where that tells a constructor from a static one.
    pub through: Option<String>,
    /// Line of the evidence.
    pub line: u32,
}

/// A member that a type has from one above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inherited {
    /// The type that declares it.
    pub from: String,
    /// Where, relative to the tree; empty in what was frozen.
    pub file: String,
    /// The member.
    pub member: Member,
}

/// A type with everything that it offers, resolved in its tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// Relative to the tree.
    pub file: String,
    /// The declaration; its members are the public ones.
    pub decl: TypeDecl,
    /// What it has from types above it in the tree, the nearest first.
    pub inherited: Vec<Inherited>,
    /// Names of types above it that the tree does not declare, so that members may be missing here.
    pub outside: BTreeSet<String>,
    /// All types above it, near and far, known to the tree or not.
    pub above: BTreeSet<String>,
    /// Whether it has the constructor without arguments that a class without any has.
    pub implicit_constructor: bool,
    /// Of names in its signatures that several files declare, the file that is meant; `None` when it is
    /// none of them. Where that cannot be told there is no entry, and it may be any of them.
    pub meant: BTreeMap<String, Option<String>>,
}

impl Contract {
    /// Own and inherited members.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        let inherited = self.inherited.iter().map(|inherited| &inherited.member);
        self.decl.members.iter().chain(inherited)
    }

    /// The file of one of its members.
    pub(super) fn file_of(&self, member: &Member) -> &str {
        let mut inherited = self.inherited.iter();
        let above = inherited.find(|inherited| std::ptr::eq(&raw const inherited.member, member));
        above.map_or(&self.file, |inherited| &inherited.file)
    }

    /// Whether its signatures, which mention these names, mean this type.
    pub(super) fn means(&self, mentioned: &BTreeSet<String>, ty: &Self) -> bool {
        let name = &ty.decl.name;
        let told = self.meant.get(name);
        mentioned.contains(name) && told.is_none_or(|file| file.as_ref() == Some(&ty.file))
    }
}

/// What a comparison needs of one side: services, and the types that their signatures name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Services, by name, then file.
    pub services: Vec<Contract>,
    /// Other types, by name, then file.
    pub types: Vec<Contract>,
    /// Types that those mention: not compared, but what they stand for is known.
    pub further: Vec<Contract>,
}
