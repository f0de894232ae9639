//! A window in two files of a directory, each with two alternating, checksummed slots.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::notes::add_note;
use super::{Anchor, Window, WindowRecord};
use crate::checksum::fnv64;
use crate::id::NodeIdentity;

const WINDOW_FILE: &str = "clock.window";
const LIFE_FILE: &str = "clock.life";
const MAGIC: u64 = u64::from_be_bytes(*b"SPOTCLK1");
/// Slots lie a page apart, so that one torn write cannot reach both.
const SLOT_DISTANCE: u64 = 4096;
/// Words of a slot before its checksum.
const SLOT_WORDS: usize = 9;
const SLOT_BYTES: usize = (SLOT_WORDS + 1) * 8;

/// A forward window on disk, locked against other processes while it is open.
///
/// `clock.window` holds the newest record, `clock.life` the one that began this life. Each names
/// the file it was written to (inode and birth time), so that a copy is noticed; the two name each
/// other's life, so that a lost or restored file is noticed. A copied disk image is not
/// noticed: then only an incarnation from elsewhere (a database lease) protects.
#[derive(Debug)]
pub struct FileWindow {
    window: SlotFile,
    life: SlotFile,
    record: Option<WindowRecord>,
    directory: PathBuf,
}

/// Why a window on disk cannot be used as it is.
#[derive(Debug)]
#[non_exhaustive]
pub enum FileWindowError {
    /// Another process has it open.
    Busy,
    /// The files were copied from elsewhere; the original may still issue timestamps.
    Copied,
    /// One of the two files is older than the other: a backup was restored.
    RolledBack,
    /// One of the two files is gone or unreadable.
    Lost,
    /// The file system failed.
    Io(io::Error),
}

impl FileWindowError {
    /// Whether `spots clock repair` is the way on.
    pub fn is_repairable(&self) -> bool {
        self.word().is_some()
    }

    /// The audit's word for it; `None` if a repair cannot help.
    pub(crate) fn word(&self) -> Option<&'static str> {
        match self {
            Self::Copied => Some("copied"),
            Self::RolledBack => Some("rolled-back"),
            Self::Lost => Some("lost"),
            Self::Busy | Self::Io(_) => None,
        }
    }
}

impl fmt::Display for FileWindowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "another process uses this clock's state",
            Self::Copied => {
                "this clock's state was copied from elsewhere, and the original may still be in \
                 use; give this one a new identity with `spots clock repair`"
            }
            Self::RolledBack => {
                "one file of this clock's state is older than the other, as after restoring a \
                 backup; give the clock a new identity with `spots clock repair`"
            }
            Self::Lost => {
                "a file of this clock's state is missing or unreadable; give the clock a new \
                 identity with `spots clock repair`"
            }
            Self::Io(_) => "failed to read this clock's state",
        })
    }
}

impl std::error::Error for FileWindowError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Busy | Self::Copied | Self::RolledBack | Self::Lost => None,
        }
    }
}

impl From<io::Error> for FileWindowError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl FileWindow {
    /// Opens the window in a directory, which is created if it is missing.
    pub fn open(directory: &Path) -> Result<Self, FileWindowError> {
        let mut opened = Self::open_unchecked(directory)?;
        opened.record = opened.judge()?;
        Ok(opened)
    }

    /// Opens and locks the files whatever state they are in, for a repair.
    pub(crate) fn open_unchecked(directory: &Path) -> Result<Self, FileWindowError> {
        fs::create_dir_all(directory)?;
        let mut window = SlotFile::open(directory.join(WINDOW_FILE))?;
        match window.file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(FileWindowError::Busy),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        // Read again: the other process may have written between our reading and its end.
        window.read()?;
        let life = SlotFile::open(directory.join(LIFE_FILE))?;
        sync_directory(directory)?;
        Ok(Self {
            record: window.newest.map(|slot| slot.record),
            window,
            life,
            directory: directory.to_owned(),
        })
    }

    /// Whether a clock ever ran in this directory.
    pub(crate) fn exists(directory: &Path) -> bool {
        directory.join(WINDOW_FILE).exists() || directory.join(LIFE_FILE).exists()
    }

    /// Reads the newest record without locking or writing, for a status of a clock in use.
    pub fn peek(directory: &Path) -> io::Result<Option<WindowRecord>> {
        let mut file = match File::open(directory.join(WINDOW_FILE)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let newest = read_slots(&mut file)?;
        Ok(newest.map(|slot| slot.record))
    }

    /// What is wrong with the files, or the record to go on from.
    pub(crate) fn judge(&self) -> Result<Option<WindowRecord>, FileWindowError> {
        let (window, life) = match (self.window.newest, self.life.newest) {
            (None, None) => return Ok(None),
            (None, Some(_)) => return Err(FileWindowError::Lost),
            (Some(window), life) => (window, life),
        };
        let life_place = life.map_or(self.life.place, |life| life.place);
        if window.place != self.window.place || life_place != self.life.place {
            return Err(FileWindowError::Copied);
        }
        // A crash between the two writes leaves the window one life ahead.
        match window.life.checked_sub(life.map_or(0, |life| life.life)) {
            Some(0 | 1) => Ok(Some(window.record)),
            Some(_) => Err(FileWindowError::Lost),
            None => Err(FileWindowError::RolledBack),
        }
    }

    /// The newest record that could be read, whatever is wrong.
    pub(crate) fn last_known(&self) -> Option<WindowRecord> {
        self.record
    }

    /// Replaces every slot of both files by one record, so that nothing old can come back.
    pub(crate) fn overwrite(&mut self, record: &WindowRecord) -> io::Result<()> {
        let newest = self.window.newest.into_iter().chain(self.life.newest);
        let life = newest
            .map(|slot| slot.life)
            .max()
            .map_or(1, |life| life + 1);
        for _ in 0..2 {
            self.window.write(record, life)?;
            self.life.write(record, life)?;
        }
        self.record = Some(*record);
        Ok(())
    }

    /// Counted from the file that is written last: after a crash between the two, the same life
    /// begins again, so that the window is never more than one life ahead.
    fn next_life(&self) -> u64 {
        self.life.newest.map_or(1, |slot| slot.life + 1)
    }
}

impl Window for FileWindow {
    fn load(&mut self) -> io::Result<Option<WindowRecord>> {
        Ok(self.record)
    }

