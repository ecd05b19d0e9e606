//! Enrolment: from a document to the right to a certificate.
//!
//! A session lives in memory only, for a quarter of an hour, and is lost with the process by
//! design. Its steps, in order: awaiting consent → awaiting evidence → awaiting the chip (where it
//! can prove itself) → awaiting the face (where that is agreed to) → checked, where a machine may
//! decide, or awaiting an officer → confirmed → offered → issued; or refused. Each step
//! consumes the one before, and what it no longer needs is wiped: the portrait and the raw data
//! groups with the decision, the attributes with the certificate. Each also counts the session's
//! version up, which a wallet names with what it sends: so a request that was made for another step
//! changes nothing.

mod chip;
mod commitment;
mod decision;
mod document;
mod examination;
mod face;
mod issuing;
mod mismatches;
mod notice;
mod resident;
mod review;
mod session;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use credential::attributes::{Attributes, Generation};
use credential::jose::{self, PublicKey};
use credential::origin::Origin;
use credential::time::UnixTime;
use mrtd::TrustStore;
use store::{RegisterStore, SessionId, SessionStore, StoreError};

pub use chip::{ChipChallenge, ChipProof, SignatureNonce, signed_challenge};
pub use commitment::{CommitmentRequest, Offered, UnlockedBy};
pub use decision::{EvidenceView, OfficerCode};
pub use document::{DocumentError, DocumentUpload, attributes};
pub use examination::FaceCheck;
pub use face::{
    CaptureUpload, FaceChallenge, FaceError, FaceFinding, FaceStatus, FaceUpload, UnixMillis,
};
pub use issuing::{CertificateRequest, IssueError};
pub use notice::{Consent, Notice, NoticeScope};
pub use resident::{ResidentUpload, resident_attributes};
pub use review::ReviewReason;

pub use crate::secret::TRANSACTION_CODE_DIGITS;

use mismatches::Mismatches;
use session::Session;

use crate::officer::OfficerError;
use crate::residents::AuthoritativeRegister;
use crate::secret;
use crate::tags::Quorum;

/// What enrolment rests on.
pub struct EnrolmentSetup {
    /// The origin that wallets know the operator by.
    pub origin: Origin,
    /// Limits.
    pub policy: EnrolmentPolicy,
    /// The states whose documents are accepted.
    pub trust: TrustStore,
    /// The trustees.
    pub quorum: Quorum,
    /// What people are told before they agree.
    pub notice: Notice,
    /// What compares faces, where a machine may.
    pub face: Option<FaceCheck>,
    /// The register that is asked about people whose cards no reader opens.
    pub authority: Option<Arc<dyn AuthoritativeRegister>>,
}

/// Limits of enrolment.
#[derive(Clone, Copy, Debug)]
pub struct EnrolmentPolicy {
    /// How long a session lives, in seconds.
    pub session_secs: u64,
    /// How many sessions there may be at a time.
    pub sessions_max: usize,
}

/// All enrolment sessions.
pub struct Enrolments {
    sessions: Mutex<HashMap<SessionId, Arc<tokio::sync::Mutex<Session>>>>,
    origin: Origin,
    policy: EnrolmentPolicy,
    trust: Arc<TrustStore>,
    quorum: Quorum,
    notice: Notice,
    face: Option<Arc<FaceCheck>>,
    mismatches: Mismatches,
    authority: Option<Arc<dyn AuthoritativeRegister>>,
    register: Arc<dyn RegisterStore>,
    codes: Arc<dyn SessionStore>,
}

/// How often a session has moved on, from 1 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version(pub u32);

/// A wallet's hold on its session: the token, and the version that the wallet has seen.
#[derive(Clone, Copy)]
pub struct Hold<'t> {
    /// The session.
    pub session: SessionId,
    /// Its token.
    pub token: &'t str,
    /// The version that the request was made for.
    pub version: Version,
}

/// What a wallet gets when it begins.
pub struct Begun {
    /// The session's identifier, which an officer needs.
    pub session: SessionId,
    /// The bearer token of the session, 43 characters.
    pub token: zeroize::Zeroizing<String>,
    /// Nonce for the first proof.
    pub nonce: String,
    /// How long the session lives, in seconds.
    pub expires_in: u64,
}

/// Where a session is.
pub struct Status {
    /// The step.
    pub state: StateName,
    /// The version.
    pub version: Version,
    /// Nonce for the next proof.
    pub nonce: String,
    /// What the chip is asked, while its answer is awaited.
    pub chip: Option<ChipChallenge>,
    /// How far the face check is, while it is awaited.
    pub face: Option<FaceStatus>,
    /// Why an officer has to decide, while that is awaited; without what only officers are told.
    pub review: Option<Vec<ReviewReason>>,
    /// What is known about the person's registration, from the officer's decision on.
    pub confirmed: Option<ConfirmedStatus>,
    /// Why the session ended without a certificate.
    pub refusal: Option<Refusal>,
}

