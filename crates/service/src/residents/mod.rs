//! People whose cards no reader of ours can open: they give a number and a name, and an
//! authoritative register says whether they are theirs.

pub(crate) mod gb11643;
mod kind;
mod name;
mod number;

pub use kind::NumberKind;
pub use name::{NotAName, PersonName};
pub use number::{Nationality, NumberError, ResidentNumber};
