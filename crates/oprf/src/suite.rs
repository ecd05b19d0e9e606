//! The suite ristretto255-SHA512: its hashes and its domain-separation strings.
//!
//! Source: RFC 9497 §3.1, §4.1; RFC 9380 §5.3.1, appendix B.

use curve25519_dalek::{RistrettoPoint, Scalar};
use rand_core::CryptoRng;
use sha2::{Digest, Sha512};
use zeroize::{Zeroize, Zeroizing};

/// `"HashToGroup-" || contextString`. Source: RFC 9497 §4.1.
pub(crate) const HASH_TO_GROUP_DST: &[u8] = b"HashToGroup-OPRFV1-\x01-ristretto255-SHA512";

/// `"HashToScalar-" || contextString`. Source: RFC 9497 §4.1.
pub(crate) const HASH_TO_SCALAR_DST: &[u8] = b"HashToScalar-OPRFV1-\x01-ristretto255-SHA512";

/// `"Seed-" || contextString`. Source: RFC 9497 §2.2.1.
pub(crate) const SEED_DST: &[u8] = b"Seed-OPRFV1-\x01-ristretto255-SHA512";

/// Ends what is hashed to a composite's weight. Source: RFC 9497 §2.2.1.
pub(crate) const COMPOSITE_LABEL: &[u8] = b"Composite";

/// Ends what is hashed to a proof's challenge. Source: RFC 9497 §2.2.1.
pub(crate) const CHALLENGE_LABEL: &[u8] = b"Challenge";

/// Ends what is hashed to the function's output. Source: RFC 9497 §3.3.1.
pub(crate) const FINALIZE_LABEL: &[u8] = b"Finalize";

/// Starts what is hashed to a tag's index, H2 of the design. Our own, not the RFC's.
pub(crate) const TAG_INDEX_DST: &[u8] = b"BAUTA-OPRF-TAG-INDEX-V1";

/// H1: `input` to an element whose discrete logarithm nobody knows.
pub(crate) fn hash_to_group(input: &[u8], dst: &[u8]) -> Zeroizing<RistrettoPoint> {
    let uniform = expand_message(input, dst);
    Zeroizing::new(RistrettoPoint::from_uniform_bytes(&uniform))
}

/// `message` to a scalar.
pub(crate) fn hash_to_scalar(message: &[u8]) -> Scalar {
    Scalar::from_bytes_mod_order_wide(&expand_message(message, HASH_TO_SCALAR_DST))
}

/// A scalar from 64 bytes of `rng`, uniform to within 2^-250. A working generator gives zero with
/// probability 2^-252; callers refuse what it leads to.
pub(crate) fn random_scalar(rng: &mut impl CryptoRng) -> Zeroizing<Scalar> {
    let mut wide = Zeroizing::new([0; 64]);
    rng.fill_bytes(wide.as_mut_slice());
    Zeroizing::new(Scalar::from_bytes_mod_order_wide(&wide))
}

/// `expand_message_xmd` with SHA-512 for 64 bytes, so that one block is the whole result.
///
/// Source: RFC 9380 §5.3.1.
fn expand_message(message: &[u8], dst: &[u8]) -> Zeroizing<[u8; 64]> {
    let dst_length = u8::try_from(dst.len()).expect("the suite's strings are under 256 bytes");
    let mut first: [u8; 64] = Sha512::new()
        .chain_update([0; SHA512_BLOCK])
        .chain_update(message)
        .chain_update(OUTPUT_LENGTH.to_be_bytes())
        .chain_update([0])
        .chain_update(dst)
        .chain_update([dst_length])
        .finalize()
        .into();
    let block = Sha512::new()
        .chain_update(first)
        .chain_update([1])
        .chain_update(dst)
        .chain_update([dst_length])
        .finalize();
    first.zeroize();
    Zeroizing::new(block.into())
}

/// SHA-512's input block in bytes, `s_in_bytes`. Source: RFC 9380 §5.3.1.
const SHA512_BLOCK: usize = 128;

/// `len_in_bytes`: what a ristretto255 element or scalar is made from. Source: RFC 9380 appendix B.
const OUTPUT_LENGTH: u16 = 64;
