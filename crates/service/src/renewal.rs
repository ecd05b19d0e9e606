//! Renewal: who has a certificate and the device it is bound to receives that of another epoch.
//!
//! Certificate and refusal are signed answers of one length. Nothing of a renewal is stored but
//! the epoch in the person's row.

use std::sync::Arc;

use bbs::certificate::{KeptCommitment, NymCommitment, NymSecrets, SlotCommitment};
use credential::attributes::Generation;
use credential::jose::SigningKey;
use credential::origin::Origin;
use credential::renewal::{
    self, BadRequest, Outcome, Registered, RenewalAnswer, RenewalRefusal, RenewalRequest,
};
use credential::time::{Epoch, UnixTime};
use credential::web_number::WebNumber;
use store::{
    Consumed, RegisterId, RegisterRow, RegisterStore, RowStatus, SessionStore, StoreError, Updated,
};
use subtle::ConstantTimeEq;

use crate::issuer::{EpochKeys, KeyFolderError};
use crate::secret;

/// In rows from before the register had one: their holders enrol again.
const NO_COMMITMENT: [u8; 48] = [0; 48];

/// Renews certificates.
pub struct Renewals {
    origin: Origin,
    key: Arc<SigningKey>,
    keys: Arc<EpochKeys>,
    register: Arc<dyn RegisterStore>,
    nonces: Arc<dyn SessionStore>,
    /// Stands in for the row that an unknown web number does not have, so that its refusal costs
    /// as much work.
    nobody: RegisterRow,
}

/// Why a renewal has no signed answer.
#[derive(Debug, thiserror::Error)]
pub enum RenewalError {
    /// The request cannot be read, is not signed by the key that it names, or for another issuer.
    #[error(transparent)]
    Request(#[from] BadRequest),
    /// The nonce is unknown, expired or used.
    #[error("nonce is unknown, expired or used")]
    InvalidNonce,
    /// Somebody changed the registration at the same moment; try again.
    #[error("the registration was changed at the same moment")]
    Busy,
    /// We failed.
    #[error("the certificate cannot be signed")]
    Signature,
    /// The keys of this epoch are not there.
    #[error(transparent)]
    Keys(#[from] KeyFolderError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A renewal that may be granted: what was proved, and the row that it was proved for.
struct Proved {
    committed: SlotCommitment,
    row: RegisterRow,
}

impl Renewals {
    /// Renewals at the operator at `origin`, answered under the operator's `key`.
    #[must_use]
    pub fn new(
        origin: Origin,
        key: Arc<SigningKey>,
        keys: Arc<EpochKeys>,
        register: Arc<dyn RegisterStore>,
        nonces: Arc<dyn SessionStore>,
    ) -> Renewals {
        Renewals {
            origin,
            key,
            keys,
            register,
            nonces,
            nobody: row_of_nobody(),
        }
    }

    /// The signed answer to a renewal request: a certificate or a refusal.
    ///
    /// The row is written after the certificate was signed and before it leaves: a failure leaves
    /// the row as it was, and no certificate is out whose epoch is not in the row.
    ///
    /// # Errors
    ///
    /// The variants of [`RenewalError`].
    pub async fn renew(&self, request: &str, now: UnixTime) -> Result<String, RenewalError> {
        let request = RenewalRequest::read(request, &self.origin)?;
        let nonce = secret::hash(&request.nonce);
        match self.nonces.consume_nonce(nonce, now).await? {
            Consumed::First => {}
            Consumed::Refused => return Err(RenewalError::InvalidNonce),
        }
        let outcome = match self.judge(&request, now).await? {
            Ok(proved) => self.issue(&request, proved).await?,
            Err(refusal) => Outcome::Refused(refusal),
        };
        let answer = RenewalAnswer::to(&request, outcome, now);
        Ok(answer.sign(&self.origin, &self.key))
    }

    /// Whether the request is granted. What only the holder may learn is judged after the proof.
    async fn judge(
        &self,
        request: &RenewalRequest,
        now: UnixTime,
    ) -> Result<Result<Proved, RenewalRefusal>, RenewalError> {
        self.keys.turn(now)?;
        if !request.epochs.are_open(now) {
            return Ok(Err(RenewalRefusal::Epoch));
        }
        let Some(old) = self.keys.public(request.epochs.old) else {
            return Ok(Err(RenewalRefusal::Epoch));
        };
        let found = self.register.find(id_of(&request.web_number)?).await?;
        let found = found.filter(|row| row.slot_commitment != NO_COMMITMENT);
        let registered = registered(found.as_ref().unwrap_or(&self.nobody))?;
        let proved = request.verify(&self.origin, &old, &registered);
        let key_hash = request.device_key.thumbprint();
        let row = found.filter(|row| bool::from(row.device_key_hash.ct_eq(&key_hash)));
        let (Ok(committed), Some(row)) = (proved, row) else {
            return Ok(Err(RenewalRefusal::Refused));
        };
        Ok(admit(request, &row).map(|()| Proved { committed, row }))
    }

    async fn issue(
        &self,
        request: &RenewalRequest,
        proved: Proved,
    ) -> Result<Outcome, RenewalError> {
        let Proved { committed, row } = proved;
        let epoch = request.epochs.new;
        let key = self.keys.secret(epoch)?;
        let signature =
            renewal::sign(&committed, key.secret(), epoch).map_err(|_| RenewalError::Signature)?;
        let next = RegisterRow {
            last_epoch: epoch.max(row.last_epoch),
            ..row.clone()
        };
        match self.register.update(&row, &next, &[], None).await? {
            Updated::Done => Ok(Outcome::Renewed(signature)),
            Updated::Stale | Updated::TagTaken => Err(RenewalError::Busy),
        }
    }
}

/// Whether the row takes what its holder has proved.
fn admit(request: &RenewalRequest, row: &RegisterRow) -> Result<(), RenewalRefusal> {
    if request.epochs.old > row.last_epoch {
        // No such certificate was issued. Whoever reads this has to look for a leaked key.
        tracing::error!(
            epoch = request.epochs.old.0,
            "a certificate was proved that was never issued"
        );
        return Err(RenewalRefusal::Refused);
    }
    match row.status {
        RowStatus::Ended => Err(RenewalRefusal::Ended),
        // Also for an earlier epoch than the last: a device that was set back has lost that one.
        RowStatus::Active => Ok(()),
    }
}

/// A row that is in no register, with secrets that nobody knows.
fn row_of_nobody() -> RegisterRow {
    let mut rng = secret::rng();
    let (commitment, _) = NymCommitment::commit(&NymSecrets::draw(&mut rng), &mut rng);
    RegisterRow {
        id: RegisterId([0; 16]),
        commitment: commitment.to_bytes(),
        slot_commitment: commitment.to_bytes(),
        generation: 1,
        status: RowStatus::Active,
        last_epoch: Epoch(0),
        device_key_hash: [0; 32],
    }
}

fn registered(row: &RegisterRow) -> Result<Registered, StoreError> {
    let slot_commitment = KeptCommitment::from_bytes(&row.slot_commitment)
        .map_err(|_| StoreError::Damaged("slot commitment"))?;
    Ok(Registered {
        slot_commitment,
        generation: Generation::of(row.generation),
    })
}

fn id_of(web_number: &WebNumber) -> Result<RegisterId, StoreError> {
    let octets = web_number.as_str().as_bytes().try_into();
    octets
        .map(RegisterId)
        .map_err(|_| StoreError::Damaged("web number"))
}

#[cfg(test)]
mod tests;
