//! The shells' own completion of the commands.

use std::process::Command;

#[expect(
    clippy::disallowed_methods,
    reason = "the test runs the binary and a shell as people do"
)]
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn bash_completes_commands_and_their_flags() {
    let script = run(env!("CARGO_BIN_EXE_spots"), &["completions", "bash"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spots.bash");
    std::fs::write(&file, script).unwrap();
    let complete = |words: &str, at: usize| {
        let ask = format!(
            "source {}; COMP_WORDS=({words}); COMP_CWORD={at}; \
             _spots spots \"${{COMP_WORDS[$COMP_CWORD]}}\"; echo \"${{COMPREPLY[@]}}\"",
            file.display()
        );
        run("bash", &["-c", &ask])
    };
    assert_eq!(complete("spots plan can", 2).trim(), "can-i-change");
    assert_eq!(complete("spots contract ext", 2).trim(), "extract");
    assert!(complete("spots clock audit --for", 3).contains("--format"));
}

#[test]
fn every_shell_gets_the_commands() {
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        let script = run(env!("CARGO_BIN_EXE_spots"), &["completions", shell]);
        for word in ["can-i-change", "deprecations", "rehearse", "completions"] {
            assert!(script.contains(word), "{shell} lacks {word}");
        }
    }
}
