use bbs::SecretKey;
use bbs::certificate::{Blind, Certificate};
use credential::attributes::{Attributes, BirthDate, IssuedSlots};
use credential::issuance::{self, Issued};
use credential::jose::jws::{Header, UnverifiedJws, sign_with_header};
use credential::manifest::IssuerKey;
use credential::renewal::{EARLY_SECS, RenewedEpochs, Renewing};
use credential::time::EPOCH_SECONDS;
use serde_json::{Value, json};
use store::Inserted;
use store::sqlite::{SqliteRegister, SqliteSessions};
use tempfile::TempDir;

use super::*;
use crate::issuer::Clock;
use crate::testing;

/// The first second of an epoch.
const START: UnixTime = UnixTime(testing::NOW.0 / EPOCH_SECONDS * EPOCH_SECONDS);
const NONCE_SECS: u64 = 300;

struct Operator {
    folder: TempDir,
    key: Arc<SigningKey>,
    keys: Arc<EpochKeys>,
    register: Arc<SqliteRegister>,
    nonces: Arc<SqliteSessions>,
    renewals: Renewals,
}

/// What a person's wallet has.
struct Person {
    device: SigningKey,
    secrets: NymSecrets,
    c: NymCommitment,
    c_blind: Blind,
    blind: Blind,
    slots: IssuedSlots,
    issued: Issued,
    certificate: Certificate,
}

fn origin() -> Origin {
    Origin::parse("https://operator.example").unwrap()
}

fn epochs(old: Epoch, new: Epoch) -> RenewedEpochs {
    RenewedEpochs { old, new }
}

/// `secs` after the begin of the epoch in which people are enrolled.
fn at(secs: u64) -> UnixTime {
    START.plus_secs(secs)
}

const LATE: u64 = EPOCH_SECONDS - EARLY_SECS;

async fn operator() -> Operator {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let register = Arc::new(SqliteRegister::open(&path("r.sqlite")).await.unwrap());
    let nonces = Arc::new(SqliteSessions::open(&path("s.sqlite")).await.unwrap());
    let key = Arc::new(SigningKey::generate());
    std::fs::create_dir(path("keys")).unwrap();
    let keys = Arc::new(EpochKeys::open(&path("keys"), START, Clock::Unchecked).unwrap());
    let renewals = Renewals::new(
        origin(),
        key.clone(),
        keys.clone(),
        register.clone(),
        nonces.clone(),
    );
    Operator {
        folder,
        key,
        keys,
        register,
        nonces,
        renewals,
    }
}

fn attributes() -> Attributes {
    Attributes {
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
    }
}

/// Somebody with a certificate of `epoch` under `key`, with a row or without.
fn person(key: &SecretKey, epoch: Epoch) -> Person {
    let mut rng = secret::rng();
    let device = SigningKey::generate();
    let secrets = NymSecrets::draw(&mut rng);
    let (c, c_blind) = NymCommitment::commit(&secrets, &mut rng);
    let slots = IssuedSlots {
        attributes: attributes(),
        web_number: WebNumber::of(&c),
        generation: Generation::First,
        device_key: *device.public(),
    };
    let (issued, blind, certificate) = certify(key, epoch, &slots, (&c, &secrets, &c_blind));
    Person {
        device,
        secrets,
        c,
        c_blind,
        blind,
        slots,
        issued,
        certificate,
    }
}

fn certify(
    key: &SecretKey,
    epoch: Epoch,
    slots: &IssuedSlots,
    (c, secrets, blind): (&NymCommitment, &NymSecrets, &Blind),
) -> (Issued, Blind, Certificate) {
    let (origin, mut rng) = (origin(), secret::rng());
    let server = (&origin, b"n".as_slice());
    let sent = issuance::request(slots, c, (secrets, blind), server, &mut rng);
    let request = (sent.commitment.as_slice(), sent.proof.as_slice());
    let issued = issuance::issue(key, epoch, slots, c, request, server).unwrap();
    let public = key.public();
    let issuer = IssuerKey { epoch, key: public };
    let certificate =
        issuance::receive(&issued.signature, &issuer, slots, (secrets, &sent.blind)).unwrap();
    (issued, sent.blind, certificate)
}

