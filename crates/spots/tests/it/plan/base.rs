//! The gate with a base: promises, locks, migrations and clock reads of the revision that is merged into.

use super::Repository;

const PAYMENTS: &str = "lib/core/services/payment_service.dart";
const PAYMENT_PLAN: &str = "plan/services/PaymentService.toml";

/// A member that payments lose, by editing the file of the golden tree.
fn break_payments(repository: &Repository) {
    let file = repository.path().join(PAYMENTS);
    let text = std::fs::read_to_string(&file).unwrap();
    let kept: Vec<&str> = text
        .lines()
        .filter(|line| !line.contains("refund"))
        .collect();
    assert!(kept.len() < text.lines().count(), "payments have a refund");
    std::fs::write(file, kept.join("\n")).unwrap();
}

fn rules(of: &[&str]) -> Vec<String> {
    of.iter().map(|rule| (*rule).to_owned()).collect()
}

#[test]
fn an_unchanged_tree_is_clean_against_its_base() {
    let repository = Repository::planned();
    assert_eq!(repository.gate(&["--base", "main"]), (Vec::new(), 0));
}

#[test]
fn a_contract_frozen_anew_does_not_hide_a_break() {
    let repository = Repository::planned();
    break_payments(&repository);
    let (said, status) = repository.spots(&["contract", "freeze", "--replace"]);
    assert_eq!(status, 0, "{said}");
    let (without, _) = repository.gate(&[]);
    assert!(
        without.is_empty(),
        "alone, the tree agrees with itself: {without:?}"
    );
    let (found, status) = repository.gate(&["--base", "main"]);
    assert_eq!(status, 1);
    for rule in [
        "contract-rewritten",
        "locked-contract-broken",
        "member-removed",
    ] {
        assert!(found.contains(&rule.to_owned()), "{rule}: {found:?}");
    }
}

#[test]
fn a_lock_does_not_end_in_the_change_that_breaks() {
    let repository = Repository::planned();
    break_payments(&repository);
    repository.write("docs/payment-2.md", "Call nothing.\n");
    repository.edit(
        PAYMENT_PLAN,
        "uses = [\"7\", \"9\"]",
        "uses = [\"9\"]\nmodifies = [\"7\"]",
    );
    repository.edit(
        PAYMENT_PLAN,
        "version = \"1.0.0\"",
        "version = \"2.0.0\"\nguide = \"docs/payment-2.md\"",
    );
    let (found, _) = repository.gate(&["--base", "main"]);
    assert_eq!(found, rules(&["lock-lifted"]));
    // Merged by itself, the change of the plan is the new base.
    repository.git(&["stash", "--quiet", "--", "lib"]);
    repository.commit();
    repository.git(&["stash", "pop", "--quiet"]);
    assert_eq!(repository.gate(&["--base", "main"]), (Vec::new(), 0));
}

#[test]
fn a_base_is_read_from_gits_objects() {
    let repository = Repository::planned();
    repository.git(&["switch", "--quiet", "--create", "work"]);
    break_payments(&repository);
    repository.commit();
    let (committed, _) = repository.gate(&["--base", "main"]);
    assert!(
        committed.contains(&"member-removed".to_owned()),
        "{committed:?}"
    );
    let (said, status) = repository.spots(&["contract", "diff", "--repo", ".", "main", "work"]);
    assert_eq!(status, 1);
    assert!(
        said.contains("member-removed") || said.contains("is gone"),
        "{said}"
    );
}

#[test]
fn services_and_plans_do_not_vanish() {
    let repository = Repository::planned();
    std::fs::remove_file(repository.path().join(PAYMENT_PLAN)).unwrap();
    repository.edit(
        "plan/services/ReservationService.toml",
        "\"PaymentService\", ",
        "",
    );
    let (found, status) = repository.gate(&["--base", "main"]);
    assert_eq!((found, status), (rules(&["service-dropped"]), 1));
    std::fs::remove_dir_all(repository.path().join("plan")).unwrap();
    let (found, status) = repository.gate(&["--base", "main"]);
    assert_eq!((found, status), (rules(&["plan-data"]), 1));
}

#[test]
fn two_branches_that_modify_one_service_meet_before_they_merge() {
    let repository = Repository::planned();
    let phase = "\n[[phase]]\nid = \"8\"\ntitle = \"Theirs\"\nstatus = \"active\"\n";
    repository.git(&["switch", "--quiet", "--create", "theirs"]);
    let plan = std::fs::read_to_string(repository.path().join("plan/plan.toml")).unwrap();
    repository.write("plan/plan.toml", format!("{plan}{phase}"));
    repository.edit(
        "plan/services/BusinessService.toml",
        "uses = [\"7\", \"9\"]",
        "modifies = [\"8\"]",
    );
    repository.commit();
    repository.git(&["switch", "--quiet", "main"]);
    repository.edit(
        "plan/services/BusinessService.toml",
        "uses = [\"7\", \"9\"]",
        "modifies = [\"7\"]",
    );
    let (found, status) = repository.gate(&["--base", "theirs"]);
    assert_eq!((found, status), (rules(&["phases-collide"]), 1));
}

