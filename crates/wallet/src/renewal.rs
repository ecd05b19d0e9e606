//! The wallet's side of a renewal: what it sends and what it makes of the answer. No I/O.

use bbs::certificate::Blind;
use credential::attributes::IssuedSlots;
use credential::issuance;
use credential::jose::SigningKey;
use credential::manifest::IssuerKey;
use credential::origin::Origin;
use credential::renewal::{
    BadAnswer, Outcome, RenewalAnswer, RenewalRefusal, RenewedEpochs, Renewing, log_entry,
};
use credential::time::{Epoch, UnixTime};
use getrandom::SysRng;
use rand_core::UnwrapErr;

use crate::vault::{DamagedVault, OperatorTrust, Person, StoredCertificate, Vault};

/// A renewal that was asked for.
pub struct Asked {
    /// The request, a compact JWS.
    pub request: String,
    slots: IssuedSlots,
    blind: Blind,
    epochs: RenewedEpochs,
}

/// Why a renewal brings no certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RenewError {
    /// The answer is not the operator's, or not to this request.
    #[error(transparent)]
    Answer(#[from] BadAnswer),
    /// The certificate does not verify under the published key of its epoch.
    #[error("the operator sent a certificate that does not verify")]
    Certificate,
    /// The operator refused, and signed it.
    #[error("the operator refused to renew the certificate")]
    Refused(RenewalRefusal),
    /// The vault is damaged.
    #[error(transparent)]
    Vault(#[from] DamagedVault),
}

/// Asks for the certificate of another epoch. `server` is the operator's origin and its nonce;
/// `device` the key that `stored` is bound to.
///
/// # Errors
///
/// [`DamagedVault`].
pub fn ask(
    person: &Person,
    stored: &StoredCertificate,
    epochs: RenewedEpochs,
    server: (&Origin, &str),
    device: &SigningKey,
) -> Result<Asked, DamagedVault> {
    let (slots, certificate) = stored.open(person)?;
    let renewing = Renewing {
        certificate: &certificate,
        web_number: &slots.web_number,
        device,
    };
    let request = renewing
        .request(epochs, server, &mut UnwrapErr(SysRng))
        .map_err(|_| DamagedVault)?;
    Ok(Asked {
        request,
        slots,
        blind: stored.blind()?,
        epochs,
    })
}

impl Asked {
    /// The certificate of the operator's answer, verified under the key of its epoch.
    ///
    /// # Errors
    ///
    /// [`RenewError`].
    pub fn receive(
        &self,
        answer: &str,
        operator: &OperatorTrust,
        person: &Person,
        issuer: &IssuerKey,
    ) -> Result<StoredCertificate, RenewError> {
        let OperatorTrust {
            origin,
            operator_key,
        } = operator;
        let answer = RenewalAnswer::read(answer, origin, operator_key)?;
        if !answer.is_to(&self.request, self.epochs.new) {
            return Err(BadAnswer.into());
        }
        let signature = match answer.outcome {
            Outcome::Renewed(signature) => signature,
            Outcome::Refused(refusal) => return Err(RenewError::Refused(refusal)),
        };
        if issuer.epoch != self.epochs.new {
            return Err(RenewError::Certificate);
        }
        let secrets = person.nym_secrets()?;
        issuance::receive(&signature, issuer, &self.slots, (&secrets, &self.blind))
            .map_err(|_| RenewError::Certificate)?;
        Ok(StoredCertificate::new(
            &signature,
            issuer,
            &self.slots,
            &self.blind,
        ))
    }
}

/// A refusal that the operator has signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRefusal {
    /// Its stable id.
    pub id: &'static str,
    /// The day of it by the operator's clock, as its first second.
    pub day: UnixTime,
    /// The name under which it will stand in the public log.
    pub log_entry: String,
}

impl Vault {
    /// The last refusal of a renewal, if none was granted since: `newest` is the epoch of the latest
    /// certificate. The certificate is written before the refusal is cleared, and a program can end
    /// in between.
    #[must_use]
    pub fn refusal(&self, newest: Option<Epoch>) -> Option<SignedRefusal> {
        let OperatorTrust {
            origin,
            operator_key,
        } = &self.operator;
        let statement = self.renewal_refusal.as_deref()?;
        let answer = RenewalAnswer::read(statement, origin, operator_key).ok()?;
        match answer.outcome {
            Outcome::Refused(refusal) if newest < Some(answer.new_epoch) => Some(SignedRefusal {
                id: refusal.as_str(),
                day: answer.iat,
                log_entry: log_entry(statement),
            }),
            Outcome::Refused(_) | Outcome::Renewed(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
