use getrandom::SysRng;
use proptest::prelude::*;
use rand_core::UnwrapErr;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::json;

use super::*;
use crate::vp::sign_in::{self, Ask};
use credential::jose::jwe::DecryptionKey;

const NOW: UnixTime = UnixTime(1_800_000_000);

fn identity() -> (SigningKey, Vec<u8>) {
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let params = CertificateParams::new(vec!["gateway.example".to_owned()]).unwrap();
    let certificate = params.self_signed(&pair).unwrap().der().to_vec();
    (
        SigningKey::from_pkcs8(&pair.serialize_der()).ok().unwrap(),
        certificate,
    )
}

fn signer() -> RequestSigner {
    let (key, certificate) = identity();
    RequestSigner::new(key, vec![certificate]).ok().unwrap()
}

fn request(signer: &RequestSigner) -> RequestObject {
    let key = DecryptionKey::generate();
    let metadata = ClientMetadata::new(*key.public(), &["bauta_account", "bauta_certificate"]);
    let query = sign_in::query(Ask::AccountOrCertificate, &["generation"], None).unwrap();
    let uri = HttpsUri::parse("https://gateway.example/response/1").unwrap();
    signer
        .request(uri, metadata, query, &mut UnwrapErr(SysRng))
        .valid_for(NOW, 300)
        .with_attestation("bauta_site_entry", json!("a.b.c"))
}

fn verify(
    signer: &RequestSigner,
    request: &impl Serialize,
) -> Result<VerifiedRequest, RequestError> {
    let header = Header {
        x5c: signer.chain.clone(),
        ..Header::of_type(TYP)
    };
    let compact = jws::sign_with_header(&signer.key, &header, request);
    UnverifiedRequest::parse(&compact)?.verify(signer.client_id, NOW)
}

#[test]
fn a_signed_request_is_verified_with_all_it_says() {
    let signer = signer();
    let (request, another) = (request(&signer), request(&signer));
    let compact = signer.sign(&request);
    let verified = UnverifiedRequest::parse(&compact).ok().unwrap();
    let verified = verified.verify(signer.client_id(), NOW).unwrap();
    assert_eq!(verified.request(), &request);
    assert_eq!(verified.sha256(), sha256(compact.as_bytes()));
    assert_eq!(
        request.attestation("bauta_site_entry"),
        Some(&json!("a.b.c"))
    );
    assert_eq!(request.attestation("other"), None);
    assert_ne!(request.nonce, another.nonce);
}

#[test]
fn the_members_have_the_names_of_the_specification() {
    let signer = signer();
    let value = serde_json::to_value(request(&signer)).unwrap();
    let mut names: Vec<_> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    let expected = [
        "aud",
        "client_id",
        "client_metadata",
        "dcql_query",
        "exp",
        "iat",
        "nonce",
        "response_mode",
        "response_type",
        "response_uri",
        "state",
        "verifier_info",
    ];
    assert_eq!(names, expected);
    assert_eq!(value["client_id"], signer.client_id().to_string());
    assert_eq!(
        value["verifier_info"],
        json!([{"format": "bauta_site_entry", "data": "a.b.c"}])
    );
}

#[test]
fn requests_that_say_something_else_are_refused_though_signed() {
    let signer = signer();
    let good = serde_json::to_value(request(&signer)).unwrap();
    let malformed = RequestError::Jws(JwsError::Payload);
    let cases = [
        ("response_type", json!("code"), RequestError::ResponseType),
        (
            "response_mode",
            json!("direct_post"),
            RequestError::ResponseMode,
        ),
        (
            "response_mode",
            json!("fragment"),
            RequestError::ResponseMode,
        ),
        ("response_uri", json!("http://gateway.example/"), malformed),
        ("response_uri", Value::Null, malformed),
        ("nonce", json!("a b"), malformed),
        ("nonce", json!(""), malformed),
        ("state", json!("ä"), malformed),
        (
            "aud",
            json!("https://wallet.example"),
            RequestError::Audience,
        ),
        ("exp", json!(NOW.0), RequestError::Expired),
        ("dcql_query", json!({"credentials": []}), malformed),
        (
            "client_metadata",
            json!({"jwks": {"keys": []}}),
            MetadataError::Key.into(),
        ),
        (
            "client_id",
            json!("redirect_uri:https://gateway.example/"),
            malformed,
        ),
        (
            "client_id",
            json!(ClientId::of_certificate(&[]).to_string()),
            RequestError::ClientId,
        ),
        (
            "redirect_uri",
            json!("https://gateway.example/"),
            RequestError::Contradiction,
        ),
        ("scope", json!("openid"), RequestError::Contradiction),
        (
            "transaction_data",
            json!(["e30"]),
            RequestError::TransactionData,
        ),
        ("verifier_info", json!([]), RequestError::VerifierInfo),
        (
            "verifier_info",
            json!([{"format": "f", "data": 1}]),
            RequestError::VerifierInfo,
        ),
        (
            "verifier_info",
            json!([{"format": "f", "data": "d", "credential_ids": ["other"]}]),
            RequestError::VerifierInfo,
        ),
    ];
    for (member, value, error) in cases {
        let mut changed = good.clone();
        changed[member] = value.clone();
        assert_eq!(
            verify(&signer, &changed).err(),
            Some(error),
            "{member} {value}"
        );
    }
    let mut more = good;
    more["iss"] = json!("ignored");
    more["unknown"] = json!({});
    assert!(verify(&signer, &more).is_ok());
}

