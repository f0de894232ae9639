//! Rust and TypeScript.

use spots_plan::contract::frozen::Frozen;
use spots_plan::contract::{rust, show, typescript};
use spots_plan::tree::Language;

use super::diff;

#[test]
fn rust_services_with_their_blocks() {
    let text = "pub struct PayService<'a> { pub limit: u32, secret: &'a str }\n\
        impl<'a> PayService<'a> {\n pub fn new(clock: Clock) -> Self { todo() }\n\
        pub async fn charge(&self, user: &'a str) -> Result<(), PayError> { Ok(()) }\n\
        fn private(&self) {} pub(crate) fn half(&self) {} }\n\
        pub trait Store: Send { fn find(&self, id: u8) -> Option<Row>; fn all(&self) {} }\n\
        #[cfg(test)] mod tests { pub struct FakeService; }";
    let unit = rust::extract(text);
    let names: Vec<&str> = unit.types.iter().map(|ty| ty.name.as_str()).collect();
    assert_eq!(names, ["PayService", "Store"]);
    let members: Vec<String> = unit
        .extensions
        .iter()
        .flat_map(|ty| &ty.members)
        .map(show::signature)
        .collect();
    assert_eq!(
        members,
        [
            "static Self PayService.new(Clock clock)",
            "Future<Result<(), PayError>> charge(&Self self, &str user)",
        ]
    );
}

#[test]
fn rust_breaks_and_moves() {
    let old = [(
        "src/a.rs",
        "pub struct PayService;\nimpl PayService { pub fn a(&self, n: u8) {} pub fn b(&self) {} }\n",
    )];
    let moved = [
        (
            "src/a.rs",
            "pub struct PayService;\nimpl PayService { pub fn a(&self, n: u8) {} }\n",
        ),
        (
            "src/a/b.rs",
            "use super::PayService;\nimpl PayService {\n    pub fn b(&self) {}\n}\n",
        ),
    ];
    assert!(
        diff(&old, &moved).findings.is_empty(),
        "{:?}",
        diff(&old, &moved).findings
    );
    let broken = [(
        "src/a.rs",
        "pub struct PayService;\nimpl PayService { pub fn a(&mut self, n: u8, m: u8) {} }\n",
    )];
    let mut rules: Vec<String> = diff(&old, &broken)
        .findings
        .into_iter()
        .map(|finding| finding.rule)
        .collect();
    rules.sort();
    assert_eq!(
        rules,
        [
            "member-removed",
            "parameter-type-changed",
            "required-parameter-added"
        ]
    );
}

/// Rules that the change of one file sets off.
fn rules(path: &str, old: &str, new: &str) -> Vec<String> {
    let found = diff(&[(path, old)], &[(path, new)]).findings;
    found.into_iter().map(|finding| finding.rule).collect()
}

#[test]
fn only_what_implementers_must_write_breaks_them() {
    let rust = |above: &str, own: &str| {
        format!(
            "pub trait Access {{ fn user(&self) -> u8; {above} }}\n\
             pub trait PayService: Access {{ fn pay(&self); {own} }}\n"
        )
    };
    let found = |above: &str, own: &str| rules("src/a.rs", &rust("", ""), &rust(above, own));
    assert_eq!(found("", "fn refund(&self);"), ["abstract-member-added"]);
    assert_eq!(found("", "fn refund(&self) {}"), ["member-added"]);
    assert_eq!(found("fn job(&self);", ""), ["abstract-member-added"]);
    assert_eq!(found("fn job(&self) {}", ""), ["member-added"]);

    let script = |more: &str| format!("export interface PayService {{ a: string; {more} }}");
    let found = |more: &str| rules("a.ts", &script(""), &script(more));
    assert_eq!(found("b: string;"), ["abstract-member-added"]);
    assert_eq!(found("b?: string;"), ["member-added"]);
    assert_eq!(found("b(): void;"), ["abstract-member-added"]);
    assert_eq!(found("b?(): void;"), ["member-added"]);

    let dart = |class: &str, more: &str| {
        format!("{class} PayService implements Access {{}}\nabstract class Access {{ {more} }}")
    };
    let found = |class: &str| {
        let (old, new) = (dart(class, ""), dart(class, "void job();"));
        rules("lib/a.dart", &old, &new)
    };
    assert_eq!(found("abstract class"), ["abstract-member-added"]);
    assert_eq!(found("class"), ["member-added"]);
}

#[test]
fn a_broken_file_is_named_where_a_service_may_be_in_it() {
    let service = "pub struct PayService;\nimpl Access for PayService {}\n";
    let broken = "trait Access { fn a(&self) { let union = = 1; } }\n";
    let found = |files: &[(&str, &str)]| -> Vec<String> {
        let (_, world) = super::world_kept(files);
        let named = world.unreadable().iter();
        named.map(|one| one.path.clone()).collect()
    };
    let above = [("src/a.rs", service), ("src/b.rs", broken)];
    assert_eq!(found(&above), Vec::<String>::new());
    let own = format!("{service}{broken}");
    assert_eq!(found(&[("src/a.rs", &own)]), ["src/a.rs"]);
    let lost = "struct PayService { a: = }\n";
    assert_eq!(found(&[("src/a.rs", lost)]), ["src/a.rs"]);
}

