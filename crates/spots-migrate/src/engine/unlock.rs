//! What an operator sees and frees.

use super::target::Target;
use crate::{ApplyError, Failure, Refusal};

/// What is half done or failed, for people.
pub(crate) async fn half_done<T: Target>(target: &T) -> Result<Vec<String>, ApplyError> {
    let (migrations, steps) = (T::table("migration"), T::table("step"));
    let query = format!(
        "SELECT id, state, failure, (SELECT count(*) FROM {steps} s WHERE s.migration = m.id
             AND s.done > 0) FROM {migrations} m
         WHERE state IN ('running', 'failed') ORDER BY position"
    );
    let rows = target.rows(&query).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let mut cells = row.into_iter().map(Option::unwrap_or_default);
            let mut next = || cells.next().unwrap_or_default();
            let (id, state, failure, steps) = (next(), next(), next(), next());
            if state == "running" {
                return format!("{id} is half done: {steps} steps are recorded and stay; the next run goes on after them");
            }
            match serde_json::from_str::<Failure>(&failure) {
                Ok(failure) => format!("{id} failed: {failure}"),
                Err(_) => format!("{id} failed"),
            }
        })
        .collect())
}

/// Lets a failed migration be tried again as it is.
pub(crate) async fn free<T: Target>(target: &T, id: &str) -> Result<String, ApplyError> {
    let (migrations, steps) = (T::table("migration"), T::table("step"));
    let literal = T::literal(id);
    // Steps that are done stay done; without any, the migration begins anew.
    let freed = target
        .rows(&format!(
            "UPDATE {migrations} SET failure = NULL, state = CASE WHEN EXISTS (
                 SELECT 1 FROM {steps} WHERE migration = {literal}
             ) THEN 'running' ELSE 'rolled_back' END
             WHERE id = {literal} AND state = 'failed' RETURNING id"
        ))
        .await?;
    if freed.is_empty() {
        return Err(ApplyError::Refused(Refusal::NotFailed {
            id: id.to_owned(),
        }));
    }
    Ok(format!("{id} may be tried again"))
}
