#![doc = include_str!("../README.md")]

mod commands;
mod config;
mod keyring;
mod output;

use std::process::ExitCode;

use crate::config::Unread;
use crate::output::Output;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let cli = match config::parse(&arguments) {
        Ok(cli) => cli,
        Err(Unread::CommandLine(error)) => {
            let status = if error.use_stderr() { 2 } else { 0 };
            return match error.print() {
                Ok(()) => ExitCode::from(status),
                Err(_) => ExitCode::from(2),
            };
        }
        Err(Unread::File(error)) => {
            Output::terminal().error(&error);
            return ExitCode::from(2);
        }
    };
    let mut output = Output::terminal();
    match commands::run(cli, &mut output) {
        Ok(code) => code,
        Err(error) => {
            output.error(&error);
            ExitCode::from(2)
        }
    }
}
