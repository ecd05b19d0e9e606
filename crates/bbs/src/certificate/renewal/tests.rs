use rand_chacha::ChaCha20Rng;

use super::*;
use crate::certificate::tests::{
    HEADER, Holder, assert_hashed, assert_masked, holder, issue, known, rng, scalars_of, witness,
};
use crate::certificate::{Asked, Expected, verify_presentation};
use crate::pseudonym::Context;
use crate::signature::SecretKey;

const NEXT: &[u8] = b"{\"epoch\":2951}";
const BINDING: &[u8] = b"nonce and new epoch";

struct Stage {
    rng: ChaCha20Rng,
    holder: Holder,
    key: SecretKey,
    certificate: Certificate,
    first: FirstCommitment,
}

fn stage(seed: u8) -> Stage {
    let mut rng = rng(seed);
    let holder = holder(&mut rng);
    let key = SecretKey::generate(&mut rng);
    let certificate = issue(&holder, &key, &mut rng);
    let first = first_of(&certificate.messages);
    Stage {
        rng,
        holder,
        key,
        certificate,
        first,
    }
}

/// F to these slots; the issuing proof shows that the issuer has this point.
fn first_of(slots: &[Scalar]) -> FirstCommitment {
    let generators = &layout().parameters.message_generators;
    FirstCommitment(sum_of_products(generators, slots))
}

/// The row's values: slots 1 to 6 of `known(100)`.
fn row() -> [Scalar; OPENED_SLOTS] {
    std::array::from_fn(|i| Scalar::from_u128(100 + i as u128))
}

impl Stage {
    fn check(
        &self,
        k: &[u8; G1_LEN],
        proof: &[u8; RENEWAL_PROOF_LEN],
    ) -> Result<SlotCommitment, Invalid> {
        let expected = ExpectedRenewal {
            issuer: &self.key.public(),
            header: HEADER,
            opened: &row(),
            first: &self.first,
            binding: BINDING,
        };
        SlotCommitment::verify_renewal(k, proof, &expected)
    }

    fn first_blind(&self) -> Blind {
        Blind(self.certificate.messages[0])
    }

    fn renew(&mut self) -> ([u8; G1_LEN], Blind, [u8; RENEWAL_PROOF_LEN]) {
        let blind = self.first_blind();
        let renewed = self.certificate.renew(&blind, BINDING, &mut self.rng);
        renewed.unwrap()
    }
}

#[test]
fn a_renewed_certificate_has_the_same_slots_and_the_same_pseudonym() {
    let mut at = stage(40);
    let (k, blind, proof) = at.renew();
    let next_key = SecretKey::generate(&mut at.rng);
    let signature = at.check(&k, &proof).unwrap().sign(&next_key, NEXT).unwrap();
    let secrets = (&at.holder.secrets, &blind);
    let issuer = next_key.public();
    let next = Certificate::verify(signature, &issuer, NEXT, &known(100), secrets).unwrap();

    let context = Context::new(b"site");
    let asked = Asked {
        context: &context,
        ph: b"ph",
        disclosed: &[6],
        born_by: None,
    };
    let old = at.certificate.present(&asked, &mut at.rng).unwrap();
    let new = next.present(&asked, &mut at.rng).unwrap();
    assert!(old.pseudonym == new.pseudonym);
    let expected = Expected {
        issuer: &issuer,
        header: NEXT,
        context: &context,
        ph: b"ph",
        born_by: None,
    };
    let slot = [(6, Scalar::from_u128(105))];
    assert!(verify_presentation(&expected, &new, &slot).is_ok());
    // And can be renewed itself.
    let blind = at.first_blind();
    let (k, _, proof) = next.renew(&blind, BINDING, &mut at.rng).unwrap();
    let again = ExpectedRenewal {
        issuer: &issuer,
        header: NEXT,
        opened: &row(),
        first: &at.first,
        binding: BINDING,
    };
    assert!(SlotCommitment::verify_renewal(&k, &proof, &again).is_ok());
}

