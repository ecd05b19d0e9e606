//! Tests on security objects of real passports and a published master list.
//!
//! They are read from `$BAUTA_DATA`, else from `../shared/data` beside the repository.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::certificate::Certificate;
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

/// The German master list, whose signature holds.
fn master_list() -> Option<MasterList> {
    let file = data("csca/DE_ML.ml")?;
    Some(MasterList::parse(&file).unwrap())
}

fn trust(list: &[Vec<u8>]) -> TrustStore {
    TrustStore::from_der(list).unwrap_or_else(|(place, error)| panic!("{place}: {error}"))
}

fn certificates(list: &MasterList) -> Vec<Certificate> {
    list.certificates()
        .iter()
        .map(|der| Certificate::parse(der).unwrap())
        .collect()
}

#[test]
fn the_master_list_loads_whole_and_is_signed_by_its_state() {
    let Some(list) = master_list() else { return };
    let trust = trust(list.certificates());
    assert_eq!(trust.len(), 588);
    let countries: BTreeSet<_> = trust
        .authorities()
        .filter_map(|authority| authority.country().map(|code| code.to_string()))
        .collect();
    assert_eq!(countries.len(), 112);
    assert_eq!(list.country(), CountryCode::parse("DE").ok());
    assert_eq!(list.is_signed_under(&trust, NOW), Ok(()));
    // Its root alone is enough, and others are not.
    let roots: Vec<Vec<u8>> = list.roots().into_iter().map(<[u8]>::to_vec).collect();
    assert!(!roots.is_empty());
    let only = TrustStore::from_der(&roots).unwrap();
    assert_eq!(list.is_signed_under(&only, NOW), Ok(()));
    let others: Vec<_> = list
        .certificates()
        .iter()
        .filter(|der| !roots.contains(der))
        .collect();
    let others = TrustStore::from_der(&others).unwrap();
    let unknown = Err(MasterListError::UnknownAuthority);
    assert_eq!(list.is_signed_under(&others, NOW), unknown);
    let before = UnixTime(list.signed_at().unwrap().0 - 1);
    let early = list.is_signed_under(&trust, before);
    assert_eq!(early, Err(MasterListError::Signer));
}

#[test]
fn no_changed_byte_of_the_master_list_is_taken() {
    let Some(file) = data("csca/DE_ML.ml") else {
        return;
    };
    let list = MasterList::parse(&file).unwrap();
    for place in (0..file.len()).step_by(file.len() / 40) {
        let mut changed = file.clone();
        changed[place] ^= 1;
        if let Ok(other) = MasterList::parse(&changed) {
            assert_eq!(other.certificates(), list.certificates(), "byte {place}");
        }
    }
}

#[test]
fn every_key_of_the_master_list_is_read() {
    let Some(list) = master_list() else { return };
    let mut explicit = 0;
    for certificate in certificates(&list) {
        certificate.public_key().unwrap();
        explicit += usize::from(certificate.spells_out_its_curve());
    }
    assert_eq!(explicit, 160);
}

#[test]
fn self_signed_authorities_verify() {
    let Some(list) = master_list() else { return };
    let certificates = certificates(&list);
    let (mut good, mut weak, mut linked) = (0, 0, 0);
    for certificate in &certificates {
        if certificate.issuer != certificate.subject {
            continue;
        }
        match certificate.verify_signed_by(certificate) {
            Ok(()) => good += 1,
            // A new key certified under the old one, with an unchanged name.
            Err(SignatureError::Invalid | SignatureError::OtherKind) => {
                let by_another = certificates.iter().any(|other| {
                    other.subject == certificate.issuer
                        && certificate.verify_signed_by(other).is_ok()
                });
                linked += usize::from(by_another);
            }
            Err(error) => panic!("{error}"),
        }
        let scheme = certificate.signature_scheme().unwrap();
        weak += usize::from(scheme.hash().is_weak());
    }
    assert_eq!((good, linked, weak), (375, 117, 29));
}

/// The four objects: file, state, signature of the object and of the signer's certificate, and
/// whether the time of signing is stated.
const OBJECTS: [(&str, &str, &str, &str, bool); 4] = [
    ("sod/CN.sod", "CN", RSA_2048, RSA_4096, true),
    (
        "sod/DE.sod",
        "DE",
        "ECDSA brainpoolP384r1 with SHA-384",
        "ECDSA brainpoolP512r1 with SHA-512",
        false,
    ),
    ("sod/FR.sod", "FR", RSA_2048, RSA_4096, true),
    ("sod/NZ.sod", "NZ", RSA_2048, RSA_4096, true),
];
const RSA_2048: &str = "RSA 2048 with SHA-256";
const RSA_4096: &str = "RSA 4096 with SHA-256";

#[test]
fn four_real_objects_verify_up_to_the_master_list() {
    let Some(list) = master_list() else { return };
    let trust = trust(list.certificates());
    for (name, country, object, signer, stated) in OBJECTS {
        let Some(file) = data(name) else { return };
        let verified = SecurityObject::parse(&file)
            .unwrap()
            .verify(&trust, NOW)
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(verified.signer_country().as_str(), country);
        assert_eq!(verified.algorithms().object, object, "{name}");
        assert_eq!(verified.algorithms().signer, signer, "{name}");
        let is_stated = matches!(verified.signing_time(), SigningTime::Stated(_));
        assert_eq!(is_stated, stated, "{name}");
        assert_eq!(verified.weaknesses(), []);
        assert_eq!(verified.revocation(), Revocation::NoList);
        assert_eq!(
            verified.check_group(1, b"x"),
            Err(PassiveAuthError::GroupChanged(1))
        );
    }
}

#[test]
fn a_real_object_fails_without_its_authority() {
    let Some(list) = master_list() else { return };
    for (name, country, ..) in OBJECTS {
        let Some(file) = data(name) else { return };
        let country = CountryCode::parse(country).ok();
        let of_others = |der: &&Vec<u8>| Certificate::parse(der).unwrap().country != country;
        let others: Vec<_> = list.certificates().iter().filter(of_others).collect();
        let refused = SecurityObject::parse(&file)
            .unwrap()
            .verify(&TrustStore::from_der(others).unwrap(), NOW)
            .err();
        assert_eq!(refused, Some(PassiveAuthError::UnknownAuthority), "{name}");
    }
}

#[test]
fn every_changed_byte_of_a_real_object_is_noticed() {
    let Some(list) = master_list() else { return };
    let trust = trust(list.certificates());
    for (name, ..) in OBJECTS {
        let Some(file) = data(name) else { return };
        let original = SecurityObject::parse(&file).unwrap().message;
        for place in (0..file.len()).step_by(23) {
            let mut changed = file.clone();
            changed[place] ^= 1;
            let Ok(object) = SecurityObject::parse(&changed) else {
                continue;
            };
            let content = object.message.content.clone();
            if object.verify(&trust, NOW).is_ok() {
                // Left over: bytes that no signature covers, such as the list of algorithms.
                assert_eq!(content, original.content, "{name}: byte {place}");
            }
        }
    }
}
