//! BBS signatures, blind issuance and per-site pseudonyms over BLS12-381, and bauta's profile of
//! them.
//!
//! What it is: the suite `BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_` of
//! draft-irtf-cfrg-bbs-signatures-10, blind signatures after
//! draft-irtf-cfrg-bbs-blind-signatures and pseudonyms after
//! draft-irtf-cfrg-bbs-per-verifier-linkability ([`signature`], [`proof`], [`blind`],
//! [`pseudonym`]); on top the one certificate layout with its issuing and presenting steps
//! ([`certificate`]).
//!
//! What it is not: it knows no attribute names, no encodings of requests, no clock and no I/O.
//!
//! Review status: not independently reviewed.
//!
//! ```
//! use bbs::{Interface, SecretKey, proof};
//! # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
//! let key = SecretKey::generate(&mut rng);
//! let parameters = Interface::core().parameters(2, None);
//! let messages = [Interface::core().message_to_scalar(b"one"), Interface::core().message_to_scalar(b"two")];
//! let signature = bbs::signature::sign(&parameters, &key, b"header", &messages)?;
//! let statement = proof::Statement { parameters: &parameters, issuer: &key.public(), header: b"header", ph: b"nonce", nym: None };
//! let (proof, _) = proof::prove(&statement, &signature, &messages, &[1], &mut rng)?;
//! proof::verify(&statement, None, &proof, &[(1, messages[1])])?;
//! # Ok::<(), bbs::Invalid>(())
//! ```

pub mod blind;
mod blst;
pub mod certificate;
mod domains;
pub mod proof;
pub mod pseudonym;
pub mod signature;
mod suite;
#[cfg(test)]
mod vectors;

pub use blst::{G1, G1_LEN, G2_LEN, SCALAR_LEN, Scalar};
pub use signature::{PublicKey, SecretKey, Signature};
pub use suite::{Interface, Parameters};

/// Something did not verify or parse.
///
/// It says no more on purpose: the reason must not reach a prover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not valid")]
pub struct Invalid;

impl Invalid {
    fn when(refused: bool) -> Result<(), Invalid> {
        if refused { Err(Invalid) } else { Ok(()) }
    }
}
