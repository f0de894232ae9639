//! One runner at a time: an advisory lock of the session, and a fencing token.
//!
//! The server frees the lock when the session ends, however it ends, so an abandoned lock cannot
//! be; whoever holds it is alive on the server and can be looked at there.

use std::time::Duration;

use tokio_postgres::Client;

use super::record;
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
            |holder| holder.shown,
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
            "UPDATE spots_migrate.lock SET token = token + 1, owner = $1,
                 since = clock_timestamp() RETURNING token",
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
    client: &Client,
    failed: Option<&str>,
    force: bool,
) -> Result<Vec<String>, ApplyError> {
    let what = "unlock the migrations";
    record::create(client).await?;
    let holder = holder(client).await?;
    let mut said = match &holder {
        Some(holder) => vec![format!("held by {}", holder.shown)],
        None => vec!["nobody holds the lock".to_owned()],
    };
    if let Some(id) = failed {
        // Steps that are done stay done; without any, the migration begins anew.
        let freed = client
            .execute(
                "UPDATE spots_migrate.migration m SET failure = NULL, state = CASE WHEN EXISTS (
                     SELECT 1 FROM spots_migrate.step s WHERE s.migration = m.id
                 ) THEN 'running' ELSE 'rolled_back' END WHERE id = $1 AND state = 'failed'",
                &[&id],
            )
            .await
            .map_err(ApplyError::database(what))?;
        if freed == 0 {
            return Err(ApplyError::Refused(Refusal::Unknown {
                what: format!("a failed {id}"),
            }));
        }
        said.push(format!("{id} may be tried again"));
    }
    if let (true, Some(holder)) = (force, &holder) {
        client
            .execute("SELECT pg_terminate_backend($1)", &[&holder.session])
            .await
            .map_err(ApplyError::database(what))?;
        said.push("its session is ended; its open change is undone".to_owned());
    }
    Ok(said)
}

struct Holder {
    session: i32,
    shown: String,
}

/// Who holds the lock and what its session does, for people.
async fn holder(client: &Client) -> Result<Option<Holder>, ApplyError> {
    let row = client
        .query_opt(
            "SELECT a.pid, format('session %s (%s) of %s, %s%s', a.pid, coalesce(nullif(a.application_name, ''), 'unnamed'),
                 a.usename, a.state,
                 coalesce(' for ' || round(extract(epoch FROM clock_timestamp() - a.xact_start)) || ' s', ''))
             FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
             WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
                 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                 AND (l.classid::bigint << 32) | l.objid::bigint = $1",
            &[&KEY],
        )
        .await
        .map_err(ApplyError::database("look who holds the migration lock"))?;
    row.map(|row| {
        Ok(Holder {
            session: row.try_get(0)?,
            shown: row.try_get(1)?,
        })
    })
    .transpose()
    .map_err(ApplyError::database::<tokio_postgres::Error>(
        "look who holds the migration lock",
    ))
}
