//! Age: a proof that the birth day in slot 9 is at most a given day, without telling it.
//!
//! With day the slot's value and `born_by` the bound, the prover commits to the eight digits of
//! `born_by` - day in base 4 and shows that each is 0, 1, 2 or 3 (a polynomial with those roots has
//! no term of degree 4 in the challenge) and that they make up that difference (the mask of slot 9
//! in the proof of the certificate is the one of the digits). A digest of the commitments is
//! hashed with the presentation header of that proof, so its challenge is this proof's too.
//! Source: `docs/specs.md`, section "age".

use std::sync::OnceLock;

use rand_core::CryptoRng;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::own_hash;
use crate::Invalid;
use crate::blind::parse_scalars;
use crate::blst::{G1, G1_LEN, SCALAR_LEN, Scalar, msm_vartime, sum_vartime};
use crate::domains;
use crate::suite::{Generators, Interface, Octets, create_generators};

/// The slot of the birth day, a number of 16 bits.
pub const BIRTH_DAY_SLOT: usize = 9;
/// Octets of an age proof: B, C1, C2, C3; responses of the digits but the lowest and of two blinds.
pub const AGE_PROOF_LEN: usize = RADIX * G1_LEN + (DIGITS - 1 + 2) * SCALAR_LEN;
/// Values of a digit. Four give the shortest proof: see docs/adr/0007-age-proof.md.
const RADIX: usize = 1 << DIGIT_BITS;
const DIGIT_BITS: u32 = 2;
/// Digits of 16 bits in this base.
const DIGITS: usize = 8;

/// One for each digit, then those of coefficients and blinds.
fn generators() -> &'static Generators {
    static GENERATORS: OnceLock<Generators> = OnceLock::new();
    GENERATORS.get_or_init(|| {
        let api_id = [domains::AGE_GENERATORS, Interface::pseudonym().api_id()].concat();
        Generators::new(create_generators(DIGITS + 2, &api_id))
    })
}

const COEFFICIENT: usize = DIGITS;
const BLIND: usize = DIGITS + 1;

/// The prover between its first message and the challenge.
#[derive(ZeroizeOnDrop)]
pub(super) struct Prover {
    digits: Vec<Scalar>,
    masks: Vec<Scalar>,
    /// Blind and mask of B, where no move copies them.
    blind: Box<[Scalar; 2]>,
    /// Blinds of C0, C1, C2, C3.
    coefficient_blinds: Vec<Scalar>,
    #[zeroize(skip)]
    announced: Announced,
    #[zeroize(skip)]
    digest: Scalar,
}

impl Prover {
    /// Commits to the digits of `born_by` - day, with `day` the scalar of slot 9.
    pub(super) fn new(
        born_by: u16,
        day: &Scalar,
        rng: &mut impl CryptoRng,
    ) -> Result<Prover, Invalid> {
        let octets = Zeroizing::new(day.to_bytes());
        let (high, low) = octets.split_last_chunk::<2>().ok_or(Invalid)?;
        let high = high.iter().fold(0, |any, octet| any | octet);
        let day = u32::from(u16::from_be_bytes(*low)) | u32::from(high) << 16;
        let difference = u32::from(born_by).wrapping_sub(day);
        // The one branch on the birth day: making a proof, or not, tells as much.
        Invalid::when(difference >> 16 != 0)?;
        Ok(Prover::with_digits(born_by, digits_of(difference), rng))
    }

    // Not in its caller, which the constant-time check lets branch.
    #[inline(never)]
    fn with_digits(born_by: u16, digits: Vec<Scalar>, rng: &mut impl CryptoRng) -> Prover {
        let mut draw =
            |count: usize| -> Vec<Scalar> { (0..count).map(|_| Scalar::random(rng)).collect() };
        let (masks, coefficient_blinds) = (draw(DIGITS), draw(RADIX));
        let blind = Box::new([Scalar::random(rng), Scalar::random(rng)]);
        let generators = generators();
        let commit = |values: &[Scalar], blind: &Scalar| {
            let opening = Zeroizing::new([values, std::slice::from_ref(blind)].concat());
            generators.sum((0..DIGITS).chain([BLIND]), &opening)
        };
        let [own, mask] = &*blind;
        let (b, a) = (commit(&digits, own), commit(&masks, mask));
        let weight = weight(born_by, &b, &a);

        let coefficients = coefficients(&digits, &masks, weight);
        let c = coefficients
            .iter()
            .zip(&coefficient_blinds)
            .map(|(value, blind)| {
                let opening = Zeroizing::new([*value, *blind]);
                generators.sum([COEFFICIENT, BLIND], opening.as_slice())
            })
            .collect();
        let announced = Announced { b, a, c };
        let digest = announced.digest(born_by);
        Prover {
            digits,
            masks,
            blind,
            coefficient_blinds,
            announced,
            digest,
        }
    }

    /// What the proof of the certificate has to mask slot 9 with.
    pub(super) fn birth_day_mask(&self) -> Scalar {
        -evaluate(&self.masks, Scalar::from_u128(RADIX as u128))
    }

    /// What the proof of the certificate has to hash with the presentation header.
    pub(super) fn digest(&self) -> Scalar {
        self.digest
    }

    /// The proof, for the challenge of the proof of the certificate.
    pub(super) fn respond(&self, challenge: Scalar) -> [u8; AGE_PROOF_LEN] {
        let Announced { b, c, .. } = &self.announced;
        let mut out = Octets::default();
        out.point(b);
        for point in c.iter().skip(1) {
            out.point(point);
        }
        // The verifier computes the response of the lowest digit from that of slot 9.
        for (mask, digit) in self.masks.iter().zip(&self.digits).skip(1) {
            out.scalar(&(*mask + *digit * challenge));
        }
        let [blind, mask] = &*self.blind;
        out.scalar(&(*mask + *blind * challenge));
        out.scalar(&evaluate(&self.coefficient_blinds, challenge));
        out.0.try_into().expect("the proof has a fixed length")
    }
}

