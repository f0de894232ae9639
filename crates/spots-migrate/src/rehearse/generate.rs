//! Rows for a rehearsal: from a seed, with foreign keys that hold.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::Scratch;
use crate::ApplyError;

/// At most so many rows a table.
pub const ROWS_MAX: u32 = 1_000_000;

/// Rows of one statement, tried together first.
const CHUNK: usize = 200;

/// How often a row that the database refuses is made anew.
const TRIES: usize = 32;

/// At most so many rows of a parent are referred to.
const PARENTS_MAX: usize = 1_000;

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Whole,
    Real,
    Truth,
    Text,
    Bytes,
    Moment,
    Day,
    Uuid,
    Json,
    /// One of these.
    Words(Vec<String>),
    /// A type that rows cannot be made for; left out where it may be NULL.
    Other,
}

/// A column, with what its checks mention.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    /// Quoted where it must be.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
    /// A default, an identity or a generated value.
    pub(crate) filled: bool,
    /// Texts and numbers that checks of this column alone mention.
    pub(crate) mentioned: Vec<String>,
}

/// Columns that must be those of a row elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    pub(crate) columns: Vec<String>,
    pub(crate) table: String,
    pub(crate) to: Vec<String>,
}

/// A table as rows are made for it.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// As SQL takes it.
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    /// Columns that are part of a key or a unique index.
    pub(crate) unique: BTreeSet<String>,
    pub(crate) references: Vec<Reference>,
}

/// `SplitMix64` (Steele, Lea, Flood 2014): a seed gives the same rows everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % end).unwrap_or(0)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }

    fn hex(&mut self, digits: usize) -> String {
        let mut out = String::new();
        while out.len() < digits {
            let _infallible = write!(out, "{:016x}", self.next());
        }
        out.truncate(digits);
        out
    }
}

/// Fills every empty table; says how many rows each got.
pub(crate) async fn generate<T: Scratch>(
    target: &mut T,
    (seed, rows): (u64, u32),
) -> Result<BTreeMap<String, u64>, ApplyError> {
    let mut made = BTreeMap::new();
    for (table, at) in parents_first(target.tables().await?).iter().zip(1..) {
        let query = format!("SELECT 1 FROM {} LIMIT 1", table.name);
        if !target.rows(&query).await?.is_empty() {
            continue;
        }
        let mut random = Random(seed ^ (at << 32));
        let parents = parents(target, table).await?;
        let count = fill(target, table, &parents, rows.min(ROWS_MAX), &mut random).await?;
        made.insert(table.name.clone(), count);
    }
    Ok(made)
}

/// Tables in an order in which foreign keys find their rows; a circle is cut where it is met.
fn parents_first(tables: Vec<Table>) -> Vec<Table> {
    let mut left = tables;
    let mut out = Vec::new();
    while !left.is_empty() {
        let waits = left.iter().map(|table| table.name.clone());
        let waits = waits.collect::<BTreeSet<_>>();
        let free = |table: &Table| {
            let own = &table.name;
            let mut others = table.references.iter().map(|one| &one.table);
            others.all(|other| other == own || !waits.contains(other))
        };
        let next = left.iter().position(free).unwrap_or(0);
        out.push(left.remove(next));
    }
    out
}

/// For each reference, rows that may be referred to, as literals.
async fn parents<T: Scratch>(
    target: &T,
    table: &Table,
) -> Result<Vec<Vec<Vec<Option<String>>>>, ApplyError> {
    let mut out = Vec::new();
    for reference in &table.references {
        let to = reference.to.iter().map(|column| T::as_literal(column));
        let to = to.collect::<Vec<_>>().join(", ");
        let query = format!("SELECT {to} FROM {} LIMIT {PARENTS_MAX}", reference.table);
        out.push(target.rows(&query).await?);
    }
    Ok(out)
}

type Parents = [Vec<Vec<Option<String>>>];

async fn fill<T: Scratch>(
    target: &mut T,
    table: &Table,
    parents: &Parents,
    rows: u32,
    random: &mut Random,
) -> Result<u64, ApplyError> {
    let rows = usize::try_from(rows).unwrap_or(usize::MAX);
    let mut made = 0_usize;
    while made < rows {
        let wanted = CHUNK.min(rows - made);
        let chunk = (0..wanted)
            .map(|at| row::<T>(table, parents, made + at, random))
            .collect::<Vec<_>>();
        if target.attempt(&insert(table, &chunk)).await? {
            made += wanted;
            continue;
        }
        let mut kept = 0;
        for at in 0..wanted {
            for _ in 0..TRIES {
                let one = row::<T>(table, parents, made + at, random);
                if target.attempt(&insert(table, &[one])).await? {
                    kept += 1;
                    break;
                }
            }
        }
        if kept == 0 {
            break;
        }
        made += kept;
    }
    Ok(u64::try_from(made).unwrap_or(u64::MAX))
}

/// Column and value, where a value is given.
type Row = BTreeMap<String, String>;

