//! What was sealed once opens for ever: vectors that another program computed.

use serde_json::Value;
use spots_privacy::consent::{Session, StoredPerson, commitment};
use spots_privacy::{
    AgentId, Epochs, Grant, MasterKeys, NotOpen, Owner, SealedField, SystemRandomness, UserId,
    WrappedKey,
};

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors.json")).unwrap()
}

fn keys(vectors: &Value) -> MasterKeys {
    let epochs = Epochs::parse(text(&vectors["epochFile"])).unwrap();
    MasterKeys::parse(text(&vectors["keyFile"]))
        .unwrap()
        .with_epochs(epochs)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    let text = text(value);
    let pairs = (0..text.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn wrapped(value: &Value) -> WrappedKey {
    WrappedKey {
        version: value["masterVersion"].as_u64().unwrap().try_into().unwrap(),
        bytes: bytes(&value["wrappedKey"]),
    }
}

fn grant(share: &Value) -> Grant {
    Grant {
        host: "hst_1".to_owned(),
        agent: AgentId::generate(&SystemRandomness),
        share: text(&share["share"]).to_owned(),
        field: text(&share["field"]).to_owned(),
        revoked_at: None,
        expires_at: None,
        key: Some(wrapped(share)),
        value: SealedField::from_stored(bytes(&share["sealed"])),
    }
}

fn opened(grant: Grant, keys: &MasterKeys) -> Result<String, NotOpen> {
    let plain = grant.consent("hst_1", 0)?.open(keys)?;
    Ok(plain.disclose().to_owned())
}

#[test]
fn shares_open() {
    let vectors = vectors();
    let keys = keys(&vectors);
    let shares = vectors["shares"].as_array().unwrap();
    for share in shares {
        let grant = grant(share);
        let key = grant.key.clone().unwrap();
        assert_eq!(
            u64::from(key.wrapping().epoch),
            share["epoch"].as_u64().unwrap()
        );
        assert_eq!(opened(grant, &keys).unwrap(), text(&share["plain"]));
    }
    assert_eq!(shares.len(), 5);
}

/// A key or a value that is altered, swapped with another row's, or under another version or epoch.
#[test]
fn what_is_out_of_its_place_does_not_open() {
    let vectors = vectors();
    let keys = keys(&vectors);
    let shares = vectors["shares"].as_array().unwrap();
    for share in shares {
        for other in shares.iter().filter(|other| *other != share) {
            let value_of_other = Grant {
                value: grant(other).value,
                ..grant(share)
            };
            let key_of_other = Grant {
                key: grant(other).key,
                ..grant(share)
            };
            let both = Grant {
                key: grant(other).key,
                value: grant(other).value,
                ..grant(share)
            };
            for moved in [value_of_other, key_of_other, both] {
                assert!(opened(moved, &keys).is_err());
            }
        }
        let key = wrapped(share);
        for index in 0..key.bytes.len() {
            let mut altered = key.clone();
            altered.bytes[index] ^= 1;
            let altered = Grant {
                key: Some(altered),
                ..grant(share)
            };
            assert!(opened(altered, &keys).is_err(), "byte {index}");
            let cut = WrappedKey {
                bytes: key.bytes[..index].to_vec(),
                ..key
            };
            let cut = Grant {
                key: Some(cut),
                ..grant(share)
            };
            assert!(opened(cut, &keys).is_err(), "length {index}");
        }
        let other_version = Grant {
            key: Some(WrappedKey {
                version: 3 - key.version,
                ..key
            }),
            ..grant(share)
        };
        assert!(opened(other_version, &keys).is_err());
    }
}

#[test]
fn a_person_opens() {
    let vectors = vectors();
    let keys = keys(&vectors);
    let person = &vectors["person"];
    let session = Session {
        user: UserId::parse(text(&person["user"])).unwrap(),
        token_hash: [1; 32],
        expires_at: 1,
    };
    let stored = StoredPerson {
        key: wrapped(person),
        agent: SealedField::from_stored(bytes(&person["sealedAgent"])),
    };
    let owner = Owner::signed_in(session, &[1; 32], 0).unwrap();
    let opened = owner.unlock(&keys, &stored).unwrap();
    assert_eq!(opened.agent().reveal(), text(&person["agent"]));
    let profile = &person["profile"];
    let sealed = SealedField::from_stored(bytes(&profile["sealed"]));
    let plain = opened.open(text(&profile["field"]), &sealed).unwrap();
    assert_eq!(plain.disclose(), text(&profile["plain"]));
}

#[test]
fn hashes_are_the_same() {
    let vectors = vectors();
    let keys = keys(&vectors);
    for lookup in vectors["lookups"].as_array().unwrap() {
        let hash = keys
            .lookup()
            .hash(text(&lookup["context"]), text(&lookup["value"]));
        assert_eq!(hash.as_slice(), bytes(&lookup["hash"]));
    }
    let expected = &vectors["commitment"];
    let salt = bytes(&expected["salt"]).try_into().unwrap();
    let facts: Vec<_> = expected["facts"]
        .as_array()
        .unwrap()
        .iter()
        .map(text)
        .collect();
    assert_eq!(
        commitment(&salt, &facts).as_slice(),
        bytes(&expected["commitment"])
    );
}
