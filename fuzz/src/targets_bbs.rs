//! Targets of `bbs`.

use std::sync::LazyLock;

use bbs::blind::{self, CommitmentWithProof};
use bbs::certificate::{
    self, AGE_PROOF_LEN, Asked, Expected, ExpectedRenewal, NymCommitment, NymSecrets, Presented,
};
use bbs::proof::{self, Proof, Statement};
use bbs::pseudonym::Pseudonym;
use bbs::{G1, Interface, Parameters, PublicKey, Scalar, SecretKey, Signature};

use crate::Target;
use crate::input::take;
use crate::world::{WORLD, rng};

pub(crate) const TARGETS: [Target; 6] = [
    Target::new("bbs_values", values, values_seeds),
    Target::new("bbs_proof", plain_proof, plain_proof_seeds),
    Target::new("bbs_commitment", commitment, commitment_seeds),
    Target::new("bbs_presentation", presentation, presentation_seeds),
    Target::new("bbs_age", age, age_seeds),
    Target::new("bbs_renewal", renewal, renewal_seeds),
];

/// Keys, points and scalars have one spelling.
fn values(data: &[u8]) -> bool {
    let Some((kind, octets)) = data.split_first() else {
        return false;
    };
    match kind % 9 {
        0 => one_spelling(octets, |o| G1::from_bytes(o).map(|v| v.to_bytes())),
        1 => one_spelling(octets, |o| Scalar::from_bytes(o).map(|v| v.to_bytes())),
        2 => one_spelling(octets, |o| {
            PublicKey::from_bytes(o).ok().map(|v| v.to_bytes())
        }),
        3 => one_spelling(octets, |o| {
            SecretKey::from_bytes(o).ok().map(|v| *v.expose())
        }),
        4 => one_spelling(octets, |o| {
            Signature::from_bytes(o).ok().map(|v| v.to_bytes())
        }),
        5 => one_spelling(octets, |o| {
            Pseudonym::from_bytes(o).ok().map(|v| v.to_bytes())
        }),
        6 => one_spelling(octets, |o| {
            NymCommitment::from_bytes(o).ok().map(|v| v.to_bytes())
        }),
        7 => one_spelling(octets, |o| {
            certificate::Blind::from_bytes(o).ok().map(|v| *v.expose())
        }),
        _ => {
            let secrets = NymSecrets::from_bytes(octets);
            secrets.is_ok_and(|secrets| {
                assert_eq!(secrets.expose().as_slice(), octets);
                true
            })
        }
    }
}

fn one_spelling<const N: usize>(
    octets: &[u8],
    both_ways: impl Fn(&[u8; N]) -> Option<[u8; N]>,
) -> bool {
    let (octets, _) = take(octets);
    both_ways(&octets).is_some_and(|written| {
        assert_eq!(written, octets);
        true
    })
}

fn values_seeds() -> Vec<Vec<u8>> {
    let world = &*WORLD;
    let pseudonym = world
        .secrets
        .pseudonym(world.site.context())
        .expect("a pseudonym");
    let values = [
        world.commitment.to_bytes().to_vec(),
        Scalar::from_u128(5).to_bytes().to_vec(),
        world.issuer.public().to_bytes().to_vec(),
        world.issuer.expose().to_vec(),
        world.signature.clone(),
        pseudonym.to_bytes().to_vec(),
        world.commitment.to_bytes().to_vec(),
        world.blind.expose().to_vec(),
        world.secrets.expose().to_vec(),
    ];
    let tagged = |(kind, value): (u8, Vec<u8>)| [&[kind], value.as_slice()].concat();
    (0..).zip(values).map(tagged).collect()
}

static PLAIN: LazyLock<Parameters> = LazyLock::new(|| Interface::core().parameters(3, None));

fn messages() -> [Scalar; 3] {
    [1, 2, 3].map(Scalar::from_u128)
}

fn statement(issuer: &PublicKey) -> Statement<'_> {
    Statement {
        parameters: &PLAIN,
        issuer,
        header: b"header",
        ph: b"nonce",
        nym: None,
    }
}

/// A count and as many octets for disclosed messages, then a proof.
fn plain_proof(data: &[u8]) -> bool {
    let (disclosed, octets) = disclosed(data);
    let Ok(proof) = Proof::from_bytes(octets) else {
        return false;
    };
    assert_eq!(proof.to_bytes(), octets);
    let disclosed: Vec<_> = disclosed
        .iter()
        .map(|&index| (index, messages().get(index).copied().unwrap_or_default()))
        .collect();
    proof::verify(&statement(&WORLD.issuer.public()), None, &proof, &disclosed).is_ok()
}

fn disclosed(data: &[u8]) -> (Vec<usize>, &[u8]) {
    let Some((count, rest)) = data.split_first() else {
        return (Vec::new(), &[]);
    };
    let (indexes, rest) = rest.split_at(usize::from(count % 32).min(rest.len()));
    (
        indexes.iter().map(|&index| usize::from(index)).collect(),
        rest,
    )
}

