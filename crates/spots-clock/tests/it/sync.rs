//! The exchange, the client and the receipt, case by case.

use std::error::Error;

use spots_clock::sync::{
    Estimate, Exchange, ExchangeError, Interval, Learned, Poll, Rates, ReceiptError, ReceiptSigner,
    ReceiptVerifier, SignedReceipt, SyncClient, SyncReceipt, SyncRequest, SyncResponse, SyncServer,
    SyncSettings, TimeScale,
};
use spots_clock::{AtomicClock, Disruption, KernelClock, ManualSource, MemoryWindow};

type Outcome = Result<(), Box<dyn Error>>;

const START: u64 = 1_795_366_800_000_000_000;
const MILLI: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;

fn response(nonce: [u8; 16], received: u64, sent: u64) -> SyncResponse {
    SyncResponse {
        nonce,
        received,
        sent,
        error_bound: Some(0),
        scale: TimeScale::Posix,
    }
}

/// The vectors of RFC 5905's formulas: θ = ((T2 − T1) + (T3 − T4)) / 2, δ = (T4 − T1) − (T3 − T2).
#[test]
fn an_exchange_proves_offset_and_delay_of_rfc_5905() -> Outcome {
    for (t1, t2, t3, t4, theta, delta) in [
        (1_000, 1_070, 1_075, 1_105, 20_i64, 100_u64),
        (1_000, 930, 935, 1_105, -120, 100),
        (5_000, 5_000, 5_000, 5_000, 0, 0),
    ] {
        let exchange = Exchange {
            sent: t1,
            response: response([0; 16], t2, t3),
            returned: t4,
        };
        let offset = exchange.offset(0, 0)?;
        assert_eq!((offset.centre(), offset.width()), (theta, delta));
    }
    Ok(())
}

#[test]
fn what_cannot_have_happened_proves_nothing() {
    let exchange = |t1, t2, t3, t4| {
        Exchange {
            sent: t1,
            response: response([0; 16], t2, t3),
            returned: t4,
        }
        .offset(0, 0)
    };
    assert_eq!(exchange(10, 0, 0, 9), Err(ExchangeError::Backwards));
    assert_eq!(exchange(0, 10, 9, 9), Err(ExchangeError::Backwards));
    assert_eq!(exchange(0, 0, 100, 10), Err(ExchangeError::Impossible));
}

#[test]
fn contradiction_is_a_disruption_and_not_an_average() {
    let mut estimate = Estimate::new(Rates::DEVICE);
    let near = |centre| Interval::around(centre, 10);
    assert_eq!(estimate.observe(0, near(0), true), Learned::First);
    assert_eq!(
        estimate.observe(0, near(1_000), true),
        Learned::Contradicted { gap: 980 }
    );
    assert_eq!(estimate.at(0), None);
    assert_eq!(estimate.observe(0, near(1_005), true), Learned::Agreed);
    let known = estimate.at(0).expect("confirmed").interval;
    assert_eq!((known.low(), known.high()), (995, 1_010));
}

#[test]
fn the_bound_widens_with_age_and_a_measured_rate_narrows_it() {
    let mut estimate = Estimate::new(Rates::DEVICE);
    let day = 86_400 * SECOND;
    let radius = |estimate: &Estimate, at| estimate.at(at).map(|known| known.interval.radius());
    estimate.observe(0, Interval::around(0, MILLI), true);
    // 500 ppm of a day is 43.2 s.
    assert_eq!(radius(&estimate, day), Some(MILLI + 43_200_000_000 + 1));
    // The device runs 100 ppm slow, as a second exchange after a day shows.
    estimate.observe(day, Interval::around(8_640_000_000, MILLI), true);
    let (low, high) = estimate.rate_ppb();
    assert!(
        low < 100_000 && 100_000 < high && high - low < 101_000,
        "{low} {high}"
    );
    let later = radius(&estimate, 2 * day).expect("known");
    assert!(later < 4_400_000_000, "{later}");
}

#[test]
fn a_server_that_does_not_know_its_error_gives_time_without_a_bound() -> Outcome {
    let (clock, source) = AtomicClock::simulated(START);
    clock.learn(clock.device_time(), Interval::around(5_000, 10), false);
    source.advance(10);
    let stamp = clock.now()?;
    assert_eq!(stamp.offset_nanos(), 5_000);
    assert_eq!(stamp.error_bound(), None);
    // Real knowledge replaces it, and is not disturbed by it afterwards.
    clock.learn(clock.device_time(), Interval::around(9_000, 10), true);
    let at = clock.device_time();
    assert_eq!(
        clock.learn(at, Interval::around(0, 1), false),
        Learned::Ignored
    );
    assert!(clock.now()?.is_synchronized());
    Ok(())
}

