//! The writer thread: waiting operations share one durable commit.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::Fault;
use crate::error::StoreError;

/// Operations that may wait for the writer; more wait at the door.
const WAITING_MAX: usize = 4_096;
/// Operations that share one commit.
const BATCH_MAX: usize = 256;

/// How the commit of a batch went.
type Commit = Result<(), Arc<rusqlite::Error>>;
/// Tells whoever asked, once the commit is known.
type Answer = Box<dyn FnOnce(&Commit) + Send>;

/// An operation that waits for the writer.
trait Job: Send {
    /// Does the work inside the batch's transaction.
    fn work(self: Box<Self>, connection: &Connection) -> Answer;
    /// Answers without working, because the batch could not begin.
    fn refuse(self: Box<Self>, cause: &Arc<rusqlite::Error>);
}

struct Operation<T, F> {
    doing: &'static str,
    work: F,
    asker: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Operation<T, F>
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> Result<T, Fault> + Send,
{
    fn work(self: Box<Self>, connection: &Connection) -> Answer {
        let Self { doing, work, asker } = *self;
        let result = in_savepoint(connection, work).map_err(|fault| fault.into_error(doing));
        Box::new(move |commit| {
            let answer = match commit {
                Ok(()) => result,
                Err(cause) => Err(StoreError::failed(doing, Arc::clone(cause))),
            };
            // Whoever asked may have gone; the operation stands all the same.
            drop(asker.send(answer));
        })
    }

    fn refuse(self: Box<Self>, cause: &Arc<rusqlite::Error>) {
        drop(
            self.asker
                .send(Err(StoreError::failed(self.doing, Arc::clone(cause)))),
        );
    }
}

/// The one connection that writes.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(connection: Connection) -> Result<Self, StoreError> {
        let (jobs, queue) = mpsc::channel(WAITING_MAX);
        let thread = std::thread::Builder::new()
            .name("spots-sqlite-writer".to_owned())
            .spawn(move || serve(&connection, queue))
            .map_err(|cause| StoreError::failed("start the writer thread", cause))?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Runs an operation; answers after the commit that makes it durable.
    pub(super) async fn run<T, F>(&self, doing: &'static str, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        let (asker, receiver) = oneshot::channel();
        let job = Box::new(Operation { doing, work, asker });
        let gone = || StoreError::failed(doing, "the writer thread has ended");
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        jobs.send(job).await.map_err(|_closed| gone())?;
        receiver.await.map_err(|_closed| gone())?
    }
}

impl Drop for Writer {
    /// Lets the thread finish what waits.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn serve(connection: &Connection, mut queue: mpsc::Receiver<Box<dyn Job>>) {
    while let Some(first) = queue.blocking_recv() {
        let mut batch = vec![first];
        while batch.len() < BATCH_MAX
            && let Ok(job) = queue.try_recv()
        {
            batch.push(job);
        }
        let mut answers = Vec::with_capacity(batch.len());
        let committed = commit_batch(connection, batch, &mut answers).map_err(Arc::new);
        if committed.is_err() && !connection.is_autocommit() {
            // Fails only where SQLite has rolled back already.
            drop(connection.execute_batch("ROLLBACK"));
        }
        for answer in answers {
            answer(&committed);
        }
    }
}

fn commit_batch(
    connection: &Connection,
    batch: Vec<Box<dyn Job>>,
    answers: &mut Vec<Answer>,
) -> rusqlite::Result<()> {
    if let Err(cause) = connection.execute_batch("BEGIN IMMEDIATE") {
        let cause = Arc::new(cause);
        for job in batch {
            job.refuse(&cause);
        }
        return Ok(());
    }
    for job in batch {
        answers.push(job.work(connection));
    }
    connection.execute_batch("COMMIT")
}

fn in_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, Fault>,
) -> Result<T, Fault> {
    connection
        .prepare_cached("SAVEPOINT operation")?
        .execute([])?;
    let result = catch_unwind(AssertUnwindSafe(|| work(connection)))
        .unwrap_or_else(|panic| Err(Fault::Panicked(text_of(panic.as_ref()))));
    if result.is_err() {
        connection
            .prepare_cached("ROLLBACK TO operation")?
            .execute([])?;
    }
    connection
        .prepare_cached("RELEASE operation")?
        .execute([])?;
    result
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}
