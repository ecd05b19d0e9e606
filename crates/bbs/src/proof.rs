//! Proofs of a signature with disclosed messages, optionally bound to a pseudonym.
//! Source: draft-irtf-cfrg-bbs-signatures §3.6.3, §3.6.4, §3.7 and
//! draft-irtf-cfrg-bbs-per-verifier-linkability-03 §7.

mod steps;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

pub(crate) use self::steps::{
    Commitments, ProofRandomness, Split, finalize, header_with_nym, proof_init, verify_init,
    verify_pairing,
};
use self::steps::{NymPart, challenge_input, nym_init, nym_verify_init};
use crate::Invalid;
use crate::blind::parse_scalars;
use crate::blst::{G1, G1_LEN, Scalar};
use crate::pseudonym::{Context, Pseudonym};
use crate::signature::{PublicKey, Signature};
use crate::suite::{Octets, Parameters};

/// What prover and verifier both know before the proof.
pub struct Statement<'a> {
    /// Generators of the layout.
    pub parameters: &'a Parameters,
    /// The issuer's key.
    pub issuer: &'a PublicKey,
    /// The header the issuer signed; with a pseudonym, without the number of nym_secrets.
    pub header: &'a [u8],
    /// The presentation header that the challenge binds.
    pub ph: &'a [u8],
}

/// The context of a pseudonym and how many of the last messages are its nym_secrets.
pub struct NymStatement<'a> {
    /// The context.
    pub context: &'a Context,
    /// N, the number of nym_secrets.
    pub nym_secrets: usize,
}

/// A proof of knowledge of a signature.
#[derive(Clone)]
pub struct Proof {
    pub(crate) abar: G1,
    pub(crate) bbar: G1,
    pub(crate) d: G1,
    pub(super) e_hat: Scalar,
    pub(super) r1_hat: Scalar,
    pub(super) r3_hat: Scalar,
    pub(crate) m_hats: Vec<Scalar>,
    pub(crate) challenge: Scalar,
}

impl Proof {
    /// Parses Abar, Bbar, D, e^, r1^, r3^, m^_j…, challenge. Source: §4.2.4.5.
    ///
    /// # Errors
    ///
    /// [`Invalid`] for a wrong length, a point off the subgroup, the identity, or a scalar of
    /// zero or above r.
    pub fn from_bytes(bytes: &[u8]) -> Result<Proof, Invalid> {
        let (points, rest) = bytes.split_at_checked(3 * G1_LEN).ok_or(Invalid)?;
        let (points, _) = points.as_chunks::<G1_LEN>();
        let [abar, bbar, d] = points else {
            return Err(Invalid);
        };
        let point = |bytes| G1::from_bytes(bytes).ok_or(Invalid);
        let mut m_hats = parse_scalars(rest)?;
        if m_hats.len() < 4 {
            return Err(Invalid);
        }
        let challenge = m_hats.pop().ok_or(Invalid)?;
        let head: Vec<Scalar> = m_hats.drain(..3).collect();
        let [e_hat, r1_hat, r3_hat] = head.as_slice() else {
            return Err(Invalid);
        };
        Ok(Proof {
            abar: point(abar)?,
            bbar: point(bbar)?,
            d: point(d)?,
            e_hat: *e_hat,
            r1_hat: *r1_hat,
            r3_hat: *r3_hat,
            m_hats,
            challenge,
        })
    }

    /// The octets that [`Proof::from_bytes`] reads: 272 and 32 for each undisclosed message.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Octets::default();
        for point in [&self.abar, &self.bbar, &self.d] {
            out.point(point);
        }
        for scalar in [&self.e_hat, &self.r1_hat, &self.r3_hat] {
            out.scalar(scalar);
        }
        for m_hat in &self.m_hats {
            out.scalar(m_hat);
        }
        out.scalar(&self.challenge);
        out.0
    }
}

/// ProofGen: proves a signature on `messages` and discloses those at the indexes `disclosed`
/// (ascending).
///
/// # Errors
///
/// [`Invalid`] when an index is out of range or out of order, or numbers differ.
pub fn prove(
    statement: &Statement<'_>,
    signature: &Signature,
    messages: &[Scalar],
    disclosed: &[usize],
    rng: &mut impl CryptoRng,
) -> Result<Proof, Invalid> {
    let undisclosed = messages.len().saturating_sub(disclosed.len());
    let random = ProofRandomness::draw(undisclosed, rng);
    prove_with(statement, None, signature, messages, disclosed, &random).map(|(proof, _)| proof)
}

