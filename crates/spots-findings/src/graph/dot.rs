//! Graphs for Graphviz.

use std::fmt::Write as _;

use super::Graph;

const STYLES: [&str; 4] = ["solid", "dashed", "dotted", "bold"];

pub(super) fn render(graph: &Graph) -> String {
    let mut out = format!("digraph {} {{\n", quote(graph.title()));
    out.push_str("  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n");
    for (number, (group, nodes)) in graph.clusters().into_iter().enumerate() {
        let indent = if group.is_some() { "    " } else { "  " };
        if let Some(group) = group {
            let label = quote(group);
            line(
                &mut out,
                format_args!("  subgraph cluster_{number} {{\n    label={label};"),
            );
        }
        for node in nodes {
            let (id, label) = (quote(&node.id), quote(&node.lines()));
            line(&mut out, format_args!("{indent}{id} [label={label}];"));
        }
        if group.is_some() {
            line(&mut out, format_args!("  }}"));
        }
    }
    for (edge, style) in graph.styled(&STYLES) {
        let label = edge
            .label
            .as_ref()
            .map_or(String::new(), |label| format!(", label={}", quote(label)));
        line(
            &mut out,
            format_args!(
                "  {} -> {} [class={}, style={style}{label}];",
                quote(&edge.from),
                quote(&edge.to),
                quote(&edge.kind),
            ),
        );
    }
    out.push_str("}\n");
    out
}

fn quote(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("\"{escaped}\"")
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("writing to a string cannot fail");
}
