//! One session and its steps.

use bbs::certificate::NymCommitment;
use credential::attributes::{Attributes, Generation};
use credential::consent::{ChosenEvidence, FaceConsent};
use credential::issuance::SignerEntropy;
use credential::jose::{self, PublicKey};
use credential::time::UnixTime;
use credential::web_number::WebNumber;
use mrtd::VerifiedDocument;
use store::{NewTag, RegisterRow, ReviewId, ReviewTag, SecretHash, SessionId};
use zeroize::Zeroizing;

use super::chip::{AwaitedChip, ChipProof};
use super::document::evidence_digest;
use super::face::{AwaitedFace, FaceFinding};
use super::review::ReviewReason;
use super::{
    ConfirmedStatus, EnrolmentError, Offered, Refusal, Registration, StateName, Status, Version,
};
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
    version: Version,
    step: Step,
}

/// What is kept at each step and no longer; the big ones are boxed so that moving on moves a
/// pointer and leaves no copy behind.
pub(super) enum Step {
    AwaitingConsent,
    AwaitingEvidence(Consented),
    AwaitingChip(Box<AwaitedChip>),
    AwaitingFace(Box<AwaitedFace>),
    Checked(Box<Evidence>),
    AwaitingOfficer(Box<Evidence>),
    Confirmed(Box<Confirmed>),
    Offered(Box<OfferedStep>),
    Issued(Box<Issued>),
    Refused(Refused),
}

/// What a person has agreed to.
#[derive(Clone, Copy)]
pub(super) struct Consented {
    pub(super) evidence: ChosenEvidence,
    pub(super) face: FaceConsent,
}

/// Evidence that passed all checks a machine can make by itself.
pub(super) struct Evidence {
    pub(super) id: [u8; 16],
    pub(super) source: Source,
    pub(super) attributes: Attributes,
    /// SHA-256 of each file, or of what the person says, see [`Evidence::digest`].
    pub(super) files: Vec<[u8; 32]>,
    /// Whether the document lists a key of its chip.
    pub(super) chip_key: ChipKey,
    /// Hash of the answer with which the chip has proved itself.
    pub(super) chip_answer: Option<[u8; 32]>,
    pub(super) face_consent: FaceConsent,
    pub(super) face: FaceFinding,
    /// Its numbers, and last what namesakes share, which leads to a review and never to a row.
    pub(super) numbers: Vec<BlindedNumber>,
    /// The review that somebody of the same name, birth date and sex has led to.
    pub(super) review: Option<ReviewId>,
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
    pub(super) review_tag: ReviewTag,
    pub(super) row: Option<RegisterRow>,
    /// `None` where a machine has decided.
    pub(super) decided: Option<Decided>,
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
    pub(super) decided: Option<Decided>,
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
    pub(super) fn begin(
        id: SessionId,
        token: SecretHash,
        device_key: PublicKey,
        nonce: String,
        expires: UnixTime,
    ) -> Session {
        Session {
            id,
            token,
            device_key,
            nonce,
            expires,
            version: Version(1),
            step: Step::AwaitingConsent,
        }
    }

    /// For changes within a step, which a wallet has to know of.
    pub(super) fn count_up(&mut self) {
        self.version = Version(self.version.0.saturating_add(1));
    }

    pub(super) fn step(&self) -> &Step {
        &self.step
    }

    /// For keeping more of the step that it is at; it stays that step.
    pub(super) fn step_mut(&mut self) -> &mut Step {
        &mut self.step
    }

    /// Puts the next step in the place of this one, which is returned.
    pub(super) fn advance(&mut self, next: Step) -> Step {
        self.count_up();
        std::mem::replace(&mut self.step, next)
    }

    /// Whether the session is as the wallet has seen it.
    pub(super) fn check_version(&self, seen: Version) -> Result<(), EnrolmentError> {
        if self.version == seen {
            Ok(())
        } else {
            Err(EnrolmentError::Moved)
        }
    }

