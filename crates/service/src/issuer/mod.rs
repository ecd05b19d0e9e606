//! The issuer: codes become tokens, tokens and proofs become certificates.
//!
//! The messages around these steps are OpenID4VCI's; this module knows their content only.

mod keys;

use std::sync::Arc;

use credential::jose::{self, PublicKey, jws};
use credential::origin::Origin;
use credential::time::UnixTime;
use serde::Deserialize;
use store::{Consumed, NewToken, Redemption, SessionId, SessionStore, StoreError};
use zeroize::Zeroizing;

pub use keys::{EpochKey, EpochKeys, KeyFolderError};

use crate::enrolment::{CertificateRequest, Enrolments, IssueError};
use crate::secret;

/// `typ` of the proof in a credential request.
const PROOF_TYP: &str = "bauta-commitment+jwt";
/// How long an access token is good, in seconds.
const TOKEN_SECS: u64 = 600;
/// How long a nonce is good, in seconds.
const NONCE_SECS: u64 = 300;
/// How far a wallet's clock may be from ours, in seconds.
const CLOCK_SKEW_SECS: u64 = 300;

/// The issuer.
pub struct Issuer {
    origin: Origin,
    enrolments: Arc<Enrolments>,
    sessions: Arc<dyn SessionStore>,
    keys: Arc<EpochKeys>,
}

/// An access token.
pub struct Token {
    /// The token, 43 characters.
    pub token: Zeroizing<String>,
    /// How long it is good, in seconds.
    pub expires_in: u64,
}

/// Why a code buys no token.
#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    /// The code is unknown, expired, used or ended. RFC 6749 §5.2 `invalid_grant`.
    #[error("code is unknown, expired or used")]
    InvalidGrant,
    /// The transaction code is wrong.
    #[error("transaction code is wrong, {attempts_left} attempts are left")]
    WrongTransactionCode {
        /// Attempts that are left; with none the code has ended.
        attempts_left: u8,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a credential request is refused.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The access token is unknown or expired.
    #[error("access token is unknown or expired")]
    InvalidToken,
    /// The proof is malformed, for another issuer, or not made just now.
    #[error("proof is malformed or not for this issuer")]
    InvalidProof,
    /// The nonce is unknown, expired or used.
    #[error("nonce is unknown, expired or used")]
    InvalidNonce,
    /// The certificate cannot be issued.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// The keys of this epoch are not there.
    #[error(transparent)]
    Keys(#[from] KeyFolderError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the wallet signs with its device key. Unknown members are refused: the format is ours.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProofClaims {
    aud: String,
    nonce: String,
    iat: UnixTime,
    commitment: String,
    proof: String,
}

impl Issuer {
    /// An issuer for the sessions of `enrolments`.
    #[must_use]
    pub fn new(
        origin: Origin,
        enrolments: Arc<Enrolments>,
        sessions: Arc<dyn SessionStore>,
        keys: Arc<EpochKeys>,
    ) -> Issuer {
        Issuer {
            origin,
            enrolments,
            sessions,
            keys,
        }
    }

    /// The credential issuer identifier.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Exchanges a pre-authorized code and its transaction code for an access token, once.
    ///
    /// # Errors
    ///
    /// The variants of [`RedeemError`].
    pub async fn redeem(
        &self,
        code: &str,
        transaction_code: &str,
        now: UnixTime,
    ) -> Result<Token, RedeemError> {
        let token = secret::random_text();
        let stored = NewToken {
            token: secret::hash(&token),
            expires: now.plus_secs(TOKEN_SECS),
        };
        let unlock = secret::unlock_hash(code, transaction_code);
        match self
            .sessions
            .redeem_code(secret::hash(code), unlock, stored, now)
            .await?
        {
            Redemption::Redeemed(_) => Ok(Token {
                token,
                expires_in: TOKEN_SECS,
            }),
            Redemption::InvalidCode => Err(RedeemError::InvalidGrant),
            Redemption::WrongTransactionCode { attempts_left } => {
                Err(RedeemError::WrongTransactionCode { attempts_left })
            }
        }
    }

    /// A fresh nonce for one proof.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn nonce(&self, now: UnixTime) -> Result<String, StoreError> {
        let nonce = secret::random_nonce();
        self.sessions
            .insert_nonce(secret::hash(&nonce), now.plus_secs(NONCE_SECS))
            .await?;
        Ok(nonce)
    }

    /// Issues a certificate for a proof, or repeats the one issued for the very same proof.
    ///
    /// # Errors
    ///
    /// The variants of [`CredentialError`].
    pub async fn issue(
        &self,
        token: &str,
        statement: &str,
        now: UnixTime,
    ) -> Result<String, CredentialError> {
        let session = self.session_of(token, now).await?;
        if let Some(issued) = self
            .enrolments
            .issued_before(session, statement, now)
            .await?
        {
            return Ok(issued);
        }
        let request = self.parse_proof(statement, now)?;
        match self
            .sessions
            .consume_nonce(secret::hash(&request.nonce), now)
            .await?
        {
            Consumed::First => {}
            Consumed::Refused => return Err(CredentialError::InvalidNonce),
        }
        let current = self.keys.current(now)?;
        let key = (current.epoch(), current.secret());
        Ok(self.enrolments.issue(session, &request, key, now).await?)
    }

    async fn session_of(&self, token: &str, now: UnixTime) -> Result<SessionId, CredentialError> {
        let found = self.sessions.find_token(secret::hash(token), now).await?;
        found.ok_or(CredentialError::InvalidToken)
    }

    /// Checks everything about a proof that needs no session.
    fn parse_proof(
        &self,
        statement: &str,
        now: UnixTime,
    ) -> Result<CertificateRequest, CredentialError> {
        let invalid = || CredentialError::InvalidProof;
        let jws = jws::UnverifiedJws::parse(statement).map_err(|_| invalid())?;
        let device_key: PublicKey = jws.header().jwk.ok_or_else(invalid)?;
        let claims: ProofClaims = jws.verify(&device_key, PROOF_TYP).map_err(|_| invalid())?;
        let in_time = claims.iat <= now.plus_secs(CLOCK_SKEW_SECS)
            && now <= claims.iat.plus_secs(NONCE_SECS + CLOCK_SKEW_SECS);
        if claims.aud != self.origin.as_str() || !in_time {
            return Err(invalid());
        }
        Ok(CertificateRequest {
            statement: statement.to_owned(),
            device_key,
            nonce: claims.nonce,
            commitment: jose::decode(&claims.commitment).map_err(|_| invalid())?,
            proof: jose::decode(&claims.proof).map_err(|_| invalid())?,
        })
    }
}
