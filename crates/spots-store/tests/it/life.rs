//! The life of shares: whatever happens to them in whatever order, what opens is what a model says.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use spots_booking::{FieldName, Refusal, ShareId};
use spots_privacy::consent::Person;
use spots_privacy::{MasterKeys, SystemRandomness, Wrapping};
use spots_store::Store;
use spots_store::call_off::CalledOff;
use spots_store::keys::Rewrapped;
use spots_store::model::{Selection, ShareFilter};
use spots_store::rotation::{Pace, rewrap};

use crate::stage::{Offer, Stage, refused};

const PEOPLE: usize = 2;
const HOSTS: usize = 2;
const FIELDS: [&str; 3] = ["name", "email", "phoneNumber"];
const MINUTE_NS: i64 = 60_000_000_000;

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    /// A person books at a host and shares some fields, until some minute.
    Book(usize, usize, [Option<i64>; 3]),
    /// A person takes something back.
    Revoke(usize, Choice),
    /// Some minutes pass, and the keys of what is over are destroyed.
    Pass(i64),
    /// Some minutes pass, and nobody destroys anything yet.
    Wait(i64),
    /// The master key turns; after this many keys the program is killed.
    Rotate(Option<u32>),
    /// An epoch turns.
    Epoch,
    /// The program is started anew.
    Restart,
    /// A host calls its event off.
    CallOff(usize),
}

/// What is taken back, by number.
#[derive(Clone, Debug)]
enum Choice {
    Field(usize),
    Share(usize),
    Booking(usize),
    Host(usize),
    All,
}

fn step() -> impl Strategy<Value = Step> {
    let expiry = || proptest::option::weighted(0.7, 1..40_i64);
    let choice = prop_oneof![
        (0..9_usize).prop_map(Choice::Field),
        (0..4_usize).prop_map(Choice::Share),
        (0..4_usize).prop_map(Choice::Booking),
        (0..HOSTS).prop_map(Choice::Host),
        Just(Choice::All),
    ];
    prop_oneof![
        6 => (0..PEOPLE, 0..HOSTS, [expiry(), expiry(), expiry()])
            .prop_map(|(person, host, fields)| Step::Book(person, host, fields)),
        3 => (0..PEOPLE, choice).prop_map(|(person, choice)| Step::Revoke(person, choice)),
        2 => (1..8_i64).prop_map(Step::Pass),
        1 => (1..8_i64).prop_map(Step::Wait),
        2 => proptest::option::of(1..6_u32).prop_map(Step::Rotate),
        1 => Just(Step::Epoch),
        1 => Just(Step::Restart),
        1 => (0..HOSTS).prop_map(Step::CallOff),
    ]
}

/// Time passes by whole minutes and ends lie half a minute off: the stamps of a reading and of the
/// model's, nanoseconds apart, never have an end between them.
fn end_after(now: i64, minutes: i64) -> i64 {
    now + minutes * MINUTE_NS + MINUTE_NS / 2
}

/// One shared field as the model knows it.
#[derive(Clone, Debug)]
struct Field {
    person: usize,
    host: usize,
    share: ShareId,
    booking: spots_booking::BookingId,
    name: &'static str,
    text: String,
    expires_at_ns: i64,
    ended: bool,
}

impl Field {
    fn is_live(&self, now: i64) -> bool {
        !self.ended && self.expires_at_ns > now
    }
}

struct World<'a> {
    stage: &'a Stage,
    store: Arc<dyn Store>,
    people: Vec<Person>,
    offers: Vec<Offer>,
    off: [bool; HOSTS],
    fields: Vec<Field>,
}

pub(crate) async fn what_opens_is_what_the_model_says(stage: &Stage) {
    let config = Config {
        cases: if stage.on_postgres() { 6 } else { 24 },
        max_shrink_iters: 200,
        failure_persistence: None,
        ..Config::default()
    };
    let steps = proptest::collection::vec(step(), 1..24);
    let run = TestRunner::new(config).run(&steps, |steps| {
        tokio::task::block_in_place(|| {
            let case = live(stage, &steps);
            tokio::runtime::Handle::current().block_on(case);
        });
        Ok(())
    });
    run.unwrap();
}

async fn live(stage: &Stage, steps: &[Step]) {
    let mut world = World {
        stage,
        store: Arc::clone(&stage.store),
        people: Vec::new(),
        offers: Vec::new(),
        off: [false; HOSTS],
        fields: Vec::new(),
    };
    for _ in 0..PEOPLE {
        world.people.push(stage.person().await);
    }
    for number in 0..HOSTS {
        world.offers.push(
            stage
                .offer_of(&stage.host(&format!("Host {number}")).await, None)
                .await,
        );
    }
    stage.change_keys(|_, epochs| {
        if epochs.newest() == 0 {
            epochs.begin(0, &SystemRandomness).unwrap();
        }
    });
    for step in steps {
        world.take(step).await;
        world.check(step).await;
    }
}