impl Person {
    fn ask(&self, epochs: RenewedEpochs, nonce: &str) -> String {
        self.ask_with(&self.device, epochs, nonce)
    }

    fn ask_with(&self, device: &SigningKey, epochs: RenewedEpochs, nonce: &str) -> String {
        let renewing = Renewing {
            certificate: &self.certificate,
            web_number: &self.slots.web_number,
            device,
        };
        let server = (&origin(), nonce);
        renewing
            .request(epochs, server, &mut secret::rng())
            .unwrap()
    }

    /// The certificate of an answer; it is verified.
    fn receive(&self, signature: &[u8], issuer: &IssuerKey) -> Certificate {
        let opening = (&self.secrets, &self.blind);
        issuance::receive(signature, issuer, &self.slots, opening).unwrap()
    }

    fn row(&self) -> RegisterRow {
        RegisterRow {
            id: id_of(&self.slots.web_number).unwrap(),
            commitment: self.c.to_bytes(),
            slot_commitment: self.issued.commitment,
            generation: 1,
            status: RowStatus::Active,
            last_epoch: START.epoch(),
            device_key_hash: self.device.public().thumbprint(),
        }
    }
}

impl Operator {
    /// A registered person with a certificate of the first epoch.
    async fn enrol(&self) -> Person {
        let key = self.keys.secret(START.epoch()).unwrap();
        let person = person(key.secret(), START.epoch());
        self.insert(&person.row()).await;
        person
    }

    async fn insert(&self, row: &RegisterRow) {
        let inserted = self.register.insert(row, &[], None).await.unwrap();
        assert_eq!(inserted, Inserted::Done);
    }

    async fn nonce(&self, now: UnixTime) -> String {
        let nonce = secret::random_nonce();
        let expires = now.plus_secs(NONCE_SECS);
        let stored = self.nonces.insert_nonce(secret::hash(&nonce), expires, 100);
        stored.await.unwrap();
        nonce
    }

    /// The outcome of a request, from its signed answer.
    async fn outcome(&self, compact: &str, now: UnixTime) -> Outcome {
        let signed = self.renewals.renew(compact, now).await.unwrap();
        let answer = RenewalAnswer::read(&signed, &origin(), self.key.public()).unwrap();
        assert_eq!(answer.iat, now.day().start());
        let sent: Value = UnverifiedJws::parse(compact)
            .unwrap()
            .unverified_payload()
            .unwrap();
        let asked = u32::try_from(sent["new_epoch"].as_u64().unwrap()).unwrap();
        assert!(answer.is_to(compact, Epoch(asked)));
        answer.outcome
    }

    async fn ask(&self, person: &Person, epochs: RenewedEpochs, now: UnixTime) -> Outcome {
        let sent = person.ask(epochs, &self.nonce(now).await);
        self.outcome(&sent, now).await
    }

    async fn renewed(&self, person: &Person, epochs: RenewedEpochs, now: UnixTime) -> Certificate {
        let sent = person.ask(epochs, &self.nonce(now).await);
        match self.outcome(&sent, now).await {
            Outcome::Renewed(signature) => {
                person.receive(&signature, &self.keys.public(epochs.new).unwrap())
            }
            Outcome::Refused(refusal) => panic!("{refusal:?}"),
        }
    }

    async fn row_of(&self, person: &Person) -> RegisterRow {
        let id = id_of(&person.slots.web_number).unwrap();
        self.register.find(id).await.unwrap().unwrap()
    }
}

fn refused(refusal: RenewalRefusal) -> Outcome {
    Outcome::Refused(refusal)
}

const REFUSED: Outcome = Outcome::Refused(RenewalRefusal::Refused);
const EPOCH: Outcome = Outcome::Refused(RenewalRefusal::Epoch);

#[tokio::test]
async fn a_certificate_is_renewed_week_after_week_and_within_a_week_as_often_as_asked() {
    let op = operator().await;
    let mut ada = op.enrol().await;
    let mut epoch = START.epoch();
    for _ in 0..3 {
        let now = epoch.start().plus_secs(LATE);
        let next = epochs(epoch, epoch.next());
        // A lost answer: the same is asked for again.
        op.renewed(&ada, next, now).await;
        assert_eq!(op.row_of(&ada).await.last_epoch, epoch.next());
        ada.certificate = op.renewed(&ada, next, now).await;
        epoch = epoch.next();
        // The current certificate once more, in its own epoch.
        op.renewed(&ada, epochs(epoch, epoch), epoch.start()).await;
    }
    assert_eq!(op.row_of(&ada).await.last_epoch, epoch);
}

