//! The lexers of the clock audit: no panic, no hang, spans in order and on character boundaries.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use spots_plan::audit::config::Config;
use spots_plan::audit::lexer::{region_at, spans};
use spots_plan::audit::scan::Scanner;
use spots_plan::tree::Language;

static SCANNER: LazyLock<Scanner> = LazyLock::new(|| {
    let config = Config::parse("", std::path::Path::new("plan/clock.toml"));
    Scanner::new(&config.expect("defaults hold").patterns)
});

fuzz_target!(|input: (u8, &str)| {
    let (choice, text) = input;
    let language = Language::ALL[usize::from(choice) % Language::ALL.len()];
    let mut last = 0;
    let found = spans(language, text, text.len());
    for span in &found {
        assert!(span.start >= last && span.end > span.start && span.end <= text.len());
        assert!(text.get(span.start..span.end).is_some());
        assert_eq!(region_at(&found, span.start), Some(span.region));
        last = span.end;
    }
    for hit in SCANNER.scan(language, text).hits {
        assert!(text.get(hit.start..hit.end).is_some());
    }
});
