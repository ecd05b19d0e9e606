//! Targets of `credential::jose`.

use credential::jose::jwe::{self, Jwe};
use credential::jose::jws::{self, Header, UnverifiedJws};
use credential::jose::{self, Jwk, PublicKey, SigningKey, encode};
use serde_json::{Map, Value};

use crate::Target;
use crate::input::{json_both_ways, text};
use crate::world::{self, KEY, REQUEST_CERTIFICATE};

pub(crate) const TARGETS: [Target; 4] = [
    Target::new("base64url", base64url, base64url_seeds),
    Target::new("jwk", jwk, jwk_seeds),
    Target::new("jws", jws, jws_seeds),
    Target::new("jwe", jwe, jwe_seeds),
];

/// What is decoded has one spelling, and everything can be encoded.
fn base64url(data: &[u8]) -> bool {
    assert_eq!(jose::decode(&encode(data)).as_deref(), Ok(data));
    let Some(text) = text(data) else {
        return false;
    };
    jose::decode(text).is_ok_and(|decoded| {
        assert_eq!(encode(decoded), text);
        true
    })
}

fn base64url_seeds() -> Vec<Vec<u8>> {
    ["", "AA", "_-8", "AAEC"]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
}

/// A JWK, a point, a private key.
fn jwk(data: &[u8]) -> bool {
    let point = PublicKey::from_sec1(data);
    if let Ok(key) = point {
        assert_eq!(key.sec1(), data);
    }
    let private = SigningKey::from_pkcs8(data);
    if let Ok(key) = &private {
        let again = SigningKey::from_pkcs8(&key.to_pkcs8()).expect("its own encoding");
        assert_eq!(again.public(), key.public());
    }
    let jwk = json_both_ways::<Jwk>(data);
    let bare = json_both_ways::<PublicKey>(data);
    point.is_ok() || private.is_ok() || jwk.is_some() || bare.is_some()
}

fn jwk_seeds() -> Vec<Vec<u8>> {
    let json = |jwk: &Jwk| serde_json::to_vec(jwk).expect("a key is JSON");
    vec![
        json(&Jwk::for_signatures(*KEY.public())),
        json(&Jwk::for_encryption(*KEY.public())),
        KEY.public().sec1().to_vec(),
        KEY.to_pkcs8().to_vec(),
    ]
}

/// A compact form, or a header around a payload and a signature that hold.
fn jws(data: &[u8]) -> bool {
    let whole = text(data).and_then(|text| UnverifiedJws::parse(text).ok());
    if let Some(jws) = &whole {
        let _ = jws.unverified_payload::<Value>();
        let _ = jws.verify::<Map<String, Value>>(KEY.public(), "JWT");
    }
    let input = format!("{}.{}", encode(data), encode("{}"));
    let compact = format!("{input}.{}", encode(KEY.sign(input.as_bytes())));
    let Ok(jws) = UnverifiedJws::parse(&compact) else {
        return whole.is_some();
    };
    let header = jws.header();
    if let Some(typ) = &header.typ {
        jws.verify::<Map<String, Value>>(KEY.public(), typ)
            .expect("a signature that holds");
    }
    let again = jws::sign_with_header(&KEY, header, &Map::new());
    match UnverifiedJws::parse(&again) {
        Ok(again) => assert_eq!(again.header(), header),
        // Escaped, it may grow beyond what is read.
        Err(_) => assert!(again.len() > jws::MAX_BYTES),
    }
    true
}

fn jws_seeds() -> Vec<Vec<u8>> {
    let header = Header {
        typ: Some("JWT".into()),
        kid: Some("k".into()),
        jwk: Some(*KEY.public()),
        x5c: vec![REQUEST_CERTIFICATE.clone()],
    };
    let decode = |header: &Header| jose::decode(&world::jws_header(header)).expect("base64url");
    vec![
        decode(&header),
        decode(&Header::of_type("JWT")),
        world::signed_as("JWT", br#"{"a":1}"#).into_bytes(),
    ]
}

/// A compact form, or a header before parts of the right lengths.
fn jwe(data: &[u8]) -> bool {
    let key = world::decryption_key();
    let whole = text(data).and_then(|text| Jwe::parse(text).ok());
    let opened = whole.is_some_and(|jwe| {
        let _ = (jwe.kid(), jwe.enc().name(), jwe.apu(), jwe.apv());
        jwe.decrypt(&key).is_ok()
    });
    let (iv, tag) = (encode([1; 12]), encode([2; 16]));
    let header = Jwe::parse(&format!("{}..{iv}.AA.{tag}", encode(data)));
    if let Ok(jwe) = &header {
        assert!(jwe.decrypt(&key).is_err());
    }
    opened || header.is_ok()
}

fn jwe_seeds() -> Vec<Vec<u8>> {
    let parameters = jwe::Parameters {
        enc: jwe::ContentEncryption::A128GCM,
        kid: Some("k"),
        apu: b"u",
        apv: b"v",
    };
    let key = world::decryption_key();
    let seeds = [parameters, jwe::Parameters::A256GCM].map(|parameters| {
        let compact = jwe::encrypt(key.public(), &parameters, b"{}").expect("encrypted");
        let (header, _) = compact.split_once('.').expect("a JWE has parts");
        [
            jose::decode(header).expect("base64url"),
            compact.into_bytes(),
        ]
    });
    seeds.concat()
}
