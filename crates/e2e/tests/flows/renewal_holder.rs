//! Renewals are the holder's alone, and of the certificate of the last enrolment.

use axum::http::StatusCode;
use bbs::SecretKey;
use bbs::certificate::NymCommitment;
use credential::issuance;
use credential::jose::SigningKey;
use credential::jose::jws::{Header, UnverifiedJws, sign_with_header};
use credential::manifest::IssuerKey;
use credential::renewal::{Outcome, RenewalAnswer, RenewalRefusal, RenewedEpochs, Renewing};
use credential::time::Epoch;
use e2e::browser::Browser;
use e2e::opened::Opened;
use e2e::world::World;
use serde_json::{Value, json};
use server::demo::deployment::Party;

use crate::enrolment::from_backup;

const RENEWAL: &str = "/registration/renewal";

/// Somebody who sends what they like.
struct Caller<'a> {
    world: &'a World,
    browser: Browser,
}

impl Caller<'_> {
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.world.deployment().origin(Party::Operator))
    }

    fn nonce(&self) -> String {
        let url = self.url("/nonce");
        let answer = self.browser.call(|client| client.post(url)).unwrap();
        let answer: Value = answer.json().unwrap();
        answer["c_nonce"].as_str().unwrap().to_owned()
    }

    fn send(&self, request: &str) -> (StatusCode, Vec<u8>) {
        self.send_as("application/jwt", request)
    }

    fn send_as(&self, kind: &str, request: &str) -> (StatusCode, Vec<u8>) {
        let url = self.url(RENEWAL);
        let answer = self.browser.call(|client| {
            let post = client.post(url).header("content-type", kind.to_owned());
            post.body(request.to_owned())
        });
        let answer = answer.unwrap();
        (answer.status, answer.body)
    }

    fn problem(&self, request: &str) -> (u16, String) {
        problem(&self.send(request))
    }

    /// The outcome of a request and the length of its answer.
    fn outcome(&self, holder: &Opened, request: &str) -> (Outcome, usize) {
        let (status, body) = self.send(request);
        assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&body));
        let text = std::str::from_utf8(&body).unwrap();
        let key = &holder.vault.operator.operator_key;
        let answer = RenewalAnswer::read(text, holder.origin(), key).unwrap();
        assert!(answer.is_to(request, answer.new_epoch));
        (answer.outcome, body.len())
    }
}

fn problem((status, body): &(StatusCode, Vec<u8>)) -> (u16, String) {
    let problem: Value = serde_json::from_slice(body).unwrap();
    let id = problem["id"].as_str().unwrap().to_owned();
    (status.as_u16(), id)
}

/// The request with its claims changed, signed by `device`.
fn changed(request: &str, device: &SigningKey, change: impl Fn(&mut Value)) -> String {
    let jws = UnverifiedJws::parse(request).unwrap();
    let mut claims: Value = jws.unverified_payload().unwrap();
    change(&mut claims);
    let header = Header {
        jwk: Some(*device.public()),
        ..Header::of_type("bauta-renewal+jwt")
    };
    sign_with_header(device, &header, &claims)
}

fn claims(request: &str) -> Value {
    let jws = UnverifiedJws::parse(request).unwrap();
    jws.unverified_payload().unwrap()
}

