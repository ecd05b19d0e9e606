//! The rows of [`super::AccountStore`].

use crate::account::{Account, DeviceKey, PseudonymIndex};
use crate::bearer::BearerHash;
use crate::ids::{LoginId, Subject};
use credential::age::Years;
use credential::time::{Day, Epoch, UnixTime};

/// Counts the changes of one log-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version(pub u32);

/// A log-in's state with the version it was read at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// To be named when the state is replaced.
    pub version: Version,
    /// The state as it was written.
    pub state: Vec<u8>,
}

/// One step of a log-in: happens only if it still stands at `read`.
#[derive(Clone, Debug)]
pub struct LoginStep {
    /// Which log-in.
    pub id: LoginId,
    /// The version the step was decided on.
    pub read: Version,
    /// The state after the step.
    pub next: Vec<u8>,
}

/// What a presentation does to the accounts.
#[derive(Clone, Debug)]
pub enum AccountChange {
    /// A person who was not here before.
    Create(Account),
    /// A known person with a new device.
    AddDevice {
        /// Whose.
        subject: Subject,
        /// The new device's key.
        key: DeviceKey,
        /// Today.
        added: Day,
        /// Where the account belongs, after a change of the site key too.
        index: PseudonymIndex,
        /// The age that was proved now.
        age_over: Option<Years>,
    },
    /// A known person with a known device.
    Keep {
        /// Whose.
        subject: Subject,
        /// Where the account belongs, after a change of the site key too.
        index: PseudonymIndex,
        /// The age that was proved now.
        age_over: Option<Years>,
    },
}

/// A browser that is logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Of its cookie.
    pub hash: BearerHash,
    /// Whose account.
    pub subject: Subject,
    /// How and when the person logged in, as the gateway encodes it.
    pub authentication: Vec<u8>,
    /// When it ends.
    pub expires: UnixTime,
}

/// An authorization code that waits to be redeemed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeRow {
    /// Of the code.
    pub hash: BearerHash,
    /// The session it was given out in.
    pub session: BearerHash,
    /// What it stands for, as the gateway encodes it.
    pub grant: Vec<u8>,
    /// When it ends.
    pub expires: UnixTime,
}

/// An access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// Of the token.
    pub hash: BearerHash,
    /// The session its code was given out in.
    pub session: BearerHash,
    /// What it stands for, as the gateway encodes it.
    pub grant: Vec<u8>,
    /// When it ends.
    pub expires: UnixTime,
}

/// What became of an attempt to redeem a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redemption {
    /// The token is kept.
    Redeemed,
    /// The code was redeemed before; the token of the first time is taken back.
    Replayed,
    /// There is no such code.
    Unknown,
}

/// The manifest the operator signed, as it was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestRow {
    /// The current epoch it was made in.
    pub epoch: Epoch,
    /// The signed text.
    pub jws: String,
}
