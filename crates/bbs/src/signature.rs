//! Keys and signatures. Source: draft-irtf-cfrg-bbs-signatures §3.4, §3.6.

use std::sync::OnceLock;

use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::Invalid;
use crate::blst::{G1, G1_LEN, G2, G2_LEN, Lines, SCALAR_LEN, Scalar, pairs_as_with_generator};
use crate::suite::{CIPHERSUITE_ID, Interface, Octets, Parameters, hash_to_scalar};

/// Octets of a serialised signature.
pub const SIGNATURE_LEN: usize = G1_LEN + SCALAR_LEN;

/// An issuer's secret key.
#[derive(ZeroizeOnDrop)]
pub struct SecretKey {
    scalar: Scalar,
    /// Every signature is on it, too.
    #[zeroize(skip)]
    public: OnceLock<PublicKey>,
}

impl SecretKey {
    /// A fresh random key.
    pub fn generate(rng: &mut impl CryptoRng) -> SecretKey {
        SecretKey::of(Scalar::random_not_zero(rng))
    }

    fn of(scalar: Scalar) -> SecretKey {
        SecretKey {
            scalar,
            public: OnceLock::new(),
        }
    }

    /// KeyGen. Source: §3.4.1; `key_material` holds at least 32 octets, `key_info` at most 65535.
    ///
    /// # Errors
    ///
    /// [`Invalid`] for inputs outside those lengths.
    pub fn from_key_material(key_material: &[u8], key_info: &[u8]) -> Result<SecretKey, Invalid> {
        let info_len = u16::try_from(key_info.len()).map_err(|_| Invalid)?;
        Invalid::when(key_material.len() < 32)?;
        let input = Zeroizing::new([key_material, &info_len.to_be_bytes(), key_info].concat());
        let dst = [CIPHERSUITE_ID, "H2G_HM2S_KEYGEN_DST_"].concat();
        Ok(SecretKey::of(hash_to_scalar(&input, dst.as_bytes())))
    }

    #[cfg(all(test, not(target_family = "wasm")))]
    pub(crate) fn scalar(&self) -> &Scalar {
        &self.scalar
    }

    /// Parses 32 big-endian octets.
    ///
    /// # Errors
    ///
    /// [`Invalid`] for zero or a value not below r.
    pub fn from_bytes(bytes: &[u8; SCALAR_LEN]) -> Result<SecretKey, Invalid> {
        let scalar = Scalar::from_bytes(bytes).ok_or(Invalid)?;
        Invalid::when(scalar.is_zero())?;
        Ok(SecretKey::of(scalar))
    }

    /// 32 big-endian octets, for the key store alone.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<[u8; SCALAR_LEN]> {
        Zeroizing::new(self.scalar.to_bytes())
    }

    /// The public key of this key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        let public = || PublicKey(G2::generator_mul(&self.scalar));
        *self.public.get_or_init(public)
    }

    /// (1 / (SK + e)) · B, with `e` from `input` and the key, and B times a factor from `b_times`, in constant
    /// time in the factor. Source: §3.6.1 steps 2 to 4.
    // Not in its callers: the constant-time check lets it branch.
    #[inline(never)]
    pub(crate) fn sign_point(
        &self,
        interface: &Interface,
        input: &Octets,
        b_times: impl FnOnce(&Scalar) -> G1,
    ) -> Result<Signature, Invalid> {
        // Room for all of it at once: a buffer that grows would leave the key behind.
        let mut e_input = Octets(Vec::with_capacity(SCALAR_LEN + input.0.len()));
        e_input.raw(self.expose().as_ref());
        e_input.raw(&input.0);
        let e = interface.hash_to_scalar(&e_input.0);
        e_input.0.zeroize();
        let sum = Zeroizing::new(self.scalar + e);
        // Of a sum that is zero the inverse is zero, and A then the identity.
        let a = b_times(&Zeroizing::new(sum.invert()));
        Invalid::when(a.is_identity())?;
        Ok(Signature { a, e })
    }
}

