//! Receipts, and the ledger that anybody may check.

use axum::Json;
use axum::http::header;
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use spots_booking::ShareId;
use spots_host::extract::{Params, Segments, Word};
use spots_host::{Problem, ServiceError};

use crate::http::Me;
use crate::service::{self, Ctx};
use crate::wire::{CheckpointBody, ConsistencyBody, ErasedKeyBody, InclusionBody, instant_of_ns};

/// Gives the receipt of one share: what was consented to, what became of it, and the proof that it
/// stands in the ledger. `spots ledger verify` checks it without asking anybody.
#[utoipa::path(
    get, path = "/me/shares/{shareId}/receipt", tag = "me",
    params(("shareId" = String, Path, description = "Which.")),
    responses((
        status = 200, description = "The receipt, as a file; its fields are those of ISO/IEC TS 27560.",
        body = Object,
    )),
    security(("session" = [])),
)]
pub(crate) async fn find_receipt(
    ctx: Ctx,
    Me(me): Me,
    Segments(Word(share)): Segments<Word<ShareId>>,
) -> Result<impl IntoResponse, Problem> {
    let receipt = service::receipt(&ctx, &me, share).await?.receipt;
    let name = format!("attachment; filename=\"spots-receipt-{share}.json\"");
    Ok(([(header::CONTENT_DISPOSITION, name)], Json(receipt)))
}

/// Shows the last signed checkpoint of the ledger, and the key that verifies it.
#[utoipa::path(
    get, path = "/ledger/checkpoint", tag = "ledger",
    responses((status = 200, description = "The checkpoint.", body = CheckpointBody)),
)]
pub(crate) async fn find_checkpoint(ctx: Ctx) -> Result<Json<CheckpointBody>, Problem> {
    let checkpoint = service::checkpoint(&ctx).await?;
    Ok(Json(CheckpointBody {
        size: checkpoint.size,
        checkpoint: checkpoint.note,
        key: ctx.platform().ledger_key().public().to_string(),
    }))
}

/// Which entry to prove.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct InclusionParams {
    /// The leaf's hash: 32 bytes as 43 base64url characters.
    leaf: String,
}

/// Proves that an entry is in the ledger; whoever holds its receipt or certificate knows its leaf.
#[utoipa::path(
    get, path = "/ledger/inclusion", tag = "ledger",
    params(InclusionParams),
    responses((status = 200, description = "The proof.", body = InclusionBody)),
)]
pub(crate) async fn find_inclusion(
    ctx: Ctx,
    Params(params): Params<InclusionParams>,
) -> Result<Json<InclusionBody>, Problem> {
    let leaf = URL_SAFE_NO_PAD.decode(&params.leaf).ok();
    let leaf = leaf
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| {
            ServiceError::field("leaf", "form", "Give a hash as 43 base64url characters.")
        })?;
    let included = service::included(&ctx, leaf).await?;
    Ok(Json(InclusionBody {
        leaf_index: included.position,
        hashes: texts(&included.hashes),
        checkpoint: included.checkpoint.note,
    }))
}

/// Between which sizes to prove.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ConsistencyParams {
    /// The size of the earlier checkpoint.
    #[param(minimum = 1)]
    from: u64,
    /// The size of the later one.
    #[param(minimum = 1)]
    to: u64,
}

/// Proves that the ledger of a later checkpoint goes on from that of an earlier one: nothing was
/// altered or removed in between.
#[utoipa::path(
    get, path = "/ledger/consistency", tag = "ledger",
    params(ConsistencyParams),
    responses((status = 200, description = "The proof.", body = ConsistencyBody)),
)]
pub(crate) async fn find_consistency(
    ctx: Ctx,
    Params(params): Params<ConsistencyParams>,
) -> Result<Json<ConsistencyBody>, Problem> {
    let hashes = service::consistent(&ctx, params.from, params.to).await?;
    Ok(Json(ConsistencyBody {
        from: params.from,
        to: params.to,
        hashes: texts(&hashes),
    }))
}

/// Shows when the last copy of the key of an account that was deleted became unreadable. Whoever
/// has the certificate knows how the ledger names the account; it tells nothing else of it.
#[utoipa::path(
    get, path = "/ledger/erasures/{erased}", tag = "ledger",
    params(("erased" = String, Path, description = "How the ledger names the account.")),
    responses((status = 200, description = "What became of its key.", body = ErasedKeyBody)),
)]
pub(crate) async fn find_erasure(
    ctx: Ctx,
    Segments(erased): Segments<String>,
) -> Result<Json<ErasedKeyBody>, Problem> {
    let key = service::erased_key(&ctx, &erased).await?;
    Ok(Json(ErasedKeyBody {
        erased,
        purged_at: key.purged_at_ns.map(instant_of_ns),
    }))
}

fn texts(hashes: &[[u8; 32]]) -> Vec<String> {
    hashes.iter().map(|hash| STANDARD.encode(hash)).collect()
}
