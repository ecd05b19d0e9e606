use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;

use super::*;
use crate::certificate::tests::{assert_masked, random_point, rng, scalars_of, witness};

/// A run of the proof alone: the proof of the certificate answers for slot 9 as this does.
struct Run {
    digest: Scalar,
    challenge: Scalar,
    birth_day_hat: Scalar,
    proof: [u8; AGE_PROOF_LEN],
}

fn run(prover: &Prover, day: u128, challenge: Scalar) -> Run {
    Run {
        digest: prover.digest(),
        challenge,
        birth_day_hat: prover.birth_day_mask() + Scalar::from_u128(day) * challenge,
        proof: prover.respond(challenge),
    }
}

impl Run {
    fn holds(&self, born_by: u16) -> bool {
        let digest = digest_of(born_by, &self.proof, self.challenge, self.birth_day_hat);
        digest.is_ok_and(|digest| digest == self.digest)
    }
}

fn challenge(rng: &mut ChaCha20Rng) -> Scalar {
    Scalar::random(rng)
}

fn honest(born_by: u16, day: u128, rng: &mut ChaCha20Rng) -> Result<Run, Invalid> {
    let prover = Prover::new(born_by, &Scalar::from_u128(day), rng)?;
    Ok(run(&prover, day, challenge(rng)))
}

#[test]
fn holds_from_one_end_of_the_range_to_the_other() {
    let mut rng = rng(70);
    for born_by in [0, 1, 3, 4, 5, 38_000, u16::MAX - 1, u16::MAX] {
        for day in [0, 1, born_by / 2, born_by.saturating_sub(1), born_by] {
            if day > born_by {
                continue;
            }
            let run = honest(born_by, day.into(), &mut rng).unwrap();
            assert!(run.holds(born_by), "{day} by {born_by}");
            assert!(!run.holds(born_by.wrapping_add(1)), "bound of another");
            assert!(!run.holds(born_by.wrapping_sub(1)), "bound of another");
        }
    }
}

#[test]
fn nobody_born_later_gets_a_proof() {
    let mut rng = rng(71);
    let late = [(0, 1), (0, u16::MAX), (38_000, 38_001), (65_534, u16::MAX)];
    for (born_by, day) in late {
        assert!(honest(born_by, day.into(), &mut rng).is_err());
    }
    // Not a number of 16 bits.
    for day in [1 << 16, 1 << 64, u128::MAX] {
        assert!(honest(u16::MAX, day, &mut rng).is_err());
    }
    assert!(Prover::new(5, &-Scalar::from_u128(1), &mut rng).is_err());
}

/// Somebody born a day too late who takes digits that do add up to the difference, modulo r.
#[test]
fn digits_that_wrap_around_are_refused() {
    let mut rng = rng(72);
    let (born_by, day) = (38_000_u16, 38_001_u128);
    let minus_one = -Scalar::from_u128(1);
    let (four, zero) = (Scalar::from_u128(4), Scalar::default());
    let three = Scalar::from_u128(3);
    let mut lowest = vec![zero; DIGITS];
    lowest[0] = minus_one;
    // -1 = 3 + 4·(-1), and all the way up to -1 = 4^8 - 1 + 4^8·(-1), in the digit after the last.
    let mut second = vec![zero; DIGITS];
    (second[0], second[1]) = (three, minus_one);
    let mut highest = vec![three; DIGITS];
    highest[DIGITS - 1] = three - four;
    // One digit of 1/4: 4·(1/4)·(-1) = -1.
    let mut fraction = vec![zero; DIGITS];
    fraction[1] = -four.invert();
    // Out of range each, with polynomials that cancel each other if all digits weigh the same.
    let number = |text: &str| Scalar::from_bytes(&hex::decode(text).unwrap().try_into().unwrap());
    let mut cancelling = vec![zero; DIGITS];
    cancelling[0] =
        number("6671bad9e04e2da4c68bff71d308831cfd991a205d5c8ca7dc02d8821f1e4862").unwrap();
    cancelling[1] =
        number("3d55cec7e722928cf4c862299277413cbf67f47a28a7a1d548ff49deb8386de8").unwrap();
    let leading = |digit: Scalar| {
        (1..RADIX).fold(digit, |product, value| {
            product * (Scalar::from_u128(value as u128) - digit)
        })
    };
    assert!(
        (leading(cancelling[0]) + leading(cancelling[1])).is_zero(),
        "the control"
    );
    for digits in [lowest, second, highest, fraction, cancelling] {
        let sum = evaluate(&digits, four);
        assert!(sum == minus_one, "the attack adds up");
        let prover = Prover::with_digits(born_by, digits, &mut rng);
        let run = run(&prover, day, challenge(&mut rng));
        assert!(!run.holds(born_by));
    }
    // Digits in range that do not add up.
    let prover = Prover::with_digits(born_by, vec![three; DIGITS], &mut rng);
    assert!(!run(&prover, day, challenge(&mut rng)).holds(born_by));
}

