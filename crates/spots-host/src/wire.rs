//! What hosts read and write: JSON in `camelCase`. No type here can hold an agent id.

mod event;
mod guest;
mod guest_table;
mod host;
mod list;
mod members;
mod moment;
mod requirements;
mod user_data;
mod words;

pub use event::{
    CalledOffBody, EventBody, EventListItem, NewEventBody, OccurrenceBody, SlotBody, TableHoursBody,
};
pub use guest::GuestBody;
pub use guest_table::GuestTable;
pub use host::{HostBody, NewHostBody};
pub use list::{List, PAGE_MAX, PER_PAGE, PER_PAGE_MAX, PageParams};
pub use members::{MemberListBody, SetMemberListBody};
pub use moment::{Instant, Minute};
pub use requirements::{RequirementBody, RequirementsBody, SetRequirementsBody};
pub use user_data::{AdditionalValue, EventUserData};
pub use words::{AskWord, EventTypeWord, HostKindWord, ValueTypeWord, VoucherWord, WeekdayWord};
