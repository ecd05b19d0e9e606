//! The steps of making and verifying a proof, which presentation and renewal share.
//! Source: draft-irtf-cfrg-bbs-signatures §3.7 and draft-irtf-cfrg-bbs-per-verifier-linkability-03
//! §7.3, §8.1.

use rand_core::CryptoRng;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::{NymStatement, Proof, Statement};
use crate::Invalid;
use crate::blst::{
    G1, Lines, Multiples, Scalar, Table, pairs_as_with_generator, sum_of_tables, sum_vartime,
};
use crate::pseudonym::{Context, Pseudonym};
use crate::signature::{PublicKey, Signature};
use crate::suite::{Interface, Octets, Parameters, announced};

/// The prover's random scalars in the order of `calculate_random_scalars`. They are boxed because each
/// move would leave a copy behind.
#[derive(Default, ZeroizeOnDrop)]
pub(crate) struct ProofRandomness {
    r1: Scalar,
    r2: Scalar,
    e: Scalar,
    r1_mask: Scalar,
    r3_mask: Scalar,
    pub(crate) messages: Vec<Scalar>,
}

impl ProofRandomness {
    pub(crate) fn draw(undisclosed: usize, rng: &mut impl CryptoRng) -> Box<ProofRandomness> {
        let mut random = Box::new(ProofRandomness::default());
        let ProofRandomness {
            r1,
            r2,
            e,
            r1_mask,
            r3_mask,
            messages,
        } = &mut *random;
        messages.resize(undisclosed, Scalar::default());
        for scalar in [r1, r2, e, r1_mask, r3_mask].into_iter().chain(messages) {
            *scalar = Scalar::random(rng);
        }
        random
    }

    #[cfg(test)]
    pub(crate) fn given(scalars: &[Scalar]) -> Box<ProofRandomness> {
        let [r1, r2, e, r1_mask, r3_mask, messages @ ..] = scalars else {
            panic!("too few")
        };
        Box::new(ProofRandomness {
            r1: *r1,
            r2: *r2,
            e: *e,
            r1_mask: *r1_mask,
            r3_mask: *r3_mask,
            messages: messages.to_vec(),
        })
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

    /// [`Prover::of_masks`] as the verifier of `proof`, which these are of, computes it: Σ generator · answer
    /// − K · challenge over all messages, of which the disclosed ones answer with the challenge times
    /// their value.
    pub(crate) fn of_answers(&self, proof: &Proof, parameters: &Parameters, k: &G1) -> G1 {
        let (p1, q1, _) = parameters.multiples();
        let c = proof.challenge;
        let once = Multiples::for_once(&[self.d, *k]);
        let [d, k] = once.as_slice() else {
            unreachable!("of two points")
        };
        let others = [(p1, c), (q1, self.domain * c), (d, proof.r3_hat), (k, c)];
        self.t2 - sum_vartime(&others)
    }
}

/// The prover between its first messages and the challenge. It answers one: the answers to two would give
/// away all that is hidden.
pub(crate) struct Prover {
    pub(crate) commitments: Commitments,
    /// The disclosed messages with their indexes.
    pub(crate) shown: Vec<(usize, Scalar)>,
    hidden: Zeroizing<Vec<Scalar>>,
    e: Box<Zeroizing<Scalar>>,
    random: Box<ProofRandomness>,
}

impl Prover {
    /// ProofInit, with a message for each generator. Source: §3.7.1.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when numbers differ.
    pub(crate) fn new(
        (parameters, domain): (&Parameters, Scalar),
        (signature, messages): (&Signature, &[Scalar]),
        split: &Split,
        random: Box<ProofRandomness>,
    ) -> Result<Prover, Invalid> {
        Invalid::when(
            messages.len() != parameters.message_generators().len()
                || random.messages.len() != split.hidden.len(),
        )?;
        let d = parameters.b_times(&random.r2, &domain, messages);
        let abar = signature.a.mul(&Zeroizing::new(random.r1 * random.r2));
        let both = Table::of(&[abar, d]);
        let sum = |of_abar: Scalar, of_d: Scalar| {
            let scalars = Zeroizing::new([of_abar, of_d]);
            sum_of_tables(&both, scalars.as_slice())
        };
        let bbar = sum(-signature.e, random.r1);
        let t1 = sum(random.e, random.r1_mask);
        let masks =
            Zeroizing::new([std::slice::from_ref(&random.r3_mask), &random.messages].concat());
        let of_d = both.get(1..).unwrap_or_default();
        let t2 = parameters.sum_with(of_d, split.hidden.iter().copied(), &masks);
        Ok(Prover {
            commitments: Commitments {
                abar,
                bbar,
                d,
                t1,
                t2,
                domain,
            },
            shown: split.shown_of(messages),
            hidden: split.hidden_of(messages),
            e: Box::new(Zeroizing::new(signature.e)),
            random,
        })
    }

