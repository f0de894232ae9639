//! `spots serve` and `spots keys`: what an operator types, and what is refused.

use std::path::Path;
use std::process::{Command, Output};

fn spots(folder: &Path, arguments: &[&str]) -> Output {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test runs the binary as people do"
    )]
    let mut command = Command::new(env!("CARGO_BIN_EXE_spots"));
    command
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// The command ends with 2 and says this on standard error.
fn refused(folder: &Path, arguments: &[&str], text: &str) {
    let output = spots(folder, arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
    assert!(said.contains(text), "{arguments:?}: {said}");
}

#[test]
fn what_cannot_be_served_is_refused_with_the_next_step() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for step in [
        "--tls-certificate",
        "--tls-self-signed",
        "--https-proxy",
        "127.0.0.1",
    ] {
        refused(folder, &["serve", "--listen", "0.0.0.0:0"], step);
    }
    refused(
        folder,
        &["serve", "--tls-certificate", "chain.pem"],
        "--tls-key",
    );
    let both = ["serve", "--tls-self-signed", "--https-proxy"];
    refused(folder, &both, "cannot be used with");
    let logins = [
        "serve",
        "--host-database-url",
        "postgres://spots_host@db/spots",
    ];
    refused(folder, &logins, "for PostgreSQL");
    refused(
        folder,
        &["serve", "--database-url", "mysql://x"],
        "sqlite:// or postgres://",
    );
    refused(folder, &["serve", "--password-workers", "0"], "1..=256");
    refused(folder, &["serve", "--log", "spots=loud"], "try `info`");
    let postgres = [
        "serve",
        "--database-url",
        "postgres://spots@127.0.0.1:1/spots",
    ];
    refused(folder, &postgres, "spots keys init");
    for (text, said) in [
        ("listne = 'x'", "`listne` is not a setting"),
        ("listen = ['x']", "takes a text"),
        ("listen = 'x'", "invalid value 'x'"),
        ("listen", "failed to read the configuration file"),
    ] {
        std::fs::write(folder.join("bad.toml"), text).unwrap();
        refused(folder, &["serve", "--config", "bad.toml"], said);
    }
    assert!(!folder.join("spots.db").exists(), "nothing was begun");
}

#[test]
fn letters_need_a_sender_a_link_and_a_place_to_go() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let carriers = [["--mail-command", "true"], ["--mail-folder", "."]];
    for carrier in carriers {
        let alone = ["serve", carrier[0], carrier[1]];
        refused(folder, &alone, "--mail-from ADDRESS and --public-url");
    }
    let [command, letters] = carriers;
    let both = [&["serve"], &command[..], &letters[..]].concat();
    refused(folder, &both, "cannot be used with");
    let mail = |from: &'static str, url: &'static str, letters: &'static str| {
        let settings = ["--mail-from", from, "--public-url", url];
        [&["serve", "--mail-folder", letters], &settings[..]].concat()
    };
    let good = ("spots@example.org", "https://spots.example.org");
    refused(folder, &mail("nobody", good.1, "."), "is an e-mail address");
    refused(
        folder,
        &mail(good.0, "spots.example.org", "."),
        "is like https://",
    );
    refused(folder, &mail(good.0, good.1, "none"), "make it first");
}

#[test]
fn keys_are_made_once_and_kept_to_their_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert!(spots(folder, &["keys", "init"]).status.success());
    let file = folder.join("spots.keys");
    let keys = std::fs::read(&file).unwrap();
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    refused(folder, &["keys", "init"], "failed to write the key file");
    assert_eq!(std::fs::read(&file).unwrap(), keys, "the keys stay");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    refused(folder, &["serve"], "chmod 600");
}
