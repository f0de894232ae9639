//! A host's own list of members, on the wire.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The list as it is to be.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetMemberListBody {
    /// E-mail addresses and member numbers (6 to 64 characters), without regard to case and space.
    /// None at all removes the list.
    #[schema(max_items = 5000)]
    pub entries: Vec<String>,
}

/// Personal data does not print.
impl fmt::Debug for SetMemberListBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetMemberListBody(…)")
    }
}

/// What can be told of a list.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MemberListBody {
    /// How many entries it has; one that came twice counts once.
    pub entries: u64,
}
