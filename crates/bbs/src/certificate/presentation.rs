//! What a holder shows a site: a certificate, the pseudonym there, the slots asked for, an age.
//! Source: `docs/specs.md`, section "presentation".

use rand_core::CryptoRng;

use super::age::{self, AGE_PROOF_LEN, BIRTH_DAY_SLOT};
use super::{Certificate, DISCLOSABLE, NYM_SECRETS, SLOTS, layout};
use crate::Invalid;
use crate::blst::Scalar;
use crate::proof::{NymStatement, Proof, ProofRandomness, Statement, prove_with, verify_with_nym};
use crate::pseudonym::{Context, Pseudonym};
use crate::signature::PublicKey;

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
        let mut ph = ph.to_vec();
        let age = born_by.map(|day| age::Prover::new(day, self.slot(BIRTH_DAY_SLOT)?, rng));
        let age = age.transpose()?;
        if let Some(age) = &age {
            let before = disclosed.iter().filter(|slot| **slot < BIRTH_DAY_SLOT);
            let hidden = BIRTH_DAY_SLOT - before.count();
            *random.messages.get_mut(hidden).ok_or(Invalid)? = age.birth_day_mask();
            ph.extend(age.digest().to_bytes());
        }
        let statement = statement((&self.issuer, &self.header), &ph);
        let nym = nym(context);
        let (signature, messages) = (&self.signature, &self.messages);
        let (proof, pseudonym) = prove_with(
            &statement,
            Some(&nym),
            signature,
            messages,
            disclosed,
            &random,
        )?;
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
    let slots: Vec<usize> = disclosed.iter().map(|(slot, _)| *slot).collect();
    disclosable(&slots, expected.born_by)?;
    let proof = Proof::from_bytes(&presented.proof)?;
    let mut ph = expected.ph.to_vec();
    match (expected.born_by, &presented.age) {
        (None, None) => {}
        (Some(day), Some(age)) => {
            let before = slots.iter().filter(|slot| **slot < BIRTH_DAY_SLOT);
            let hat = proof.m_hats.get(BIRTH_DAY_SLOT - before.count());
            let digest = age::digest_of(day, age, proof.challenge, *hat.ok_or(Invalid)?)?;
            ph.extend(digest.to_bytes());
        }
        _ => return Err(Invalid),
    }
    let statement = statement((expected.issuer, expected.header), &ph);
    let nym = nym(expected.context);
    verify_with_nym(&statement, &nym, &presented.pseudonym, &proof, disclosed)
}

/// Only slots that a site may see, and no birth day both hidden and disclosed.
fn disclosable(slots: &[usize], born_by: Option<u16>) -> Result<(), Invalid> {
    let both = born_by.is_some() && slots.contains(&BIRTH_DAY_SLOT);
    if both || slots.iter().any(|slot| !DISCLOSABLE.contains(slot)) {
        return Err(Invalid);
    }
    Ok(())
}

fn statement<'a>((issuer, header): (&'a PublicKey, &'a [u8]), ph: &'a [u8]) -> Statement<'a> {
    Statement {
        parameters: &layout().parameters,
        issuer,
        header,
        ph,
    }
}

fn nym(context: &Context) -> NymStatement<'_> {
    NymStatement {
        context,
        nym_secrets: NYM_SECRETS,
    }
}
