//! A host on the wire.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::HostKindWord;
use crate::desk::HostCard;

/// A host to add. Who adds it acts for it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewHostBody {
    /// What it is called, in one line.
    #[schema(min_length = 1, max_length = 200, example = "Café Mira")]
    pub name: String,
    /// What it is.
    pub kind: HostKindWord,
}

/// A host.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HostBody {
    /// Its id.
    #[schema(example = "host_AAAAAAAAAAAAAAAAAAAAAA")]
    pub host_id: String,
    /// What it is called.
    pub name: String,
    /// What it is.
    pub kind: HostKindWord,
}

impl From<&HostCard> for HostBody {
    fn from(host: &HostCard) -> Self {
        Self {
            host_id: host.id.to_string(),
            name: host.name.clone(),
            kind: host.kind.into(),
        }
    }
}