#[test]
fn a_change_above_is_shown_where_it_stands() {
    let service = "use crate::b::Access;\npub trait PayService: Access {}\n";
    let old = "\npub trait Access {\n fn user(&self); fn gone(&self) {} }\n";
    let new = "\n\n\npub trait Access {\n fn user(&self, n: u8); }\n";
    let found = diff(
        &[("src/a.rs", service), ("src/b.rs", old)],
        &[("src/a.rs", service), ("src/b.rs", new)],
    );
    let mut shown: Vec<String> = found
        .findings
        .iter()
        .map(|found| {
            let places = found
                .place
                .iter()
                .chain(found.related.iter().map(|one| &one.place));
            let places = places.map(|place| format!("{}:{}", place.path, place.line));
            format!("{} {}", found.rule, places.collect::<Vec<_>>().join(" "))
        })
        .collect();
    shown.sort();
    assert_eq!(
        shown,
        [
            "member-removed src/a.rs:2 src/b.rs:3",
            "required-parameter-added src/b.rs:5",
        ]
    );
}

#[test]
fn typescript_objects_are_compared_by_their_fields() {
    let service = "import { Row } from './row';\n\
        export class PayService { pay(): Row { return null as any; } }\n";
    let found = |old: &str, new: &str| -> Vec<String> {
        let side = |row: &str| format!("{row}\n");
        let (old, new) = (side(old), side(new));
        let compared = diff(
            &[("a.ts", service), ("row.ts", &old)],
            &[("a.ts", service), ("row.ts", &new)],
        );
        compared
            .findings
            .into_iter()
            .map(|found| found.rule)
            .collect()
    };
    let row = |fields: &str| format!("export type Row = {{ id: string; {fields} }};");
    let link = "export type Link = { url: string; target?: string };";
    let old = row("link?: { url: string };");
    let nothing = Vec::<String>::new();
    assert_eq!(
        found(&old, &format!("{}{link}", row("link?: Link;"))),
        nothing
    );
    assert_eq!(
        found(&old, &row("link?: { url: string }; more?: number;")),
        nothing
    );
    let interface = old.replace("type Row =", "interface Row");
    assert_eq!(found(&old, &interface), nothing);
    assert_eq!(
        found(&old, &row("link?: { url: string }; more: number;")),
        ["abstract-member-added"]
    );
    assert_eq!(
        found(&old, &row("link?: { to: string };")),
        ["field-type-changed"]
    );
    assert_eq!(found(&old, &row("")), ["member-removed"]);
}

#[test]
fn typescript_services() {
    let text = "export abstract class PayService<T> extends Base<T> implements A, B {\n\
        static readonly limit = 3;\n private secret = 1;\n #hash = 2;\n name?: string;\n\
        constructor(private readonly http: Http, opts?: Options) { super(); }\n\
        async charge(userId: string, amount = 1, ...rest: string[]): Promise<void> {}\n\
        abstract refund(id: string): Promise<Row | null>;\n get n(): number { return 1; }\n\
        arrow = (a: number) => a;\n}\nclass LocalService {}\nexport enum Kind { A = 'a', B }";
    let unit = typescript::extract(Language::TypeScript, text);
    let service = unit.types.first().expect("the service");
    let public = service
        .members
        .iter()
        .filter(|member| !member.is(spots_plan::contract::Mark::Hidden));
    let members: Vec<String> = public.map(show::signature).collect();
    assert_eq!(
        members,
        [
            "static final limit",
            "string | undefined name",
            "PayService(Http http, [Options opts])",
            "Promise<void> charge(string userId, [amount = 1, string[] rest])",
            "Promise<Row | null> refund(string id)",
            "number get n()",
            "arrow(number a)",
        ]
        .map(|text| text.replace("get n()", "get n"))
    );
    let names: Vec<&str> = unit.types.iter().map(|ty| ty.name.as_str()).collect();
    assert_eq!(names, ["PayService", "Kind"]);
}

#[test]
fn typescript_unions_widen_and_narrow() {
    let service = |param: &str, returns: &str| {
        format!(
            "export class PayService {{ pay(by: {param}): {returns} {{ return null as any; }} }}"
        )
    };
    let found = |old: &str, new: &str| -> Vec<String> {
        let found = diff(&[("a.ts", old)], &[("a.ts", new)]).findings;
        found.into_iter().map(|finding| finding.rule).collect()
    };
    let old = service("string", "Row");
    assert_eq!(
        found(&old, &service("string | number", "Row")),
        ["parameter-type-widened"]
    );
    assert_eq!(
        found(&old, &service("string", "Row | null")),
        ["return-type-widened"]
    );
    assert_eq!(
        found(&old, &service("string", "Promise<Row>")),
        ["return-type-async"]
    );
}

#[test]
fn frozen_rust_reads_back() {
    let text = "pub struct PayService;\nimpl PayService {\n    pub fn add(&mut self, all: impl Iterator<Item = u8>) -> Box<dyn Fn(u8) -> u8> { todo() }\n}\n";
    let (snapshot, _) = super::snapshots(&[("src/a.rs", text)], &[("src/a.rs", text)]);
    let service = snapshot.services.first().expect("the service");
    let written = Frozen::new("1.0.0", "rust", service, &snapshot).render();
    let read = Frozen::parse(&written).expect("it reads back");
    assert_eq!(
        read.service
            .decl
            .members
            .first()
            .map(|member| &member.params),
        service.decl.members.first().map(|member| &member.params)
    );
    assert_eq!(read.render(), written);
}

#[test]
fn typescript_overloads_are_compared_one_by_one() {
    let old = "export class ApiService {\n constructor(url: string, version?: string);\n\
        constructor(options?: Options);\n constructor(...args: any) {}\n}";
    assert!(diff(&[("a.ts", old)], &[("a.ts", old)]).findings.is_empty());
    let new = old.replace("options?: Options", "options: Options");
    let rules: Vec<String> = diff(&[("a.ts", old)], &[("a.ts", &new)])
        .findings
        .into_iter()
        .map(|finding| finding.rule)
        .collect();
    assert!(!rules.is_empty());
}
