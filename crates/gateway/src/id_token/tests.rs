use super::*;
use crate::authentication::{Moment, Transport};
use crate::ids::Subject;
use crate::testing::rng;
use serde_json::Value;

const ISSUER: &str = "https://login.forum.example";

fn keys() -> IdTokenKeys {
    IdTokenKeys::new(SigningKey::generate(), RsaSigningKey::generate().unwrap())
}

fn authentication() -> Authentication {
    Authentication {
        subject: Subject::draw(&mut rng(1)),
        time: UnixTime(1_800_000_000),
        moment: Moment::Unlock,
        transport: Transport::Qr,
        generation: 1,
        items: vec![("family_name".to_owned(), "SPECIMEN".to_owned())],
    }
}

fn signed(keys: &IdTokenKeys, alg: IdTokenAlg) -> String {
    let client = ClientId("forum".to_owned());
    let authentication = authentication();
    let token = IdToken::new(&IdTokenParts {
        issuer: ISSUER,
        client: &client,
        nonce: Some("n"),
        authentication: &authentication,
        access_token: "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y",
        issued: UnixTime(1_800_000_010),
        lifetime_secs: 300,
    });
    keys.sign(alg, &token)
}

fn part(compact: &str, index: usize) -> Value {
    serde_json::from_slice(&decode(compact.split('.').nth(index).unwrap()).unwrap()).unwrap()
}

#[test]
fn the_claims_are_those_of_the_login_and_nothing_more() {
    let token = part(&signed(&keys(), IdTokenAlg::ES256), 1);
    let expected = serde_json::json!({
        "iss": ISSUER, "sub": authentication().subject.to_string(), "aud": "forum",
        "iat": 1_800_000_010_u64, "exp": 1_800_000_310_u64, "auth_time": 1_800_000_000_u64,
        "nonce": "n", "acr": "urn:bauta:acr:unlock", "amr": ["pop", "qr"], "generation": 1,
        // The value of OpenID Connect Core 1.0 appendix A.3 for this access token.
        "at_hash": "77QmUPtjPfzWtF2AnpK9RQ",
    });
    assert_eq!(token, expected);
}

#[test]
fn both_algorithms_verify_with_the_key_the_header_names() {
    let keys = keys();
    let jwks = serde_json::to_value(keys.jwks()).unwrap();
    for (alg, kty) in [(IdTokenAlg::ES256, "EC"), (IdTokenAlg::RS256, "RSA")] {
        let token = signed(&keys, alg);
        let kid = part(&token, 0)["kid"].clone();
        let named = jwks["keys"]
            .as_array()
            .unwrap()
            .iter()
            .find(|key| key["kid"] == kid)
            .unwrap();
        assert_eq!(
            (named["kty"].as_str(), named["use"].as_str()),
            (Some(kty), Some("sig"))
        );
        assert_eq!(keys.read_hint(ISSUER, &token).unwrap().aud, "forum");
    }
}

#[test]
fn a_public_key_set_holds_no_private_member() {
    let text = serde_json::to_string(&keys().jwks()).unwrap();
    for member in ["\"d\"", "\"p\"", "\"q\"", "\"dp\"", "\"dq\"", "\"qi\""] {
        assert!(!text.contains(member), "{member}");
    }
}

#[test]
fn a_token_of_others_or_changed_is_no_hint() {
    let keys = keys();
    for alg in [IdTokenAlg::ES256, IdTokenAlg::RS256] {
        let token = signed(&keys, alg);
        assert_eq!(keys.read_hint("https://other.example", &token), None);
        assert_eq!(self::keys().read_hint(ISSUER, &token), None);
        let (head, rest) = token.split_once('.').unwrap();
        let (_, signature) = rest.split_once('.').unwrap();
        let claims = encode(format!(r#"{{"iss":"{ISSUER}","sub":"x","aud":"forum"}}"#));
        assert_eq!(
            keys.read_hint(ISSUER, &format!("{head}.{claims}.{signature}")),
            None
        );
        assert_eq!(keys.read_hint(ISSUER, &format!("{head}.{claims}.")), None);
    }
    for text in ["", ".", "..", "a.b.c", "e30.e30.e30"] {
        assert_eq!(keys.read_hint(ISSUER, text), None, "{text}");
    }
}

#[test]
fn keys_are_read_back_from_their_documents() {
    let key = RsaSigningKey::generate().unwrap();
    let again = RsaSigningKey::from_pkcs8(&key.to_pkcs8().unwrap()).unwrap();
    assert_eq!(again.jwk(), key.jwk());
    assert_eq!(RsaSigningKey::from_pkcs8(b"").err(), Some(BadRsaKey));
    let ec = SigningKey::generate().to_pkcs8();
    assert_eq!(RsaSigningKey::from_pkcs8(&ec).err(), Some(BadRsaKey));
}
