//! The suite BLS12-381-SHA-256: interfaces, generators, and how octets become scalars.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use zeroize::Zeroizing;

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
        let mut all = create_generators(messages + 1, &self.api_id);
        if let Some(committed) = committed {
            all.extend_from_slice(self.blind_generators(committed).points());
        }
        let mut octets = Octets::default();
        for generator in &all {
            octets.point(generator);
        }
        all.insert(0, p1());
        Parameters {
            interface: self.clone(),
            all: Generators::new(all),
            octets: octets.0,
        }
    }

    /// Q_2, J_1, …, J_M of the blind interfaces. Those of the last few numbers are kept.
    pub(crate) fn blind_generators(&self, committed: usize) -> Arc<Generators> {
        static KEPT: Mutex<Vec<(Vec<u8>, Arc<Generators>)>> = Mutex::new(Vec::new());
        let api_id = [b"BLIND_", self.api_id.as_slice()].concat();
        let lock = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        let count = committed + 1;
        let is_same =
            |(of, all): &(Vec<u8>, Arc<Generators>)| *of == api_id && all.points().len() == count;
        let found = lock()
            .iter()
            .find(|one| is_same(one))
            .map(|(_, all)| Arc::clone(all));
        // Nobody else waits for that.
        let make = || Arc::new(Generators::new(create_generators(count, &api_id)));
        let generators = found.unwrap_or_else(make);
        let mut kept = lock();
        kept.retain(|one| !is_same(one));
        kept.insert(0, (api_id.clone(), Arc::clone(&generators)));
        kept.truncate(BLIND_KEPT_MAX);
        generators
    }
}

const BLIND_KEPT_MAX: usize = 4;

/// Generators, with what is computed of each once for sums over them.
#[derive(Clone)]
pub(crate) struct Generators {
    points: Vec<G1>,
    /// For public scalars.
    multiples: OnceLock<Vec<Multiples>>,
    /// For secret ones.
    tables: OnceLock<Vec<Table>>,
}

impl Generators {
    pub(crate) fn new(points: Vec<G1>) -> Generators {
        Generators {
            points,
            multiples: OnceLock::new(),
            tables: OnceLock::new(),
        }
    }

    pub(crate) fn points(&self) -> &[G1] {
        &self.points
    }

    pub(crate) fn multiples(&self) -> &[Multiples] {
        self.multiples
            .get_or_init(|| Multiples::to_keep(&self.points))
    }

    fn tables(&self) -> &[Table] {
        self.tables.get_or_init(|| Table::of(&self.points))
    }

    /// Σ generator · scalar over these places, in constant time in the scalars.
    pub(crate) fn sum(&self, places: impl IntoIterator<Item = usize>, scalars: &[Scalar]) -> G1 {
        self.sum_with(&[], places, scalars)
    }

    /// The same with other points before them.
    pub(crate) fn sum_with(
        &self,
        others: &[Table],
        places: impl IntoIterator<Item = usize>,
        scalars: &[Scalar],
    ) -> G1 {
        let own = self.tables();
        let table = |place: usize| own.get(place).expect("a place among the generators");
        let tables = others.iter().chain(places.into_iter().map(table));
        sum_of_tables(tables, scalars)
    }

    /// Σ generator · answer − point · challenge, in variable time: the first message of a prover who
    /// opens `point`, as the verifier computes it from the answers.
    pub(crate) fn announced<'a>(
        &self,
        answers: impl IntoIterator<Item = (usize, &'a Scalar)>,
        (point, challenge): (&G1, Scalar),
    ) -> G1 {
        let own = self.multiples();
        let of = |place: usize| own.get(place).expect("a place among the generators");
        let point = Multiples::for_once(std::slice::from_ref(point));
        let answers = answers
            .into_iter()
            .map(|(place, answer)| (of(place), *answer));
        let point = point.iter().map(|point| (point, -challenge));
        sum_vartime(&answers.chain(point).collect::<Vec<_>>())
    }
}

/// P1 and Q_1.
const BEFORE_SLOTS: usize = 2;

/// Generators of one layout: P1, Q_1 and one generator per message, by absolute index.
#[derive(Clone)]
pub struct Parameters {
    pub(crate) interface: Interface,
    /// P1, Q_1, then those of the messages.
    all: Generators,
    /// All but P1 serialised: every domain has them.
    octets: Vec<u8>,
}

