//! A first plan from what is in the code.

use std::fmt::Write as _;

use crate::contract::graph::Dependencies;
use crate::contract::{Contract, World};
use crate::tree::Language;

/// Files of a first plan: path and text. Nothing is written.
pub fn first_plan(world: &World) -> Vec<(String, String)> {
    let found = Dependencies::of(world);
    let mut files = vec![("plan/plan.toml".to_owned(), PLAN.to_owned())];
    let services = world.services();
    for contract in &services {
        let name = &contract.decl.name;
        let twins = services
            .iter()
            .filter(|other| other.decl.name == *name)
            .count();
        let file = if twins > 1 {
            let path = contract.file.rsplit_once('.').map_or("", |(stem, _)| stem);
            format!("plan/services/{name}-{}.toml", path.replace('/', "-"))
        } else {
            format!("plan/services/{name}.toml")
        };
        files.push((file, service(contract, &found, twins)));
    }
    files
}

const PLAN: &str = "\
# The master plan. `spots plan check` judges the code by it; docs/plan.md explains every key.
title = \"Master plan\"

# Only a person can say which phases there are. This one holds everything that is.
[[phase]]
id = \"1\"
title = \"What is there\"
status = \"active\"
";

fn service(contract: &Contract, found: &Dependencies, twins: usize) -> String {
    let name = &contract.decl.name;
    let language = Language::of_contract(&contract.file);
    let on: Vec<String> = found
        .direct(name)
        .into_iter()
        .map(|name| format!("{name:?}"))
        .collect();
    let mut out = String::new();
    if twins > 1 {
        out.push_str("# Several services have this name: give each its own in `service`.\n");
    }
    write!(
        out,
        "service = {name:?}\nversion = \"1.0.0\"        # not to be read from code: check it\ncore = false\n\
         depends_on = [{}]\n\n[source]\npath = {:?}\nlanguage = {language:?}\nsymbol = {name:?}\n\n\
         [phases]\nuses = []                # only a person knows: which phases rest on it\nmodifies = []\n",
        on.join(", "),
        contract.file,
    )
    .expect("writing to a string cannot fail");
    out
}

/// What the code did not say, one sentence each.
pub fn undecided(world: &World) -> Vec<String> {
    let services = world.services();
    let mut out = vec![
        "phases: plan/plan.toml holds one; list yours".to_owned(),
        "versions: every service starts at 1.0.0".to_owned(),
        "core services: none is marked".to_owned(),
        "which phase uses or modifies which service".to_owned(),
    ];
    for pair in services.windows(2) {
        if let [a, b] = pair
            && a.decl.name == b.decl.name
        {
            out.push(format!(
                "{} is in {} and in {}: name them apart",
                a.decl.name, a.file, b.file
            ));
        }
    }
    let marked = services
        .iter()
        .filter(|contract| contract.decl.deprecated.is_some());
    out.extend(
        marked.map(|contract| format!("{} is deprecated: until which phase?", contract.decl.name)),
    );
    out
}
