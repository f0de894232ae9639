//! The vectors that every client shares.

use std::error::Error;

use serde_json::Value;
use spots_clock::offline::Correction;
use spots_clock::sync::{
    Estimate, Exchange, Interval, Learned, Projection, Rates, SyncResponse, TimeScale,
};
use spots_clock::{NodeIdentity, TimestampId, rfc3339};

type Outcome = Result<(), Box<dyn Error>>;

fn vectors(part: &str) -> Vec<Value> {
    let text = include_str!("../../../../clients/vectors/clock.json");
    let all: Value = serde_json::from_str(text).expect("the file is JSON");
    let part = all.get(part).and_then(Value::as_array);
    let part = part.expect("every part is a list");
    assert!(!part.is_empty());
    part.clone()
}

/// A 64-bit integer, which is a decimal string, or a small one, which is a number.
fn number<T: std::str::FromStr>(value: &Value) -> Option<T> {
    let text = value.as_str().map(str::to_owned);
    text.unwrap_or_else(|| value.to_string()).parse().ok()
}

fn interval(value: &Value) -> Option<Interval> {
    Interval::new(number(&value["low"])?, number(&value["high"])?)
}

#[test]
fn ids() -> Outcome {
    let mut last = None;
    for vector in vectors("ids") {
        let identity = number(&vector["node"]).zip(number(&vector["incarnation"]));
        let (node, incarnation) = identity.ok_or("no identity")?;
        let identity = NodeIdentity::new(node, incarnation).ok_or("bad identity")?;
        let nanos: u64 = number(&vector["nanoseconds"]).ok_or("no time")?;
        let id = TimestampId::new(nanos, identity).ok_or("bad time")?;
        assert_eq!(id.to_string(), vector["id"].as_str().ok_or("no id")?);
        assert!(
            last.replace(id) < Some(id),
            "the file is in ascending order"
        );
    }
    for text in vectors("foreignIds") {
        let text = text.as_str().ok_or("no text")?;
        assert!(text.parse::<TimestampId>().is_err(), "{text}");
    }
    Ok(())
}

#[test]
fn instants_as_text() -> Outcome {
    for vector in vectors("rfc3339") {
        let nanos = number(&vector["nanoseconds"]).ok_or("no time")?;
        assert_eq!(rfc3339(nanos), vector["text"].as_str().ok_or("no text")?);
    }
    Ok(())
}

#[test]
fn exchanges() -> Outcome {
    for vector in vectors("exchanges") {
        let time = |name: &str| number::<u64>(&vector[name]).ok_or("no time");
        let exchange = Exchange {
            sent: time("sent")?,
            response: SyncResponse {
                nonce: [0; 16],
                received: time("received")?,
                sent: time("answered")?,
                error_bound: number(&vector["errorBound"]),
                scale: TimeScale::Posix,
            },
            returned: time("returned")?,
        };
        let found = exchange.offset(time("driftPpb")?, time("resolution")?).ok();
        let low = number(&vector["offset"][0]);
        let expected = low
            .zip(number(&vector["offset"][1]))
            .and_then(|(low, high)| Interval::new(low, high));
        assert_eq!(found, expected, "{vector}");
    }
    Ok(())
}

#[test]
fn estimates() -> Outcome {
    for vector in vectors("estimates") {
        let mut estimate = Estimate::new(Rates {
            drift_ppb: number(&vector["driftPpb"]).ok_or("no drift")?,
            wander_ppb: number(&vector["wanderPpb"]).ok_or("no wander")?,
        });
        for step in vector["steps"].as_array().ok_or("no steps")? {
            let at = number(&step["at"]).ok_or("no time")?;
            let measured = interval(step).ok_or("no interval")?;
            let learned = estimate.observe(at, measured, step["traceable"] == true);
            let word = match learned {
                Learned::First => "first",
                Learned::Agreed => "agreed",
                Learned::Ignored => "ignored",
                Learned::Contradicted { .. } => "contradicted",
            };
            assert_eq!(
                word,
                step["outcome"].as_str().ok_or("no outcome")?,
                "{step}"
            );
            for query in step["queries"].as_array().ok_or("no queries")? {
                let known = &query["known"];
                let expected = interval(known).map(|interval| Projection {
                    interval,
                    traceable: known["traceable"] == true,
                });
                let at = number(&query["at"]).ok_or("no time")?;
                assert_eq!(estimate.at(at), expected, "{query}");
            }
        }
    }
    Ok(())
}

#[test]
fn corrections() -> Outcome {
    for vector in vectors("corrections") {
        let dated = |value: &Value| number::<u64>(&value["at"]).zip(interval(value));
        let correction = Correction {
            before: dated(&vector["before"]),
            after: dated(&vector["after"]).ok_or("no end")?,
            drift_ppb: number(&vector["driftPpb"]).ok_or("no drift")?,
        };
        let device_time = number(&vector["deviceTime"]).ok_or("no time")?;
        let place = &vector["place"];
        let expected = number::<u64>(&place[0]).zip(number::<u64>(&place[1]));
        assert_eq!(correction.place(device_time), expected, "{vector}");
    }
    Ok(())
}
