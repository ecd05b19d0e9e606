//! Signatures, proofs and blind issuance as the drafts have them. Messages are octets here, as for
//! zkryptium, and hashed each time.

use bbs::blind::{self, CommitmentWithProof};
use bbs::proof::{self, Claim, NymStatement, Proof, Statement};
use bbs::pseudonym::{Context, Pseudonym};
use bbs::{Interface, Parameters, PublicKey, Scalar, SecretKey, Signature, signature};

use super::{kept, rng};
use crate::cases::{
    BATCHES, BLIND, COMMITTED, CONTEXT, DISCLOSED_SLOT, HEADER, KNOWN, MESSAGES, NYM, ONE, PH,
    SIGN, TWO, messages,
};
use crate::operation::{By, Operation};

pub fn operations() -> Vec<Operation> {
    let signer = kept(Signer::new(Interface::core().parameters(MESSAGES, None)));
    let signed = kept(signer.sign(&messages(MESSAGES)));
    let mut all = vec![Operation::new(
        (SIGN, By::Ours),
        || signer.sign(&messages(MESSAGES)),
        |signature| {
            let scalars = signer.scalars(&messages(MESSAGES));
            signature::verify(
                &signer.parameters,
                &signer.public,
                HEADER,
                &scalars,
                signature,
            )
            .is_ok()
        },
    )];
    all.extend(proofs(ONE, signer, signed, &[3]));
    all.extend(proofs(TWO, signer, signed, &[3, 7]));
    for (count, case) in BATCHES {
        all.push(batch((count, case), signer, signed, &[3, 7]));
    }
    for (secrets, cases) in NYM.into_iter().filter(|(secrets, _)| *secrets != 10) {
        all.extend(pseudonyms(cases, secrets));
    }
    all.extend(blind_issuance());
    all
}

struct Signer {
    parameters: Parameters,
    key: SecretKey,
    public: PublicKey,
}

impl Signer {
    fn new(parameters: Parameters) -> Signer {
        let key = SecretKey::generate(&mut rng());
        Signer {
            parameters,
            public: key.public(),
            key,
        }
    }

    fn scalars(&self, messages: &[Vec<u8>]) -> Vec<Scalar> {
        let interface = self.parameters.interface();
        let messages = messages.iter();
        messages.map(|m| interface.message_to_scalar(m)).collect()
    }

    fn sign(&self, messages: &[Vec<u8>]) -> Signature {
        signature::sign(&self.parameters, &self.key, HEADER, &self.scalars(messages))
            .expect("as many as there are generators")
    }

    fn statement(&self) -> Statement<'_> {
        Statement {
            parameters: &self.parameters,
            issuer: &self.public,
            header: HEADER,
            ph: PH,
            nym: None,
        }
    }
}