impl World<'_> {
    fn now(&self) -> i64 {
        self.stage.stamp().at_ns
    }

    async fn take(&mut self, step: &Step) {
        match step {
            Step::Book(person, host, expiries) => self.book(*person, *host, expiries).await,
            Step::Revoke(person, choice) => self.revoke(*person, choice).await,
            Step::Pass(minutes) => {
                self.pass(*minutes);
                self.store.expire(self.stage.stamp(), 1_000).await.unwrap();
            }
            Step::Wait(minutes) => self.pass(*minutes),
            Step::Rotate(killed_after) => self.rotate(*killed_after).await,
            Step::Epoch => self.turn().await,
            Step::Restart => self.store = self.stage.reopened().await,
            Step::CallOff(host) => self.call_off(*host).await,
        }
    }

    async fn book(&mut self, person: usize, host: usize, expiries: &[Option<i64>; 3]) {
        let agent = self.people[person].agent();
        let text = |field| format!("{field} of {person}, {}", self.fields.len());
        let texts: Vec<_> = FIELDS
            .iter()
            .zip(expiries)
            .filter_map(|(field, minutes)| Some((*field, text(*field), (*minutes)?)))
            .collect();
        let shared: Vec<_> = texts
            .iter()
            .map(|(field, text, _)| (*field, text.as_str()))
            .collect();
        let mut book = self.stage.book_sharing(agent, &self.offers[host], &shared);
        let now = book.stamp.at_ns;
        let share = book.share.as_mut().unwrap();
        for ((_, end), (_, _, minutes)) in share.fields.iter_mut().zip(&texts) {
            *end = end_after(now, *minutes);
        }
        let (share, booking) = (share.id, book.booking);
        let past =
            self.stage.stamp().timestamp() >= crate::stage::SLOTS[0].parse::<Timestamp>().unwrap();
        let booked = self.store.book(book).await;
        if self.off[host] || past {
            let refusal = refused(booked);
            assert!(!matches!(refusal, Refusal::NotFound(_)), "{refusal:?}");
            return;
        }
        booked.unwrap();
        self.fields
            .extend(texts.into_iter().map(|(name, text, minutes)| Field {
                person,
                host,
                share,
                booking,
                name,
                text,
                expires_at_ns: end_after(now, minutes),
                ended: false,
            }));
    }

    async fn revoke(&mut self, person: usize, choice: &Choice) {
        let mine: Vec<_> = self
            .fields
            .iter()
            .filter(|field| field.person == person)
            .collect();
        let pick = |number: usize| mine.get(number % mine.len().max(1)).copied();
        let selection = match choice {
            Choice::Field(number) => pick(*number).map(|field| {
                let name: FieldName = field.name.parse().unwrap();
                Selection::Field(field.share, name)
            }),
            Choice::Share(number) => pick(*number).map(|field| Selection::Share(field.share)),
            Choice::Booking(number) => pick(*number).map(|field| Selection::Booking(field.booking)),
            Choice::Host(host) => Some(Selection::Host(self.offers[*host].host)),
            Choice::All => Some(Selection::All),
        };
        let Some(selection) = selection else { return };
        let agent = self.people[person].agent();
        self.store
            .revoke(agent, selection.clone(), self.stage.stamp())
            .await
            .unwrap();
        for field in self
            .fields
            .iter_mut()
            .filter(|field| field.person == person)
        {
            field.ended |= match &selection {
                Selection::Field(share, name) => {
                    *share == field.share && name.to_string() == field.name
                }
                Selection::Share(share) => *share == field.share,
                Selection::Booking(booking) => *booking == field.booking,
                Selection::Host(host) => *host == self.offers[field.host].host,
                Selection::All => true,
            };
        }
    }

    /// Time of the stage only goes on.
    fn pass(&self, minutes: i64) {
        let later = self.stage.stamp().timestamp() + jiff::SignedDuration::from_mins(minutes);
        self.stage.advance_to(&later.to_string());
    }

    async fn rotate(&mut self, killed_after: Option<u32>) {
        let full = self.stage.keys.versions().len() > 50;
        if full {
            self.rewrap().await;
        }
        self.stage.change_keys(|text, _| {
            let mut keys = MasterKeys::parse(text).unwrap();
            if full {
                keys = keys.without_versions_below(keys.newest().version).unwrap();
            }
            let next = keys.with_new_version(&SystemRandomness).unwrap();
            *text = next.to_file().to_string();
        });
        let keys = &self.stage.keys;
        let Some(most) = killed_after else {
            self.rewrap().await;
            self.store
                .close_wrappings(keys.newest(), self.stage.stamp())
                .await
                .unwrap();
            return;
        };
        let some = self
            .store
            .list_older_keys(keys.newest(), None, most)
            .await
            .unwrap();
        let again = some.into_iter().map(|old| {
            let new = keys
                .rewrap(&old.key, old.owner.place(), &SystemRandomness)
                .unwrap();
            Rewrapped { old, new }
        });
        self.store.update_keys(again.collect()).await.unwrap();
    }

    async fn rewrap(&self) {
        let (store, keys) = (self.store.as_ref(), &self.stage.keys);
        rewrap(store, keys, &SystemRandomness, Pace::default(), &mut |_| {})
            .await
            .unwrap();
    }

    async fn turn(&mut self) {
        self.stage
            .change_keys(|_, epochs| epochs.begin(0, &SystemRandomness).unwrap());
        let keys = &self.stage.keys;
        self.rewrap().await;
        let below = Wrapping {
            version: 0,
            ..keys.newest()
        };
        self.store
            .close_wrappings(below, self.stage.stamp())
            .await
            .unwrap();
        self.stage
            .change_keys(|_, epochs| epochs.retire_before(below.epoch));
    }

    async fn call_off(&mut self, host: usize) {
        let offer = self.offers[host];
        self.store
            .call_off(offer.host, offer.event, self.stage.stamp())
            .await
            .unwrap();
        self.off[host] = true;
        for field in self.fields.iter_mut().filter(|field| field.host == host) {
            field.ended = true;
        }
    }

    /// What hosts open, and what people see as shared, is what the model says.
    async fn check(&self, step: &Step) {
        for (host, offer) in self.offers.iter().enumerate() {
            let mut expected: Vec<_> = self.open_at(host).map(in_words).collect();
            let opened = self.stage.open(offer).await;
            let mut opened: Vec<_> = opened.into_iter().flat_map(|(_, fields)| fields).collect();
            expected.sort();
            opened.sort();
            assert_eq!(opened, expected, "after {step:?}");
        }
        for (number, person) in self.people.iter().enumerate() {
            let shares = self
                .stage
                .shares(person.agent(), ShareFilter::default())
                .await;
            let seen: BTreeSet<_> = shares
                .iter()
                .map(|share| (share.share, share.field.to_string()))
                .collect();
            let now = self.now();
            let live: BTreeSet<_> = self
                .fields
                .iter()
                .filter(|field| field.person == number && field.is_live(now))
                .map(|field| (field.share, field.name.to_owned()))
                .collect();
            assert_eq!(seen, live, "after {step:?}");
        }
        let ended: i64 = self
            .fields
            .iter()
            .filter(|field| field.ended)
            .count()
            .try_into()
            .unwrap();
        let destroyed = self
            .stage
            .count("SELECT count(*) FROM destroyed_keys")
            .await;
        assert!(
            destroyed >= ended,
            "every ended field is noted as destroyed"
        );
    }

    fn open_at(&self, host: usize) -> impl Iterator<Item = &Field> {
        let now = self.now();
        self.fields
            .iter()
            .filter(move |field| field.host == host && field.is_live(now))
    }
}

