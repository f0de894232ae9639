//! A copy without what people wrote: texts, bytes and days are replaced, keys stay.

use std::collections::BTreeSet;

use super::Scratch;
use super::generate::Kind;
use crate::ApplyError;

/// Replaces what may be personal; gives the columns whose constraints did not let it.
///
/// Numbers, moments, keys and columns with a list of words stay: rows must still find each other.
pub(crate) async fn sanitise<T: Scratch>(target: &mut T) -> Result<Vec<String>, ApplyError> {
    let mut kept = Vec::new();
    let tables = target.tables().await?;
    let references = tables.iter().flat_map(|table| &table.references);
    let referred = references
        .flat_map(|one| {
            one.to
                .iter()
                .map(|column| (one.table.clone(), column.clone()))
        })
        .collect::<BTreeSet<_>>();
    for table in &tables {
        for column in &table.columns {
            let name = &column.name;
            let refers = table
                .references
                .iter()
                .any(|one| one.columns.contains(name));
            let personal = matches!(
                column.kind,
                Kind::Text | Kind::Bytes | Kind::Json | Kind::Day
            );
            let listed = column
                .mentioned
                .iter()
                .any(|text| text.parse::<f64>().is_err());
            let key = referred.contains(&(table.name.clone(), name.clone()));
            if !personal || refers || key || listed {
                continue;
            }
            let new = T::replaced(name, &column.kind, table.unique.contains(name));
            let sql = format!(
                "UPDATE {} SET {name} = {new} WHERE {name} IS NOT NULL",
                table.name
            );
            if !target.attempt(&sql).await? {
                kept.push(format!("{}.{name}", table.name));
            }
        }
    }
    Ok(kept)
}
