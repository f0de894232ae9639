//! What handlers of pages take in and give out, the same for hosts and for everyone else.
//!
//! A form is read into a [`Form`], an address into a [`Query`]; a page goes out by [`show`], a form
//! that is done by [`see_other`], and what went wrong as a [`Trouble`].

mod answer;
mod form;
mod reading;
mod trouble;
pub mod words;

pub use answer::{encode, is_part, page_number, pager, see_other, show, show_as, sign_in_first};
pub use form::{Form, Query};
pub use reading::{Reading, ZONE_COOKIE};
pub use trouble::{Trouble, of_form, sentence, status};
