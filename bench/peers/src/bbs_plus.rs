//! bbs_plus with parameters and keys prepared and without threads. Messages are scalars, as its
//! interface has them. It has BBS and
//! BBS+, of which the faster counts.

mod blind;
mod plus;
mod short;

use ark_bls12_381::{Bls12_381, Fr};
use ark_serialize::CanonicalSerialize;
use ark_std::rand::SeedableRng;
use ark_std::rand::rngs::StdRng;
use dock_crypto_utils::signature::MessageOrBlinding;
use schnorr_pok::compute_random_oracle_challenge;
use sha2_010::Sha256;
use std::collections::BTreeMap;

use crate::cases::{MESSAGES, ONE, TWO};
use crate::operation::Operation;

type Curve = Bls12_381;

pub fn operations() -> Vec<Operation> {
    let mut all = vec![short::signing(), plus::signing()];
    for (cases, disclosed) in [(ONE, [3].as_slice()), (TWO, &[3, 7])] {
        all.extend(short::proofs(cases, disclosed));
        all.extend(plus::proofs(cases, disclosed));
    }
    all.extend(blind::operations());
    all
}

fn rng() -> StdRng {
    StdRng::seed_from_u64(1)
}

fn messages(count: usize) -> Vec<Fr> {
    let octets = crate::cases::messages(count);
    let scalar = |octets: &Vec<u8>| challenge(octets);
    octets.iter().map(scalar).collect()
}

fn challenge(octets: &[u8]) -> Fr {
    compute_random_oracle_challenge::<Fr, Sha256>(octets)
}

fn octets(value: &impl CanonicalSerialize) -> Vec<u8> {
    let mut out = Vec::new();
    value
        .serialize_compressed(&mut out)
        .expect("a vector takes all octets");
    out
}

fn revealed(messages: &[Fr], disclosed: &[usize]) -> BTreeMap<usize, Fr> {
    disclosed.iter().map(|i| (*i, messages[*i])).collect()
}

fn choices<'a>(
    messages: &'a [Fr],
    revealed: &'a BTreeMap<usize, Fr>,
) -> impl Iterator<Item = MessageOrBlinding<'a, Fr>> {
    let choice = |(i, message)| match revealed.contains_key(&i) {
        true => MessageOrBlinding::RevealMessage(message),
        false => MessageOrBlinding::BlindMessageRandomly(message),
    };
    debug_assert!(messages.len() == MESSAGES);
    messages.iter().enumerate().map(choice)
}
