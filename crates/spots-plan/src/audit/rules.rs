//! What `spots clock check` judges.

use spots_findings::Rule;

/// Where the help of every rule points.
pub(super) const HELP: &str = "One clock orders queues and records only if nothing else tells the \
time beside it. The mandate, the review checklist, the migration process and the integration \
points are rendered by `spots plan docs`: see docs/plan/clock-mandate.md, \
docs/plan/clock-checklist.md, docs/plan/clock-migration.md and docs/plan/clock-integration.md.";

/// A read that the baseline does not hold.
pub const NEW_READ: Rule = Rule {
    id: "clock-read-new",
    title: "No direct read of the wall clock in new code.",
    why: HELP,
};

/// A baseline entry without a read.
pub const STALE: Rule = Rule {
    id: "clock-baseline-stale",
    title: "The baseline holds no more than the code does.",
    why: "An entry that no read needs any more would let a new one slip in under it. \
          `spots clock baseline` removes it.",
};

/// A pattern of the team's own that matched nothing.
pub const SILENT_PATTERN: Rule = Rule {
    id: "clock-pattern-silent",
    title: "Every pattern in plan/clock.toml can match something.",
    why: "A pattern that is misspelt, or meant for another language, reports zero for ever and \
          looks like success.",
};

/// An integration point whose code keeps less precision than it needs.
pub const PRECISION: Rule = Rule {
    id: "clock-precision-coarse",
    title: "Code keeps the precision that its integration point needs.",
    why: HELP,
};

/// An integration point without a declared precision.
pub const PRECISION_UNDECLARED: Rule = Rule {
    id: "clock-precision-undeclared",
    title: "Every integration point declares the precision it needs.",
    why: HELP,
};

/// A queue without a test of its order.
pub const QUEUE_TEST: Rule = Rule {
    id: "clock-queue-test",
    title: "The order of every queue is tested by a named test.",
    why: HELP,
};

/// A document that claims more than the code does.
pub const FALSE_CLAIM: Rule = Rule {
    id: "clock-claim-false",
    title: "What documents say to use the clock uses it.",
    why: "A page that says a file uses AtomicClockService stops everyone from looking again.",
};

/// All rules, in the order of reports.
pub const RULES: [Rule; 7] = [
    NEW_READ,
    STALE,
    SILENT_PATTERN,
    PRECISION,
    PRECISION_UNDECLARED,
    QUEUE_TEST,
    FALSE_CLAIM,
];
