//! The locking matrix: services × phases.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::locks::{Cell, Reason, Role};
use super::{Plan, Status};

/// Pixels of the picture.
const ROW: usize = 30;
const LETTER: usize = 8;
const NAME_WIDTH_MIN: usize = 120;
const COLUMN: usize = 104;

fn word(cell: &Cell) -> String {
    match (cell.role, cell.locked) {
        (Role::None, true) => "locked (core)".to_owned(),
        (Role::None, false) => "–".to_owned(),
        (role, true) => format!("{}, locked", role.as_str()),
        (role, false) => role.as_str().to_owned(),
    }
}

fn heads(plan: &Plan) -> Vec<String> {
    let phases = plan.phases.iter();
    phases
        .map(|phase| format!("{} {}", phase.id, phase.status.as_str()))
        .collect()
}

fn rows(plan: &Plan) -> Vec<(String, Vec<Cell>)> {
    let row = |service: &super::Service| {
        let core = if service.core { " (core)" } else { "" };
        let cells = plan.phases.iter().map(|phase| plan.cell(service, phase));
        (
            format!("{} {}{core}", service.name, service.version),
            cells.collect(),
        )
    };
    plan.services.iter().map(row).collect()
}

/// For a terminal.
pub fn text(plan: &Plan) -> String {
    let mut table = vec![[vec!["service".to_owned()], heads(plan)].concat()];
    table.extend(rows(plan).into_iter().map(|(name, cells)| {
        let words: Vec<String> = cells.iter().map(word).collect();
        [vec![name], words].concat()
    }));
    let columns = table.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns)
        .map(|at| {
            let cells = table.iter().filter_map(|row| row.get(at));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let mut out = String::new();
    for row in &table {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        out.extend([cells.join("  ").trim_end(), "\n"]);
    }
    out
}

/// For documents.
pub fn markdown(plan: &Plan) -> String {
    let mut out = format!("| service | {} |\n", heads(plan).join(" | "));
    out.extend([format!("| --- |{}\n", " --- |".repeat(plan.phases.len()))]);
    for (name, cells) in rows(plan) {
        let words: Vec<String> = cells
            .iter()
            .map(|cell| {
                if cell.locked {
                    format!("**{}**", word(cell))
                } else {
                    word(cell)
                }
            })
            .collect();
        out.extend([format!("| {name} | {} |\n", words.join(" | "))]);
    }
    out
}

/// A page: the picture, and why each service is locked now.
pub fn html(plan: &Plan) -> String {
    let mut why = String::new();
    for service in &plan.services {
        let locks: Vec<String> = plan.locks(service).iter().map(Reason::shown).collect();
        if !locks.is_empty() {
            let (name, locks) = (escape(&service.name), escape(&locks.join(" and ")));
            push(
                &mut why,
                format_args!("<li><b>{name}</b>, because {locks}</li>\n"),
            );
        }
    }
    if why.is_empty() {
        why.push_str("<li>Nothing: no phase in progress uses a service.</li>\n");
    }
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>Locking matrix: {}</title>\n<style>{PAGE}</style>\n\
         <h1>Locking matrix</h1>\n<div class=\"wide\" tabindex=\"0\">\n{}</div>\n\
         <h2>Locked now</h2>\n<ul>\n{why}</ul>\n</html>\n",
        escape(&plan.title),
        svg(plan)
    )
}

/// The page has the picture's colours.
const PAGE: &str = "\
:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:1.5rem 1rem;\
background:light-dark(#fff,#11161d);color:light-dark(#1b2430,#e8edf3)}h1{line-height:1.2;font-size:1.75rem}\
h2{font-size:1.25rem}ul{padding-left:1.25rem}.wide{overflow-x:auto}svg{display:block;margin-left:-20px}";

/// For scripts: why each service is locked now, and each cell.
pub fn json(plan: &Plan) -> Value {
    json!({
        "phases": plan.phases.iter().map(|phase| json!({
            "id": phase.id, "title": phase.title, "status": phase.status.as_str(), "after": phase.after,
        })).collect::<Vec<_>>(),
        "services": plan.services.iter().map(|service| {
            let locks = plan.locks(service);
            json!({
                "name": service.name,
                "version": service.version.to_string(),
                "core": service.core,
                "lockedNow": !locks.is_empty(),
                "why": locks.iter().map(Reason::shown).collect::<Vec<_>>(),
                "phases": plan.phases.iter().map(|phase| {
                    let cell = plan.cell(service, phase);
                    (phase.id.clone(), json!({
                        "role": cell.role.as_str(), "locked": cell.locked, "through": cell.through,
                    }))
                }).collect::<serde_json::Map<_, _>>(),
            })
        }).collect::<Vec<_>>(),
    })
}

