//! What is held about people is declared, column by column.

use std::collections::BTreeSet;
use std::path::Path;

use spots_store::inventory::{document, tables};

use crate::stage::Stage;

pub(crate) async fn every_column_has_its_place(stage: &Stage) {
    let held: BTreeSet<_> = stage
        .columns()
        .await
        .into_iter()
        .filter(|column| !column.starts_with("spots_migrate_"))
        .collect();
    let declared: BTreeSet<_> = tables()
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

#[test]
fn the_document_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/data-inventory.md");
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    if written != document() {
        let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("data-inventory.md");
        std::fs::write(&fresh, document()).unwrap();
        panic!(
            "docs/data-inventory.md is not current; copy {} over it",
            fresh.display()
        );
    }
}
