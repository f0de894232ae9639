//! `GET|POST /hosts/{hostId}/members`: the host's own list of members.

use axum::http::StatusCode;
use axum::response::Response;
use spots_booking::Refusal;

use super::visit::{Visit, trouble};
use crate::browser::{Form, Trouble, see_other, sentence, show, show_as};
use crate::error::ServiceError;
use crate::view::{FormErrors, HostTab, MembersPage};

/// The largest form, in bytes.
pub(super) const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Wrong lines that the page names; the first ones are enough to see what is wrong.
const LINES_NAMED_MAX: usize = 5;

pub(super) async fn show_list(visit: Visit) -> Result<Response, Trouble> {
    Ok(show(&page(&visit, "", FormErrors::none()).await?))
}

pub(super) async fn save(visit: Visit, form: Form) -> Result<Response, Trouble> {
    let lines: Vec<_> = form.get("entries").lines().map(str::trim).collect();
    let entries: Vec<_> = lines.iter().filter(|line| !line.is_empty()).collect();
    let remove = form.get("action") == "remove";
    if entries.is_empty() && !remove {
        let errors = FormErrors::none().with("entries", "Paste at least one line.");
        let page = page(&visit, "", errors).await?;
        return Ok(show_as(StatusCode::UNPROCESSABLE_ENTITY, &page));
    }
    let entries = if remove {
        Vec::new()
    } else {
        entries.into_iter().map(|line| (*line).to_owned()).collect()
    };
    match visit.desk.set_members(entries).await {
        Ok(_) => {
            let done = if remove { "members-removed" } else { "members" };
            Ok(see_other(&format!(
                "{}/members?done={done}",
                visit.address()
            )))
        }
        Err(error) => {
            let errors = refused(&lines, error)?;
            let page = page(&visit, form.get("entries"), errors).await?;
            Ok(show_as(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
    }
}

/// What is wrong, by line.
fn refused(lines: &[&str], error: ServiceError) -> Result<FormErrors, Trouble> {
    let ServiceError::Refused(refusal) = &error else {
        return Err(trouble(error));
    };
    let Refusal::Fields(problems) = refusal else {
        return Ok(FormErrors::none().with("entries", sentence(&error)));
    };
    let filled = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| !line.is_empty());
    let numbers: Vec<_> = filled.map(|(index, _)| index + 1).collect();
    let mut errors = FormErrors::none();
    for problem in problems.iter().take(LINES_NAMED_MAX) {
        let index = problem
            .field
            .trim_start_matches("entries[")
            .trim_end_matches(']');
        let line = index
            .parse()
            .ok()
            .and_then(|index: usize| numbers.get(index));
        let line = line.map_or(0, |line| *line);
        errors.add("entries", format!("Line {line}: {}", problem.message));
    }
    let more = problems.len().saturating_sub(LINES_NAMED_MAX);
    if more > 0 {
        errors.add(
            "entries",
            format!("{more} more lines are wrong. Nothing was saved."),
        );
    }
    Ok(errors)
}

async fn page(visit: &Visit, typed: &str, errors: FormErrors) -> Result<MembersPage, Trouble> {
    Ok(MembersPage {
        page: visit.page("Your list of members"),
        host: visit.head(HostTab::Members),
        count: visit.desk.members().await.map_err(trouble)?,
        entries: typed.to_owned(),
        errors,
    })
}
