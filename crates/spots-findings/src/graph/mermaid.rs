//! Graphs for Mermaid.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Graph;

const ARROWS: [&str; 3] = ["-->", "-.->", "==>"];

pub(super) fn render(graph: &Graph) -> String {
    // Mermaid reserves words such as `end`; numbered ids never collide with them.
    let ids: BTreeMap<&str, String> = graph
        .nodes()
        .iter()
        .enumerate()
        .map(|(number, node)| (node.id.as_str(), format!("n{number}")))
        .collect();
    let id = |name: &str| ids.get(name).map_or("", String::as_str);
    let mut out = format!("---\ntitle: {}\n---\nflowchart LR\n", quote(graph.title()));
    for (number, (group, nodes)) in graph.clusters().into_iter().enumerate() {
        let indent = if group.is_some() { "    " } else { "  " };
        if let Some(group) = group {
            let label = quote(group);
            line(&mut out, format_args!("  subgraph g{number} [{label}]"));
        }
        for node in nodes {
            let label = quote(&node.lines());
            line(&mut out, format_args!("{indent}{}[{label}]", id(&node.id)));
        }
        if group.is_some() {
            line(&mut out, format_args!("  end"));
        }
    }
    for (edge, arrow) in graph.styled(&ARROWS) {
        let words = edge
            .label
            .as_ref()
            .map_or(String::new(), |label| format!("|{}|", quote(label)));
        line(
            &mut out,
            format_args!("  {} {arrow}{words} {}", id(&edge.from), id(&edge.to)),
        );
    }
    out
}

/// Mermaid knows entities by number after `#`, and no backslashes.
fn quote(text: &str) -> String {
    let escaped = text
        .replace('#', "#35;")
        .replace('"', "#34;")
        .replace('<', "#lt;")
        .replace('>', "#gt;")
        .replace('\n', "<br>");
    format!("\"{escaped}\"")
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("writing to a string cannot fail");
}
