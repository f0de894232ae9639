//! The rules of the contract diff: one file a rule, with its why and a bad and a good example.

use std::sync::LazyLock;

use serde::Deserialize;
use spots_findings::{Finding, Level, Rule};

const FILES: [&str; 66] = [
    include_str!("../../rules/contract/service-removed.toml"),
    include_str!("../../rules/contract/service-renamed.toml"),
    include_str!("../../rules/contract/kind-changed.toml"),
    include_str!("../../rules/contract/modifier-tightened.toml"),
    include_str!("../../rules/contract/supertype-lost.toml"),
    include_str!("../../rules/contract/generics-changed.toml"),
    include_str!("../../rules/contract/member-removed.toml"),
    include_str!("../../rules/contract/member-renamed.toml"),
    include_str!("../../rules/contract/member-kind-changed.toml"),
    include_str!("../../rules/contract/member-static-changed.toml"),
    include_str!("../../rules/contract/setter-removed.toml"),
    include_str!("../../rules/contract/field-type-changed.toml"),
    include_str!("../../rules/contract/constructor-removed.toml"),
    include_str!("../../rules/contract/required-parameter-added.toml"),
    include_str!("../../rules/contract/parameter-removed.toml"),
    include_str!("../../rules/contract/parameter-required.toml"),
    include_str!("../../rules/contract/parameter-passing-changed.toml"),
    include_str!("../../rules/contract/parameters-reordered.toml"),
    include_str!("../../rules/contract/identity-parameter-renamed.toml"),
    include_str!("../../rules/contract/parameter-type-narrowed.toml"),
    include_str!("../../rules/contract/parameter-type-changed.toml"),
    include_str!("../../rules/contract/parameter-type-widened.toml"),
    include_str!("../../rules/contract/parameter-optional.toml"),
    include_str!("../../rules/contract/optional-parameter-added.toml"),
    include_str!("../../rules/contract/return-type-widened.toml"),
    include_str!("../../rules/contract/return-type-async.toml"),
    include_str!("../../rules/contract/return-type-changed.toml"),
    include_str!("../../rules/contract/return-type-narrowed.toml"),
    include_str!("../../rules/contract/value-removed.toml"),
    include_str!("../../rules/contract/value-added.toml"),
    include_str!("../../rules/contract/const-lost.toml"),
    include_str!("../../rules/contract/abstract-member-added.toml"),
    include_str!("../../rules/contract/member-added.toml"),
    include_str!("../../rules/contract/default-changed.toml"),
    include_str!("../../rules/contract/deprecated.toml"),
    include_str!("../../rules/contract/throws-grew.toml"),
    include_str!("../../rules/contract/effects-grew.toml"),
    include_str!("../../rules/contract/operation-removed.toml"),
    include_str!("../../rules/contract/operation-added.toml"),
    include_str!("../../rules/contract/operation-id-changed.toml"),
    include_str!("../../rules/contract/api-parameter-removed.toml"),
    include_str!("../../rules/contract/api-parameter-required.toml"),
    include_str!("../../rules/contract/api-parameter-added.toml"),
    include_str!("../../rules/contract/request-body-required.toml"),
    include_str!("../../rules/contract/request-media-type-removed.toml"),
    include_str!("../../rules/contract/request-property-removed.toml"),
    include_str!("../../rules/contract/request-property-required.toml"),
    include_str!("../../rules/contract/request-type-narrowed.toml"),
    include_str!("../../rules/contract/request-type-widened.toml"),
    include_str!("../../rules/contract/request-value-removed.toml"),
    include_str!("../../rules/contract/request-value-added.toml"),
    include_str!("../../rules/contract/request-limit-tightened.toml"),
    include_str!("../../rules/contract/response-removed.toml"),
    include_str!("../../rules/contract/response-added.toml"),
    include_str!("../../rules/contract/response-media-type-removed.toml"),
    include_str!("../../rules/contract/response-property-removed.toml"),
    include_str!("../../rules/contract/response-property-optional.toml"),
    include_str!("../../rules/contract/response-type-widened.toml"),
    include_str!("../../rules/contract/response-type-narrowed.toml"),
    include_str!("../../rules/contract/response-value-added.toml"),
    include_str!("../../rules/contract/response-value-removed.toml"),
    include_str!("../../rules/contract/response-limit-loosened.toml"),
    include_str!("../../rules/contract/response-header-removed.toml"),
    include_str!("../../rules/contract/property-added.toml"),
    include_str!("../../rules/contract/security-tightened.toml"),
    include_str!("../../rules/contract/security-loosened.toml"),
];

