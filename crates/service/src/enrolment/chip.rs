//! The chip: whether it is the original one, which its signed data does not show, because anybody
//! who has read a document can copy that.
//!
//! The question is drawn here for each session; the wallet only passes it on to the chip.

use credential::jose;
use credential::origin::Origin;
use credential::time::UnixTime;
use mrtd::{ActiveKey, Challenge, ChipAuthentication, ChipQuestion, SecurityInfos};
use store::SessionId;

use super::document::DocumentError;
use super::session::{Evidence, Refused, Step};
use super::{EnrolmentError, Enrolments, Hold, Refusal, Status};
use crate::{memory, secret};

/// Whether the chip has shown that it is the original one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChipProof {
    /// The document has no key that could show it.
    NoKey,
    /// It could be asked as the document says, and was not: the data may be a copy.
    NotAsked,
    /// It has, with a private key that it does not give away.
    Shown,
}

/// What a chip is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChipChallenge {
    /// To agree on keys.
    ChipAuthentication(ChipQuestion),
    /// To sign what follows from these octets, see [`signed_challenge`].
    ActiveAuthentication(SignatureNonce),
}

/// What the operator draws for active authentication.
pub type SignatureNonce = [u8; 16];

/// What a chip signs in active authentication. It follows from the operator and the session, so that
/// nobody has a chip sign octets of their own choice, nor those that another operator asked for.
#[must_use]
pub fn signed_challenge(origin: &Origin, session: SessionId, nonce: &SignatureNonce) -> Challenge {
    let mut input = jose::sha256(CHALLENGE_DOMAIN).to_vec();
    for part in [origin.as_str().as_bytes(), &session.0, nonce] {
        input.extend_from_slice(&jose::sha256(part));
    }
    let [a, b, c, d, e, f, g, h, ..] = jose::sha256(&input);
    [a, b, c, d, e, f, g, h]
}

/// Keeps what chips sign apart from every other hash.
const CHALLENGE_DOMAIN: &[u8] = b"bauta/v1/chip-challenge";

/// A document whose chip has been asked.
pub(super) struct AwaitedChip {
    pub(super) evidence: Box<Evidence>,
    pub(super) question: Question,
}

/// What was asked, with what checks the answer.
pub(super) enum Question {
    Agreement(ChipAuthentication, ChipQuestion),
    Signature(ActiveKey, SignatureNonce),
}

impl ChipProof {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ChipProof::NoKey => "no_key",
            ChipProof::NotAsked => "not_asked",
            ChipProof::Shown => "shown",
        }
    }

    /// What evidence is worth with it: data that may be copied is never more than `low`.
    pub(super) fn assurance_level(self) -> &'static str {
        match self {
            ChipProof::NoKey | ChipProof::NotAsked => "low",
            ChipProof::Shown => "substantial",
        }
    }
}

impl Question {
    /// The question that fits a chip with these data groups; `None` where it has no key that can
    /// be asked about. A key agreement comes first: it proves nothing to anybody else.
    pub(super) fn draw(dg14: Option<&[u8]>, dg15: Option<&[u8]>) -> Option<Question> {
        let infos = dg14.map(SecurityInfos::parse_dg14).transpose().ok()?;
        let infos = infos.unwrap_or_default();
        let mut rng = secret::rng();
        if let Ok((asker, question)) = ChipAuthentication::begin(&infos, &mut rng) {
            return Some(Question::Agreement(asker, question));
        }
        let key = ActiveKey::parse(dg15?, &infos).ok()?;
        Some(Question::Signature(key, secret::random()))
    }

    pub(super) fn challenge(&self) -> ChipChallenge {
        match self {
            Question::Agreement(_, question) => ChipChallenge::ChipAuthentication(question.clone()),
            Question::Signature(_, nonce) => ChipChallenge::ActiveAuthentication(*nonce),
        }
    }

    fn holds(self, answer: &[u8], (origin, session): (&Origin, SessionId)) -> bool {
        match self {
            Question::Agreement(asker, _) => asker.verify(answer).is_ok(),
            Question::Signature(key, nonce) => {
                let challenge = signed_challenge(origin, session, &nonce);
                key.verify(&challenge, answer).is_ok()
            }
        }
    }
}

impl Enrolments {
    /// Takes the chip's answer.
    ///
    /// # Errors
    ///
    /// [`DocumentError::Chip`] as [`EnrolmentError::Document`] when the chip has not the key of
    /// the document: the session has ended then. [`EnrolmentError::Internal`], after which an officer
    /// looks at the document without the chip's proof. [`EnrolmentError::WrongStep`],
    /// [`EnrolmentError::Moved`], [`EnrolmentError::UnknownSession`].
    pub async fn answer_for_chip(
        &self,
        hold: Hold<'_>,
        answer: Vec<u8>,
        now: UnixTime,
    ) -> Result<Status, EnrolmentError> {
        let mut session = self.of_wallet_at(hold, now).await?;
        let id = session.id;
        let hash = jose::sha256(&answer);
        // Each question is good for one answer; the document is a copy unless it is the right one.
        if !matches!(session.step(), Step::AwaitingChip(_)) {
            return Err(EnrolmentError::WrongStep);
        }
        let refused = Step::Refused(Refused {
            refusal: Refusal::Chip,
        });
        let Step::AwaitingChip(awaited) = session.advance(refused) else {
            return Err(EnrolmentError::WrongStep);
        };
        let AwaitedChip {
            mut evidence,
            question,
        } = *awaited;
        let origin = self.origin.clone();
        match memory::run_wiped(move || question.holds(&answer, (&origin, id))).await {
            Ok(true) => {}
            Ok(false) => return Err(EnrolmentError::Document(DocumentError::Chip)),
            // Our failure makes nobody a forger: the data alone are left.
            Err(error) => {
                session.advance(Step::AwaitingOfficer(evidence));
                return Err(EnrolmentError::Internal(Box::new(error)));
            }
        }
        evidence.chip_answer = Some(hash);
        ChipProof::Shown
            .assurance_level()
            .clone_into(&mut evidence.attributes.assurance_level);
        session.advance(self.after_document(evidence, now));
        Ok(session.status())
    }
}