    /// The proof with this presentation header, and the pseudonym in this context.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with negligible probability.
    pub(super) fn prove(
        self,
        interface: &Interface,
        ph: &[u8],
        nym: Option<&NymStatement<'_>>,
    ) -> Result<(Proof, Option<Pseudonym>), Invalid> {
        let init = |nym: &NymStatement<'_>| nym_init(nym, &self.hidden, &self.random.messages);
        let made = nym.map(init).transpose()?;
        let bound = nym.zip(made.as_ref());
        let bound = bound.map(|(nym, (pseudonym, ut))| (nym.context, pseudonym, ut));
        let input = challenge_input(&self.commitments, &self.shown, ph, bound);
        let proof = self.answer(interface.hash_to_scalar(&input.0));
        Ok((proof, made.map(|(pseudonym, _)| pseudonym)))
    }

    /// ProofFinalize. Source: §3.7.2.
    pub(crate) fn answer(self, challenge: Scalar) -> Proof {
        let random = &self.random;
        let r3 = Zeroizing::new(random.r2.invert());
        Proof {
            abar: self.commitments.abar,
            bbar: self.commitments.bbar,
            d: self.commitments.d,
            e_hat: random.e + **self.e * challenge,
            r1_hat: random.r1_mask - random.r1 * challenge,
            r3_hat: random.r3_mask - *r3 * challenge,
            m_hats: self
                .hidden
                .iter()
                .zip(&random.messages)
                .map(|(m, mask)| *mask + *m * challenge)
                .collect(),
            challenge,
        }
    }

