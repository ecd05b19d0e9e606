//! The one certificate layout: presentation, with an age too, sign-in and renewal.

use bbs::certificate::{
    Asked, Certificate, Expected, ExpectedRenewal, KNOWN_SLOTS, KeptCommitment, KnownSlots,
    NymCommitment, NymSecrets, OPENED_SLOTS, Presented, SlotCommitment, prove_sign_in,
    verify_presentation, verify_sign_in,
};
use bbs::pseudonym::{Context, Pseudonym};
use bbs::{PublicKey, Scalar, SecretKey, Signature};

use super::{kept, rng};
use crate::cases::{AGE, CONTEXT, DISCLOSED_SLOT, HEADER, NYM, PH, RENEWAL, SIGN_IN};
use crate::operation::{By, Operation};

const NEXT_HEADER: &[u8] = b"header of the next epoch";
const BIRTH_DAY: u128 = 20_000;
const BORN_BY: u16 = 38_000;

pub fn operations() -> Vec<Operation> {
    let holder = kept(Holder::new());
    let ten = NYM.into_iter().find(|(secrets, _)| *secrets == 10);
    let (_, cases) = ten.expect("the layout's own number");
    let mut all = Vec::new();
    all.extend(holder.presentation(cases, None));
    all.extend(holder.presentation(AGE, Some(BORN_BY)));
    all.extend(holder.sign_in());
    all.extend(holder.renewal());
    all
}

struct Holder {
    secrets: NymSecrets,
    known: KnownSlots,
    slot_blind: bbs::certificate::Blind,
    certificate: Certificate,
    kept: [u8; 48],
    key: SecretKey,
    issuer: PublicKey,
    context: Context,
}

/// All slots have the value of the birth day.
fn slot() -> Scalar {
    Scalar::from_u128(BIRTH_DAY)
}

impl Holder {
    fn new() -> Holder {
        let mut rng = rng();
        let secrets = NymSecrets::draw(&mut rng);
        let (c, blind) = NymCommitment::commit(&secrets, &mut rng);
        let known = KnownSlots::new(&[slot(); KNOWN_SLOTS]);
        let opening = (&secrets, &blind);
        let (k, slot_blind, proof) = SlotCommitment::prove(&known, &c, opening, b"", &mut rng);
        let checked = SlotCommitment::verify(&k, &known, &c, &proof, b"").expect("honest");
        let key = SecretKey::generate(&mut rng);
        let issuer = key.public();
        let signature = checked.sign(&key, HEADER).expect("honest");
        let slots = (&secrets, &slot_blind);
        let certificate =
            Certificate::verify(signature, &issuer, HEADER, &known, slots).expect("honest");
        Holder {
            secrets,
            known,
            slot_blind,
            certificate,
            kept: k,
            key,
            issuer,
            context: Context::new(CONTEXT),
        }
    }

    fn presentation(
        &'static self,
        cases: [&'static str; 2],
        born_by: Option<u16>,
    ) -> [Operation; 2] {
        let mut rng = rng();
        let prove = move || {
            let asked = Asked {
                context: &self.context,
                ph: PH,
                disclosed: &[DISCLOSED_SLOT],
                born_by,
            };
            let made = self.certificate.present(&asked, &mut rng).expect("honest");
            (made.pseudonym.to_bytes(), made.proof, made.age)
        };
        let verify = move |(pseudonym, proof, age): &([u8; 48], Vec<u8>, _)| {
            let expected = Expected {
                issuer: &self.issuer,
                header: HEADER,
                context: &self.context,
                ph: PH,
                born_by,
            };
            let presented = Presented {
                pseudonym: Pseudonym::from_bytes(pseudonym).expect("honest"),
                proof: proof.clone(),
                age: *age,
            };
            verify_presentation(&expected, &presented, &[(DISCLOSED_SLOT, slot())]).is_ok()
        };
        Operation::pair(cases, By::Ours, prove, verify)
    }

    fn sign_in(&'static self) -> [Operation; 2] {
        let mut rng = rng();
        let prove = move || {
            let (pseudonym, proof) =
                prove_sign_in(&self.secrets, &self.context, PH, &mut rng).expect("honest");
            (pseudonym.to_bytes(), proof)
        };
        let verify = |(pseudonym, proof): &([u8; 48], _)| {
            let pseudonym = Pseudonym::from_bytes(pseudonym).expect("honest");
            verify_sign_in(&pseudonym, &self.context, PH, proof).is_ok()
        };
        Operation::pair(SIGN_IN, By::Ours, prove, verify)
    }

    fn renewal(&'static self) -> [Operation; 2] {
        let mut rng = rng();
        let prove = move || self.certificate.renew(PH, &mut rng).expect("honest");
        let sign = |proof: &[u8; bbs::certificate::RENEWAL_PROOF_LEN]| {
            let kept = KeptCommitment::from_bytes(&self.kept).expect("honest");
            let expected = ExpectedRenewal {
                issuer: &self.issuer,
                header: HEADER,
                opened: &[slot(); OPENED_SLOTS],
                binding: PH,
            };
            let checked = kept.verify_renewal(proof, &expected).expect("honest");
            checked.sign(&self.key, NEXT_HEADER).expect("honest")
        };
        let holds = |signature: &Signature| {
            let signature = Signature::from_bytes(&signature.to_bytes()).expect("honest");
            let secrets = (&self.secrets, &self.slot_blind);
            Certificate::verify(signature, &self.issuer, NEXT_HEADER, &self.known, secrets).is_ok()
        };
        let mut prove_once = prove.clone();
        let proof = prove_once();
        [
            Operation::new((RENEWAL[0], By::Ours), prove, move |proof| {
                holds(&sign(proof))
            }),
            Operation::new((RENEWAL[1], By::Ours), move || sign(&proof), holds),
        ]
    }
}
