//! What is held about people is declared, column by column.

use std::collections::BTreeSet;

use spots_store::inventory::TABLES;

use crate::stage::Stage;

pub(crate) async fn every_column_has_its_place(stage: &Stage) {
    let held: BTreeSet<_> = stage
        .columns()
        .await
        .into_iter()
        .filter(|column| !column.starts_with("spots_migrate_"))
        .collect();
    let declared: BTreeSet<_> = TABLES
        .iter()
        .flat_map(|table| {
            let columns = table.columns.iter();
            columns.map(|column| format!("{}.{}", table.name, column.0))
        })
        .collect();
    let undeclared: Vec<_> = held.difference(&declared).collect();
    assert!(
        undeclared.is_empty(),
        "columns without a place in the inventory (crates/spots-store/src/inventory/): \
         {undeclared:?}"
    );
    let gone: Vec<_> = declared.difference(&held).collect();
    assert!(gone.is_empty(), "declared, and in no table: {gone:?}");
    assert!(held.len() > 100, "the database shows its columns");
}