/// Whatever anybody but the holder sees of a certificate is the same for a first and a renewed one:
/// what is signed beside the slots, and the form of what is shown.
#[test]
fn first_and_renewed_certificates_are_alike_in_every_public_input() {
    let mut at = stage(47);
    let (k, blind, proof) = at.renew();
    // Into the same epoch, so that nothing may differ.
    let signature = at.check(&k, &proof).unwrap().sign(&at.key, HEADER);
    let secrets = (&at.holder.secrets, &blind);
    let issuer = at.key.public();
    let renewed = Certificate::verify(signature.unwrap(), &issuer, HEADER, &known(100), secrets);
    let (first, renewed) = (&at.certificate, &renewed.unwrap());
    assert!(first.header == renewed.header);
    assert!(first.issuer.to_bytes() == renewed.issuer.to_bytes());
    assert!(first.messages[1..] == renewed.messages[1..], "every slot");
    assert!(
        first.messages[0] != renewed.messages[0],
        "the blind is another"
    );
    assert!(first.signature.to_bytes() != renewed.signature.to_bytes());

    let context = Context::new(b"site");
    let public = |certificate: &Certificate, born_by, seed| {
        let asked = Asked {
            context: &context,
            ph: b"ph",
            disclosed: &[6, 11],
            born_by,
        };
        let shown = certificate.present(&asked, &mut rng(seed)).unwrap();
        let expected = Expected {
            issuer: &issuer,
            header: HEADER,
            context: &context,
            ph: b"ph",
            born_by,
        };
        let slots = [(6, Scalar::from_u128(105)), (11, Scalar::from_u128(110))];
        assert!(verify_presentation(&expected, &shown, &slots).is_ok());
        (
            shown.pseudonym.to_bytes(),
            shown.proof.len(),
            shown.age.map(|age| age.len()),
        )
    };
    for born_by in [None, Some(200)] {
        assert!(public(first, born_by, 48) == public(renewed, born_by, 49));
    }
    // And they are renewed alike.
    let again = |certificate: &Certificate| {
        let (k, _, proof) = certificate
            .renew(&at.first_blind(), BINDING, &mut rng(50))
            .unwrap();
        (k, at.check(&k, &proof).is_ok())
    };
    let (of_first, of_renewed) = (again(first), again(renewed));
    assert!(
        of_first == of_renewed,
        "the same random octets give the same commitment"
    );
    assert!(of_first.1);
}

#[test]
fn a_commitment_with_another_value_in_any_slot_is_refused() {
    let mut at = stage(41);
    let own = at.first;
    for slot in 1..SLOTS {
        let mut slots = at.certificate.messages.clone();
        slots[slot] = slots[slot] + Scalar::from_u128(1);
        let blind = at.first_blind();
        let renewed = at
            .certificate
            .renew_as(&slots, &blind, BINDING, &mut at.rng);
        let (k, _, proof) = renewed.unwrap();
        assert!(at.check(&k, &proof).is_err(), "slot {slot}");
        // Not even where the row's commitment holds the other value too.
        at.first = first_of(&slots);
        assert!(at.check(&k, &proof).is_err(), "slot {slot} of the row");
        at.first = own;
    }
    // The blind is the one slot that is free: a renewed certificate has another one than F.
    let mut slots = at.certificate.messages.clone();
    slots[0] = Scalar::from_u128(7);
    at.first = first_of(&slots);
    let renewed = at.certificate.renew(&Blind(slots[0]), BINDING, &mut at.rng);
    let (k, _, proof) = renewed.unwrap();
    assert!(at.check(&k, &proof).is_ok());
}