/// Whom a change breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Breaks {
    /// Code that calls the service.
    Callers,
    /// Code that constructs the service and puts it in its place.
    Wiring,
    /// Code that implements or extends it, mocks among it.
    Implementers,
    /// No code; the meaning may differ.
    Nobody,
}

impl Breaks {
    /// The word for it in findings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Callers => "callers",
            Self::Wiring => "wiring",
            Self::Implementers => "implementers",
            Self::Nobody => "nobody",
        }
    }

    fn level(self) -> Level {
        match self {
            Self::Callers | Self::Wiring => Level::Error,
            Self::Implementers => Level::Warning,
            Self::Nobody => Level::Note,
        }
    }
}

/// One rule of the diff.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiffRule {
    /// Kebab-case, stable for ever.
    pub id: String,
    /// One line.
    pub title: String,
    /// Why it matters.
    pub why: String,
    /// How to mend it.
    pub fix: String,
    /// Whom it breaks.
    pub breaks: Breaks,
    /// Where the level is not the audience's.
    level: Option<String>,
    /// The language of its examples.
    #[serde(default = "dart")]
    pub language: String,
    /// A change that the rule reports.
    pub bad: Example,
    /// A change near it that it does not.
    pub good: Example,
}

fn dart() -> String {
    "dart".to_owned()
}

/// Two states of a file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Before.
    pub old: String,
    /// After.
    pub new: String,
}

impl DiffRule {
    /// How much a finding of this rule matters.
    pub fn level(&self) -> Level {
        match self.level.as_deref() {
            Some("error") => Level::Error,
            Some("warning") => Level::Warning,
            Some(_) => Level::Note,
            None => self.breaks.level(),
        }
    }
}

static RULES: LazyLock<Vec<DiffRule>> = LazyLock::new(|| {
    let parse = |text: &str| toml::from_str(text).expect("a test reads every rule file");
    FILES.iter().map(|text| parse(text)).collect()
});

/// All rules.
pub fn all() -> &'static [DiffRule] {
    &RULES
}

/// All rules as reports name them.
pub fn described() -> Vec<Rule> {
    let describe = |rule: &'static DiffRule| Rule {
        id: &rule.id,
        title: &rule.title,
        why: &rule.why,
    };
    all().iter().map(describe).collect()
}

/// The rule with this id.
pub fn lookup(id: &str) -> Option<&'static DiffRule> {
    all().iter().find(|rule| rule.id == id)
}

/// A finding of a rule: level, audience and fix are the rule's, unless `breaks` says otherwise.
pub(super) fn finding(id: &str, breaks: Option<Breaks>, identity: &str, message: &str) -> Finding {
    let rule = lookup(id).expect("the diff names only rules that exist; a test runs them all");
    let audience = breaks.unwrap_or(rule.breaks);
    let level = if breaks.is_some_and(|breaks| breaks != rule.breaks) {
        audience.level()
    } else {
        rule.level()
    };
    let whom = match audience {
        Breaks::Nobody => "breaks nobody",
        Breaks::Callers => "breaks callers",
        Breaks::Wiring => "breaks wiring",
        Breaks::Implementers => "breaks implementers and mocks",
    };
    Finding::new(id, level, identity, format!("{message} ({whom})."))
        .fix(&*rule.fix)
        .fact("breaks", audience.as_str())
}
