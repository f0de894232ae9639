//! `GET /privacy` and other pages of plain text.

use askama::Template;
use spots_host::view::{Page, Reader, Sample, Samples, Section};

/// A document of this repository, rendered.
#[derive(Debug, Clone, Template)]
#[template(path = "prose.html")]
pub struct ProsePage {
    /// The head of the page.
    pub page: Page,
    /// The document as HTML, its `<h1>` included, printed as it stands. It must come from this
    /// repository, never from a person.
    pub trusted_html: String,
}

impl Samples for ProsePage {
    fn samples() -> Vec<Sample<Self>> {
        let html = "<h1>Privacy</h1>\n<p>You book with <strong>two identities</strong>. One is an \
                    anonymous agent that only SPOTS knows. The other is what you choose to share \
                    with a host.</p>\n<h2>Who may ask for what</h2>\n<table><thead><tr><th>Event \
                    type</th><th>May ask for</th></tr></thead><tbody><tr><td>Club event</td><td>\
                    Name, e-mail address</td></tr></tbody></table>\n<ul><li>You can stop sharing \
                    at any time.</li></ul>\n<pre><code>DELETE /api/v1/me/shares?all=true</code>\
                    </pre>";
        let page = Page::new("Privacy", Reader::Visitor, Section::Elsewhere);
        vec![Sample::new(
            "typical",
            Self {
                page,
                trusted_html: html.to_owned(),
            },
        )]
    }
}
