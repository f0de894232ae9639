//! The last disruptions of a clock, one a line in a file beside its window.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

const NOTES_FILE: &str = "clock.disruptions";
/// How many lines are kept, and how many disruptions a clock remembers.
pub(crate) const NOTES_MAX: usize = 16;
/// What is read of a file that somebody else made large.
const BYTES_MAX: u64 = 16 * 1024;

/// The lines, oldest first; none where there is no file.
pub(crate) fn read_notes(directory: &Path) -> io::Result<Vec<String>> {
    let file = match File::open(directory.join(NOTES_FILE)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut text = String::new();
    file.take(BYTES_MAX).read_to_string(&mut text)?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// Adds a line and drops the oldest above the limit.
pub(super) fn add_note(directory: &Path, line: &str) -> io::Result<()> {
    let mut lines = read_notes(directory)?;
    lines.push(line.to_owned());
    let surplus = lines.len().saturating_sub(NOTES_MAX);
    let kept = lines.get(surplus..).unwrap_or_default();
    let text = kept.join("\n") + "\n";
    // Another file first, so that a crash leaves the old lines or the new ones.
    let fresh = directory.join("clock.disruptions.new");
    fs::write(&fresh, text)?;
    fs::rename(fresh, directory.join(NOTES_FILE))
}
