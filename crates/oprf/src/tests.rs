mod differential;
mod encodings;
mod refusals;
mod suite;
mod threshold;
mod vectors;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::{BlindedElement, Evaluation, GroupKey, ShareKey, Tag};

fn seeded(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

fn evaluate_all(keys: &[ShareKey], blinded: &BlindedElement, seed: u8) -> Vec<Evaluation> {
    let mut rng = seeded(seed);
    keys.iter()
        .map(|key| key.evaluate(blinded, &mut rng))
        .collect()
}

fn tag_of(input: &[u8], keys: &[ShareKey], group_key: &GroupKey, seed: u8) -> Tag {
    let (blind, blinded) = crate::blind(input, &mut seeded(seed)).unwrap();
    let evaluations = evaluate_all(keys, &blinded, seed);
    blind
        .unblind(&group_key.combine(&blinded, &evaluations).unwrap())
        .unwrap()
}

/// Every way to take `size` of `items`.
fn subsets<T: Copy>(items: &[T], size: usize) -> Vec<Vec<T>> {
    let Some(((first, rest), below)) = items.split_first().zip(size.checked_sub(1)) else {
        return if size == 0 {
            vec![Vec::new()]
        } else {
            Vec::new()
        };
    };
    let with_first = subsets(rest, below).into_iter().map(|mut subset| {
        subset.insert(0, *first);
        subset
    });
    with_first.chain(subsets(rest, size)).collect()
}