/// A picture: columns of phases in progress stand out, locked cells are filled.
pub fn svg(plan: &Plan) -> String {
    let rows = rows(plan);
    let names = rows.iter().map(|(name, _)| name.chars().count() * LETTER);
    let name_width = names.max().unwrap_or(0).max(NAME_WIDTH_MIN);
    let width = name_width + COLUMN * plan.phases.len() + 40;
    let height = 110 + ROW * plan.services.len();
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\">\n<title>Locking matrix</title>\n<style>{STYLE}</style>\n\
         <rect class=\"bg\" width=\"100%\" height=\"100%\"/>\n\
         <text class=\"title\" x=\"20\" y=\"34\">{}</text>\n",
        escape(&plan.title)
    );
    for (column, phase) in plan.phases.iter().enumerate() {
        let x = name_width + COLUMN * column + 20;
        if phase.status == Status::Active {
            let tall = height - 60;
            push(
                &mut out,
                format_args!(
                    "<rect class=\"now\" x=\"{x}\" y=\"46\" width=\"{}\" height=\"{tall}\" rx=\"6\"/>\n",
                    COLUMN - 4
                ),
            );
        }
        push(
            &mut out,
            format_args!(
                "<text class=\"head\" x=\"{0}\" y=\"66\"><title>{1}</title>{2}</text>\
                 <text class=\"sub\" x=\"{0}\" y=\"82\">{3}</text>\n",
                x + 10,
                escape(&phase.title),
                escape(&phase.id),
                phase.status.as_str()
            ),
        );
    }
    for (row, (name, cells)) in rows.iter().enumerate() {
        let y = 94 + ROW * row;
        push(
            &mut out,
            format_args!(
                "<text class=\"name\" x=\"20\" y=\"{}\">{}</text>\n",
                y + 18,
                escape(name)
            ),
        );
        for (column, cell) in cells.iter().enumerate() {
            draw_cell(&mut out, name_width + COLUMN * column + 24, y, cell);
        }
    }
    out.push_str("</svg>\n");
    out
}

const STYLE: &str = "\
svg{--bg:#fff;--ink:#1b2430;--soft:#5d6b7c;--lock:#fbe3d3;--edge:#c2703a;--own:#dff0e6;--ownedge:#2f8f5b;--now:#eef3fa;--reach:#f1f3f6}
@media (prefers-color-scheme:dark){svg{--bg:#11161d;--ink:#e8edf3;--soft:#9aa8b8;--lock:#4a2c17;--edge:#e0955f;--own:#163626;--ownedge:#58c08a;--now:#18212d;--reach:#1c242e}}
text{font-family:system-ui,sans-serif;fill:var(--ink);font-size:12px}.bg{fill:var(--bg)}.now{fill:var(--now)}
.title{font-size:18px;font-weight:650}.head{font-size:14px;font-weight:650}.sub{fill:var(--soft)}.name{font-size:13px}
.cell{stroke-width:1}.locked{fill:var(--lock);stroke:var(--edge)}.own{fill:var(--own);stroke:var(--ownedge)}.open{fill:var(--reach);stroke:none}\
.lock{fill:var(--edge);stroke:none}.bow{fill:none;stroke:var(--edge);stroke-width:1.6}";

fn draw_cell(out: &mut String, x: usize, y: usize, cell: &Cell) {
    if cell.role == Role::None && !cell.locked {
        return;
    }
    let class = match (cell.locked, cell.role) {
        (true, _) => "locked",
        (false, Role::Modifies | Role::Creates) => "own",
        (false, _) => "open",
    };
    let through = cell
        .through
        .as_ref()
        .map_or(String::new(), |name| format!(" through {name}"));
    let shown = match (cell.role, cell.locked) {
        (Role::None, _) => "core",
        (role, _) => role.as_str(),
    };
    // Drawn, because not every machine has a letter for it.
    let (lock, text_x) = if cell.locked {
        let (left, top) = (x + 8, y + 10);
        let lock = format!(
            "<path class=\"bow\" d=\"M{} {top}v-2a3 3 0 0 1 6 0v2\"/>\
             <rect class=\"lock\" x=\"{left}\" y=\"{top}\" width=\"10\" height=\"8\" rx=\"1.5\"/>",
            left + 2
        );
        (lock, x + 24)
    } else {
        (String::new(), x + 8)
    };
    push(
        out,
        format_args!(
            "<g><title>{}{through}</title><rect class=\"cell {class}\" x=\"{x}\" y=\"{y}\" width=\"{}\" \
             height=\"24\" rx=\"5\"/>{lock}<text x=\"{text_x}\" y=\"{}\">{shown}</text></g>\n",
            escape(&word(cell)),
            COLUMN - 12,
            y + 16,
        ),
    );
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text)
        .expect("writing to a string cannot fail");
}