#[tokio::test]
async fn after_a_year_of_absence_the_certificate_is_renewed_for_the_present_epoch() {
    let op = operator().await;
    let ada = op.enrol().await;
    let (first, last) = (START.epoch(), Epoch(START.epoch().0 + 52));
    let too_late = last.next();
    for weeks in 1..=52 {
        op.keys.turn(Epoch(first.0 + weeks).start()).unwrap();
    }
    op.renewed(&ada, epochs(first, last), last.start()).await;
    let outcome = op
        .ask(&ada, epochs(first, too_late), too_late.start())
        .await;
    assert_eq!(outcome, EPOCH);
    assert_eq!(op.row_of(&ada).await.last_epoch, last);
}

#[tokio::test]
async fn the_next_epoch_is_renewed_in_the_last_three_days_alone() {
    let op = operator().await;
    let mut ada = op.enrol().await;
    let e = START.epoch();
    for (old, new, secs) in [
        (e, e.next(), 0),
        (e, e.next(), LATE - 1),
        (e, e.next().next(), LATE),
        (e, e.previous(), LATE),
        (e.next(), e.next(), LATE),
    ] {
        let outcome = op.ask(&ada, epochs(old, new), at(secs)).await;
        assert_eq!(outcome, EPOCH, "{old:?} {new:?} {secs}");
    }
    assert_eq!(op.row_of(&ada).await, ada.row());
    ada.certificate = op.renewed(&ada, epochs(e, e.next()), at(LATE)).await;
    assert_eq!(op.row_of(&ada).await.last_epoch, e.next());
}

#[tokio::test]
async fn a_device_that_was_set_back_renews_for_this_epoch_though_the_row_is_ahead() {
    let op = operator().await;
    let ada = op.enrol().await;
    let e = START.epoch().next();
    for secs in [0, 600] {
        op.keys.turn(e.start().plus_secs(secs)).unwrap();
    }
    let late = e.start().plus_secs(LATE);
    op.renewed(&ada, epochs(START.epoch(), e.next()), late)
        .await;
    let ahead = op.row_of(&ada).await;
    assert_eq!(ahead.last_epoch, e.next());
    // The device has the certificate of the first epoch again, and needs one for today.
    op.renewed(&ada, epochs(START.epoch(), e), late).await;
    assert_eq!(op.row_of(&ada).await, ahead, "an epoch was lowered");
    // A certificate of an epoch that is past is made for nobody.
    let past = op
        .ask(&ada, epochs(START.epoch(), START.epoch()), late)
        .await;
    assert_eq!(past, EPOCH);
    // Nor does the row let anybody in who is not the holder.
    let sent = ada.ask_with(
        &SigningKey::generate(),
        epochs(START.epoch(), e),
        &op.nonce(late).await,
    );
    assert_eq!(op.outcome(&sent, late).await, REFUSED);
}

#[tokio::test]
async fn strangers_unknown_numbers_and_other_devices_are_refused_alike() {
    let op = operator().await;
    let ada = op.enrol().await;
    let this = epochs(START.epoch(), START.epoch());
    let now = at(60);
    let key = op.keys.secret(START.epoch()).unwrap();

    // A certificate without a row.
    let nobody = person(key.secret(), START.epoch());
    assert_eq!(op.ask(&nobody, this, now).await, REFUSED);
    // Somebody else's device, with this person's certificate.
    let thief = SigningKey::generate();
    let sent = ada.ask_with(&thief, this, &op.nonce(now).await);
    assert_eq!(op.outcome(&sent, now).await, REFUSED);
    // A certificate of a key that is not the issuer's.
    let forged = person(&SecretKey::generate(&mut secret::rng()), START.epoch());
    op.insert(&forged.row()).await;
    assert_eq!(op.ask(&forged, this, now).await, REFUSED);
    // This person's device and number, with another certificate and its secrets.
    let mixed = Person {
        device: SigningKey::from_pkcs8(&ada.device.to_pkcs8()).unwrap(),
        slots: ada.slots.clone(),
        ..person(key.secret(), START.epoch())
    };
    assert_eq!(op.ask(&mixed, this, now).await, REFUSED);
    assert_eq!(op.row_of(&ada).await, ada.row());
    assert_eq!(op.row_of(&forged).await, forged.row());
}

