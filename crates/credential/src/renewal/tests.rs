use bbs::certificate::{Blind, NymCommitment, NymSecrets};
use rand_core::UnwrapErr;
use serde_json::{Value, json};

use super::*;
use crate::attributes::{Attributes, BirthDate, IssuedSlots};
use crate::issuance;
use crate::time::EPOCH_SECONDS;

const NOW: UnixTime = UnixTime(1_800_000_000);

/// A person with a certificate of the epoch of `NOW`.
struct World {
    origin: Origin,
    issuer: SecretKey,
    device: SigningKey,
    secrets: NymSecrets,
    k: KeptCommitment,
    blind: Blind,
    slots: IssuedSlots,
    certificate: Certificate,
}

fn rng() -> impl CryptoRng {
    UnwrapErr(getrandom::SysRng)
}

fn attributes(name: &str) -> Attributes {
    Attributes {
        family_name: name.into(),
        given_name: "ADA".into(),
        birthdate: BirthDate::new(1990, 2, 28).unwrap(),
        sex: "F".into(),
        nationality: "UTO".into(),
        document_class: "P".into(),
        document_number: "X0000001".into(),
        assurance_level: "substantial".into(),
        guardianship: None,
        place_of_birth: None,
    }
}

fn world(name: &str) -> World {
    let mut rng = rng();
    let origin = Origin::parse("https://op.example").unwrap();
    let (issuer, device) = (SecretKey::generate(&mut rng), SigningKey::generate());
    let secrets = NymSecrets::draw(&mut rng);
    let (c, c_blind) = NymCommitment::commit(&secrets, &mut rng);
    let slots = IssuedSlots {
        attributes: attributes(name),
        web_number: WebNumber::of(&c),
        generation: Generation::First,
        device_key: *device.public(),
    };
    let (opening, server) = ((&secrets, &c_blind), (&origin, b"n".as_slice()));
    let sent = issuance::request(&slots, &c, opening, server, &mut rng);
    let request = (sent.commitment.as_slice(), sent.proof.as_slice());
    let issued = issuance::issue(&issuer, NOW.epoch(), &slots, &c, request, server).unwrap();
    assert_eq!(issued.commitment, sent.commitment);
    let key = key_of(&issuer, NOW.epoch());
    let own = (&secrets, &sent.blind);
    let certificate = issuance::receive(&issued.signature, &key, &slots, own).unwrap();
    World {
        origin,
        issuer,
        device,
        secrets,
        k: KeptCommitment::from_bytes(&issued.commitment).unwrap(),
        blind: sent.blind,
        slots,
        certificate,
    }
}

fn key_of(secret: &SecretKey, epoch: Epoch) -> IssuerKey {
    let key = secret.public();
    IssuerKey { epoch, key }
}

fn epochs() -> RenewedEpochs {
    let old = NOW.epoch();
    RenewedEpochs {
        old,
        new: old.next(),
    }
}

impl World {
    fn ask(&self) -> String {
        let renewing = Renewing {
            certificate: &self.certificate,
            web_number: &self.slots.web_number,
            device: &self.device,
        };
        let server = (&self.origin, "AAAAAAAAAAAAAAAAAAAAAA");
        renewing.request(epochs(), server, &mut rng()).unwrap()
    }

    fn row(&self) -> Registered {
        Registered {
            slot_commitment: self.k,
            generation: Generation::First,
        }
    }

    fn holds(&self, compact: &str) -> bool {
        let request = RenewalRequest::read(compact, &self.origin).unwrap();
        let old = key_of(&self.issuer, NOW.epoch());
        request.verify(&self.origin, &old, &self.row()).is_ok()
    }

    /// The request with one claim changed, signed by `device`.
    fn with(&self, compact: &str, device: &SigningKey, change: impl Fn(&mut Value)) -> String {
        let jws = UnverifiedJws::parse(compact).unwrap();
        let mut claims: Value = jws.unverified_payload().unwrap();
        change(&mut claims);
        let header = Header {
            jwk: Some(*device.public()),
            ..Header::of_type(REQUEST_TYP)
        };
        jws::sign_with_header(device, &header, &claims)
    }
}