fn in_words(field: &Field) -> String {
    format!("{}={}", field.name, field.text)
}

pub(crate) async fn a_called_off_event_ends_all_that_was_shared_for_it(stage: &Stage) {
    let offer = stage.offer(Some(4)).await;
    let other = stage.offer(None).await;
    let ada = stage.person().await;
    for of in [&offer, &other] {
        let book = stage.book_sharing(
            ada.agent(),
            of,
            &[("name", "Ada"), ("email", "a@b.example")],
        );
        stage.store.book(book).await.unwrap();
    }
    let call_off = async |host, event| stage.store.call_off(host, event, stage.stamp()).await;
    assert_eq!(
        refused(call_off(other.host, offer.event).await),
        Refusal::NotFound("event"),
        "another host's event"
    );
    let done = call_off(offer.host, offer.event).await.unwrap();
    assert_eq!(
        done,
        CalledOff {
            bookings: 1,
            fields: 2
        }
    );
    assert_eq!(
        call_off(offer.host, offer.event).await.unwrap(),
        CalledOff::default()
    );

    let guests = stage.open(&offer).await;
    assert_eq!(guests.len(), 1);
    assert!(guests[0].0.cancelled && guests[0].1.is_empty());
    assert_eq!(
        stage.open(&other).await[0].1.len(),
        2,
        "another booking is as it was"
    );
    let left = stage.shares(ada.agent(), ShareFilter::default()).await;
    assert!(left.iter().all(|share| share.host.id == other.host) && left.len() == 2);
    assert_eq!(
        stage
            .count("SELECT count(*) FROM ledger_entries WHERE kind = 'called_off'")
            .await,
        2
    );
    let told = stage.messages().await;
    assert!(told.iter().any(|message| message.kind == "called_off"
        && message.recipient == "attendee"
        && message.host == offer.host));
    let again = stage.store.book(stage.book(ada.agent(), &offer)).await;
    refused(again);
}

