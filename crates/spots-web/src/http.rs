//! What requests and responses have in common: who asks, what is refused at the door, what every
//! answer carries.

pub(crate) mod finish;
pub(crate) mod guard;
mod request;
mod session;
pub(crate) mod trace;

pub use request::{MaybeMe, Me};
pub use session::{clear_session_cookie, session_cookie, session_token};
