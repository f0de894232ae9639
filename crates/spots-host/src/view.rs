//! Typed contexts of the pages that hosts reach, and the parts that every page shares.
//!
//! A context holds what its template prints and nothing else: text, numbers and the enums of this
//! module, with times and amounts already written for the reader. The template is checked against
//! it by the compiler and escapes by default. Each context can show [`Samples`] of itself, which a
//! test renders and compares.
//!
//! Forms are plain `POST`s that work without scripts; `htmx` improves them. They carry no token:
//! the handlers must refuse a `POST` that a browser marks as sent from another site.

mod event_list;
mod field;
mod form;
mod guests;
mod host_home;
mod hosts;
mod import;
mod members;
mod moment;
mod new_event;
mod page;
mod pager;
mod problem;
mod requirements;
mod sample;

pub use event_list::{HostEventRow, HostEventsPage, Period};
pub use field::Field;
pub use form::{Choice, FormError, FormErrors};
pub use guests::{GuestRow, GuestsPage};
pub use host_home::{AskSummary, HostHomePage};
pub use hosts::{HostHead, HostRow, HostTab, HostsPage, NewHostForm};
pub use import::{ImportPage, ImportPreview, ImportedEvent, SkippedEntry};
pub use members::MembersPage;
pub use moment::{DateBadge, EventTime, Moment, Places};
pub use new_event::{NewEventForm, NewEventPage, SetTimesForm, TableHoursForm};
pub use page::{Flash, FlashKind, NavEntry, Page, Reader, Section};
pub use pager::Pager;
pub use problem::{NextStep, ProblemPage};
pub use requirements::{AdditionalKind, AdditionalRow, Ask, RequirementRow, RequirementsPage};
pub use sample::{Sample, Samples};
