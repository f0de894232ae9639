//! `spots migrate roles`.

use std::process::ExitCode;

use clap::Args;
use spots_store::{PostgresAddress, Roles};

use crate::commands::serve::{Database, runtime};
use crate::output::Output;

/// Which roles, and in which database.
#[derive(Debug, Args)]
pub(crate) struct RolesArgs {
    /// The database, as the role that owns its tables and may make roles: `postgres://…`.
    #[arg(
        long,
        value_name = "URL",
        env = "SPOTS_DATABASE",
        hide_env_values = true,
        required_unless_present = "print"
    )]
    database: Option<String>,
    /// What hosts' and visitors' reads log in as.
    #[arg(long, value_name = "ROLE", default_value = "spots_host")]
    host: String,
    /// What people's reads of their own log in as.
    #[arg(long, value_name = "ROLE", default_value = "spots_attendee")]
    attendee: String,
    /// Print the statements instead of running them.
    #[arg(long)]
    print: bool,
}

pub(crate) fn run(args: &RolesArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let roles = Roles {
        host: args.host.clone(),
        attendee: args.attendee.clone(),
    };
    let Some(url) = args.database.as_ref().filter(|_| !args.print) else {
        output.write(&roles.script("public", "spots"))?;
        output
            .note("for a database named otherwise than spots, change its name in the last block")?;
        return Ok(ExitCode::SUCCESS);
    };
    runtime()?.block_on(async {
        let address = PostgresAddress::parse(url)?;
        // The roles are given columns of tables, so the tables come first.
        drop(Database::parse(url)?.open(None, output).await?);
        anyhow::Ok(roles.set_up(&address).await?)
    })?;
    output.line(&format!(
        "{host} and {attendee} may log in and read what their paths need, and nothing else",
        host = roles.host,
        attendee = roles.attendee
    ))?;
    output.note(&format!(
        "next: give both a password (in psql: \\password {host}), then start\n  spots serve \
         --database-url URL --host-database-url URL-AS-{host} --attendee-database-url \
         URL-AS-{attendee}",
        host = roles.host,
        attendee = roles.attendee
    ))?;
    Ok(ExitCode::SUCCESS)
}
