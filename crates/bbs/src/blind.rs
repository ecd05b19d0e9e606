//! Blind issuance: the prover commits to messages, the signer signs the commitment.
//! Source: draft-irtf-cfrg-bbs-blind-signatures-03 §4.1, §4.2, §4.3, in the form of its fixtures.

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::Invalid;
use crate::blst::{G1, G1_LEN, SCALAR_LEN, Scalar};
use crate::signature::{SecretKey, Signature};
use crate::suite::{Generators, Interface, Octets, Parameters};

/// A commitment to the prover's messages with the proof that its opening is known.
#[derive(Clone)]
pub struct CommitmentWithProof {
    commitment: G1,
    s_hat: Scalar,
    m_hats: Vec<Scalar>,
    challenge: Scalar,
}

impl CommitmentWithProof {
    /// Commits to `messages` (scalars); the second value is the secret prover blind.
    pub fn commit(
        interface: &Interface,
        messages: &[Scalar],
        rng: &mut impl CryptoRng,
    ) -> (CommitmentWithProof, Zeroizing<Scalar>) {
        let random = Zeroizing::new(
            (0..messages.len() + 2)
                .map(|_| Scalar::random(rng))
                .collect::<Vec<_>>(),
        );
        CommitmentWithProof::commit_with(interface, messages, &random)
    }

    /// CoreCommit with given randomness: blind, s~, m~_1, …, m~_M.
    #[expect(
        clippy::indexing_slicing,
        reason = "the callers give messages.len() + 2 scalars"
    )]
    pub(crate) fn commit_with(
        interface: &Interface,
        messages: &[Scalar],
        random: &[Scalar],
    ) -> (CommitmentWithProof, Zeroizing<Scalar>) {
        let generators = interface.blind_generators(messages.len());
        let blind = Zeroizing::new(random[0]);
        let masks = &random[1..];
        let opening = Zeroizing::new([std::slice::from_ref(&*blind), messages].concat());
        let commitment = generators.sum(0..opening.len(), &opening);
        let cbar = generators.sum(0..masks.len(), masks);
        let input = challenge_input(&generators, &commitment, &cbar);
        let challenge = interface.hash_to_scalar(&input.0);
        let s_hat = masks[0] + *blind * challenge;
        let m_hats = messages
            .iter()
            .zip(&masks[1..])
            .map(|(m, mask)| *mask + *m * challenge)
            .collect();
        (
            CommitmentWithProof {
                commitment,
                s_hat,
                m_hats,
                challenge,
            },
            blind,
        )
    }

    /// Parses C, s^, m^_1, …, m^_M, challenge. Source: §5.3.2.
    ///
    /// # Errors
    ///
    /// [`Invalid`] for a wrong length, a point off the subgroup or a scalar of zero or above r.
    pub fn from_bytes(bytes: &[u8]) -> Result<CommitmentWithProof, Invalid> {
        let (point, rest) = bytes.split_first_chunk::<G1_LEN>().ok_or(Invalid)?;
        let commitment = G1::from_bytes(point).ok_or(Invalid)?;
        let mut scalars = parse_scalars(rest)?;
        let challenge = scalars.pop().ok_or(Invalid)?;
        Invalid::when(scalars.is_empty())?;
        let s_hat = scalars.remove(0);
        Ok(CommitmentWithProof {
            commitment,
            s_hat,
            m_hats: scalars,
            challenge,
        })
    }

    /// The octets that [`CommitmentWithProof::from_bytes`] reads.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Octets::default();
        out.point(&self.commitment);
        out.scalar(&self.s_hat);
        for m_hat in &self.m_hats {
            out.scalar(m_hat);
        }
        out.scalar(&self.challenge);
        out.0
    }

    /// CoreCommitVerify; the commitment if its proof holds.
    fn verify(&self, interface: &Interface) -> Result<G1, Invalid> {
        self.verify_with(interface, |input| interface.hash_to_scalar(&input.0))
    }

    /// The verifier with its hash, which tests of zero knowledge replace.
    fn verify_with(
        &self,
        interface: &Interface,
        hash: impl Fn(&Octets) -> Scalar,
    ) -> Result<G1, Invalid> {
        let generators = interface.blind_generators(self.m_hats.len());
        let hats = std::iter::once(&self.s_hat).chain(&self.m_hats);
        let cbar = generators.announced((0..).zip(hats), (&self.commitment, self.challenge));
        Invalid::when(
            hash(&challenge_input(&generators, &self.commitment, &cbar)) != self.challenge,
        )?;
        Ok(self.commitment)
    }
}

