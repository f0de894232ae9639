//! Migrations as anybody may write them: split, inferred, compared, in both dialects.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use spots_migrate::{CheckOptions, Dialect, check, split};

fuzz_target!(|input: (&str, &str)| {
    let (manifest, sql) = input;
    for dialect in [Dialect::Postgres, Dialect::Sqlite] {
        drop(split(sql, dialect));
    }
    let manifest = if manifest.is_empty() {
        "id = \"0001_a\"\nphase = \"7\"\n[rollback]\ndata = \"kept\"\n"
    } else {
        manifest
    };
    let files = [("0001_a/migration.toml", manifest), ("0001_a/up.sql", sql), ("0001_a/down.sql", sql)];
    let files = files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()));
    drop(check(&BTreeMap::from(files), Vec::new(), &CheckOptions::default()));
});
