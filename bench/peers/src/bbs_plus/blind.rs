//! Blind issuance of BBS as the crate's documentation has it: the first generator is that of the
//! blind, and a Schnorr proof of `schnorr_pok` opens the commitment.

use std::collections::BTreeMap;

use ::bbs_plus::prelude::{
    KeypairG2, PreparedPublicKeyG2, PreparedSignatureParams23G1, Signature23G1, SignatureParams23G1,
};
use ark_bls12_381::{Fr, G1Affine};
use ark_serialize::CanonicalDeserialize;
use ark_std::UniformRand;
use schnorr_pok::{SchnorrCommitment, SchnorrResponse};

use super::{Curve, challenge, messages, octets, rng};
use crate::cases::{BLIND, COMMITTED};
use crate::operation::{By, Operation};

/// The blind and the committed messages.
const HIDDEN: usize = 1 + COMMITTED;

#[derive(Clone)]
struct Stage {
    params: SignatureParams23G1<Curve>,
    prepared: PreparedSignatureParams23G1<Curve>,
    keys: KeypairG2<Curve>,
    issuer: PreparedPublicKeyG2<Curve>,
    messages: Vec<Fr>,
}

struct Committed {
    /// Commitment, first message and responses.
    octets: Vec<u8>,
    blind: Fr,
}

pub fn operations() -> [Operation; 2] {
    let (stage, mut rng) = (Stage::new(), rng());
    let committing = stage.clone();
    let mut commit = move || committing.commit(&mut rng);
    let committed = commit();
    let (signing, mut rng) = (stage.clone(), super::rng());
    let sign = move || signing.sign(&committed.octets, &mut rng);
    let (blind, checking) = (committed.blind, stage.clone());
    [
        Operation::new((BLIND[0], By::BbsPlus), commit, move |made| {
            let signature = stage.sign(&made.octets, &mut super::rng());
            stage.verifies(&signature, made.blind)
        }),
        Operation::new((BLIND[1], By::BbsPlus), sign, move |signature| {
            checking.verifies(signature, blind)
        }),
    ]
    .map(|operation| operation.by_way("BBS"))
}

impl Stage {
    fn new() -> Stage {
        let mut rng = rng();
        let count = u32::try_from(HIDDEN + COMMITTED).expect("few");
        let params = SignatureParams23G1::generate_using_rng(&mut rng, count);
        let keys = KeypairG2::generate_using_rng_and_bbs23_params(&mut rng, &params);
        Stage {
            prepared: params.clone().into(),
            issuer: keys.public_key.clone().into(),
            messages: messages(HIDDEN + COMMITTED),
            params,
            keys,
        }
    }

    fn bases(&self) -> &[G1Affine] {
        &self.params.h[..HIDDEN]
    }

    fn commit(&self, rng: &mut impl ark_std::rand::RngCore) -> Committed {
        let blind = Fr::rand(rng);
        let hidden = [&[blind], &self.messages[1..HIDDEN]].concat();
        let commitment = self.params.commit_to_messages(hidden.iter().enumerate());
        let commitment = commitment.expect("as many as there are generators");
        let masks = (0..HIDDEN).map(|_| Fr::rand(rng)).collect();
        let begun = SchnorrCommitment::new(self.bases(), masks);
        let announced = [octets(&commitment), octets(&begun.t)].concat();
        let response = begun.response(&hidden, &challenge(&announced));
        let response = response.expect("as many as there are masks");
        Committed {
            octets: [announced, octets(&response)].concat(),
            blind,
        }
    }

    fn sign(
        &self,
        mut committed: &[u8],
        rng: &mut impl ark_std::rand::RngCore,
    ) -> Signature23G1<Curve> {
        let challenge = challenge(&committed[..2 * 48]);
        let (commitment, t, response): (G1Affine, G1Affine, SchnorrResponse<G1Affine>) =
            CanonicalDeserialize::deserialize_compressed(&mut committed).expect("honest");
        response
            .is_valid(self.bases(), &commitment, &t, &challenge)
            .expect("an honest prover");
        let known: BTreeMap<_, _> = self.messages.iter().enumerate().skip(HIDDEN).collect();
        Signature23G1::new_with_committed_messages(
            rng,
            &commitment,
            known,
            &self.keys.secret_key,
            &self.params,
        )
        .expect("an honest signer")
    }

    fn verifies(&self, signature: &Signature23G1<Curve>, blind: Fr) -> bool {
        let messages = [&[blind], &self.messages[1..]].concat();
        let (issuer, prepared) = (self.issuer.clone(), self.prepared.clone());
        signature.verify(&messages, issuer, prepared).is_ok()
    }
}
