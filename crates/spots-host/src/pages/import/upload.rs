//! The form of an import, which carries a file: `multipart/form-data` (RFC 7578).

use std::collections::BTreeMap;

use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::browser::Trouble;
use crate::error::ServiceError;

/// The largest calendar that a page takes, in bytes; `spots import` takes larger ones.
const CALENDAR_BYTES_MAX: usize = 1024 * 1024;
/// The most bytes of an import's form: a calendar as base64url, and the rest.
pub(in crate::pages) const BODY_BYTES_MAX: usize = CALENDAR_BYTES_MAX.div_ceil(3) * 4 + 64 * 1024;
/// The most parts of the form.
const PARTS_MAX: usize = 16;

/// [`CALENDAR_BYTES_MAX`] in words.
pub(super) fn size_max() -> String {
    format!("{} MB", CALENDAR_BYTES_MAX / (1024 * 1024))
}

/// How to mend a calendar that is larger.
pub(super) fn too_large() -> String {
    let most = size_max();
    format!("This file has more than {most}. Export a shorter range of your calendar.")
}

/// What an import's form carries.
#[derive(Debug, Default)]
pub(in crate::pages) struct Upload {
    texts: BTreeMap<String, String>,
    file_name: String,
    file: Vec<u8>,
    too_large: bool,
}

impl Upload {
    /// The text of a field; empty where there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.texts.get(name).map_or("", String::as_str)
    }

    /// Whether the form was too large to read to its end.
    pub(super) fn is_cut_off(&self) -> bool {
        self.too_large
    }

    /// What the file was called.
    pub(super) fn file_name(&self) -> &str {
        &self.file_name
    }

    /// The calendar: the file, or what the first step carried here. Else how to mend it.
    pub(super) fn calendar(&self) -> Result<Vec<u8>, String> {
        let bytes = match self.texts.get("carried") {
            Some(carried) => URL_SAFE_NO_PAD
                .decode(carried)
                .or(Err("Choose the file once more.".to_owned()))?,
            None => self.file.clone(),
        };
        if bytes.len() > CALENDAR_BYTES_MAX {
            return Err(too_large());
        }
        if bytes.is_empty() {
            return Err("Choose the calendar file that you exported (.ics).".to_owned());
        }
        Ok(bytes)
    }

    async fn take(&mut self, field: Field<'_>) -> Result<(), MultipartError> {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "calendar" {
            field
                .file_name()
                .unwrap_or("the file")
                .clone_into(&mut self.file_name);
            self.file = field.bytes().await?.to_vec();
        } else {
            let text = field.text().await?;
            self.texts.insert(name, text);
        }
        Ok(())
    }
}

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = Trouble;

    async fn from_request(request: Request, state: &S) -> Result<Self, Trouble> {
        let unreadable = || {
            Trouble::from(ServiceError::field(
                "calendar",
                "malformed",
                "The form cannot be read; go back and choose the file again.",
            ))
        };
        let Ok(mut parts) = Multipart::from_request(request, state).await else {
            return Err(unreadable());
        };
        let mut upload = Self::default();
        for _ in 0..PARTS_MAX {
            let taken = match parts.next_field().await {
                Ok(Some(field)) => upload.take(field).await,
                Ok(None) => return Ok(upload),
                Err(error) => Err(error),
            };
            match taken {
                Ok(()) => {}
                Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                    upload.too_large = true;
                    return Ok(upload);
                }
                Err(_) => return Err(unreadable()),
            }
        }
        Err(unreadable())
    }
}
