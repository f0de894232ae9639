//! All that the platform holds of a person.

use spots_booking::FieldName;
use spots_privacy::consent::Person;
use spots_store::PageRequest;
use spots_store::model::{Host, OFFSET_MAX, Opening, PAGE_ROWS_MAX, ShareFilter};
use spots_store::rights::Held;

use super::shares::all_shares;
use super::{
    Answer, BookingDetails, Ctx, Profile, SharedValue, bookings, defaults, hosts_of, openings,
    profile, stored,
};

/// A person's own data, complete.
#[derive(Debug)]
pub struct Export {
    /// The profile.
    pub profile: Profile,
    /// What is shared by default, by scope: an event type or a host id.
    pub sharing_defaults: Vec<(String, Vec<FieldName>)>,
    /// All bookings, the newest first.
    pub bookings: Vec<BookingDetails>,
    /// All that is or was shared.
    pub shares: Vec<SharedValue>,
    /// When hosts opened it, the newest first.
    pub openings: Vec<Opening>,
    /// The hosts that the person acts for.
    pub hosts: Vec<Host>,
    /// The rest.
    pub held: Held,
}

/// Gathers all that the platform holds of a person.
pub async fn export(ctx: &Ctx, person: &Person) -> Answer<Export> {
    let ended = ShareFilter {
        ended: true,
        ..ShareFilter::default()
    };
    Ok(Export {
        profile: profile(ctx, person).await?,
        sharing_defaults: defaults::all(ctx, person).await?,
        bookings: all_bookings(ctx, person).await?,
        shares: all_shares(ctx, person, ended).await?,
        openings: all_openings(ctx, person).await?,
        hosts: hosts_of(ctx, person).await?,
        held: held(ctx, person).await?,
    })
}

async fn held(ctx: &Ctx, person: &Person) -> Answer<Held> {
    let held = ctx.store().list_held(person.user(), person.agent()).await;
    held.map_err(stored)
}

async fn all_bookings(ctx: &Ctx, person: &Person) -> Answer<Vec<BookingDetails>> {
    let mut all = Vec::new();
    let mut page = PageRequest::FIRST;
    loop {
        let found = bookings(ctx, person, page).await?;
        all.extend(found.items);
        page.offset += PAGE_ROWS_MAX;
        if !found.more || page.offset > OFFSET_MAX {
            return Ok(all);
        }
    }
}

async fn all_openings(ctx: &Ctx, person: &Person) -> Answer<Vec<Opening>> {
    let mut all = Vec::new();
    let mut page = PageRequest::FIRST;
    loop {
        let found = openings(ctx, person, page).await?;
        all.extend(found.items);
        page.offset += PAGE_ROWS_MAX;
        if !found.more || page.offset > OFFSET_MAX {
            return Ok(all);
        }
    }
}
