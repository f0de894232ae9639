//! Steps through a long list.

/// Where a page of a list stands, and the addresses of its neighbours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pager {
    /// What is shown, for example `1 to 20 of 134`; empty where the whole list is shown.
    pub position: String,
    /// Address of the page before, with all filters.
    pub previous: Option<String>,
    /// Address of the page after, with all filters.
    pub next: Option<String>,
}

impl Pager {
    /// A list that fits on one page.
    pub fn whole() -> Self {
        Self::default()
    }

    /// Whether there is anything to step to.
    pub fn is_needed(&self) -> bool {
        self.previous.is_some() || self.next.is_some()
    }
}
