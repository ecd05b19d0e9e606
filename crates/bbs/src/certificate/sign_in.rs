//! Sign-in to an account that exists: a proof of the pseudonym's exponent, without a certificate.
//! Source: `docs/specs.md`, section "presentation".

use rand_core::CryptoRng;

use super::{Blind, NymSecrets, own_hash};
use crate::Invalid;
use crate::blind::parse_scalars;
use crate::blst::{G1, SCALAR_LEN, Scalar};
use crate::domains;
use crate::pseudonym::{Context, Pseudonym};
use crate::suite::{Octets, announced};

/// Octets of a sign-in proof: challenge and response.
pub const SIGN_IN_PROOF_LEN: usize = 2 * SCALAR_LEN;

/// Proves knowledge of the exponent of the pseudonym in `context`, bound to `transcript`.
///
/// # Errors
///
/// [`Invalid`] with negligible probability (no such pseudonym).
pub fn prove_sign_in(
    secrets: &NymSecrets,
    context: &Context,
    transcript: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<(Pseudonym, [u8; SIGN_IN_PROOF_LEN]), Invalid> {
    let exponent = context.evaluate(&secrets.0);
    let pseudonym = context.pseudonym(&secrets.0)?;
    let mask = Blind::draw(rng);
    let t = context.base().mul(&mask.0);
    let c = hash(&challenge_input(&pseudonym, context, &t, transcript));
    let mut out = Octets::default();
    out.scalar(&c);
    out.scalar(&(mask.0 + *exponent * c));
    Ok((
        pseudonym,
        out.0.try_into().expect("the proof has a fixed length"),
    ))
}

/// Verifies what [`prove_sign_in`] made.
///
/// # Errors
///
/// [`Invalid`] when it does not hold.
pub fn verify_sign_in(
    pseudonym: &Pseudonym,
    context: &Context,
    transcript: &[u8],
    proof: &[u8; SIGN_IN_PROOF_LEN],
) -> Result<(), Invalid> {
    verify_with(pseudonym, context, transcript, proof, hash)
}

/// The verifier with its hash, which tests of zero knowledge replace.
fn verify_with(
    pseudonym: &Pseudonym,
    context: &Context,
    transcript: &[u8],
    proof: &[u8; SIGN_IN_PROOF_LEN],
    hash: impl Fn(&Octets) -> Scalar,
) -> Result<(), Invalid> {
    let scalars = parse_scalars(proof)?;
    let [c, response] = scalars.as_slice() else {
        return Err(Invalid);
    };
    let t = announced([(context.base(), response)], (&pseudonym.0, *c));
    Invalid::when(hash(&challenge_input(pseudonym, context, &t, transcript)) != *c)
}

fn hash(input: &Octets) -> Scalar {
    own_hash(domains::SIGN_IN, input)
}

fn challenge_input(pseudonym: &Pseudonym, context: &Context, t: &G1, transcript: &[u8]) -> Octets {
    let mut input = Octets::default();
    input.prefixed(context.id());
    input.point(context.base());
    input.point(&pseudonym.0);
    input.point(t);
    input.prefixed(transcript);
    input
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests;
