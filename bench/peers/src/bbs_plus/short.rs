//! BBS, with the proof of appendix A of its paper, which has two points and is the fastest of the
//! three that the crate has.

use std::collections::BTreeMap;

use ::bbs_plus::prelude::{
    KeypairG2, PreparedPublicKeyG2, PreparedSignatureParams23G1, Signature23G1, SignatureParams23G1,
};
use ::bbs_plus::proof_23_ietf::{PoKOfSignature23G1Proof, PoKOfSignature23G1Protocol};
use ark_bls12_381::Fr;
use ark_serialize::CanonicalDeserialize;

use super::{Curve, challenge, choices, messages, octets, revealed, rng};
use crate::cases::{HEADER, MESSAGES, PH, SIGN};
use crate::operation::{By, Operation};

#[derive(Clone)]
struct Stage {
    params: SignatureParams23G1<Curve>,
    prepared: PreparedSignatureParams23G1<Curve>,
    keys: KeypairG2<Curve>,
    issuer: PreparedPublicKeyG2<Curve>,
    messages: Vec<Fr>,
    signature: Signature23G1<Curve>,
    /// What enters each challenge besides the proof.
    bound: Vec<u8>,
}

impl Stage {
    fn new() -> Stage {
        let (mut rng, messages) = (rng(), messages(MESSAGES));
        let count = u32::try_from(MESSAGES).expect("few");
        let params = SignatureParams23G1::generate_using_rng(&mut rng, count);
        let keys = KeypairG2::generate_using_rng_and_bbs23_params(&mut rng, &params);
        let signature = Signature23G1::new(&mut rng, &messages, &keys.secret_key, &params);
        Stage {
            prepared: params.clone().into(),
            issuer: keys.public_key.clone().into(),
            bound: [octets(&keys.public_key).as_slice(), HEADER, PH].concat(),
            signature: signature.expect("an honest signer"),
            params,
            keys,
            messages,
        }
    }

    fn verifies(&self, signature: &Signature23G1<Curve>) -> bool {
        let (issuer, prepared) = (self.issuer.clone(), self.prepared.clone());
        signature.verify(&self.messages, issuer, prepared).is_ok()
    }

    fn challenge(&self, contribute: impl FnOnce(&mut Vec<u8>)) -> Fr {
        let mut input = self.bound.clone();
        contribute(&mut input);
        challenge(&input)
    }

    fn revealed(&self, disclosed: &[usize]) -> BTreeMap<usize, Fr> {
        revealed(&self.messages, disclosed)
    }
}

pub fn signing() -> Operation {
    let (stage, mut rng) = (Stage::new(), rng());
    let of = stage.clone();
    let sign = move || {
        Signature23G1::new(&mut rng, &of.messages, &of.keys.secret_key, &of.params)
            .expect("an honest signer")
    };
    let by = (SIGN, By::BbsPlus);
    Operation::new(by, sign, move |made| stage.verifies(made)).by_way("BBS")
}

pub fn proofs(cases: [&'static str; 2], disclosed: &[usize]) -> [Operation; 2] {
    let (stage, mut rng) = (Stage::new(), rng());
    let revealed = stage.revealed(disclosed);
    let (of, shown) = (stage.clone(), revealed.clone());
    let prove = move || {
        let hidden = choices(&of.messages, &shown);
        let begun = PoKOfSignature23G1Protocol::init(&mut rng, &of.signature, &of.params, hidden);
        let begun = begun.expect("an honest prover");
        let challenge = of.challenge(|input| {
            begun
                .challenge_contribution(&shown, &of.params, input)
                .expect("a vector takes all octets");
        });
        octets(&begun.gen_proof(&challenge).expect("an honest prover"))
    };
    let verify = move |octets: &Vec<u8>| {
        let proof = PoKOfSignature23G1Proof::<Curve>::deserialize_compressed(octets.as_slice());
        let proof = proof.expect("an honest prover");
        let challenge = stage.challenge(|input| {
            proof
                .challenge_contribution(&revealed, &stage.params, input)
                .expect("a vector takes all octets");
        });
        let (issuer, prepared) = (stage.issuer.clone(), stage.prepared.clone());
        proof
            .verify(&revealed, &challenge, issuer, prepared)
            .is_ok()
    };
    Operation::pair(cases, By::BbsPlus, prove, verify).map(|o| o.by_way("BBS"))
}
