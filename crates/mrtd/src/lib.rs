//! Travel documents.
#![forbid(unsafe_code)]

mod mrz;
mod state;
mod time;

pub use mrz::{BadCharacter, Field, Mrz, MrzError, MrzFields, Sex, check_digit};
pub use state::{CountryCode, NotAState, StateCode};
pub use time::{CalendarDate, NoSuchDay, UnixTime};
