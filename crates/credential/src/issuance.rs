//! How a certificate comes into being: commitment to the secrets, commitment to all slots,
//! signature. Both sides of each step stand side by side.
//! Source: `docs/specs.md`, section "issuing".

use bbs::certificate::{
    Blind, Certificate, NymCommitment, NymSecrets, OPENING_PROOF_LEN, SLOT_PROOF_LEN,
    SlotCommitment,
};
use bbs::signature::SIGNATURE_LEN;
use bbs::{G1_LEN, SecretKey, Signature};
use rand_core::CryptoRng;
use serde::Serialize;

pub use bbs::certificate::SignerEntropy;

use crate::attributes::IssuedSlots;
use crate::jose::{self, PublicKey};
use crate::manifest::{IssuerKey, LAYOUT, SUITE};
use crate::origin::Origin;
use crate::time::Epoch;
use crate::web_number::WebNumber;

/// What a proof of an opening is made for; one made for another purpose does not verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// First registration of a person.
    Register,
    /// The same person again, with a backup.
    Restore,
    /// The certificate itself.
    Issue,
    /// The certificate of another epoch, from one that the wallet has.
    Renew(RenewedEpochs),
}

/// From which epoch's certificate a renewal leads to which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RenewedEpochs {
    /// Epoch of the certificate that the wallet has.
    pub old: Epoch,
    /// Epoch of the one it asks for.
    pub new: Epoch,
}

impl RenewedEpochs {
    /// Both as 8 octets each, big-endian.
    fn to_bytes(self) -> Vec<u8> {
        [self.old, self.new]
            .map(|epoch| u64::from(epoch.0).to_be_bytes())
            .concat()
    }
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Purpose::Register => "register",
            Purpose::Restore => "restore",
            Purpose::Issue => "issue",
            Purpose::Renew(_) => "renew",
        }
    }
}

/// All that a proof towards the issuer is bound to.
pub struct Binding<'a> {
    /// The issuer's origin, so that no other issuer can pass the proof on.
    pub issuer: &'a Origin,
    /// The server's fresh nonce, as received.
    pub nonce: &'a [u8],
    /// What the proof is for.
    pub purpose: Purpose,
    /// The key of the device that will hold the certificate.
    pub device_key: &'a PublicKey,
}

impl Binding<'_> {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut parts = vec![
            self.purpose.as_str().as_bytes().to_vec(),
            self.issuer.as_str().as_bytes().to_vec(),
            self.nonce.to_vec(),
            self.device_key.sec1().to_vec(),
        ];
        if let Purpose::Renew(epochs) = self.purpose {
            parts.push(epochs.to_bytes());
        }
        let mut out = Vec::new();
        for part in parts {
            out.extend_from_slice(&(part.len() as u64).to_be_bytes());
            out.extend_from_slice(&part);
        }
        out
    }
}

/// A commitment or proof did not hold. It says no more on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("commitment or proof is not valid")]
pub struct IssuanceError;

impl From<bbs::Invalid> for IssuanceError {
    fn from(_: bbs::Invalid) -> IssuanceError {
        IssuanceError
    }
}

/// Wallet: proves that it knows the opening of `commitment`. The proof has
/// [`OPENING_PROOF_LEN`] octets.
#[must_use]
pub fn prove_nym_commitment(
    commitment: &NymCommitment,
    opening: (&NymSecrets, &Blind),
    binding: &Binding<'_>,
    rng: &mut impl CryptoRng,
) -> Vec<u8> {
    commitment
        .prove_opening(opening.0, opening.1, &binding.to_bytes(), rng)
        .to_vec()
}

/// Issuer: the commitment of these 48 octets, whose opening the wallet has proved to know.
///
/// # Errors
///
/// [`IssuanceError`] for octets of another form or a proof that does not hold for `binding`.
pub fn verify_nym_commitment(
    commitment: &[u8],
    proof: &[u8],
    binding: &Binding<'_>,
) -> Result<NymCommitment, IssuanceError> {
    let octets: &[u8; G1_LEN] = commitment.try_into().map_err(|_| IssuanceError)?;
    let proof: &[u8; OPENING_PROOF_LEN] = proof.try_into().map_err(|_| IssuanceError)?;
    let commitment = NymCommitment::from_bytes(octets)?;
    commitment.verify_opening(proof, &binding.to_bytes())?;
    Ok(commitment)
}

/// What the wallet sends for a certificate, and the blind that it keeps.
pub struct SlotRequest {
    /// The commitment to all slots, 48 octets.
    pub commitment: [u8; G1_LEN],
    /// Its proof, [`SLOT_PROOF_LEN`] octets.
    pub proof: Vec<u8>,
    /// Slot 0 of this certificate and of those that it is renewed to.
    pub blind: Blind,
}

