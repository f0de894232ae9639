//! Outgoing mail: a letter to one person, handed to a command or put into a folder.
//!
//! SPOTS speaks to no mail server itself. Every system has a program that does (`sendmail -t -i` of
//! Postfix, Exim or msmtp), with queues, retries and keys of its own; it gets the letter on its
//! standard input. A folder is for trying out.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use spots_booking::value;
use spots_privacy::{Personal, Randomness, random};
use thiserror::Error;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How long a command may take over one letter, in seconds.
const COMMAND_SECONDS_MAX: u64 = 20;
/// Letters that are handed over side by side; more wait.
const HANDED_OVER_MAX: usize = 4;
static HANDING_OVER: Semaphore = Semaphore::const_new(HANDED_OVER_MAX);

/// Why mail cannot be set up like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MailSettingsError {
    /// The sender is no address.
    #[error("the sender of mail is an e-mail address, for example spots@example.org")]
    From,
    /// The site is no address of one.
    #[error("the site's address is like https://spots.example.org, without a path")]
    Site,
}

/// Why a letter did not go out.
#[derive(Debug, Error)]
pub(crate) enum MailError {
    /// The command says no.
    #[error("the mail command ended with {0}")]
    Refused(std::process::ExitStatus),
    /// The command does not come to an end.
    #[error("the mail command took longer than {COMMAND_SECONDS_MAX} seconds")]
    Slow,
    /// The letter could not be handed over or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What carries letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A command, run by `sh -c`, that takes one letter on its standard input and finds the
    /// recipient in its `To:` line.
    Command(String),
    /// A folder that gets one file a letter, which only its owner can read.
    Folder(PathBuf),
}

/// How mail goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    carrier: Carrier,
    from: String,
    site: String,
}

impl Mail {
    /// Mail from an address, with links to the site at an address.
    pub fn new(carrier: Carrier, from: &str, site: &str) -> Result<Self, MailSettingsError> {
        let from = value::email(from).or(Err(MailSettingsError::From))?;
        if !is_plain(&from) {
            return Err(MailSettingsError::From);
        }
        let site = site.trim_end_matches('/');
        let name = site
            .strip_prefix("https://")
            .or_else(|| site.strip_prefix("http://"));
        let plain = |name: &str| {
            let mut bytes = name.bytes();
            !name.is_empty() && bytes.all(|b| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b))
        };
        if !name.is_some_and(plain) {
            return Err(MailSettingsError::Site);
        }
        Ok(Self {
            carrier,
            from,
            site: site.to_owned(),
        })
    }

    /// The site's address without a slash at its end.
    pub(crate) fn site(&self) -> &str {
        &self.site
    }

    /// Hands a letter over. It says that it was taken, not that it arrived.
    pub(crate) async fn send(
        &self,
        letter: &Letter,
        random: &dyn Randomness,
    ) -> Result<(), MailError> {
        let id = random::bytes::<16>(random).map(|byte| format!("{byte:02x}"));
        let id = id.concat();
        let text = self.written(letter, &id);
        let _turn = HANDING_OVER.acquire().await.map_err(io::Error::other)?;
        match &self.carrier {
            Carrier::Command(command) => {
                let seconds = Duration::from_secs(COMMAND_SECONDS_MAX);
                let handed = timeout(seconds, hand_over(command, &text)).await;
                handed.unwrap_or(Err(MailError::Slow))
            }
            Carrier::Folder(folder) => {
                let path = folder.join(format!("{id}.eml"));
                tokio::task::spawn_blocking(move || put(&path, &text))
                    .await
                    .map_err(io::Error::other)?
            }
        }
    }

    /// The letter in the form of RFC 5322, its lines ended as a program on this system expects.
    fn written(&self, letter: &Letter, id: &str) -> Personal {
        let date = letter
            .at
            .to_zoned(TimeZone::UTC)
            .strftime("%a, %d %b %Y %H:%M:%S +0000");
        let domain = self.from.rsplit('@').next().unwrap_or("localhost");
        let mut text = String::new();
        write!(
            text,
            "From: SPOTS <{}>\nTo: <{}>\nSubject: {}\nDate: {date}\nMessage-ID: <{id}@{domain}>\n\
             MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\
             Content-Transfer-Encoding: 8bit\nAuto-Submitted: auto-generated\n\n{}",
            self.from,
            letter.to.disclose(),
            letter.subject,
            letter.text.disclose(),
        )
        .expect("a text takes what is written");
        Personal::new(text)
    }
}

/// One letter.
#[derive(Debug)]
pub(crate) struct Letter {
    to: Personal,
    /// What it is about; plain ASCII.
    pub(crate) subject: &'static str,
    /// What it says.
    pub(crate) text: Personal,
    /// When it is written.
    pub(crate) at: Timestamp,
}

