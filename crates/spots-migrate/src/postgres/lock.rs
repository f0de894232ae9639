//! One runner at a time: an advisory lock of the session, and a fencing token.
//!
//! The server frees the lock when the session ends, however it ends, so an abandoned lock cannot
//! be; whoever holds it is alive on the server and can be looked at there.

use std::time::Duration;

use tokio_postgres::Client;

use super::record;
use super::target::Postgres;
use crate::engine::unlock;
use crate::{ApplyError, Event, Refusal, Run};

/// The advisory lock's key: "SPOTSMIG" as ASCII.
const KEY: i64 = 0x5350_4f54_534d_4947;

/// How long to wait between two tries.
const POLL: Duration = Duration::from_millis(200);

/// Takes the lock and returns the fencing token of this run.
pub(super) async fn take(client: &Client, run: &mut Run<'_>) -> Result<i64, ApplyError> {
    let what = "take the migration lock";
    let mut waited = Duration::ZERO;
    loop {
        let taken = client
            .query_one("SELECT pg_try_advisory_lock($1)", &[&KEY])
            .await
            .and_then(|row| row.try_get::<_, bool>(0))
            .map_err(ApplyError::database(what))?;
        if taken {
            break;
        }
        let holder = holder(client).await?.map_or_else(
            || "a session that has just ended".to_owned(),
            |holder| format!("{} ({})", holder.shown, holder.life),
        );
        if waited >= run.wait_max {
            return Err(ApplyError::Refused(Refusal::Locked { holder }));
        }
        // Between two tries this session holds no snapshot: nothing waits for it.
        tokio::time::sleep(POLL).await;
        waited += POLL;
        run.progress.tell(Event::Waiting { holder, waited });
    }
    let token = register(client, &run.owner).await;
    if token.is_err() {
        free(client).await?;
    }
    token
}

async fn register(client: &Client, owner: &str) -> Result<i64, ApplyError> {
    record::create(client).await?;
    client
        .query_one(
            // What a dead run left half done is this one's now.
            "WITH taken AS (
                 UPDATE spots_migrate.lock SET token = token + 1, owner = $1,
                     since = clock_timestamp() RETURNING token
             ), mine AS (
                 UPDATE spots_migrate.migration SET token = taken.token FROM taken
                 WHERE state = 'running'
             )
             SELECT token FROM taken",
            &[&owner],
        )
        .await
        .and_then(|row| row.try_get(0))
        .map_err(ApplyError::database("take the migration lock"))
}

/// Frees the lock.
pub(super) async fn release(client: &Client, token: i64) -> Result<(), ApplyError> {
    client
        .execute(
            "UPDATE spots_migrate.lock SET owner = NULL, since = NULL WHERE token = $1",
            &[&token],
        )
        .await
        .map_err(ApplyError::database("release the migration lock"))?;
    free(client).await
}

async fn free(client: &Client) -> Result<(), ApplyError> {
    client
        .execute("SELECT pg_advisory_unlock($1)", &[&KEY])
        .await
        .map(drop)
        .map_err(ApplyError::database("release the migration lock"))
}

/// See [`super::unlock`].
pub(super) async fn unlock(
    client: &mut Client,
    failed: Option<&str>,
    force: bool,
) -> Result<Vec<String>, ApplyError> {
    let recorded = record::format(client).await?.is_some();
    let holder = holder(client).await?;
    let mut said = match &holder {
        Some(holder) => vec![format!("held by {}", holder.shown), holder.life.clone()],
        None => vec!["nobody holds the lock".to_owned()],
    };
    let target = Postgres::new(client);
    if recorded {
        said.extend(unlock::half_done(&target).await?);
    }
    match failed {
        Some(id) if recorded => said.push(unlock::free(&target, id).await?),
        Some(id) => {
            return Err(ApplyError::Refused(Refusal::NotFailed {
                id: id.to_owned(),
            }));
        }
        None => {}
    }
    let Some(holder) = holder else {
        return Ok(said);
    };
    if force {
        client
            .execute("SELECT pg_terminate_backend($1)", &[&holder.session])
            .await
            .map_err(ApplyError::database("unlock the migrations"))?;
        said.push("its session is ended; its open change is undone".to_owned());
    } else {
        said.push(
            "nothing was changed; --force ends the session: its open change is undone, what is recorded stays".to_owned(),
        );
    }
    Ok(said)
}

struct Holder {
    session: i32,
    shown: String,
    /// Whether it is dead, or merely slow.
    life: String,
}

const HOLDER: &str = "
SELECT a.pid, format('session %s%s of %s%s', a.pid,
        coalesce(' (' || nullif(a.application_name, '') || ')', ''), a.usename,
        coalesce(' from ' || host(a.client_addr), '')),
    CASE
        WHEN cardinality(pg_blocking_pids(a.pid)) > 0 THEN format(
            'it waits for sessions %s, so it is slow, not abandoned', pg_blocking_pids(a.pid))
        WHEN a.state = 'active' THEN format(
            'it has worked for %s s on: %s; slow, not abandoned',
            round(extract(epoch FROM clock_timestamp() - a.query_start)),
            left(regexp_replace(regexp_replace(a.query, '^BEGIN;SET LOCAL lock_timeout = \\d+;', ''),
                '\\s+', ' ', 'g'), 120))
        ELSE format(
            'it has been silent for %s s; when its program is gone, the server ends it by itself',
            round(extract(epoch FROM clock_timestamp() - a.state_change)))
    END
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (l.classid::bigint << 32) | l.objid::bigint = $1";

/// Who holds the lock and what its session does, for people.
async fn holder(client: &Client) -> Result<Option<Holder>, ApplyError> {
    let what = "look who holds the migration lock";
    let Some(row) = client
        .query_opt(HOLDER, &[&KEY])
        .await
        .map_err(ApplyError::database(what))?
    else {
        return Ok(None);
    };
    let mut shown = row.get::<_, String>(1);
    if record::format(client).await?.is_some() {
        let owner = client
            .query_opt("SELECT owner FROM spots_migrate.lock", &[])
            .await
            .map_err(ApplyError::database(what))?;
        if let Some(owner) = owner.and_then(|row| row.get::<_, Option<String>>(0)) {
            shown = format!("{owner}, {shown}");
        }
    }
    Ok(Some(Holder {
        session: row.get(0),
        shown,
        life: row.get(2),
    }))
}
