//! Moves on PostgreSQL: rows of one table go in one statement.

use std::error::Error;

use spots_migrate::Batch;
use spots_migrate::postgres::Backfill;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Transaction};

use super::Chain;
use super::moves::{
    Dialect, Holds, Known, Move, MoveError, NewGuest, Row, Table, Value, Write, holds_old,
};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// A chain of moves as the engine runs it.
pub(super) struct Chained(pub(super) Chain);

#[async_trait::async_trait]
impl Backfill for Chained {
    async fn count(&self, client: &Client) -> Outcome<u64> {
        let Some(first) = self.0.moves.first() else {
            return Ok(0);
        };
        // What a chain's first move prepares, the others count.
        let counted = if first.prepare(Dialect::Postgres).is_empty() {
            self.0.moves.as_slice()
        } else {
            std::slice::from_ref(first)
        };
        let mut all = 0;
        for part in counted {
            let rows: i64 = client.query_one(&part.count(), &[]).await?.get(0);
            all += rows.unsigned_abs();
        }
        Ok(all)
    }

    async fn batch(
        &self,
        transaction: &Transaction<'_>,
        from: Option<&str>,
        rows: u32,
    ) -> Outcome<Batch> {
        let place = || MoveError::Place(from.unwrap_or_default().to_owned());
        let (number, step, key) = self.0.at(from).ok_or_else(place)?;
        let prepare = step.prepare(Dialect::Postgres);
        if key.is_empty() && !prepare.is_empty() {
            transaction.batch_execute(prepare).await?;
        }
        let limit = (rows / step.weight()).max(1);
        let select = step.select(Dialect::Postgres);
        let read = transaction
            .query(&select, &[&key, &i64::from(limit)])
            .await?;
        let read = read.iter().map(row).collect::<Result<Vec<_>, _>>()?;
        if !read.is_empty() {
            let mover = self.0.with_keys()?;
            let known = known(transaction, step, &read).await?;
            for write in step.writes(mover, &read, &known)? {
                perform(transaction, write).await?;
            }
        }
        Ok(Batch {
            rows: read.len() as u64,
            next: self.0.next(number, &read, limit),
        })
    }
}

/// Whether the database holds people of the old form: then it moves before it serves.
pub(crate) async fn is_old(client: &Client) -> Result<bool, tokio_postgres::Error> {
    let there = "SELECT EXISTS (SELECT 1 FROM information_schema.columns
                 WHERE table_schema = current_schema() AND table_name = $1 AND column_name = $2)";
    let there = client.prepare(there).await?;
    let mapped = client
        .query_one(&there, &[&"user_agent_mappings", &"user_id"])
        .await?;
    for table in ["users", "legacy_users"] {
        if !client
            .query_one(&there, &[&table, &"email"])
            .await?
            .get::<_, bool>(0)
        {
            continue;
        }
        let old = client
            .query_one(&holds_old(table, mapped.get(0)), &[])
            .await?;
        if old.get(0) {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn row(row: &tokio_postgres::Row) -> Result<Row, tokio_postgres::Error> {
    let value = |(at, column): (usize, &tokio_postgres::Column)| {
        Ok(match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(at)?.into(),
            Type::INT4 => row.try_get::<_, Option<i32>>(at)?.map(i64::from).into(),
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(at)?.into(),
            _ => row.try_get::<_, Option<String>>(at)?.into(),
        })
    };
    let values = row.columns().iter().enumerate().map(value);
    values.collect::<Result<_, _>>().map(Row)
}

async fn known(transaction: &Transaction<'_>, step: &dyn Move, rows: &[Row]) -> Outcome<Known> {
    let mut tokens: Vec<_> = rows.iter().flat_map(|row| step.tokens(row)).collect();
    tokens.sort_unstable();
    tokens.dedup();
    if tokens.is_empty() {
        return Ok(Known::new());
    }
    let sql = format!("{} = ANY($1)", step.lookup());
    let found = transaction.query(&sql, &[&tokens]).await?;
    Ok(found.iter().map(|row| (row.get(0), row.get(1))).collect())
}

pub(super) async fn perform(transaction: &Transaction<'_>, write: Write) -> Outcome<()> {
    match write {
        Write::Insert(table, rows) => insert(transaction, table, &rows).await,
        Write::Each(_, lists) if lists.is_empty() => Ok(()),
        Write::Each(sql, lists) => {
            let statement = transaction.prepare(sql).await?;
            for list in &lists {
                let params: Vec<_> = list
                    .iter()
                    .map(|value| value as &(dyn ToSql + Sync))
                    .collect();
                transaction.execute(&statement, &params).await?;
            }
            Ok(())
        }
        Write::Guests(guests) => add_guests(transaction, &guests).await,
    }
}

async fn insert(transaction: &Transaction<'_>, table: &Table, rows: &[Vec<Value>]) -> Outcome<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut arrays = Vec::new();
    let mut columns: Vec<Vec<&Value>> = vec![Vec::new(); table.columns.len()];
    for row in rows {
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value);
        }
    }
    for (at, (_, holds)) in (1..).zip(table.columns) {
        let array = match holds {
            Holds::Text => "text[]",
            Holds::Int => "bigint[]",
            Holds::Bytes => "bytea[]",
        };
        arrays.push(format!("${at}::{array}"));
    }
    let sql = format!(
        "INSERT INTO {} ({}) SELECT * FROM unnest({}) {}",
        table.name,
        table.names(),
        arrays.join(", "),
        table.on_conflict()
    );
    let params: Vec<_> = columns
        .iter()
        .map(|column| column as &(dyn ToSql + Sync))
        .collect();
    transaction.execute(&sql, &params).await?;
    Ok(())
}

/// Adds guests under their first codes; whose code is taken gets the next.
async fn add_guests(transaction: &Transaction<'_>, guests: &[NewGuest]) -> Outcome<()> {
    let mut left: Vec<_> = guests.iter().collect();
    let mut attempt = 0;
    while let Some(first) = left.first() {
        if attempt >= first.codes.len() {
            return Err(MoveError::Codes(first.host.clone()).into());
        }
        let column = |of: fn(&NewGuest) -> &str| left.iter().map(|new| of(new)).collect::<Vec<_>>();
        let (hosts, ids) = (column(|new| &new.host), column(|new| &new.guest));
        let agents = column(|new| &new.agent);
        let codes: Vec<_> = left
            .iter()
            .filter_map(|new| new.codes.get(attempt))
            .collect();
        transaction
            .execute(
                "INSERT INTO guests (host_id, guest_id, agent_id, code)
                 SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
                 ON CONFLICT DO NOTHING",
                &[&hosts, &ids, &agents, &codes],
            )
            .await?;
        let missing = transaction
            .query(
                "SELECT w.guest FROM unnest($1::text[], $2::text[]) AS w (host, guest)
                 WHERE NOT EXISTS (SELECT 1 FROM guests g
                                   WHERE g.host_id = w.host AND g.guest_id = w.guest)",
                &[&hosts, &ids],
            )
            .await?;
        let missing: Vec<String> = missing.iter().map(|row| row.get(0)).collect();
        left.retain(|new| missing.contains(&new.guest));
        attempt += 1;
    }
    Ok(())
}

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Outcome<IsNull> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(number) if *ty == Type::INT4 => i32::try_from(*number)?.to_sql(ty, out),
            Self::Int(number) => number.to_sql(ty, out),
            Self::Text(text) => text.as_str().to_sql(ty, out),
            Self::Bytes(bytes) => bytes.as_slice().to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::TEXT | Type::INT4 | Type::INT8 | Type::BYTEA)
    }

    to_sql_checked!();
}
