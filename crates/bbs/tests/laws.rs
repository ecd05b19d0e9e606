//! Laws that hold for all inputs, and points that no parser may let in.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use bbs::blind::CommitmentWithProof;
use bbs::certificate::{NymCommitment, NymSecrets};
use bbs::proof::{self, NymStatement, Proof, Statement};
use bbs::pseudonym::{Context, Pseudonym};
use bbs::{G1, Interface, Parameters, PublicKey, Scalar, SecretKey, Signature, blind, signature};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// A signature on some messages, and what is needed to use it.
struct Signed {
    key: SecretKey,
    parameters: Parameters,
    messages: Vec<Scalar>,
    signature: Signature,
}

fn signed(interface: &Interface, texts: &[Vec<u8>], seed: u64) -> Signed {
    let key = SecretKey::generate(&mut rng(seed));
    let parameters = interface.parameters(texts.len(), None);
    let messages: Vec<_> = texts
        .iter()
        .map(|text| interface.message_to_scalar(text))
        .collect();
    let signature = signature::sign(&parameters, &key, b"header", &messages).unwrap();
    Signed {
        key,
        parameters,
        messages,
        signature,
    }
}

fn texts() -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn what_is_signed_verifies_and_any_flipped_bit_is_refused(
        texts in texts(), seed: u64, bit in 0..640_usize, which: prop::sample::Index,
    ) {
        let interface = Interface::core();
        let Signed { key, parameters, messages, signature } = signed(&interface, &texts, seed);
        let issuer = key.public();
        let verify = |header: &[u8], messages: &[Scalar], signature: &Signature| {
            signature::verify(&parameters, &issuer, header, messages, signature).is_ok()
        };
        prop_assert!(verify(b"header", &messages, &signature));
        prop_assert!(!verify(b"headeR", &messages, &signature));
        prop_assert!(!verify(b"header", &messages[1..], &signature));
        let mut other = messages.clone();
        let at = which.index(other.len());
        other[at] = other[at] + Scalar::from_u128(1);
        prop_assert!(!verify(b"header", &other, &signature));
        let mut octets = signature.to_bytes();
        octets[bit / 8] ^= 1 << (bit % 8);
        let flipped = Signature::from_bytes(&octets);
        prop_assert!(flipped.is_err() || flipped.is_ok_and(|s| !verify(b"header", &messages, &s)));
    }

    #[test]
    fn any_choice_of_messages_can_be_disclosed_and_any_flipped_bit_is_refused(
        texts in texts(), seed: u64, choice: u8, bit: prop::sample::Index,
    ) {
        let interface = Interface::core();
        let Signed { key, parameters, messages, signature } = signed(&interface, &texts, seed);
        let issuer = key.public();
        let statement = Statement {
            parameters: &parameters, issuer: &issuer, header: b"header", ph: b"ph", nym: None,
        };
        let disclosed: Vec<usize> = (0..messages.len()).filter(|i| choice >> i & 1 == 1).collect();
        let shown: Vec<_> = disclosed.iter().map(|i| (*i, messages[*i])).collect();
        let (made, _) =
            proof::prove(&statement, &signature, &messages, &disclosed, &mut rng(seed ^ 1)).unwrap();
        let verify = |made: &Proof, shown: &[(usize, Scalar)]| {
            proof::verify(&statement, None, made, shown).is_ok()
        };
        prop_assert!(verify(&made, &shown));
        let mut octets = made.to_bytes();
        let bit = bit.index(octets.len() * 8);
        octets[bit / 8] ^= 1 << (bit % 8);
        let flipped = Proof::from_bytes(&octets);
        prop_assert!(flipped.map_or(true, |p| !verify(&p, &shown)));
        // Out of range, twice, or out of order.
        let beyond = messages.len();
        for wrong in [vec![beyond], vec![usize::MAX], vec![0, 0], vec![beyond, 0]] {
            let made = proof::prove(&statement, &signature, &messages, &wrong, &mut rng(seed));
            prop_assert!(made.is_err());
            let shown: Vec<_> = wrong.iter().map(|i| (*i, messages[0])).collect();
            let made = Proof::from_bytes(&octets_of_length(messages.len()));
            prop_assert!(made.map_or(true, |p| !verify(&p, &shown)));
        }
    }

    #[test]
    fn a_blind_signature_is_one_on_all_messages_with_the_blind_among_them(
        own in texts(), theirs in texts(), seed: u64,
    ) {
        let interface = Interface::blind();
        let scalars = |texts: &[Vec<u8>]| -> Vec<Scalar> {
            texts.iter().map(|text| interface.message_to_scalar(text)).collect()
        };
        let (committed, signers) = (scalars(&own), scalars(&theirs));
        let key = SecretKey::generate(&mut rng(seed));
        let parameters = interface.parameters(signers.len(), Some(committed.len()));
        let (commitment, prover_blind) =
            CommitmentWithProof::commit(&interface, &committed, &mut rng(seed ^ 1));
        let sign = |commitment: &CommitmentWithProof| {
            blind::sign(&parameters, &key, b"header", &signers, Some(commitment), None)
        };
        let signature = sign(&commitment).unwrap();
        let all = [signers.clone(), vec![*prover_blind], committed].concat();
        let verify = |messages: &[Scalar]| {
            signature::verify(&parameters, &key.public(), b"header", messages, &signature)
        };
        prop_assert!(verify(&all).is_ok());
        let mut without = all.clone();
        without[signers.len()] = Scalar::default();
        prop_assert!(verify(&without).is_err(), "the blind counts");
    }

    #[test]
    fn a_pseudonym_is_one_for_a_site_and_another_for_another(seed: u64, a: Vec<u8>, b: Vec<u8>) {
        let secrets = NymSecrets::draw(&mut rng(seed));
        let other = NymSecrets::draw(&mut rng(seed.wrapping_add(1)));
        let of = |secrets: &NymSecrets, site: &[u8]| {
            secrets.pseudonym(&Context::new(site)).unwrap().to_bytes()
        };
        let restored = NymSecrets::from_bytes(&secrets.expose()).unwrap();
        prop_assert_eq!(of(&secrets, &a), of(&restored, &a));
        prop_assert_eq!(of(&secrets, &a) == of(&secrets, &b), a == b);
        prop_assert_ne!(of(&secrets, &a), of(&other, &a));
    }

    #[test]
    fn a_pseudonym_proof_holds_for_the_whole_window_of_secrets_alone(
        texts in texts(), seed: u64, nym_secrets in 1..4_usize,
    ) {
        let interface = Interface::pseudonym();
        let texts = [texts, vec![vec![]; 5]].concat();
        let key = SecretKey::generate(&mut rng(seed));
        let parameters = interface.parameters(0, Some(texts.len() - 1));
        let messages: Vec<_> = texts.iter().map(|t| interface.message_to_scalar(t)).collect();
        let context = Context::new(b"site");
        let issuer = key.public();
        let statement = |nym_secrets| Statement {
            parameters: &parameters, issuer: &issuer, header: b"header", ph: b"ph",
            nym: Some(NymStatement { context: &context, nym_secrets }),
        };
        // What the draft signs: the header with the number of secrets behind it.
        let header = [b"header".as_slice(), &(nym_secrets as u64).to_be_bytes()].concat();
        let signature = signature::sign(&parameters, &key, &header, &messages).unwrap();
        let prove = |window, disclosed: &[usize]| {
            let rng = &mut rng(seed ^ 1);
            let made = proof::prove(&statement(window), &signature, &messages, disclosed, rng)?;
            Ok::<_, bbs::Invalid>((made.0, made.1.unwrap()))
        };
        let (made, pseudonym) = prove(nym_secrets, &[0]).unwrap();
        let verify = |window, made: &Proof, pseudonym: &Pseudonym, shown: &[(usize, Scalar)]| {
            proof::verify(&statement(window), Some(pseudonym), made, shown).is_ok()
        };
        let shown = [(0, messages[0])];
        prop_assert!(verify(nym_secrets, &made, &pseudonym, &shown));
        for window in [nym_secrets - 1, nym_secrets + 1, 0, texts.len() + 1] {
            prop_assert!(!verify(window, &made, &pseudonym, &shown), "window of {}", window);
        }
        let (shifted, other) = prove(nym_secrets + 1, &[0]).unwrap();
        prop_assert!(!verify(nym_secrets, &shifted, &other, &shown), "shifted window");
        let secret = texts.len() - 1;
        prop_assert!(prove(nym_secrets, &[secret]).is_err(), "a secret disclosed");
        let shown = [(secret, messages[secret])];
        prop_assert!(!verify(nym_secrets, &made, &pseudonym, &shown), "a secret disclosed");
    }
}