/// Who has a row and a leaked key of the issuer signs a certificate with other attributes, or
/// another person's secrets, and has it renewed under the next key.
#[test]
fn a_certificate_that_another_signed_is_not_renewed_into_a_genuine_one() {
    let mut at = stage(51);
    let changed = |at: &Stage, slot: usize| {
        let mut slots = at.certificate.messages.clone();
        slots[slot] = Scalar::from_u128(7);
        let header = header_with_nym(HEADER, NYM_SECRETS);
        let parameters = &layout().parameters;
        Certificate {
            signature: crate::signature::sign(parameters, &at.key, &header, &slots).unwrap(),
            messages: slots,
            issuer: at.key.public(),
            header: HEADER.to_vec(),
        }
    };
    for slot in OPENED_SLOTS + 1..SLOTS {
        let forged = changed(&at, slot);
        // With commitments to its own slots, or with the holder's real F.
        let real = at.certificate.messages.clone();
        for slots in [&forged.messages, &real] {
            let blind = at.first_blind();
            let renewed = forged.renew_as(slots, &blind, BINDING, &mut at.rng);
            let (k, _, proof) = renewed.unwrap();
            assert!(at.check(&k, &proof).is_err(), "slot {slot}");
        }
    }
    // The control: a certificate that the leaked key signed over the slots of F passes.
    let same = changed(&at, 0);
    let blind = at.first_blind();
    let (k, _, proof) = same.renew(&blind, BINDING, &mut at.rng).unwrap();
    assert!(at.check(&k, &proof).is_ok());
}

#[test]
fn a_renewal_holds_for_its_row_certificate_and_binding_alone() {
    let mut at = stage(42);
    let (k, _, proof) = at.renew();
    assert!(at.check(&k, &proof).is_ok());
    let (issuer, stranger) = (at.key.public(), SecretKey::generate(&mut at.rng).public());
    let refuses = |issuer: &PublicKey, header: &[u8], opened: &[Scalar; 6], binding: &[u8]| {
        let expected = ExpectedRenewal {
            issuer,
            header,
            opened,
            first: &at.first,
            binding,
        };
        SlotCommitment::verify_renewal(&k, &proof, &expected).is_err()
    };
    assert!(!refuses(&issuer, HEADER, &row(), BINDING));
    for slot in 0..OPENED_SLOTS {
        let mut opened = row();
        opened[slot] = Scalar::from_u128(7);
        assert!(refuses(&issuer, HEADER, &opened, BINDING), "{}", slot + 1);
    }
    assert!(refuses(&stranger, HEADER, &row(), BINDING));
    assert!(refuses(&issuer, NEXT, &row(), BINDING));
    assert!(refuses(&issuer, HEADER, &row(), b"another nonce"));
    // A row of somebody else.
    let stranger = stage(99);
    let expected = ExpectedRenewal {
        issuer: &issuer,
        header: HEADER,
        opened: &row(),
        first: &stranger.first,
        binding: BINDING,
    };
    assert!(SlotCommitment::verify_renewal(&k, &proof, &expected).is_err());
    let foreign = stranger.first_blind();
    let forged = at
        .certificate
        .renew(&foreign, BINDING, &mut at.rng)
        .unwrap();
    assert!(SlotCommitment::verify_renewal(&forged.0, &forged.2, &expected).is_err());
    // Another commitment of the same holder, any changed octet.
    let (other, _, _) = at.renew();
    assert!(at.check(&other, &proof).is_err());
    for octet in 0..proof.len() {
        let mut changed = proof;
        changed[octet] ^= 1;
        assert!(at.check(&k, &changed).is_err(), "octet {octet}");
    }
    for octet in 0..k.len() {
        let mut changed = k;
        changed[octet] ^= 1;
        assert!(at.check(&changed, &proof).is_err(), "octet {octet} of K");
    }
}

#[test]
fn a_renewal_is_no_presentation_and_a_presentation_no_renewal() {
    let mut at = stage(43);
    let (k, _, proof) = at.renew();
    let (header, issuer) = (header_with_nym(HEADER, NYM_SECRETS), at.key.public());
    let statement = statement(&issuer, &header, BINDING);
    let bbs = Proof::from_bytes(&proof[..RENEWAL_PROOF_LEN - 2 * SCALAR_LEN]).unwrap();
    assert!(crate::proof::verify(&statement, None, &bbs, &shown(&row())).is_err());

    let opened: Vec<usize> = (1..=OPENED_SLOTS).collect();
    let (messages, signature) = (&at.certificate.messages, &at.certificate.signature);
    let plain = crate::proof::prove(&statement, signature, messages, &opened, &mut at.rng);
    let (plain, _) = plain.unwrap();
    assert!(crate::proof::verify(&statement, None, &plain, &shown(&row())).is_ok());
    let mut as_renewal = plain.to_bytes();
    as_renewal.extend(Scalar::from_u128(1).to_bytes());
    as_renewal.extend(Scalar::from_u128(2).to_bytes());
    assert!(at.check(&k, &as_renewal.try_into().unwrap()).is_err());
}

