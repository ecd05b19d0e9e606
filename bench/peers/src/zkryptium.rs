//! zkryptium, as its interface has it: it makes generators and hashes messages in every call.

use ::zkryptium::bbsplus::commitment::BlindFactor;
use ::zkryptium::bbsplus::pseudonym::{BBSplusPseudonym, PseudonymSecret};
use ::zkryptium::keys::pair::KeyPair;
use ::zkryptium::schemes::algorithms::BbsBls12381Sha256;
use ::zkryptium::schemes::generics;

use crate::cases::{
    BLIND, COMMITTED, CONTEXT, DISCLOSED_SLOT, HEADER, KNOWN, MESSAGES, NYM, ONE, PH, SIGN, TWO,
    messages,
};
use crate::operation::{By, Operation};

type Keys = KeyPair<BbsBls12381Sha256>;
type Signature = generics::Signature<BbsBls12381Sha256>;
type BlindSignature = generics::BlindSignature<BbsBls12381Sha256>;
type Commitment = generics::Commitment<BbsBls12381Sha256>;
type Proof = generics::PoKSignature<BbsBls12381Sha256>;

pub fn operations() -> Vec<Operation> {
    let keys: &'static Keys = Box::leak(Box::new(
        Keys::generate(&[1; 32], None, None).expect("enough key material"),
    ));
    let sign = move || {
        let (key, public) = (keys.private_key(), keys.public_key());
        Signature::sign(Some(&messages(MESSAGES)), key, public, Some(HEADER))
            .expect("an honest signer")
    };
    let mut all = vec![Operation::new((SIGN, By::Zkryptium), sign, |signature| {
        let all = messages(MESSAGES);
        signature
            .verify(keys.public_key(), Some(&all), Some(HEADER))
            .is_ok()
    })];
    let signed = sign().to_bytes();
    all.extend(proofs(ONE, keys, signed, &[3]));
    all.extend(proofs(TWO, keys, signed, &[3, 7]));
    for (secrets, cases) in NYM {
        all.extend(pseudonyms(cases, keys, secrets));
    }
    all.extend(blind_issuance(keys));
    all
}

fn proofs(
    cases: [&'static str; 2],
    keys: &'static Keys,
    signed: [u8; 80],
    disclosed: &'static [usize],
) -> [Operation; 2] {
    let all = messages(MESSAGES);
    let shown: Vec<_> = disclosed.iter().map(|i| all[*i].clone()).collect();
    let prove = move || {
        Proof::proof_gen(
            keys.public_key(),
            &signed,
            Some(HEADER),
            Some(PH),
            Some(&all),
            Some(disclosed),
        )
        .expect("an honest prover")
        .to_bytes()
    };
    let verify = move |octets: &Vec<u8>| {
        let proof = Proof::from_bytes(octets).expect("an honest prover");
        proof
            .proof_verify(
                keys.public_key(),
                Some(&shown),
                Some(disclosed),
                Some(HEADER),
                Some(PH),
            )
            .is_ok()
    };
    Operation::pair(cases, By::Zkryptium, prove, verify)
}

/// 16 committed messages, so that with the blind there are the slots of a certificate.
fn pseudonyms(cases: [&'static str; 2], keys: &'static Keys, secrets: usize) -> [Operation; 2] {
    const DISCLOSED: [usize; 1] = [DISCLOSED_SLOT - 1];
    let public = keys.public_key();
    let committed = messages(KNOWN);
    let (signed, nyms, blind) = issue_with_nym(keys, &committed, secrets);
    let shown = [committed[DISCLOSED[0]].clone()];
    let prove = move || {
        let (proof, pseudonym) = Proof::proof_gen_with_nym(
            public,
            &signed,
            Some(HEADER),
            Some(PH),
            &nyms,
            CONTEXT,
            None,
            Some(&committed),
            None,
            Some(&DISCLOSED),
            Some(&blind),
        )
        .expect("an honest prover");
        (proof.to_bytes(), pseudonym.to_bytes())
    };
    let verify = move |(proof, pseudonym): &(Vec<u8>, Vec<u8>)| {
        let proof = Proof::from_bytes(proof).expect("an honest prover");
        let pseudonym = BBSplusPseudonym::from_bytes(pseudonym).expect("an honest prover");
        proof
            .proof_verify_with_nym(
                public,
                Some(HEADER),
                Some(PH),
                &pseudonym,
                CONTEXT,
                secrets,
                None,
                None,
                Some(&shown),
                None,
                Some(&DISCLOSED),
            )
            .is_ok()
    };
    Operation::pair(cases, By::Zkryptium, prove, verify)
}

fn issue_with_nym(
    keys: &Keys,
    committed: &[Vec<u8>],
    secrets: usize,
) -> ([u8; 80], Vec<PseudonymSecret>, BlindFactor) {
    let (key, public) = (keys.private_key(), keys.public_key());
    let nyms = PseudonymSecret::random_vec(secrets);
    let (commitment, blind) =
        Commitment::commit_with_nym(Some(committed), nyms.clone()).expect("an honest prover");
    let entropy = PseudonymSecret::random();
    let signed = BlindSignature::blind_sign_with_nym(
        key,
        public,
        Some(&commitment.to_bytes()),
        secrets,
        Some(HEADER),
        &entropy,
        None,
    )
    .expect("an honest signer");
    let nyms = signed
        .verify_finalize_with_nym(
            public,
            Some(HEADER),
            None,
            Some(committed),
            nyms,
            Some(&entropy),
            Some(&blind),
        )
        .expect("an honest signer");
    (signed.to_bytes(), nyms, blind)
}

fn blind_issuance(keys: &'static Keys) -> [Operation; 2] {
    let mut all = messages(2 * COMMITTED);
    let hidden: &'static [Vec<u8>] = all.split_off(COMMITTED).leak();
    let known: &'static [Vec<u8>] = all.leak();
    let commit = || {
        let (made, blind) = Commitment::commit(Some(hidden)).expect("an honest prover");
        (made.to_bytes(), blind)
    };
    let sign = |octets: &[u8]| {
        let (key, public) = (keys.private_key(), keys.public_key());
        BlindSignature::blind_sign(key, public, Some(octets), Some(HEADER), Some(known))
            .expect("an honest prover")
    };
    let holds = |signature: &BlindSignature, blind: &BlindFactor| {
        let public = keys.public_key();
        signature
            .verify_blind_sign(public, Some(HEADER), Some(known), Some(hidden), Some(blind))
            .is_ok()
    };
    let (octets, blind) = commit();
    [
        Operation::new((BLIND[0], By::Zkryptium), commit, move |(octets, blind)| {
            holds(&sign(octets), blind)
        }),
        Operation::new(
            (BLIND[1], By::Zkryptium),
            move || sign(&octets),
            move |signature| holds(signature, &blind),
        ),
    ]
}