fn plain_proof_seeds() -> Vec<Vec<u8>> {
    let (issuer, messages) = (&WORLD.issuer, messages());
    let signature =
        bbs::signature::sign(&PLAIN, issuer, b"header", &messages).expect("fitting messages");
    let (proof, _) = proof::prove(
        &statement(&issuer.public()),
        &signature,
        &messages,
        &[1],
        &mut rng(),
    )
    .expect("a signature that holds");
    vec![[&[1, 1], proof.to_bytes().as_slice()].concat()]
}

/// Parameters for up to three committed messages.
static BLIND: LazyLock<Vec<Parameters>> = LazyLock::new(|| {
    let interface = Interface::blind();
    (0..4)
        .map(|committed| interface.parameters(0, Some(committed)))
        .collect()
});

fn commitment(data: &[u8]) -> bool {
    let Ok(commitment) = CommitmentWithProof::from_bytes(data) else {
        return false;
    };
    assert_eq!(commitment.to_bytes(), data);
    // A point, two scalars of its own, and one for each message.
    let messages = (commitment.to_bytes().len() - 48) / 32 - 2;
    let parameters = BLIND.get(messages);
    parameters.is_some_and(|parameters| {
        blind::sign(
            parameters,
            &WORLD.issuer,
            b"header",
            &[],
            Some(&commitment),
            None,
        )
        .is_ok()
    })
}

fn commitment_seeds() -> Vec<Vec<u8>> {
    let of = |messages: &[Scalar]| {
        CommitmentWithProof::commit(&Interface::blind(), messages, &mut rng())
            .0
            .to_bytes()
    };
    vec![of(&[]), of(&messages()[..1]), of(&messages())]
}

/// A count and as many octets for disclosed slots, then the proof of a sign-up.
fn presentation(data: &[u8]) -> bool {
    let (disclosed, proof) = disclosed(data);
    let disclosed: Vec<_> = disclosed
        .into_iter()
        .map(|slot| (slot, certificate::octets_slot(b"1")))
        .collect();
    verifies(proof, None, None, &disclosed)
}

/// An age proof, then the proof of the sign-up that it belongs to.
fn age(data: &[u8]) -> bool {
    let (age, proof) = take(data);
    let shown = [(6, certificate::octets_slot(b"1"))];
    verifies(proof, Some(age), Some(38_000), &shown)
}

fn verifies(
    proof: &[u8],
    age: Option<[u8; AGE_PROOF_LEN]>,
    born_by: Option<u16>,
    disclosed: &[(usize, Scalar)],
) -> bool {
    let (world, context) = (&*WORLD, WORLD.site.context());
    let expected = Expected {
        issuer: &world.issuer.public(),
        header: &credential::issuance::issuer_header(crate::world::NOW.epoch()),
        context,
        ph: b"ph",
        born_by,
    };
    let presented = Presented {
        pseudonym: world.secrets.pseudonym(context).expect("a pseudonym"),
        proof: proof.to_vec(),
        age,
    };
    certificate::verify_presentation(&expected, &presented, disclosed).is_ok()
}

fn present(born_by: Option<u16>) -> Presented {
    let asked = Asked {
        context: WORLD.site.context(),
        ph: b"ph",
        disclosed: &[6],
        born_by,
    };
    let made = WORLD.certificate.present(&asked, &mut rng());
    made.expect("a certificate that holds")
}

fn presentation_seeds() -> Vec<Vec<u8>> {
    vec![[&[1, 6], present(None).proof.as_slice()].concat()]
}

fn age_seeds() -> Vec<Vec<u8>> {
    let Presented { proof, age, .. } = present(Some(38_000));
    vec![[age.expect("it was asked for").as_slice(), &proof].concat()]
}

fn renewal(data: &[u8]) -> bool {
    let world = &*WORLD;
    let (proof, binding) = take(data);
    let expected = ExpectedRenewal {
        issuer: &world.issuer.public(),
        header: &credential::issuance::issuer_header(crate::world::NOW.epoch()),
        opened: &opened_slots(),
        binding,
    };
    world.k.verify_renewal(&proof, &expected).is_ok()
}

/// Slots 1 to 6: four limbs of the device key, web number, generation.
fn opened_slots() -> [Scalar; certificate::OPENED_SLOTS] {
    let sec1 = crate::world::KEY.public().sec1();
    let (halves, _) = sec1[1..].as_chunks::<16>();
    let limb = |at: usize| Scalar::from_u128(u128::from_be_bytes(halves[at]));
    let text = |text: &str| certificate::octets_slot(text.as_bytes());
    let web_number = text(WORLD.slots.web_number.as_str());
    [limb(1), limb(0), limb(3), limb(2), web_number, text("1")]
}

fn renewal_seeds() -> Vec<Vec<u8>> {
    let world = &*WORLD;
    let proof = world
        .certificate
        .renew(b"binding", &mut rng())
        .expect("a certificate that holds");
    vec![[proof.as_slice(), b"binding"].concat()]
}