/// Zero knowledge: whoever may choose the challenge makes transcripts that the verifier accepts
/// without any secret of the holder. (Abar, Bbar) is a random point and its product with the
/// issuer's own key.
#[test]
fn transcripts_without_secrets_pass_where_the_challenge_is_programmed() {
    let mut at = stage(44);
    let mut draw = || Scalar::random(&mut at.rng);
    let abar = G1::base().mul(&draw());
    let (d, k) = (G1::base().mul(&draw()), G1::base().mul(&draw()));
    let mut out = Octets::default();
    for point in [abar, abar.mul(at.key.scalar()), d] {
        out.point(&point);
    }
    for _ in 0..HIDDEN + 6 {
        out.scalar(&draw());
    }
    let proof: [u8; RENEWAL_PROOF_LEN] = out.0.try_into().unwrap();
    let expected = ExpectedRenewal {
        issuer: &at.key.public(),
        header: HEADER,
        opened: &row(),
        first: &at.first,
        binding: BINDING,
    };
    let bbs = Proof::from_bytes(&proof[..RENEWAL_PROOF_LEN - 2 * SCALAR_LEN]).unwrap();
    let programmed = bbs.challenge;
    let hash = |input: &Octets| {
        let points = [k, abar, bbs.bbar, d, at.first.0].map(|point| point.to_bytes());
        let [k, abar, bbar, d, first] = points.each_ref().map(|octets| octets.as_slice());
        let header = header_with_nym(HEADER, NYM_SECRETS);
        let domain = layout()
            .parameters
            .domain(expected.issuer, &header)
            .to_bytes();
        assert_hashed(input, &[k, abar, bbar, d, first, &domain, BINDING]);
        for value in row() {
            assert_hashed(input, &[&value.to_bytes()]);
        }
        programmed
    };
    let passes = verify_with(&k.to_bytes(), &proof, &expected, hash);
    assert!(passes.is_ok());
    // The control: with the real hash it does not.
    assert!(at.check(&k.to_bytes(), &proof).is_err());
}

/// Soundness: two transcripts with the same first message give every hidden slot, and K and F open
/// to the same ones.
#[test]
fn two_transcripts_give_the_witness() {
    let at = stage(45);
    let transcript = |binding| {
        let blind = at.first_blind();
        let made = at.certificate.renew(&blind, binding, &mut rng(46)).unwrap();
        (made.0, made.1.0, scalars_of(&made.2, 3))
    };
    let ((k, blind, one), (again, _, two)) = (transcript(b"one"), transcript(b"two"));
    assert!(k == again);
    // e^, r1^, r3^, the hidden slots, the challenge, K's blind and its difference from F's.
    let at_challenge = 3 + HIDDEN;
    let responses = |all: &[Scalar]| [&all[..at_challenge], &all[at_challenge + 1..]].concat();
    let (of_one, of_two) = (responses(&one), responses(&two));
    let extracted = witness((one[at_challenge], &of_one), (two[at_challenge], &of_two));
    assert_masked(one[at_challenge], &of_one, &extracted);

    let hidden = &extracted[3..at_challenge];
    let (k_blind, more) = (extracted[at_challenge], extracted[at_challenge + 1]);
    let (own_blind, rest) = at.certificate.messages.split_first().unwrap();
    let (opened, carried) = rest.split_at(OPENED_SLOTS);
    assert!(hidden[0] == *own_blind && hidden[1..] == *carried);
    assert!(k_blind == blind);
    let of = |blind: Scalar| first_of(&[&[blind], opened, &hidden[1..]].concat());
    assert!(of(k_blind).0.to_bytes() == k);
    assert!(of(k_blind - more) == at.first);
}
