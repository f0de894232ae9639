//! Operations as members: what is shown, documented and counted like the members of a class.

use std::collections::BTreeSet;

use super::super::model::{Mark, Member, MemberKind, Origin, Param, Passing};
use super::api::{Api, Operation};

pub(super) fn members(api: &Api) -> Vec<Member> {
    let operations = api.operations.iter();
    operations
        .map(|(key, operation)| member(&key.method, operation))
        .collect()
}

fn member(method: &str, operation: &Operation) -> Member {
    let name = format!("{method} {}", operation.path);
    let mut member = Member::new(name, MemberKind::Method, operation.line);
    let params = operation.params.iter().map(|param| Param {
        name: param.name.clone(),
        ty: Some(param.schema.shown()),
        passing: Passing::Named,
        required: param.required,
        default: param.schema.default.clone(),
        origin: Origin::Own,
    });
    let body = operation.body.iter().map(|body| Param {
        name: "body".to_owned(),
        ty: body
            .content
            .values()
            .next()
            .map(super::schema::Schema::shown),
        passing: Passing::Named,
        required: body.required,
        default: None,
        origin: Origin::Own,
    });
    member.params = params.chain(body).collect();
    let (fine, wrong): (Vec<_>, Vec<_>) = operation
        .responses
        .iter()
        .partition(|(status, _)| status.starts_with(['2', '3']));
    let types: BTreeSet<String> = fine
        .iter()
        .flat_map(|(_, response)| response.content.values())
        .map(super::schema::Schema::shown)
        .collect();
    member.ty = (!types.is_empty()).then(|| types.into_iter().collect::<Vec<_>>().join(" or "));
    member.throws = wrong.iter().map(|(status, _)| (*status).clone()).collect();
    if operation.documented {
        member.marks.insert(Mark::Documented);
    }
    member.deprecated = operation.deprecated.then(String::new);
    member
}