#[test]
fn a_request_is_answered_until_the_second_it_expires() {
    let signer = signer();
    let compact = signer.sign(&request(&signer));
    let unverified = UnverifiedRequest::parse(&compact).ok().unwrap();
    let at = |secs| {
        unverified
            .verify(signer.client_id(), NOW.plus_secs(secs))
            .err()
    };
    assert_eq!(at(299), None);
    assert_eq!(at(300), Some(RequestError::Expired));
    assert_eq!(
        unverified.verify(signer.client_id(), UnixTime(0)).err(),
        Some(RequestError::CertificateExpired)
    );
}

#[test]
fn another_verifier_certificate_key_or_type_is_refused() {
    let (ours, other) = (signer(), signer());
    let request = request(&ours);
    let parse = |compact: &str| UnverifiedRequest::parse(compact).ok().unwrap();
    let compact = ours.sign(&request);
    assert_eq!(
        parse(&compact).verify(other.client_id(), NOW).err(),
        Some(RequestError::ClientId)
    );
    // Our certificate shown by someone who does not hold its key.
    let header = Header {
        x5c: ours.chain.clone(),
        ..Header::of_type(TYP)
    };
    let stolen = jws::sign_with_header(&other.key, &header, &request);
    let refused = parse(&stolen).verify(ours.client_id(), NOW).err();
    assert_eq!(refused, Some(RequestError::Jws(JwsError::Signature)));
    // The right hash is in the link, but the certificate is another one.
    let header = Header {
        x5c: other.chain.clone(),
        ..Header::of_type(TYP)
    };
    let swapped = jws::sign_with_header(&other.key, &header, &request);
    assert_eq!(
        parse(&swapped).verify(ours.client_id(), NOW).err(),
        Some(RequestError::ClientId)
    );
    let plain = jws::sign(&ours.key, TYP, &request);
    assert_eq!(
        parse(&plain).verify(ours.client_id(), NOW).err(),
        Some(RequestError::NoCertificate)
    );
    for typ in ["JWT", "application/oauth-authz-req+jwt"] {
        let header = Header {
            x5c: ours.chain.clone(),
            ..Header::of_type(typ)
        };
        let typed = jws::sign_with_header(&ours.key, &header, &request);
        let refused = parse(&typed).verify(ours.client_id(), NOW).err();
        assert_eq!(refused, Some(RequestError::Jws(JwsError::Type)));
    }
}

#[test]
fn a_signer_needs_the_certificate_of_its_own_key() {
    let (key, _) = identity();
    let (_, certificate) = identity();
    assert_eq!(
        RequestSigner::new(key, vec![certificate]).err(),
        Some(RequestError::Key)
    );
    let (key, _) = identity();
    assert_eq!(
        RequestSigner::new(key, vec![]).err(),
        Some(RequestError::NoCertificate)
    );
}

proptest! {
    #[test]
    fn parsing_never_panics(text in "[A-Za-z0-9_.-]{0,80}|\\PC{0,40}") {
        prop_assert!(UnverifiedRequest::parse(&text).is_err());
    }

    #[test]
    fn payloads_never_panic(text in "\\PC{0,80}") {
        let _ = serde_json::from_str::<RequestObject>(&text);
    }
}
