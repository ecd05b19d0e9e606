//! The wallet's side of enrolment: what it sends and what it makes of the answers. No I/O.
//!
//! The steps in their order: [`begin`], [`consent`], the evidence (sent by the caller),
//! [`show_face`], [`OngoingEnrolment::register`] or [`restore`], [`request_certificate`],
//! [`receive_certificate`].

mod consent;
mod face;
mod session;

use bbs::certificate::{Blind, NymCommitment, NymSecrets};
use credential::attributes::{Attributes, Generation, IssuedSlots};
use credential::consent::FaceConsent;
use credential::issuance::{self, Binding, Purpose, SignerEntropy, prove_nym_commitment};
use credential::jose::{self, SigningKey};
use credential::manifest::IssuerKey;
use credential::origin::Origin;
use credential::time::UnixTime;
use credential::web_number::WebNumber;
use getrandom::SysRng;
use openid4vc::uri::HttpsUri;
use openid4vc::vci::{CERTIFICATE, CommitmentProof, CredentialRequest};
use rand_core::UnwrapErr;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

pub use self::consent::{ConsentRequest, Consented, Notice, Processing, consent};
pub use self::face::{FaceRequest, FaceUpload, Frame, show_face};
pub use self::session::{BeginRequest, Begun, ChipChallenge, Session, SessionState, begin};

use crate::vault::{DamagedVault, Person, StoredCertificate};

/// Body of `POST /enrolment/{id}/commitment` and `/restore`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitmentRequest {
    commitment: String,
    proof: String,
}

/// Answer to `POST /enrolment/{id}/commitment`.
#[derive(Deserialize)]
pub struct Committed {
    entropy: String,
    commitment: String,
    web_number: String,
}

/// The operator's answer does not fit what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnrolError {
    /// A value has another form, or does not follow from what was sent.
    #[error("the operator's answer does not fit what this wallet sent")]
    Answer,
    /// An attribute has a form in which it could carry a mark of its holder.
    #[error("the operator would certify something that could mark you")]
    Attributes,
    /// The certificate does not verify.
    #[error("the operator sent a certificate that does not verify")]
    Certificate,
    /// The vault is damaged.
    #[error(transparent)]
    Vault(#[from] DamagedVault),
}

/// An enrolment that is going on, as it is kept on the device: whoever is interrupted can go on.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OngoingEnrolment {
    /// The session.
    pub session: String,
    token: String,
    /// What was agreed to about the face, once the operator has signed the consent; nothing about the
    /// person is sent before.
    #[serde(default)]
    pub consented: Option<FaceConsent>,
    /// What the certificate has to say, once the evidence was sent.
    pub expected: Option<Attributes>,
    /// Secrets that are drawn but not yet registered.
    draft: Option<Draft>,
    /// The proof that this wallet has the registered ones.
    restoring: Option<CommitmentRequest>,
}

impl OngoingEnrolment {
    /// One that has begun.
    #[must_use]
    pub fn new(begun: Begun) -> OngoingEnrolment {
        OngoingEnrolment {
            session: begun.session,
            token: begun.token,
            consented: None,
            expected: None,
            draft: None,
            restoring: None,
        }
    }

    /// The session's bearer token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The draft that was sent before, or a new one for this nonce. It has to be written down before
    /// its request is sent, so that the very same can be sent again.
    pub fn register(&mut self, issuer: &Origin, nonce: &str, device: &SigningKey) -> &Draft {
        self.draft
            .get_or_insert_with(|| register(issuer, nonce, device))
    }

    /// Forgets a draft that the operator does not take.
    pub fn forget_draft(&mut self) {
        self.draft = None;
    }

    /// The proof that was sent before, or a new one for this nonce, that this wallet knows the
    /// opening of the commitment that the register holds; to be written down as with
    /// [`OngoingEnrolment::register`].
    ///
    /// # Errors
    ///
    /// [`DamagedVault`].
    pub fn restore(
        &mut self,
        person: &Person,
        issuer: &Origin,
        nonce: &str,
        device: &SigningKey,
    ) -> Result<&CommitmentRequest, DamagedVault> {
        if self.restoring.is_none() {
            self.restoring = Some(restore(person, issuer, nonce, device)?);
        }
        self.restoring.as_ref().ok_or(DamagedVault)
    }
}

impl Drop for OngoingEnrolment {
    fn drop(&mut self) {
        self.token.zeroize();
    }
}

/// Secrets that are drawn but not yet registered, with the request that commits to them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    opening: Person,
    /// The body to be sent.
    pub request: CommitmentRequest,
}

/// Draws secrets and proves that it knows the opening of their commitment.
#[must_use]
pub fn register(issuer: &Origin, nonce: &str, device: &SigningKey) -> Draft {
    let mut rng = UnwrapErr(SysRng);
    let secrets = NymSecrets::draw(&mut rng);
    let (commitment, blind) = NymCommitment::commit(&secrets, &mut rng);
    let binding = Binding {
        issuer,
        nonce: nonce.as_bytes(),
        purpose: Purpose::Register,
        device_key: device.public(),
    };
    let proof = prove_nym_commitment(&commitment, (&secrets, &blind), &binding, &mut rng);
    let request = CommitmentRequest {
        commitment: jose::encode(commitment.to_bytes()),
        proof: jose::encode(proof),
    };
    Draft {
        opening: Person::new(&secrets, &blind, &commitment),
        request,
    }
}