/// Who has a row and a leaked key signs themselves other attributes, with all the secrets that the
/// row knows of. Under the next key it is not renewed.
#[tokio::test]
async fn attributes_that_a_leaked_key_signed_are_not_renewed() {
    let op = operator().await;
    let mut ada = op.enrol().await;
    let leaked = op.keys.secret(START.epoch()).unwrap();
    let mut slots = ada.slots.clone();
    slots.attributes.family_name = "OTHER".into();
    // With the blind of the row's commitment: the name alone is another.
    let forge = |slots: &IssuedSlots| {
        let (origin, mut rng) = (origin(), secret::rng());
        let opening = (&ada.secrets, &ada.c_blind);
        let blind = Blind::from_bytes(&ada.blind.expose()).unwrap();
        let server = (&origin, b"n".as_slice());
        let sent = issuance::request_again(slots, &ada.c, opening, blind, server, &mut rng);
        let request = (sent.commitment.as_slice(), sent.proof.as_slice());
        let (key, epoch) = (leaked.secret(), START.epoch());
        let issued = issuance::issue(key, epoch, slots, &ada.c, request, server).unwrap();
        let public = key.public();
        let issuer = IssuerKey { epoch, key: public };
        let secrets = (&ada.secrets, &sent.blind);
        issuance::receive(&issued.signature, &issuer, slots, secrets).unwrap()
    };
    let (forged, same) = (forge(&slots), forge(&ada.slots));
    let (next, now) = (epochs(START.epoch(), START.epoch().next()), at(LATE));
    ada.certificate = forged;
    assert_eq!(op.ask(&ada, next, now).await, REFUSED);
    assert_eq!(op.row_of(&ada).await, ada.row());
    // The control: the same forgery with the name of the enrolment.
    ada.certificate = same;
    assert!(matches!(op.ask(&ada, next, now).await, Outcome::Renewed(_)));
}

/// The row has a commitment to all slots since a later version than the first.
#[tokio::test]
async fn a_row_without_a_commitment_to_all_slots_refuses_every_renewal() {
    let op = operator().await;
    let key = op.keys.secret(START.epoch()).unwrap();
    let person = person(key.secret(), START.epoch());
    let row = RegisterRow {
        slot_commitment: [0; 48],
        ..person.row()
    };
    op.insert(&row).await;
    let this = epochs(START.epoch(), START.epoch());
    assert_eq!(op.ask(&person, this, at(60)).await, REFUSED);
    assert_eq!(op.row_of(&person).await, row);
}

#[tokio::test]
async fn a_certificate_later_than_any_that_was_issued_is_refused() {
    let op = operator().await;
    let e = START.epoch();
    // Whoever has a leaked key makes themselves a certificate with the secrets of a row.
    op.keys.turn(e.next().start()).unwrap();
    let key = op.keys.secret(e.next()).unwrap();
    let forger = person(key.secret(), e.next());
    op.insert(&forger.row()).await;
    let now = e.next().start();
    let outcome = op.ask(&forger, epochs(e.next(), e.next()), now).await;
    assert_eq!(outcome, REFUSED);
    assert_eq!(op.row_of(&forger).await, forger.row());
}

#[tokio::test]
async fn an_ended_registration_is_told_to_its_holder_and_to_nobody_else() {
    let op = operator().await;
    let ada = op.enrol().await;
    let this = epochs(START.epoch(), START.epoch());
    let ended = RegisterRow {
        status: RowStatus::Ended,
        ..ada.row()
    };
    op.register
        .update(&ada.row(), &ended, &[], None)
        .await
        .unwrap();
    let told = op.ask(&ada, this, at(0)).await;
    assert_eq!(told, refused(RenewalRefusal::Ended));
    let sent = ada.ask_with(&SigningKey::generate(), this, &op.nonce(at(0)).await);
    assert_eq!(op.outcome(&sent, at(0)).await, REFUSED);
    assert_eq!(op.row_of(&ada).await, ended);
}

