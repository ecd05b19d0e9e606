//! Renewal: from the certificate of one epoch to that of another, without a document. The steps
//! and messages of both sides stand side by side.
//! Source: `docs/specs.md`, section "issuing"; `docs/specs/enrolment.md`, section "renewal".

use bbs::SecretKey;
use bbs::certificate::{
    Certificate, ExpectedRenewal, KeptCommitment, RENEWAL_PROOF_LEN, SlotCommitment,
};
use bbs::signature::SIGNATURE_LEN;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

pub use crate::issuance::RenewedEpochs;

use crate::attributes::{Generation, opened_slots};
use crate::issuance::{Binding, IssuanceError, Purpose, issuer_header};
use crate::jose::jws::{self, Header, UnverifiedJws};
use crate::jose::{self, PublicKey, SigningKey, sha256};
use crate::manifest::IssuerKey;
use crate::origin::Origin;
use crate::time::{Epoch, UnixTime};
use crate::web_number::WebNumber;

/// `typ` of a wallet's request.
const REQUEST_TYP: &str = "bauta-renewal+jwt";
/// `typ` of the operator's answer.
const ANSWER_TYP: &str = "bauta-renewal-answer+jwt";

/// A certificate can be renewed for so many epochs after its own: a year of absence.
pub const CATCH_UP_EPOCHS: u32 = 52;
/// So many seconds before an epoch begins its certificates are issued at the earliest.
pub const EARLY_SECS: u64 = 3 * 86_400;

/// Characters of certificate, outcome and padding together, in every answer.
const FILLED: usize = 128;

/// The first second at which certificates of `epoch` are issued.
#[must_use]
pub fn opens(epoch: Epoch) -> UnixTime {
    epoch.start().minus_secs(EARLY_SECS)
}

impl RenewedEpochs {
    /// Whether an issuer renews from and to these epochs at `now`: from this epoch or up to
    /// [`CATCH_UP_EPOCHS`] before it, to this one or, in its last three days, to the next.
    #[must_use]
    pub fn are_open(self, now: UnixTime) -> bool {
        let epoch = now.epoch();
        let oldest = Epoch(epoch.0.saturating_sub(CATCH_UP_EPOCHS));
        let next = epoch.next();
        (oldest..=epoch).contains(&self.old)
            && (self.new == epoch || self.new == next && now >= opens(next))
    }
}

/// What the wallet proves a renewal with.
pub struct Renewing<'a> {
    /// The certificate that it has.
    pub certificate: &'a Certificate,
    /// Its web number.
    pub web_number: &'a WebNumber,
    /// The key that the certificate is bound to.
    pub device: &'a SigningKey,
}

impl Renewing<'_> {
    /// Asks the issuer for the same certificate in another epoch: the compact JWS to send. `server`
    /// is the issuer's origin and its nonce.
    ///
    /// # Errors
    ///
    /// [`IssuanceError`] never for a certificate that was verified.
    pub fn request(
        &self,
        epochs: RenewedEpochs,
        server: (&Origin, &str),
        rng: &mut impl CryptoRng,
    ) -> Result<String, IssuanceError> {
        let (issuer, nonce) = server;
        let binding = binding(issuer, nonce, epochs, self.device.public());
        let proof = self.certificate.renew(&binding.to_bytes(), rng)?;
        let claims = RequestClaims {
            aud: issuer.clone(),
            nonce: nonce.to_owned(),
            web_number: self.web_number.as_str().to_owned(),
            old_epoch: epochs.old,
            new_epoch: epochs.new,
            proof: jose::encode(proof),
        };
        let header = Header {
            jwk: Some(*self.device.public()),
            ..Header::of_type(REQUEST_TYP)
        };
        Ok(jws::sign_with_header(self.device, &header, &claims))
    }
}

