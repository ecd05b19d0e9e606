use proptest::prelude::*;
use serde_json::json;

use super::*;

fn id(text: &str) -> QueryId {
    QueryId::parse(text).unwrap()
}

fn presented() -> AuthorizationResponse {
    AuthorizationResponse::Presented {
        vp_token: VpToken::of(id("account"), "a.b.c".to_owned()),
        state: Some(UrlSafe::parse("s").unwrap()),
    }
}

fn refused() -> AuthorizationResponse {
    AuthorizationResponse::Refused(ErrorResponse {
        error: ErrorCode::AccessDenied,
        error_description: None,
        state: Some(UrlSafe::parse("s").unwrap()),
    })
}

/// Encrypts any payload the way a wallet would.
fn jwe(key: &DecryptionKey, payload: &str) -> Jwe {
    let compact = jwe::encrypt(key.public(), &Parameters::A256GCM, payload.as_bytes()).unwrap();
    Jwe::parse(&compact).unwrap()
}

#[test]
fn responses_survive_encryption_and_posting() {
    let key = DecryptionKey::generate();
    let metadata = ClientMetadata::new(*key.public(), &[]);
    for response in [presented(), refused()] {
        let body = response.encrypt(&metadata).unwrap();
        let PostedResponse::Encrypted(jwe) = PostedResponse::parse(&body).ok().unwrap() else {
            panic!("the response is encrypted")
        };
        assert_eq!(jwe.kid(), metadata.jwks.keys[0].kid.as_deref());
        assert_eq!(
            AuthorizationResponse::decrypt(&jwe, &key),
            Ok(response.clone())
        );
        assert_eq!(response.state().unwrap().as_str(), "s");
        let other = DecryptionKey::generate();
        assert_eq!(
            AuthorizationResponse::decrypt(&jwe, &other),
            Err(ResponseError::Jwe(JweError::Decryption))
        );
    }
}

#[test]
fn the_payload_has_the_members_of_the_specification() {
    let value = |response| serde_json::to_value(Payload::from(&response)).unwrap();
    assert_eq!(
        value(presented()),
        json!({"vp_token": {"account": ["a.b.c"]}, "state": "s"})
    );
    assert_eq!(
        value(refused()),
        json!({"error": "access_denied", "state": "s"})
    );
}

#[test]
fn the_encrypted_example_of_the_specification_is_read() {
    // OpenID4VP 1.0 §8.3.
    let d = credential::jose::decode("Et-3ce0omz8_TuZ96Df9lp0GAaaDoUnDe6X-CRO7Aww").unwrap();
    let key = DecryptionKey::from_bytes(&d.try_into().unwrap())
        .ok()
        .unwrap();
    let body = concat!(
        "response=eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTEyOEdDTSIsImtpZCI6ImFjIiwiZXBrIjp7Imt",
        "0eSI6IkVDIiwieCI6Im5ubVZwbTNWM2piaGNhZlFhUkJrU1ZOSGx3Wkh3dC05ck9wSnVmeVlJdWsiLCJ5I",
        "joicjRmakRxd0p5czlxVU9QLV9iM21SNVNaRy0tQ3dPMm1pYzVWU05UWU45ZyIsImNydiI6IlAtMjU2In1",
        "9..uAYcHRUSSn2X0WPX.yVzlGSYG4qbg0bq18JcUiDRw56yVnbKR8E7S7YlEtzT00RqE3Pw5oTpUG3hdLN",
        "4taHZ9gC1kwak8JOnJgQ.1wR024_3-qtAlx1oFIUpQQ"
    );
    let PostedResponse::Encrypted(jwe) = PostedResponse::parse(body).ok().unwrap() else {
        panic!("the example is encrypted")
    };
    assert_eq!(jwe.kid(), Some("ac"));
    let response = AuthorizationResponse::decrypt(&jwe, &key).unwrap();
    let AuthorizationResponse::Presented {
        vp_token,
        state: None,
    } = response
    else {
        panic!("the example presents a credential")
    };
    assert_eq!(
        vp_token.single(),
        Some((&id("example_credential_id"), "eyJhb...YMetA"))
    );
}

