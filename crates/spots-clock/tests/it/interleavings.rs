//! Every interleaving of the lock-free parts, by a model checker that runs the same source files.

#[expect(
    dead_code,
    reason = "the same source as the crate's, with the model's atomics; not every part is modelled"
)]
#[path = "../../src"]
mod model {
    pub(crate) mod atomic {
        pub(crate) use loom::sync::atomic::{AtomicU64, Ordering, fence};
    }
    pub(crate) mod sequence_lock;
    pub(crate) mod word;
}

use loom::sync::atomic::{AtomicU64, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;
use model::sequence_lock::SequenceLock;
use model::word::Word;

/// Every interleaving with up to three preemptions; more have never found more, and cost minutes.
fn explore(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

#[test]
fn two_issuers_and_a_merge_never_share_a_nanosecond() {
    explore(|| {
        let word = Arc::new(Word::new(10, 1_000));
        let issuer = {
            let word = Arc::clone(&word);
            thread::spawn(move || {
                let first = word.take(20, 2).expect("far below the limit");
                let second = word.take(5, 1).expect("far below the limit");
                assert!(second > first + 1, "a run is nobody else's");
                [first, first + 1, second]
            })
        };
        word.raise(22);
        let mine = word.take(0, 1).expect("far below the limit");
        assert!(mine > 22);
        let mut all = issuer.join().expect("the issuer did not panic").to_vec();
        all.push(mine);
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[0] < pair[1]), "{all:?}");
    });
}

#[test]
fn nothing_is_issued_above_the_durable_mark() {
    explore(|| {
        let word = Arc::new(Word::new(0, 1));
        // Stands for the file: what a crash would remember.
        let durable = Arc::new(AtomicU64::new(1));
        let keeper = Arc::new(Mutex::new(()));
        let extend = |word: &Word, durable: &AtomicU64, keeper: &Mutex<()>, wanted: u64| {
            let _guard = keeper.lock().expect("nobody panicked");
            if wanted > word.limit() {
                durable.store(wanted + 1, Ordering::Relaxed);
                word.publish(wanted + 1);
            }
        };
        let other = {
            let (word, durable, keeper) =
                (Arc::clone(&word), Arc::clone(&durable), Arc::clone(&keeper));
            thread::spawn(move || issue_two(&word, &durable, &keeper, extend))
        };
        issue_two(&word, &durable, &keeper, extend);
        other.join().expect("the issuer did not panic");
    });
}

fn issue_two(
    word: &Word,
    durable: &AtomicU64,
    keeper: &Mutex<()>,
    extend: impl Fn(&Word, &AtomicU64, &Mutex<()>, u64),
) {
    for _ in 0..2 {
        let issued = loop {
            match word.take(0, 1) {
                Ok(issued) => break issued,
                Err(above) => extend(word, durable, keeper, above.wanted),
            }
        };
        assert!(issued <= durable.load(Ordering::Relaxed));
    }
}

#[test]
fn a_sequence_lock_is_never_torn() {
    explore(|| {
        let lock = Arc::new(SequenceLock::new([1, 1]));
        let writer = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || {
                lock.write([2, 2]);
                lock.write([3, 3]);
            })
        };
        let mut seen = 0;
        for _ in 0..2 {
            if let Some([left, right]) = lock.try_read() {
                assert_eq!(left, right, "torn");
                assert!(left >= seen, "older than what was read before");
                seen = left;
            }
        }
        writer.join().expect("the writer did not panic");
        assert_eq!(lock.try_read(), Some([3, 3]));
    });
}
