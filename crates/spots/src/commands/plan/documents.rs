//! Documents of the plan that come from the clock audit and from the migrations, and all of them as pages.

use std::fmt::Write as _;
use std::path::Path;

use pulldown_cmark::{Options, Parser, html};
use spots_migrate::{Graph, Inventory, MigrationSet, picture, sequence};
use spots_plan::audit::baseline::{BASELINE_PATH, Baseline};
use spots_plan::audit::check::check as judge;
use spots_plan::audit::config::Config;
use spots_plan::audit::{audit, documents};

use spots_plan::audit::scan::Scanner;
use spots_plan::tree::Tree;

/// A file name and its text.
pub(crate) type Document = (String, String);

const HEAD: &str = "<!-- Rendered by `spots plan docs`. Change plan/, not this file. -->\n\n";

/// The clock mandate: rule, inventory, priorities, process, checklist, integration points.
pub(crate) fn clock(root: &Path) -> anyhow::Result<Vec<Document>> {
    let config = Config::load(root)?;
    let tree = Tree::walk(root, &Scanner::new(&config.patterns).languages())?;
    let found = audit(&tree, &config);
    let baseline = match std::fs::read_to_string(root.join(BASELINE_PATH)) {
        Ok(text) => Baseline::parse(&text)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Baseline::of(&found),
        Err(error) => return Err(error.into()),
    };
    let gate = judge(&found, &baseline.compare(&found), &config, root);
    let documents = documents(&found, &config, &gate.mandatory);
    let documents = documents.into_iter();
    Ok(documents
        .map(|document| (document.name.to_owned(), format!("{HEAD}{}", document.text)))
        .collect())
}

/// The migrations of a folder: inventory, graph, sequence, rollback, testing, locking.
pub(crate) fn migrations(folder: &Path) -> anyhow::Result<Vec<Document>> {
    let set = MigrationSet::from_dir_as(folder, None)?;
    let dialect = set.written_for();
    let inventory = Inventory::of(&set, dialect);
    let graph = Graph::of(&set, dialect);
    let drawn = picture(&graph);
    let document = |title: &str, text: &str| format!("{HEAD}# {title}\n\n{text}");
    let fenced = |language: &str, text: &str| format!("```{language}\n{}\n```\n", text.trim_end());
    let files = [
        (
            "migration-inventory.md",
            document("Inventory of the migrations", &inventory.markdown()),
        ),
        (
            "migration-graph.md",
            document(
                "Dependencies of the migrations",
                &format!(
                    "Read from the scripts themselves: who creates, alters and reads what.\n\n\
                     ![Migrations](migration-graph.svg)\n\n{}",
                    fenced("mermaid", &drawn.to_mermaid())
                ),
            ),
        ),
        ("migration-graph.svg", drawn.to_svg()),
        (
            "migration-sequence.md",
            document(
                "Sequence of the migrations",
                &format!(
                    "Migrations of one stage may run side by side; each stage waits for the one \
                     before.\n\n{}",
                    fenced("text", &sequence(&set, &graph))
                ),
            ),
        ),
        (
            "migration-rollback.md",
            document("Rolling migrations back", &rollback(&inventory)),
        ),
        (
            "migration-testing.md",
            document("Testing migrations", TESTING),
        ),
        (
            "migration-locking.md",
            document("Locks of the migrations", LOCKING),
        ),
    ];
    let files = files.into_iter();
    Ok(files.map(|(name, text)| (name.to_owned(), text)).collect())
}

fn rollback(inventory: &Inventory) -> String {
    let mut out = String::from(
        "`spots migrate down` rolls back, dependants first, each step and its record in one \
         transaction where the database allows it. A condition that does not hold stops it before \
         anything is changed.\n\n\
         | migration | phase | data | only if |\n| --- | --- | --- | --- |\n",
    );
    for one in &inventory.migrations {
        let conditions = match one.conditions.as_slice() {
            [] => "–".to_owned(),
            conditions => conditions.join("; "),
        };
        let phase = one.phase.as_deref().unwrap_or("–");
        writeln!(
            out,
            "| {} | {phase} | {} | {conditions} |",
            one.id, one.rollback
        )
        .expect("writing to a string cannot fail");
    }
    out
}

