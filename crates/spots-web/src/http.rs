//! What requests and responses have in common: who asks, what is refused at the door, what every
//! answer carries.

pub(crate) mod finish;
pub(crate) mod guard;
pub(crate) mod metrics;
mod operator;
mod request;
mod session;
pub(crate) mod trace;

pub use operator::{MaybeOperator, MeOperator};
pub use request::{MaybeMe, Me};
pub use session::{clear_session_cookie, session_cookie, session_token};
