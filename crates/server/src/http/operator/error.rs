//! What each refusal of the service is on the wire. The only place that decides it.

use axum::http::StatusCode;
use face::{CaptureError, FailureToAcquire};
use openid4vc::vci::{CredentialRequestError, PreAuthorizedRequestError};
use service::enrolment::{DocumentError, EnrolmentError, FaceError, IssueError};
use service::issuer::{CredentialError, KeyFolderError, NonceError, RedeemError};
use service::officer::OfficerError;
use service::register::EndError;
use service::renewal::RenewalError;

use crate::http::problem::{OAuthError, Problem};

/// We failed: the reason is logged, not sent.
pub(super) fn internal(failure: &(dyn std::error::Error + 'static)) -> Problem {
    tracing::error!(error = failure, "request failed");
    Problem::internal()
}

impl From<EnrolmentError> for Problem {
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn from(error: EnrolmentError) -> Problem {
        let (status, id, title) = match error {
            EnrolmentError::Document(error) => return document(&error),
            EnrolmentError::Officer(error) => return error.into(),
            EnrolmentError::Face(error) => return face(&error),
            EnrolmentError::Internal(error) => return internal(&*error),
            EnrolmentError::Store(error) => return internal(&error),
            EnrolmentError::TooManySessions => (
                StatusCode::SERVICE_UNAVAILABLE,
                "too-many-enrolments",
                "There are too many enrolments at present, try again in a few minutes",
            ),
            EnrolmentError::FaceCheckBusy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "face-check-busy",
                "Too many faces are being compared; nothing has changed, send the frames again",
            ),
            EnrolmentError::UnknownSession => (
                StatusCode::NOT_FOUND,
                "unknown-session",
                "The session is unknown or expired, or the token is wrong: begin again",
            ),
            EnrolmentError::WrongStep => (
                StatusCode::CONFLICT,
                "wrong-step",
                "The session is at another step",
            ),
            EnrolmentError::Moved => (
                StatusCode::PRECONDITION_FAILED,
                "session-moved",
                "The session has moved on; read where it is",
            ),
            EnrolmentError::OtherNotice => (
                StatusCode::CONFLICT,
                "notice-changed",
                "The notice is another one by now; read it again",
            ),
            EnrolmentError::NotChosen => (
                StatusCode::CONFLICT,
                "evidence-not-chosen",
                "Another kind of evidence was chosen",
            ),
            EnrolmentError::LookAgain => (
                StatusCode::CONFLICT,
                "look-again",
                "There is another reason to look at this enrolment; read the evidence again",
            ),
            EnrolmentError::OtherEvidence => (
                StatusCode::CONFLICT,
                "other-evidence",
                "The decision is about another session or other evidence",
            ),
            EnrolmentError::AlreadyDecided => (
                StatusCode::CONFLICT,
                "already-decided",
                "A decision was made before",
            ),
            EnrolmentError::TrusteesUnavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "trustees-unavailable",
                "Too few trustees answered; nothing has changed, send the decision again later",
            ),
            EnrolmentError::AlreadyRegistered => (
                StatusCode::CONFLICT,
                "already-registered",
                "The person is registered already; restore from the backup instead",
            ),
            EnrolmentError::NoAuthority => (
                StatusCode::NOT_FOUND,
                "register-missing",
                "No authoritative register can be asked here",
            ),
            EnrolmentError::AuthorityUnavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "register-unavailable",
                "The authoritative register does not answer; nothing has changed",
            ),
            EnrolmentError::NotRegistered => (
                StatusCode::CONFLICT,
                "not-registered",
                "The person is not registered yet; there is nothing to restore",
            ),
            EnrolmentError::CommitmentMismatch => (
                StatusCode::FORBIDDEN,
                "commitment-mismatch",
                "The commitment or its proof is not the right one",
            ),
            EnrolmentError::AlreadyCommitted => (
                StatusCode::CONFLICT,
                "already-committed",
                "Another commitment was sent before in this session",
            ),
        };
        Problem::new(status, id, title)
    }
}

