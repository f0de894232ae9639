//! The journal: one order, each entry once, and what settles contradictions.

use std::sync::Arc;
use std::time::Duration;

use spots_booking::Stream;
use spots_store::StoreError;
use spots_store::journal::{Append, Appended, Entry, Evidence, JournalFilter, NewEntry, Outcome};

use crate::stage::Stage;

/// How often a test looks whether entries have become final; a heartbeat comes four times a second.
const LOOKS_MAX: u32 = 1_200;
const LOOK_EVERY: Duration = Duration::from_millis(50);

fn entry(key: &str, body: &str) -> NewEntry {
    NewEntry {
        key: key.to_owned(),
        digest: spots_privacy::consent::sha256(body.as_bytes()),
        kind: "used".to_owned(),
        subject: None,
        body: body.to_owned(),
        evidence: Evidence {
            latest_ns: 1,
            ..Evidence::default()
        },
    }
}

fn position(key: &str, track: &str, latest_ns: i64) -> NewEntry {
    NewEntry {
        kind: "position".to_owned(),
        subject: Some(track.to_owned()),
        evidence: Evidence {
            latest_ns,
            ..Evidence::default()
        },
        ..entry(key, &format!("{{\"cell\":\"{key}\"}}"))
    }
}

async fn append(
    stage: &Stage,
    stream: Stream,
    actor: &str,
    entries: Vec<NewEntry>,
) -> Vec<Appended> {
    let append = Append {
        stream,
        actor: actor.to_owned(),
        entries,
    };
    stage.store.append_journal(append).await.unwrap()
}

