//! Targets of `wallet`, and short texts of several crates.

use std::sync::LazyLock;

use credential::attributes::{Attributes, Generation};
use credential::jose::SigningKey;
use credential::manifest::Manifest;
use openid4vc::Secret;
use openid4vc::oauth::{CodeChallenge, CodeVerifier};
use serde::de::DeserializeOwned;
use service::enrolment;
use wallet::device::DeviceKeys;
use wallet::enrol::{self, Begun, Committed, Draft, Notice, Session};
use wallet::present::Request;
use wallet::seal::DeviceIdentity;
use wallet::vault::{OperatorTrust, Person, SiteState, StoredCertificate, Vault};

use crate::Target;
use crate::input::{json_both_ways, text};
use crate::targets_vp;
use crate::world::{self, KEY, NOW, WORLD, rng, signed};

pub(crate) const TARGETS: [Target; 6] = [
    Target::new("vault", vault, vault_seeds),
    Target::new("device_keys", device_keys, device_keys_seeds),
    Target::new("sealed", sealed, sealed_seeds),
    Target::new(
        "enrolment_answers",
        enrolment_answers,
        enrolment_answers_seeds,
    ),
    Target::new(
        "wallet_request",
        wallet_request,
        targets_vp::request_object_seeds,
    ),
    Target::new("short_texts", short_texts, short_texts_seeds),
];

fn trust() -> OperatorTrust {
    OperatorTrust {
        origin: world::origin(),
        operator_key: *KEY.public(),
    }
}

fn person() -> Person {
    let world = &*WORLD;
    Person::new(&world.secrets, &world.blind, &world.commitment)
}

fn a_vault() -> Vault {
    let mut vault = Vault::new(trust());
    vault.person = Some(person());
    vault.registered = true;
    let manifest = Manifest::sign(&world::origin(), &[WORLD.issuer_key()], NOW, &KEY);
    vault
        .accept_manifest(&manifest, NOW)
        .expect("an honest operator");
    vault.set_site(&world::site_entry(), SiteState::Joined, NOW);
    vault
}

fn some_keys() -> DeviceKeys {
    let world = &*WORLD;
    let certificate = StoredCertificate::new(
        &world.signature,
        &world.issuer_key(),
        &world.slots,
        &world.request.blind,
    );
    let mut keys = DeviceKeys::default();
    keys.keep_enrolled(certificate, NOW, &mut rng());
    keys.holder().expect("a key");
    keys.site_or_new(world.site.origin()).expect("a key");
    keys
}

/// The vault's document, and the wallet's look at everything in it.
fn vault(data: &[u8]) -> bool {
    json_both_ways::<OperatorTrust>(data);
    let Some(mut vault) = json_both_ways::<Vault>(data) else {
        return false;
    };
    let _ = vault.site(WORLD.site.origin());
    vault.set_site(&world::site_entry(), SiteState::NewDevice, NOW);
    let manifest = Manifest::sign(&world::origin(), &[WORLD.issuer_key()], NOW, &KEY);
    let _ = vault.accept_manifest(&manifest, NOW);
    vault.person.is_some_and(|person| {
        let _ = (
            person.blind(),
            person.commitment(),
            Generation::parse(person.generation()),
        );
        person.nym_secrets().is_ok() && person.web_number().is_ok()
    })
}

fn vault_seeds() -> Vec<Vec<u8>> {
    let json = |vault: &Vault| serde_json::to_vec(vault).expect("a vault is JSON");
    vec![json(&a_vault()), json(&Vault::new(trust()))]
}

/// The device's own document: keys and the certificate.
fn device_keys(data: &[u8]) -> bool {
    let Some(mut keys) = json_both_ways::<DeviceKeys>(data) else {
        return false;
    };
    let _ = (
        keys.holder(),
        keys.site(WORLD.site.origin()),
        keys.sites().count(),
    );
    keys.certificate(NOW).is_some_and(|certificate| {
        let _ = (certificate.is_of(&WORLD.keys), certificate.is_accepted(NOW));
        certificate.open(&person()).is_ok()
    })
}

fn device_keys_seeds() -> Vec<Vec<u8>> {
    vec![serde_json::to_vec(&some_keys()).expect("keys are JSON")]
}

/// A text that nothing was sealed to in earnest.
const IDENTITY: &str = "AGE-SECRET-KEY-1F9Y5JJ2FF9Y5JJ2FF9Y5JJ2FF9Y5JJ2FF9Y5JJ2FF9Y5JJ2FF9YS3R4TJN";

/// A sealed document, an identity. Not a backup: each try of a passphrase takes a second.
fn sealed(data: &[u8]) -> bool {
    let identity = text(data).and_then(|text| DeviceIdentity::parse(text).ok());
    if let Some(identity) = &identity {
        let again = DeviceIdentity::parse(&identity.expose()).expect("its own text");
        assert_eq!(again.expose(), identity.expose());
    }
    let opened = DeviceIdentity::parse(IDENTITY)
        .is_ok_and(|identity| identity.open::<serde_json::Value>(data).is_ok());
    identity.is_some() || opened
}

