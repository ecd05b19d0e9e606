//! The holder's secrets and what the signer adds to them. None of them can be copied or printed.

use rand_core::CryptoRng;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::NYM_SECRETS;
use crate::Invalid;
use crate::blind::parse_scalars;
use crate::blst::{SCALAR_LEN, Scalar};
use crate::pseudonym::{Context, Pseudonym};

/// The holder's N secret scalars. They leave the wallet only inside its sealed backup.
#[derive(ZeroizeOnDrop)]
pub struct NymSecrets(pub(super) Vec<Scalar>);

impl NymSecrets {
    /// Draws fresh secrets.
    pub fn draw(rng: &mut impl CryptoRng) -> NymSecrets {
        NymSecrets((0..NYM_SECRETS).map(|_| Scalar::random(rng)).collect())
    }

    /// The secrets after the signer's entropy was added to the last of them.
    #[must_use]
    pub fn add_entropy(&self, entropy: &SignerEntropy) -> NymSecrets {
        let mut secrets = self.0.clone();
        if let Some(last) = secrets.last_mut() {
            *last = *last + entropy.0;
        }
        NymSecrets(secrets)
    }

    /// N times 32 octets, for the sealed vault and backup alone.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<Vec<u8>> {
        let mut octets = Zeroizing::new(Vec::with_capacity(NYM_SECRETS * SCALAR_LEN));
        for secret in &self.0 {
            octets.extend_from_slice(Zeroizing::new(secret.to_bytes()).as_ref());
        }
        octets
    }

    /// Parses what [`NymSecrets::expose`] gave.
    ///
    /// # Errors
    ///
    /// [`Invalid`] unless there are N scalars below r.
    pub fn from_bytes(bytes: &[u8]) -> Result<NymSecrets, Invalid> {
        let secrets = NymSecrets(parse_scalars(bytes)?);
        Invalid::when(secrets.0.len() != NYM_SECRETS)?;
        Ok(secrets)
    }

    /// The pseudonym of these secrets in `context`.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with negligible probability (the identity or the base point).
    pub fn pseudonym(&self, context: &Context) -> Result<Pseudonym, Invalid> {
        context.pseudonym(&self.0)
    }
}

/// What the signer adds to the last nym_secret, so that nobody chooses them alone.
#[derive(ZeroizeOnDrop)]
pub struct SignerEntropy(pub(super) Scalar);

impl SignerEntropy {
    /// Draws fresh entropy.
    pub fn draw(rng: &mut impl CryptoRng) -> SignerEntropy {
        SignerEntropy(Scalar::random(rng))
    }

    /// 32 octets.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; SCALAR_LEN] {
        self.0.to_bytes()
    }

    /// Parses 32 octets.
    ///
    /// # Errors
    ///
    /// [`Invalid`] for a value not below r.
    pub fn from_bytes(bytes: &[u8; SCALAR_LEN]) -> Result<SignerEntropy, Invalid> {
        Scalar::from_bytes(bytes).map(SignerEntropy).ok_or(Invalid)
    }
}

/// The blind of a commitment.
#[derive(ZeroizeOnDrop)]
pub struct Blind(pub(super) Scalar);

impl Blind {
    pub(super) fn draw(rng: &mut impl CryptoRng) -> Blind {
        Blind(Scalar::random(rng))
    }

    /// 32 octets, for the sealed vault and backup alone.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<[u8; SCALAR_LEN]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// Parses 32 octets.
    ///
    /// # Errors
    ///
    /// [`Invalid`] for a value not below r.
    pub fn from_bytes(bytes: &[u8; SCALAR_LEN]) -> Result<Blind, Invalid> {
        Scalar::from_bytes(bytes).map(Blind).ok_or(Invalid)
    }
}
