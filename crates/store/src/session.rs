//! What may be used once: codes, tokens, nonces, identifiers of signed requests. Only hashes are
//! stored, and nothing leads from here to a register row.

use async_trait::async_trait;
use credential::time::UnixTime;

use crate::StoreError;

/// A random identifier of an enrolment session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionId(pub [u8; 16]);

/// SHA-256 of a code, token, nonce or identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SecretHash(pub [u8; 32]);

/// Hash of the transaction code together with its pre-authorized code, so that six digits
/// cannot be searched for in the store alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnlockHash(pub [u8; 32]);

/// A pre-authorized code to be stored.
#[derive(Clone, Copy, Debug)]
pub struct NewCode {
    /// Hash of the code.
    pub code: SecretHash,
    /// Hash that the transaction code must lead to.
    pub unlock: UnlockHash,
    /// The session that the code stands for.
    pub session: SessionId,
    /// How often a wrong transaction code is taken before the code ends; at least 1.
    pub attempts: u8,
    /// The first second at which the code is no longer taken.
    pub expires: UnixTime,
}

/// An access token to be stored.
#[derive(Clone, Copy, Debug)]
pub struct NewToken {
    /// Hash of the token.
    pub token: SecretHash,
    /// The first second at which the token is no longer taken.
    pub expires: UnixTime,
}

/// What became of a redemption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redemption {
    /// The code is used up and the token stored.
    Redeemed(SessionId),
    /// The code is unknown, expired, used, or ended by wrong transaction codes.
    InvalidCode,
    /// The transaction code is wrong; this many attempts are left, and with none the code ended.
    WrongTransactionCode {
        /// Attempts that are left.
        attempts_left: u8,
    },
}

/// What became of something that may be used once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consumed {
    /// This was the first use.
    First,
    /// Unknown, expired or used before.
    Refused,
}

/// What became of a nonce that was to be handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceInserted {
    /// It is stored.
    Done,
    /// As many as there may be were handed out since the oldest that is stored; nothing was
    /// stored.
    TooMany,
}

/// Codes, tokens, nonces and identifiers, each consumed in the transaction that looks it up.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Stores a code.
    async fn insert_code(&self, code: NewCode) -> Result<(), StoreError>;

    /// Uses up a code and stores the token that it buys, in one transaction.
    async fn redeem_code(
        &self,
        code: SecretHash,
        unlock: UnlockHash,
        token: NewToken,
        now: UnixTime,
    ) -> Result<Redemption, StoreError>;

    /// The session that a token stands for, unless it is unknown or expired.
    async fn find_token(
        &self,
        token: SecretHash,
        now: UnixTime,
    ) -> Result<Option<SessionId>, StoreError>;

    /// Stores a nonce that is handed out, unless `at_most` were since the oldest that is stored.
    async fn insert_nonce(
        &self,
        nonce: SecretHash,
        expires: UnixTime,
        at_most: u64,
    ) -> Result<NonceInserted, StoreError>;

    /// Uses up a nonce.
    async fn consume_nonce(&self, nonce: SecretHash, now: UnixTime)
    -> Result<Consumed, StoreError>;

    /// Notes the identifier of a signed request until `expires`, when the request itself is no
    /// longer taken; refused if it was noted before.
    async fn insert_jti(&self, jti: SecretHash, expires: UnixTime) -> Result<Consumed, StoreError>;

    /// Forgets the codes and tokens of one session.
    async fn forget_session(&self, session: SessionId) -> Result<(), StoreError>;

    /// Forgets whatever has expired; writes nothing if nothing has.
    async fn forget_expired(&self, now: UnixTime) -> Result<(), StoreError>;
}
