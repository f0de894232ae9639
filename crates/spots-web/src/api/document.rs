//! What the OpenAPI document says beside the routes.

use spots_host::{FieldError, PROBLEM_JSON, Problem};
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi as Document, Ref, ResponseBuilder};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "SPOTS",
        description = "Book with two identities: hosts see what you choose to share, never who you are inside SPOTS.\n\nErrors are `application/problem+json` (RFC 9457) with a stable `code`. A body holds at most 256 KiB; unknown fields are refused. Times are RFC 3339. Lists are paged: ask on with `nextPage`."
    ),
    components(schemas(Problem, FieldError)),
    modifiers(&Session),
    tags(
        (name = "accounts", description = "Signing up and in, leaving."),
        (name = "me", description = "Your own data: what you booked, what you share, and taking it back."),
        (name = "events", description = "Finding and booking."),
        (name = "hosts", description = "For those who offer something."),
        (name = "time", description = "The atomic clock."),
        (name = "journal", description = "What happened, in one order. People add; only operators read."),
    ),
)]
struct Base;

struct Session;

impl Modify for Session {
    fn modify(&self, document: &mut Document) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The `token` of `POST /api/v1/sessions`."))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("session", SecurityScheme::Http(bearer));
        let operator = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A token of `spots operator add`."))
            .build();
        components.add_security_scheme("operator", SecurityScheme::Http(operator));
    }
}

/// The document before any route.
pub(crate) fn base_document() -> Document {
    Base::openapi()
}

/// Says of every operation that it may answer with a problem.
pub(crate) fn add_problems(document: &mut Document) {
    for item in document.paths.paths.values_mut() {
        let all = [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.delete,
            &mut item.patch,
        ];
        for operation in all.into_iter().flatten() {
            add_problem(operation);
        }
    }
}

fn add_problem(operation: &mut Operation) {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .build();
    let response = ResponseBuilder::new()
        .description("What went wrong, and what to do.")
        .content(PROBLEM_JSON, content)
        .build();
    let responses = &mut operation.responses.responses;
    responses.insert("default".to_owned(), response.into());
}