/// An issuer's public key, a point of G2.
#[derive(Clone, Copy)]
pub struct PublicKey(pub(crate) G2);

impl PublicKey {
    /// Parses 96 octets; checks subgroup and identity.
    ///
    /// # Errors
    ///
    /// [`Invalid`] for anything else than a non-identity point of G2.
    pub fn from_bytes(bytes: &[u8; G2_LEN]) -> Result<PublicKey, Invalid> {
        G2::from_bytes(bytes).map(PublicKey).ok_or(Invalid)
    }

    /// The compressed point, 96 octets.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; G2_LEN] {
        self.0.to_bytes()
    }
}

/// A signature (A, e). It identifies its holder and is never shown to a verifier.
pub struct Signature {
    pub(crate) a: G1,
    pub(crate) e: Scalar,
}

impl Signature {
    /// Parses 80 octets: A, e. Source: §4.2.4.3.
    ///
    /// # Errors
    ///
    /// [`Invalid`] unless A is a non-identity point of G1 and 0 < e < r.
    pub fn from_bytes(bytes: &[u8; SIGNATURE_LEN]) -> Result<Signature, Invalid> {
        let (a, e) = bytes.split_first_chunk().ok_or(Invalid)?;
        let e = Scalar::from_bytes(e.try_into().map_err(|_| Invalid)?).ok_or(Invalid)?;
        let a = G1::from_bytes(a).ok_or(Invalid)?;
        Invalid::when(e.is_zero())?;
        Ok(Signature { a, e })
    }

    /// 80 octets: A, e.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; SIGNATURE_LEN] {
        let mut out = [0; SIGNATURE_LEN];
        let (a, e) = out.split_at_mut(G1_LEN);
        a.copy_from_slice(&self.a.to_bytes());
        e.copy_from_slice(&self.e.to_bytes());
        out
    }
}

impl Drop for Signature {
    fn drop(&mut self) {
        self.a.zeroize();
        self.e.zeroize();
    }
}

/// CoreSign: signs `messages`, one scalar per generator of `parameters`. Source: §3.6.1.
///
/// # Errors
///
/// [`Invalid`] when the numbers of messages and generators differ.
pub fn sign(
    parameters: &Parameters,
    key: &SecretKey,
    header: &[u8],
    messages: &[Scalar],
) -> Result<Signature, Invalid> {
    Invalid::when(messages.len() != parameters.message_generators().len())?;
    let domain = parameters.domain(&key.public(), header);
    // Room for all of it at once: a buffer that grows would leave messages behind.
    let length = (messages.len() + 1) * SCALAR_LEN;
    let mut input = Zeroizing::new(Octets(Vec::with_capacity(length)));
    for message in messages {
        input.scalar(message);
    }
    input.scalar(&domain);
    key.sign_point(&parameters.interface, &input, |factor| {
        parameters.b_times(factor, &domain, messages)
    })
}

/// CoreVerify: whether `signature` is the issuer's over `messages` and `header`. Source: §3.6.2.
///
/// # Errors
///
/// [`Invalid`] when it is not.
pub fn verify(
    parameters: &Parameters,
    issuer: &PublicKey,
    header: &[u8],
    messages: &[Scalar],
    signature: &Signature,
) -> Result<(), Invalid> {
    Invalid::when(messages.len() != parameters.message_generators().len())?;
    let domain = parameters.domain(issuer, header);
    let b = Zeroizing::new(parameters.b(&domain, messages));
    // e(A, W + e · P2) = e(B, P2), where what is computed for W alone is kept already.
    let rest = Zeroizing::new(*b - signature.a.mul(&signature.e));
    Invalid::when(rest.is_identity())?;
    Invalid::when(!pairs_as_with_generator(
        (&signature.a, &Lines::kept(&issuer.0)),
        &rest,
    ))
}
