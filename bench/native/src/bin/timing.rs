//! Whether the time of an operation tells a fixed secret from random ones: Welch's t statistic over
//! interleaved measurements, as dudect does it. Beyond 4.5 it does. The control compares octets up
//! to the first difference and must be found.

use std::hint::black_box;
use std::time::Instant;

use bbs::blind::CommitmentWithProof;
use bbs::certificate::{NymCommitment, NymSecrets, prove_sign_in};
use bbs::pseudonym::Context;
use bbs::{G1, Interface, Scalar, SecretKey, signature};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

/// Measurements of each class.
const SAMPLES: usize = 20_000;
/// Inputs prepared at a time, so that a cache holds those of both classes alike.
const BATCH: usize = 64;
const THRESHOLD: f64 = 4.5;

fn main() {
    let mut rng = ChaCha20Rng::seed_from_u64(std::process::id().into());
    println!("| operation | secrets | samples | largest t | |\n|---|---|---|---|---|");
    control(&mut rng);
    point_multiplication(&mut rng);
    signing(&mut rng);
    sign_in(&mut rng);
    commitments(&mut rng);
}

fn control(rng: &mut ChaCha20Rng) {
    let known = [7_u8; 4096];
    let draw = |fixed: bool, rng: &mut ChaCha20Rng| {
        let mut octets = known;
        if !fixed {
            rng.fill_bytes(&mut octets);
        }
        octets
    };
    let compare = |octets: &[u8; 4096]| octets.iter().zip(&known).all(|(a, b)| a == b);
    report(
        "careless comparison (control)",
        "equal / random",
        SAMPLES,
        draw,
        compare,
        rng,
    );
}

fn point_multiplication(rng: &mut ChaCha20Rng) {
    let point = G1::from_bytes(
        &NymCommitment::commit(&NymSecrets::draw(rng), rng)
            .0
            .to_bytes(),
    );
    let point = point.expect("a commitment is a point");
    for (name, fixed) in [("zero", 0), ("one", 1), ("2^127 - 1", u128::MAX >> 1)] {
        let draw = |is_fixed: bool, rng: &mut ChaCha20Rng| {
            if is_fixed {
                Scalar::from_u128(fixed)
            } else {
                Scalar::random(rng)
            }
        };
        let run = |scalar: &Scalar| point.mul(scalar);
        report(
            "G1 multiplication",
            &format!("{name} / random"),
            SAMPLES,
            draw,
            run,
            rng,
        );
    }
}

fn signing(rng: &mut ChaCha20Rng) {
    let interface = Interface::core();
    let parameters = interface.parameters(3, None);
    let messages = ["a", "b", "c"].map(|text| interface.message_to_scalar(text.as_bytes()));
    // Not one: the public key is then the generator, which needs no inversion to be written.
    let fixed_key = Scalar::from_u128(u128::MAX >> 1).to_bytes();
    let draw = |is_fixed: bool, rng: &mut ChaCha20Rng| {
        if is_fixed {
            SecretKey::from_bytes(&fixed_key).expect("it is a key")
        } else {
            SecretKey::generate(rng)
        }
    };
    let run =
        |key: &SecretKey| signature::sign(&parameters, key, b"", &messages).map(|s| s.to_bytes());
    report(
        "sign, 3 messages",
        "key 2^127 - 1 / random",
        SAMPLES / 4,
        draw,
        run,
        rng,
    );
}

fn sign_in(rng: &mut ChaCha20Rng) {
    let context = Context::new(b"site");
    let small = Scalar::from_u128(1).to_bytes().repeat(10);
    let draw = |fixed: bool, rng: &mut ChaCha20Rng| {
        if fixed {
            NymSecrets::from_bytes(&small).expect("ten scalars")
        } else {
            NymSecrets::draw(rng)
        }
    };
    let mut masks = ChaCha20Rng::seed_from_u64(1);
    let run = |secrets: &NymSecrets| {
        prove_sign_in(secrets, &context, b"", &mut masks).map(|(_, proof)| proof)
    };
    report(
        "sign-in proof",
        "secrets one / random",
        SAMPLES / 4,
        draw,
        run,
        rng,
    );
}

fn commitments(rng: &mut ChaCha20Rng) {
    let interface = Interface::blind();
    let draw = |fixed: bool, rng: &mut ChaCha20Rng| -> Vec<Scalar> {
        let value = |_| {
            if fixed {
                Scalar::default()
            } else {
                Scalar::random(rng)
            }
        };
        (0..4).map(value).collect()
    };
    let mut masks = ChaCha20Rng::seed_from_u64(1);
    let run = |messages: &Vec<Scalar>| {
        CommitmentWithProof::commit(&interface, messages, &mut masks)
            .0
            .to_bytes()
    };
    report(
        "blind commitment, 4 messages",
        "zero / random",
        SAMPLES / 8,
        draw,
        run,
        rng,
    );
}

fn report<T, O>(
    operation: &str,
    secrets: &str,
    samples: usize,
    draw: impl Fn(bool, &mut ChaCha20Rng) -> T,
    mut run: impl FnMut(&T) -> O,
    rng: &mut ChaCha20Rng,
) {
    let mut times = [Vec::with_capacity(samples), Vec::with_capacity(samples)];
    while times[0].len() < samples || times[1].len() < samples {
        let batch: Vec<(bool, T)> = (0..BATCH)
            .map(|_| {
                let fixed = rng.next_u32() & 1 == 0;
                (fixed, draw(fixed, rng))
            })
            .collect();
        for (fixed, input) in &batch {
            let start = Instant::now();
            black_box(run(black_box(input)));
            times[usize::from(*fixed)].push(start.elapsed().as_nanos() as f64);
        }
    }
    let t = largest_t(&times);
    let verdict = if t > THRESHOLD {
        "tells secrets apart"
    } else {
        "nothing found"
    };
    println!("| {operation} | {secrets} | {samples} | {t:.1} | {verdict} |");
}

/// The largest |t| over several cuts of the slow end, where interruptions are.
fn largest_t(times: &[Vec<f64>; 2]) -> f64 {
    let mut all: Vec<f64> = times.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    let cuts = [0.5, 0.7, 0.9, 0.95, 0.99].map(|part| all[(all.len() as f64 * part) as usize]);
    let below = |cut: f64, class: usize| -> Vec<f64> {
        times[class]
            .iter()
            .copied()
            .filter(|time| *time <= cut)
            .collect()
    };
    let t = |cut: f64| welch(&below(cut, 0), &below(cut, 1)).abs();
    cuts.into_iter().map(t).fold(0.0, f64::max)
}

fn welch(a: &[f64], b: &[f64]) -> f64 {
    let moments = |values: &[f64]| {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (mean, variance / n)
    };
    let ((mean_a, error_a), (mean_b, error_b)) = (moments(a), moments(b));
    (mean_a - mean_b) / (error_a + error_b).sqrt()
}
