//! Contracts for people and for scripts.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::model::{Contract, Mark, Member, MemberKind, Param};
use super::notation::{around, grouped};

/// `{"services":[{"name","file","line","methods","getters","setters","fields","constructors", …}]}`.
///
/// Members are those that the service declares; what it has from types above it in the tree stands in
/// `inherited`, each with `from`.
pub fn json(services: &[Contract]) -> Value {
    json!({ "services": services.iter().map(service).collect::<Vec<_>>() })
}

fn service(contract: &Contract) -> Value {
    let decl = &contract.decl;
    let of = |kind: MemberKind| -> Vec<Value> {
        let members = decl.members.iter().filter(|member| member.kind == kind);
        members.map(member).collect()
    };
    let mut value = json!({
        "name": decl.name,
        "file": contract.file,
        "line": decl.line,
        "kind": decl.kind.as_str(),
        "modifiers": decl.modifiers,
        "generics": decl.generics,
        "supertypes": decl.supers.iter().map(|above| json!({
            "how": above.how.as_str(),
            "type": above.ty,
        })).collect::<Vec<_>>(),
        "methods": of(MemberKind::Method),
        "getters": of(MemberKind::Getter),
        "setters": of(MemberKind::Setter),
        "fields": of(MemberKind::Field),
        "constructors": of(MemberKind::Constructor),
        "inherited": contract.inherited.iter().map(|inherited| {
            let mut value = member(&inherited.member);
            if let Value::Object(object) = &mut value {
                object.insert("from".to_owned(), json!(inherited.from));
                object.insert("kind".to_owned(), json!(inherited.member.kind.as_str()));
            }
            value
        }).collect::<Vec<_>>(),
    });
    if let (Value::Object(object), Some(words)) = (&mut value, &decl.deprecated) {
        object.insert("deprecated".to_owned(), json!(words));
    }
    value
}

fn member(member: &Member) -> Value {
    let mut value = json!({
        "name": member.name,
        "signature": signature(member),
        "static": member.is(Mark::Static),
        "line": member.line,
    });
    if let Value::Object(object) = &mut value {
        let lists = [("throws", &member.throws), ("effects", &member.effects)];
        let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
        object.extend(lists.map(|(name, list)| (name.to_owned(), json!(list))));
        let deprecated = member.deprecated.iter();
        object.extend(deprecated.map(|words| ("deprecated".to_owned(), json!(words))));
    }
    value
}

/// A member as its language writes it, in one line.
pub fn signature(member: &Member) -> String {
    let mut out = String::new();
    let mut word = |text: &str| {
        out.push_str(text);
        out.push(' ');
    };
    if member.is(Mark::Static) && member.kind != MemberKind::Value {
        word("static");
    }
    if member.is(Mark::Const) && member.kind != MemberKind::Value {
        word("const");
    }
    if member.is(Mark::Factory) {
        word("factory");
    }
    if member.is(Mark::Final) && member.kind == MemberKind::Field {
        word("final");
    }
    if let Some(ty) = &member.ty {
        word(ty);
    }
    match member.kind {
        MemberKind::Getter => word("get"),
        MemberKind::Setter => word("set"),
        MemberKind::Method
            if !member
                .name
                .starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$') =>
        {
            word("operator");
        }
        _ => {}
    }
    out.push_str(&member.name);
    if !member.generics.is_empty() {
        out.extend([format!("<{}>", member.generics.join(", "))]);
    }
    if matches!(
        member.kind,
        MemberKind::Method | MemberKind::Setter | MemberKind::Constructor
    ) {
        out.extend([format!("({})", grouped(&member.params, param))]);
    }
    out
}

fn param(param: &Param) -> String {
    let ty = param
        .ty
        .as_ref()
        .map_or(String::new(), |ty| format!("{ty} "));
    let (required, default) = around(param);
    format!("{required}{ty}{}{default}", param.name)
}

/// Services with their members, for a terminal.
pub fn text(services: &[Contract]) -> String {
    let mut out = String::new();
    let mut line = |text: String| writeln!(out, "{text}").expect("writing to a string cannot fail");
    for contract in services {
        let decl = &contract.decl;
        let words: Vec<&str> = decl.modifiers.iter().map(String::as_str).collect();
        let above: Vec<String> = decl
            .supers
            .iter()
            .map(|above| format!(" {} {}", above.how.as_str(), above.ty))
            .collect();
        let modifiers = if words.is_empty() {
            String::new()
        } else {
            format!("{} ", words.join(" "))
        };
        let kind = decl.kind.as_str();
        line(format!("{modifiers}{kind} {}{}", decl.name, above.concat()));
        line(format!("  in {}:{}", contract.file, decl.line));
        for member in &decl.members {
            line(format!("  {}", signature(member)));
        }
        for inherited in &contract.inherited {
            line(format!(
                "  {}  (from {})",
                signature(&inherited.member),
                inherited.from
            ));
        }
        line(String::new());
    }
    let count = services.len();
    line(format!(
        "{count} service{}",
        if count == 1 { "" } else { "s" }
    ));
    out
}
