//! What a wallet does with an operator that does not behave: it takes no certificate that could
//! mark its holder, and an enrolment that failed can be repeated. H16.

use axum::http::{Method, StatusCode};
use bbs::SecretKey;
use credential::jose::{self, SigningKey};
use credential::manifest::{IssuerKey, Manifest};
use credential::origin::Origin;
use credential::time::Epoch;
use e2e::impostor::{Asked, Impostor, Real, Said};
use e2e::world::World;
use serde_json::{Value, json};
use server::clock;
use server::demo::deployment::Party;

/// An operator that runs, and an impostor in front of it.
struct Stage {
    world: World,
    impostor: Impostor,
    real: Real,
}

impl Stage {
    fn new() -> Stage {
        let world = World::running().unwrap();
        let (impostor, real) = world.impostor_before(Party::Operator).unwrap();
        Stage {
            world,
            impostor,
            real,
        }
    }

    /// From now on answers to paths that end like this are changed; all others are the real ones.
    fn tamper(&self, end: &'static str, change: impl Fn(&mut Said) + Send + 'static) {
        let real = self.real.clone();
        self.impostor.behave(move |asked: &Asked| {
            let mut said = real.ask(asked);
            if asked.path.ends_with(end) && asked.method != Method::PUT && said.status.is_success()
            {
                change(&mut said);
            }
            said
        });
    }

    fn tamper_json(&self, end: &'static str, change: impl Fn(&mut Value) + Send + 'static) {
        self.tamper(end, move |said| {
            let mut value = serde_json::from_slice(&said.body).unwrap();
            change(&mut value);
            said.body = value.to_string().into_bytes();
        });
    }

    fn behave(&self) {
        self.tamper("never", |_| ());
    }

    /// A manifest signed by the operator itself with an issuer key of its own for this week.
    fn second_manifest(&self, signer: Option<SigningKey>) -> String {
        let now = clock::now().epoch();
        self.manifest_of(signer, &[now, now.next()])
    }

    /// A manifest with fresh issuer keys for these epochs.
    fn manifest_of(&self, signer: Option<SigningKey>, epochs: &[Epoch]) -> String {
        let folder = self.world.deployment().folder_of(Party::Operator);
        let key = std::fs::read(folder.join("operator.key")).unwrap();
        let key = signer.unwrap_or_else(|| SigningKey::from_pkcs8(&key).unwrap());
        let origin = Origin::parse(&self.world.deployment().origin(Party::Operator)).unwrap();
        let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
        let keys: Vec<IssuerKey> = epochs
            .iter()
            .map(|epoch| IssuerKey {
                epoch: *epoch,
                key: SecretKey::generate(&mut rng).public(),
            })
            .collect();
        Manifest::sign(&origin, &keys, clock::now(), &key)
    }

    fn refused(&self, case: &str, name: &str, number: u16) -> String {
        let passport = self.world.deployment().passport(number, &[]).unwrap();
        let refused = self.world.wallet(name).enrol(&passport).unwrap();
        let refused = refused.expect_err(case);
        let shown = self.world.wallet(name).run(&["show"]).unwrap();
        let has_certificate = shown.is_ok_and(|shown| !shown["certificate"].is_null());
        assert!(!has_certificate, "{case}: a certificate was taken");
        refused.id
    }
}

#[test]
fn a_wallet_takes_no_key_or_certificate_that_could_mark_its_holder() {
    let stage = Stage::new();
    stage.behave();
    // The control: an honest operator behind the same impostor.
    let alva = stage.world.enrol("alva", 1).unwrap();
    let shown = alva.run(&["show"]).unwrap().unwrap();

    // A second key for one week, to the same person who comes again.
    let second = stage.second_manifest(None);
    stage.tamper("/manifest", move |said| {
        said.body = second.clone().into_bytes()
    });
    let passport = stage.world.deployment().passport(1, &[]).unwrap();
    let refused = alva.enrol(&passport).unwrap().unwrap_err();
    assert_eq!(refused.id, "issuer-key-changed");
    assert_eq!(alva.run(&["show"]).unwrap().unwrap(), shown);

    // Nor by way of a manifest that leaves the known key out.
    let empty = stage.manifest_of(None, &[]);
    stage.tamper("/manifest", move |said| {
        said.body = empty.clone().into_bytes();
    });
    let refused = alva.enrol(&passport).unwrap().unwrap_err();
    assert_eq!(refused.id, "manifest-invalid");
    let now = clock::now().epoch();
    let next_alone = stage.manifest_of(None, &[now.next()]);
    stage.tamper("/manifest", move |said| {
        said.body = next_alone.clone().into_bytes();
    });
    let refused = alva.enrol(&passport).unwrap().unwrap_err();
    assert_eq!(refused.id, "manifest-invalid");
    assert_eq!(alva.run(&["show"]).unwrap().unwrap(), shown);

    let forged = stage.second_manifest(Some(SigningKey::generate()));
    stage.tamper("/manifest", move |said| {
        said.body = forged.clone().into_bytes()
    });
    assert_eq!(
        stage.refused("a forged manifest", "bero", 2),
        "manifest-invalid"
    );

    stage.tamper_json("/credential", |answer| {
        let at = answer.pointer_mut("/credentials/0/credential").unwrap();
        let mut octets =
            jose::decode(at.as_str().unwrap().split('.').next_back().unwrap()).unwrap();
        let last = octets.len() - 1;
        octets[last] ^= 1;
        let whole = at.as_str().unwrap().to_owned();
        let head = whole.rsplit_once('.').map_or("", |(head, _)| head);
        let dot = if head.is_empty() { "" } else { "." };
        *at = json!(format!("{head}{dot}{}", jose::encode(octets)));
    });
    assert_eq!(
        stage.refused("a bad signature", "bero", 2),
        "answer-invalid"
    );

    // The register has this person by now, and the wallet its secrets: the next try is a restoral.
    stage.behave();
    let passport = stage.world.deployment().passport(2, &[]).unwrap();
    let bero = stage.world.wallet("bero");
    bero.enrol(&passport).unwrap().unwrap();
    let login = stage.world.log_in(Party::ForumGateway, &bero).unwrap();
    assert_eq!(login.outcome, "signed-up");
}

