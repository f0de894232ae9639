//! Signing up, in and out; the profile; leaving.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use spots_booking::StandardField;
use spots_host::ServiceError;
use spots_host::browser::words::ZONES;
use spots_host::browser::{Form, Query, Trouble, ZONE_COOKIE, of_form, see_other, show, show_as};
use spots_host::view::{Choice, FormErrors, Page, Reader, Section};
use spots_privacy::Personal;
use spots_store::PageRequest;
use spots_store::model::ShareFilter;

use super::request::{SignedIn, Visitor, own_path, with_cookie};
use super::view::{
    DeleteAccountPage, EmailStanding, ErasedPage, ProfilePage, SignInPage, SignUpPage,
};
use crate::http::{clear_session_cookie, session_cookie, session_token};
use crate::platform::Platform;
use crate::service::{self, PASSWORD_CHARS_MIN, Profile};

fn sign_in_page(visitor: &Visitor, form: &Form, errors: FormErrors) -> SignInPage {
    SignInPage {
        page: visitor.page("Sign in", Section::Account),
        email: form.get("email").to_owned(),
        next: form.get("next").to_owned(),
        errors,
    }
}

fn sign_up_page(visitor: &Visitor, form: &Form, errors: FormErrors) -> SignUpPage {
    SignUpPage {
        page: visitor.page("Sign up", Section::Account),
        email: form.get("email").to_owned(),
        next: form.get("next").to_owned(),
        password_min: u32::try_from(PASSWORD_CHARS_MIN).unwrap_or(u32::MAX),
        errors,
    }
}

pub(super) async fn sign_in(visitor: Visitor, query: Query) -> Response {
    show(&sign_in_page(&visitor, &query, FormErrors::none()))
}

pub(super) async fn sign_up(visitor: Visitor, query: Query) -> Response {
    show(&sign_up_page(&visitor, &query, FormErrors::none()))
}

