//! The only module with `unsafe`: scalars, points and pairings of BLS12-381, wrapped from `blst`.
//!
//! Every block is a call of a C function on pointers to initialised values that live for the
//! call. Multiplication by a secret is [`G1::mul`] (constant time in `blst`) and
//! [`sum_of_tables`]; names with `vartime` are for verification only.

#![expect(
    unsafe_code,
    reason = "blst is a C library; this module alone calls it"
)]

mod msm;
mod pairing;
mod sum;

use blst::{
    BLST_ERROR, blst_bendian_from_scalar, blst_expand_message_xmd, blst_fr, blst_fr_add,
    blst_fr_from_scalar, blst_fr_inverse, blst_fr_mul, blst_fr_sub, blst_hash_to_g1, blst_p1,
    blst_p1_add_or_double, blst_p1_affine, blst_p1_affine_in_g1, blst_p1_affine_is_inf,
    blst_p1_cneg, blst_p1_compress, blst_p1_from_affine, blst_p1_generator, blst_p1_is_equal,
    blst_p1_is_inf, blst_p1_mult, blst_p1_uncompress, blst_p2, blst_p2_affine,
    blst_p2_affine_generator, blst_p2_affine_in_g2, blst_p2_affine_is_inf, blst_p2_compress,
    blst_p2_from_affine, blst_p2_generator, blst_p2_mult, blst_p2_to_affine, blst_p2_uncompress,
    blst_scalar, blst_scalar_fr_check, blst_scalar_from_be_bytes, blst_scalar_from_bendian,
    blst_scalar_from_fr,
};
use rand_core::CryptoRng;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::{Zeroize, Zeroizing};

pub(crate) use self::msm::{Multiples, msm_vartime, normalize, sum_vartime};
pub(crate) use self::pairing::{Lines, pairs_as_with_generator};
pub(crate) use self::sum::{Table, sum_of_tables};

/// Octets of a serialised scalar.
pub const SCALAR_LEN: usize = 32;
/// Octets of a compressed point of G1.
pub const G1_LEN: usize = 48;
/// Octets of a compressed point of G2.
pub const G2_LEN: usize = 96;
/// Octets hashed to one scalar, so that the bias of the reduction is below 2^-128.
pub(crate) const EXPAND_LEN: usize = 48;
/// Bits of a reduced scalar.
const SCALAR_BITS: usize = 255;

/// An integer modulo r, the order of G1 and G2.
///
/// It has no `Debug`; whoever holds a secret one wraps it in `Zeroizing`.
#[derive(Clone, Copy, Default)]
pub struct Scalar(blst_fr);

impl Scalar {
    /// The scalar of an unsigned integer.
    #[must_use]
    pub fn from_u128(value: u128) -> Scalar {
        let mut bytes = [0; SCALAR_LEN];
        let (_, low) = bytes.split_at_mut(16);
        low.copy_from_slice(&value.to_be_bytes());
        Scalar::reduce(&bytes)
    }

    fn one() -> Scalar {
        Scalar::from_u128(1)
    }

