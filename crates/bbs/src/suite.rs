//! The suite BLS12-381-SHA-256: interfaces, generators, and how octets become scalars.

use std::sync::OnceLock;

use crate::blst::{
    EXPAND_LEN, G1, Multiples, Scalar, Table, expand_message, msm_vartime, normalize,
    sum_of_tables, sum_vartime,
};
use crate::signature::PublicKey;

/// Identifier of the suite. Source: draft-irtf-cfrg-bbs-signatures §7.2.2.
pub(crate) const CIPHERSUITE_ID: &str = "BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_";

/// P1 of the suite, compressed. Source: draft-irtf-cfrg-bbs-signatures §7.2.2.
const P1: [u8; 48] = [
    0xa8, 0xce, 0x25, 0x61, 0x02, 0x84, 0x08, 0x21, 0xa3, 0xe9, 0x4e, 0xa9, 0x02, 0x5e, 0x46, 0x62,
    0xb2, 0x05, 0x76, 0x2f, 0x97, 0x76, 0xb3, 0xa7, 0x66, 0xc8, 0x72, 0xb9, 0x48, 0xf1, 0xfd, 0x22,
    0x5e, 0x7c, 0x59, 0x69, 0x85, 0x88, 0xe7, 0x0d, 0x11, 0x40, 0x6d, 0x16, 0x1b, 0x4e, 0x28, 0xc9,
];

/// P1 of the suite as a point.
pub(crate) fn p1() -> G1 {
    static POINT: OnceLock<G1> = OnceLock::new();
    *POINT.get_or_init(|| G1::from_bytes(&P1).expect("the suite's constant is a point of G1"))
}

/// Its multiples.
pub(crate) fn p1_multiples() -> &'static Multiples {
    static MULTIPLES: OnceLock<Vec<Multiples>> = OnceLock::new();
    let [multiples] = MULTIPLES
        .get_or_init(|| Multiples::to_keep(&[p1()]))
        .as_slice()
    else {
        unreachable!("of one point")
    };
    multiples
}

/// A BBS interface: the identifier that separates its generators, mappings and challenges.
#[derive(Clone)]
pub struct Interface {
    api_id: Vec<u8>,
}

impl Interface {
    /// The plain interface. Source: draft-irtf-cfrg-bbs-signatures §3.5.
    #[must_use]
    pub fn core() -> Interface {
        Interface::named("H2G_HM2S_")
    }

    /// The blind interface. Source: draft-irtf-cfrg-bbs-blind-signatures §4.2.
    #[must_use]
    pub fn blind() -> Interface {
        Interface::named("BLIND_H2G_HM2S_")
    }

    /// The pseudonym interface.
    /// Source: draft-irtf-cfrg-bbs-per-verifier-linkability §6.
    #[must_use]
    pub fn pseudonym() -> Interface {
        Interface::named("H2G_HM2S_PSEUDONYM_")
    }

    fn named(suffix: &str) -> Interface {
        Interface {
            api_id: [CIPHERSUITE_ID, suffix].concat().into_bytes(),
        }
    }

    /// The identifier's octets.
    #[must_use]
    pub fn api_id(&self) -> &[u8] {
        &self.api_id
    }

    pub(crate) fn dst(&self, suffix: &str) -> Vec<u8> {
        [self.api_id.as_slice(), suffix.as_bytes()].concat()
    }

    /// hash_to_scalar with the interface's own separation string. Source: §4.2.2.
    pub(crate) fn hash_to_scalar(&self, octets: &[u8]) -> Scalar {
        hash_to_scalar(octets, &self.dst("H2S_"))
    }

    /// Maps one message of any length to its scalar (messages_to_scalars). Source: §4.1.2.
    #[must_use]
    pub fn message_to_scalar(&self, message: &[u8]) -> Scalar {
        hash_to_scalar(message, &self.dst("MAP_MSG_TO_SCALAR_AS_HASH_"))
    }

    /// The generators for `messages` signer messages and, in the blind interfaces, `committed`
    /// messages of the prover behind the generator Q_2 of the prover's blind.
    #[must_use]
    pub fn parameters(&self, messages: usize, committed: Option<usize>) -> Parameters {
        let mut own = create_generators(messages + 1, &self.api_id).into_iter();
        let q1 = own.next().expect("at least one generator was made");
        let mut message_generators: Vec<G1> = own.collect();
        if let Some(committed) = committed {
            message_generators.extend(self.blind_generators(committed));
        }
        let mut octets = Octets::default();
        octets.point(&q1);
        for generator in &message_generators {
            octets.point(generator);
        }
        Parameters {
            interface: self.clone(),
            q1,
            message_generators,
            octets: octets.0,
            multiples: OnceLock::new(),
            tables: OnceLock::new(),
        }
    }

    /// Q_2, J_1, …, J_M of the blind interfaces.
    pub(crate) fn blind_generators(&self, committed: usize) -> Vec<G1> {
        create_generators(committed + 1, &[b"BLIND_", self.api_id.as_slice()].concat())
    }
}

/// Generators of one layout: Q_1 and one generator per message, by absolute index.
#[derive(Clone)]
pub struct Parameters {
    pub(crate) interface: Interface,
    pub(crate) q1: G1,
    pub(crate) message_generators: Vec<G1>,
    /// Q_1 and all of them, serialised: every domain has them.
    octets: Vec<u8>,
    /// Of Q_1 and all of them, once something is verified.
    multiples: OnceLock<Vec<Multiples>>,
    /// The same for sums of secrets.
    tables: OnceLock<Vec<Table>>,
}

