//! `GET /docs/api`: the OpenAPI document, to read.

use askama::Template;
use spots_host::view::{Page, Reader, Sample, Samples, Section};

/// All operations of the API, as the OpenAPI document describes them.
#[derive(Debug, Clone, Template)]
#[template(path = "api_docs.html")]
pub struct ApiPage {
    /// The head of the page.
    pub page: Page,
    /// The version of the API.
    pub version: String,
    /// What stands before the operations, paragraph by paragraph.
    pub description: Vec<String>,
    /// The operations, by tag.
    pub groups: Vec<OperationGroup>,
}

/// The operations of one tag.
#[derive(Debug, Clone)]
pub struct OperationGroup {
    /// The tag; also the fragment of its address, so without spaces.
    pub tag: String,
    /// What the operations have in common.
    pub description: String,
    /// The operations.
    pub operations: Vec<Operation>,
}

/// One operation.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The operation's id; also the fragment of its address.
    pub id: String,
    /// The method, in capitals.
    pub method: String,
    /// The path, with parameters in braces.
    pub path: String,
    /// What it does, in one line.
    pub summary: String,
    /// What else there is to know, paragraph by paragraph.
    pub description: Vec<String>,
    /// Whether it needs a bearer token.
    pub secured: bool,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// The name of the schema of its body, if it has one.
    pub body: Option<String>,
    /// An example of its body, as JSON.
    pub body_example: Option<String>,
    /// Its responses.
    pub responses: Vec<ResponseLine>,
}

/// One parameter of an operation.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Where it stands: `path`, `query` or `header`.
    pub place: String,
    /// Its type, in short, for example `string` or `integer, 1 to 100`.
    pub kind: String,
    /// Whether it must be there.
    pub required: bool,
    /// What it means.
    pub description: String,
}

/// One response of an operation.
#[derive(Debug, Clone)]
pub struct ResponseLine {
    /// The HTTP status.
    pub status: String,
    /// When it is given.
    pub description: String,
    /// The name of the schema of its body, if it has one.
    pub body: Option<String>,
}

impl Operation {
    fn sample_booking() -> Self {
        let parameter = |name: &str, place: &str, description: &str| Parameter {
            name: name.to_owned(),
            place: place.to_owned(),
            kind: "string".to_owned(),
            required: true,
            description: description.to_owned(),
        };
        let response = |status: &str, description: &str, body: &str| ResponseLine {
            status: status.to_owned(),
            description: description.to_owned(),
            body: Some(body.to_owned()),
        };
        Self {
            id: "add_booking".to_owned(),
            method: "POST".to_owned(),
            path: "/api/v1/events/{eventId}/bookings".to_owned(),
            summary: "Books a place and shares what the body names.".to_owned(),
            description: vec!["A repeated request with the same key changes nothing.".to_owned()],
            secured: true,
            parameters: vec![
                parameter("eventId", "path", "The event."),
                parameter("Idempotency-Key", "header", "A random key of at most 64 characters."),
            ],
            body: Some("NewBooking".to_owned()),
            body_example: Some(
                "{\n  \"slotId\": \"slt_2\",\n  \"party\": 4,\n  \"userData\": { \"name\": \"Amira\" }\n}"
                    .to_owned(),
            ),
            responses: vec![
                response("201", "The booking.", "Booking"),
                response("409", "The event is full.", "Problem"),
                response("422", "A required field is withheld.", "Problem"),
            ],
        }
    }

    fn sample_time() -> Self {
        Self {
            id: "get_time".to_owned(),
            method: "GET".to_owned(),
            path: "/api/v1/time".to_owned(),
            summary: "Gives an atomic timestamp with its error bound.".to_owned(),
            description: Vec::new(),
            secured: false,
            parameters: Vec::new(),
            body: None,
            body_example: None,
            responses: vec![ResponseLine {
                status: "200".to_owned(),
                description: "The timestamp.".to_owned(),
                body: Some("AtomicTimestamp".to_owned()),
            }],
        }
    }
}

impl Samples for ApiPage {
    fn samples() -> Vec<Sample<Self>> {
        let delete = Operation {
            id: "remove_shares".to_owned(),
            method: "DELETE".to_owned(),
            path: "/api/v1/me/shares".to_owned(),
            summary: "Stops sharing with a host, for a booking, or altogether.".to_owned(),
            ..Operation::sample_booking()
        };
        let group = |tag: &str, description: &str, operations| OperationGroup {
            tag: tag.to_owned(),
            description: description.to_owned(),
            operations,
        };
        let typical = Self {
            page: Page::new("API", Reader::Visitor, Section::Elsewhere),
            version: "0.1.0".to_owned(),
            description: vec!["JSON over HTTP, described by OpenAPI 3.1.".to_owned()],
            groups: vec![
                group(
                    "events",
                    "Find events and book them.",
                    vec![Operation::sample_booking(), delete],
                ),
                group("time", "", vec![Operation::sample_time()]),
            ],
        };
        vec![Sample::new("typical", typical)]
    }
}
