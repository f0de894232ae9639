//! `plan/plan.toml` and a service's file as anybody may write them: read, or refused with a place.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spots_plan::plan::{Plan, matrix};

fuzz_target!(|input: (&str, &str)| {
    let (plan, service) = input;
    let folder = std::env::temp_dir().join(format!("spots-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("plan/services")).expect("the temporary folder is writable");
    std::fs::write(folder.join("plan/plan.toml"), plan).expect("the temporary folder is writable");
    std::fs::write(folder.join("plan/services/A.toml"), service).expect("the temporary folder is writable");
    match Plan::load(&folder) {
        Ok(plan) => {
            assert!(!matrix::text(&plan).is_empty());
            assert!(matrix::svg(&plan).contains("<svg"));
        }
        Err(error) => assert!(error.problems.iter().all(|problem| problem.place.is_some())),
    }
    std::fs::remove_dir_all(&folder).expect("the folder is ours");
});