fn sealed_seeds() -> Vec<Vec<u8>> {
    let identity = DeviceIdentity::parse(IDENTITY).expect("an identity");
    let document = identity.seal(&serde_json::json!({"a": 1})).expect("sealed");
    vec![document, IDENTITY.into()]
}

fn json<T: DeserializeOwned>(data: &[u8]) -> Option<T> {
    serde_json::from_slice(data).ok()
}

/// What the operator answers to an enrolling wallet.
fn enrolment_answers(data: &[u8]) -> bool {
    static DRAFT: LazyLock<Draft> = LazyLock::new(|| enrol::register(&world::origin(), "n", &KEY));
    let committed = json::<Committed>(data);
    if let Some(committed) = &committed {
        assert!(
            DRAFT.finish(committed).is_err(),
            "an answer to another draft"
        );
    }
    let session = json::<Session>(data);
    let notice = json::<Notice>(data);
    let begun = json::<Begun>(data);
    if let Some(attributes) = json_both_ways::<Attributes>(data) {
        let _ = attributes.are_well_formed();
    }
    let taken = committed.is_some() || begun.is_some() || notice.is_some();
    // Reads the challenge and whatever else there is of it.
    session.is_some_and(|session| session.face.is_none_or(|face| face.challenge().is_ok())) || taken
}

fn enrolment_answers_seeds() -> Vec<Vec<u8>> {
    let world = &*WORLD;
    let encode = |octets: &[u8]| credential::jose::encode(octets);
    let committed = format!(
        r#"{{"entropy":"{}","commitment":"{}","web_number":"{}"}}"#,
        encode(&[1; 32]),
        encode(&world.commitment.to_bytes()),
        world.slots.web_number
    );
    let attributes = serde_json::to_string(&world::attributes()).expect("attributes are JSON");
    let session = format!(
        r#"{{"state":"confirmed","registered":false,"nonce":"n","attributes":{attributes},
        "generation":"1","refusal":null}}"#
    );
    let begun = br#"{"session":"s","token":"t"}"#.to_vec();
    let before_the_camera = br#"{"state":"awaiting_face","face":{"tries_left":2,"nonce":"n",
        "prompts":[{"movement":"nearer","from_ms":2000,"until_ms":4000}],"end_ms":6000}}"#;
    let notice = br#"{"version":1,"controller":"c","contact":"d","processing":[{"id":"face",
        "data":["a"],"purpose":"p","retention":"r","recipients":[],"otherwise":"o"}],
        "withdrawal":"w"}"#;
    vec![
        committed.into_bytes(),
        session.into_bytes(),
        before_the_camera.to_vec(),
        notice.to_vec(),
        begun,
        attributes.into_bytes(),
    ]
}

/// The payload of a gateway's request, as a wallet with an account takes it.
fn wallet_request(data: &[u8]) -> bool {
    static VAULT: LazyLock<(Vault, DeviceKeys)> = LazyLock::new(|| (a_vault(), some_keys()));
    let compact = signed(&targets_vp::request_header(), data);
    Request::read(&compact, &targets_vp::link(), &trust(), NOW).is_ok_and(|request| {
        assert!(
            request
                .items()
                .iter()
                .all(|item| request.entry().allows(item))
        );
        assert!(
            request
                .response_uri()
                .starts_with("https://login.forum.example")
        );
        let (vault, keys) = &*VAULT;
        let _ = request.choose(vault, keys);
        request.decline().is_ok()
    })
}

/// Key files; the texts of PKCE; the name of an enrolment session.
fn short_texts(data: &[u8]) -> bool {
    let _ = SigningKey::from_pkcs8(data);
    let _ = openid4vc::oidc::RsaSigningKey::from_pkcs8(data);
    let Some(text) = text(data) else {
        return false;
    };
    let session = enrolment::parse_session(text);
    if let Some(session) = session {
        assert_eq!(enrolment::session_text(session), text);
    }
    let challenge = CodeChallenge::parse(text, Some("S256"));
    if let Ok(challenge) = challenge {
        assert_eq!(String::from(challenge), text);
    }
    let verifier = CodeVerifier::parse(Secret::from(text.to_owned()));
    if let Ok(verifier) = &verifier {
        assert!(verifier.challenge().matches(verifier));
    }
    session.is_some() || challenge.is_ok() || verifier.is_ok()
}

fn short_texts_seeds() -> Vec<Vec<u8>> {
    let encode = |octets: &[u8]| credential::jose::encode(octets);
    [encode(&[8; 16]), encode(&[3; 32]), encode(&[4; 32]) + "~"]
        .map(String::into_bytes)
        .to_vec()
}