#[test]
fn migrations_of_both_sides_are_compared() {
    let repository = Repository::planned();
    repository.write("migrations/1_a.sql", "CREATE TABLE a (id int);");
    repository.commit();
    repository.git(&["switch", "--quiet", "--create", "theirs"]);
    repository.write("migrations/2_theirs.sql", "ALTER TABLE a ADD COLUMN b int;");
    repository.commit();
    repository.git(&["switch", "--quiet", "main"]);
    repository.write("migrations/2_ours.sql", "ALTER TABLE a DROP COLUMN id;");
    repository.commit();
    let (alone, _) = repository.gate(&[]);
    assert!(alone.is_empty(), "{alone:?}");
    let (found, status) = repository.gate(&["--base", "theirs"]);
    assert_eq!(status, 1, "{found:?}");
    assert!(!found.is_empty());
}

#[test]
fn a_clock_read_beyond_the_base_is_new_whatever_the_baseline_says() {
    let repository = Repository::planned();
    let (said, status) = repository.spots(&["clock", "baseline"]);
    assert_eq!(status, 0, "{said}");
    repository.commit();
    repository.write(
        "lib/core/services/late_stamp.dart",
        "class LateStamp {\n  void note() {\n    save(createdAt: DateTime.now());\n  }\n}\n",
    );
    let (found, status) = repository.gate(&[]);
    assert_eq!(status, 1, "{found:?}");
    // Let in, and the reason taken out by hand.
    let (said, status) = repository.spots(&["clock", "baseline", "--accept", "on purpose"]);
    assert_eq!(status, 0, "{said}");
    assert_eq!(repository.gate(&["--base", "main"]), (Vec::new(), 0));
    repository.edit("plan/clock.baseline", "\ton purpose", "");
    let (alone, _) = repository.gate(&[]);
    assert!(alone.is_empty(), "{alone:?}");
    let (against, status) = repository.gate(&["--base", "main"]);
    assert_eq!((against, status), (found, 1));
}

#[test]
fn an_api_is_locked_like_any_service() {
    let shop = "openapi: 3.1.0\ninfo: {title: Shop}\npaths:\n  /orders:\n    get:\n      responses:\n        \
        '200':\n          content:\n            application/json:\n              \
        schema: {type: object, properties: {id: {type: string}, total: {type: number}}}\n";
    let repository = Repository::planned();
    repository.write("api/shop.yaml", shop);
    repository.write(
        "plan/services/ShopApi.toml",
        "service = \"ShopApi\"\nversion = \"1.0.0\"\n\n[source]\npath = \"api/shop.yaml\"\n\
         language = \"openapi\"\nsymbol = \"Shop\"\n\n[phases]\nuses = [\"7\"]\n",
    );
    let (said, status) = repository.spots(&["contract", "freeze"]);
    assert_eq!(status, 0, "{said}");
    repository.commit();
    assert_eq!(repository.gate(&["--base", "main"]), (Vec::new(), 0));
    repository.write("api/shop.yaml", shop.replace(", total: {type: number}", ""));
    let (found, status) = repository.gate(&["--base", "main"]);
    let broken = [
        "locked-contract-broken",
        "response-property-removed",
        "version-step-too-small",
    ];
    assert_eq!((found, status), (rules(&broken), 1));
    let more = shop.replace(
        "total: {type: number}",
        "total: {type: number}, tax: {type: number}",
    );
    repository.write("api/shop.yaml", more);
    let (found, _) = repository.gate(&[]);
    assert_eq!(
        found,
        rules(&["locked-contract-grew", "version-step-too-small"])
    );
    repository.write(
        "api/shop.yaml",
        "openapi: 3.1.0\ninfo: {title: Shop}\npaths: [",
    );
    let (said, status) = repository.spots(&["plan", "check"]);
    assert_eq!(status, 1, "{said}");
    assert!(
        said.contains("api/shop.yaml: could not read: line"),
        "{said}"
    );
}

#[test]
fn a_base_whose_plan_is_torn_is_never_clean() {
    let repository = Repository::planned();
    repository.edit(
        "plan/plan.toml",
        "status = \"planned\"",
        "status = \"someday\"",
    );
    repository.commit();
    repository.edit(
        "plan/plan.toml",
        "status = \"someday\"",
        "status = \"planned\"",
    );
    let (found, status) = repository.gate(&["--base", "main"]);
    assert_eq!((found, status), (Vec::new(), 2));
}
