use super::*;
use crate::certificate::tests::{
    assert_hashed, assert_masked, holder, random_point, random_scalars, rng, scalars_of, witness,
};

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

/// Zero knowledge: whoever may choose the challenge needs no secret.
#[test]
fn transcripts_without_secrets_pass_where_the_challenge_is_programmed() {
    let mut rng = rng(66);
    let context = Context::new(b"site");
    let pseudonym = Pseudonym(random_point(&mut rng));
    let proof: [u8; SIGN_IN_PROOF_LEN] = random_scalars(2, &mut rng);
    let programmed = scalars_of(&proof, 0)[0];
    let hash = |input: &Octets| {
        let (p, base) = (pseudonym.to_bytes(), context.base().to_bytes());
        assert_hashed(input, &[&p, &base, context.id(), b"transcript"]);
        programmed
    };
    assert!(verify_with(&pseudonym, &context, b"transcript", &proof, hash).is_ok());
    // The control: with the real hash it does not.
    assert!(verify_sign_in(&pseudonym, &context, b"transcript", &proof).is_err());
}

/// Soundness: the same first message, which the same random octets give, under two challenges.
#[test]
fn two_transcripts_give_the_witness() {
    let holder = holder(&mut rng(67));
    let context = Context::new(b"site");
    let transcript = |text| {
        let made = prove_sign_in(&holder.secrets, &context, text, &mut rng(68));
        scalars_of(&made.unwrap().1, 0)
    };
    let (one, two) = (transcript(b"one"), transcript(b"two"));
    let extracted = witness((one[0], &one[1..]), (two[0], &two[1..]));
    assert_masked(one[0], &one[1..], &extracted);
    assert!(extracted == [*context.evaluate(&holder.secrets.0)]);
}
