use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, SeedableRng};

use super::*;
use crate::blind::parse_scalars;
use crate::blst::G1_LEN;
use crate::proof::{NymStatement, Proof, Statement, prove, verify, verify_with};
use crate::pseudonym::{Context, Pseudonym};
use crate::signature::SecretKey;

pub(super) const HEADER: &[u8] = b"{\"epoch\":2950}";

pub(super) struct Holder {
    pub(super) secrets: NymSecrets,
    pub(super) blind: Blind,
    pub(super) c: NymCommitment,
}

pub(crate) fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

pub(super) fn holder(rng: &mut impl CryptoRng) -> Holder {
    let drawn = NymSecrets::draw(rng);
    let (c, blind) = NymCommitment::commit(&drawn, rng);
    let entropy = SignerEntropy::draw(rng);
    Holder {
        secrets: drawn.add_entropy(&entropy),
        blind,
        c: c.add_entropy(&entropy),
    }
}

pub(super) fn known(first: u128) -> KnownSlots {
    KnownSlots::new(&std::array::from_fn(|i| {
        Scalar::from_u128(first + i as u128)
    }))
}

pub(super) fn issue(holder: &Holder, key: &SecretKey, rng: &mut impl CryptoRng) -> Certificate {
    let opening = (&holder.secrets, &holder.blind);
    let (k, blind, proof) = SlotCommitment::prove(&known(100), &holder.c, opening, b"nonce", rng);
    let k = SlotCommitment::verify(&k, &known(100), &holder.c, &proof, b"nonce").unwrap();
    let signature = k.sign(key, HEADER).unwrap();
    let secrets = (&holder.secrets, &blind);
    Certificate::verify(signature, &key.public(), HEADER, &known(100), secrets).unwrap()
}

/// What a challenge has to hash, or a prover could choose it afterwards.
pub(crate) fn assert_hashed(input: &Octets, parts: &[&[u8]]) {
    for (i, part) in parts.iter().enumerate() {
        let found = input.0.windows(part.len()).any(|window| window == *part);
        assert!(found, "part {i} is not in the challenge");
    }
}

/// A response that had no mask of its own would give its secret away.
pub(crate) fn assert_masked(challenge: Scalar, responses: &[Scalar], secrets: &[Scalar]) {
    assert_eq!(responses.len(), secrets.len());
    let pairs = responses.iter().zip(secrets);
    let masks: Vec<Scalar> = pairs
        .map(|(response, secret)| *response - *secret * challenge)
        .collect();
    for (i, mask) in masks.iter().enumerate() {
        assert!(!mask.is_zero(), "response {i} has no mask");
        assert!(!masks[i + 1..].contains(mask), "mask {i} is used twice");
        assert!(!secrets.contains(mask), "mask {i} is a secret");
    }
}

/// A point that nobody knows anything about.
pub(crate) fn random_point(rng: &mut impl CryptoRng) -> G1 {
    G1::base().mul(&Scalar::random(rng))
}

/// `count` random scalars as octets.
pub(super) fn random_scalars<const LEN: usize>(
    count: usize,
    rng: &mut impl CryptoRng,
) -> [u8; LEN] {
    let octets: Vec<u8> = (0..count)
        .flat_map(|_| Scalar::random(rng).to_bytes())
        .collect();
    octets.try_into().unwrap()
}

/// The scalars of a proof behind its first `points` points.
pub(super) fn scalars_of(proof: &[u8], points: usize) -> Vec<Scalar> {
    parse_scalars(&proof[points * G1_LEN..]).unwrap()
}

/// What two transcripts with the same first message give: challenge and responses of each.
pub(crate) fn witness(one: (Scalar, &[Scalar]), two: (Scalar, &[Scalar])) -> Vec<Scalar> {
    let divisor = (one.0 - two.0).invert();
    let pairs = one.1.iter().zip(two.1);
    pairs.map(|(a, b)| (*a - *b) * divisor).collect()
}

struct Stage {
    rng: ChaCha20Rng,
    holder: Holder,
    key: SecretKey,
    certificate: Certificate,
    context: Context,
}

fn stage(seed: u8) -> Stage {
    let mut rng = rng(seed);
    let holder = holder(&mut rng);
    let key = SecretKey::generate(&mut rng);
    let certificate = issue(&holder, &key, &mut rng);
    let context = Context::new(b"site a");
    Stage {
        rng,
        holder,
        key,
        certificate,
        context,
    }
}

impl Stage {
    fn present(&mut self, disclosed: &[usize], born_by: Option<u16>) -> Result<Presented, Invalid> {
        let asked = Asked {
            context: &self.context,
            ph: b"ph",
            disclosed,
            born_by,
        };
        self.certificate.present(&asked, &mut self.rng)
    }
}

