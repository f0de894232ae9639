//! What a report keeps.

use spots_findings::{Report, Tool};

#[test]
fn what_neither_side_can_read_is_named_once() {
    let tool = Tool {
        name: "test",
        version: "1",
    };
    let mut report = Report::new(tool, Vec::new());
    for (path, reason) in [
        ("b", "binary"),
        ("a", "binary"),
        ("b", "binary"),
        ("b", "gone"),
    ] {
        report.add_unreadable(path, reason);
    }
    let named: Vec<(&str, &str)> = report
        .unreadable()
        .iter()
        .map(|one| (one.path.as_str(), one.reason.as_str()))
        .collect();
    assert_eq!(named, [("a", "binary"), ("b", "binary"), ("b", "gone")]);
}