/// What the person can do better. How near the frames came is told to nobody.
fn face(error: &FaceError) -> Problem {
    let (id, title) = match error {
        FaceError::Statement => (
            "capture-invalid",
            "The frames are not those of the challenge",
        ),
        FaceError::Time => ("capture-late", "The frames did not come in time"),
        FaceError::NotMatched => (
            "face-not-matched",
            "The face cannot be recognised as that of the portrait: look for better light",
        ),
        FaceError::Capture(error) => match error {
            CaptureError::Times | CaptureError::Frame(..) => {
                ("capture-invalid", "The frames are not those of a camera")
            }
            CaptureError::NotAcquired(_, why) => (
                "face-not-seen",
                match why {
                    FailureToAcquire::NoFace => "A frame shows no face",
                    FailureToAcquire::SeveralFaces => "A frame shows several faces",
                    FailureToAcquire::FaceTooSmall => "The face is too far from the camera",
                    FailureToAcquire::FaceCutOff => "The face is partly outside of a frame",
                },
            ),
            CaptureError::Still | CaptureError::NotLive(_) => {
                ("face-not-live", "The prompts were not followed in time")
            }
            CaptureError::AnotherPerson => (
                "face-not-one-person",
                "The frames do not show one person all along",
            ),
            // No answer: the one is our failure, the other leads to an officer.
            CaptureError::Portrait(_) | CaptureError::Engine(_) => return internal(error),
        },
    };
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, id, title)
}

fn document(error: &DocumentError) -> Problem {
    // The variants hold no value of the document; the step that failed helps whoever operates.
    tracing::debug!(error = error as &dyn std::error::Error, "document refused");
    let (id, title) = match error {
        DocumentError::NotAuthentic(_) => (
            "document-not-authentic",
            "The document cannot be verified as a state's document",
        ),
        DocumentError::Incomplete => (
            "document-incomplete",
            "Data group 11 or 14 of the document has to be sent too",
        ),
        DocumentError::Weak => (
            "document-weak",
            "The document is signed in a way that is no longer safe",
        ),
        DocumentError::Chip => ("chip-not-genuine", "The chip is not the original one"),
        DocumentError::Expired => ("document-expired", "The document has expired"),
        DocumentError::NoPortrait => ("document-without-portrait", "The document has no portrait"),
        DocumentError::ResidentNumber(_) => {
            ("resident-number-invalid", "The number is not of its kind")
        }
        DocumentError::ResidentName(_) => (
            "resident-name-invalid",
            "The name is not one of 1 to 100 characters",
        ),
        DocumentError::ResidentBirth(_) => (
            "resident-birth-invalid",
            "The birth date is missing, or not that of the number",
        ),
        DocumentError::BirthDate
        | DocumentError::Form
        | DocumentError::Number(_)
        | DocumentError::Blind(_) => (
            "document-unusable",
            "The document is authentic, but its data cannot be certified",
        ),
    };
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, id, title)
}

impl From<OfficerError> for Problem {
    fn from(error: OfficerError) -> Problem {
        let (id, title) = match error {
            OfficerError::Refused => (
                "officer-statement-refused",
                "The officer's statement does not hold",
            ),
            OfficerError::Replayed => (
                "officer-statement-replayed",
                "The officer's statement was used before",
            ),
            OfficerError::Store(error) => return internal(&error),
        };
        Problem::unauthorized("Officer", id, title)
    }
}

impl From<EndError> for Problem {
    fn from(error: EndError) -> Problem {
        let (status, id, title) = match error {
            EndError::Refused => (
                StatusCode::FORBIDDEN,
                "statement-refused",
                "The statement is not by the holder of this registration",
            ),
            EndError::InvalidNonce => (
                StatusCode::BAD_REQUEST,
                "invalid-nonce",
                "The nonce is unknown, expired or used; fetch another",
            ),
            EndError::Busy => (
                StatusCode::CONFLICT,
                "registration-busy",
                "The registration was changed at the same moment; try again",
            ),
            EndError::Store(error) => return internal(&error),
        };
        Problem::new(status, id, title)
    }
}

impl From<RenewalError> for Problem {
    fn from(error: RenewalError) -> Problem {
        let (status, id, title) = match error {
            RenewalError::Request(_) => return Problem::malformed_request(),
            RenewalError::InvalidNonce => (
                StatusCode::BAD_REQUEST,
                "invalid-nonce",
                "The nonce is unknown, expired or used; fetch another",
            ),
            RenewalError::Busy => (
                StatusCode::CONFLICT,
                "registration-busy",
                "The registration was changed at the same moment; try again",
            ),
            RenewalError::Signature => return internal(&error),
            RenewalError::Keys(error) => return error.into(),
            RenewalError::Store(error) => return internal(&error),
        };
        Problem::new(status, id, title)
    }
}

/// There is no key to sign with. Where the clock is the reason, the log has said it once.
impl From<KeyFolderError> for Problem {
    fn from(error: KeyFolderError) -> Problem {
        match error {
            KeyFolderError::Ahead { .. } | KeyFolderError::Gone(_) => Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                ISSUING_PAUSED,
                "No certificates are issued at present; try again later",
            ),
            KeyFolderError::Io(..) | KeyFolderError::Damaged(_) => internal(&error),
        }
    }
}

