//! Lists in pages.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::desk::{Part, PartRequest};
use crate::error::ServiceError;

/// Items of a page when nothing else is said.
pub const PER_PAGE: u32 = 20;
/// The most items of a page.
pub const PER_PAGE_MAX: u32 = 100;
/// The last page that can be asked for.
pub const PAGE_MAX: u32 = 1000;

/// Which part of a list.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// Counts from 1.
    #[param(minimum = 1, maximum = 1000, default = 1)]
    pub page: Option<u32>,
    /// Items of a page.
    #[param(minimum = 1, maximum = 100, default = 20)]
    pub per_page: Option<u32>,
}

/// Part of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct List<T> {
    /// The items.
    pub items: Vec<T>,
    /// Which page this is, from 1.
    pub page: u32,
    /// Items of a page.
    pub per_page: u32,
    /// The page to ask for next; `null` at the end.
    #[schema(required)]
    pub next_page: Option<u32>,
}

impl PageParams {
    /// What to read, within the limits.
    pub fn part(self) -> Result<PartRequest, ServiceError> {
        let page = self.page.unwrap_or(1);
        let per_page = self.per_page.unwrap_or(PER_PAGE);
        if !(1..=PAGE_MAX).contains(&page) {
            let message = format!("Ask for page 1 to {PAGE_MAX}.");
            return Err(ServiceError::field("page", "out-of-range", message));
        }
        if !(1..=PER_PAGE_MAX).contains(&per_page) {
            let message = format!("Ask for 1 to {PER_PAGE_MAX} items a page.");
            return Err(ServiceError::field("perPage", "out-of-range", message));
        }
        Ok(PartRequest {
            offset: (page - 1) * per_page,
            limit: per_page,
        })
    }

    /// The answer's form of what was read.
    pub fn list<T, U>(self, part: Part<T>, form: impl FnMut(T) -> U) -> List<U> {
        let page = self.page.unwrap_or(1);
        List {
            items: part.items.into_iter().map(form).collect(),
            page,
            per_page: self.per_page.unwrap_or(PER_PAGE),
            next_page: (part.more && page < PAGE_MAX).then_some(page + 1),
        }
    }
}