#[test]
fn answers_that_do_not_fit_what_was_sent_are_refused_and_the_enrolment_can_be_repeated() {
    let stage = Stage::new();
    let before = stage.world.register_rows().unwrap();
    let refused = |case: &str, id: &str| {
        assert_eq!(stage.refused(case, "alva", 1), id, "{case}");
        assert_eq!(stage.world.register_rows().unwrap(), before, "{case}");
    };

    stage.tamper_json("/commitment", |answer| {
        answer["entropy"] = json!(jose::encode([7; 32]))
    });
    refused("other entropy", "answer-invalid");
    stage.tamper_json("/commitment", |answer| {
        let point = answer["commitment"].as_str().unwrap();
        let mut octets = jose::decode(point).unwrap();
        octets[0] ^= 0x20;
        answer["commitment"] = json!(jose::encode(octets));
    });
    refused("the inverse commitment", "answer-invalid");
    stage.tamper_json("/commitment", |answer| {
        let number = answer["web_number"].as_str().unwrap();
        let other = if number.ends_with('2') { "3" } else { "2" };
        answer["web_number"] = json!(format!("{}{other}", &number[..number.len() - 1]));
    });
    refused("another web number", "answer-invalid");
    stage.tamper_json("/commitment", |answer| {
        let issuer = json!("https://elsewhere.localhost");
        answer["credential_offer"]["credential_issuer"] = issuer;
    });
    refused("another issuer", "server-failed");
    stage.tamper_json("openid-credential-issuer", |metadata| {
        metadata["credential_endpoint"] = json!("http://operator.localhost/credential");
    });
    refused("an endpoint without TLS", "server-failed");

    for (case, change) in [
        ("empty", Vec::new()),
        ("no JSON", b"<html></html>".to_vec()),
        ("binary", vec![0xff; 64]),
        ("truncated", b"{\"id\": \"".to_vec()),
    ] {
        for step in ["/enrolment", "/commitment", "/manifest", "/nonce", "/token"] {
            let body = change.clone();
            stage.tamper(step, move |said| said.body.clone_from(&body));
            let id = stage.refused(&format!("{step} {case}"), "alva", 1);
            let expected = if step == "/manifest" && std::str::from_utf8(&change).is_ok() {
                "manifest-invalid"
            } else {
                "server-failed"
            };
            assert_eq!(id, expected, "{step} {case}");
        }
    }
    stage.tamper("/enrolment", |said| said.body = vec![b' '; 5 << 20]);
    refused("oversized", "answer-too-large");
    stage.tamper("/token", |said| {
        said.status = StatusCode::SERVICE_UNAVAILABLE;
        said.body = br#"{"id": "overloaded", "detail": "later"}"#.to_vec();
    });
    refused("busy", "overloaded");

    stage.behave();
    stage.world.enrol("alva", 1).unwrap();
    assert_eq!(stage.world.register_rows().unwrap().len(), before.len() + 4);
}

#[test]
fn attributes_that_could_mark_their_holder_are_not_certified() {
    let stage = Stage::new();
    for (item, value) in [
        ("family_name", "ERIKA  MUSTERMANN "),
        ("given_name", "erika"),
        ("sex", "x"),
        ("nationality", "UTX"),
        ("document_class", "P7"),
        ("document_number", ""),
        ("assurance_level", "substantial-3"),
        ("guardianship", "A"),
    ] {
        let real = stage.real.clone();
        stage.impostor.behave(move |asked| {
            let mut said = real.ask(asked);
            let mut answer = serde_json::from_slice::<Value>(&said.body).unwrap_or_default();
            if let Some(attributes) = answer.get_mut("attributes").filter(|old| old.is_object()) {
                attributes[item] = json!(value);
                said.body = answer.to_string().into_bytes();
            }
            said
        });
        assert_eq!(
            stage.refused(item, "alva", 1),
            "attributes-differ",
            "{item}"
        );
    }
    // Nor a generation, which every site would see.
    stage.impostor.behave({
        let real = stage.real.clone();
        move |asked| {
            let mut said = real.ask(asked);
            let mut answer = serde_json::from_slice::<Value>(&said.body).unwrap_or_default();
            if answer.get("generation").is_some_and(Value::is_string) {
                answer["generation"] = json!("2");
                said.body = answer.to_string().into_bytes();
            }
            said
        }
    });
    assert_eq!(stage.refused("generation", "alva", 1), "attributes-differ");
    stage.behave();
    stage.world.enrol("alva", 1).unwrap();
}