#[tokio::test]
async fn a_device_that_was_replaced_is_not_renewed() {
    let op = operator().await;
    let ada = op.enrol().await;
    let moved = RegisterRow {
        device_key_hash: SigningKey::generate().public().thumbprint(),
        ..ada.row()
    };
    op.register
        .update(&ada.row(), &moved, &[], None)
        .await
        .unwrap();
    let this = epochs(START.epoch(), START.epoch());
    assert_eq!(op.ask(&ada, this, at(0)).await, REFUSED);
}

#[tokio::test]
async fn claims_that_were_changed_and_signed_again_are_refused() {
    let op = operator().await;
    let ada = op.enrol().await;
    let e = START.epoch();
    let (now, this) = (at(LATE), epochs(e, e));
    let other: Value = UnverifiedJws::parse(&ada.ask(this, "x"))
        .unwrap()
        .unverified_payload()
        .unwrap();
    for (claim, value) in [
        ("proof", other["proof"].clone()),
        ("new_epoch", json!(e.next())),
        ("nonce", json!(op.nonce(now).await)),
    ] {
        let sent = ada.ask(this, &op.nonce(now).await);
        let mut claims: Value = UnverifiedJws::parse(&sent)
            .unwrap()
            .unverified_payload()
            .unwrap();
        claims[claim] = value;
        let header = Header {
            jwk: Some(*ada.device.public()),
            ..Header::of_type("bauta-renewal+jwt")
        };
        let changed = sign_with_header(&ada.device, &header, &claims);
        assert_eq!(op.outcome(&changed, now).await, REFUSED, "{claim}");
    }
    assert_eq!(op.row_of(&ada).await, ada.row());
}

#[tokio::test]
async fn a_nonce_is_good_once_and_in_its_time() {
    let op = operator().await;
    let ada = op.enrol().await;
    let this = epochs(START.epoch(), START.epoch());
    let sent = ada.ask(this, &op.nonce(at(0)).await);
    assert!(matches!(
        op.outcome(&sent, at(0)).await,
        Outcome::Renewed(_)
    ));
    let invalid = |answer| matches!(answer, Err(RenewalError::InvalidNonce));
    assert!(invalid(op.renewals.renew(&sent, at(0)).await));
    let invented = ada.ask(this, "invented");
    assert!(invalid(op.renewals.renew(&invented, at(0)).await));
    let late = ada.ask(this, &op.nonce(at(0)).await);
    assert!(invalid(op.renewals.renew(&late, at(NONCE_SECS)).await));
    let malformed = op.renewals.renew("a.b.c", at(0)).await;
    assert!(matches!(malformed, Err(RenewalError::Request(BadRequest))));
}

#[tokio::test]
async fn of_a_renewal_and_an_ending_at_one_moment_none_undoes_the_other() {
    let op = operator().await;
    let ada = op.enrol().await;
    let e = START.epoch();
    let sent = ada.ask(epochs(e, e.next()), &op.nonce(at(LATE)).await);
    let request = RenewalRequest::read(&sent, &origin()).unwrap();
    let proved = op.renewals.judge(&request, at(LATE)).await.unwrap().ok();
    let ended = RegisterRow {
        status: RowStatus::Ended,
        ..ada.row()
    };
    op.register
        .update(&ada.row(), &ended, &[], None)
        .await
        .unwrap();
    let issued = op.renewals.issue(&request, proved.unwrap()).await;
    assert!(matches!(issued, Err(RenewalError::Busy)));
    assert_eq!(op.row_of(&ada).await, ended);
}

#[tokio::test]
async fn a_key_that_was_declared_void_renews_nothing() {
    let op = operator().await;
    let ada = op.enrol().await;
    let e = START.epoch();
    op.keys.turn(e.next().start()).unwrap();
    let keys = op.folder.path().join("keys");
    std::fs::remove_file(keys.join(format!("epoch-{}.pub", e.0))).unwrap();
    let keys = EpochKeys::open(&keys, e.next().start(), Clock::Unchecked);
    let keys = Arc::new(keys.unwrap());
    let renewals = Renewals {
        keys,
        ..op.renewals
    };
    let op = Operator { renewals, ..op };
    let outcome = op.ask(&ada, epochs(e, e.next()), e.next().start()).await;
    assert_eq!(outcome, EPOCH);
}
