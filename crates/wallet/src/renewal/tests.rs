use bbs::SecretKey;
use bbs::certificate::{KeptCommitment, NymCommitment, NymSecrets};
use credential::attributes::{Attributes, BirthDate, Generation};
use credential::manifest::Manifest;
use credential::renewal::{Registered, RenewalRequest, sign};
use credential::web_number::WebNumber;

use super::*;

const NOW: UnixTime = UnixTime(1_800_000_000);

/// An operator and a person with a certificate of its.
struct World {
    operator: SigningKey,
    keys: [SecretKey; 2],
    trust: OperatorTrust,
    person: Person,
    k: KeptCommitment,
    device: SigningKey,
    stored: StoredCertificate,
}

fn epochs() -> RenewedEpochs {
    let old = NOW.epoch();
    RenewedEpochs {
        old,
        new: old.next(),
    }
}

fn issuer(key: &SecretKey, epoch: Epoch) -> IssuerKey {
    let key = key.public();
    IssuerKey { epoch, key }
}

fn world() -> World {
    let mut rng = UnwrapErr(SysRng);
    let (operator, device) = (SigningKey::generate(), SigningKey::generate());
    let trust = OperatorTrust {
        origin: Origin::parse("https://op.example").unwrap(),
        operator_key: *operator.public(),
    };
    let keys = [(); 2].map(|()| SecretKey::generate(&mut rng));
    let secrets = NymSecrets::draw(&mut rng);
    let (commitment, blind) = NymCommitment::commit(&secrets, &mut rng);
    let person = Person::new(&secrets, &blind, &commitment);
    let slots = IssuedSlots {
        attributes: Attributes {
            family_name: "SPECIMEN".into(),
            given_name: "ADA".into(),
            birthdate: BirthDate::new(1990, 2, 28).unwrap(),
            sex: "F".into(),
            nationality: "UTO".into(),
            document_class: "P".into(),
            document_number: "X0000001".into(),
            assurance_level: "substantial".into(),
            guardianship: None,
            place_of_birth: None,
        },
        web_number: WebNumber::of(&commitment),
        generation: Generation::First,
        device_key: *device.public(),
    };
    let server = (&trust.origin, b"n".as_slice());
    let sent = issuance::request(&slots, &commitment, (&secrets, &blind), server, &mut rng);
    let request = (sent.commitment.as_slice(), sent.proof.as_slice());
    let epoch = NOW.epoch();
    let issued = issuance::issue(&keys[0], epoch, &slots, &commitment, request, server).unwrap();
    let key = issuer(&keys[0], epoch);
    let stored = StoredCertificate::new(&issued.signature, &key, &slots, &sent.blind);
    World {
        operator,
        keys,
        trust,
        person,
        k: KeptCommitment::from_bytes(&issued.commitment).unwrap(),
        device,
        stored,
    }
}

impl World {
    fn ask(&self) -> Asked {
        let server = (&self.trust.origin, "nonce");
        ask(&self.person, &self.stored, epochs(), server, &self.device).unwrap()
    }

    fn read(&self, asked: &Asked) -> RenewalRequest {
        RenewalRequest::read(&asked.request, &self.trust.origin).unwrap()
    }

    /// The signature of the new certificate under `key` and for `epoch`.
    fn certify(&self, asked: &Asked, key: &SecretKey, epoch: Epoch) -> [u8; 80] {
        let row = Registered {
            slot_commitment: self.k,
            generation: Generation::First,
        };
        let old = issuer(&self.keys[0], epochs().old);
        let request = self.read(asked);
        let committed = request.verify(&self.trust.origin, &old, &row).unwrap();
        sign(&committed, key, epoch).unwrap()
    }

    fn answer(&self, asked: &Asked, outcome: Outcome) -> String {
        let answer = RenewalAnswer::to(&self.read(asked), outcome, NOW);
        answer.sign(&self.trust.origin, &self.operator)
    }

    fn receive(&self, asked: &Asked, answer: &str) -> Result<StoredCertificate, RenewError> {
        let next = issuer(&self.keys[1], epochs().new);
        asked.receive(answer, &self.trust, &self.person, &next)
    }
}

