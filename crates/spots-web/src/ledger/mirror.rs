//! A copy of the ledger in a directory: `entries`, one line an entry in order of position, and
//! `checkpoint`, the signed note that covers them. It holds no personal data.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use spots_privacy::ledger::merkle::Frontier;
use spots_privacy::ledger::{Checkpoint, Entry, PublicKey};
use spots_store::Store;
use spots_store::ledger::LEDGER_ROWS_MAX;

use super::LedgerError;

/// A copy that follows one ledger.
#[derive(Debug)]
pub struct Mirror {
    directory: PathBuf,
    checkpoint: Option<Checkpoint>,
    /// The tree over the entries that are written, whether or not the checkpoint covers them yet.
    written: Frontier,
}

impl Mirror {
    /// Opens the copy in a directory, or begins one. The checkpoint must be signed by this key and
    /// cover the entries.
    pub fn open(directory: &Path, key: &PublicKey) -> Result<Self, LedgerError> {
        fs::create_dir_all(directory).map_err(LedgerError::directory("begin", directory))?;
        let note = match fs::read_to_string(directory.join("checkpoint")) {
            Ok(note) => Some(note),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(LedgerError::directory("read", directory)(error)),
        };
        let checkpoint = note
            .map(|note| Checkpoint::open(&note, key))
            .transpose()
            .map_err(LedgerError::Note)?;
        let mut mirror = Self {
            directory: directory.to_owned(),
            checkpoint,
            written: Frontier::default(),
        };
        let size = mirror.size();
        let mut frontier = Frontier::default();
        mirror.each(|_, entry| {
            if frontier.size() < size {
                frontier.push(entry.leaf());
            }
        })?;
        match &mirror.checkpoint {
            Some(signed) if signed.root != frontier.root() => Err(LedgerError::Copy(String::new())),
            Some(signed) if frontier.size() != signed.size => Err(LedgerError::Copy(format!(
                ", {} are missing",
                signed.size - frontier.size()
            ))),
            _ => {
                mirror.written = frontier;
                mirror.cut(size)
            }
        }
    }

    /// How many entries the checkpoint covers.
    pub fn size(&self) -> u64 {
        self.checkpoint.as_ref().map_or(0, |signed| signed.size)
    }

    /// The last checkpoint.
    pub fn checkpoint(&self) -> Option<&Checkpoint> {
        self.checkpoint.as_ref()
    }

    fn entries(&self) -> PathBuf {
        self.directory.join("entries")
    }

    /// Hands out the entries in order; a line that a crash cut off ends the list.
    pub fn each(&self, mut take: impl FnMut(u64, Entry)) -> Result<(), LedgerError> {
        let file = match File::open(self.entries()) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(LedgerError::directory("read", &self.directory)(error)),
        };
        for (index, line) in BufReader::new(file).lines().enumerate() {
            let line = line.map_err(LedgerError::directory("read", &self.directory))?;
            match Entry::from_line(&line) {
                Some((position, entry)) if position == index as u64 => take(position, entry),
                _ if (index as u64) < self.size() => {
                    return Err(LedgerError::Copy(format!(", line {} is none", index + 1)));
                }
                _ => break,
            }
        }
        Ok(())
    }

    /// Cuts off what the checkpoint does not cover: it is read from the database again.
    fn cut(self, size: u64) -> Result<Self, LedgerError> {
        let context = || LedgerError::directory("repair", &self.directory);
        let path = self.entries();
        if path.exists() {
            let mut length = 0;
            let reader = BufReader::new(File::open(&path).map_err(context())?);
            for line in reader
                .lines()
                .take(usize::try_from(size).unwrap_or(usize::MAX))
            {
                length += line.map_err(context())?.len() as u64 + 1;
            }
            let file = OpenOptions::new()
                .write(true)
                .open(&path)
                .map_err(context())?;
            file.set_len(length).map_err(context())?;
            file.sync_all().map_err(context())?;
        }
        Ok(self)
    }

    /// Writes what the database has more; the entries first, then the checkpoint that covers them.
    pub async fn follow(&mut self, store: &dyn Store) -> Result<(), LedgerError> {
        let Some(last) = store.last_checkpoint().await? else {
            return Ok(());
        };
        while self.written.size() < last.size {
            let from = self.written.size();
            let mut lines = String::new();
            for row in store.list_ledger(from, LEDGER_ROWS_MAX).await? {
                let position = row.position.unwrap_or(u64::MAX);
                if position >= last.size || position != self.written.size() {
                    break;
                }
                lines.push_str(&row.entry.to_line(position));
                lines.push('\n');
                self.written.push(row.entry.leaf());
            }
            if lines.is_empty() {
                let what = format!(": the database has no entry {from}");
                return Err(LedgerError::Copy(what));
            }
            self.append(&lines)?;
        }
        if self.size() < last.size {
            self.replace_checkpoint(&last.note)?;
            self.checkpoint = Some(Checkpoint {
                size: last.size,
                root: self.written.root(),
            });
        }
        Ok(())
    }

    fn append(&self, lines: &str) -> Result<(), LedgerError> {
        let context = || LedgerError::directory("write", &self.directory);
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.entries())
            .map_err(context())?;
        file.write_all(lines.as_bytes()).map_err(context())?;
        file.sync_all().map_err(context())
    }

    fn replace_checkpoint(&self, note: &str) -> Result<(), LedgerError> {
        let context = || LedgerError::directory("write", &self.directory);
        let (path, next) = (
            self.directory.join("checkpoint"),
            self.directory.join("checkpoint.next"),
        );
        let mut file = File::create(&next).map_err(context())?;
        file.write_all(note.as_bytes()).map_err(context())?;
        file.sync_all().map_err(context())?;
        fs::rename(&next, &path).map_err(context())?;
        let directory = File::open(&self.directory).map_err(context())?;
        directory.sync_all().map_err(context())
    }
}
