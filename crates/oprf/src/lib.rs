//! A threshold verifiable oblivious pseudorandom function: one person, one registration,
//! without a register of numbers.
//!
//! For a person number `x` the function gives the tag `T = H1(x)^k`. The key `k` is shared
//! `threshold` of `n` among trustees run by different bodies. The enrolment service blinds the
//! number, each trustee raises the blinded element to its share and proves that it did so, and the
//! service combines enough answers and unblinds the tag. No trustee sees the number or the tag;
//! fewer than `threshold` of them can neither compute a tag nor test a guess.
//!
//! It is RFC 9497 (December 2023), mode VOPRF (`0x01`), suite ristretto255-SHA512, with Shamir
//! shares of the private key over the scalar field and Lagrange interpolation in the exponent.
//! A share's answer carries the RFC's proof against that share's public key.
//!
//! It is not a service: attestations, limits, answering once and logging are the caller's, and so
//! is the encoding of the input. It is not distributed key generation either: whoever runs
//! [`deal`] knows the key at that moment. Batches hold one element.
//!
//! The code has not been reviewed by anyone outside the project. Multiplications by secret scalars
//! are in constant time.
//!
//! ```
//! use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let mut rng = ChaCha20Rng::from_seed([7; 32]);
//! let (share_keys, group_key) = oprf::deal(2, 3, &mut rng)?;
//!
//! let (blind, blinded) = oprf::blind(b"number", &mut rng)?;
//! let evaluations: Vec<_> =
//!     share_keys.iter().skip(1).map(|key| key.evaluate(&blinded, &mut rng)).collect();
//! let tag = blind.unblind(&group_key.combine(&blinded, &evaluations)?)?;
//!
//! let (blind, again) = oprf::blind(b"number", &mut rng)?;
//! let evaluations: Vec<_> =
//!     share_keys.iter().take(2).map(|key| key.evaluate(&again, &mut rng)).collect();
//! assert!(tag == blind.unblind(&group_key.combine(&again, &evaluations)?)?);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod blinding;
mod dleq;
mod element;
mod group_key;
mod interpolation;
mod share;
mod suite;
mod tag;
#[cfg(test)]
mod tests;

pub use blinding::{Blind, BlindError, BlindedElement, EvaluatedElement, WrongBlind, blind};
pub use element::DecodeError;
pub use group_key::{CombineError, GroupKey, GroupKeyError, RefusedEvaluation};
pub use share::{DealError, Evaluation, MAX_SHARES, ShareIndex, ShareKey, deal};
pub use tag::{InputTooLong, Tag, TagIndex, finalize};