fn insert(table: &Table, rows: &[Row]) -> String {
    let given = rows.iter().flat_map(Row::keys).collect::<BTreeSet<_>>();
    if given.is_empty() {
        return format!("INSERT INTO {} DEFAULT VALUES", table.name);
    }
    let columns = given.iter().map(|name| name.as_str()).collect::<Vec<_>>();
    let values = rows.iter().map(|row| {
        let cells = columns
            .iter()
            .map(|name| row.get(*name).map_or("NULL", String::as_str));
        format!("({})", cells.collect::<Vec<_>>().join(", "))
    });
    format!(
        "INSERT INTO {} ({}) VALUES {}",
        table.name,
        columns.join(", "),
        values.collect::<Vec<_>>().join(", ")
    )
}

fn row<T: Scratch>(table: &Table, parents: &Parents, number: usize, random: &mut Random) -> Row {
    let mut row = Row::new();
    let mut referring = BTreeSet::new();
    for (reference, parents) in table.references.iter().zip(parents) {
        referring.extend(&reference.columns);
        // A unique reference takes each row once, in turn.
        let once = reference
            .columns
            .iter()
            .all(|one| table.unique.contains(one));
        let parent = if once {
            parents.get(number % parents.len().max(1))
        } else {
            random.pick(parents)
        };
        for (column, value) in reference.columns.iter().zip(parent.into_iter().flatten()) {
            if let Some(value) = value {
                row.entry(column.clone()).or_insert_with(|| value.clone());
            }
        }
    }
    for column in &table.columns {
        let absent = column.filled || referring.contains(&column.name);
        if absent || (column.nullable && random.below(10) == 0) {
            continue;
        }
        let unique = table.unique.contains(&column.name).then_some(number);
        if let Some(value) = value::<T>(column, unique, random) {
            row.insert(column.name.clone(), value);
        }
    }
    row
}

fn value<T: Scratch>(
    column: &Column,
    unique: Option<usize>,
    random: &mut Random,
) -> Option<String> {
    let numbers = column
        .mentioned
        .iter()
        .filter_map(|text| text.parse::<usize>().ok())
        .collect::<Vec<_>>();
    let words = column
        .mentioned
        .iter()
        .filter(|text| text.parse::<f64>().is_err())
        .collect::<Vec<_>>();
    let length = *random.pick(&numbers).unwrap_or(&16);
    Some(match &column.kind {
        Kind::Whole => match (unique, numbers.iter().min(), numbers.iter().max()) {
            (Some(number), ..) => (number + 1).to_string(),
            // A check that names numbers is most likely about what lies between them.
            (None, Some(least), Some(most)) if random.below(4) > 0 => {
                (least + random.below(most - least + 1)).to_string()
            }
            _ => random.below(1_000).to_string(),
        },
        Kind::Real => format!("{}.{}", random.below(1_000), random.below(100)),
        Kind::Truth => T::literal(if random.below(2) == 0 { "0" } else { "1" }),
        Kind::Text if unique.is_none() && !words.is_empty() => T::literal(random.pick(&words)?),
        Kind::Text => T::literal(&random.hex(length.clamp(1, 4_096))),
        Kind::Bytes => T::bytes(&random.hex(length.clamp(1, 4_096) * 2)),
        Kind::Moment => T::literal(&format!(
            "{} {:02}:{:02}:00",
            day(random),
            random.below(24),
            random.below(60)
        )),
        Kind::Day => T::literal(&day(random)),
        Kind::Uuid => {
            let hex = random.hex(32);
            T::literal(&hex)
        }
        Kind::Json => T::literal("{}"),
        Kind::Words(words) => T::literal(random.pick(words)?),
        Kind::Other => return None,
    })
}

fn day(random: &mut Random) -> String {
    let (year, month, day) = (random.below(60), random.below(12), random.below(28));
    format!("{}-{:02}-{:02}", 1970 + year, month + 1, day + 1)
}

/// What a check of one column mentions: texts in quotes, and numbers.
pub(crate) fn mentioned(check: &str) -> Vec<String> {
    let mut out = Vec::new();
    for (number, part) in check.split('\'').enumerate() {
        if number % 2 == 1 {
            out.push(part.to_owned());
        } else {
            let words = part.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            out.extend(
                words
                    .filter(|word| word.parse::<u32>().is_ok())
                    .map(str::to_owned),
            );
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_says_which_values_it_takes() {
        assert_eq!(mentioned("state IN ('open', 'shut')"), ["open", "shut"]);
        assert_eq!(mentioned("length(key) = 32"), ["32"]);
    }

    #[test]
    fn parents_come_before_children_and_a_circle_is_cut() {
        let table = |name: &str, to: &[&str]| Table {
            name: name.to_owned(),
            columns: Vec::new(),
            unique: BTreeSet::new(),
            references: to
                .iter()
                .map(|to| Reference {
                    columns: Vec::new(),
                    table: (*to).to_owned(),
                    to: Vec::new(),
                })
                .collect(),
        };
        let tables = vec![
            table("c", &["b"]),
            table("b", &["a", "b"]),
            table("a", &[]),
            table("x", &["y"]),
            table("y", &["x"]),
        ];
        let order = parents_first(tables);
        let names = order.iter().map(|one| one.name.as_str());
        assert_eq!(names.collect::<Vec<_>>(), ["a", "b", "c", "x", "y"]);
    }
}
