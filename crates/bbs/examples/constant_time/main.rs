//! Runs every operation on secrets with all secrets marked as undefined, for `valgrind`: a branch
//! or an address that depends on a secret is then an error (the method of ctgrind).
//!
//!     valgrind --error-exitcode=9 --suppressions=crates/bbs/examples/constant_time/public.supp \
//!         target/debug/examples/constant_time [branch|index]
//!
//! `branch` and `index` are the controls: a careless operation that valgrind must find.
//! Everything drawn from the generator is a secret here: keys, nym_secrets, blinds and masks.

mod valgrind;

use std::convert::Infallible;
use std::process::ExitCode;

use bbs::blind::CommitmentWithProof;
use bbs::certificate::{
    Asked, Certificate, KNOWN_SLOTS, KnownSlots, NymCommitment, NymSecrets, SignerEntropy,
    SlotCommitment, prove_sign_in,
};
use bbs::pseudonym::Context;
use bbs::{Interface, Invalid, PublicKey, Scalar, SecretKey, Signature, proof, signature};
use rand_chacha::ChaCha20Rng;
use rand_core::{SeedableRng, TryCryptoRng, TryRng};

const HEADER: &[u8] = b"epoch";

/// A generator whose output valgrind takes for undefined.
struct SecretRng(ChaCha20Rng);

impl TryRng for SecretRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut octets = [0; 4];
        self.try_fill_bytes(&mut octets)?;
        Ok(u32::from_le_bytes(octets))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut octets = [0; 8];
        self.try_fill_bytes(&mut octets)?;
        Ok(u64::from_le_bytes(octets))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.0.try_fill_bytes(out)?;
        valgrind::make_undefined(out);
        Ok(())
    }
}

impl TryCryptoRng for SecretRng {}

/// Attributes; the birth day, slot 9, is a number of 16 bits.
fn known(rng: &mut SecretRng) -> KnownSlots {
    let mut values: [Scalar; KNOWN_SLOTS] = std::array::from_fn(|_| Scalar::random(rng));
    let mut day = 30_000_u16.to_be_bytes();
    valgrind::make_undefined(&mut day);
    values[8] = Scalar::from_u128(u16::from_be_bytes(day).into());
    KnownSlots::new(&values)
}

fn main() -> ExitCode {
    if !valgrind::is_running() {
        eprintln!("run this under valgrind; see the beginning of its source");
        return ExitCode::FAILURE;
    }
    let mut rng = SecretRng(ChaCha20Rng::from_seed([7; 32]));
    let outcome = match std::env::args().nth(1).as_deref() {
        None => every_operation(&mut rng),
        Some("branch") => {
            std::hint::black_box(branches(&NymSecrets::draw(&mut rng).expose()));
            Ok(())
        }
        Some("index") => {
            std::hint::black_box(looks_up(&NymSecrets::draw(&mut rng).expose()));
            Ok(())
        }
        Some(_) => Err(Invalid),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Invalid) => ExitCode::FAILURE,
    }
}

/// Ends at the first difference, as a careless comparison does.
#[inline(never)]
fn branches(secret: &[u8]) -> Option<usize> {
    secret.iter().position(|octet| *octet == 0x2a)
}

/// Reads a table at a secret place, as a careless multiplication does.
#[inline(never)]
fn looks_up(secret: &[u8]) -> u32 {
    let table: Vec<u32> = (0..256).map(|i| i * 7).collect();
    let table = std::hint::black_box(&table);
    let values = secret
        .iter()
        .filter_map(|octet| table.get(usize::from(*octet)));
    values.sum()
}

fn every_operation(rng: &mut SecretRng) -> Result<(), Invalid> {
    core(rng)?;
    // Enrolment: commit, prove the opening, prove the slots.
    let drawn = NymSecrets::draw(rng);
    let (c, blind) = NymCommitment::commit(&drawn, rng);
    let entropy = SignerEntropy::draw(&mut ChaCha20Rng::from_seed([8; 32]));
    let (c, secrets) = (c.add_entropy(&entropy), drawn.add_entropy(&entropy));
    std::hint::black_box(c.prove_opening(&secrets, &blind, b"binding", rng));
    let known = known(rng);
    let (mut k, k_blind, mut proof) =
        SlotCommitment::prove(&known, &c, (&secrets, &blind), b"binding", rng);

    // What is sent is public. The issuer sees the attributes too, and may take its time.
    let mut c_octets = c.to_bytes();
    valgrind::make_defined(&mut c_octets);
    valgrind::make_defined(&mut k);
    valgrind::make_defined(&mut proof);
    let public_c = NymCommitment::from_bytes(&c_octets)?;
    let k = SlotCommitment::verify(&k, &known, &public_c, &proof, b"binding")?;

    // The issuer signs with its key.
    let key = SecretKey::generate(rng);
    let mut issuer = key.public().to_bytes();
    valgrind::make_defined(&mut issuer);
    let issuer = PublicKey::from_bytes(&issuer)?;
    let mut signature = k.sign(&key, HEADER)?.to_bytes();
    valgrind::make_defined(&mut signature);

    // The holder verifies once what it received, then shows and renews it.
    let signature = Signature::from_bytes(&signature)?;
    let certificate =
        Certificate::verify(signature, &issuer, HEADER, &known, (&secrets, &k_blind))?;
    let context = Context::new(b"site");
    for born_by in [None, Some(38_000)] {
        let asked = Asked {
            context: &context,
            ph: b"ph",
            disclosed: &[6],
            born_by,
        };
        std::hint::black_box(certificate.present(&asked, rng)?);
    }
    std::hint::black_box(certificate.renew(b"binding", rng)?);
    std::hint::black_box(prove_sign_in(&secrets, &context, b"transcript", rng)?);
    Ok(())
}

/// The drafts' own operations: sign and prove with hidden messages, commit blindly.
fn core(rng: &mut SecretRng) -> Result<(), Invalid> {
    let parameters = Interface::core().parameters(3, None);
    let messages: [Scalar; 3] = std::array::from_fn(|_| Scalar::random(rng));
    let key = SecretKey::generate(rng);
    let mut issuer = key.public().to_bytes();
    valgrind::make_defined(&mut issuer);
    let issuer = PublicKey::from_bytes(&issuer)?;
    let signature = signature::sign(&parameters, &key, HEADER, &messages)?;
    let statement = proof::Statement {
        parameters: &parameters,
        issuer: &issuer,
        header: HEADER,
        ph: b"ph",
        nym: None,
    };
    let (proof, _) = proof::prove(&statement, &signature, &messages, &[1], rng)?;
    std::hint::black_box(proof.to_bytes());
    let committed = CommitmentWithProof::commit(&Interface::blind(), &messages, rng);
    std::hint::black_box(committed.0.to_bytes());
    Ok(())
}