#[test]
fn a_renewed_certificate_is_received_under_the_next_key() {
    let world = world("SPECIMEN");
    let sent = world.ask();
    let request = RenewalRequest::read(&sent, &world.origin).unwrap();
    let old = key_of(&world.issuer, NOW.epoch());
    let committed = request.verify(&world.origin, &old, &world.row()).unwrap();
    let next = SecretKey::generate(&mut rng());
    let signature = sign(&committed, &next, epochs().new).unwrap();

    let operator = SigningKey::generate();
    let answer = RenewalAnswer::to(&request, Outcome::Renewed(signature), NOW);
    let signed = answer.sign(&world.origin, &operator);
    let read = RenewalAnswer::read(&signed, &world.origin, operator.public()).unwrap();
    assert!(read == answer && read.is_to(&sent, epochs().new));
    let opening = (&world.secrets, &world.blind);
    let receive = |key: IssuerKey| issuance::receive(&signature, &key, &world.slots, opening);
    assert!(receive(key_of(&next, epochs().new)).is_ok());
    assert!(receive(key_of(&next, epochs().old)).is_err());
    assert!(receive(old).is_err());
}

#[test]
fn a_proof_holds_for_its_request_alone() {
    let at = world("SPECIMEN");
    let sent = at.ask();
    assert!(at.holds(&sent));
    assert!(at.holds(&at.with(&sent, &at.device, |_| ())));
    let other = world("OTHER").ask();
    let of_other: Value = UnverifiedJws::parse(&other)
        .unwrap()
        .unverified_payload()
        .unwrap();
    let e = NOW.epoch().0;
    for (claim, value) in [
        ("nonce", json!("BAAAAAAAAAAAAAAAAAAAAA")),
        ("new_epoch", json!(e)),
        ("old_epoch", json!(e - 1)),
        ("proof", of_other["proof"].clone()),
    ] {
        let changed = at.with(&sent, &at.device, |claims| claims[claim] = value.clone());
        assert!(!at.holds(&changed), "{claim}");
    }
    assert!(!at.holds(&at.with(&sent, &SigningKey::generate(), |_| ())));
    // Nor under another key, for another row, or by a certificate of somebody else.
    let request = RenewalRequest::read(&sent, &at.origin).unwrap();
    let check = |issuer: &SecretKey, row: Registered| {
        let old = key_of(issuer, NOW.epoch());
        request.verify(&at.origin, &old, &row).is_err()
    };
    let stranger = world("SPECIMEN");
    assert!(check(&stranger.issuer, at.row()));
    assert!(check(&at.issuer, stranger.row()));
    let later = Registered {
        generation: Generation::Later,
        ..at.row()
    };
    assert!(check(&at.issuer, later));
}

#[test]
fn requests_of_another_form_are_refused_before_any_proof() {
    let at = world("SPECIMEN");
    let sent = at.ask();
    let read = |text: &str| RenewalRequest::read(text, &at.origin).err();
    for (claim, value) in [
        ("aud", json!("https://other.example:443")),
        ("web_number", json!("0000000000000001")),
        ("web_number", json!(at.slots.web_number.to_string())),
        ("proof", json!("AAAA")),
        ("old_epoch", json!(-1)),
        ("more", json!(1)),
    ] {
        let changed = at.with(&sent, &at.device, |claims| claims[claim] = value.clone());
        assert_eq!(read(&changed), Some(BadRequest), "{claim}");
    }
    let claims: Value = UnverifiedJws::parse(&sent)
        .unwrap()
        .unverified_payload()
        .unwrap();
    let nameless = jws::sign(&at.device, REQUEST_TYP, &claims);
    assert_eq!(read(&nameless), Some(BadRequest));
    for cut in [0, 1, 100, sent.len() / 2, sent.len() - 1] {
        assert_eq!(read(&sent[..cut]), Some(BadRequest), "cut at {cut}");
    }
    for at in (0..sent.len()).step_by(97) {
        let mut changed = sent.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert_eq!(read(&changed), Some(BadRequest), "octet {at}");
    }
}