fn value(slot: usize) -> (usize, Scalar) {
    (slot, Scalar::from_u128(99 + slot as u128))
}

#[test]
fn a_presentation_verifies_for_its_context_header_slots_and_ph_alone() {
    let mut at = stage(4);
    let presented = at.present(&[6, 9], None).unwrap();
    assert!(presented.pseudonym == at.holder.secrets.pseudonym(&at.context).unwrap());
    let (issuer, other) = (at.key.public(), SecretKey::generate(&mut at.rng).public());
    let elsewhere = Context::new(b"site b");
    let expected = Expected {
        issuer: &issuer,
        header: HEADER,
        context: &at.context,
        ph: b"ph",
        born_by: None,
    };
    let shown = [value(6), value(9)];
    let check = |e: &Expected<'_>, shown: &[(usize, Scalar)]| {
        verify_presentation(e, &presented, shown).is_ok()
    };
    assert!(check(&expected, &shown));
    let header = b"other".as_slice();
    assert!(!check(&Expected { header, ..expected }, &shown));
    assert!(!check(
        &Expected {
            ph: header,
            ..expected
        },
        &shown
    ));
    let context = &elsewhere;
    assert!(!check(
        &Expected {
            context,
            ..expected
        },
        &shown
    ));
    let issuer = &other;
    assert!(!check(&Expected { issuer, ..expected }, &shown));
    let born_by = Some(200);
    assert!(!check(
        &Expected {
            born_by,
            ..expected
        },
        &shown
    ));
    let [a, b] = shown;
    assert!(!check(&expected, &[a]));
    assert!(!check(&expected, &[b, a]));
    assert!(!check(&expected, &[(6, b.1), (9, a.1)]), "swapped slots");
    assert!(!check(&expected, &[a, (10, b.1)]));
    for octet in (0..presented.proof.len()).step_by(5) {
        let mut changed = Presented {
            pseudonym: presented.pseudonym.clone(),
            proof: presented.proof.clone(),
            age: None,
        };
        changed.proof[octet] ^= 1;
        assert!(verify_presentation(&expected, &changed, &shown).is_err());
    }
    let mut shorter = presented;
    shorter.proof.truncate(shorter.proof.len() - 32);
    assert!(verify_presentation(&expected, &shorter, &shown).is_err());
}

#[test]
fn an_age_is_proved_beside_any_disclosed_slots_and_for_its_bound_alone() {
    let mut at = stage(8);
    let issuer = at.key.public();
    for disclosed in [&[][..], &[6], &[6, 7, 8], &[6, 10, 16], &[7, 8, 11]] {
        // The birth day, slot 9, is 108.
        let presented = at.present(disclosed, Some(120)).unwrap();
        let again = at.present(disclosed, Some(120)).unwrap();
        let shown: Vec<_> = disclosed.iter().copied().map(value).collect();
        let expected = Expected {
            issuer: &issuer,
            header: HEADER,
            context: &at.context,
            ph: b"ph",
            born_by: Some(120),
        };
        let check = |born_by| {
            let expected = Expected {
                born_by,
                ..expected
            };
            verify_presentation(&expected, &presented, &shown).is_ok()
        };
        assert!(check(Some(120)));
        assert!(!check(None) && !check(Some(121)) && !check(Some(119)) && !check(Some(108)));
        let ph = b"other";
        let other = Expected { ph, ..expected };
        assert!(verify_presentation(&other, &presented, &shown).is_err());
        // That of another presentation of the same certificate, or none.
        let mut mixed = again;
        assert!(verify_presentation(&expected, &mixed, &shown).is_ok());
        mixed.age = presented.age;
        assert!(verify_presentation(&expected, &mixed, &shown).is_err());
        mixed.age = None;
        assert!(verify_presentation(&expected, &mixed, &shown).is_err());
    }
    assert!(at.present(&[6], Some(108)).is_ok());
    assert!(at.present(&[6], Some(107)).is_err(), "born a day later");
    assert!(at.present(&[6, 9], Some(120)).is_err(), "hidden and shown");
}