fn binding<'a>(
    issuer: &'a Origin,
    nonce: &'a str,
    epochs: RenewedEpochs,
    device_key: &'a PublicKey,
) -> Binding<'a> {
    Binding {
        issuer,
        nonce: nonce.as_bytes(),
        purpose: Purpose::Renew(epochs),
        device_key,
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestClaims {
    aud: Origin,
    nonce: String,
    web_number: String,
    old_epoch: Epoch,
    new_epoch: Epoch,
    proof: String,
}

/// A request is not of this form, not signed by the key that it names, or for another issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a signed renewal request for this issuer")]
pub struct BadRequest;

/// A request whose signature holds. Whose key signed it, and what it proves, is not known yet.
pub struct RenewalRequest {
    /// SHA-256 of the request as received.
    pub sha256: [u8; 32],
    /// The key that signed it.
    pub device_key: PublicKey,
    /// The server's nonce.
    pub nonce: String,
    /// The web number that it claims.
    pub web_number: WebNumber,
    /// From which epoch to which.
    pub epochs: RenewedEpochs,
    proof: Box<[u8; RENEWAL_PROOF_LEN]>,
}

/// What the register says about the person of a web number.
pub struct Registered {
    /// The commitment to all slots of the certificates since the enrolment.
    pub slot_commitment: KeptCommitment,
    /// The capped generation.
    pub generation: Generation,
}

impl RenewalRequest {
    /// Reads a request to `issuer`, and checks its signature under the key that it carries.
    ///
    /// # Errors
    ///
    /// [`BadRequest`].
    pub fn read(compact: &str, issuer: &Origin) -> Result<RenewalRequest, BadRequest> {
        let jws = UnverifiedJws::parse(compact).map_err(|_| BadRequest)?;
        let device_key = jws.header().jwk.ok_or(BadRequest)?;
        let claims: RequestClaims = jws
            .verify(&device_key, REQUEST_TYP)
            .map_err(|_| BadRequest)?;
        let web_number = WebNumber::parse(&claims.web_number).map_err(|_| BadRequest)?;
        // One spelling, so that every request has the same size.
        if claims.aud != *issuer || claims.web_number != web_number.as_str() {
            return Err(BadRequest);
        }
        Ok(RenewalRequest {
            sha256: sha256(compact.as_bytes()),
            device_key,
            nonce: claims.nonce,
            web_number,
            epochs: RenewedEpochs {
                old: claims.old_epoch,
                new: claims.new_epoch,
            },
            proof: Box::new(octets(&claims.proof)?),
        })
    }

    /// Checks the proof against the issuer's own row: a certificate of the old epoch for this
    /// device key, web number and generation, with the slots of the commitment.
    /// `old` is the key of the old epoch.
    ///
    /// # Errors
    ///
    /// [`IssuanceError`] when the proof does not hold.
    pub fn verify(
        &self,
        issuer: &Origin,
        old: &IssuerKey,
        row: &Registered,
    ) -> Result<SlotCommitment, IssuanceError> {
        let binding = binding(issuer, &self.nonce, self.epochs, &self.device_key);
        let expected = ExpectedRenewal {
            issuer: &old.key,
            header: &issuer_header(self.epochs.old),
            opened: &opened_slots(&self.device_key, &self.web_number, row.generation),
            binding: &binding.to_bytes(),
        };
        Ok(row.slot_commitment.verify_renewal(&self.proof, &expected)?)
    }
}

/// Issuer: signs the slots that a renewal has proved.
///
/// # Errors
///
/// [`IssuanceError`] with negligible probability.
pub fn sign(
    committed: &SlotCommitment,
    key: &SecretKey,
    epoch: Epoch,
) -> Result<[u8; SIGNATURE_LEN], IssuanceError> {
    Ok(committed.sign(key, &issuer_header(epoch))?.to_bytes())
}

/// Why a renewal is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenewalRefusal {
    /// No such registration, another device key, a proof that does not hold: which is not said.
    Refused,
    /// The issuer does not renew from or to these epochs now.
    Epoch,
    /// The registration was ended.
    Ended,
}

impl RenewalRefusal {
    const ALL: [RenewalRefusal; 3] = [
        RenewalRefusal::Refused,
        RenewalRefusal::Epoch,
        RenewalRefusal::Ended,
    ];

    /// The stable id.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            RenewalRefusal::Refused => "renewal-refused",
            RenewalRefusal::Epoch => "renewal-epoch",
            RenewalRefusal::Ended => "registration-ended",
        }
    }
}

/// What a renewal ends in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The signature of the new certificate.
    Renewed([u8; SIGNATURE_LEN]),
    /// A refusal.
    Refused(RenewalRefusal),
}

/// The name of an outcome that is no refusal.
const RENEWED: &str = "renewed";

