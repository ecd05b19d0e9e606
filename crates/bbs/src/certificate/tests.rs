use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;

pub(super) const HEADER: &[u8] = b"{\"epoch\":2950}";

pub(super) struct Holder {
    pub(super) secrets: NymSecrets,
    pub(super) blind: Blind,
    pub(super) c: NymCommitment,
}

pub(super) fn rng(seed: u8) -> ChaCha20Rng {
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
    KnownSlots::new(std::array::from_fn(|i| {
        Scalar::from_u128(first + i as u128)
    }))
}

pub(super) fn issue(holder: &Holder, key: &SecretKey, rng: &mut impl CryptoRng) -> Certificate {
    let opening = (&holder.secrets, &holder.blind);
    let (k, blind, proof) = SlotCommitment::prove(&known(100), &holder.c, opening, b"nonce", rng);
    let k = SlotCommitment::verify(&k, &known(100), &holder.c, &proof, b"nonce").unwrap();
    let signature = k.sign(key, HEADER).unwrap();
    let secrets = (&holder.secrets, &blind);
    Certificate::verify(signature, &key.public(), HEADER, known(100), secrets).unwrap()
}

#[test]
fn an_opening_proof_holds_for_its_commitment_and_binding_alone() {
    let mut rng = rng(1);
    let holder = holder(&mut rng);
    let proof = holder
        .c
        .prove_opening(&holder.secrets, &holder.blind, b"a", &mut rng);
    assert!(holder.c.verify_opening(&proof, b"a").is_ok());
    assert!(holder.c.verify_opening(&proof, b"b").is_err());
    let other = self::holder(&mut rng);
    assert!(other.c.verify_opening(&proof, b"a").is_err());
    for at in 0..proof.len() {
        let mut changed = proof;
        changed[at] ^= 1;
        assert!(
            holder.c.verify_opening(&changed, b"a").is_err(),
            "octet {at}"
        );
    }
}

#[test]
fn entropy_moves_commitment_and_secrets_together() {
    let mut rng = rng(2);
    let drawn = NymSecrets::draw(&mut rng);
    let (c, blind) = NymCommitment::commit(&drawn, &mut rng);
    let entropy = SignerEntropy::draw(&mut rng);
    let proof =
        c.add_entropy(&entropy)
            .prove_opening(&drawn.add_entropy(&entropy), &blind, b"", &mut rng);
    assert!(c.add_entropy(&entropy).verify_opening(&proof, b"").is_ok());
    let without = c
        .add_entropy(&entropy)
        .prove_opening(&drawn, &blind, b"", &mut rng);
    assert!(
        c.add_entropy(&entropy)
            .verify_opening(&without, b"")
            .is_err()
    );
}

#[test]
fn a_slot_commitment_with_another_value_commitment_or_secret_is_refused() {
    let mut rng = rng(3);
    let (a, b) = (holder(&mut rng), holder(&mut rng));
    let opening = (&a.secrets, &a.blind);
    let (k, _, proof) = SlotCommitment::prove(&known(100), &a.c, opening, b"n", &mut rng);
    let verify = |values: &KnownSlots, c: &NymCommitment, binding: &[u8]| {
        SlotCommitment::verify(&k, values, c, &proof, binding).map(|_| ())
    };
    assert!(verify(&known(100), &a.c, b"n").is_ok());
    assert!(verify(&known(100), &b.c, b"n").is_err());
    assert!(verify(&known(100), &a.c, b"m").is_err());
    for slot in 0..KNOWN_SLOTS {
        let mut values = known(100);
        values.0[slot] = Scalar::from_u128(7);
        assert!(verify(&values, &a.c, b"n").is_err(), "slot {}", slot + 1);
    }
    // Secrets of another commitment in K.
    let foreign = (&b.secrets, &a.blind);
    let (k, _, proof) = SlotCommitment::prove(&known(100), &a.c, foreign, b"n", &mut rng);
    assert!(SlotCommitment::verify(&k, &known(100), &a.c, &proof, b"n").is_err());
    for at in 0..proof.len() {
        let mut changed = proof;
        changed[at] ^= 1;
        assert!(SlotCommitment::verify(&k, &known(100), &a.c, &changed, b"n").is_err());
    }
}