#[test]
fn only_the_holder_is_renewed_and_all_refusals_look_like_a_certificate() {
    let world = World::running().unwrap();
    drop(world.enrol("alva", 1).unwrap());
    let bero = world.enrol("bero", 2).unwrap();
    let [mut own, mut other] = ["alva", "bero"].map(|name| Opened::read(&world, name).unwrap());
    let [device, others] = [own.device().unwrap(), other.device().unwrap()];
    let caller = Caller {
        world: &world,
        browser: world.browser().unwrap(),
    };
    let epoch = own.keys.newest().unwrap().epoch();
    let this = RenewedEpochs {
        old: epoch,
        new: epoch,
    };
    let ask = |holder: &Opened, by: &SigningKey, epochs| {
        holder.ask(by, epochs, &caller.nonce()).unwrap().request
    };
    let before = world.register_rows().unwrap();

    // The current certificate once more, twice: a lost answer.
    let mut lengths = Vec::new();
    for _ in 0..2 {
        let request = ask(&own, &device, this);
        let (outcome, length) = caller.outcome(&own, &request);
        assert!(matches!(outcome, Outcome::Renewed(_)));
        lengths.push((request.len(), length));
        // The same request again is no renewal.
        let used = (400, "invalid-nonce".to_owned());
        assert_eq!(caller.problem(&request), used);
    }
    let invented = own.ask(&device, this, "invented").unwrap().request;
    assert_eq!(caller.problem(&invented).1, "invalid-nonce");

    let sent = || ask(&own, &device, this);
    let mut refused = vec![
        ("another device", ask(&own, &SigningKey::generate(), this)),
        ("another person's device", ask(&own, &others, this)),
    ];
    let of_other = claims(&ask(&other, &others, this));
    for (case, claim, value) in foreign_claims(&of_other) {
        let request = changed(&sent(), &device, |claims| claims[claim] = value.clone());
        refused.push((case, request));
    }
    // Who holds a row and a leaked key of the operator signs themselves another name.
    let leaked = issuer_key(&world, epoch);
    let forged = forged((&own, &device), &leaked, this, &caller.nonce());
    refused.push(("another name", forged));
    for (case, request) in refused {
        let (outcome, length) = caller.outcome(&own, &request);
        let expected = Outcome::Refused(RenewalRefusal::Refused);
        assert_eq!(outcome, expected, "{case}");
        lengths.push((request.len(), length));
    }
    for (case, old, new) in [
        ("an old epoch", Epoch(epoch.0 - 53), epoch),
        ("an epoch without a key", Epoch(epoch.0 - 52), epoch),
        ("a coming epoch", epoch, Epoch(epoch.0 + 2)),
        ("a past epoch", epoch, epoch.previous()),
        ("a certificate of the future", epoch.next(), epoch.next()),
    ] {
        let request = ask(&own, &device, RenewedEpochs { old, new });
        let (outcome, length) = caller.outcome(&own, &request);
        let expected = Outcome::Refused(RenewalRefusal::Epoch);
        assert_eq!(outcome, expected, "{case}");
        lengths.push((request.len(), length));
    }
    assert_eq!(world.register_rows().unwrap(), before);

    // An end is told to the holder, and to nobody else.
    bero.run(&["end", "--yes"]).unwrap().unwrap();
    for (by, expected) in [
        (&others, RenewalRefusal::Ended),
        (&device, RenewalRefusal::Refused),
    ] {
        let request = ask(&other, by, this);
        let (outcome, length) = caller.outcome(&own, &request);
        assert_eq!(outcome, Outcome::Refused(expected));
        lengths.push((request.len(), length));
    }
    let first = lengths[0];
    assert!(lengths.iter().all(|length| *length == first), "{lengths:?}");
    not_a_request(&caller, &sent(), &device);
}

/// The holder's request for a certificate that a leaked `key` signed, with another family name.
fn forged(
    (own, device): (&Opened, &SigningKey),
    key: &SecretKey,
    epochs: RenewedEpochs,
    nonce: &str,
) -> String {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let person = own.vault.person.as_ref().unwrap();
    let (mut slots, _) = own.keys.newest().unwrap().open(person).unwrap();
    slots.attributes.family_name = "OTHER".to_owned();
    let (c, blind) = (person.commitment().unwrap(), person.blind().unwrap());
    let secrets = person.nym_secrets().unwrap();
    let (opening, server) = ((&secrets, &blind), (own.origin(), b"n".as_slice()));
    let sent = issuance::request(&slots, &c, opening, server, &mut rng);
    let request = (sent.commitment.as_slice(), sent.proof.as_slice());
    let issued = issuance::issue(key, epochs.old, &slots, &c, request, server).unwrap();
    let issuer = IssuerKey {
        epoch: epochs.old,
        key: key.public(),
    };
    let secrets = (&secrets, &sent.blind);
    let certificate = issuance::receive(&issued.signature, &issuer, &slots, secrets).unwrap();
    let renewing = Renewing {
        certificate: &certificate,
        web_number: &slots.web_number,
        device,
    };
    renewing
        .request(epochs, (own.origin(), nonce), &mut rng)
        .unwrap()
}

