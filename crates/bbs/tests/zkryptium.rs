//! Differential test with the independent implementation `zkryptium`, in both directions.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use bbs::certificate::{
    Asked, Certificate, DISCLOSABLE, Expected, KnownSlots, NymCommitment, NymSecrets, Presented,
    SignerEntropy, SlotCommitment, octets_slot, verify_presentation,
};
use bbs::proof::{self, Proof, Statement};
use bbs::pseudonym::{Context, Pseudonym};
use bbs::{Interface, PublicKey, SecretKey, signature};
use rand_core::{CryptoRng, UnwrapErr};
use zkryptium::bbsplus::keys::{BBSplusPublicKey, BBSplusSecretKey};
use zkryptium::bbsplus::pseudonym::{BBSplusPseudonym, PseudonymSecret};
use zkryptium::schemes::algorithms::BbsBls12381Sha256;
use zkryptium::schemes::generics::{BlindSignature, Commitment, PoKSignature, Signature};

const HEADER: &[u8] = b"header";
const PH: &[u8] = b"presentation header";
const CONTEXT: &[u8] = b"a site";

type TheirSignature = Signature<BbsBls12381Sha256>;
type TheirProof = PoKSignature<BbsBls12381Sha256>;

fn rng() -> impl CryptoRng {
    UnwrapErr(getrandom::SysRng)
}

fn their_key(key: &SecretKey) -> BBSplusSecretKey {
    BBSplusSecretKey::from_bytes(key.expose().as_slice()).unwrap()
}

fn their_public(key: &PublicKey) -> BBSplusPublicKey {
    BBSplusPublicKey::from_bytes(&key.to_bytes()).unwrap()
}

/// The octets of slots 1 to 16.
fn slot_octets() -> Vec<Vec<u8>> {
    (1..=16)
        .map(|i| format!("value of slot {i}").into_bytes())
        .collect()
}

fn known() -> KnownSlots {
    let octets = slot_octets();
    KnownSlots::new(&std::array::from_fn(|i| octets_slot(&octets[i])))
}

#[test]
fn core_signatures_and_proofs_verify_in_both_directions() {
    let interface = Interface::core();
    for count in 0..6 {
        let octets: Vec<Vec<u8>> = (0..count).map(|i| vec![i; usize::from(i) * 9]).collect();
        let messages: Vec<_> = octets
            .iter()
            .map(|m| interface.message_to_scalar(m))
            .collect();
        let parameters = interface.parameters(messages.len(), None);
        let key = SecretKey::generate(&mut rng());
        let public = key.public();

        let ours = signature::sign(&parameters, &key, HEADER, &messages).unwrap();
        let theirs = TheirSignature::sign(
            Some(&octets),
            &their_key(&key),
            &their_public(&public),
            Some(HEADER),
        )
        .unwrap();
        assert_eq!(theirs.to_bytes(), ours.to_bytes());

        let disclosed: Vec<usize> = (0..messages.len()).step_by(2).collect();
        let shown: Vec<_> = disclosed.iter().map(|i| (*i, messages[*i])).collect();
        let shown_octets: Vec<_> = disclosed.iter().map(|i| octets[*i].clone()).collect();
        let statement = Statement {
            parameters: &parameters,
            issuer: &public,
            header: HEADER,
            ph: PH,
            nym: None,
        };
        let (proof, _) =
            proof::prove(&statement, &ours, &messages, &disclosed, &mut rng()).unwrap();
        TheirProof::from_bytes(&proof.to_bytes())
            .unwrap()
            .proof_verify(
                &their_public(&public),
                Some(&shown_octets),
                Some(&disclosed),
                Some(HEADER),
                Some(PH),
            )
            .unwrap();
        let theirs = TheirProof::proof_gen(
            &their_public(&public),
            &theirs.to_bytes(),
            Some(HEADER),
            Some(PH),
            Some(&octets),
            Some(&disclosed),
        )
        .unwrap();
        proof::verify(
            &statement,
            None,
            &Proof::from_bytes(&theirs.to_bytes()).unwrap(),
            &shown,
        )
        .unwrap();
    }
}

