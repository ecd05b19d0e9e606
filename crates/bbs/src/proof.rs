//! Proofs of a signature with disclosed messages, optionally bound to a pseudonym.
//! Source: draft-irtf-cfrg-bbs-signatures §3.6.3, §3.6.4, §3.7 and
//! draft-irtf-cfrg-bbs-per-verifier-linkability-03 §7.

use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::Invalid;
use crate::blind::parse_scalars;
use crate::blst::{G1, G1_LEN, G2, Scalar, msm_vartime, pairing_product_is_one, sum_of_products};
use crate::pseudonym::{Context, Pseudonym};
use crate::signature::{PublicKey, Signature, b_point};
use crate::suite::{Octets, Parameters, p1};

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
    abar: G1,
    bbar: G1,
    d: G1,
    e_hat: Scalar,
    r1_hat: Scalar,
    r3_hat: Scalar,
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

/// The prover's random scalars in the order of `calculate_random_scalars`.
#[derive(ZeroizeOnDrop)]
pub(crate) struct ProofRandomness {
    r1: Scalar,
    r2: Scalar,
    e: Scalar,
    r1_mask: Scalar,
    r3_mask: Scalar,
    pub(crate) messages: Vec<Scalar>,
}

impl ProofRandomness {
    pub(crate) fn draw(undisclosed: usize, rng: &mut impl CryptoRng) -> ProofRandomness {
        let mut next = || Scalar::random(rng);
        ProofRandomness {
            r1: next(),
            r2: next(),
            e: next(),
            r1_mask: next(),
            r3_mask: next(),
            messages: (0..undisclosed).map(|_| next()).collect(),
        }
    }

    #[cfg(test)]
    pub(crate) fn given(scalars: &[Scalar]) -> ProofRandomness {
        let [r1, r2, e, r1_mask, r3_mask, messages @ ..] = scalars else {
            panic!("too few")
        };
        ProofRandomness {
            r1: *r1,
            r2: *r2,
            e: *e,
            r1_mask: *r1_mask,
            r3_mask: *r3_mask,
            messages: messages.to_vec(),
        }
    }
}

/// Points and domain that enter the challenge.
pub(crate) struct Commitments {
    abar: G1,
    bbar: G1,
    d: G1,
    t1: G1,
    t2: G1,
    pub(crate) domain: Scalar,
}

