//! `spots migrate first-password`.

use std::io::{self, BufRead as _};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use spots_privacy::{Personal, SystemRandomness};
use spots_web::service::{FirstPassword, set_first_password};

use crate::commands::serve::{Database, runtime};
use crate::keyring::KeyPlace;
use crate::output::Output;

/// Reads the person's e-mail address from standard input: arguments are for all the machine to see.
#[derive(Debug, Args)]
pub(crate) struct FirstPasswordArgs {
    /// The database, as for `spots serve`.
    #[arg(
        long,
        env = "SPOTS_DATABASE_URL",
        default_value = "sqlite://spots.db",
        value_name = "URL",
        hide_env_values = true
    )]
    database_url: String,
    #[command(flatten)]
    keys: KeyPlace,
}

pub(crate) fn run(args: &FirstPasswordArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let keys = args.keys.read()?;
    output.note("the person's e-mail address, on one line:")?;
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .context("failed to read the e-mail address")?;
    let email = Personal::new(line.trim());
    let done = runtime()?.block_on(async {
        let store = Database::parse(&args.database_url)?
            .open(None, output)
            .await?;
        let (store, lookup) = (store.as_ref(), keys.lookup());
        anyhow::Ok(set_first_password(store, lookup, &email, &SystemRandomness).await?)
    })?;
    let refused = match done {
        FirstPassword::Set(password) => {
            output.line(password.disclose())?;
            output.note(
                "this is their password, shown only now; give it to nobody but the person, once \
                 you are sure that it is them",
            )?;
            return Ok(ExitCode::SUCCESS);
        }
        FirstPassword::NoAccount => "no account signs in with this address",
        FirstPassword::HasOne => "this account has a password already; it stays as it is",
    };
    output.note(&format!("refused: {refused}"))?;
    Ok(ExitCode::from(1))
}
