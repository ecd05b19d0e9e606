//! The issuer: codes become tokens, tokens and proofs become certificates.
//!
//! The messages are those of OpenID4VCI 1.0, read and written by `openid4vc`.

mod keys;

use std::sync::Arc;

use credential::jose;
use credential::time::UnixTime;
use openid4vc::uri::HttpsUri;
use openid4vc::vci::{CERTIFICATE, CredentialRequest, CredentialRequestError, ProofError};
use store::{NewToken, NonceInserted, Redemption, SessionId, SessionStore, StoreError};
use zeroize::Zeroizing;

pub use keys::{Clock, EpochKey, EpochKeys, KeyFolderError};

use crate::enrolment::{CertificateRequest, Enrolments, IssueError};
use crate::secret;

/// How long an access token is good at most, in seconds.
const TOKEN_SECS: u64 = 600;
/// How long a nonce is good at most, in seconds.
const NONCE_SECS: u64 = 300;

/// The issuer.
pub struct Issuer {
    identifier: HttpsUri,
    enrolments: Arc<Enrolments>,
    sessions: Arc<dyn SessionStore>,
    keys: Arc<EpochKeys>,
    token_secs: u64,
    nonce_secs: u64,
    nonces_max: u64,
}

/// An access token.
pub struct Token {
    /// The token, 43 characters.
    pub token: Zeroizing<String>,
    /// How long it is good, in seconds.
    pub expires_in: u64,
}

/// Why no nonce is handed out.
#[derive(Debug, thiserror::Error)]
pub enum NonceError {
    /// As many as there may be are out.
    #[error("too many nonces are out")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
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
    /// The request cannot be read.
    #[error(transparent)]
    Request(#[from] CredentialRequestError),
    /// The proof is not signed by the key it names, or for another issuer.
    #[error(transparent)]
    Proof(#[from] ProofError),
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

impl Issuer {
    /// An issuer of this name for the sessions of `enrolments`. It has at most `nonces_max` nonces
    /// out at a time: anybody may ask for one.
    #[must_use]
    pub fn new(
        identifier: HttpsUri,
        enrolments: Arc<Enrolments>,
        sessions: Arc<dyn SessionStore>,
        keys: Arc<EpochKeys>,
        nonces_max: u64,
    ) -> Issuer {
        // Neither is of use when the session it belongs to has ended.
        let session_secs = enrolments.session_secs();
        let (token_secs, nonce_secs) = (TOKEN_SECS.min(session_secs), NONCE_SECS.min(session_secs));
        Issuer {
            identifier,
            enrolments,
            sessions,
            keys,
            token_secs,
            nonce_secs,
            nonces_max,
        }
    }

    /// The credential issuer identifier.
    #[must_use]
    pub fn identifier(&self) -> &HttpsUri {
        &self.identifier
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
            expires: now.plus_secs(self.token_secs),
        };
        let unlock = secret::unlock_hash(code, transaction_code);
        match self
            .sessions
            .redeem_code(secret::hash(code), unlock, stored, now)
            .await?
        {
            Redemption::Redeemed(_) => Ok(Token {
                token,
                expires_in: self.token_secs,
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
    /// The variants of [`NonceError`].
    pub async fn nonce(&self, now: UnixTime) -> Result<String, NonceError> {
        let nonce = secret::random_nonce();
        let (hash, expires) = (secret::hash(&nonce), now.plus_secs(self.nonce_secs));
        let at_most = self.nonces_max;
        match self.sessions.insert_nonce(hash, expires, at_most).await? {
            NonceInserted::Done => Ok(nonce),
            NonceInserted::TooMany => Err(NonceError::TooMany),
        }
    }

    /// Issues a certificate for a credential request, or repeats the one issued for the very same
    /// request, which is given byte for byte.
    ///
    /// # Errors
    ///
    /// The variants of [`CredentialError`].
    pub async fn issue(
        &self,
        token: &str,
        body: &[u8],
        now: UnixTime,
    ) -> Result<String, CredentialError> {
        let session = self.session_of(token, now).await?;
        let request = self.parse(body)?;
        let current = self.keys.current(now)?;
        let key = (current.epoch(), current.secret());
        Ok(self.enrolments.issue(session, &request, key, now).await?)
    }

    async fn session_of(&self, token: &str, now: UnixTime) -> Result<SessionId, CredentialError> {
        let found = self.sessions.find_token(secret::hash(token), now).await?;
        found.ok_or(CredentialError::InvalidToken)
    }

    fn parse(&self, body: &[u8]) -> Result<CertificateRequest, CredentialError> {
        let request = CredentialRequest::parse(body, &[CERTIFICATE])?;
        let (device_key, proof) = request.proof.verify(&self.identifier)?;
        Ok(CertificateRequest {
            digest: jose::sha256(body),
            device_key,
            nonce: proof.nonce,
            commitment: proof.commitment,
            proof: proof.proof,
        })
    }
}
