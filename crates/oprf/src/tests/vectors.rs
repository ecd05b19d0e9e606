//! The vectors of RFC 9497, appendix A.1, as the CFRG publishes them in `allVectors.json`.

use std::path::{Path, PathBuf};

use curve25519_dalek::{RistrettoPoint, Scalar};
use serde_json::Value;

use crate::blinding::{Blind, BlindedElement, EvaluatedElement, blind_with};
use crate::element::{Element, scalar_from_bytes};
use crate::share::deal_polynomial;
use crate::suite::{HASH_TO_GROUP_DST, hash_to_group};
use crate::{Evaluation, finalize};

const OPRF: u64 = 0;
const VOPRF: u64 = 1;

#[test]
fn every_vector_of_one_element_is_met_with_one_share() {
    let Some(suite) = suite(VOPRF) else { return };
    let key = scalar(&suite["skSm"]);
    let (share_keys, group_key) = deal_polynomial(1, 1, &[key]).unwrap();
    assert_eq!(group_key.public_key(), bytes(&suite["pkSm"]));
    assert_eq!(share_keys[0].public_key(), bytes(&suite["pkSm"]));

    let vectors = elements(&suite)
        .filter(|vector| vector.proof.is_some())
        .collect::<Vec<_>>();
    assert_eq!(vectors.len(), 2);
    for vector in vectors {
        let (nonce, proof) = vector.proof.unwrap();
        let (blind, blinded) = blind_with(&vector.input, &vector.blind).unwrap();
        assert_eq!(blinded.to_bytes(), vector.blinded);

        let evaluation = share_keys[0].evaluate_with(&blinded, &nonce);
        let expected = [&[1][..], &vector.evaluated, &proof].concat();
        assert_eq!(evaluation.to_bytes().as_slice(), expected);

        let read = Evaluation::from_bytes(&expected).unwrap();
        let evaluated = group_key.combine(&blinded, &[read]).unwrap();
        assert_eq!(evaluated.evaluated.bytes(), &vector.evaluated);
        let tag = blind.unblind(&evaluated).unwrap();
        assert_eq!(
            finalize(&vector.input, &tag).unwrap().as_slice(),
            vector.output
        );
    }
}

#[test]
fn every_element_of_every_vector_is_met_with_two_shares_of_three() {
    let Some(suite) = suite(VOPRF) else { return };
    let polynomial = [scalar(&suite["skSm"]), Scalar::from(0x1234_5678_u64)];
    let (share_keys, group_key) = deal_polynomial(2, 3, &polynomial).unwrap();
    assert_eq!(group_key.public_key(), bytes(&suite["pkSm"]));

    let vectors: Vec<_> = elements(&suite).collect();
    assert_eq!(vectors.len(), 4);
    for (vector, seed) in vectors.into_iter().zip(0..) {
        let (blind, blinded) = blind_with(&vector.input, &vector.blind).unwrap();
        assert_eq!(blinded.to_bytes(), vector.blinded);
        let evaluations = super::evaluate_all(&share_keys[1..], &blinded, seed);
        let evaluated = group_key.combine(&blinded, &evaluations).unwrap();
        assert_eq!(evaluated.evaluated.bytes(), &vector.evaluated);
        let tag = blind.unblind(&evaluated).unwrap();
        assert_eq!(
            finalize(&vector.input, &tag).unwrap().as_slice(),
            vector.output
        );
    }
}

#[test]
fn blinding_evaluation_and_output_meet_the_vectors_of_the_mode_without_proofs() {
    let Some(suite) = suite(OPRF) else { return };
    let key = scalar(&suite["skSm"]);
    let dst = hex::decode(text(&suite["groupDST"])).unwrap();
    let vectors: Vec<_> = elements(&suite).collect();
    assert_eq!(vectors.len(), 2);
    for vector in vectors {
        let point: RistrettoPoint = vector.blind * *hash_to_group(&vector.input, &dst);
        let blinded = Element::new(point).unwrap();
        assert_eq!(blinded.bytes(), &vector.blinded);
        let evaluated = Element::new(key * point).unwrap();
        assert_eq!(evaluated.bytes(), &vector.evaluated);
        let blind = Blind::new(&vector.blind, blinded);
        let tag = blind
            .unblind(&EvaluatedElement { blinded, evaluated })
            .unwrap();
        assert_eq!(
            finalize(&vector.input, &tag).unwrap().as_slice(),
            vector.output
        );
    }
}

