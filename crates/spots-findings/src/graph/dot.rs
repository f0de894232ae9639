//! Graphs for Graphviz.

use std::fmt::Write as _;

use super::{Graph, Node};

const STYLES: [&str; 4] = ["solid", "dashed", "dotted", "bold"];

pub(super) fn render(graph: &Graph) -> String {
    let mut out = format!("digraph {} {{\n", quote(graph.title()));
    out.push_str("  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n");
    for (number, group) in graph.groups().into_iter().enumerate() {
        line(
            &mut out,
            format_args!(
                "  subgraph cluster_{number} {{\n    label={};",
                quote(group)
            ),
        );
        for node in graph
            .nodes()
            .iter()
            .filter(|node| node.group.as_deref() == Some(group))
        {
            line(&mut out, format_args!("    {}", statement(node)));
        }
        out.push_str("  }\n");
    }
    for node in graph.nodes().iter().filter(|node| node.group.is_none()) {
        line(&mut out, format_args!("  {}", statement(node)));
    }
    let kinds = graph.kinds();
    for edge in graph.edges() {
        let kind = kinds
            .iter()
            .position(|kind| *kind == edge.kind)
            .unwrap_or(0);
        let style = STYLES.get(kind % STYLES.len()).unwrap_or(&"solid");
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

fn statement(node: &Node) -> String {
    let label = match &node.note {
        Some(second) => format!("{}\n{second}", node.label),
        None => node.label.clone(),
    };
    format!("{} [label={}];", quote(&node.id), quote(&label))
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
