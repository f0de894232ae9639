//! Walking trees: order, limits, and everything that a file system can hold in place of a source.

use std::fs;
use std::path::Path;
use std::process::Command;

use spots_plan::contract::cache::Cache;
use spots_plan::contract::{Options, World};
use spots_plan::tree::{FILE_BYTES_MAX, Language, Tree, TreeError};

fn write(root: &Path, path: &str, text: impl AsRef<[u8]>) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn paths(tree: &Tree) -> Vec<&str> {
    tree.files().iter().map(|file| file.path.as_str()).collect()
}

#[test]
fn files_come_sorted_with_their_language_and_nothing_else_comes() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    write(root, "lib/b.dart", "b");
    write(root, "lib/a/z.dart", "z");
    write(root, "web/app.tsx", "");
    write(root, "README.md", "");
    write(root, ".hidden/x.dart", "");
    write(root, ".dart", "");
    write(root, "build/out.dart", "");
    write(root, ".ignore", "build/\n");
    fs::create_dir_all(root.join("lib/folder.dart")).unwrap();
    std::os::unix::fs::symlink(root, root.join("lib/loop")).unwrap();
    std::os::unix::fs::symlink(root.join("lib/b.dart"), root.join("lib/link.dart")).unwrap();

    let tree = Tree::walk(root, &Language::ALL).unwrap();
    assert_eq!(paths(&tree), ["lib/a/z.dart", "lib/b.dart", "web/app.tsx"]);
    assert!(tree.unreadable().is_empty());
    let visited = tree.visit(|file, text| format!("{}={text}", file.language.as_str()));
    let items = visited
        .items
        .iter()
        .map(|(_, item)| item.as_str())
        .collect::<Vec<_>>();
    assert_eq!(items, ["dart=z", "dart=b", "tsx="]);

    let tree = Tree::walk(root, &[Language::Dart]).unwrap();
    assert_eq!(paths(&tree), ["lib/a/z.dart", "lib/b.dart"]);
}

#[test]
fn what_is_no_text_is_named_and_does_not_stop_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    write(root, "binary.dart", b"\x00\x01\x02\xff");
    write(root, "latin1.dart", b"// caf\xe9");
    write(
        root,
        "huge.dart",
        vec![b'x'; usize::try_from(FILE_BYTES_MAX).unwrap() + 1],
    );
    write(root, "fine.dart", "fine");
    let mut video = vec![0_u8; 188 * 4];
    for packet in video.chunks_mut(188) {
        packet[0] = b'G';
    }
    write(root, "video.ts", video);

    let visited = Tree::walk(root, &Language::ALL)
        .unwrap()
        .visit(|_, text| text.len());
    let read = visited
        .items
        .iter()
        .map(|(file, size)| (file.path.as_str(), *size));
    assert_eq!(
        read.collect::<Vec<_>>(),
        [("fine.dart", 4), ("video.ts", 0)]
    );
    let unreadable = visited
        .unreadable
        .iter()
        .map(|entry| format!("{}: {}", entry.path, entry.reason));
    assert_eq!(
        unreadable.collect::<Vec<_>>(),
        [
            "binary.dart: binary".to_owned(),
            format!("huge.dart: larger than {FILE_BYTES_MAX} bytes"),
            "latin1.dart: not UTF-8 at byte 6".to_owned(),
        ]
    );
}

#[test]
fn one_file_is_a_tree_too_and_nothing_is_not() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "lib/a.dart", "text");
    let tree = Tree::walk(&dir.path().join("lib/a.dart"), &Language::ALL).unwrap();
    assert_eq!(paths(&tree), ["a.dart"]);
    assert_eq!(tree.read(&tree.files()[0]).unwrap(), "text");
    let missing = Tree::walk(&dir.path().join("nothing"), &Language::ALL);
    assert!(matches!(missing, Err(TreeError::Missing(_))));
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test makes a repository with git itself"
)]
fn git(root: &Path, arguments: &[&str]) {
    let identity = [
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@localhost",
        "-c",
        "init.defaultBranch=m",
    ];
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(identity)
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_revision_shows_what_was_committed_below_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    git(root, &["init", "-q"]);
    write(root, "app/lib/a.dart", "old");
    write(root, "app/lib/gone.dart", "gone");
    write(root, "other/b.dart", "");
    git(root, &["add", "."]);
    git(root, &["commit", "-q", "-m", "first"]);
    write(root, "app/lib/a.dart", "new");
    fs::remove_file(root.join("app/lib/gone.dart")).unwrap();

    let tree = Tree::at_revision(&root.join("app"), "HEAD", &Language::ALL).unwrap();
    assert_eq!(paths(&tree), ["lib/a.dart", "lib/gone.dart"]);
    let texts = tree.visit(|_, text| text.to_owned()).items;
    assert_eq!(
        texts
            .iter()
            .map(|(_, text)| text.as_str())
            .collect::<Vec<_>>(),
        ["old", "gone"]
    );

    for refused in ["nowhere", "", "--help"] {
        let error = Tree::at_revision(root, refused, &Language::ALL).unwrap_err();
        assert!(
            matches!(error, TreeError::Revision(_)),
            "{refused}: {error}"
        );
    }
}

#[test]
fn crates_of_a_revision_are_named_by_its_own_manifests() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    git(root, &["init", "-q"]);
    write(
        root,
        "app/crates/store/Cargo.toml",
        "[package]\nname = \"acme-store\"\n",
    );
    let access = "pub trait Access { fn map(&self) {} }\n";
    write(root, "app/crates/store/src/lib.rs", access);
    let service =
        "use acme_store::Access;\npub struct PayService;\nimpl Access for PayService {}\n";
    write(root, "app/crates/pay/src/lib.rs", service);
    git(root, &["add", "."]);
    git(root, &["commit", "-q", "-m", "first"]);
    fs::remove_dir_all(root.join("app")).unwrap();
    fs::create_dir(root.join("app")).unwrap();

    let tree = Tree::at_revision(&root.join("app"), "HEAD", &[Language::Rust]).unwrap();
    let world = World::read(tree, Options::default(), &Cache::none());
    let services = world.services();
    let members: Vec<&str> = services
        .iter()
        .flat_map(|service| service.members().map(|member| member.name.as_str()))
        .collect();
    assert_eq!(members, ["map"]);
}
