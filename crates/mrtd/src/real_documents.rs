//! Tests on security objects of real passports and a published master list.
//!
//! They are read from `$BAUTA_DATA`, else from `../shared/data` beside the repository.

use std::path::PathBuf;

use crate::certificate::Certificate;
use crate::sod::signed_data;
use crate::tlv;
use crate::*;

/// 2026-06-01, after the master list was published.
const NOW: UnixTime = UnixTime(1_780_272_000);

/// The file, or `None` (with the reason printed) where there is no such data.
fn data(name: &str) -> Option<Vec<u8>> {
    let folder = std::env::var_os("BAUTA_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    let path = folder.join(name);
    match std::fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            eprintln!("skipped: {}: {error}", path.display());
            assert!(
                std::env::var_os("CI").is_none_or(|ci| ci != "true"),
                "data must be there"
            );
            None
        }
    }
}

/// The certificates of the German master list. Its own signature is not verified here.
fn master_list() -> Option<Vec<Vec<u8>>> {
    let file = data("csca/DE_ML.ml")?;
    let (_, content, _, _) = signed_data(&file).unwrap();
    let mut fields = tlv::single(content, 0x30).unwrap().inside();
    fields.expect(0x02).unwrap();
    let certificates = fields.expect(0x31).unwrap().inside().all().unwrap();
    Some(
        certificates
            .iter()
            .map(|certificate| certificate.whole.to_vec())
            .collect(),
    )
}

fn trust(list: &[Vec<u8>]) -> TrustStore {
    TrustStore::from_der(list).unwrap_or_else(|(place, error)| panic!("{place}: {error}"))
}

#[test]
fn every_certificate_of_the_master_list_is_read() {
    let Some(list) = master_list() else { return };
    assert_eq!(trust(&list).len(), 588);
}

#[test]
fn explicit_curves_are_the_only_keys_of_the_master_list_that_are_refused() {
    let Some(list) = master_list() else { return };
    let refused: Vec<_> = list
        .iter()
        .map(|der| Certificate::parse(der).unwrap())
        .filter_map(|certificate| certificate.public_key().err())
        .collect();
    assert_eq!(refused.len(), 160);
    assert!(
        refused
            .iter()
            .all(|error| *error == SignatureError::ExplicitCurve)
    );
}

#[test]
fn self_signed_authorities_with_named_keys_verify_or_rest_on_sha_1() {
    let Some(list) = master_list() else { return };
    let (mut good, mut broken) = (0, 0);
    for der in &list {
        let certificate = Certificate::parse(der).unwrap();
        if certificate.issuer != certificate.subject || certificate.public_key().is_err() {
            continue;
        }
        match certificate.verify_signed_by(&certificate) {
            Ok(()) => good += 1,
            Err(SignatureError::Hash(HashError::Broken)) => broken += 1,
            // A new key certified under the old one, with an unchanged name.
            Err(SignatureError::Invalid | SignatureError::OtherKind) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert!(good >= 250, "{good}");
    assert!(broken > 0);
}

#[test]
fn a_french_and_a_chinese_object_verify_up_to_the_master_list() {
    let Some(list) = master_list() else { return };
    for (name, country) in [("sod/FR.sod", "FR"), ("sod/CN.sod", "CN")] {
        let Some(file) = data(name) else { return };
        let verified = SecurityObject::parse(&file)
            .unwrap()
            .verify(&trust(&list), NOW)
            .unwrap();
        assert_eq!(verified.signer_country().as_str(), country);
        assert!(matches!(verified.signing_time(), SigningTime::Stated(time) if time < NOW));
        assert_eq!(
            verified.check_group(1, b"x"),
            Err(PassiveAuthError::GroupChanged(1))
        );
    }
}

#[test]
fn a_real_object_fails_without_its_authority() {
    let (Some(list), Some(file)) = (master_list(), data("sod/FR.sod")) else {
        return;
    };
    let others: Vec<_> = list
        .into_iter()
        .filter(|der| Certificate::parse(der).unwrap().country != CountryCode::parse("FR").ok())
        .collect();
    let refused = SecurityObject::parse(&file)
        .unwrap()
        .verify(&trust(&others), NOW)
        .err();
    assert_eq!(refused, Some(PassiveAuthError::UnknownAuthority));
}

#[test]
fn every_changed_byte_of_a_real_object_is_noticed() {
    let (Some(list), Some(file)) = (master_list(), data("sod/FR.sod")) else {
        return;
    };
    let trust = trust(&list);
    for place in (0..file.len()).step_by(7) {
        let mut changed = file.clone();
        changed[place] ^= 1;
        let Ok(object) = SecurityObject::parse(&changed) else {
            continue;
        };
        if let Ok(verified) = object.verify(&trust, NOW) {
            // Left over: bytes that no signature covers, such as the list of algorithms.
            let original = SecurityObject::parse(&file).unwrap();
            assert_eq!(
                verified.check_group(1, &[]),
                Err(PassiveAuthError::GroupChanged(1))
            );
            let again = SecurityObject::parse(&changed).unwrap();
            assert_eq!(again.content, original.content, "byte {place}");
        }
    }
}

#[test]
fn explicit_curves_and_indefinite_lengths_are_refused_clearly() {
    let (Some(list), Some(german)) = (master_list(), data("sod/DE.sod")) else {
        return;
    };
    let refused = SecurityObject::parse(&german)
        .unwrap()
        .verify(&trust(&list), NOW)
        .err();
    let explicit = PassiveAuthError::ObjectSignature(SignatureError::ExplicitCurve);
    assert_eq!(refused, Some(explicit));
    let Some(new_zealand) = data("sod/NZ.sod") else {
        return;
    };
    let refused = SecurityObject::parse(&new_zealand).err();
    assert_eq!(refused, Some(SodError::Frame(TlvError::IndefiniteLength)));
}