/// A proof with an age is none without, whatever the presentation header.
#[test]
fn an_age_cannot_be_hidden_in_the_presentation_header() {
    let mut at = stage(11);
    let presented = at.present(&[6], Some(120)).unwrap();
    let proof = Proof::from_bytes(&presented.proof).unwrap();
    let (age, hat) = (presented.age.unwrap(), proof.m_hats[8]);
    let digest = age::digest_of(120, &age, proof.challenge, hat).unwrap();
    let mut ph = Octets::default();
    ph.raw(crate::domains::AGE_PROOF);
    ph.prefixed(b"ph");
    ph.scalar(&digest);
    let issuer = at.key.public();
    let expected = |ph| Expected {
        issuer: &issuer,
        header: HEADER,
        context: &at.context,
        ph,
        born_by: None,
    };
    let without = Presented {
        age: None,
        ..presented
    };
    let shown = [value(6)];
    assert!(verify_presentation(&expected(&ph.0), &without, &shown).is_err());
    let asked = Asked {
        context: &at.context,
        ph: &ph.0,
        disclosed: &[6],
        born_by: None,
    };
    assert!(at.certificate.present(&asked, &mut at.rng).is_err());
    // The control: these are the octets that the proof did hash.
    let statement = Statement {
        parameters: layout(),
        issuer: &issuer,
        header: HEADER,
        ph: &ph.0,
        nym: Some(NymStatement {
            context: &at.context,
            nym_secrets: NYM_SECRETS,
        }),
    };
    assert!(verify(&statement, Some(&without.pseudonym), &proof, &shown).is_ok());
}

/// Zero knowledge of an age with its certificate: as below, with a random age proof whose digest the
/// certificate's proof hashes.
#[test]
fn ages_without_secrets_pass_where_the_challenge_is_programmed() {
    let mut at = stage(12);
    let abar = random_point(&mut at.rng);
    let mut out = Octets::default();
    for point in [abar, abar.mul(at.key.scalar()), random_point(&mut at.rng)] {
        out.point(&point);
    }
    out.raw(&random_scalars::<{ 31 * 32 }>(31, &mut at.rng));
    let proof = Proof::from_bytes(&out.0).unwrap();
    let mut age = Octets::default();
    for _ in 0..4 {
        age.point(&random_point(&mut at.rng));
    }
    age.raw(&random_scalars::<{ 9 * 32 }>(9, &mut at.rng));
    let age = age.0.try_into().unwrap();
    let digest = age::digest_of(120, &age, proof.challenge, proof.m_hats[9]).unwrap();
    let presented = Presented {
        pseudonym: Pseudonym(random_point(&mut at.rng)),
        proof: proof.to_bytes(),
        age: Some(age),
    };
    let issuer = at.key.public();
    let expected = Expected {
        issuer: &issuer,
        header: HEADER,
        context: &at.context,
        ph: b"ph",
        born_by: Some(120),
    };
    let programmed = proof.challenge;
    let hash = |input: &Octets| {
        assert_hashed(input, &[&digest.to_bytes(), b"ph"]);
        programmed
    };
    assert!(presentation::verify_with(&expected, &presented, &[], hash).is_ok());
    // The control: with the real hash it does not.
    assert!(verify_presentation(&expected, &presented, &[]).is_err());
}

#[test]
fn secret_slots_can_be_neither_disclosed_nor_accepted() {
    let mut at = stage(5);
    for slot in (0..SLOTS + 2).filter(|slot| !DISCLOSABLE.contains(slot)) {
        assert!(at.present(&[slot], None).is_err(), "slot {slot}");
    }
    for wrong in [&[7, 6][..], &[6, 6], &[6; 10], &[8, 7], &[usize::MAX]] {
        assert!(at.present(wrong, None).is_err() && at.present(wrong, Some(200)).is_err());
    }
    // A prover that discloses through the core, with N announced as 9: the window of the pseudonym
    // would shift by one, and the verifier that pins N = 10 refuses; slot 26 it refuses anyway.
    let issuer = at.key.public();
    let expected = Expected {
        issuer: &issuer,
        header: HEADER,
        context: &at.context,
        ph: b"ph",
        born_by: None,
    };
    let (signature, messages) = (&at.certificate.signature, &at.certificate.messages);
    for (nym_secrets, slot) in [(9, 6), (9, 17), (10, 0), (10, 1), (10, 5)] {
        let statement = Statement {
            parameters: layout(),
            issuer: &issuer,
            header: HEADER,
            ph: b"ph",
            nym: Some(NymStatement {
                context: &at.context,
                nym_secrets,
            }),
        };
        let made = prove(&statement, signature, messages, &[slot], &mut at.rng);
        let (proof, pseudonym) = made.unwrap();
        let presented = Presented {
            pseudonym: pseudonym.unwrap(),
            proof: proof.to_bytes(),
            age: None,
        };
        let shown = [(slot, messages[slot])];
        assert!(verify_presentation(&expected, &presented, &shown).is_err());
    }
}