/// The final entries, once there are so many.
async fn entries(stage: &Stage, filter: &JournalFilter, count: usize) -> Vec<Entry> {
    for _ in 0..LOOKS_MAX {
        let part = stage.store.list_journal(filter.clone()).await.unwrap();
        if part.entries.len() >= count {
            assert!(
                part.entries
                    .iter()
                    .all(|entry| entry.stamp.at_ns <= part.final_ns)
            );
            return part.entries;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    panic!("{count} entries did not become final");
}

#[expect(clippy::too_many_lines, reason = "one journal, read in every way")]
pub(crate) async fn entries_are_read_in_one_order(stage: &Stage) {
    let mut stamps = Vec::new();
    for round in 0..5 {
        for actor in ["agent_a", "agent_b"] {
            let batch = (0..3)
                .map(|n| entry(&format!("key-{round}-{n}"), "{}"))
                .collect();
            let done = append(stage, Stream::Analytics, actor, batch).await;
            assert!(done.iter().all(|done| done.outcome == Outcome::Added));
            stamps.extend(done.iter().map(|done| done.stamp));
        }
    }
    append(
        stage,
        Stream::Payments,
        "agent_a",
        vec![entry("key-0-0", "{}")],
    )
    .await;
    assert!(
        stamps.is_sorted_by(|a, b| a.id < b.id),
        "in the order of their arrival"
    );

    let all = JournalFilter::of(Stream::Analytics);
    let read = entries(stage, &all, 30).await;
    assert_eq!(
        read.iter().map(|entry| entry.stamp).collect::<Vec<_>>(),
        stamps
    );
    let mut pages = Vec::new();
    let mut after = None;
    loop {
        let filter = JournalFilter {
            after,
            limit: 7,
            ..all.clone()
        };
        let part = stage.store.list_journal(filter).await.unwrap();
        after = part.entries.last().map(|entry| entry.stamp.id);
        pages.extend(part.entries);
        if !part.more {
            break;
        }
    }
    assert_eq!(pages, read, "pages join without a seam");
    let some = JournalFilter {
        from_ns: Some(stamps[3].at_ns),
        until_ns: Some(stamps[9].at_ns),
        ..all.clone()
    };
    let some = stage.store.list_journal(some).await.unwrap().entries;
    assert_eq!(some, read[3..9]);
    let none = JournalFilter {
        kind: Some("viewed".to_owned()),
        ..all
    };
    assert!(
        stage
            .store
            .list_journal(none)
            .await
            .unwrap()
            .entries
            .is_empty()
    );
}

pub(crate) async fn an_entry_stands_once_under_its_key(stage: &Stage) {
    let first = append(
        stage,
        Stream::Payments,
        "agent_a",
        vec![entry("pay-0001", "1")],
    )
    .await;
    let batch = vec![entry("pay-0001", "1"), entry("pay-0002", "2")];
    let again = append(stage, Stream::Payments, "agent_a", batch).await;
    assert_eq!(
        (again[0].outcome, again[0].stamp),
        (Outcome::Repeated, first[0].stamp)
    );
    assert_eq!(again[1].outcome, Outcome::Added);
    let other = append(
        stage,
        Stream::Payments,
        "agent_a",
        vec![entry("pay-0001", "9")],
    )
    .await;
    assert_eq!(
        (other[0].outcome, other[0].stamp),
        (Outcome::Conflict, first[0].stamp)
    );
    let stranger = append(
        stage,
        Stream::Payments,
        "agent_b",
        vec![entry("pay-0001", "9")],
    )
    .await;
    assert_eq!(
        stranger[0].outcome,
        Outcome::Added,
        "keys are each actor's own"
    );
    let read = entries(stage, &JournalFilter::of(Stream::Payments), 3).await;
    let bodies: Vec<_> = read.iter().map(|entry| entry.entry.body.as_str()).collect();
    assert_eq!(bodies, ["1", "2", "9"]);
}

pub(crate) async fn one_key_at_once_is_taken_once(stage: &Stage) {
    let replica = stage.replica().await;
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..16 {
        let store = if number % 2 == 0 {
            Arc::clone(&stage.store)
        } else {
            Arc::clone(&replica)
        };
        clients.spawn(async move {
            let batch = ["one-key-a", "one-key-b"].map(|key| entry(key, "{}"));
            let append = Append {
                stream: Stream::Payments,
                actor: "agent_a".to_owned(),
                entries: if number % 3 == 0 {
                    batch.into()
                } else {
                    batch.into_iter().rev().collect()
                },
            };
            store.append_journal(append).await
        });
    }
    let outcomes: Result<Vec<_>, StoreError> = clients.join_all().await.into_iter().collect();
    let outcomes: Vec<_> = outcomes.unwrap().into_iter().flatten().collect();
    let added = outcomes
        .iter()
        .filter(|done| done.outcome == Outcome::Added);
    assert_eq!(added.count(), 2);
    assert!(
        outcomes
            .iter()
            .all(|done| done.outcome != Outcome::Conflict)
    );
    assert_eq!(
        entries(stage, &JournalFilter::of(Stream::Payments), 2)
            .await
            .len(),
        2
    );
}

pub(crate) async fn the_latest_upper_end_counts(stage: &Stage) {
    let track = |key: &str, latest| position(key, "track-1", latest);
    let add = async |batch| append(stage, Stream::LiveTracker, "agent_a", batch).await;
    let first = add(vec![
        track("aaaa", 100),
        track("bbbb", 300),
        track("cccc", 200),
    ])
    .await;
    let current: Vec<_> = first.iter().map(|done| done.current).collect();
    assert_eq!(current, [Some(false), Some(true), Some(false)]);
    let late = add(vec![track("dddd", 299), position("eeee", "track-2", 1)]).await;
    assert_eq!(
        (late[0].current, late[1].current),
        (Some(false), Some(true))
    );
    let tie = add(vec![track("ffff", 300)]).await;
    assert_eq!(tie[0].current, Some(true), "of equals, the later arrival");
    let again = add(vec![track("bbbb", 300)]).await;
    assert_eq!(
        (again[0].outcome, again[0].current),
        (Outcome::Repeated, Some(false))
    );

    let all = JournalFilter::of(Stream::LiveTracker);
    assert_eq!(
        entries(stage, &all, 6).await.len(),
        6,
        "none is thrown away"
    );
    let current = JournalFilter {
        current: true,
        ..all
    };
    let keys: Vec<_> = entries(stage, &current, 2).await;
    let keys: Vec<_> = keys.iter().map(|entry| entry.entry.key.as_str()).collect();
    assert_eq!(keys, ["eeee", "ffff"]);
}

pub(crate) async fn places_taken_and_given_back_are_entered(stage: &Stage) {
    let offer = stage.offer(Some(2)).await;
    let (ada, bob) = (stage.person().await, stage.person().await);
    let book = stage.book(ada.agent(), &offer);
    let id = book.booking;
    stage.store.book(book).await.unwrap();
    stage
        .store
        .book(stage.book(bob.agent(), &offer))
        .await
        .unwrap();
    let full = stage.store.book(stage.book(bob.agent(), &offer)).await;
    assert!(full.is_err());
    stage
        .store
        .cancel(ada.agent(), id, stage.stamp())
        .await
        .unwrap();
    let read = entries(stage, &JournalFilter::of(Stream::Reservations), 3).await;
    let told: Vec<_> = read
        .iter()
        .map(|entry| (entry.entry.kind.as_str(), entry.actor.clone()))
        .collect();
    let (ada, bob) = (ada.agent().reveal(), bob.agent().reveal());
    assert_eq!(
        told,
        [("booked", ada.clone()), ("booked", bob), ("cancelled", ada)]
    );
    assert!(
        read[0].entry.body.contains("\"position\":1"),
        "{}",
        read[0].entry.body
    );
    assert!(read[1].entry.body.contains("\"position\":2"));
}

pub(crate) async fn what_a_removed_account_did_goes_with_it(stage: &Stage) {
    let (ada, bob) = (stage.person().await, stage.person().await);
    for person in [&ada, &bob] {
        let actor = person.agent().reveal();
        append(
            stage,
            Stream::LiveTracker,
            &actor,
            vec![position("aaaa", "t", 1)],
        )
        .await;
        append(
            stage,
            Stream::Payments,
            &actor,
            vec![entry("pay-0001", "{}")],
        )
        .await;
    }
    let removed = stage
        .store
        .remove_account(ada.user(), ada.agent(), stage.stamp());
    removed.await.unwrap();
    let left = entries(stage, &JournalFilter::of(Stream::LiveTracker), 1).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].actor, bob.agent().reveal());
    assert_eq!(stage.count("SELECT count(*) FROM journal_heads").await, 1);
    let paid = entries(stage, &JournalFilter::of(Stream::Payments), 2).await;
    assert_eq!(
        paid.len(),
        2,
        "the books stay, under an id that is nobody's any more"
    );
}

