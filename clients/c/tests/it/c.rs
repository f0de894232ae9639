//! A C program, compiled with the header and linked with both libraries, meets the vectors.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

type Outcome = Result<(), Box<dyn Error>>;

#[expect(
    clippy::disallowed_methods,
    reason = "the test compiles and runs a C program"
)]
fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    Command::new(program)
}

/// Where cargo puts the libraries for tests: beside the test itself.
fn libraries() -> Result<PathBuf, Box<dyn Error>> {
    let test = std::env::current_exe()?;
    Ok(test
        .parent()
        .ok_or("the test is in no directory")?
        .to_owned())
}

fn driver(directory: &Path, shared: bool) -> Result<PathBuf, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = directory.join("driver");
    let libraries = libraries()?;
    let mut cc = command("cc");
    cc.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-o"]);
    cc.arg(&program).arg("-I").arg(root);
    cc.arg(root.join("tests/driver.c"));
    if shared {
        cc.arg("-L").arg(&libraries).arg("-lspots_clock_c");
        cc.arg(format!("-Wl,-rpath,{}", libraries.display()));
    } else {
        cc.arg(libraries.join("libspots_clock_c.a"));
    }
    let done = cc.args(["-lpthread", "-ldl", "-lm"]).output()?;
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    Ok(program)
}

fn vectors() -> Result<Value, Box<dyn Error>> {
    let text = include_str!("../../../vectors/clock.json");
    Ok(serde_json::from_str(text)?)
}

fn list<'a>(value: &'a Value, name: &str) -> &'a Vec<Value> {
    value[name].as_array().expect("a list of vectors")
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// The lines to send and the lines to expect.
#[derive(Default)]
struct Script {
    sent: String,
    expected: Vec<String>,
}

impl Script {
    fn add(&mut self, line: &[&str], expected: impl Into<String>) {
        writeln!(self.sent, "{}", line.join(" ")).expect("writing to a string cannot fail");
        self.expected.push(expected.into());
    }

    fn fields(&mut self, verb: &str, vector: &Value, names: &[&str], expected: String) {
        let values: Vec<String> = names.iter().map(|name| text(&vector[name])).collect();
        let mut line = vec![verb];
        line.extend(values.iter().map(String::as_str));
        self.add(&line, expected);
    }

    fn all(vectors: &Value) -> Self {
        let mut script = Self::default();
        for vector in list(vectors, "ids") {
            let names = ["nanoseconds", "node", "incarnation"];
            script.fields("id", vector, &names, text(&vector["id"]));
        }
        for foreign in list(vectors, "foreignIds") {
            script.add(&["parse", &text(foreign)], "refused");
        }
        for vector in list(vectors, "exchanges") {
            script.exchange(vector);
        }
        for vector in list(vectors, "estimates") {
            script.estimate(vector);
        }
        for vector in list(vectors, "corrections") {
            script.correction(vector);
        }
        script
    }

    fn exchange(&mut self, vector: &Value) {
        let names = [
            "sent",
            "received",
            "answered",
            "returned",
            "errorBound",
            "driftPpb",
            "resolution",
        ];
        let mut vector = vector.clone();
        if vector["errorBound"].is_null() {
            vector["errorBound"] = Value::from(u64::MAX);
        }
        let expected = pair(&vector["offset"]);
        self.fields("exchange", &vector, &names, expected);
    }

    fn estimate(&mut self, vector: &Value) {
        self.fields(
            "estimate",
            vector,
            &["driftPpb", "wanderPpb"],
            String::from("new"),
        );
        for step in list(vector, "steps") {
            let mut step = step.clone();
            step["traceable"] = Value::from(u8::from(step["traceable"] == true));
            let contradicted = step["outcome"] == "contradicted";
            let expected = if contradicted { "contradicted" } else { "ok" };
            let names = ["at", "low", "high", "traceable"];
            self.fields("observe", &step, &names, expected.to_owned());
            for query in list(&step, "queries") {
                let known = &query["known"];
                let expected = if known.is_null() {
                    String::from("unknown")
                } else {
                    let traceable = u8::from(known["traceable"] == true);
                    format!(
                        "{} {} {traceable}",
                        text(&known["low"]),
                        text(&known["high"])
                    )
                };
                self.fields("at", query, &["at"], expected);
            }
        }
    }

    fn correction(&mut self, vector: &Value) {
        let mut line = vec![String::from("correction")];
        let before = &vector["before"];
        line.push(u8::from(!before.is_null()).to_string());
        for part in [before, &vector["after"]] {
            for name in ["at", "low", "high"] {
                line.push(if part.is_null() {
                    String::from("0")
                } else {
                    text(&part[name])
                });
            }
        }
        line.push(text(&vector["driftPpb"]));
        line.push(text(&vector["deviceTime"]));
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        self.add(&line, pair(&vector["place"]));
    }
}

fn pair(value: &Value) -> String {
    if value.is_null() {
        String::from("refused")
    } else {
        format!("{} {}", text(&value[0]), text(&value[1]))
    }
}

#[test]
fn the_vectors_hold_through_both_libraries() -> Outcome {
    let script = Script::all(&vectors()?);
    assert!(script.expected.len() > 100);
    for shared in [false, true] {
        let directory = tempfile::tempdir()?;
        let mut child = command(driver(directory.path(), shared)?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        child
            .stdin
            .take()
            .ok_or("no pipe")?
            .write_all(script.sent.as_bytes())?;
        let output = child.wait_with_output()?;
        assert!(output.status.success());
        let answers = String::from_utf8(output.stdout)?;
        for ((line, answer), expected) in script
            .sent
            .lines()
            .zip(answers.lines())
            .zip(&script.expected)
        {
            assert_eq!(answer, expected, "{line}");
        }
        assert_eq!(answers.lines().count(), script.expected.len());
    }
    Ok(())
}

#[test]
fn a_c_program_runs_a_clock_and_synchronises_it() -> Outcome {
    let directory = tempfile::tempdir()?;
    let program = driver(directory.path(), false)?;
    let state = directory.path().join("state");
    for _ in 0..2 {
        let output = command(&program).arg(&state).output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert_eq!(said, "ran\n");
    }
    Ok(())
}
