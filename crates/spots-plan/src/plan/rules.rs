//! What the gate checks, apart from the contract diff's own rules.

use spots_findings::{Finding, Level, Rule};

macro_rules! rules {
    ($($name:ident $id:literal $title:literal $why:literal)*) => {
        $(#[doc = $title] pub const $name: Rule = Rule { id: $id, title: $title, why: $why };)*
        /// All of them.
        pub const ALL: &[Rule] = &[$($name),*];
    };
}

rules! {
    PLAN_DATA "plan-data" "The plan holds together"
        "A plan with unknown keys, missing phases or cycles would be judged by chance."
    SERVICE_NOT_FOUND "service-not-found" "Every service of the plan is in the code, once"
        "A service that cannot be found, or is found twice, cannot be guarded."
    SERVICE_UNPLANNED "service-unplanned" "Every service of the code is in the plan"
        "What the plan does not list is locked by nobody."
    LOCK_CONTRADICTS "lock-contradicts" "A declared lock agrees with the derived one"
        "The matrix is derived from phases; a hand-kept state that differs is stale."
    LOCKED_BROKEN "locked-contract-broken" "A locked service does not break"
        "A phase in progress rests on the contract as it is."
    LOCKED_GREW "locked-contract-grew" "A locked service does not grow outside its modifying phase"
        "While a service is locked only fixes go in; new features wait for the phase that modifies it."
    STEP_TOO_SMALL "version-step-too-small" "The version steps as far as the change"
        "Callers read the version to learn whether they must change."
    GUIDE_MISSING "migration-guide-missing" "A break comes with a migration guide"
        "Without a guide every caller works the way out alone."
    CONTRACT_MISSING "contract-missing" "Every service of the plan has a frozen contract"
        "Without one nothing can be compared."
    CONTRACT_REWRITTEN "contract-rewritten" "A frozen contract is kept as it is"
        "Whoever rests on a version must find under its number what it said."
    LOCK_LIFTED "lock-lifted" "A lock does not end in the change that needs it gone"
        "The phases that rest on a service end by a change of their own, which people can see."
    SERVICE_DROPPED "service-dropped" "A service leaves the plan through a deprecation"
        "What the plan does not list is locked by nobody."
    CONTRACT_SILENT "contract-silent" "A core service says how it fails and what it touches"
        "Callers of a core service must know its errors and side effects without reading its code."
    PHASES_COLLIDE "phases-collide" "One service is modified by one phase at a time"
        "Two phases in progress that modify one service meet at the merge."
    PHASE_TOO_EARLY "phase-too-early" "A phase starts after those that it waits for"
        "It builds on what is not finished."
    DEPENDENCY_HIDDEN "dependency-hidden" "A dependency in the code is declared"
        "Locks follow dependencies; one that is not declared locks nobody."
    DEPENDENCY_PHANTOM "dependency-phantom" "A declared dependency is in the code"
        "A dependency that is not there locks a service for nothing."
    DEPENDENCY_CYCLE "dependency-cycle" "Services do not depend on each other in a circle"
        "None of them can change alone."
    REMOVED_EARLY "deprecation-removed-early" "What is deprecated stays two phases"
        "Callers were promised the time."
    DEPRECATION_OVERDUE "deprecation-overdue" "What is deprecated goes when its time has come"
        "Dead weight invites new callers."
    DEPRECATED_GREW "deprecated-service-grew" "A deprecated service does not grow"
        "New members attract new callers."
    DEPRECATION_UNPLANNED "deprecation-unplanned" "A deprecation in the code is in the plan"
        "A mark without a date is never acted on."
    TEST_OWED "integration-test-owed" "A pair of services that a phase changes is tested together"
        "A break between two services shows only where both run."
    TEST_NOT_PASSED "integration-test-not-passed" "The tests of a pair ran and passed"
        "A test that did not run proves nothing."
    WAIVER_EXPIRED "waiver-expired" "A waiver ends with its phase"
        "What was allowed for a while must not stay for ever."
    WAIVER_UNUSED "waiver-unused" "A waiver names a finding that exists"
        "A waiver that covers nothing would one day cover something else."
    PLAN_INFERRED "plan-inferred" "There is a plan"
        "Without one only the code can be judged: not who rests on what, nor until when."
    DECISION_NEEDED "decision-needed" "What only a person can decide is decided"
        "Code does not say which phases there are and what each may change."
}

/// A finding of one of these rules.
pub(crate) fn finding(rule: Rule, level: Level, identity: &str, message: String) -> Finding {
    Finding::new(rule.id, level, identity, message)
}
