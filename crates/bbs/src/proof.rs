//! Proofs of a signature with disclosed messages, optionally bound to a pseudonym.
//! Source: draft-irtf-cfrg-bbs-signatures §3.6.3, §3.6.4, §3.7 and
//! draft-irtf-cfrg-bbs-per-verifier-linkability-03 §7.

mod steps;

use rand_core::CryptoRng;

pub(crate) use self::steps::{
    Commitments, ProofRandomness, Prover, Split, header_with_nym, verify_init, verify_pairing,
};
use self::steps::{challenge_input, domain, nym_verify_init};
use crate::Invalid;
use crate::blind::parse_scalars;
use crate::blst::{G1, G1_LEN, Scalar, msm_vartime};
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
    /// The pseudonym that the proof is bound to; none in the plain interface.
    pub nym: Option<NymStatement<'a>>,
}

impl Statement<'_> {
    fn split(&self, disclosed: &[usize]) -> Result<Split, Invalid> {
        let nym_secrets = self.nym.map_or(0, |nym| nym.nym_secrets);
        Split::new(self.parameters, nym_secrets, disclosed)
    }
}

/// The context of a pseudonym and how many of the last messages are its nym_secrets.
#[derive(Clone, Copy)]
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
        Invalid::when(m_hats.len() < 4)?;
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

/// ProofGen and ProofGenWithNym: proves a signature on `messages`, discloses those at the indexes
/// `disclosed` (ascending), and gives the pseudonym if the statement has one.
///
/// # Errors
///
/// [`Invalid`] when an index is out of range or out of order, one of a nym_secret, or numbers
/// differ.
pub fn prove(
    statement: &Statement<'_>,
    signature: &Signature,
    messages: &[Scalar],
    disclosed: &[usize],
    rng: &mut impl CryptoRng,
) -> Result<(Proof, Option<Pseudonym>), Invalid> {
    let undisclosed = messages.len().saturating_sub(disclosed.len());
    let random = ProofRandomness::draw(undisclosed, rng);
    prove_with(statement, signature, messages, disclosed, random)
}

/// [`prove`] with given randomness.
pub(crate) fn prove_with(
    statement: &Statement<'_>,
    signature: &Signature,
    messages: &[Scalar],
    disclosed: &[usize],
    random: Box<ProofRandomness>,
) -> Result<(Proof, Option<Pseudonym>), Invalid> {
    let parameters = statement.parameters;
    let signed = (signature, messages);
    let layout = (parameters, domain(statement));
    let prover = Prover::new(layout, signed, &statement.split(disclosed)?, random)?;
    prover.prove(&parameters.interface, statement.ph, statement.nym.as_ref())
}

/// ProofVerify and ProofVerifyWithNym: whether `proof` shows a signature on messages of which
/// `disclosed` are the ones at these indexes (ascending), and on exactly as many others as the
/// layout has; and that `pseudonym` belongs to the last of them, if the statement has one.
///
/// # Errors
///
/// [`Invalid`] when it does not.
pub fn verify(
    statement: &Statement<'_>,
    pseudonym: Option<&Pseudonym>,
    proof: &Proof,
    disclosed: &[(usize, Scalar)],
) -> Result<(), Invalid> {
    verify_with(statement, pseudonym, proof, disclosed, |input| {
        statement.parameters.interface.hash_to_scalar(&input.0)
    })
}

/// One of the proofs of a batch, with what [`verify`] takes.
pub struct Claim<'a> {
    /// What prover and verifier both know.
    pub statement: &'a Statement<'a>,
    /// The pseudonym, if the statement has one.
    pub pseudonym: Option<&'a Pseudonym>,
    /// The proof.
    pub proof: &'a Proof,
    /// The disclosed messages with their indexes, ascending.
    pub disclosed: &'a [(usize, Scalar)],
}

