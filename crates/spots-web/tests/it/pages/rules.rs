//! What must hold for every page.

use std::collections::BTreeSet;

use super::html::{Document, Element};

/// Everything that a rendering does wrong; `is_part` for what is swapped into a page.
pub(super) fn check(document: &Document, is_part: bool) -> Vec<String> {
    let mut findings = Vec::new();
    if !is_part {
        check_headings(document, &mut findings);
        check_references(document, &mut findings);
    }
    check_ids(document, &mut findings);
    check_labels(document, &mut findings);
    check_groups(document, &mut findings);
    check_names(document, &mut findings);
    check_policy(document, &mut findings);
    check_tables(document, &mut findings);
    findings
}

/// One `<h1>`, and no level left out below it.
fn check_headings(document: &Document, findings: &mut Vec<String>) {
    let levels = document.elements.iter().filter_map(|element| {
        let level = element.name.strip_prefix('h')?.parse::<u8>().ok()?;
        Some((level, element.text.trim()))
    });
    let mut before = 0;
    let mut first_level = 0;
    for (level, text) in levels {
        first_level += u8::from(level == 1);
        // The summary of errors may stand before or after the first heading, at the second level.
        if level > before + 1 && before > 0 {
            findings.push(format!("h{level} follows h{before}: {text}"));
        }
        if text.is_empty() {
            findings.push(format!("an empty h{level}"));
        }
        before = level;
    }
    if first_level != 1 {
        findings.push(format!("{first_level} first-level headings"));
    }
}

fn ids(document: &Document) -> BTreeSet<&str> {
    document
        .elements
        .iter()
        .filter_map(|element| element.attribute("id"))
        .collect()
}

fn check_ids(document: &Document, findings: &mut Vec<String>) {
    let count = document
        .elements
        .iter()
        .filter(|e| e.attribute("id").is_some())
        .count();
    if ids(document).len() != count {
        findings.push("an id stands twice".to_owned());
    }
}

/// Every id that is pointed to is there.
fn check_references(document: &Document, findings: &mut Vec<String>) {
    let ids = ids(document);
    for element in &document.elements {
        let pointers = ["for", "aria-describedby", "aria-labelledby"]
            .into_iter()
            .filter_map(|name| element.attribute(name))
            .flat_map(str::split_whitespace);
        let fragment = element
            .attribute("href")
            .and_then(|href| href.strip_prefix('#'));
        let targets = element
            .attribute("hx-target")
            .and_then(|target| target.strip_prefix('#'));
        for pointer in pointers.chain(fragment).chain(targets) {
            if !ids.contains(pointer) {
                findings.push(format!(
                    "<{}> points to #{pointer}, which is not there",
                    element.name
                ));
            }
        }
    }
}

fn is_typed(element: &Element) -> bool {
    match element.name.as_str() {
        "select" | "textarea" => true,
        "input" => element.attribute("type") != Some("hidden"),
        _ => false,
    }
}

/// Everything that is typed or ticked has a label with words.
fn check_labels(document: &Document, findings: &mut Vec<String>) {
    for input in document.elements.iter().filter(|element| is_typed(element)) {
        let by_id = input.attribute("id").and_then(|id| {
            document
                .named("label")
                .find(|label| label.attribute("for") == Some(id))
        });
        let label = by_id.or_else(|| document.ancestor(input, "label"));
        if label.is_none_or(|label| label.text.trim().is_empty()) {
            findings.push(format!("no label: {:?}", input.attributes));
        }
        if input.attribute("name").is_none_or(str::is_empty) {
            findings.push(format!("no name: {:?}", input.attributes));
        }
    }
}

/// Radio buttons and checkboxes stand in a fieldset, and every fieldset says what it is.
fn check_groups(document: &Document, findings: &mut Vec<String>) {
    for input in document.named("input") {
        let grouped = matches!(input.attribute("type"), Some("radio" | "checkbox"));
        if grouped && document.ancestor(input, "fieldset").is_none() {
            findings.push(format!("outside of a fieldset: {:?}", input.attributes));
        }
    }
    let legends = document
        .named("legend")
        .filter(|legend| !legend.text.trim().is_empty())
        .count();
    if legends != document.named("fieldset").count() {
        findings.push("a fieldset without a legend".to_owned());
    }
}