#[test]
fn a_presentation_verifies_for_its_context_header_slots_and_ph_alone() {
    let mut rng = rng(4);
    let holder = holder(&mut rng);
    let key = SecretKey::generate(&mut rng);
    let certificate = issue(&holder, &key, &mut rng);
    let context = Context::new(b"site a");
    let (proof, pseudonym) = certificate
        .present(&context, b"ph", &[6, 9], &mut rng)
        .unwrap();
    assert!(pseudonym == holder.secrets.pseudonym(&context).unwrap());
    let shown = [(6, Scalar::from_u128(105)), (9, Scalar::from_u128(108))];
    let issuer = key.public();
    let expected = Expected {
        issuer: &issuer,
        header: HEADER,
        context: &context,
        ph: b"ph",
    };
    let check = |e: &Expected<'_>, shown: &[(usize, Scalar)]| {
        verify_presentation(e, &pseudonym, &proof, shown)
    };
    assert!(check(&expected, &shown).is_ok());
    assert!(
        check(
            &Expected {
                header: b"other",
                ..expected
            },
            &shown
        )
        .is_err()
    );
    assert!(
        check(
            &Expected {
                ph: b"other",
                ..expected
            },
            &shown
        )
        .is_err()
    );
    let elsewhere = Context::new(b"site b");
    assert!(
        check(
            &Expected {
                context: &elsewhere,
                ..expected
            },
            &shown
        )
        .is_err()
    );
    let other = SecretKey::generate(&mut rng).public();
    assert!(
        check(
            &Expected {
                issuer: &other,
                ..expected
            },
            &shown
        )
        .is_err()
    );
    let [a, b] = shown;
    assert!(check(&expected, &[a]).is_err());
    assert!(check(&expected, &[b, a]).is_err());
    assert!(
        check(&expected, &[(6, b.1), (9, a.1)]).is_err(),
        "swapped slots"
    );
    assert!(check(&expected, &[a, (10, b.1)]).is_err());
    for at in (0..proof.len()).step_by(5) {
        let mut changed = proof.clone();
        changed[at] ^= 1;
        assert!(verify_presentation(&expected, &pseudonym, &changed, &shown).is_err());
    }
    assert!(
        verify_presentation(&expected, &pseudonym, &proof[..proof.len() - 32], &shown).is_err()
    );
}

#[test]
fn secret_slots_can_be_neither_disclosed_nor_accepted() {
    let mut rng = rng(5);
    let holder = holder(&mut rng);
    let key = SecretKey::generate(&mut rng);
    let certificate = issue(&holder, &key, &mut rng);
    let context = Context::new(b"site a");
    for slot in (0..SLOTS + 2).filter(|slot| !DISCLOSABLE.contains(slot)) {
        assert!(
            certificate
                .present(&context, b"", &[slot], &mut rng)
                .is_err(),
            "slot {slot}"
        );
    }
    // A prover that discloses nym_secret 26 through the core, with N announced as 9: the window of
    // the pseudonym would shift by one, and the verifier that pins N = 10 refuses.
    let statement = Statement {
        parameters: &layout().parameters,
        issuer: &key.public(),
        header: HEADER,
        ph: b"",
    };
    let nym = NymStatement {
        context: &context,
        nym_secrets: NYM_SECRETS - 1,
    };
    let (proof, pseudonym) = prove_with_nym(
        &statement,
        &nym,
        &certificate.signature,
        &certificate.messages,
        &[6],
        &mut rng,
    )
    .unwrap();
    let issuer = key.public();
    let expected = Expected {
        issuer: &issuer,
        header: HEADER,
        context: &context,
        ph: b"",
    };
    let shown = [(6, Scalar::from_u128(105))];
    assert!(verify_presentation(&expected, &pseudonym, &proof.to_bytes(), &shown).is_err());
    assert!(
        verify_presentation(
            &expected,
            &pseudonym,
            &proof.to_bytes(),
            &[(26, certificate.messages[26])]
        )
        .is_err()
    );
}

#[test]
fn two_contexts_have_unlike_pseudonyms_and_one_context_has_one() {
    let mut rng = rng(6);
    let holder = holder(&mut rng);
    let (a, b) = (Context::new(b"a"), Context::new(b"b"));
    let (at_a, proof) = prove_sign_in(&holder.secrets, &a, b"t", &mut rng).unwrap();
    let (again, _) = prove_sign_in(&holder.secrets, &a, b"t", &mut rng).unwrap();
    let (at_b, _) = prove_sign_in(&holder.secrets, &b, b"t", &mut rng).unwrap();
    assert!(at_a == again && at_a != at_b);
    assert!(verify_sign_in(&at_a, &a, b"t", &proof).is_ok());
    assert!(verify_sign_in(&at_b, &a, b"t", &proof).is_err());
    assert!(verify_sign_in(&at_a, &b, b"t", &proof).is_err());
    assert!(verify_sign_in(&at_a, &a, b"u", &proof).is_err());
    for at in 0..proof.len() {
        let mut changed = proof;
        changed[at] ^= 1;
        assert!(verify_sign_in(&at_a, &a, b"t", &changed).is_err());
    }
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