impl Letter {
    /// A letter to an address; `None` where the address cannot stand in its head as it is.
    pub(crate) fn to(
        address: &Personal,
        subject: &'static str,
        text: Personal,
        at: Timestamp,
    ) -> Option<Self> {
        is_plain(address.disclose()).then(|| Self {
            to: address.clone(),
            subject,
            text,
            at,
        })
    }
}

/// Whether an address is letters, digits and the marks of RFC 5322's `atom` around its `@`: nothing
/// that a mail program reads as more than one address, or as an option.
fn is_plain(address: &str) -> bool {
    let Some((name, domain)) = address.rsplit_once('@') else {
        return false;
    };
    let atom = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte);
    let host = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    !name.is_empty() && !name.starts_with('-') && name.bytes().all(atom) && domain.bytes().all(host)
}

async fn hand_over(command: &str, text: &Personal) -> Result<(), MailError> {
    // What a mail program says may name the recipient, so it is not let into the log.
    let mut child = tokio::process::Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = child
        .stdin
        .take()
        .ok_or_else(|| io::Error::other("no pipe"))?;
    let written = stdin.write_all(text.disclose().as_bytes()).await;
    drop(stdin);
    let status = child.wait().await?;
    if !status.success() {
        return Err(MailError::Refused(status));
    }
    Ok(written?)
}

fn put(path: &Path, text: &Personal) -> Result<(), MailError> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.disclose().as_bytes())?;
    Ok(file.sync_all()?)
}

#[cfg(test)]
mod tests {
    use spots_privacy::SystemRandomness;

    use super::*;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    fn mail(carrier: Carrier) -> Mail {
        Mail::new(carrier, "spots@example.org", "https://spots.example.org/").unwrap()
    }

    fn letter() -> Letter {
        let text = Personal::new("Hello\n");
        Letter::to(&Personal::new("ada@example.org"), "A letter", text, AT).unwrap()
    }

    #[test]
    fn a_site_and_a_sender_are_plain() {
        let folder = || Carrier::Folder(PathBuf::from("."));
        for site in [
            "",
            "spots.example.org",
            "ftp://x",
            "https://",
            "https://x/y",
            "https://x y",
        ] {
            let refused = Mail::new(folder(), "a@b.example", site);
            assert_eq!(refused, Err(MailSettingsError::Site), "{site}");
        }
        for from in [
            "",
            "a",
            "a@b.example\nBcc: x@y.example",
            "\"a b\"@c.example",
        ] {
            let refused = Mail::new(folder(), from, "http://127.0.0.1:8080");
            assert_eq!(refused, Err(MailSettingsError::From), "{from}");
        }
    }

    #[test]
    fn an_address_that_could_be_more_gets_no_letter() {
        for address in [
            "\"a, b\"@example.org",
            "-oQ/tmp@example.org",
            "a b@example.org",
            "a@example.org\nBcc: b@example.org",
            "a,b@example.org",
            "<a>@example.org",
            "zoë@example.org",
        ] {
            let text = Personal::new("");
            let letter = Letter::to(&Personal::new(address), "x", text, AT);
            assert!(letter.is_none(), "{address}");
        }
    }

    #[tokio::test]
    async fn a_command_gets_the_letter_and_may_refuse_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("letter");
        let command = format!("cat > '{}'", path.display());
        let taken = mail(Carrier::Command(command));
        taken.send(&letter(), &SystemRandomness).await.unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        for line in [
            "From: SPOTS <spots@example.org>",
            "To: <ada@example.org>",
            "Subject: A letter",
            "Date: Thu, 01 Jan 1970 00:00:00 +0000",
        ] {
            assert!(text.lines().any(|own| own == line), "{line}: {text}");
        }
        assert!(text.ends_with("\n\nHello\n"), "{text}");
        for command in ["cat > /dev/null; exit 75", "exit 1", "no-such-program-here"] {
            let refused = mail(Carrier::Command(command.to_owned()));
            let refused = refused.send(&letter(), &SystemRandomness).await;
            assert!(matches!(refused, Err(MailError::Refused(_))), "{command}");
        }
    }

    #[tokio::test]
    async fn a_folder_keeps_letters_to_its_owner() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let mail = mail(Carrier::Folder(folder.path().to_owned()));
        for _ in 0..2 {
            mail.send(&letter(), &SystemRandomness).await.unwrap();
        }
        let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(files.len(), 2);
        for file in files {
            let mode = file.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let nowhere = Carrier::Folder(folder.path().join("none"));
        let site = "https://spots.example.org";
        let mail = Mail::new(nowhere, "spots@example.org", site).unwrap();
        let refused = mail.send(&letter(), &SystemRandomness).await;
        assert!(matches!(refused, Err(MailError::Io(_))));
    }
}
