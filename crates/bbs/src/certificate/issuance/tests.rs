use super::*;
use crate::certificate::tests::{
    assert_hashed, assert_masked, holder, known, random_point, random_scalars, rng, scalars_of,
    witness,
};

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

/// Zero knowledge: whoever may choose the challenge needs no secret.
#[test]
fn transcripts_without_secrets_pass_where_the_challenge_is_programmed() {
    let mut rng = rng(63);
    let c = NymCommitment(random_point(&mut rng));
    let k = random_point(&mut rng).to_bytes();
    let proof: [u8; SLOT_PROOF_LEN] = random_scalars(3 + NYM_SECRETS, &mut rng);
    let programmed = scalars_of(&proof, 0)[0];
    let hash = |input: &Octets| {
        assert_hashed(input, &[&k, &c.to_bytes(), b"binding"]);
        for value in &known(100).0 {
            assert_hashed(input, &[&value.to_bytes()]);
        }
        programmed
    };
    let passes = SlotCommitment::verify_with(&k, &known(100), &c, &proof, b"binding", hash);
    assert!(passes.is_ok());
    // The control: with the real hash it does not.
    assert!(SlotCommitment::verify(&k, &known(100), &c, &proof, b"binding").is_err());
}

/// Soundness: the same first message, which the same random octets give, under two challenges.
#[test]
fn two_transcripts_give_the_witness() {
    let holder = holder(&mut rng(64));
    let transcript = |binding| {
        let opening = (&holder.secrets, &holder.blind);
        let (k, blind, proof) =
            SlotCommitment::prove(&known(100), &holder.c, opening, binding, &mut rng(65));
        (k, blind.0, scalars_of(&proof, 0))
    };
    let ((k, blind, one), (again, _, two)) = (transcript(b"one"), transcript(b"two"));
    assert!(k == again);
    let extracted = witness((one[0], &one[1..]), (two[0], &two[1..]));
    assert_masked(one[0], &one[1..], &extracted);
    let openings = [blind, holder.blind.0];
    assert!(extracted == [&openings, holder.secrets.0.as_slice()].concat());
}
