//! The Dart client without a Dart VM: its sources parse, and what it expects of the C library is what
//! the header says.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use tree_sitter::{Node, Parser};

type Outcome = Result<(), Box<dyn Error>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../dart/lib")
}

fn sources() -> Result<BTreeMap<PathBuf, String>, Box<dyn Error>> {
    let mut found = BTreeMap::new();
    for folder in [root(), root().join("src")] {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "dart")
            {
                found.insert(path.clone(), fs::read_to_string(path)?);
            }
        }
    }
    Ok(found)
}

fn first_error(node: Node<'_>) -> Option<Node<'_>> {
    if node.is_error() || node.is_missing() {
        return Some(node);
    }
    let mut cursor = node.walk();
    let children: Vec<_> = node.children(&mut cursor).collect();
    children.into_iter().find_map(first_error)
}

#[test]
fn every_source_parses_and_none_reads_the_wall_clock() -> Outcome {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_dart::LANGUAGE.into())?;
    let sources = sources()?;
    assert!(sources.len() >= 6);
    for (path, text) in sources {
        let tree = parser.parse(&text, None).ok_or("no tree")?;
        let error = first_error(tree.root_node()).map(|node| node.start_position());
        assert_eq!(error, None, "{}", path.display());
        assert!(!text.contains("DateTime.now"), "{}", path.display());
    }
    Ok(())
}

/// A native type by its kind: what must agree between the two sides.
fn c_kind(parameter: &str) -> &'static str {
    if parameter.contains('*') || parameter.contains('[') {
        return "Pointer";
    }
    let words = [
        ("spots_status", "Int32"),
        ("uint64_t", "Uint64"),
        ("int64_t", "Int64"),
        ("uint16_t", "Uint16"),
        ("uint32_t", "Uint32"),
        ("uint8_t", "Uint8"),
        ("size_t", "Size"),
        ("void", "Void"),
    ];
    let found = words.iter().find(|(word, _)| parameter.contains(word));
    found.map_or("unknown", |(_, kind)| kind)
}

/// The functions of the header: name to kinds of result and parameters.
fn declared(header: &str) -> BTreeMap<String, Vec<&'static str>> {
    let without_comments: String = header
        .split("/*")
        .map(|part| part.split_once("*/").map_or(part, |(_, rest)| rest))
        .collect();
    without_comments
        .split(';')
        .filter_map(|declaration| {
            let (head, parameters) = declaration.split_once('(')?;
            let parameters = parameters.trim_end().strip_suffix(')')?;
            let name = head
                .rsplit(|letter: char| letter.is_whitespace() || letter == '*')
                .next()?;
            let result = c_kind(head.lines().last()?.strip_suffix(name)?);
            let kinds = std::iter::once(result).chain(parameters.split(',').map(c_kind));
            Some((name.to_owned(), kinds.collect()))
        })
        .collect()
}

fn dart_kind(kind: &str) -> &str {
    kind.trim().split('<').next().unwrap_or(kind)
}

/// The functions that the Dart client looks up, with their native types.
fn expected(bindings: &str) -> BTreeMap<String, Vec<String>> {
    bindings
        .split("lookupFunction<")
        .skip(1)
        .filter_map(|part| {
            let name = part.split('\'').nth(1)?;
            let (result, rest) = part.split_once(" Function(")?;
            let parameters = rest.split_once("),")?.0;
            let kinds = std::iter::once(result).chain(parameters.split(", "));
            Some((
                name.to_owned(),
                kinds.map(|kind| dart_kind(kind).to_owned()).collect(),
            ))
        })
        .collect()
}

#[test]
fn every_native_function_is_what_the_header_declares() -> Outcome {
    let declared = declared(include_str!("../../spots_clock.h"));
    let expected = expected(&fs::read_to_string(root().join("src/bindings.dart"))?);
    assert_eq!(expected.len(), 11);
    for (name, kinds) in expected {
        let header = declared.get(&name);
        let header = header.ok_or_else(|| format!("{name} is not in the header"))?;
        assert_eq!(&kinds, header, "{name}");
    }
    Ok(())
}

#[test]
fn the_timestamp_has_the_fields_of_the_header_in_its_order() -> Outcome {
    let header = include_str!("../../spots_clock.h");
    let body = header.split("typedef struct spots_timestamp {").nth(1);
    let body = body
        .and_then(|rest| rest.split('}').next())
        .ok_or("no struct")?;
    let in_c: Vec<(String, &str)> = body
        .lines()
        .filter_map(|line| {
            let (kind, name) = line.split(';').next()?.trim().split_once(' ')?;
            let kind = if name.contains('[') {
                "Array"
            } else {
                c_kind(kind)
            };
            Some((name.split('[').next()?.replace('_', ""), kind))
        })
        .collect();

    let bindings = fs::read_to_string(root().join("src/bindings.dart"))?;
    let body = bindings
        .split("class SpotsTimestamp extends Struct {")
        .nth(1);
    let body = body
        .and_then(|rest| rest.split("\n}").next())
        .ok_or("no class")?;
    let in_dart: Vec<(String, &str)> = body
        .split(';')
        .filter_map(|field| {
            let (annotation, declaration) = field.trim().split_once('\n')?;
            let name = declaration.split_whitespace().last()?.to_lowercase();
            let kind = annotation.trim_start_matches('@').split('(').next()?;
            Some((name, kind))
        })
        .collect();
    assert_eq!(in_dart.len(), 8);
    assert_eq!(in_dart, in_c);
    Ok(())
}
