//! The tables of a PostgreSQL database, as rows are made for them.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Client;

use super::script::rows;
use crate::rehearse::generate::{Column, Kind, Reference, Table, mentioned};

/// Table, column, type's category, type's name, nullable, filled, words of an enumeration.
const COLUMNS: &str = "
SELECT a.attrelid::regclass::text, quote_ident(a.attname), t.typcategory::text, t.typname,
    (NOT a.attnotnull)::text, (a.atthasdef OR a.attidentity <> '' OR a.attgenerated <> '')::text,
    (SELECT json_agg(enumlabel ORDER BY enumsortorder)::text FROM pg_enum
        WHERE enumtypid = t.oid)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'spots_migrate')
ORDER BY 1, a.attnum";

/// Table, columns of a key or unique index.
const UNIQUE: &str = "
SELECT i.indrelid::regclass::text, quote_ident(a.attname)
FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
WHERE i.indisunique";

/// Table, number of the key, parent, column, parent's column.
const REFERENCES: &str = "
SELECT k.conrelid::regclass::text, k.oid::text, k.confrelid::regclass::text,
    quote_ident(a.attname), quote_ident(p.attname)
FROM pg_constraint k, unnest(k.conkey, k.confkey) AS pair (own, other),
    pg_attribute a, pg_attribute p
WHERE k.contype = 'f' AND a.attrelid = k.conrelid AND a.attnum = pair.own
    AND p.attrelid = k.confrelid AND p.attnum = pair.other
ORDER BY 1, 2, pair.own";

/// Table, column, check of this column alone.
const CHECKS: &str = "
SELECT k.conrelid::regclass::text, quote_ident(a.attname), pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
WHERE k.contype = 'c' AND array_length(k.conkey, 1) = 1";

/// Every table but the engine's own.
pub(super) async fn tables(client: &Client) -> Result<Vec<Table>, tokio_postgres::Error> {
    let mut tables = BTreeMap::<String, Table>::new();
    for row in rows(client, COLUMNS).await? {
        let cell = |at: usize| row.get(at).cloned().flatten();
        let name = cell(0).unwrap_or_default();
        let table = tables.entry(name.clone()).or_insert_with(|| Table {
            name,
            columns: Vec::new(),
            unique: BTreeSet::new(),
            references: Vec::new(),
        });
        let words = cell(6).and_then(|text| serde_json::from_str(&text).ok());
        table.columns.push(Column {
            name: cell(1).unwrap_or_default(),
            kind: words.map_or_else(
                || kind(&cell(2).unwrap_or_default(), &cell(3).unwrap_or_default()),
                Kind::Words,
            ),
            nullable: cell(4).as_deref() == Some("true"),
            filled: cell(5).as_deref() == Some("true"),
            mentioned: Vec::new(),
        });
    }
    for [table, column] in texts(client, UNIQUE).await? {
        if let Some(table) = tables.get_mut(&table) {
            table.unique.insert(column);
        }
    }
    for [table, column, check] in texts(client, CHECKS).await? {
        let table = tables.get_mut(&table).into_iter();
        let column = table.flat_map(|one| one.columns.iter_mut().filter(|one| one.name == column));
        column.for_each(|one| one.mentioned.extend(mentioned(&check)));
    }
    let mut last = String::new();
    for [table, key, parent, column, other] in texts(client, REFERENCES).await? {
        let Some(table) = tables.get_mut(&table) else {
            continue;
        };
        if std::mem::replace(&mut last, key.clone()) != key {
            table.references.push(Reference {
                columns: Vec::new(),
                table: parent,
                to: Vec::new(),
            });
        }
        if let Some(reference) = table.references.last_mut() {
            reference.columns.push(column);
            reference.to.push(other);
        }
    }
    Ok(tables.into_values().collect())
}

async fn texts<const N: usize>(
    client: &Client,
    query: &str,
) -> Result<Vec<[String; N]>, tokio_postgres::Error> {
    let found = rows(client, query).await?.into_iter();
    Ok(found
        .filter_map(|row| {
            let cells = row.into_iter().map(Option::unwrap_or_default);
            cells.collect::<Vec<_>>().try_into().ok()
        })
        .collect())
}

fn kind(category: &str, name: &str) -> Kind {
    match (category, name) {
        (_, "int2" | "int4" | "int8" | "oid") => Kind::Whole,
        (_, "numeric" | "float4" | "float8" | "money") => Kind::Real,
        ("B", _) => Kind::Truth,
        ("S", _) => Kind::Text,
        (_, "bytea") => Kind::Bytes,
        (_, "date") => Kind::Day,
        (_, "timestamp" | "timestamptz") => Kind::Moment,
        (_, "uuid") => Kind::Uuid,
        (_, "json" | "jsonb") | ("A", _) => Kind::Json,
        _ => Kind::Other,
    }
}
