use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::certificate::Certificate;
use crate::cms::{MESSAGE_DIGEST, SIGNED_DATA, SIGNING_TIME};
use crate::specimen::passport::{ObjectTemplate, security_object};
use crate::specimen::{SignatureKind, SpecimenAuthority, SpecimenSigner};
use crate::time::{Period, UnixTime};

fn signer() -> SpecimenSigner {
    let mut rng = ChaCha20Rng::from_seed([3; 32]);
    let period = Period {
        from: UnixTime(0),
        until: UnixTime(4_000_000_000),
    };
    let kind = SignatureKind::EcdsaP256;
    SpecimenAuthority::generate(kind, period, &mut rng)
        .and_then(|authority| authority.issue_signer(kind, period, period, &mut rng))
        .unwrap()
}

fn with(groups: &[u8], version: u8) -> Vec<u8> {
    let template = ObjectTemplate {
        version,
        hash: Hash::Sha384,
        groups: groups
            .iter()
            .map(|number| (*number, vec![*number; 48]))
            .collect(),
        signed_at: Some(UnixTime(1_000_000_000)),
    };
    security_object(&signer(), &template, &mut ChaCha20Rng::from_seed([4; 32])).unwrap()
}

fn refusal(file: &[u8]) -> SodError {
    SecurityObject::parse(file).err().expect("must be refused")
}

/// Replaces the first occurrence, of the same length.
fn replaced(mut file: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    let place = file
        .windows(from.len())
        .position(|window| window == from)
        .unwrap();
    file[place..place + to.len()].copy_from_slice(to);
    file
}

#[test]
fn both_versions_are_read() {
    for version in [0, 1] {
        let object = SecurityObject::parse(&with(&[1, 2, 16], version)).unwrap();
        assert_eq!(object.hashes.of(16), Some(&[16_u8; 48][..]));
        assert_eq!(object.hashes.of(3), None);
        assert_eq!(object.hashes.hash, Hash::Sha384);
        assert_eq!(
            object.message.signer.attributes.signing_time,
            Some(UnixTime(1_000_000_000))
        );
        assert!(object.message.verify().is_ok());
    }
}

#[test]
fn other_versions_and_group_numbers_are_refused() {
    assert_eq!(refusal(&with(&[1], 2)), SodError::Version);
    for groups in [&[0_u8][..], &[17], &[1, 1], &[0x81]] {
        assert_eq!(
            refusal(&with(groups, 0)),
            SodError::Part("number of a data group")
        );
    }
}

#[test]
fn every_truncation_is_refused() {
    let file = with(&[1, 2], 0);
    for length in 0..file.len() {
        assert_eq!(
            refusal(&file[..length]),
            SodError::Frame(TlvError::Truncated)
        );
    }
}

#[test]
fn trailing_bytes_and_oversized_objects_are_refused() {
    let mut file = with(&[1, 2], 0);
    file.push(0);
    assert_eq!(refusal(&file), SodError::Frame(TlvError::Trailing));
    file.resize(SOD_MAX_LEN + 1, 0);
    assert_eq!(refusal(&file), SodError::TooLarge);
}

#[test]
fn other_contents_hashes_and_messages_are_refused() {
    let der = |oid: ObjectIdentifier| der::Encode::to_der(&oid).unwrap();
    let file = || with(&[1, 2], 0);
    let other = replaced(
        file(),
        &der(SIGNED_DATA),
        &der(
            // CMS EncryptedData.
            ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.6"),
        ),
    );
    assert_eq!(
        refusal(&other),
        SodError::Message(CmsError::Part("message type"))
    );
    let other = ObjectIdentifier::new_unwrap("2.23.136.1.1.2"); // a master list
    assert_eq!(
        refusal(&replaced(file(), &der(SECURITY_OBJECT), &der(other))),
        SodError::ContentType("2.23.136.1.1.2".to_owned())
    );
    let sha3 = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.9");
    assert_eq!(
        refusal(&replaced(file(), &der(Hash::Sha384.oid()), &der(sha3))),
        SodError::Hash(HashError::Unsupported("2.16.840.1.101.3.4.2.9".to_owned()))
    );
}

#[test]
fn a_repeated_or_missing_signed_attribute_is_refused() {
    let der = |oid: ObjectIdentifier| der::Encode::to_der(&oid).unwrap();
    // The signing time is renamed, so that a second message digest appears.
    let twice = replaced(with(&[1], 0), &der(SIGNING_TIME), &der(MESSAGE_DIGEST));
    assert_eq!(
        refusal(&twice),
        SodError::Message(CmsError::Part("signed attribute"))
    );
    let unknown = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.9");
    let missing = replaced(with(&[1], 0), &der(MESSAGE_DIGEST), &der(unknown));
    assert_eq!(
        refusal(&missing),
        SodError::Message(CmsError::Part("signed attribute"))
    );
}

proptest! {
    #[test]
    fn no_input_panics(input in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = SecurityObject::parse(&input);
        let _ = SecurityObject::parse(&tlv::element(SOD_TAG, &[&input]));
        let _ = data_group_hashes(&input);
        let _ = Certificate::parse(&input);
    }

    #[test]
    fn no_changed_bytes_panic(changes in proptest::collection::vec((any::<u16>(), any::<u8>()), 1..4)) {
        let mut file = with(&[1, 2], 1);
        for (place, value) in changes {
            let place = usize::from(place) % file.len();
            file[place] = value;
        }
        let _ = SecurityObject::parse(&file);
    }
}
