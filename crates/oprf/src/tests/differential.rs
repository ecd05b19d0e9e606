//! Against an independent implementation of the RFC, in both directions.

use curve25519_dalek::Scalar;
use voprf::{Proof, Ristretto255, VoprfClient, VoprfServer};

use super::{evaluate_all, seeded, tag_of};
use crate::blinding::BlindedElement;
use crate::share::deal_polynomial;
use crate::suite::random_scalar;
use crate::{deal, finalize};

type Client = VoprfClient<Ristretto255>;
type Server = VoprfServer<Ristretto255>;

#[test]
fn a_foreign_server_with_the_whole_key_gives_the_same_output() {
    for seed in 0..8 {
        let mut rng = seeded(seed);
        let polynomial = [*random_scalar(&mut rng), *random_scalar(&mut rng)];
        let (keys, group_key) = deal_polynomial(2, 3, &polynomial).unwrap();
        let server = Server::new_with_key(polynomial[0].as_bytes()).unwrap();
        let input = vec![seed; 1 + usize::from(seed) * 9];
        let tag = tag_of(&input, &keys[1..], &group_key, seed);
        let expected = server.evaluate(&input).unwrap();
        assert_eq!(finalize(&input, &tag).unwrap()[..], expected[..]);
    }
}

#[test]
fn a_foreign_client_accepts_the_evaluation_and_proof_of_one_share() {
    for seed in 0..4 {
        let (keys, group_key) = deal(1, 1, &mut seeded(seed)).unwrap();
        let answer = foreign_answer(seed, |blinded| {
            let evaluation = evaluate_all(&keys, blinded, seed)[0];
            group_key.verify(blinded, &evaluation).unwrap();
            (evaluation.to_bytes(), group_key.public_key())
        });
        let tag = tag_of(b"number", &keys, &group_key, seed);
        assert_eq!(
            answer.unwrap().as_slice(),
            finalize(b"number", &tag).unwrap()
        );
    }
}

#[test]
fn a_foreign_client_refuses_a_changed_proof_and_another_public_key() {
    let (keys, group_key) = deal(1, 1, &mut seeded(1)).unwrap();
    let (_, other_group_key) = deal(1, 1, &mut seeded(2)).unwrap();
    let evaluate = |blinded: &BlindedElement| evaluate_all(&keys, blinded, 1)[0].to_bytes();
    let changed = foreign_answer(1, |blinded| {
        let mut bytes = evaluate(blinded);
        bytes[65] ^= 1;
        (bytes, group_key.public_key())
    });
    assert!(changed.is_none());
    let other = foreign_answer(1, |blinded| {
        (evaluate(blinded), other_group_key.public_key())
    });
    assert!(other.is_none());
}

/// What the foreign client makes of the evaluation's bytes and the public key that `answer` gives.
fn foreign_answer(
    seed: u8,
    answer: impl FnOnce(&BlindedElement) -> ([u8; 97], [u8; 32]),
) -> Option<[u8; 64]> {
    let blind = foreign_scalar(&random_scalar(&mut seeded(seed)));
    let blinded = Client::deterministic_blind_unchecked(b"number", blind).unwrap();
    let ours = BlindedElement::from_bytes(&blinded.message.serialize()).unwrap();
    let (evaluation, public_key) = answer(&ours);
    let element = voprf::EvaluationElement::deserialize(&evaluation[1..33]).unwrap();
    let proof = Proof::deserialize(&evaluation[33..]).unwrap();
    let public_key = <Ristretto255 as voprf::Group>::deserialize_elem(&public_key).unwrap();
    let output = blinded
        .state
        .finalize(b"number", &element, &proof, public_key)
        .ok()?;
    Some(output.into())
}

fn foreign_scalar(scalar: &Scalar) -> <Ristretto255 as voprf::Group>::Scalar {
    <Ristretto255 as voprf::Group>::deserialize_scalar(scalar.as_bytes()).unwrap()
}