#[test]
fn malformed_payloads_are_refused() {
    let key = DecryptionKey::generate();
    for payload in [
        "",
        "[]",
        "{}",
        r#"{"state":"s"}"#,
        r#"{"vp_token":{},"error":"access_denied"}"#,
        r#"{"vp_token":"a"}"#,
        r#"{"vp_token":["a"]}"#,
        r#"{"vp_token":{"a":"b"}}"#,
        r#"{"vp_token":{"a":[1]}}"#,
        r#"{"vp_token":{"":["b"]}}"#,
        r#"{"vp_token":{"a":["b"],"a":["c"]}}"#,
        r#"{"vp_token":{"a":["b"]},"vp_token":{"a":["c"]}}"#,
        r#"{"vp_token":{"a":["b"]},"state":"ä"}"#,
    ] {
        let refused = AuthorizationResponse::decrypt(&jwe(&key, payload), &key);
        assert_eq!(refused, Err(ResponseError::Payload), "{payload}");
    }
    let more = jwe(&key, r#"{"vp_token":{"a":[{"b":1}]},"iss":"x"}"#);
    assert!(AuthorizationResponse::decrypt(&more, &key).is_ok());
}

#[test]
fn posts_that_are_not_encrypted_are_errors_or_refused() {
    let parse = |body| PostedResponse::parse(body);
    let PostedResponse::Error(error) =
        parse("error=access_denied&error_description=no+thanks&state=s")
            .ok()
            .unwrap()
    else {
        panic!("an error was posted")
    };
    assert_eq!(error.error, ErrorCode::AccessDenied);
    assert_eq!(error.error_description.as_deref(), Some("no thanks"));
    let PostedResponse::Error(error) = parse("error=strange").ok().unwrap() else {
        panic!("an error was posted")
    };
    assert_eq!(error.error, ErrorCode::Unknown);
    assert_eq!(
        parse("vp_token=%7B%7D").err(),
        Some(ResponseError::Unencrypted)
    );
    assert_eq!(parse("state=s").err(), Some(ResponseError::Payload));
    assert_eq!(
        parse("error=x&state=%20").err(),
        Some(ResponseError::Payload)
    );
    assert_eq!(
        parse("response=a.b.c").err(),
        Some(ResponseError::Jwe(JweError::Malformed))
    );
    assert_eq!(
        parse("response=a&response=b").err(),
        Some(FormError::Repeated.into())
    );
}

#[test]
fn answers_are_counted_against_the_query() {
    let query: Query = serde_json::from_value(json!({
        "credentials": [
            {"id": "account", "format": "f", "meta": {}},
            {"id": "many", "format": "f", "meta": {}, "multiple": true}
        ],
        "credential_sets": [{"options": [["account"], ["many"]]}]
    }))
    .unwrap();
    let text = || Presentation::Text("a".to_owned());
    let token =
        |name, count: usize| VpToken::default().and(id(name), (0..count).map(|_| text()).collect());
    assert_eq!(token("account", 1).check(&query), Ok(()));
    assert_eq!(token("many", 2).check(&query), Ok(()));
    assert_eq!(
        token("account", 2).check(&query),
        Err(ResponseError::Number)
    );
    assert_eq!(
        token("account", 0).check(&query),
        Err(ResponseError::Number)
    );
    assert_eq!(token("other", 1).check(&query), Err(ResponseError::Unasked));
    assert_eq!(
        VpToken::default().check(&query),
        Err(ResponseError::Unsatisfied)
    );
    assert_eq!(token("many", 2).single(), None);
    assert_eq!(
        (
            token("many", 2).get("many").len(),
            token("many", 2).get("x").len()
        ),
        (2, 0)
    );
}

#[test]
fn the_answer_to_a_post_is_an_object() {
    assert_eq!(
        serde_json::to_value(PostAnswer::default()).unwrap(),
        json!({})
    );
    let answer: PostAnswer =
        serde_json::from_value(json!({"redirect_uri": "https://a.example/#x", "y": 1})).unwrap();
    assert_eq!(answer.redirect_uri.as_deref(), Some("https://a.example/#x"));
}

proptest! {
    #[test]
    fn parsing_never_panics(text in "(response=|error=)?[A-Za-z0-9_.%=&-]{0,80}|\\PC{0,40}") {
        let _ = PostedResponse::parse(&text);
    }

    #[test]
    fn payloads_never_panic(text in "\\PC{0,80}") {
        let _ = serde_json::from_str::<Payload>(&text);
    }
}
