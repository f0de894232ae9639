//! Migrations of one stage side by side, on a connection each.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use super::Backfills;
use super::frame::{finished, started, up};
use super::target::Target;
use crate::{Applied, ApplyError, Event, Migration, Progress, Run};

/// What the workers of a stage share.
struct Shared<'a, 'p> {
    /// With each one's place in the run.
    queue: Mutex<VecDeque<(usize, &'a Migration)>>,
    total: usize,
    progress: Mutex<&'p mut (dyn Progress + Send)>,
}

/// Applies a stage with all targets at once. What was begun is finished even when another failed.
pub(crate) async fn stage<T: Target>(
    targets: &mut [T],
    stage: &[(usize, &Migration)],
    total: usize,
    backfills: &Backfills<T::Backfill>,
    run: &mut Run<'_>,
) -> Result<Applied, ApplyError> {
    let limits = run.limits();
    let shared = Shared {
        queue: Mutex::new(stage.iter().copied().collect()),
        total,
        progress: Mutex::new(&mut *run.progress),
    };
    let works = targets
        .iter_mut()
        .take(stage.len())
        .map(|target| worker(target, &shared, &limits, backfills));
    let mut applied = Applied::default();
    let mut failed = None;
    for (done, error) in together(works).await {
        applied.ids.extend(done.ids);
        failed = failed.or(error);
    }
    // Whoever was faster, the answer is in the order of the set.
    let place = |id: &String| stage.iter().position(|(_, one)| one.id == *id);
    applied.ids.sort_by_key(place);
    failed.map_or(Ok(applied), Err)
}

async fn worker<T: Target>(
    target: &mut T,
    shared: &Shared<'_, '_>,
    limits: &super::Limits,
    backfills: &Backfills<T::Backfill>,
) -> (Applied, Option<ApplyError>) {
    let mut progress = |event: Event| {
        let mut told = shared
            .progress
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        told.tell(event);
    };
    let mut run = Run::within(limits, &mut progress);
    let mut applied = Applied::default();
    loop {
        let next = {
            let mut queue = shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.pop_front()
        };
        let Some((number, migration)) = next else {
            return (applied, None);
        };
        started(migration, (number, shared.total), &mut run);
        if let Err(error) = up(target, migration, backfills, &mut run).await {
            let mut queue = shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.clear();
            return (applied, Some(error));
        }
        finished(migration, &mut applied, &mut run);
    }
}

/// Drives all of them until the last is done.
async fn together<F: Future>(works: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut works = works
        .map(|work| (Box::pin(work), None))
        .collect::<Vec<(Pin<Box<F>>, Option<F::Output>)>>();
    std::future::poll_fn(|context| {
        let mut waits = false;
        for (work, done) in &mut works {
            if done.is_none() {
                match work.as_mut().poll(context) {
                    Poll::Ready(output) => *done = Some(output),
                    Poll::Pending => waits = true,
                }
            }
        }
        if waits {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
    works.into_iter().filter_map(|(_, done)| done).collect()
}