const TESTING: &str = "\
1. **Before a merge**: `spots plan check --base main` reads the scripts and names conflicts with \
what the base has, without a database.\n\
2. **On a development database**: `spots migrate rehearse` runs everything pending on a scratch \
copy: up, down, up again, schema and data compared after each.\n\
3. **On a staging database**: the same with a copy of real data; then `spots migrate apply`, and \
`spots migrate status` shows what is applied.\n\
4. **The way back**: the rehearsal's middle step. A migration that says `data kept` and loses a row \
fails it.\n\
5. **After a migration**: each migration's own `verify` script runs; what it refuses is rolled back.\n";

const LOCKING: &str = "\
| state | what may run |\n| --- | --- |\n\
| a migration is running | nothing else: the database holds one lock, with a fence that a late holder cannot pass |\n\
| a migration died | nothing, until `spots migrate apply` resumes at the step that the journal names |\n\
| a migration is in testing | what touches nothing that it touches; it ends by itself, or with `spots migrate testing end` |\n\
| a migration failed | nothing, until its script is mended; the failing statement, its line, and what was and was not done are recorded |\n\
| a migration is rolled back | the same one again after it is mended, unless another was applied on top |\n\
\n`spots migrate unlock` shows who holds the lock, and frees it when an operator has mended what stood in the way.\n";

/// Each Markdown document as a page; pictures stay as they are.
pub(crate) fn pages(documents: Vec<Document>) -> Vec<Document> {
    let titles: Vec<(String, String)> = documents
        .iter()
        .filter_map(|(name, text)| {
            let stem = name.strip_suffix(".md")?;
            let title = text.lines().find_map(|line| line.strip_prefix("# "))?;
            Some((format!("{stem}.html"), title.to_owned()))
        })
        .collect();
    let page = |(name, text): Document| match name.strip_suffix(".md") {
        Some(stem) => {
            let own = format!("{stem}.html");
            let page = page(&own, &text, &titles);
            (own, page)
        }
        None => (name, text),
    };
    documents.into_iter().map(page).collect()
}

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:light-dark(#1b2430,#e8edf3);--soft:light-dark(#5d6b7c,#9aa8b8);\
--bg:light-dark(#fff,#11161d);--line:light-dark(#dde3ea,#2a3442);--code:light-dark(#f4f6f9,#18212d);--link:light-dark(#0b5cad,#7db7f5)}\
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.55 system-ui,sans-serif}\
main,nav{max-width:64rem;margin:0 auto;padding:0 1rem}nav{padding-top:1rem;font-size:.875rem}\
nav a{display:inline-block;margin:.15rem .9rem .15rem 0;color:var(--link);text-decoration:none}\
nav a[aria-current]{color:var(--ink);font-weight:650}\
@media(max-width:40rem){nav{display:flex;overflow-x:auto;white-space:nowrap}nav a[aria-current]{order:-1}}\
a{color:var(--link)}h1{font-size:1.75rem;line-height:1.2}\
h2{margin-top:2rem;font-size:1.25rem}table{display:block;margin:1.25rem 0;overflow-x:auto;border-collapse:collapse;font-size:.9rem}\
th,td{padding:.4rem .7rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}\
th{color:var(--soft);font-weight:600;white-space:nowrap}code{background:var(--code);padding:.1em .3em;border-radius:4px}\
pre{background:var(--code);padding:1rem;border-radius:8px;overflow-x:auto}pre code{padding:0}\
.picture{overflow-x:auto}.picture img{max-width:none;height:auto}";

fn page(own: &str, text: &str, titles: &[(String, String)]) -> String {
    let mut nav = String::new();
    let mut heading = own;
    for (file, title) in titles {
        let current = if file == own {
            heading = title;
            " aria-current=\"page\""
        } else {
            ""
        };
        nav.extend([format!(
            "<a href=\"{}\"{current}>{}</a>\n",
            escape(file),
            escape(title)
        )]);
    }
    let mut body = String::new();
    let options = Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS;
    html::push_html(&mut body, Parser::new_ext(&without_mermaid(text), options));
    // A wide picture scrolls by itself, not the page.
    let body = body
        .replace("<p><img ", "<p class=\"picture\"><img ")
        .replace(".md\"", ".html\"");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n\
         <style>{STYLE}</style>\n<nav>\n{nav}</nav>\n<main>\n{body}</main>\n</html>\n",
        escape(heading)
    )
}

/// A page shows the picture; its source is for code hosts.
fn without_mermaid(text: &str) -> String {
    let mut parts = text.split("```mermaid\n");
    let mut out = parts.next().unwrap_or("").to_owned();
    for part in parts {
        out.push_str(part.split_once("```\n").map_or("", |(_, after)| after));
    }
    out
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
