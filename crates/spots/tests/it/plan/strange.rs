//! Trees that nobody meant to be read: named, skipped, never called clean.

use super::Repository;

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_judged() {
    let repository = Repository::planned();
    let long = format!(
        "class LongService {{ final String x = '{}'; }}",
        "x".repeat(10 * 1024 * 1024)
    );
    repository.write("lib/long_service.dart", long);
    repository.write(
        "lib/binary_service.dart",
        [0x00, 0xff, 0x00, b'c', b'l', 0x80],
    );
    repository.write(
        "lib/folder.dart/inner_service.dart",
        "class InnerService {}\n",
    );
    repository.write(
        "lib/name with blank_service.dart",
        "class BlankService {}\n",
    );
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("..", repository.path().join("lib/loop")).unwrap();
        std::os::unix::fs::symlink("gone", repository.path().join("lib/gone_service.dart"))
            .unwrap();
    }
    for command in ["plan check", "contract extract", "plan graph"] {
        let (said, status) = repository.spots(&command.split(' ').collect::<Vec<_>>());
        assert_eq!(status, 2, "{command}: {said}");
        assert!(
            said.contains("lib/long_service.dart: could not read: larger than"),
            "{said}"
        );
        assert!(
            said.contains("lib/binary_service.dart: could not read: binary"),
            "{said}"
        );
    }
    let (said, _) = repository.spots(&["contract", "extract"]);
    assert!(
        said.contains("class InnerService") && said.contains("class BlankService"),
        "{said}"
    );
    assert_eq!(
        said.matches("class InnerService").count(),
        1,
        "a loop is not walked"
    );
    let (said, status) = repository.spots(&["contract", "freeze", "--replace"]);
    assert_eq!(status, 2, "what was not read is not frozen: {said}");
}

#[test]
fn a_long_single_line_within_the_limit_is_read() {
    let repository = Repository::empty();
    let mut many = String::new();
    for at in 0..60_000 {
        many.extend([format!("void m{at}(int a) {{}} ")]);
    }
    repository.write("lib/a.dart", format!("class LongService {{ {many} }}"));
    let (said, status) =
        repository.spots(&["contract", "extract", "--format", "json", "--no-cache"]);
    assert_eq!(status, 0);
    let value: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        value["services"][0]["methods"].as_array().unwrap().len(),
        60_000
    );
}

#[test]
fn a_plan_that_is_no_plan_is_an_error_with_file_and_line() {
    let repository = Repository::planned();
    repository.write("plan/plan.toml", [0xff, 0xfe, 0x00]);
    let (said, status) = repository.spots(&["plan", "check"]);
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("plan/plan.toml:1:1: error"), "{said}");
    repository.write("plan/plan.toml", "[[phase]]\nid = \"1\"\ntitel = \"x\"\n");
    let (said, status) = repository.spots(&["plan", "check"]);
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("plan/plan.toml:3:1: error"), "{said}");
}

#[test]
fn a_frozen_contract_that_cannot_be_read_is_never_clean() {
    let repository = Repository::planned();
    repository.write(
        "plan/contracts/PaymentService-1.0.0.contract",
        "# spots contract 1\nnonsense\n",
    );
    let (said, status) = repository.spots(&["plan", "check"]);
    assert_eq!(status, 2, "{said}");
    assert!(
        said.contains("plan/contracts/PaymentService-1.0.0.contract: could not read: line 2"),
        "{said}"
    );
}
