//! The certificate: what the session proved goes into it, the register gets its row, and the
//! attributes are wiped.

use bbs::SecretKey;
use credential::attributes::{Generation, IssuedSlots};
use credential::issuance::{self, Issued};
use credential::jose::PublicKey;
use credential::time::{Epoch, UnixTime};
use store::{Consumed, Inserted, RegisterRow, RowStatus, SessionId, StoreError, Updated};

use super::commitment::first_row;
use super::session::{self, OfferedStep, Session, Step};
use super::{EnrolmentError, Enrolments, Refusal};
use crate::secret;

/// A wallet's commitment to all slots, whose signature by the device key was verified.
pub struct CertificateRequest {
    /// SHA-256 of the whole request, which tells a repeat from another request.
    pub digest: [u8; 32],
    /// The key that signed it.
    pub device_key: PublicKey,
    /// The server's nonce that the proof is bound to.
    pub nonce: String,
    /// The commitment to all slots.
    pub commitment: Vec<u8>,
    /// Its proof.
    pub proof: Vec<u8>,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The session is gone or at another step.
    #[error("nothing is offered to this session")]
    NotOffered,
    /// The nonce is unknown, expired or used.
    #[error("nonce is unknown, expired or used")]
    InvalidNonce,
    /// The request is by another device key, or its proof does not hold.
    #[error("proof is not valid")]
    InvalidProof,
    /// A certificate was issued for another request.
    #[error("a certificate was issued before")]
    AlreadyIssued,
    /// The person was registered in another session meanwhile.
    #[error("the person was registered in another session meanwhile")]
    RegisteredMeanwhile,
    /// Somebody of the same name, birth date and sex was registered meanwhile, whom the decision did not
    /// know of.
    #[error("somebody of the same name was registered meanwhile")]
    ReviewNeeded,
    /// The registration was ended meanwhile.
    #[error("the registration was ended")]
    RegistrationEnded,
    /// Another session changed the registration at the same moment; try again.
    #[error("the registration was changed at the same moment")]
    Busy,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Enrolments {
    /// Issues the certificate of `epoch` and writes the register, in this order: nothing is
    /// signed for a request that does not hold, and nothing signed leaves before the row is
    /// stored. The very same request again gets the same certificate again.
    ///
    /// The session is locked from the first look to the last write: a repeat that comes while the
    /// first is still at work waits for its outcome.
    ///
    /// # Errors
    ///
    /// The variants of [`IssueError`].
    pub async fn issue(
        &self,
        id: SessionId,
        request: &CertificateRequest,
        (epoch, key): (Epoch, &SecretKey),
        now: UnixTime,
    ) -> Result<String, IssueError> {
        let mut session = self.locked(id, now).await.map_err(not_offered)?;
        let device_key = session.device_key;
        let step = match session.step_mut() {
            Step::Offered(step) => step,
            Step::Issued(step) if step.request == request.digest => {
                return Ok(step.certificate.clone());
            }
            Step::Issued(_) => return Err(IssueError::AlreadyIssued),
            Step::AwaitingConsent
            | Step::AwaitingEvidence(_)
            | Step::AwaitingChip(_)
            | Step::AwaitingFace(_)
            | Step::Checked(_)
            | Step::AwaitingOfficer(_)
            | Step::Confirmed(_)
            | Step::Refused(_) => {
                return Err(IssueError::NotOffered);
            }
        };
        if step.admitted != Some(request.digest) {
            self.use_up_nonce(&request.nonce, now).await?;
        }
        if request.device_key != device_key {
            return Err(IssueError::InvalidProof);
        }
        let issued = self.sign(step, request, (epoch, key))?;
        let certificate = issuance::to_issued_form(epoch, &issued.signature);
        // From here on only we can fail, and the same request may be sent again.
        step.admitted = Some(request.digest);
        let written = self
            .write_register(step, &request.device_key, issued.commitment, epoch)
            .await;
        if let Err(error) = written {
            end_if_final(&mut session, &error);
            return Err(error);
        }
        finish(&mut session, request.digest, certificate.clone());
        Ok(certificate)
    }

    async fn use_up_nonce(&self, nonce: &str, now: UnixTime) -> Result<(), IssueError> {
        match self.codes.consume_nonce(secret::hash(nonce), now).await? {
            Consumed::First => Ok(()),
            Consumed::Refused => Err(IssueError::InvalidNonce),
        }
    }

    async fn write_register(
        &self,
        step: &OfferedStep,
        device_key: &PublicKey,
        slot_commitment: [u8; 48],
        epoch: Epoch,
    ) -> Result<(), IssueError> {
        let device_key_hash = device_key.thumbprint();
        let tags = &step.confirmed.tags;
        let review = &step.confirmed.review_tag;
        let Some(read) = &step.confirmed.row else {
            let row = first_row(&step.commitment, slot_commitment, device_key_hash, epoch);
            return match self.register.insert(&row, tags, Some(review)).await? {
                Inserted::Done => Ok(()),
                Inserted::TagTaken | Inserted::IdTaken => Err(IssueError::RegisteredMeanwhile),
                Inserted::ReviewNeeded => Err(IssueError::ReviewNeeded),
            };
        };
        // The row as it is now: it may have been renewed or ended since the officer's decision.
        let current = self.register.find(read.id).await?.ok_or(IssueError::Busy)?;
        if current.status == RowStatus::Ended {
            return Err(IssueError::RegistrationEnded);
        }
        if current.commitment != read.commitment || current.generation != read.generation {
            return Err(IssueError::RegisteredMeanwhile);
        }
        let next = RegisterRow {
            // A renewal may have issued the next epoch's already.
            last_epoch: current.last_epoch.max(epoch),
            device_key_hash,
            slot_commitment,
            ..current.clone()
        };
        match self
            .register
            .update(&current, &next, tags, Some(review))
            .await?
        {
            Updated::Done => Ok(()),
            Updated::Stale => Err(IssueError::Busy),
            Updated::TagTaken => Err(IssueError::RegisteredMeanwhile),
        }
    }

    fn sign(
        &self,
        step: &OfferedStep,
        request: &CertificateRequest,
        (epoch, key): (Epoch, &SecretKey),
    ) -> Result<Issued, IssueError> {
        let slots = IssuedSlots {
            attributes: step.confirmed.attributes.clone(),
            web_number: step.commitment.web_number,
            generation: Generation::of(step.confirmed.generation()),
            device_key: request.device_key,
        };
        let commitment = &step.commitment.commitment;
        let proof = (request.commitment.as_slice(), request.proof.as_slice());
        let server = (&self.origin, request.nonce.as_bytes());
        issuance::issue(key, epoch, &slots, commitment, proof, server)
            .map_err(|_| IssueError::InvalidProof)
    }
}

/// Keeps what a repeat needs and wipes the rest.
fn finish(session: &mut Session, request: [u8; 32], certificate: String) {
    let ended = session.advance(Step::AwaitingConsent);
    let Step::Offered(step) = ended else {
        return;
    };
    session.advance(Step::Issued(Box::new(session::Issued {
        decided: step.confirmed.decided,
        request,
        certificate,
    })));
}

/// Ends the session where trying again cannot help.
fn end_if_final(session: &mut Session, error: &IssueError) {
    match error {
        IssueError::RegisteredMeanwhile => session.refuse(Refusal::RegisteredMeanwhile),
        IssueError::ReviewNeeded => session.refuse(Refusal::ReviewNeeded),
        IssueError::RegistrationEnded => session.refuse(Refusal::RegistrationEnded),
        IssueError::NotOffered
        | IssueError::InvalidNonce
        | IssueError::InvalidProof
        | IssueError::AlreadyIssued
        | IssueError::Busy
        | IssueError::Store(_) => {}
    }
}

fn not_offered(_: EnrolmentError) -> IssueError {
    IssueError::NotOffered
}
