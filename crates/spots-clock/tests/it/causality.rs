//! Nodes with clocks of their own send each other timestamps: effects sort after causes.

use std::collections::BTreeSet;

use proptest::prelude::*;
use spots_clock::{
    AtomicClock, ClockSettings, ManualSource, MemoryWindow, NodeIdentity, TimestampId,
};

const START: u64 = 1_795_366_800_000_000_000;

fn node(number: u16, skew: i64) -> (AtomicClock, ManualSource) {
    let source = ManualSource::new(START.saturating_add_signed(skew));
    let settings = ClockSettings {
        identity: NodeIdentity::new(number, 1),
        ..ClockSettings::default()
    };
    let window = Box::new(MemoryWindow::new());
    let clock = AtomicClock::start(Box::new(source.clone()), window, settings)
        .expect("an empty window refuses nothing");
    (clock, source)
}

proptest! {
    #[test]
    fn effects_sort_after_causes(
        skews in prop::collection::vec(-200_000_000_i64..200_000_000, 3),
        steps in prop::collection::vec((0..3_usize, 0..3_usize, 0..1_000_000_u64), 1..80),
    ) {
        let nodes: Vec<_> = skews
            .iter()
            .zip(1..)
            .map(|(skew, number)| node(number, *skew))
            .collect();
        let mut ids: BTreeSet<TimestampId> = BTreeSet::new();
        for (from, to, passed) in steps {
            for (_, source) in &nodes {
                source.advance(passed);
            }
            let sent = nodes[from].0.now().expect("memory is durable");
            prop_assert!(nodes[to].0.merge(&sent).is_ok(), "within the accept window");
            let received = nodes[to].0.now().expect("memory is durable");
            prop_assert!(received > sent);
            prop_assert!(ids.insert(sent.id()) && ids.insert(received.id()));
        }
    }

    #[test]
    fn a_wild_peer_never_moves_the_clock(wild in any::<u64>(), passed in 0..1_000_000_u64) {
        let (clock, source) = node(1, 0);
        source.advance(passed);
        let before = clock.now().expect("memory is durable");
        let merged = clock.merge(spots_clock::Remote::from_nanoseconds(wild));
        let after = clock.now().expect("memory is durable");
        let allowed = ClockSettings::default().accept_window;
        prop_assert!(after.lead() <= allowed + 2);
        if merged.is_err() {
            prop_assert_eq!(after.nanoseconds(), before.nanoseconds() + 1);
        } else {
            prop_assert!(after.nanoseconds() > wild);
        }
    }
}