#[test]
fn any_changed_octet_is_refused() {
    let mut rng = rng(73);
    let run = honest(38_000, 30_000, &mut rng).unwrap();
    assert!(run.holds(38_000));
    for octet in 0..run.proof.len() {
        let mut proof = run.proof;
        proof[octet] ^= 1;
        assert!(!Run { proof, ..run }.holds(38_000), "octet {octet}");
    }
    let one = Scalar::from_u128(1);
    let moved = run.challenge + one;
    assert!(
        !Run {
            challenge: moved,
            ..run
        }
        .holds(38_000)
    );
    let birth_day_hat = run.birth_day_hat + one;
    assert!(
        !Run {
            birth_day_hat,
            ..run
        }
        .holds(38_000)
    );
}

/// Whatever is announced is in digest and weight, or a prover could choose it afterwards.
#[test]
fn every_announced_point_and_the_bound_are_hashed() {
    let mut rng = rng(74);
    let other = random_point(&mut rng);
    let announced = || {
        let prover = Prover::new(
            38_000,
            &Scalar::from_u128(5),
            &mut crate::certificate::tests::rng(76),
        );
        let Announced { b, a, ref c } = prover.unwrap().announced;
        Announced { b, a, c: c.clone() }
    };
    let digest = announced().digest(38_000);
    assert!(digest == announced().digest(38_000));
    let mut changed = vec![announced().digest(38_001)];
    let mut change = |with: &dyn Fn(&mut Announced)| {
        let mut announced = announced();
        with(&mut announced);
        changed.push(announced.digest(38_000));
    };
    change(&|announced| announced.a = other);
    change(&|announced| announced.b = other);
    for i in 0..RADIX {
        change(&|announced| announced.c[i] = other);
    }
    assert!(changed.len() == 3 + RADIX && !changed.contains(&digest));
    let Announced { b, a, .. } = announced();
    let own = weight(38_000, &b, &a);
    let changed = [
        weight(38_001, &b, &a),
        weight(38_000, &other, &a),
        weight(38_000, &b, &other),
    ];
    assert!(!changed.contains(&own));
}

/// Soundness: two transcripts give digits and blind, which are the opening of B, and the digits
/// make up the difference to the day.
#[test]
fn two_transcripts_give_the_witness() {
    let mut rng = rng(75);
    let (born_by, day) = (38_000_u16, 30_123_u128);
    let prover = Prover::new(born_by, &Scalar::from_u128(day), &mut rng).unwrap();
    let mut transcript = || {
        let run = run(&prover, day, challenge(&mut rng));
        let scalars = scalars_of(&run.proof, RADIX);
        let radix = Scalar::from_u128(RADIX as u128);
        let higher = &scalars[..DIGITS - 1];
        let sum = Scalar::from_u128(born_by.into()) * run.challenge - run.birth_day_hat;
        let lowest = sum - radix * evaluate(higher, radix);
        (run.challenge, [&[lowest], &scalars[..DIGITS]].concat())
    };
    let (one, two) = (transcript(), transcript());
    let extracted = witness((one.0, &one.1), (two.0, &two.1));
    assert_masked(one.0, &one.1, &extracted);
    let (digits, blind) = extracted.split_at(DIGITS);
    assert!(digits == prover.digits && blind == &prover.blind[..1]);
    let sum = evaluate(digits, Scalar::from_u128(RADIX as u128));
    assert!(sum == Scalar::from_u128(u128::from(born_by) - day));
    let opened = generators().sum(0..DIGITS, digits) + generators().points()[BLIND].mul(&blind[0]);
    assert!(opened == prover.announced.b);
}

#[test]
fn the_generators_are_unlike_each_other_and_those_of_the_certificate() {
    let mut all = generators().points().to_vec();
    all.extend(super::super::layout().message_generators());
    for (i, one) in all.iter().enumerate() {
        assert!(all.iter().skip(i + 1).all(|other| one != other));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn holds_exactly_for_days_up_to_the_bound(born_by: u16, day: u16, seed: u8) {
        let made = honest(born_by, day.into(), &mut rng(seed));
        prop_assert_eq!(made.is_ok(), day <= born_by);
        if let Ok(run) = made {
            prop_assert!(run.holds(born_by));
        }
    }

    #[test]
    fn the_coefficients_are_those_of_the_polynomials(seed: u8, number: u16) {
        let mut rng = rng(seed);
        let digits = digits_of(number.into());
        let masks: Vec<Scalar> = digits.iter().map(|_| Scalar::random(&mut rng)).collect();
        let (weight, c) = (Scalar::random(&mut rng), Scalar::random(&mut rng));
        let values: Vec<Scalar> = digits
            .iter()
            .zip(&masks)
            .map(|(digit, mask)| polynomial(*mask + *digit * c, c))
            .collect();
        let sums = coefficients(&digits, &masks, weight);
        prop_assert!(evaluate(&sums, c) == evaluate(&values, weight));
    }
}
