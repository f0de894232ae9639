//! The one place that writes to the terminal.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;

/// In what form a command answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextFormat {
    /// For people.
    Text,
    /// For scripts.
    Json,
}

/// Standard output and standard error, or buffers in their place.
pub(crate) struct Output {
    stdout: Box<dyn Write + Send>,
    stderr: Box<dyn Write + Send>,
    /// Whether standard output takes ANSI colours.
    pub(crate) colour: bool,
}

impl Output {
    /// The process's own streams.
    pub(crate) fn terminal() -> Self {
        Self {
            stdout: Box::new(io::stdout()),
            stderr: Box::new(io::stderr()),
            colour: takes_colour(&io::stdout()),
        }
    }

    /// Writes text as it is to standard output.
    pub(crate) fn write(&mut self, text: &str) -> io::Result<()> {
        unless_gone(self.stdout.write_all(text.as_bytes()))?;
        unless_gone(self.stdout.flush())
    }

    /// Writes a line to standard output.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        unless_gone(writeln!(self.stdout, "{text}"))?;
        unless_gone(self.stdout.flush())
    }

    /// Writes a line to standard error: progress and hints, never results.
    pub(crate) fn note(&mut self, text: &str) -> io::Result<()> {
        unless_gone(writeln!(self.stderr, "{text}"))?;
        unless_gone(self.stderr.flush())
    }

    /// Writes an error with its causes, one a line, to standard error.
    pub(crate) fn error(&mut self, error: &anyhow::Error) {
        let text = error
            .chain()
            .skip(1)
            .fold(format!("error: {error}\n"), |text, cause| {
                text + &format!("  because {cause}\n")
            });
        // Standard error is gone: nobody is left to tell.
        drop(self.stderr.write_all(text.as_bytes()));
    }
}

/// A reader that went away (`spots … | head`) is no fault of ours, and changes no verdict.
fn unless_gone(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Whether this is a terminal of somebody who wants colours (<https://no-color.org>).
#[expect(
    clippy::disallowed_methods,
    reason = "what a person says of all their programs, asked before any setting is read"
)]
pub(crate) fn takes_colour(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
