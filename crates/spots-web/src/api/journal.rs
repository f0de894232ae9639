//! The journal.

use axum::Json;
use serde::Deserialize;
use spots_booking::{Refusal, Stream};
use spots_clock::TimestampId;
use spots_host::extract::{Body, Params, Segments, Word};
use spots_host::wire::Instant;
use spots_host::{Problem, ServiceError};
use spots_store::journal::{JOURNAL_PAGE_MAX, JournalFilter};

use crate::http::{MaybeMe, MaybeOperator, MeOperator};
use crate::service::{self, Author, Ctx, moment};
use crate::wire::journal::{AppendBody, AppendedBody, EntryBody, JournalBody};

/// Adds entries to a stream, also such as were stamped offline. Sending them again changes nothing.
///
/// People add to every stream but `admin`, as their agent; operators to `admin`.
#[utoipa::path(
    post, path = "/journal/{stream}", tag = "journal",
    params(("stream" = String, Path,
        description = "reservations, payments, ai2ai, live-tracker, admin or analytics.")),
    request_body = AppendBody,
    responses((status = 200, description = "What became of each.", body = AppendedBody)),
    security(("session" = []), ("operator" = [])),
)]
pub(super) async fn append_journal(
    ctx: Ctx,
    MaybeOperator(operator): MaybeOperator,
    MaybeMe(me): MaybeMe,
    Segments(Word(stream)): Segments<Word<Stream>>,
    Body(body): Body<AppendBody>,
) -> Result<Json<AppendedBody>, Problem> {
    let author = match (&operator, &me) {
        (Some(operator), _) => Author::Operator(operator),
        (None, Some(person)) => Author::Person(person),
        (None, None) => return Err(ServiceError::NotSignedIn.into()),
    };
    let entries = body.read(stream).map_err(Refusal::Fields)?;
    let appended = service::append_journal(&ctx, author, stream, entries).await?;
    let entries = appended.into_iter().map(Into::into).collect();
    Ok(Json(AppendedBody { entries }))
}

/// Which part of a stream.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct JournalParams {
    /// After this entry: the `next` of the answer before.
    #[param(value_type = Option<String>)]
    after: Option<Word<TimestampId>>,
    /// Arrived at or after this moment.
    from: Option<Instant>,
    /// Arrived before this moment.
    until: Option<Instant>,
    /// Of this kind.
    #[param(max_length = 40)]
    kind: Option<String>,
    /// Only those that count now, where the last writer does.
    current: Option<bool>,
    /// At most so many.
    #[param(minimum = 1, maximum = 500, default = 500)]
    limit: Option<u32>,
}

/// Reads a stream in atomic order, up to what is final. For operators; the reading is entered in
/// `admin`.
#[utoipa::path(
    get, path = "/journal/{stream}", tag = "journal",
    params(("stream" = String, Path,
        description = "reservations, payments, ai2ai, live-tracker, admin or analytics."),
        JournalParams),
    responses((status = 200, description = "Entries.", body = JournalBody)),
    security(("operator" = [])),
)]
pub(super) async fn list_journal(
    ctx: Ctx,
    MeOperator(operator): MeOperator,
    Segments(Word(stream)): Segments<Word<Stream>>,
    Params(params): Params<JournalParams>,
) -> Result<Json<JournalBody>, Problem> {
    let limit = params.limit.unwrap_or(JOURNAL_PAGE_MAX);
    if !(1..=JOURNAL_PAGE_MAX).contains(&limit) {
        let message = format!("Ask for 1 to {JOURNAL_PAGE_MAX} entries at once.");
        return Err(ServiceError::field("limit", "limit-reached", message).into());
    }
    let nanos = |at: Instant| i64::try_from(at.0.as_nanosecond()).unwrap_or(i64::MAX);
    let filter = JournalFilter {
        after: params.after.map(|Word(id)| id.to_bytes()),
        from_ns: params.from.map(nanos),
        until_ns: params.until.map(nanos),
        kind: params.kind,
        current: params.current.unwrap_or(false),
        limit,
        ..JournalFilter::of(stream)
    };
    let part = service::read_journal(&ctx, &operator, filter).await?;
    let entries: Vec<EntryBody> = part.entries.into_iter().map(Into::into).collect();
    Ok(Json(JournalBody {
        next: entries.last().map(|entry| entry.timestamp_id.clone()),
        entries,
        more: part.more,
        final_through: Instant(moment(part.final_ns)),
    }))
}