/// Some proof that parses, of a layout with so many hidden messages.
fn octets_of_length(hidden: usize) -> Vec<u8> {
    let point = Context::new(b"some point");
    let secrets = NymSecrets::draw(&mut rng(1));
    let point = secrets.pseudonym(&point).unwrap().to_bytes();
    let scalar = Scalar::from_u128(5).to_bytes();
    [point.repeat(3), scalar.repeat(4 + hidden)].concat()
}

/// The identity, points of small order (x = 0 gives order 3), points on the curve that are in no
/// subgroup of prime order, one that is on no curve, and two wrong spellings.
fn bad_points<const LEN: usize>() -> Vec<[u8; LEN]> {
    let with = |first: u8, last: u8| {
        let mut octets = [0; LEN];
        (octets[0], octets[LEN - 1]) = (first, last);
        octets
    };
    let mut all = vec![
        with(0xc0, 0),
        with(0x80, 0),
        with(0xa0, 0),
        with(0, 0),
        with(0xe0, 0),
    ];
    all.extend((1..40).map(|x| with(0x80, x)));
    all
}

#[test]
fn no_parser_takes_the_identity_or_a_point_outside_the_subgroup() {
    for point in bad_points::<48>() {
        assert!(G1::from_bytes(&point).is_none());
        assert!(Pseudonym::from_bytes(&point).is_err());
        assert!(NymCommitment::from_bytes(&point).is_err());
        let scalar = Scalar::from_u128(5).to_bytes();
        let signature = [point.as_slice(), &scalar].concat();
        assert!(Signature::from_bytes(&signature.try_into().unwrap()).is_err());
        let commitment = [point.as_slice(), &scalar.repeat(3)].concat();
        assert!(CommitmentWithProof::from_bytes(&commitment).is_err());
        for place in 0..3 {
            let mut octets = octets_of_length(2);
            assert!(Proof::from_bytes(&octets).is_ok());
            octets[place * 48..(place + 1) * 48].copy_from_slice(&point);
            assert!(Proof::from_bytes(&octets).is_err());
        }
    }
    for point in bad_points::<96>() {
        assert!(PublicKey::from_bytes(&point).is_err());
    }
    // The control: some of these points are on the curve, only not in the subgroup.
    let on_curve = bad_points::<48>().into_iter().filter(|octets| {
        let mut point = blst::blst_p1_affine::default();
        blst_uncompress(&mut point, octets)
    });
    assert!(on_curve.count() > 10);
}

