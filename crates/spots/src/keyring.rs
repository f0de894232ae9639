//! Where the master keys and the epochs are: files that only their owner reads, the environment, or
//! a command.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use spots_privacy::{Epochs, KeySource, KeyTexts, MasterKeys};
use zeroize::Zeroizing;

use crate::config::key_text_from_environment;

/// The largest file of keys, in bytes.
const KEY_TEXT_BYTES_MAX: u64 = 128 * 1024;

/// Where the keys are. The environment variable `SPOTS_KEYS`, which holds the text of a key file,
/// comes before the command, the command before the file.
#[derive(Clone, Debug, Args)]
pub(crate) struct KeyPlace {
    /// The master keys, in a file that only its owner can read.
    #[arg(
        long,
        env = "SPOTS_KEY_FILE",
        default_value = "spots.keys",
        value_name = "FILE"
    )]
    pub(crate) key_file: PathBuf,

    /// A command that prints the text of a key file, run by `sh -c`, in place of the file.
    #[arg(long, env = "SPOTS_KEY_COMMAND", value_name = "COMMAND")]
    pub(crate) key_command: Option<String>,

    /// The keys of the epochs, beside the master keys and never in a backup of the database.
    #[arg(
        long,
        env = "SPOTS_EPOCH_FILE",
        default_value = "spots.epochs",
        value_name = "FILE"
    )]
    pub(crate) epoch_file: PathBuf,
}

impl KeyPlace {
    /// Reads the keys; they are read again while the process runs.
    pub(crate) fn read(&self) -> anyhow::Result<MasterKeys> {
        MasterKeys::from_source(Box::new(self.source())).context(
            "failed to read the master keys; without the keys that sealed this database nothing in \
             it opens; put your copy of them in place, or for a new database run: spots keys init",
        )
    }

    /// Whether the keys stand in the file, where this program can change them.
    pub(crate) fn is_file(&self) -> bool {
        self.key_command.is_none() && key_text_from_environment().is_none()
    }

    /// Replaces the file of master keys as a whole.
    pub(crate) fn write(&self, keys: &MasterKeys) -> anyhow::Result<()> {
        write_secret(&self.key_file, &keys.to_file())
    }

    fn source(&self) -> Source {
        Source {
            place: self.clone(),
            text: key_text_from_environment(),
        }
    }
}

struct Source {
    place: KeyPlace,
    text: Option<Zeroizing<String>>,
}

impl Source {
    fn texts(&self) -> anyhow::Result<KeyTexts> {
        let keys = match (&self.text, &self.place.key_command) {
            (Some(text), _) => text.clone(),
            (None, Some(command)) => printed_by(command)?,
            (None, None) => read_secret(&self.place.key_file)?,
        };
        let file = &self.place.epoch_file;
        let epochs = file.exists().then(|| read_secret(file)).transpose()?;
        Ok(KeyTexts { keys, epochs })
    }
}

impl KeySource for Source {
    fn read(&self) -> Result<KeyTexts, Box<dyn std::error::Error + Send + Sync>> {
        self.texts().map_err(|error| format!("{error:#}").into())
    }
}

/// The file of epochs.
#[derive(Clone, Debug)]
pub(crate) struct EpochFile(pub(crate) PathBuf);

impl EpochFile {
    /// Changes the epochs; one process at a time. The old text is overwritten on the disk.
    pub(crate) fn change<T>(
        &self,
        change: impl FnOnce(&mut Epochs) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let lock = self.0.with_added_extension("lock");
        let lock = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock)
            .with_context(|| format!("failed to open {}", lock.display()))?;
        lock.lock()
            .context("failed to wait for another process that changes the epochs")?;
        let mut epochs = if self.0.exists() {
            Epochs::parse(&read_secret(&self.0)?)?
        } else {
            Epochs::default()
        };
        let before = epochs.numbers();
        let answer = change(&mut epochs)?;
        if epochs.numbers() != before {
            write_secret(&self.0, &epochs.to_file())?;
        }
        Ok(answer)
    }
}

/// Reads a file that nobody but its owner can read.
fn read_secret(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let place = path.display();
    let mut file = File::open(path).with_context(|| format!("failed to open {place}"))?;
    let metadata = file
        .metadata()
        .with_context(|| format!("failed to look at {place}"))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        bail!("{place} can be read by others than its owner; run: chmod 600 {place}");
    }
    if metadata.size() > KEY_TEXT_BYTES_MAX {
        bail!("{place} is larger than {KEY_TEXT_BYTES_MAX} bytes, so it holds no keys");
    }
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(metadata.size())?));
    file.read_to_string(&mut text)
        .with_context(|| format!("failed to read {place}"))?;
    Ok(text)
}

/// Replaces a file at once: whoever reads it sees the old text or the new one. What was there is
/// overwritten; a disk that moves blocks may still hold it for a while.
pub(crate) fn write_secret(path: &Path, text: &str) -> anyhow::Result<()> {
    let context = || format!("failed to write {}", path.display());
    let beside = path.with_added_extension("new");
    let mut new = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .with_context(context)?;
    new.write_all(text.as_bytes()).with_context(context)?;
    new.sync_all().with_context(context)?;
    let old = OpenOptions::new().write(true).open(path).ok();
    fs::rename(&beside, path).with_context(context)?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .with_context(context)?;
    if let Some(mut old) = old {
        let length = old.metadata().with_context(context)?.size();
        let nothing = vec![0; usize::try_from(length)?];
        old.write_all(&nothing).with_context(context)?;
        old.sync_all().with_context(context)?;
    }
    Ok(())
}

/// The keys that a command prints.
fn printed_by(command: &str) -> anyhow::Result<Zeroizing<String>> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the operator asks for this command to be run"
    )]
    let mut run = std::process::Command::new("sh");
    let output = run
        .args(["-c", command])
        .stdin(std::process::Stdio::null())
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("failed to run the key command")?;
    let text = Zeroizing::new(output.stdout);
    if !output.status.success() {
        bail!("the key command ended with {}", output.status);
    }
    if text.len() as u64 > KEY_TEXT_BYTES_MAX {
        bail!("the key command printed more than {KEY_TEXT_BYTES_MAX} bytes");
    }
    let text = std::str::from_utf8(&text).context("the key command did not print text")?;
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use spots_privacy::{KeyError, SystemRandomness};

    use super::*;

    #[test]
    fn epochs_change_under_a_lock_and_the_file_stays_the_owners() {
        let folder = tempfile::tempdir().unwrap();
        let file = EpochFile(folder.path().join("spots.epochs"));
        for number in 1..=3 {
            let begun = file.change(|epochs| Ok(epochs.begin(7, &SystemRandomness)?));
            assert_eq!(begun.unwrap(), number);
        }
        let mode = fs::metadata(&file.0).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let left = file.change(|epochs| {
            epochs.retire_before(3);
            Ok(epochs.numbers())
        });
        assert_eq!(left.unwrap(), [3]);
        let text = fs::read_to_string(&file.0).unwrap();
        assert_eq!(text.lines().count(), 1);
        fs::write(&file.0, "epoch 3 AAAA 7\n").unwrap();
        let refused = file.change(|_| Ok(())).unwrap_err();
        assert_eq!(
            refused.downcast_ref::<KeyError>(),
            Some(&KeyError::Epoch(1)),
            "a damaged file is not written over"
        );
    }
}
