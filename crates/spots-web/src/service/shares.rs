//! What a person shares: seeing it, taking it back, and who looked.

use std::collections::BTreeMap;

use spots_booking::{EventType, FieldName, HostId, Requirements};
use spots_privacy::consent::Person;
use spots_privacy::{NotOpen, Personal};
use spots_store::model::{OFFSET_MAX, Opening, PAGE_ROWS_MAX, Selection, ShareFilter, SharedField};
use spots_store::{Page, PageRequest};

use super::{Answer, Ctx, is_altered, stored, unopened};

/// One field that a person shares or shared, with its value while it can still be read.
#[derive(Debug)]
pub struct SharedValue {
    /// The field, with whom, and how it stands.
    pub field: SharedField,
    /// What the host may read now; `None` once it ended, and where it does not open.
    pub value: Option<Personal>,
    /// Whether it does not open: it was altered or moved in the database. It can be taken back.
    pub altered: bool,
}

impl SharedValue {
    /// Whether it is shared now.
    pub fn is_live(&self) -> bool {
        self.value.is_some() || self.altered
    }
}

/// What hosts asked when somebody shared with them, by host, type and version.
#[derive(Debug, Default)]
pub struct Asked(BTreeMap<(HostId, EventType, u32), Requirements>);

impl Asked {
    /// What the host called a field of its own; `None` where the field has a name everywhere.
    pub fn label(&self, shared: &SharedField) -> Option<&str> {
        let asked = self.0.get(&version(shared))?;
        let rule = asked.rules().iter().find(|it| it.field == shared.field);
        rule.map(|rule| rule.label.as_str())
    }
}

fn version(shared: &SharedField) -> (HostId, EventType, u32) {
    let SharedField {
        host, event_type, ..
    } = shared;
    (host.id, *event_type, shared.requirements_version)
}

/// The questions behind what is shared, for the names of fields that hosts declared themselves.
pub async fn asked(ctx: &Ctx, shares: &[SharedValue]) -> Answer<Asked> {
    let mut asked = Asked::default();
    for SharedValue { field, .. } in shares {
        let key @ (host, event_type, number) = version(field);
        if !matches!(field.field, FieldName::Additional(_)) || asked.0.contains_key(&key) {
            continue;
        }
        let found = ctx
            .store()
            .lookup_requirements_at(host, event_type, number)
            .await
            .map_err(stored)?;
        asked
            .0
            .extend(found.map(|record| (key, record.requirements)));
    }
    Ok(asked)
}

/// What a person shares, by host, booking and field.
pub async fn shares(
    ctx: &Ctx,
    person: &Person,
    filter: ShareFilter,
    page: PageRequest,
) -> Answer<Page<SharedValue>> {
    let found = ctx
        .store()
        .list_shares(person.agent(), filter, ctx.stamp(), page)
        .await
        .map_err(stored)?;
    let items = found
        .items
        .into_iter()
        .map(|field| opened(ctx, person, field))
        .collect::<Answer<_>>()?;
    Ok(Page {
        items,
        more: found.more,
    })
}

/// All that fits the filter.
pub(super) async fn all_shares(
    ctx: &Ctx,
    person: &Person,
    filter: ShareFilter,
) -> Answer<Vec<SharedValue>> {
    let mut all = Vec::new();
    let mut page = PageRequest::FIRST;
    loop {
        let found = shares(ctx, person, filter, page).await?;
        all.extend(found.items);
        page.offset += PAGE_ROWS_MAX;
        if !found.more || page.offset > OFFSET_MAX {
            return Ok(all);
        }
    }
}

/// Takes back what is selected: its keys are destroyed at once. Returns how many fields ended.
pub async fn revoke(ctx: &Ctx, person: &Person, selection: Selection) -> Answer<u64> {
    ctx.store()
        .revoke(person.agent(), selection, ctx.stamp())
        .await
        .map_err(stored)
}

/// When hosts opened what a person shared, the newest first.
pub async fn openings(ctx: &Ctx, person: &Person, page: PageRequest) -> Answer<Page<Opening>> {
    ctx.store()
        .list_openings(person.agent(), page)
        .await
        .map_err(stored)
}

fn opened(ctx: &Ctx, person: &Person, field: SharedField) -> Answer<SharedValue> {
    let proof = field.grant.clone().own(person, ctx.stamp().at_ns);
    let place = format!("{} of {}", field.field, field.share);
    let opened = proof.and_then(|proof| proof.open(ctx.keys()));
    let (value, altered) = match opened {
        Ok(value) => (Some(value), false),
        Err(NotOpen::Revoked | NotOpen::Expired | NotOpen::Erased) => (None, false),
        // Its owner must be able to see that it is there, and to take it back.
        Err(cause) if is_altered(&cause) => {
            tracing::error!(place, %cause, "does not open");
            (None, true)
        }
        Err(other) => return Err(unopened(place)(other)),
    };
    Ok(SharedValue {
        field,
        value,
        altered,
    })
}