impl Parameters {
    /// The interface that these generators belong to.
    #[must_use]
    pub fn interface(&self) -> &Interface {
        &self.interface
    }

    /// The multiples of Q_1, and of the generators in their order.
    pub(crate) fn multiples(&self) -> (&Multiples, &[Multiples]) {
        let all = self
            .multiples
            .get_or_init(|| Multiples::to_keep(&self.generators()));
        all.split_first().expect("Q_1 is the first of them")
    }

    /// The table of Q_1, and of the generators in their order.
    pub(crate) fn tables(&self) -> (&Table, &[Table]) {
        let all = self.tables.get_or_init(|| Table::of(&self.generators()));
        all.split_first().expect("Q_1 is the first of them")
    }

    /// Σ generator · scalar over these slots, in constant time in the scalars.
    pub(crate) fn sum(&self, slots: impl IntoIterator<Item = usize>, scalars: &[Scalar]) -> G1 {
        let (_, tables) = self.tables();
        let table = |slot: usize| tables.get(slot).expect("a slot of the layout");
        sum_of_tables(slots.into_iter().map(table), scalars)
    }

    /// The same in variable time, less point · challenge: the first message of a prover who opens
    /// `point`, as the verifier computes it from the answers.
    pub(crate) fn announced<'a>(
        &self,
        answers: impl IntoIterator<Item = (usize, &'a Scalar)>,
        (point, challenge): (&G1, Scalar),
    ) -> G1 {
        let (_, multiples) = self.multiples();
        let of = |slot: usize| multiples.get(slot).expect("a slot of the layout");
        let point = Multiples::for_once(std::slice::from_ref(point));
        let answers = answers
            .into_iter()
            .map(|(slot, answer)| (of(slot), *answer));
        let terms: Vec<_> = answers
            .chain(point.iter().map(|point| (point, -challenge)))
            .collect();
        sum_vartime(&terms)
    }

    fn generators(&self) -> Vec<G1> {
        let q1 = std::iter::once(&self.q1);
        q1.chain(&self.message_generators).copied().collect()
    }

    /// calculate_domain. Source: draft-irtf-cfrg-bbs-signatures §4.2.3.
    pub(crate) fn domain(&self, issuer: &PublicKey, header: &[u8]) -> Scalar {
        let mut input = Octets::default();
        input.raw(&issuer.to_bytes());
        input.integer(self.message_generators.len());
        input.raw(&self.octets);
        input.raw(self.interface.api_id());
        input.prefixed(header);
        self.interface.hash_to_scalar(&input.0)
    }
}

/// The `serialize` operation: points compressed, scalars in 32 and integers in 8 octets,
/// big-endian. Source: draft-irtf-cfrg-bbs-signatures §4.2.4.1.
#[derive(Default)]
pub(crate) struct Octets(pub(crate) Vec<u8>);

impl Octets {
    pub(crate) fn raw(&mut self, octets: &[u8]) {
        self.0.extend_from_slice(octets);
    }
    pub(crate) fn point(&mut self, point: &G1) {
        self.raw(&point.to_bytes());
    }
    pub(crate) fn scalar(&mut self, scalar: &Scalar) {
        self.raw(zeroize::Zeroizing::new(scalar.to_bytes()).as_ref());
    }
    pub(crate) fn integer(&mut self, integer: usize) {
        self.raw(&(integer as u64).to_be_bytes());
    }
    /// The octets behind their length.
    pub(crate) fn prefixed(&mut self, octets: &[u8]) {
        self.integer(octets.len());
        self.raw(octets);
    }
}

impl zeroize::Zeroize for Octets {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

/// Σ generator · response - point · challenge, in variable time: the first message of a prover who
/// opens `point`, as the verifier computes it from the answers.
pub(crate) fn announced<'a>(
    answers: impl IntoIterator<Item = (&'a G1, &'a Scalar)>,
    (point, challenge): (&G1, Scalar),
) -> G1 {
    let answers = answers.into_iter().map(|(g, response)| (*g, *response));
    msm_vartime(&answers.chain([(*point, -challenge)]).collect::<Vec<_>>())
}

/// hash_to_scalar. Source: draft-irtf-cfrg-bbs-signatures §4.2.2.
pub(crate) fn hash_to_scalar(octets: &[u8], dst: &[u8]) -> Scalar {
    let mut uniform = zeroize::Zeroizing::new([0; EXPAND_LEN]);
    expand_message(octets, dst, uniform.as_mut());
    Scalar::reduce(uniform.as_ref())
}

/// create_generators. Source: draft-irtf-cfrg-bbs-signatures §4.1.1.
pub(crate) fn create_generators(count: usize, api_id: &[u8]) -> Vec<G1> {
    let seed_dst = [api_id, b"SIG_GENERATOR_SEED_"].concat();
    let generator_dst = [api_id, b"SIG_GENERATOR_DST_"].concat();
    let mut v = [0; EXPAND_LEN];
    expand_message(
        &[api_id, b"MESSAGE_GENERATOR_SEED"].concat(),
        &seed_dst,
        &mut v,
    );
    let mut generators: Vec<G1> = (1..=count as u64)
        .map(|i| {
            let mut next = [0; EXPAND_LEN];
            expand_message(
                &[v.as_slice(), &i.to_be_bytes()].concat(),
                &seed_dst,
                &mut next,
            );
            v = next;
            G1::hash(&v, &generator_dst)
        })
        .collect();
    normalize(&mut generators);
    generators
}
