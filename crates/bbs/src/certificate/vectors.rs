//! Vectors of our own (`crates/bbs/vectors/certificate.json`) for the protocols that no draft has.
//!
//! The file holds a world (keys, slots, secrets) and a case for each protocol: what goes in, the
//! random octets in the order in which they are drawn (48 for a scalar), what comes out, and a list
//! of changes each of which a verifier must refuse. The test makes the whole file again, octet for
//! octet, and verifies from the file alone. After a change of the formats that is meant:
//! `BAUTA_WRITE_VECTORS=1 cargo test -p bbs certificate::vectors`.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng, TryCryptoRng, TryRng};
use serde_json::{Map, Value, json};

use super::*;
use crate::SecretKey;
use crate::pseudonym::{Context, Pseudonym};

const FILE: &str = include_str!("../../vectors/certificate.json");
const HEADER: &str = r#"{"alg":"BAUTA-BBS-NYM-1","vct":"urn:bauta:certificate:1","epoch":2950}"#;

/// Keeps what it draws.
struct Recorder {
    source: ChaCha20Rng,
    drawn: Vec<u8>,
}

fn recorder(name: &str) -> Recorder {
    let mut seed = [0; 32];
    for (octet, letter) in seed.iter_mut().zip(name.bytes()) {
        *octet = letter;
    }
    Recorder {
        source: ChaCha20Rng::from_seed(seed),
        drawn: Vec::new(),
    }
}

impl TryRng for Recorder {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        unreachable!("scalars are drawn as octets")
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        unreachable!("scalars are drawn as octets")
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        self.source.fill_bytes(out);
        self.drawn.extend_from_slice(out);
        Ok(())
    }
}

impl TryCryptoRng for Recorder {}

fn hex_of(scalars: &[Scalar]) -> Vec<String> {
    scalars.iter().map(|s| hex::encode(s.to_bytes())).collect()
}

/// Keys, slots and secrets of all cases.
struct World {
    key: SecretKey,
    slots: [Scalar; KNOWN_SLOTS],
    secrets: NymSecrets,
    blind: Blind,
    c: NymCommitment,
}

fn world() -> World {
    let mut rng = recorder("world");
    let key = SecretKey::generate(&mut rng);
    let drawn = NymSecrets::draw(&mut rng);
    let (own, blind) = NymCommitment::commit(&drawn, &mut rng);
    let entropy = SignerEntropy::draw(&mut rng);
    World {
        key,
        slots: std::array::from_fn(|i| match i {
            0..4 => Scalar::from_u128(u128::MAX / (i as u128 + 3)),
            8 => Scalar::from_u128(30_123),
            _ => octets_slot(format!("slot {}", i + 1).as_bytes()),
        }),
        secrets: drawn.add_entropy(&entropy),
        blind,
        c: own.add_entropy(&entropy),
    }
}

impl World {
    fn to_json(&self) -> Value {
        json!({
            "suite": "BAUTA-BBS-NYM-1",
            "issuer_secret": hex::encode(self.key.expose()),
            "issuer_public": hex::encode(self.key.public().to_bytes()),
            "header": hex::encode(HEADER),
            "slots": hex_of(&self.slots),
            "nym_secrets": hex_of(&self.secrets.0),
            "nym_blind": hex::encode(self.blind.expose()),
            "commitment": hex::encode(self.c.to_bytes()),
        })
    }

    fn opening(&self) -> Value {
        let mut random = recorder("opening");
        let World { secrets, blind, .. } = self;
        let proof = self
            .c
            .prove_opening(secrets, blind, b"opening", &mut random);
        json!({
            "binding": hex::encode("opening"),
            "random": hex::encode(random.drawn),
            "proof": hex::encode(proof),
        })
    }

    fn first_issuance(&self) -> (Value, Certificate) {
        let mut random = recorder("first issuance");
        let known = KnownSlots::new(&self.slots);
        let opening = (&self.secrets, &self.blind);
        let (k, k_blind, proof) =
            SlotCommitment::prove(&known, &self.c, opening, b"first", &mut random);
        let signed = SlotCommitment::verify(&k, &known, &self.c, &proof, b"first").unwrap();
        let (header, issuer) = (HEADER.as_bytes(), self.key.public());
        let signature = signed.sign(&self.key, header).unwrap();
        let case = json!({
            "binding": hex::encode("first"),
            "random": hex::encode(random.drawn),
            "k": hex::encode(k),
            "k_blind": hex::encode(k_blind.expose()),
            "proof": hex::encode(proof),
            "signature": hex::encode(signature.to_bytes()),
        });
        let secrets = (&self.secrets, &k_blind);
        let certificate = Certificate::verify(signature, &issuer, header, &known, secrets);
        (case, certificate.unwrap())
    }

    /// `k` is that of the first issuance.
    fn renewal(&self, certificate: &Certificate, k: &Value) -> Value {
        let mut random = recorder("renewal");
        let proof = certificate.renew(b"renewal", &mut random).unwrap();
        json!({
            "binding": hex::encode("renewal"),
            "random": hex::encode(random.drawn),
            "k": k,
            "proof": hex::encode(proof),
        })
    }