pub(crate) async fn old_entries_are_removed_from_the_oldest_on(stage: &Stage) {
    let mut stamps = Vec::new();
    for (key, track) in [
        ("aaaa", "t1"),
        ("bbbb", "t2"),
        ("cccc", "t1"),
        ("dddd", "t3"),
    ] {
        let batch = vec![position(key, track, 1)];
        stamps.extend(append(stage, Stream::LiveTracker, "agent_a", batch).await);
        // Removal goes by whole milliseconds.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    append(
        stage,
        Stream::Payments,
        "agent_a",
        vec![entry("pay-0001", "{}")],
    )
    .await;
    let retire = async |before_ns, most| {
        let stream = Stream::LiveTracker;
        stage
            .store
            .retire_journal(stream, before_ns, most)
            .await
            .unwrap()
    };
    assert_eq!(
        retire(stamps[0].stamp.at_ns, 10).await,
        0,
        "not before its time"
    );
    assert_eq!(retire(stamps[3].stamp.at_ns, 1).await, 1, "at most so many");
    let all = JournalFilter::of(Stream::LiveTracker);
    let keys = |entries: &[Entry]| -> Vec<_> {
        entries
            .iter()
            .map(|entry| entry.entry.key.clone())
            .collect()
    };
    assert_eq!(
        keys(&entries(stage, &all, 3).await),
        ["bbbb", "cccc", "dddd"]
    );
    assert_eq!(retire(stamps[3].stamp.at_ns, 10).await, 2);
    assert_eq!(keys(&entries(stage, &all, 1).await), ["dddd"]);
    let heads = "SELECT count(*) FROM journal_heads";
    assert_eq!(
        stage.count(heads).await,
        1,
        "nothing points to what is gone"
    );
    assert_eq!(
        entries(stage, &JournalFilter::of(Stream::Payments), 1)
            .await
            .len(),
        1
    );
}
