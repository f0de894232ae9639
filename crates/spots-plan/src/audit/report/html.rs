//! One self-contained page with a chart; no script, no request to anywhere.

use std::fmt::Write as _;

use super::{Mentions, advice, listed};
use crate::audit::{Audit, Summary};

const STYLE: &str = "\
:root{color-scheme:light dark;--bar:#2a6fbb;--line:#8884}\
body{font:16px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem;\
background:Canvas;color:CanvasText}h1,h2{line-height:1.25}\
table{border-collapse:collapse;width:100%;font-size:.9rem;margin-top:2rem}\
td,th{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid var(--line)}\
td:nth-child(-n+2){overflow-wrap:anywhere;min-width:9rem}\
svg{max-width:100%;height:auto}svg text{fill:currentColor;font-size:14px}rect{fill:var(--bar)}\
@media(max-width:48rem){thead{display:none}tr{display:block;padding:.6rem 0;\
border-bottom:1px solid var(--line)}td{display:inline-block;border:0;padding:0 .8rem 0 0}\
td:first-child,td:nth-child(2),td:last-child{display:block}td:first-child{font-weight:650}\
td[data-is]::before{content:attr(data-is) \" \";opacity:.7}}";
/// Columns, and whether a narrow screen, which has no heads, names them in each row.
const COLUMNS: [(&str, bool); 8] = [
    ("Place", false),
    ("In", true),
    ("Priority", true),
    ("Category", false),
    ("Kind", false),
    ("Use", false),
    ("Awaits", true),
    ("What to do", false),
];

/// Renders totals, a chart by priority and category, and every read.
pub fn html(audit: &Audit, mentions: Mentions) -> String {
    let summary = audit.summary();
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>Clock reads</title><style>{STYLE}</style></head>\n<body>\n\
         <h1>Clock reads</h1>\n<p>{} direct reads in {} source files, {} by exception.</p>\n",
        summary.total,
        audit.files.values().sum::<usize>(),
        summary.excepted,
    );
    out.push_str(&charts(&summary));
    out.push_str("<table>\n<thead><tr>");
    for (column, _) in COLUMNS {
        push(&mut out, &format!("<th>{column}</th>"));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for read in listed(audit, mentions) {
        let awaits = if read.place.is_async { "yes" } else { "no" };
        let cells = [
            &format!("{}:{}:{}", read.path, read.line, read.column),
            &read.scope(),
            &read.priority.to_string(),
            &read.category,
            read.kind.as_str(),
            read.place.usage.as_str(),
            awaits,
            advice(read),
        ];
        out.push_str("<tr>");
        for ((column, named), cell) in COLUMNS.into_iter().zip(cells) {
            let label = if named {
                format!(" data-is=\"{}\"", column.to_lowercase())
            } else {
                String::new()
            };
            push(&mut out, &format!("<td{label}>{}</td>", escape(cell)));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n");
    if !audit.unreadable.is_empty() {
        out.push_str("<h2>Could not be read</h2>\n<ul>\n");
        for unreadable in &audit.unreadable {
            let (path, reason) = (escape(&unreadable.path), escape(&unreadable.reason));
            push(&mut out, &format!("<li>{path}: {reason}</li>\n"));
        }
        out.push_str("</ul>\n");
    }
    for silent in &audit.silent_patterns {
        let (id, reason) = (escape(&silent.id), escape(&silent.reason));
        push(
            &mut out,
            &format!("<p>Pattern {id} matched nothing: {reason}</p>\n"),
        );
    }
    out.push_str("</body>\n</html>\n");
    out
}

fn charts(summary: &Summary) -> String {
    let ranks = summary
        .by_priority
        .iter()
        .map(|(rank, n)| (format!("priority {rank}"), *n));
    let categories = summary
        .by_category
        .iter()
        .map(|(category, n)| (category.clone(), *n));
    [
        chart("Direct reads by priority", &ranks.collect::<Vec<_>>()),
        chart("Direct reads by category", &categories.collect::<Vec<_>>()),
    ]
    .concat()
}

/// Horizontal bars as SVG.
fn chart(title: &str, bars: &[(String, usize)]) -> String {
    const ROW: usize = 26;
    const WIDTH: usize = 220;
    let most = bars
        .iter()
        .map(|(_, count)| *count)
        .max()
        .unwrap_or(0)
        .max(1);
    let title = escape(title);
    let mut out = format!(
        "<h2>{title}</h2>\n<svg role=\"img\" aria-label=\"{title}\" width=\"400\" height=\"{}\" \
         viewBox=\"0 0 400 {}\">\n",
        bars.len() * ROW,
        bars.len() * ROW,
    );
    for (row, (name, count)) in bars.iter().enumerate() {
        let top = row * ROW;
        let width = count * WIDTH / most;
        push(
            &mut out,
            &format!(
                "<text x=\"0\" y=\"{}\">{}</text><rect x=\"120\" y=\"{}\" width=\"{width}\" \
             height=\"18\"/><text x=\"{}\" y=\"{}\">{count}</text>\n",
                top + 17,
                escape(name),
                top + 3,
                128 + width,
                top + 17,
            ),
        );
    }
    out.push_str("</svg>\n");
    out
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn push(out: &mut String, text: &str) {
    write!(out, "{text}").expect("writing to a string cannot fail");
}