    /// What was agreed to, where this kind of evidence is to be sent now.
    pub(super) fn consent_to(&self, sent: ChosenEvidence) -> Result<FaceConsent, EnrolmentError> {
        match &self.step {
            Step::AwaitingEvidence(consented) if consented.evidence == sent => Ok(consented.face),
            Step::AwaitingEvidence(_) => Err(EnrolmentError::NotChosen),
            Step::AwaitingConsent
            | Step::AwaitingChip(_)
            | Step::AwaitingFace(_)
            | Step::Checked(_)
            | Step::AwaitingOfficer(_)
            | Step::Confirmed(_)
            | Step::Offered(_)
            | Step::Issued(_)
            | Step::Refused(_) => Err(EnrolmentError::WrongStep),
        }
    }

    /// Takes the nonce, which is good for one proof, and puts a fresh one in its place.
    pub(super) fn take_nonce(&mut self) -> String {
        std::mem::replace(&mut self.nonce, secret::random_nonce())
    }

    /// Ends the session without a certificate; whatever it held is wiped.
    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.advance(Step::Refused(Refused { refusal }));
    }

    pub(super) fn status(&self) -> Status {
        let (mut chip, mut face, mut review) = (None, None, None);
        let (state, confirmed, refusal) = match &self.step {
            Step::AwaitingConsent => (StateName::AwaitingConsent, None, None),
            Step::AwaitingEvidence(_) => (StateName::AwaitingEvidence, None, None),
            Step::AwaitingChip(step) => {
                chip = Some(step.question.challenge());
                (StateName::AwaitingChip, None, None)
            }
            Step::AwaitingFace(step) => {
                face = Some(step.status());
                (StateName::AwaitingFace, None, None)
            }
            Step::Checked(_) => (StateName::Checked, None, None),
            Step::AwaitingOfficer(step) => {
                review = Some(step.reasons_for_wallet());
                (StateName::AwaitingOfficer, None, None)
            }
            Step::Confirmed(step) => (StateName::Confirmed, Some(step.status()), None),
            Step::Offered(step) => (StateName::Offered, Some(step.confirmed.status()), None),
            Step::Issued(_) => (StateName::Issued, None, None),
            Step::Refused(step) => (StateName::Refused, None, Some(step.refusal)),
        };
        Status {
            state,
            version: self.version,
            nonce: self.nonce.clone(),
            chip,
            face,
            review,
            confirmed,
            refusal,
        }
    }
}

impl Evidence {
    /// The document, where there is one.
    pub(super) fn document(&self) -> Option<&VerifiedDocument> {
        match &self.source {
            Source::Document(document) => Some(document),
            Source::Resident(_) => None,
        }
    }

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

    /// What the trustees are told of its worth where an officer decides.
    pub(super) fn level(&self) -> EvidenceLevel {
        match self.chip() {
            ChipProof::NoKey | ChipProof::NotAsked => EvidenceLevel::LowOfficer,
            ChipProof::Shown => EvidenceLevel::SubstantialOfficer,
        }
    }

    /// The same where a machine decides, which it does only with the chip's proof.
    pub(super) fn level_of_machine(&self) -> Option<EvidenceLevel> {
        self.reasons()
            .is_empty()
            .then_some(EvidenceLevel::SubstantialFace)
    }

    /// What the officer's signature stands for.
    pub(super) fn digest(&self) -> [u8; 32] {
        let files = evidence_digest(self.id, &self.files);
        let chip = jose::sha256(self.chip().as_str().as_bytes());
        let reasons: Vec<_> = self
            .reasons()
            .into_iter()
            .map(ReviewReason::as_str)
            .collect();
        let face = jose::sha256(self.face.as_str().as_bytes());
        let reasons = jose::sha256(reasons.join(" ").as_bytes());
        jose::sha256(&[files, chip, face, reasons].concat())
    }

    /// Goes from the machine's decision to an officer's. The trustees are asked anew, as about other
    /// evidence: under the old name their logs would keep saying that a machine decided.
    pub(super) fn turn_to_review(&mut self, review: ReviewId) {
        self.id = secret::random();
        self.review = Some(review);
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
