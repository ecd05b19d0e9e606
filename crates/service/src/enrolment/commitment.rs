//! The commitment to the holder's secrets: a new one with fresh entropy, or the stored one.

use bbs::certificate::NymCommitment;
use credential::issuance::{self, Binding, Purpose, SignerEntropy};
use credential::jose;
use credential::time::UnixTime;
use credential::web_number::WebNumber;
use store::{NewCode, RegisterId, RegisterRow};
use zeroize::Zeroizing;

use super::session::{Confirmed, FinalCommitment, OfferedStep, Session, Step};
use super::{EnrolmentError, Enrolments, Hold};
use crate::secret;

/// How often a wrong transaction code is taken before the code ends.
const CODE_ATTEMPTS: u8 = 3;
/// How often fresh entropy is drawn until the web number is free; one draw in 2^75 is not.
const DRAWS: usize = 4;

/// A commitment with the proof that the wallet knows its opening.
pub struct CommitmentRequest {
    /// 48 bytes.
    pub commitment: Vec<u8>,
    /// The proof, over the session's nonce and device key.
    pub proof: Vec<u8>,
}

/// What the wallet gets for a commitment.
#[derive(Clone)]
pub struct Offered {
    /// What was added to the wallet's commitment, 32 bytes, if it is a new one.
    pub entropy: Option<[u8; 32]>,
    /// The final commitment.
    pub commitment: [u8; 48],
    /// The web number.
    pub web_number: WebNumber,
    /// The pre-authorized code.
    pub code: Zeroizing<String>,
    /// What it is good with.
    pub unlocked_by: UnlockedBy,
}

/// What a pre-authorized code is good with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnlockedBy {
    /// The transaction code that an officer hands over.
    TransactionCode,
    /// Nothing more: a machine has decided, and no officer has met the person.
    Nothing,
}

impl Enrolments {
    /// Takes the commitment of a person whom the register does not know.
    ///
    /// The same request again gets the same answer again.
    ///
    /// # Errors
    ///
    /// [`EnrolmentError::AlreadyRegistered`], [`EnrolmentError::CommitmentMismatch`] (after which
    /// another nonce is needed), [`EnrolmentError::AlreadyCommitted`],
    /// [`EnrolmentError::WrongStep`], [`EnrolmentError::Moved`], [`EnrolmentError::UnknownSession`].
    pub async fn commit(
        &self,
        hold: Hold<'_>,
        request: &CommitmentRequest,
        now: UnixTime,
    ) -> Result<Offered, EnrolmentError> {
        let mut session = self.of_wallet(hold.session, hold.token, now).await?;
        if let Some(answer) = repeated(&session, request, Purpose::Register)? {
            return Ok(answer);
        }
        session.check_version(hold.version)?;
        if confirmed(&session)?.row.is_some() {
            return Err(EnrolmentError::AlreadyRegistered);
        }
        let nonce = session.nonce.clone();
        let commitment = self.verify(&mut session, request, Purpose::Register)?;
        let hash = request_hash(request, Purpose::Register);
        let offered = self.offer_new(&mut session, &commitment, hash).await;
        // Only we can have failed here: the same request may be sent again.
        offered.inspect_err(|_| session.nonce = nonce)
    }

    async fn offer_new(
        &self,
        session: &mut Session,
        commitment: &NymCommitment,
        request: [u8; 32],
    ) -> Result<Offered, EnrolmentError> {
        let last = self.add_entropy(commitment).await?;
        self.offer(session, last, request).await
    }

    /// Takes the proof of a person whom the register knows: the stored commitment is theirs.
    ///
    /// The same request again gets the same answer again.
    ///
    /// # Errors
    ///
    /// [`EnrolmentError::NotRegistered`]; [`EnrolmentError::CommitmentMismatch`] for another
    /// commitment than the stored one or a wrong proof; the others as with [`Self::commit`].
    pub async fn restore(
        &self,
        hold: Hold<'_>,
        request: &CommitmentRequest,
        now: UnixTime,
    ) -> Result<Offered, EnrolmentError> {
        let mut session = self.of_wallet(hold.session, hold.token, now).await?;
        if let Some(answer) = repeated(&session, request, Purpose::Restore)? {
            return Ok(answer);
        }
        session.check_version(hold.version)?;
        let row = confirmed(&session)?
            .row
            .as_ref()
            .ok_or(EnrolmentError::NotRegistered)?;
        let stored = row.commitment;
        let nonce = session.nonce.clone();
        let commitment = self.verify(&mut session, request, Purpose::Restore)?;
        if commitment.to_bytes() != stored {
            return Err(EnrolmentError::CommitmentMismatch);
        }
        let web_number = WebNumber::of(&commitment);
        let last = FinalCommitment {
            commitment,
            web_number,
            entropy: None,
        };
        let hash = request_hash(request, Purpose::Restore);
        let offered = self.offer(&mut session, last, hash).await;
        offered.inspect_err(|_| session.nonce = nonce)
    }

