use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const TYP: &str = "thing+jwt";

/// RFC 7515 appendix A.3.1; its payload is JSON but its header has no `typ`.
const RFC_JWS: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

fn rfc_key() -> PublicKey {
    serde_json::from_value(json!({"kty":"EC","crv":"P-256",
        "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}))
    .unwrap()
}

/// A token signed correctly under any header at all.
fn signed(key: &SigningKey, header: &Value) -> String {
    let input = format!("{}.{}", encode(header.to_string()), encode(r#"{"a":1}"#));
    format!("{input}.{}", encode(key.sign(input.as_bytes())))
}

#[test]
fn the_signature_of_rfc_7515_a3_verifies() {
    let jws = UnverifiedJws::parse(RFC_JWS).unwrap();
    assert_eq!(jws.verify_signature(&rfc_key()), Ok(()));
    assert_eq!(jws.unverified_payload::<Value>().unwrap()["iss"], "joe");
    let other = SigningKey::generate();
    assert_eq!(
        jws.verify_signature(other.public()),
        Err(JwsError::Signature)
    );
    // Without a type it is never accepted as one of ours.
    assert_eq!(jws.verify::<Value>(&rfc_key(), ""), Err(JwsError::Type));
}

#[test]
fn what_is_signed_is_verified_and_read() {
    let key = SigningKey::generate();
    let header = Header {
        typ: Some(TYP.into()),
        kid: Some("k".into()),
        jwk: Some(*key.public()),
        x5c: vec![vec![0xfb, 0xff], vec![2]],
    };
    let jws = UnverifiedJws::parse(&sign_with_header(&key, &header, &json!({"a": 1}))).unwrap();
    assert_eq!(jws.header(), &header);
    assert_eq!(jws.verify::<Value>(key.public(), TYP), Ok(json!({"a": 1})));
    assert_eq!(
        jws.verify::<Vec<u8>>(key.public(), TYP),
        Err(JwsError::Payload)
    );

    let short = sign(&key, TYP, &json!({"a": 1}));
    let head = decode(short.split('.').next().unwrap()).unwrap();
    assert_eq!(head, br#"{"alg":"ES256","typ":"thing+jwt"}"#);
}

#[test]
fn a_wrong_key_or_type_is_refused() {
    let key = SigningKey::generate();
    let jws = UnverifiedJws::parse(&sign(&key, TYP, &json!({}))).unwrap();
    let other = SigningKey::generate();
    assert_eq!(
        jws.verify::<Value>(other.public(), TYP),
        Err(JwsError::Signature)
    );
    assert_eq!(
        jws.verify::<Value>(key.public(), "other+jwt"),
        Err(JwsError::Type)
    );
    assert_eq!(
        jws.verify::<Value>(key.public(), "THING+JWT"),
        Err(JwsError::Type)
    );
}

#[test]
fn other_algorithms_and_extensions_are_refused_even_when_the_signature_fits() {
    let key = SigningKey::generate();
    let refused = [
        (json!({"alg":"none","typ":TYP}), JwsError::Algorithm),
        (json!({"alg":"es256","typ":TYP}), JwsError::Algorithm),
        (json!({"alg":"HS256","typ":TYP}), JwsError::Algorithm),
        (json!({"alg":"RS256","typ":TYP}), JwsError::Algorithm),
        (json!({"alg":"ES256K","typ":TYP}), JwsError::Algorithm),
        (
            json!({"alg":"EdDSA","typ":TYP,"jwk":{"kty":"OKP"}}),
            JwsError::Algorithm,
        ),
        (json!({"typ":TYP}), JwsError::Malformed),
        (
            json!({"alg":"ES256","typ":TYP,"crit":["exp"],"exp":1}),
            JwsError::Extension,
        ),
        (
            json!({"alg":"ES256","typ":TYP,"crit":[]}),
            JwsError::Extension,
        ),
        (
            json!({"alg":"ES256","typ":TYP,"b64":true}),
            JwsError::Extension,
        ),
        (
            json!({"alg":"ES256","typ":TYP,"x5c":["_w"]}),
            JwsError::Malformed,
        ),
        (
            json!({"alg":"ES256","typ":TYP,"jwk":{"kty":"EC"}}),
            JwsError::Malformed,
        ),
        (json!(["ES256"]), JwsError::Malformed),
    ];
    for (header, error) in refused {
        let parsed = UnverifiedJws::parse(&signed(&key, &header));
        assert_eq!(parsed.err(), Some(error), "{header}");
    }
    // Unknown members that are not critical are ignored.
    let jws = UnverifiedJws::parse(&signed(&key, &json!({"alg":"ES256","typ":TYP,"n":1}))).unwrap();
    assert!(jws.verify::<Value>(key.public(), TYP).is_ok());
}

#[test]
fn a_header_member_given_twice_is_refused() {
    let key = SigningKey::generate();
    let input = format!(
        "{}.{}",
        encode(r#"{"alg":"ES256","alg":"ES256"}"#),
        encode("{}")
    );
    let compact = format!("{input}.{}", encode(key.sign(input.as_bytes())));
    assert_eq!(
        UnverifiedJws::parse(&compact).err(),
        Some(JwsError::Malformed)
    );
}

#[test]
fn a_changed_byte_anywhere_is_refused() {
    let key = SigningKey::generate();
    let compact = sign(&key, TYP, &json!({"sub": "someone"}));
    for at in 0..compact.len() {
        let mut bytes = compact.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let text = String::from_utf8(bytes).unwrap();
        let refused = UnverifiedJws::parse(&text)
            .and_then(|jws| jws.verify::<Value>(key.public(), TYP))
            .is_err();
        assert!(refused, "byte {at}");
    }
}

#[test]
fn truncated_extended_and_oversized_tokens_are_refused() {
    let key = SigningKey::generate();
    let compact = sign(&key, TYP, &json!({}));
    for end in 0..compact.len() {
        let verified = UnverifiedJws::parse(&compact[..end])
            .and_then(|jws| jws.verify::<Value>(key.public(), TYP));
        assert!(verified.is_err(), "cut at {end}");
    }
    for text in [
        format!("{compact}."),
        format!("{compact}.AA"),
        format!(" {compact}"),
    ] {
        assert_eq!(UnverifiedJws::parse(&text).err(), Some(JwsError::Malformed));
    }
    let long = sign(&key, TYP, &json!({"a": "x".repeat(MAX_BYTES)}));
    assert_eq!(UnverifiedJws::parse(&long).err(), Some(JwsError::TooLong));
}

proptest! {
    #[test]
    fn parsing_never_panics(text in "[A-Za-z0-9_.=-]{0,200}|\\PC{0,80}") {
        let _ = UnverifiedJws::parse(&text);
    }

    #[test]
    fn headers_never_panic(header in "\\PC{0,80}") {
        let _ = UnverifiedJws::parse(&format!("{}.e30.{}", encode(header), encode([0; 64])));
    }
}