/// The operator's signed answer to a renewal; certificate or refusal, it has the same length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RenewalAnswer {
    /// SHA-256 of the request.
    pub request_sha256: [u8; 32],
    /// The day of the answer, by the operator's clock; given as its first second.
    pub iat: UnixTime,
    /// The epoch that was asked for.
    pub new_epoch: Epoch,
    /// What the renewal ended in.
    pub outcome: Outcome,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerClaims {
    iss: Origin,
    request_sha256: String,
    iat: UnixTime,
    new_epoch: Epoch,
    outcome: String,
    certificate: String,
    padding: String,
}

/// An answer is not the operator's, of another form, or to another request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the operator's signed answer to this renewal")]
pub struct BadAnswer;

impl RenewalAnswer {
    /// The answer of this outcome to a request, at `now`.
    #[must_use]
    pub fn to(request: &RenewalRequest, outcome: Outcome, now: UnixTime) -> RenewalAnswer {
        RenewalAnswer {
            request_sha256: request.sha256,
            iat: now.day().start(),
            new_epoch: request.epochs.new,
            outcome,
        }
    }

    /// Signs it for the operator at `origin`.
    #[must_use]
    pub fn sign(&self, origin: &Origin, key: &SigningKey) -> String {
        let (outcome, certificate) = match &self.outcome {
            Outcome::Renewed(signature) => (RENEWED, jose::encode(signature)),
            Outcome::Refused(refusal) => (refusal.as_str(), String::new()),
        };
        let claims = AnswerClaims {
            iss: origin.clone(),
            request_sha256: jose::encode(self.request_sha256),
            iat: self.iat,
            new_epoch: self.new_epoch,
            padding: padding(outcome, &certificate),
            outcome: outcome.to_owned(),
            certificate,
        };
        jws::sign(key, ANSWER_TYP, &claims)
    }

    /// Reads an answer of the pinned operator.
    ///
    /// # Errors
    ///
    /// [`BadAnswer`].
    pub fn read(
        compact: &str,
        origin: &Origin,
        operator_key: &PublicKey,
    ) -> Result<RenewalAnswer, BadAnswer> {
        let claims: AnswerClaims = UnverifiedJws::parse(compact)
            .and_then(|jws| jws.verify(operator_key, ANSWER_TYP))
            .map_err(|_| BadAnswer)?;
        let fills = claims.padding == padding(&claims.outcome, &claims.certificate);
        if claims.iss != *origin || !fills || claims.iat != claims.iat.day().start() {
            return Err(BadAnswer);
        }
        Ok(RenewalAnswer {
            request_sha256: octets(&claims.request_sha256).map_err(|_| BadAnswer)?,
            iat: claims.iat,
            new_epoch: claims.new_epoch,
            outcome: claims.outcome()?,
        })
    }

    /// Whether it answers this request for a certificate of `epoch`.
    #[must_use]
    pub fn is_to(&self, request: &str, epoch: Epoch) -> bool {
        self.request_sha256 == sha256(request.as_bytes()) && self.new_epoch == epoch
    }
}

impl AnswerClaims {
    fn outcome(&self) -> Result<Outcome, BadAnswer> {
        if self.outcome == RENEWED {
            let signature = octets(&self.certificate).map_err(|_| BadAnswer)?;
            return Ok(Outcome::Renewed(signature));
        }
        let mut refusals = RenewalRefusal::ALL.into_iter();
        let refusal = refusals.find(|refusal| refusal.as_str() == self.outcome);
        match refusal {
            Some(refusal) if self.certificate.is_empty() => Ok(Outcome::Refused(refusal)),
            Some(_) | None => Err(BadAnswer),
        }
    }
}

/// Zeros that make all answers equally long.
fn padding(outcome: &str, certificate: &str) -> String {
    "0".repeat(FILLED.saturating_sub(outcome.len() + certificate.len()))
}

/// The name under which a refusal will stand in the public log: SHA-256 of the signed answer.
#[must_use]
pub fn log_entry(refusal: &str) -> String {
    jose::encode(sha256(refusal.as_bytes()))
}

fn octets<const N: usize>(text: &str) -> Result<[u8; N], BadRequest> {
    jose::decode(text)
        .ok()
        .and_then(|octets| octets.try_into().ok())
        .ok_or(BadRequest)
}

#[cfg(test)]
mod tests;
