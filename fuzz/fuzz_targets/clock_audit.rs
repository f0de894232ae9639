//! `plan/clock.toml` and `plan/clock.baseline` as anybody may write them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spots_plan::audit::baseline::Baseline;
use spots_plan::audit::config::Config;
use spots_plan::audit::scan::Scanner;
use spots_plan::tree::Language;

fuzz_target!(|input: (&str, &str)| {
    let (data, source) = input;
    if let Ok(baseline) = Baseline::parse(data) {
        assert_eq!(Baseline::parse(&baseline.render()).as_ref(), Ok(&baseline));
    }
    if let Ok(config) = Config::parse(data, std::path::Path::new("plan/clock.toml")) {
        let scanner = Scanner::new(&config.patterns);
        for language in Language::ALL {
            for hit in scanner.scan(language, source).hits {
                assert!(source.get(hit.start..hit.end).is_some());
            }
        }
    }
});