#[test]
fn the_client_bursts_then_slows_down_and_gives_up_on_silence() -> Outcome {
    let mut client = SyncClient::new(SyncSettings::default());
    let mut now = START;
    let mut waits = Vec::new();
    for round in 0..9_u8 {
        let nonce = [round + 1; 16];
        let Poll::Send { request, .. } = client.poll(now, nonce) else {
            return Err("a request was due".into());
        };
        let answer = response(request.nonce, now + 5 * MILLI, now + 5 * MILLI);
        client.receive(answer, now, now + 10 * MILLI)?;
        now += 10 * MILLI;
        let Poll::WaitUntil(due) = client.poll(now, nonce) else {
            return Err("nothing was due".into());
        };
        waits.push(due - now);
        now = due;
    }
    assert_eq!(waits[..5], [50 * MILLI; 5]);
    assert!(
        waits[5..]
            .iter()
            .all(|wait| (56..=1_024).contains(&(wait / SECOND)))
    );
    let Poll::Send { request, .. } = client.poll(now, [99; 16]) else {
        return Err("a request was due".into());
    };
    assert_eq!(client.poll(now, [0; 16]), Poll::WaitUntil(now + 5 * SECOND));
    now += 5 * SECOND;
    assert!(matches!(client.poll(now, [0; 16]), Poll::WaitUntil(_)));
    let late = client.receive(response(request.nonce, now, now), now, now);
    assert_eq!(late, Err(ExchangeError::UnknownNonce));
    Ok(())
}

#[test]
fn scales_are_never_mixed() -> Outcome {
    let mut client = SyncClient::new(SyncSettings::default());
    for (scale, expected) in [
        (TimeScale::Posix, Ok(Learned::First)),
        (TimeScale::Smeared, Err(ExchangeError::MixedScale)),
    ] {
        let Poll::Send { request, .. } = client.poll(START + 120 * SECOND, [7; 16]) else {
            return Err("a request was due".into());
        };
        let answer = SyncResponse {
            scale,
            ..response(request.nonce, START, START)
        };
        assert_eq!(client.receive(answer, START, START + 1), expected);
    }
    Ok(())
}

#[test]
fn a_server_answers_with_its_own_bound_and_without_its_lead() -> Outcome {
    let source = ManualSource::new(START);
    source.set_kernel(KernelClock::Synchronized { max_error: 700 });
    let clock = AtomicClock::start(
        Box::new(source.clone()),
        Box::new(MemoryWindow::new()),
        spots_clock::ClockSettings::default(),
    )?;
    clock.reserve(10_000)?;
    let server = SyncServer {
        scale: TimeScale::Posix,
    };
    let request = SyncRequest { nonce: [3; 16] };
    let answer = server.answer(&request, &clock.now()?, &clock.now()?);
    assert_eq!((answer.received, answer.sent), (START, START));
    assert!(
        answer
            .error_bound
            .is_some_and(|bound| (700..800).contains(&bound))
    );
    Ok(())
}

#[test]
fn a_counter_that_sleeps_loses_the_bound_and_one_that_counts_keeps_it() -> Outcome {
    for counts in [true, false] {
        let source = ManualSource::new(START);
        source.set_counts_suspend(counts);
        let clock = AtomicClock::start(
            Box::new(source.clone()),
            Box::new(MemoryWindow::new()),
            spots_clock::ClockSettings::default(),
        )?;
        clock.learn(clock.device_time(), Interval::around(0, MILLI), true);
        assert!(clock.now()?.is_synchronized());
        source.suspend(60 * SECOND);
        let disruption = clock.check();
        let expected = (!counts).then_some(Disruption::CounterUntrusted { by: 60_000_000_000 });
        assert_eq!(disruption, expected);
        assert_eq!(clock.now()?.is_synchronized(), counts);
        clock.learn(clock.device_time(), Interval::around(0, MILLI), true);
        assert!(clock.now()?.is_synchronized());
    }
    Ok(())
}

/// Stands for Ed25519, which lives elsewhere: a sum that depends on every byte.
struct Sum(u8);

impl ReceiptSigner for Sum {
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        [message
            .iter()
            .fold(self.0, |sum, byte| sum.rotate_left(1) ^ byte); 64]
    }
}

impl ReceiptVerifier for Sum {
    fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.sign(message) == *signature
    }
}

#[test]
fn a_receipt_is_accepted_until_it_expires_and_only_unchanged() -> Outcome {
    let (clock, _) = AtomicClock::simulated(START);
    let receipt = SyncReceipt {
        stamp: clock.now()?.id(),
        nonce: [9; 16],
        expires: START + SECOND,
    };
    let bytes = receipt.sign(&Sum(1)).to_bytes();
    assert_eq!(SignedReceipt::open(&bytes, &Sum(1), START), Ok(receipt));
    let open = |bytes: &[u8], key, now| SignedReceipt::open(bytes, &Sum(key), now).err();
    assert_eq!(open(&bytes, 1, START + SECOND), Some(ReceiptError::Expired));
    assert_eq!(open(&bytes, 2, START), Some(ReceiptError::BadSignature));
    assert_eq!(open(&bytes[1..], 1, START), Some(ReceiptError::Malformed));
    assert_eq!(open(&[], 1, START), Some(ReceiptError::Malformed));
    for place in 0..bytes.len() {
        let mut forged = bytes;
        forged[place] ^= 0x10;
        assert!(open(&forged, 1, START).is_some(), "byte {place}");
    }
    Ok(())
}