    fn sign_up(&self, certificate: &Certificate, name: &str, born_by: Option<u16>) -> Value {
        let mut random = recorder(name);
        let asked = Asked {
            context: &Context::new(b"a site"),
            ph: b"presentation header",
            disclosed: &[6, 11],
            born_by,
        };
        let presented = certificate.present(&asked, &mut random).unwrap();
        json!({
            "context_id": hex::encode("a site"),
            "ph": hex::encode("presentation header"),
            "disclosed": {"6": hex_of(&self.slots)[5], "11": hex_of(&self.slots)[10]},
            "born_by": born_by,
            "random": hex::encode(random.drawn),
            "pseudonym": hex::encode(presented.pseudonym.to_bytes()),
            "proof": hex::encode(presented.proof),
            "age": presented.age.map(hex::encode),
        })
    }

    fn sign_in(&self) -> Value {
        let mut random = recorder("sign-in");
        let context = Context::new(b"a site");
        let made = prove_sign_in(&self.secrets, &context, b"transcript", &mut random);
        let (pseudonym, proof) = made.unwrap();
        json!({
            "context_id": hex::encode("a site"),
            "transcript": hex::encode("transcript"),
            "random": hex::encode(random.drawn),
            "pseudonym": hex::encode(pseudonym.to_bytes()),
            "proof": hex::encode(proof),
        })
    }
}

/// Everything in the file: world and cases.
fn made() -> Value {
    let world = world();
    let (first, certificate) = world.first_issuance();
    let born_by = Some(38_000);
    let renewal = world.renewal(&certificate, &first["k"]);
    let cases = [
        ("opening", world.opening()),
        ("first_issuance", first),
        ("renewal", renewal),
        ("sign_up", world.sign_up(&certificate, "sign-up", None)),
        (
            "sign_up_with_age",
            world.sign_up(&certificate, "age", born_by),
        ),
        ("sign_in", world.sign_in()),
    ];
    let with_refusals = cases.into_iter().map(|(name, mut case)| {
        case["refused"] = refusals(name, &case);
        (name.to_owned(), case)
    });
    json!({"world": world.to_json(), "cases": with_refusals.collect::<Map<_, _>>()})
}

/// For each member that a verifier reads: another value. `slot_is_seven` is a slot whose value is 7,
/// `digit_of_…` the place of a hexadecimal digit that is 1 instead, or 2 where it is 1.
fn refusals(name: &str, case: &Value) -> Value {
    let mut refused = Vec::new();
    let mut change = |member: &str, value: Value| refused.push(json!({member: value}));
    let stranger = SecretKey::generate(&mut recorder("stranger"));
    let other_point = hex::encode(Pseudonym::to_bytes(
        &Pseudonym::from_bytes(&layout().message_generators()[0].to_bytes()).unwrap(),
    ));
    let reads = |member: &str| reads(name).contains(&member);
    for text in ["binding", "context_id", "ph", "transcript", "header"] {
        if reads(text) {
            change(text, hex::encode("another").into());
        }
    }
    if reads("issuer_public") {
        change(
            "issuer_public",
            hex::encode(stranger.public().to_bytes()).into(),
        );
    }
    for point in ["commitment", "pseudonym", "k"] {
        if reads(point) {
            change(point, other_point.clone().into());
            for first in [0xc0, 0x80, 0xa0] {
                change(point, hex::encode(small_order(first)).into());
            }
        }
    }
    for slot in 1..=if reads("slots") { opened_by(name) } else { 0 } {
        change("slot_is_seven", slot.into());
    }
    if reads("disclosed") {
        let (six, eleven) = (&case["disclosed"]["6"], &case["disclosed"]["11"]);
        change("disclosed", json!({"6": six}));
        change("disclosed", json!({"6": eleven, "11": six}));
        change("disclosed", json!({"6": six, "11": eleven, "12": six}));
        change("disclosed", json!({"5": six, "11": eleven}));
    }
    if case["born_by"].is_number() {
        change("born_by", 38_001.into());
        change("born_by", 37_999.into());
        change("born_by", Value::Null);
        change("age", Value::Null);
    } else if reads("born_by") {
        change("born_by", 38_000.into());
    }
    for proof in ["proof", "age"] {
        let Some(text) = case[proof].as_str() else {
            continue;
        };
        for digit in (0..text.len()).step_by(32) {
            change(&format!("digit_of_{proof}"), digit.into());
        }
    }
    refused.into()
}

/// The identity (0xc0) and the two points of order 3.
fn small_order(first: u8) -> [u8; 48] {
    let mut octets = [0; 48];
    octets[0] = first;
    octets
}

fn changed(whole: &Map<String, Value>, change: &Value) -> Map<String, Value> {
    let mut whole = whole.clone();
    for (member, value) in change.as_object().unwrap() {
        let at = value.as_u64().map_or(0, |at| usize::try_from(at).unwrap());
        if member == "slot_is_seven" {
            let seven = hex::encode(Scalar::from_u128(7).to_bytes());
            whole["slots"][at - 1] = seven.into();
        } else if let Some(proof) = member.strip_prefix("digit_of_") {
            let mut text = whole[proof].as_str().unwrap().to_owned();
            let digit = if &text[at..=at] == "1" { "2" } else { "1" };
            text.replace_range(at..=at, digit);
            whole[proof] = text.into();
        } else {
            whole.insert(member.clone(), value.clone());
        }
    }
    whole
}

