//! Sources and frozen contracts as anybody may write them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spots_plan::contract::frozen::Frozen;
use spots_plan::contract::{dart, rust, show, typescript};
use spots_plan::tree::Language;

fuzz_target!(|input: (&str, &str)| {
    let (source, contract) = input;
    let units = [
        dart::extract(source),
        rust::extract(source),
        typescript::extract(Language::TypeScript, source),
    ];
    for member in units.iter().flat_map(|unit| &unit.types).flat_map(|ty| &ty.members) {
        assert!(show::signature(member).contains(&member.name));
    }
    if let Ok(frozen) = Frozen::parse(contract) {
        drop(frozen.render());
    }
});