/// Wallet: commits to all slots and proves what is in them. `server` is the issuer's origin and
/// its nonce.
#[must_use]
pub fn request(
    slots: &IssuedSlots,
    final_c: &NymCommitment,
    opening: (&NymSecrets, &Blind),
    server: (&Origin, &[u8]),
    rng: &mut impl CryptoRng,
) -> SlotRequest {
    let binding = issue_binding(slots, server).to_bytes();
    let known = slots.known_slots();
    let (commitment, blind, proof) = SlotCommitment::prove(&known, final_c, opening, &binding, rng);
    SlotRequest {
        commitment,
        proof: proof.to_vec(),
        blind,
    }
}

/// Wallet: as [`request`], for the very slots of a certificate with this `blind`; the commitment is
/// the same, so that the certificate can be renewed whether the answer arrives or not.
#[must_use]
pub fn request_again(
    slots: &IssuedSlots,
    final_c: &NymCommitment,
    opening: (&NymSecrets, &Blind),
    blind: Blind,
    server: (&Origin, &[u8]),
    rng: &mut impl CryptoRng,
) -> SlotRequest {
    let binding = issue_binding(slots, server).to_bytes();
    let known = slots.known_slots();
    let (commitment, proof) =
        SlotCommitment::prove_again(&known, final_c, opening, &blind, &binding, rng);
    SlotRequest {
        commitment,
        proof: proof.to_vec(),
        blind,
    }
}

/// `server` is the issuer's origin and its nonce.
fn issue_binding<'a>(slots: &'a IssuedSlots, server: (&'a Origin, &'a [u8])) -> Binding<'a> {
    let (issuer, nonce) = server;
    Binding {
        issuer,
        nonce,
        purpose: Purpose::Issue,
        device_key: &slots.device_key,
    }
}

/// What the issuer made for a first certificate.
pub struct Issued {
    /// To send to the wallet.
    pub signature: [u8; SIGNATURE_LEN],
    /// The commitment to all slots, for the register: renewals sign it again.
    pub commitment: [u8; G1_LEN],
}

/// Issuer: signs the committed slots if they hold exactly what the evidence gave. `server` is the
/// issuer's own origin and the nonce it gave.
///
/// # Errors
///
/// [`IssuanceError`] for octets of another form, a proof that does not hold, slots of another
/// commitment's web number, or attributes that are not well-formed.
pub fn issue(
    key: &SecretKey,
    epoch: Epoch,
    slots: &IssuedSlots,
    final_c: &NymCommitment,
    request: (&[u8], &[u8]),
    server: (&Origin, &[u8]),
) -> Result<Issued, IssuanceError> {
    let commitment: &[u8; G1_LEN] = request.0.try_into().map_err(|_| IssuanceError)?;
    let proof: &[u8; SLOT_PROOF_LEN] = request.1.try_into().map_err(|_| IssuanceError)?;
    if slots.web_number != WebNumber::of(final_c) || !slots.attributes.are_well_formed() {
        return Err(IssuanceError);
    }
    let binding = issue_binding(slots, server);
    let known = slots.known_slots();
    let committed =
        SlotCommitment::verify(commitment, &known, final_c, proof, &binding.to_bytes())?;
    Ok(Issued {
        signature: committed.sign(key, &issuer_header(epoch))?.to_bytes(),
        commitment: committed.to_bytes(),
    })
}

/// Wallet: the certificate of a received signature, verified against the issuer's key.
///
/// # Errors
///
/// [`IssuanceError`] when the signature is not over these slots and this epoch.
pub fn receive(
    signature: &[u8],
    issuer: &IssuerKey,
    slots: &IssuedSlots,
    secrets: (&NymSecrets, &Blind),
) -> Result<Certificate, IssuanceError> {
    let octets: &[u8; SIGNATURE_LEN] = signature.try_into().map_err(|_| IssuanceError)?;
    let signature = Signature::from_bytes(octets)?;
    let header = issuer_header(issuer.epoch);
    Ok(Certificate::verify(
        signature,
        &issuer.key,
        &header,
        &slots.known_slots(),
        secrets,
    )?)
}

/// The issued form in a credential response: header, no payloads (the holder has them), signature.
#[must_use]
pub fn to_issued_form(epoch: Epoch, signature: &[u8; SIGNATURE_LEN]) -> String {
    format!(
        "{}..{}",
        jose::encode(issuer_header(epoch)),
        jose::encode(signature)
    )
}

/// The signature of an issued form whose header is that of `epoch`.
///
/// # Errors
///
/// [`IssuanceError`] for another form or header.
pub fn parse_issued_form(text: &str, epoch: Epoch) -> Result<Vec<u8>, IssuanceError> {
    let (header, signature) = text.split_once("..").ok_or(IssuanceError)?;
    if header != jose::encode(issuer_header(epoch)) {
        return Err(IssuanceError);
    }
    jose::decode(signature).map_err(|_| IssuanceError)
}

/// The header that the issuer signs, the same octets for everybody in an epoch.
#[must_use]
pub fn issuer_header(epoch: Epoch) -> Vec<u8> {
    #[derive(Serialize)]
    struct IssuerHeader<'a> {
        alg: &'a str,
        vct: &'a str,
        epoch: Epoch,
    }
    serde_json::to_vec(&IssuerHeader {
        alg: SUITE,
        vct: LAYOUT,
        epoch,
    })
    .expect("strings and a number serialise")
}