/// What the verifier of a case takes from its own side or from the message.
fn reads(name: &str) -> &'static [&'static str] {
    match name {
        "opening" => &["binding", "commitment"],
        "first_issuance" => &["binding", "commitment", "slots", "k"],
        "renewal" => &["binding", "first", "slots", "k", "issuer_public", "header"],
        "sign_up" | "sign_up_with_age" => &[
            "context_id",
            "ph",
            "header",
            "issuer_public",
            "pseudonym",
            "disclosed",
            "born_by",
        ],
        _ => &["context_id", "transcript", "pseudonym"],
    }
}

fn opened_by(name: &str) -> usize {
    if name == "renewal" {
        OPENED_SLOTS
    } else {
        KNOWN_SLOTS
    }
}

/// The verifier of a case, on the members of the file alone.
fn verify(name: &str, of: &Map<String, Value>) -> Result<(), Invalid> {
    let octets = |member: &str| hex::decode(of[member].as_str().unwrap()).unwrap();
    fn array<const LEN: usize>(octets: Vec<u8>) -> Result<[u8; LEN], Invalid> {
        octets.try_into().map_err(|_| Invalid)
    }
    let scalar = |value: &Value| {
        let octets = hex::decode(value.as_str().unwrap()).unwrap();
        Scalar::from_bytes(&octets.try_into().unwrap()).unwrap()
    };
    let c = || NymCommitment::from_bytes(&array(octets("commitment"))?);
    let issuer = || PublicKey::from_bytes(&array(octets("issuer_public"))?);
    let slots: Vec<Scalar> = of["slots"].as_array().unwrap().iter().map(scalar).collect();
    match name {
        "opening" => c()?.verify_opening(&array(octets("proof"))?, &octets("binding")),
        "first_issuance" => {
            let known = KnownSlots::new(slots.first_chunk().ok_or(Invalid)?);
            let (k, proof) = (array(octets("k"))?, array(octets("proof"))?);
            SlotCommitment::verify(&k, &known, &c()?, &proof, &octets("binding")).map(drop)
        }
        "renewal" => {
            let expected = ExpectedRenewal {
                issuer: &issuer()?,
                header: &octets("header"),
                opened: slots.first_chunk().unwrap(),
                binding: &octets("binding"),
            };
            let k = KeptCommitment::from_bytes(&array(octets("k"))?)?;
            k.verify_renewal(&array(octets("proof"))?, &expected)
                .map(drop)
        }
        "sign_up" | "sign_up_with_age" => {
            let born_by = of["born_by"]
                .as_u64()
                .map(|day| u16::try_from(day).unwrap());
            let presented = Presented {
                pseudonym: Pseudonym::from_bytes(&array(octets("pseudonym"))?)?,
                proof: octets("proof"),
                age: of["age"]
                    .is_string()
                    .then(|| array(octets("age")))
                    .transpose()?,
            };
            let disclosed = of["disclosed"].as_object().unwrap();
            let mut disclosed: Vec<(usize, Scalar)> = disclosed
                .iter()
                .map(|(slot, value)| (slot.parse().unwrap(), scalar(value)))
                .collect();
            disclosed.sort_by_key(|(slot, _)| *slot);
            let expected = Expected {
                issuer: &issuer()?,
                header: &octets("header"),
                context: &Context::new(&octets("context_id")),
                ph: &octets("ph"),
                born_by,
            };
            verify_presentation(&expected, &presented, &disclosed)
        }
        _ => {
            let pseudonym = Pseudonym::from_bytes(&array(octets("pseudonym"))?)?;
            let context = Context::new(&octets("context_id"));
            let proof = array(octets("proof"))?;
            verify_sign_in(&pseudonym, &context, &octets("transcript"), &proof)
        }
    }
}

#[test]
fn the_file_is_what_this_code_makes() {
    let made = made();
    #[cfg(not(target_family = "wasm"))]
    if std::env::var_os("BAUTA_WRITE_VECTORS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/certificate.json");
        let text = serde_json::to_string_pretty(&made).unwrap() + "\n";
        std::fs::write(path, text).unwrap();
        return;
    }
    let file: Value = serde_json::from_str(FILE).unwrap();
    assert!(file == made, "the file is another one");
}

#[test]
fn every_case_verifies_and_every_change_of_it_is_refused() {
    let file: Value = serde_json::from_str(FILE).unwrap();
    for (name, case) in file["cases"].as_object().unwrap() {
        let mut whole = file["world"].as_object().unwrap().clone();
        whole.extend(case.as_object().unwrap().clone());
        assert!(verify(name, &whole).is_ok(), "{name}");
        let refused = case["refused"].as_array().unwrap();
        assert!(refused.len() > 4);
        for change in refused {
            assert!(
                verify(name, &changed(&whole, change)).is_err(),
                "{name}: {change}"
            );
        }
    }
}
