//! A certificate that nobody vouches for, to try HTTPS out.
//!
//! X.509 version 3 (RFC 5280), written as DER by hand: one fixed shape of a dozen values, for which
//! a library would bring thirty packages. The key is ECDSA on P-256 (RFC 5480, RFC 5758).

use std::net::IpAddr;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use spots_privacy::{Randomness, random};
use zeroize::Zeroizing;

/// Days that it is valid.
const DAYS: i64 = 90;
/// The longest name or address list, in entries.
const NAMES_MAX: usize = 32;
/// Characters in a line of PEM (RFC 7468).
const LINE: usize = 64;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT: u8 = 0x06;
const UTF8: u8 = 0x0c;
const UTC_TIME: u8 = 0x17;
/// ecdsa-with-SHA256.
const SIGNATURE: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
/// id-ecPublicKey.
const PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// secp256r1.
const CURVE: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// id-at-commonName.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// id-ce-subjectAltName.
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];

/// A certificate with its key, as PEM.
pub struct SelfSigned {
    /// `BEGIN CERTIFICATE`.
    pub certificate: String,
    /// `BEGIN PRIVATE KEY`.
    pub key: Zeroizing<String>,
}

impl std::fmt::Debug for SelfSigned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SelfSigned").finish_non_exhaustive()
    }
}

/// Makes one for these host names and addresses, valid for 90 days from a day before `now`. `None`
/// where there are too many names, or the library makes no key.
pub fn self_signed(
    names: &[String],
    now: Timestamp,
    random: &dyn Randomness,
) -> Option<SelfSigned> {
    if names.is_empty() || names.len() > NAMES_MAX {
        return None;
    }
    let source = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &source).ok()?;
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref()).ok()?;
    let body = body(names, now, pair.public_key().as_ref(), random)?;
    let signature = pair.sign(&source, &body).ok()?;
    let whole = [body, algorithm(), bits(signature.as_ref())].concat();
    Some(SelfSigned {
        certificate: pem("CERTIFICATE", &tagged(SEQUENCE, &whole)),
        key: Zeroizing::new(pem("PRIVATE KEY", pkcs8.as_ref())),
    })
}

/// The part that is signed (`TBSCertificate`).
fn body(
    names: &[String],
    now: Timestamp,
    public: &[u8],
    random: &dyn Randomness,
) -> Option<Vec<u8>> {
    let mut serial: [u8; 16] = random::bytes(random);
    // Positive, and not shortened by a leading zero.
    serial[0] = serial[0] & 0x3f | 0x40;
    let begins = now.checked_sub(24.hours()).ok()?;
    let ends = begins.checked_add((24 * DAYS).hours()).ok()?;
    let name = tagged(
        SEQUENCE,
        &tagged(
            SET,
            &tagged(
                SEQUENCE,
                &[
                    tagged(OBJECT, COMMON_NAME),
                    tagged(UTF8, b"SPOTS, self-signed"),
                ]
                .concat(),
            ),
        ),
    );
    let key = [
        tagged(
            SEQUENCE,
            &[tagged(OBJECT, PUBLIC_KEY), tagged(OBJECT, CURVE)].concat(),
        ),
        bits(public),
    ];
    let parts = [
        // Version 3.
        tagged(0xa0, &tagged(INTEGER, &[2])),
        tagged(INTEGER, &serial),
        algorithm(),
        name.clone(),
        tagged(SEQUENCE, &[time(begins), time(ends)].concat()),
        name,
        tagged(SEQUENCE, &key.concat()),
        tagged(0xa3, &tagged(SEQUENCE, &alternative_names(names))),
    ];
    Some(tagged(SEQUENCE, &parts.concat()))
}

fn alternative_names(names: &[String]) -> Vec<u8> {
    let names = names.iter().flat_map(|name| match name.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => tagged(0x87, &address.octets()),
        Ok(IpAddr::V6(address)) => tagged(0x87, &address.octets()),
        Err(_) => tagged(0x82, name.as_bytes()),
    });
    let names = tagged(SEQUENCE, &names.collect::<Vec<_>>());
    tagged(
        SEQUENCE,
        &[
            tagged(OBJECT, ALTERNATIVE_NAMES),
            tagged(OCTET_STRING, &names),
        ]
        .concat(),
    )
}

fn algorithm() -> Vec<u8> {
    tagged(SEQUENCE, &tagged(OBJECT, SIGNATURE))
}

fn time(moment: Timestamp) -> Vec<u8> {
    let text = moment
        .to_zoned(TimeZone::UTC)
        .strftime("%y%m%d%H%M%SZ")
        .to_string();
    tagged(UTC_TIME, text.as_bytes())
}

fn bits(bytes: &[u8]) -> Vec<u8> {
    // No unused bits at the end.
    tagged(BIT_STRING, &[&[0], bytes].concat())
}

/// Tag, length, value.
fn tagged(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = value.len().to_be_bytes();
    let used = length
        .iter()
        .skip_while(|byte| **byte == 0)
        .copied()
        .collect::<Vec<_>>();
    let mut bytes = vec![tag];
    match (used.as_slice(), value.len() < 0x80) {
        ([], _) => bytes.push(0),
        ([short], true) => bytes.push(*short),
        (long, _) => {
            let count = u8::try_from(long.len()).expect("a length has at most eight bytes");
            bytes.push(0x80 | count);
            bytes.extend_from_slice(long);
        }
    }
    bytes.extend_from_slice(value);
    bytes
}

fn pem(label: &str, bytes: &[u8]) -> String {
    let text = Zeroizing::new(STANDARD.encode(bytes));
    let mut pem = format!("-----BEGIN {label}-----\n");
    for (index, character) in text.chars().enumerate() {
        if index > 0 && index % LINE == 0 {
            pem.push('\n');
        }
        pem.push(character);
    }
    [pem, format!("\n-----END {label}-----\n")].concat()
}
