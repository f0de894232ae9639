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

#[test]
fn a_service_that_cannot_be_read_is_one_problem() {
    let repository = Repository::planned();
    repository.edit("plan/services/PaymentService.toml", "core", "kore");
    let (said, status) = repository.spots(&["plan", "check"]);
    assert_eq!(status, 1, "{said}");
    assert_eq!(said.matches(": error: ").count(), 1, "{said}");
    assert!(said.contains("unknown field `kore`"), "{said}");
    repository.write("plan/services/PaymentService.toml", [0x00, 0xff]);
    let (said, _) = repository.spots(&["plan", "check"]);
    assert!(said.contains("Restore the file"), "{said}");
}

#[test]
fn a_reader_that_goes_away_changes_no_verdict() {
    let repository = Repository::planned();
    repository.second_version();
    #[expect(
        clippy::disallowed_methods,
        reason = "the test runs the binary as people do"
    )]
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_spots"))
        .args(["plan", "check"])
        .current_dir(repository.path())
        .env("SPOTS_CACHE", repository.cache.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn what_was_kept_of_files_changes_no_finding() {
    let repository = Repository::planned();
    let check = |arguments: &[&str]| {
        let command = [&["plan", "check", "--format", "json"], arguments].concat();
        repository.spots(&command)
    };
    assert_eq!(repository.spots(&["clock", "baseline"]).1, 0);
    let first = check(&[]);
    let kept = std::fs::read_dir(repository.cache.path()).unwrap().count();
    assert_eq!(kept, 2, "contracts and clock");
    assert_eq!(check(&[]), first);
    assert_eq!(check(&["--no-cache"]), first);
    // A wrapper, its caller in another file, and a second change of the caller alone.
    repository.write("lib/stamp.dart", "DateTime stamp() => DateTime.now();\n");
    let caller = |line: &str| format!("import 'stamp.dart';\n{line}\n");
    repository.write("lib/caller.dart", caller("void f() { print(stamp()); }"));
    let second = check(&[]);
    assert_eq!(second, check(&["--no-cache"]));
    assert!(second.0.contains("lib/caller.dart"), "{}", second.0);
    repository.write(
        "lib/caller.dart",
        caller("\n\nvoid g() { print(stamp()); }"),
    );
    let third = check(&[]);
    assert_eq!(third, check(&["--no-cache"]));
    assert_ne!(third, second);
    repository.write("lib/stamp.dart", "int stamp() => 1;\n");
    let fourth = check(&[]);
    assert_eq!(fourth, check(&["--no-cache"]));
    assert_eq!(fourth, first, "nobody reads the clock any more");
}
