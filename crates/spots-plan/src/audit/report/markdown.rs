//! The inventory as a document: each place where the clock is read.

use std::fmt::Write as _;

use super::{Mentions, advice, listed};
use crate::audit::Audit;

/// Renders totals, then every read by priority.
pub fn markdown(audit: &Audit, mentions: Mentions) -> String {
    let summary = audit.summary();
    let mut out = String::from("# Inventory of clock reads\n\n");
    push(
        &mut out,
        &format!(
            "{} direct reads in {} source files, {} of them by exception.\n\n",
            summary.total,
            audit.files.values().sum::<usize>(),
            summary.excepted,
        ),
    );
    let ranks = summary
        .by_priority
        .iter()
        .map(|(rank, count)| (rank.to_string(), *count));
    totals(&mut out, "Priority", ranks);
    totals(&mut out, "Category", summary.by_category.clone());
    let kinds = summary
        .by_kind
        .iter()
        .map(|(kind, count)| (kind.as_str().to_owned(), *count));
    totals(&mut out, "Kind", kinds);
    totals(&mut out, "Service", summary.by_service.clone());
    totals(&mut out, "Folder", summary.by_directory.clone());
    inventory(&mut out, audit, mentions);
    if !audit.unreadable.is_empty() {
        out.push_str("## Could not be read\n\n");
        for unreadable in &audit.unreadable {
            push(
                &mut out,
                &format!("- `{}`: {}\n", cell(&unreadable.path), unreadable.reason),
            );
        }
        out.push('\n');
    }
    for silent in &audit.silent_patterns {
        push(
            &mut out,
            &format!(
                "Pattern `{}` matched nothing: {}\n",
                silent.id, silent.reason
            ),
        );
    }
    out
}

fn inventory(out: &mut String, audit: &Audit, mentions: Mentions) {
    for rank in 1..=5_u8 {
        let mut reads = listed(audit, mentions)
            .filter(|read| read.priority == rank)
            .peekable();
        if reads.peek().is_none() {
            continue;
        }
        push(out, &format!("## Priority {rank}\n\n"));
        out.push_str("| place | in | kind | use | awaits | what to do |\n");
        out.push_str("| --- | --- | --- | --- | --- | --- |\n");
        for read in reads {
            let awaits = if read.place.is_async { "yes" } else { "no" };
            push(
                out,
                &format!(
                    "| `{}:{}:{}` | `{}` | {} | {} | {awaits} | {} |\n",
                    cell(&read.path),
                    read.line,
                    read.column,
                    cell(&read.scope()),
                    read.kind.as_str(),
                    read.place.usage.as_str(),
                    advice(read),
                ),
            );
        }
        out.push('\n');
    }
}

fn totals(out: &mut String, name: &str, counts: impl IntoIterator<Item = (String, usize)>) {
    push(out, &format!("| {name} | direct reads |\n| --- | ---: |\n"));
    for (key, count) in counts {
        push(out, &format!("| {} | {count} |\n", cell(&key)));
    }
    out.push('\n');
}

/// Text that neither ends a cell nor a code span.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
        .replace('`', "'")
        .replace('\n', " ")
}

fn push(out: &mut String, text: &str) {
    write!(out, "{text}").expect("writing to a string cannot fail");
}
