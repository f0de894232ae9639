//! The answer to `POST /me/delete`: the account is gone, and this is the proof.

use askama::Template;
use spots_host::view::{Page, Reader, Sample, Samples, Section};

/// The certificate, to read and to download.
#[derive(Debug, Clone, Template)]
#[template(path = "erased.html")]
pub struct ErasedPage {
    /// The head of the page.
    pub page: Page,
    /// Keys of shared fields that were destroyed.
    pub fields: u64,
    /// The signed certificate.
    pub certificate: String,
    /// The certificate as the address of a file.
    pub file: String,
}

impl Samples for ErasedPage {
    fn samples() -> Vec<Sample<Self>> {
        let typical = Self {
            page: Page::new("Your account is deleted", Reader::Visitor, Section::Account),
            fields: 3,
            certificate: "spots.erasure.1\nspots/ledger/c0ffee\naccount: user_…\n".to_owned(),
            file: "data:text/plain;base64,c3BvdHM=".to_owned(),
        };
        vec![Sample::new("typical", typical)]
    }
}
