use super::*;
use crate::certificate::tests::{
    assert_hashed, assert_masked, holder, random_point, random_scalars, rng, scalars_of, witness,
};

#[test]
fn an_opening_proof_holds_for_its_commitment_and_binding_alone() {
    let mut rng = rng(1);
    let holder = holder(&mut rng);
    let proof = holder
        .c
        .prove_opening(&holder.secrets, &holder.blind, b"a", &mut rng);
    assert!(holder.c.verify_opening(&proof, b"a").is_ok());
    assert!(holder.c.verify_opening(&proof, b"b").is_err());
    let other = crate::certificate::tests::holder(&mut rng);
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
    let (last, secrets) = (c.add_entropy(&entropy), drawn.add_entropy(&entropy));
    let proof = last.prove_opening(&secrets, &blind, b"", &mut rng);
    assert!(last.verify_opening(&proof, b"").is_ok());
    let without = last.prove_opening(&drawn, &blind, b"", &mut rng);
    assert!(last.verify_opening(&without, b"").is_err());
}

/// Zero knowledge: whoever may choose the challenge needs no secret.
#[test]
fn transcripts_without_secrets_pass_where_the_challenge_is_programmed() {
    let mut rng = rng(60);
    let c = NymCommitment(random_point(&mut rng));
    let proof: [u8; OPENING_PROOF_LEN] = random_scalars(2 + NYM_SECRETS, &mut rng);
    let programmed = scalars_of(&proof, 0)[0];
    let hash = |input: &Octets| {
        assert_hashed(input, &[&c.to_bytes(), b"binding"]);
        programmed
    };
    assert!(c.verify_with(&proof, b"binding", hash).is_ok());
    // The control: with the real hash it does not.
    assert!(c.verify_opening(&proof, b"binding").is_err());
}

/// Soundness: the same first message, which the same random octets give, under two challenges.
#[test]
fn two_transcripts_give_the_witness() {
    let holder = holder(&mut rng(61));
    let transcript = |binding| {
        let (secrets, blind) = (&holder.secrets, &holder.blind);
        let proof = holder
            .c
            .prove_opening(secrets, blind, binding, &mut rng(62));
        scalars_of(&proof, 0)
    };
    let (one, two) = (transcript(b"one"), transcript(b"two"));
    let extracted = witness((one[0], &one[1..]), (two[0], &two[1..]));
    assert_masked(one[0], &one[1..], &extracted);
    assert!(extracted == [&[holder.blind.0], holder.secrets.0.as_slice()].concat());
}
