//! `GET|POST /me/email`: confirming that the e-mail address is the reader's.

use axum::http::StatusCode;
use axum::response::Response;
use spots_host::browser::{Form, Query, Trouble, of_form, see_other, show, show_as};
use spots_host::view::{FormErrors, Section};

use super::request::SignedIn;
use super::view::{ConfirmEmailPage, EmailStanding};
use crate::service::{self, CONFIRMATION_HOURS};

/// A program that looks at links in letters only looks; the button confirms.
pub(super) async fn look(signed_in: SignedIn, query: Query) -> Result<Response, Trouble> {
    let page = page(&signed_in, query.get("token"), FormErrors::none()).await?;
    Ok(show(&page))
}

/// Confirms by a token, or, without one, sends a letter.
pub(super) async fn confirm(signed_in: SignedIn, form: Form) -> Result<Response, Trouble> {
    let (ctx, person) = (signed_in.ctx(), signed_in.person());
    let done = match form.given("token") {
        Some(token) => service::confirm_address(ctx, person, token)
            .await
            .map(|_| "confirmed"),
        None => service::begin_confirmation(ctx, person)
            .await
            .map(|_| "letter"),
    };
    match done {
        Ok(done) => Ok(see_other(&format!("/me/profile?done={done}"))),
        Err(error) => {
            let errors = of_form(&error, |_| String::new())
                .ok_or_else(|| signed_in.visitor.trouble(error))?;
            // A link that does not serve is not offered again.
            let page = page(&signed_in, "", errors).await?;
            Ok(show_as(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
    }
}

async fn page(
    signed_in: &SignedIn,
    token: &str,
    errors: FormErrors,
) -> Result<ConfirmEmailPage, Trouble> {
    let known = service::confirmed_address(signed_in.ctx(), signed_in.person()).await;
    let known = known.map_err(|error| signed_in.visitor.trouble(error))?;
    Ok(ConfirmEmailPage {
        page: signed_in.page("Confirm your e-mail address", Section::Account),
        standing: EmailStanding::of(&known),
        address: known
            .address
            .map_or(String::new(), |address| address.disclose().to_owned()),
        hours: u32::try_from(CONFIRMATION_HOURS).unwrap_or_default(),
        token: token.to_owned(),
        errors,
    })
}
