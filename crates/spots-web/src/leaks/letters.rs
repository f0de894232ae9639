//! What went out by mail: letters are read from a folder, opened by their recipients and searched.

use std::fs;
use std::io;
use std::path::Path;

use axum::Router;
use axum::http::Method;
use serde_json::json;

use super::hunt::{Hunt, Leak, Secret};
use super::people::{Canary, Visitor};
use super::walk::WalkError;

/// What the token of a letter is, for people.
const TOKEN: &str = "token of a letter";
/// What stands before it.
const LINK: &str = "/me/email?token=";

const CONFIRMATION: &str = "/api/v1/me/email-confirmation";

/// What the letters held.
#[derive(Debug, Default)]
pub struct Letters {
    /// How many went out.
    pub count: usize,
    /// What stood in one that must not.
    pub leaks: Vec<Leak>,
    /// What only their recipients may know: not the log, not a file of the database.
    pub tokens: Vec<Secret>,
}

/// One letter as it was handed over.
struct Letter(String);

impl Letter {
    /// What its head says.
    fn head(&self, name: &str) -> &str {
        let lines = self.0.lines().take_while(|line| !line.is_empty());
        let mut values = lines.filter_map(|line| line.strip_prefix(name));
        values.next().unwrap_or_default().trim()
    }

    fn to(&self) -> &str {
        self.head("To:").trim_matches(['<', '>'])
    }

    /// The token of its link.
    fn token(&self) -> Option<&str> {
        let (_, rest) = self.0.split_once(LINK)?;
        rest.split_whitespace().next()
    }
}

/// Every letter in the folder.
fn read(folder: &Path) -> io::Result<Vec<Letter>> {
    let paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let paths = paths.collect::<io::Result<Vec<_>>>()?;
    let read = |path| {
        Ok(Letter(
            String::from_utf8_lossy(&fs::read(path)?).into_owned(),
        ))
    };
    paths.iter().map(read).collect()
}

/// The letter to an address that has but one.
fn only(folder: &Path, address: &str) -> Result<Letter, WalkError> {
    let letters = read(folder).map_err(WalkError::Letters)?;
    let mut to = letters.into_iter().filter(|letter| letter.to() == address);
    to.next().ok_or(WalkError::NoLetter)
}

/// Over the API, by the token of the letter that it sends.
pub(super) async fn confirm(person: &Canary, folder: &Path) -> Result<(), WalkError> {
    let visitor = &person.visitor;
    visitor.ask(Method::POST, CONFIRMATION, &json!({})).await?;
    let letter = only(folder, &person.email)?;
    let token = json!({"token": letter.token().ok_or(WalkError::NoLetter)?});
    visitor.ask(Method::PUT, CONFIRMATION, &token).await?;
    Ok(())
}

/// By the link, as a person does it.
pub(super) async fn confirm_on_the_page(
    router: &Router,
    person: &Canary,
    folder: &Path,
) -> Result<(), WalkError> {
    let browser = Visitor::browser(router, &person.token);
    let form = |text: String| Some(("application/x-www-form-urlencoded", text));
    let post = async |text| browser.send((Method::POST, "/me/email"), form(text)).await;
    post(String::new()).await?;
    let letter = only(folder, &person.email)?;
    let token = letter.token().ok_or(WalkError::NoLetter)?;
    let link = format!("/me/email?token={token}");
    browser.send((Method::GET, &link), None).await?;
    let done = post(format!("token={token}")).await?;
    if done.status.is_redirection() {
        return Ok(());
    }
    Err(WalkError::Failed("POST /me/email".to_owned()))
}

/// Searches every letter for what belongs to anybody, but its recipient's address, and for `also`.
/// There must be one to each address that these people ever had.
pub(super) fn search(
    folder: &Path,
    people: &[(&str, &Canary)],
    also: &[Secret],
) -> Result<Letters, WalkError> {
    let letters = read(folder).map_err(WalkError::Letters)?;
    let mut addresses = people.iter().flat_map(|(_, canary)| canary.addresses());
    if !addresses.all(|address| letters.iter().any(|letter| letter.to() == address)) {
        return Err(WalkError::NoLetter);
    }
    let tokens = letters.iter().filter_map(Letter::token);
    let tokens: Vec<_> = tokens.map(|token| Secret::text(TOKEN, token)).collect();
    let mut secrets: Vec<_> = people.iter().flat_map(|(_, it)| it.secrets()).collect();
    secrets.extend(tokens.iter().chain(also).cloned());
    let mut leaks = Vec::new();
    for letter in &letters {
        let own = [letter.to(), letter.token().unwrap_or_default()];
        let others = secrets.iter().filter(|secret| {
            let is_own = |own: &&str| secret.bytes == own.as_bytes();
            !own.iter().any(is_own)
        });
        let hunt = Hunt::new(&others.cloned().collect::<Vec<_>>())?;
        let to = people
            .iter()
            .find(|(_, it)| it.addresses().contains(&letter.to()));
        let to = to.map_or("somebody else", |(who, _)| who);
        let place = format!("the letter “{}” to {to}", letter.head("Subject:"));
        leaks.extend(hunt.search(&place, letter.0.as_bytes()));
        // A transfer encoding breaks lines wherever it likes.
        let joined = letter.0.replace("=\n", "").replace('\n', "");
        leaks.extend(hunt.search(&format!("{place}, lines joined"), joined.as_bytes()));
    }
    Ok(Letters {
        count: letters.len(),
        leaks,
        tokens,
    })
}
