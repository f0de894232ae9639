//! Sealed values, wrapped keys, key files and files of epochs from anywhere: refused or read, never
//! a panic; and what was not sealed by us never opens.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use spots_privacy::consent::KeyOwner;
use spots_privacy::{
    AgentId, Epochs, Grant, MasterKeys, SealedField, SystemRandomness, WrappedKey,
};

fn keys() -> &'static MasterKeys {
    static KEYS: OnceLock<MasterKeys> = OnceLock::new();
    KEYS.get_or_init(|| {
        let mut epochs = Epochs::default();
        epochs.begin(0, &SystemRandomness).expect("one epoch fits");
        MasterKeys::generate(&SystemRandomness).with_epochs(epochs)
    })
}

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(keys) = MasterKeys::parse(text) {
            let again = MasterKeys::parse(&keys.to_file()).expect("what was read is written again");
            assert_eq!(again.versions(), keys.versions());
        }
        if let Ok(epochs) = Epochs::parse(text) {
            let again = Epochs::parse(&epochs.to_file()).expect("what was read is written again");
            assert_eq!(again.numbers(), epochs.numbers());
        }
    }
    let (key, value) = data.split_at(data.len().min(65));
    let key = WrappedKey {
        version: 1,
        bytes: key.to_vec(),
    };
    let owner = KeyOwner::User("user".to_owned());
    assert!(
        keys()
            .rewrap(&key, owner.place(), &SystemRandomness)
            .is_err()
    );
    let grant = Grant {
        host: "host".to_owned(),
        agent: AgentId::generate(&SystemRandomness),
        share: "share".to_owned(),
        field: "name".to_owned(),
        revoked_at: None,
        expires_at: None,
        key: Some(key),
        value: SealedField::from_stored(value.to_vec()),
    };
    let proof = grant.consent("host", 0).expect("the grant is live");
    assert!(proof.open(keys()).is_err(), "opened what nobody sealed");
});
