use rand_chacha::ChaCha20Rng;

use super::*;
use crate::certificate::tests::{
    HEADER, Holder, assert_hashed, assert_masked, holder, issue, known, rng, scalars_of, witness,
};
use crate::certificate::{Asked, Blind, Expected, verify_presentation};
use crate::pseudonym::Context;
use crate::signature::{SecretKey, Signature};

const NEXT: &[u8] = b"{\"epoch\":2951}";
const BINDING: &[u8] = b"nonce and new epoch";

struct Stage {
    rng: ChaCha20Rng,
    holder: Holder,
    key: SecretKey,
    certificate: Certificate,
    k: KeptCommitment,
}

fn stage(seed: u8) -> Stage {
    let mut rng = rng(seed);
    let holder = holder(&mut rng);
    let key = SecretKey::generate(&mut rng);
    let certificate = issue(&holder, &key, &mut rng);
    let k = kept(&certificate.messages);
    Stage {
        rng,
        holder,
        key,
        certificate,
        k,
    }
}

/// K with these slots.
fn kept(slots: &[Scalar]) -> KeptCommitment {
    KeptCommitment(layout().sum(0..SLOTS, slots))
}

/// The row's values: slots 1 to 6 of `known(100)`.
fn row() -> [Scalar; OPENED_SLOTS] {
    std::array::from_fn(|i| Scalar::from_u128(100 + i as u128))
}

impl Stage {
    fn expected<'a>(&self, issuer: &'a PublicKey, opened: &'a [Scalar; 6]) -> ExpectedRenewal<'a> {
        ExpectedRenewal {
            issuer,
            header: HEADER,
            opened,
            binding: BINDING,
        }
    }

    fn check(&self, proof: &[u8; RENEWAL_PROOF_LEN]) -> Result<SlotCommitment, Invalid> {
        let (issuer, opened) = (self.key.public(), row());
        let expected = self.expected(&issuer, &opened);
        self.k.verify_renewal(proof, &expected)
    }

    fn renew(&mut self) -> [u8; RENEWAL_PROOF_LEN] {
        self.certificate.renew(BINDING, &mut self.rng).unwrap()
    }

    /// The certificate of this signature on K.
    fn certificate(&self, signature: Signature, key: &SecretKey, header: &[u8]) -> Certificate {
        let blind = Blind(self.certificate.messages[0]);
        let secrets = (&self.holder.secrets, &blind);
        Certificate::verify(signature, &key.public(), header, &known(100), secrets).unwrap()
    }
}

#[test]
fn a_renewed_certificate_has_the_same_slots_and_the_same_pseudonym() {
    let mut at = stage(40);
    let proof = at.renew();
    let next_key = SecretKey::generate(&mut at.rng);
    let signature = at.check(&proof).unwrap().sign(&next_key, NEXT).unwrap();
    let next = at.certificate(signature, &next_key, NEXT);
    let issuer = next_key.public();

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
    let proof = next.renew(BINDING, &mut at.rng).unwrap();
    let opened = row();
    let again = ExpectedRenewal {
        header: NEXT,
        ..at.expected(&issuer, &opened)
    };
    assert!(at.k.verify_renewal(&proof, &again).is_ok());
}

/// What is taken out of the first equation is what each side would compute of the second one alone.
#[test]
fn the_first_message_for_k_is_the_sum_over_all_slots() {
    let mut at = stage(48);
    let random = ProofRandomness::draw(HIDDEN, &mut at.rng);
    let hidden = split().unwrap().hidden;
    let of_masks = layout().sum(hidden.iter().copied(), &random.messages);
    let prover = at.certificate.prover(random).unwrap();
    assert!(prover.of_masks() == of_masks);

    let c = Scalar::random(&mut at.rng);
    let proof = prover.answer(c);
    let (issuer, header) = (at.key.public(), header_with_nym(HEADER, NYM_SECRETS));
    let statement = statement(&issuer, &header, BINDING);
    let shown = shown(&row());
    let commitments = verify_init(&statement, &proof, &shown, &split().unwrap());
    let opened: Vec<_> = shown
        .iter()
        .map(|(slot, value)| (*slot, *value * c))
        .collect();
    let opened = opened.iter().map(|(slot, answer)| (*slot, answer));
    let answers = hidden.into_iter().zip(&proof.m_hats).chain(opened);
    let of_answers = layout().announced(answers, (&at.k.0, c));
    assert!(commitments.of_answers(&proof, layout(), &at.k.0) == of_answers);
    assert!(of_answers == of_masks);
}

