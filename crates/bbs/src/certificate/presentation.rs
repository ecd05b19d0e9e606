//! What a holder shows a site: a certificate, the pseudonym there, the slots asked for, an age.
//! Source: `docs/specs.md`, section "presentation".

use rand_core::CryptoRng;

use super::age::{self, AGE_PROOF_LEN, BIRTH_DAY_SLOT};
use super::{Certificate, DISCLOSABLE, NYM_SECRETS, SLOTS, layout};
use crate::Invalid;
use crate::blst::Scalar;
use crate::domains;
use crate::proof::{self, NymStatement, Proof, ProofRandomness, Statement, prove_with};
use crate::pseudonym::{Context, Pseudonym};
use crate::signature::PublicKey;
use crate::suite::Octets;

/// What a holder is asked to show.
pub struct Asked<'a> {
    /// The context of the pseudonym.
    pub context: &'a Context,
    /// The presentation header.
    pub ph: &'a [u8],
    /// The absolute indexes of the slots to disclose, ascending.
    pub disclosed: &'a [usize],
    /// The day on which the holder was born at the latest, as a number in slot 9.
    pub born_by: Option<u16>,
}

/// What [`Certificate::present`] made.
pub struct Presented {
    /// The person in this context.
    pub pseudonym: Pseudonym,
    /// The proof, as [`Proof::from_bytes`] reads it.
    pub proof: Vec<u8>,
    /// The proof of [`Asked::born_by`], where that was asked for.
    pub age: Option<[u8; AGE_PROOF_LEN]>,
}

impl Certificate {
    /// Proves possession of this certificate and what was asked for.
    ///
    /// # Errors
    ///
    /// [`Invalid`] for an index that is not disclosable or out of order, for a birth day that is
    /// later than asked for, and for one both proved and disclosed.
    pub fn present(
        &self,
        asked: &Asked<'_>,
        rng: &mut impl CryptoRng,
    ) -> Result<Presented, Invalid> {
        let Asked {
            context,
            ph,
            disclosed,
            born_by,
        } = *asked;
        disclosable(disclosed, born_by)?;
        let undisclosed = SLOTS.checked_sub(disclosed.len()).ok_or(Invalid)?;
        let mut random = ProofRandomness::draw(undisclosed, rng);
        let age = born_by.map(|day| age::Prover::new(day, self.slot(BIRTH_DAY_SLOT)?, rng));
        let age = age.transpose()?;
        if let Some(age) = &age {
            let mask = random.messages.get_mut(birth_day_among_hidden(disclosed));
            *mask.ok_or(Invalid)? = age.birth_day_mask();
        }
        let ph = hashed_ph(ph, age.as_ref().map(age::Prover::digest))?;
        let statement = statement((&self.issuer, &self.header), &ph, context);
        let (signature, messages) = (&self.signature, &self.messages);
        let (proof, pseudonym) = prove_with(&statement, signature, messages, disclosed, random)?;
        Ok(Presented {
            pseudonym: pseudonym.ok_or(Invalid)?,
            proof: proof.to_bytes(),
            age: age.map(|age| age.respond(proof.challenge)),
        })
    }
}

/// What a verifier fixes before it looks at a presentation.
pub struct Expected<'a> {
    /// The issuer's key of the epoch.
    pub issuer: &'a PublicKey,
    /// The header of the epoch.
    pub header: &'a [u8],
    /// The context in which the pseudonym has to be.
    pub context: &'a Context,
    /// The presentation header.
    pub ph: &'a [u8],
    /// The latest birth day that was asked for.
    pub born_by: Option<u16>,
}

/// Verifies what [`Certificate::present`] made, for exactly the slots of `disclosed` (ascending).
///
/// # Errors
///
/// [`Invalid`] when it does not hold, a slot is not disclosable, or an age is proved unasked.
pub fn verify_presentation(
    expected: &Expected<'_>,
    presented: &Presented,
    disclosed: &[(usize, Scalar)],
) -> Result<(), Invalid> {
    verify_with(expected, presented, disclosed, |input| {
        layout().interface().hash_to_scalar(&input.0)
    })
}

/// The verifier with its hash, which tests of zero knowledge replace.
pub(super) fn verify_with(
    expected: &Expected<'_>,
    presented: &Presented,
    disclosed: &[(usize, Scalar)],
    hash: impl Fn(&Octets) -> Scalar,
) -> Result<(), Invalid> {
    let slots: Vec<usize> = disclosed.iter().map(|(slot, _)| *slot).collect();
    disclosable(&slots, expected.born_by)?;
    let proof = Proof::from_bytes(&presented.proof)?;
    let digest = match (expected.born_by, &presented.age) {
        (None, None) => None,
        (Some(day), Some(age)) => {
            let hat = proof.m_hats.get(birth_day_among_hidden(&slots));
            Some(age::digest_of(
                day,
                age,
                proof.challenge,
                *hat.ok_or(Invalid)?,
            )?)
        }
        _ => return Err(Invalid),
    };
    let ph = hashed_ph(expected.ph, digest)?;
    let statement = statement((expected.issuer, expected.header), &ph, expected.context);
    let pseudonym = Some(&presented.pseudonym);
    proof::verify_with(&statement, pseudonym, &proof, disclosed, hash)
}

/// Only slots that a site may see, ascending, and no birth day both hidden and disclosed.
fn disclosable(slots: &[usize], born_by: Option<u16>) -> Result<(), Invalid> {
    let both = born_by.is_some() && slots.contains(&BIRTH_DAY_SLOT);
    let ascending = slots.is_sorted_by(|a, b| a < b);
    Invalid::when(both || !ascending || slots.iter().any(|slot| !DISCLOSABLE.contains(slot)))?;
    Ok(())
}

/// The place of the birth day among the hidden slots.
fn birth_day_among_hidden(disclosed: &[usize]) -> usize {
    let before = disclosed.iter().filter(|slot| **slot < BIRTH_DAY_SLOT);
    BIRTH_DAY_SLOT.saturating_sub(before.count())
}

/// What the proof of the certificate hashes as its presentation header: `ph` itself, or with an age
/// the tag, p(`ph`) and the digest. No `ph` may look like the second.
fn hashed_ph(ph: &[u8], age: Option<Scalar>) -> Result<Vec<u8>, Invalid> {
    Invalid::when(ph.starts_with(domains::AGE_PROOF))?;
    let Some(digest) = age else {
        return Ok(ph.to_vec());
    };
    let mut octets = Octets::default();
    octets.raw(domains::AGE_PROOF);
    octets.prefixed(ph);
    octets.scalar(&digest);
    Ok(octets.0)
}

fn statement<'a>(
    (issuer, header): (&'a PublicKey, &'a [u8]),
    ph: &'a [u8],
    context: &'a Context,
) -> Statement<'a> {
    Statement {
        parameters: layout(),
        issuer,
        header,
        ph,
        nym: Some(NymStatement {
            context,
            nym_secrets: NYM_SECRETS,
        }),
    }
}