pub(crate) async fn no_booking_survives_an_event_called_off_at_the_same_time(stage: &Stage) {
    let replica = stage.replica().await;
    for _ in 0..8 {
        let offer = stage.offer(None).await;
        let mut books = Vec::new();
        for _ in 0..6 {
            let ada = stage.person().await;
            books.push(stage.book_sharing(ada.agent(), &offer, &[("name", "Ada")]));
        }
        let booking = books.into_iter().map(|book| {
            let store = Arc::clone(&stage.store);
            tokio::spawn(async move { store.book(book).await.is_ok() })
        });
        let booking: Vec<_> = booking.collect();
        let off = replica
            .call_off(offer.host, offer.event, stage.stamp())
            .await
            .unwrap();
        let mut taken = 0;
        for one in booking {
            taken += u64::from(one.await.unwrap());
        }
        assert!(off.bookings <= taken);
        let guests = stage.open(&offer).await;
        assert_eq!(guests.len() as u64, taken);
        assert!(
            guests
                .iter()
                .all(|(guest, fields)| guest.cancelled && fields.is_empty())
        );
        let event = offer.event;
        let sql = format!(
            "SELECT count(*) FROM reservations r
             JOIN reservation_user_data d ON d.host_id = r.host_id AND d.booking_id = r.booking_id
             JOIN share_keys k ON k.host_id = d.host_id AND k.share_id = d.share_id
             WHERE r.event_id = '{event}'"
        );
        assert_eq!(stage.count(&sql).await, 0);
    }
}

pub(crate) async fn of_two_revocations_at_once_one_ends_it(stage: &Stage) {
    let replica = stage.replica().await;
    let offer = stage.offer(None).await;
    for _ in 0..10 {
        let ada = stage.person().await;
        let book = stage.book_sharing(
            ada.agent(),
            &offer,
            &[("name", "Ada"), ("email", "a@b.example")],
        );
        stage.store.book(book).await.unwrap();
        let revoking = [&stage.store, &replica, &stage.store, &replica].map(|store| {
            let (store, agent, stamp) = (Arc::clone(store), ada.agent().clone(), stage.stamp());
            tokio::spawn(async move { store.revoke(&agent, Selection::All, stamp).await.unwrap() })
        });
        let mut ended = 0;
        for one in revoking {
            ended += one.await.unwrap();
        }
        assert_eq!(ended, 2, "each field ends once");
    }
    let entries = "SELECT count(*) FROM ledger_entries WHERE kind = 'revoked'";
    assert_eq!(stage.count(entries).await, 20);
}

pub(crate) async fn a_page_that_renders_during_a_revocation_is_recorded_or_finds_nothing(
    stage: &Stage,
) {
    let replica = stage.replica().await;
    let mut found = 0;
    for _ in 0..20 {
        let offer = stage.offer(None).await;
        let ada = stage.person().await;
        stage
            .store
            .book(stage.book_sharing(ada.agent(), &offer, &[("name", "Ada")]))
            .await
            .unwrap();
        let (agent, stamp, opening) = (ada.agent().clone(), stage.stamp(), stage.opening(&offer));
        let rendering = {
            let store = Arc::clone(&stage.store);
            let page = spots_store::PageRequest::FIRST;
            tokio::spawn(async move { store.open_guests(opening, page).await.unwrap() })
        };
        let revoking = {
            let store = Arc::clone(&replica);
            tokio::spawn(async move { store.revoke(&agent, Selection::All, stamp).await.unwrap() })
        };
        assert_eq!(revoking.await.unwrap(), 1);
        // Answered: whoever looks from now on finds nothing, and whoever looked before is named.
        assert!(stage.open(&offer).await[0].1.is_empty());
        let opened = rendering
            .await
            .unwrap()
            .items
            .into_iter()
            .map(|guest| guest.fields.len());
        let opened: usize = opened.sum();
        assert_eq!(stage.openings(ada.agent()).await.len(), opened);
        found += opened;
    }
    println!("{found} of 20 pages came first");
}