/// What the wallet needs to know once an officer has confirmed the person.
pub struct ConfirmedStatus {
    /// Whether the register knows the person.
    pub registration: Registration,
    /// The generation that will be certified.
    pub generation: Generation,
    /// What will be certified.
    pub attributes: Attributes,
}

/// Whether the register knows a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// It does not: the wallet commits to fresh secrets.
    None,
    /// It does: the wallet proves the commitment that is stored.
    Exists,
}

/// The names of the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateName {
    /// The person has to agree.
    AwaitingConsent,
    /// A document can be sent, or what else was chosen.
    AwaitingEvidence,
    /// The chip has to prove that it is the original one.
    AwaitingChip,
    /// The person has to show the face to a camera.
    AwaitingFace,
    /// All is checked; a decision can be asked for.
    Checked,
    /// An officer has to decide.
    AwaitingOfficer,
    /// The person is confirmed.
    Confirmed,
    /// A certificate can be fetched.
    Offered,
    /// The certificate was issued.
    Issued,
    /// The session ended without a certificate.
    Refused,
}

/// Why a session ended without a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The officer did not confirm the person.
    Officer,
    /// The numbers of the document lead to different persons.
    ConflictingNumbers,
    /// The person was registered in another session meanwhile.
    RegisteredMeanwhile,
    /// Somebody of the same name, birth date and sex was registered meanwhile.
    ReviewNeeded,
    /// The registration was ended.
    RegistrationEnded,
    /// The chip has not the key of the document.
    Chip,
    /// Number and name are not those of the authoritative register.
    NotInRegister,
    /// The authoritative register cannot tell.
    RegisterUndecided,
    /// The card has expired.
    CardExpired,
    /// The card was lost, replaced or taken back.
    CardWithdrawn,
    /// The person of this number has died.
    PersonDeceased,
    /// The person withdrew the consent.
    Withdrawn,
}

