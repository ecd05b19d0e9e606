//! People whose cards no reader of ours can open: they give a number and a name, and an
//! authoritative register says whether they are theirs.
//!
//! The number alone is no evidence, and neither is the register's answer: it says that number and
//! name belong together, not that whoever gives them is that person.

mod claim;
mod connector;
mod contract;
mod date;
pub(crate) mod gb11643;
mod iso3166;
mod kind;
mod name;
mod number;
mod row;

pub use claim::{
    AuthoritativeRegister, CardDates, Inquiry, NotConfirmed, RegisterError, ResidentClaim,
    WrongBirth,
};
pub use connector::{AnswerCounts, Connector, ConnectorError, ConnectorSetup};
pub use contract::{
    AnswerInvalid, DocumentState, MatchResult, PersonState, RegisterAnswer, TokenError,
};
pub use date::{IsoDate, LastDay, NotADate};
pub use kind::NumberKind;
pub use name::{NotAName, PersonName};
pub use number::{NumberError, ResidentNumber};
pub use row::{RowError, read_row};
