//! Pseudonyms: one point per context, computed from the nym_secrets.
//! Source: draft-irtf-cfrg-bbs-per-verifier-linkability-03 §5, §7.3.

use zeroize::{Zeroize, Zeroizing};

use crate::Invalid;
use crate::blst::{G1, G1_LEN, Scalar};
use crate::suite::{Interface, hash_to_scalar};

/// A person's pseudonym in one context: a point of G1, neither the identity nor the base point.
#[derive(Clone, PartialEq, Eq)]
pub struct Pseudonym(pub(crate) G1);

impl Pseudonym {
    /// Parses a compressed point.
    ///
    /// # Errors
    ///
    /// [`Invalid`] for a point off the subgroup, the identity or the base point.
    pub fn from_bytes(bytes: &[u8; G1_LEN]) -> Result<Pseudonym, Invalid> {
        Pseudonym::new(G1::from_bytes(bytes).ok_or(Invalid)?)
    }

    /// The compressed point, 48 octets.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; G1_LEN] {
        self.0.to_bytes()
    }

    fn new(point: G1) -> Result<Pseudonym, Invalid> {
        Invalid::when(point.is_identity() || point == G1::base())?;
        Ok(Pseudonym(point))
    }
}

impl Drop for Pseudonym {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A context with its base point and the place at which the secrets' polynomial is evaluated.
#[derive(Clone)]
pub struct Context {
    id: Vec<u8>,
    base: G1,
    z: Scalar,
}

impl Context {
    /// The context of `context_id`.
    #[must_use]
    pub fn new(context_id: &[u8]) -> Context {
        let interface = Interface::pseudonym();
        Context {
            id: context_id.to_vec(),
            base: G1::hash(context_id, interface.api_id()),
            z: hash_to_scalar(context_id, &interface.dst("VECT_NYM_SECRETS")),
        }
    }

    pub(crate) fn id(&self) -> &[u8] {
        &self.id
    }

    pub(crate) fn base(&self) -> &G1 {
        &self.base
    }

    /// Σ values\[i\] · z^i by Horner's rule.
    pub(crate) fn evaluate(&self, values: &[Scalar]) -> Zeroizing<Scalar> {
        let mut sum = Zeroizing::new(Scalar::default());
        for value in values.iter().rev() {
            *sum = *sum * self.z + *value;
        }
        sum
    }

    /// The pseudonym of these nym_secrets.
    pub(crate) fn pseudonym(&self, nym_secrets: &[Scalar]) -> Result<Pseudonym, Invalid> {
        Pseudonym::new(self.base.mul(&self.evaluate(nym_secrets)))
    }
}
