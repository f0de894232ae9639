//! The tree: hashing and proofs of RFC 9162, section 2.1, over stored complete subtrees.
//!
//! A [`Node`] is the hash of a complete subtree: at level `l` and index `i` it covers the leaves
//! from `i·2^l` to `(i+1)·2^l`. Only complete subtrees are stored, so a stored node never changes,
//! and a tree of `n` leaves needs fewer than `2n` of them.

use std::ops::Range;

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A hash of the tree.
pub type Hash = [u8; 32];

/// The most hashes of one proof: a tree of 2^63 leaves has no longer one.
pub const PROOF_HASHES_MAX: usize = 64;

/// Where a complete subtree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// Its height: 0 for a leaf.
    pub level: u8,
    /// Its place among those of its level.
    pub index: u64,
}

fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let digest = context.finish();
    digest.as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

/// The hash of a leaf: SHA-256 over a zero byte and the entry.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    sha256(&[&[0], entry])
}

/// The hash of two subtrees: SHA-256 over a one byte and both.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

/// Reads a hash from its base64 form.
pub fn hash_of(text: &str) -> Option<Hash> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// The root of a tree without leaves.
pub fn empty_root() -> Hash {
    sha256(&[])
}

/// The complete subtrees that a range of leaves is made of, from left to right. The range is one
/// that a proof names, or begins at a multiple of a power of two that is not less than its length.
pub fn nodes_of(leaves: Range<u64>) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut start = leaves.start;
    while start < leaves.end {
        let left = leaves.end - start;
        let level = start.trailing_zeros().min(left.ilog2());
        nodes.push(Node {
            level: u8::try_from(level).expect("a level is below 64"),
            index: start >> level,
        });
        start += 1 << level;
    }
    nodes
}

/// The hash over complete subtrees as [`nodes_of`] lists them; `None` for none.
pub fn fold(hashes: &[Hash]) -> Option<Hash> {
    let (last, others) = hashes.split_last()?;
    let join = |right: Hash, left: &Hash| node_hash(left, &right);
    Some(others.iter().rev().fold(*last, join))
}

/// The right edge of a growing tree: its complete subtrees, the greatest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    hashes: Vec<Hash>,
}

impl Frontier {
    /// Takes up a tree of this size with the hashes of [`nodes_of`]`(0..size)`; `None` if their
    /// number is another.
    pub fn resume(size: u64, hashes: Vec<Hash>) -> Option<Self> {
        (hashes.len() == size.count_ones() as usize).then_some(Self { size, hashes })
    }

    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf; returns every subtree that it completes, itself first.
    pub fn push(&mut self, leaf: Hash) -> Vec<(Node, Hash)> {
        let mut node = Node {
            level: 0,
            index: self.size,
        };
        let mut hash = leaf;
        let mut completed = vec![(node, hash)];
        while node.index % 2 == 1
            && let Some(left) = self.hashes.pop()
        {
            hash = node_hash(&left, &hash);
            node = Node {
                level: node.level + 1,
                index: node.index / 2,
            };
            completed.push((node, hash));
        }
        self.hashes.push(hash);
        self.size += 1;
        completed
    }

    /// The root.
    pub fn root(&self) -> Hash {
        fold(&self.hashes).unwrap_or_else(empty_root)
    }
}

/// The greatest power of two below `size`, which is at least 2.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// The ranges of leaves whose hashes prove that a leaf is in a tree, from the leaf upwards.
pub fn inclusion(index: u64, size: u64) -> Option<Vec<Range<u64>>> {
    if index >= size {
        return None;
    }
    let mut ranges = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            ranges.push(middle..end);
            end = middle;
        } else {
            ranges.push(start..middle);
            start = middle;
        }
    }
    ranges.reverse();
    Some(ranges)
}

/// The ranges of leaves whose hashes prove that a tree of size `old` grew into one of size `new`.
pub fn consistency(old: u64, new: u64) -> Option<Vec<Range<u64>>> {
    if old == 0 || old > new {
        return None;
    }
    let mut ranges = Vec::new();
    let (mut start, mut end) = (0, new);
    // The old tree is the left part of what is looked at; `whole` while nothing was cut off left.
    let mut whole = true;
    while old < end {
        let middle = start + split(end - start);
        if old <= middle {
            ranges.push(middle..end);
            end = middle;
        } else {
            ranges.push(start..middle);
            start = middle;
            whole = false;
        }
    }
    if !whole {
        ranges.push(start..end);
    }
    ranges.reverse();
    Some(ranges)
}

/// Whether the proof leads from the leaf to the root (RFC 9162, section 2.1.3.2).
pub fn includes(leaf: &Hash, index: u64, size: u64, (proof, root): (&[Hash], &Hash)) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for other in proof {
        if last == 0 {
            return false;
        }
        if node % 2 == 1 || node == last {
            hash = node_hash(other, &hash);
            while node.is_multiple_of(2) && node != 0 {
                node /= 2;
                last /= 2;
            }
        } else {
            hash = node_hash(&hash, other);
        }
        node /= 2;
        last /= 2;
    }
    last == 0 && hash == *root
}

