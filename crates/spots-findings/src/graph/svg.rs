//! Graphs as pictures.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::layout::{self, Frame, Layout, Route};
use super::{Edge, Graph, Node};

/// Labels longer than this end in "…"; the whole label is the tooltip.
const LABEL_CHARACTERS_MAX: usize = 44;
/// With more words than this on arrows, they go into tooltips only.
const ARROW_LABELS_MAX: usize = 24;
const MARGIN: f64 = 28.0;
/// Hues that stay apart for most kinds of colour blindness, in order of use.
const HUES: [u16; 8] = [212, 30, 160, 280, 340, 55, 190, 100];
const DASHES: [&str; 4] = ["none", "7 4", "2 4", "11 4 2 4"];

const STYLE: &str = "\
:root{color-scheme:light dark}
svg{--bg:#ffffff;--ink:#1b2430;--soft:#5d6b7c;--line:#8a97a8;--bad:#c62f3b;--fill:94%;--edge:46%;--sat:62%;--plain:#f4f6f8}
@media (prefers-color-scheme:dark){svg{--bg:#11161d;--ink:#e8edf3;--soft:#9aa8b8;--line:#67758a;--bad:#ff7b84;--fill:17%;--edge:60%;--sat:45%;--plain:#1a222c}}
text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif;fill:var(--ink)}
.title{font-size:18px;font-weight:650}.sub{font-size:12px;fill:var(--soft)}
.label{font-size:13px;font-weight:550}.note{font-size:11px;fill:var(--soft)}
.word{font-size:11px;fill:var(--soft);paint-order:stroke;stroke:var(--bg);stroke-width:4px;stroke-linejoin:round}
.node rect{fill:var(--plain);stroke:var(--line);stroke-width:1.25}
.edge path{fill:none;stroke:var(--line);stroke-width:1.4}
.edge.cycle path{stroke:var(--bad);stroke-width:1.9}
.edge:hover path{stroke:var(--ink);stroke-width:2.4}
.head{fill:var(--line)}.head.cycle{fill:var(--bad)}
";

pub(super) fn render(graph: &Graph) -> String {
    let groups = graph.groups();
    let kinds = graph.kinds();
    let sizes: Vec<(f64, f64)> = graph.nodes().iter().map(size).collect();
    let layout = layout::place(graph, &sizes);
    let legend = Legend::new(graph, &groups, &kinds);
    let width = layout
        .width
        .max(legend.width)
        .max(width(graph.title(), 10.5))
        + 2.0 * MARGIN;
    let top = MARGIN + legend.height;
    let height = top + layout.height + MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width:.0}\" \
         height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\">\n<title>{}</title>\n\
         <style>{STYLE}{}{}</style>\n{HEADS}<rect width=\"100%\" height=\"100%\" \
         fill=\"var(--bg)\"/>\n{}<g transform=\"translate({MARGIN:.0} {top:.0})\">\n",
        escape(graph.title()),
        group_style(groups.len()),
        kind_style(kinds.len()),
        legend.text,
    );
    draw_edges(&mut out, graph, &layout, &kinds);
    for (node, frame) in graph.nodes().iter().zip(&layout.frames) {
        let group = node.group.as_deref();
        let group = group.and_then(|group| groups.iter().position(|known| *known == group));
        draw_node(&mut out, node, *frame, group);
    }
    out.push_str("</g>\n</svg>\n");
    out
}

const HEADS: &str = "\
<defs><marker id=\"head\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"9\" \
markerHeight=\"9\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"head\" \
d=\"M0 1 10 5 0 9z\"/></marker><marker id=\"back\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" \
markerWidth=\"9\" markerHeight=\"9\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path \
class=\"head cycle\" d=\"M0 1 10 5 0 9z\"/></marker></defs>\n";

fn group_style(count: usize) -> String {
    (0..count).fold(String::new(), |mut out, number| {
        let hue = HUES.get(number % HUES.len()).copied().unwrap_or_default();
        push(
            &mut out,
            format_args!(
                ".g{number} rect{{fill:hsl({hue} var(--sat) var(--fill));\
                 stroke:hsl({hue} var(--sat) var(--edge))}}\n"
            ),
        );
        out
    })
}