/// Whatever anybody but the holder sees of a certificate is the same for a first and a renewed one:
/// what is signed beside the slots, and the form of what is shown.
#[test]
fn first_and_renewed_certificates_are_alike_in_every_public_input() {
    let mut at = stage(47);
    let proof = at.renew();
    // Into the same epoch, so that nothing may differ.
    let signature = at.check(&proof).unwrap().sign(&at.key, HEADER).unwrap();
    let issuer = at.key.public();
    let (first, renewed) = (&at.certificate, &at.certificate(signature, &at.key, HEADER));
    assert!(first.header == renewed.header);
    assert!(first.issuer.to_bytes() == renewed.issuer.to_bytes());
    assert!(first.messages == renewed.messages, "every slot");
    assert!(first.signature.to_bytes() == renewed.signature.to_bytes());
    // Another epoch's is another signature on the same slots.
    let next_key = SecretKey::generate(&mut at.rng);
    let signature = at.check(&proof).unwrap().sign(&next_key, HEADER).unwrap();
    let renewed = &at.certificate(signature, &next_key, HEADER);
    assert!(first.messages == renewed.messages && first.header == renewed.header);
    assert!(first.signature.to_bytes() != renewed.signature.to_bytes());

    let context = Context::new(b"site");
    let public = |certificate: &Certificate, issuer: &PublicKey, born_by, seed| {
        let asked = Asked {
            context: &context,
            ph: b"ph",
            disclosed: &[6, 11],
            born_by,
        };
        let shown = certificate.present(&asked, &mut rng(seed)).unwrap();
        let expected = Expected {
            issuer,
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
        let of_first = public(first, &issuer, born_by, 48);
        assert!(of_first == public(renewed, &next_key.public(), born_by, 49));
    }
}

#[test]
fn a_certificate_that_differs_from_the_kept_commitment_in_any_slot_is_not_renewed() {
    let mut at = stage(41);
    let own = at.k;
    for slot in 0..SLOTS {
        let mut slots = at.certificate.messages.clone();
        slots[slot] = slots[slot] + Scalar::from_u128(1);
        // Whatever commitment the holder names, and whichever the row has.
        for named in [&slots, &at.certificate.messages.clone()] {
            let proof = at.certificate.renew_as(named, BINDING, &mut at.rng);
            at.k = kept(&slots);
            assert!(at.check(&proof.unwrap()).is_err(), "slot {slot} of the row");
            at.k = own;
        }
        let proof = at.certificate.renew_as(&slots, BINDING, &mut at.rng);
        assert!(at.check(&proof.unwrap()).is_err(), "slot {slot}");
    }
    let proof = at.renew();
    assert!(at.check(&proof).is_ok());
}

/// Who has a row and a leaked key of the issuer signs a certificate with other attributes, or
/// another person's secrets, and has it renewed under the next key.
#[test]
fn a_certificate_that_a_leaked_key_signed_is_not_renewed_into_a_genuine_one() {
    let mut at = stage(51);
    let forge = |at: &Stage, slot: Option<usize>| {
        let mut slots = at.certificate.messages.clone();
        if let Some(slot) = slot {
            slots[slot] = Scalar::from_u128(7);
        }
        let header = header_with_nym(HEADER, NYM_SECRETS);
        let parameters = layout();
        Certificate {
            signature: crate::signature::sign(parameters, &at.key, &header, &slots).unwrap(),
            messages: slots,
            issuer: at.key.public(),
            header: HEADER.to_vec(),
        }
    };
    let real = at.certificate.messages.clone();
    for slot in 0..SLOTS {
        let forged = forge(&at, Some(slot));
        // It hashes the commitment that the row has, and cannot answer for it; or one of its own.
        for named in [&real, &forged.messages] {
            let proof = forged.renew_as(named, BINDING, &mut at.rng).unwrap();
            assert!(at.check(&proof).is_err(), "slot {slot}");
        }
    }
    // The control: the same forgery over the slots of K.
    let proof = forge(&at, None).renew(BINDING, &mut at.rng).unwrap();
    assert!(at.check(&proof).is_ok());
}

#[test]
fn a_renewal_holds_for_its_row_certificate_and_binding_alone() {
    let mut at = stage(42);
    let proof = at.renew();
    let (issuer, stranger) = (at.key.public(), SecretKey::generate(&mut at.rng).public());
    let refuses = |issuer: &PublicKey, header: &[u8], opened: &[Scalar; 6], binding: &[u8]| {
        let expected = ExpectedRenewal {
            issuer,
            header,
            opened,
            binding,
        };
        at.k.verify_renewal(&proof, &expected).is_err()
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
    // A row of somebody else; of the same person after another enrolment.
    let mut again = at.certificate.messages.clone();
    again[0] = Scalar::from_u128(7);
    let opened = row();
    for other in [stage(99).k, kept(&again)] {
        let expected = at.expected(&issuer, &opened);
        assert!(other.verify_renewal(&proof, &expected).is_err());
    }
    for octet in 0..proof.len() {
        let mut changed = proof;
        changed[octet] ^= 1;
        assert!(at.check(&changed).is_err(), "octet {octet}");
    }
}

#[test]
fn a_renewal_is_no_presentation_and_a_presentation_no_renewal() {
    let mut at = stage(43);
    let proof = at.renew();
    let (header, issuer) = (header_with_nym(HEADER, NYM_SECRETS), at.key.public());
    let statement = statement(&issuer, &header, BINDING);
    let bbs = Proof::from_bytes(&proof).unwrap();
    assert!(crate::proof::verify(&statement, None, &bbs, &shown(&row())).is_err());

    let opened: Vec<usize> = (1..=OPENED_SLOTS).collect();
    let (messages, signature) = (&at.certificate.messages, &at.certificate.signature);
    let plain = crate::proof::prove(&statement, signature, messages, &opened, &mut at.rng);
    let (plain, _) = plain.unwrap();
    assert!(crate::proof::verify(&statement, None, &plain, &shown(&row())).is_ok());
    assert!(at.check(&plain.to_bytes().try_into().unwrap()).is_err());
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
    for _ in 0..HIDDEN + 4 {
        out.scalar(&draw());
    }
    let proof: [u8; RENEWAL_PROOF_LEN] = out.0.try_into().unwrap();
    let (issuer, opened) = (at.key.public(), row());
    let expected = at.expected(&issuer, &opened);
    let bbs = Proof::from_bytes(&proof).unwrap();
    let programmed = bbs.challenge;
    let hash = |input: &Octets| {
        let points = [k, abar, bbs.bbar, d].map(|point| point.to_bytes());
        let [k, abar, bbar, d] = points.each_ref().map(|octets| octets.as_slice());
        let header = header_with_nym(HEADER, NYM_SECRETS);
        let domain = layout().domain(&issuer, &header).to_bytes();
        assert_hashed(input, &[k, abar, bbar, d, &domain, BINDING]);
        for value in row() {
            assert_hashed(input, &[&value.to_bytes()]);
        }
        programmed
    };
    assert!(
        KeptCommitment(k)
            .verify_with(&proof, &expected, hash)
            .is_ok()
    );
    // The control: with the real hash it does not.
    assert!(KeptCommitment(k).verify_renewal(&proof, &expected).is_err());
}

/// Soundness: two transcripts with the same first message give every hidden slot, and K opens to
/// them.
#[test]
fn two_transcripts_give_the_witness() {
    let at = stage(45);
    let transcript = |binding| {
        let proof = at.certificate.renew(binding, &mut rng(46)).unwrap();
        scalars_of(&proof, 3)
    };
    let (one, two) = (transcript(b"one"), transcript(b"two"));
    // e^, r1^, r3^, the hidden slots, the challenge.
    let (Some((c_one, one)), Some((c_two, two))) = (one.split_last(), two.split_last()) else {
        panic!("too few")
    };
    let extracted = witness((*c_one, one), (*c_two, two));
    assert_masked(*c_one, one, &extracted);
    let [blind, carried @ ..] = &extracted[3..] else {
        panic!("too few")
    };
    let (own_blind, rest) = at.certificate.messages.split_first().unwrap();
    let (opened, own_carried) = rest.split_at(OPENED_SLOTS);
    assert!(blind == own_blind && carried == own_carried);
    assert!(kept(&[&[*blind], opened, carried].concat()) == at.k);
}