impl Draft {
    /// Adds the signer's entropy; the result must be in the vault before a certificate is asked
    /// for, because from then on the register knows the person by it.
    ///
    /// # Errors
    ///
    /// [`EnrolError::Answer`] when commitment or web number do not follow from the entropy,
    /// [`EnrolError::Vault`].
    pub fn finish(&self, answer: &Committed) -> Result<Person, EnrolError> {
        let entropy: [u8; 32] = jose::decode(&answer.entropy)
            .ok()
            .and_then(|octets| octets.try_into().ok())
            .ok_or(EnrolError::Answer)?;
        let entropy = SignerEntropy::from_bytes(&entropy).map_err(|_| EnrolError::Answer)?;
        let commitment = self.opening.commitment()?.add_entropy(&entropy);
        let web_number = WebNumber::parse(&answer.web_number).map_err(|_| EnrolError::Answer)?;
        let follows = jose::encode(commitment.to_bytes()) == answer.commitment
            && web_number == WebNumber::of(&commitment);
        if !follows {
            return Err(EnrolError::Answer);
        }
        Ok(Person::new(
            &self.opening.nym_secrets()?.add_entropy(&entropy),
            &self.opening.blind()?,
            &commitment,
        ))
    }
}

/// Proves that this wallet knows the opening of the commitment that the register holds.
///
/// # Errors
///
/// [`DamagedVault`].
pub fn restore(
    person: &Person,
    issuer: &Origin,
    nonce: &str,
    device: &SigningKey,
) -> Result<CommitmentRequest, DamagedVault> {
    let binding = Binding {
        issuer,
        nonce: nonce.as_bytes(),
        purpose: Purpose::Restore,
        device_key: device.public(),
    };
    let commitment = person.commitment()?;
    let (secrets, blind) = (person.nym_secrets()?, person.blind()?);
    let proof = prove_nym_commitment(
        &commitment,
        (&secrets, &blind),
        &binding,
        &mut UnwrapErr(SysRng),
    );
    Ok(CommitmentRequest {
        commitment: jose::encode(commitment.to_bytes()),
        proof: jose::encode(proof),
    })
}

/// A certificate that was asked for.
pub struct CertificateRequest {
    slots: IssuedSlots,
    blind: Blind,
    /// The body of the credential request, JSON.
    pub body: String,
}

/// Commits to all slots of the certificate. Where `held` is one with the same slots, to the same
/// octets as then: the register would refuse to renew it after another commitment whose answer was
/// lost.
///
/// # Errors
///
/// [`EnrolError::Answer`] for an unknown generation, [`EnrolError::Attributes`], or [`EnrolError::Vault`].
pub fn request_certificate(
    person: &Person,
    identity: (&Attributes, &str),
    issuer: (&Origin, &HttpsUri, &str),
    (device, held): (&SigningKey, Option<&StoredCertificate>),
    now: UnixTime,
) -> Result<CertificateRequest, EnrolError> {
    let (origin, audience, nonce) = issuer;
    if !identity.0.are_well_formed() {
        return Err(EnrolError::Attributes);
    }
    let slots = IssuedSlots {
        attributes: identity.0.clone(),
        web_number: person.web_number()?,
        generation: Generation::parse(identity.1).ok_or(EnrolError::Answer)?,
        device_key: *device.public(),
    };
    let (secrets, blind) = (person.nym_secrets()?, person.blind()?);
    let commitment = person.commitment()?;
    let opening = (&secrets, &blind);
    let server = (origin, nonce.as_bytes());
    let mut rng = UnwrapErr(SysRng);
    let kept = held.and_then(|held| held.blind_of(person, &slots));
    let sent = match kept {
        Some(kept) => issuance::request_again(&slots, &commitment, opening, kept, server, &mut rng),
        None => issuance::request(&slots, &commitment, opening, server, &mut rng),
    };
    let proof = CommitmentProof {
        nonce: nonce.to_owned(),
        iat: now,
        commitment: sent.commitment.to_vec(),
        proof: sent.proof,
    };
    let body = CredentialRequest::compose(CERTIFICATE, &proof.sign(audience, device));
    Ok(CertificateRequest {
        slots,
        blind: sent.blind,
        body,
    })
}

/// Verifies a received certificate against the key of its epoch.
///
/// # Errors
///
/// [`EnrolError::Certificate`] or [`EnrolError::Vault`].
pub fn receive_certificate(
    request: &CertificateRequest,
    person: &Person,
    issued: &str,
    issuer: &IssuerKey,
) -> Result<StoredCertificate, EnrolError> {
    let signature =
        issuance::parse_issued_form(issued, issuer.epoch).map_err(|_| EnrolError::Certificate)?;
    let secrets = person.nym_secrets()?;
    issuance::receive(
        &signature,
        issuer,
        &request.slots,
        (&secrets, &request.blind),
    )
    .map_err(|_| EnrolError::Certificate)?;
    Ok(StoredCertificate::new(
        &signature,
        issuer,
        &request.slots,
        &request.blind,
    ))
}