#[test]
fn the_domain_separation_string_is_the_one_of_the_vectors() {
    let Some(suite) = suite(VOPRF) else { return };
    assert_eq!(
        hex::decode(text(&suite["groupDST"])).unwrap(),
        HASH_TO_GROUP_DST
    );
}

#[test]
fn the_proof_of_a_vector_does_not_hold_for_another_vectors_element() {
    let Some(suite) = suite(VOPRF) else { return };
    let (_, group_key) = deal_polynomial(1, 1, &[scalar(&suite["skSm"])]).unwrap();
    let vectors: Vec<_> = elements(&suite)
        .filter(|vector| vector.proof.is_some())
        .collect();
    let (_, proof) = vectors[0].proof.unwrap();
    let evaluation =
        Evaluation::from_bytes(&[&[1][..], &vectors[0].evaluated, &proof].concat()).unwrap();
    let own = BlindedElement::from_bytes(&vectors[0].blinded).unwrap();
    let other = BlindedElement::from_bytes(&vectors[1].blinded).unwrap();
    assert!(group_key.verify(&own, &evaluation).is_ok());
    assert!(group_key.verify(&other, &evaluation).is_err());
}

/// One element of a vector; the proof and its nonce only where the batch is this element alone.
struct VectorElement {
    input: Vec<u8>,
    blind: Scalar,
    blinded: [u8; 32],
    evaluated: [u8; 32],
    output: Vec<u8>,
    proof: Option<(Scalar, [u8; 64])>,
}

fn elements(suite: &Value) -> impl Iterator<Item = VectorElement> {
    suite["vectors"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|vector| {
            let batch = usize::try_from(vector["Batch"].as_u64().unwrap()).unwrap();
            let proof = &vector["Proof"];
            (0..batch).map(move |place| {
                let part = |name: &str| {
                    let parts: Vec<&str> = text(&vector[name]).split(',').collect();
                    assert_eq!(parts.len(), batch);
                    Value::from(parts[place])
                };
                VectorElement {
                    input: hex::decode(text(&part("Input"))).unwrap(),
                    blind: scalar(&part("Blind")),
                    blinded: bytes(&part("BlindedElement")),
                    evaluated: bytes(&part("EvaluationElement")),
                    output: hex::decode(text(&part("Output"))).unwrap(),
                    proof: (batch == 1 && proof.is_object())
                        .then(|| (scalar(&proof["r"]), bytes(&proof["proof"]))),
                }
            })
        })
}

/// `None`, with the reason printed, where the vectors are absent; a failure there in CI.
fn suite(mode: u64) -> Option<Value> {
    let folder = std::env::var_os("BAUTA_VECTORS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"),
        PathBuf::from,
    );
    let path = folder.join("oprf/allVectors.json");
    let Ok(json) = std::fs::read(&path) else {
        assert!(
            std::env::var_os("CI").is_none_or(|ci| ci != "true"),
            "no {}",
            path.display()
        );
        eprintln!("skipped: no {}", path.display());
        return None;
    };
    let suites: Vec<Value> = serde_json::from_slice(&json).unwrap();
    let found = suites
        .into_iter()
        .find(|suite| suite["identifier"] == "ristretto255-SHA512" && suite["mode"] == mode);
    Some(found.expect("the file has this suite and mode"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn bytes<const N: usize>(value: &Value) -> [u8; N] {
    hex::decode(text(value)).unwrap().try_into().unwrap()
}

fn scalar(value: &Value) -> Scalar {
    scalar_from_bytes(bytes(value)).unwrap()
}