/// The digest that the proof of the certificate must have hashed for `proof` to hold, where that
/// proof has `challenge` and answers `birth_day_hat` for slot 9.
///
/// # Errors
///
/// [`Invalid`] when the proof does not parse.
pub(super) fn digest_of(
    born_by: u16,
    proof: &[u8; AGE_PROOF_LEN],
    challenge: Scalar,
    birth_day_hat: Scalar,
) -> Result<Scalar, Invalid> {
    let (points, scalars) = proof.split_at(RADIX * G1_LEN);
    let points: Option<Vec<G1>> = points.as_chunks().0.iter().map(G1::from_bytes).collect();
    let points = points.ok_or(Invalid)?;
    let scalars = parse_scalars(scalars)?;
    let ([b, sent @ ..], [higher @ .., b_hat, c_hat]) = (points.as_slice(), scalars.as_slice())
    else {
        return Err(Invalid);
    };
    let generators = generators();
    let radix = Scalar::from_u128(RADIX as u128);
    let sum = Scalar::from_u128(born_by.into()) * challenge - birth_day_hat;
    let lowest = sum - radix * evaluate(higher, radix);
    let hats = [&[lowest], higher].concat();

    let answers = (0..DIGITS).zip(&hats).chain([(BLIND, b_hat)]);
    let a = generators.announced(answers, (b, challenge));
    let weight = weight(born_by, b, &a);
    let values: Vec<Scalar> = hats.iter().map(|hat| polynomial(*hat, challenge)).collect();
    let mut powers = Vec::with_capacity(sent.len());
    let mut power = challenge;
    for point in sent {
        powers.push((*point, -power));
        power = power * challenge;
    }
    let value = evaluate(&values, weight);
    let kept = generators.multiples();
    let own = [COEFFICIENT, BLIND].into_iter().zip([value, *c_hat]);
    let of = |place: usize| kept.get(place).expect("a place among the generators");
    let own = own.map(|(place, answer)| (of(place), answer));
    let c0 = sum_vartime(&own.collect::<Vec<_>>()) + msm_vartime(&powers);
    let c = [&[c0], sent].concat();
    Ok(Announced { b: *b, a, c }.digest(born_by))
}

/// The prover's first message: B to the digits, A to their masks, C0 to C3 to the coefficients.
struct Announced {
    b: G1,
    a: G1,
    c: Vec<G1>,
}

impl Announced {
    fn digest(&self, born_by: u16) -> Scalar {
        let mut input = Octets::default();
        input.integer(born_by.into());
        for point in [&self.b, &self.a].into_iter().chain(&self.c) {
            input.point(point);
        }
        own_hash(domains::AGE_PROOF, &input)
    }
}

/// With it one sum over all digits stands for a statement on each of them.
fn weight(born_by: u16, b: &G1, a: &G1) -> Scalar {
    let mut input = Octets::default();
    input.integer(born_by.into());
    input.point(b);
    input.point(a);
    own_hash(domains::AGE_WEIGHT, &input)
}

/// The digits of a number of 16 bits, lowest first.
fn digits_of(mut number: u32) -> Vec<Scalar> {
    let mut next = || {
        let digit = number & ((1 << DIGIT_BITS) - 1);
        number >>= DIGIT_BITS;
        Scalar::from_u128(digit.into())
    };
    (0..DIGITS).map(|_| next()).collect()
}

/// f·(c - f)·(2c - f)·(3c - f); with f = mask + digit·c and a digit from 0 to 3 its degree in c
/// is 3.
fn polynomial(hat: Scalar, challenge: Scalar) -> Scalar {
    let root = |digit: usize| Scalar::from_u128(digit as u128) * challenge;
    (1..RADIX).fold(hat, |product, digit| product * (root(digit) - hat))
}

/// Coefficients of c^0 to c^3 in the sum of [`polynomial`] over all digits with powers of `weight`.
fn coefficients(digits: &[Scalar], masks: &[Scalar], weight: Scalar) -> Zeroizing<Vec<Scalar>> {
    let mut sums = Zeroizing::new(vec![Scalar::default(); RADIX]);
    let mut power = Scalar::from_u128(1);
    for (digit, mask) in digits.iter().zip(masks) {
        let mut product = Zeroizing::new(vec![*mask, *digit]);
        for value in 1..RADIX {
            let slope = Scalar::from_u128(value as u128) - *digit;
            product = times(&product, -*mask, slope);
        }
        for (sum, coefficient) in sums.iter_mut().zip(product.iter()) {
            *sum = *sum + *coefficient * power;
        }
        power = power * weight;
    }
    sums
}

/// A polynomial, lowest coefficient first, times `constant` + `slope`·c.
fn times(polynomial: &[Scalar], constant: Scalar, slope: Scalar) -> Zeroizing<Vec<Scalar>> {
    let zero = [Scalar::default()];
    let same = polynomial.iter().chain(&zero);
    let shifted = zero.iter().chain(polynomial);
    let mut product = Zeroizing::new(Vec::with_capacity(polynomial.len() + 1));
    product.extend(
        same.zip(shifted)
            .map(|(same, shifted)| *same * constant + *shifted * slope),
    );
    product
}

/// Σ values\[i\] · at^i.
fn evaluate(values: &[Scalar], at: Scalar) -> Scalar {
    values
        .iter()
        .rev()
        .fold(Scalar::default(), |sum, value| sum * at + *value)
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests;
