//! The same work on many things, on all cores.

use std::panic::resume_unwind;
use std::thread::{available_parallelism, scope};

/// More threads than this gain nothing.
const WORKERS_MAX: usize = 16;

/// What `work` makes of each thing, in the order of the things.
pub(crate) fn each<T: Sync, R: Send>(things: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let workers = available_parallelism().map_or(1, usize::from);
    let share = things.len().div_ceil(workers.min(WORKERS_MAX)).max(1);
    scope(|scope| {
        let work = &work;
        let shares: Vec<_> = things
            .chunks(share)
            .map(|share| scope.spawn(move || share.iter().map(work).collect::<Vec<R>>()))
            .collect();
        let done = shares.into_iter().map(|share| match share.join() {
            Ok(done) => done,
            Err(panic) => resume_unwind(panic),
        });
        done.flatten().collect()
    })
}

#[cfg(test)]
mod tests {
    use super::each;

    #[test]
    fn the_order_is_kept() {
        let things: Vec<usize> = (0..1_000).collect();
        assert_eq!(
            each(&things, |thing| thing + 1),
            (1..=1_000).collect::<Vec<_>>()
        );
        assert!(each(&[], |thing: &usize| *thing).is_empty());
    }
}
