//! The certificate: what the session proved goes into it, the register gets its row, and the
//! attributes are wiped.

use bbs::SecretKey;
use credential::attributes::{Generation, IssuedSlots};
use credential::issuance;
use credential::jose::PublicKey;
use credential::time::{Epoch, UnixTime};
use store::{Inserted, RegisterRow, RowStatus, SessionId, StoreError, Updated};

use super::commitment::first_row;
use super::session::{Issued, OfferedStep, Session, Step};
use super::{EnrolmentError, Enrolments, Refusal};

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
    /// The request is by another device key, or its proof does not hold.
    #[error("proof is not valid")]
    InvalidProof,
    /// A certificate was issued for another request.
    #[error("a certificate was issued before")]
    AlreadyIssued,
    /// The person was registered in another session meanwhile.
    #[error("the person was registered in another session meanwhile")]
    RegisteredMeanwhile,
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
    /// The certificate issued before for the very same request, if any.
    ///
    /// # Errors
    ///
    /// [`IssueError::NotOffered`] when the session is gone.
    pub async fn issued_before(
        &self,
        id: SessionId,
        digest: [u8; 32],
        now: UnixTime,
    ) -> Result<Option<String>, IssueError> {
        let session = self.locked(id, now).await.map_err(not_offered)?;
        match &session.step {
            Step::Issued(step) if step.request == digest => Ok(Some(step.certificate.clone())),
            Step::Issued(_) => Err(IssueError::AlreadyIssued),
            Step::Open
            | Step::AwaitingOfficer(_)
            | Step::Confirmed(_)
            | Step::Offered(_)
            | Step::Refused(_) => Ok(None),
        }
    }

    /// Issues the certificate of `epoch` and writes the register, in this order: nothing is
    /// signed for a request that does not hold, and nothing signed leaves before the row is
    /// stored.
    ///
    /// The caller has checked and used up the nonce.
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
        if request.device_key != session.device_key {
            return Err(IssueError::InvalidProof);
        }
        let Step::Offered(step) = &session.step else {
            return Err(IssueError::NotOffered);
        };
        let certificate = self.sign(step, request, (epoch, key))?;
        let written = self.write_register(step, &request.device_key, epoch).await;
        if let Err(error) = written {
            end_if_final(&mut session, &error);
            return Err(error);
        }
        finish(&mut session, request.digest, certificate.clone());
        Ok(certificate)
    }

    async fn write_register(
        &self,
        step: &OfferedStep,
        device_key: &PublicKey,
        epoch: Epoch,
    ) -> Result<(), IssueError> {
        let device_key_hash = device_key.thumbprint();
        let tags = &step.confirmed.tags;
        let Some(read) = &step.confirmed.row else {
            let row = first_row(&step.commitment, device_key_hash, epoch);
            return match self.register.insert(&row, tags).await? {
                Inserted::Done => Ok(()),
                Inserted::TagTaken | Inserted::IdTaken => Err(IssueError::RegisteredMeanwhile),
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
            last_epoch: epoch,
            device_key_hash,
            ..current.clone()
        };
        match self.register.update(&current, &next, tags).await? {
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
    ) -> Result<String, IssueError> {
        let slots = IssuedSlots {
            attributes: step.confirmed.attributes.clone(),
            web_number: step.commitment.web_number,
            generation: Generation::of(step.confirmed.generation()),
            device_key: request.device_key,
        };
        let commitment = &step.commitment.commitment;
        let proof = (request.commitment.as_slice(), request.proof.as_slice());
        let server = (&self.origin, request.nonce.as_bytes());
        let signature = issuance::issue(key, epoch, &slots, commitment, proof, server)
            .map_err(|_| IssueError::InvalidProof)?;
        Ok(issuance::to_issued_form(epoch, &signature))
    }
}

/// Keeps what a repeat needs and wipes the rest.
fn finish(session: &mut Session, request: [u8; 32], certificate: String) {
    let Step::Offered(step) = std::mem::replace(&mut session.step, Step::Open) else {
        return;
    };
    session.step = Step::Issued(Box::new(Issued {
        decided: step.confirmed.decided,
        request,
        certificate,
    }));
}

/// Ends the session where trying again cannot help.
fn end_if_final(session: &mut Session, error: &IssueError) {
    match error {
        IssueError::RegisteredMeanwhile => session.refuse(Refusal::RegisteredMeanwhile),
        IssueError::RegistrationEnded => session.refuse(Refusal::RegistrationEnded),
        IssueError::NotOffered
        | IssueError::InvalidProof
        | IssueError::AlreadyIssued
        | IssueError::Busy
        | IssueError::Store(_) => {}
    }
}

fn not_offered(_: EnrolmentError) -> IssueError {
    IssueError::NotOffered
}