impl Parameters {
    /// The interface that these generators belong to.
    #[must_use]
    pub fn interface(&self) -> &Interface {
        &self.interface
    }

    #[cfg(test)]
    pub(crate) fn q1(&self) -> &G1 {
        let (_, q1, _) = self.split();
        q1
    }

    pub(crate) fn message_generators(&self) -> &[G1] {
        let (_, _, generators) = self.split();
        generators
    }

    fn split(&self) -> (&G1, &G1, &[G1]) {
        let [p1, q1, generators @ ..] = self.all.points() else {
            unreachable!("P1 and Q_1 are the first of them")
        };
        (p1, q1, generators)
    }

    /// The multiples of P1, of Q_1, and of the messages' generators.
    pub(crate) fn multiples(&self) -> (&Multiples, &Multiples, &[Multiples]) {
        let [p1, q1, generators @ ..] = self.all.multiples() else {
            unreachable!("P1 and Q_1 are the first of them")
        };
        (p1, q1, generators)
    }

    /// B = P1 + Q_1 · domain + Σ generator · message, in constant time in the messages.
    /// Source: draft-irtf-cfrg-bbs-signatures §3.6.1.
    pub(crate) fn b(&self, domain: &Scalar, messages: &[Scalar]) -> G1 {
        let (p1, ..) = self.split();
        let scalars = Zeroizing::new([std::slice::from_ref(domain), messages].concat());
        *p1 + self
            .all
            .sum((0..scalars.len()).map(|place| place + 1), &scalars)
    }

    /// B · factor in one sum, also in constant time in the factor.
    // Not in its caller, which the constant-time check lets branch.
    #[inline(never)]
    pub(crate) fn b_times(&self, factor: &Scalar, domain: &Scalar, messages: &[Scalar]) -> G1 {
        let mut scalars = Zeroizing::new(Vec::with_capacity(messages.len() + BEFORE_SLOTS));
        scalars.push(*factor);
        let all = std::iter::once(domain).chain(messages);
        scalars.extend(all.map(|scalar| *scalar * *factor));
        self.all.sum(0..scalars.len(), &scalars)
    }

    /// See [`Generators::sum`], for slots.
    pub(crate) fn sum(&self, slots: impl IntoIterator<Item = usize>, scalars: &[Scalar]) -> G1 {
        self.sum_with(&[], slots, scalars)
    }

    /// See [`Generators::sum_with`], for slots.
    pub(crate) fn sum_with(
        &self,
        others: &[Table],
        slots: impl IntoIterator<Item = usize>,
        scalars: &[Scalar],
    ) -> G1 {
        let places = slots.into_iter().map(|slot| slot + BEFORE_SLOTS);
        self.all.sum_with(others, places, scalars)
    }

    /// See [`Generators::announced`], for slots.
    pub(crate) fn announced<'a>(
        &self,
        answers: impl IntoIterator<Item = (usize, &'a Scalar)>,
        opened: (&G1, Scalar),
    ) -> G1 {
        let places = answers
            .into_iter()
            .map(|(slot, answer)| (slot + BEFORE_SLOTS, answer));
        self.all.announced(places, opened)
    }

    /// calculate_domain. Source: draft-irtf-cfrg-bbs-signatures §4.2.3.
    pub(crate) fn domain(&self, issuer: &PublicKey, header: &[u8]) -> Scalar {
        let mut input = Octets::default();
        input.raw(&issuer.to_bytes());
        input.integer(self.message_generators().len());
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
        self.raw(Zeroizing::new(scalar.to_bytes()).as_ref());
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
    let mut uniform = Zeroizing::new([0; EXPAND_LEN]);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blst::tests::simple_sum;

    #[test]
    fn b_and_its_product_are_sums_of_single_products() {
        let parameters = Interface::core().parameters(3, None);
        let [domain, factor, messages @ ..] = [0, 7, 1, 0, u128::MAX].map(Scalar::from_u128);
        for domain in [domain, factor] {
            let points: Vec<_> = std::iter::once(*parameters.q1())
                .chain(parameters.message_generators().iter().copied())
                .collect();
            let scalars = [&[domain], messages.as_slice()].concat();
            let b = p1() + simple_sum(&points, &scalars);
            assert!(parameters.b(&domain, &messages) == b);
            assert!(parameters.b_times(&factor, &domain, &messages) == b.mul(&factor));
            let none = Scalar::default();
            assert!(parameters.b_times(&none, &domain, &messages).is_identity());
        }
    }
}