    /// Checks the proof; the nonce is used up whatever comes out.
    fn verify(
        &self,
        session: &mut Session,
        request: &CommitmentRequest,
        purpose: Purpose,
    ) -> Result<NymCommitment, EnrolmentError> {
        let nonce = session.take_nonce();
        let binding = Binding {
            issuer: &self.origin,
            nonce: nonce.as_bytes(),
            purpose,
            device_key: &session.device_key,
        };
        issuance::verify_nym_commitment(&request.commitment, &request.proof, &binding)
            .map_err(|_| EnrolmentError::CommitmentMismatch)
    }

    /// Adds fresh entropy, drawn again while the web number is taken.
    async fn add_entropy(
        &self,
        commitment: &NymCommitment,
    ) -> Result<FinalCommitment, EnrolmentError> {
        for _ in 0..DRAWS {
            let entropy = SignerEntropy::draw(&mut secret::rng());
            let commitment = commitment.add_entropy(&entropy);
            let web_number = WebNumber::of(&commitment);
            if self
                .register
                .find(register_id(&web_number))
                .await?
                .is_none()
            {
                return Ok(FinalCommitment {
                    commitment,
                    web_number,
                    entropy: Some(entropy),
                });
            }
        }
        Err(EnrolmentError::Internal(
            "no free web number was drawn".into(),
        ))
    }

    async fn offer(
        &self,
        session: &mut Session,
        last: FinalCommitment,
        request: [u8; 32],
    ) -> Result<Offered, EnrolmentError> {
        let decided = confirmed(session)?.decided.as_ref();
        let transaction_code = decided.map(|decided| decided.transaction_code.clone());
        let code = secret::random_text();
        let stored = NewCode {
            code: secret::hash(&code),
            unlock: secret::unlock_hash(
                &code,
                transaction_code.as_deref().map_or("", String::as_str),
            ),
            session: session.id,
            attempts: CODE_ATTEMPTS,
            expires: session.expires,
        };
        self.codes.insert_code(stored).await?;
        let answer = Offered {
            entropy: last.entropy.as_ref().map(|entropy| entropy.to_bytes()),
            commitment: last.commitment.to_bytes(),
            web_number: last.web_number,
            code,
            unlocked_by: match transaction_code {
                Some(_) => UnlockedBy::TransactionCode,
                None => UnlockedBy::Nothing,
            },
        };
        let Step::Confirmed(confirmed) = session.advance(Step::AwaitingConsent) else {
            return Err(EnrolmentError::WrongStep);
        };
        let step = OfferedStep {
            confirmed,
            commitment: last,
            request,
            answer: answer.clone(),
            admitted: None,
        };
        session.advance(Step::Offered(Box::new(step)));
        Ok(answer)
    }
}

/// The register's name for a web number.
pub(super) fn register_id(web_number: &WebNumber) -> RegisterId {
    let text = web_number.as_str().as_bytes();
    RegisterId(text.try_into().expect("a web number has 16 characters"))
}

/// The first row of a person.
pub(super) fn first_row(
    last: &FinalCommitment,
    slot_commitment: [u8; 48],
    device_key_hash: [u8; 32],
    epoch: credential::time::Epoch,
) -> RegisterRow {
    RegisterRow {
        id: register_id(&last.web_number),
        commitment: last.commitment.to_bytes(),
        slot_commitment,
        generation: 1,
        status: store::RowStatus::Active,
        last_epoch: epoch,
        device_key_hash,
    }
}

fn confirmed(session: &Session) -> Result<&Confirmed, EnrolmentError> {
    match session.step() {
        Step::Confirmed(confirmed) => Ok(confirmed),
        Step::AwaitingConsent
        | Step::AwaitingEvidence(_)
        | Step::AwaitingChip(_)
        | Step::AwaitingFace(_)
        | Step::Checked(_)
        | Step::AwaitingOfficer(_)
        | Step::Offered(_)
        | Step::Issued(_)
        | Step::Refused(_) => Err(EnrolmentError::WrongStep),
    }
}

/// The answer given before if this is the same request again.
fn repeated(
    session: &Session,
    request: &CommitmentRequest,
    purpose: Purpose,
) -> Result<Option<Offered>, EnrolmentError> {
    let Step::Offered(step) = session.step() else {
        return Ok(None);
    };
    if step.request != request_hash(request, purpose) {
        return Err(EnrolmentError::AlreadyCommitted);
    }
    Ok(Some(step.answer.clone()))
}

fn request_hash(request: &CommitmentRequest, purpose: Purpose) -> [u8; 32] {
    let purpose: &[u8] = match purpose {
        Purpose::Register => b"register",
        Purpose::Restore => b"restore",
        Purpose::Issue => b"issue",
        Purpose::Renew(_) => b"renew",
    };
    let parts = [purpose, &request.commitment, &request.proof].map(jose::sha256);
    jose::sha256(parts.as_flattened())
}
