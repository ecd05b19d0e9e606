use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const ALL: Parameters<'_> = Parameters {
    enc: ContentEncryption::A128GCM,
    kid: Some("k"),
    apu: b"Alice",
    apv: b"Bob",
};

/// A JWE with its header replaced, so that only the header can be what is refused.
fn with_header(compact: &str, change: impl FnOnce(&mut Value)) -> String {
    let (header, rest) = compact.split_once('.').unwrap();
    let mut header: Value = serde_json::from_slice(&decode(header).unwrap()).unwrap();
    change(&mut header);
    format!("{}.{rest}", encode(header.to_string()))
}

#[test]
fn the_key_of_rfc_7518_appendix_c_is_derived() {
    let d = decode("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw").unwrap();
    let bob = DecryptionKey::from_bytes(&d.try_into().unwrap()).unwrap();
    assert_eq!(
        serde_json::to_value(bob.public()).unwrap(),
        json!({"kty":"EC","crv":"P-256",
            "x":"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
            "y":"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck"})
    );
    let alice: PublicKey = serde_json::from_value(json!({"kty":"EC","crv":"P-256",
        "x":"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
        "y":"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"}))
    .unwrap();
    let key = bob
        .derive(&alice, ContentEncryption::A128GCM, b"Alice", b"Bob")
        .unwrap();
    assert_eq!(encode(key.as_slice()), "VqqN6vgjbSBcIijNcacQGg");
    // Everything that goes into the derivation counts.
    let other = bob
        .derive(&alice, ContentEncryption::A256GCM, b"Alice", b"Bob")
        .unwrap();
    assert_eq!(other.len(), 32);
    assert_ne!(key[..], other[..16]);
    for (apu, apv) in [("Bob", "Alice"), ("Alice", ""), ("AliceB", "ob")] {
        let other = bob
            .derive(&alice, ALL.enc, apu.as_bytes(), apv.as_bytes())
            .unwrap();
        assert_ne!(key, other);
    }
}

#[test]
fn what_is_encrypted_is_decrypted_by_its_recipient_alone() {
    let key = DecryptionKey::generate();
    for parameters in [ALL, Parameters::A256GCM] {
        let compact = encrypt(key.public(), &parameters, b"hello").unwrap();
        let jwe = Jwe::parse(&compact).unwrap();
        assert_eq!(jwe.kid(), parameters.kid);
        assert_eq!(jwe.enc(), parameters.enc);
        assert_eq!((jwe.apu(), jwe.apv()), (parameters.apu, parameters.apv));
        assert_eq!(key.decrypt(&compact).unwrap().as_slice(), b"hello");
        let other = DecryptionKey::generate();
        assert_eq!(other.decrypt(&compact).unwrap_err(), JweError::Decryption);
    }
    let again = encrypt(key.public(), &ALL, b"hello").unwrap();
    assert_ne!(again, encrypt(key.public(), &ALL, b"hello").unwrap());
    assert_eq!(
        key.decrypt(&encrypt(key.public(), &ALL, b"").unwrap())
            .unwrap()
            .len(),
        0
    );
}

#[test]
fn a_decryption_key_survives_its_bytes() {
    let key = DecryptionKey::generate();
    let again = DecryptionKey::from_bytes(&key.to_bytes()).unwrap();
    assert_eq!(again.public(), key.public());
    assert_eq!(
        DecryptionKey::from_bytes(&[0; 32]).err(),
        Some(JweError::Key)
    );
    assert_eq!(
        DecryptionKey::from_bytes(&[0xff; 32]).err(),
        Some(JweError::Key)
    );
}

#[test]
fn other_algorithms_extensions_and_compression_are_refused() {
    let key = DecryptionKey::generate();
    let compact = encrypt(key.public(), &ALL, b"hello").unwrap();
    let refused = [
        ("alg", json!("ECDH-ES+A256KW"), JweError::Algorithm),
        ("alg", json!("dir"), JweError::Algorithm),
        ("alg", json!("RSA-OAEP"), JweError::Algorithm),
        ("alg", json!("none"), JweError::Algorithm),
        ("enc", json!("A256CBC-HS512"), JweError::Algorithm),
        ("enc", Value::Null, JweError::Malformed),
        ("epk", Value::Null, JweError::Malformed),
        ("apu", json!("*"), JweError::Malformed),
        ("crit", json!(["exp"]), JweError::Extension),
        ("zip", json!("DEF"), JweError::Extension),
    ];
    for (member, value, error) in refused {
        let changed = with_header(&compact, |header| header[member] = value.clone());
        assert_eq!(
            key.decrypt(&changed).unwrap_err(),
            error,
            "{member} {value}"
        );
    }
    // The header is authenticated, whatever it says.
    let renamed = with_header(&compact, |header| header["kid"] = "other".into());
    assert_eq!(key.decrypt(&renamed).unwrap_err(), JweError::Decryption);
}

#[test]
fn an_ephemeral_key_off_the_curve_is_refused() {
    let key = DecryptionKey::generate();
    let compact = encrypt(key.public(), &ALL, b"hello").unwrap();
    let swapped = with_header(&compact, |header| {
        header["epk"]["y"] = header["epk"]["x"].clone()
    });
    assert_eq!(Jwe::parse(&swapped).err(), Some(JweError::Malformed));
    let zero = with_header(&compact, |header| {
        header["epk"] = json!({"kty":"EC","crv":"P-256","x":encode([0; 32]),"y":encode([0; 32])});
    });
    assert_eq!(Jwe::parse(&zero).err(), Some(JweError::Malformed));
}

#[test]
fn changed_truncated_extended_and_oversized_messages_are_refused() {
    let key = DecryptionKey::generate();
    let compact = encrypt(key.public(), &ALL, b"hello").unwrap();
    for at in 0..compact.len() {
        let mut bytes = compact.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        assert!(
            key.decrypt(std::str::from_utf8(&bytes).unwrap()).is_err(),
            "byte {at}"
        );
        assert!(key.decrypt(&compact[..at]).is_err(), "cut at {at}");
    }
    assert_eq!(
        Jwe::parse(&format!("{compact}.")).err(),
        Some(JweError::Malformed)
    );
    // A key that was encrypted separately has no place in direct agreement.
    assert_eq!(
        Jwe::parse(&compact.replace("..", ".AA.")).err(),
        Some(JweError::Malformed)
    );
    let long = encrypt(key.public(), &ALL, &vec![0; MAX_BYTES]).unwrap();
    assert_eq!(Jwe::parse(&long).err(), Some(JweError::TooLong));
}

proptest! {
    #[test]
    fn parsing_never_panics(text in "[A-Za-z0-9_.=-]{0,200}|\\PC{0,80}") {
        let _ = Jwe::parse(&text);
    }

    #[test]
    fn headers_never_panic(header in "\\PC{0,80}") {
        let _ = Jwe::parse(&format!("{}..AAAAAAAAAAAAAAAA..{}", encode(header), encode([0; 16])));
    }
}
