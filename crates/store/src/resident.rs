//! What a register of residents knows, as a connector reads it.

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::StoreError;

/// The state of a card or permit, whatever its dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardState {
    /// Issued and not withdrawn.
    Valid,
    /// Lost, replaced or taken back.
    Withdrawn,
    /// The register does not say.
    Unknown,
}

/// Whether the person lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifeState {
    /// Alive.
    Alive,
    /// Dead.
    Deceased,
    /// The register does not say.
    Unknown,
}

/// What the register has under a number. Wiped when dropped.
pub struct ResidentRecord {
    /// The name, in any spelling.
    pub name: Zeroizing<String>,
    /// Birth date, `YYYY-MM-DD`.
    pub birth: Option<Zeroizing<String>>,
    /// First day of the card, `YYYY-MM-DD`.
    pub valid_from: Option<Zeroizing<String>>,
    /// Last day of the card, `YYYY-MM-DD`, or `unlimited`.
    pub valid_to: Option<Zeroizing<String>>,
    /// The card's state.
    pub card: CardState,
    /// The person's state.
    pub life: LifeState,
}

/// A record with its key, to be put into the table.
pub struct NewResident {
    /// Kind of number, as on the wire.
    pub kind: String,
    /// The number, without spaces, letters as capitals.
    pub number: Zeroizing<String>,
    /// What stands under it.
    pub record: ResidentRecord,
}

/// What is found under a number.
pub enum ResidentFound {
    /// Nothing.
    None,
    /// One person.
    One(ResidentRecord),
    /// More than one, so nobody can be told by it.
    Several,
}

/// A register of residents, read only.
#[async_trait]
pub trait ResidentTable: Send + Sync {
    /// What stands under this number of this kind.
    async fn find(
        &self,
        kind: &'static str,
        number: &Zeroizing<String>,
    ) -> Result<ResidentFound, StoreError>;
}