/// The same at the credential endpoint.
fn no_key(error: &KeyFolderError) -> OAuthError {
    match error {
        KeyFolderError::Ahead { .. } | KeyFolderError::Gone(_) => OAuthError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "server_error",
            ISSUING_PAUSED,
            "no certificates are issued at present; try again later",
        ),
        KeyFolderError::Io(..) | KeyFolderError::Damaged(_) => failed(error),
    }
}

/// The keys cannot be used because of the clock.
const ISSUING_PAUSED: &str = "issuing-paused";

/// A token request that cannot be read.
pub(super) fn token_request(error: PreAuthorizedRequestError) -> OAuthError {
    let code = openid4vc::oauth::OAuthError::from(error).error.as_str();
    let title = "the token request cannot be read";
    OAuthError::new(StatusCode::BAD_REQUEST, code, "malformed-request", title)
}

fn failed(error: &(dyn std::error::Error + 'static)) -> OAuthError {
    tracing::error!(error, "request failed");
    OAuthError::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "server_error",
        "internal-error",
        "the server could not finish the request",
    )
}

impl From<NonceError> for OAuthError {
    fn from(error: NonceError) -> OAuthError {
        match error {
            NonceError::TooMany => OAuthError::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "temporarily_unavailable",
                "too-many-nonces",
                "too many nonces are out at present; try again in a few minutes",
            ),
            NonceError::Store(error) => failed(&error),
        }
    }
}

impl From<RedeemError> for OAuthError {
    fn from(error: RedeemError) -> OAuthError {
        let (id, title) = match error {
            RedeemError::InvalidGrant => ("invalid-code", "the code is unknown, expired or used"),
            RedeemError::WrongTransactionCode { attempts_left: 0 } => (
                "code-ended",
                "the transaction code was wrong too often and the code has ended",
            ),
            RedeemError::WrongTransactionCode { attempts_left: _ } => {
                ("wrong-transaction-code", "the transaction code is wrong")
            }
            RedeemError::Store(error) => return failed(&error),
        };
        OAuthError::new(StatusCode::BAD_REQUEST, "invalid_grant", id, title)
    }
}

impl From<CredentialError> for OAuthError {
    fn from(error: CredentialError) -> OAuthError {
        let (code, id, title) = match error {
            CredentialError::InvalidToken => {
                return OAuthError::new(
                    StatusCode::UNAUTHORIZED,
                    "invalid_token",
                    "invalid-token",
                    "the access token is unknown or expired",
                );
            }
            CredentialError::Request(error) => return credential_request(error),
            CredentialError::Proof(_) => (
                "invalid_proof",
                "invalid-proof",
                "the proof is not for this issuer and key",
            ),
            CredentialError::Issue(error) => return issue(error),
            CredentialError::Keys(error) => return no_key(&error),
            CredentialError::Store(error) => return failed(&error),
        };
        OAuthError::new(StatusCode::BAD_REQUEST, code, id, title)
    }
}

fn credential_request(error: CredentialRequestError) -> OAuthError {
    let code = openid4vc::oauth::OAuthError::from(error).error.as_str();
    let title = "the credential request cannot be read";
    OAuthError::new(StatusCode::BAD_REQUEST, code, "malformed-request", title)
}

fn issue(error: IssueError) -> OAuthError {
    let denied = "credential_request_denied";
    let (status, code, id, title) = match error {
        IssueError::NotOffered => (
            StatusCode::BAD_REQUEST,
            denied,
            "not-offered",
            "the enrolment session has ended; begin again",
        ),
        IssueError::InvalidNonce => (
            StatusCode::BAD_REQUEST,
            "invalid_nonce",
            "invalid-nonce",
            "the nonce is unknown, expired or used",
        ),
        IssueError::InvalidProof => (
            StatusCode::BAD_REQUEST,
            "invalid_proof",
            "invalid-proof",
            "the proof does not hold for this session",
        ),
        IssueError::AlreadyIssued => (
            StatusCode::BAD_REQUEST,
            denied,
            "already-issued",
            "a certificate was issued for another request in this session",
        ),
        IssueError::RegisteredMeanwhile => (
            StatusCode::CONFLICT,
            denied,
            "already-registered",
            "the person was registered in another session meanwhile",
        ),
        IssueError::ReviewNeeded => (
            StatusCode::CONFLICT,
            denied,
            "review-needed",
            "somebody of the same name and birth date was registered meanwhile; begin again, an officer \
             will look",
        ),
        IssueError::RegistrationEnded => (
            StatusCode::FORBIDDEN,
            denied,
            "registration-ended",
            "the registration was ended",
        ),
        IssueError::Busy => (
            StatusCode::SERVICE_UNAVAILABLE,
            "server_error",
            "registration-busy",
            "the registration was changed at the same moment; try again",
        ),
        IssueError::Store(error) => return failed(&error),
    };
    OAuthError::new(status, code, id, title)
}
