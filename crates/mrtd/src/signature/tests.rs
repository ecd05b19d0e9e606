use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::certificate::Certificate;
use crate::trust::pem;

/// Self-signed certificates that OpenSSL made; see the README beside them.
fn vector(name: &str) -> Certificate {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/openssl-3");
    let text = std::fs::read_to_string(folder.join(name).with_extension("pem")).unwrap();
    Certificate::parse(&pem(&text).unwrap()[0]).unwrap()
}

fn self_check(name: &str) -> Result<(), SignatureError> {
    let certificate = vector(name);
    certificate.verify_signed_by(&certificate)
}

#[test]
fn signatures_of_another_implementation_verify() {
    for name in [
        "p256-sha224",
        "p256-sha256",
        "p256-sha512",
        "p384-sha256",
        "p384-sha384",
        "p521-sha256",
        "p521-sha512",
        "rsa2048-pkcs1-sha256",
        "rsa3072-pkcs1-sha512",
        "rsa2048-pss-sha256",
        "rsa3072-pss-sha384-salt20",
        "psskey-sha512",
        "psskey-bound-sha256",
        "p256-explicit-sha256",
        "brainpool256-sha256",
        "p256-sha1",
        "rsa2048-sha1",
        "pss-sha1",
    ] {
        assert_eq!(self_check(name), Ok(()), "{name}");
    }
}

#[test]
fn weak_and_unknown_algorithms_are_refused_by_their_reason() {
    let unsupported = |oid: &str| SignatureError::Unsupported(oid.to_owned());
    for (name, wanted) in [
        ("refused-pss-mask-hash", SignatureError::MaskHash),
        ("refused-rsa1024", SignatureError::KeySize(1024)),
        ("refused-sha3", unsupported("2.16.840.1.101.3.4.3.10")),
    ] {
        assert_eq!(self_check(name), Err(wanted), "{name}");
    }
}

#[test]
fn a_signature_needs_the_key_that_made_it() {
    let (one, other) = (vector("p256-sha256"), vector("p256-sha512"));
    assert_eq!(one.verify_signed_by(&other), Ok(())); // the same key, another hash
    let other = vector("p384-sha256");
    assert_eq!(one.verify_signed_by(&other), Err(SignatureError::Invalid));
    let rsa = vector("rsa2048-pkcs1-sha256");
    assert_eq!(one.verify_signed_by(&rsa), Err(SignatureError::OtherKind));
    assert_eq!(rsa.verify_signed_by(&one), Err(SignatureError::OtherKind));
    let other = vector("rsa3072-pkcs1-sha512");
    assert_eq!(rsa.verify_signed_by(&other), Err(SignatureError::Invalid));
}

#[test]
fn a_key_that_is_bound_to_pss_signs_nothing_else() {
    let bound = vector("psskey-bound-sha256").public_key().unwrap();
    for scheme in [
        Scheme::Pkcs1(Hash::Sha256),
        Scheme::Pss {
            hash: Hash::Sha512,
            salt_len: 32,
        },
        Scheme::Pss {
            hash: Hash::Sha256,
            salt_len: 31,
        },
    ] {
        assert_eq!(
            bound.verify(scheme, b"", &[0; 256]),
            Err(SignatureError::OtherKind)
        );
    }
    let pss_only = vector("psskey-sha512").public_key().unwrap();
    let refused = pss_only.verify(Scheme::Pkcs1(Hash::Sha256), b"", &[0; 256]);
    assert_eq!(refused, Err(SignatureError::OtherKind));
}

#[test]
fn degenerate_ecdsa_values_are_refused() {
    let key = vector("p256-sha256").public_key().unwrap();
    let zeros = [0x30, 6, 2, 1, 0, 2, 1, 0];
    let negative = [0x30, 6, 2, 1, 0x81, 2, 1, 1];
    let ones = [0x30, 6, 2, 1, 1, 2, 1, 1];
    let trailing = [0x30, 6, 2, 1, 1, 2, 1, 1, 0];
    for signature in [&zeros[..], &negative, &ones, &trailing, &[]] {
        let refused = key.verify(Scheme::Ecdsa(Hash::Sha256), b"message", signature);
        assert_eq!(refused, Err(SignatureError::Invalid));
    }
}

proptest! {
    #[test]
    fn no_key_and_no_signature_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = PublicKey::from_spki(&bytes);
        let _ = rsa_key(&bytes, RSA_MIN_BITS);
        let _ = rsa_key(&tlv::element(0x30, &[&tlv::element(2, &[&bytes]), &[2, 1, 3]]), RSA_MIN_BITS);
        let _ = scalars(&bytes);
        let rsa = vector("rsa2048-pkcs1-sha256").public_key().unwrap();
        let pss = Scheme::Pss { hash: Hash::Sha512, salt_len: PSS_MAX_SALT_LEN };
        prop_assert_eq!(rsa.verify(pss, b"", &bytes), Err(SignatureError::Invalid));
    }
}