fn kind_style(count: usize) -> String {
    (0..count).fold(String::new(), |mut out, number| {
        let dash = DASHES.get(number % DASHES.len()).copied().unwrap_or("none");
        push(
            &mut out,
            format_args!(".k{number} path{{stroke-dasharray:{dash}}}\n"),
        );
        out
    })
}

fn size(node: &Node) -> (f64, f64) {
    let label = width(&shorten(&node.label), 7.8);
    let second = node
        .note
        .as_deref()
        .map_or(0.0, |note| width(&shorten(note), 6.5));
    let height = if node.note.is_some() { 46.0 } else { 32.0 };
    (label.max(second).max(36.0) + 26.0, height)
}

/// About how wide a text is: narrow and wide letters differ, wide scripts count double.
fn width(text: &str, em: f64) -> f64 {
    text.chars()
        .map(|letter| match letter {
            'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | ' ' => 0.52 * em,
            'm' | 'w' | 'M' | 'W' => 1.38 * em,
            'A'..='Z' => 1.12 * em,
            letter if u32::from(letter) >= 0x2E80 => 1.9 * em,
            _ => em,
        })
        .sum()
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= LABEL_CHARACTERS_MAX {
        return text.to_owned();
    }
    let kept: String = text.chars().take(LABEL_CHARACTERS_MAX - 1).collect();
    format!("{kept}…")
}

struct Legend {
    text: String,
    width: f64,
    height: f64,
}

impl Legend {
    /// The title, what is in the picture, and one row of swatches each for groups and kinds.
    fn new(graph: &Graph, groups: &[&str], kinds: &[&str]) -> Self {
        let mut legend = Self {
            text: format!(
                "<text class=\"title\" x=\"{MARGIN:.0}\" y=\"40\">{}</text>\n",
                escape(graph.title()),
            ),
            width: 0.0,
            height: 62.0,
        };
        let cycles = graph.cycles().len();
        let mut sub = format!(
            "{} · {}",
            counted(graph.nodes().len(), "node"),
            counted(graph.edges().len(), "edge")
        );
        if cycles > 0 {
            push(&mut sub, format_args!(" · {}", counted(cycles, "cycle")));
        }
        push(
            &mut legend.text,
            format_args!("<text class=\"sub\" x=\"{MARGIN:.0}\" y=\"60\">{sub}</text>\n"),
        );
        if !groups.is_empty() {
            legend.row(groups, |number, x, y| {
                format!(
                    "<g class=\"node g{number}\"><rect x=\"{x:.0}\" y=\"{:.0}\" width=\"22\" \
                     height=\"12\" rx=\"4\"/></g>",
                    y - 10.0
                )
            });
        }
        if !kinds.is_empty() {
            legend.row(kinds, |number, x, y| {
                format!(
                    "<g class=\"edge k{number}\"><path d=\"M{x:.0} {0:.0}h22\"/></g>",
                    y - 4.0
                )
            });
        }
        legend
    }

    fn row(&mut self, words: &[&str], swatch: impl Fn(usize, f64, f64) -> String) {
        self.height += 20.0;
        let y = self.height;
        let mut x = MARGIN;
        for (number, word) in words.iter().enumerate() {
            push(
                &mut self.text,
                format_args!(
                    "{}<text class=\"sub\" x=\"{:.0}\" y=\"{y:.0}\">{}</text>\n",
                    swatch(number, x, y),
                    x + 29.0,
                    escape(word),
                ),
            );
            x += width(word, 6.6) + 52.0;
        }
        self.width = self.width.max(x - MARGIN);
    }
}