#[test]
fn a_renewed_certificate_says_the_same_and_can_be_renewed_again() {
    let at = world();
    let asked = at.ask();
    let signature = at.certify(&asked, &at.keys[1], epochs().new);
    let answer = at.answer(&asked, Outcome::Renewed(signature));
    let next = at.receive(&asked, &answer).unwrap();
    assert_eq!(next.epoch(), epochs().new);
    assert!(next.attributes() == at.stored.attributes());
    let mut keys = vec![issuer(&at.keys[0], epochs().old)];
    keys.push(issuer(&at.keys[1], epochs().new));
    let manifest = Manifest::sign(&at.trust.origin, &keys, NOW, &at.operator);
    let mut vault = Vault::new(at.trust.clone());
    vault.accept_manifest(&manifest, NOW).unwrap();
    assert!(next.is_of(&vault.issuer_keys) && at.stored.is_of(&vault.issuer_keys));
    next.open(&at.person).unwrap();
    let again = RenewedEpochs {
        old: epochs().new,
        new: epochs().new.next(),
    };
    let server = (&at.trust.origin, "nonce");
    let again = ask(&at.person, &next, again, server, &at.device).unwrap();
    assert_eq!(again.request.len(), asked.request.len());
}

#[test]
fn certificates_that_are_not_the_ones_asked_for_are_refused() {
    let at = world();
    let asked = at.ask();
    let answered = |signature| at.answer(&asked, Outcome::Renewed(signature));
    let mut bad = at.certify(&asked, &at.keys[1], epochs().new);
    bad[79] ^= 1;
    let stranger = SecretKey::generate(&mut UnwrapErr(SysRng));
    let other = world();
    for (case, signature) in [
        ("a changed signature", bad),
        ("zeros", [0; 80]),
        ("the old key", at.certify(&asked, &at.keys[0], epochs().new)),
        ("another key", at.certify(&asked, &stranger, epochs().new)),
        (
            "another header",
            at.certify(&asked, &at.keys[1], epochs().old),
        ),
        (
            "another person",
            other.certify(&other.ask(), &at.keys[1], epochs().new),
        ),
    ] {
        let received = at.receive(&asked, &answered(signature));
        assert_eq!(received.err(), Some(RenewError::Certificate), "{case}");
    }
}

#[test]
fn answers_of_others_and_to_other_requests_are_refused() {
    let at = world();
    let (asked, other) = (at.ask(), at.ask());
    let signature = at.certify(&asked, &at.keys[1], epochs().new);
    let renewed = Outcome::Renewed(signature);
    let stranger = RenewalAnswer::to(&at.read(&asked), renewed, NOW)
        .sign(&at.trust.origin, &SigningKey::generate());
    let elsewhere = RenewalAnswer {
        new_epoch: epochs().old,
        ..RenewalAnswer::to(&at.read(&asked), renewed, NOW)
    };
    for answer in [
        at.answer(&other, renewed),
        stranger,
        elsewhere.sign(&at.trust.origin, &at.operator),
        asked.request.clone(),
        String::new(),
        "<html></html>".to_owned(),
    ] {
        let received = at.receive(&asked, &answer);
        assert_eq!(received.err(), Some(RenewError::Answer(BadAnswer)));
    }
}

#[test]
fn the_last_refusal_is_kept_with_the_name_of_its_log_entry() {
    let at = world();
    let asked = at.ask();
    let refused = at.answer(&asked, Outcome::Refused(RenewalRefusal::Refused));
    let received = at.receive(&asked, &refused).err();
    assert_eq!(received, Some(RenewError::Refused(RenewalRefusal::Refused)));
    let mut vault = Vault::new(at.trust.clone());
    let old = Some(at.stored.epoch());
    assert_eq!(vault.refusal(old), None);
    vault.renewal_refusal = Some(refused.clone());
    assert!(vault.refusal(None).is_some());
    let shown = vault.refusal(old).unwrap();
    assert_eq!(shown.id, "renewal-refused");
    assert_eq!(shown.day, NOW.day().start());
    assert_eq!(shown.log_entry, log_entry(&refused));
    // A program that ended before it cleared the refusal has the certificate.
    for newest in [epochs().new, epochs().new.next()] {
        assert_eq!(vault.refusal(Some(newest)), None);
    }
}

#[test]
fn a_vault_of_an_earlier_version_opens() {
    let at = world();
    let mut vault = serde_json::to_value(Vault::new(at.trust)).unwrap();
    vault.as_object_mut().unwrap().remove("renewal_refusal");
    let vault: Vault = serde_json::from_value(vault).unwrap();
    assert_eq!(vault.refusal(None), None);
}
