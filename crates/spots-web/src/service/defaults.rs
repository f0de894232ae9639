//! What a person shares by default: per event type, overridable per host.

use spots_booking::{EventType, FieldName, FieldProblem, HostId, Refusal};
use spots_privacy::consent::Person;

use super::{Answer, Ctx, host, stored};

/// Where a default holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// At every event of a type.
    EventType(EventType),
    /// At one host, instead of the event type's.
    Host(HostId),
}

impl Scope {
    fn to_text(self) -> String {
        match self {
            Self::EventType(event_type) => event_type.to_string(),
            Self::Host(host) => host.to_string(),
        }
    }
}

/// The default of one scope; `None` where the person set none.
pub async fn sharing_default(
    ctx: &Ctx,
    person: &Person,
    scope: Scope,
) -> Answer<Option<Vec<FieldName>>> {
    if let Scope::Host(id) = scope {
        host(ctx, id).await?;
    }
    let name = scope.to_text();
    Ok(all(ctx, person)
        .await?
        .into_iter()
        .find(|(scope, _)| *scope == name)
        .map(|(_, fields)| fields))
}

/// The default that holds at a host's event: the host's if it is set, else the event type's.
pub async fn sharing_default_at(
    ctx: &Ctx,
    person: &Person,
    host: HostId,
    event_type: EventType,
) -> Answer<Vec<FieldName>> {
    let all = all(ctx, person).await?;
    let of = |scope: Scope| {
        let name = scope.to_text();
        all.iter().find(|(scope, _)| *scope == name)
    };
    Ok(of(Scope::Host(host))
        .or_else(|| of(Scope::EventType(event_type)))
        .map(|(_, fields)| fields.clone())
        .unwrap_or_default())
}

/// Sets a default; `None` removes it. Only fields of the profile can be shared by default, and
/// only those that the event type may ask for.
pub async fn update_sharing_default(
    ctx: &Ctx,
    person: &Person,
    scope: Scope,
    fields: Option<Vec<FieldName>>,
) -> Answer<()> {
    if let Scope::Host(id) = scope {
        host(ctx, id).await?;
    }
    let fields = match fields {
        Some(fields) => Some(check(scope, fields)?),
        None => None,
    };
    ctx.store()
        .update_sharing_defaults(person.user(), scope.to_text(), fields)
        .await
        .map_err(stored)
}

pub(super) async fn all(ctx: &Ctx, person: &Person) -> Answer<Vec<(String, Vec<FieldName>)>> {
    ctx.store()
        .list_sharing_defaults(person.user())
        .await
        .map_err(stored)
}

fn check(scope: Scope, mut fields: Vec<FieldName>) -> Result<Vec<FieldName>, Refusal> {
    fields.sort();
    fields.dedup();
    let problems: Vec<_> = fields
        .iter()
        .filter_map(|field| match (field, scope) {
            (FieldName::Additional(_), _) => Some(FieldProblem::new(
                field,
                "not-in-profile",
                "Only fields of the profile can be shared by default.",
            )),
            (_, Scope::EventType(event_type)) if !field.allowed_at(event_type) => {
                let kind = event_type.label();
                let message = format!("A {kind} may not ask for this.");
                Some(FieldProblem::new(field, "not-allowed", message))
            }
            _ => None,
        })
        .collect();
    if problems.is_empty() {
        Ok(fields)
    } else {
        Err(Refusal::Fields(problems))
    }
}