/// Whether the proof shows that the tree of the first size and root is the beginning of the other
/// (RFC 9162, section 2.1.4.2).
pub fn extends(old: (u64, &Hash), new: (u64, &Hash), proof: &[Hash]) -> bool {
    let ((first, first_root), (second, second_root)) = (old, new);
    if first == second {
        return proof.is_empty() && first_root == second_root;
    }
    if first == 0 || first > second {
        return false;
    }
    let mut path = Vec::with_capacity(proof.len() + 1);
    if first.is_power_of_two() {
        path.push(*first_root);
    }
    path.extend_from_slice(proof);
    let Some((start, rest)) = path.split_first() else {
        return false;
    };
    let (mut node, mut last) = (first - 1, second - 1);
    while node % 2 == 1 {
        node /= 2;
        last /= 2;
    }
    let (mut first_hash, mut second_hash) = (*start, *start);
    for other in rest {
        if last == 0 {
            return false;
        }
        if node % 2 == 1 || node == last {
            first_hash = node_hash(other, &first_hash);
            second_hash = node_hash(other, &second_hash);
            while node.is_multiple_of(2) && node != 0 {
                node /= 2;
                last /= 2;
            }
        } else {
            second_hash = node_hash(&second_hash, other);
        }
        node /= 2;
        last /= 2;
    }
    last == 0 && first_hash == *first_root && second_hash == *second_root
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The definition itself, without stored nodes.
    fn plain_root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root(),
            [leaf] => *leaf,
            _ => {
                let (left, right) =
                    leaves.split_at(usize::try_from(split(leaves.len() as u64)).unwrap());
                node_hash(&plain_root(left), &plain_root(right))
            }
        }
    }

    struct Tree {
        leaves: Vec<Hash>,
        nodes: BTreeMap<Node, Hash>,
        roots: Vec<Hash>,
    }

    fn tree(size: u64) -> Tree {
        let mut frontier = Frontier::default();
        let mut tree = Tree {
            leaves: Vec::new(),
            nodes: BTreeMap::new(),
            roots: vec![frontier.root()],
        };
        for index in 0..size {
            let leaf = leaf_hash(&index.to_be_bytes());
            tree.leaves.push(leaf);
            tree.nodes.extend(frontier.push(leaf));
            tree.roots.push(frontier.root());
        }
        tree
    }

    impl Tree {
        fn prove(&self, ranges: Vec<Range<u64>>) -> Vec<Hash> {
            let hash = |range| {
                let hashes: Vec<_> = nodes_of(range)
                    .iter()
                    .map(|node| self.nodes[node])
                    .collect();
                fold(&hashes).unwrap()
            };
            ranges.into_iter().map(hash).collect()
        }
    }

    fn at(index: u64) -> usize {
        usize::try_from(index).unwrap()
    }

    #[test]
    fn roots_are_those_of_the_definition() {
        let tree = tree(70);
        for size in 0..=70 {
            assert_eq!(tree.roots[size], plain_root(&tree.leaves[..size]), "{size}");
            let hashes: Vec<_> = nodes_of(0..size as u64)
                .iter()
                .map(|node| tree.nodes[node])
                .collect();
            let resumed = Frontier::resume(size as u64, hashes).unwrap();
            assert_eq!(resumed.root(), tree.roots[size], "{size}");
        }
    }

    #[test]
    fn every_leaf_is_proved_in_every_tree_and_no_other() {
        let tree = tree(40);
        for size in 1..=40_u64 {
            let root = &tree.roots[at(size)];
            for index in 0..size {
                let proof = tree.prove(inclusion(index, size).unwrap());
                let leaf = &tree.leaves[at(index)];
                assert!(
                    includes(leaf, index, size, (&proof, root)),
                    "{index} of {size}"
                );
                let other = &tree.leaves[at((index + 1) % 40)];
                assert!(!includes(other, index, size, (&proof, root)));
                assert!(!includes(leaf, index + 1, size, (&proof, root)) || size == 1);
                for length in 0..proof.len() {
                    assert!(!includes(leaf, index, size, (&proof[..length], root)));
                }
            }
            assert_eq!(inclusion(size, size), None);
        }
    }

    #[test]
    fn every_tree_extends_every_earlier_one_and_no_other() {
        let tree = tree(40);
        for new in 1..=40_u64 {
            for old in 1..=new {
                let proof = tree.prove(consistency(old, new).unwrap());
                let (first, second) = (&tree.roots[at(old)], &tree.roots[at(new)]);
                assert!(
                    extends((old, first), (new, second), &proof),
                    "{old} of {new}"
                );
                let forged = node_hash(first, second);
                assert!(!extends((old, &forged), (new, second), &proof));
                assert!(!extends((old, first), (new, &forged), &proof));
            }
        }
        assert_eq!(consistency(0, 5), None);
        assert_eq!(consistency(6, 5), None);
    }
}
