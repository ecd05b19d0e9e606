//! Constructions for "the birth day is at most L", 16 bits, beside each other: what each sends, and
//! what proving and verifying take beyond the proof of the certificate. All on blst, through
//! `blstrs`, with the same plain multiplications, so that constructions are compared and not their
//! tuning. The proof that `bbs` has is the digits by commitment in base 4.
//!
//! * Digits by commitment, base 2, 4 or 16: one commitment B to all digits, its opening, and a
//!   polynomial of the responses whose highest coefficient is zero where all digits are in range.
//! * Digits by signature (Camenisch, Chaabouni, shelat 2008), base 16: a public table of a weak
//!   Boneh-Boyen signature on each digit, by a key that nobody may have kept; the prover shows four of
//!   them. Verification folds the pairings of all digits into one product of two.

use std::hint::black_box;
use std::time::Instant;

use blstrs::{G1Affine, G1Projective, G2Affine, G2Prepared, G2Projective, Scalar};
use ff::Field;
use group::{Curve, Group, prime::PrimeCurveAffine};
use pairing::{MillerLoopResult, MultiMillerLoop};
use rand_core_06::OsRng;

const ROUNDS: usize = 21;
const DIFFERENCE: u64 = 7_877;

fn main() {
    println!("| construction | octets | prove ms | verify ms |\n|---|---|---|---|");
    for base in [2, 4, 16] {
        let digits = Committed::new(base);
        let octets = 48 * digits.base + 32 * (digits.count - 1 + 2);
        let name = format!("{} digits by commitment, base {base}", digits.count);
        row(
            &name,
            octets,
            || digits.prove(),
            |proof| digits.verify(proof),
        );
    }
    let signed = Signed::new();
    let octets = DIGITS * (2 * 48 + 2 * 32) - 32;
    row(
        "4 digits by signature, base 16",
        octets,
        || signed.prove(),
        |proof| signed.verify(proof),
    );
}

fn row<P>(name: &str, octets: usize, prove: impl Fn() -> P, verify: impl Fn(&P) -> bool) {
    let (mut proving, mut verifying) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let proof = black_box(prove());
        proving.push(start.elapsed().as_secs_f64() * 1e3);
        let start = Instant::now();
        assert!(black_box(verify(&proof)), "{name}: an honest proof");
        verifying.push(start.elapsed().as_secs_f64() * 1e3);
    }
    println!(
        "| {name} | {octets} | {:.2} | {:.2} |",
        median(proving),
        median(verifying)
    );
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

fn random() -> Scalar {
    Scalar::random(OsRng)
}

fn random_points(count: usize) -> Vec<G1Projective> {
    (0..count).map(|_| G1Projective::random(OsRng)).collect()
}

/// Each product alone, as the constant-time prover has to.
fn sum(points: &[G1Projective], scalars: &[Scalar]) -> G1Projective {
    points
        .iter()
        .zip(scalars)
        .map(|(point, scalar)| point * scalar)
        .sum()
}

fn sum_vartime(points: &[G1Projective], scalars: &[Scalar]) -> G1Projective {
    G1Projective::multi_exp(points, scalars)
}

/// A challenge: these figures are of group operations, a hash is noise beside them.
fn challenge() -> Scalar {
    random()
}

struct Committed {
    base: usize,
    count: usize,
    generators: Vec<G1Projective>,
    coefficient: G1Projective,
    blind: G1Projective,
}

struct CommittedProof {
    challenge: Scalar,
    weight: Scalar,
    a: G1Projective,
    b: G1Projective,
    c: Vec<G1Projective>,
    hats: Vec<Scalar>,
    b_hat: Scalar,
    c_hat: Scalar,
}

impl Committed {
    fn new(base: usize) -> Committed {
        let count = 16 / base.ilog2() as usize;
        Committed {
            base,
            count,
            generators: random_points(count),
            coefficient: G1Projective::random(OsRng),
            blind: G1Projective::random(OsRng),
        }
    }

    fn prove(&self) -> CommittedProof {
        let mut rest = DIFFERENCE;
        let mut next = || {
            let digit = rest % self.base as u64;
            rest /= self.base as u64;
            Scalar::from(digit)
        };
        let digits: Vec<_> = (0..self.count).map(|_| next()).collect();
        let masks: Vec<_> = (0..self.count).map(|_| random()).collect();
        let (blind, mask) = (random(), random());
        let b = sum(&self.generators, &digits) + self.blind * blind;
        let a = sum(&self.generators, &masks) + self.blind * mask;
        let weight = challenge();
        let mut sums = vec![Scalar::ZERO; self.base + 1];
        let mut power = Scalar::ONE;
        for (digit, mask) in digits.iter().zip(&masks) {
            for (sum, value) in sums.iter_mut().zip(self.coefficients(*digit, *mask)) {
                *sum += value * power;
            }
            power *= weight;
        }
        assert!(sums.pop() == Some(Scalar::ZERO), "all digits are in range");
        let blinds: Vec<_> = sums.iter().map(|_| random()).collect();
        let commit =
            |(value, blind): (&Scalar, &Scalar)| self.coefficient * value + self.blind * blind;
        let c: Vec<_> = sums.iter().zip(&blinds).map(commit).collect();
        let challenge = challenge();
        CommittedProof {
            challenge,
            weight,
            a,
            b,
            c,
            hats: digits
                .iter()
                .zip(&masks)
                .map(|(d, m)| m + d * challenge)
                .collect(),
            b_hat: mask + blind * challenge,
            c_hat: blinds
                .iter()
                .rev()
                .fold(Scalar::ZERO, |sum, blind| sum * challenge + blind),
        }
    }