pub(crate) fn issuer_key(world: &World, epoch: Epoch) -> SecretKey {
    let folder = world.state(Party::Operator).join("issuer-keys");
    let octets = std::fs::read(folder.join(format!("epoch-{}", epoch.0))).unwrap();
    SecretKey::from_bytes(octets.as_slice().try_into().unwrap()).unwrap()
}

/// An enrolment that changes nothing leaves the commitment as it is: whether its answer arrived or
/// not, the certificate that is there is renewed. That of a new device takes its place.
#[test]
fn what_is_renewed_is_the_certificate_of_the_last_enrolment() {
    let world = World::running().unwrap();
    let old = world.enrol("alva", 1).unwrap();
    let mut before = Opened::read(&world, "alva").unwrap();
    let device = before.device().unwrap();
    let rows = world.register_rows().unwrap();
    let passport = world.deployment().passport(1, &[]).unwrap();
    old.enrol(&passport).unwrap().unwrap();
    assert_eq!(world.register_rows().unwrap(), rows);
    let caller = Caller {
        world: &world,
        browser: world.browser().unwrap(),
    };
    let epoch = before.keys.newest().unwrap().epoch();
    let this = RenewedEpochs {
        old: epoch,
        new: epoch,
    };
    // A wallet whose answer was lost has the certificate of before.
    let outcome = |of: &Opened, device: &SigningKey| {
        let request = of.ask(device, this, &caller.nonce()).unwrap().request;
        caller.outcome(of, &request).0
    };
    assert!(matches!(outcome(&before, &device), Outcome::Renewed(_)));

    let new = from_backup(&world, &old, "alva-2");
    new.enrol(&passport).unwrap().unwrap();
    assert_ne!(world.register_rows().unwrap(), rows);
    let mut after = Opened::read(&world, "alva-2").unwrap();
    let new_device = after.device().unwrap();
    assert!(matches!(outcome(&after, &new_device), Outcome::Renewed(_)));
    let refused = Outcome::Refused(RenewalRefusal::Refused);
    assert_eq!(outcome(&before, &device), refused);
}

/// What is no request at all gets an ordinary problem.
fn not_a_request(caller: &Caller<'_>, sent: &str, device: &SigningKey) {
    let elsewhere = changed(sent, device, |claims| {
        claims["aud"] = json!("https://other.example:443");
    });
    for request in ["", "a.b.c", &sent[..sent.len() - 1], &elsewhere] {
        assert_eq!(caller.problem(request), (400, "malformed-request".into()));
    }
    let large = caller.problem(&"a".repeat(5000));
    assert_eq!(large, (413, "body-too-large".to_owned()));
    let typed = problem(&caller.send_as("application/json", sent));
    assert_eq!(typed, (415, "unsupported-media-type".to_owned()));
}

/// What a request can claim that is not the holder's, with claims of somebody else.
fn foreign_claims(of_other: &Value) -> [(&'static str, &'static str, Value); 3] {
    let claim = |name: &str| of_other[name].clone();
    let unknown = json!(of_unknown_number(of_other));
    [
        ("another person's number", "web_number", claim("web_number")),
        ("an unknown number", "web_number", unknown),
        ("another proof", "proof", claim("proof")),
    ]
}

/// A well-formed web number that nobody has.
fn of_unknown_number(known: &Value) -> String {
    let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    let secrets = bbs::certificate::NymSecrets::draw(&mut rng);
    let (commitment, _) = NymCommitment::commit(&secrets, &mut rng);
    let number = credential::web_number::WebNumber::of(&commitment);
    assert_ne!(known["web_number"], number.as_str());
    number.as_str().to_owned()
}