/// Zero knowledge of the proof of a certificate with its pseudonym. (Abar, Bbar) is a random point
/// and its product with the issuer's own key.
#[test]
fn transcripts_without_secrets_pass_where_the_challenge_is_programmed() {
    let mut at = stage(9);
    let abar = random_point(&mut at.rng);
    let mut out = Octets::default();
    for point in [abar, abar.mul(at.key.scalar()), random_point(&mut at.rng)] {
        out.point(&point);
    }
    out.raw(&random_scalars::<{ 30 * 32 }>(30, &mut at.rng));
    let proof = Proof::from_bytes(&out.0).unwrap();
    let issuer = at.key.public();
    let statement = Statement {
        parameters: layout(),
        issuer: &issuer,
        header: HEADER,
        ph: b"ph",
        nym: Some(NymStatement {
            context: &at.context,
            nym_secrets: NYM_SECRETS,
        }),
    };
    let pseudonym = Pseudonym(random_point(&mut at.rng));
    let shown = [value(6)];
    let bound = Some(&pseudonym);
    let programmed = proof.challenge;
    let hash = |input: &Octets| {
        let (id, slot) = (at.context.id(), shown[0].1.to_bytes());
        let domain = layout().domain(&issuer, &header_with_nym(HEADER, NYM_SECRETS));
        let points = [abar, proof.bbar, proof.d, pseudonym.0].map(|point| point.to_bytes());
        let [abar, bbar, d, p] = points.each_ref().map(|octets| octets.as_slice());
        assert_hashed(
            input,
            &[abar, bbar, d, p, id, &slot, b"ph", &domain.to_bytes()],
        );
        programmed
    };
    assert!(verify_with(&statement, bound, &proof, &shown, hash).is_ok());
    // The control: with the real hash it does not.
    assert!(verify(&statement, bound, &proof, &shown).is_err());
}

/// Soundness: two transcripts give every hidden slot and a signature that holds for them.
#[test]
fn two_transcripts_give_slots_and_signature() {
    let at = stage(10);
    let transcript = |ph| {
        let asked = Asked {
            context: &at.context,
            ph,
            disclosed: &[6],
            born_by: None,
        };
        let made = at.certificate.present(&asked, &mut rng(77)).unwrap();
        (
            Proof::from_bytes(&made.proof).unwrap(),
            scalars_of(&made.proof, 3),
        )
    };
    let ((proof, one), (again, two)) = (transcript(b"one"), transcript(b"two"));
    assert!(proof.abar == again.abar);
    let last = one.len() - 1;
    let extracted = witness((one[last], &one[..last]), (two[last], &two[..last]));
    let [e, minus_r1, minus_r3, hidden @ ..] = extracted.as_slice() else {
        panic!("too few")
    };
    let mut messages = hidden.to_vec();
    messages.insert(6, value(6).1);
    assert!(messages == *at.certificate.messages);
    assert_masked(one[last], &one[..last], &extracted);
    // Abar = A·(r1·r2), with r2 the inverse of r3.
    let a = proof.abar.mul(&(*minus_r3 * minus_r1.invert()));
    let signature = Signature::from_bytes(
        &[a.to_bytes().as_slice(), &e.to_bytes()]
            .concat()
            .try_into()
            .unwrap(),
    );
    let header = header_with_nym(HEADER, NYM_SECRETS);
    let parameters = layout();
    let holds = signature::verify(
        parameters,
        &at.key.public(),
        &header,
        &messages,
        &signature.unwrap(),
    );
    assert!(holds.is_ok());
}

#[test]
fn secrets_survive_their_serialisation() {
    let mut rng = rng(7);
    let holder = holder(&mut rng);
    let back = NymSecrets::from_bytes(&holder.secrets.expose()).unwrap();
    let context = Context::new(b"a");
    assert!(back.pseudonym(&context).unwrap() == holder.secrets.pseudonym(&context).unwrap());
    assert!(NymSecrets::from_bytes(&holder.secrets.expose()[32..]).is_err());
}

/// Whether a type has a trait: an inherent constant goes before that of a trait for all types.
/// Underscores: one of the two is never used.
macro_rules! has {
    ($type:ty: $trait:path) => {{
        trait _Without {
            const _HAS: bool = false;
        }
        impl<T> _Without for T {}
        struct Probe<T>(std::marker::PhantomData<T>);
        impl<T: $trait> Probe<T> {
            const _HAS: bool = true;
        }
        <Probe<$type>>::_HAS
    }};
}

#[test]
fn secrets_can_be_neither_copied_nor_printed() {
    macro_rules! secret {
        ($($type:ty),*) => {$(
            assert!(!has!($type: Clone), "{} is Clone", stringify!($type));
            assert!(!has!($type: std::fmt::Debug), "{} is Debug", stringify!($type));
            assert!(!has!($type: std::fmt::Display), "{} is Display", stringify!($type));
        )*};
    }
    secret!(
        SecretKey,
        NymSecrets,
        SignerEntropy,
        Blind,
        KnownSlots,
        Certificate,
        Signature
    );
    secret!(
        crate::proof::ProofRandomness,
        crate::proof::Prover,
        age::Prover
    );
    assert!(!has!(Scalar: std::fmt::Debug));
    // The control.
    assert!(has!(PublicKey: Clone) && has!(Invalid: std::fmt::Debug));
}