    fn begin(&mut self, record: &WindowRecord) -> io::Result<()> {
        let life = self.next_life();
        self.window.write(record, life)?;
        self.life.write(record, life)
    }

    fn store(&mut self, record: &WindowRecord) -> io::Result<()> {
        let life = self.window.newest.map_or(1, |slot| slot.life);
        self.window.write(record, life)
    }

    fn note(&mut self, line: &str) -> io::Result<()> {
        add_note(&self.directory, line)
    }
}

/// One decoded slot.
#[derive(Clone, Copy, Debug)]
struct Slot {
    /// How many records this file has held.
    sequence: u64,
    /// How many lives have begun on it.
    life: u64,
    record: WindowRecord,
    place: u64,
}

impl Slot {
    fn encode(&self) -> [u8; SLOT_BYTES] {
        let identity = self.record.identity;
        let anchor = self.record.anchor.unwrap_or(Anchor {
            boot: 0,
            counter: 0,
            time: 0,
        });
        let words: [u64; SLOT_WORDS] = [
            MAGIC,
            self.sequence,
            self.life,
            u64::from(identity.node()) << 32 | u64::from(identity.incarnation()),
            self.record.mark,
            anchor.boot,
            anchor.counter,
            anchor.time,
            self.place,
        ];
        let mut bytes = Vec::with_capacity(SLOT_BYTES);
        for word in words {
            bytes.extend(word.to_be_bytes());
        }
        bytes.extend(fnv64(&bytes).to_be_bytes());
        bytes.try_into().expect("nine words and a checksum")
    }

    fn decode(bytes: &[u8; SLOT_BYTES]) -> Option<Self> {
        let (content, checksum) = bytes.split_last_chunk::<8>()?;
        if fnv64(content) != u64::from_be_bytes(*checksum) {
            return None;
        }
        let mut words = content
            .chunks_exact(8)
            .filter_map(|word| word.try_into().ok().map(u64::from_be_bytes));
        if words.next()? != MAGIC {
            return None;
        }
        let sequence = words.next()?;
        let life = words.next()?;
        let identity = words.next()?;
        let mark = words.next()?;
        let anchor = Anchor {
            boot: words.next()?,
            counter: words.next()?,
            time: words.next()?,
        };
        let node = u16::try_from(identity >> 32).ok()?;
        let incarnation = u32::try_from(identity & 0xffff_ffff).ok()?;
        Some(Self {
            sequence,
            life,
            record: WindowRecord {
                identity: NodeIdentity::new(node, incarnation)?,
                mark,
                anchor: (anchor.boot != 0).then_some(anchor),
            },
            place: words.next()?,
        })
    }
}

/// A file of two slots; the valid one with the higher sequence number counts.
#[derive(Debug)]
struct SlotFile {
    file: File,
    place: u64,
    newest: Option<Slot>,
}

impl SlotFile {
    fn open(path: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let mut slots = Self {
            place: place_of(&file)?,
            file,
            newest: None,
        };
        slots.read()?;
        Ok(slots)
    }

    fn read(&mut self) -> io::Result<()> {
        self.newest = read_slots(&mut self.file)?;
        Ok(())
    }

    /// Writes the slot that does not hold the newest record, and waits until it is on disk.
    fn write(&mut self, record: &WindowRecord, life: u64) -> io::Result<()> {
        let slot = Slot {
            life,
            sequence: self.newest.map_or(1, |newest| newest.sequence + 1),
            record: *record,
            place: self.place,
        };
        self.file
            .seek(SeekFrom::Start(slot.sequence % 2 * SLOT_DISTANCE))?;
        self.file.write_all(&slot.encode())?;
        self.file.sync_data()?;
        self.newest = Some(slot);
        Ok(())
    }
}

fn read_slots(file: &mut File) -> io::Result<Option<Slot>> {
    let mut newest: Option<Slot> = None;
    for index in 0..2 {
        file.seek(SeekFrom::Start(index * SLOT_DISTANCE))?;
        let mut bytes = [0; SLOT_BYTES];
        match file.read_exact(&mut bytes) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => continue,
            Err(error) => return Err(error),
        }
        let slot = Slot::decode(&bytes);
        newest = newest
            .into_iter()
            .chain(slot)
            .max_by_key(|slot| slot.sequence);
    }
    Ok(newest)
}

/// A number that this file has and no copy of it: its inode and when it was born.
fn place_of(file: &File) -> io::Result<u64> {
    let metadata = file.metadata()?;
    let born = metadata.created().ok();
    let born = born.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let born = born.map_or(0, |age| age.as_nanos());
    let mut bytes = born.to_be_bytes().to_vec();
    bytes.extend(inode_of(&metadata).to_be_bytes());
    Ok(fnv64(&bytes))
}

#[cfg(unix)]
fn inode_of(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode_of(_metadata: &fs::Metadata) -> u64 {
    0
}

/// Makes the files' names durable, where a directory can be opened like a file.
fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(directory)?.sync_all()
    } else {
        Ok(())
    }
}