    /// Parses 32 big-endian octets; `None` unless the value is below r.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; SCALAR_LEN]) -> Option<Scalar> {
        let mut scalar = blst_scalar::default();
        let mut fr = blst_fr::default();
        // SAFETY: 32 readable octets in, initialised values out.
        let canonical = unsafe {
            blst_scalar_from_bendian(&raw mut scalar, bytes.as_ptr());
            blst_scalar_fr_check(&raw const scalar)
        };
        if !canonical {
            return None;
        }
        // SAFETY: `scalar` was checked to be below r.
        unsafe { blst_fr_from_scalar(&raw mut fr, &raw const scalar) };
        Some(Scalar(fr))
    }

    /// The big-endian integer of any length, reduced modulo r (OS2IP(bytes) mod r).
    pub(crate) fn reduce(bytes: &[u8]) -> Scalar {
        let mut scalar = blst_scalar::default();
        let mut fr = blst_fr::default();
        // SAFETY: the pointer is valid for the length given with it.
        unsafe {
            blst_scalar_from_be_bytes(&raw mut scalar, bytes.as_ptr(), bytes.len());
            blst_fr_from_scalar(&raw mut fr, &raw const scalar);
        }
        Scalar(fr)
    }

    /// A uniformly random scalar.
    pub fn random(rng: &mut impl CryptoRng) -> Scalar {
        let mut wide = Zeroizing::new([0; EXPAND_LEN]);
        rng.fill_bytes(wide.as_mut());
        Scalar::reduce(wide.as_ref())
    }

    /// As [`Scalar::random`], with one in place of zero.
    pub(crate) fn random_not_zero(rng: &mut impl CryptoRng) -> Scalar {
        let scalar = Scalar::random(rng);
        let zero = scalar.ct_eq(&Scalar::default());
        Scalar::conditional_select(&scalar, &Scalar::one(), zero)
    }

    /// One of 2^128 at random.
    pub(crate) fn random_short(rng: &mut impl CryptoRng) -> Scalar {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        Scalar::from_u128(u128::from_be_bytes(bytes))
    }

    /// 32 big-endian octets.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; SCALAR_LEN] {
        let scalar = self.to_blst();
        let mut bytes = [0; SCALAR_LEN];
        // SAFETY: 32 writable octets out.
        unsafe { blst_bendian_from_scalar(bytes.as_mut_ptr(), &raw const scalar) };
        bytes
    }

    /// The integer in 32 little-endian octets, wiped when it is dropped.
    fn to_blst(self) -> blst_scalar {
        let mut scalar = blst_scalar::default();
        // SAFETY: both values are initialised.
        unsafe { blst_scalar_from_fr(&raw mut scalar, &raw const self.0) };
        scalar
    }

    /// Whether this is zero, in constant time.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.ct_eq(&Scalar::default()).into()
    }

    /// The inverse modulo r in constant time; zero gives zero.
    pub(crate) fn invert(self) -> Scalar {
        let mut out = blst_fr::default();
        // SAFETY: both values are initialised.
        unsafe { blst_fr_inverse(&raw mut out, &raw const self.0) };
        Scalar(out)
    }
}

impl std::ops::Add for Scalar {
    type Output = Scalar;
    fn add(self, other: Scalar) -> Scalar {
        let mut out = blst_fr::default();
        // SAFETY: all values are initialised.
        unsafe { blst_fr_add(&raw mut out, &raw const self.0, &raw const other.0) };
        Scalar(out)
    }
}

impl std::ops::Sub for Scalar {
    type Output = Scalar;
    fn sub(self, other: Scalar) -> Scalar {
        let mut out = blst_fr::default();
        // SAFETY: all values are initialised.
        unsafe { blst_fr_sub(&raw mut out, &raw const self.0, &raw const other.0) };
        Scalar(out)
    }
}

impl std::ops::Mul for Scalar {
    type Output = Scalar;
    fn mul(self, other: Scalar) -> Scalar {
        let mut out = blst_fr::default();
        // SAFETY: all values are initialised.
        unsafe { blst_fr_mul(&raw mut out, &raw const self.0, &raw const other.0) };
        Scalar(out)
    }
}

impl std::ops::Neg for Scalar {
    type Output = Scalar;
    fn neg(self) -> Scalar {
        Scalar::default() - self
    }
}

impl ConstantTimeEq for Scalar {
    fn ct_eq(&self, other: &Scalar) -> Choice {
        self.0.l.ct_eq(&other.0.l)
    }
}