pub(super) async fn post_sign_in(visitor: Visitor, form: Form) -> Result<Response, Trouble> {
    match begin(&visitor, &form, "signed-in").await {
        Ok(response) => Ok(response),
        Err(error) => {
            let errors = of_form(&error, str::to_owned).ok_or_else(|| visitor.trouble(error))?;
            let page = sign_in_page(&visitor, &form, errors);
            Ok(show_as(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
    }
}

pub(super) async fn post_sign_up(visitor: Visitor, form: Form) -> Result<Response, Trouble> {
    let new = service::NewAccount {
        email: Personal::new(form.get("email")),
        password: Personal::new(form.get("password")),
        name: None,
    };
    let done = match service::sign_up(&visitor.ctx, new).await {
        Ok(_) => begin(&visitor, &form, "signed-in").await,
        Err(error) => Err(error),
    };
    match done {
        Ok(response) => Ok(response),
        Err(error) => {
            let errors = of_form(&error, str::to_owned).ok_or_else(|| visitor.trouble(error))?;
            let page = sign_up_page(&visitor, &form, errors);
            Ok(show_as(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
    }
}

/// Begins a session and goes where the reader was going.
async fn begin(visitor: &Visitor, form: &Form, done: &str) -> Result<Response, ServiceError> {
    let email = Personal::new(form.get("email"));
    let password = Personal::new(form.get("password"));
    let signed_in = service::sign_in(&visitor.ctx, &email, password).await?;
    let next = match own_path(form.get("next")) {
        "/" => format!("/?done={done}"),
        next => next.to_owned(),
    };
    let cookie = session_cookie(visitor.ctx.platform().settings(), &signed_in);
    Ok(with_cookie(see_other(&next), cookie))
}

pub(super) async fn post_sign_out(
    State(platform): State<Platform>,
    visitor: Visitor,
    headers: axum::http::HeaderMap,
) -> Result<Response, Trouble> {
    let settings = platform.settings();
    if let Some(token) = session_token(&headers, settings) {
        service::sign_out(&visitor.ctx, token).await?;
    }
    Ok(with_cookie(
        see_other("/?done=signed-out"),
        clear_session_cookie(settings),
    ))
}

pub(super) async fn profile(signed_in: SignedIn) -> Result<Response, Trouble> {
    let own = service::profile(signed_in.ctx(), signed_in.person()).await?;
    let standing = standing(&signed_in).await?;
    let value = |field| {
        own.get(&field)
            .map_or(String::new(), |text| text.disclose().to_owned())
    };
    let zone = signed_in
        .visitor
        .zone
        .as_ref()
        .and_then(|zone| zone.iana_name());
    Ok(show(&profile_page(
        &signed_in,
        value,
        (zone.unwrap_or(""), standing),
        FormErrors::none(),
    )))
}

async fn standing(signed_in: &SignedIn) -> Result<EmailStanding, ServiceError> {
    let known = service::confirmed_address(signed_in.ctx(), signed_in.person()).await?;
    Ok(EmailStanding::of(&known))
}

fn profile_page(
    signed_in: &SignedIn,
    value: impl Fn(StandardField) -> String,
    (zone, standing): (&str, EmailStanding),
    errors: FormErrors,
) -> ProfilePage {
    let zones =
        std::iter::once(("", "The zone of each event")).chain(ZONES.iter().map(|z| (*z, *z)));
    ProfilePage {
        page: signed_in.page("Your profile", Section::Account),
        name: value(StandardField::Name),
        phone_number: value(StandardField::PhoneNumber),
        email: value(StandardField::Email),
        standing,
        birthday: value(StandardField::Birthday),
        company_affiliation: value(StandardField::CompanyAffiliation),
        zones: Choice::list(zones, zone),
        errors,
    }
}

pub(super) async fn post_profile(signed_in: SignedIn, form: Form) -> Result<Response, Trouble> {
    let profile: Profile = StandardField::ALL
        .iter()
        .filter_map(|field| Some((*field, Personal::new(form.given(field.as_str())?))))
        .collect();
    let password = form.given("currentPassword").map(Personal::new);
    let (ctx, person) = (signed_in.ctx(), signed_in.person());
    match service::update_profile(ctx, person, profile, password).await {
        Ok(()) => {
            let zone = form.get("timeZone");
            let zone = if ZONES.contains(&zone) { zone } else { "" };
            let age = if zone.is_empty() { 0 } else { 400 * 24 * 3600 };
            let cookie = format!("{ZONE_COOKIE}={zone}; Path=/; Max-Age={age}; SameSite=Lax");
            let cookie = HeaderValue::from_str(&cookie).expect("zones are plain ASCII");
            Ok(with_cookie(see_other("/me/profile?done=saved"), cookie))
        }
        Err(error) => {
            let errors =
                of_form(&error, str::to_owned).ok_or_else(|| signed_in.visitor.trouble(error))?;
            let value = |field: StandardField| form.get(field.as_str()).to_owned();
            let standing = standing(&signed_in).await?;
            let page = profile_page(&signed_in, value, (form.get("timeZone"), standing), errors);
            Ok(show_as(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
    }
}

/// Gives the reader a new agent.
pub(super) async fn post_agent(signed_in: SignedIn) -> Result<Response, Trouble> {
    let mut visitor = signed_in.visitor;
    let person = visitor.person.take();
    let person = person.expect("who signed in is a person");
    let done = service::rotate_agent(&visitor.ctx, person).await;
    done.map_err(|error| visitor.trouble(error))?;
    Ok(see_other("/me/profile?done=agent"))
}

pub(super) async fn delete(signed_in: SignedIn) -> Result<Response, Trouble> {
    Ok(show(&delete_page(&signed_in, FormErrors::none()).await?))
}

async fn delete_page(
    signed_in: &SignedIn,
    errors: FormErrors,
) -> Result<DeleteAccountPage, ServiceError> {
    let (ctx, person) = (signed_in.ctx(), signed_in.person());
    let bookings = service::bookings(ctx, person, PageRequest::FIRST)
        .await?
        .items;
    let to_come = bookings.iter().filter(|booking| {
        let record = &booking.record;
        record.cancelled_at_ns.is_none() && record.placed.slot.starts_at > ctx.now()
    });
    let shares = service::shares(ctx, person, ShareFilter::default(), PageRequest::FIRST).await?;
    let mut hosts: Vec<_> = shares
        .items
        .iter()
        .map(|share| share.field.host.id)
        .collect();
    hosts.sort();
    hosts.dedup();
    Ok(DeleteAccountPage {
        page: signed_in.page("Delete your account", Section::Account),
        bookings: u32::try_from(to_come.count()).unwrap_or(u32::MAX),
        hosts: u32::try_from(hosts.len()).unwrap_or(u32::MAX),
        errors,
    })
}

pub(super) async fn post_delete(signed_in: SignedIn, form: Form) -> Result<Response, Trouble> {
    if !form.ticked("understood") {
        let mend = "Tick this if you want to delete your account.";
        let errors = FormErrors::none().with("understood", mend);
        let page = delete_page(&signed_in, errors).await?;
        return Ok(show_as(StatusCode::UNPROCESSABLE_ENTITY, &page));
    }
    let erased = service::remove_account(signed_in.ctx(), signed_in.person()).await?;
    let cookie = clear_session_cookie(signed_in.ctx().platform().settings());
    let file = STANDARD.encode(&erased.certificate);
    let page = ErasedPage {
        page: Page::new("Your account is deleted", Reader::Visitor, Section::Account),
        fields: erased.removal.fields,
        certificate: erased.certificate,
        file: format!("data:text/plain;base64,{file}"),
    };
    Ok(with_cookie(show(&page), cookie))
}
