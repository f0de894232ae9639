//! Runs the TypeScript client's own tests, so that one command runs everything.

use std::error::Error;
use std::path::Path;
use std::process::Command;

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the client is tested by its own platform"
)]
fn the_typescript_client_passes_its_tests() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../clients/ts");
    let output = Command::new("node")
        .args(["--test", "--test-reporter=tap"])
        .current_dir(folder)
        .output()
        .map_err(|error| format!("node is needed (Debian's package nodejs): {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("# fail 0") && !said.contains("# pass 0"),
        "{said}"
    );
    Ok(())
}
