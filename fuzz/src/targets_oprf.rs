//! Targets of `oprf`.

use std::sync::LazyLock;

use oprf::{Blind, BlindedElement, Evaluation, GroupKey, ShareKey, Tag};

use crate::Target;
use crate::input::{json_both_ways, take};
use crate::world::rng;

pub(crate) const TARGETS: [Target; 3] = [
    Target::new("oprf_values", values, values_seeds),
    Target::new("oprf_evaluation", evaluation, evaluation_seeds),
    Target::new("oprf_group_key", group_key, group_key_seeds),
];

static DEALT: LazyLock<(Vec<ShareKey>, GroupKey)> =
    LazyLock::new(|| oprf::deal(2, 3, &mut rng()).expect("2 of 3"));

static BLINDED: LazyLock<(Blind, BlindedElement)> =
    LazyLock::new(|| oprf::blind(b"number", &mut rng()).expect("a blind"));

/// Elements, blinds, tags and shares have one spelling.
fn values(data: &[u8]) -> bool {
    let Some((kind, octets)) = data.split_first() else {
        return false;
    };
    let written = match kind % 4 {
        0 => BlindedElement::from_bytes(octets).map(|value| value.to_bytes().to_vec()),
        1 => Blind::from_bytes(octets).map(|value| value.expose().to_vec()),
        2 => Tag::from_bytes(octets).map(|value| value.expose().to_vec()),
        _ => ShareKey::from_bytes(octets).map(|value| value.expose().to_vec()),
    };
    written.is_ok_and(|written| {
        assert_eq!(written, octets);
        true
    })
}

fn values_seeds() -> Vec<Vec<u8>> {
    let (blind, blinded) = &*BLINDED;
    let share = &DEALT.0[0];
    vec![
        [&[0], blinded.to_bytes().as_slice()].concat(),
        [&[1], blind.expose().as_slice()].concat(),
        [&[2], blinded.to_bytes().as_slice()].concat(),
        [&[3], share.expose().as_slice()].concat(),
    ]
}

/// Two answers of trustees, one after the other.
fn evaluation(data: &[u8]) -> bool {
    let answers: Vec<_> = data
        .chunks(Evaluation::LENGTH)
        .filter_map(|octets| {
            let answer = Evaluation::from_bytes(octets).ok()?;
            assert_eq!(answer.to_bytes().as_slice(), octets);
            Some(answer)
        })
        .collect();
    let (group, (blind, blinded)) = (&DEALT.1, &*BLINDED);
    let Ok(combined) = group.combine(blinded, &answers) else {
        return false;
    };
    let (octets, _) = take::<{ Blind::LENGTH }>(blind.expose());
    Blind::from_bytes(&octets).is_ok_and(|blind| blind.unblind(&combined).is_ok())
}

fn evaluation_seeds() -> Vec<Vec<u8>> {
    let mut rng = rng();
    let answers = DEALT
        .0
        .iter()
        .take(2)
        .map(|share| share.evaluate(&BLINDED.1, &mut rng));
    vec![answers.flat_map(|answer| answer.to_bytes()).collect()]
}

fn group_key(data: &[u8]) -> bool {
    json_both_ways::<GroupKey>(data).is_some()
}

fn group_key_seeds() -> Vec<Vec<u8>> {
    vec![serde_json::to_vec(&DEALT.1).expect("a key is JSON")]
}
