//! For scripts: the public contract, described by `docs/clock-audit.schema.json`.

use serde_json::{Map, Value, json};

use super::{Mentions, listed};
use crate::audit::{Audit, Kind, Read};

/// Renders `tool`, `version`, `summary`, `findings`, `unreadable`, `silentPatterns`.
pub fn json(audit: &Audit, mentions: Mentions) -> Value {
    let summary = audit.summary();
    let by_kind = Kind::ALL.into_iter().map(|kind| {
        let count = summary.by_kind.get(&kind).copied().unwrap_or(0);
        (kind.as_str().to_owned(), json!(count))
    });
    let by_priority = summary
        .by_priority
        .iter()
        .map(|(rank, n)| (rank.to_string(), json!(n)));
    json!({
        "tool": "spots clock audit",
        "version": env!("CARGO_PKG_VERSION"),
        "summary": {
            "total": summary.total,
            "excepted": summary.excepted,
            "byKind": by_kind.collect::<Map<_, _>>(),
            "byPriority": by_priority.collect::<Map<_, _>>(),
            "byCategory": summary.by_category,
            "byDirectory": summary.by_directory,
            "byService": summary.by_service,
            "unreadable": summary.unreadable,
        },
        "findings": listed(audit, mentions).map(finding).collect::<Vec<_>>(),
        "unreadable": audit.unreadable.iter().map(|unreadable| json!({
            "path": unreadable.path,
            "reason": unreadable.reason,
        })).collect::<Vec<_>>(),
        "silentPatterns": audit.silent_patterns.iter().map(|silent| json!({
            "rule": silent.id,
            "reason": silent.reason,
        })).collect::<Vec<_>>(),
    })
}

fn finding(read: &Read) -> Value {
    let mut value = json!({
        "path": read.path,
        "line": read.line,
        "column": read.column,
        "class": read.place.class,
        "member": read.place.member,
        "rule": read.rule,
        "kind": read.kind.as_str(),
        "use": read.place.usage.as_str(),
        "async": read.place.is_async,
        "priority": read.priority,
        "category": read.category,
        "precision": read.place.precision.as_str(),
        "text": read.place.text,
    });
    if let Value::Object(object) = &mut value {
        let extra = [("exception", &read.exception), ("via", &read.via)];
        for (key, content) in extra {
            object.extend(
                content
                    .iter()
                    .map(|content| (key.to_owned(), json!(content))),
            );
        }
    }
    value
}