fn draw_edges(out: &mut String, graph: &Graph, layout: &Layout, kinds: &[&str]) {
    let mut between: BTreeMap<(&str, &str), Vec<&Edge>> = BTreeMap::new();
    for edge in graph.edges() {
        between
            .entry((&edge.from, &edge.to))
            .or_default()
            .push(edge);
    }
    let cycles = graph.cycles();
    let in_one_cycle = |from: &str, to: &str| {
        let has = |cycle: &Vec<String>, name: &str| cycle.iter().any(|member| member == name);
        cycles
            .iter()
            .any(|cycle| has(cycle, from) && has(cycle, to))
    };
    let labels = graph
        .edges()
        .iter()
        .filter(|edge| edge.label.is_some())
        .count();
    for route in &layout.routes {
        let ends = (graph.nodes().get(route.from), graph.nodes().get(route.to));
        let (Some(from), Some(to)) = ends else {
            continue;
        };
        let edges = between.get(&(from.id.as_str(), to.id.as_str()));
        let edges = edges.map_or(&[][..], Vec::as_slice);
        let kind = edges.first().map_or("", |edge| &edge.kind);
        let kind = kinds.iter().position(|known| *known == kind).unwrap_or(0);
        let cycle = in_one_cycle(&from.id, &to.id);
        let (class, head) = if cycle {
            (" cycle", "back")
        } else {
            ("", "head")
        };
        let frame = layout.frames.get(route.from).copied().unwrap_or_default();
        push(
            out,
            format_args!(
                "<g class=\"edge k{kind}{class}\"><title>{}</title><path d=\"{}\" \
                 marker-end=\"url(#{head})\"/></g>\n",
                escape(&tooltip(&from.label, &to.label, edges)),
                path(route, frame),
            ),
        );
        if labels <= ARROW_LABELS_MAX {
            draw_words(out, route, edges);
        }
    }
}

fn tooltip(from: &str, to: &str, edges: &[&Edge]) -> String {
    let words: BTreeSet<String> = edges
        .iter()
        .map(|edge| match &edge.label {
            Some(label) => format!("{}: {label}", edge.kind),
            None => edge.kind.clone(),
        })
        .collect();
    let words: Vec<String> = words.into_iter().collect();
    format!("{from} → {to}\n{}", words.join("\n"))
}

fn draw_words(out: &mut String, route: &Route, edges: &[&Edge]) {
    let words: BTreeSet<&str> = edges
        .iter()
        .filter_map(|edge| edge.label.as_deref())
        .collect();
    let (Some(first), Some(second)) = (route.points.first(), route.points.get(1)) else {
        return;
    };
    if words.is_empty() {
        return;
    }
    let words: Vec<&str> = words.into_iter().collect();
    push(
        out,
        format_args!(
            "<text class=\"word\" text-anchor=\"middle\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\n",
            f64::midpoint(first.0, second.0),
            f64::midpoint(first.1, second.1) - 3.0,
            escape(&shorten(&words.join(", "))),
        ),
    );
}

/// Curves that leave and arrive level; the last bit is straight, so that the head points well.
fn path(route: &Route, frame: Frame) -> String {
    if route.from == route.to {
        let (x, y) = (frame.x + frame.width, frame.y);
        return format!(
            "M{x:.1} {:.1}c34 -4 34 -30 -4 -30s-34 8 -22 {:.1}",
            y + 12.0,
            18.0
        );
    }
    let mut points = route.points.iter();
    let Some((mut x, mut y)) = points.next().copied() else {
        return String::new();
    };
    let mut out = format!("M{x:.1} {y:.1}");
    for (next_x, next_y) in points {
        let lead = (next_x - x) / 2.0;
        push(
            &mut out,
            format_args!(
                "C{:.1} {y:.1} {:.1} {next_y:.1} {next_x:.1} {next_y:.1}",
                x + lead,
                next_x - lead,
            ),
        );
        (x, y) = (*next_x, *next_y);
    }
    out
}

fn draw_node(out: &mut String, node: &Node, frame: Frame, group: Option<usize>) {
    let class = group.map_or(String::new(), |group| format!(" g{group}"));
    let Frame {
        x,
        y,
        width,
        height,
    } = frame;
    let tooltip = match &node.note {
        Some(second) => format!("{}\n{second}", node.label),
        None => node.label.clone(),
    };
    push(
        out,
        format_args!(
            "<g class=\"node{class}\"><title>{}</title><rect x=\"{x:.1}\" y=\"{y:.1}\" \
             width=\"{width:.1}\" height=\"{height:.1}\" rx=\"8\"/>\
             <text class=\"label\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            escape(&tooltip),
            x + width / 2.0,
            y + 20.5,
            escape(&shorten(&node.label)),
        ),
    );
    if let Some(second) = &node.note {
        push(
            out,
            format_args!(
                "<text class=\"note\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                x + width / 2.0,
                y + 36.5,
                escape(&shorten(second)),
            ),
        );
    }
    out.push_str("</g>\n");
}

fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// Text for XML: markup escaped, control characters that XML 1.0 forbids dropped.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            letter if letter.is_control() && letter != '\n' && letter != '\t' => {}
            letter => out.push(letter),
        }
    }
    out
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text)
        .expect("writing to a string cannot fail");
}