fn proofs(
    cases: [&'static str; 2],
    signer: &'static Signer,
    signed: &'static Signature,
    disclosed: &'static [usize],
) -> [Operation; 2] {
    let mut rng = rng();
    let all = messages(MESSAGES);
    let shown: Vec<_> = disclosed.iter().map(|i| all[*i].clone()).collect();
    let prove = move || {
        let scalars = signer.scalars(&all);
        let made = proof::prove(&signer.statement(), signed, &scalars, disclosed, &mut rng);
        made.expect("an honest prover").0.to_bytes()
    };
    let verify = move |octets: &Vec<u8>| {
        let proof = Proof::from_bytes(octets).expect("an honest prover");
        let scalars = signer.scalars(&shown);
        let shown: Vec<_> = disclosed.iter().copied().zip(scalars).collect();
        proof::verify(&signer.statement(), None, &proof, &shown).is_ok()
    };
    Operation::pair(cases, By::Ours, prove, verify)
}

/// As many proofs of one signature.
fn batch(
    (count, case): (usize, &'static str),
    signer: &'static Signer,
    signed: &'static Signature,
    disclosed: &'static [usize],
) -> Operation {
    let (mut rng, scalars) = (rng(), signer.scalars(&messages(MESSAGES)));
    let mut octets = || {
        let made = proof::prove(&signer.statement(), signed, &scalars, disclosed, &mut rng);
        made.expect("an honest prover").0.to_bytes()
    };
    let proofs: Vec<_> = (0..count).map(|_| octets()).collect();
    let all = messages(MESSAGES);
    let shown: Vec<_> = disclosed.iter().map(|i| all[*i].clone()).collect();
    Operation::verifying((case, By::Ours), move || {
        let parsed = proofs.iter().map(|octets| {
            let scalars = signer.scalars(&shown);
            let shown: Vec<_> = disclosed.iter().copied().zip(scalars).collect();
            (Proof::from_bytes(octets).expect("an honest prover"), shown)
        });
        let (parsed, statement): (Vec<_>, _) = (parsed.collect(), signer.statement());
        let claim = |(proof, disclosed)| Claim {
            statement: &statement,
            pseudonym: None,
            proof,
            disclosed,
        };
        let claims = parsed
            .iter()
            .map(|(proof, shown)| claim((proof, shown.as_slice())));
        let claims: Vec<_> = claims.collect();
        proof::verify_batch(&signer.public, &claims, &mut rng).is_ok()
    })
}

/// The slots of a certificate with another number of nym_secrets.
fn pseudonyms(cases: [&'static str; 2], secrets: usize) -> [Operation; 2] {
    let slots = 1 + KNOWN + secrets;
    let parameters = Interface::pseudonym().parameters(0, Some(slots - 1));
    let signer = kept(Signer::new(parameters));
    let scalars = signer.scalars(&messages(slots));
    let signed_header = [HEADER, &(secrets as u64).to_be_bytes()].concat();
    let signed = signature::sign(&signer.parameters, &signer.key, &signed_header, &scalars)
        .expect("as many as there are generators");
    let context = kept(Context::new(CONTEXT));
    let statement = move || Statement {
        nym: Some(NymStatement {
            context,
            nym_secrets: secrets,
        }),
        ..signer.statement()
    };
    let shown = [(DISCLOSED_SLOT, scalars[DISCLOSED_SLOT])];
    let mut rng = rng();
    let prove = move || {
        let disclosed = [DISCLOSED_SLOT];
        let made = proof::prove(&statement(), &signed, &scalars, &disclosed, &mut rng);
        let (proof, pseudonym) = made.expect("an honest prover");
        let pseudonym = pseudonym.expect("the statement has one");
        (proof.to_bytes(), pseudonym.to_bytes())
    };
    let verify = move |(proof, pseudonym): &(Vec<u8>, [u8; 48])| {
        let proof = Proof::from_bytes(proof).expect("an honest prover");
        let pseudonym = Pseudonym::from_bytes(pseudonym).expect("an honest prover");
        proof::verify(&statement(), Some(&pseudonym), &proof, &shown).is_ok()
    };
    Operation::pair(cases, By::Ours, prove, verify)
}

fn blind_issuance() -> [Operation; 2] {
    let parameters = Interface::blind().parameters(COMMITTED, Some(COMMITTED));
    let signer = kept(Signer::new(parameters));
    let (mut all, mut rng) = (messages(2 * COMMITTED), rng());
    let hidden = all.split_off(COMMITTED);
    let commit = move || {
        let scalars = signer.scalars(&hidden);
        let (made, blind) = CommitmentWithProof::commit(&Interface::blind(), &scalars, &mut rng);
        let messages = [&[*blind], scalars.as_slice()].concat();
        (made.to_bytes(), messages)
    };
    let sign = move |octets: &[u8]| {
        let commitment = CommitmentWithProof::from_bytes(octets).expect("an honest prover");
        let known = signer.scalars(&all);
        let signature = blind::sign(
            &signer.parameters,
            &signer.key,
            HEADER,
            &known,
            Some(&commitment),
            None,
        );
        (signature.expect("an honest prover"), known)
    };
    let holds = |(signature, known): &(Signature, Vec<Scalar>), hidden: &[Scalar]| {
        let all = [known.as_slice(), hidden].concat();
        signature::verify(&signer.parameters, &signer.public, HEADER, &all, signature).is_ok()
    };
    let mut commit_once = commit.clone();
    let (octets, hidden) = commit_once();
    let sign_again = sign.clone();
    [
        Operation::new((BLIND[0], By::Ours), commit, move |(octets, hidden)| {
            holds(&sign_again(octets), hidden)
        }),
        Operation::new(
            (BLIND[1], By::Ours),
            move || sign(&octets),
            move |signed| holds(signed, &hidden),
        ),
    ]
}