#[test]
fn our_certificate_verifies_with_them() {
    let mut rng = rng();
    let key = SecretKey::generate(&mut rng);
    let drawn = NymSecrets::draw(&mut rng);
    let (c, c_blind) = NymCommitment::commit(&drawn, &mut rng);
    let entropy = SignerEntropy::draw(&mut rng);
    let (secrets, c) = (drawn.add_entropy(&entropy), c.add_entropy(&entropy));
    let (k, blind, slot_proof) =
        SlotCommitment::prove(&known(), &c, (&secrets, &c_blind), b"", &mut rng);
    let signature = SlotCommitment::verify(&k, &known(), &c, &slot_proof, b"")
        .unwrap()
        .sign(&key, HEADER)
        .unwrap();
    let certificate = Certificate::verify(
        signature,
        &key.public(),
        HEADER,
        &known(),
        (&secrets, &blind),
    )
    .unwrap();

    for disclosed in [vec![], vec![6], vec![6, 7, 16], DISCLOSABLE.collect()] {
        let asked = Asked {
            context: &Context::new(CONTEXT),
            ph: PH,
            disclosed: &disclosed,
            born_by: None,
        };
        let Presented {
            proof, pseudonym, ..
        } = certificate.present(&asked, &mut rng).unwrap();
        // Their committed message j is our slot j + 1: slot 0 is the prover's blind.
        let indexes: Vec<usize> = disclosed.iter().map(|slot| slot - 1).collect();
        let octets: Vec<_> = indexes.iter().map(|j| slot_octets()[*j].clone()).collect();
        let verify = |context: &[u8], n: usize| {
            TheirProof::from_bytes(&proof)
                .unwrap()
                .proof_verify_with_nym(
                    &their_public(&key.public()),
                    Some(HEADER),
                    Some(PH),
                    &their_pseudonym(&pseudonym),
                    context,
                    n,
                    None,
                    None,
                    Some(&octets),
                    None,
                    Some(&indexes),
                )
        };
        verify(CONTEXT, 10).unwrap();
        assert!(verify(b"another site", 10).is_err());
        assert!(verify(CONTEXT, 9).is_err());
    }
}

fn their_pseudonym(pseudonym: &Pseudonym) -> BBSplusPseudonym {
    BBSplusPseudonym::from_bytes(&pseudonym.to_bytes()).unwrap()
}

#[test]
fn a_certificate_of_theirs_verifies_with_us() {
    let key = SecretKey::generate(&mut rng());
    let (sk, pk) = (their_key(&key), their_public(&key.public()));
    let nyms = PseudonymSecret::random_vec(10);
    let entropy = PseudonymSecret::random();
    let octets = slot_octets();
    let (commitment, blind) =
        Commitment::<BbsBls12381Sha256>::commit_with_nym(Some(&octets), nyms.clone()).unwrap();
    let signature = BlindSignature::<BbsBls12381Sha256>::blind_sign_with_nym(
        &sk,
        &pk,
        Some(&commitment.to_bytes()),
        10,
        Some(HEADER),
        &entropy,
        None,
    )
    .unwrap();
    let secrets = signature
        .verify_finalize_with_nym(
            &pk,
            Some(HEADER),
            None,
            Some(&octets),
            nyms,
            Some(&entropy),
            Some(&blind),
        )
        .unwrap();
    let (proof, pseudonym) = TheirProof::proof_gen_with_nym(
        &pk,
        &signature.to_bytes(),
        Some(HEADER),
        Some(PH),
        &secrets,
        CONTEXT,
        None,
        Some(&octets),
        None,
        Some(&[5, 15]),
        Some(&blind),
    )
    .unwrap();
    let bytes: [u8; 48] = pseudonym.to_bytes()[..48].try_into().unwrap();
    let pseudonym = Pseudonym::from_bytes(&bytes).unwrap();
    let issuer = key.public();
    let context = Context::new(CONTEXT);
    let expected = Expected {
        issuer: &issuer,
        header: HEADER,
        context: &context,
        ph: PH,
        born_by: None,
    };
    let presented = Presented {
        pseudonym,
        proof: proof.to_bytes(),
        age: None,
    };
    let shown = [(6, octets_slot(&octets[5])), (16, octets_slot(&octets[15]))];
    verify_presentation(&expected, &presented, &shown).unwrap();
    assert!(verify_presentation(&expected, &presented, &shown[..1]).is_err());
}