#[test]
fn all_requests_are_equally_long_and_so_are_all_answers() {
    let (alva, bero) = (world("A"), world("MUCH LONGER THAN THE OTHER"));
    let sent = [&alva, &bero].map(|at| at.ask());
    assert_eq!(sent[0].len(), sent[1].len());

    let request = RenewalRequest::read(&sent[0], &alva.origin).unwrap();
    let operator = SigningKey::generate();
    let mut outcomes = vec![Outcome::Renewed([7; SIGNATURE_LEN])];
    outcomes.extend(RenewalRefusal::ALL.map(Outcome::Refused));
    let length = |outcome: Outcome| {
        let answer = RenewalAnswer::to(&request, outcome, NOW);
        let signed = answer.sign(&alva.origin, &operator);
        let read = RenewalAnswer::read(&signed, &alva.origin, operator.public());
        assert_eq!(read, Ok(answer));
        signed.len()
    };
    let lengths: Vec<_> = outcomes.into_iter().map(length).collect();
    assert!(
        lengths.iter().all(|length| *length == lengths[0]),
        "{lengths:?}"
    );
}

#[test]
fn answers_of_others_or_of_another_form_are_refused() {
    let at = world("SPECIMEN");
    let sent = at.ask();
    let request = RenewalRequest::read(&sent, &at.origin).unwrap();
    let operator = SigningKey::generate();
    let refused = Outcome::Refused(RenewalRefusal::Refused);
    let answer = RenewalAnswer::to(&request, refused, NOW);
    let signed = answer.sign(&at.origin, &operator);
    let read = |text: &str| RenewalAnswer::read(text, &at.origin, operator.public());
    assert_eq!(answer.iat.0 % 86_400, 0);
    assert!(!answer.is_to("another request", epochs().new) && !answer.is_to(&sent, epochs().old));

    let stranger = SigningKey::generate();
    assert!(read(&answer.sign(&at.origin, &stranger)).is_err());
    let elsewhere = Origin::parse("https://other.example").unwrap();
    assert!(read(&answer.sign(&elsewhere, &operator)).is_err());
    let claims: Value = UnverifiedJws::parse(&signed)
        .unwrap()
        .unverified_payload()
        .unwrap();
    for (claim, value) in [
        ("outcome", json!("renewed")),
        ("outcome", json!("unheard-of")),
        ("certificate", json!("AAAA")),
        ("padding", json!("")),
        ("iat", json!(NOW.0)),
        ("request_sha256", json!("AAAA")),
        ("more", json!(1)),
    ] {
        let mut changed = claims.clone();
        changed[claim] = value;
        let changed = jws::sign(&operator, ANSWER_TYP, &changed);
        assert!(read(&changed).is_err(), "{claim}");
    }
    assert!(read(&jws::sign(&operator, REQUEST_TYP, &claims)).is_err());
    assert!(read("a.b.c").is_err() && read("").is_err());
}

#[test]
fn renewals_lead_from_a_year_back_to_this_epoch_and_shortly_before_its_end_to_the_next() {
    let start = NOW.epoch().start();
    let e = NOW.epoch().0;
    let open = |old: u32, new: u32, secs: u64| {
        let (old, new) = (Epoch(old), Epoch(new));
        RenewedEpochs { old, new }.are_open(start.plus_secs(secs))
    };
    let early = EPOCH_SECONDS - EARLY_SECS;
    for old in [e - CATCH_UP_EPOCHS, e - 2, e - 1, e] {
        assert!(open(old, e, 0) && open(old, e, EPOCH_SECONDS - 1), "{old}");
        assert!(open(old, e + 1, early) && !open(old, e + 1, early - 1));
    }
    for (old, new) in [
        (e - CATCH_UP_EPOCHS - 1, e),
        (e + 1, e + 1),
        (e, e + 2),
        (e - 1, e - 1),
        (e, e - 1),
        (0, e),
        (u32::MAX, u32::MAX),
    ] {
        assert!(!open(old, new, EPOCH_SECONDS - 1), "{old} {new}");
    }
}
