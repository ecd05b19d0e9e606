//! One session and its steps.

use bbs::certificate::NymCommitment;
use credential::attributes::{Attributes, Generation};
use credential::issuance::SignerEntropy;
use credential::jose::{self, PublicKey};
use credential::time::UnixTime;
use credential::web_number::WebNumber;
use mrtd::VerifiedDocument;
use store::{NewTag, RegisterRow, SecretHash, SessionId};
use zeroize::Zeroizing;

use super::chip::{AwaitedChip, ChipProof};
use super::{ConfirmedStatus, Offered, Refusal, Registration, StateName, Status};
use crate::attestation::{EvidenceKind, EvidenceLevel};
use crate::officer::OfficerId;
use crate::residents::ResidentClaim;
use crate::secret;
use crate::tags::BlindedNumber;

pub(super) struct Session {
    pub(super) id: SessionId,
    pub(super) token: SecretHash,
    pub(super) device_key: PublicKey,
    pub(super) nonce: String,
    pub(super) expires: UnixTime,
    pub(super) step: Step,
}

/// What is kept at each step and no longer; the big ones are boxed so that moving on moves a
/// pointer and leaves no copy behind.
pub(super) enum Step {
    Open,
    AwaitingChip(Box<AwaitedChip>),
    AwaitingOfficer(Box<Evidence>),
    Confirmed(Box<Confirmed>),
    Offered(Box<OfferedStep>),
    Issued(Box<Issued>),
    Refused(Refused),
}

/// Evidence that passed all checks a machine can make by itself.
pub(super) struct Evidence {
    pub(super) id: [u8; 16],
    pub(super) source: Source,
    pub(super) attributes: Attributes,
    /// Stands for identifier and files, see [`Evidence::digest`].
    pub(super) files: [u8; 32],
    /// Whether the document lists a key of its chip.
    pub(super) chip_key: ChipKey,
    /// Hash of the answer with which the chip has proved itself.
    pub(super) chip_answer: Option<[u8; 32]>,
    pub(super) numbers: Vec<BlindedNumber>,
}

/// Whether a document lists data groups in which a key of its chip can stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ChipKey {
    Listed,
    None,
}

/// Where evidence comes from.
pub(super) enum Source {
    /// The chip of a document, or a copy of its data.
    Document(Box<VerifiedDocument>),
    /// What a person says; a register has still to confirm it.
    Resident(Box<ResidentClaim>),
}

/// A person whom an officer has confirmed.
pub(super) struct Confirmed {
    pub(super) attributes: Attributes,
    pub(super) tags: Vec<NewTag>,
    pub(super) row: Option<RegisterRow>,
    pub(super) decided: Decided,
}

/// The officer's decision, for repeats of it.
pub(super) struct Decided {
    pub(super) officer: OfficerId,
    pub(super) statement: [u8; 32],
    pub(super) transaction_code: Zeroizing<String>,
}

/// A person to whom a certificate is offered.
pub(super) struct OfferedStep {
    pub(super) confirmed: Box<Confirmed>,
    pub(super) commitment: FinalCommitment,
    /// Hash of the request, and the answer, for repeats of it.
    pub(super) request: [u8; 32],
    pub(super) answer: Offered,
    /// Hash of the certificate request that used up its nonce and whose proof held, though we
    /// failed to carry it out: it may be sent again as it is.
    pub(super) admitted: Option<[u8; 32]>,
}

/// A certificate that was issued; no attribute is left.
pub(super) struct Issued {
    pub(super) decided: Decided,
    /// Hash of the request, and the certificate, for repeats of it.
    pub(super) request: [u8; 32],
    pub(super) certificate: String,
}

/// A session that ended.
pub(super) struct Refused {
    pub(super) refusal: Refusal,
}

/// The final commitment of a session.
pub(super) struct FinalCommitment {
    pub(super) commitment: NymCommitment,
    pub(super) web_number: WebNumber,
    /// What was added to the wallet's commitment if it is a new one.
    pub(super) entropy: Option<SignerEntropy>,
}

impl Session {
    /// Takes the nonce, which is good for one proof, and puts a fresh one in its place.
    pub(super) fn take_nonce(&mut self) -> String {
        std::mem::replace(&mut self.nonce, secret::random_nonce())
    }

    /// Ends the session without a certificate; whatever it held is wiped.
    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.step = Step::Refused(Refused { refusal });
    }

    pub(super) fn status(&self) -> Status {
        let mut chip = None;
        let (state, confirmed, refusal) = match &self.step {
            Step::Open => (StateName::Open, None, None),
            Step::AwaitingChip(step) => {
                chip = Some(step.question.challenge());
                (StateName::AwaitingChip, None, None)
            }
            Step::AwaitingOfficer(_) => (StateName::AwaitingOfficer, None, None),
            Step::Confirmed(step) => (StateName::Confirmed, Some(step.status()), None),
            Step::Offered(step) => (StateName::Offered, Some(step.confirmed.status()), None),
            Step::Issued(_) => (StateName::Issued, None, None),
            Step::Refused(step) => (StateName::Refused, None, Some(step.refusal)),
        };
        Status {
            state,
            nonce: self.nonce.clone(),
            chip,
            confirmed,
            refusal,
        }
    }
}

impl Evidence {
    pub(super) fn chip(&self) -> ChipProof {
        match (self.chip_answer, self.chip_key) {
            (Some(_), _) => ChipProof::Shown,
            (None, ChipKey::Listed) => ChipProof::NotAsked,
            (None, ChipKey::None) => ChipProof::NoKey,
        }
    }

    /// What the trustees are told of it.
    pub(super) fn kind(&self) -> EvidenceKind {
        match &self.source {
            Source::Document(document) if document.mrz().class() == "P" => EvidenceKind::Passport,
            Source::Document(_) => EvidenceKind::Card,
            Source::Resident(_) => EvidenceKind::ResidentNumber,
        }
    }

    /// What the trustees are told of its worth.
    pub(super) fn level(&self) -> EvidenceLevel {
        match self.chip() {
            ChipProof::NoKey | ChipProof::NotAsked => EvidenceLevel::LowOfficer,
            ChipProof::Shown => EvidenceLevel::SubstantialOfficer,
        }
    }

    /// What the officer's signature stands for.
    pub(super) fn digest(&self) -> [u8; 32] {
        let chip = jose::sha256(self.chip().as_str().as_bytes());
        jose::sha256(&[self.files, chip].concat())
    }
}

impl Confirmed {
    pub(super) fn registration(&self) -> Registration {
        match self.row {
            Some(_) => Registration::Exists,
            None => Registration::None,
        }
    }

    /// How often the person has begun anew, from 1 on.
    pub(super) fn generation(&self) -> u32 {
        self.row.as_ref().map_or(1, |row| row.generation)
    }

    fn status(&self) -> ConfirmedStatus {
        ConfirmedStatus {
            registration: self.registration(),
            generation: Generation::of(self.generation()),
            attributes: self.attributes.clone(),
        }
    }
}