impl Commitments {
    /// The beginning of every challenge: disclosed messages with their indexes, then the points.
    pub(crate) fn write(&self, out: &mut Octets, disclosed: &[(usize, Scalar)]) {
        out.integer(disclosed.len());
        for (index, message) in disclosed {
            out.integer(*index);
            out.scalar(message);
        }
        for point in [&self.abar, &self.bbar, &self.d, &self.t1, &self.t2] {
            out.point(point);
        }
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
    let challenge = challenge(
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

    let proof = finalize(&commitments, signature, &hidden, random, challenge);
    Ok((proof, nym_part.map(|(pseudonym, _)| pseudonym)))
}

/// ProofFinalize. Source: §3.7.2.
pub(crate) fn finalize(
    commitments: &Commitments,
    signature: &Signature,
    hidden: &[Scalar],
    random: &ProofRandomness,
    challenge: Scalar,
) -> Proof {
    let r3 = Zeroizing::new(random.r2.invert());
    Proof {
        abar: commitments.abar,
        bbar: commitments.bbar,
        d: commitments.d,
        e_hat: random.e + signature.e * challenge,
        r1_hat: random.r1_mask - random.r1 * challenge,
        r3_hat: random.r3_mask - *r3 * challenge,
        m_hats: hidden
            .iter()
            .zip(&random.messages)
            .map(|(m, mask)| *mask + *m * challenge)
            .collect(),
        challenge,
    }
}

/// ProofInit. Source: §3.7.1.
pub(crate) fn proof_init(
    statement: &Statement<'_>,
    nym: Option<&NymStatement<'_>>,
    signature: &Signature,
    messages: &[Scalar],
    random: &ProofRandomness,
    split: &Split,
) -> Commitments {
    let domain = domain(statement, nym);
    let mut b = b_point(statement.parameters, &domain, messages);
    let d = b.mul(&random.r2);
    b.zeroize();
    let abar = signature.a.mul(&Zeroizing::new(random.r1 * random.r2));
    let bbar = d.mul(&random.r1) - abar.mul(&signature.e);
    let t1 = abar.mul(&random.e) + d.mul(&random.r1_mask);
    let t2 = d.mul(&random.r3_mask) + sum_of_products(&split.hidden_generators, &random.messages);
    Commitments {
        abar,
        bbar,
        d,
        t1,
        t2,
        domain,
    }
}

/// PseudonymProofInit: the pseudonym and the commitment Ut of its proof. Source: §7.3.1.
fn nym_init(
    nym: &NymStatement<'_>,
    messages: &[Scalar],
    masks: &[Scalar],
) -> Result<(Pseudonym, G1), Invalid> {
    let secrets = last(messages, nym.nym_secrets)?;
    let masks = last(masks, nym.nym_secrets)?;
    let ut = nym.context.base().mul(&nym.context.evaluate(masks));
    if ut.is_identity() {
        return Err(Invalid);
    }
    Ok((nym.context.pseudonym(secrets)?, ut))
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
    if challenge(statement, &commitments, disclosed, part) != proof.challenge {
        return Err(Invalid);
    }
    verify_pairing(statement, proof)
}

/// The last step of ProofVerify: Abar and Bbar are those of a signature.
pub(crate) fn verify_pairing(statement: &Statement<'_>, proof: &Proof) -> Result<(), Invalid> {
    if pairing_product_is_one(
        &proof.abar,
        &statement.issuer.0,
        &-proof.bbar,
        &G2::generator(),
    ) {
        Ok(())
    } else {
        Err(Invalid)
    }
}

/// ProofVerifyInit. Source: §3.7.3.
pub(crate) fn verify_init(
    statement: &Statement<'_>,
    nym: Option<&NymStatement<'_>>,
    proof: &Proof,
    disclosed: &[(usize, Scalar)],
    split: &Split,
) -> Commitments {
    let domain = domain(statement, nym);
    let c = proof.challenge;
    let t1 = msm_vartime(&[
        (proof.bbar, c),
        (proof.abar, proof.e_hat),
        (proof.d, proof.r1_hat),
    ]);
    let mut terms = vec![
        (p1(), c),
        (statement.parameters.q1, domain * c),
        (proof.d, proof.r3_hat),
    ];
    for (generator, (_, message)) in split.disclosed_generators.iter().zip(disclosed) {
        terms.push((*generator, *message * c));
    }
    terms.extend(
        split
            .hidden_generators
            .iter()
            .copied()
            .zip(proof.m_hats.iter().copied()),
    );
    Commitments {
        abar: proof.abar,
        bbar: proof.bbar,
        d: proof.d,
        t1,
        t2: msm_vartime(&terms),
        domain,
    }
}

/// PseudonymProofVerifyInit: Uv. Source: §7.3.2.
fn nym_verify_init(
    nym: &NymStatement<'_>,
    pseudonym: &Pseudonym,
    proof: &Proof,
) -> Result<G1, Invalid> {
    let hats = last(&proof.m_hats, nym.nym_secrets)?;
    let uv = msm_vartime(&[
        (*nym.context.base(), *nym.context.evaluate(hats)),
        (pseudonym.0, -proof.challenge),
    ]);
    if uv.is_identity() {
        Err(Invalid)
    } else {
        Ok(uv)
    }
}

/// The layout cut into disclosed and hidden parts.
pub(crate) struct Split {
    pub(crate) hidden: Vec<usize>,
    pub(crate) hidden_generators: Vec<G1>,
    disclosed_generators: Vec<G1>,
}

impl Split {
    pub(crate) fn new(
        parameters: &Parameters,
        disclosed: &[usize],
        nym: Option<&NymStatement<'_>>,
    ) -> Result<Split, Invalid> {
        let total = parameters.message_generators.len();
        let secrets = nym.map_or(0, |nym| nym.nym_secrets);
        let limit = total.checked_sub(secrets).ok_or(Invalid)?;
        if !disclosed.is_sorted_by(|a, b| a < b) || disclosed.iter().any(|i| *i >= limit) {
            return Err(Invalid);
        }
        let mut split = Split {
            hidden: Vec::with_capacity(total),
            hidden_generators: Vec::with_capacity(total),
            disclosed_generators: Vec::with_capacity(disclosed.len()),
        };
        for (i, generator) in parameters.message_generators.iter().enumerate() {
            if disclosed.binary_search(&i).is_ok() {
                split.disclosed_generators.push(*generator);
            } else {
                split.hidden.push(i);
                split.hidden_generators.push(*generator);
            }
        }
        Ok(split)
    }
}

fn domain(statement: &Statement<'_>, nym: Option<&NymStatement<'_>>) -> Scalar {
    let header = match nym {
        Some(nym) => header_with_nym(statement.header, nym.nym_secrets),
        None => statement.header.to_vec(),
    };
    statement.parameters.domain(statement.issuer, &header)
}

/// combined_header: the number of nym_secrets is signed with the header. Source: §6.1.2.
pub(crate) fn header_with_nym(header: &[u8], nym_secrets: usize) -> Vec<u8> {
    [header, &(nym_secrets as u64).to_be_bytes()].concat()
}

fn last(scalars: &[Scalar], count: usize) -> Result<&[Scalar], Invalid> {
    let start = scalars.len().checked_sub(count).ok_or(Invalid)?;
    scalars
        .get(start..)
        .filter(|part| !part.is_empty())
        .ok_or(Invalid)
}

/// What the pseudonym adds to the challenge.
#[derive(Clone, Copy)]
struct NymPart<'a> {
    pseudonym: &'a Pseudonym,
    ut: &'a G1,
    context: &'a Context,
}

/// ProofChallengeCalculate (§3.7.4) and ProofWithPseudonymChallengeCalculate (§8.1).
fn challenge(
    statement: &Statement<'_>,
    commitments: &Commitments,
    disclosed: &[(usize, Scalar)],
    nym: Option<NymPart<'_>>,
) -> Scalar {
    let mut input = Octets::default();
    commitments.write(&mut input, disclosed);
    if let Some(nym) = &nym {
        input.point(&nym.pseudonym.0);
        input.point(nym.ut);
    }
    input.scalar(&commitments.domain);
    input.prefixed(statement.ph);
    if let Some(nym) = &nym {
        input.prefixed(nym.context.id());
    }
    statement.parameters.interface.hash_to_scalar(&input.0)
}