    /// Σ generator · mask over the hidden messages: where they are those of another commitment, too, the
    /// first message for that one.
    pub(crate) fn of_masks(&self) -> G1 {
        let Commitments { t2, d, .. } = &self.commitments;
        *t2 - d.mul(&self.random.r3_mask)
    }
}

/// PseudonymProofInit: the pseudonym and the commitment Ut of its proof. Source: §7.3.1.
// Not in its caller: the constant-time check lets it branch.
#[inline(never)]
fn nym_init(
    nym: &NymStatement<'_>,
    messages: &[Scalar],
    masks: &[Scalar],
) -> Result<(Pseudonym, G1), Invalid> {
    let secrets = last(messages, nym.nym_secrets)?;
    let masks = last(masks, nym.nym_secrets)?;
    let ut = nym.context.base().mul(&nym.context.evaluate(masks));
    Invalid::when(ut.is_identity())?;
    Ok((nym.context.pseudonym(secrets)?, ut))
}

/// The last step of ProofVerify: Abar and Bbar are those of a signature.
pub(crate) fn verify_pairing(issuer: &PublicKey, (abar, bbar): (&G1, &G1)) -> Result<(), Invalid> {
    // No single proof has it, and a batch with negligible probability.
    Invalid::when(abar.is_identity() || bbar.is_identity())?;
    let lines = Lines::kept(&issuer.0);
    Invalid::when(!pairs_as_with_generator((abar, &lines), bbar))
}

/// ProofVerifyInit. Source: §3.7.3.
pub(crate) fn verify_init(
    statement: &Statement<'_>,
    proof: &Proof,
    disclosed: &[(usize, Scalar)],
    split: &Split,
) -> Commitments {
    let domain = domain(statement);
    let c = proof.challenge;
    let points = Multiples::for_once(&[proof.bbar, proof.abar, proof.d]);
    let [bbar, abar, d] = points.as_slice() else {
        unreachable!("of three points")
    };
    let t1 = sum_vartime(&[(bbar, c), (abar, proof.e_hat), (d, proof.r1_hat)]);
    let (p1, q1, generators) = statement.parameters.multiples();
    let of = |slot: usize| generators.get(slot).expect("the split is of this layout");
    let disclosed = disclosed
        .iter()
        .map(|(slot, message)| (of(*slot), *message * c));
    let hidden = split.hidden.iter().map(|slot| of(*slot));
    let hidden = hidden.zip(proof.m_hats.iter().copied());
    let terms = [(p1, c), (q1, domain * c), (d, proof.r3_hat)].into_iter();
    let terms: Vec<_> = terms.chain(disclosed).chain(hidden).collect();
    Commitments {
        abar: proof.abar,
        bbar: proof.bbar,
        d: proof.d,
        t1,
        t2: sum_vartime(&terms),
        domain,
    }
}

/// PseudonymProofVerifyInit: Uv. Source: §7.3.2.
pub(super) fn nym_verify_init(
    nym: &NymStatement<'_>,
    pseudonym: &Pseudonym,
    proof: &Proof,
) -> Result<G1, Invalid> {
    let hats = last(&proof.m_hats, nym.nym_secrets)?;
    let hat = nym.context.evaluate(hats);
    let uv = announced(
        [(nym.context.base(), &*hat)],
        (&pseudonym.0, proof.challenge),
    );
    Invalid::when(uv.is_identity())?;
    Ok(uv)
}

/// The slots that are disclosed and those that stay hidden, ascending.
pub(crate) struct Split {
    disclosed: Vec<usize>,
    pub(crate) hidden: Vec<usize>,
}

impl Split {
    /// The last `nym_secrets` ones cannot be disclosed.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when an index is one of these, out of range or out of order.
    pub(crate) fn new(
        parameters: &Parameters,
        nym_secrets: usize,
        disclosed: &[usize],
    ) -> Result<Split, Invalid> {
        let total = parameters.message_generators().len();
        let limit = total.checked_sub(nym_secrets).ok_or(Invalid)?;
        Invalid::when(
            !disclosed.is_sorted_by(|a, b| a < b) || disclosed.iter().any(|i| *i >= limit),
        )?;
        let hidden = (0..total).filter(|i| disclosed.binary_search(i).is_err());
        Ok(Split {
            disclosed: disclosed.to_vec(),
            hidden: hidden.collect(),
        })
    }

    /// The disclosed ones among `messages`, with their indexes.
    fn shown_of(&self, messages: &[Scalar]) -> Vec<(usize, Scalar)> {
        let shown = self.disclosed.iter();
        shown
            .filter_map(|i| Some((*i, *messages.get(*i)?)))
            .collect()
    }

    /// The hidden ones among `messages`, one for each generator.
    fn hidden_of(&self, messages: &[Scalar]) -> Zeroizing<Vec<Scalar>> {
        let mut hidden = Zeroizing::new(Vec::with_capacity(self.hidden.len()));
        hidden.extend(self.hidden.iter().filter_map(|i| messages.get(*i)));
        hidden
    }
}

pub(super) fn domain(statement: &Statement<'_>) -> Scalar {
    let Statement {
        parameters, issuer, ..
    } = statement;
    match statement.nym {
        Some(nym) => parameters.domain(issuer, &header_with_nym(statement.header, nym.nym_secrets)),
        None => parameters.domain(issuer, statement.header),
    }
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

/// ProofChallengeCalculate (§3.7.4) and ProofWithPseudonymChallengeCalculate (§8.1). `bound` is the
/// pseudonym in its context, with the commitment of its proof.
pub(super) fn challenge_input(
    commitments: &Commitments,
    disclosed: &[(usize, Scalar)],
    ph: &[u8],
    bound: Option<(&Context, &Pseudonym, &G1)>,
) -> Octets {
    let mut input = Octets::default();
    commitments.write(&mut input, disclosed);
    if let Some((_, pseudonym, ut)) = bound {
        input.point(&pseudonym.0);
        input.point(ut);
    }
    input.scalar(&commitments.domain);
    input.prefixed(ph);
    if let Some((context, ..)) = bound {
        input.prefixed(context.id());
    }
    input
}