/// BlindSign: signs `messages` and whatever `commitment` holds. `parameters` are those of the
/// same numbers of messages; `entropy` is added to the last committed message (pseudonyms).
///
/// # Errors
///
/// [`Invalid`] when the proof fails or the numbers of messages differ from the generators'.
pub fn sign(
    parameters: &Parameters,
    key: &SecretKey,
    header: &[u8],
    messages: &[Scalar],
    commitment: Option<&CommitmentWithProof>,
    entropy: Option<&Scalar>,
) -> Result<Signature, Invalid> {
    let committed = commitment.map_or(0, |commitment| commitment.m_hats.len());
    Invalid::when(messages.len() + 1 + committed != parameters.message_generators().len())?;
    let domain = parameters.domain(&key.public(), header);
    let mut b = parameters.b(&domain, messages);
    if let Some(commitment) = commitment {
        b = b + commitment.verify(&parameters.interface)?;
    }
    if let Some(entropy) = entropy {
        b = b + parameters
            .message_generators()
            .last()
            .ok_or(Invalid)?
            .mul(entropy);
    }
    sign_b(parameters, key, &b)
}

/// FinalizeBlindSign: signs the point `b`. Source: §4.3.3, but `e` is hashed from the key and `b`
/// alone, as the drafts' fixtures have it (`b` holds the domain already).
pub(crate) fn sign_b(
    parameters: &Parameters,
    key: &SecretKey,
    b: &G1,
) -> Result<Signature, Invalid> {
    Invalid::when(b.is_identity())?;
    let mut input = Octets::default();
    input.point(b);
    key.sign_point(&parameters.interface, &input, |factor| b.mul(factor))
}

/// Scalars of 32 octets each, none of them zero, nothing left over.
pub(crate) fn parse_scalars(bytes: &[u8]) -> Result<Vec<Scalar>, Invalid> {
    let (chunks, rest) = bytes.as_chunks::<SCALAR_LEN>();
    Invalid::when(!rest.is_empty())?;
    // Reserved at once: a buffer that grows leaves copies of secrets behind.
    let mut scalars = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        let scalar = Scalar::from_bytes(chunk).filter(|scalar| !scalar.is_zero());
        scalars.push(scalar.ok_or(Invalid)?);
    }
    Ok(scalars)
}

fn challenge_input(generators: &Generators, c: &G1, cbar: &G1) -> Octets {
    let generators = generators.points();
    let mut input = Octets::default();
    input.integer(generators.len().saturating_sub(1));
    for generator in generators {
        input.point(generator);
    }
    input.point(c);
    input.point(cbar);
    input
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests {
    use super::*;
    use crate::certificate::tests::{assert_hashed, assert_masked, random_point, rng, witness};

    fn scalars(count: usize, seed: u8) -> Vec<Scalar> {
        let mut rng = rng(seed);
        (0..count).map(|_| Scalar::random(&mut rng)).collect()
    }

    /// Zero knowledge: whoever may choose the challenge needs no secret.
    #[test]
    fn transcripts_without_secrets_pass_where_the_challenge_is_programmed() {
        let interface = Interface::blind();
        let [challenge, s_hat, m_hats @ ..] = &scalars(5, 80)[..] else {
            panic!("too few")
        };
        let made = CommitmentWithProof {
            commitment: random_point(&mut rng(81)),
            s_hat: *s_hat,
            m_hats: m_hats.to_vec(),
            challenge: *challenge,
        };
        let generators = interface.blind_generators(3);
        let hash = |input: &Octets| {
            assert_hashed(input, &[&made.commitment.to_bytes()]);
            for generator in generators.points() {
                assert_hashed(input, &[&generator.to_bytes()]);
            }
            *challenge
        };
        assert!(made.verify_with(&interface, hash).is_ok());
        // The control: with the real hash it does not.
        assert!(made.verify(&interface).is_err());
    }

    /// Soundness: two transcripts with one first message give blind and messages.
    #[test]
    fn two_transcripts_give_the_witness() {
        let (interface, messages) = (Interface::blind(), scalars(3, 82));
        let random = scalars(5, 83);
        let (one, blind) = CommitmentWithProof::commit_with(&interface, &messages, &random);
        // The same first message for another challenge: that of another hash.
        let challenge = one.challenge + Scalar::from_u128(1);
        let masks = &random[1..];
        let secrets = [&[*blind], messages.as_slice()].concat();
        let answer = |(mask, secret): (&Scalar, &Scalar)| *mask + *secret * challenge;
        let two: Vec<_> = masks.iter().zip(&secrets).map(answer).collect();
        let responses = [&[one.s_hat], one.m_hats.as_slice()].concat();
        let again = CommitmentWithProof {
            commitment: one.commitment,
            s_hat: two[0],
            m_hats: two[1..].to_vec(),
            challenge,
        };
        assert!(again.verify_with(&interface, |_| challenge).is_ok());
        let extracted = witness((one.challenge, &responses), (challenge, &two));
        assert!(extracted == secrets);
        assert_masked(one.challenge, &responses, &secrets);
    }
}
