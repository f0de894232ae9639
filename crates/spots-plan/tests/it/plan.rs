//! The plan: the seed's own examples, bad data, locks, versions, waivers.

use std::path::Path;

use spots_findings::{Finding, Level};
use spots_plan::contract::cache::Cache;
use spots_plan::contract::frozen::Frozen;
use spots_plan::contract::graph::Dependencies;
use spots_plan::contract::{Options, World};
use spots_plan::plan::check::{Beside, Checked, check, patterns, waive};
use spots_plan::plan::owed::{Tests, owed};
use spots_plan::plan::{Plan, change, deprecation, docs, infer, matrix};
use spots_plan::tree::{Language, Tree};

use crate::contract::golden::golden;

struct Repository(tempfile::TempDir);

impl Repository {
    /// The golden tree at version 1, with the plan of the seed's examples, frozen.
    fn golden() -> Self {
        let repository = Self(tempfile::tempdir().expect("a folder"));
        copy(&golden().join("plan"), &repository.path().join("plan"));
        repository.code("v1");
        repository.freeze();
        repository
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn code(&self, version: &str) {
        drop(std::fs::remove_dir_all(self.path().join("lib")));
        copy(&golden().join(version), self.path());
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::fs::write(path, text).expect("a file");
    }

    fn edit(&self, path: &str, from: &str, to: &str) {
        let file = self.path().join(path);
        let text = std::fs::read_to_string(&file).expect("the file");
        assert!(text.contains(from), "{path} has no {from}");
        std::fs::write(file, text.replace(from, to)).expect("a file");
    }

    fn plan(&self) -> Plan {
        Plan::load(self.path()).expect("a plan that holds together")
    }

    fn world(&self, plan: &Plan) -> World {
        let tree = Tree::walk(self.path(), &[Language::Dart]).expect("a tree");
        let options = Options {
            patterns: patterns(plan),
            ..Options::default()
        };
        World::read(tree, options, &Cache::none())
    }

    fn tests(&self) -> Tests {
        Tests::read(Tree::walk(self.path(), &[Language::Dart]).expect("a tree"))
    }

    fn freeze(&self) {
        let plan = self.plan();
        let mut world = self.world(&plan);
        let names = world.mentioned();
        let snapshot = world.snapshot(&names, &Cache::none());
        for service in &snapshot.services {
            if plan
                .services
                .iter()
                .any(|planned| planned.source.symbol == service.decl.name)
            {
                let text = Frozen::new("1.0.0", "dart", service, &snapshot).render();
                self.write(
                    &format!("plan/contracts/{}-1.0.0.contract", service.decl.name),
                    &text,
                );
            }
        }
    }

    fn check(&self) -> Checked {
        let plan = self.plan();
        let mut world = self.world(&plan);
        let mut out = check(
            &plan,
            &mut world,
            &self.tests(),
            Beside::default(),
            &Cache::none(),
        );
        out.findings = waive(&plan, out.findings);
        out
    }

    fn rules_of(&self, service: &str) -> Vec<String> {
        let about = |finding: &&Finding| {
            finding.level > Level::Note
                && finding.identity.split(['.', ' ']).next() == Some(service)
        };
        let mut rules: Vec<String> = self
            .check()
            .findings
            .iter()
            .filter(about)
            .map(|finding| finding.rule.clone())
            .collect();
        rules.sort();
        rules
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

#[test]
fn the_seeds_own_locks() {
    let repository = Repository::golden();
    let plan = repository.plan();
    let locked = |service: &str, phase: &str| {
        let (service, phase) = (plan.service(service), plan.phase(phase));
        plan.cell(service.expect("the service"), phase.expect("the phase"))
            .locked
    };
    for phase in ["7", "9"] {
        assert!(locked("PaymentService", phase) && locked("BusinessService", phase));
        assert!(!locked("PersonalityProfile", phase));
    }
    assert!(locked("PersonalityProfile", "7.3") && !locked("PaymentService", "7.3"));
    assert!(locked("ClockService", "7.3"), "core is always locked");
    for text in [
        matrix::text(&plan),
        matrix::markdown(&plan),
        matrix::svg(&plan),
        matrix::html(&plan),
    ] {
        assert!(text.contains("PersonalityProfile"));
    }
    let page = matrix::html(&plan);
    let why = page.split_once("Locked now").map_or("", |(_, why)| why);
    for service in &plan.services {
        let listed = why.contains(&format!("<b>{}</b>", service.name));
        assert_eq!(listed, !plan.locks(service).is_empty(), "{}", service.name);
    }
}

#[test]
fn an_unchanged_tree_has_no_errors() {
    let checked = Repository::golden().check();
    let errors: Vec<_> = checked
        .findings
        .iter()
        .filter(|finding| finding.level == Level::Error)
        .collect();
    assert!(
        errors.is_empty() && checked.unreadable.is_empty(),
        "{errors:?}"
    );
}

#[test]
fn a_locked_service_does_not_break() {
    let repository = Repository::golden();
    repository.code("v2");
    assert_eq!(
        repository.rules_of("PaymentService"),
        [
            "identity-parameter-renamed",
            "locked-contract-broken",
            "member-removed",
            "version-step-too-small"
        ]
    );
    // The clock is core and did not change.
    assert!(repository.rules_of("ClockService").is_empty());
}

#[test]
fn the_modifying_phase_breaks_with_a_major_version_and_a_guide() {
    let repository = Repository::golden();
    repository.code("v2");
    let file = "plan/services/PersonalityProfile.toml";
    repository.edit(file, "1.0.0", "2.0.0");
    let without: Vec<String> = repository.rules_of("PersonalityProfile");
    assert!(
        without.contains(&"locked-contract-broken".to_owned()),
        "{without:?}"
    );
    repository.write("docs/agents.md", "# From user to agent\n");
    repository.edit(
        file,
        "core = false",
        "core = false\nguide = \"docs/agents.md\"",
    );
    assert!(repository.rules_of("PersonalityProfile").is_empty());
}

#[test]
fn a_locked_service_grows_only_in_its_modifying_phase() {
    let repository = Repository::golden();
    let code = "lib/core/services/business_service.dart";
    repository.edit(
        code,
        "Business? byId",
        "void added() {}\n\n  Business? byId",
    );
    let rules = repository.rules_of("BusinessService");
    assert!(
        rules.contains(&"locked-contract-grew".to_owned()),
        "{rules:?}"
    );
    repository.edit(
        "plan/services/BusinessService.toml",
        "uses = [\"7\", \"9\"]",
        "modifies = [\"7\"]",
    );
    repository.edit("plan/services/BusinessService.toml", "1.0.0", "1.1.0");
    assert!(
        !repository
            .rules_of("BusinessService")
            .contains(&"locked-contract-grew".to_owned())
    );
}

#[test]
fn two_phases_in_progress_do_not_modify_one_service() {
    let repository = Repository::golden();
    repository.edit(
        "plan/services/PersonalityProfile.toml",
        "modifies = [\"7.3\"]",
        "modifies = [\"7.3\", \"7\"]",
    );
    assert!(
        repository
            .rules_of("PersonalityProfile")
            .contains(&"phases-collide".to_owned())
    );
}

#[test]
fn a_declared_lock_that_contradicts_is_reported() {
    let repository = Repository::golden();
    let file = "plan/services/PaymentService.toml";
    repository.edit(
        file,
        "[phases]",
        "[phases]\ndeclared = { \"7\" = \"unlocked\", \"9\" = \"locked\" }",
    );
    assert_eq!(repository.rules_of("PaymentService"), ["lock-contradicts"]);
}

#[test]
fn hidden_and_phantom_dependencies_are_told_apart() {
    let repository = Repository::golden();
    repository.edit(
        "plan/services/PaymentService.toml",
        "[\"ClockService\"]",
        "[\"BusinessService\"]",
    );
    assert_eq!(
        repository.rules_of("PaymentService"),
        ["dependency-hidden", "dependency-phantom"]
    );
}

#[test]
fn deprecations_are_counted_in_phases() {
    let repository = Repository::golden();
    let file = "plan/services/PaymentService.toml";
    repository.edit(
        file,
        "[phases]",
        "[[deprecation]]\nmember = \"refund\"\nannounced_in = \"7\"\nreplacement = \"RefundService\"\n\n[phases]",
    );
    let plan = repository.plan();
    let calendar = deprecation::calendar(&plan);
    assert!(
        calendar.contains("| PaymentService | refund | 7 | 9 |"),
        "{calendar}"
    );
    repository.code("v2");
    let early = repository.rules_of("PaymentService");
    assert!(
        early.contains(&"deprecation-removed-early".to_owned()),
        "{early:?}"
    );
    repository.code("v1");
    repository.edit("plan/plan.toml", "planned", "active");
    repository.edit(
        "plan/plan.toml",
        "status = \"active\"\n\n[[phase]]\nid = \"7.3\"",
        "status = \"complete\"\n\n[[phase]]\nid = \"7.3\"",
    );
    assert!(
        repository
            .rules_of("PaymentService")
            .contains(&"deprecation-overdue".to_owned())
    );
}

#[test]
fn can_i_change_names_who_blocks_and_until_when() {
    let repository = Repository::golden();
    repository.edit(
        "plan/services/ClockService.toml",
        "core = true",
        "core = false",
    );
    repository.edit(
        "plan/services/ClockService.toml",
        "[phases]",
        "[phases]\nmodifies = [\"7.3\", \"9\"]",
    );
    let plan = repository.plan();
    let clock = plan.service("ClockService").expect("the clock");
    let answer = change::ask(&plan, clock, plan.phase("7.3").expect("7.3"), true);
    assert!(!answer.allowed);
    let text = change::text(clock, plan.phase("7.3").expect("7.3"), true, &answer);
    assert!(
        text.contains("phase 7 reaches it through PaymentService → ClockService"),
        "{text}"
    );
    assert_eq!(answer.first_possible_in.as_deref(), Some("9"));
    assert!(change::ask(&plan, clock, plan.phase("7.3").expect("7.3"), false).allowed);
}

#[test]
fn a_pair_owes_a_test_until_one_constructs_both() {
    let repository = Repository::golden();
    repository.edit(
        "plan/services/BusinessService.toml",
        "uses = [\"7\", \"9\"]",
        "modifies = [\"7\"]",
    );
    let plan = repository.plan();
    let found = Dependencies::of(&repository.world(&plan));
    let pairs = owed(&plan, &found, &repository.tests(), None);
    let pair = pairs
        .iter()
        .find(|pair| pair.modified == "BusinessService")
        .expect("the pair");
    assert_eq!(pair.tests, ["test/reservation_test.dart"]);
    assert_eq!(pair.when, ["after phase 7", "before phase 9"]);
    repository.write(
        "test/reservation_test.dart",
        "// ReservationService and BusinessService\nvoid main() {}\n",
    );
    let pairs = owed(&plan, &found, &repository.tests(), None);
    assert!(pairs.iter().all(|pair| pair.tests.is_empty()));
}

#[test]
fn junit_says_whether_the_test_ran_and_passed() {
    let repository = Repository::golden();
    repository.edit(
        "plan/services/BusinessService.toml",
        "uses = [\"7\", \"9\"]",
        "modifies = [\"7\"]",
    );
    let plan = repository.plan();
    let found = Dependencies::of(&repository.world(&plan));
    let failed = |junit: &str| {
        let pairs = owed(&plan, &found, &repository.tests(), Some(junit));
        let pair = pairs.iter().find(|pair| pair.modified == "BusinessService");
        pair.expect("the pair")
            .not_passed
            .clone()
            .expect("a verdict")
            .len()
    };
    let case = "<testcase classname=\"test.reservation_test\" name=\"a\"";
    assert_eq!(failed(&format!("{case}/>")), 0);
    assert_eq!(
        failed(&format!("{case}><failure>no</failure></testcase>")),
        1
    );
    assert_eq!(failed(&format!("{case}><skipped/></testcase>")), 1);
    assert_eq!(failed("<testsuite></testsuite>"), 1);
}

#[test]
fn waivers_cover_one_finding_until_their_phase_ends() {
    let repository = Repository::golden();
    repository.code("v2");
    let broken = |checked: &Checked| {
        let mut found = checked.findings.iter();
        found
            .find(|finding| {
                finding.rule == "locked-contract-broken" && finding.identity == "BusinessService"
            })
            .cloned()
    };
    let finding = broken(&repository.check()).expect("the finding");
    let waiver = |until: &str, fingerprint: &str| {
        format!(
            "\n[[waiver]]\nfingerprint = \"{fingerprint}\"\nowner = \"payments\"\nreason = \"agreed\"\nuntil_phase = \"{until}\"\n"
        )
    };
    let plan = std::fs::read_to_string(repository.path().join("plan/plan.toml")).expect("the plan");
    repository.write(
        "plan/plan.toml",
        &(plan.clone() + &waiver("7", &finding.fingerprint())),
    );
    assert!(broken(&repository.check()).is_none());
    repository.write("plan/plan.toml", &(plan.clone() + &waiver("7", "00")));
    let rules: Vec<String> = repository
        .check()
        .findings
        .into_iter()
        .map(|finding| finding.rule)
        .collect();
    assert!(rules.contains(&"waiver-unused".to_owned()));
    let complete = plan.replacen("active", "complete", 1);
    repository.write(
        "plan/plan.toml",
        &(complete + &waiver("7", &finding.fingerprint())),
    );
    let rules: Vec<String> = repository
        .check()
        .findings
        .into_iter()
        .map(|finding| finding.rule)
        .collect();
    assert!(rules.contains(&"waiver-expired".to_owned()));
}

#[test]
fn bad_data_is_refused_with_file_line_and_fix() {
    let cases = [
        (
            "plan/plan.toml",
            "title = \"The",
            "titel = \"The",
            "plan/plan.toml:1",
        ),
        (
            "plan/plan.toml",
            "after = [\"7\", \"7.3\"]",
            "after = [\"8\"]",
            "plan/plan.toml:",
        ),
        (
            "plan/plan.toml",
            "after = [\"7\", \"7.3\"]",
            "after = [\"9\"]",
            "comes after itself",
        ),
        (
            "plan/services/PaymentService.toml",
            "uses = [\"7\"",
            "uses = [\"70\"",
            "PaymentService.toml:",
        ),
        (
            "plan/services/PaymentService.toml",
            "1.0.0",
            "1.x",
            "MAJOR.MINOR.PATCH",
        ),
        (
            "plan/services/PaymentService.toml",
            "[\"ClockService\"]",
            "[\"Clok\"]",
            "which is no service",
        ),
        (
            "plan/services/PaymentService.toml",
            "\"dart\"",
            "\"cobol\"",
            "cobol",
        ),
    ];
    for (file, from, to, expected) in cases {
        let repository = Repository::golden();
        repository.edit(file, from, to);
        let error = Plan::load(repository.path()).expect_err(to).to_string();
        assert!(error.contains(expected), "{to}: {error}");
        assert!(error.contains(file), "{to}: {error}");
    }
}

#[test]
fn a_symbol_that_is_missing_or_there_twice_is_an_error() {
    let repository = Repository::golden();
    repository.edit(
        "plan/services/PaymentService.toml",
        "lib/core/services",
        "lib/elsewhere",
    );
    assert_eq!(repository.rules_of("PaymentService"), ["service-not-found"]);
    let repository = Repository::golden();
    repository.write(
        "lib/core/services/other.dart",
        "class PaymentService { void other() {} }\n",
    );
    let rules = repository.rules_of("PaymentService");
    assert!(rules.contains(&"service-not-found".to_owned()), "{rules:?}");
}

#[test]
fn documents_are_rendered_from_the_data() {
    let repository = Repository::golden();
    let plan = repository.plan();
    let world = repository.world(&plan);
    let found = Dependencies::of(&world);
    let owed = owed(&plan, &found, &repository.tests(), None);
    let rendered = docs::render(&plan, &world.services(), &found, &owed);
    let text = |name: &str| {
        let found = rendered.iter().find(|(known, _)| *known == name);
        found.map(|(_, text)| text.clone()).expect("the document")
    };
    assert!(text("master-plan.md").contains("user and agent logic"));
    assert!(text("contracts.md").contains("Future<Receipt> charge(String userId"));
    assert!(text("locking-matrix.md").contains("**uses, locked**"));
    assert!(text("dependencies.md").contains("flowchart LR"));
    assert_eq!(
        rendered,
        docs::render(&plan, &world.services(), &found, &owed)
    );
}

#[test]
fn a_first_plan_holds_together() {
    let repository = Repository(tempfile::tempdir().expect("a folder"));
    repository.code("v1");
    let tree = Tree::walk(repository.path(), &[Language::Dart]).expect("a tree");
    let world = World::read(tree, Options::default(), &Cache::none());
    for (path, text) in infer::first_plan(&world) {
        repository.write(&path, &text);
    }
    let plan = repository.plan();
    assert_eq!(plan.services.len(), 31 - 1);
    let errors = repository.check().findings;
    assert!(
        errors.iter().all(|finding| finding.level < Level::Error),
        "{errors:?}"
    );
}
