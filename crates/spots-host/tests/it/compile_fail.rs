//! Programs that must not compile.

/// A type for hosts cannot hold an agent id: from here its crate cannot even be named.
#[test]
fn a_type_for_hosts_cannot_hold_an_agent_id() {
    trybuild::TestCases::new().compile_fail("tests/compile-fail/*.rs");
}