impl ConditionallySelectable for Scalar {
    fn conditional_select(a: &Scalar, b: &Scalar, choice: Choice) -> Scalar {
        let mut chosen = *a;
        for (limb, other) in chosen.0.l.iter_mut().zip(&b.0.l) {
            limb.conditional_assign(other, choice);
        }
        chosen
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Scalar) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for Scalar {}

impl Zeroize for Scalar {
    fn zeroize(&mut self) {
        self.0.l.zeroize();
    }
}

/// A point of the prime-order subgroup G1.
#[derive(Clone, Copy, Default)]
pub struct G1(blst_p1);

impl G1 {
    /// Parses a compressed point; `None` unless it lies in the subgroup and is not the identity.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; G1_LEN]) -> Option<G1> {
        let mut affine = blst_p1_affine::default();
        let mut point = blst_p1::default();
        // SAFETY: 48 readable octets in, initialised values out.
        unsafe {
            if blst_p1_uncompress(&raw mut affine, bytes.as_ptr()) != BLST_ERROR::BLST_SUCCESS
                || blst_p1_affine_is_inf(&raw const affine)
                || !blst_p1_affine_in_g1(&raw const affine)
            {
                return None;
            }
            blst_p1_from_affine(&raw mut point, &raw const affine);
        }
        Some(G1(point))
    }

    /// The compressed point, 48 octets.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; G1_LEN] {
        let mut bytes = [0; G1_LEN];
        // SAFETY: 48 writable octets out.
        unsafe { blst_p1_compress(bytes.as_mut_ptr(), &raw const self.0) };
        bytes
    }

    /// BP1, the base point of G1.
    pub(crate) fn base() -> G1 {
        // SAFETY: blst returns a pointer to a constant that lives for the whole program; where its
        // limbs have 32 bits it is aligned to those only.
        G1(unsafe { blst_p1_generator().read_unaligned() })
    }

    /// Hashes to the curve (RFC 9380, BLS12381G1_XMD:SHA-256_SSWU_RO_).
    pub(crate) fn hash(message: &[u8], dst: &[u8]) -> G1 {
        let mut point = blst_p1::default();
        // SAFETY: each pointer is valid for the length that follows it; no augmentation.
        unsafe {
            blst_hash_to_g1(
                &raw mut point,
                message.as_ptr(),
                message.len(),
                dst.as_ptr(),
                dst.len(),
                std::ptr::null(),
                0,
            );
        }
        G1(point)
    }

    /// This point times `scalar`, in constant time in the scalar.
    #[must_use]
    pub fn mul(&self, scalar: &Scalar) -> G1 {
        // blst takes another, slower way for zero; it multiplies by one instead.
        let zero = scalar.ct_eq(&Scalar::default());
        let factor = Scalar::conditional_select(scalar, &Scalar::one(), zero).to_blst();
        let mut out = blst_p1::default();
        // SAFETY: 32 readable octets hold the 255 bits announced.
        unsafe {
            blst_p1_mult(
                &raw mut out,
                &raw const self.0,
                factor.b.as_ptr(),
                SCALAR_BITS,
            )
        };
        let limbs = [&mut out.x.l, &mut out.y.l, &mut out.z.l];
        for limb in limbs.into_iter().flatten() {
            limb.conditional_assign(&0, zero);
        }
        G1(out)
    }

    /// Whether this is the identity.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        // SAFETY: the value is initialised.
        unsafe { blst_p1_is_inf(&raw const self.0) }
    }
}

impl std::ops::Add for G1 {
    type Output = G1;
    fn add(self, other: G1) -> G1 {
        let mut out = blst_p1::default();
        // SAFETY: all values are initialised.
        unsafe { blst_p1_add_or_double(&raw mut out, &raw const self.0, &raw const other.0) };
        G1(out)
    }
}

impl std::ops::Neg for G1 {
    type Output = G1;
    fn neg(mut self) -> G1 {
        // SAFETY: the value is initialised.
        unsafe { blst_p1_cneg(&raw mut self.0, true) };
        self
    }
}

impl std::ops::Sub for G1 {
    type Output = G1;
    fn sub(self, other: G1) -> G1 {
        self + (-other)
    }
}

