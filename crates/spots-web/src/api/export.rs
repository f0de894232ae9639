//! All that the platform holds of a person.

use axum::Json;
use axum::http::header;
use axum::response::IntoResponse;
use spots_host::Problem;
use spots_host::wire::Instant;
use spots_privacy::consent::Person;

use crate::front_door::host_card;
use crate::http::Me;
use crate::service::{self, Ctx, Export};
use crate::wire::{Booking, ExportBody};

/// Exports all that the platform holds of you.
#[utoipa::path(
    get, path = "/me/export", tag = "me",
    responses((status = 200, description = "Your data, as a file.", body = ExportBody)),
    security(("session" = [])),
)]
pub(crate) async fn find_export(ctx: Ctx, Me(me): Me) -> Result<impl IntoResponse, Problem> {
    let body = body(&ctx, &me, service::export(&ctx, &me).await?);
    let name = "attachment; filename=\"spots-export.json\"";
    Ok(([(header::CONTENT_DISPOSITION, name)], Json(body)))
}

fn body(ctx: &Ctx, me: &Person, export: Export) -> ExportBody {
    let defaults = export.sharing_defaults.into_iter();
    let bookings = export.bookings.into_iter();
    let hosts = export.hosts.into_iter();
    ExportBody {
        exported_at: Instant(ctx.now()),
        user_id: me.user().reveal(),
        agent_id: me.agent().reveal(),
        profile: (&export.profile).into(),
        sharing_defaults: defaults
            .map(|(scope, fields)| (scope, fields.iter().map(ToString::to_string).collect()))
            .collect(),
        bookings: bookings
            .map(|details| Booking::new(me.agent(), details))
            .collect(),
        shares: export.shares.into_iter().map(Into::into).collect(),
        openings: export.openings.into_iter().map(Into::into).collect(),
        hosts: hosts.map(|host| (&host_card(host)).into()).collect(),
        held: export.held.into(),
    }
}
