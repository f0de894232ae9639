//! Extraction from strange sources, and frozen contracts read back.

use proptest::prelude::*;
use spots_findings::Level;
use spots_plan::contract::dart::extract;
use spots_plan::contract::diff::{DiffOptions, compare};
use spots_plan::contract::frozen::Frozen;
use spots_plan::contract::{World, rules, show};

use super::{diff, diff_one, snapshots};

fn signatures(text: &str) -> Vec<String> {
    let unit = extract(text);
    unit.types
        .iter()
        .flat_map(|ty| &ty.members)
        .map(show::signature)
        .collect()
}

#[test]
fn members_of_every_kind_are_read() {
    let text = "import 'money.dart' as m;\nabstract class S<T> {\n static const int limit = 3;\n\
        final String a, b;\n S(this.a, {required this.b, int c = 0});\n const S._p();\n\
        factory S.of(String x) => throw Bad();\n Future<void> pay(m.Money by, [String? to]) async {}\n\
        int get n => 1;\n set n(int v) {}\n bool operator ==(Object o) => false;\n\
        R map<R>(R f(T x), {void Function(int, String)? cb,}) ;\n (int, {String s}) pair();\n}";
    assert_eq!(
        signatures(text),
        [
            "static const int limit",
            "final String a",
            "final String b",
            "S(a, {required b, int c = 0})",
            "const S._p()",
            "factory S.of(String x)",
            "Future<void> pay(Money by, [String? to])",
            "int get n",
            "set n(int v)",
            "bool operator ==(Object o)",
            "R map<R>(R Function(T x) f, {void Function(int, String)? cb})",
            "(int, {String s}) pair()",
        ]
    );
}

#[test]
fn a_method_without_a_return_type_is_no_constructor() {
    let old = "class AService { AService(this.a); final int a; sort() { a; } }";
    let new = "class AService { AService(\n    this.a,\n  );\n  final int a; sort() { a; } }";
    assert!(diff_one(old, new).findings.is_empty());
    assert_eq!(signatures(old), ["AService(a)", "final int a", "sort()"]);
}

#[test]
fn a_tree_that_does_not_compile_is_read_and_named() {
    let found = diff_one(
        "class AService { void a() {} }",
        "class AService { void a( {} }",
    );
    assert!(
        found
            .findings
            .iter()
            .all(|finding| finding.rule != "service-removed")
    );
    let unit = extract("class AService { void a( {} }");
    assert_eq!(unit.broken, Some(1));
}

#[test]
fn services_with_one_name_are_never_paired_by_chance() {
    let one = "class PayService { void a() {} void b() {} }";
    let two = "class PayService { void x() {} void y() {} }";
    let moved = diff(
        &[("lib/a.dart", one), ("lib/b.dart", two)],
        &[("lib/c.dart", one), ("lib/d.dart", two)],
    );
    assert!(
        moved.findings.is_empty() && moved.unreadable.is_empty(),
        "{moved:?}"
    );
    let changed = "class PayService { void q() {} void r() {} }";
    let unclear = diff(
        &[("lib/a.dart", one), ("lib/b.dart", two)],
        &[("lib/c.dart", changed), ("lib/d.dart", two)],
    );
    assert_eq!(unclear.unreadable.len(), 1, "{unclear:?}");
}

#[test]
fn a_frozen_contract_reads_back_as_it_was() {
    for rule in rules::all() {
        for text in [&rule.bad.old, &rule.bad.new, &rule.good.new] {
            let (snapshot, again) = snapshots(&[("lib/a.dart", text)], &[("lib/a.dart", text)]);
            for service in &snapshot.services {
                let frozen = Frozen::new("1.2.3", "dart", service, &snapshot);
                let written = frozen.render();
                let read = Frozen::parse(&written).expect("it reads back");
                assert_eq!(read.render(), written);
                let before = spots_plan::contract::Snapshot::from(read);
                let now = spots_plan::contract::Snapshot {
                    services: vec![service.clone()],
                    types: again.types.iter().chain(&again.services).cloned().collect(),
                    further: again.further.clone(),
                };
                let found = compare(&before, &now, &DiffOptions::default());
                assert!(found.findings.is_empty(), "{:?}\n{written}", found.findings);
            }
        }
    }
}

#[test]
fn a_contract_file_that_is_none_is_refused_with_its_line() {
    for text in [
        "",
        "garbage",
        "# spots contract 1\nmethod a()",
        "# spots contract 1\nservice A\nkind wheel",
    ] {
        assert!(Frozen::parse(text).is_err(), "{text:?}");
    }
}

/// A line of half a megabyte without a string: what a grammar took minutes for.
fn long_line(member: &str) -> World {
    let text = format!(
        "\nclass PayService {{{}\n\n void last() {{}} }}",
        member.repeat(20_000)
    );
    super::world_kept(&[("lib/a.dart", &text)]).1
}

#[test]
fn a_long_line_is_read_with_its_number() {
    let world = long_line(" void pay(int a) { print(1); }");
    assert!(world.unreadable().is_empty(), "{:?}", world.unreadable());
    let services = world.services();
    let lines: Vec<u32> = services
        .iter()
        .flat_map(|service| service.members().map(|member| member.line))
        .collect();
    assert_eq!(lines.len(), 20_001);
    assert_eq!((lines.first(), lines.last()), (Some(&2), Some(&4)));
}

#[test]
fn a_line_that_cannot_be_broken_is_named() {
    let world = long_line("void pay(int a){print(1);}");
    assert!(world.services().is_empty());
    let named: Vec<String> = world
        .unreadable()
        .iter()
        .map(|one| format!("{}: {}", one.path, one.reason))
        .collect();
    assert_eq!(
        named,
        ["lib/a.dart: line 2: more than 131072 bytes of code in one line; break it"]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_text_panics_the_extractor(text in "[a-zA-Z{}()<>?;:,.'\"@= \n\\[\\]/*_$0-9é]{0,200}") {
        let unit = extract(&text);
        prop_assert!(unit.types.len() <= text.len());
    }

    #[test]
    fn pieces_of_dart_do_not_panic(pieces in proptest::collection::vec(
        proptest::sample::select(&[
            "class ", "AService ", "extends B<T> ", "{", "}", "(", ")", "this.x", "required ", "int? ",
            "void f", "=> 1;", ";", "static ", "const ", "factory ", "A.b", "[", "]", "'s'", "/*", "//\n",
            "@Deprecated('x') ", "enum E ", ",", "Function", "<", ">", "operator ==", "get ", "set ",
        ][..]), 0..60)) {
        let text = pieces.concat();
        let before = diff_one(&text, &text);
        prop_assert!(before.findings.iter().all(|finding| finding.level < Level::Note), "{text}");
    }

    #[test]
    fn no_text_panics_the_contract_parser(text in "\\PC{0,200}") {
        drop(Frozen::parse(&format!("# spots contract 1\nservice A\n{text}")));
    }
}