    fn coefficients(&self, digit: Scalar, mask: Scalar) -> Vec<Scalar> {
        let mut product = vec![mask, digit];
        for value in 1..self.base as u64 {
            let slope = Scalar::from(value) - digit;
            let mut next = vec![Scalar::ZERO; product.len() + 1];
            for (i, coefficient) in product.iter().enumerate() {
                next[i] -= coefficient * mask;
                next[i + 1] += coefficient * slope;
            }
            product = next;
        }
        product
    }

    fn verify(&self, proof: &CommittedProof) -> bool {
        let c = proof.challenge;
        let mut points = self.generators.clone();
        points.extend([self.blind, proof.b]);
        let scalars = [proof.hats.as_slice(), &[proof.b_hat, -c]].concat();
        let a = sum_vartime(&points, &scalars);
        let polynomial = |hat: &Scalar| {
            let factor = |value| Scalar::from(value as u64) * c - hat;
            (1..self.base)
                .map(factor)
                .fold(*hat, |product, factor| product * factor)
        };
        let value = proof.hats.iter().rev().fold(Scalar::ZERO, |sum, hat| {
            sum * proof.weight + polynomial(hat)
        });
        let mut points = vec![self.coefficient, self.blind];
        let mut scalars = vec![value, proof.c_hat];
        let mut power = c;
        for point in &proof.c[1..] {
            points.push(*point);
            scalars.push(-power);
            power *= c;
        }
        a == proof.a && sum_vartime(&points, &scalars) == proof.c[0]
    }
}

const DIGITS: usize = 4;

struct Signed {
    table: Vec<G1Projective>,
    base: G1Projective,
    key: G2Affine,
}

struct SignedProof {
    challenge: Scalar,
    shown: Vec<Shown>,
}

struct Shown {
    blinded: G1Projective,
    product: G1Projective,
    t: G1Projective,
    digit_hat: Scalar,
    blind_hat: Scalar,
}

impl Signed {
    fn new() -> Signed {
        let (secret, base) = (random(), G1Projective::generator());
        let sign = |digit: u64| {
            let inverse: Option<Scalar> = (secret + Scalar::from(digit)).invert().into();
            base * inverse.expect("not zero")
        };
        Signed {
            table: (0..16).map(sign).collect(),
            base,
            key: (G2Projective::generator() * secret).to_affine(),
        }
    }

    /// For each digit d with signature S: V = S·v, W = base·v - V·d, so that e(V, key) = e(W, g2), and
    /// a proof of v and d in W.
    fn prove(&self) -> SignedProof {
        let challenge = challenge();
        let mut rest = DIFFERENCE;
        let shown = (0..DIGITS).map(|_| {
            let place = (rest % 16) as usize;
            rest /= 16;
            let (digit, blind) = (Scalar::from(place as u64), random());
            let (digit_mask, blind_mask) = (random(), random());
            let blinded = self.table[place] * blind;
            Shown {
                blinded,
                product: self.base * blind - blinded * digit,
                t: self.base * blind_mask - blinded * digit_mask,
                digit_hat: digit_mask + digit * challenge,
                blind_hat: blind_mask + blind * challenge,
            }
        });
        SignedProof {
            challenge,
            shown: shown.collect(),
        }
    }

    fn verify(&self, proof: &SignedProof) -> bool {
        let opened = proof.shown.iter().all(|shown| {
            let points = [self.base, shown.blinded, shown.product];
            let scalars = [shown.blind_hat, -shown.digit_hat, -proof.challenge];
            sum_vartime(&points, &scalars) == shown.t
        });
        let weights: Vec<_> = proof.shown.iter().map(|_| random()).collect();
        let fold = |point: fn(&Shown) -> G1Projective| -> G1Affine {
            let points: Vec<_> = proof.shown.iter().map(point).collect();
            sum_vartime(&points, &weights).to_affine()
        };
        let (left, right) = (fold(|s| s.blinded), fold(|s| -s.product));
        let terms = [
            (&left, &G2Prepared::from(self.key)),
            (&right, &G2Prepared::from(G2Affine::generator())),
        ];
        let product = blstrs::Bls12::multi_miller_loop(&terms).final_exponentiation();
        opened && bool::from(product.is_identity())
    }
}