/// Verifies many proofs under one issuer's key at less cost than each by itself: the pairings of all are
/// one, with factors of 128 bits from `rng` that nobody knew when the proofs were made.
///
/// # Errors
///
/// [`Invalid`] when one of them does not hold, except with probability 2^-128, or is of another issuer;
/// [`verify`] tells which.
pub fn verify_batch(
    issuer: &PublicKey,
    claims: &[Claim<'_>],
    rng: &mut impl CryptoRng,
) -> Result<(), Invalid> {
    let mut terms = [Vec::new(), Vec::new()];
    for claim in claims {
        let statement = claim.statement;
        Invalid::when(statement.issuer.to_bytes() != issuer.to_bytes())?;
        let hash = |input: &Octets| statement.parameters.interface.hash_to_scalar(&input.0);
        verify_challenge(
            statement,
            claim.pseudonym,
            claim.proof,
            claim.disclosed,
            hash,
        )?;
        let factor = Scalar::random_short(rng);
        let [abars, bbars] = &mut terms;
        abars.push((claim.proof.abar, factor));
        bbars.push((claim.proof.bbar, factor));
    }
    if claims.is_empty() {
        return Ok(());
    }
    let [abar, bbar] = terms.map(|terms| msm_vartime(&terms));
    verify_pairing(issuer, (&abar, &bbar))
}

/// The verifier with its hash, which tests of zero knowledge replace.
pub(crate) fn verify_with(
    statement: &Statement<'_>,
    pseudonym: Option<&Pseudonym>,
    proof: &Proof,
    disclosed: &[(usize, Scalar)],
    hash: impl Fn(&Octets) -> Scalar,
) -> Result<(), Invalid> {
    verify_challenge(statement, pseudonym, proof, disclosed, hash)?;
    verify_pairing(statement.issuer, (&proof.abar, &proof.bbar))
}

/// All but the pairing.
fn verify_challenge(
    statement: &Statement<'_>,
    pseudonym: Option<&Pseudonym>,
    proof: &Proof,
    disclosed: &[(usize, Scalar)],
    hash: impl Fn(&Octets) -> Scalar,
) -> Result<(), Invalid> {
    let indexes: Vec<usize> = disclosed.iter().map(|(i, _)| *i).collect();
    let split = statement.split(&indexes)?;
    Invalid::when(
        proof.m_hats.len() != split.hidden.len() || statement.nym.is_some() != pseudonym.is_some(),
    )?;
    let commitments = verify_init(statement, proof, disclosed, &split);
    let uv = statement
        .nym
        .zip(pseudonym)
        .map(|(nym, pseudonym)| nym_verify_init(&nym, pseudonym, proof))
        .transpose()?;
    let bound = statement.nym.zip(pseudonym.zip(uv.as_ref()));
    let bound = bound.map(|(nym, (pseudonym, uv))| (nym.context, pseudonym, uv));
    let input = challenge_input(&commitments, disclosed, statement.ph, bound);
    Invalid::when(hash(&input) != proof.challenge)
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;
    use crate::{Interface, SecretKey, signature};

    /// Two false signatures A + X and A − X under the same random scalars: what the pairing of one lacks
    /// the other has too much.
    #[test]
    fn proofs_that_are_wrong_in_opposite_ways_do_not_make_a_batch() {
        let mut rng = ChaCha20Rng::from_seed([7; 32]);
        let (key, parameters) = (
            SecretKey::generate(&mut rng),
            Interface::core().parameters(2, None),
        );
        let messages = [Scalar::from_u128(1), Scalar::from_u128(2)];
        let signed = signature::sign(&parameters, &key, b"header", &messages).unwrap();
        let issuer = key.public();
        let statement = Statement {
            parameters: &parameters,
            issuer: &issuer,
            header: b"header",
            ph: b"ph",
            nym: None,
        };
        let x = G1::base().mul(&Scalar::from_u128(5));
        let random: Vec<_> = (0..7).map(|_| Scalar::random(&mut rng)).collect();
        let [one, other] = [x, -x].map(|x| {
            let wrong = Signature {
                a: signed.a + x,
                e: signed.e,
            };
            let random = ProofRandomness::given(&random);
            prove_with(&statement, &wrong, &messages, &[], random)
                .unwrap()
                .0
        });
        // The control: added up as they are, they pass.
        let both = (&(one.abar + other.abar), &(one.bbar + other.bbar));
        assert!(verify_pairing(&issuer, both).is_ok());
        let claim = |proof| Claim {
            statement: &statement,
            pseudonym: None,
            proof,
            disclosed: &[],
        };
        assert!(verify_batch(&issuer, &[claim(&one), claim(&other)], &mut rng).is_err());
    }
}