/// Why an enrolment step is refused.
#[derive(Debug, thiserror::Error)]
pub enum EnrolmentError {
    /// There are too many sessions at present.
    #[error("too many enrolments at present")]
    TooManySessions,
    /// Unknown or expired session, or a wrong token: which of them is not said.
    #[error("session is unknown or expired, or the token is wrong")]
    UnknownSession,
    /// The session is at another step.
    #[error("the session is at another step")]
    WrongStep,
    /// The session has moved on since the wallet has seen it: read where it is.
    #[error("the session has moved on")]
    Moved,
    /// The consent is about another notice than the present one.
    #[error("the notice is another one by now")]
    OtherNotice,
    /// Another kind of evidence was chosen.
    #[error("another kind of evidence was chosen")]
    NotChosen,
    /// The document is refused.
    #[error("the document is refused")]
    Document(#[source] DocumentError),
    /// The frames are refused; another try is left.
    #[error("the face check failed")]
    Face(#[source] FaceError),
    /// Too many faces are being compared; nothing has changed and the frames can be sent again.
    #[error("too many faces are being compared at present")]
    FaceCheckBusy,
    /// An officer's statement is refused.
    #[error(transparent)]
    Officer(#[from] OfficerError),
    /// The decision is about another session or other evidence.
    #[error("the decision is not about this evidence")]
    OtherEvidence,
    /// While the decision was carried out another reason for a review came up.
    #[error("there is another reason to look at it")]
    LookAgain,
    /// Another decision was made before.
    #[error("a decision was made before")]
    AlreadyDecided,
    /// No register is there that could be asked.
    #[error("no authoritative register is configured")]
    NoAuthority,
    /// The register did not answer; nothing has changed and the step can be repeated.
    #[error("the authoritative register does not answer")]
    AuthorityUnavailable,
    /// Too few trustees answered; nothing has changed and the step can be repeated.
    #[error("too few trustees answered")]
    TrusteesUnavailable,
    /// The register knows the person.
    #[error("the person is registered already")]
    AlreadyRegistered,
    /// The register does not know the person.
    #[error("the person is not registered")]
    NotRegistered,
    /// The commitment's proof does not hold, or it is not the stored commitment.
    #[error("the commitment or its proof is not the right one")]
    CommitmentMismatch,
    /// Another commitment was sent before.
    #[error("another commitment was sent before")]
    AlreadyCommitted,
    /// We failed.
    #[error("work on the enrolment failed")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Enrolments {
    /// No session yet.
    #[must_use]
    pub fn new(
        setup: EnrolmentSetup,
        register: Arc<dyn RegisterStore>,
        codes: Arc<dyn SessionStore>,
    ) -> Enrolments {
        let EnrolmentSetup {
            origin,
            policy,
            trust,
            quorum,
            notice,
            face,
            authority,
        } = setup;
        let (sessions, trust) = (Mutex::default(), Arc::new(trust));
        Enrolments {
            sessions,
            origin,
            policy,
            trust,
            quorum,
            notice,
            face: face.map(Arc::new),
            mismatches: Mismatches::new(),
            authority,
            register,
            codes,
        }
    }

    /// How long a session lives, in seconds.
    #[must_use]
    pub fn session_secs(&self) -> u64 {
        self.policy.session_secs
    }

    /// Begins an enrolment for the device with this key.
    ///
    /// # Errors
    ///
    /// [`EnrolmentError::TooManySessions`]
    pub fn begin(&self, device_key: PublicKey, now: UnixTime) -> Result<Begun, EnrolmentError> {
        let mut sessions = self.lock();
        if sessions.len() >= self.policy.sessions_max {
            return Err(EnrolmentError::TooManySessions);
        }
        let token = secret::random_text();
        let nonce = secret::random_nonce();
        let expires = now.plus_secs(self.policy.session_secs);
        let id = loop {
            let id = SessionId(secret::random());
            if let Entry::Vacant(place) = sessions.entry(id) {
                let token = secret::hash(&token);
                let session = Session::begin(id, token, device_key, nonce.clone(), expires);
                place.insert(Arc::new(tokio::sync::Mutex::new(session)));
                break id;
            }
        };
        Ok(Begun {
            session: id,
            token,
            nonce,
            expires_in: self.policy.session_secs,
        })
    }

    /// Where the wallet's session is.
    ///
    /// # Errors
    ///
    /// [`EnrolmentError::UnknownSession`]
    pub async fn status(
        &self,
        id: SessionId,
        token: &str,
        now: UnixTime,
    ) -> Result<Status, EnrolmentError> {
        let session = self.of_wallet(id, token, now).await?;
        Ok(session.status())
    }

    /// Wipes the sessions that have expired, and what is counted about documents.
    pub fn forget_expired(&self, now: UnixTime) {
        self.mismatches.forget(now);
        // A session that is being worked on is looked at again next time.
        let alive = |session: &Arc<tokio::sync::Mutex<Session>>| {
            session
                .try_lock()
                .map_or(true, |session| now < session.expires)
        };
        self.lock().retain(|_, session| alive(session));
    }

    /// Locks a wallet's session, which must be as the wallet has seen it.
    async fn of_wallet_at(
        &self,
        hold: Hold<'_>,
        now: UnixTime,
    ) -> Result<tokio::sync::OwnedMutexGuard<Session>, EnrolmentError> {
        let session = self.of_wallet(hold.session, hold.token, now).await?;
        session.check_version(hold.version)?;
        Ok(session)
    }

    /// Locks the session that `token` belongs to.
    async fn of_wallet(
        &self,
        id: SessionId,
        token: &str,
        now: UnixTime,
    ) -> Result<tokio::sync::OwnedMutexGuard<Session>, EnrolmentError> {
        let session = self.locked(id, now).await?;
        if !secret::matches(token, &session.token) {
            return Err(EnrolmentError::UnknownSession);
        }
        Ok(session)
    }

    /// Locks a session; steps of one session run one after the other.
    async fn locked(
        &self,
        id: SessionId,
        now: UnixTime,
    ) -> Result<tokio::sync::OwnedMutexGuard<Session>, EnrolmentError> {
        let found = self.lock().get(&id).map(Arc::clone);
        let session = found
            .ok_or(EnrolmentError::UnknownSession)?
            .lock_owned()
            .await;
        if now >= session.expires {
            return Err(EnrolmentError::UnknownSession);
        }
        Ok(session)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Arc<tokio::sync::Mutex<Session>>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session identifier as text, 22 characters.
#[must_use]
pub fn session_text(id: SessionId) -> String {
    jose::encode(id.0)
}

/// The session identifier of a text.
#[must_use]
pub fn parse_session(text: &str) -> Option<SessionId> {
    jose::decode(text).ok()?.try_into().ok().map(SessionId)
}

impl StateName {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            StateName::AwaitingConsent => "awaiting_consent",
            StateName::AwaitingEvidence => "awaiting_evidence",
            StateName::AwaitingChip => "awaiting_chip",
            StateName::AwaitingFace => "awaiting_face",
            StateName::Checked => "checked",
            StateName::AwaitingOfficer => "awaiting_officer",
            StateName::Confirmed => "confirmed",
            StateName::Offered => "offered",
            StateName::Issued => "issued",
            StateName::Refused => "refused",
        }
    }
}

impl Refusal {
    /// The stable identifier.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Refusal::Officer => "officer-refused",
            Refusal::ConflictingNumbers => "conflicting-numbers",
            Refusal::RegisteredMeanwhile => "already-registered",
            Refusal::ReviewNeeded => "review-needed",
            Refusal::RegistrationEnded => "registration-ended",
            Refusal::Chip => "chip-not-genuine",
            Refusal::NotInRegister => "not-in-register",
            Refusal::RegisterUndecided => "register-undecided",
            Refusal::CardExpired => "card-expired",
            Refusal::CardWithdrawn => "card-withdrawn",
            Refusal::PersonDeceased => "person-deceased",
            Refusal::Withdrawn => "consent-withdrawn",
        }
    }
}

#[cfg(test)]
mod tests;
