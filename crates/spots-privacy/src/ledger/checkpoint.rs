//! Checkpoints (C2SP tlog-checkpoint): the tree's size and root, signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::merkle::Hash;
use super::note::{LedgerKey, NoteError, PublicKey};

/// How large a ledger was, and the root of its tree then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// How many entries it covers.
    pub size: u64,
    /// The root of their tree.
    pub root: Hash,
}

impl Checkpoint {
    /// The signed note.
    pub fn sign(&self, key: &LedgerKey) -> String {
        let (origin, root) = (key.public().name(), STANDARD.encode(self.root));
        key.sign(&format!("{origin}\n{}\n{root}\n", self.size))
    }

    /// Reads a note that this key signed. Lines beyond the third are extensions, and signed too.
    pub fn open(note: &str, key: &PublicKey) -> Result<Self, NoteError> {
        let mut lines = key.open(note)?.lines();
        let (origin, size, root) = (lines.next(), lines.next(), lines.next());
        if origin != Some(key.name()) {
            return Err(NoteError::NotSigned);
        }
        let size = size.ok_or(NoteError::Form)?;
        if size.len() > 1 && size.starts_with('0') || !size.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NoteError::Form);
        }
        let root = STANDARD.decode(root.ok_or(NoteError::Form)?);
        Ok(Self {
            size: size.parse().or(Err(NoteError::Form))?,
            root: root
                .or(Err(NoteError::Form))?
                .try_into()
                .or(Err(NoteError::Form))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_reads_back() {
        let key = LedgerKey::from_seed(&[7; 32]);
        let checkpoint = Checkpoint {
            size: 12,
            root: [9; 32],
        };
        let note = checkpoint.sign(&key);
        assert_eq!(Checkpoint::open(&note, key.public()), Ok(checkpoint));
        for text in ["x\n12\nAAAA\n", "12\n", "012\n", "-1\n"] {
            let note = key.sign(&format!("{}\n{text}", key.public().name()));
            assert!(Checkpoint::open(&note, key.public()).is_err(), "{text}");
        }
        let foreign = key.sign("another\n0\nAAAA\n");
        assert!(Checkpoint::open(&foreign, key.public()).is_err());
    }
}