/// What can be pressed says what it does, and no two buttons of a page say the same.
fn check_names(document: &Document, findings: &mut Vec<String>) {
    for element in document.named("a").chain(document.named("button")) {
        if element.text.trim().is_empty() {
            findings.push(format!(
                "<{}> without words: {:?}",
                element.name, element.attributes
            ));
        }
    }
    for form in document.named("form") {
        if !form.attributes.contains_key("action") || !form.attributes.contains_key("method") {
            findings
                .push("a form without action or method does not work without scripts".to_owned());
        }
    }
    for nav in document.named("nav") {
        if nav.attribute("aria-label").is_none() {
            findings.push("a nav without a name".to_owned());
        }
    }
}

/// Nothing that the content security policy refuses, and nothing from elsewhere.
fn check_policy(document: &Document, findings: &mut Vec<String>) {
    for element in &document.elements {
        let is_inline = element.name == "style"
            || element.name == "script" && element.attribute("src").is_none();
        if is_inline {
            findings.push(format!("an inline <{}>", element.name));
        }
        for (name, value) in &element.attributes {
            if name == "style" || name.starts_with("on") || name.starts_with("hx-on") {
                findings.push(format!("<{} {name}>", element.name));
            }
            let is_address = ["href", "src", "action", "formaction", "hx-get", "hx-post"];
            let is_local = value.starts_with(['/', '#', '?']) && !value.starts_with("//");
            // A file that stands in the page itself, and that the browser only saves.
            let is_file = element.name == "a"
                && element.attribute("download").is_some()
                && value.starts_with("data:text/plain;base64,");
            if is_address.contains(&name.as_str()) && !is_local && !is_file {
                findings.push(format!(
                    "<{} {name}=\"{value}\"> leaves this site",
                    element.name
                ));
            }
        }
    }
}

/// Tables have a caption, and their headers a scope.
fn check_tables(document: &Document, findings: &mut Vec<String>) {
    let in_article = |element: &Element| document.ancestor(element, "article").is_some();
    let tables = document
        .named("table")
        .filter(|table| !in_article(table))
        .count();
    let captions = document
        .named("caption")
        .filter(|caption| !caption.text.trim().is_empty());
    if captions.count() != tables {
        findings.push("a table without a caption".to_owned());
    }
    for header in document.named("th").filter(|header| !in_article(header)) {
        if header.attribute("scope").is_none() {
            findings.push(format!("a table header without a scope: {}", header.text));
        }
    }
}

#[test]
fn each_rule_can_fail() {
    let broken = [
        ("<h1>a</h1><h1>b</h1>", "2 first-level headings"),
        ("<h1>a</h1><h3>b</h3>", "h3 follows h1"),
        ("<h1>a</h1><p id=\"x\"></p><p id=\"x\"></p>", "stands twice"),
        ("<h1>a</h1><a href=\"#x\">b</a>", "#x, which is not there"),
        ("<h1>a</h1><input name=\"q\">", "no label"),
        ("<h1>a</h1><label>b <input></label>", "no name"),
        (
            "<h1>a</h1><label>b <input type=\"radio\" name=\"r\"></label>",
            "outside of a fieldset",
        ),
        ("<h1>a</h1><fieldset></fieldset>", "without a legend"),
        ("<h1>a</h1><button></button>", "without words"),
        ("<h1>a</h1><form></form>", "does not work without scripts"),
        ("<h1>a</h1><nav></nav>", "without a name"),
        ("<h1>a</h1><script></script>", "an inline <script>"),
        ("<h1>a</h1><p style=\"color:red\"></p>", "<p style>"),
        ("<h1>a</h1><p onclick=\"x()\"></p>", "<p onclick>"),
        (
            "<h1>a</h1><link href=\"https://fonts.example/a.css\">",
            "leaves this site",
        ),
        (
            "<h1>a</h1><a href=\"data:text/plain;base64,YQ==\">b</a>",
            "leaves this site",
        ),
        ("<h1>a</h1><table></table>", "without a caption"),
        (
            "<h1>a</h1><table><caption>b</caption><tr><th>c</th></tr></table>",
            "without a scope",
        ),
    ];
    for (html, expected) in broken {
        let document = Document::parse(html).expect("well-formed");
        let findings = check(&document, false).join("\n");
        assert!(
            findings.contains(expected),
            "{html}: expected “{expected}”, got “{findings}”"
        );
    }
}
