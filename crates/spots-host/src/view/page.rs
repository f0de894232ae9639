//! What stands around the content of every page: title, navigation, a message.

/// The head of a page, shared by all contexts as their field `page`.
#[derive(Debug, Clone)]
pub struct Page {
    /// The document's title, without the product's name.
    pub title: String,
    /// Who reads the page.
    pub reader: Reader,
    /// The part of the site that the page belongs to.
    pub section: Section,
    /// The result of what the reader just did.
    pub flash: Option<Flash>,
}

impl Page {
    /// A page without a message.
    pub fn new(title: impl Into<String>, reader: Reader, section: Section) -> Self {
        Self {
            title: title.into(),
            reader,
            section,
            flash: None,
        }
    }

    /// Adds the result of what the reader just did.
    #[must_use]
    pub fn with_flash(mut self, flash: Option<Flash>) -> Self {
        self.flash = flash;
        self
    }

    /// Whether the reader is signed in.
    pub fn is_signed_in(&self) -> bool {
        self.reader == Reader::Person
    }

    /// The entries of the navigation that this reader can use.
    pub fn nav(&self) -> Vec<NavEntry> {
        let all = [
            (Section::Events, "/", "Events"),
            (Section::Bookings, "/me/bookings", "Bookings"),
            (Section::Sharing, "/me/sharing", "Sharing"),
            (Section::Hosting, "/host", "Hosting"),
        ];
        let usable = if self.is_signed_in() { all.len() } else { 1 };
        let entry = |(section, address, label): (Section, &str, &'static str)| NavEntry {
            address: address.to_owned(),
            label,
            current: section == self.section,
        };
        all.into_iter().take(usable).map(entry).collect()
    }

    /// Whether the page is part of the reader's account.
    pub fn is_in_account(&self) -> bool {
        self.section == Section::Account
    }
}

/// One entry of a navigation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NavEntry {
    /// Where it leads.
    pub address: String,
    /// What it says.
    pub label: &'static str,
    /// Whether the reader is there.
    pub current: bool,
}

/// Who reads a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Nobody is signed in.
    Visitor,
    /// Somebody is signed in. Pages do not address them by name: it is sealed, and not needed here.
    Person,
}

/// The navigation entry that a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Events to book.
    Events,
    /// The reader's bookings.
    Bookings,
    /// What the reader shares.
    Sharing,
    /// The reader's hosts.
    Hosting,
    /// The reader's account.
    Account,
    /// None of them.
    Elsewhere,
}

/// A message about what the reader just did, announced to assistive technology.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flash {
    /// Whether it worked.
    pub kind: FlashKind,
    /// One or two sentences.
    pub text: String,
}

impl Flash {
    /// Something worked.
    pub fn done(text: impl Into<String>) -> Self {
        Self {
            kind: FlashKind::Done,
            text: text.into(),
        }
    }

    /// Whether it reports a success.
    pub fn is_done(&self) -> bool {
        self.kind == FlashKind::Done
    }

    /// Something did not work; the text names the next step.
    pub fn problem(text: impl Into<String>) -> Self {
        Self {
            kind: FlashKind::Problem,
            text: text.into(),
        }
    }
}

/// Whether a message reports a success or a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlashKind {
    /// It worked.
    Done,
    /// It did not.
    Problem,
}
