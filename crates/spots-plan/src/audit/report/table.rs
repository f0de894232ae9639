//! For people at a terminal.

use std::fmt::Write as _;

use super::{Mentions, listed};
use crate::audit::Audit;

/// Renders one line a read, then the totals.
pub fn table(audit: &Audit, mentions: Mentions) -> String {
    let rows = listed(audit, mentions)
        .map(|read| {
            let awaits = if read.place.is_async { "async" } else { "sync" };
            [
                format!("{}:{}:{}", read.path, read.line, read.column),
                read.priority.to_string(),
                read.category.clone(),
                read.kind.as_str().to_owned(),
                read.place.usage.as_str().to_owned(),
                awaits.to_owned(),
                read.scope(),
            ]
        })
        .collect::<Vec<_>>();
    let head = ["place", "prio", "category", "kind", "use", "awaits", "in"].map(str::to_owned);
    let mut out = columns(&head, &rows);
    let summary = audit.summary();
    let ranks = summary
        .by_priority
        .iter()
        .map(|(rank, count)| format!("{rank}: {count}"));
    let kinds = summary.by_kind.iter().filter(|(_, count)| **count > 0);
    let kinds = kinds.map(|(kind, count)| format!("{count} {}", kind.as_str()));
    push(
        &mut out,
        &format!(
            "\n{} direct reads ({} by exception) in {} files; by priority {}\n",
            summary.total,
            summary.excepted,
            audit.files.values().sum::<usize>(),
            ranks.collect::<Vec<_>>().join(", "),
        ),
    );
    let kinds = kinds.collect::<Vec<_>>().join(", ");
    if !kinds.is_empty() {
        push(&mut out, &format!("by kind: {kinds}\n"));
    }
    for unreadable in &audit.unreadable {
        push(
            &mut out,
            &format!(
                "{}: could not read: {}\n",
                unreadable.path, unreadable.reason
            ),
        );
    }
    for silent in &audit.silent_patterns {
        push(
            &mut out,
            &format!("pattern {}: {}\n", silent.id, silent.reason),
        );
    }
    out
}

fn columns<const N: usize>(head: &[String; N], rows: &[[String; N]]) -> String {
    let mut out = String::new();
    if rows.is_empty() {
        return out;
    }
    let mut widths = [0; N];
    for row in std::iter::once(head).chain(rows) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in std::iter::once(head).chain(rows) {
        let cells = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        push(&mut out, cells.collect::<Vec<_>>().join("  ").trim_end());
        out.push('\n');
    }
    out
}

fn push(out: &mut String, text: &str) {
    write!(out, "{text}").expect("writing to a string cannot fail");
}