impl PartialEq for G1 {
    fn eq(&self, other: &G1) -> bool {
        // SAFETY: both values are initialised.
        unsafe { blst_p1_is_equal(&raw const self.0, &raw const other.0) }
    }
}

impl Eq for G1 {}

impl Zeroize for G1 {
    fn zeroize(&mut self) {
        self.0.x.l.zeroize();
        self.0.y.l.zeroize();
        self.0.z.l.zeroize();
    }
}

/// A point of the prime-order subgroup G2.
#[derive(Clone, Copy)]
pub(crate) struct G2(blst_p2_affine);

impl G2 {
    pub(crate) fn from_bytes(bytes: &[u8; G2_LEN]) -> Option<G2> {
        let mut affine = blst_p2_affine::default();
        // SAFETY: 96 readable octets in, initialised values out.
        unsafe {
            if blst_p2_uncompress(&raw mut affine, bytes.as_ptr()) != BLST_ERROR::BLST_SUCCESS
                || blst_p2_affine_is_inf(&raw const affine)
                || !blst_p2_affine_in_g2(&raw const affine)
            {
                return None;
            }
        }
        Some(G2(affine))
    }

    pub(crate) fn to_bytes(self) -> [u8; G2_LEN] {
        let mut bytes = [0; G2_LEN];
        let point = self.to_projective();
        // SAFETY: 96 writable octets out.
        unsafe { blst_p2_compress(bytes.as_mut_ptr(), &raw const point) };
        bytes
    }

    pub(crate) fn generator() -> G2 {
        // SAFETY: blst returns a pointer to a constant that lives for the whole program; where its
        // limbs have 32 bits it is aligned to those only.
        G2(unsafe { blst_p2_affine_generator().read_unaligned() })
    }

    /// The generator times `scalar`, in constant time.
    pub(crate) fn generator_mul(scalar: &Scalar) -> G2 {
        let factor = scalar.to_blst();
        let mut out = blst_p2::default();
        // SAFETY: the generator is a constant; 32 readable octets hold the 255 bits announced.
        unsafe {
            blst_p2_mult(
                &raw mut out,
                blst_p2_generator(),
                factor.b.as_ptr(),
                SCALAR_BITS,
            )
        };
        G2::from_projective(&out)
    }

    fn to_projective(self) -> blst_p2 {
        let mut out = blst_p2::default();
        // SAFETY: both values are initialised.
        unsafe { blst_p2_from_affine(&raw mut out, &raw const self.0) };
        out
    }

    fn from_projective(point: &blst_p2) -> G2 {
        let mut out = blst_p2_affine::default();
        // SAFETY: both values are initialised.
        unsafe { blst_p2_to_affine(&raw mut out, point) };
        G2(out)
    }
}

/// expand_message_xmd with SHA-256 (RFC 9380 section 5.3.1); `out` holds at most 8160 octets.
pub(crate) fn expand_message(message: &[u8], dst: &[u8], out: &mut [u8]) {
    debug_assert!(out.len() <= 8160, "blst then writes nothing");
    // SAFETY: each pointer is valid for the length that follows it.
    unsafe {
        blst_expand_message_xmd(
            out.as_mut_ptr(),
            out.len(),
            message.as_ptr(),
            message.len(),
            dst.as_ptr(),
            dst.len(),
        );
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// What every faster sum has to come to.
    pub(crate) fn simple_sum(points: &[G1], scalars: &[Scalar]) -> G1 {
        let terms = points.iter().zip(scalars);
        terms.fold(G1::default(), |sum, (point, scalar)| {
            sum + point.mul(scalar)
        })
    }

    #[test]
    fn multiplication_by_zero_and_of_the_identity_gives_the_identity() {
        let p = G1::base();
        assert!(p.mul(&Scalar::default()).is_identity());
        assert!(G1::default().mul(&Scalar::one()).is_identity());
        assert!(G1::default().mul(&Scalar::default()).is_identity());
        assert!(p.mul(&Scalar::one()) == p && p.mul(&-Scalar::one()) == -p);
    }
}