/// Whether octets are a point on the curve, in whatever subgroup.
fn blst_uncompress(point: &mut blst::blst_p1_affine, octets: &[u8; 48]) -> bool {
    #![expect(
        unsafe_code,
        reason = "only blst itself reads points outside the subgroup"
    )]
    // SAFETY: 48 readable octets in, an initialised value out.
    unsafe {
        blst::blst_p1_uncompress(point, octets.as_ptr()) == blst::BLST_ERROR::BLST_SUCCESS
            && blst::blst_p1_affine_on_curve(point)
    }
}

#[test]
fn scalars_are_below_the_order_and_secrets_not_zero() {
    let order =
        hex::decode("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001").unwrap();
    let order: [u8; 32] = order.try_into().unwrap();
    let mut below = order;
    below[31] -= 1;
    assert!(Scalar::from_bytes(&order).is_none() && Scalar::from_bytes(&[0xff; 32]).is_none());
    assert!(Scalar::from_bytes(&below).is_some());
    for zero_or_above in [[0; 32], order, [0xff; 32]] {
        assert!(SecretKey::from_bytes(&zero_or_above).is_err());
        for place in 0..5 {
            let mut octets = octets_of_length(1);
            let start = 144 + place * 32;
            octets[start..start + 32].copy_from_slice(&zero_or_above);
            assert!(Proof::from_bytes(&octets).is_err());
        }
    }
}

#[test]
fn a_batch_holds_if_and_only_if_every_proof_does() {
    let interface = Interface::core();
    let one = signed(&interface, &[b"a".to_vec(), b"b".to_vec()], 1);
    let issuer = one.key.public();
    let statement = Statement {
        parameters: &one.parameters,
        issuer: &issuer,
        header: b"header",
        ph: b"ph",
        nym: None,
    };
    // A signature on something else: all but the pairing holds.
    let other = signed(&interface, &[b"a".to_vec(), b"c".to_vec()], 1);
    let disclosed = [(0, one.messages[0])];
    let proof = |signature: &Signature, seed: u64| {
        let made = proof::prove(&statement, signature, &one.messages, &[0], &mut rng(seed));
        made.unwrap().0
    };
    let holds = |proofs: &[&Proof], issuer: &PublicKey| {
        let claims: Vec<_> = proofs
            .iter()
            .map(|proof| proof::Claim {
                statement: &statement,
                pseudonym: None,
                proof,
                disclosed: &disclosed,
            })
            .collect();
        proof::verify_batch(issuer, &claims, &mut rng(99)).is_ok()
    };
    let good: Vec<_> = (0..3).map(|seed| proof(&one.signature, seed)).collect();
    let bad: Vec<_> = (3..5).map(|seed| proof(&other.signature, seed)).collect();
    let [a, b, c] = [&good[0], &good[1], &good[2]];
    assert!(holds(&[], &issuer) && holds(&[a], &issuer) && holds(&[a, b, c, a], &issuer));
    for wrong in &bad {
        assert!(proof::verify(&statement, None, wrong, &disclosed).is_err());
        for batch in [
            &[wrong][..],
            &[wrong, a],
            &[a, b, wrong],
            &[wrong, wrong],
            &[&bad[0], &bad[1]],
        ] {
            assert!(!holds(batch, &issuer));
        }
    }
    assert!(!holds(&[a], &SecretKey::generate(&mut rng(7)).public()));
}
