//! Real servers for tests, and what they answer.

use std::error::Error;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// Makes a command of the binary in a folder.
#[expect(
    clippy::disallowed_methods,
    reason = "the test runs the binary as people do"
)]
pub(crate) fn spots(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spots"));
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null());
    command
}

/// Adds an operator and returns the token.
pub(crate) fn operator(folder: &Path) -> Outcome<String> {
    let output = spots(folder, &["operator", "add", "check"]).output()?;
    assert!(output.status.success(), "{output:?}");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// A running `spots serve`.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    /// Starts it and waits until it says where it listens.
    pub(crate) fn start(mut command: Command) -> Outcome<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no pipe")?);
        let mut line = String::new();
        while !line.contains("listens on") {
            line.clear();
            if lines.read_line(&mut line)? == 0 {
                return Err(format!("the server ended: {}", child.wait()?).into());
            }
        }
        let url = line.trim().rsplit(' ').next().ok_or("no address")?;
        Ok(Self {
            child,
            url: url.to_owned(),
        })
    }

    /// Sends a signal by its name, as an operator does.
    pub(crate) fn signal(&self, name: &str) -> Outcome {
        #[expect(
            clippy::disallowed_methods,
            reason = "the standard library sends no signals"
        )]
        let status = Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status()?;
        assert!(status.success());
        Ok(())
    }

    /// Asks it to stop and waits until it has.
    pub(crate) fn stop(mut self) -> Outcome {
        self.signal("TERM")?;
        assert!(self.child.wait()?.success(), "it does not stop cleanly");
        Ok(())
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that was stopped cleanly is gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Signs somebody up and in; returns the token.
pub(crate) async fn person(
    client: &reqwest::Client,
    server: &Server,
    email: &str,
) -> Outcome<String> {
    let body = json!({"email": email, "password": "correct horse battery"});
    for path in ["/api/v1/accounts", "/api/v1/sessions"] {
        let answer = client.post(server.url(path)).json(&body).send().await?;
        let status = answer.status();
        let answer: Value = answer.json().await?;
        assert!(status.is_success(), "{path}: {answer}");
        if let Some(token) = answer["token"]
            .as_str()
            .filter(|_| path.ends_with("sessions"))
        {
            return Ok(token.to_owned());
        }
    }
    Err("no token".into())
}