/// ProofGenWithNym: as [`prove`], bound to the pseudonym of the last messages in a context.
///
/// # Errors
///
/// As [`prove`]; also when a nym_secret would be disclosed.
pub fn prove_with_nym(
    statement: &Statement<'_>,
    nym: &NymStatement<'_>,
    signature: &Signature,
    messages: &[Scalar],
    disclosed: &[usize],
    rng: &mut impl CryptoRng,
) -> Result<(Proof, Pseudonym), Invalid> {
    let undisclosed = messages.len().saturating_sub(disclosed.len());
    let random = ProofRandomness::draw(undisclosed, rng);
    let (proof, pseudonym) = prove_with(
        statement,
        Some(nym),
        signature,
        messages,
        disclosed,
        &random,
    )?;
    Ok((proof, pseudonym.ok_or(Invalid)?))
}

/// CoreProofGen and CoreProofGenWithNym with given randomness.
pub(crate) fn prove_with(
    statement: &Statement<'_>,
    nym: Option<&NymStatement<'_>>,
    signature: &Signature,
    messages: &[Scalar],
    disclosed: &[usize],
    random: &ProofRandomness,
) -> Result<(Proof, Option<Pseudonym>), Invalid> {
    let split = Split::new(statement.parameters, disclosed, nym)?;
    if messages.len() != statement.parameters.message_generators.len()
        || random.messages.len() != split.hidden.len()
    {
        return Err(Invalid);
    }
    let at = |indexes: &[usize]| -> Zeroizing<Vec<Scalar>> {
        let mut chosen = Zeroizing::new(Vec::with_capacity(indexes.len()));
        chosen.extend(indexes.iter().filter_map(|i| messages.get(*i).copied()));
        chosen
    };
    let hidden = at(&split.hidden);
    let shown: Vec<_> = disclosed
        .iter()
        .copied()
        .zip(at(disclosed).iter().copied())
        .collect();

    let commitments = proof_init(statement, nym, signature, messages, random, &split);
    let nym_part = nym
        .map(|nym| nym_init(nym, messages, &random.messages))
        .transpose()?;
    let input = challenge_input(
        statement,
        &commitments,
        &shown,
        nym.zip(nym_part.as_ref())
            .map(|(nym, (pseudonym, ut))| NymPart {
                pseudonym,
                ut,
                context: nym.context,
            }),
    );
    let challenge = statement.parameters.interface.hash_to_scalar(&input.0);
    let proof = finalize(&commitments, signature, &hidden, random, challenge);
    Ok((proof, nym_part.map(|(pseudonym, _)| pseudonym)))
}

/// ProofVerify: whether `proof` shows a signature on messages of which `disclosed` are the ones
/// at these indexes (ascending), and on exactly as many others as the layout has.
///
/// # Errors
///
/// [`Invalid`] when it does not.
pub fn verify(
    statement: &Statement<'_>,
    proof: &Proof,
    disclosed: &[(usize, Scalar)],
) -> Result<(), Invalid> {
    verify_any(statement, None, proof, disclosed)
}

/// ProofVerifyWithNym: as [`verify`], and that `pseudonym` belongs to the last messages.
///
/// # Errors
///
/// [`Invalid`] when it does not.
pub fn verify_with_nym(
    statement: &Statement<'_>,
    nym: &NymStatement<'_>,
    pseudonym: &Pseudonym,
    proof: &Proof,
    disclosed: &[(usize, Scalar)],
) -> Result<(), Invalid> {
    verify_any(statement, Some((nym, pseudonym)), proof, disclosed)
}

fn verify_any(
    statement: &Statement<'_>,
    nym: Option<(&NymStatement<'_>, &Pseudonym)>,
    proof: &Proof,
    disclosed: &[(usize, Scalar)],
) -> Result<(), Invalid> {
    verify_with(statement, nym, proof, disclosed, |input| {
        statement.parameters.interface.hash_to_scalar(&input.0)
    })
}

/// The verifier with its hash, which tests of zero knowledge replace.
pub(crate) fn verify_with(
    statement: &Statement<'_>,
    nym: Option<(&NymStatement<'_>, &Pseudonym)>,
    proof: &Proof,
    disclosed: &[(usize, Scalar)],
    hash: impl Fn(&Octets) -> Scalar,
) -> Result<(), Invalid> {
    let indexes: Vec<usize> = disclosed.iter().map(|(i, _)| *i).collect();
    let split = Split::new(statement.parameters, &indexes, nym.map(|(n, _)| n))?;
    if proof.m_hats.len() != split.hidden.len() {
        return Err(Invalid);
    }
    let commitments = verify_init(statement, nym.map(|(n, _)| n), proof, disclosed, &split);
    let ut = nym
        .map(|(nym, pseudonym)| nym_verify_init(nym, pseudonym, proof))
        .transpose()?;
    let part = nym.zip(ut.as_ref()).map(|((nym, pseudonym), ut)| NymPart {
        pseudonym,
        ut,
        context: nym.context,
    });
    if hash(&challenge_input(statement, &commitments, disclosed, part)) != proof.challenge {
        return Err(Invalid);
    }
    verify_pairing(statement, proof)
}
