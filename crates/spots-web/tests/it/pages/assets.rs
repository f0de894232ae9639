//! The files that pages load: what they are, and that their colours can be read.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use spots_web::pages::assets::{ASSETS, find_by_name};

/// `dist/htmx.min.js` of `htmx.org` 4.0.1 in the npm registry.
const HTMX_SHA256: &str = "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130";

/// The largest stylesheet that we want a phone to load before it shows anything, in bytes.
const STYLESHEET_BYTES_MAX: usize = 24 * 1024;

fn text_of(name: &str) -> &'static str {
    let asset = find_by_name(name).expect("the asset is part of the binary");
    std::str::from_utf8(asset.bytes).expect("the asset is UTF-8")
}

#[test]
fn htmx_is_the_published_file() {
    let digest = Sha256::digest(find_by_name("htmx.min.js").expect("it is there").bytes);
    let hex = digest.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes all that is written");
        hex
    });
    assert_eq!(hex, HTMX_SHA256);
}

#[test]
fn assets_are_found_by_name_alone() {
    for asset in &ASSETS {
        assert_eq!(
            find_by_name(asset.name).map(|found| found.bytes),
            Some(asset.bytes)
        );
    }
    assert!(find_by_name("../Cargo.toml").is_none());
}

#[test]
fn the_stylesheet_asks_for_nothing_and_stays_small() {
    let css = text_of("spots.css");
    assert!(
        !css.contains("url(") && !css.contains("@import"),
        "no further request"
    );
    assert!(css.len() <= STYLESHEET_BYTES_MAX, "{} bytes", css.len());
}

/// Text and what it stands on, with the least contrast allowed (WCAG 2.2: 1.4.3 and 1.4.11).
const PAIRS: [(&str, &str, f64); 15] = [
    ("ink", "paper", 7.0),
    ("ink", "card", 7.0),
    ("muted", "paper", 4.5),
    ("muted", "card", 4.5),
    ("muted", "sunk", 4.5),
    ("accent", "paper", 4.5),
    ("accent", "card", 4.5),
    ("accent", "accent-soft", 4.5),
    ("on-accent", "accent", 4.5),
    ("danger", "card", 4.5),
    ("danger", "danger-soft", 4.5),
    ("on-danger", "danger", 4.5),
    ("caution", "caution-soft", 4.5),
    ("good", "good-soft", 4.5),
    ("edge", "card", 3.0),
];

#[test]
fn colours_can_be_read_in_light_and_in_dark() {
    let css = text_of("spots.css");
    let (light, rest) = css
        .split_once("prefers-color-scheme: dark")
        .expect("there is a dark theme");
    let dark = rest.split_once("}\n}").expect("the dark theme ends").0;
    let mut poor = Vec::new();
    for (theme, tokens) in [("light", light), ("dark", dark)] {
        for (ink, ground, least) in PAIRS {
            let ratio = contrast(token(tokens, ink), token(tokens, ground));
            if ratio < least {
                poor.push(format!(
                    "{theme}: {ink} on {ground} is {ratio:.2}, needs {least}"
                ));
            }
        }
    }
    assert!(poor.is_empty(), "{}", poor.join("\n"));
}

/// The value of a colour token: `--name: #rrggbb;`.
fn token(css: &str, name: &str) -> [f64; 3] {
    let key = format!("--{name}: #");
    let at = css.find(&key).unwrap_or_else(|| panic!("no token {name}")) + key.len();
    [0, 2, 4].map(|offset| {
        let hex = &css[at + offset..at + offset + 2];
        f64::from(u8::from_str_radix(hex, 16).expect("two hexadecimal digits")) / 255.0
    })
}

/// Contrast of two colours, 1 to 21 (WCAG 2.2, "contrast ratio" and "relative luminance").
fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let luminance = |colour: [f64; 3]| {
        let linear = colour.map(|channel| {
            if channel <= 0.04045 {
                channel / 12.92
            } else {
                ((channel + 0.055) / 1.055).powf(2.4)
            }
        });
        0.0722f64.mul_add(linear[2], 0.2126f64.mul_add(linear[0], 0.7152 * linear[1]))
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn contrast_is_measured_as_the_standard_says() {
    assert!((contrast([0.0; 3], [1.0; 3]) - 21.0).abs() < 1e-9);
    let grey = token("--grey: #767676;", "grey");
    assert!(
        (contrast(grey, [1.0; 3]) - 4.54).abs() < 0.005,
        "the standard's own borderline grey"
    );
}
