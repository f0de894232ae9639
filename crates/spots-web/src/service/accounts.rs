//! Signing up.

use spots_booking::field::StandardField;
use spots_booking::{FieldName, FieldProblem, FieldValue, Refusal, ValueKind};
use spots_privacy::consent::Person;
use spots_privacy::{AgentId, Personal, UserId};
pub(crate) use spots_store::AGENT_CONTEXT;
use spots_store::agents::NewAgent;
use spots_store::model::{NewAccount as Stored, ProfileField};
use spots_store::{EMAIL_CONTEXT, email_text};

use super::{Answer, Ctx, stored, unsealed};

/// Fewest characters of a password.
pub const PASSWORD_CHARS_MIN: usize = 10;
/// Most characters of a password.
pub const PASSWORD_CHARS_MAX: usize = 256;

/// Someone who signs up.
#[derive(Debug)]
pub struct NewAccount {
    /// What they sign in with.
    pub email: Personal,
    /// What proves it is them.
    pub password: Personal,
    /// What they want to be called.
    pub name: Option<Personal>,
}

/// A person's two identities.
#[derive(Debug)]
pub struct Account {
    /// The account.
    pub user: UserId,
    /// The agent that SPOTS tracks.
    pub agent: AgentId,
}

/// Adds an account with an agent of its own; the e-mail address and name begin its profile.
pub async fn sign_up(ctx: &Ctx, new: NewAccount) -> Answer<Account> {
    let fields = check(ctx, &new)?;
    let person = Person::create(UserId::generate(ctx.random()), ctx.random());
    let password_hash = ctx
        .platform()
        .passwords()
        .hash(new.password, ctx.random())
        .await?;
    let profile = fields
        .iter()
        .map(|(field, text)| {
            let sealed = person.seal(field.as_str(), text, ctx.random())?;
            let field = field.as_str().to_owned();
            Ok(ProfileField { field, sealed })
        })
        .collect::<Result<_, _>>()
        .map_err(unsealed)?;
    let lookup = ctx.keys().lookup();
    let account = Stored {
        user: person.user().clone(),
        agent: person.agent().clone(),
        agent_lookup: lookup.hash(AGENT_CONTEXT, &person.agent().reveal()),
        stored: person
            .to_stored(ctx.keys(), ctx.random())
            .map_err(unsealed)?,
        email_lookup: email_lookup(ctx, new.email.disclose()),
        password_hash,
        profile,
    };
    ctx.store().add_account(account).await.map_err(stored)?;
    Ok(Account {
        user: person.user().clone(),
        agent: person.agent().clone(),
    })
}

/// Gives a person a new agent in the old one's place. Hosts keep their handles of the guest.
pub async fn rotate_agent(ctx: &Ctx, person: Person) -> Answer<AgentId> {
    let (user, old) = (person.user().clone(), person.agent().clone());
    let (person, mapping) = person.with_new_agent(ctx.random()).map_err(unsealed)?;
    let agent = person.agent().clone();
    let lookup = ctx.keys().lookup().hash(AGENT_CONTEXT, &agent.reveal());
    let new = NewAgent {
        agent: agent.clone(),
        lookup,
        mapping,
    };
    ctx.store()
        .rotate_agent(&user, &old, new)
        .await
        .map_err(stored)?;
    tracing::info!("an agent was replaced");
    Ok(agent)
}

/// By what an account is found: the address without regard to case or surrounding space.
pub(super) fn email_lookup(ctx: &Ctx, email: &str) -> [u8; 32] {
    ctx.keys()
        .lookup()
        .hash(EMAIL_CONTEXT, email_text(email).disclose())
}

fn check(ctx: &Ctx, new: &NewAccount) -> Result<Vec<(StandardField, Personal)>, Refusal> {
    let mut problems = Vec::new();
    let mut fields = Vec::new();
    let given = [
        (StandardField::Email, Some(&new.email)),
        (StandardField::Name, new.name.as_ref()),
    ];
    for (field, text) in given {
        let Some(text) = text else { continue };
        match parse(ctx, field, text) {
            Ok(value) => fields.push((field, value)),
            Err(problem) => problems.push(problem),
        }
    }
    let length = new.password.disclose().chars().count();
    if !(PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&length) {
        let message = format!(
            "Choose a password of {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters."
        );
        problems.push(FieldProblem::new("password", "length", message));
    }
    if problems.is_empty() {
        Ok(fields)
    } else {
        Err(Refusal::Fields(problems))
    }
}

/// Checks and normalises a standard field.
pub(super) fn parse(
    ctx: &Ctx,
    field: StandardField,
    text: &Personal,
) -> Result<Personal, FieldProblem> {
    let name = FieldName::Standard(field);
    let value = FieldValue::parse(&name, &ValueKind::Text, text.disclose(), ctx.today())?;
    Ok(Personal::new(value.as_str()))
}
