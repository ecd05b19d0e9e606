//! What a wallet in a browser computes, for `run.mjs` to time. The random numbers are no secrets
//! here: their seed is fixed.

use std::sync::OnceLock;

use bbs::certificate::{
    Asked, Blind, Certificate, KNOWN_SLOTS, KnownSlots, NymCommitment, NymSecrets, SlotCommitment,
    prove_sign_in,
};
use bbs::pseudonym::Context;
use bbs::{Scalar, SecretKey};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

struct Holder {
    secrets: NymSecrets,
    blind: Blind,
    c: NymCommitment,
    known: KnownSlots,
    certificate: Certificate,
    context: Context,
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([1; 32])
}

fn holder() -> &'static Holder {
    static HOLDER: OnceLock<Holder> = OnceLock::new();
    HOLDER.get_or_init(|| {
        let mut rng = rng();
        let secrets = NymSecrets::draw(&mut rng);
        let (c, blind) = NymCommitment::commit(&secrets, &mut rng);
        let known = KnownSlots::new(&[Scalar::from_u128(20_000); KNOWN_SLOTS]);
        let opening = (&secrets, &blind);
        let (k, k_blind, proof) = SlotCommitment::prove(&known, &c, opening, b"", &mut rng);
        let k = SlotCommitment::verify(&k, &known, &c, &proof, b"").expect("honest");
        let key = SecretKey::generate(&mut rng);
        let signature = k.sign(&key, b"header").expect("honest");
        let slots = (&secrets, &k_blind);
        let certificate = Certificate::verify(signature, &key.public(), b"header", &known, slots)
            .expect("honest");
        Holder {
            secrets,
            blind,
            c,
            known,
            certificate,
            context: Context::new(b"a site"),
        }
    })
}

fn sign_up_for(born_by: Option<u16>) -> usize {
    let holder = holder();
    let asked = Asked {
        context: &holder.context,
        ph: b"presentation header",
        disclosed: &[6],
        born_by,
    };
    let presented = holder
        .certificate
        .present(&asked, &mut rng())
        .expect("honest");
    presented.proof.len() + presented.age.map_or(0, |age| age.len())
}

/// Everything that is computed once.
#[unsafe(no_mangle)]
pub extern "C" fn prepare() -> usize {
    holder().known_len()
}

impl Holder {
    fn known_len(&self) -> usize {
        size_of_val(&self.known)
    }
}

/// Each returns the octets of what it made.
#[unsafe(no_mangle)]
pub extern "C" fn first_issuance() -> usize {
    let Holder {
        known,
        c,
        secrets,
        blind,
        ..
    } = holder();
    let (k, _, proof) = SlotCommitment::prove(known, c, (secrets, blind), b"", &mut rng());
    k.len() + proof.len()
}

#[unsafe(no_mangle)]
pub extern "C" fn renewal() -> usize {
    let proof = holder().certificate.renew(b"", &mut rng());
    proof.expect("honest").len()
}

#[unsafe(no_mangle)]
pub extern "C" fn sign_up() -> usize {
    sign_up_for(None)
}

#[unsafe(no_mangle)]
pub extern "C" fn sign_up_with_age() -> usize {
    sign_up_for(Some(38_000))
}

#[unsafe(no_mangle)]
pub extern "C" fn sign_in() -> usize {
    let Holder {
        secrets, context, ..
    } = holder();
    let (_, proof) = prove_sign_in(secrets, context, b"transcript", &mut rng()).expect("honest");
    48 + proof.len()
}
