//! Which card or permit a number stands on.

use serde::{Deserialize, Serialize};

/// The card or permit that a number stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberKind {
    /// The resident identity card of a citizen.
    Resident,
    /// The residence permit of a Hong Kong resident.
    HongKongPermit,
    /// The residence permit of a Macau resident.
    MacauPermit,
    /// The residence permit of a Taiwan resident.
    TaiwanPermit,
    /// The permanent resident identity card of a foreigner, of before or since December 2023.
    PermanentResident,
}

impl NumberKind {
    /// The name on the wire and in the table of a register.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            NumberKind::Resident => "resident",
            NumberKind::HongKongPermit => "hong_kong_permit",
            NumberKind::MacauPermit => "macau_permit",
            NumberKind::TaiwanPermit => "taiwan_permit",
            NumberKind::PermanentResident => "permanent_resident",
        }
    }
}
